/* Answers "what if we build here?": pins with services, moved by pointer or key, whom they would newly cover, and why
   nobody where they cover nobody. Pins come from the reader, from a file, a link, a plan or a scenario. */

import { page, chosen, here, target, onTrial, limitOf, speedFactor } from "./selection.js";
import { byDistrict, onGroup, peopleIn, peopleOf, standingIn } from "./colours.js";
import { groupName } from "./area.js";
import { keepInLink, noteChange } from "./link.js";
import { byId, copyText, element, fill, holdPanel, minutesText, named, part, peopleText, percentText, sentence } from "./nodes.js";
import { servicesOf } from "./route.js";
import { collectionText, linkPins, pinsOfLink, readCollection } from "./pin_export.js";

const STEP = 6, FAR = 10; // pixels for one press of an arrow; times as far with shift
const DECIMALS = 5;
const MOST_BYTES = 5e6; // of a file of pins
const WHYS = { far: "pin_far", barrier: "pin_barrier", leg: "pin_leg_long", service: "pin_service_other" };
const LEFT = { place: "pins_left_place", action: "pins_left_action", service: "pins_left_service", many: "pins_left_many" };
const pins = []; // number, lon, lat, service (ids with ; between them), own (its own name, "" without), marker
let next = 1;
let waiting = false;
let newly = []; // the residents that the pins would cover

export const newlyShown = () => newly;
export const pinsShown = () => (chosen.compared === null ? described() : []);

/* Called when the people whom the pins cover have changed: others draw with them. */
let reportNewly = () => {};
export const onNewly = (listener) => (reportNewly = listener);

const nameOf = (pin) => pin.own || fill(page.words.pin_name, { number: pin.number });
const described = () => pins.map((pin) => ({ lon: pin.lon, lat: pin.lat, service: pin.service, name: nameOf(pin) }));

/* ---- services ---- */

const wholeOf = (now) => (now.building ?? []).join(";");
const singles = (now) => servicesOf(here().entry, now);

/* What a pin can be: a building that fills the whole rule first, then single services of the rule, and what it is. */
function choicesOf(pin) {
  const now = target(), whole = wholeOf(now);
  const all = [...(whole.includes(";") ? [whole] : []), ...singles(now)];
  return all.includes(pin.service) ? all : [pin.service, ...all];
}

const usualService = () => wholeOf(target()) || singles(target())[0] || "";
const serviceName = (id) => here().entry.services[here().entry.serviceIds.indexOf(id)] ?? page.data.serviceNames?.[id] ?? id;
export const servicesText = (ids) => ids.split(";").map(serviceName).join(page.words.plan_and);
const choiceText = (ids) => (ids === wholeOf(target()) && ids.includes(";") ? fill(page.words.pin_whole, { services: servicesText(ids) }) : servicesText(ids));
const knownIds = () => [...new Set([...here().entry.serviceIds, ...Object.keys(page.data.serviceNames ?? {}),
  ...page.years.flatMap(({ entry }) => entry.targets.flatMap((one) => (one.answers ? one.answers.classes.flatMap(({ services }) => services) : [])))])];

/* ---- what pins bring ---- */

/* People and residents newly covered and what each pin reaches, by the limit and speed that are chosen. */
function answer() {
  const now = target();
  const trial = onTrial() ? { limit: limitOf(now), speed: speedFactor(now), status: standingIn(here()).status } : {};
  return page.route().survey({ year: here().entry.year, target: now.id, pins: described(), ...trial, ...(onGroup() ? { group: peopleOf(here()) } : {}) });
}

/* What most of those within reach still lack, in words: "1 public-benefit venue". */
const lacksText = (lacks) => lacks.map((one) => fill(page.words.lacks_part, one)).join(page.words.lacks_and);

/* What a pin reaches, or why it counts for nobody. */
function reachText(pin, found) {
  const { words } = page;
  const minutes = minutesText(limitOf(target())).replace(/\.0$/, "");
  if (found.why) {
    return fill(words[WHYS[found.why]], { cap: page.data.roads?.capMetres ?? "", metres: Math.round(found.legMetres), services: servicesText(pin.service), target: target().name });
  }
  if (!found.all) return fill(words.pin_alone, { minutes });
  const people = Object.fromEntries(["all", "before", "newly", "left", "lacking"].map((key) => [key, peopleText(found[key])]));
  if (found.before === found.all) return fill(words.pin_covered, { minutes, ...people });
  const lacks = lacksText(found.lacks);
  if (!found.newly) return fill(words[found.lacking === found.left ? "pin_short" : "pin_short_most"], { minutes, lacks, ...people });
  return fill(found.left ? words.pin_reach_left : words.pin_reach, { minutes, lacks, ...people });
}

function showPlace(pin, found) {
  const row = byId("lc-pins").querySelector(`[data-number="${pin.number}"]`);
  if (!row) return;
  const place = `${pin.lon.toFixed(DECIMALS)}, ${pin.lat.toFixed(DECIMALS)}`;
  row.querySelector("small").textContent = found.why && found.why !== "service" ? place : `${place} · ${fill(page.words.pin_leg, { metres: Math.round(found.legMetres) })}`;
  row.querySelector(".lc-pin-reach").textContent = reachText(pin, found);
}

