/* Reads the page's data: for each year the residents, the facilities, the villages and every resident's answer, each
   when it is first asked for; and the roads. */

import { openContainer, unpackText } from "./unpacking.js";
import { Search, openLines, openRoads, project } from "./roads.js";

export const CLASSES = ["covered", "beyond_0", "beyond_1", "beyond_2", "disconnected", "unsnapped", "uncounted"];
export const STATUS = { covered: 1, beyond: 2, disconnected: 3, unsnapped: 4 }; // places in data.statuses
export const COUNTED = 8; // added to the bucket of a resident whom a target counts
export const STEPS_PER_SECOND = 20; // times stand in steps of 0.05 s

/* Places: 0 to 1 over the world in web mercator, as the canvases use them. */
export const across = (lon) => lon / 360 + 0.5;
export const down = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);

export const once = (make) => {
  let made;
  return () => (made === undefined ? (made = make()) : made);
};

/* Read what stands in a document. The columns of its data are numbers under their names: `column(name)`. */
export async function readPage(document) {
  const text = document.getElementById("lifecircle-data").textContent;
  return readData(openContainer(await unpackText(text)));
}

export function readData({ data, column }) {
  const lines = once(() => (data.roads ? openLines(data.roads, column) : null));
  const search = once(() => (data.roads && data.roads.profile ? new Search(openRoads(lines(), column)) : null));
  const reader = { data, column, search };
  const numbers = (name) => Float64Array.from(column(name));
  return {
    ...reader,
    years: data.years.map((entry) => openYear(reader, entry)),
    roadLines: once(() => drawnLines(lines(), column)),
    plain: numbers,
    running: numbers,
  };
}

/* The roads' lines as canvases draw them: every vertex, how many each line has and where its first one is, and its rank. */
function drawnLines(lines, column) {
  if (!lines) return null;
  const { header, edges, starts, x, y } = lines;
  const place = [0, 0];
  const drawn = { x: new Float64Array(x.length), y: new Float64Array(x.length), sizes: new Uint32Array(edges), starts,
    rank: header.columns.rank ? column(header.columns.rank) : new Uint8Array(edges) };
  for (let edge = 0; edge < edges; edge++) drawn.sizes[edge] = starts[edge + 1] - starts[edge];
  for (let i = 0; i < x.length; i++) {
    project(header.toDegrees, x[i] * header.unitMetres, y[i] * header.unitMetres, place);
    drawn.x[i] = across(place[0]);
    drawn.y[i] = down(place[1]);
  }
  return drawn;
}

function openYear({ data, column, search }, entry) {
  const points = (packed) => {
    const degrees = (name) => Float64Array.from(column(name), (value) => value / data.places);
    const lon = degrees(packed.lon), lat = degrees(packed.lat);
    return { count: packed.count, lon, lat, x: lon.map(across), y: lat.map(down), placed: column(packed.placed) };
  };
  const labels = (packed, list) => {
    if (!packed) return () => "";
    const values = column(packed.values), names = data.lists[packed[list]];
    return (cell) => (values[cell] ? names[values[cell] - 1] : "");
  };
  const places = (packed) => packed && { edge: column(packed.edge), along: column(packed.along), leg: column(packed.leg) };
  const cells = once(() => ({
    ...points(entry.cells),
    district: labels(entry.cells.district, "names"),
    districtCode: labels(entry.cells.district, "codes"),
    village: labels(entry.cells.village, "names"),
    villageCode: labels(entry.cells.village, "codes"),
    groups: Object.fromEntries(Object.entries(entry.cells.groups).map(([name, { per, people }]) =>
      [name, once(() => Float64Array.from(column(people), (parts) => (10 * parts) / per))])), // tenths, as people are
    urban: entry.cells.urban ? column(entry.cells.urban) : null,
    larger: entry.cells.sides ? column(entry.cells.sides.values) : null, // 0 for a cell as small as they are merged to
  }));
  const facilities = once(() => ({
    ...points(entry.facilities),
    service: column(entry.facilities.service),
    opened: column(entry.facilities.opened),
    key: entry.facilities.key ? column(entry.facilities.key) : null, // one number for one venue in every year
    names: data.lists[entry.facilities.names],
  }));
  const villages = once(() => ({
    ...points(entry.villages),
    names: data.lists[entry.villages.names],
    codes: data.lists[entry.villages.codes],
    districts: data.lists[entry.villages.districts],
  }));
  const units = new Map(entry.targets.map(({ id, units: own }) => [id, once(() => own && {
    ...points(own.points), entry: own, states: own.states, names: data.lists[own.names], districts: data.lists[own.districts],
    lacks: new Map(own.without.map(([unit, lacks, people]) => [unit, { lacks, people }])),
  })]));
  const homes = once(() => places(entry.cells.roads));
  const venues = once(() => places(entry.facilities.roads));
  const reader = { data, column, search, homes, venues };
  const answers = new Map(entry.targets.map((target) => [target.id, once(() => openAnswers(reader, entry, target))]));
  return { entry, cells, facilities, villages, homes, venues, units: (target) => units.get(target.id)(), answers: (target) => answers.get(target.id)() };
}

