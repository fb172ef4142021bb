/* Pins are read back from a file and from a link; what is none is named, nothing of it is used. */

import assert from "node:assert/strict";
import test from "node:test";

import { collectionText, linkPins, pinsOfLink, readCollection } from "../../coverage/lifecircle/atlas/page/pin_export.js";

const KNOWN = ["library", "gym", "park"];
const PINS = [
  { lon: 120.91234, lat: 30.50001, service: "library;gym", name: "" },
  { lon: -46.6, lat: -23.5, service: "park", name: "示例·<b>新馆</b>" },
];
const collectionOf = (...features) => JSON.stringify({ type: "FeatureCollection", features });
const feature = (properties, coordinates = [120.9, 30.5], type = "Point") => ({ type: "Feature", properties, geometry: { type, coordinates } });

test("what the page writes it reads back, with a mark of byte order too", () => {
  assert.deepEqual(readCollection(collectionText(PINS), KNOWN, "gym"), { pins: PINS, left: [] });
  assert.deepEqual(readCollection("\ufeff" + collectionText(PINS), KNOWN, "gym").pins, PINS);
});

test("a service that is not named is the usual one; Chinese headings do", () => {
  const { pins } = readCollection(collectionOf(feature({}), feature({ 类别: "park；gym", 名称: "a" })), KNOWN, "library;gym");
  assert.deepEqual(pins.map((pin) => [pin.service, pin.name]), [["library;gym", ""], ["park;gym", "a"]]);
});

test("what is no pin is named by its number", () => {
  const bad = collectionOf(feature({ action: "close" }), feature({ service: "<img>;gym" }), feature({}, [200, 30]), feature({}, ["120", 30]),
    feature({}, [[1, 2], [3, 4]], "LineString"), null, 7, { geometry: null }, feature(null));
  const { pins, left } = readCollection(bad, KNOWN, "gym");
  assert.equal(pins.length, 1);
  assert.deepEqual(left.map(({ number, why }) => [number, why]), [[1, "action"], [2, "service"], [3, "place"], [4, "place"], [5, "place"], [6, "place"], [7, "place"], [8, "place"]]);
  assert.equal(left[1].value, "<img>");
});

test("what is no GeoJSON is refused as a whole", () => {
  for (const text of ["", "no", "{", "[]", "null", "7", '{"type":"FeatureCollection"}', '{"type":"FeatureCollection","features":[]}', '{"type":"Point"}']) {
    assert.ok(readCollection(text, KNOWN, "gym").fault, text);
  }
});

test("only so many pins are taken, the others are counted", () => {
  const { pins, left } = readCollection(collectionOf(...Array(203).fill(feature({}))), KNOWN, "gym");
  assert.deepEqual([pins.length, left.length, left[0].why], [200, 3, "many"]);
});

test("names lose what would turn a line around, and their length", () => {
  const [{ name }] = readCollection(collectionOf(feature({ name: "a\u202eb\u0000c" + "x".repeat(90) })), KNOWN, "gym").pins;
  assert.match(name, /^a b cx+$/);
  assert.equal(name.length, 60);
});

test("pins go through a link to five decimals", () => {
  const text = linkPins(PINS);
  assert.deepEqual(pinsOfLink(text, KNOWN), PINS);
  assert.equal(linkPins(pinsOfLink(text, KNOWN)), text);
  assert.deepEqual(pinsOfLink(linkPins([{ ...PINS[0], name: "a~b|c" }]), KNOWN)[0].name, "a b c");
  assert.deepEqual(pinsOfLink("", KNOWN), []);
});

test("what is no pin in a link is refused", () => {
  for (const text of ["x", "120~30", "120~30~", "120~30~nothing", "~30~gym", "999~30~gym", "120~30~gym~a~b", "120~30~gym|"]) {
    assert.throws(() => pinsOfLink(text, KNOWN), RangeError, text);
  }
});
