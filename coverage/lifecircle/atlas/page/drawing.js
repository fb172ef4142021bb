/* Draws what is painted on canvases: residents, venues, roads and village names; and the small symbols. */

import { page } from "./selection.js";
import { indexPoints, shareOf, visitBox } from "./point_index.js";
import { element, svg } from "./nodes.js";
import { CLASSES, across, down, once } from "./page_years.js";

/* Residents are painted in these classes: those of a target, what a village's counts say, newly covered ones. */
export const PAINTED = [...CLASSES, "over", "under", "newly", "gained", "lost", "kept", "still"];
const DRAWN = [6, 12, 13, 0, 1, 2, 3, 4, 8, 7, 10, 11], UNSNAPPED = 5; // places in PAINTED; what matters most is drawn last
const SHAPES = ["square", "triangle", "diamond", "circle", "cross", "bar", "wedge", "post"];
const INK = "#12304a";
const WHITE = 0xffffffff;
const HOLDS = "1", LACKS = "0", UNKNOWN = "-"; // states of a unit
export const UNDER = [HOLDS];
export const OVER = [UNKNOWN, LACKS]; // above names and venues

/* Leaflet's layer that hands a canvas to a function, which answers false where it paints nothing. Made when the page
   runs, for Leaflet is there only then. */
const paintingLayer = once(() => L.Renderer.extend({
  initialize(paint, options) {
    L.Renderer.prototype.initialize.call(this, L.extend({ padding: 0.2 }, options));
    this._paint = paint;
  },
  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.setAttribute("aria-hidden", "true");
    this._context = this._container.getContext("2d");
  },
  _destroyContainer() {
    this._container.remove();
    delete this._container;
    delete this._context;
  },
  _updatePaths() {},
  _onZoomEnd() {},
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize();
    const ratio = window.devicePixelRatio || 1;
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._container.width = ratio * size.x;
    this._container.height = ratio * size.y;
    this._container.style.width = size.x + "px";
    this._container.style.height = size.y + "px";
    this.redraw();
  },
  redraw() {
    if (!this._map || !this._bounds) return;
    const size = this._bounds.getSize();
    const ratio = window.devicePixelRatio || 1;
    const origin = this._map.getPixelOrigin();
    this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this._context.clearRect(0, 0, size.x, size.y);
    const painted = this._paint(this._context, {
      scale: 256 * Math.pow(2, this._map.getZoom()),
      left: origin.x + this._bounds.min.x,
      top: origin.y + this._bounds.min.y,
      width: size.x,
      height: size.y,
      zoom: this._map.getZoom(),
    });
    this._container.style.display = painted === false ? "none" : ""; // an empty canvas costs as much to pan as a full one
  },
}));

/* A layer in a pane that draws nothing before the page has started. */
export function painter(pane, paint) {
  return new (paintingLayer())((context, view) => page.started && paint(context, view), { pane });
}

/* The hatch of residents without a road near, for any context. */
export function hatchOn(context) {
  return context.createPattern(hatchTile(), "repeat");
}

const hatchTile = once(() => {
  const tile = element("canvas", { width: 6, height: 6 });
  const context = tile.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, 6, 6);
  context.strokeStyle = page.data.cellColours.unsnapped;
  context.lineWidth = 1.6;
  context.beginPath();
  for (const shift of [-6, 0, 6]) {
    context.moveTo(shift - 1, 7);
    context.lineTo(shift + 7, -1);
  }
  context.stroke();
  return tile;
});

const packedColour = once(() => {
  const pixel = new Uint32Array(1);
  const parts = new Uint8Array(pixel.buffer);
  return PAINTED.map((name) => {
    const code = parseInt(page.data.cellColours[name].slice(1), 16);
    parts.set([code >> 16, (code >> 8) & 255, code & 255, 255]);
    return pixel[0];
  });
});

/* The residents to draw, by class: all in their order where most of them show, else those in the tiles that do. */
function shown(cells, look, view, half) {
  cells.index ??= indexPoints(cells);
  const margin = half + 2;
  const box = {
    left: (view.left - margin) / view.scale, right: (view.left + view.width + margin) / view.scale,
    top: (view.top - margin) / view.scale, bottom: (view.top + view.height + margin) / view.scale,
  };
  if (shareOf(cells.index, box) > 0.4) return look.order;
  const order = PAINTED.map(() => []);
  visitBox(cells.index, box, (i) => (look.mask && !look.mask[i] ? 0 : order[look.classes[i]].push(i)));
  return order;
}

