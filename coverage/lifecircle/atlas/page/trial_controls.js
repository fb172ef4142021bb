/* Offers what can be tried out on a target: another limit or speed, only the gaps, another way of counting. */

import { VIEWS, page, chosen, change, here, limitOf, target, onTrial } from "./selection.js";
import { countsOf, groupsOf } from "./colours.js";
import { groupsFollow } from "./area.js";
import { byId, element, fill } from "./nodes.js";

const LEAST = 30; // minutes that the slider reaches at least
const BANDS = ["slow", "usual", "fast"];

/* The slider's end: at least twice the limit, on a round number of minutes. */
export const mostMinutes = (limit) => Math.max(LEAST, Math.ceil((2 * limit) / 5) * 5);

/* Steps that reach the target's own limit, whole minutes where that is whole. */
export const stepMinutes = (limit) => (Number.isInteger(limit) ? 1 : Number.isInteger(2 * limit) ? 0.5 : 0.1);

/* The slider's ends and steps. Where times stand in coarse steps from the limit, as in the public edition, only those
   steps differ, and only those are offered. */
export function sliderOf(limit, coarse) {
  const most = mostMinutes(limit);
  if (!coarse) return { min: 1, max: most, step: stepMinutes(limit) };
  return { min: limit - coarse * (Math.ceil(limit / coarse) - 1), max: limit + coarse * Math.ceil((most - limit) / coarse), step: coarse };
}

/* What a speed tried out divides times by; nothing where times are too coarse to be divided. */
const factorsOf = (now) => (page.data.about.stepMinutes ? null : now.margin && now.margin.factors);

function showLimit(now) {
  const slider = byId("lc-limit");
  const { min, max, step } = sliderOf(now.minutes, page.data.about.stepMinutes);
  slider.min = String(min);
  slider.max = String(max);
  slider.step = String(step);
  slider.value = String(chosen.limit ?? now.minutes);
  const text = fill(page.words.minutes, { minutes: chosen.limit ?? now.minutes });
  slider.setAttribute("aria-valuetext", text);
  byId("lc-limit-value").textContent = text;
  const reset = byId("lc-reset");
  reset.textContent = fill(page.words.trial_reset, { minutes: now.minutes });
  reset.hidden = !onTrial();
}

function choices(id, name, rows, current, take) {
  byId(id).hidden = rows.length < 2;
  const had = document.activeElement && document.activeElement.name === name;
  byId(id).querySelector(".lc-segments").replaceChildren(...rows.map(([value, text, hint]) => {
    const input = element("input", { type: "radio", name, value, checked: value === current, autocomplete: "off" });
    input.addEventListener("change", () => take(value));
    return element("label", hint ? { title: hint } : {}, input, element("span", {}, text));
  }));
  if (had) byId(id).querySelector("input:checked")?.focus();
}

/* Ways of counting that the run has for the target's villages, reach first. */
function countings(now) {
  const counts = now.villages ? countsOf(now) : [];
  const official = ["accepted", "straight"].filter((count) => counts.includes(count));
  if (!official.length) return [];
  const words = page.words;
  return [["reach", words.village_reached], ...official.map((count) => [count, words["village_" + count]]),
    ...(now.villages.reached ? [["differ", words.counting_differ, fill(words.counting_differ_note, now)]] : [])];
}

/* Parts of the panel whose figures are the run's, whatever is tried out. */
const STAYS = ["lc-ladder-part", "lc-plans-part", "lc-gaps-part", "lc-margin-part", "lc-variants-part", "lc-groups-part"];

/* Grey what does not follow a trial, and say so in it. */
function showStays(now) {
  const shown = onTrial() && here().answers(now);
  page.map.getContainer().classList.toggle("lc-on-trial", Boolean(shown)); // the gaps on the map stay the run's
  for (const id of STAYS) {
    const node = byId(id), follows = id === "lc-groups-part" && groupsFollow();
    const stays = Boolean(shown) && !follows;
    node.classList.toggle("lc-stays", stays);
    node.querySelector(".lc-stays-note")?.remove();
    if (stays) node.firstElementChild.after(element("p", { className: "lc-small lc-stays-note" }, fill(page.words.trial_stays, { minutes: now.minutes })));
  }
}

/* In the closed list the target has its value beside its name only where the headline has the same: not on trial, nor
   for a group, a town or a village. */
