/* Writes pins as the file that `lifecircle scenario` reads: a GeoJSON FeatureCollection of venues to open. */

const round = (degrees) => Math.round(degrees * 1e6) / 1e6; // a tenth of a metre

/* pins: lon, lat, service (id), name. */
export function collection(pins) {
  return {
    type: "FeatureCollection",
    features: pins.map(({ lon, lat, service, name }) => ({
      type: "Feature",
      properties: { action: "open", service, name },
      geometry: { type: "Point", coordinates: [round(lon), round(lat)] },
    })),
  };
}

export const collectionText = (pins) => JSON.stringify(collection(pins), null, 1);
