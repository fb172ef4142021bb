/* Shows the gaps: numbered on the map and listed beside it, by people or by cause, each leading to the other. */

import { page, here, target, comma } from "./selection.js";
import { area, gapInArea, leaveArea } from "./area.js";
import { gapPeople } from "./colours.js";
import { shapes } from "./district_table.js";
import { byId, element, fill, named, part, peopleText, venueNodes } from "./nodes.js";
import { goTo } from "./map_view.js";
import { hideTip } from "./tip.js";
import { inOrderOf, numberIn, offerOrders } from "./sorting.js";
import { clearWay, showGapWay } from "./way_layer.js";

const FIRST = 8; // gaps listed before one asks for more
const NUMBER_HALF = 12.5; // pixels
const MARKED = { all: 30, area: 60 }; // gaps numbered on the map at once: more would hide the names
let all = false;
let order = "people";

/* Middle, half width and half height of what stands on the map already, in pixels of the world. */
export const taken = [];

export const placeOf = (gap) => element("span", {}, ...gap.place.flatMap((name, i) => (i ? [" · ", named(name)] : [named(name)])));

function card(gap, people) {
  const lines = [people, ...gap.facts];
  const node = element("div", {}, element("strong", {}, placeOf(gap)), ...lines.map((line) => element("div", {}, line)));
  node.append(...venueNodes(gap, page.words).map((line) => element("div", {}, ...line)));
  return node;
}

/* The gaps of what is chosen, with their numbers in the whole list: `heads` how many people, `people` the same in words.
   Of a chosen group the page counts them, those with most of it first, and leaves out where nobody of it lives. */
export function numbered() {
  const gaps = (target().gaps || []).map((gap, number) => ({ gap, number, heads: gap.heads, people: gap.people }));
  const counts = gapPeople(here());
  const mine = gaps.filter(({ gap }) => gapInArea(gap));
  if (!counts) return mine;
  const text = (count) => (Number.isNaN(count) ? "—" : peopleText(count));
  const size = ({ number }) => (Number.isNaN(counts[number]) ? -1 : counts[number]);
  return mine.filter((one) => size(one) !== 0).sort((a, b) => size(b) - size(a) || a.number - b.number)
    .map((one) => ({ ...one, heads: text(counts[one.number]), people: fill(page.words.gap_people, { people: text(counts[one.number]) }) }));
}

/* The gaps that the map numbers, of those with a place. */
export const marked = () => numbered().filter(({ gap }) => gap.at).slice(0, area() ? MARKED.area : MARKED.all);

export function markGaps() {
  const group = page.layers.gaps;
  group.clearLayers();
  for (const { gap, number, people } of marked()) {
    const marker = L.marker(gap.at, {
      icon: L.divIcon({ className: "lc-gap", iconSize: [22, 22], html: element("span", {}, String(number + 1)) }),
      zIndexOffset: 1000 - number,
      keyboard: false,
      number,
    });
    marker.bindTooltip(card(gap, people), { direction: "top", offset: [0, -10], className: "lc-tip" });
    marker.on("click", () => chooseGap(number));
    marker.on("mouseover", () => {
      hideTip();
      showGapWay(number);
    });
    marker.on("mouseout", clearWay);
    group.addLayer(marker);
  }
  thinMarks();
}

/* Where numbers would cover each other or a district's name, the lesser gap is a dot until one zooms in. */
export function thinMarks() {
  const { map, layers } = page;
  const origin = map.getPixelOrigin();
  const place = (marker) => map.latLngToLayerPoint(marker.getLatLng()).add(origin);
  taken.length = 0;
  for (const { label } of shapes.values()) {
    const name = label && label.getElement() && label.getElement().firstChild;
    if (name) taken.push([place(label), name.offsetWidth / 2, name.offsetHeight / 2]);
  }
  if (map.hasLayer(layers.plans)) layers.plans.eachLayer((marker) => taken.push([place(marker), marker.options.icon.options.iconSize[0] / 2, 12]));
  const free = (at, dx, dy) => !taken.some(([other, x, y]) => Math.abs(other.x - at.x) < dx + x && Math.abs(other.y - at.y) < dy + y);
  layers.gaps.eachLayer((marker) => {
    const node = marker.getElement();
    if (!node) return;
    const shown = free(place(marker), 13, NUMBER_HALF);
    node.classList.toggle("lc-gap-dot", !shown);
    if (shown) taken.push([place(marker), 12, NUMBER_HALF]);
  });
  layers.differences.eachLayer((marker) => { // a village's mark moves aside for a gap's number, down for a name
    const node = marker.getElement();
    if (!node) return;
    const at = place(marker);
    const numbered = taken.some(([other, , y]) => y === NUMBER_HALF && other.distanceTo(at) < 18);
    node.classList.toggle("lc-beside", numbered);
    node.classList.toggle("lc-below", !numbered && !free(at, 6, 6));
  });
  layers.villages.redraw();
}