export function nameTarget() {
  const now = target(), option = byId("lc-target").selectedOptions[0];
  const another = onTrial() || chosen.group !== "all" || chosen.district !== null || chosen.village !== null;
  if (option && now.computed) option.textContent = another ? now.name : fill(page.words.option_value, now);
}

/* What is tried out, in words: minutes, and a speed that is not the usual. */
export const trialName = () => fill(page.words.trial_name, {
  minutes: limitOf(target()), speed: chosen.band === "usual" ? "" : page.words["band_" + chosen.band],
}).trim();

export const leaveTrial = () => change({ limit: null, band: "usual" });

/* The chip that shows a trial and leaves it. */
function showTrial(now) {
  const row = byId("lc-trial");
  const had = row.contains(document.activeElement);
  row.hidden = !(onTrial() && here().answers(now));
  if (row.hidden) {
    row.replaceChildren();
    if (had) byId("lc-limit").focus({ preventScroll: true });
    return;
  }
  const name = trialName();
  if (row.firstChild?.dataset.name === name) return; // a chip that has the focus stays
  const chip = element("button", { type: "button", className: "lc-chip", "aria-label": fill(page.words.trial_leave, { name }) }, name,
    element("span", { "aria-hidden": "true" }, "×"));
  chip.dataset.name = name;
  chip.addEventListener("click", leaveTrial);
  row.replaceChildren(chip);
}

export function showViews() {
  const now = target();
  const answers = here().answers(now);
  showStays(now);
  showTrial(now);
  byId("lc-views").hidden = !answers;
  if (!answers) return;
  showLimit(now);
  choices("lc-band-row", "lc-band", factorsOf(now) ? BANDS.map((name, i) => [name, page.words["band_" + name], now.margin.band[i][1]]) : [],
    chosen.band, (band) => change({ band }));
  choices("lc-counting-row", "lc-counting", countings(now), chosen.counting, (counting) => change({ counting }));
  showGroups(now);
  const compared = chosen.compared !== null;
  choices("lc-comparing-row", "lc-comparing", compared ? VIEWS.map((view) => [view, page.words["comparing_" + view]]) : [],
    chosen.comparing, (comparing) => change({ comparing }));
  byId("lc-counting-row").classList.toggle("lc-stays", compared && chosen.comparing === "changes");
  byId("lc-only-gaps").checked = chosen.onlyGaps;
  byId("lc-counting-note").hidden = chosen.counting === "reach";
  byId("lc-counting-note").textContent = countingNote(now);
}

/* Whose people are counted: everybody of the target, or a group of them. */
function showGroups(now) {
  const groups = groupsOf(here(), now), list = byId("lc-group");
  byId("lc-group-row").hidden = groups.length < 2;
  list.replaceChildren(...groups.map(([value, text]) => element("option", { value }, text)));
  list.value = chosen.group;
}

/* The run's own figure for the way of counting that shows. */
function countingNote(now) {
  if (chosen.counting === "reach") return "";
  if (chosen.counting === "differ") return fill(page.words.counting_differ_note, now);
  const rung = now.ladder && now.ladder.rungs.find((one) => one.id === chosen.counting);
  return rung ? fill(page.words.counting_note, { name: rung.name, villages: rung.villages, share: rung.share, text: rung.text }) : "";
}

/* What another target or year cannot show goes back to what every target has. */
export function settleViews() {
  const now = target();
  if (!countings(now).some(([value]) => value === chosen.counting)) chosen.counting = "reach";
  if (!factorsOf(now)) chosen.band = "usual";
  if (!groupsOf(here(), now).some(([id]) => id === chosen.group)) chosen.group = "all";
  if (!here().answers(now)) Object.assign(chosen, { limit: null, band: "usual", compared: null });
}

export function prepareViews() {
  const slider = byId("lc-limit");
  slider.addEventListener("input", () => {
    const minutes = Number(slider.value);
    change({ limit: Math.abs(minutes - target().minutes) < 1e-9 ? null : minutes });
  });
  byId("lc-reset").addEventListener("click", () => {
    leaveTrial();
    slider.focus();
  });
  byId("lc-group").addEventListener("change", (event) => change({ group: event.target.value }));
  byId("lc-only-gaps").addEventListener("change", (event) => change({ onlyGaps: event.target.checked }));
}
