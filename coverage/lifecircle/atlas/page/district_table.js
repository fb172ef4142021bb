/* Shows the districts: their outlines and rates on the map, and the table beside it, each leading to the other. */

import { page, chosen, change, here, onTrial, target, targetIn } from "./selection.js";
import { districtRows, onGroup } from "./colours.js";
import { byId, element, fill, named, part, peopleText, percentText, svg } from "./nodes.js";
import { inOrderOf, numberIn, sortedHead } from "./sorting.js";
import { goToBounds } from "./map_view.js";

const LABELLED = 60; // districts at most that have their names on the map
let outlinesShown = null;
export const shapes = new Map();

export const rateClass = (value) => page.data.rateBreaks.filter((limit) => value >= limit).length;

export function ring(packed) {
  const lon = page.running(packed[0]), lat = page.running(packed[1]);
  return Array.from(lat, (value, i) => [value / page.data.places, lon[i] / page.data.places]);
}

function drawOutlines(outlines) {
  const group = page.layers.districts;
  group.clearLayers();
  shapes.clear();
  outlinesShown = outlines;
  for (const outline of outlines) {
    const rings = outline.rings.map((polygon) => polygon.map(ring));
    const area = L.polygon(rings, { pane: "lc-areas", stroke: false, fillOpacity: 1 });
    const line = L.polygon(rings, { pane: "lc-lines", fill: false, interactive: false });
    area.on("click", () => page.busy() || choose(outline.code));
    const label = L.marker(outline.label, {
      pane: "lc-labels", interactive: false, keyboard: false,
      icon: L.divIcon({ className: "lc-label", iconSize: [0, 0], html: element("span", {}, named(outline.name)) }),
    });
    const labelled = outlines.length <= LABELLED;
    for (const layer of labelled ? [area, line, label] : [area, line]) group.addLayer(layer);
    shapes.set(outline.code, { area, line, rings, name: outline.name, at: outline.label, label: labelled ? label : null });
  }
}

/* Whether the figures of districts are all that the map shows of the target, as it has none of residents: they then stand under
   the names. */
export const figured = () => !here().answers(target());

/* The district that holds a place: its code, null where none does. */
export function districtAt({ lat, lng }) {
  const inside = (ring) => ring.reduce((odd, [y, x], i) => {
    const [v, u] = ring[(i || ring.length) - 1];
    return (y > lat) !== (v > lat) && lng < x + ((lat - y) / (v - y)) * (u - x) ? !odd : odd;
  }, false);
  for (const [code, shape] of shapes) if (inside(shape.rings.flat(1).flat(1))) return code;
  return null;
}

/* What colour a district has: its class, or its rate's class; none where it has no rate, two years share the map, or
   residents show more and the shading is not asked for. */
export function areaColour(one) {
  const { areas } = target();
  if (areas) return areas.rows[one && one.code in areas.of ? areas.of[one.code] : areas.rows.length - 1][0];
  const rated = one && one.value !== null && target().shares && chosen.compared === null && (figured() || page.map.hasLayer(page.layers.rates));
  return rated ? page.data.rateColours[rateClass(one.value)] : page.data.noRateColour;
}

/* Put a district's figure under its name; a mark in its middle moves both down. */
function labelled(shape, one) {
  const node = shape.label.getElement()?.firstChild;
  if (!node) return;
  node.querySelector("small")?.remove();
  if (one && one.value !== null) node.append(element("small", {}, one.rate));
  node.classList.toggle("lc-label-below", target().units?.unit === "district");
}

export function showDistricts() {
  const outlines = page.data.lists[here().entry.districts];
  if (outlinesShown !== outlines) drawOutlines(outlines);
  const results = new Map(districtRows().map((one) => [one.code, one]));
  for (const [code, shape] of shapes) {
    shape.area.setStyle({ fillColor: areaColour(results.get(code)) });
    if (shape.label) labelled(shape, figured() ? results.get(code) : null);
    const strong = code === chosen.district;
    shape.line.setStyle({ color: strong ? "#0b3d91" : "#5d6470", weight: strong ? 3.5 : 1.3, dashArray: strong ? null : "6 3" });
    if (strong) shape.line.bringToFront();
  }
}

/* Choose a district, which filters everything; `pan` brings the map there. */
export function choose(code, { pan = false } = {}) {
  change({ district: code, village: null });
  const shape = shapes.get(code);
  for (const row of byId("lc-districts").tBodies[0].rows) {
    const mine = row.dataset.code === code;
    row.classList.toggle("lc-chosen", mine);
    const button = row.querySelector("button");
    if (button) button.setAttribute("aria-pressed", String(mine));
  }
  if (shape && pan) goToBounds(shape.area.getBounds());
}

/* ---- the trend of a district over the years, against the goal ---- */

const WIDE = 66, HIGH = 22, EDGE = 4;

/* The rates of a district in every year of the page: [year, value, printed]. */
export function trendOf(code) {
  return page.years.flatMap((year) => {
    const now = targetIn(year);
    const one = now && now.districts.find((row) => row.code === code);
    return one && one.value !== null ? [[year.entry.year, one.value, one.rate]] : [];
  });
}

/* The least and the most of all districts in all years, and the goal: one scale for every line. */
export function scaleOf(trends, goal) {
  const values = trends.flatMap((points) => points.map(([, value]) => value)).concat(goal === null ? [] : [goal]);
  return [Math.min(...values), Math.max(...values)];
}

