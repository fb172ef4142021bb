/* Hands out the tables of the panel as CSV, each as it is filtered and sorted, every row of it, folded ones too. */

import { page, chosen, here, target, onTrial, limitOf } from "./selection.js";
import { area, groupName } from "./area.js";
import { byId, element, fill, venueNodes } from "./nodes.js";
import { numbered } from "./gap_list.js";
import { planTables } from "./plan_layer.js";
import { unitsWithout } from "./unit_list.js";
import { printedVillages } from "./village_figures.js";
import { fillVillages } from "./village_table.js";

const BOM = "\ufeff"; // without it spreadsheets take Chinese for another coding
const FORMULA = /^[\s\u0000-\u001f]*[=+\-@\t\r|]/;
const NUMBER = /^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$/;

/* A cell: numbers without the commas between thousands; a text that a spreadsheet would compute has a ' before it. */
export function cellText(text) {
  const plain = text.replace(/\s+/g, " ").trim();
  if (NUMBER.test(plain)) return plain.replaceAll(",", "");
  const safe = FORMULA.test(text) && !/^[+-]?[\d.,]+\s?%$/.test(plain) ? "'" + plain : plain;
  return /[",\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvText = (head, rows) => BOM + [head, ...rows].map((row) => row.map(cellText).join(",") + "\r\n").join("");

/* What a cell says: its text, or what a picture in it says to those who do not see it; parts apart by a space. */
function said(cell) {
  if (cell.nodeType === 3) return cell.data;
  if (cell.getAttribute?.("aria-hidden") === "true") return "";
  if (cell.getAttribute?.("role") === "img") return cell.getAttribute("aria-label") ?? "";
  return [...cell.childNodes].map(said).filter((text) => text.trim()).join(" ");
}

const cellsOf = (row) => [...row.cells].filter((cell) => !cell.hidden).flatMap((cell) => [said(cell), ...Array(cell.colSpan - 1).fill("")]);

function ofTable(table) {
  const rows = [...table.rows].map(cellsOf);
  return table.tHead ? [rows[0] ?? [], rows.slice(table.tHead.rows.length)] : [[], rows];
}

const titleOf = (node) => (node.caption && !node.caption.classList.contains("lc-small") ? node.caption.textContent
  : node.closest("details.lc-part, section")?.querySelector("h2")?.textContent ?? node.id);

function gapRows() {
  const { words } = page;
  const rows = numbered().map(({ gap, number, people }) => [String(number + 1), gap.place.join(" · "), String(people ?? gap.people), gap.facts.join(" "),
    venueNodes(gap, words).map((line) => line.map((part) => (typeof part === "string" ? part : part.textContent)).join("")).join(" · ")]);
  return rows.length ? [[words.gaps, ["", words.cell_village, words.column_people, words.cell_minutes, words.cell_nearest], rows]] : [];
}

function unitRows() {
  const rows = unitsWithout().map(({ place, facts }) => [place.map((one) => (typeof one === "string" ? one : one.textContent)).join(""), facts.join(" ")]);
  return rows.length ? [[byId("lc-units-title").textContent, [page.words.cell_village, page.words.cell_lacking], rows]] : [];
}

/* Every table that shows: [title, headings, rows]. */
export function tablesNow() {
  fillVillages();
  const shown = [...byId("lc-panel").querySelectorAll("table")].filter((table) => !table.closest("[hidden]") && table.tBodies[0]?.rows.length);
  return [...shown.map((table) => [titleOf(table), ...ofTable(table.id === "lc-village-figures" ? printedVillages() : table)]),
    ...gapRows(), ...unitRows(), ...planTables()];
}

/* What a file is called: study, target, year, what it is filtered by and tried out on, and the table. */
function nameOf(title) {
  const mine = area();
  const trial = onTrial() ? [fill(page.words.minutes, { minutes: limitOf(target()) }), ...(chosen.band === "usual" ? [] : [page.words["band_" + chosen.band]])] : [];
  const parts = [byId("lc-name").textContent, target().id, here().entry.year, ...(mine ? [mine.name] : []), groupName(), ...trial, title].filter((part) => part !== "");
  return parts.join("-").replace(/[\\/:*?"<>|\s\u0000-\u001f\u200e\u200f\u202a-\u202e]+/g, "_").slice(0, 120) + ".csv";
}

function save(title, head, rows) {
  const address = URL.createObjectURL(new Blob([csvText(head, rows)], { type: "text/csv" }));
  const link = element("a", { href: address, download: nameOf(title) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

export function prepareTableExport() {
  const list = byId("lc-csv");
  let tables = [];
  const fillList = () => {
    tables = tablesNow();
    list.replaceChildren(element("option", { value: "" }, page.words.csv), ...tables.map(([title], i) => element("option", { value: String(i) }, title)));
  };
  list.replaceChildren(element("option", { value: "" }, page.words.csv));
  for (const kind of ["pointerdown", "focus"]) list.addEventListener(kind, fillList);
  list.addEventListener("change", () => {
    if (list.value !== "") save(...tables[Number(list.value)]);
    list.value = "";
  });
}
