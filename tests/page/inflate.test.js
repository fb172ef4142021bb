import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { inflate } from "../../coverage/lifecircle/atlas/inflate.js";
import { random } from "./random.js";

const SIZES = [0, 1, 2, 257, 258, 259, 32768, 32769, 70000, 200000];

/* Bytes of three kinds: noise, words that come again, planes of small numbers. */
function samples(size, next) {
  const noise = Uint8Array.from({ length: size }, () => next() * 256);
  const words = Uint8Array.from({ length: size }, (_, i) => "roads and residents ".charCodeAt((i * 7) % 20) + (i % 97 === 0));
  const planes = Uint8Array.from({ length: size }, () => next() ** 6 * 40);
  return [noise, words, planes];
}

test("whatever zlib packs comes back", () => {
  const next = random(1);
  for (const size of SIZES) {
    for (const bytes of samples(size, next)) {
      for (const level of [0, 1, 6, 9]) {
        for (const strategy of [zlib.constants.Z_DEFAULT_STRATEGY, zlib.constants.Z_FIXED, zlib.constants.Z_HUFFMAN_ONLY, zlib.constants.Z_RLE]) {
          const packed = new Uint8Array(zlib.gzipSync(bytes, { level, strategy }));
          assert.equal(Buffer.compare(Buffer.from(inflate(packed)), Buffer.from(bytes)), 0, `${size} ${level} ${strategy}`);
        }
      }
    }
  }
});

test("bytes in the middle of a larger buffer are read where they stand", () => {
  const packed = zlib.gzipSync(Buffer.from("one two one two"));
  const wide = new Uint8Array(packed.length + 20);
  wide.set(packed, 7);
  assert.equal(Buffer.from(inflate(wide.subarray(7, 7 + packed.length))).toString(), "one two one two");
});

test("damaged bytes are refused, never unpacked to something else", () => {
  const next = random(2);
  const bytes = samples(3000, next)[1];
  const whole = new Uint8Array(zlib.gzipSync(bytes));
  assert.throws(() => inflate(whole.subarray(0, 12)), /no plain gzip/);
  assert.throws(() => inflate(Uint8Array.from(whole, (value, i) => (i === 3 ? 8 : value))), /no plain gzip/);
  let refused = 0;
  for (let trial = 0; trial < 200; trial++) {
    const broken = whole.slice();
    broken[10 + Math.floor(next() * (whole.length - 10))] ^= 1 + Math.floor(next() * 255);
    try {
      assert.equal(Buffer.compare(Buffer.from(inflate(broken)), Buffer.from(bytes)), 0);
    } catch (error) {
      assert.ok(error instanceof Error);
      refused++;
    }
  }
  assert.ok(refused > 190);
  for (const cut of [19, 40, whole.length - 1]) assert.throws(() => inflate(whole.subarray(0, cut)));
});
