/* Lists the units that lack what a target asks of each; a name brings the map to its unit. */

import { page, here, target, comma } from "./selection.js";
import { area } from "./area.js";
import { byId, element, fill, named, part } from "./nodes.js";
import { goTo } from "./map_view.js";
import { inOrderOf, numberIn, offerOrders } from "./sorting.js";
import { showUnit } from "./tip.js";

const FIRST = 8; // units listed before one asks for more
let all = false;
let order = "listed";

const placeOf = (units, i) => [...(units.districts[i] ? [named(units.districts[i]), " · "] : []), named(units.names[i])];

function unitInArea(units, i) {
  const mine = area();
  return !mine || (units.entry.unit === "district" ? units.names[i] === mine.district
    : units.districts[i] === mine.district && (units.entry.unit !== "village" || mine.village < 0 || units.names[i] === mine.name));
}

/* The units without, with what each lacks: [place in units, what stands under the name]. */
export function unitsWithout() {
  const units = here().units(target());
  if (!units) return [];
  const { words } = page;
  return [...units.lacks].filter(([i]) => unitInArea(units, i)).map(([i, { lacks, people }]) => ({
    i, place: placeOf(units, i), where: `${units.districts[i]}\t${units.names[i]}`, lacks, heads: numberIn(people),
    facts: [lacks && fill(words.unit_lacking, { lacks }), people && fill(words.gap_people, { people })].filter(Boolean),
  }));
}

function goToUnit(i) {
  const units = here().units(target());
  for (const item of byId("lc-units").children) item.classList.toggle("lc-chosen", item.dataset.unit === String(i));
  goTo([units.lat[i], units.lon[i]]);
  showUnit(here(), i);
}

function listed({ i, place, facts }) {
  const placed = here().units(target()).placed[i];
  const title = placed ? element("button", { type: "button", className: "lc-link" }, ...place) : element("span", {}, ...place);
  if (placed) title.addEventListener("click", () => goToUnit(i));
  const item = element("li", {}, element("i", { className: "lc-unit-key", "aria-hidden": "true" }),
    element("div", {}, title, element("div", { className: "lc-small" }, facts.join(comma()))));
  item.dataset.unit = String(i);
  return item;
}

function fold() {
  const items = [...byId("lc-units").children];
  items.forEach((item, number) => (item.hidden = !all && number >= FIRST));
  const more = byId("lc-units-more");
  more.hidden = items.length <= FIRST;
  more.textContent = all ? page.words.gaps_less : fill(page.words.units_more, { count: items.length });
  more.setAttribute("aria-expanded", String(all));
}

const valueOf = (one, key) => one[{ people: "heads", place: "where", lacks: "lacks" }[key]];

function listUnits() {
  const without = unitsWithout();
  const rows = order === "listed" ? without : inOrderOf(without, { key: order, down: order === "people" }, valueOf);
  byId("lc-units").replaceChildren(...rows.map(listed));
  fold();
}

export function showUnitList() {
  const units = here().units(target()), { words } = page;
  const without = unitsWithout();
  if (!part("lc-units-part", Boolean(units), without.length ? fill(words.units_figure, { count: without.length }) : "")) return;
  const { unit, title } = units.entry;
  byId("lc-units-title").textContent = unit === "county" ? words.units_county : fill(words.units, { unit: title });
  byId("lc-units-note").textContent = !without.length ? fill(words.units_none, { unit: title })
    : without.some(({ i }) => units.placed[i]) ? words.table_hint : "";
  const orders = ["listed", "people", "place", "lacks"].map((key) => [key, words["units_by_" + key]]);
  order = offerOrders(byId("lc-units-sort"), orders, without, valueOf, order);
  all = false;
  listUnits();
}

export function prepareUnits() {
  byId("lc-units-more").addEventListener("click", () => {
    all = !all;
    fold();
  });
  byId("lc-units-sort").addEventListener("change", (event) => {
    order = event.target.value;
    listUnits();
  });
}