function showResult({ people, cells, each }) {
  const { words } = page;
  const count = peopleIn(here());
  const line = byId("lc-pins-people");
  line.replaceChildren(people > 0 ? fill(words.pins_people, { people: peopleText(people) }) : words.pins_nobody);
  if (people > 0 && count.total) {
    line.append(element("small", {}, groupName() ? groupName() + " · " : "", fill(words.pins_rate, {
      before: percentText(count.covered / count.total), after: percentText(Math.min(1, (count.covered + people) / count.total)),
    })));
  }
  const whys = people > 0 ? [] : pins.map((pin, i) => [pin, reachText(pin, each[i])]);
  byId("lc-pins-why").replaceChildren(...whys.flatMap(([pin, text]) => element("span", {}, ...(pins.length > 1 ? sentence(words.pin_said, { name: [named(nameOf(pin))], text }) : [text]))));
  const rows = byDistrict(here(), cells);
  byId("lc-pins-districts").hidden = rows.length === 0;
  byId("lc-pins-districts").tBodies[0].replaceChildren(...rows.map((row) =>
    element("tr", {}, element("th", { scope: "row" }, named(row.name)), element("td", {}, peopleText(row.people)))));
  byId("lc-pins-geojson").value = collectionText(described());
  byId("lc-pins-copied").textContent = "";
}

/* Count and repaint once a frame at most, however fast a pin is dragged. */
function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    showPins();
  });
}

export function showPins() {
  if (!pinsOffered()) return;
  const settle = holdPanel();
  const asked = pins.length > 0 && pinsAnswered() && standingIn(here());
  const found = asked ? answer() : { people: 0, cells: [] };
  newly = found.cells;
  page.layers.newly.redraw();
  reportNewly();
  byId("lc-pins-result").hidden = !asked;
  byId("lc-pin-clear").hidden = pins.length === 0;
  byId("lc-pins-part").querySelector(".lc-figure").textContent = asked ? fill(page.words.pins_people, { people: peopleText(found.people) }) : "";
  if (asked) {
    showResult(found);
    pins.forEach((pin, i) => showPlace(pin, found.each[i]));
  }
  settle();
  noteChange();
}

function pinRow(pin) {
  const name = nameOf(pin);
  const list = element("select", { "aria-label": fill(page.words.pin_service, { name }), autocomplete: "off" },
    ...choicesOf(pin).map((ids) => element("option", { value: ids, selected: ids === pin.service }, choiceText(ids))));
  list.addEventListener("change", () => {
    pin.service = list.value;
    refresh();
  });
  const remove = element("button", { type: "button", className: "lc-more", "aria-label": fill(page.words.pin_remove, { name }) }, "✕");
  remove.addEventListener("click", () => removePin(pin));
  const row = element("li", {}, element("i", { className: "lc-pin-key", "aria-hidden": "true" }, element("b", {}, String(pin.number))),
    list, remove, pin.own ? element("span", { className: "lc-pin-own" }, named(pin.own)) : null,
    element("small", {}), element("span", { className: "lc-pin-reach lc-small" }));
  row.dataset.number = String(pin.number);
  return row;
}

function listPins() {
  const settle = holdPanel();
  byId("lc-pins").replaceChildren(...pins.map(pinRow));
  settle();
}

/* ---- putting, moving, taking away ---- */

function moveTo(pin, latlng) {
  pin.lon = latlng.lng;
  pin.lat = latlng.lat;
  refresh();
}

