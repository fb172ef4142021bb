/* The cards of all targets, the answer's sentences and the table of villages: what is decided without a page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { byKind, smallShapes, verdictColour } from "../../coverage/lifecircle/atlas/page/overview.js";
import { sentence } from "../../coverage/lifecircle/atlas/page/nodes.js";
import { sorted } from "../../coverage/lifecircle/atlas/page/village_figures.js";

const COLOURS = { covered: "blue", beyond_0: "pale", beyond_1: "orange", beyond_2: "brown", uncounted: "grey" };

test("a district is coloured by its verdict and by how far it falls short", () => {
  const colour = (status, value, goal) => verdictColour(status, value, goal, COLOURS);
  assert.equal(colour("met", 0.5, 1), "blue");
  assert.equal(colour("on_track", 0.5, 1), "blue");
  assert.equal(colour("missed", 0.95, 1), "pale");
  assert.equal(colour("behind", 0.75, 1), "orange");
  assert.equal(colour("missed", 0.5, 1), "brown");
  assert.equal(colour("missed", null, 1), "pale"); // short, nobody knows by how much
  assert.equal(colour("missed", 3, null), "pale");
  assert.equal(colour("reported", 0.5, null), "grey");
  assert.equal(colour(undefined, null, 1), "grey");
});

test("circles come first, the others by kind in the plan's order", () => {
  const targets = [["beds", "capacity"], ["culture", "circle"], ["visits", "indicator"], ["carers", "capacity"], ["bus", "circle"]]
    .map(([id, kind]) => ({ id, kind, rule: kind }));
  assert.deepEqual(byKind(targets, { targets_circles: "Circles" }).map(([title, mine]) => [title, ...mine.map(({ id }) => id)]),
    [["Circles", "culture", "bus"], ["capacity", "beds", "carers"], ["indicator", "visits"]]);
});

test("without districts there is nothing to draw", () => assert.deepEqual(smallShapes([]), []));

test("a sentence keeps its nodes and its braces that are no fields", () => {
  const node = { name: "hall" };
  assert.deepEqual(sentence("{people} in {name}{end}.", { people: "12", name: [node] }), ["12", " in ", node, "{end}", "."]);
  assert.deepEqual(sentence("", {}), []);
});

test("villages are sorted either way, equals in their own order", () => {
  const rows = [{ village: 0, left: 3, name: "b" }, { village: 1, left: 7, name: "a" }, { village: 2, left: 3, name: "c" }];
  const order = (by) => sorted(rows, by).map(({ village }) => village);
  assert.deepEqual(order({ key: "left", down: true }), [1, 0, 2]);
  assert.deepEqual(order({ key: "left", down: false }), [0, 2, 1]);
  assert.deepEqual(order({ key: "name", down: false }), [1, 0, 2]);
});
