/* Finds places fast: an index of points over a square grid, asked for a box or for the nearest. */

const PER_TILE = 24; // points a tile on average: fewer cost more tiles to visit, more cost more points to test

/* Sort the placed points into tiles: `starts[tile]` to `starts[tile + 1]` are the places of its points in `items`. */
export function indexPoints({ x, y, placed, count }) {
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity, placedCount = 0;
  for (let i = 0; i < count; i++) {
    if (!placed[i]) continue;
    placedCount++;
    if (x[i] < left) left = x[i];
    if (x[i] > right) right = x[i];
    if (y[i] < top) top = y[i];
    if (y[i] > bottom) bottom = y[i];
  }
  if (!placedCount) return { columns: 0, rows: 0, starts: new Uint32Array(1), items: new Uint32Array(0) };
  const extent = Math.max(right - left, bottom - top) || 1e-12;
  const side = extent / Math.max(1, Math.ceil(Math.sqrt(placedCount / PER_TILE)));
  const columns = Math.floor((right - left) / side) + 1, rows = Math.floor((bottom - top) / side) + 1;
  const tileOf = (i) => Math.floor((y[i] - top) / side) * columns + Math.floor((x[i] - left) / side);
  const starts = new Uint32Array(columns * rows + 1);
  for (let i = 0; i < count; i++) if (placed[i]) starts[tileOf(i) + 1]++;
  for (let tile = 0; tile < columns * rows; tile++) starts[tile + 1] += starts[tile];
  const next = starts.slice();
  const items = new Uint32Array(placedCount);
  for (let i = 0; i < count; i++) if (placed[i]) items[next[tileOf(i)]++] = i;
  return { left, top, side, columns, rows, starts, items };
}

/* Visit the points of every tile that a box touches: all inside it, and some near it. */
export function visitBox(index, box, visit) {
  if (!index.columns) return;
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  if (box.right < index.left || box.bottom < index.top) return;
  const first = within(Math.floor((box.left - index.left) / index.side), index.columns);
  const last = within(Math.floor((box.right - index.left) / index.side), index.columns - 1);
  const above = within(Math.floor((box.top - index.top) / index.side), index.rows);
  const below = within(Math.floor((box.bottom - index.top) / index.side), index.rows - 1);
  for (let row = above; row <= below; row++) {
    const tile = row * index.columns;
    if (first > last) continue;
    for (let at = index.starts[tile + first]; at < index.starts[tile + last + 1]; at++) visit(index.items[at]);
  }
}

/* Give the wanted point nearest to a place within a bound; on ties the lowest; -1 where there is none. */
export function nearestPoint(index, { x, y }, place, bound, wanted) {
  let best = -1, least = bound * bound;
  const box = { left: place.x - bound, right: place.x + bound, top: place.y - bound, bottom: place.y + bound };
  visitBox(index, box, (i) => {
    const apart = (x[i] - place.x) ** 2 + (y[i] - place.y) ** 2;
    if (apart > least || (apart === least && best >= 0 && i > best) || !wanted(i)) return;
    best = i;
    least = apart;
  });
  return best;
}

/* Return which part of the indexed area a box covers: 1 where it covers all of it. */
export function shareOf(index, box) {
  if (!index.columns) return 1;
  const wide = index.columns * index.side, high = index.rows * index.side;
  const over = (low, high, start, length) => Math.max(0, Math.min(high, start + length) - Math.max(low, start)) / length;
  return over(box.left, box.right, index.left, wide) * over(box.top, box.bottom, index.top, high);
}
