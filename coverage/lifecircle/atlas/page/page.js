/* Starts the page: reads its data, makes the layers that folium's scripts ask for, and shows what is chosen.
   Names are only ever put in as text, never as markup; nothing is asked of any server. */

import { page, chosen, change, onChange, here, target } from "./selection.js";
import { paintChanges, prepareChanges, showChanges } from "./compared.js";
import { prepareControls, prepareKey } from "./controls.js";
import { showDistricts, showTable } from "./district_table.js";
import { OVER, UNDER, drawSymbol, paintFacilities, paintNames, paintNewly, paintResidents, paintUnits, painter, symbolOrder } from "./drawing.js";
import { markGaps, prepareGaps, showGapList, taken, thinMarks } from "./gap_list.js";
import { paintGround, paintRoads } from "./ground.js";
import { showLegend } from "./legend.js";
import { prepareLayerSwitch, showLayerSwitch } from "./layer_switch.js";
import { lookIn } from "./colours.js";
import { prepareLink } from "./link.js";
import { keepChoices } from "./link_choices.js";
import { byId, element, fill, holdPanel, rememberFocus, watchPanel } from "./nodes.js";
import { listPending, showFigures } from "./panel.js";
import { newlyShown, onNewly, preparePins, settlePins, showPins, whatIf } from "./pins.js";
import { beside, cellSide, symbolSize, unitSize } from "./map_view.js";
import { preparePlans, showPlans } from "./plan_layer.js";
import { paintLoads, paintSupply, showSupply } from "./supply_layer.js";
import { onMoved, prepareScenarios } from "./scenario_view.js";
import { preparePrinting } from "./save_and_print.js";
import { readPage } from "./page_years.js";
import { openRoute } from "./route.js";
import { prepareOverview } from "./overview.js";
import { forgetSearch, prepareSearch } from "./find_box.js";
import { before, fillSwipe, prepareSwipe, showSwipe } from "./swipe.js";
import { prepareTableExport } from "./table_export.js";
import { prepareTip } from "./tip.js";
import { prepareUnits, showUnitList } from "./unit_list.js";
import { prepareVillageFigures, showVillageFigures } from "./village_figures.js";
import { listVillages, markDifferences, showVillages } from "./village_table.js";
import { nameTarget, prepareViews, settleViews, showViews } from "./trial_controls.js";

const NAMES_FROM = 12.75; // zoom from which villages have their names
const PANES = {
  "lc-areas": 250, "lc-ground": 300, "lc-roads": 320, "lc-residents": 350, "lc-residents-before": 351, "lc-moved": 359, "lc-newly": 360, "lc-lines": 380,
  "lc-units": 440, "lc-facilities": 450, "lc-facilities-before": 451, "lc-changes": 455, "lc-villages": 500, "lc-way": 510, "lc-labels": 550, "lc-units-over": 560,
};

/* ---- layers ---- */

function residents(context, view, year) {
  const look = year && lookIn(year);
  if (!look) return false;
  paintResidents(context, view, year.cells(), look, cellSide(year));
  return true;
}

function facilities(context, view, year) {
  const now = year && year.entry.targets.find((one) => one.id === target().id);
  if (!now) return false;
  paintFacilities(context, view, year.facilities(), symbolOrder(now, year.entry.serviceIds), symbolSize());
  return true;
}

function units(context, view, states) {
  const mine = here().units(target());
  if (!mine || !mine.count) return false;
  paintUnits(context, view, mine, unitSize(), states);
  return true;
}

function names(context, view) {
  if (view.zoom < NAMES_FROM) return false;
  paintNames(context, view, here().villages(), taken);
  return true;
}

function newly(context, view) {
  if (!newlyShown().length) return false;
  paintNewly(context, view, here().cells(), newlyShown(), cellSide());
  return true;
}

