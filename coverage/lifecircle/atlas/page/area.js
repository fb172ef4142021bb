/* The town or village that is chosen: a filter for headline, gaps, villages, groups and print, left by its chip. */

import { page, chosen, change, here, target, limitOf, onTrial } from "./selection.js";
import { areaMask, chosenVillage, districtRows, groupIn, groupsOf, onGroup, peopleIn, standingIn } from "./colours.js";
import { byId, element, fill, named, peopleText, percentText } from "./nodes.js";

const outlines = () => page.data.lists[here().entry.districts];
const districtName = (code) => (outlines().find((one) => one.code === code) ?? target().districts.find((one) => one.code === code))?.name ?? "";

/* What is chosen: its name, the name of its district, the place of its village (-1 for a town); null for nothing. */
export function area() {
  const village = chosenVillage(here());
  if (village >= 0) return { village, name: here().villages().names[village], district: here().villages().districts[village] };
  return chosen.district === null ? null : { village, name: districtName(chosen.district), district: districtName(chosen.district) };
}

/* Whether a gap lies in what is chosen, by the names it bears. */
export function gapInArea(gap) {
  const mine = area();
  return !mine || (gap.place[0] === mine.district && (mine.village < 0 || gap.place[1] === mine.name));
}

/* Whether a village lies in the chosen town, or in the town of the chosen village. */
export function villageInArea(village) {
  const mine = area();
  return !mine || !mine.district || here().villages().districts[village] === mine.district;
}

export function chooseVillage(village) {
  const villages = here().villages();
  const district = outlines().find((one) => one.name === villages.districts[village]);
  change({ district: district ? district.code : null, village: villages.codes[village] });
}

export const leaveArea = () => change({ district: null, village: null });

/* ---- figures ---- */

/* The rule at the limit that shows. */
export const ruleText = (now) => (onTrial() && standingIn(here()) ? fill(now.ruleFor, { minutes: limitOf(now) }) : now.rule);

/* What is tried out, in place of a verdict. */
export function trialText() {
  const speed = chosen.band === "usual" ? "" : page.words["band_" + chosen.band];
  return fill(page.words.trial_verdict, { minutes: limitOf(target()), speed }).trim();
}

/* The name of the group that is counted, nothing for everybody. */
export const groupName = () => (onGroup() ? groupsOf(here(), target()).find(([id]) => id === chosen.group)?.[1] ?? "" : "");

/* What stands in place of a verdict where the page counts by itself. */
export const countedText = () => (onTrial() ? trialText() : onGroup() ? page.words.group_not_judged : page.words.area_not_judged);

const printed = (people) => ({
  ...Object.fromEntries(Object.entries(people).map(([key, count]) => [key, peopleText(count)])),
  uncovered: peopleText(people.total - people.covered),
});

/* A village holds what is asked of each, or lacks it, or has no figure of its own. */
function unitFigures(mine) {
  const units = here().units(target()), { words } = page;
  const place = units && units.entry.unit === "village" ? units.names.findIndex((name, i) => name === mine.name && units.districts[i] === mine.district) : -1;
  return { value: place < 0 ? "—" : words["unit_state_" + units.states[place]], verdict: words.area_not_judged, status: "", people: null };
}

/* Value, verdict and people of the chosen area in the words of the headline; null where nothing is chosen. A town has
   the run's own figures, or those of the trial; a village those that the page counts, and no verdict. */
export function areaFigures() {
  const mine = area();
  if (!mine) return null;
  const { words } = page, counted = standingIn(here()) !== null && page.data.about.edition !== "public";
  const people = counted ? peopleIn(here(), areaMask(here())) : null;
  if (mine.village >= 0) {
    if (!people) return unitFigures(mine);
    const value = people.total ? percentText(people.covered / people.total) : "—";
    return { value, verdict: countedText(), status: onTrial() ? "trial" : "", people: printed(people) };
  }
  const row = districtRows().find((one) => one.code === chosen.district);
  if (!row) return { value: "—", verdict: words.area_no_figure, status: "", people: null };
  const own = people && row.own ? { ...printed(people), total: row.people, uncovered: row.left } : people && printed(people);
  return {
    value: row.own ? row.rate : percentText(row.value), people: own,
    verdict: row.own ? (target().areas?.parts ? words.area_not_judged : row.statusText) : countedText(), status: row.own ? row.status : onTrial() ? "trial" : "",
  };
}

/* Whether the page counts the groups itself: in an area and on trial, but never from rounded numbers. */
export const groupsFollow = () => standingIn(here()) !== null && page.data.about.edition !== "public";

/* Value and people of the chosen group in the whole study: the run's own figures; those by bucket the page counts. */
export function groupFigures() {
  const now = target();
  if (!onGroup() || !standingIn(here())) return null;
  const [, people, rate, left] = now.groups[now.groupIds.indexOf(chosen.group)];
  return { value: rate, verdict: countedText(), status: "", people: { ...printed(peopleIn(here())), total: people, uncovered: left } };
}

/* The rows of the groups that the page can count, in an area or in all, urban and rural residents among them. */
export function areaGroups() {
  if (!groupsFollow()) return [];
  return groupsOf(here(), target()).flatMap(([id, name]) => {
    const people = groupIn(here(), id);
    return people && people.total ? [[name, peopleText(people.total), percentText(people.covered / people.total), peopleText(people.total - people.covered)]] : [];
  });
}

/* ---- the chip ---- */

/* A chip for what is chosen, and one for the group that is counted; each leads back from it. */
export function showArea() {
  const mine = area(), row = byId("lc-area"), group = groupName();
  const had = row.contains(document.activeElement);
  row.hidden = !mine && !group;
  const chips = [];
  if (mine) chips.push([mine.village >= 0 && mine.district ? mine.district + " · " + mine.name : mine.name, leaveArea]);
  if (group) chips.push([group, () => change({ group: "all" })]);
  row.replaceChildren(...chips.map(([name, leave]) => {
    const chip = element("button", { type: "button", className: "lc-chip", "aria-label": fill(page.words.area_leave, { name }) },
      named(name), element("span", { "aria-hidden": "true" }, "×"));
    chip.addEventListener("click", leave);
    return chip;
  }));
  if (had && !row.contains(document.activeElement)) (row.querySelector("button") ?? byId("lc-target")).focus({ preventScroll: true }); // the focus stays on the page
}
