/* Shows a scenario that was run: what becomes of the target, who wins and who loses, per town and on the map; its venues
   open as pins. */

import { page, here, target, onChange } from "./selection.js";
import { paintNewly, painter } from "./drawing.js";
import { keepInLink, noteChange } from "./link.js";
import { byId, element, fill, holdPanel, named, part } from "./nodes.js";
import { cellSide } from "./map_view.js";
import { addPins, pinsOffered } from "./pins.js";

let shown = null; // the place of the scenario that is shown, null for none
let onMap = true;
let layer = null;

const all = () => page.data.scenarios ?? [];
const chosenOne = () => (shown === null ? null : all()[shown]);

/* The residents whom the scenario moves, for the target and year that show: {won, lost}; null where it moves none there. */
export function movedShown() {
  const one = chosenOne();
  return one && onMap && one.year === here().entry.year ? one.moved[target().id] ?? null : null;
}

export const scenarioTitle = () => chosenOne()?.title ?? "";

export function paintMoved(context, view, side) {
  const moved = movedShown();
  if (!moved) return false;
  paintNewly(context, view, here().cells(), moved.won, side, page.data.cellColours.under);
  paintNewly(context, view, here().cells(), moved.lost, side, page.data.cellColours.over);
  return true;
}

function table(id, title, head, rows) {
  if (!rows.length) return null;
  return element("table", { id }, element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map(([name, ...rest]) => element("tr", {}, element("th", { scope: "row" }, named(name)), ...rest.map((text) => element("td", {}, text))))));
}

function mapSwitch() {
  const box = element("input", { type: "checkbox", id: "lc-scenario-map", checked: onMap, autocomplete: "off" });
  box.addEventListener("change", () => {
    onMap = box.checked;
    showScenario();
    byId("lc-scenario-map").focus({ preventScroll: true });
  });
  return element("label", {}, box, " ", page.words.scenario_show);
}

/* What the run says of the target that shows. */
function result(one) {
  const { words } = page, now = one.targets[target().id];
  if (one.year === null) return [element("p", { className: "lc-small" }, words.scenario_not_run)];
  const year = one.year === here().entry.year ? [] : [element("p", { className: "lc-small" }, fill(words.scenario_year, { year: one.year }))];
  if (!now || now.same) return [...year, element("p", {}, words.scenario_same)];
  const head = [words.plan_before, words.scenario_after, words.column_newly, words.scenario_lost];
  return [...year, element("p", {}, element("strong", {}, now.effect), " ", now.people),
    one.moved[target().id] && one.year === here().entry.year ? mapSwitch() : null,
    table("lc-scenario-towns", words.plan_towns, [words.cell_district, ...head], now.towns),
    table("lc-scenario-groups", words.plan_groups, [words.column_group, ...head], now.groups)].filter(Boolean);
}

function opening(one) {
  if (!pinsOffered() || !one.pins.length) return [];
  const button = element("button", { type: "button", className: "lc-more" }, page.words.scenario_open);
  button.addEventListener("click", () => addPins(one.pins, { instead: true }));
  return [element("p", { className: "lc-buttons" }, button)];
}

function chooser() {
  const list = element("select", { id: "lc-scenario", "aria-label": page.words.scenarios, autocomplete: "off" },
    element("option", { value: "" }, page.words.scenario_choose),
    ...all().map((one, i) => element("option", { value: String(i), selected: i === shown }, one.title)));
  list.addEventListener("change", () => {
    shown = list.value === "" ? null : Number(list.value);
    showScenario();
    noteChange();
    byId("lc-scenario").focus({ preventScroll: true });
  });
  return list;
}

let reportMoved = () => {};
export const onMoved = (listener) => (reportMoved = listener);

export function showScenario() {
  if (!layer) return;
  const settle = holdPanel(), one = chosenOne();
  byId("lc-scenarios").replaceChildren(chooser(), ...(one ? [...result(one), one.others ? element("p", { className: "lc-small" }, one.others) : null, ...opening(one)].filter(Boolean) : []));
  layer.redraw();
  reportMoved();
  settle();
}

export function prepareScenarios() {
  if (!part("lc-scenarios-part", all().length > 0)) return;
  layer = painter("lc-moved", (context, view) => paintMoved(context, view, cellSide()));
  page.map.addLayer(layer);
  const [only] = all();
  if (all().length === 1) shown = 0;
  if (only && only.year === null && all().length === 1 && pinsOffered()) addPins(only.pins);
  onChange((choice) => ("year" in choice || "target" in choice) && showScenario());
  const first = shown === null ? "" : String(shown + 1);
  keepInLink({
    name: "scenario", step: true, read: () => ((shown === null ? "none" : String(shown + 1)) === (first || "none") ? "" : shown === null ? "none" : String(shown + 1)),
    write: (text) => {
      const wanted = text === "" ? first : text;
      if (wanted !== "" && wanted !== "none" && !(Number.isInteger(Number(wanted)) && all()[Number(wanted) - 1])) throw new RangeError(text);
      return () => {
        shown = wanted === "" || wanted === "none" ? null : Number(wanted) - 1;
        showScenario();
      };
    },
  });
  showScenario();
}
