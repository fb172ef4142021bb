/* Joins a place to the roads as the package does: the nearest edge within the cap whose leg crosses no barrier. */

import { project } from "./roads.js";

const TILE_METRES = 150;

/* Everything in tenths of a metre, as the roads stand: segments by tile, barriers by tile. */
export class Snapper {
  constructor(roads, column) {
    const { header } = roads;
    this.roads = roads;
    this.header = header;
    this.cap = header.capMetres / header.unitMetres;
    this.ends = segmentEnds(roads.starts, roads.edges);
    this.tiles = tiled(roads.x, roads.y, this.ends, TILE_METRES / header.unitMetres);
    const at = (name) => column(header.columns[name]);
    this.barriers = openBarriers(at("bx"), at("by"), at("barrier_sizes"), at("barrier_areas"));
    this.barrierTiles = tiled(this.barriers.x, this.barriers.y, this.barriers.ends, TILE_METRES / header.unitMetres);
    // Lines are simplified by up to the tolerance: a leg that meets a barrier so near its ends does not cross it.
    this.slack = (header.toleranceMetres + header.unitMetres) / header.unitMetres;
    this.least = new Float64Array(roads.edges);
    this.seen = new Uint8Array(roads.edges);
    this.place = [0, 0];
  }

  /* {ok, legMetres, edge, along, leg}: where a place joins the roads, `along` and `leg` in hundredths of a second;
     not ok, the leg being that to the nearest road (NaN where none is near), where it joins none. */
  snap(lon, lat) {
    const { header } = this;
    project(header.toMetres, lon, lat, this.place);
    const x = this.place[0] / header.unitMetres, y = this.place[1] / header.unitMetres;
    const near = this.near(x, y);
    if (!near.length) return { ok: false, legMetres: NaN, edge: -1, along: 0, leg: 0 };
    for (const { edge, metres } of near.slice(0, header.triedEdges)) {
      const foot = this.foot(edge, x, y);
      if (this.crosses(x, y, foot.x, foot.y)) continue;
      return { ok: true, legMetres: metres, edge, along: this.along(edge, foot), leg: Math.floor(metres * header.rate + 0.5) };
    }
    return { ok: false, legMetres: near[0].metres, edge: -1, along: 0, leg: 0 };
  }

  /* The edges within the cap by distance, then number. */
  near(x, y) {
    const { roads, tiles, ends, least, seen, cap } = this;
    const found = [];
    visit(tiles, x - cap, y - cap, x + cap, y + cap, (segment) => {
      const edge = tiles.owner[segment], i = ends[segment];
      const apart = distance(roads.x[i], roads.y[i], roads.x[i + 1], roads.y[i + 1], x, y);
      if (apart > cap) return;
      if (!seen[edge]) {
        seen[edge] = 1;
        least[edge] = apart;
        found.push(edge);
      } else if (apart < least[edge]) least[edge] = apart;
    });
    for (const edge of found) seen[edge] = 0;
    found.sort((a, b) => least[a] - least[b] || a - b);
    return found.map((edge) => ({ edge, metres: least[edge] * this.header.unitMetres }));
  }

  /* The nearest place on an edge, and how far along its line that is. */
  foot(edge, x, y) {
    const { roads } = this;
    let best = Infinity, foot = null, before = 0;
    for (let i = roads.starts[edge]; i < roads.starts[edge + 1] - 1; i++) {
      const ax = roads.x[i], ay = roads.y[i], dx = roads.x[i + 1] - ax, dy = roads.y[i + 1] - ay;
      const length = Math.hypot(dx, dy);
      const share = shareAlong(ax, ay, dx, dy, x, y);
      const apart = Math.hypot(ax + share * dx - x, ay + share * dy - y);
      if (apart < best) {
        best = apart;
        foot = { x: ax + share * dx, y: ay + share * dy, at: before + share * length };
      }
      before += length;
    }
    return { ...foot, length: before };
  }

  /* Hundredths of a second along the edge; a place inside a one-way edge does not become its end. */
  along(edge, { at, length }) {
    const { forward, backward, base } = this.roads;
    const share = length ? at / length : 0;
    const along = Math.floor(share * base[edge] + 0.5);
    const inside = Math.min(forward[edge], backward[edge]) < 0 && share > 0 && share < 1 && base[edge] >= 2;
    return inside ? Math.min(Math.max(along, 1), base[edge] - 1) : along;
  }

  /* Whether the straight leg between two places crosses a barrier, its very ends left out. */
  crosses(ax, ay, bx, by) {
    const length = Math.hypot(bx - ax, by - ay);
    if (length <= 2 * this.slack) return false;
    const cut = this.slack / length;
    const fromX = ax + cut * (bx - ax), fromY = ay + cut * (by - ay), toX = bx - cut * (bx - ax), toY = by - cut * (by - ay);
    const { x, y, ends } = this.barriers;
    let met = false;
    visit(this.barrierTiles, Math.min(fromX, toX), Math.min(fromY, toY), Math.max(fromX, toX), Math.max(fromY, toY), (segment) => {
      const i = ends[segment];
      met ||= meet(fromX, fromY, toX, toY, x[i], y[i], x[i + 1], y[i + 1]);
    });
    return met || inArea(this.barriers, (fromX + toX) / 2, (fromY + toY) / 2);
  }
}

