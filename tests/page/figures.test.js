/* Printed figures never look better than they are; slider and scale bar have round ends. */

import assert from "node:assert/strict";
import test from "node:test";

import { fill, minutesText, peopleText, percentText } from "../../coverage/lifecircle/atlas/page/nodes.js";
import { lengthText, metresPerPixel, roundLength } from "../../coverage/lifecircle/atlas/page/map_view.js";
import { mostMinutes, sliderOf, stepMinutes } from "../../coverage/lifecircle/atlas/page/trial_controls.js";

test("rates are truncated", () => {
  assert.deepEqual([0.9996, 0.29, 1, 0, 2 / 3, null].map(percentText), ["99.9%", "29.0%", "100.0%", "0.0%", "66.6%", "—"]);
});

test("minutes are rounded up, up to the noise", () => {
  assert.deepEqual([15, 15.0000000001, 15.01, 14.92].map(minutesText), ["15.0", "15.0", "15.1", "15.0"]);
});

test("a part of a person is not nobody", () => {
  assert.deepEqual([0, 0.2, 0.5, 12345.6].map(peopleText), ["0", "<1", "1", "12,346"]);
});

test("gaps in a sentence are filled, unknown ones stay", () => {
  assert.equal(fill("{a} {b} {a}", { a: 1 }), "1 {b} 1");
});

test("the slider reaches twice the limit in steps that meet it", () => {
  for (const limit of [5, 7.5, 10, 15, 30, 33, 12.3]) {
    assert.ok(mostMinutes(limit) >= 2 * limit && mostMinutes(limit) >= 30);
    const steps = (limit - 1) / stepMinutes(limit);
    assert.ok(Math.abs(steps - Math.round(steps)) < 1e-9, String(limit));
  }
});

test("a scale bar is as long as fits, in 1, 2 or 5", () => {
  assert.deepEqual([999, 1000, 4999, 5200, 23].map(roundLength), [500, 1000, 2000, 5000, 20]);
  assert.deepEqual([500, 2000].map(lengthText), ["500 m", "2 km"]);
});

test("a pixel of zoom 0 at the equator is the world's circumference over 256", () => {
  assert.ok(Math.abs(metresPerPixel(0, 0) - 156543.03) < 0.01);
  assert.ok(Math.abs(metresPerPixel(60, 3) / (156543.03 / 16) - 1) < 1e-6);
});

test("coarse times offer only the steps that differ, the limit among them", () => {
  assert.deepEqual(sliderOf(15, null), { min: 1, max: 30, step: 1 });
  assert.deepEqual(sliderOf(15, 5), { min: 5, max: 30, step: 5 });
  assert.deepEqual(sliderOf(12, 5), { min: 2, max: 32, step: 5 });
  for (const limit of [5, 10, 12, 30, 33]) {
    const { min, max, step } = sliderOf(limit, 5);
    assert.ok(min >= 1 && min <= 5 && max >= 2 * limit && (limit - min) % step === 0 && (max - limit) % step === 0);
  }
});
