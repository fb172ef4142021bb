/* The roads that stand in the page, in whole numbers: junctions, edges, lines; and the search over them.
   Times are hundredths of a second, positions tenths of a metre; the package's _network and _times do the same. */

export const CLOSED = -1;
export const NEVER = 2 ** 30; // hundredths of a second: longer than any way

/* Put the polynomial of the header to one place; the answer lands in `out`. */
export function project({ middle, half, powers, terms }, a, b, out) {
  const x = (a - middle[0]) / half[0], y = (b - middle[1]) / half[1];
  out[0] = out[1] = 0;
  for (let term = 0; term < powers.length; term++) {
    const value = x ** powers[term][0] * y ** powers[term][1];
    out[0] += terms[0][term] * value;
    out[1] += terms[1][term] * value;
  }
  return out;
}

/* Lines as they are drawn and measured: every vertex, `starts[edge]` to `starts[edge + 1]`. */
export function openLines(header, column) {
  const at = (name) => column(header.columns[name]);
  const { junctions, edges } = header;
  const x = at("x"), y = at("y"), degree = at("degree"), to = at("to"), points = at("points");
  const stepX = at("step_x"), stepY = at("step_y");
  const u = new Int32Array(edges), v = new Int32Array(edges), starts = new Uint32Array(edges + 1);
  for (let junction = 0, edge = 0; junction < junctions; junction++) {
    for (let i = 0; i < degree[junction]; i++, edge++) {
      u[edge] = junction;
      v[edge] = junction + to[edge];
      starts[edge + 1] = starts[edge] + points[edge] + 2;
    }
  }
  const vx = new Int32Array(starts[edges]), vy = new Int32Array(starts[edges]);
  for (let edge = 0, at = 0, step = 0; edge < edges; edge++) {
    let px = x[u[edge]], py = y[u[edge]];
    vx[at] = px;
    vy[at++] = py;
    for (let i = 0; i < points[edge]; i++, step++) {
      vx[at] = px += stepX[step];
      vy[at++] = py += stepY[step];
    }
    vx[at] = x[v[edge]];
    vy[at++] = y[v[edge]];
  }
  return { header, junctions, edges, u, v, starts, x: vx, y: vy };
}

/* Add the seconds: `forward` from u to v, `backward`, and `base`, which places along an edge are measured in. */
export function openRoads(lines, column) {
  const { header, edges, starts, x, y } = lines;
  const extraForward = column(header.columns.forward), extraBackward = column(header.columns.backward);
  const closed = column(header.columns.closed);
  const forward = new Int32Array(edges), backward = new Int32Array(edges), base = new Int32Array(edges);
  const centimetres = 100 * header.unitMetres, rate = header.rate / 100;
  for (let edge = 0; edge < edges; edge++) {
    let length = 0;
    for (let i = starts[edge] + 1; i < starts[edge + 1]; i++) {
      const dx = x[i] - x[i - 1], dy = y[i] - y[i - 1];
      length += Math.floor(Math.sqrt(dx * dx + dy * dy) * centimetres + 0.5);
    }
    const expected = Math.floor(length * rate + 0.5);
    forward[edge] = closed[edge] & 1 ? CLOSED : expected + extraForward[edge];
    backward[edge] = closed[edge] & 2 ? CLOSED : expected + extraBackward[edge];
    base[edge] = Math.max(forward[edge] >= 0 ? forward[edge] : backward[edge], 0);
  }
  return { ...lines, forward, backward, base };
}

/* Time a part of an edge in a direction that takes `whole`: nearest, half up. */
const scaled = (along, whole, base) =>
  whole === base || base === 0 ? along : Math.floor((2 * along * whole + base) / (2 * base));

/* Times between a place along an edge and the edge's ends, NEVER where the direction is closed. */
export const toU = ({ backward, base }, edge, along) =>
  backward[edge] >= 0 ? scaled(along, backward[edge], base[edge]) : along === 0 ? 0 : NEVER;
export const toV = ({ forward, base }, edge, along) =>
  forward[edge] >= 0 ? forward[edge] - along : along === base[edge] ? 0 : NEVER;
