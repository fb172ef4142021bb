/* The page for placing rows by hand: a map without tiles, the list, and saving the csv. */
(function () {
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const words = data.words;
const at = (id) => document.getElementById(id);
const LON = data.answer, LAT = LON + 1, GRADE = LON + 2, MATCHED = LON + 3, SCORE = LON + 4, NOTE = LON + 5;
const UNIT = 1e5, MOST_ROWS = 500, CELL = 2000, ROUGH = { C: 1, D: 1 };
const original = data.rows.map((row) => row.slice());
const rows = data.rows;
const state = { chosen: -1, changed: new Set(), saved: true, scale: 1, x: 0, y: 0 };

/* Fills a text of the catalogue; of {count:row|rows} the first form stands for one. */
const fill = (text, values) => text
  .replace(/\{(\w+):([^{}|]*)\|([^{}|]*)\}/g, (all, key, one, more) => (String(values[key]) === "1" ? one : more))
  .replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
const column = (names) => data.columns.findIndex((head) => names.includes(head.trim().toLowerCase()));
const NAME = column(["name", "名称", "设施名称", "场馆名称", "场所名称", "单位名称", "机构名称", "点位名称"]);
const ADDRESS = column(["address", "地址", "详细地址", "地点", "所在地", "addr"]);

function make(tag, text, parent) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

const placed = (number) => rows[number][LON] !== "" && rows[number][LAT] !== "";
const titleOf = (number) => (NAME >= 0 && rows[number][NAME]) || (ADDRESS >= 0 && rows[number][ADDRESS]) || String(number + 1);

/* ---------------------------------------------------------------------------------------------------------
 * The csv: the same cells as the file that was written, quoted as it was */

const quoted = (cell) => (/[",\n\r]/.test(cell) ? '"' + cell.replace(/"/g, '""') + '"' : cell);

function csv() {
  const lines = [data.columns, ...rows].map((row) => {
    const line = row.map(quoted).join(",");
    return line === "" && row.length === 1 ? '""' : line;
  });
  return "\ufeff" + lines.join("\n") + "\n";
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
  link.download = data.save;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  state.saved = true;
  say(fill(words.saved, { file: data.save }));
}

/* ---------------------------------------------------------------------------------------------------------
 * Placing */

function say(text) {
  at("message").textContent = text;
}

function place(lon, lat, answer) {
  const row = rows[state.chosen];
  if (!row) return say(words.none_chosen);
  row[LON] = lon.toFixed(6);
  row[LAT] = lat.toFixed(6);
  row[GRADE] = answer.grade;
  row[MATCHED] = answer.matched;
  row[SCORE] = answer.score;
  row[NOTE] = answer.note;
  state.changed.add(state.chosen);
  state.saved = false;
  say("");
  show();
}

function placeByHand(lon, lat) {
  const grade = document.querySelector("input[name='grade']:checked").value;
  place(lon, lat, { grade, matched: words.by_hand, score: "", note: words.note_by_hand });
}

function placeAtCandidate(candidate) {
  const [name, , score, lon, lat, grade] = candidate;
  place(lon, lat, { grade, matched: name, score: String(score), note: words.note_candidate });
}

function placeAtNumbers() {
  const [lon, lat] = ["lon", "lat"].map((id) => {
    const text = at(id).value.normalize("NFKC").trim();
    return text === "" ? NaN : Number(text);
  });
  if (!(Math.abs(lon) <= 180 && Math.abs(lat) <= 90)) return say(words.not_numbers);
  const [west, south, east, north] = box;
  if (lon < west - 1 || lon > east + 1 || lat < south - 1 || lat > north + 1) return say(words.far);
  placeByHand(lon, lat);
  centre(lon, lat);
}

function undo() {
  if (state.chosen < 0) return;
  rows[state.chosen] = original[state.chosen].slice();
  state.changed.delete(state.chosen);
  state.saved = state.changed.size === 0;
  say("");
  show();
}

/* ---------------------------------------------------------------------------------------------------------
 * The list */

function wanted() {
  const kind = at("show").value, text = at("search").value.normalize("NFKC").trim().toLowerCase();
  return rows.map((_, number) => number).filter((number) => {
    const first = original[number];
    const open = first[LON] === "", rough = open || first[GRADE] in ROUGH;
    if (kind === "open" && !open) return false;
    if (kind === "rough" && !rough) return false;
    return !text || rows[number].some((cell) => cell.normalize("NFKC").toLowerCase().includes(text));
  });
}

function listRows() {
  const list = at("rows"), found = wanted();
  list.replaceChildren();
  for (const number of found.slice(0, MOST_ROWS)) {
    const button = make("button", undefined, make("li", undefined, list));
    button.type = "button";
    button.dataset.row = number;
    if (number === state.chosen) button.setAttribute("aria-current", "true");
    const grade = make("span", placed(number) ? rows[number][GRADE] || "?" : "–", button);
    grade.className = "grade";
    make("bdi", titleOf(number), button);
    if (ADDRESS >= 0 && NAME >= 0) {
      make("br", undefined, button);
      make("bdi", rows[number][ADDRESS], make("small", undefined, button));
    }
  }
  if (!found.length) make("li", words.no_rows, list).className = "rest";
  if (found.length > MOST_ROWS) make("li", fill(words.more, { rows: found.length - MOST_ROWS }), list).className = "rest";
  const left = rows.filter((_, number) => !placed(number)).length;
  at("progress").textContent = fill(words.progress, { left, rows: rows.length, changed: state.changed.size });
}

function showChosen() {
  const row = rows[state.chosen], fact = data.facts[state.chosen];
  const cells = at("cells"), list = at("candidates");
  cells.replaceChildren();
  list.replaceChildren();
  at("note").textContent = row ? row[NOTE] : words.none_chosen;
  for (const id of ["put", "undo", "lon", "lat"]) at(id).disabled = !row;
  at("candidates-box").hidden = !row || !fact.candidates.length;
  if (!row) return;
  data.columns.slice(0, data.answer).forEach((head, number) => {
    if (row[number] === "") return;
    make("bdi", head, make("dt", undefined, cells));
    make("bdi", row[number], make("dd", undefined, cells));
  });
  at("lon").value = row[LON];
  at("lat").value = row[LAT];
  for (const candidate of fact.candidates) {
    const [name, kind, score, lon] = candidate;
    const button = make("button", undefined, make("li", undefined, list));
    button.type = "button";
    make("bdi", name, button);
    make("small", ` ${words["kind_" + kind]} ${score} %` + (lon === null ? ` · ${words.no_place}` : ""), button);
    button.disabled = lon === null;
    button.addEventListener("click", () => placeAtCandidate(candidate));
  }
}

function show() {
  listRows();
  showChosen();
  draw();
}

function choose(number, { focus = false } = {}) {
  state.chosen = number;
  say("");
  const row = rows[number];
  const first = data.facts[number].candidates.find((one) => one[3] !== null);
  if (placed(number)) centre(Number(row[LON]), Number(row[LAT]), 2);
  else if (first) centre(first[3], first[4], 2);
  show();
  const button = at("rows").querySelector(`[data-row="${number}"]`);
  if (button && focus) button.focus();
  if (button && button.scrollIntoView) button.scrollIntoView({ block: "nearest" });
}

function next() {
  const found = wanted();
  const later = [...found.filter((one) => one > state.chosen), ...found];
  const open = later.find((one) => !placed(one) && one !== state.chosen);
  if (open !== undefined) choose(open);
}

/* ---------------------------------------------------------------------------------------------------------
 * The map: degrees are drawn as they are, east-west shortened by the latitude */

const canvas = at("map"), pen = canvas.getContext("2d");
const box = bounds();
const across = Math.cos(((box[1] + box[3]) / 2) * Math.PI / 180);

function bounds() {
  const found = [Infinity, Infinity, -Infinity, -Infinity];
  const add = (x, y) => {
    found[0] = Math.min(found[0], x / UNIT);
    found[1] = Math.min(found[1], y / UNIT);
    found[2] = Math.max(found[2], x / UNIT);
    found[3] = Math.max(found[3], y / UNIT);
  };
  for (const town of data.towns) for (const ring of town[3]) walk(ring, add);
  for (const [, x, y] of data.villages) add(x, y);
  if (!Number.isFinite(found[0])) for (const line of [...data.main, ...data.minor]) walk(line, add);
  for (const row of data.rows) if (row[LON] !== "" && !Number.isFinite(found[0])) add(row[LON] * UNIT, row[LAT] * UNIT);
  return Number.isFinite(found[0]) ? found : [73, 18, 135, 54];
}

function walk(steps, visit) {
  let x = 0, y = 0;
  for (let i = 0; i < steps.length; i += 2) visit((x += steps[i]), (y += steps[i + 1]), i);
}

/* Roads by squares of the map, so that only what is seen is drawn. */
function squares(lines) {
  const found = new Map();
  for (const line of lines) {
    const key = Math.floor(line[0] / CELL) + "," + Math.floor(line[1] / CELL);
    if (!found.has(key)) found.set(key, new Path2D());
    const path = found.get(key);
    walk(line, (x, y, i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  }
  return found;
}
const main = squares(data.main), minor = squares(data.minor);
const towns = new Path2D();
for (const town of data.towns) for (const ring of town[3]) walk(ring, (x, y, i) => (i ? towns.lineTo(x, y) : towns.moveTo(x, y)));

/* scale: pixels a degree of latitude; x, y: degrees at the middle */
const pixel = (lon, lat) => [
  canvas.clientWidth / 2 + (lon - state.x) * across * state.scale,
  canvas.clientHeight / 2 - (lat - state.y) * state.scale,
];
const degrees = (x, y) => [
  state.x + (x - canvas.clientWidth / 2) / (across * state.scale),
  state.y - (y - canvas.clientHeight / 2) / state.scale,
];
const whole = () => Math.min(canvas.clientWidth / ((box[2] - box[0]) * across || 1), canvas.clientHeight / (box[3] - box[1] || 1)) * 0.94;

function centre(lon, lat, closer) {
  state.x = lon;
  state.y = lat;
  if (closer) state.scale = Math.max(state.scale, 40000);
  draw();
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const [lon, lat] = degrees(x, y);
  state.scale = Math.min(Math.max(state.scale * factor, whole() / 2), 2e6);
  const [nowLon, nowLat] = degrees(x, y);
  state.x += lon - nowLon;
  state.y += lat - nowLat;
  draw();
}

let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    paint();
  });
}

function strokeSquares(found, colour, width) {
  const [west, north] = degrees(0, 0), [east, south] = degrees(canvas.clientWidth, canvas.clientHeight);
  pen.strokeStyle = colour;
  pen.lineWidth = (width * UNIT) / state.scale;
  for (let i = Math.floor((west * UNIT) / CELL) - 1; i <= Math.floor((east * UNIT) / CELL) + 1; i += 1)
    for (let j = Math.floor((south * UNIT) / CELL) - 1; j <= Math.floor((north * UNIT) / CELL) + 1; j += 1) {
      const path = found.get(i + "," + j);
      if (path) pen.stroke(path);
    }
}

function paint() {
  const ratio = window.devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = "#edf0f2";
  pen.fillRect(0, 0, wide, high);
  pen.save();
  const [left, top] = pixel(0, 0), step = state.scale / UNIT;
  pen.transform(step * across, 0, 0, -step, left, top);
  pen.lineJoin = "round";
  pen.fillStyle = "#ffffff";
  pen.fill(towns, "evenodd");
  if (state.scale > 8000) strokeSquares(minor, "#b7c1cc", state.scale > 60000 ? 2 : 1);
  strokeSquares(main, "#8f9dac", state.scale > 60000 ? 3.5 : 1.6);
  pen.strokeStyle = "#6b5a86";
  pen.lineWidth = (1.4 * UNIT) / state.scale;
  pen.stroke(towns);
  pen.restore();
  const taken = [];
  for (const [name, x, y] of data.towns) label(name, x / UNIT, y / UNIT, taken, { font: "600 15px", colour: "#55407a" });
  for (const [name, x, y] of data.villages) {
    const [px, py] = pixel(x / UNIT, y / UNIT);
    if (state.scale > 12000) dot(px, py, 2, "#33475b");
    label(name, x / UNIT, y / UNIT, taken, { font: "12px", colour: "#26323f", above: state.scale > 12000 ? 17 : 9 });
  }
  rows.forEach((row, number) => {
    if (number === state.chosen || row[LON] === "") return;
    const [px, py] = pixel(Number(row[LON]), Number(row[LAT]));
    if (px > -9 && py > -9 && px < wide + 9 && py < high + 9) dot(px, py, 4, row[GRADE] in ROUGH ? "#b26a00" : "#0f6b3f", "#ffffff");
  });
  if (state.chosen >= 0) paintChosen();
  scaleBar(wide, high);
  if (document.activeElement === canvas) cross(wide / 2, high / 2);
}

function paintChosen() {
  const row = rows[state.chosen];
  data.facts[state.chosen].candidates.forEach((one, number) => {
    if (one[3] === null) return;
    const [x, y] = pixel(one[3], one[4]);
    dot(x, y, 10, "#ffffff", "#0b3d91");
    pen.fillStyle = "#0b3d91";
    pen.font = "700 12px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(String(number + 1), x, y);
  });
  if (row[LON] !== "") {
    const [x, y] = pixel(Number(row[LON]), Number(row[LAT]));
    dot(x, y, 8, "#c2123a", "#ffffff");
    dot(x, y, 2.5, "#ffffff");
  }
}

function dot(x, y, radius, colour, ring) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  if (!ring) return;
  pen.lineWidth = 2;
  pen.strokeStyle = ring;
  pen.stroke();
}

function cross(x, y) {
  pen.strokeStyle = "#c2123a";
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x - 14, y);
  pen.lineTo(x + 14, y);
  pen.moveTo(x, y - 14);
  pen.lineTo(x, y + 14);
  pen.stroke();
}

/* A round length of at most 160 pixels, at the right below. */
function scaleBar(wide, high) {
  const metre = state.scale / 111320, most = 160 / metre, power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].find((one) => one * power <= most) * power, x = wide - 16 - length * metre, y = high - 16;
  pen.strokeStyle = "#1b2430";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(x, y - 6);
  pen.lineTo(x, y);
  pen.lineTo(x + length * metre, y);
  pen.lineTo(x + length * metre, y - 6);
  pen.stroke();
  pen.fillStyle = "#1b2430";
  pen.font = "12px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "bottom";
  pen.fillText(length < 1000 ? `${length} m` : `${length / 1000} km`, x + (length * metre) / 2, y - 4);
}

