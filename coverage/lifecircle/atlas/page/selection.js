/* What the page holds once it is read, and what is chosen on it; calls the listeners at a new choice. */

export const page = { data: null, words: null, years: [], map: null, layers: {}, started: false, route: () => null, closeOverview: () => {},
  busy: () => false, // whether the next click on the map is wanted for something else than what lies there
};

/* limit: minutes tried out, null for the target's own; counting: reach, accepted, straight or differ;
   district, village: codes of the town and village that everything is filtered by, null without;
   group: of whom the people are counted, all, or a group of residents that the target counts;
   compared: the place in `years` of the year that this one is compared with, null without one; comparing: on the map by
   a divider, or as what changed (VIEWS). */
export const VIEWS = ["divider", "changes"];
export const chosen = {
  year: 0, target: 0, district: null, village: null, group: "all", limit: null, band: "usual", onlyGaps: false, counting: "reach",
  compared: null, comparing: "divider",
};

const listeners = [];
export const onChange = (listener) => listeners.push(listener);

/* Take over some choices and pass them to all listeners. */
export function change(choice) {
  Object.assign(chosen, choice);
  for (const listener of listeners) listener(choice);
}

export const here = () => page.years[chosen.year];
export const target = () => here().entry.targets[chosen.target];

/* The chosen target as another year has it; null where it has none. */
export const targetIn = (year) => year.entry.targets.find((one) => one.id === target().id) ?? null;

/* The earlier and the later of the two years that are compared; null without comparison. */
export function twoYears() {
  if (chosen.compared === null || !targetIn(page.years[chosen.compared])) return null;
  const [first, second] = [page.years[chosen.compared], here()].sort((a, b) => a.entry.year - b.entry.year);
  return { first, second };
}

/* Whether the map shows what changed, in place of two years beside each other. */
export const changesShown = () => chosen.comparing === "changes" && twoYears() !== null;

/* Whether minutes or speed differ from those of the run, so that what shows is tried out on the page. */
export const onTrial = () => chosen.limit !== null || chosen.band !== "usual";
export const limitOf = (now) => chosen.limit ?? now.minutes;

/* What times are divided by at the chosen speed. */
export function speedFactor(now) {
  const factors = now.margin && now.margin.factors;
  return factors ? factors[["slow", "usual", "fast"].indexOf(chosen.band)] : 1;
}

export const comma = () => (page.data.language === "en" ? ", " : "，");
