/* Shows siting plans for the chosen target: their sites on the map and, beside it, what the solver says of them. */

import { page, here, target } from "./selection.js";
import { byId, element, named, part } from "./nodes.js";
import { goTo } from "./map_view.js";
import { hideTip } from "./tip.js";

export const plansShown = () => (page.data.plans || []).filter((plan) => plan.target === target().id && plan.year === here().entry.year);

export const SITE_COLOUR = "#0f5132"; // as in page.css

/* The sites on the map, with the numbers they bear there. */
export const sitesShown = () => (page.map.hasLayer(page.layers.plans)
  ? plansShown().flatMap((plan) => plan.sites.map((site, i) => ({ ...site, number: i + 1 }))) : []);

const place = (site) => [site.lat, site.lon];
const details = (site) => [site.services, site.peopleText].filter(Boolean);

function card(site) {
  return element("div", {}, element("strong", {}, named(site.name)), ...details(site).map((text) => element("div", {}, text)));
}

function marker(site, number) {
  const made = L.marker(place(site), {
    icon: L.divIcon({ className: "lc-site", iconSize: [24, 24], html: element("span", {}, String(number + 1)) }),
    zIndexOffset: 2000 - number, keyboard: false,
  });
  made.bindTooltip(card(site), { direction: "top", offset: [0, -12], className: "lc-tip" });
  made.on("mouseover", hideTip);
  return made;
}

function listed(plan) {
  const rows = plan.sites.map((site) => {
    const button = element("button", { type: "button", className: "lc-link" }, named(site.name));
    button.addEventListener("click", () => goTo(place(site)));
    return element("li", {}, button, element("small", {}, details(site).join(" · ")));
  });
  return [element("p", { className: "lc-plan" }, element("strong", {}, named(plan.title)), element("span", {}, plan.line)),
    element("ol", { className: "lc-sites" }, ...rows)];
}

export function showPlans() {
  const plans = plansShown();
  const group = page.layers.plans;
  group.clearLayers();
  for (const plan of plans) plan.sites.forEach((site, number) => group.addLayer(marker(site, number)));
  if (part("lc-plans-part", plans.length > 0, "")) byId("lc-plans").replaceChildren(...plans.flatMap(listed));
}
