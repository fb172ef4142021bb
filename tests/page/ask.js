// Answers questions on a page's data: node ask.js DATA QUESTIONS, where DATA is the text of the page's element and
// QUESTIONS a file of JSON. What is no number is null.

import fs from "node:fs";
import { openContainer, unpackText } from "../../coverage/lifecircle/atlas/page/unpacking.js";
import { readData } from "../../coverage/lifecircle/atlas/page/page_years.js";
import { openRoute } from "../../coverage/lifecircle/atlas/page/route.js";
import { collection } from "../../coverage/lifecircle/atlas/page/pin_export.js";

import { gapMembers } from "../../coverage/lifecircle/atlas/page/gap_members.js";
import { Ways } from "../../coverage/lifecircle/atlas/page/walked_way.js";

const [data, questions] = process.argv.slice(2);
const read = readData(openContainer(await unpackText(fs.readFileSync(data, "utf-8"))));
const { route } = openRoute(read);
const plain = (numbers) => Array.from(numbers, (value) => (Number.isNaN(value) ? null : value));

const KINDS = {
  answers({ year, target }) {
    const opened = read.years.find(({ entry }) => entry.year === year);
    const { minutes, status, bucket, nearest, people, steps } = opened.answers(opened.entry.targets.find(({ id }) => id === target));
    return { minutes: plain(minutes), status: plain(status), bucket: plain(bucket), nearest: plain(nearest),
      people: plain(people), steps: steps.map((ranks) => ranks.map(plain)) };
  },
  whatIf: (question) => route.whatIf(question),
  survey: (question) => route.survey(question),
  collection: ({ pins }) => collection(pins),
  times: (question) => plain(route.times(question)),
  lacks: ({ year, target, cell }) => route.lacks(year, target, cell),
  snap: ({ lon, lat }) => route.snap(lon, lat),
  can: (question) => Boolean(route) && route.can(question),
  column: ({ name }) => plain(read.column(name)),
  ways({ year, target, cells }) { // to the venue that decides
    const opened = read.years.find(({ entry }) => entry.year === year);
    const { nearest } = opened.answers(opened.entry.targets.find(({ id }) => id === target));
    const ways = new Ways(read.search());
    return cells.map((cell) => (nearest[cell] ? ways.find(opened.homes(), cell, opened.venues(), nearest[cell] - 1, 2 ** 29) : null));
  },
  gaps({ year, target, group }) { // people of each gap
    const opened = read.years.find(({ entry }) => entry.year === year), now = opened.entry.targets.find(({ id }) => id === target);
    const answers = opened.answers(now), cells = opened.cells(), people = group ? cells.groups[group]() : answers.people;
    return gapMembers(cells, answers, now.gaps).map((mine) => mine.reduce((sum, cell) => sum + people[cell], 0) / 10);
  },
  lines() {
    const { x, y, sizes } = read.roadLines();
    return { x: plain(x), y: plain(y), sizes: plain(sizes) };
  },
};

const asked = JSON.parse(fs.readFileSync(questions, "utf-8"));
process.stdout.write(JSON.stringify(asked.map(({ kind, ...question }) => KINDS[kind](question))));
