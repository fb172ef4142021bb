/* Tells which residents a gap is made of, as the audit's list does it: those uncovered of one village (one district,
   where there are no villages) with one status, each within 500 m of another. Pure: numbers in, numbers out. */

const LINK_M = 500;
const METRES_A_DEGREE = 111320;

/* Join residents that are near to each other: lists of cells, each in ascending order. Those without a place go with the first. */
export function linked(cells, mine, link = LINK_M) {
  const group = new Int32Array(mine.length).map((_, i) => i);
  const root = (i) => {
    while (group[i] !== i) i = group[i] = group[group[i]];
    return i;
  };
  const narrower = METRES_A_DEGREE * Math.cos((cells.lat[mine[0]] * Math.PI) / 180);
  for (let i = 0; i < mine.length; i++) {
    if (!cells.placed[mine[i]]) {
      group[root(i)] = root(0);
      continue;
    }
    for (let j = 0; j < i; j++) {
      if (!cells.placed[mine[j]]) continue;
      const dy = (cells.lat[mine[i]] - cells.lat[mine[j]]) * METRES_A_DEGREE;
      if (dy > link || dy < -link) continue;
      const dx = (cells.lon[mine[i]] - cells.lon[mine[j]]) * narrower;
      if (dx * dx + dy * dy <= link * link) group[root(i)] = root(j);
    }
  }
  const lists = new Map();
  mine.forEach((cell, i) => lists.set(root(i), [...(lists.get(root(i)) ?? []), cell]));
  return [...lists.values()];
}

/* The cells of every gap, in the order of `gaps` (place: names, at: [lat, lon] or null); an empty list where none is found.
   left: the residents that the target counts and does not cover; nameOf: the names of a cell's units, as gaps name them. */
export function membersOf({ cells, status, left, nameOf, gaps }) {
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
    if (!gap.at) return there.find(({ members }) => !members.some((cell) => cells.placed[cell]))?.members ?? [];
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