/* A name is drawn where it covers no other. */
function label(name, lon, lat, taken, { font, colour, above = 0 }) {
  const [x, y] = pixel(lon, lat);
  if (x < -80 || y < -20 || x > canvas.clientWidth + 80 || y > canvas.clientHeight + 20) return;
  pen.font = `${font} "Noto Sans CJK SC", "Microsoft YaHei", sans-serif`;
  const half = pen.measureText(name).width / 2 + 3, rect = [x - half, y - above - 8, x + half, y - above + 8];
  if (taken.some((one) => rect[0] < one[2] && rect[2] > one[0] && rect[1] < one[3] && rect[3] > one[1])) return;
  taken.push(rect);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 3;
  pen.strokeStyle = "rgba(255, 255, 255, 0.9)";
  pen.strokeText(name, x, y - above);
  pen.fillStyle = colour;
  pen.fillText(name, x, y - above);
}

/* ---------------------------------------------------------------------------------------------------------
 * Hands */

let held = null;
canvas.addEventListener("pointerdown", (event) => {
  held = { x: event.offsetX, y: event.offsetY, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!held) return;
  const dx = event.offsetX - held.x, dy = event.offsetY - held.y;
  if (!held.moved && Math.hypot(dx, dy) < 5) return;
  held = { x: event.offsetX, y: event.offsetY, moved: true };
  state.x -= dx / (across * state.scale);
  state.y += dy / state.scale;
  draw();
});
canvas.addEventListener("pointerup", (event) => {
  if (held && !held.moved) placeByHand(...degrees(event.offsetX, event.offsetY));
  held = null;
});
canvas.addEventListener("pointercancel", () => (held = null));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
}, { passive: false });

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
canvas.addEventListener("keydown", (event) => {
  const move = MOVES[event.key], pixels = event.shiftKey ? 5 : 40;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (move) {
    state.x += (move[0] * pixels) / (across * state.scale);
    state.y += (move[1] * pixels) / state.scale;
    draw();
  } else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "Enter" || event.key === " ") placeByHand(state.x, state.y);
  else if (event.key === "n" || event.key === "N") next();
  else return;
  event.preventDefault();
});
canvas.addEventListener("focus", draw);
canvas.addEventListener("blur", draw);

at("rows").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(Number(button.dataset.row), { focus: true });
});
at("show").addEventListener("change", show);
at("search").addEventListener("input", listRows);
at("put").addEventListener("click", placeAtNumbers);
at("undo").addEventListener("click", undo);
at("next").addEventListener("click", next);
at("save").addEventListener("click", save);
at("zoom-in").addEventListener("click", () => zoom(1.5));
at("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
window.addEventListener("resize", draw);
window.addEventListener("beforeunload", (event) => {
  if (state.saved) return;
  event.preventDefault();
  event.returnValue = "";
});

function begin() {
  state.x = (box[0] + box[2]) / 2;
  state.y = (box[1] + box[3]) / 2;
  state.scale = whole();
  if (!rows.some((row) => row[LON] === "")) at("show").value = rows.some((row) => row[GRADE] in ROUGH) ? "rough" : "all";
  show();
}

window.lifecircle = { ready: Promise.resolve().then(begin), pixel, csv };
})();