/* ---- the list ---- */

const items = () => [...byId("lc-gaps").querySelectorAll("li[data-number]")];

export function chooseGap(number) {
  const chosenItem = items().find((item) => item.dataset.number === String(number));
  if (!chosenItem) return;
  if (chosenItem.hidden) {
    all = true;
    fold();
  }
  byId("lc-gaps-part").open = true;
  for (const item of items()) item.classList.toggle("lc-chosen", item === chosenItem);
  chosenItem.scrollIntoView({ block: "nearest" });
}

function listed({ gap, number, people }) {
  const title = element("span", { className: "lc-gap-title" }, placeOf(gap), " ", element("b", {}, people));
  const head = gap.at ? element("button", { type: "button", className: "lc-link" }, title) : title;
  if (gap.at) {
    head.addEventListener("click", () => goToGap(number));
    for (const kind of ["focus", "mouseenter"]) head.addEventListener(kind, () => showGapWay(number));
    for (const kind of ["blur", "mouseleave"]) head.addEventListener(kind, clearWay);
  }
  const item = element("li", {}, element("i", { className: "lc-gap lc-gap-key" + (number > 98 ? " lc-gap-long" : ""), "aria-hidden": "true" },
    element("span", {}, String(number + 1))), element("div", {}, head, element("div", { className: "lc-small" }, gap.facts.join(comma()))));
  item.lastChild.append(...venueNodes(gap, page.words).map((line) => element("div", { className: "lc-small" }, ...line)));
  item.dataset.number = String(number);
  return item;
}

export function goToGap(number) {
  if (!gapInArea(target().gaps[number])) leaveArea();
  chooseGap(number);
  goTo(target().gaps[number].at);
}

/* The causes there are, in the order of the buckets; a gap without a known one comes last. */
export const causeOf = (gap) => gap.cause || gap.reason || "";
const CAUSES = ["beyond", "disconnected", "unsnapped"];
const causeText = (cause) => page.words["cause_" + cause] || cause || page.words.cause_unknown;

export function inOrder(rows, grouped) {
  if (!grouped) return [["", rows]];
  const others = [...new Set(rows.map(({ gap }) => causeOf(gap)))].filter((cause) => !CAUSES.includes(cause)).sort();
  return [...CAUSES, ...others.filter(Boolean), ...others.filter((cause) => !cause)]
    .map((cause) => [cause, rows.filter(({ gap }) => causeOf(gap) === cause)]).filter(([, mine]) => mine.length);
}

/* What a gap is put in order by; `numbered` has those with most people first. */
const valueOf = ({ gap }, key) => (key === "far" ? numberIn(gap.far) : key === "cause" ? causeOf(gap) : gap.place.join("\t"));

function listGaps() {
  const rows = numbered();
  const inTurn = ["far", "place"].includes(order) ? inOrderOf(rows, { key: order, down: order === "far" }, valueOf) : rows;
  byId("lc-gaps").replaceChildren(...inOrder(inTurn, order === "cause").flatMap(([cause, mine]) => [
    ...(order === "cause" ? [element("li", { className: "lc-cause" }, `${causeText(cause)} (${mine.length})`)] : []),
    ...mine.map(listed),
  ]));
  fold();
}

export function showGapList() {
  const now = target();
  const words = page.words;
  const rows = numbered(), count = rows.length;
  part("lc-gaps-part", now.gaps !== null, count ? fill(words.gaps_figure, { count }) : "");
  byId("lc-gaps-note").textContent = count ? fill(words.gaps_all, { count }) : words.gaps_none;
  const orders = ["people", "far", "place", "cause"].map((key) => [key, words["gaps_by_" + key]]);
  order = offerOrders(byId("lc-gaps-sort"), orders, rows, valueOf, order);
  all = false;
  listGaps();
}

function fold() {
  const every = items();
  every.forEach((item, number) => (item.hidden = !all && number >= FIRST));
  for (const head of byId("lc-gaps").querySelectorAll(".lc-cause")) head.hidden = head.nextElementSibling?.hidden ?? true;
  const more = byId("lc-gaps-more");
  more.hidden = every.length <= FIRST;
  more.textContent = all ? page.words.gaps_less : fill(page.words.gaps_more, { count: every.length });
  more.setAttribute("aria-expanded", String(all));
}

export function prepareGaps() {
  byId("lc-gaps-more").addEventListener("click", () => {
    all = !all;
    fold();
  });
  byId("lc-gaps-sort").addEventListener("change", (event) => {
    order = event.target.value;
    listGaps();
  });
}
