/* What each resident looks like, and what units add up to, for what is chosen; kept until something else is chosen. */

import { page, chosen, changesShown, here, target, targetIn, twoYears, onTrial, limitOf, speedFactor } from "./selection.js";
import { CHANGES, changesOf, inverse, matchPlaces } from "./year_changes.js";
import { PAINTED } from "./drawing.js";
import { gapMembers } from "./gap_members.js";
import { peopleText } from "./nodes.js";
import { classesByVillage, difference, orderOf, reachedUnits, standing, tally, tallyUnits, unitsOf } from "./status.js";

const COVERED = 0;
const kept = new Map();

/* Keep what was made for a year until another key is asked for: moving the limit must not fill the memory. */
function keep(name, year, key, make) {
  const place = name + "\n" + year.entry.year;
  const had = kept.get(place);
  if (had && had.key === key) return had.made;
  const made = make();
  kept.set(place, { key, made });
  return made;
}

/* Where the residents of a year stand for the chosen target; null where it has no travel times. */
export function standingIn(year) {
  const now = targetIn(year);
  const answers = now && year.answers(now);
  if (!answers) return null;
  if (!onTrial()) return answers;
  const limit = limitOf(now), factor = speedFactor(now);
  return keep("standing", year, [now.id, limit, factor].join(), () =>
    standing(answers, year.cells().placed, { limit, factor, overBreaks: page.data.overBreaks }));
}

export const districtUnits = (year, now) => keep("districts", year, now.id, () => {
  const cells = year.cells();
  const byCode = cells.districtCode;
  return unitsOf(byCode || cells.district, cells.count, now.districts.map((one) => (byCode ? one.code : one.name)));
});

const villageUnits = (year) => keep("villages", year, "", () => {
  const cells = year.cells(), villages = year.villages();
  return cells.villageCode && villages.codes
    ? unitsOf(cells.villageCode, cells.count, villages.codes)
    : unitsOf(cells.village, cells.count, villages.names);
});

const AREA_CLASSES = { urban: 1, rural: 2 }; // places in cells.urban

/* People (tenths per resident) of a group of a target; null where the page does not hold the group. A target of a group
   of its own counts no other, but both kinds of area. */
function groupPeople(year, group, now = targetIn(year)) {
  const cells = year.cells();
  if (group === "all") return year.answers(now).people;
  if (group in AREA_CLASSES) {
    return cells.urban && now.groupIds.includes(group) ? keep(group, year, now.id, () =>
      year.answers(now).people.map((people, i) => (cells.urban[i] === AREA_CLASSES[group] ? people : 0))) : null;
  }
  return now.group === "all" && now.groupIds.includes(group) ? cells.groups[group]?.() ?? null : null;
}

/* The groups that the map can be switched to, all first: [id, name]. */
export function groupsOf(year, now) {
  if (!year.answers(now) || page.data.about.edition === "public") return [];
  const rows = now.groupIds.map((id, i) => [id, now.groups[i][0]]);
  return rows.filter(([id]) => groupPeople(year, id, now) !== null).sort((a, b) => (b[0] === "all") - (a[0] === "all"));
}

/* Whether a group is counted and not everybody of the target. */
export const onGroup = () => chosen.group !== "all";

/* People (tenths per resident) of the chosen group. */
export const peopleOf = (year) => groupPeople(year, chosen.group) ?? year.answers(targetIn(year)).people;

/* People by bucket as the page counts them, of those in a mask where one is given. */
export const peopleIn = (year, mask = null) => tally(peopleOf(year), standingIn(year).status, mask);

/* The run's rate of the chosen group in a year, nothing where the run has none. */
export function groupRate(year) {
  const now = targetIn(year), place = now.groupIds.indexOf(chosen.group);
  return place < 0 ? "—" : now.groups[place][2];
}

/* The place of the chosen village among a year's villages, -1 without one. */
export const chosenVillage = (year) => (chosen.village === null ? -1 : year.villages().codes.indexOf(chosen.village));

