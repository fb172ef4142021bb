/* Opens the container in which the page's data stand: packed text to bytes, header, columns of whole numbers. */

const VERSION = 1;
const HEAD = 12; // bytes before the header: LCAT, version, 0, length of the header
const ARRAYS = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array };

function bytesOf(text) {
  const whole = atob(text);
  const out = new Uint8Array(whole.length);
  for (let i = 0; i < whole.length; i++) out[i] = whole.charCodeAt(i);
  return out;
}

/* Unpack the text of the page's element; every promised browser has DecompressionStream. */
export async function unpackText(text) {
  const packed = bytesOf(text.trim());
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* One column: planes of bytes put together, then what the encoding says; see the package's page_data/_packed_columns.py. */
function decode({ dtype, shape, encoding, width, at }, body, base) {
  const count = shape[0];
  const out = new ARRAYS[dtype](count);
  const signed = encoding !== "plain", running = encoding === "delta", since = encoding === "since";
  for (let i = 0, last = 0; i < count; i++) {
    let value = 0;
    for (let plane = width - 1; plane >= 0; plane--) value = (value << 8) | body[at + plane * count + i];
    if (signed) value = (value >>> 1) ^ -(value & 1);
    if (running) value = last = (last + value) | 0;
    else if (since) value += base[i];
    out[i] = value;
  }
  return out;
}

/* Read a container's header; a column is decoded when it is first asked for. */
export function openContainer(bytes) {
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "LCAT") throw new Error("these are no data of a map page");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(4, true), start = HEAD + view.getUint32(8, true);
  if (version > VERSION) throw new Error(`the data are of version ${version}, this page reads ${VERSION}`);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD, start)));
  const body = bytes.subarray(start);
  const known = new Map();
  function column(name) {
    if (!known.has(name)) {
      const section = header.sections[name];
      if (!section) throw new Error(`the data have no section ${name}`);
      known.set(name, decode(section, body, section.since ? column(section.since) : null));
    }
    return known.get(name);
  }
  return { data: header.page, column };
}