export const fromU = ({ forward }, edge, along) => (forward[edge] >= 0 || along === 0 ? along : NEVER);
export const fromV = ({ backward, base }, edge, along) =>
  backward[edge] >= 0 ? backward[edge] - scaled(along, backward[edge], base[edge]) : along === base[edge] ? 0 : NEVER;

/* Time the way between two places on one edge, straight along it; so near to each other they are one place. */
export function straight({ forward, backward, base }, edge, from, to, slack) {
  if (Math.abs(to - from) <= slack) return 0;
  const whole = to > from ? forward[edge] : backward[edge];
  return whole < 0 ? NEVER : scaled(Math.abs(to - from), whole, base[edge]);
}

const LABELS = 2 ** 20; // more venues than any register has; a time and a label are one number of less than 2 ** 53

/* A heap of (time, label, junction), the least time first, of equal times the lowest label; four below each. */
class Heap {
  constructor(room) {
    this.keys = new Float64Array(room);
    this.nodes = new Int32Array(room);
    this.size = 0;
  }

  grow() {
    const keys = new Float64Array(2 * this.keys.length), nodes = new Int32Array(2 * this.keys.length);
    keys.set(this.keys);
    nodes.set(this.nodes);
    Object.assign(this, { keys, nodes });
  }

  push(key, node) {
    if (this.size === this.keys.length) this.grow();
    const keys = this.keys, nodes = this.nodes;
    let at = this.size++;
    while (at > 0) {
      const above = (at - 1) >> 2;
      if (keys[above] <= key) break;
      keys[at] = keys[above];
      nodes[at] = nodes[above];
      at = above;
    }
    keys[at] = key;
    nodes[at] = node;
  }

  /* Take the first away; it is to be read before. */
  pop() {
    const keys = this.keys, nodes = this.nodes, last = --this.size;
    const key = keys[last], node = nodes[last];
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= last) break;
      let below = first;
      for (let i = first + 1, end = Math.min(first + 4, last); i < end; i++) if (keys[i] < keys[below]) below = i;
      if (keys[below] >= key) break;
      keys[at] = keys[below];
      nodes[at] = nodes[below];
      at = below;
    }
    keys[at] = key;
    nodes[at] = node;
  }
}

/* Every allowed direction turned round: row j lists the junctions that lead to j and how long that takes. */
function turnedRound({ junctions, edges, u, v, forward, backward }) {
  const starts = new Uint32Array(junctions + 1);
  for (let edge = 0; edge < edges; edge++) {
    if (forward[edge] >= 0) starts[v[edge] + 1]++;
    if (backward[edge] >= 0) starts[u[edge] + 1]++;
  }
  for (let node = 0; node < junctions; node++) starts[node + 1] += starts[node];
  const next = starts.slice(), from = new Int32Array(starts[junctions]), time = new Int32Array(starts[junctions]);
  for (let edge = 0; edge < edges; edge++) {
    if (forward[edge] >= 0) {
      from[next[v[edge]]] = u[edge];
      time[next[v[edge]]++] = forward[edge];
    }
    if (backward[edge] >= 0) {
      from[next[u[edge]]] = v[edge];
      time[next[u[edge]]++] = backward[edge];
    }
  }
  return { starts, from, time };
}

/* A search over the roads, outward from venues: the ways to them. It keeps its arrays from one call to the next. */
export class Search {
  constructor(roads) {
    this.roads = roads;
    this.arcs = turnedRound(roads);
    this.heap = new Heap(1 << 12);
    this.room(1);
    this.touched = new Int32Array(roads.junctions);
    this.reached = 0;
    this.venueOn = new Int32Array(roads.edges).fill(-1); // the first venue on each edge, then venueNext
  }

  room(k) {
    if (this.k >= k) return;
    this.k = k;
    this.filled = new Uint8Array(this.roads.junctions);
    this.best = new Int32Array(this.roads.junctions * k);
    this.who = new Int32Array(this.roads.junctions * k);
    this.reached = 0;
  }

