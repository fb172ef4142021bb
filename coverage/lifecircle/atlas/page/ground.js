/* Paints the ground that the map stands on: waters, railways, expressways and other barriers; roads, the greater ones
   from afar and all of them from near. Without any tile. */

import { page } from "./selection.js";
import { across, down, once } from "./page_years.js";

const ALL_FROM = 14, UNKNOWN_FROM = 12.75; // zoom from which every road is drawn, and where none is known to be a main one
const TERTIARY_FROM = 12.25;
const ROADS = [[0.5, "#a3a8af"], [0.7, "#a3a8af"], [1, "#8f959d"], [1.5, "#858b94"]]; // width and colour by rank, from afar
const NAMED_FROM = 11.5; // zoom from which waters have their names

/* Rings and lines in places from 0 to 1, each with its box. */
const drawnGround = once(() => {
  const header = page.data.ground;
  if (!header) return null;
  const column = (name) => page.column(header.columns[name]);
  const lon = column("lon"), lat = column("lat"), sizes = column("sizes");
  const ground = { x: Float64Array.from(lon, (value) => across(value / page.data.places)),
    y: Float64Array.from(lat, (value) => down(value / page.data.places)), sizes, kind: column("kind"), area: column("area") };
  return { ...ground, boxes: boxesOf(ground), starts: startsOf(sizes) };
});

function startsOf(sizes) {
  const starts = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) starts[i + 1] = starts[i] + sizes[i];
  return starts;
}

/* Left, top, right, bottom of every line, one after the other. */
export function boxesOf({ x, y, sizes }) {
  const boxes = new Float64Array(4 * sizes.length);
  let at = 0;
  for (let i = 0; i < sizes.length; i++) {
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (const end = at + sizes[i]; at < end; at++) {
      if (x[at] < left) left = x[at];
      if (x[at] > right) right = x[at];
      if (y[at] < top) top = y[at];
      if (y[at] > bottom) bottom = y[at];
    }
    boxes.set([left, top, right, bottom], 4 * i);
  }
  return boxes;
}

const seen = (boxes, i, view, margin = 4) =>
  boxes[4 * i] * view.scale - view.left < view.width + margin && boxes[4 * i + 2] * view.scale - view.left > -margin
  && boxes[4 * i + 1] * view.scale - view.top < view.height + margin && boxes[4 * i + 3] * view.scale - view.top > -margin;

function trace(context, view, { x, y, starts }, i) {
  for (let at = starts[i]; at < starts[i + 1]; at++) {
    const left = x[at] * view.scale - view.left, top = y[at] * view.scale - view.top;
    if (at > starts[i]) context.lineTo(left, top);
    else context.moveTo(left, top);
  }
}

const WAYS = { railway: [3.2, [7, 5]], expressway: [3.6, []], wall: [1.6, [2, 3]], "": [1.4, [5, 3]] };

function line(context, colours, kind) {
  const [width, dashes] = WAYS[kind];
  context.lineWidth = width;
  context.strokeStyle = kind === "" || kind === "wall" ? colours[""] : colours.way;
  context.setLineDash(kind === "wall" || kind === "" ? dashes : []);
  context.stroke();
  context.setLineDash([]);
  if (kind !== "railway" && kind !== "expressway") return;
  context.lineWidth = width - 1.8; // a light core: dashed as rails are drawn, whole as an expressway
  context.strokeStyle = "#ffffff";
  context.setLineDash(dashes);
  context.stroke();
  context.setLineDash([]);
}

function stroke(context, colours, kind, area) {
  if (kind === "water") {
    context.lineWidth = area ? 0.8 : 1.8;
    context.strokeStyle = colours.shore;
    context.stroke();
  } else if (area) {
    context.lineWidth = 0.8;
    context.strokeStyle = kind === "expressway" || kind === "railway" ? colours.way : colours[""];
    context.stroke();
  } else line(context, colours, kind);
}

export function paintGround(context, view) {
  const ground = drawnGround();
  if (!ground) return false;
  const { kinds, colours, names } = page.data.ground;
  for (let i = 0; i < ground.sizes.length;) {
    let last = i + 1;
    while (last < ground.sizes.length && ground.area[last] === 2) last++; // holes of this area
    if (seen(ground.boxes, i, view)) {
      const kind = kinds[ground.kind[i]], area = ground.area[i] === 1;
      context.beginPath();
      for (let one = i; one < last; one++) trace(context, view, ground, one);
      if (area) {
        context.fillStyle = kind === "water" ? colours.water : "#e3e0da";
        context.fill("evenodd");
      }
      stroke(context, colours, kind, area);
    }
    i = last;
  }
  if (view.zoom >= NAMED_FROM) for (const [name, lat, lon] of names) waterName(context, name, across(lon) * view.scale - view.left, down(lat) * view.scale - view.top);
  return true;
}

function waterName(context, name, x, y) {
  context.font = `italic 400 12.5px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = "rgba(255, 255, 255, 0.85)";
  context.fillStyle = "#2a6f97";
  context.strokeText(name, x, y);
  context.fillText(name, x, y);
}

/* The kinds of ground that there are, in the order of the legend. */
export function groundKinds() {
  const ground = drawnGround();
  if (!ground) return [];
  const there = new Set(Array.from(ground.kind, (kind) => page.data.ground.kinds[kind]));
  return ["water", "railway", "expressway", "wall", ""].filter((kind) => there.has(kind));
}

/* A sample for the legend, in a square of 18. */
export function drawGroundKey(context, kind) {
  const { colours } = page.data.ground;
  context.beginPath();
  if (kind === "water") {
    context.rect(1, 3, 16, 12);
    context.fillStyle = colours.water;
    context.fill();
    stroke(context, colours, kind, true);
    return;
  }
  context.moveTo(0, 13);
  context.lineTo(18, 5);
  stroke(context, colours, kind, false);
}

/* ---- roads ---- */

const roadBoxes = once(() => boxesOf(page.roadLines()));

/* The least rank of a road that shows at a zoom. */
export const leastRank = (zoom, main = true) => (zoom >= (main ? ALL_FROM : UNKNOWN_FROM) ? 0 : zoom >= TERTIARY_FROM ? 1 : 2);

export function paintRoads(context, view) {
  const roads = page.roadLines();
  if (!roads) return false;
  const boxes = roadBoxes(), least = leastRank(view.zoom, hasMainRoads());
  const wider = view.zoom >= ALL_FROM ? 1.5 : 1;
  for (let rank = least; rank < ROADS.length; rank++) {
    context.beginPath();
    for (let i = 0; i < roads.sizes.length; i++) if (roads.rank[i] === rank && seen(boxes, i, view)) trace(context, view, roads, i);
    [context.lineWidth, context.strokeStyle] = [ROADS[rank][0] * wider, ROADS[rank][1]];
    context.stroke();
  }
  return true;
}

/* Whether any road is great enough to be drawn from afar. */
export const hasMainRoads = once(() => Boolean(page.roadLines()?.rank.some((rank) => rank >= 2)));
