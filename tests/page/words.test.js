/* What is typed finds what is meant; pins become the file that a scenario reads. */

import assert from "node:assert/strict";
import test from "node:test";

import { inOrder } from "../../coverage/lifecircle/atlas/page/gap_list.js";
import { matching } from "../../coverage/lifecircle/atlas/page/matching.js";
import { fileName } from "../../coverage/lifecircle/atlas/page/save_and_print.js";
import { collection, collectionText } from "../../coverage/lifecircle/atlas/page/pin_export.js";
import { marksOf, numbersText } from "../../coverage/lifecircle/atlas/page/plan_layer.js";
import { newlyCovered } from "../../coverage/lifecircle/atlas/page/status.js";

const entries = ["海盐县图书馆", "图书馆", "武原街道图书馆分馆", "Library ＡＢ", "秦山·文化礼堂"].map((name) => ({ names: [name] }));
const found = (typed, most = 9) => matching(entries.map((entry) => ({ ...entry })), typed, most).map((entry) => entry.names[0]);

test("the name itself comes first, then beginnings, then parts, each in their order", () => {
  assert.deepEqual(found("图书馆"), ["图书馆", "海盐县图书馆", "武原街道图书馆分馆"]);
  assert.deepEqual(found("图书馆", 2), ["图书馆", "海盐县图书馆"]);
  assert.deepEqual(found("武原"), ["武原街道图书馆分馆"]);
});

test("width, case, spaces and dots do not matter", () => {
  assert.deepEqual(found("library ab"), ["Library ＡＢ"]);
  assert.deepEqual(found("秦山文化"), ["秦山·文化礼堂"]);
  assert.deepEqual(found("  "), []);
  assert.deepEqual(found("<b>"), []);
});

test("any of an entry's names will do", () => {
  assert.deepEqual(matching([{ names: ["a", "gap 3"] }], "gap3", 5).length, 1);
});

test("pins are written as venues to open, to a tenth of a metre", () => {
  const pins = [{ lon: 120.9123456789, lat: 30.5, service: "library", name: '模拟 "1"</script>' }];
  assert.deepEqual(collection(pins), {
    type: "FeatureCollection",
    features: [{
      type: "Feature", properties: { action: "open", service: "library", name: '模拟 "1"</script>' },
      geometry: { type: "Point", coordinates: [120.912346, 30.5] },
    }],
  });
  assert.deepEqual(JSON.parse(collectionText(pins)), collection(pins));
});

test("newly covered are those within the limit who were not covered before and are counted", () => {
  const seconds = [100, 900, 900.0000005, 901, NaN, 100, 10];
  assert.deepEqual(newlyCovered(seconds, [2, 1, 2, 2, 3, 3, 0], { limit: 15, factor: 1 }), [0, 2, 5]);
  assert.deepEqual(newlyCovered(seconds, [2, 1, 2, 2, 3, 3, 0], { limit: 15, factor: 1.2 }), [0, 2, 3, 5]);
});

test("gaps stand by people, or under their causes, each keeping its number", () => {
  const gaps = ["unsnapped", "beyond", "", "beyond", "new road"].map((reason) => ({ reason }));
  const rows = gaps.map((gap, number) => ({ gap, number }));
  assert.deepEqual(inOrder(rows, false).map(([, mine]) => mine.map(({ number }) => number)), [[0, 1, 2, 3, 4]]);
  assert.deepEqual(inOrder(rows, true).map(([cause, mine]) => [cause, ...mine.map(({ number }) => number)]), [
    ["beyond", 1, 3], ["unsnapped", 0], ["new road", 4], ["", 2],
  ]);
});

test("a picture's name is one that every system takes", () => {
  assert.equal(fileName(["海盐县", "culture", 2025]), "海盐县-culture-2025.png");
  assert.equal(fileName(['a/b\\c:"<>|?*', "\u202ex\n"]), "a_b_c_-_x_.png");
  assert.equal(fileName(["长".repeat(500)]).length, 84);
});

test("numbers that would collide share a mark", () => {
  const sites = [{ lat: 0, lon: 0 }, { lat: 0, lon: 5 }, { lat: 0, lon: 90 }, { lat: 0, lon: 12 }];
  const marks = marksOf(sites, ({ lat, lon }) => ({ x: lon, y: lat }), 27);
  assert.deepEqual(marks.map(({ text, sites: mine }) => [text, mine]), [["1, 2, 4", [0, 1, 3]], ["3", [2]]]);
  assert.equal(numbersText([0, 1, 2, 4, 6, 7, 8]), "1–3, 5, 7–9");
});