/* The first vertex of every segment of lines that stand one after the other. */
function segmentEnds(starts, lines) {
  const ends = new Uint32Array(starts[lines] - lines), owner = new Uint32Array(ends.length);
  for (let line = 0, at = 0; line < lines; line++) {
    for (let i = starts[line]; i < starts[line + 1] - 1; i++) {
      owner[at] = line;
      ends[at++] = i;
    }
  }
  return Object.assign(ends, { owner });
}

function openBarriers(x, y, sizes, areas) {
  const starts = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) starts[i + 1] = starts[i] + sizes[i];
  return { x, y, starts, areas, ends: segmentEnds(starts, sizes.length) };
}

/* Sort segments into square tiles, each into every tile that its box touches. */
function tiled(x, y, ends, side) {
  let left = Infinity, bottom = Infinity, right = -Infinity, top = -Infinity;
  for (let i = 0; i < x.length; i++) {
    left = Math.min(left, x[i]);
    right = Math.max(right, x[i]);
    bottom = Math.min(bottom, y[i]);
    top = Math.max(top, y[i]);
  }
  const columns = x.length ? Math.floor((right - left) / side) + 1 : 0;
  const rows = x.length ? Math.floor((top - bottom) / side) + 1 : 0;
  const starts = new Uint32Array(columns * rows + 1);
  const tiles = { left, bottom, side, columns, rows, starts, items: new Uint32Array(0), owner: ends.owner };
  const each = (segment, act) => {
    const i = ends[segment], j = i + 1;
    boxTiles(tiles, Math.min(x[i], x[j]), Math.min(y[i], y[j]), Math.max(x[i], x[j]), Math.max(y[i], y[j]), act);
  };
  for (let segment = 0; segment < ends.length; segment++) each(segment, (tile) => starts[tile + 1]++);
  for (let tile = 0; tile < columns * rows; tile++) starts[tile + 1] += starts[tile];
  const next = starts.slice();
  tiles.items = new Uint32Array(starts[columns * rows]);
  for (let segment = 0; segment < ends.length; segment++) each(segment, (tile) => (tiles.items[next[tile]++] = segment));
  return tiles;
}

function boxTiles({ left, bottom, side, columns, rows }, x0, y0, x1, y1, act) {
  const first = Math.max(Math.floor((x0 - left) / side), 0), last = Math.min(Math.floor((x1 - left) / side), columns - 1);
  const low = Math.max(Math.floor((y0 - bottom) / side), 0), high = Math.min(Math.floor((y1 - bottom) / side), rows - 1);
  for (let row = low; row <= high; row++) for (let column = first; column <= last; column++) act(row * columns + column);
}

/* Visit the segments of every tile that a box touches, some of them more than once. */
function visit(tiles, x0, y0, x1, y1, act) {
  boxTiles(tiles, x0, y0, x1, y1, (tile) => {
    for (let at = tiles.starts[tile]; at < tiles.starts[tile + 1]; at++) act(tiles.items[at]);
  });
}

function shareAlong(ax, ay, dx, dy, x, y) {
  const squared = dx * dx + dy * dy;
  return squared ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / squared, 0), 1) : 0;
}

function distance(ax, ay, bx, by, x, y) {
  const share = shareAlong(ax, ay, bx - ax, by - ay, x, y);
  return Math.hypot(ax + share * (bx - ax) - x, ay + share * (by - ay) - y);
}

/* Whether two segments meet. */
function meet(ax, ay, bx, by, cx, cy, dx, dy) {
  const side = (px, py, qx, qy, rx, ry) => Math.sign((qx - px) * (ry - py) - (qy - py) * (rx - px));
  const c = side(ax, ay, bx, by, cx, cy), d = side(ax, ay, bx, by, dx, dy);
  const a = side(cx, cy, dx, dy, ax, ay), b = side(cx, cy, dx, dy, bx, by);
  return c * d <= 0 && a * b <= 0 && (c !== 0 || d !== 0);
}

/* Whether a place is inside the areas among the barriers: an odd number of rings lies around it. */
function inArea({ x, y, starts, areas }, px, py) {
  let inside = false;
  for (let ring = 0; ring < areas.length; ring++) {
    if (!areas[ring]) continue;
    for (let i = starts[ring]; i < starts[ring + 1] - 1; i++) {
      if (y[i] > py !== y[i + 1] > py && px < x[i] + ((py - y[i]) / (y[i + 1] - y[i])) * (x[i + 1] - x[i])) inside = !inside;
    }
  }
  return inside;
}
