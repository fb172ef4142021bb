/* Shows what changed between the chosen year and the one it is compared with: people newly covered and lost, in all
   and by town, venues opened and closed, on the map and beside it. */

import { page, chosen, targetIn, twoYears, onTrial } from "./selection.js";
import { districtUnits, districtsIn, matchedYears, onGroup, peopleOf, standingIn } from "./colours.js";
import { changeSums, venueChanges } from "./year_changes.js";
import { shapes } from "./district_table.js";
import { byId, element, fill, named, part, pairs, peopleText, percentText, sentence } from "./nodes.js";
import { goTo, goToBounds } from "./map_view.js";
import { STATUS } from "./page_years.js";
import { inOrderOf, sortedHead } from "./sorting.js";
import { showVenue } from "./tip.js";

const FIRST = 12; // venues listed before one asks for more
let order = { key: "gained", down: true };

const counts = () => page.data.about.edition !== "public"; // there, cells hold rounded numbers

const signed = (people) => (people > 0 ? "+" : people < 0 ? "−" : "") + peopleText(Math.abs(people));
const pointsText = (points) => (points > 0 ? "+" : points < 0 ? "−" : "") + Math.abs(points).toFixed(1);
const truncated = (share) => Math.floor(share * 1000 + 1e-9) / 10; // as shares are printed

/* Towns of both years: the rows of the later, then those that the earlier alone has. */
function townsOf({ first, second }) {
  const [was, is] = [first, second].map((year) => targetIn(year).districts);
  return [...is, ...was.filter((one) => !is.some((other) => other.code === one.code))];
}

/* Who is newly covered and lost, by town and in all (the last); null where nobody may be counted. */
export function peopleChanges() {
  const years = twoYears();
  if (!years || !counts() || !standingIn(years.first) || !standingIn(years.second)) return null;
  const towns = townsOf(years);
  const place = new Map(towns.map((one, i) => [one.code, i]));
  const side = (year) => {
    const own = targetIn(year).districts.map((one) => place.get(one.code));
    const units = districtUnits(year, targetIn(year));
    return { status: standingIn(year).status, people: peopleOf(year), units: units.map((unit) => (unit < 0 ? -1 : own[unit])) };
  };
  return { towns, ...changeSums(side(years.first), side(years.second), matchedYears(years), towns.length) };
}

/* A town's share in a year: the run's own, or on trial and of a group the page's own count. */
function shareIn(year, code) {
  const now = targetIn(year), at = now.districts.findIndex((one) => one.code === code);
  if (at < 0) return null;
  if (!onTrial() && !onGroup()) return now.districts[at].value;
  const { total, covered } = districtsIn(year);
  return counts() && total[at] ? covered[at] / total[at] : null;
}

/* The rows of the table: what each town's people and share did. */
export function changeRows() {
  const years = twoYears();
  if (!years) return [];
  const people = peopleChanges();
  return townsOf(years).map((one, i) => {
    const [was, is] = [years.first, years.second].map((year) => shareIn(year, one.code));
    const sums = people && Object.fromEntries(["gained", "lost", "grown", "came", "went"].map((name) => [name, people[name][i]]));
    return {
      code: one.code, name: one.name, was, is, points: was === null || is === null ? null : truncated(is) - truncated(was),
      gained: sums ? sums.gained : null, lost: sums ? sums.lost : null, other: sums ? sums.grown + sums.came - sums.went : null,
    };
  });
}

/* ---- the sentence of the answer ---- */

export function changeSentence() {
  const years = twoYears(), people = years && peopleChanges();
  if (!people || chosen.district !== null || chosen.village !== null) return null;
  const all = people.towns.length, { opened, closed } = venuesOf(years);
  return sentence(page.words.change_sentence, {
    first: years.first.entry.year, second: years.second.entry.year, gained: peopleText(people.gained[all]), lost: peopleText(people.lost[all]),
    opened: String(opened.length), closed: String(closed.length),
  });
}

/* ---- venues ---- */

/* Opened and closed venues of the target, as the registers of the two years have them. */
export function venuesOf({ first, second }) {
  const was = first.facilities(), is = second.facilities();
  return was.key && is.key ? venueChanges(was, is, targetIn(first).services, targetIn(second).services) : { opened: [], closed: [] };
}

/* The venues to mark on the map: [set, place in it, whether opened]. */
export function markedVenues() {
  const years = twoYears();
  if (!years) return [];
  const { opened, closed } = venuesOf(years), [was, is] = [years.first.facilities(), years.second.facilities()];
  return [...closed.map((i) => [was, i, false]), ...opened.map((i) => [is, i, true])].filter(([set, i]) => set.placed[i]);
}

