/* Puts the map's own controls on it: stamp, scale, north arrow, the legend beside them, words for Leaflet's. */

import { page } from "./selection.js";
import { byId, element } from "./nodes.js";
import { low, narrow } from "./map_view.js";

function addControl(position, onAdd) {
  const Kind = L.Control.extend({ onAdd });
  new Kind({ position }).addTo(page.map);
}

function legendOnMap() {
  addControl("bottomleft", () => {
    const legend = byId("lc-legend-part");
    legend.open = !low();
    L.DomEvent.disableClickPropagation(legend).disableScrollPropagation(legend);
    return legend;
  });
}

export function prepareControls() {
  const { map, words } = page;
  const stamp = element("strong", { className: "lc-map-stamp" }, byId("lc-stamp").textContent);
  map.attributionControl.addAttribution(stamp.outerHTML).addAttribution(words.boundaries);
  L.control.scale({ imperial: false, position: narrow() ? "topright" : "bottomleft" }).addTo(map);
  addControl("bottomright", () => element("div", { className: "lc-north", title: words.north_note },
    element("span", { "aria-hidden": "true" }, "▲"), element("span", {}, words.north)));
  if (!narrow()) legendOnMap();
  const label = (selector, text) => {
    const control = map.getContainer().querySelector(selector);
    if (!control) return;
    control.title = text;
    control.setAttribute("aria-label", text);
  };
  label(".leaflet-control-zoom-in", words.zoom_in);
  label(".leaflet-control-zoom-out", words.zoom_out);
  label(".leaflet-control-layers-toggle", words.control_layers);
}
