/* Composes the map as one picture with all that a map must carry: title and year, legend, scale, north arrow, stamp,
   who made it when and from what, and that its boundaries settle nothing. A chosen town or village has a sheet of its
   own: its extent, its figures, and where it lies. Drawn by the page, asked of no server. */

import { area, areaFigures, areaGroups, groupFigures, groupName, ruleText } from "./area.js";
import { page, chosen, changesShown, here, target, targetIn, twoYears, onTrial, limitOf } from "./selection.js";
import { drawChange, markedVenues, paintChanges } from "./compared.js";
import { areaColour, figured, shapes } from "./district_table.js";
import { OVER, PAINTED, UNDER, drawSymbol, drawUnit, hatchOn, paintFacilities, paintNames, paintNewly, paintResidents, paintUnits, symbolOrder } from "./drawing.js";
import { paintGround, paintRoads } from "./ground.js";
import { groundRows, isRated, mergedRows, residentRows, symbolRows } from "./legend.js";
import { areaMask, districtRows, lookIn } from "./colours.js";
import { marked } from "./gap_list.js";
import { byId, element, fill } from "./nodes.js";
import { newlyShown, pinsShown } from "./pins.js";
import { movedShown, paintMoved, scenarioTitle } from "./scenario_view.js";
import { SITE_COLOUR, plansShown, sitesShown } from "./plan_layer.js";
import { beside, lengthText, metresPerPixel, roundLength, symbolSize, unitSize } from "./map_view.js";
import { across, down } from "./page_years.js";
import { before, dividerShare, valueText } from "./swipe.js";

/* Paper that lies: its size in the units that the sheet is drawn in, and its pixels at 300 to the inch. Larger paper has
   a larger map, and type only a little larger: 1968 units of A3 are 420 mm, 1600 of A4 are 297 mm. */
const PAPERS = { A4: { width: 1600, height: 1130, pixels: 3508 }, A3: { width: 1968, height: 1390, pixels: 4961 } };
let WIDTH = PAPERS.A4.width, HEIGHT = PAPERS.A4.height;
const EDGE = 32, HEAD = 96, SIDE = 330, FOOT = 92;
const INK = "#1b2430", QUIET = "#4a5565", STAMP = "#a3123a";
const NAMES_FROM = 12.75, NAMES_IN_AREA_FROM = 11.25;
const LEAST = 1500 / 40075017; // of the world: a village of one street is not shown larger than 1.5 km

