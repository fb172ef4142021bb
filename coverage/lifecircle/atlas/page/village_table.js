/* Shows the villages: those whose counts differ, marked and listed, and on demand every one with its counts. */

import { page, here, target, onTrial, comma } from "./selection.js";
import { chooseVillage, villageInArea } from "./area.js";
import { differenceMark } from "./drawing.js";
import { countsOf, leftIn, villageStates } from "./colours.js";
import { byId, element, facts, fill, named, part, peopleText, venueNodes } from "./nodes.js";
import { goTo } from "./map_view.js";
import { difference } from "./status.js";
import { inOrderOf, sortedHead } from "./sorting.js";
import { hideTip } from "./tip.js";

let order = { key: null, down: false };

export const villagePlace = (village) => {
  const villages = here().villages();
  return villages.placed[village] ? [villages.lat[village], villages.lon[village]] : null;
};

function villageName(village) {
  const villages = here().villages();
  const district = villages.districts[village];
  return [named(villages.names[village]), ...(district ? [" · ", named(district)] : [])];
}

/* In what the official counts and the way there disagree. */
export const differenceText = (kind) => fill(page.words["villages_" + kind], target());

const answerText = (letter) => (letter === "1" ? page.words.yes : letter === "0" ? page.words.no : page.words.unknown);
const answerSign = (letter) => (letter === "1" ? "✓" : letter === "0" ? "✗" : "—");

/* The villages that differ: those of the run, or on trial those that the page's own count gives. */
function differing() {
  const now = target();
  if (!now.villages) return [];
  if (!onTrial() || !now.villages.reached) return now.villages.differ.filter((one) => villageInArea(one.village));
  const counts = countsOf(now);
  const known = new Map(now.villages.differ.map((one) => [one.village, one]));
  return villageStates(here()).flatMap((states, village) => {
    const letter = (count) => (counts.includes(count) ? states[counts.indexOf(count)] : "-");
    const kind = difference(letter("accepted"), letter("straight"), letter("reached"));
    return kind && villageInArea(village) ? [{ village, kind, gap: known.get(village)?.gap ?? null }] : [];
  });
}

function card(one, now) {
  const states = villageStates(here())[one.village];
  const node = element("div", {}, element("strong", {}, ...villageName(one.village)), element("div", {}, differenceText(one.kind)),
    facts(now.villages.counts.map((name, i) => [name, answerSign(states[i]) + " " + answerText(states[i])])));
  const lost = now.villages.reached ? missed(one.village) : null; // beside its mark, as in the table
  if (lost) node.querySelector("dl").lastChild.append(" · ", lost);
  if (one.gap) node.append(element("div", {}, page.words.village_gap, [one.gap.people, ...one.gap.facts].join(comma())));
  if (one.gap) node.append(...venueNodes(one.gap, page.words).map((line) => element("div", {}, ...line)));
  return node;
}

const gapText = (gap) => [[gap.people, ...gap.facts].join(comma()),
  ...venueNodes(gap, page.words).flatMap((line) => [comma(), ...line])];

export function markDifferences() {
  const group = page.layers.differences;
  const now = target();
  group.clearLayers();
  for (const one of differing()) {
    const place = villagePlace(one.village);
    if (!place) continue;
    const marker = L.marker(place, {
      icon: L.divIcon({ className: "lc-difference", iconSize: [18, 18], html: differenceMark(one.kind, 18) }),
      keyboard: false,
      village: one.village,
    });
    marker.bindTooltip(card(one, now), { direction: "top", offset: [0, -9], className: "lc-tip" });
    marker.on("click", () => markVillage(one.village));
    marker.on("mouseover", hideTip);
    group.addLayer(marker);
  }
}

function markVillage(village) {
  byId("lc-villages-part").open = true;
  for (const row of byId("lc-differences").rows) {
    const mine = row.dataset.village === String(village);
    row.classList.toggle("lc-chosen", mine);
    if (mine) row.scrollIntoView({ block: "nearest" });
  }
}

export function goToVillage(village) {
  chooseVillage(village);
  markVillage(village);
  goTo(villagePlace(village));
  page.layers.differences.eachLayer((marker) => {
    if (marker.options.village === village) marker.openTooltip();
    else marker.closeTooltip();
  });
}