/* Tens of thousands of squares are written as pixels: asking the canvas for each took twice as long. Merged cells larger
   than the smallest are hollow: a square as large as they are would cover what is not theirs.
   look: classes (places in PAINTED), order (of the placed residents by class), hidden (classes left out),
   mask (which residents are drawn at all, where not all are). */
export function paintResidents(context, view, cells, look, side) {
  if (!context.canvas.width || !context.canvas.height) return;
  const half = side > 5 ? side * 0.58 : side * 0.53 + 0.2; // neighbours overlap a little, or seams show between them
  const ratio = context.canvas.width / view.width;
  const width = context.canvas.width, height = context.canvas.height;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const order = shown(cells, look, view, half);
  const hole = Math.round(half * ratio * 0.5);
  for (const which of DRAWN) {
    if (!order[which] || look.hidden.includes(which)) continue;
    const colour = packedColour()[which];
    for (const i of order[which]) {
      const x = cells.x[i] * view.scale - view.left, y = cells.y[i] * view.scale - view.top;
      const left = Math.max(Math.round((x - half) * ratio), 0), right = Math.min(Math.round((x + half) * ratio), width);
      const top = Math.max(Math.round((y - half) * ratio), 0), bottom = Math.min(Math.round((y + half) * ratio), height);
      if (left < right) for (let row = top; row < bottom; row++) pixels.fill(colour, row * width + left, row * width + right);
      if (!cells.larger?.[i] || hole < 1 || right - left <= 2 * hole) continue;
      for (let row = top + hole; row < bottom - hole; row++) pixels.fill(WHITE, row * width + left + hole, row * width + right - hole);
    }
  }
  context.putImageData(image, 0, 0);
  if (look.hidden.includes(UNSNAPPED)) return;
  context.fillStyle = hatchOn(context);
  context.strokeStyle = page.data.cellColours.unsnapped;
  context.lineWidth = 1;
  const reach = Math.max(half, 2), box = Math.round(2 * reach);
  for (const i of order[UNSNAPPED] || []) {
    const x = Math.round(cells.x[i] * view.scale - view.left - reach);
    const y = Math.round(cells.y[i] * view.scale - view.top - reach);
    if (x < -box || y < -box || x > view.width || y > view.height) continue;
    context.fillRect(x, y, box, box);
    context.strokeRect(x + 0.5, y + 0.5, box - 1, box - 1);
  }
}

/* Residents that pins would cover: a strong square with a white frame and a dark one, unlike any class. */
export function paintNewly(context, view, cells, newly, side, colour = page.data.cellColours.newly) {
  const half = Math.max(side * 0.5, 2.5);
  context.fillStyle = colour;
  context.strokeStyle = "#ffffff";
  context.lineWidth = side > 8 ? 1.6 : 0.8;
  for (const i of newly) {
    if (!cells.placed[i]) continue;
    const x = cells.x[i] * view.scale - view.left, y = cells.y[i] * view.scale - view.top;
    if (x < -half || y < -half || x > view.width + half || y > view.height + half) continue;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }
}

function trace(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  else if (shape === "bar") context.rect(x - r * 1.2, y - r * 0.55, r * 2.4, r * 1.1);
  else if (shape === "diamond") polygon(context, [x, y - r * 1.2, x + r * 1.2, y, x, y + r * 1.2, x - r * 1.2, y]);
  else if (shape === "post") context.rect(x - r * 0.55, y - r * 1.2, r * 1.1, r * 2.4);
  else if (shape === "wedge") polygon(context, [x, y + r * 1.2, x + r * 1.15, y - r * 0.85, x - r * 1.15, y - r * 0.85]);
  else if (shape === "triangle") polygon(context, [x, y - r * 1.2, x + r * 1.15, y + r * 0.85, x - r * 1.15, y + r * 0.85]);
  else {
    const a = r * 0.42, b = r * 1.15;
    polygon(context, [x - a, y - b, x + a, y - b, x + a, y - a, x + b, y - a, x + b, y + a, x + a, y + a,
      x + a, y + b, x - a, y + b, x - a, y + a, x - b, y + a, x - b, y - a, x - a, y - a]);
  }
  context.closePath();
}

function polygon(context, numbers) {
  context.moveTo(numbers[0], numbers[1]);
  for (let i = 2; i < numbers.length; i += 2) context.lineTo(numbers[i], numbers[i + 1]);
}