  /* Find the k first venues at every junction within a bound, `members` being places in `venues`. */
  run(venues, members, k, bound) {
    this.room(k);
    for (let i = 0; i < this.reached; i++) this.filled[this.touched[i]] = 0;
    this.reached = 0;
    const { roads, heap, filled, best, who, touched, k: stride } = this;
    const { starts, from, time: times } = this.arcs;
    for (const member of members) {
      const edge = venues.edge[member], along = venues.along[member], leg = venues.leg[member];
      const fromFirst = leg + fromU(roads, edge, along), fromLast = leg + fromV(roads, edge, along);
      if (fromFirst <= bound) heap.push(fromFirst * LABELS + member, roads.u[edge]);
      if (fromLast <= bound) heap.push(fromLast * LABELS + member, roads.v[edge]);
    }
    const known = (node, label) => { // whether a junction has enough venues, or this one
      const first = node * stride, count = filled[node];
      if (count === k) return true;
      for (let i = first; i < first + count; i++) if (who[i] === label) return true;
      return false;
    };
    while (heap.size) {
      const key = heap.keys[0], node = heap.nodes[0];
      heap.pop();
      const time = Math.floor(key / LABELS), label = key - time * LABELS;
      if (known(node, label)) continue;
      best[node * stride + filled[node]] = time;
      who[node * stride + filled[node]] = label;
      if (filled[node]++ === 0) touched[this.reached++] = node;
      for (let arc = starts[node]; arc < starts[node + 1]; arc++) {
        const then = time + times[arc];
        if (then <= bound && !known(from[arc], label)) heap.push(then * LABELS + label, from[arc]);
      }
    }
    return { best, who, filled, k: stride };
  }

  /* Find the k nearest venues of every home: hundredths of a second and venues, -1 where there are fewer; of equal
     times the lowest venue comes first. `out` may hand in arrays to write to: {times, venues}, homes * k each. */
  find(homes, venues, members, { k = 1, bound = NEVER - 1, slack = 0, out } = {}) {
    const { roads } = this;
    const count = homes.edge.length;
    const found = out ?? { times: new Int32Array(count * k), venues: new Int32Array(count * k) };
    found.times.fill(-1);
    found.venues.fill(-1);
    const on = members.filter((member) => venues.edge[member] >= 0);
    if (!on.length) return found;
    const at = this.run(venues, on, k, bound);
    const next = new Map();
    for (const member of on) {
      next.set(member, this.venueOn[venues.edge[member]]);
      this.venueOn[venues.edge[member]] = member;
    }
    for (let home = 0; home < count; home++) {
      const edge = homes.edge[home];
      if (edge < 0) continue;
      const along = homes.along[home], leg = homes.leg[home], start = home * k;
      const u = roads.u[edge], v = roads.v[edge];
      if (at.filled[u]) this.offer(found, start, k, at, u, leg + toU(roads, edge, along), bound);
      if (at.filled[v]) this.offer(found, start, k, at, v, leg + toV(roads, edge, along), bound);
      for (let member = this.venueOn[edge]; member >= 0; member = next.get(member)) {
        const time = leg + straight(roads, edge, along, venues.along[member], slack) + venues.leg[member];
        if (time <= bound) insert(found, start, k, time, member);
      }
    }
    for (const member of on) this.venueOn[venues.edge[member]] = -1;
    return found;
  }

  offer(found, start, k, at, node, way, bound) {
    for (let i = node * at.k; i < node * at.k + at.filled[node]; i++) {
      const time = way + at.best[i];
      if (time <= bound) insert(found, start, k, time, at.who[i]);
    }
  }
}

/* Put a venue in its place among the k of a home; each stands once, at its earliest. */
function insert({ times, venues }, start, k, time, venue) {
  let at = start + k - 1;
  for (let i = start; i < start + k; i++) {
    if (venues[i] !== venue) continue;
    if (times[i] <= time) return;
    at = i; // what stood there goes
    break;
  }
  const later = (i) => venues[i] < 0 || times[i] > time || (times[i] === time && venues[i] > venue);
  if (!later(at)) return;
  while (at > start && later(at - 1)) {
    times[at] = times[at - 1];
    venues[at] = venues[at - 1];
    at--;
  }
  times[at] = time;
  venues[at] = venue;
}
