/* What if there were a venue here: whom pins newly cover, by the page's own roads and the rule of a target.
   A pin stands for a venue of a service; like any venue it joins the roads by a leg that may take its share of the
   limit, and residents who are not on the roads do not gain by it. */

import { STATUS, STEPS_PER_SECOND, legBound } from "./page_years.js";
import { NEVER } from "./roads.js";
import { Snapper } from "./snapping.js";

const NOISE_S = 1e-6; // a limit is inclusive, up to the noise of floating point

/* {route}: the what-if of a page; nothing where none of its targets was searched on roads that the page holds. */
export function openRoute(read) {
  const asked = read.data.years.some(({ targets }) => targets.some(({ answers }) => answers && answers.factor !== null));
  return asked ? { route: new Route(read) } : {};
}

/* The services that a target's rule counts: those that have a venue, or all of the rule's where none has one yet. */
export function servicesOf({ serviceIds }, { services, answers }) {
  if (services.length || !answers) return services.map((service) => serviceIds[service]);
  return [...new Set(answers.classes.flatMap((one) => one.services))].sort();
}

class Route {
  constructor({ data, years, column, search }) {
    Object.assign(this, { data, years, column, search });
    this.snapper = null;
    this.found = { times: new Int32Array(0), venues: new Int32Array(0) };
    this.reached = this.have = new Uint8Array(0);
  }

  /* Whether a target can be asked about in a year: its own travel is along the page's roads. */
  can({ year, target }) {
    const one = this.years.find(({ entry }) => entry.year === Number(year))?.entry.targets.find(({ id }) => id === target);
    return Boolean(one && one.answers && one.answers.factor !== null && one.answers.classes.length);
  }

  /* Do now what the first pin would wait for. */
  warm() {
    this.snapper ??= new Snapper(this.search().roads, this.column);
  }

  question(year, target) {
    if (!this.can({ year, target })) throw new RangeError(`no what-if for target ${target} in ${year}`);
    const opened = this.years.find(({ entry }) => entry.year === Number(year));
    const now = opened.entry.targets.find(({ id }) => id === target);
    return { year: opened, now, answers: opened.answers(now), homes: opened.homes(), factor: now.answers.factor };
  }

  /* Where a place joins the roads. */
  snap(lon, lat) {
    this.warm();
    return this.snapper.snap(lon, lat);
  }

  /* The pins as venues, and of each class of the rule those that count for it. */
  venuesOf({ year, now, factor }, pins) {
    const [first] = servicesOf(year.entry, now);
    const allowed = legBound(this.data.roads, now, factor);
    const snapped = pins.map(({ lon, lat }) => this.snap(lon, lat));
    const places = { edge: [], along: [], leg: [] };
    for (const { ok, edge, along, leg } of snapped) {
      places.edge.push(ok && allowed(leg) ? edge : -1);
      places.along.push(along);
      places.leg.push(leg);
    }
    const members = now.answers.classes.map(({ services }) => pins.flatMap(({ service }, pin) =>
      places.edge[pin] >= 0 && services.includes(service ?? first) ? [pin] : []));
    return { places, members };
  }

  /* Times of all homes to one pin, in arrays that the next call writes over. */
  timesTo(homes, places, pin, bound) {
    const count = homes.edge.length;
    if (this.found.times.length !== count) this.found = { times: new Int32Array(count), venues: new Int32Array(count) };
    const { rate, unitMetres } = this.data.roads;
    const slack = Math.ceil(rate * unitMetres); // lines stand to a unit: who faces a pin across a one-way street stays there
    return this.search().find(homes, places, [pin], { bound, slack, out: this.found }).times;
  }

