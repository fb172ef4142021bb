/* Lays two years side by side on one map: a divider to drag or to move by key, each side with its own year. */

import { page, chosen, change, changesShown, here, limitOf, onTrial, targetIn } from "./selection.js";
import { groupRate, onGroup, peopleIn, standingIn } from "./colours.js";
import { byId, element, fill, percentText } from "./nodes.js";

const STEP = 0.02; // of the map's width, for one press of an arrow
const LEFT_PANES = ["lc-residents-before", "lc-facilities-before"];
const RIGHT_PANES = ["lc-residents", "lc-facilities"];
let share = 0.5; // of the map's width that the left year has
let divider = null;

/* The year on the left of the divider; null where the map is not divided. */
export const before = () => (chosen.compared === null || changesShown() ? null : page.years[chosen.compared]);

/* The year that shows at a pixel from the map's left edge. */
export function yearAt(x) {
  return before() && x < share * page.map.getSize().x ? before() : here();
}

export const dividerShare = () => share;

function cut() {
  const { map } = page;
  const size = map.getSize();
  const origin = map.containerPointToLayerPoint([0, 0]);
  const at = Math.round(share * size.x);
  const box = (from, to) => {
    const [left, right] = [origin.x + from, origin.x + to], [top, bottom] = [origin.y - 9, origin.y + size.y + 9];
    return `polygon(${left}px ${top}px, ${right}px ${top}px, ${right}px ${bottom}px, ${left}px ${bottom}px)`;
  };
  const compared = before() !== null;
  for (const pane of LEFT_PANES) map.getPane(pane).style.clipPath = compared ? box(-9, at) : "";
  for (const pane of RIGHT_PANES) map.getPane(pane).style.clipPath = compared ? box(at, size.x + 9) : "";
  if (!compared) return;
  divider.style.left = at + "px";
  divider.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  divider.setAttribute("aria-valuetext", fill(page.words.swipe_value, {
    left: before().entry.year, share: Math.round(100 * share), right: here().entry.year,
  }));
}

export function moveDivider(to) {
  share = Math.min(0.98, Math.max(0.02, to));
  cut();
}

/* A year's figure: the run's own, or what the page counts for what is tried out. */
export function valueText(year) {
  const now = targetIn(year);
  if (!now) return page.words.swipe_no_target;
  if (!standingIn(year) || (!onTrial() && !onGroup())) return now.value;
  if (!onTrial()) return groupRate(year);
  const { covered, total } = peopleIn(year);
  const share = total ? percentText(covered / total) : "—";
  return fill(page.words.swipe_trial, { value: share, minutes: limitOf(now) });
}

function caption(side, year) {
  const title = element("b", {}, fill(page.words.swipe_year, { year: year.entry.year }));
  byId("lc-year-" + side).replaceChildren(title, " ", valueText(year));
}

export function showSwipe() {
  const year = before();
  page.map.getContainer().classList.toggle("lc-comparing", year !== null);
  divider.hidden = year === null;
  for (const layer of ["residents", "facilities"]) {
    const shown = year !== null && page.map.hasLayer(page.layers[layer]);
    const other = page.layers[layer + "Before"];
    if (shown && !page.map.hasLayer(other)) page.map.addLayer(other);
    else if (!shown && page.map.hasLayer(other)) page.map.removeLayer(other);
    else if (shown) other.redraw();
  }
  if (year) {
    caption("left", year);
    caption("right", here());
  }
  cut();
}

function drag(event) {
  const box = page.map.getContainer().getBoundingClientRect();
  moveDivider((event.clientX - box.left) / box.width);
}

const KEYS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -5 * STEP, PageUp: 5 * STEP };

function makeDivider() {
  divider = element("div", {
    id: "lc-divider", role: "slider", tabIndex: 0, hidden: true, "aria-label": page.words.swipe_divider,
    "aria-orientation": "horizontal", "aria-valuemin": "2", "aria-valuemax": "98",
  }, element("span", { id: "lc-year-left" }), element("span", { id: "lc-year-right" }), element("i", { "aria-hidden": "true" }, "⇔"));
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus();
  });
  divider.addEventListener("pointermove", (event) => divider.hasPointerCapture(event.pointerId) && drag(event));
  divider.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (step) moveDivider(share + step);
    else if (event.key === "Home") moveDivider(0);
    else if (event.key === "End") moveDivider(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  L.DomEvent.disableClickPropagation(divider);
  page.map.getContainer().append(divider);
}

export function prepareSwipe() {
  makeDivider();
  page.map.on("move zoom zoomend resize viewreset", cut);
  page.map.on("overlayadd overlayremove", () => before() && showSwipe());
  const list = byId("lc-compare");
  byId("lc-compare-row").hidden = page.years.length < 2;
  list.addEventListener("change", () => change({ compared: list.value === "" ? null : Number(list.value) }));
}

/* Offer every other year; the one on the right is the year that is chosen. */
export function fillSwipe() {
  if (chosen.compared === chosen.year) chosen.compared = null;
  const others = page.years.map((year, i) => [year.entry.year, i]).filter(([, i]) => i !== chosen.year);
  byId("lc-compare").replaceChildren(element("option", { value: "" }, page.words.compare_none),
    ...others.map(([year, i]) => element("option", { value: String(i) }, fill(page.words.swipe_year, { year }))));
  byId("lc-compare").value = chosen.compared === null ? "" : String(chosen.compared);
}
