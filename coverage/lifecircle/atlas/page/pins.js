/* Answers "what if we build here?": pins with a service, moved by pointer or key, and whom they would newly cover. */

import { page, chosen, here, target, onTrial, limitOf, speedFactor } from "./selection.js";
import { byDistrict, peopleIn, standingIn } from "./colours.js";
import { byId, element, fill, named, part, peopleText, percentText } from "./nodes.js";
import { servicesOf } from "./route.js";
import { collectionText } from "./pin_export.js";
import { newlyCovered } from "./status.js";

const STEP = 6, FAR = 10; // pixels for one press of an arrow; times as far with shift
const DECIMALS = 5;
const pins = []; // number, lon, lat, service (id), marker
let next = 1;
let waiting = false;
let newly = []; // the residents that the pins would cover

export const newlyShown = () => newly;
export const pinsShown = () => (chosen.compared === null ? described() : []);

/* Those who draw with the pins, told when whom they cover has changed. */
let tellNewly = () => {};
export const onNewly = (listener) => (tellNewly = listener);

const nameOf = (pin) => fill(page.words.pin_name, { number: pin.number });
const described = () => pins.map((pin) => ({ lon: pin.lon, lat: pin.lat, service: pin.service, name: nameOf(pin) }));

/* The services that a pin can have: those the target's rule counts, first the one it has if that is another. */
function serviceIds(pin) {
  const own = servicesOf(here().entry, target());
  return own.includes(pin.service) ? own : [pin.service, ...own];
}

const serviceName = (id) => here().entry.services[here().entry.serviceIds.indexOf(id)] ?? id;

/* People and residents newly covered, at the target's own limit as the road search has it, else from its times. */
function answer() {
  const question = { year: here().entry.year, target: target().id, pins: described() };
  if (!onTrial()) {
    const { people, cells } = page.route().whatIf(question);
    return { people, cells };
  }
  const now = target();
  const cells = newlyCovered(page.route().times(question), standingIn(here()).status, { limit: limitOf(now), factor: speedFactor(now) });
  const people = here().answers(now).people;
  return { people: cells.reduce((sum, cell) => sum + people[cell], 0) / 10, cells };
}

/* ---- what shows ---- */

function showResult({ people, cells }) {
  const { words } = page;
  const count = peopleIn(here());
  const line = byId("lc-pins-people");
  line.replaceChildren(people > 0 ? fill(words.pins_people, { people: peopleText(people) }) : words.pins_nobody);
  if (people > 0 && count.total) {
    line.append(element("small", {}, fill(words.pins_rate, {
      before: percentText(count.covered / count.total), after: percentText(Math.min(1, (count.covered + people) / count.total)),
    })));
  }
  const rows = byDistrict(here(), cells);
  byId("lc-pins-districts").hidden = rows.length === 0;
  byId("lc-pins-districts").tBodies[0].replaceChildren(...rows.map((row) =>
    element("tr", {}, element("th", { scope: "row" }, named(row.name)), element("td", {}, peopleText(row.people)))));
  byId("lc-pins-geojson").value = collectionText(described());
  byId("lc-pins-copied").textContent = "";
}

function showPlace(pin) {
  const row = byId("lc-pins").querySelector(`[data-number="${pin.number}"] small`);
  if (!row) return;
  const near = page.route().snap(pin.lon, pin.lat);
  row.textContent = `${pin.lon.toFixed(DECIMALS)}, ${pin.lat.toFixed(DECIMALS)} · ` +
    (near.ok ? fill(page.words.pin_leg, { metres: Math.round(near.legMetres) }) : page.words.pin_far);
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
  const asked = pins.length > 0 && pinsAnswered() && standingIn(here());
  const found = asked ? answer() : { people: 0, cells: [] };
  newly = found.cells;
  page.layers.newly.redraw();
  tellNewly();
  byId("lc-pins-result").hidden = !asked;
  byId("lc-pin-clear").hidden = pins.length === 0;
  byId("lc-pins-part").querySelector(".lc-figure").textContent = asked ? fill(page.words.pins_people, { people: peopleText(found.people) }) : "";
  if (!asked) return;
  showResult(found);
  pins.forEach(showPlace);
}

