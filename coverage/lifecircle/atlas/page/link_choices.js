/* What of the choices stands in the link: year, target, area, trial, filter, compared year, and the view of the map. */

import { VIEWS, page, chosen, here, target } from "./selection.js";
import { groupsOf } from "./colours.js";
import { keepInLink, noteChange } from "./link.js";
import { sliderOf } from "./trial_controls.js";

const DECIMALS = 5; // degrees, about a metre

/* Refuse a text that the page cannot have. */
export function known(place, text) {
  if (place < 0 || place === undefined) throw new RangeError(text);
  return place;
}

const yearNumbered = (text) => known(page.years.findIndex((year) => String(year.entry.year) === text), text);
const targetOf = (so) => page.years[so.year].entry.targets[so.target];

/* One of the values that a choice may have, the first where the link has none. */
const oneOf = (key, values) => ({
  name: key, read: () => (chosen[key] === values[0] ? "" : chosen[key]),
  write: (text) => ({ [key]: values[text === "" ? 0 : known(values.indexOf(text), text)] }),
});

function limit(text, so) {
  if (text === "") return { limit: null };
  const now = targetOf(so), minutes = Number(text);
  const { min, max } = now.answers ? sliderOf(now.minutes, page.data.about.stepMinutes) : { min: 0, max: -1 };
  if (!(minutes >= min && minutes <= max)) throw new RangeError(text);
  return { limit: minutes === now.minutes ? null : minutes };
}

function district(text, so) {
  if (text === "") return { district: null };
  const { entry } = page.years[so.year];
  const codes = [...page.data.lists[entry.districts], ...targetOf(so).districts].map((one) => one.code);
  return { district: codes[known(codes.indexOf(text), text)] };
}

function village(text, so) {
  if (text !== "") known(page.years[so.year].villages().codes.indexOf(text), text);
  return { village: text || null };
}

function group(text, so) {
  if (text !== "") known(groupsOf(page.years[so.year], targetOf(so)).findIndex(([id]) => id === text), text);
  return { group: text || "all" };
}

/* ---- the view of the map ---- */

let first = ""; // the view that the page starts with

function viewText() {
  const { lat, lng } = page.map.getCenter();
  return [lat.toFixed(DECIMALS), lng.toFixed(DECIMALS), page.map.getZoom()].join(",");
}

function view(text) {
  const [lat, lon, zoom, more] = (text || first).split(",").map(Number);
  const held = Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && zoom >= page.map.getMinZoom() && zoom <= page.map.getMaxZoom();
  if (!held || more !== undefined) throw new RangeError(text);
  return () => page.map.setView([lat, lon], zoom, { animate: false });
}

/* Keep the choices that every page has. */
export function keepChoices() {
  keepInLink({
    name: "year", step: true, read: () => String(here().entry.year),
    write: (text) => ({ year: text === "" ? page.years.length - 1 : yearNumbered(text) }),
  });
  keepInLink({
    name: "target", step: true, read: () => target().id,
    write: (text, so) => ({ target: known(page.years[so.year].entry.targets.findIndex((one) => one.id === text), text) }),
  });
  keepInLink({ name: "district", step: true, read: () => chosen.district ?? "", write: district });
  keepInLink({ name: "village", step: true, read: () => chosen.village ?? "", write: village });
  keepInLink({ name: "limit", read: () => (chosen.limit === null ? "" : String(chosen.limit)), write: limit });
  keepInLink(oneOf("band", ["usual", "slow", "fast"]));
  keepInLink(oneOf("counting", ["reach", "accepted", "straight", "differ"]));
  keepInLink({ name: "group", read: () => (chosen.group === "all" ? "" : chosen.group), write: group });
  keepInLink({ name: "only", read: () => (chosen.onlyGaps ? "gaps" : ""), write: (text) => ({ onlyGaps: known(["", "gaps"].indexOf(text), text) === 1 }) });
  keepInLink({
    name: "compared", step: true, read: () => (chosen.compared === null ? "" : String(page.years[chosen.compared].entry.year)),
    write: (text) => ({ compared: text === "" ? null : yearNumbered(text) }),
  });
  keepInLink(oneOf("comparing", VIEWS));
  first = viewText();
  keepInLink({ name: "map", read: () => (viewText() === first ? "" : viewText()), write: view });
  page.map.on("moveend", noteChange);
}
