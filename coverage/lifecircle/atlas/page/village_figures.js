/* Shows the villages in figures: people, uncovered, of 60 and over uncovered, rate; sorted by what one chooses. */

import { page, here, target } from "./selection.js";
import { villageInArea } from "./area.js";
import { chosenVillage, onGroup, standingIn, villagesIn } from "./colours.js";
import { byId, element, fill, named, part, peopleText, percentText } from "./nodes.js";
import { inOrderOf, sortedHead } from "./sorting.js";
import { goToVillage } from "./village_table.js";

const FIRST = 10; // villages listed before one asks for more
const AGED = "over60";
let all = false;
let order = { key: "left", down: true };

/* Every village that the target counts, in figures. */
export function villageFigures() {
  const sums = villagesIn(here(), AGED), villages = here().villages();
  return villages.names.flatMap((name, village) => (sums.total[village] > 0 && villageInArea(village) ? [{
    village, name, people: sums.total[village], left: sums.total[village] - sums.covered[village],
    aged: sums.groupLeft ? sums.groupLeft[village] : null, rate: sums.covered[village] / sums.total[village],
  }] : []));
}

/* The aged stand in a column of their own where everybody of the target is counted. */
const hasAged = () => !onGroup() && target().group === "all" && Boolean(here().cells().groups[AGED]);

const columns = (words) => [["name", words.cell_village], ["people", words.column_people], ["left", words.column_left],
  ...(hasAged() ? [["aged", words.column_left_aged]] : []), ["rate", words.column_rate]];

export const sorted = (rows, order) => inOrderOf(rows, order);

const head = () => sortedHead(columns(page.words), order, (next) => {
  order = next;
  fillTable();
});

function line(one) {
  const button = element("button", { type: "button", className: "lc-link" }, named(one.name));
  button.addEventListener("click", () => goToVillage(one.village));
  const figures = columns(page.words).slice(1).map(([key]) => element("td", {}, key === "rate" ? percentText(one.rate) : peopleText(one[key])));
  const row = element("tr", { className: one.village === chosenVillage(here()) ? "lc-chosen" : "" }, element("th", { scope: "row" }, button), ...figures);
  row.dataset.village = String(one.village);
  return row;
}

function fillTable() {
  const rows = sorted(villageFigures(), order);
  const table = byId("lc-village-figures");
  table.tHead.replaceChildren(head());
  table.tBodies[0].replaceChildren(...(all ? rows : rows.slice(0, FIRST)).map(line));
  const more = byId("lc-village-figures-more");
  more.hidden = rows.length <= FIRST;
  more.textContent = all ? page.words.gaps_less : fill(page.words.village_figures_more, { count: rows.length });
  more.setAttribute("aria-expanded", String(all));
}

/* All of them as a table for paper. */
export function printedVillages() {
  const body = sorted(villageFigures(), order).map(line);
  return element("table", {}, element("thead", {}, head()), element("tbody", {}, ...body));
}

/* The public edition has no villages in figures: its cells hold rounded numbers of people. */
export const hasVillageFigures = () => Boolean(standingIn(here())) && page.data.about.edition !== "public" && villageFigures().length > 0;

export function showVillageFigures() {
  const count = hasVillageFigures() ? villageFigures().length : 0;
  if (part("lc-village-figures-part", count > 0, fill(page.words.village_figures_number, { count }))) fillTable();
}

export function prepareVillageFigures() {
  byId("lc-village-figures-more").addEventListener("click", () => {
    all = !all;
    fillTable();
  });
}
