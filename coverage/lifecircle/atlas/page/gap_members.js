/* Finds which residents a gap is made of, as the audit's list does it: those uncovered of one village (one district,
   where there are no villages) with one status, each within 500 m of another. Pure: numbers in, numbers out. */

import { STATUS } from "./page_years.js";

const LINK_M = 501.5; // 500 m, and what positions in hundred-thousandths of a degree may miss it by

/* Metres of a degree of latitude and of longitude at a latitude, on the earth's ellipsoid. */
export function degreeMetres(lat) {
  const angle = (lat * Math.PI) / 180;
  return [111132.95 - 559.85 * Math.cos(2 * angle) + 1.18 * Math.cos(4 * angle), 111412.88 * Math.cos(angle) - 93.5 * Math.cos(3 * angle)];
}

/* Join residents that are near to each other: lists of cells, each in ascending order. Those without a place
   are one list. */
export function linked(cells, mine, link = LINK_M) {
  const group = new Int32Array(mine.length).map((_, i) => i);
  const root = (i) => {
    while (group[i] !== i) i = group[i] = group[group[i]];
    return i;
  };
  const [high, wide] = degreeMetres(cells.lat[mine[0]]);
  const lost = mine.findIndex((cell) => !cells.placed[cell]);
  for (let i = 0; i < mine.length; i++) {
    if (!cells.placed[mine[i]]) {
      group[root(i)] = root(lost);
      continue;
    }
    for (let j = 0; j < i; j++) {
      if (!cells.placed[mine[j]]) continue;
      const dy = (cells.lat[mine[i]] - cells.lat[mine[j]]) * high;
      if (dy > link || dy < -link) continue;
      const dx = (cells.lon[mine[i]] - cells.lon[mine[j]]) * wide;
      if (dx * dx + dy * dy <= link * link) group[root(i)] = root(j);
    }
  }
  const lists = new Map();
  mine.forEach((cell, i) => lists.set(root(i), [...(lists.get(root(i)) ?? []), cell]));
  return [...lists.values()];
}

/* The cells of every gap, in the order of the list; an empty list where none is found.
   gaps: place (names of district and village) and at ([lat, lon] or null); answers: status and people of every cell. */
export function gapMembers(cells, { status, people }, gaps) {
  const left = [];
  for (let i = 0; i < status.length; i++) if (status[i] > STATUS.covered && people[i] > 0) left.push(i);
  const nameOf = (cell) => [cells.district(cell), cells.village(cell)].filter(Boolean).join("\t");
  const units = new Map();
  for (const cell of left) {
    const key = nameOf(cell) + "\n" + status[cell];
    if (!units.has(key)) units.set(key, []);
    units.get(key).push(cell);
  }
  const clusters = [...units].flatMap(([key, mine]) => linked(cells, mine).map((members) => ({ place: key.split("\n")[0], members })));
  const byPlace = grouped(clusters);
  return gaps.map((gap) => {
    const there = byPlace.get(gap.place.join("\t")) ?? [];
    if (!gap.at) return there.find(({ members }) => !cells.placed[members[0]])?.members ?? [];
    let best = [], least = Infinity;
    for (const { members } of there) {
      for (const cell of members) {
        const away = cells.placed[cell] ? Math.hypot(cells.lat[cell] - gap.at[0], cells.lon[cell] - gap.at[1]) : Infinity;
        if (away < least) [best, least] = [members, away];
      }
    }
    return best;
  });
}

function grouped(clusters) {
  const lists = new Map();
  for (const one of clusters) lists.set(one.place, [...(lists.get(one.place) ?? []), one]);
  return lists;
}
