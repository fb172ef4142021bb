/* Where each resident stands for a target: at its own limit as the run has it, at a limit or speed tried out as
   the page counts it from the same times and people. Pure: numbers in, numbers out. */

import { CLASSES, STATUS } from "./page_years.js";

const NOISE_S = 1e-6; // a limit is inclusive, up to the noise of floating point
const HALF = 0.5; // of the people counted in a village: from here on it counts as reached, a setting of the audit

export const secondsOf = (answers, cell) => (answers.seconds ? answers.seconds[cell] : answers.minutes[cell] * 60);

/* The residents of each class that have a place, in ascending order. */
export function orderOf(classes, placed, kinds = CLASSES.length) {
  const order = Array.from({ length: kinds }, () => []);
  for (let i = 0; i < classes.length; i++) if (placed[i]) order[classes[i]].push(i);
  return order;
}

/* Judge everybody by another limit (minutes) with times divided by a factor. Who is disconnected, has no road near
   or is not counted stays so: that does not hang on the limit here. */
export function standing(answers, placed, { limit, factor, overBreaks }) {
  const count = answers.status.length;
  const status = new Uint8Array(count), classes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const was = answers.status[i];
    status[i] = was;
    if (was === STATUS.covered || was === STATUS.beyond) {
      const seconds = secondsOf(answers, i) / factor;
      const over = seconds / 60 - limit;
      status[i] = seconds <= limit * 60 + NOISE_S ? STATUS.covered : STATUS.beyond;
      classes[i] = status[i] === STATUS.covered ? 0 : over <= overBreaks[0] ? 1 : over <= overBreaks[1] ? 2 : 3;
    } else classes[i] = was === STATUS.disconnected ? 4 : was === STATUS.unsnapped ? 5 : 6;
  }
  return { status, classes, order: orderOf(classes, placed) };
}

/* Who is covered with these times (seconds, NaN for none) and was not before, in ascending order. */
export function newlyCovered(seconds, status, { limit, factor }) {
  const found = [];
  for (let i = 0; i < status.length; i++) {
    if (status[i] && status[i] !== STATUS.covered && seconds[i] / factor <= limit * 60 + NOISE_S) found.push(i);
  }
  return found;
}

/* Add up people (tenths of a person per resident) by bucket, of those in a mask: whole numbers, so nothing is lost. */
export function tally(tenths, status, mask = null) {
  const sums = [0, 0, 0, 0, 0];
  for (let i = 0; i < status.length; i++) if (!mask || mask[i]) sums[status[i]] += tenths[i];
  const people = { covered: sums[1] / 10, beyond: sums[2] / 10, disconnected: sums[3] / 10, unsnapped: sums[4] / 10 };
  return { ...people, total: (sums[1] + sums[2] + sums[3] + sums[4]) / 10 };
}

/* Add up people counted and covered by unit (a number per resident, -1 for none). */
export function tallyUnits(tenths, status, units, count) {
  const total = new Float64Array(count), covered = new Float64Array(count);
  for (let i = 0; i < status.length; i++) {
    if (units[i] < 0 || !status[i]) continue;
    total[units[i]] += tenths[i];
    if (status[i] === STATUS.covered) covered[units[i]] += tenths[i];
  }
  return { total: total.map((value) => value / 10), covered: covered.map((value) => value / 10) };
}

/* Return of each unit whether most of its people are covered: "1" yes, "0" no, "-" where nobody is counted. */
export const reachedUnits = ({ total, covered }) =>
  Array.from(total, (people, unit) => (!people ? "-" : covered[unit] >= HALF * people ? "1" : "0"));

/* Number every resident's unit: the place of its code among the codes; -1 where it has none of them. */
export function unitsOf(codeOf, count, codes) {
  const places = new Map(codes.map((code, place) => [code, place]));
  return Int32Array.from({ length: count }, (_, i) => places.get(codeOf(i)) ?? -1);
}

/* Colour residents by what their village is counted as: covered, not covered, or not known. */
export function classesByVillage(letters, villages, classes) {
  const unknown = CLASSES.indexOf("uncounted"), gap = CLASSES.indexOf("beyond_1");
  return Uint8Array.from(classes, (own, i) => {
    if (own === unknown || villages[i] < 0) return unknown;
    const letter = letters[villages[i]];
    return letter === "1" ? 0 : letter === "0" ? gap : unknown;
  });
}

/* How the official counts of a village differ from its reach: over, under, or not at all. */
export function difference(accepted, straight, reached) {
  if (reached === "0" && (accepted === "1" || straight === "1")) return "over";
  if (reached === "1" && (accepted === "0" || straight === "0")) return "under";
  return "";
}
