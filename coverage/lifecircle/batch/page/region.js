/* The page of a batch: the districts coloured by the value of a target, and the list of studies. */
(function () {
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const words = data.words;
const at = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#e3eef9", "#bdd7ec", "#8dc1dd", "#5aa2cf", "#2f7fbc", "#0b5394"], NONE = "#c9ced3";
const WIDTH = 1000, HEIGHT = 640, MARGIN = 24, MOST_NAMES = 60;

function make(tag, text, parent) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function draw(tag, facts, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(facts)) node.setAttribute(name, value);
  if (parent) parent.append(node);
  return node;
}

/* ---------------------------------------------------------------------------------------------------------
 * The classes of a target: six of equal width between its lowest and highest value; shares from 0 to 1 */

function classes(target) {
  const values = data.areas.map((area) => area.targets[target]).filter((figure) => figure && figure[0] !== null).map((figure) => figure[0]);
  if (!values.length) return null;
  const low = Math.min(...values), high = Math.max(...values);
  return { low, high, step: (high - low) / COLOURS.length };
}

const classOf = (value, scale) => (scale.step > 0 ? Math.min(COLOURS.length - 1, Math.floor((value - scale.low) / scale.step)) : COLOURS.length - 1);
const colourOf = (figure, scale) => (figure && figure[0] !== null && scale ? COLOURS[classOf(figure[0], scale)] : NONE);

/* ---------------------------------------------------------------------------------------------------------
 * The map */

function frame() {
  let west = Infinity, east = -Infinity, south = Infinity, north = -Infinity;
  for (const area of data.areas) for (const ring of area.rings) for (let k = 0; k < ring.length; k += 2) {
    west = Math.min(west, ring[k]); east = Math.max(east, ring[k]);
    south = Math.min(south, ring[k + 1]); north = Math.max(north, ring[k + 1]);
  }
  const squeeze = Math.cos((((south + north) / 2) / 1e4) * (Math.PI / 180));
  const scale = Math.min((WIDTH - 2 * MARGIN) / ((east - west) * squeeze || 1), (HEIGHT - 2 * MARGIN) / (north - south || 1));
  const left = (WIDTH - (east - west) * squeeze * scale) / 2, top = (HEIGHT - (north - south) * scale) / 2;
  return (x, y) => [left + (x - west) * squeeze * scale, top + (north - y) * scale];
}

function course(area, place) {
  return area.rings.map((ring) => {
    const steps = [];
    for (let k = 0; k < ring.length; k += 2) steps.push(place(ring[k], ring[k + 1]).map((one) => one.toFixed(1)).join(","));
    return "M" + steps.join("L") + "Z";
  }).join("");
}

const shown = [];

function drawMap() {
  const map = at("map");
  map.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  if (!data.areas.length) return;
  const place = frame();
  for (const area of data.areas) {
    let parent = map;
    if (area.page) parent = draw("a", { href: area.page }, map);
    const path = draw("path", { d: course(area, place), "fill-rule": "evenodd" }, parent);
    shown.push({ area, path, title: draw("title", {}, path) });
  }
  if (data.areas.length > MOST_NAMES) return;
  for (const one of shown) {
    const box = one.path.getBBox();
    draw("text", { x: box.x + box.width / 2, y: box.y + box.height / 2 + 4 }, map).textContent = one.area.name;
  }
}

/* ---------------------------------------------------------------------------------------------------------
 * What is said of a target */

const printed = (figure) => (figure && figure[1] ? figure[1] : words.no_value);

function swatch(colour, text) {
  const span = make("span", undefined, at("legend"));
  draw("rect", { width: 14, height: 14, fill: colour }, draw("svg", {}, span));
  span.append(text);
}

function legend(target, scale) {
  at("legend").textContent = "";
  if (scale) {
    const sample = data.areas.map((area) => area.targets[target]).find((figure) => figure && figure[1]);
    const share = sample && sample[1].endsWith("%");
    const shownAs = (value) => (share ? (Math.floor(1000 * value + 1e-9) / 10).toFixed(1) + " %" : String(Number(value.toPrecision(4))));
    const used = scale.step > 0 ? COLOURS.map((_, k) => k) : [COLOURS.length - 1];
    for (const k of used) {
      const from = scale.low + k * scale.step, to = scale.step > 0 ? scale.low + (k + 1) * scale.step : scale.high;
      swatch(COLOURS[k], from === to ? shownAs(from) : `${shownAs(from)} – ${shownAs(to)}`);
    }
  }
  swatch(NONE, words.no_value);
}

function show(target) {
  const scale = classes(target);
  for (const one of shown) {
    const figure = one.area.targets[target];
    one.path.setAttribute("fill", colourOf(figure, scale));
    one.title.textContent = `${one.area.name}: ${printed(figure)}${figure ? " " + figure[2] : ""}`;
  }
  legend(target, scale);
  at("rows").textContent = "";
  for (const study of data.studies) {
    const figure = study.targets[target], row = make("tr", undefined, at("rows"));
    make("td", study.name, row);
    make("td", printed(figure), row);
    make("td", figure ? figure[2] : "", row);
    const cell = make("td", undefined, row);
    if (study.page) make("a", words.open_page, cell).href = study.page;
  }
}

for (const target of data.targets) make("option", target.name, at("target")).value = target.id;
drawMap();
at("target").addEventListener("change", () => show(at("target").value));
if (data.targets.length) show(data.targets[0].id);
window.lifecircle = { show, areas: data.areas.length };
})();