/* What a district gained since the first year, in points of the printed shares; of other figures the first one. */
function trendText(points) {
  const [year, first, printed] = points[0], last = points[points.length - 1][1];
  if (!target().shares) return `${year} ${printed}`;
  const gained = Math.floor(last * 1000 + 1e-9) - Math.floor(first * 1000 + 1e-9);
  return fill(page.words.trend_from, { year, points: (gained > 0 ? "+" : gained < 0 ? "−" : "") + (Math.abs(gained) / 10).toFixed(1) });
}

function spark(points, goal, [low, high]) {
  const first = page.years[0].entry.year, span = page.years[page.years.length - 1].entry.year - first || 1;
  const x = (year) => EDGE + ((year - first) / span) * (WIDE - 2 * EDGE);
  const y = (value) => HIGH - EDGE - ((value - low) / (high - low || 1)) * (HIGH - 2 * EDGE);
  const text = points.map(([year, , printed]) => `${year} ${printed}`).join(" · ");
  const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, role: "img", class: "lc-spark", "aria-label": text },
    svg("title", {}, text));
  if (goal !== null) picture.append(svg("line", { x1: 0, x2: WIDE, y1: y(goal), y2: y(goal), class: "lc-goal-line" }));
  picture.append(svg("polyline", { points: points.map(([year, value]) => `${x(year).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: "lc-curve-line" }));
  const [lastYear, last] = points[points.length - 1];
  picture.append(svg("circle", { cx: x(lastYear), cy: y(last), r: 2.6, class: "lc-curve-point" }));
  return picture;
}

/* ---- the table ---- */

/* A district's verdict; none where districts are parts of a sum, whose goal judges none of them. */
export const verdictText = (one) => (target().areas?.parts ? "—" : one.statusText);

function row(one, { trended, goal, scale, counted }) {
  const name = shapes.has(one.code)
    ? element("button", { type: "button", className: "lc-link", "aria-pressed": String(one.code === chosen.district) }, named(one.name))
    : named(one.name);
  if (name.tagName === "BUTTON") name.addEventListener("click", () => choose(one.code, { pan: true }));
  const rate = one.own ? one.rate : percentText(one.value);
  const figure = element("td", { title: one.own ? verdictText(one) : onTrial() ? page.words.trial : page.words.counted_here }, rate);
  const cells = counted
    ? [element("td", {}, one.people), figure, element("td", {}, one.own ? one.left : peopleText(one.left))]
    : [figure, element("td", {}, verdictText(one))];
  const line = element("tr", { className: one.code === chosen.district ? "lc-chosen" : "" }, element("th", { scope: "row" }, name), ...cells);
  if (trended) {
    const points = trendOf(one.code);
    const cell = element("td", { className: "lc-trend" + (onTrial() && !one.own ? " lc-stays" : "") });
    if (points.length > 1) cell.append(spark(points, goal, scale), element("small", {}, trendText(points)));
    else cell.append("—");
    line.append(cell);
  }
  line.dataset.code = one.code;
  return line;
}

let order = { key: null, down: true }; // the plan's order, until one sorts

/* What a row is sorted by. */
function valueOf(one, key) {
  if (key === "people") return numberIn(one.people);
  if (key === "left") return one.own ? one.leftPeople ?? numberIn(one.left) : one.left;
  if (key !== "trend") return one[key];
  const points = trendOf(one.code);
  return points.length > 1 ? points[points.length - 1][1] - points[0][1] : null;
}
const SIDES = ["urban", "rural"];

/* Town and country under the districts: the run's own figures of the whole study; none on trial or of a group. */
const sideRows = (now) => (onTrial() || onGroup() || chosen.district !== null || chosen.village !== null ? []
  : SIDES.flatMap((id) => (now.groupIds.includes(id) ? [now.groups[now.groupIds.indexOf(id)]] : [])));

const sideRow = ([name, people, rate, left], trended) => element("tr", {}, element("th", { scope: "row" }, name),
  ...[people, rate, left, ...(trended ? [""] : [])].map((figure) => element("td", {}, figure)));

export function showTable() {
  const now = target();
  const words = page.words;
  part("lc-districts-part", now.districts.length > 0);
  const counted = now.people !== null; // districts of other targets have no people, but a verdict
  const trended = page.years.length > 1 && !onGroup(); // the years' shares are everybody's
  const goal = now.shares ? now.goal ?? null : null;
  const rows = districtRows();
  byId("lc-districts-note").textContent = rows.some((one) => !one.own) ? words.counted_here : "";
  byId("lc-districts").tFoot.replaceChildren(...sideRows(now).map((figures) => sideRow(figures, trended)));
  const rate = !now.shares ? words.column_value : counted ? words.column_rate : words.column_share;
  const columns = [["name", words.column_name], ...(counted ? [["people", words.column_people], ["value", rate], ["left", words.column_left]]
    : [["value", rate], ["statusText", words.verdict]]), ...(trended ? [["trend", words.column_trend]] : [])];
  if (!columns.some(([key]) => key === order.key)) order = { key: null, down: true };
  const table = byId("lc-districts");
  table.tHead.replaceChildren(sortedHead(columns, order, (next) => {
    order = next;
    showTable();
  }));
  const scale = scaleOf(now.districts.map((one) => trendOf(one.code)), goal);
  table.tBodies[0].replaceChildren(...inOrderOf(rows, order, valueOf).map((one) => row(one, { trended, goal, scale, counted })));
}
