/* Draws the way that is walked: from the resident under the pointer or of a gap to the venue that decides, and thinner
   to the other venues that the rule asks for. */

import { page, here, target, targetIn } from "./selection.js";
import { gapCells } from "./colours.js";
import { once } from "./page_years.js";
import { Ways } from "./walked_way.js";

const SLACK = 1.02; // of the time that the run has: the page's own differs by rounding
let drawnFor = "", heading = 0;
const ways = once(() => new Ways(page.route().search()));

/* The venues to which ways lead, those of the rule's classes where the page holds them: [venue, seconds]; the slowest last. */
function venuesOf(answers, cell) {
  const lasts = answers.lasts.flatMap((last, which) => {
    const ranks = answers.steps[which], step = ranks[ranks.length - 1][cell];
    return last && last[cell] && step >= 0 ? [[last[cell] - 1, step / 20]] : [];
  });
  const deciding = answers.nearest[cell] ? [[answers.nearest[cell] - 1, answers.seconds[cell]]] : [];
  return (lasts.length ? lasts : deciding).filter(([, seconds]) => !Number.isNaN(seconds)).sort((a, b) => a[1] - b[1]);
}

/* The ways of a cell: [places on the roads, venue], the slowest last; none where the page cannot search them. */
export function waysOf(year, cell) {
  const now = targetIn(year), route = page.route();
  if (!now || !page.data.roads || !route || !route.can({ year: year.entry.year, target: now.id })) return [];
  const answers = year.answers(now), { perSecond } = page.data.roads;
  return venuesOf(answers, cell).flatMap(([venue, seconds]) => {
    const bound = Math.ceil((seconds / now.answers.factor) * perSecond * SLACK) + perSecond;
    const found = ways().find(year.homes(), cell, year.venues(), venue, bound);
    return found ? [{ ...found, venue }] : [];
  });
}

export function clearWay() {
  [drawnFor, heading] = ["", 0];
  page.layers.way.clearLayers();
}

/* Degrees by which the middle of what is drawn lies east of where it starts; 0 for no way. */
export const wayAhead = () => heading;

export function showWay(year, cell) {
  const key = [year.entry.year, target().id, cell].join();
  if (key === drawnFor) return;
  clearWay();
  drawnFor = key;
  const cells = year.cells(), facilities = year.facilities();
  const all = waysOf(year, cell), lons = all.flatMap(({ places }) => places.map(([, lon]) => lon));
  if (lons.length) heading = lons.reduce((sum, lon) => sum + lon, 0) / lons.length - cells.lon[cell];
  all.forEach(({ places, venue }, i) => {
    const strong = i === all.length - 1;
    const line = (latlngs, style) => page.layers.way.addLayer(L.polyline(latlngs, { pane: "lc-way", interactive: false, className: "lc-way", lineCap: "round", ...style }));
    const legs = [[[cells.lat[cell], cells.lon[cell]], places[0]], [places[places.length - 1], [facilities.lat[venue], facilities.lon[venue]]]];
    line(places, { color: "#ffffff", weight: strong ? 7 : 4.5, opacity: 0.9 });
    for (const leg of legs) line(leg, { color: "#12304a", weight: strong ? 2.5 : 1.5, dashArray: "3 5" });
    line(places, { color: "#12304a", weight: strong ? 3.5 : 1.8 });
  });
}

/* The way of a gap: that of its resident at the place where it is marked. */
export function showGapWay(number) {
  const gap = target().gaps[number], year = here(), members = gap.at && page.data.roads && page.route() ? gapCells(year)?.[number] : null;
  if (!members?.length) return;
  const cells = year.cells();
  const away = (cell) => (cells.placed[cell] ? Math.hypot(cells.lat[cell] - gap.at[0], cells.lon[cell] - gap.at[1]) : Infinity);
  showWay(year, members.reduce((a, b) => (away(b) < away(a) ? b : a)));
}
