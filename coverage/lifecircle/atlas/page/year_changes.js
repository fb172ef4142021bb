/* What changed between two years, resident by resident and venue by venue. Pure: numbers in, numbers out. A resident of
   one year is that of the other who stands at the same place, the first of several with the first; who stands where
   the other year has nobody is in one year alone and is not compared. */

import { STATUS } from "./page_years.js";

const PLACES = 1e5; // as positions are kept
export const CHANGES = ["gained", "lost", "kept", "still", "uncounted"];

/* Match residents by place: for each of the second year its place in the first, -1 for none. */
export function matchPlaces(first, second) {
  const waiting = new Map(), found = new Int32Array(second.count).fill(-1);
  const key = (set, i) => (set.placed[i] ? Math.round(set.lon[i] * PLACES) * 36000001 + Math.round(set.lat[i] * PLACES) : "");
  for (let i = first.count - 1; i >= 0; i--) {
    const place = key(first, i), there = waiting.get(place);
    if (there === undefined) waiting.set(place, [i]);
    else there.push(i);
  }
  for (let i = 0; i < second.count; i++) found[i] = waiting.get(key(second, i))?.pop() ?? -1;
  return found;
}

/* The other way round. */
export function inverse(match, count) {
  const back = new Int32Array(count).fill(-1);
  match.forEach((one, i) => one >= 0 && (back[one] = i));
  return back;
}

/* The change of every resident of a year, as places in CHANGES: `status` that of the year, `other` that of the other
   year, `match` the place there; `later` whether the year is the later of the two. */
export function changesOf(status, other, match, later) {
  return Uint8Array.from(status, (own, i) => {
    const then = match[i] < 0 ? 0 : other[match[i]];
    if (!own || !then) return 4;
    const [is, was] = later ? [own, then] : [then, own];
    return is === STATUS.covered ? (was === STATUS.covered ? 2 : 0) : was === STATUS.covered ? 1 : 3;
  });
}

/* People (of tenths) by unit of what the covered of the later year have more: newly covered, as many as live there now;
   newly lost, as many as lived there then; more or fewer where both years cover; and those whom one year alone counts.
   gained - lost + grown + came - went is the change of the covered. first, second: {status, people, units}. */
export function changeSums(first, second, match, count) {
  const sums = Object.fromEntries(["gained", "lost", "grown", "came", "went"].map((name) => [name, new Float64Array(count + 1)]));
  const alone = { first: 0, second: 0 };
  const add = (name, unit, people) => {
    sums[name][count] += people / 10;
    if (unit >= 0) sums[name][unit] += people / 10;
  };
  const matched = new Uint8Array(first.status.length);
  for (let i = 0; i < second.status.length; i++) {
    const is = second.status[i], at = match[i], was = at < 0 ? 0 : first.status[at];
    if (at >= 0) matched[at] = is ? 1 : 0;
    if (!is) continue;
    if (!was) {
      alone.second += second.people[i] / 10;
      if (is === STATUS.covered) add("came", second.units[i], second.people[i]);
    } else if (is === STATUS.covered && was === STATUS.covered) add("grown", second.units[i], second.people[i] - first.people[at]);
    else if (is === STATUS.covered) add("gained", second.units[i], second.people[i]);
    else if (was === STATUS.covered) add("lost", first.units[at], first.people[at]);
  }
  for (let i = 0; i < first.status.length; i++) {
    if (matched[i] || !first.status[i]) continue;
    alone.first += first.people[i] / 10;
    if (first.status[i] === STATUS.covered) add("went", first.units[i], first.people[i]);
  }
  return { ...sums, alone };
}

/* The venues of some services that one year alone has: those of the second (opened) and of the first (closed). */
export function venueChanges(first, second, servicesFirst, servicesSecond) {
  const alone = (own, other, services) => {
    const keys = new Set(other.key);
    return Array.from({ length: own.count }, (_, i) => i).filter((i) => services.includes(own.service[i]) && !keys.has(own.key[i]));
  };
  return { opened: alone(second, first, servicesSecond), closed: alone(first, second, servicesFirst) };
}
