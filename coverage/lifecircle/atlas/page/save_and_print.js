/* Hands the map out: as a PNG picture, or printed on A4 or A3 with the whole table of districts and list of gaps. */

import { page, chosen, changesShown, here, target, twoYears, limitOf, onTrial } from "./selection.js";
import { byId, element, fill, named, venueNodes } from "./nodes.js";
import { area } from "./area.js";
import { numbered } from "./gap_list.js";
import { unitsWithout } from "./unit_list.js";
import { hasVillageFigures, printedVillages } from "./village_figures.js";
import { composeSheet, conventions, sheetSubtitle, sheetTitle } from "./sheet.js";

/* A name for the file that any system takes. */
export const fileName = (parts) => parts.join("-").replace(/[\\/:*?"<>|\s\u0000-\u001f\u200e\u200f\u202a-\u202e]+/g, "_").slice(0, 80) + ".png";

export function pictureBlob() {
  return new Promise((resolve, reject) =>
    composeSheet().toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png"));
}

/* What a saved file is of: place, target, year or both, and what is tried out. */
export function nameParts() {
  const both = twoYears(), now = target(), mine = area();
  const years = both ? `${both.first.entry.year}-${both.second.entry.year}` : here().entry.year;
  const trial = onTrial() && here().answers(now) ? [`${limitOf(now)}min`, ...(chosen.band === "usual" ? [] : [chosen.band])] : [];
  return [byId("lc-name").textContent, ...(mine ? [mine.name] : []), now.id, years, ...trial];
}

async function save() {
  const address = URL.createObjectURL(await pictureBlob());
  const link = element("a", { href: address, download: fileName(nameParts()) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/* ---- printing ---- */

function pageSize() {
  const style = byId("lc-page-size") || document.head.appendChild(element("style", { id: "lc-page-size" }));
  style.textContent = `@page { size: ${byId("lc-paper").value} landscape; margin: 10mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #4a5565; } }
    #lc-print > canvas { max-height: ${byId("lc-paper").value === "A3" ? 274 : 187}mm; }`;
}

/* A copy of a table as it prints: text only, nothing to press, every row. */
function copyOf(table, title) {
  const copy = table.cloneNode(true);
  copy.removeAttribute("id");
  for (const node of copy.querySelectorAll("[id]")) node.removeAttribute("id");
  for (const button of copy.querySelectorAll("button")) button.replaceWith(...button.childNodes);
  copy.querySelector("caption")?.remove();
  copy.prepend(element("caption", {}, title));
  return copy;
}

function gapTable() {
  const gaps = numbered();
  const { words } = page;
  const body = element("tbody", {}, ...gaps.map(({ gap, number, people }) => element("tr", {},
    element("th", { scope: "row" }, String(number + 1)), element("td", {}, ...gap.place.flatMap((name, i) => (i ? [" · ", named(name)] : [named(name)]))),
    element("td", {}, people), element("td", {}, gap.facts.join(" ")), element("td", {}, ...(gap.venues.length ? venueNodes(gap, words).map((line) => element("div", {}, ...line)) : [gap.nearest ? named(gap.nearest) : ""])))));
  const head = ["", words.cell_village, words.column_people, words.cell_minutes, words.cell_nearest]
    .map((text) => element("th", { scope: "col" }, text));
  return element("table", { className: "lc-printed-gaps" }, element("caption", {}, words.gaps), element("thead", {}, element("tr", {}, ...head)), body);
}

function unitTable() {
  const rows = unitsWithout().map(({ place, facts }) => element("tr", {}, element("th", { scope: "row" }, ...place), element("td", {}, facts.join(" "))));
  return element("table", { className: "lc-printed-gaps" }, element("caption", {}, byId("lc-units-title").textContent), element("tbody", {}, ...rows));
}

/* The map as it prints; of two years that the screen divides, each on its own, side by side. */
function printedMaps() {
  const both = twoYears();
  if (!both || changesShown()) return [composeSheet()];
  const were = { ...chosen }, { id } = target(), cutoff = byId("lc-cutoff"), until = cutoff?.textContent;
  const pictures = [both.first, both.second].map((year) => {
    Object.assign(chosen, { year: page.years.indexOf(year), target: year.entry.targets.findIndex((one) => one.id === id), compared: null });
    if (cutoff && !page.data.about.dataDate) cutoff.textContent = fill(page.words.cutoff, { year: year.entry.year });
    const picture = composeSheet();
    picture.setAttribute("aria-label", sheetTitle());
    Object.assign(chosen, were);
    return picture;
  });
  if (cutoff) cutoff.textContent = until;
  return [element("div", { className: "lc-pair" }, ...pictures)];
}

function prepare() {
  if (!page.started) return;
  pageSize();
  const [picture] = printedMaps();
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", sheetTitle());
  const tables = [];
  const villages = area() !== null && hasVillageFigures();
  if (target().districts.length && !villages) tables.push(copyOf(byId("lc-districts"), page.words.table));
  if (villages) tables.push(copyOf(printedVillages(), page.words.village_figures));
  if (twoYears() && !byId("lc-changes-part").hidden) tables.push(copyOf(byId("lc-changes"), byId("lc-changes-title").textContent));
  if (numbered().length) tables.push(gapTable());
  if (unitsWithout().length) tables.push(unitTable());
  byId("lc-print").replaceChildren(picture, ...(tables.length ? [element("div", { className: "lc-printed" },
    element("h1", {}, sheetTitle()), element("p", {}, byId("lc-stamp").textContent), element("p", {}, sheetSubtitle()),
    ...tables, ...conventions().map((line) => element("p", { className: "lc-small" }, line)))] : []));
}

export function preparePrinting() {
  byId("lc-save").addEventListener("click", save);
  byId("lc-print-now").addEventListener("click", () => window.print());
  byId("lc-paper").addEventListener("change", pageSize);
  pageSize();
  window.addEventListener("beforeprint", prepare);
  window.addEventListener("afterprint", () => byId("lc-print").replaceChildren());
}
