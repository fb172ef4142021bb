/* Keeps the map's layer switch to the layers that the chosen target and year have something to show in. */

import { page, here, target } from "./selection.js";

/* Of the layers that not every target fills: whether the chosen one does. Districts, roads and names always show. */
const filled = {
  rates: (now) => now.answers !== null && now.shares,
  residents: (now) => now.answers !== null,
  supply: (now) => Boolean(now.supply && now.supply.served),
  score: (now) => Boolean(now.supply),
  loads: (now) => Boolean(now.supply && now.supply.served),
  differences: (now) => Boolean(now.villages) && now.villages.reached,
  gaps: (now) => (now.gaps || []).length > 0,
  units: (now) => now.units !== null,
  facilities: (now) => now.services.length > 0,
  plans: (now) => page.data.plans.some((plan) => plan.target === now.id && plan.year === here().entry.year),
};

let control = null;
let names = {}; // kind -> text, in the order of the switch
let listed = [];

export const layersOf = (now) => Object.keys(names).filter((kind) => !filled[kind] || filled[kind](now));

export function showLayerSwitch() {
  const wanted = layersOf(target());
  if (wanted.join() === listed.join()) return;
  for (const kind of listed) control.removeLayer(page.layers[kind]);
  for (const kind of wanted) control.addOverlay(page.layers[kind], names[kind]);
  listed = wanted;
}

export function prepareLayerSwitch(made, texts) {
  control = made;
  names = Object.fromEntries(texts);
  listed = Object.keys(names);
}
