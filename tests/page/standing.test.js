/* Where residents stand at a limit or speed tried out, counted by hand. */

import assert from "node:assert/strict";
import test from "node:test";

import {
  classesByVillage, difference, orderOf, reachedUnits, standing, tally, tallyUnits, unitsOf,
} from "../../coverage/lifecircle/atlas/page/status.js";
import { random } from "./random.js";

// covered at 15, covered at exactly 15, 15.1 min, 40 min, disconnected, unsnapped with a time, not counted
const seconds = [300, 900, 906, 2400, NaN, 100, 200];
const answers = {
  minutes: Float64Array.from(seconds, (value) => value / 60),
  status: Uint8Array.of(1, 1, 2, 2, 3, 4, 0),
  people: Float64Array.of(105, 20, 30, 40, 50, 60, 70),
};
const placed = Uint8Array.of(1, 1, 1, 1, 1, 0, 1);
const at = (limit, factor = 1) => standing(answers, placed, { limit, factor, overBreaks: [5, 15] });

test("at its own limit everyone stands where the run has them", () => {
  assert.deepEqual([...at(15).status], [...answers.status]);
  assert.deepEqual([...at(15).classes], [0, 0, 1, 3, 4, 5, 6]);
  assert.deepEqual(at(15).order, [[0, 1], [2], [], [3], [4], [], [6]]);
});

test("a limit is inclusive, and only covered and beyond change", () => {
  assert.deepEqual([...at(15.1).status], [1, 1, 1, 2, 3, 4, 0]);
  assert.deepEqual([...at(14.999).status], [1, 2, 2, 2, 3, 4, 0]);
  assert.deepEqual([...at(5).status], [1, 2, 2, 2, 3, 4, 0]);
  assert.deepEqual([...at(1).classes], [1, 2, 2, 3, 4, 5, 6]);
});

test("a factor divides the times", () => {
  assert.deepEqual([...at(15, 0.8).status], [1, 2, 2, 2, 3, 4, 0]); // 375, 1125, ...
  assert.deepEqual([...at(15, 1.2).status], [1, 1, 1, 2, 3, 4, 0]); // 250, 750, 755, 2000
  assert.deepEqual([...at(18, 0.8).status], [...at(14.4, 1).status]);
});

test("exact seconds are taken where the page has them", () => {
  const exact = { ...answers, seconds: Float64Array.from(answers.minutes, (minutes) => minutes * 60 + 10) };
  assert.equal(standing(exact, placed, { limit: 15, factor: 1, overBreaks: [5, 15] }).status[1], 2);
});

test("people add up in every bucket and unit", () => {
  assert.deepEqual(tally(answers.people, answers.status), { covered: 12.5, beyond: 7, disconnected: 5, unsnapped: 6, total: 30.5 });
  const units = Int32Array.of(0, 1, 1, 0, 1, -1, 0);
  const sums = tallyUnits(answers.people, answers.status, units, 3);
  assert.deepEqual([...sums.total], [14.5, 10, 0]);
  assert.deepEqual([...sums.covered], [10.5, 2, 0]);
  assert.deepEqual(reachedUnits(sums), ["1", "0", "-"]);
  assert.deepEqual(reachedUnits({ total: [10], covered: [5] }), ["1"]); // half counts
});

test("coverage never falls with minutes or with speed", () => {
  const next = random(11);
  const many = { minutes: Float64Array.from({ length: 400 }, () => next() * 60), status: new Uint8Array(400).fill(2), people: new Float64Array(400).fill(10) };
  let before = -1;
  for (let limit = 1; limit <= 60; limit++) {
    const { covered, total } = tally(many.people, standing(many, new Uint8Array(400).fill(1), { limit, factor: 1, overBreaks: [5, 15] }).status);
    assert.equal(total, 400);
    assert.equal(covered, many.minutes.filter((minutes) => minutes <= limit).length);
    assert.ok(covered >= before);
    before = covered;
  }
});

test("units are found by code", () => {
  assert.deepEqual([...unitsOf((i) => ["b", "", "a", "c"][i], 4, ["a", "b"])], [1, -1, 0, -1]);
});

test("residents take the answer of their village", () => {
  const classes = classesByVillage(["1", "0", "-"], [0, 1, 2, -1, 0], Uint8Array.of(3, 0, 0, 0, 6));
  assert.deepEqual([...classes], [0, 2, 6, 6, 6]);
});

test("official and lived counts differ in two ways", () => {
  assert.equal(difference("1", "0", "0"), "over");
  assert.equal(difference("0", "-", "1"), "under");
  assert.equal(difference("1", "-", "1"), "");
  assert.equal(difference("1", "1", "-"), "");
});

test("order lists the placed ones of every class", () => {
  assert.deepEqual(orderOf(Uint8Array.of(1, 0, 1), [1, 1, 0], 3), [[1], [0], []]);
});
