/* Shows every target of a year as a card with a small map of its districts; a card leads to the target's own map. */

import { page, here, onChange } from "./selection.js";
import { ring } from "./district_table.js";
import { byId, element, fill, named, svg } from "./nodes.js";

const SIDE = 40; // pixels of a small map
const POINTS = 70; // of an outline that small, at most
const BELOW = [0.1, 0.3]; // shares short of the goal, where the colour changes
const REACHED = ["met", "on_track"], SHORT = ["missed", "behind"];

let shapesOf = null; // the outlines that the small maps are made of
let open = false;
let take = null; // what choosing a target does

/* ---- small maps ---- */

/* Outlines of the districts as paths in a square: [code, path]. */
export function smallShapes(outlines) {
  const rings = outlines.map((outline) => [outline.code, outline.rings.flatMap((polygon) => polygon.map(ring))]);
  const all = rings.flatMap(([, mine]) => mine.flat());
  if (!all.length) return [];
  const lats = all.map(([lat]) => lat), lons = all.map(([, lon]) => lon);
  const least = (values) => values.reduce((a, b) => Math.min(a, b)), most = (values) => values.reduce((a, b) => Math.max(a, b));
  const top = most(lats), left = least(lons);
  const narrower = Math.cos(((top + least(lats)) / 2) * (Math.PI / 180));
  const scale = (SIDE - 2) / Math.max(top - least(lats), (most(lons) - left) * narrower, 1e-9);
  const at = ([lat, lon]) => `${(1 + (lon - left) * narrower * scale).toFixed(1)} ${(1 + (top - lat) * scale).toFixed(1)}`;
  return rings.map(([code, mine]) => [code, mine.map((points) => {
    const step = Math.max(1, Math.ceil(points.length / POINTS));
    return "M" + points.filter((_, i) => i % step === 0).map(at).join("L") + "Z";
  }).join("")]);
}

/* The colour of a district or a whole target by its verdict, and where it falls short of a goal by how far. */
export function verdictColour(status, value, goal, colours) {
  if (REACHED.includes(status)) return colours.covered;
  if (!SHORT.includes(status)) return colours.uncounted;
  if (goal === null || value === null) return colours.beyond_0;
  return colours["beyond_" + BELOW.filter((limit) => goal - value > limit).length];
}

function smallMap(now) {
  const colours = page.data.cellColours, goal = now.shares ? now.goal : null;
  const results = new Map(now.areas?.parts ? [] : now.districts.map((one) => [one.code, one]));
  const whole = now.districts.every((one) => one.value === null);
  const picture = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, width: SIDE, height: SIDE, "aria-hidden": "true", class: "lc-small-map" });
  for (const [code] of shapesOf.paths) {
    const one = whole ? now : results.get(code);
    const value = whole ? null : one?.value ?? null;
    picture.append(svg("use", { href: "#lc-shape-" + shapesOf.places.get(code), fill: verdictColour(one?.status, value, goal, colours) }));
  }
  return picture;
}

function prepareShapes() {
  const outlines = page.data.lists[here().entry.districts];
  if (shapesOf?.outlines === outlines) return;
  const paths = smallShapes(outlines);
  shapesOf = { outlines, paths, places: new Map(paths.map(([code], i) => [code, i])) };
  byId("lc-shapes")?.remove();
  byId("lc-overview").append(svg("svg", { id: "lc-shapes", width: 0, height: 0, "aria-hidden": "true" },
    svg("defs", {}, ...paths.map(([, path], i) => svg("path", { id: "lc-shape-" + i, d: path })))));
}

/* ---- cards ---- */

function card(now) {
  const button = element("button", { type: "button", className: "lc-card" }, named(now.name), smallMap(now),
    element("span", {}, element("b", {}, now.computed ? now.value : "—"), element("small", {}, now.statusText)));
  button.dataset.status = now.status;
  button.dataset.target = now.id;
  button.addEventListener("click", () => {
    take(now.id);
    closeOverview();
    byId("lc-target").focus({ preventScroll: true });
  });
  return element("li", {}, button);
}

/* The targets by kind in the plan's order, circles first: [title, targets]. */
export function byKind(targets, words) {
  const kinds = [...new Set(targets.map((one) => one.kind))].sort((a, b) => (b === "circle") - (a === "circle"));
  return kinds.map((kind) => targets.filter((one) => one.kind === kind))
    .map((mine) => [mine[0].kind === "circle" ? words.targets_circles : mine[0].rule, mine]);
}

function counts(targets) {
  const { words } = page;
  const verdicts = [...new Set(targets.map((one) => one.statusText))].map((verdict) =>
    fill(words.overview_verdict, { verdict, count: targets.filter((one) => one.statusText === verdict).length }));
  return fill(words.overview_counts, { count: targets.length, verdicts: verdicts.join(words.overview_and) });
}

function key() {
  const { words, data } = page, points = BELOW.map((share) => Math.round(100 * share));
  const rows = [["covered", words.overview_reached], ["beyond_0", fill(words.overview_below, { low: 0, high: points[0] })],
    ["beyond_1", fill(words.overview_below, { low: points[0], high: points[1] })], ["beyond_2", fill(words.overview_far, { low: points[1] })],
    ["uncounted", words.overview_unjudged]];
  return rows.map(([name, text]) => {
    const swatch = element("i", { className: "lc-swatch", "aria-hidden": "true" });
    swatch.style.background = data.cellColours[name];
    return element("li", {}, swatch, text);
  });
}

function fillOverview() {
  const { targets, year } = here().entry, { words } = page;
  prepareShapes();
  byId("lc-overview-title").textContent = fill(words.overview_title, { year });
  byId("lc-overview-counts").textContent = counts(targets);
  byId("lc-overview-key").replaceChildren(...key());
  byId("lc-cards").replaceChildren(...byKind(targets, words).flatMap(([title, mine]) =>
    [element("h3", {}, title), element("ul", {}, ...mine.map(card))]));
  markChosen();
}

function markChosen() {
  const id = byId("lc-target").value;
  for (const button of byId("lc-cards").querySelectorAll("button")) {
    if (button.dataset.target === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

/* ---- open and closed ---- */

function show(wanted) {
  open = wanted;
  byId("lc-overview").hidden = !open;
  document.body.classList.toggle("lc-overviewing", open);
  byId("lc-overview-open").setAttribute("aria-expanded", String(open));
  if (open) fillOverview();
}

export const closeOverview = () => open && show(false);

/* One target needs no overview. `choose` takes the id of a target. */
export function prepareOverview(choose) {
  take = choose;
  page.closeOverview = closeOverview;
  const many = page.years.some((year) => year.entry.targets.length > 1);
  byId("lc-overview-open").hidden = !many;
  byId("lc-overview-open").addEventListener("click", () => show(!open));
  byId("lc-overview-close").addEventListener("click", () => {
    show(false);
    byId("lc-overview-open").focus({ preventScroll: true });
  });
  for (const id of ["lc-pins-part", "lc-plans-part"]) byId(id)?.addEventListener("click", closeOverview);
  if (many) show(true);
  onChange((choice) => {
    if (!open) return;
    if ("year" in choice) fillOverview();
    else closeOverview(); // every other choice is about the map
  });
}
