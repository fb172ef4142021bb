/* Shows the legend: what every colour, hatch, symbol and mark on the map means for what is chosen. */

import { page, chosen, changesShown, here, target, twoYears, limitOf } from "./selection.js";
import { CHANGES } from "./year_changes.js";
import { drawChange, markedVenues } from "./compared.js";
import { PAINTED, differenceMark, drawSymbol, drawUnit, isHollow, symbolOrder } from "./drawing.js";
import { drawGroundKey, groundKinds, hasMainRoads } from "./ground.js";
import { lookIn, standingIn } from "./colours.js";
import { byId, element, fill, named } from "./nodes.js";
import { lengthText } from "./map_view.js";
import { newlyShown } from "./pins.js";
import { movedShown } from "./scenario_view.js";
import { sitesShown } from "./plan_layer.js";
import { drawLoad, supplyRows } from "./supply_layer.js";
import { CLASSES } from "./page_years.js";

/* The rows of residents in the legend: [class, text]; every class that the target can have. */
export function residentRows() {
  const now = target(), words = page.words, look = lookIn(here());
  if (!look) return [];
  if (changesShown()) {
    const values = { first: twoYears().first.entry.year, second: twoYears().second.entry.year };
    return CHANGES.map((name) => [PAINTED.indexOf(name), fill(words["change_key_" + name], values)])
      .filter(([which]) => !look.hidden.includes(which) && look.order[which].length);
  }
  if (chosen.counting !== "reach") {
    const texts = chosen.counting === "differ"
      ? { covered: words.counts_agree, over: fill(words.villages_over, now), under: fill(words.villages_under, now) }
      : { covered: words["counted_" + chosen.counting], beyond_1: words["uncounted_" + chosen.counting] };
    return Object.entries({ ...texts, uncounted: words.counts_unknown }).map(([name, text]) => [PAINTED.indexOf(name), text])
      .filter(([which]) => !look.hidden.includes(which));
  }
  const [low, high] = page.data.overBreaks;
  const text = (name) => fill(words[name], {
    minutes: limitOf(now), low: name === "beyond_1" ? low : high, high: name === "beyond_0" ? low : high,
  });
  return CLASSES.map((name, which) => [which, text(name)])
    .filter(([which]) => (which < 6 || standingIn(here()).classes.includes(6)) && !look.hidden.includes(which));
}

function swatch(which) {
  const node = element("i", { className: "lc-swatch" + (which === 5 ? " lc-hatched" : ""), "aria-hidden": "true" });
  if (which !== 5) node.style.background = page.data.cellColours[PAINTED[which]];
  return node;
}

function rateSwatch(colour) {
  const node = element("i", { className: "lc-swatch", "aria-hidden": "true" });
  node.style.background = colour;
  return node;
}

function drawn(draw) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: 18 * ratio, height: 18 * ratio, className: "lc-symbol", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  draw(context);
  return canvas;
}

const symbol = (number) => drawn((context) => drawSymbol(context, number, 9, 9, 6));
const unitSymbol = (state) => drawn((context) => drawUnit(context, state, 9, 9, 6.5));

const keyed = (mark, text) => element("li", {}, mark, element("span", {}, text));
const section = (title, entries) => [element("h3", {}, title), element("ul", {}, ...entries.map(([mark, text]) => keyed(mark, text)))];

function markRows(now) {
  const moved = movedShown();
  const rows = newlyShown().length ? [[swatch(PAINTED.indexOf("newly")), page.words.newly]] : [];
  if (moved?.won.length) rows.push([swatch(PAINTED.indexOf("under")), page.words.scenario_won]);
  if (moved?.lost.length) rows.push([swatch(PAINTED.indexOf("over")), page.words.scenario_lost]);
  if (now.gaps && now.gaps.length) {
    rows.push([element("i", { className: "lc-gap lc-gap-key", "aria-hidden": "true" }, element("span", {}, "1")), page.words.gap_marks]);
  }
  if (sitesShown().length) {
    rows.push([element("i", { className: "lc-site lc-site-key", "aria-hidden": "true" }, element("span", {}, "1")), page.words.plan_marks]);
  }
  for (const kind of ["over", "under"]) {
    if (now.villages && now.villages.differ.some((one) => one.kind === kind)) rows.push([differenceMark(kind, 18), fill(page.words["villages_" + kind], now)]);
  }
  return rows;
}

const noted = (text) => (text ? [element("p", { className: "lc-small" }, text)] : []);

/* Whether the districts have the colours of rates: only shares of people and of units have, those of people when asked for. */
export const isRated = (now) => now.shares && !now.areas && now.districts.some((one) => one.value !== null)
  && (!here().answers(now) || page.map.hasLayer(page.layers.rates));

