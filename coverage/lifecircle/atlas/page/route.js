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

  /* The pins as venues, and of each class of the rule how many of them each pin holds. `whys`: why a pin counts for
     nobody, "" where it may: no road within the cap, a barrier before it, a leg over its share of the limit, or no
     service that the rule counts. */
  venuesOf({ year, now, factor }, pins) {
    const [first] = servicesOf(year.entry, now);
    const allowed = legBound(this.data.roads, now, factor);
    const snapped = pins.map(({ lon, lat }) => this.snap(lon, lat));
    const held = pins.map(({ service }) => new Set((service ?? first ?? "").split(";")));
    const holds = now.answers.classes.map(({ services }) => held.map((mine) => services.filter((one) => mine.has(one)).length));
    const places = { edge: [], along: [], leg: [] }, whys = [];
    snapped.forEach(({ ok, edge, along, leg, legMetres }, pin) => {
      const why = !ok ? (Number.isNaN(legMetres) ? "far" : "barrier") : !allowed(leg) ? "leg" : holds.some((counts) => counts[pin]) ? "" : "service";
      whys.push(why);
      places.edge.push(ok && allowed(leg) ? edge : -1);
      places.along.push(along);
      places.leg.push(leg);
    });
    const members = holds.map((counts) => counts.flatMap((count, pin) => (count && places.edge[pin] >= 0 ? [[pin, count]] : [])));
    return { places, members, whys, snapped };
  }

  /* Times of all homes to one pin, in arrays that the next call writes over. */
  timesTo(homes, places, pin, bound) {
    const count = homes.edge.length;
    if (this.found.times.length !== count) this.found = { times: new Int32Array(count), venues: new Int32Array(count) };
    const { rate, unitMetres } = this.data.roads;
    const slack = Math.ceil(rate * unitMetres); // lines stand to a unit: who faces a pin across a one-way street stays there
    return this.search().find(homes, places, [pin], { bound, slack, out: this.found }).times;
  }

  /* Newly covered people, their cells in ascending order, and how many they are by district, most first. */
  whatIf(question) {
    const { people, cells } = this.survey(question);
    return { people, cells, districts: this.byDistrict(this.question(question.year, question.target), cells) };
  }

  /* What pins bring: people newly covered, their cells in ascending order, and of each pin why it counts for nobody, or
     the people within its reach: all, covered before, newly covered, those still short of the rule, and what most of
     these lack. Covered is who has, of every class of the rule, as many venues within the limit as it asks for, pins
     among them. `limit` (minutes), `speed` (times are divided by it) and `status` are those of a trial; `group` tenths of people. */
  survey({ year, target, pins, limit, speed = 1, status, group }) {
    const question = this.question(year, target);
    const { now, answers, homes, factor } = question;
    const { places, members, whys, snapped } = this.venuesOf(question, pins);
    const most = (60 * (limit ?? now.minutes) + NOISE_S) * speed; // seconds
    const times = pins.map((_, pin) => (members.some((mine) => mine.some(([one]) => one === pin))
      ? this.timesTo(homes, places, pin, Math.floor((most * this.data.roads.perSecond) / factor)).slice() : null));
    const short = this.short(answers, members, times, most * STEPS_PER_SECOND);
    const standing = status ?? answers.status, counted = group ? { heads: group, per: 10 } : answers;
    const cells = [];
    let heads = 0;
    for (let i = 0; i < standing.length; i++) {
      if (standing[i] !== STATUS.beyond && standing[i] !== STATUS.disconnected) continue;
      if (short.some((lacks) => lacks[i]) || (group && !group[i])) continue;
      cells.push(i);
      heads += counted.heads[i];
    }
    const each = pins.map((_, pin) => ({ why: whys[pin], legMetres: snapped[pin].legMetres,
      ...(times[pin] ? this.reached(now, counted, times[pin], standing, short) : null) }));
    return { people: heads / counted.per, cells, each };
  }

  /* Of each class, how many venues every cell still lacks with the pins in place. */
  short({ steps, status }, members, times, lastStep) {
    return steps.map((ranks, which) => {
      const lacks = new Uint8Array(status.length).fill(ranks.length);
      for (const rank of ranks) for (let i = 0; i < lacks.length; i++) if (rank[i] >= 0 && rank[i] <= lastStep) lacks[i]--;
      for (const [pin, count] of members[which]) {
        const mine = times[pin];
        for (let i = 0; i < lacks.length; i++) if (mine[i] >= 0) lacks[i] = Math.max(lacks[i] - count, 0);
      }
      return lacks;
    });
  }

  /* The people within reach of a pin, by where they stand. */
  reached(now, { heads: people, per }, times, standing, short) {
    const sums = { all: 0, before: 0, newly: 0, left: 0 }, kinds = new Map();
    for (let i = 0; i < times.length; i++) {
      if (times[i] < 0 || !standing[i] || standing[i] === STATUS.unsnapped) continue;
      const heads = people[i];
      sums.all += heads;
      if (standing[i] === STATUS.covered) sums.before += heads;
      else if (short.every((lacks) => !lacks[i])) sums.newly += heads;
      else {
        const kind = short.map((lacks) => lacks[i]).join();
        kinds.set(kind, (kinds.get(kind) ?? 0) + heads);
        sums.left += heads;
      }
    }
    const [kind, heads] = [...kinds].sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
    const lacks = now.answers.classes.map(({ name, text }, which) => ({ class: name, name: text, count: Number(kind.split(",")[which] || 0) }));
    return { all: sums.all / per, before: sums.before / per, newly: sums.newly / per, left: sums.left / per,
      lacking: heads / per, lacks: lacks.filter(({ count }) => count) };
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
      const more = members[which].flatMap(([pin, count]) => Array(count).fill(this.timesTo(homes, places, pin, NEVER - 1).slice()));
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
