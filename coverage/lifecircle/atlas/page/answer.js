/* Answers ahead of every control: is it met, where are the gaps, where next; a sentence each. */

import { page, here, onTrial, target } from "./selection.js";
import { area, groupName, villageInArea } from "./area.js";
import { districtRows, standingIn, villagesIn } from "./colours.js";
import { changeSentence } from "./compared.js";
import { byId, element, named, peopleText, sentence } from "./nodes.js";
import { numbered } from "./gap_list.js";
import { plansShown } from "./plan_layer.js";
import { unitsWithout } from "./unit_list.js";

const MOST = { districts: 2, gaps: 3, units: 3 };

/* Join places as a list: 百步镇（123 人）、通元镇（45 人）. */
function listed(places, more = false) {
  const parts = places.flatMap((place, i) => (i ? [page.words.lacks_and, ...place] : place));
  return more ? sentence(page.words.answer_more, { places: parts }) : parts;
}

const peopled = (name, people) => sentence(page.words.answer_place, { name: [named(name)], people });
const valued = (one) => sentence(page.words.answer_value, { name: [named(one.name)], value: one.rate });

/* Whether it is met: value, goal and verdict, and the year before. */
function met({ value, verdict, before }) {
  const now = target(), { words } = page;
  const facts = { goal: now.goalText, value, verdict, reason: now.reason };
  const said = sentence(!now.computed ? words.answer_none : now.goalText ? words.answer_goal : words.answer_no_goal, facts);
  const mine = area(), group = groupName();
  const of = [...(mine ? [named(mine.name)] : []), ...(mine && group ? [" · "] : []), ...(group ? [group] : [])];
  const placed = of.length ? sentence(words.answer_in, { area: of, sentence: said }) : said;
  return sentence(before ? words.answer_before : words.answer_alone, { sentence: placed, before });
}

function whereUnits() {
  const units = here().units(target()), { words } = page;
  const without = unitsWithout();
  const facts = { unit: units.entry.title, count: String(without.length) };
  if (!without.length) return units.entry.unit === "county" ? null : sentence(words.answer_units_none, facts);
  const places = without.slice(0, MOST.units).map(({ i }) => [named(units.names[i])]);
  return sentence(words.answer_units, { ...facts, places: listed(places, without.length > MOST.units) });
}

/* What the area is made of, with the people uncovered: the districts, or the villages of a town; a village has no parts. */
function parts() {
  const mine = area();
  if (!mine) return districtRows().map((one) => ({ name: one.name, people: one.own ? one.leftPeople : one.left }));
  if (mine.village >= 0 || !standingIn(here())) return [];
  const sums = villagesIn(here()), { names } = here().villages();
  return names.map((name, i) => ({ name, people: villageInArea(i) ? sums.total[i] - sums.covered[i] : 0 }));
}

/* Where the gaps are: most people, units without, or the span of the districts' values. */
function where({ uncovered, data }) {
  const now = target(), { words } = page;
  if (now.units) return whereUnits();
  if (uncovered !== null) {
    if (uncovered === "0") return [words.answer_everybody];
    const worst = parts().filter((one) => one.people > 0).sort((a, b) => b.people - a.people).slice(0, MOST.districts);
    if (!worst.length) return sentence(data === "0" ? words.answer_people_alone : words.answer_people_alone_data, { people: uncovered, data });
    const places = listed(worst.map((one) => peopled(one.name, peopleText(one.people))));
    return sentence(data === "0" ? words.answer_people : words.answer_people_data, { people: uncovered, data, places });
  }
  if (area()) return null;
  const known = now.districts.filter((one) => one.value !== null).sort((a, b) => a.value - b.value);
  return known.length > 1 ? sentence(words.answer_span, { low: valued(known[0]), high: valued(known[known.length - 1]) }) : null;
}

/* Where next: a siting plan, the largest gaps, or who is in charge. */
function next() {
  const now = target(), { words } = page;
  if (onTrial() && standingIn(here())) return null; // plans and gaps are of the target's own limit
  const [plan] = plansShown();
  if (plan && !area() && !groupName()) return sentence(words.answer_plan, { title: plan.title, effect: plan.story.effect || plan.line });
  const gaps = numbered().slice(0, MOST.gaps);
  if (gaps.length) {
    return sentence(words.answer_gaps, { places: listed(gaps.map(({ gap, heads }) => peopled(gap.place[gap.place.length - 1], heads))) });
  }
  return now.department ? sentence(words.answer_department, { department: now.department }) : null;
}

/* `figures`: value and verdict as the headline has them, before, and people uncovered (null where none are counted). */
export function showAnswer(figures) {
  byId("lc-answer").replaceChildren(...[met(figures), changeSentence(), where(figures), next()].filter(Boolean)
    .map((parts) => element("p", {}, ...parts)));
}