/* The venues of the target by class: [heading, [symbol number, service]]; filled and hollow symbols apart. */
export function symbolRows(now) {
  const { words } = page, order = symbolOrder(now, here().entry.serviceIds);
  const rows = order.flatMap((service, number) => (service < 0 ? [] : [[number, here().entry.services[service]]]));
  const classes = now.answers?.classes ?? [];
  const parted = order !== now.services;
  return [false, true].map((hollow) => [
    !parted ? (hollow ? words.legend_hollow_more : words.legend_facilities)
      : fill(hollow ? words.legend_hollow : words.legend_filled, { name: classes[Number(hollow)].text }),
    rows.filter(([number]) => isHollow(number) === hollow)]).filter(([, mine]) => mine.length);
}

/* What the ground is made of: [draws the key, text]; on paper nobody comes nearer. */
export function groundRows({ paper = false } = {}) {
  const { words } = page, has = (name) => page.layers[name] && page.map.hasLayer(page.layers[name]);
  const rows = has("ground") ? groundKinds().map((kind) => [(context) => drawGroundKey(context, kind), words["ground_" + (kind || "other")]]) : [];
  if (page.data.roads && has("roads")) {
    rows.push([(context) => {
      context.lineWidth = 1.5;
      context.strokeStyle = "#858b94";
      context.beginPath();
      context.moveTo(0, 9);
      context.lineTo(18, 9);
      context.stroke();
    }, paper ? words.layer_roads : hasMainRoads() ? words.ground_roads : words.ground_roads_near]);
  }
  return rows;
}

function unitRows({ title, legend, note }) {
  return [...(legend.length ? section(title, legend.map(([state, text]) => [unitSymbol(state), text])) : []), ...noted(note)];
}

/* What the squares of the public edition stand for: [hollow, text]; none where each is a resident place of its own. */
export function mergedRows() {
  const sides = here().entry.cells.sides?.metres.map(lengthText);
  if (!sides) return [];
  const { words } = page;
  return [[false, fill(words.merged_least, { side: sides[0] })],
    ...(sides.length > 1 ? [[true, fill(words.merged_larger, { low: sides[1], high: sides[sides.length - 1] })]] : [])];
}

function mergedKey(hollow) {
  return drawn((context) => {
    context.fillStyle = page.data.cellColours.covered;
    context.fillRect(2, 2, 14, 14);
    context.fillStyle = "#ffffff";
    if (hollow) context.fillRect(5.5, 5.5, 7, 7);
  });
}

export function showLegend() {
  const now = target(), words = page.words;
  const parts = [];
  const residents = residentRows();
  if (residents.length) {
    const marks = chosen.compared === null || changesShown() ? markRows(now) : []; // side by side the map has none of them
    parts.push(...section(words.legend_residents, [...residents.map(([which, text]) => [swatch(which), text]), ...mergedRows().map(([hollow, text]) => [mergedKey(hollow), text]), ...marks]));
  }
  const supply = supplyRows();
  for (const [title, rows] of supply.parts) parts.push(...section(title, rows.map(([which, text]) => [swatch(which), text])));
  if (supply.loads.length) parts.push(...section(words.layer_loads, supply.loads.map(([share, full, text]) => [drawn((context) => drawLoad(context, 9, 9, 7.5, share, full)), text])));
  if (now.units) parts.push(...unitRows(now.units));
  if (now.areas) parts.push(...section(now.areas.title, now.areas.rows.map(([colour, text]) => [rateSwatch(colour), text])), ...noted(now.areas.note));
  else if (isRated(now) && chosen.compared === null) {
    parts.push(...section(now.units ? words.legend_share : words.legend_districts, page.data.rateTexts.map((text, i) => [rateSwatch(page.data.rateColours[i]), text])));
    parts[parts.length - 1].className = "lc-steps";
    if (residents.length) parts.push(...noted(words.legend_nobody));
    else if (now.districts.some((one) => one.value === null)) parts.push(...noted(words.area_left_out));
  }
  if (!now.computed) parts.push(element("p", {}, now.statusText), ...noted(words.legend_not_computed));
  else if (now.whole) parts.push(element("p", { className: "lc-whole" }, words.legend_whole, element("b", {}, now.value)), ...noted(words.legend_whole_note));
  for (const [title, rows] of symbolRows(now)) {
    parts.push(...section(title, rows.map(([number, service]) => [symbol(number), named(service)])));
    parts[parts.length - 1].className = "lc-columns";
  }
  const ground = groundRows();
  if (ground.length) {
    parts.push(...section(words.legend_ground, ground.map(([draw, text]) => [drawn(draw), text])));
    parts[parts.length - 1].className = "lc-columns";
  }
  const venues = new Set(markedVenues().map(([, , opened]) => opened));
  if (venues.size) parts.push(...section(words.change_venues, [true, false].filter((one) => venues.has(one)).map((opened) =>
    [drawn((context) => drawChange(context, 9, 9, 6.5, opened)), opened ? words.change_venue_opened : words.change_venue_closed])));
  byId("lc-legend").replaceChildren(...parts);
}
