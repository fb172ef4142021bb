/* Fills the parts of the panel that hold one target's figures: headline, ladder, margin, groups, variants, rule.
   They are printed as they were handed over; only what is tried out is counted by the page, and said to be. */

import { showAnswer } from "./answer.js";
import { area, areaFigures, areaGroups, groupFigures, groupName, groupsFollow, ruleText, showArea, trialText } from "./area.js";
import { page, here, onTrial } from "./selection.js";
import { onGroup, peopleIn, standingIn } from "./colours.js";
import { byId, element, fill, named, pairs, part, peopleText, percentText, svg } from "./nodes.js";
import { STATUS } from "./page_years.js";

/* What the page counts for a limit or speed tried out, in the words of the headline. */
function tried(now) {
  const people = peopleIn(here());
  const { words } = page;
  return {
    value: people.total ? percentText(people.covered / people.total) : "—",
    verdict: trialText(),
    people: Object.fromEntries(Object.entries({ ...people, uncovered: people.total - people.covered }).map(([key, count]) => [key, peopleText(count)])),
    lines: [fill(words.trial_note, { value: now.value, minutes: now.minutes })],
  };
}

function headline(now) {
  const { words, data } = page;
  const trial = onTrial() && standingIn(here()) ? tried(now) : null;
  const mine = areaFigures(); // of a town or village that is chosen
  const grouped = mine || trial ? null : groupFigures(); // of a group that is counted
  const shown = mine ?? grouped ?? {
    value: trial ? trial.value : now.value, verdict: trial ? trial.verdict : now.statusText, status: trial ? "trial" : now.status,
    people: trial ? trial.people : now.people,
  };
  showArea();
  byId("lc-headline-title").textContent = now.name;
  byId("lc-rule").textContent = ruleText(now);
  byId("lc-counts").textContent = onGroup() ? fill(words.of_group, { group: groupName() }) : now.counts;
  byId("lc-value").textContent = shown.value;
  byId("lc-value").hidden = !now.computed;
  const verdict = byId("lc-verdict");
  verdict.textContent = shown.verdict;
  verdict.dataset.status = shown.status;
  byId("lc-whole").hidden = !now.whole || Boolean(mine);
  // What is said of the whole study, and its figures, does not stand beside those of a part.
  const lines = mine ? (onGroup() ? [words.group_counted] : []) : trial ? trial.lines : grouped ? [words.group_counted]
    : [now.reason, ...now.notes].filter(Boolean);
  byId("lc-reason").replaceChildren(...lines.map((line) => element("span", {}, line)));
  byId("lc-facts").replaceChildren(...pairs(trial || mine || grouped ? now.facts.slice(0, 1) : now.facts));
  const list = byId("lc-people");
  const { people } = shown;
  showAnswer({
    value: shown.value, verdict: shown.verdict, before: trial || mine || grouped ? "" : now.beforeText,
    uncovered: people ? people.uncovered : null, data: people ? people.unsnapped : null,
  });
  list.replaceChildren();
  list.hidden = !people;
  if (!people) return;
  for (const [key, term] of [["total", words.total], ["covered", data.statuses[STATUS.covered]], ["beyond", data.statuses[STATUS.beyond]],
    ["disconnected", data.statuses[STATUS.disconnected]], ["unsnapped", data.statuses[STATUS.unsnapped]]]) {
    list.append(element("div", { className: "lc-count lc-count-" + key }, element("dt", {}, term), element("dd", {}, people[key])));
  }
}

/* ---- the ladder: two rows a rung, its figures and what changed ---- */

function rung(one) {
  const name = element("th", { scope: "row" }, one.name);
  if (one.verdict) name.append(" ", element("span", { className: "lc-tag" }, page.words.verdict_rung));
  if (one.aside) name.append(" ", element("span", { className: "lc-tag lc-tag-aside" }, page.words.aside));
  const share = element("td", { className: "lc-share" }, element("b", {}, one.share));
  if (one.value !== null) share.append(element("small", {}, one.by));
  const figures = element("tr", {}, name,
    element("td", { className: one.byVillage ? "lc-counted" : "" }, one.villages),
    element("td", { className: one.byVillage ? "" : "lc-counted" }, one.people), share);
  const text = element("td", { colSpan: 4 });
  if (one.value !== null) {
    const bar = element("i", { className: "lc-bar", "aria-hidden": "true" }, element("i", {}));
    bar.firstChild.style.width = 100 * one.value + "%";
    text.append(bar);
  }
  text.append(one.text);
  const body = element("tbody", { className: "lc-rung" }, figures, element("tr", { className: "lc-rung-text" }, text));
  body.classList.toggle("lc-rung-verdict", one.verdict);
  body.classList.toggle("lc-rung-aside", one.aside);
  body.classList.toggle("lc-rung-missing", one.value === null);
  return body;
}

function ladder(now) {
  const shown = now.ladder;
  if (!part("lc-ladder-part", Boolean(shown) && !area() && !onGroup(), shown && shown.figure)) return;
  byId("lc-ladder-why").textContent = shown.why;
  const table = byId("lc-ladder");
  for (const body of [...table.tBodies]) body.remove();
  table.append(...shown.rungs.map(rung));
}

/* ---- the margin: band, curve, flip point ---- */

