/* Shows what stands under the pointer, or in the middle of the map for those who move it with the keyboard. */

import { page, changesShown, here, targetIn, twoYears, limitOf, speedFactor, onTrial } from "./selection.js";
import { indexPoints, nearestPoint } from "./point_index.js";
import { groupName } from "./area.js";
import { lookIn, onGroup, peopleOf, standingIn } from "./colours.js";
import { CHANGES } from "./year_changes.js";
import { PAINTED } from "./drawing.js";
import { byId, element, facts, fill, minutesText, named, peopleText } from "./nodes.js";
import { districtAt, figured, verdictText } from "./district_table.js";
import { cellSide, symbolSize, unitSize } from "./map_view.js";
import { STATUS, across, down, STEPS_PER_SECOND } from "./page_years.js";
import { yearAt } from "./swipe.js";
import { clearWay, showWay, wayAhead } from "./way_layer.js";

const EDGE = 6, ASIDE = 12; // pixels between a card and the edge of the map, and what it describes
let tip = null;

function nearestTo(set, latlng, pixels, wanted) {
  set.index ??= indexPoints(set);
  const scale = 256 * Math.pow(2, page.map.getZoom());
  return nearestPoint(set.index, set, { x: across(latlng.lng), y: down(latlng.lat) }, pixels / scale, wanted);
}

function facilityAt(year, latlng) {
  const now = targetIn(year);
  if (!now || !page.map.hasLayer(page.layers.facilities)) return -1;
  const facilities = year.facilities();
  return nearestTo(facilities, latlng, symbolSize() + 3, (i) => now.services.includes(facilities.service[i]));
}

function cellAt(year, latlng) {
  const stands = page.map.hasLayer(page.layers.residents) ? standingIn(year) : null;
  if (!stands) return -1;
  const { classes, hidden } = lookIn(year);
  const people = onGroup() ? peopleOf(year) : null;
  return nearestTo(year.cells(), latlng, Math.max(6, cellSide(year) * 0.72), (i) => !hidden.includes(classes[i]) && (!people || people[i] > 0));
}

function unitAt(year, latlng) {
  const now = targetIn(year), units = now && year.units(now);
  if (!units || !page.map.hasLayer(page.layers.units)) return -1;
  return nearestTo(units, latlng, unitSize() + 3, () => true);
}

function unitCard(year, unit) {
  const { words } = page, units = year.units(targetIn(year));
  const rows = [[words.cell_status, words["unit_state_" + units.states[unit]]]];
  const { lacks, people } = units.lacks.get(unit) || {};
  if (lacks) rows.push([words.cell_lacking, lacks]);
  if (people) rows.push([words.cell_people, people]);
  if (units.districts[unit] && units.entry.unit !== "district") rows.push([words.cell_district, named(units.districts[unit])]);
  return element("div", {}, element("strong", {}, named(units.names[unit])), facts(rows));
}

/* A district's figure, where the map shows figures of districts and no residents. */
function districtCard(code) {
  const one = targetIn(here()).districts.find((row) => row.code === code);
  if (!one) return null;
  const words = page.words;
  const rows = [[targetIn(here()).shares ? words.column_share : words.column_value, one.rate], [words.verdict, verdictText(one)]];
  return element("div", {}, element("strong", {}, named(one.name)), facts(rows));
}

const openedOf = (facilities, i) => (facilities.opened ? facilities.opened[i] || 0 : 0);

function facilityCard(year, facility) {
  const facilities = year.facilities();
  const rows = [[page.words.service, year.entry.services[facilities.service[facility]]]];
  const opened = openedOf(facilities, facility);
  if (opened) rows.push([page.words.cell_opened, fill(page.words.opened_year, { year: opened })]);
  return element("div", {}, element("strong", {}, named(facilities.names[facility])), facts(rows));
}

function venueText(year, venue) {
  const facilities = year.facilities();
  const name = named(facilities.names[venue]);
  const opened = openedOf(facilities, venue);
  return opened ? element("span", {}, name, fill(page.words.opened_in, { year: opened })) : name;
}

/* What the rule still lacks at a resident, where the page can search the roads. */
function lacking(year, now, cell) {
  const route = page.route();
  if (!route || !route.can({ year: year.entry.year, target: now.id })) return [];
  return route.lacks(year.entry.year, now.id, cell).map((one) => fill(page.words.lacks_part,
    { name: one.name, count: one.count - one.have }));
}