function makeLayers() {
  Object.assign(page.layers, {
    districts: L.featureGroup(),
    rates: L.layerGroup(), // nothing of its own: whether districts have the colours of their rates
    ground: painter("lc-ground", paintGround),
    residents: painter("lc-residents", (context, view) => residents(context, view, here())),
    supply: painter("lc-residents", (context, view) => paintSupply(context, view, here(), "served")),
    score: painter("lc-residents", (context, view) => paintSupply(context, view, here(), "score")),
    loads: painter("lc-changes", (context, view) => paintLoads(context, view, here())),
    residentsBefore: painter("lc-residents-before", (context, view) => residents(context, view, before())),
    differences: L.featureGroup(),
    gaps: L.featureGroup(),
    units: L.layerGroup([["lc-units", UNDER], ["lc-units-over", OVER]].map(([pane, states]) =>
      painter(pane, (context, view) => units(context, view, states)))),
    villages: painter("lc-villages", names),
    facilities: painter("lc-facilities", (context, view) => facilities(context, view, here())),
    facilitiesBefore: painter("lc-facilities-before", (context, view) => facilities(context, view, before())),
    changes: painter("lc-changes", (context, view) => paintChanges(context, view, symbolSize() + 2.5)),
    roads: painter("lc-roads", paintRoads),
    newly: painter("lc-newly", newly),
    way: L.featureGroup(),
    pins: L.featureGroup(),
    plans: L.featureGroup(),
  });
}

/* ---- the choices of target and year ---- */

/* Circles first with their values, then what else has a figure, then the rest; each in the plan's order. */
function fillTargets(had = byId("lc-target").value) {
  const targets = here().entry.targets, words = page.words;
  const list = byId("lc-target");
  const groups = [
    [words.targets_circles, targets.filter((one) => one.computed && one.kind === "circle")],
    [words.targets_others, targets.filter((one) => one.computed && one.kind !== "circle")],
    [words.targets_not_computed, targets.filter((one) => !one.computed)],
  ];
  list.replaceChildren(...groups.filter(([, mine]) => mine.length).map(([label, mine]) => element("optgroup", { label },
    ...mine.map((one) => element("option", { value: one.id }, one.computed ? fill(words.option_value, one) : one.name)))));
  const found = targets.find((one) => one.id === had) || groups.flatMap(([, mine]) => mine)[0];
  chosen.target = targets.indexOf(found);
  list.value = found.id;
  listPending(targets, take);
}

function take(id) {
  byId("lc-target").value = id;
  change({ target: here().entry.targets.findIndex((one) => one.id === id), limit: null });
}

function preparePanel() {
  const year = byId("lc-year");
  year.replaceChildren(...page.years.map((one, i) => element("option", { value: String(i) }, String(one.entry.year))));
  year.selectedIndex = chosen.year;
  byId("lc-year-row").hidden = page.years.length < 2;
  fillTargets();
  byId("lc-target-row").hidden = here().entry.targets.length < 2 && page.years.length < 2;
  byId("lc-target").addEventListener("change", (event) => take(event.target.value));
  byId("lc-villages-all").addEventListener("toggle", listVillages);
  year.addEventListener("change", () => {
    chosen.year = year.selectedIndex;
    fillTargets();
    change({ year: year.selectedIndex, limit: null });
  });
}

/* A link chooses without the lists. */
function settleLists() {
  if (byId("lc-year").selectedIndex !== chosen.year) fillTargets(target().id);
  byId("lc-year").selectedIndex = chosen.year;
  byId("lc-target").value = target().id;
}

/* ---- what a choice changes ---- */

const AREA = ["district", "village"];
const COUNTED = ["year", "target", "limit", "band", "group", ...AREA]; // choices that change figures, not only what is painted

function show(choice) {
  const changed = (keys) => keys.some((key) => key in choice);
  const refocus = rememberFocus(), settle = holdPanel();
  settleLists();
  if (changed(["year", "target"])) {
    if (!page.data.about.dataDate) byId("lc-cutoff").textContent = fill(page.words.cutoff, { year: here().entry.year });
    settleViews();
    fillSwipe();
    forgetSearch();
    settlePins();
    showLayerSwitch();
  }
  nameTarget();
  if (changed(["year", "target", "group", ...AREA])) {
    showGapList();
    showUnitList();
  }
  showDistricts(); // before the table, whose names lead to what is drawn
  if (changed(["compared", ...COUNTED])) showFigures(target());
  if (changed(COUNTED)) {
    showTable();
    showVillages();
    showVillageFigures();
    markDifferences();
  }
  showChanges();
  if (Object.keys(choice).every((key) => AREA.includes(key))) { // what is painted stays as it is
    markGaps();
    refocus();
    settle();
    return;
  }
  showViews();
  showLegend();
  page.layers.residents.redraw();
  if (changed(["year", "target"])) {
    page.layers.units.eachLayer((layer) => layer.redraw());
    page.layers.facilities.redraw();
    showSupply();
    showPlans(); // before the gaps, whose numbers make way for those of the sites
    markGaps();
  } else if (changed(["group"])) markGaps();
  else if (changed(COUNTED)) thinMarks();
  if (changed(COUNTED)) showPins();
  showSwipe();
  refocus();
  settle();
}

