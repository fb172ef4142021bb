/* Moves the map and measures on it: flying to a place, pixels a metre, the room that the legend takes. */

import { page, here } from "./selection.js";

/* A page so narrow, as in page.css, has one column. A phone that lies and a page at twice its size keep two. */
const NARROW = "(max-width: 560px), (max-width: 760px) and (min-height: 561px)";
const ROOMY = "(min-width: 1100px) and (min-height: 561px)"; // where the legend starts unfolded
const EDGE = 12; // pixels left free around what the map is to show

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const go = (flying, jumping) => (still() ? jumping() : flying());

export const narrow = () => window.matchMedia(NARROW).matches;
export const roomy = () => window.matchMedia(ROOMY).matches;

/* Pixels of the map that something else covers from the left: none, since legend and layers have a column of their own. */
export const beside = () => EDGE;

function showMap() {
  page.closeOverview();
  if (narrow()) page.map.getContainer().scrollIntoView({ block: "start" });
}

export function goTo(place) {
  showMap();
  const zoom = Math.max(page.map.getZoom(), 14);
  go(() => page.map.flyTo(place, zoom, { duration: 0.6 }), () => page.map.setView(place, zoom, { animate: false }));
}

export function goToBounds(bounds) {
  showMap();
  const room = { paddingTopLeft: [beside() + 18, 30], paddingBottomRight: [30, 30] };
  go(() => page.map.flyToBounds(bounds, { ...room, duration: 0.6 }),
    () => page.map.fitBounds(bounds, { ...room, animate: false }));
}

/* Metres a pixel at a latitude and a zoom, in web mercator. */
export const metresPerPixel = (lat, zoom) => (40075016.7 * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** zoom);

/* So large that a resident is drawn as large as it stands for. */
export function cellSide(year = here()) {
  const metres = metresPerPixel(page.map.getCenter().lat, page.map.getZoom());
  return Math.min(48, Math.max(1.6, year.entry.cells.size_m / metres));
}

export const symbolSize = (zoom = page.map.getZoom()) => Math.min(7, Math.max(2.4, (zoom - 8) * 1.1));

/* Units are drawn a little larger than venues, which stand on top of them. */
export const unitSize = (zoom = page.map.getZoom()) => Math.min(9, Math.max(4.2, (zoom - 7) * 1.5));

/* The longest round length that fits: 1, 2 or 5 times a power of ten metres. */
export function roundLength(metres) {
  const ten = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((times) => times * ten).find((length) => length <= metres * (1 + 1e-9));
}

export const lengthText = (metres) => (metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);