export function drawSymbol(context, number, x, y, r) {
  trace(context, SHAPES[number % SHAPES.length], x, y, r);
  context.lineWidth = Math.min(3.6, r * 0.7);
  context.strokeStyle = "#ffffff";
  context.stroke();
  context.lineWidth = 1.2;
  const hollow = isHollow(number);
  context.strokeStyle = hollow ? INK : "#ffffff";
  context.fillStyle = hollow ? "#ffffff" : INK;
  context.fill();
  context.stroke();
}

/* Which service each symbol stands for, -1 for none. Where a rule has two classes, those of the first are filled and those
   of the second hollow; else the shapes again, hollow, for a ninth service and on. */
export function symbolOrder({ services, answers }, serviceIds) {
  const classes = (answers?.classes ?? []).map((one) => services.filter((service) => one.services.includes(serviceIds[service])));
  const [first, second] = classes, most = SHAPES.length;
  const parted = classes.length === 2 && first.length <= most && second.length <= most && first.every((one) => !second.includes(one))
    && first.length + second.length === services.length;
  return parted ? [...first, ...Array(most - first.length).fill(-1), ...second] : services;
}

export const isHollow = (number) => number % (2 * SHAPES.length) >= SHAPES.length;

export function paintFacilities(context, view, facilities, shown, r) {
  for (let i = 0; i < facilities.count; i++) {
    const number = shown.indexOf(facilities.service[i]);
    if (number < 0 || !facilities.placed[i]) continue;
    const x = facilities.x[i] * view.scale - view.left;
    const y = facilities.y[i] * view.scale - view.top;
    if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
    drawSymbol(context, number, x, y, r);
  }
}

/* A unit: filled where it holds what is asked, hollow where it lacks it, hollow and broken where it is not known. */
export function drawUnit(context, state, x, y, r) {
  const colours = page.data.unitColours;
  context.beginPath();
  context.arc(x, y, r + 1.5, 0, 2 * Math.PI);
  context.fillStyle = "#ffffff";
  context.fill();
  context.beginPath();
  context.arc(x, y, state === HOLDS ? r : r - 0.5, 0, 2 * Math.PI);
  context.fillStyle = colours.holds;
  if (state === HOLDS) context.fill();
  else {
    context.setLineDash(state === LACKS ? [] : [r * 0.7, r * 0.5]);
    context.lineWidth = Math.max(2, r * 0.42);
    context.strokeStyle = state === LACKS ? colours.lacks : colours.unknown;
    context.stroke();
    context.setLineDash([]);
  }
}

/* Units in some states, one state after the other. */
export function paintUnits(context, view, units, r, states) {
  for (const state of states) {
    for (let i = 0; i < units.count; i++) {
      if (units.states[i] !== state || !units.placed[i]) continue;
      const x = units.x[i] * view.scale - view.left, y = units.y[i] * view.scale - view.top;
      if (x < -12 || y < -12 || x > view.width + 12 || y > view.height + 12) continue;
      drawUnit(context, state, x, y, r);
    }
  }
}

const shortened = (name) => (name.length > 14 ? name.slice(0, 13) + "…" : name);

/* Names in a halo, each below its place, as far as nothing else stands there. */
export function paintNames(context, view, villages, taken) {
  const stands = taken.slice();
  context.font = `600 12.5px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = "rgba(255, 255, 255, 0.92)";
  context.fillStyle = "#33404f";
  for (let i = 0; i < villages.count; i++) {
    if (!villages.placed[i]) continue;
    const at = { x: villages.x[i] * view.scale, y: villages.y[i] * view.scale + 15 };
    const name = shortened(villages.names[i]);
    const half = context.measureText(name).width / 2;
    if (stands.some(([other, x, y]) => Math.abs(other.x - at.x) < half + x && Math.abs(other.y - at.y) < 8 + y)) continue;
    stands.push([at, half, 8]);
    context.strokeText(name, at.x - view.left, at.y - view.top);
    context.fillText(name, at.x - view.left, at.y - view.top);
  }
}

export function differenceMark(kind, side) {
  const points = kind === "over" ? "4.5,6 13.5,6 9,13.5" : "4.5,12 13.5,12 9,4.5";
  const picture = svg("svg", { viewBox: "0 0 18 18", width: side, height: side, "aria-hidden": "true", class: "lc-mark lc-mark-" + kind });
  picture.append(svg("rect", { x: 1, y: 1, width: 16, height: 16, rx: 3 }), svg("polygon", { points }));
  return picture;
}