/* Which residents live in the chosen town or village; null where nothing is chosen. */
export function areaMask(year) {
  if (chosen.district === null && chosen.village === null) return null;
  return keep("area", year, [chosen.district, chosen.village].join("\n"), () => {
    const cells = year.cells(), village = chosenVillage(year);
    const units = village < 0 ? null : villageUnits(year);
    return Uint8Array.from({ length: cells.count }, (_, i) => (units ? units[i] === village : cells.districtCode(i) === chosen.district));
  });
}

/* People of a group (tenths) by bucket in the chosen area; null where the page does not hold the group. */
export function groupIn(year, group) {
  const column = groupPeople(year, group);
  return column && tally(column, standingIn(year).status, areaMask(year));
}

/* People counted and covered of every village of a year, and of a group those not covered (null without it). */
export function villagesIn(year, group) {
  const now = targetIn(year);
  return keep("sums", year, [now.id, limitOf(now), speedFactor(now), group, chosen.group].join(), () => {
    const units = villageUnits(year), count = year.villages().names.length, { status } = standingIn(year);
    const all = tallyUnits(peopleOf(year), status, units, count);
    const column = group && groupPeople(year, group);
    const mine = column && tallyUnits(column, status, units, count);
    return { total: all.total, covered: all.covered, groupLeft: mine ? mine.total.map((people, i) => people - mine.covered[i]) : null };
  });
}

/* People not covered in a village, of everybody, whatever group is chosen; null where the page does not count them: the public edition's numbers are rounded. */
export function leftIn(year, village) {
  if (!standingIn(year) || page.data.about.edition === "public") return null;
  const { total, covered } = keep("everybody", year, [targetIn(year).id, limitOf(targetIn(year)), speedFactor(targetIn(year))].join(), () =>
    tallyUnits(year.answers(targetIn(year)).people, standingIn(year).status, villageUnits(year), year.villages().names.length));
  return total[village] - covered[village];
}

/* The residents of every gap of the run's list, and the people of the chosen group in each. */
export function gapCells(year) {
  const now = targetIn(year), answers = year.answers(now);
  if (!answers || !now.gaps || page.data.about.edition === "public") return null;
  return keep("gaps", year, now.id, () => gapMembers(year.cells(), answers, now.gaps));
}

/* People of the chosen group in every gap, in the order of the list, NaN where the page does not find again whom the run
   counted there; null where everybody is counted. */
export function gapPeople(year) {
  const members = onGroup() ? gapCells(year) : null;
  if (!members) return null;
  const people = peopleOf(year), all = year.answers(targetIn(year)).people, sum = (mine, of) => mine.reduce((total, cell) => total + of[cell], 0) / 10;
  return members.map((mine, number) =>
    (Math.abs(sum(mine, all) - Number(targetIn(year).gaps[number].heads.replace(/,/g, ""))) <= 1 ? sum(mine, people) : NaN));
}

/* People counted and covered of every district of the target, in the order of its rows, as the page counts them. */
export function districtsIn(year) {
  const now = targetIn(year);
  return tallyUnits(peopleOf(year), standingIn(year).status, districtUnits(year, now), now.districts.length);
}

/* Add some residents up by district, of the chosen group: [code, name, people], those with most people first. */
export function byDistrict(year, cells) {
  const now = targetIn(year), units = districtUnits(year, now), people = peopleOf(year);
  const sums = new Float64Array(now.districts.length);
  for (const cell of cells) if (units[cell] >= 0) sums[units[cell]] += people[cell];
  return now.districts.map((one, i) => ({ code: one.code, name: one.name, people: sums[i] / 10 }))
    .filter((one) => one.people > 0).sort((a, b) => b.people - a.people);
}

/* What each village counts as under each count: the run's own letters, its reach as the page counts it on trial. */
export function villageStates(year) {
  const now = targetIn(year);
  const own = now.villages ? page.data.lists[now.villages.states] : [];
  if (!onTrial() || !now.villages || !now.villages.reached || !standingIn(year)) return own;
  return keep("states", year, [now.id, limitOf(now), speedFactor(now)].join(), () => {
    const sums = tallyUnits(year.answers(now).people, standingIn(year).status, villageUnits(year), own.length);
    return reachedUnits(sums).map((letter, i) => own[i].slice(0, -1) + letter); // reach is the last of the counts
  });
}

