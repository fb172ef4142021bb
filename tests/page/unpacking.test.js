import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { openContainer, unpackText } from "../../coverage/lifecircle/atlas/page/unpacking.js";

/* A container with one section, put together by hand. */
function container(section, body, { magic = "LCAT", version = 1, base = {} } = {}) {
  const header = Buffer.from(JSON.stringify({ page: { name: "海盐" }, sections: { ...base, one: section } }));
  const head = Buffer.alloc(12);
  head.write(magic, "latin1");
  head.writeUInt16LE(version, 4);
  head.writeUInt32LE(header.length, 8);
  return new Uint8Array(Buffer.concat([head, header, Buffer.from(body)]));
}

const described = (dtype, count, encoding, width, more = {}) => ({ dtype, shape: [count], encoding, width, at: 0, ...more });

test("columns are what their encoding says", () => {
  assert.deepEqual([...openContainer(container(described("u2", 2, "plain", 2), [1, 44, 0, 1])).column("one")], [1, 300]);
  assert.deepEqual([...openContainer(container(described("i1", 4, "zigzag", 1), [0, 1, 2, 255])).column("one")], [0, -1, 1, -128]);
  assert.deepEqual([...openContainer(container(described("u1", 3, "delta", 1), [10, 1, 4])).column("one")], [5, 4, 6]);
  const most = described("i4", 2, "zigzag", 4);
  assert.deepEqual([...openContainer(container(most, [254, 255, 255, 255, 255, 255, 127, 127])).column("one")], [2 ** 30 - 1, -(2 ** 30)]);
});

test("a column may stand as what it differs from another", () => {
  const base = { other: described("u1", 2, "plain", 1) };
  const opened = openContainer(container(described("u1", 2, "since", 1, { at: 2, since: "other" }), [7, 9, 2, 1], { base }));
  assert.deepEqual([...opened.column("one")], [8, 8]);
  assert.equal(opened.column("one"), opened.column("one"));
  assert.throws(() => opened.column("none"), /no section none/);
  assert.equal(opened.data.name, "海盐");
});

test("other bytes and newer versions are refused", () => {
  assert.throws(() => openContainer(container(described("u1", 0, "plain", 1), [], { magic: "PK" })), /no data of a map page/);
  assert.throws(() => openContainer(container(described("u1", 0, "plain", 1), [], { version: 2 })), /version 2, this page reads 1/);
});

test("the text is unpacked to the bytes that were packed", async () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 251);
  const text = zlib.gzipSync(bytes).toString("base64");
  assert.deepEqual(await unpackText(`\n${text}\n`), bytes);
});
