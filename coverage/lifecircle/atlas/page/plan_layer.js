/* Shows siting plans for the chosen target: their sites on the map and, beside it, all that is known of them. */

import { page, here, target, onChange } from "./selection.js";
import { keepInLink, noteChange } from "./link.js";
import { byId, element, facts, fill, named, part, percentText, svg } from "./nodes.js";
import { goTo } from "./map_view.js";
import { addPins, pinsOffered } from "./pins.js";
import { hideTip } from "./tip.js";

const APART = 27; // pixels between the middles of two numbers that do not touch
let open = null; // the plan that is shown of several, by its place among those of the target

const ofTarget = () => (page.data.plans || []).filter((plan) => plan.target === target().id && plan.year === here().entry.year);

/* The plan that shows, in a list: none, or the one that is chosen among those of the target. */
export function plansShown() {
  const plans = ofTarget();
  return plans.length ? [plans[Math.min(open ?? 0, plans.length - 1)]] : [];
}

export const SITE_COLOUR = "#0f5132"; // as in page.css

const place = (site) => [site.lat, site.lon];

/* Sites whose numbers would collide share one mark: [{lat, lon, text, sites}], in the order of the plan. */
export function marksOf(sites, at, apart = APART) {
  const marks = [];
  sites.forEach((site, i) => {
    const here = at(site);
    const near = marks.find((mark) => Math.abs(mark.at.x - here.x) < apart && Math.abs(mark.at.y - here.y) < apart);
    if (near) near.sites.push(i);
    else marks.push({ at: here, lat: site.lat, lon: site.lon, sites: [i] });
  });
  return marks.map(({ at: _, ...mark }) => ({ ...mark, text: numbersText(mark.sites) }));
}

/* 1, 2, 3, 5 as 1–3, 5. */
export function numbersText(places) {
  const runs = [];
  for (const place of places) {
    const last = runs[runs.length - 1];
    if (last && place === last[1] + 1) last[1] = place;
    else runs.push([place, place]);
  }
  return runs.map(([from, to]) => (from === to ? String(from + 1) : `${from + 1}${to === from + 1 ? ", " : "–"}${to + 1}`)).join(", ");
}

/* The sites on the map with what they bear there, by a way to find pixels; nothing where the layer is off. */
export function sitesShown(at = (site) => page.map.latLngToContainerPoint(place(site)), apart = APART) {
  return page.map.hasLayer(page.layers.plans) ? plansShown().flatMap((plan) => marksOf(plan.sites, at, apart)) : [];
}

const details = (site) => [site.services, site.peopleText].filter(Boolean);

function card(sites) {
  return element("div", {}, ...sites.flatMap((site) => [element("strong", {}, named(site.name)), ...details(site).map((text) => element("div", {}, text))]));
}

function marker({ text, sites, lat, lon }, plan) {
  const wide = Math.max(24, 10 + 7 * text.length);
  const made = L.marker([lat, lon], {
    icon: L.divIcon({ className: "lc-site", iconSize: [wide, 24], html: element("span", {}, text) }),
    zIndexOffset: 2000 - sites[0], keyboard: false,
  });
  made.bindTooltip(card(sites.map((i) => plan.sites[i])), { direction: "top", offset: [0, -12], className: "lc-tip" });
  made.on("mouseover", hideTip);
  return made;
}

function drawSites() {
  const group = page.layers.plans;
  group.clearLayers();
  for (const plan of plansShown()) {
    for (const mark of marksOf(plan.sites, (site) => page.map.project(place(site)))) group.addLayer(marker(mark, plan));
  }
}

/* ---- the panel ---- */

function siteRow(site) {
  const button = element("button", { type: "button", className: "lc-link" }, named(site.name));
  button.addEventListener("click", () => goTo(place(site)));
  return element("li", {}, button, element("small", {}, details(site).join(" · ")),
    ...site.facts.filter(Boolean).map((line) => element("small", {}, line)));
}

function table(id, title, head, rows) {
  if (!rows.length) return null;
  const cells = ([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((text) => element("td", {}, text)));
  return element("table", { id }, element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))), element("tbody", {}, ...rows.map(cells)));
}

function remedyName(one) {
  const button = element("button", { type: "button", className: "lc-link" }, named(one.name));
  button.addEventListener("click", () => goTo(one.at));
  return element("span", {}, one.kind, " ", button);
}

