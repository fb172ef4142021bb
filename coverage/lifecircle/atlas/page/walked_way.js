/* Finds the way from a resident to a venue along the page's roads: the same search that times it, walked back. Pure:
   places and times in whole numbers, the way as places in degrees. */

import { fromU, fromV, project, straight, toU, toV } from "./roads.js";

/* The edges at every junction: `edges` from `starts[junction]` to `starts[junction + 1]`. */
export function edgesAt({ junctions, edges, u, v }) {
  const starts = new Uint32Array(junctions + 1);
  for (let edge = 0; edge < edges; edge++) {
    starts[u[edge] + 1]++;
    starts[v[edge] + 1]++;
  }
  for (let node = 0; node < junctions; node++) starts[node + 1] += starts[node];
  const next = starts.slice(), at = new Uint32Array(2 * edges);
  for (let edge = 0; edge < edges; edge++) {
    at[next[u[edge]]++] = edge;
    at[next[v[edge]]++] = edge;
  }
  return { starts, edges: at };
}

/* The vertices of an edge between two shares of its length, in the order from the first share to the second. */
export function partOf({ starts, x, y }, edge, from, to) {
  const first = starts[edge], last = starts[edge + 1] - 1, lengths = [0];
  for (let i = first; i < last; i++) lengths.push(lengths[i - first] + Math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]));
  const whole = lengths[last - first];
  const at = (share) => {
    const wanted = share * whole;
    let i = 0;
    while (i < last - first - 1 && lengths[i + 1] < wanted) i++;
    const part = lengths[i + 1] > lengths[i] ? (wanted - lengths[i]) / (lengths[i + 1] - lengths[i]) : 0;
    return [x[first + i] + part * (x[first + i + 1] - x[first + i]), y[first + i] + part * (y[first + i + 1] - y[first + i])];
  };
  const [low, high] = from <= to ? [from, to] : [to, from];
  const between = [];
  for (let i = 1; i < last - first; i++) if (lengths[i] > low * whole && lengths[i] < high * whole) between.push([x[first + i], y[first + i]]);
  const line = [at(low), ...between, at(high)];
  return from <= to ? line : line.reverse();
}

export class Ways {
  constructor(search) {
    this.search = search;
    this.at = edgesAt(search.roads);
  }

  /* {time, places}: hundredths of a second from the home's door to the venue's, and the way on the roads as [lat, lon];
     null where there is none within the bound. */
  find(homes, home, venues, venue, bound) {
    const { roads } = this.search;
    const edge = homes.edge[home], along = homes.along[home], goal = venues.edge[venue], end = venues.along[venue];
    if (edge < 0 || goal < 0) return null;
    const found = this.search.run(venues, [venue], 1, bound);
    const time = (node) => (found.filled[node] ? found.best[node * found.k] : Infinity);
    const ways = [[toU(roads, edge, along) + time(roads.u[edge]), roads.u[edge]], [toV(roads, edge, along) + time(roads.v[edge]), roads.v[edge]]];
    if (edge === goal) ways.push([straight(roads, edge, along, end, 0) + venues.leg[venue], -1]);
    const [least, first] = ways.reduce((a, b) => (b[0] < a[0] ? b : a));
    if (!(homes.leg[home] + least <= bound)) return null;
    const share = (one, place) => (roads.base[one] ? place / roads.base[one] : 0);
    const line = first < 0 ? partOf(roads, edge, share(edge, along), share(goal, end))
      : [...partOf(roads, edge, share(edge, along), first === roads.u[edge] ? 0 : 1), ...this.walk(first, { goal, end: share(goal, end), time, last: lastOf(roads, venues, venue) })];
    return { time: homes.leg[home] + least, places: this.inDegrees(line) };
  }

  /* The way from a junction, each time to the next one whose time is less by that of the edge between. */
  walk(node, { goal, end, time, last }) {
    const { roads } = this.search, { starts, edges } = this.at;
    const line = [], seen = new Set();
    for (;;) {
      seen.add(node);
      if (time(node) === last(node)) return [...line, ...partOf(roads, goal, roads.u[goal] === node && last.u <= last.v ? 0 : roads.v[goal] === node ? 1 : 0, end)];
      let step = -1, forward = true;
      for (let i = starts[node]; i < starts[node + 1] && step < 0; i++) {
        const one = edges[i];
        for (const ahead of [true, false]) {
          const [from, to, takes] = ahead ? [roads.u[one], roads.v[one], roads.forward[one]] : [roads.v[one], roads.u[one], roads.backward[one]];
          if (from === node && takes >= 0 && !seen.has(to) && time(to) + takes === time(node)) [step, forward] = [one, ahead];
        }
      }
      if (step < 0) return line;
      line.push(...partOf(roads, step, forward ? 0 : 1, forward ? 1 : 0));
      node = forward ? roads.v[step] : roads.u[step];
    }
  }

  inDegrees(line) {
    const { header } = this.search.roads, place = [0, 0];
    return line.map(([x, y]) => {
      project(header.toDegrees, x * header.unitMetres, y * header.unitMetres, place);
      return [place[1], place[0]];
    });
  }
}

/* The time to a venue from the ends of its own edge, as a search sets out from it. */
function lastOf(roads, venues, venue) {
  const edge = venues.edge[venue], u = venues.leg[venue] + fromU(roads, edge, venues.along[venue]), v = venues.leg[venue] + fromV(roads, edge, venues.along[venue]);
  const last = (node) => Math.min(node === roads.u[edge] ? u : Infinity, node === roads.v[edge] ? v : Infinity);
  return Object.assign(last, { u, v });
}
