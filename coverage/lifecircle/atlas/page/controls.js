/* Puts the map's own controls on it: stamp, scale, north arrow, words for Leaflet's; legend and layers beside it. */

import { page } from "./selection.js";
import { byId, element } from "./nodes.js";
import { roomy } from "./map_view.js";

const LINE = 24; // pixels of the attribution where it takes one line

function addControl(position, onAdd) {
  const Kind = L.Control.extend({ onAdd });
  new Kind({ position }).addTo(page.map);
}

/* Legend and layers stand in a column of their own, folded where the page has little room; the map takes the rest. */
export function prepareKey() {
  const key = byId("lc-legend-part");
  key.open = roomy();
  key.addEventListener("toggle", () => page.map.invalidateSize({ pan: false }));
}

/* The links ahead of everything, for who goes by keys: the map, and the table of what it shows. The address stays. */
function prepareSkipping() {
  for (const link of byId("lc-skip").querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      page.closeOverview();
      const place = link.dataset.to === "map" ? page.map.getContainer() : byId("lc-districts-part").querySelector("summary");
      place.scrollIntoView({ block: "start" });
      place.focus({ preventScroll: true });
    });
  }
}

function layersInKey() {
  const list = page.map.getContainer().querySelector(".leaflet-control-layers");
  if (list) byId("lc-layers").append(list);
}

export function prepareControls() {
  const { map, words } = page;
  const stamp = element("strong", { className: "lc-map-stamp" }, byId("lc-stamp").textContent);
  map.attributionControl.addAttribution(stamp.outerHTML).addAttribution(words.boundaries);
  const lines = map.attributionControl.getContainer().offsetHeight;
  if (lines > LINE) page.refit?.(lines + 2); // the south of the county is not under them
  L.control.scale({ imperial: false, position: roomy() ? "bottomleft" : "topright" }).addTo(map);
  addControl("bottomright", () => element("div", { className: "lc-north", title: words.north_note },
    element("span", { "aria-hidden": "true" }, "▲"), element("span", {}, words.north)));
  layersInKey();
  prepareSkipping();
  const label = (selector, text) => {
    const control = map.getContainer().querySelector(selector);
    if (!control) return;
    control.title = text;
    control.setAttribute("aria-label", text);
  };
  label(".leaflet-control-zoom-in", words.zoom_in);
  label(".leaflet-control-zoom-out", words.zoom_out);
}
