/* Pins as text: the GeoJSON that `lifecircle scenario` reads, written and read back, and what stands of them in a link. */

const round = (degrees) => Math.round(degrees * 1e6) / 1e6; // a tenth of a metre
const MOST_PINS = 200;
const MOST_NAME = 60; // signs of a name
const CONTROLS = /[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g; // no sign that turns a line around

/* pins: lon, lat, service (ids with ; between them), name. */
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

/* ---- reading back ---- */

const plainName = (name) => (typeof name === "string" ? name.replace(CONTROLS, " ").trim().slice(0, MOST_NAME) : "");
const onEarth = (lon, lat) => Number.isFinite(lon) && Number.isFinite(lat) && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
const idsOf = (text) => [...new Set(String(text ?? "").replaceAll("；", ";").split(";").map((one) => one.trim()).filter(Boolean))];

/* One feature as a pin, or {why} it is none: place, action or service. `known` are the ids that the page has. */
function pinOf(feature, known, usual) {
  const { geometry, properties } = feature && typeof feature === "object" ? feature : {};
  const [lon, lat] = geometry && geometry.type === "Point" && Array.isArray(geometry.coordinates) ? geometry.coordinates : [];
  if (typeof lon !== "number" || typeof lat !== "number" || !onEarth(lon, lat)) return { why: "place" };
  const facts = properties && typeof properties === "object" ? properties : {};
  const action = facts.action ?? facts["操作"] ?? "open";
  if (action !== "open") return { why: "action", value: plainName(String(action)) };
  const ids = idsOf(facts.service ?? facts.services ?? facts["类别"]);
  const strange = ids.filter((one) => !known.includes(one));
  if (strange.length) return { why: "service", value: plainName(strange.join(";")) };
  const service = ids.length ? ids.join(";") : usual;
  return service ? { pin: { lon, lat, service, name: plainName(facts.name ?? facts["名称"]) } } : { why: "service", value: "" };
}

/* {pins, left} of a GeoJSON text: what is no pin stands in `left` with its number, `why` and value; {fault} where the
   whole is no such text. */
export function readCollection(text, known, usual) {
  let content;
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return { fault: "pins_no_json" };
  }
  const features = content && content.type === "Feature" ? [content] : content && content.type === "FeatureCollection" ? content.features : null;
  if (!Array.isArray(features) || !features.length) return { fault: "pins_no_features" };
  const pins = [], left = [];
  features.forEach((feature, i) => {
    const { pin, ...rest } = pins.length < MOST_PINS ? pinOf(feature, known, usual) : { why: "many" };
    if (pin) pins.push(pin);
    else left.push({ number: i + 1, ...rest });
  });
  return { pins, left };
}

/* ---- in a link ---- */

const clean = (text) => text.replace(/[~|]/g, " ");

/* Pins with ~ between their parts and | between them. */
export const linkPins = (pins) => pins.slice(0, MOST_PINS)
  .map(({ lon, lat, service, name }) => [lon.toFixed(5), lat.toFixed(5), service, clean(name)].join("~").replace(/~$/, "")).join("|");

/* The pins of a link; RangeError where one is none. */
export function pinsOfLink(text, known) {
  return text === "" ? [] : text.split("|").map((part) => {
    const [lon, lat, service, name, more] = part.split("~");
    const { pin } = pinOf({ geometry: { type: "Point", coordinates: [Number(lon || NaN), Number(lat || NaN)] }, properties: { service, name: name ?? "" } }, known, "");
    if (!pin || more !== undefined) throw new RangeError(part);
    return pin;
  });
}
