/* The index of places answers as going through every place does. */

import assert from "node:assert/strict";
import test from "node:test";

import { indexPoints, nearestPoint, shareOf, visitBox } from "../../coverage/lifecircle/atlas/page/point_index.js";
import { random } from "./random.js";

function cloud(seed, count) {
  const next = random(seed);
  const x = Float64Array.from({ length: count }, () => Math.round(next() * 40) / 40);
  const y = Float64Array.from({ length: count }, () => (next() * 3) / 7);
  const placed = Uint8Array.from({ length: count }, () => (next() < 0.9 ? 1 : 0));
  return { x, y, placed, count };
}

test("a box visits every placed point in it once, and no point that has no place", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const points = cloud(seed, 700), index = indexPoints(points), next = random(seed + 100);
    for (let round = 0; round < 40; round++) {
      const left = next() * 1.4 - 0.2, top = next() * 0.7 - 0.2;
      const box = { left, top, right: left + next() * 0.5, bottom: top + next() * 0.3 };
      const seen = [];
      visitBox(index, box, (i) => seen.push(i));
      assert.equal(new Set(seen).size, seen.length);
      const inside = (i) => points.placed[i] && points.x[i] >= box.left && points.x[i] <= box.right && points.y[i] >= box.top && points.y[i] <= box.bottom;
      for (let i = 0; i < points.count; i++) if (inside(i)) assert.ok(seen.includes(i));
      assert.ok(seen.every((i) => points.placed[i]));
    }
  }
});

test("the nearest is the nearest of all, the lowest on a tie, and none beyond the bound", () => {
  for (const seed of [6, 7, 8]) {
    const points = cloud(seed, 500), index = indexPoints(points), next = random(seed);
    for (let round = 0; round < 200; round++) {
      const place = { x: Math.round(next() * 48) / 48, y: next() / 2 }, bound = next() * 0.08;
      const wanted = (i) => i % 3 !== 1;
      let best = -1, least = bound * bound;
      for (let i = points.count - 1; i >= 0; i--) {
        const apart = (points.x[i] - place.x) ** 2 + (points.y[i] - place.y) ** 2;
        if (points.placed[i] && wanted(i) && apart <= least) [best, least] = [i, apart];
      }
      assert.equal(nearestPoint(index, points, place, bound, wanted), best);
    }
  }
});

test("no points and one point are areas too", () => {
  const none = indexPoints({ x: [], y: [], placed: [], count: 0 });
  assert.equal(nearestPoint(none, { x: [], y: [] }, { x: 0, y: 0 }, 1, () => true), -1);
  assert.equal(shareOf(none, { left: 0, right: 1, top: 0, bottom: 1 }), 1);
  const one = { x: [0.5], y: [0.5], placed: [1], count: 1 };
  assert.equal(nearestPoint(indexPoints(one), one, { x: 0.5, y: 0.4 }, 0.2, () => true), 0);
  assert.equal(nearestPoint(indexPoints(one), one, { x: 0.5, y: 0.4 }, 0.05, () => true), -1);
});

test("a box over everything has all of the area, one beside it nothing", () => {
  const index = indexPoints(cloud(9, 300));
  assert.ok(Math.abs(shareOf(index, { left: -1, right: 2, top: -1, bottom: 2 }) - 1) < 1e-9);
  assert.equal(shareOf(index, { left: 2, right: 3, top: 0, bottom: 1 }), 0);
});
