/* Finds a venue, village, district or gap by its name: one box, a list under it, and the map goes there. */

import { page, here, target } from "./selection.js";
import { choose, shapes } from "./district_table.js";
import { goToGap } from "./gap_list.js";
import { matching } from "./matching.js";
import { byId, element, fill, named } from "./nodes.js";
import { goTo } from "./map_view.js";
import { showVenue } from "./tip.js";
import { goToVillage, villagePlace } from "./village_table.js";

const MOST = 12; // entries shown
let entries = null; // of the chosen year and target, made when first asked for
let shown = [];
let active = -1;

const kinds = {
  gap: () => (target().gaps || []).flatMap((gap, number) => (gap.at ? [{
    names: [gap.place[gap.place.length - 1], gap.place.join(""), fill(page.words.search_gap, { number: number + 1 })],
    detail: fill(page.words.search_gap, { number: number + 1 }), go: () => goToGap(number),
  }] : [])),
  district: () => [...shapes].map(([code, shape]) => ({
    names: [shape.name], detail: page.words.kind_district, go: () => choose(code, { pan: true }),
  })),
  village: () => here().villages().names.flatMap((name, village) => (villagePlace(village) ? [{
    names: [name, here().villages().districts[village] + name], detail: here().villages().districts[village] || page.words.kind_village,
    go: () => goToVillage(village),
  }] : [])),
  venue: () => {
    const facilities = here().facilities(), services = here().entry.services;
    const own = (i) => (target().services.includes(facilities.service[i]) ? 0 : 1); // those on the map come first
    return facilities.names.map((name, i) => i).filter((i) => facilities.placed[i]).sort((a, b) => own(a) - own(b) || a - b).map((i) => ({
      names: [facilities.names[i]], detail: services[facilities.service[i]], go: () => {
        goTo([facilities.lat[i], facilities.lon[i]]);
        showVenue(here(), i);
      },
    }));
  },
};

const every = () => (entries ??= [...kinds.district(), ...kinds.village(), ...kinds.venue(), ...kinds.gap()]);

function close() {
  shown = [];
  active = -1;
  const list = byId("lc-found"), box = byId("lc-search");
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function select(place) {
  active = place;
  const options = byId("lc-found").children;
  shown.forEach((_, i) => options[i].setAttribute("aria-selected", String(i === active)));
  if (active < 0) byId("lc-search").removeAttribute("aria-activedescendant");
  else {
    byId("lc-search").setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  }
}

function list() {
  const typed = byId("lc-search").value;
  if (!typed.trim()) {
    close();
    return;
  }
  shown = matching(every(), typed, MOST);
  const rows = shown.map((entry, i) => {
    const row = element("li", { id: "lc-found-" + i, role: "option", "aria-selected": "false" }, named(entry.names[0]), element("small", {}, entry.detail));
    row.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    row.addEventListener("click", () => take(i));
    return row;
  });
  byId("lc-found").replaceChildren(...(rows.length ? rows : [element("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, page.words.search_none)]));
  byId("lc-found").hidden = false;
  byId("lc-found-count").textContent = rows.length ? fill(page.words.search_count, { count: rows.length }) : page.words.search_none;
  byId("lc-search").setAttribute("aria-expanded", "true");
  select(rows.length ? 0 : -1);
}

function take(place) {
  const entry = shown[place];
  if (!entry) return;
  byId("lc-search").value = entry.names[0];
  close();
  entry.go();
}

function key(event) {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move) {
    if (!shown.length) list();
    else select((active + move + shown.length) % shown.length);
  } else if (event.key === "Enter") {
    if (event.isComposing) return; // this Enter belongs to the input method, the next one to the list
    if (!shown.length) list(); // closed by a choice before, or not yet opened
    take(Math.max(active, 0));
  } else if (event.key === "Escape" && !byId("lc-found").hidden) close();
  else return;
  event.preventDefault();
}

/* Another year or target has other entries. */
export function forgetSearch() {
  entries = null;
}

export function prepareSearch() {
  const box = byId("lc-search");
  box.addEventListener("input", list);
  box.addEventListener("focus", list);
  box.addEventListener("keydown", key);
  box.addEventListener("blur", close);
}