/* Each resident's answer. `steps`: of each class of the rule, of each rank, the time to that venue in steps of 0.05 s,
   -1 where there is none; `lasts`: the last of these venues. `heads` are people in parts, `per` of which are one person. */
function openAnswers(reader, entry, target) {
  const answers = target.answers;
  if (!answers) return null;
  const { column, data } = reader;
  const count = entry.cells.count;
  const standing = column(answers.standing), placed = column(entry.cells.placed), heads = column(answers.people);
  const bucket = standing.map((code) => code % COUNTED);
  const status = standing.map((code) => (code >= COUNTED ? code % COUNTED : 0));
  const { steps, nearest, lasts } = openTimes(reader, target, bucket);
  const rule = ruleSteps(steps.length ? steps.map((ranks) => ranks[ranks.length - 1]) : [shifted(column(answers.steps))]);
  const seconds = Float64Array.from(rule, (step) => (step < 0 ? NaN : step / STEPS_PER_SECOND));
  const minutes = Float64Array.from(rule, (step) => (step < 0 ? NaN : step / (60 * STEPS_PER_SECOND)));
  const classes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    if (status[i] === STATUS.covered) classes[i] = 0;
    else if (status[i] === STATUS.beyond) {
      const over = minutes[i] - target.minutes;
      classes[i] = over <= data.overBreaks[0] ? 1 : over <= data.overBreaks[1] ? 2 : 3;
    } else classes[i] = status[i] === STATUS.disconnected ? 4 : status[i] === STATUS.unsnapped ? 5 : 6;
  }
  const order = CLASSES.map(() => []); // the residents of each class that have a place
  for (let i = 0; i < count; i++) if (placed[i]) order[classes[i]].push(i);
  const people = Float64Array.from(heads, (parts) => (10 * parts) / answers.per); // tenths
  return { minutes, seconds, status, bucket, classes, order, people, heads, per: answers.per, nearest, steps, lasts };
}

const shifted = (kept) => Int32Array.from(kept, (step) => step - 1);

/* The longest of the times of the classes, -1 where a class has none. */
function ruleSteps(lasts) {
  return lasts[0].map((step, i) => {
    for (const last of lasts) {
      if (last[i] < 0) return -1;
      if (last[i] > step) step = last[i];
    }
    return step;
  });
}

/* The times class by class, the last venue asked of each class (null where it is not known) and the venue that decides
   (1 more than its place, 0 for none): as they stand, or as the page's own search finds them with what the run's differ
   by. */
function openTimes({ column, data, search, homes, venues }, target, bucket) {
  const answers = target.answers;
  const kept = answers.classes.map((one) => one.steps.map(column));
  const differs = Int32Array.from(column(answers.nearest));
  const ends = answers.classes.map((one) => (one.last === null ? null : Int32Array.from(column(one.last))));
  if (answers.factor === null) return { steps: kept.map((ranks) => ranks.map(shifted)), nearest: differs, lasts: ends };
  const slowest = new Int32Array(bucket.length).fill(-1), who = new Int32Array(bucket.length).fill(-1);
  const lacking = new Uint8Array(bucket.length);
  const lasts = [];
  const steps = answers.classes.map((one, which) => {
    const members = membersOf(column(one.venues), venues(), legBound(data.roads, target, answers.factor));
    const k = one.steps.length;
    const found = search().find(homes(), venues(), members, { k });
    for (let i = 0; i < bucket.length; i++) {
      const time = found.times[i * k + k - 1];
      if (time < 0) lacking[i] = 1;
      else if (time > slowest[i]) {
        slowest[i] = time;
        who[i] = found.venues[i * k + k - 1];
      }
    }
    lasts.push(ends[which] && ends[which].map((more, i) => (bucket[i] === STATUS.unsnapped ? more : found.venues[i * k + k - 1] + 1 + more)));
    return kept[which].map((differences, rank) => Int32Array.from(differences, (more, i) =>
      more + (bucket[i] === STATUS.unsnapped ? -1 : foundSteps(data.roads, found.times[i * k + rank], answers.factor))));
  });
  const nearest = differs.map((more, i) => (bucket[i] === STATUS.unsnapped ? more : (lacking[i] ? 0 : who[i] + 1) + more));
  return { steps, nearest, lasts };
}

/* A time of the page's own search in steps, at a speed so many times slower. */
const foundSteps = ({ perSecond }, hundredths, factor) =>
  hundredths < 0 ? -1 : Math.floor((hundredths * factor) / (perSecond / STEPS_PER_SECOND) + 0.5);

/* Whether a leg, in hundredths of a second, is no more than its share of the target's limit. */
export const legBound = ({ legShare, perSecond }, { minutes }, factor) => (leg) =>
  leg * factor <= legShare * 60 * minutes * perSecond;

function membersOf(mask, venues, allowed) {
  const members = [];
  for (let i = 0; i < mask.length; i++) if (mask[i] && venues.edge[i] >= 0 && allowed(venues.leg[i])) members.push(i);
  return members;
}