const WIDE = 364, HIGH = 150, LEFT = 40, RIGHT = 12, TOP = 12, BOTTOM = 34;

function curve(margin) {
  const points = margin.curve;
  const low = Math.min(Math.floor(10 * Math.min(...points.map((one) => one[1]))) / 10, 0.9);
  const first = points[0][0], last = points[points.length - 1][0];
  const x = (kmh) => LEFT + ((kmh - first) / (last - first)) * (WIDE - LEFT - RIGHT);
  const y = (value) => TOP + ((1 - value) / (1 - low)) * (HIGH - TOP - BOTTOM);
  const label = (left, top, text, anchor) => svg("text", { x: left, y: top, "text-anchor": anchor }, text);
  const title = svg("title", {}, page.words.curve);
  const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" }, title,
    svg("desc", {}, points.map((one) => one[2]).join(" · ")));
  const step = 1 - low > 0.45 ? 0.2 : 0.1;
  for (let value = 1; value > low - 1e-9; value -= step) {
    picture.append(svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: "lc-grid" }),
      label(LEFT - 6, y(value) + 4, Math.round(100 * value) + "%", "end"));
  }
  const tick = last - first > 8 ? 2 : 1;
  for (let kmh = Math.ceil(first / tick) * tick; kmh <= last; kmh += tick) {
    picture.append(svg("line", { x1: x(kmh), x2: x(kmh), y1: HIGH - BOTTOM, y2: HIGH - BOTTOM + 4, class: "lc-axis" }),
      label(x(kmh), HIGH - BOTTOM + 16, String(kmh), "middle"));
  }
  picture.append(svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: HIGH - BOTTOM, y2: HIGH - BOTTOM, class: "lc-axis" }),
    label((LEFT + WIDE - RIGHT) / 2, HIGH - 3, page.words.curve_axis, "middle"));
  if (margin.turn !== null && margin.turn >= low && margin.turn <= 1) {
    picture.append(svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(margin.turn), y2: y(margin.turn), class: "lc-goal-line" }),
      label(LEFT + 6, y(margin.turn) + 14, margin.turnText, "start"));
  }
  if (margin.flip !== null && margin.flip >= first && margin.flip <= last) {
    picture.append(svg("line", { x1: x(margin.flip), x2: x(margin.flip), y1: TOP, y2: HIGH - BOTTOM, class: "lc-flip-line" }),
      label(x(margin.flip) - 5, HIGH - BOTTOM - 6, page.words.flip, "end"));
  }
  picture.append(svg("polyline", { points: points.map(([kmh, value]) => `${x(kmh).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: "lc-curve-line" }));
  const [kmh, value, text] = points[points.length >> 1]; // the curve runs from half to one and a half times the usual speed
  picture.append(svg("circle", { cx: x(kmh), cy: y(value), r: 4, class: "lc-curve-point" }),
    label(x(kmh) + 6, y(value) + 17, text, "start"));
  return picture;
}

function margin(now) {
  const shown = now.margin;
  if (!part("lc-margin-part", Boolean(shown) && !area() && !onGroup(), shown && shown.figure)) return;
  byId("lc-band").replaceChildren(...shown.band.map(([name, speed, value]) =>
    element("div", {}, element("dt", {}, name, element("small", {}, speed)), element("dd", {}, value))));
  byId("lc-curve").hidden = shown.curve.length < 2;
  byId("lc-curve").replaceChildren(...(shown.curve.length < 2 ? []
    : [element("figcaption", { className: "lc-small" }, page.words.curve), curve(shown)]));
  byId("lc-margin").replaceChildren(...pairs(shown.facts));
}

/* ---- plain tables ---- */

const cells = ([name, ...figures]) => element("tr", {}, element("th", { scope: "row" }, name),
  ...figures.map((figure) => element("td", {}, figure)));

function tables(now) {
  const counted = area() !== null || (onTrial() && groupsFollow());
  const groups = counted ? areaGroups() : now.groups;
  if (part("lc-groups-part", groups.length > 0)) byId("lc-groups").tBodies[0].replaceChildren(...groups.map(cells));
  if (part("lc-variants-part", now.variants.length > 0 && !area() && !onGroup())) byId("lc-variants").tBodies[0].replaceChildren(...now.variants.map(cells));
  if (!now.computed) byId("lc-basis-part").open = true; // nothing else is there to read
  if (part("lc-basis-part", now.basis.length > 0)) byId("lc-basis").replaceChildren(...pairs(now.basis));
}

/* Every target without a figure, in the plan's order, with its reason; choosing one shows its rule and source. */
export function listPending(targets, take) {
  const left = targets.filter((one) => !one.computed);
  if (!part("lc-pending-part", left.length > 0, fill(page.words.pending_figure, { count: left.length }))) return;
  byId("lc-pending").replaceChildren(...left.map((one) => {
    const button = element("button", { type: "button", className: "lc-link" }, named(one.name));
    button.addEventListener("click", () => take(one.id));
    return element("li", { value: targets.indexOf(one) + 1 }, button, element("div", { className: "lc-small" }, one.reason));
  }));
}

export function showFigures(now) {
  headline(now);
  ladder(now);
  margin(now);
  tables(now);
}