/* ---- the start ---- */

let setReady, setFailed;
const ready = new Promise((resolve, reject) => {
  setReady = resolve;
  setFailed = reject;
});
ready.catch(() => {}); // shown in the panel

async function start(control, names) {
  const read = await readPage(document);
  Object.assign(page, { data: read.data, words: read.data.words, years: read.years, roadLines: read.roadLines, column: read.column, running: read.running, plain: read.plain });
  Object.assign(window.lifecirclePage, read, openRoute(read));
  chosen.year = page.years.length - 1;
  page.started = true;
  preparePanel();
  keepChoices();
  watchPanel();
  prepareControls();
  prepareLayerSwitch(control, names);
  prepareGaps();
  prepareUnits();
  prepareVillageFigures();
  prepareViews();
  prepareSwipe();
  prepareChanges();
  prepareTip();
  preparePins();
  preparePlans();
  prepareScenarios();
  preparePrinting();
  prepareSearch();
  onChange(show);
  let marked = false;
  onNewly(() => {
    if (marked !== newlyShown().length > 0) showLegend(); // its key comes and goes with them
    marked = newlyShown().length > 0;
  });
  change({ year: chosen.year, target: chosen.target });
  prepareOverview(take);
  page.map.addLayer(page.layers.way);
  page.layers.ground.redraw();
  page.layers.roads.redraw();
  page.layers.rates.on("add remove", showDistricts);
  page.map.on("overlayadd overlayremove", showLegend);
  page.map.on("zoomend overlayadd", thinMarks);
  onMoved(showLegend);
  prepareTableExport();
  prepareLink();
  requestAnimationFrame(() => setTimeout(setReady));
  ready.then(() => window.requestIdleCallback?.(() => page.route()?.warm?.()));
}

/* The travel road search of the page's data, where the edition has one. */
page.route = () => window.lifecirclePage.route ?? null;

/* For the scripts that folium writes: panes before any layer, layers by kind, and the start at the end. */
window.lifecirclePage = Object.assign(window.lifecirclePage || {}, {
  drawSymbol,
  panes(made) {
    page.map = made;
    prepareKey(); // before the map is fitted: it has what room the key leaves
    for (const [name, level] of Object.entries(PANES)) {
      const pane = made.createPane(name);
      pane.style.zIndex = level;
      if (name !== "lc-areas") pane.style.pointerEvents = "none";
    }
    makeLayers();
  },
  layer: (kind) => page.layers[kind],
  fit(bounds) {
    page.refit = (below) => page.map.fitBounds(bounds, { paddingTopLeft: [beside(), 12], paddingBottomRight: [12, below], animate: false });
    page.refit(12);
  },
  start(control, names) {
    start(control, names).catch((error) => {
      const alert = byId("lc-failed");
      alert.hidden = false;
      alert.textContent = alert.dataset.text + error.message;
      setFailed(error);
    });
  },
});

window.lifecircle = {
  ready,
  whatIf: (question) => ready.then(() => whatIf(question)),
  minutes(targetId, yearNumber) {
    const year = page.years.find((one) => one.entry.year === Number(yearNumber));
    const one = year && year.entry.targets.find((entry) => entry.id === targetId);
    const answers = one && year.answers(one);
    if (!answers) throw new RangeError(`no travel times for target ${targetId} in ${yearNumber}`);
    return Array.from(answers.minutes, (minutes) => (Number.isNaN(minutes) ? null : minutes));
  },
};