/* The rate over the number of sites, with the goal and what all candidates together reach. */
function curve({ curve: points, goal, goalText, most }) {
  if (points.length < 2) return null;
  const WIDE = 352, HIGH = 150, LEFT = 50, RIGHT = 12, TOP = 16, BOTTOM = 22;
  const values = [...points.map(([, value]) => value), ...[goal, most].filter((one) => one !== null)];
  const low = Math.floor(20 * Math.min(...values)) / 20, high = Math.max(...values, low + 0.05), last = points[points.length - 1][0];
  const x = (sites) => LEFT + (sites / last) * (WIDE - LEFT - RIGHT), y = (value) => TOP + ((high - value) / (high - low)) * (HIGH - TOP - BOTTOM);
  const label = (left, top, text, anchor) => svg("text", { x: left, y: top, "text-anchor": anchor }, text);
  const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" }, svg("title", {}, page.words.plan_curve),
    svg("desc", {}, points.map(([sites, value]) => `${sites}: ${percentText(value)}`).join(" · ")));
  for (const value of [low, high]) picture.append(label(LEFT - 6, y(value) + 4, percentText(value), "end"));
  for (const sites of [0, points[points.length >> 1][0], last]) picture.append(label(x(sites), HIGH - 6, String(sites), "middle"));
  for (const [value, text, kind] of [[goal, fill(page.words.plan_curve_goal, { goal: goalText }), "lc-goal-line"],
    [most, most === null ? "" : fill(page.words.plan_curve_most, { share: percentText(most) }), "lc-grid lc-most-line"]]) {
    if (value === null) continue;
    picture.append(svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: kind }), label(LEFT + 6, y(value) + (y(value) < TOP + 8 ? -4 : 13), text, "start"));
  }
  picture.append(svg("polyline", { points: points.map(([sites, value]) => `${x(sites).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: "lc-curve-line" }));
  return element("figure", { className: "lc-plan-curve" }, element("figcaption", { className: "lc-small" }, page.words.plan_curve), picture);
}

function toPins(plan) {
  if (!pinsOffered()) return null;
  const button = element("button", { type: "button", className: "lc-more" }, page.words.plan_to_pins);
  button.addEventListener("click", () => addPins(plan.sites.map(({ lon, lat, service, name }) => ({ lon, lat, service, name })), { instead: true }));
  return element("p", { className: "lc-buttons" }, button);
}

function described(plan) {
  const { words } = page, { story } = plan;
  return [element("p", { className: "lc-plan" }, element("strong", {}, named(plan.title)),
    story.effect ? element("span", { className: "lc-plan-effect" }, story.effect) : null, element("span", {}, plan.line)),
  story.ceiling ? element("p", { className: "lc-plan-ceiling" }, story.ceiling) : null,
  story.facts.length ? facts(story.facts) : null, toPins(plan),
  element("ol", { className: "lc-sites" }, ...plan.sites.map(siteRow)),
  curve(story),
  table("lc-plan-towns", words.plan_towns, [words.cell_district, words.plan_before, words.plan_after, words.column_newly], story.towns),
  table("lc-plan-groups", words.plan_groups, [words.column_group, words.plan_before, words.plan_after, words.column_newly], story.groups),
  table("lc-plan-speeds", words.plan_speeds, [words.plan_speed, words.column_newly, words.plan_best], story.speeds),
  ...story.remedies.map(({ title, rows }, i) => table("lc-plan-remedies-" + i, fill(words.plan_remedies, { title }),
    [words.plan_remedy, words.column_newly, words.plan_cost_title, words.plan_per], rows.map((one) => [remedyName(one), one.people, one.cost, one.per])))].filter(Boolean);
}

function chooser(plans, shown) {
  if (plans.length < 2) return [];
  const list = element("select", { id: "lc-plan", "aria-label": page.words.plans, autocomplete: "off" },
    ...plans.map((plan, i) => element("option", { value: String(i), selected: plan === shown }, plan.title)));
  list.addEventListener("change", () => {
    open = Number(list.value);
    showPlans();
    noteChange();
    byId("lc-plan").focus({ preventScroll: true });
  });
  return [list];
}

export function showPlans() {
  const [shown] = plansShown();
  drawSites();
  if (part("lc-plans-part", Boolean(shown), "")) byId("lc-plans").replaceChildren(...chooser(ofTarget(), shown), ...described(shown));
}

/* The tables of the plan for a file: [name, headings, rows]. */
export function planTables() {
  const { words } = page;
  return plansShown().map((plan) => [words.plans, [words.plan_site, words.service, words.column_newly, words.plan_facts_title],
    plan.sites.map((site) => [site.name, site.services, site.people === null ? "" : String(site.people), site.facts.filter(Boolean).join(" · ")])]);
}

export function preparePlans() {
  page.map.on("zoomend", drawSites);
  onChange((choice) => {
    if ("target" in choice || "year" in choice) open = null;
  });
  keepInLink({
    name: "plan", step: true, read: () => (open ? String(open + 1) : ""),
    write: (text, so) => {
      const { entry } = page.years[so.year];
      const count = (page.data.plans || []).filter((plan) => plan.target === entry.targets[so.target].id && plan.year === entry.year).length;
      if (text !== "" && !(Number.isInteger(Number(text)) && Number(text) >= 1 && Number(text) <= count)) throw new RangeError(text);
      return () => {
        open = text === "" ? null : Number(text) - 1;
        showPlans();
      };
    },
  });
}