/* An opened venue in a ring with a plus, a closed one in a ring with a cross. */
export function drawChange(context, x, y, r, opened) {
  const colour = page.data.cellColours[opened ? "gained" : "lost"];
  context.lineCap = "round";
  for (const [width, ink] of [[r * 0.75, "#ffffff"], [r * 0.34, colour]]) {
    context.lineWidth = width;
    context.strokeStyle = ink;
    context.beginPath();
    context.arc(x, y, r, 0, 2 * Math.PI);
    const arm = r * (opened ? 0.55 : 0.42);
    for (const [dx, dy] of opened ? [[arm, 0], [0, arm]] : [[arm, arm], [arm, -arm]]) {
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
  }
}

export function paintChanges(context, view, r) {
  const venues = markedVenues();
  for (const [set, i, opened] of venues) {
    const x = set.x[i] * view.scale - view.left, y = set.y[i] * view.scale - view.top;
    if (x > -20 && y > -20 && x < view.width + 20 && y < view.height + 20) drawChange(context, x, y, r, opened);
  }
  return venues.length > 0;
}

/* Marks show with the venues, as long as two years are compared. */
function markChanges() {
  const { map, layers } = page, shown = twoYears() !== null && map.hasLayer(layers.facilities);
  if (!shown) map.removeLayer(layers.changes);
  else if (map.hasLayer(layers.changes)) layers.changes.redraw();
  else map.addLayer(layers.changes);
}

export const prepareChanges = () => page.map.on("overlayadd overlayremove", ({ layer }) => layer === page.layers.facilities && markChanges());

/* A venue, its service and the year it opened; one that by its date was open before is an entry of the register that
   came late, not an opening. */
function venueLine(year, i, then) {
  const { words } = page, set = year.facilities();
  const button = element("button", { type: "button", className: "lc-link" }, named(set.names[i]));
  button.addEventListener("click", () => {
    goTo([set.lat[i], set.lon[i]]);
    showVenue(year, i);
  });
  const opened = set.opened[i] || 0;
  const facts = [year.entry.services[set.service[i]], ...(then !== null && opened ? [fill(opened <= then ? words.change_late : words.opened_year, { year: opened })] : [])];
  return element("li", {}, set.placed[i] ? button : named(set.names[i]), element("div", { className: "lc-small" }, facts.join(" · ")));
}

function listVenues(id, year, list, { title, then = null }) {
  const box = byId(id);
  box.hidden = !list.length;
  const all = list.map((i) => venueLine(year, i, then));
  const rest = all.slice(FIRST);
  box.replaceChildren(element("h3", {}, fill(title, { count: list.length })), element("ul", {}, ...all.slice(0, FIRST)),
    ...(rest.length ? [element("details", {}, element("summary", {}, fill(page.words.change_more, { count: rest.length })), element("ul", {}, ...rest))] : []));
}

/* ---- the part of the panel ---- */

/* Columns of people that are not empty in every town: the numbers of the others are printed once, above. */
const counted = (rows) => ["gained", "lost", "other"].filter((key) => rows.some((one) => Math.abs(one[key]) >= 0.05));

const columns = (words, keys) => [["name", words.column_name], ...keys.map((key) => [key, words["change_" + key]]),
  ["is", words.column_rate], ["points", words.change_points]];

function rateCell({ was, is }) {
  const cell = element("td", {}, percentText(is));
  cell.append(element("small", { className: "lc-was" }, fill(page.words.change_was, { value: percentText(was) })));
  return cell;
}

function row(one, keys) {
  const name = shapes.has(one.code) ? element("button", { type: "button", className: "lc-link" }, named(one.name)) : named(one.name);
  if (name.tagName === "BUTTON") name.addEventListener("click", () => goToBounds(shapes.get(one.code).area.getBounds()));
  const line = element("tr", {}, element("th", { scope: "row" }, name),
    ...keys.map((key) => element("td", {}, key === "other" ? signed(one[key]) : peopleText(one[key]))),
    rateCell(one), element("td", {}, one.points === null ? "—" : pointsText(one.points)));
  line.dataset.code = one.code;
  return line;
}

function fillTable() {
  const rows = changeRows(), table = byId("lc-changes"), keys = counted(rows);
  const heads = columns(page.words, keys);
  if (!heads.some(([key]) => key === order.key)) order = { key: "points", down: true };
  table.tHead.replaceChildren(sortedHead(heads, order, (next) => {
    order = next;
    fillTable();
  }));
  table.tBodies[0].replaceChildren(...inOrderOf(rows, order).map((one) => row(one, keys)));
}

/* The covered of both years, and what makes the difference: the lines add up. */
function sums(people, years) {
  const { words } = page, all = people.towns.length;
  const [was, is] = [years.first, years.second].map((year) => coveredIn(year));
  return [
    [fill(words.change_covered, { year: years.first.entry.year }), peopleText(was)],
    [words.change_gained, signed(people.gained[all])], [words.change_lost, signed(-people.lost[all])],
    ...(Math.abs(people.grown[all]) >= 0.05 ? [[words.change_grown, signed(people.grown[all])]] : []),
    ...(people.came[all] || people.went[all] ? [[words.change_alone, signed(people.came[all] - people.went[all])]] : []),
    [fill(words.change_covered, { year: years.second.entry.year }), peopleText(is)],
  ];
}

function coveredIn(year) {
  const { status } = standingIn(year), people = peopleOf(year);
  return status.reduce((sum, one, i) => sum + (one === STATUS.covered ? people[i] : 0), 0) / 10;
}

export function showChanges() {
  const years = twoYears(), { words } = page;
  markChanges();
  if (!part("lc-changes-part", years !== null && chosen.district === null && chosen.village === null)) return;
  const [first, second] = [years.first.entry.year, years.second.entry.year];
  byId("lc-changes-title").textContent = fill(words.change_title, { first, second });
  const people = peopleChanges();
  const facts = people ? sums(people, years) : [];
  byId("lc-changes-sums").replaceChildren(...pairs(facts));
  fillTable();
  const { opened, closed } = venuesOf(years);
  listVenues("lc-changes-opened", years.second, opened, { title: words.change_opened, then: first });
  listVenues("lc-changes-closed", years.first, closed, { title: words.change_closed });
  const alone = people ? people.alone : { first: 0, second: 0 };
  byId("lc-changes-note").replaceChildren(...[
    ...(onTrial() ? [words.change_trial] : []),
    ...(people ? [words.change_matched] : [words.change_public]),
    ...(alone.first || alone.second ? [fill(words.change_not_matched, { first, second, then: peopleText(alone.first), now: peopleText(alone.second) })] : []),
  ].map((text) => element("span", {}, text, " ")));
}