/* Whom a village misses stands beside its mark: most of its people within reach is not all. */
function missed(village) {
  const left = leftIn(here(), village);
  return left > 0 ? element("small", {}, fill(page.words.village_left, { people: peopleText(left) })) : null;
}

function villageRow(village) {
  const place = villagePlace(village);
  const title = place ? element("button", { type: "button", className: "lc-link" }, ...villageName(village)) : element("span", {}, ...villageName(village));
  if (place) title.addEventListener("click", () => goToVillage(village));
  const row = element("tr", {}, element("th", { scope: "row" }, title),
    ...[...villageStates(here())[village]].map((letter) => element("td", { className: "lc-answer-" + (letter === "-" ? "x" : letter) },
      element("span", { "aria-hidden": "true" }, answerSign(letter)), element("span", { className: "lc-hidden" }, answerText(letter)))));
  if (target().villages.reached) row.lastChild.append(missed(village) ?? "");
  row.dataset.village = String(village);
  return row;
}

/* The headings, which put both tables in order: by name, or by what a count answers, yes first. */
const countsHead = (now) => element("thead", {}, sortedHead([["name", page.words.cell_village],
  ...now.villages.counts.map((name, i) => [String(i), name])], order, (next) => {
  order = next;
  fillTables();
}));

/* What a village is put in order by: its town and name, or an answer; by reach those who miss fewer people stand first. */
function valueOf(village, key) {
  const { names, districts } = here().villages();
  if (key === "name") return `${districts[village] ?? ""}\t${names[village]}`;
  const states = villageStates(here())[village], letter = states[Number(key)];
  if (letter === "-") return null;
  const left = target().villages.reached && Number(key) === states.length - 1 ? leftIn(here(), village) ?? 0 : 0;
  return (letter === "1" ? 1 : 0) + 1 / (2 + left);
}

function kindBody(kind, differ, now) {
  const mine = differ.filter((one) => one.kind === kind);
  if (!mine.length) return [];
  const columns = 1 + now.villages.counts.length;
  const head = element("th", { colSpan: columns, scope: "rowgroup" },
    differenceMark(kind, 14), " ", differenceText(kind), ` (${mine.length})`);
  const inTurn = inOrderOf(mine, order, (one, key) => valueOf(one.village, key));
  return [element("tbody", {}, element("tr", { className: "lc-kind" }, head), ...inTurn.flatMap((one) => {
    const row = villageRow(one.village);
    if (!one.gap) return [row];
    const more = element("tr", { className: "lc-more-row" }, element("td", { colSpan: columns }, page.words.village_gap, ...gapText(one.gap)));
    more.dataset.village = row.dataset.village;
    row.className = "lc-has-more";
    return [row, more];
  }))];
}

export function showVillages() {
  const now = target(), words = page.words;
  const shown = now.villages;
  const differ = differing();
  const count = differ.length;
  if (!part("lc-villages-part", Boolean(shown), shown && shown.reached ? fill(words.villages_figure, { count }) : "")) return;
  byId("lc-villages-note").textContent = !shown.reached ? words.villages_no_reach : count ? words.table_hint : words.villages_same;
  fillTables(differ);
}

function fillTables(differ = differing()) {
  const now = target();
  if (Number(order.key) >= now.villages.counts.length) order = { key: null, down: false }; // another target has fewer counts
  byId("lc-differences").replaceChildren(...(differ.length ? [countsHead(now)] : []), ...["over", "under"].flatMap((kind) => kindBody(kind, differ, now)));
  listVillages();
}

export const listVillages = () => listWhere(byId("lc-villages-all").open);

/* List them for a file, whether the list is open or not. */
export const fillVillages = () => listWhere(true);

function listWhere(wanted) {
  const now = target();
  const table = byId("lc-villages");
  table.replaceChildren();
  if (!wanted || !now.villages) return;
  const body = element("tbody", {});
  const counted = villageStates(here()).flatMap((states, village) => (/[01]/.test(states) && villageInArea(village) ? [village] : []));
  body.append(...inOrderOf(counted, order, valueOf).map(villageRow));
  table.append(countsHead(now), body);
}
