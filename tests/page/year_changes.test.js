/* What changed between two years, counted by hand. */

import assert from "node:assert/strict";
import test from "node:test";

import { CHANGES, changeSums, changesOf, inverse, matchPlaces, venueChanges } from "../../coverage/lifecircle/atlas/page/year_changes.js";
import { inOrderOf, nextOrder, numberIn } from "../../coverage/lifecircle/atlas/page/sorting.js";
import { random } from "./random.js";

const places = (...rows) => ({
  count: rows.length, lon: rows.map(([lon]) => lon), lat: rows.map(([, lat]) => lat), placed: rows.map(([, , placed = 1]) => placed),
});

// homes A to E in the first year; in the second C is gone, F is new, and two homes stand at A
const first = places([120.1, 30.1], [120.2, 30.2], [120.3, 30.3], [120.4, 30.4], [120.5, 30.5], [120.5, 30.5, 0]);
const second = places([120.6, 30.6], [120.2, 30.2], [120.1, 30.1], [120.1, 30.1], [120.5, 30.5], [120.4, 30.4], [120.4, 30.4, 0]);
const match = matchPlaces(first, second);

test("residents are matched by their place, the first of several with the first", () => {
  assert.deepEqual([...match], [-1, 1, 0, -1, 4, 3, 5]);
  assert.deepEqual([...inverse(match, first.count)], [2, 1, -1, 5, 4, 6]);
});

test("places that read alike but differ in the fifth decimal are two", () => {
  assert.deepEqual([...matchPlaces(places([120.12345, 30.1]), places([120.12346, 30.1], [120.12345, 30.1]))], [-1, 0]);
});

const was = Uint8Array.of(1, 2, 1, 1, 0, 4), is = Uint8Array.of(1, 1, 1, 2, 1, 2, 4);
const name = (list) => [...list].map((which) => CHANGES[which]);

test("what became of a resident reads the same from both years", () => {
  assert.deepEqual(name(changesOf(is, was, match, true)), ["uncounted", "gained", "kept", "uncounted", "uncounted", "lost", "still"]);
  assert.deepEqual(name(changesOf(was, is, inverse(match, 6), false)), ["kept", "gained", "uncounted", "lost", "uncounted", "still"]);
});

test("the parts of the change add up to the covered of both years, in all and by unit", () => {
  const one = { status: was, people: Float64Array.of(100, 200, 300, 400, 500, 60), units: Int32Array.of(0, 0, 1, 1, 1, -1) };
  const two = { status: is, people: Float64Array.of(10, 210, 130, 20, 70, 450, 60), units: Int32Array.of(1, 0, 0, 0, 1, 1, -1) };
  const sums = changeSums(one, two, match, 2);
  assert.deepEqual([...sums.gained], [21, 0, 21]);
  assert.deepEqual([...sums.lost], [0, 40, 40]);
  assert.deepEqual([...sums.grown], [3, 0, 3]);
  assert.deepEqual([...sums.came], [0, 8, 8]); // F with 1, and E with 7, whom the first year does not count
  assert.deepEqual([...sums.went], [0, 30, 30]);
  assert.deepEqual(sums.alone, { first: 30, second: 10 }); // C; F, the second home at A, and E
  const covered = ({ status, people }) => status.reduce((sum, code, i) => sum + (code === 1 ? people[i] : 0), 0) / 10;
  assert.equal(sums.gained[2] - sums.lost[2] + sums.grown[2] + sums.came[2] - sums.went[2], covered(two) - covered(one));
});

test("whatever the two years are, the parts add up", () => {
  const next = random(5), pick = (n) => Math.floor(next() * n);
  for (let round = 0; round < 50; round++) {
    const [a, b] = [30, 40].map((count) => ({
      ...places(...Array.from({ length: count }, () => [120 + pick(6) / 100, 30 + pick(5) / 100, pick(9) ? 1 : 0])),
      status: Uint8Array.from({ length: count }, () => pick(5)), people: Float64Array.from({ length: count }, () => pick(90)),
      units: Int32Array.from({ length: count }, () => pick(4) - 1),
    }));
    const sums = changeSums(a, b, matchPlaces(a, b), 3);
    for (const unit of [0, 1, 2, 3]) {
      const covered = ({ status, people, units }) => status.reduce((sum, code, i) => sum + (code === 1 && (unit === 3 || units[i] === unit) ? people[i] : 0), 0) / 10;
      const told = sums.gained[unit] + sums.grown[unit] + sums.came[unit] - sums.went[unit] - sums.lost[unit];
      if (unit === 3) assert.ok(Math.abs(told - (covered(b) - covered(a))) < 1e-9); // homes may lie in another unit by then
    }
  }
});

test("venues of one year alone are opened or closed, of the target's services only", () => {
  const one = { count: 3, key: [0, 1, 2], service: [0, 0, 1] }, two = { count: 4, key: [2, 0, 3, 4], service: [1, 0, 0, 2] };
  assert.deepEqual(venueChanges(one, two, [0, 1], [0, 1]), { opened: [2], closed: [1] });
  assert.deepEqual(venueChanges(one, two, [1], [1, 2]), { opened: [3], closed: [] });
});

test("rows are sorted with what is not known last, either way", () => {
  const rows = [{ name: "b", n: 3 }, { name: "a", n: null }, { name: "c", n: 7 }, { name: "d", n: NaN }, { name: "e", n: 3 }];
  const names = (order) => inOrderOf(rows, order).map((one) => one.name).join("");
  assert.equal(names({ key: "n", down: true }), "cbead");
  assert.equal(names({ key: "n", down: false }), "becad");
  assert.equal(names({ key: "name", down: false }), "abcde");
  assert.equal(names({ key: null, down: true }), "bacde");
});

test("a heading pressed again turns the order; names start with the first, figures with the most", () => {
  assert.deepEqual(nextOrder({ key: "n", down: true }, "n"), { key: "n", down: false });
  assert.deepEqual(nextOrder({ key: "n", down: true }, "name"), { key: "name", down: false });
  assert.deepEqual(nextOrder({ key: "name", down: false }, "left"), { key: "left", down: true });
});

test("printed figures are read as numbers", () => {
  assert.deepEqual(["1,234", "<1", "98.6%", "*", "—"].map(numberIn), [1234, 0.5, 98.6, NaN, NaN]);
});