/* The letters of one count (accepted, straight, reached) for every village; null where the run has none. */
export function lettersOf(year, count) {
  const now = targetIn(year);
  const place = now && now.villages ? countsOf(now).indexOf(count) : -1;
  return place < 0 ? null : villageStates(year).map((states) => states[place] ?? "-");
}

/* Which counts a target's letters are, in their order. */
export const countsOf = (now) => now.villages.counts.map((name) =>
  ["accepted", "straight", "reached"].find((count) => page.words["village_" + count] === name));

/* What to paint of a year: the class of every resident, the placed ones by class, the classes left out. */
export function lookIn(year) {
  const stands = standingIn(year);
  if (!stands) return null;
  if (changesShown() && year === here()) return changeLook(year, stands);
  const hidden = chosen.onlyGaps ? [COVERED] : [];
  if (chosen.counting === "reach") {
    if (!onGroup()) return { classes: stands.classes, order: stands.order, hidden };
    const order = keep("group", year, [targetIn(year).id, chosen.group, limitOf(targetIn(year)), speedFactor(targetIn(year))].join(), () => {
      const people = peopleOf(year);
      return stands.order.map((cells) => cells.filter((i) => people[i] > 0)); // where nobody of the group lives is no square
    });
    return { classes: stands.classes, order, hidden, mask: peopleOf(year) };
  }
  const now = targetIn(year);
  return keep("counting", year, [now.id, chosen.counting, chosen.onlyGaps, limitOf(now), speedFactor(now)].join(), () => {
    const letters = chosen.counting === "differ" ? differing(year) : lettersOf(year, chosen.counting);
    const classes = letters ? classesByVillage(letters, villageUnits(year), stands.classes) : stands.classes;
    if (chosen.counting === "differ") markDiffering(classes, letters, villageUnits(year));
    return { classes, order: orderOf(classes, year.cells().placed, PAINTED.length), hidden };
  });
}

/* Of two years, for each resident of the second its place in the first, -1 for none. */
export const matchedYears = ({ first, second }) => keep("match", second, first.entry.year, () => matchPlaces(first.cells(), second.cells()));

/* What became of each resident between the two years, as classes to paint. */
function changeLook(year, stands) {
  const years = twoYears(), later = years.second === year, other = later ? years.first : years.second, now = targetIn(year);
  return keep("changes", year, [now.id, other.entry.year, limitOf(now), speedFactor(now), chosen.onlyGaps, chosen.group].join(), () => {
    const match = later ? matchedYears(years) : inverse(matchedYears(years), year.cells().count);
    const painted = CHANGES.map((name) => PAINTED.indexOf(name));
    const classes = changesOf(stands.status, standingIn(other).status, match, later).map((which) => painted[which]);
    const hidden = chosen.onlyGaps ? [PAINTED.indexOf("kept")] : [];
    const { placed } = year.cells(), people = onGroup() ? peopleOf(year) : null;
    const shown = people ? placed.map((one, i) => (one && people[i] > 0 ? 1 : 0)) : placed;
    return { classes, order: orderOf(classes, shown, PAINTED.length), hidden };
  });
}

function differing(year) {
  const [accepted, straight, reached] = ["accepted", "straight", "reached"].map((count) => lettersOf(year, count) || []);
  return Array.from(year.villages().names, (_, i) => difference(accepted[i], straight[i], reached[i]) || "1");
}

function markDiffering(classes, kinds, units) {
  for (let i = 0; i < classes.length; i++) {
    const kind = units[i] < 0 ? "" : kinds[units[i]];
    if (kind === "over" || kind === "under") classes[i] = PAINTED.indexOf(kind);
  }
}

/* The district rows of the chosen target as they show: those of the run, or on trial and of a group the page's own count. */
export function districtRows() {
  const now = target();
  if ((!onTrial() && !onGroup()) || !standingIn(here())) return now.districts.map((one) => ({ ...one, own: true }));
  const sums = districtsIn(here());
  return now.districts.map((one, i) => ({
    ...one, own: false, people: onGroup() ? peopleText(sums.total[i]) : one.people, value: sums.total[i] ? sums.covered[i] / sums.total[i] : null, left: sums.total[i] - sums.covered[i],
  }));
}