/* Metres from the door to the road, where the data hold the roads (their legs are in parts of a second, `rate` a metre). */
function legMetres(year, cell) {
  const homes = year.homes ? year.homes() : null;
  return homes && homes.edge[cell] >= 0 ? homes.leg[cell] / page.data.roads.rate : null;
}

/* For a rule of several venues a line for each class: the last venue it asks for, and the time to that one. */
function classRows(year, now, answers, cell) {
  return now.answers.classes.flatMap((one, which) => {
    const lasts = answers.lasts[which], ranks = answers.steps[which];
    if (!lasts || !lasts[cell]) return [];
    const minutes = ranks[ranks.length - 1][cell] / (60 * STEPS_PER_SECOND) / speedFactor(now);
    const name = fill(page.words.class_rank, { name: one.text, count: ranks.length });
    return [[name, element("span", {}, venueText(year, lasts[cell] - 1), " · " + fill(page.words.cell_within, { minutes: minutesText(minutes) }))]];
  });
}

function cellCard(year, cell) {
  const words = page.words, now = targetIn(year);
  const cells = year.cells(), answers = year.answers(now);
  const status = standingIn(year).status[cell];
  const rows = [[words.cell_status, status ? page.data.statuses[status] : words.uncounted]];
  if (changesShown()) {
    const name = PAINTED[lookIn(year).classes[cell]], { first, second } = twoYears();
    if (CHANGES.includes(name)) rows.unshift([words.comparing_changes, fill(words["change_key_" + name], { first: first.entry.year, second: second.entry.year })]);
  }
  const minutes = answers.minutes[cell] / speedFactor(now);
  if (!Number.isNaN(minutes)) {
    const over = minutes - limitOf(now);
    const text = page.data.about.edition === "public" ? words.cell_up_to : status === STATUS.beyond ? words.cell_over : words.cell_within;
    rows.push([words.cell_minutes, fill(text,
      { minutes: minutesText(minutes), over: minutesText(Math.max(over, 0)) })]);
  }
  const venue = answers.nearest[cell], ways = classRows(year, now, answers, cell);
  if (ways.length) rows.push(...ways);
  else if (venue) rows.push([words.cell_nearest, venueText(year, venue - 1)]);
  const lacks = status === STATUS.beyond || status === STATUS.disconnected ? lacking(year, now, cell) : [];
  if (lacks.length) rows.push([words.cell_lacks, lacks.join(words.lacks_and)]);
  const leg = legMetres(year, cell);
  if (leg !== null) rows.push([words.cell_leg, fill(words.leg_metres, { metres: Math.round(leg) })]);
  rows.push([words.cell_people, peopleText(answers.people[cell] / 10)]);
  if (onGroup()) rows.push([groupName(), peopleText(peopleOf(year)[cell] / 10)]);
  if (cells.district(cell)) rows.push([words.cell_district, named(cells.district(cell))]);
  if (cells.village(cell)) rows.push([words.cell_village, named(cells.village(cell))]);
  if (onTrial()) rows.push([words.trial, words.trial_short]);
  return facts(rows);
}

/* Find what stands at a place: its card and its own place; null where nothing does. */
function found(latlng) {
  const year = yearAt(page.map.latLngToContainerPoint(latlng).x);
  const facility = facilityAt(year, latlng), unit = unitAt(year, latlng);
  if (unit >= 0) {
    const units = year.units(targetIn(year));
    const venue = facility < 0 ? null : facilityCard(year, facility); // a venue in the middle of its unit
    return { place: [units.lat[unit], units.lon[unit]], card: element("div", {}, unitCard(year, unit), venue) };
  }
  const cell = facility < 0 ? cellAt(year, latlng) : -1;
  if (facility < 0 && cell < 0) {
    const code = figured() && page.map.hasLayer(page.layers.districts) ? districtAt(latlng) : null;
    const card = code === null ? null : districtCard(code);
    return card && { place: [latlng.lat, latlng.lng], card };
  }
  const set = facility < 0 ? year.cells() : year.facilities();
  const index = facility < 0 ? cell : facility;
  return { place: [set.lat[index], set.lon[index]], card: facility < 0 ? cellCard(year, cell) : facilityCard(year, facility), cell: facility < 0 ? [year, cell] : null };
}

