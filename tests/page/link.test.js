/* A link holds what is kept, survives other ways of writing its signs, and is refused when it is cut or another page's. */

import assert from "node:assert/strict";
import test from "node:test";

import { isLink, linkText, readLink } from "../../coverage/lifecircle/atlas/page/link.js";

const MINE = { study: "haiyan", edition: "internal" };
const VALUES = new Map([["year", "2025"], ["target", "culture"], ["limit", ""], ["village", "330424001:南村 & <b>"], ["pins", "120.9,30.5,library"]]);

test("what is kept comes back, what the page starts with is left out", () => {
  const text = linkText(MINE, VALUES);
  assert.ok(isLink(text));
  assert.ok(!text.includes("limit"));
  assert.deepEqual([...readLink(MINE, text).values], [...VALUES].filter(([, value]) => value !== ""));
});

test("a program that writes signs in another way does no harm", () => {
  const text = linkText(MINE, VALUES);
  assert.deepEqual(readLink(MINE, text.replaceAll("+", "%20")), readLink(MINE, text));
  assert.deepEqual(readLink(MINE, text.replaceAll("%2C", ",")), readLink(MINE, text));
});

test("every cut, every changed sign and every name that stands twice is found", () => {
  const text = linkText(MINE, VALUES);
  for (let length = 4; length < text.length; length++) assert.equal(readLink(MINE, text.slice(0, length)).fault, "damaged", text.slice(0, length));
  assert.equal(readLink(MINE, text.replace("2025", "2024")).fault, "damaged");
  assert.equal(readLink(MINE, text + "&year=2025").fault, "damaged");
  assert.equal(readLink(MINE, "#").fault, "damaged");
  assert.equal(readLink(MINE, "#lc=%E0%A4%A").fault, "damaged");
});

test("a link of another study or edition is not taken for a damaged one", () => {
  assert.deepEqual(readLink({ study: "futian", edition: "internal" }, linkText(MINE, VALUES)), { fault: "other", study: "haiyan" });
  assert.equal(readLink({ study: "haiyan", edition: "public" }, linkText(MINE, VALUES)).fault, "other");
});
