/* Shows what is within reach by a capacity target: who finds a place, how much there is for each, how full venues are. */

import { page, here, target, targetIn } from "./selection.js";
import { byId, element, fill, named, part } from "./nodes.js";
import { cellSide, goTo } from "./map_view.js";
import { PAINTED, paintResidents } from "./drawing.js";
import { across, down } from "./page_years.js";

const FIRST = 8; // venues listed
const LEAST = 3, MOST = 15; // pixels of the radius of a venue
const kept = new Map();

export const suppliedIn = (year, kind) => {
  const now = targetIn(year);
  return now && now.supply && now.supply[kind] !== null ? now.supply : null;
};

/* The residents of a year as they are painted by who is served, or by score: as `look` of paintResidents. */
function supplyLook(year, kind) {
  const supply = suppliedIn(year, kind);
  if (!supply) return null;
  if (!kept.has(supply[kind])) {
    const classes = page.column(supply[kind]), placed = year.cells().placed;
    const order = PAINTED.map(() => []);
    for (let i = 0; i < classes.length; i++) if (placed[i]) order[classes[i]].push(i);
    kept.set(supply[kind], { classes, order, hidden: [] });
  }
  return kept.get(supply[kind]);
}

export function paintSupply(context, view, year, kind) {
  const look = year && supplyLook(year, kind);
  if (!look) return false;
  paintResidents(context, view, year.cells(), look, cellSide(year));
  return true;
}

const venuesIn = (year) => (suppliedIn(year, "venues") ? page.data.lists[suppliedIn(year, "venues").venues] : []);
const isFull = ([, , , places, load]) => load >= places - 0.001;

/* A venue: a circle as large as its places, the disc in it as large as those that are taken. */
export function drawLoad(context, x, y, radius, share, full) {
  const colours = page.data.cellColours;
  const disc = (size, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  };
  disc(radius, "#ffffff");
  if (share > 0) disc(radius * Math.sqrt(share), full ? colours.beyond_2 : colours.gained);
  context.lineWidth = 1.4;
  context.strokeStyle = "#12304a";
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

export function paintLoads(context, view, year) {
  const venues = year ? venuesIn(year) : [];
  if (!venues.length) return false;
  const largest = venues.reduce((most, one) => Math.max(most, one[3]), 0);
  const zoomed = Math.min(1, Math.max(0.55, (view.zoom - 8) / 5));
  for (const one of [...venues].sort((a, b) => b[3] - a[3])) {
    const x = across(one[0]) * view.scale - view.left, y = down(one[1]) * view.scale - view.top;
    if (x < -MOST || y < -MOST || x > view.width + MOST || y > view.height + MOST) continue;
    drawLoad(context, x, y, (LEAST + (MOST - LEAST) * Math.sqrt(one[3] / largest)) * zoomed, Math.min(1, one[4] / one[3]), isFull(one));
  }
  return true;
}

/* What the colours and circles stand for: [heading, [place in PAINTED, text]] for residents, and whether venues show. */
export function supplyRows() {
  const { words, layers, map } = page;
  const shows = (kind, of) => suppliedIn(here(), of) !== null && map.hasLayer(layers[kind]);
  const parts = [];
  if (shows("supply", "served")) parts.push([words.layer_supply, [[10, words.supply_served], [3, words.supply_full], [4, words.supply_unreachable], [5, words.unsnapped]]]);
  if (shows("score", "score")) parts.push([words.layer_score, [[10, words.supply_enough], [2, words.supply_below], [3, words.supply_low], [4, words.supply_none]]]);
  return { parts, loads: shows("loads", "venues") && venuesIn(here()).length ? [[0.5, false, words.supply_load], [1, true, words.supply_load_full]] : [] };
}

function venueRow(one) {
  const button = element("button", { type: "button", className: "lc-link" }, named(one[2]));
  button.addEventListener("click", () => goTo([one[1], one[0]]));
  return element("li", {}, button, element("small", {}, ` ${fill(page.words.supply_venue, { load: String(Math.round(10 * one[4]) / 10), places: String(one[3]) })}`));
}

export function showSupply() {
  const now = target(), supply = now.supply;
  const venues = supply ? venuesIn(here()) : [];
  for (const kind of ["supply", "score", "loads"]) page.layers[kind].redraw();
  if (!part("lc-supply-part", Boolean(supply), venues.length ? fill(page.words.supply_figure, { count: venues.filter(isFull).length }) : "")) return;
  byId("lc-supply-lines").replaceChildren(...supply.lines.map((line) => element("li", {}, line)));
  byId("lc-supply-venues").replaceChildren(...venues.slice(0, FIRST).map(venueRow));
}