  /* Newly covered people, their cells in ascending order, and how many they are by district, most first. Covered is
     who has, of every class of the rule, as many venues within the limit as it asks for, pins among them. */
  whatIf({ year, target, pins }) {
    const question = this.question(year, target);
    const { now, answers, homes, factor } = question;
    const { places, members } = this.venuesOf(question, pins);
    const bound = Math.floor(((60 * now.minutes + NOISE_S) * this.data.roads.perSecond) / factor);
    const lastStep = (60 * now.minutes + NOISE_S) * STEPS_PER_SECOND;
    const { status, steps } = answers;
    if (this.reached.length !== status.length) {
      this.reached = new Uint8Array(status.length);
      this.have = new Uint8Array(status.length);
    }
    const { reached, have } = this; // how many classes hold, and how many venues of a class are near, at each cell
    reached.fill(0);
    steps.forEach((ranks, which) => {
      have.fill(0);
      for (const rank of ranks) for (let i = 0; i < have.length; i++) if (rank[i] >= 0 && rank[i] <= lastStep) have[i]++;
      for (const pin of members[which]) {
        const times = this.timesTo(homes, places, pin, bound);
        for (let i = 0; i < have.length; i++) if (times[i] >= 0 && have[i] < ranks.length) have[i]++;
      }
      for (let i = 0; i < have.length; i++) if (have[i] === ranks.length) reached[i]++;
    });
    const cells = [];
    let heads = 0;
    for (let i = 0; i < status.length; i++) {
      if (reached[i] < steps.length || (status[i] !== STATUS.beyond && status[i] !== STATUS.disconnected)) continue;
      cells.push(i);
      heads += answers.heads[i];
    }
    return { people: heads / answers.per, cells, districts: this.byDistrict(question, cells) };
  }

  byDistrict({ year, answers }, cells) {
    const { district, districtCode } = year.cells();
    const rows = new Map();
    for (const cell of cells) {
      const code = districtCode(cell);
      if (!rows.has(code)) rows.set(code, { code, name: district(cell), heads: 0 });
      rows.get(code).heads += answers.heads[cell];
    }
    return [...rows.values()]
      .sort((a, b) => b.heads - a.heads || (a.code < b.code ? -1 : 1))
      .map(({ code, name, heads }) => ({ code, name, people: heads / answers.per }));
  }

  /* The rule's seconds per cell with the pins in place, NaN where there is no way or no road near. */
  times({ year, target, pins }) {
    const question = this.question(year, target);
    const { now, answers, homes, factor } = question;
    const { places, members } = this.venuesOf(question, pins);
    const { bucket, steps } = answers;
    const seconds = new Float64Array(bucket.length);
    steps.forEach((ranks, which) => {
      const more = members[which].map((pin) => this.timesTo(homes, places, pin, NEVER - 1).slice());
      for (let i = 0; i < bucket.length; i++) {
        const own = [];
        if (bucket[i] === STATUS.unsnapped) seconds[i] = NaN;
        for (const rank of ranks) if (rank[i] >= 0) own.push(rank[i] / STEPS_PER_SECOND);
        for (const times of more) if (times[i] >= 0) own.push((times[i] * factor) / this.data.roads.perSecond);
        own.sort((a, b) => a - b);
        seconds[i] = Math.max(seconds[i], own.length < ranks.length ? NaN : own[ranks.length - 1]);
      }
    });
    return seconds;
  }

  /* What the rule still lacks at a cell: of each class that is short, how many it asks for and has within the limit,
     and the seconds to the last one it asks for, NaN where there is none. */
  lacks(year, target, cell) {
    const { now, answers } = this.question(year, target);
    const lastStep = (60 * now.minutes + NOISE_S) * STEPS_PER_SECOND;
    return now.answers.classes.flatMap((one, which) => {
      const ranks = answers.steps[which];
      const have = ranks.filter((rank) => rank[cell] >= 0 && rank[cell] <= lastStep).length;
      const last = ranks[ranks.length - 1][cell];
      if (have >= ranks.length) return [];
      return [{ class: one.name, name: one.text, count: ranks.length, have, seconds: last < 0 ? NaN : last / STEPS_PER_SECOND }];
    });
  }
}