const font = (size, weight = 400) => `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;

/* ---- text ---- */

/* Break text into lines no wider than a width, between words where there are any; the last line shows that there is more. */
function lines(context, text, width, most) {
  const out = [""];
  for (const word of text.match(/[\p{Script=Latin}\p{N}.,%–-]{1,24}\s?|\s|./gu) || []) {
    const line = out[out.length - 1] + word;
    if (context.measureText(line.trimEnd()).width <= width || !out[out.length - 1]) out[out.length - 1] = line;
    else if (out.length < most) out.push(word.trimStart());
    else {
      let cut = out[out.length - 1].trimEnd();
      while (cut && context.measureText(cut + "…").width > width) cut = cut.slice(0, -1);
      out[out.length - 1] = cut + "…";
      break;
    }
  }
  return out;
}

function write(context, text, x, y, { size = 15, weight = 400, colour = INK, width = 4000, most = 1, align = "left", leading = 1.35 } = {}) {
  context.font = font(size, weight);
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = "alphabetic";
  const rows = lines(context, text, width, most);
  rows.forEach((row, i) => context.fillText(row.trimEnd(), x, y + i * size * leading));
  return rows.length * size * leading;
}

/* ---- the map ---- */

/* The part of the world to draw, in web mercator: what the screen shows beside the legend, or the whole area, without
   the room around it, where the screen holds all of that. */
function extent() {
  const mine = areaBox();
  if (mine) return mine;
  const { map } = page;
  const from = map.containerPointToLatLng([beside() > 100 ? beside() : 0, 0]), to = map.containerPointToLatLng(map.getSize());
  const box = (north, west, south, east) => ({ x0: across(west), x1: across(east), y0: down(north), y1: down(south), lat: (north + south) / 2 });
  const [[south, west], [north, east]] = page.data.bounds;
  const holds = south >= to.lat && north <= from.lat && west >= from.lng && east <= to.lng;
  return holds ? box(north, west, south, east) : box(from.lat, from.lng, to.lat, to.lng);
}

/* The extent of the chosen town, or of where the people of the chosen village live; null where nothing is chosen. */
function areaBox() {
  const mine = area(), shape = chosen.district === null ? null : shapes.get(chosen.district);
  if (!mine) return null;
  let x = [], y = [];
  if (mine.village < 0 && shape) [x, y] = [shape.rings.flat(2).map(([, lon]) => across(lon)), shape.rings.flat(2).map(([lat]) => down(lat))];
  else {
    const cells = here().cells(), mask = areaMask(here());
    for (let i = 0; i < cells.count; i++) if (mask[i] && cells.placed[i]) x.push(cells.x[i]), y.push(cells.y[i]);
  }
  if (!x.length) return null;
  const ends = (list) => list.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
  const [[x0, x1], [y0, y1]] = [ends(x), ends(y)], room = Math.max(0, LEAST - (x1 - x0), LEAST - (y1 - y0)) / 2;
  const lat = 360 / Math.PI * Math.atan(Math.exp(Math.PI * (1 - (y0 + y1)))) - 90;
  return { x0: x0 - room, x1: x1 + room, y0: y0 - room, y1: y1 + room, lat };
}

/* The view that holds that part in a frame of this size. */
function viewOf(width, height) {
  const { x0, x1, y0, y1, lat } = extent();
  const scale = Math.min((width - 50) / (x1 - x0), (height - 50) / (y1 - y0));
  const zoom = Math.log2(scale / 256);
  return { scale, zoom, left: ((x0 + x1) / 2) * scale - width / 2, top: ((y0 + y1) / 2) * scale - height / 2, width, height,
    metres: metresPerPixel(lat, zoom) };
}

const at = (view, lat, lon) => ({ x: across(lon) * view.scale - view.left, y: down(lat) * view.scale - view.top });

function trace(context, view, rings) {
  context.beginPath();
  for (const ring of rings.flat()) {
    ring.forEach(([lat, lon], i) => {
      const { x, y } = at(view, lat, lon);
      if (i) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.closePath();
  }
}

function drawAreas(context, view) {
  const results = new Map(districtRows().map((one) => [one.code, one]));
  for (const [code, shape] of shapes) {
    trace(context, view, shape.rings);
    context.fillStyle = areaColour(results.get(code));
    context.fill("evenodd");
  }
}

/* What lies around the chosen town is paler: the figures are not of it. */
function veil(context, view) {
  const shape = chosen.district === null ? null : shapes.get(chosen.district);
  if (!shape || !area()) return;
  trace(context, view, shape.rings);
  context.rect(-9, -9, view.width + 18, view.height + 18);
  context.fillStyle = "rgba(255, 255, 255, 0.6)";
  context.fill("evenodd");
}

function drawLines(context, view) {
  context.strokeStyle = "#5d6470";
  context.lineWidth = 1.3;
  context.setLineDash([6, 3]);
  for (const shape of shapes.values()) {
    trace(context, view, shape.rings);
    context.stroke();
  }
  context.setLineDash([]);
  const chosenShape = chosen.district === null ? null : shapes.get(chosen.district);
  if (!chosenShape) return;
  context.strokeStyle = "#0b3d91"; // as on the map
  context.lineWidth = 3.5;
  trace(context, view, chosenShape.rings);
  context.stroke();
}

/* Let a painter draw on a canvas of its own, then lay that over the map: painters may clear what is there. */
function lay(context, view, ratio, paint, clip) {
  const canvas = element("canvas", { width: Math.round(view.width * ratio), height: Math.round(view.height * ratio) });
  const own = canvas.getContext("2d");
  own.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint(own);
  const [from, to] = clip || [0, view.width];
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, view.height);
  context.clip();
  context.drawImage(canvas, 0, 0, view.width, view.height);
  context.restore();
}

function drawYear(context, view, ratio, year, clip) {
  const now = targetIn(year);
  if (!now) return;
  const side = Math.max(1.6, year.entry.cells.size_m / view.metres);
  const look = lookIn(year);
  if (look && page.map.hasLayer(page.layers.residents)) {
    lay(context, view, ratio, (own) => paintResidents(own, view, year.cells(), look, side), clip);
  }
  const units = year.units(now);
  if (units && page.map.hasLayer(page.layers.units)) lay(context, view, ratio, (own) => paintUnits(own, view, units, unitSize(view.zoom), UNDER), clip);
  if (page.map.hasLayer(page.layers.facilities)) {
    lay(context, view, ratio, (own) => paintFacilities(own, view, year.facilities(), symbolOrder(now, year.entry.serviceIds), symbolSize(view.zoom)), clip);
  }
}

function halo(context, text, { x, y }, size, weight, colour) {
  context.font = font(size, weight);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = "rgba(255, 255, 255, 0.95)";
  context.fillStyle = colour;
  const short = text.length > 16 ? text.slice(0, 15) + "…" : text;
  context.strokeText(short, x, y);
  context.fillText(short, x, y);
  return [{ x, y }, context.measureText(short).width / 2, size * 0.6];
}

function drawLabels(context, view) {
  const taken = page.data.about.labels.map(({ name, kind, at: [lat, lon] }) =>
    halo(context, name, at(view, lat, lon), 15, 400, kind === "water" ? "#2a6f97" : "#5d6470"));
  const figures = new Map(figured() ? target().districts.map((one) => [one.code, one]) : []);
  for (const [code, shape] of shapes) {
    const { x, y } = at(view, ...shape.at);
    const down = target().units?.unit === "district" ? 20 : 0; // below the mark in its middle
    taken.push(halo(context, shape.name, { x, y: y + down }, 15, 700, "#26303c"));
    const one = figures.get(code);
    if (one && one.value !== null) taken.push(halo(context, one.rate, { x, y: y + down + 18 }, 14, 400, "#26303c"));
  }
  return taken;
}

function drawGaps(context, view, taken) {
  for (const { gap, number } of marked()) {
    const place = at(view, ...gap.at);
    const free = !taken.some(([other, x, y]) => Math.abs(other.x - place.x) < 13 + x && Math.abs(other.y - place.y) < 13 + y);
    if (free) taken.push([place, 13, 13]);
    circle(context, place, free ? 11 : 5, "#ffffff", INK);
    if (free) {
      context.font = font(number < 99 ? 11 : 9, 700);
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillStyle = INK;
      context.fillText(String(number + 1), place.x, place.y + 0.5);
    }
  }
}

function circle(context, { x, y }, r, colour, edge) {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = edge;
  context.stroke();
}

function drawPins(context, view) {
  for (const pin of pinsShown()) {
    const place = at(view, pin.lat, pin.lon);
    circle(context, place, 11, page.data.cellColours.newly, "#ffffff");
    halo(context, pin.name, { x: place.x, y: place.y + 20 }, 13, 700, "#0b2f6b");
  }
}

function siteMark(context, { x, y }, text, size) {
  const wide = Math.max(size, size * (0.35 + 0.32 * text.length));
  context.fillStyle = "#ffffff";
  context.fillRect(x - wide / 2 - 2, y - size / 2 - 2, wide + 4, size + 4);
  context.fillStyle = SITE_COLOUR;
  context.fillRect(x - wide / 2, y - size / 2, wide, size);
  write(context, text, x, y + size * 0.23, { size: size * 0.65, weight: 700, colour: "#ffffff", align: "center" });
}

function drawSites(context, view) {
  const place = (site) => at(view, site.lat, site.lon);
  for (const mark of sitesShown(place, 24)) siteMark(context, place(mark), mark.text, 20);
}

function drawMap(context, view, ratio) {
  context.fillStyle = "#edf0f2";
  context.fillRect(0, 0, view.width, view.height);
  const has = (name) => page.layers[name] && page.map.hasLayer(page.layers[name]);
  if (has("districts")) drawAreas(context, view);
  if (has("ground")) lay(context, view, ratio, (own) => paintGround(own, view));
  if (page.data.roads && has("roads")) lay(context, view, ratio, (own) => paintRoads(own, view));
  const left = before(), split = left ? dividerShare() * view.width : 0;
  if (left) drawYear(context, view, ratio, left, [0, split]);
  drawYear(context, view, ratio, here(), [split, view.width]);
  if (!left && newlyShown().length) {
    const side = Math.max(1.6, here().entry.cells.size_m / view.metres);
    lay(context, view, ratio, (own) => paintNewly(own, view, here().cells(), newlyShown(), side));
  }
  if (!left && movedShown()) lay(context, view, ratio, (own) => paintMoved(own, view, Math.max(1.6, here().entry.cells.size_m / view.metres)));
  if (changesShown()) lay(context, view, ratio, (own) => paintChanges(own, view, symbolSize(view.zoom) + 2.5));
  veil(context, view);
  if (has("districts")) drawLines(context, view);
  const taken = drawLabels(context, view);
  if (left) drawDivider(context, view, split, left);
  else {
    if (has("gaps")) drawGaps(context, view, taken);
    const units = here().units(target());
    if (units && has("units")) lay(context, view, ratio, (own) => paintUnits(own, view, units, unitSize(view.zoom), OVER));
    drawSites(context, view);
    drawPins(context, view);
  }
  if (has("villages") && view.zoom >= (area() ? NAMES_IN_AREA_FROM : NAMES_FROM)) {
    lay(context, view, ratio, (own) => paintNames(own, view, here().villages(), taken.map(([place, x, y]) => [{ x: place.x + view.left, y: place.y + view.top }, x, y])));
  }
}

function drawDivider(context, view, split, left) {
  context.fillStyle = "#ffffff";
  context.fillRect(split - 3, 0, 6, view.height);
  context.fillStyle = INK;
  context.fillRect(split - 1, 0, 2, view.height);
  for (const [year, x, align] of [[left, split - 14, "right"], [here(), split + 14, "left"]]) {
    write(context, fill(page.words.swipe_year, { year: year.entry.year }), x, 30, { size: 20, weight: 700, align });
  }
}

/* ---- what stands beside the map ---- */

function legendMark(context, which, x, y) {
  context.fillStyle = which === 5 ? hatchOn(context) : page.data.cellColours[PAINTED[which]];
  context.fillRect(x, y, 24, 15);
  context.lineWidth = 1;
  context.strokeStyle = "#59636f";
  context.strokeRect(x + 0.5, y + 0.5, 23, 14);
}

/* The figures of the chosen town or village above the legend: people, those not covered, and the groups. */
function drawFigures(context, x, top, width) {
  const own = areaFigures(), { words } = page;
  if (!own) return top;
  let y = top;
  const row = (label, text, size = 15) => {
    const high = write(context, label, x, y + 14, { size, colour: QUIET, width: width * 0.42, most: 2 });
    y += Math.max(21, high + 2, write(context, text, x + width * 0.44, y + 14, { size, width: width * 0.56, most: 2 }));
  };
  y += write(context, own.value, x, y + 30, { size: 34, weight: 700, width: width * 0.5 });
  write(context, own.verdict, x + width * 0.5, top + 30, { size: 15, width: width * 0.5 });
  if (own.people) {
    row(words.total, fill(words.gap_people, { people: own.people.total }));
    row(words.uncovered, fill(words.gap_people, { people: own.people.uncovered }));
  }
  for (const [name, , rate, left] of areaGroups().slice(1)) row(name, `${rate} · ${fill(words.gap_people, { people: left })}`, 13);
  if (areaGroups().length > 1) y += write(context, words.sheet_groups, x, y + 13, { size: 12, colour: QUIET, width, most: 2 });
  return y + 12;
}

/* Where the chosen town or village lies in the study. */
function drawLocator(context, x, top, width, height) {
  const mine = area();
  if (!mine || shapes.size < 2) return;
  const [[south, west], [north, east]] = page.data.bounds;
  const scale = Math.min((width - 8) / (across(east) - across(west)), (height - 8) / (down(south) - down(north)));
  const view = { scale, width, height, left: ((across(west) + across(east)) / 2) * scale - width / 2, top: ((down(north) + down(south)) / 2) * scale - height / 2 };
  context.save();
  context.translate(x, top);
  context.lineWidth = 1;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  for (const [code, shape] of shapes) {
    trace(context, view, shape.rings);
    context.fillStyle = code === chosen.district ? "#9ab4dd" : "#eceae6";
    context.fill("evenodd");
    context.strokeStyle = "#8d939b";
    context.stroke();
  }
  const box = mine.village < 0 ? null : areaBox();
  if (box) circle(context, { x: ((box.x0 + box.x1) / 2) * scale - view.left, y: ((box.y0 + box.y1) / 2) * scale - view.top }, 5, "#0b3d91", "#ffffff");
  context.strokeStyle = QUIET;
  context.strokeRect(0, 0, width, height);
  context.restore();
}

/* The legend, smaller where it would reach the scale below it; gives where it ends. */
function fitLegend(context, x, top, bottom) {
  const needed = drawLegend(element("canvas", {}).getContext("2d"), x, top, SIDE) - top;
  const scale = Math.min(1, (bottom - top) / needed);
  context.save();
  context.translate(x, top);
  context.scale(scale, scale);
  const end = drawLegend(context, 0, 0, SIDE / scale);
  context.restore();
  return top + end * scale;
}

function drawLegend(context, x, top, width) {
  const { words, data } = page, now = target();
  let y = top;
  const title = (text) => {
    y += 8;
    y += write(context, text.slice(0, 1).toUpperCase() + text.slice(1), x, y + 13, { size: 14, weight: 700, colour: QUIET, width }) + 5;
  };
  const row = (mark, text) => {
    mark(y);
    y += Math.max(20, write(context, text, x + 34, y + 13, { size: 14, width: width - 34, most: 2 }));
  };
  const note = (text) => {
    if (text) y += write(context, text, x, y + 13, { size: 13, colour: QUIET, width, most: 3 });
  };
  write(context, words.legend, x, y + 16, { size: 18, weight: 700 });
  y += 24;
  const residents = residentRows();
  if (residents.length) {
    title(words.legend_residents);
    for (const [which, text] of residents) row((place) => legendMark(context, which, x, place), text);
    for (const [, text] of mergedRows()) note(text);
    const moved = before() ? null : movedShown();
    if (newlyShown().length) row((place) => legendMark(context, PAINTED.indexOf("newly"), x, place), words.newly);
    if (moved?.won.length) row((place) => legendMark(context, PAINTED.indexOf("under"), x, place), words.scenario_won);
    if (moved?.lost.length) row((place) => legendMark(context, PAINTED.indexOf("over"), x, place), words.scenario_lost);
    if (sitesShown().length && !before()) row((place) => siteMark(context, { x: x + 12, y: place + 8 }, "1", 16), words.plan_marks);
    if (now.gaps && now.gaps.length && !before()) row((place) => circle(context, { x: x + 12, y: place + 8 }, 8, "#ffffff", INK), words.gap_marks);
  }
  if (now.units) {
    if (now.units.legend.length) title(now.units.title);
    for (const [state, text] of now.units.legend) row((place) => drawUnit(context, state, x + 12, place + 8, 7), text);
    note(now.units.note);
  }
  const swatch = (colour) => (place) => {
    context.fillStyle = colour;
    context.fillRect(x, place, 24, 15);
    context.strokeStyle = "#59636f";
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, place + 0.5, 23, 14);
  };
  if (now.areas) {
    title(now.areas.title);
    for (const [colour, text] of now.areas.rows) row(swatch(colour), text);
    note(now.areas.note);
  } else if (isRated(now) && !before()) {
    title(now.units ? words.legend_share : words.legend_districts);
    data.rateTexts.forEach((text, i) => row(swatch(data.rateColours[i]), text));
    if (residents.length) note(words.legend_nobody);
    else if (now.districts.some((one) => one.value === null)) note(words.area_left_out);
  }
  if (!now.computed) note(words.legend_not_computed);
  else if (now.whole) {
    title(words.legend_whole);
    y += write(context, now.value, x, y + 24, { size: 28, weight: 700, width }) + 4;
    note(words.legend_whole_note);
  }
  for (const [heading, rows] of symbolRows(now)) {
    title(heading);
    for (const [number, service] of rows) row((place) => drawSymbol(context, number, x + 12, place + 8, 6.5), service);
  }
  const ground = groundRows({ paper: true });
  if (ground.length) title(words.legend_ground);
  for (const [draw, text] of ground) row((place) => keyAt(context, draw, x + 3, place - 1), text);
  if (!changesShown()) return y;
  for (const opened of new Set(markedVenues().map(([, , one]) => one))) {
    row((place) => drawChange(context, x + 12, place + 8, 6.5, opened), opened ? words.change_venue_opened : words.change_venue_closed);
  }
  return y;
}

/* A key of the page's legend, drawn where the picture has it. */
function keyAt(context, draw, x, y) {
  context.save();
  context.translate(x, y);
  draw(context);
  context.restore();
}

function drawScale(context, view, x, y) {
  const metres = roundLength(170 * view.metres), long = metres / view.metres;
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y - 7);
  context.lineTo(x, y);
  context.lineTo(x + long, y);
  context.lineTo(x + long, y - 7);
  context.stroke();
  write(context, lengthText(metres), x + long + 9, y + 2, { size: 15, weight: 600 });
}

function drawNorth(context, x, y) {
  context.beginPath();
  context.moveTo(x, y - 26);
  context.lineTo(x + 10, y);
  context.lineTo(x, y - 6);
  context.lineTo(x - 10, y);
  context.closePath();
  context.fillStyle = INK;
  context.fill();
  write(context, page.words.north, x, y + 19, { size: 16, weight: 700, align: "center" });
}

/* The title of the picture: place, target and year, or both years. */
export function sheetTitle() {
  const mine = area();
  const name = byId("lc-name").textContent + (mine ? " " + (mine.village >= 0 ? mine.district : "") + mine.name : "");
  const both = twoYears();
  const years = both ? `${both.first.entry.year}–${both.second.entry.year}` : String(here().entry.year);
  return fill(page.words.sheet_title, { name, target: target().name, year: years });
}

/* What stands under the title: the rule, and the figure with its verdict, or both years' figures. */
export function sheetSubtitle() {
  const now = target();
  const rule = onTrial() ? fill(page.words.sheet_trial, { rule: ruleText(now), minutes: limitOf(now) }) : now.rule;
  const both = twoYears(), mine = areaFigures() ?? (onTrial() ? null : groupFigures());
  const figures = both ? [both.first, both.second].map((year) => fill(page.words.swipe_year, { year: year.entry.year }) + " " + valueText(year)).join(" → ")
    : mine ? mine.value + " · " + mine.verdict
    : onTrial() && here().answers(now) ? valueText(here()) : now.computed ? now.value + " · " + now.statusText : now.statusText;
  const counting = chosen.counting === "reach" ? "" : byId("lc-counting-note").textContent;
  return [rule, groupName(), figures, counting].filter(Boolean).join(" · ");
}

/* What the map shows besides, said where it is tried out: only gaps, pins, a plan, a scenario. */
export function sheetBesides() {
  const { words } = page, pins = before() ? [] : pinsShown();
  const [plan] = sitesShown().length && !before() && !area() ? plansShown() : []; // its figures are of the whole study
  return [
    chosen.onlyGaps ? words.only_gaps : "",
    pins.length ? fill(words.sheet_pins, { count: pins.length, result: [...byId("lc-pins-people").childNodes].map((part) => part.textContent).join(" · ") }) : "",
    plan ? fill(words.sheet_plan, { title: plan.title, effect: plan.story.effect }) : "",
    !before() && movedShown() ? fill(words.sheet_scenario, { title: scenarioTitle() }) : "",
  ].filter(Boolean).join(" · ");
}

/* The lines that every map carries, as they stand at the foot of the panel. */
export const conventions = () => [...document.querySelectorAll("#lc-conventions p")].map((line) => line.textContent);

/* The sheet on the chosen paper, at 300 pixels to its inch; ratio: pixels for a unit, where another is wanted. */
export function composeSheet(ratio = null) {
  const paper = PAPERS[byId("lc-paper").value] ?? PAPERS.A4;
  [WIDTH, HEIGHT] = [paper.width, paper.height];
  return composed(ratio ?? paper.pixels / paper.width);
}

function composed(ratio) {
  const canvas = element("canvas", { width: WIDTH * ratio, height: HEIGHT * ratio });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const stamp = byId("lc-stamp").textContent;
  context.font = font(17, 700);
  const stampWide = Math.min(420, context.measureText(stamp).width + 24);
  write(context, sheetTitle(), EDGE, EDGE + 28, { size: 30, weight: 700, width: WIDTH - 3 * EDGE - stampWide });
  const besides = sheetBesides();
  if (besides) write(context, besides, EDGE, EDGE + 70, { size: 14, weight: 600, width: WIDTH - 2 * EDGE });
  write(context, sheetSubtitle(), EDGE, EDGE + (besides ? 51 : 56), { size: 16, colour: QUIET, width: WIDTH - 3 * EDGE - stampWide });
  context.strokeStyle = STAMP;
  context.lineWidth = 2;
  context.strokeRect(WIDTH - EDGE - stampWide, EDGE, stampWide, 34);
  write(context, stamp, WIDTH - EDGE - stampWide / 2, EDGE + 23, { size: 17, weight: 700, colour: STAMP, align: "center", width: stampWide - 10 });
  const wide = WIDTH - 2 * EDGE - SIDE - 20, high = HEIGHT - HEAD - FOOT - EDGE;
  const view = viewOf(wide, high);
  context.save();
  context.translate(EDGE, HEAD + 10);
  context.beginPath();
  context.rect(0, 0, wide, high);
  context.clip();
  drawMap(context, view, ratio);
  context.restore();
  context.strokeStyle = INK;
  context.lineWidth = 1.5;
  context.strokeRect(EDGE, HEAD + 10, wide, high);
  const end = fitLegend(context, EDGE + wide + 20, drawFigures(context, EDGE + wide + 20, HEAD + 10, SIDE), HEAD + high - 22);
  // Beside the scale where the legend leaves room for it, else in the lower left corner of the map.
  if (end < HEAD + high - 222) drawLocator(context, EDGE + wide + 20, HEAD + high - 216, 190, 176);
  else drawLocator(context, EDGE + 10, HEAD + high - 176, 190, 176);
  drawScale(context, view, EDGE + wide + 20, HEAD + high + 2);
  drawNorth(context, WIDTH - EDGE - 22, HEAD + high - 14);
  drawConventions(context, HEAD + high + 36);
  return canvas;
}

/* One after another, each whole on its line; that of the boundaries in bold on a line of its own. */
function drawConventions(context, top) {
  const first = page.words.boundaries, rest = conventions().filter((line) => line !== first);
  const width = WIDTH - 2 * EDGE;
  let x = EDGE, y = top;
  for (const text of rest) {
    context.font = font(14);
    const wide = Math.min(context.measureText(text).width, width);
    if (x > EDGE && x + wide > EDGE + width) [x, y] = [EDGE, y + 20];
    write(context, text, x, y, { size: 14, colour: QUIET, width });
    x += wide + 26;
  }
  write(context, first, EDGE, y + 21, { size: 14, weight: 600, width });
}