function nudge(pin, event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === "Delete" || event.key === "Backspace") removePin(pin);
  else if (way) {
    const step = STEP * (event.shiftKey ? FAR : 1);
    const at = page.map.latLngToContainerPoint(pin.marker.getLatLng()).add([way[0] * step, way[1] * step]);
    pin.marker.setLatLng(page.map.containerPointToLatLng(at));
    moveTo(pin, pin.marker.getLatLng());
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/* Put a pin on the map, not yet counted: lon, lat, service, name (none for one of the reader's own). */
function put({ lon, lat, service, name }) {
  const pin = { number: next++, lon, lat, service, own: name ?? "" };
  pin.marker = L.marker([lat, lon], {
    draggable: true, autoPan: true, zIndexOffset: 3000, title: nameOf(pin), alt: nameOf(pin),
    icon: L.divIcon({ className: "lc-pin", iconSize: [28, 28], iconAnchor: [14, 34], html: element("span", {}, element("b", {}, String(pin.number))) }),
  });
  pin.marker.on("drag", () => moveTo(pin, pin.marker.getLatLng()));
  page.layers.pins.addLayer(pin.marker);
  const node = pin.marker.getElement();
  node.setAttribute("aria-label", nameOf(pin));
  node.addEventListener("keydown", (event) => nudge(pin, event));
  pins.push(pin);
  return pin;
}

export function addPin(latlng) {
  const pin = put({ lon: latlng.lng, lat: latlng.lat, service: usualService() });
  listPins();
  showPins();
  return pin;
}

/* Put pins in the place of those there are, or beside them. */
export function addPins(more, { instead = false } = {}) {
  if (instead) forget();
  more.forEach(put);
  listPins();
  showPins();
}

function removePin(pin) {
  page.layers.pins.removeLayer(pin.marker);
  pins.splice(pins.indexOf(pin), 1);
  listPins();
  showPins();
  byId("lc-pin-add").focus({ preventScroll: true });
}

function forget() {
  page.layers.pins.clearLayers();
  pins.length = 0;
  next = 1;
}

function clearPins() {
  addPins([], { instead: true });
  byId("lc-pins-read").textContent = "";
  byId("lc-pin-add").focus({ preventScroll: true });
}

/* The next click on the map puts a pin there, and does nothing else. */
function placing(on) {
  byId("lc-pin-place").setAttribute("aria-pressed", String(on));
  page.map.getContainer().classList.toggle("lc-placing", on);
}

const isPlacing = () => byId("lc-pin-place")?.getAttribute("aria-pressed") === "true";

async function copy() {
  if (await copyText(byId("lc-pins-geojson"))) byId("lc-pins-copied").textContent = page.words.pins_copied;
}

/* ---- from a file ---- */

/* Put the pins of a GeoJSON text; what is not used of it is counted and named. */
function readText(text) {
  const { words } = page, said = byId("lc-pins-read");
  const found = readCollection(text, knownIds(), usualService());
  if (found.fault) {
    said.textContent = words[found.fault];
    return;
  }
  addPins(found.pins.map((pin) => ({ ...pin, name: isOurs(pin.name) ? "" : pin.name })));
  const left = found.left.slice(0, 5).map((one) => fill(words.pins_left, { number: one.number, why: fill(words[LEFT[one.why]], { value: one.value ?? "" }) }));
  said.textContent = fill(words.pins_read, { count: found.pins.length }) +
    (found.left.length ? fill(words.pins_read_left, { count: found.left.length, rows: left.join(words.lacks_and) + (found.left.length > left.length ? "…" : "") }) : "");
  if (found.pins.length) page.map.fitBounds(L.latLngBounds(found.pins.map(({ lat, lon }) => [lat, lon])).pad(0.3), { maxZoom: Math.max(page.map.getZoom(), 13), animate: false });
}

/* Whether a name is one that the page itself gives, so that a pin that is read back gets a new number. */
const isOurs = (name) => new RegExp("^" + page.words.pin_name.replace("{number}", "\\d+") + "$").test(name);

async function readFile(event) {
  const [file] = event.target.files;
  if (!file) return;
  if (file.size > MOST_BYTES) byId("lc-pins-read").textContent = page.words.pins_too_large;
  else readText(await file.text());
  event.target.value = ""; // the same file may be chosen again
}

/* Another target or year: pins stay where they are, with the services to choose from that it counts. */
export function settlePins() {
  if (!pinsOffered()) return;
  part("lc-pins-part", pinsAnswered());
  listPins();
}

/* Whether the roads of the page are those that the target was searched on. */
const pinsAnswered = () => page.route().can({ year: here().entry.year, target: target().id });

export const pinsOffered = () => page.data.about.edition !== "public" && page.route() !== null;

/* Pins stand in the link, those of the reader without a name. */
function keepPins() {
  keepInLink({
    name: "pins", read: () => linkPins(pins.map(({ own, ...pin }) => ({ ...pin, name: own }))),
    write: (text) => {
      const wanted = pinsOfLink(text, knownIds());
      return () => linkPins(pins.map(({ own, ...pin }) => ({ ...pin, name: own }))) === text || addPins(wanted, { instead: true });
    },
  });
}

export function preparePins() {
  if (page.data.about.edition === "public") byId("lc-pins-part").remove();
  if (!pinsOffered()) return;
  page.map.addLayer(page.layers.newly);
  page.map.addLayer(page.layers.pins);
  page.busy = isPlacing;
  byId("lc-pin-add").addEventListener("click", () => addPin(page.map.getCenter()).marker.getElement().focus({ preventScroll: true }));
  byId("lc-pin-place").addEventListener("click", () => placing(!isPlacing()));
  byId("lc-pin-clear").addEventListener("click", clearPins);
  byId("lc-pins-copy").addEventListener("click", copy);
  byId("lc-pins-file").addEventListener("change", readFile);
  byId("lc-pins-load").addEventListener("click", () => byId("lc-pins-file").click());
  page.map.on("click", (event) => {
    if (!isPlacing()) return;
    placing(false);
    addPin(event.latlng);
  });
  page.map.getContainer().addEventListener("keydown", (event) => event.key === "Escape" && placing(false));
  keepPins();
}

/* For scripts: whom one venue of the rule's first service at a place would newly cover, at the target's own limit. */
export async function whatIf({ target: id, year, lon, lat }) {
  if (page.data.about.edition === "public") throw new Error("the public edition holds no roads: what-if is not in it");
  if (!page.route()) throw new Error("this page holds no roads: draw it with roads to ask what if");
  const { people, cells } = page.route().whatIf({ year: Number(year), target: id, pins: [{ lon, lat }] });
  return { people, cells: Array.from(cells) };
}