export function hideTip() {
  if (tip) page.map.closeTooltip(tip);
  clearWay();
}

/* Where neither side has room for a card it stands above or below, moved so far that all of it shows. */
function placeOver(card, node, { x, y }, size) {
  const half = node.offsetWidth / 2, above = y > node.offsetHeight + ASIDE + EDGE || y > size.y - y;
  const aside = Math.max(EDGE + half - x, 0) || Math.min(size.x - EDGE - half - x, 0);
  card.options.direction = above ? "top" : "bottom";
  const high = node.offsetHeight + ASIDE + EDGE, foot = size.y - page.map.attributionControl.getContainer().offsetHeight;
  const down = above ? Math.max(0, high - y) : -Math.max(0, y + high - foot);
  card.options.offset = L.point(aside, down + (above ? -ASIDE : ASIDE));
  node.style.setProperty("--arrow", `${half - aside}px`);
  card.update();
}

/* A card stands beside what it describes, within the map: away from the way that is drawn, else on the side with more room. */
function placeBeside(card) {
  const { map } = page, node = card.getElement(), { x, y } = map.latLngToContainerPoint(card.getLatLng()), size = map.getSize();
  if (!node?.classList.contains("lc-tip")) return;
  node.style.opacity = "1"; // what lies under it does not shine through the words
  const half = node.offsetHeight / 2, wide = node.offsetWidth + ASIDE + EDGE, ahead = wayAhead();
  if (Math.max(x, size.x - x) < wide) {
    placeOver(card, node, { x, y }, size);
    return;
  }
  const right = ahead > 0 && x > wide ? false : ahead < 0 && size.x - x > wide ? true : x < size.x / 2;
  const down = Math.max(EDGE + half - y, 0) || Math.min(size.y - EDGE - half - y, 0);
  card.options.direction = right ? "right" : "left";
  card.options.offset = L.point(right ? ASIDE : -ASIDE, down);
  node.style.setProperty("--arrow", `${half - down}px`);
  card.update();
}

function open(one) {
  if (one.cell) showWay(...one.cell);
  else clearWay();
  tip.setContent(one.card).setLatLng(one.place);
  if (!page.map.hasLayer(tip)) page.map.openTooltip(tip);
  else placeBeside(tip);
}

function showAt(latlng) {
  const one = found(latlng);
  if (one) open(one);
  else hideTip();
  return one;
}

/* Show a unit's card. */
export function showUnit(year, unit) {
  const units = year.units(targetIn(year));
  open({ place: [units.lat[unit], units.lon[unit]], card: unitCard(year, unit) });
}

/* Show a venue's card, whether the map draws it or not. */
export function showVenue(year, facility) {
  const facilities = year.facilities();
  open({ place: [facilities.lat[facility], facilities.lon[facility]], card: facilityCard(year, facility) });
}

/* With the keyboard on the map, a cross marks its middle; what stands there is shown and said. */
function sayMiddle() {
  if (document.activeElement !== page.map.getContainer() || !byId("lc-cross").classList.contains("lc-used")) return;
  const one = showAt(page.map.getCenter());
  byId("lc-said").textContent = one ? [...one.card.querySelectorAll("strong, dt, dd")].map((node) => node.textContent).join(" ") : page.words.nothing_here;
}

export function prepareTip() {
  const { map } = page;
  tip = L.tooltip({ className: "lc-tip", opacity: 1 });
  map.on("tooltipopen", (event) => placeBeside(event.tooltip));
  map.on("mousemove click", (event) => showAt(event.latlng));
  map.on("mouseout", hideTip);
  map.on("moveend", sayMiddle);
  const container = map.getContainer();
  const cross = element("span", { id: "lc-cross", "aria-hidden": "true" });
  container.append(cross);
  const use = (used) => cross.classList.toggle("lc-used", used);
  container.addEventListener("keydown", (event) => {
    if (event.target !== container) return;
    use(true);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      sayMiddle();
    } else if (event.key === "Escape") hideTip();
  });
  container.addEventListener("blur", () => use(false));
  container.addEventListener("pointerdown", () => use(false));
  container.setAttribute("aria-describedby", "lc-map-help");
}