function pinRow(pin) {
  const name = nameOf(pin);
  const list = element("select", { "aria-label": fill(page.words.pin_service, { name }), autocomplete: "off" },
    ...serviceIds(pin).map((id) => element("option", { value: id, selected: id === pin.service }, serviceName(id))));
  list.addEventListener("change", () => {
    pin.service = list.value;
    refresh();
  });
  const remove = element("button", { type: "button", className: "lc-more", "aria-label": fill(page.words.pin_remove, { name }) }, "✕");
  remove.addEventListener("click", () => removePin(pin));
  const row = element("li", {}, element("i", { className: "lc-pin-key", "aria-hidden": "true" }, element("b", {}, String(pin.number))),
    list, remove, element("small", {}));
  row.dataset.number = String(pin.number);
  return row;
}

const listPins = () => byId("lc-pins").replaceChildren(...pins.map(pinRow));

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

export function addPin(latlng) {
  const [service] = servicesOf(here().entry, target());
  const pin = { number: next++, lon: latlng.lng, lat: latlng.lat, service };
  pin.marker = L.marker(latlng, {
    draggable: true, autoPan: true, zIndexOffset: 3000, title: nameOf(pin), alt: nameOf(pin),
    icon: L.divIcon({ className: "lc-pin", iconSize: [28, 28], iconAnchor: [14, 34], html: element("span", {}, element("b", {}, String(pin.number))) }),
  });
  pin.marker.on("drag", () => moveTo(pin, pin.marker.getLatLng()));
  page.layers.pins.addLayer(pin.marker);
  const node = pin.marker.getElement();
  node.setAttribute("aria-label", nameOf(pin));
  node.addEventListener("keydown", (event) => nudge(pin, event));
  pins.push(pin);
  listPins();
  showPins();
  return pin;
}

function removePin(pin) {
  page.layers.pins.removeLayer(pin.marker);
  pins.splice(pins.indexOf(pin), 1);
  listPins();
  showPins();
  byId("lc-pin-add").focus();
}

function clearPins() {
  page.layers.pins.clearLayers();
  pins.length = 0;
  next = 1;
  listPins();
  showPins();
  byId("lc-pin-add").focus();
}

/* The next click on the map puts a pin there. */
function placing(on) {
  byId("lc-pin-place").setAttribute("aria-pressed", String(on));
  page.map.getContainer().classList.toggle("lc-placing", on);
}

const isPlacing = () => byId("lc-pin-place").getAttribute("aria-pressed") === "true";

async function copy() {
  const text = byId("lc-pins-geojson");
  try {
    await navigator.clipboard.writeText(text.value);
  } catch {
    text.closest("details").open = true; // no clipboard from a file in some browsers: select it, to be copied by key
    text.focus();
    text.select();
    if (!document.execCommand("copy")) return;
  }
  byId("lc-pins-copied").textContent = page.words.pins_copied;
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

export function preparePins() {
  if (page.data.about.edition === "public") byId("lc-pins-part").remove();
  if (!pinsOffered()) return;
  page.map.addLayer(page.layers.newly);
  page.map.addLayer(page.layers.pins);
  byId("lc-pin-add").addEventListener("click", () => addPin(page.map.getCenter()).marker.getElement().focus());
  byId("lc-pin-place").addEventListener("click", () => placing(!isPlacing()));
  byId("lc-pin-clear").addEventListener("click", clearPins);
  byId("lc-pins-copy").addEventListener("click", copy);
  page.map.on("click", (event) => {
    if (!isPlacing()) return;
    placing(false);
    addPin(event.latlng);
  });
}

/* For scripts: whom one venue of the rule's first service at a place would newly cover, at the target's own limit. */
export async function whatIf({ target: id, year, lon, lat }) {
  if (page.data.about.edition === "public") throw new Error("the public edition holds no roads: what-if is not in it");
  if (!page.route()) throw new Error("this page holds no roads: draw it with roads to ask what if");
  const { people, cells } = page.route().whatIf({ year: Number(year), target: id, pins: [{ lon, lat }] });
  return { people, cells: Array.from(cells) };
}
