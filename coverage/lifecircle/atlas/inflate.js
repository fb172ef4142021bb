/* Unpacks gzip (RFC 1952, RFC 1951) where the browser cannot do so itself. */

const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]; // of the lengths of code lengths
const MOST_BITS = 15;
const ENDS = { header: 10, trailer: 8 };

/* Lengths and distances: what is added to the value of each code, and how many more bits tell the rest. */
function steps(first, grouped, count) {
  const base = new Uint16Array(count), extra = new Uint8Array(count);
  for (let code = 0, value = first; code < count; code++) {
    extra[code] = Math.max(0, Math.floor(code / grouped) - 1);
    base[code] = value;
    value += 1 << extra[code];
  }
  return { base, extra };
}

const LENGTHS = steps(3, 4, 29), DISTANCES = steps(1, 2, 30);
LENGTHS.base[28] = 258; // the last length stands for itself
LENGTHS.extra[28] = 0;

/* A table over the next bits of the stream: symbol and number of bits of the code that they begin with. */
function codeTable(lengths) {
  const counts = new Uint16Array(MOST_BITS + 1);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  const next = new Uint16Array(MOST_BITS + 2);
  let bits = 1;
  for (let length = 1; length <= MOST_BITS; length++) {
    next[length + 1] = (next[length] + counts[length]) << 1;
    if (counts[length]) bits = length;
  }
  const table = new Uint32Array(1 << bits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (!length) continue;
    let code = next[length]++, turned = 0; // the stream has the first bit of a code lowest
    for (let i = 0; i < length; i++, code >>= 1) turned = (turned << 1) | (code & 1);
    for (let at = turned; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  }
  return { table, bits };
}

function fixedTables() {
  const lengths = new Uint8Array(288).fill(8);
  lengths.fill(9, 144, 256).fill(7, 256, 280);
  return [codeTable(lengths), codeTable(new Uint8Array(30).fill(5))];
}

class Bits {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
    this.held = 0;
    this.count = 0;
  }

  need(count) {
    while (this.count < count) {
      this.held |= (this.bytes[this.at++] ?? 0) << this.count; // past the end are zeros; the length is checked
      this.count += 8;
    }
  }

  take(count) {
    this.need(count);
    const value = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.count -= count;
    return value;
  }

  symbol({ table, bits }) {
    this.need(bits);
    const entry = table[this.held & ((1 << bits) - 1)], length = entry & 15;
    if (!length) throw new Error("the packed data hold a code that stands for nothing");
    this.held >>>= length;
    this.count -= length;
    return entry >> 4;
  }

  toByte() {
    this.at -= this.count >> 3;
    this.held = this.count = 0;
  }
}

function dynamicTables(bits) {
  const literals = bits.take(5) + 257, distances = bits.take(5) + 1, kinds = bits.take(4) + 4;
  const own = new Uint8Array(19);
  for (let i = 0; i < kinds; i++) own[ORDER[i]] = bits.take(3);
  const table = codeTable(own);
  const lengths = new Uint8Array(literals + distances);
  for (let i = 0; i < lengths.length; ) {
    const symbol = bits.symbol(table);
    if (symbol < 16) lengths[i++] = symbol;
    else {
      const value = symbol === 16 ? lengths[i - 1] : 0;
      const again = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      lengths.fill(value, i, i + again);
      i += again;
    }
  }
  return [codeTable(lengths.subarray(0, literals)), codeTable(lengths.subarray(literals))];
}

function copyBlock(bits, out, at, [literals, distances]) {
  for (;;) {
    const symbol = bits.symbol(literals);
    if (symbol === 256) return at;
    if (at >= out.length) throw new Error("the packed data hold more than they say");
    if (symbol < 256) out[at++] = symbol;
    else {
      const length = LENGTHS.base[symbol - 257] + bits.take(LENGTHS.extra[symbol - 257]);
      const code = bits.symbol(distances);
      const back = DISTANCES.base[code] + bits.take(DISTANCES.extra[code]);
      if (back > at || at + length > out.length) throw new Error("the packed data point outside of themselves");
      for (const end = at + length; at < end; at++) out[at] = out[at - back];
    }
  }
}

function checksum(bytes) {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[i] = value;
  }
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = (sum >>> 8) ^ table[(sum ^ bytes[i]) & 255];
  return (sum ^ 0xffffffff) >>> 0;
}

/* Unpack gzip bytes that carry no name and no extra field, as the page's do; checks length and checksum. */
export function inflate(packed) {
  if (packed.length < ENDS.header + ENDS.trailer || packed[0] !== 0x1f || packed[1] !== 0x8b || packed[2] !== 8 || packed[3]) {
    throw new Error("the packed data are no plain gzip");
  }
  const trailer = new DataView(packed.buffer, packed.byteOffset + packed.length - ENDS.trailer);
  const out = new Uint8Array(trailer.getUint32(4, true));
  const bits = new Bits(packed, ENDS.header);
  let at = 0;
  for (let last = 0; !last; ) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (bits.at > packed.length) throw new Error("the packed data are cut off");
    if (kind === 0) {
      bits.toByte();
      const size = packed[bits.at] | (packed[bits.at + 1] << 8);
      out.set(packed.subarray(bits.at + 4, bits.at + 4 + size), at);
      bits.at += 4 + size;
      at += size;
    } else if (kind === 3) throw new Error("the packed data hold a block of no known kind");
    else at = copyBlock(bits, out, at, kind === 1 ? fixedTables() : dynamicTables(bits));
  }
  if (at !== out.length || checksum(out) !== trailer.getUint32(0, true)) throw new Error("the packed data are damaged");
  return out;
}
