/* Draws the map page from the data that stand in it. Names are only ever put in as text, never as markup;
   nothing is asked of any server. Figures are printed as they were handed over: the page counts nothing. */
"use strict";
(function () {
  const { data, CLASSES, STATUS, years, running, across, down, byId, fill, element, named, part } = window.lifecirclePage;
  const { Painter, paintResidents, paintFacilities, paintRoads, paintNames, drawSymbol, differenceMark } = window.lifecirclePage;
  const words = data.words;
  const NARROW = 760; // pixels, as in page.css
  const BESIDE = 244; // pixels left free for the legend on a wide page
  const NAMES_FROM = 12.75; // zoom from which villages have their names
  const GAPS_FIRST = 8; // gaps listed before one asks for more

  /* ---- what is chosen, and the layers that show it ---- */

  const chosen = { year: years.length - 1, target: 0, district: null, allGaps: false };
  const here = () => years[chosen.year];
  const target = () => here().entry.targets[chosen.target];

  /* One pixel of this many metres at the map's middle, so that a resident is drawn as large as it stands for. */
  const metresPerPixel = (map) =>
    (40075016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * Math.pow(2, map.getZoom()));

  let map = null;
  const cellSide = () => Math.min(48, Math.max(3, here().entry.cells.size_m / metresPerPixel(map)));

  const symbolSize = () => Math.min(7, Math.max(3.2, (map.getZoom() - 8) * 1.1));

  /* ---- districts ---- */

  let outlinesShown = null;
  const shapes = new Map();
  const rateClass = (value) => data.rateBreaks.filter((limit) => value >= limit).length;

  function ring(packed) {
    const lon = running(packed[0]), lat = running(packed[1]);
    return Array.from(lat, (value, i) => [value / data.places, lon[i] / data.places]);
  }

  function showDistricts(group) {
    const outlines = data.lists[here().entry.districts];
    if (outlinesShown !== outlines) {
      group.clearLayers();
      shapes.clear();
      outlinesShown = outlines;
      for (const outline of outlines) {
        const rings = outline.rings.map((part) => part.map(ring));
        const area = L.polygon(rings, { pane: "lc-areas", stroke: false, fillOpacity: 1 });
        const line = L.polygon(rings, { pane: "lc-lines", fill: false, interactive: false });
        area.on("click", () => choose(outline.code));
        const label = L.marker(outline.label, {
          pane: "lc-labels", interactive: false, keyboard: false,
          icon: L.divIcon({ className: "lc-label", iconSize: [0, 0], html: element("span", {}, named(outline.name)) }),
        });
        const labelled = outlines.length <= 60;
        for (const layer of labelled ? [area, line, label] : [area, line]) group.addLayer(layer);
        shapes.set(outline.code, { area, line, label: labelled ? label : null });
      }
    }
    const results = new Map(target().districts.map((one) => [one.code, one]));
    for (const [code, shape] of shapes) {
      const one = results.get(code);
      const rated = one && one.value !== null && target().shares;
      shape.area.setStyle({ fillColor: rated ? data.rateColours[rateClass(one.value)] : data.noRateColour });
      const strong = code === chosen.district;
      shape.line.setStyle({ color: strong ? "#0b3d91" : "#5d6470", weight: strong ? 3.5 : 1.3, dashArray: strong ? null : "6 3" });
      if (strong) shape.line.bringToFront();
    }
  }

  function choose(code, options) {
    chosen.district = code;
    const shape = shapes.get(code);
    if (shape) showDistricts(layers.districts);
    for (const row of byId("lc-districts").tBodies[0].rows) {
      const mine = row.dataset.code === code;
      row.classList.toggle("lc-chosen", mine);
      const button = row.querySelector("button");
      if (button) button.setAttribute("aria-pressed", String(mine));
      if (mine && !(options && options.pan)) row.scrollIntoView({ block: "nearest" });
    }
    if (shape && options && options.pan) {
      showMap();
      const room = { paddingTopLeft: [beside() + 18, 30], paddingBottomRight: [30, 30] };
      go(() => map.flyToBounds(shape.area.getBounds(), { ...room, duration: 0.6 }),
        () => map.fitBounds(shape.area.getBounds(), { ...room, animate: false }));
    }
  }

  const beside = () => (window.innerWidth > NARROW ? BESIDE : 12);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const go = (flying, jumping) => (still.matches ? jumping() : flying());

  const showMap = () => window.innerWidth <= NARROW && map.getContainer().scrollIntoView({ block: "start" });

  function goTo(place) {
    showMap();
    const zoom = Math.max(map.getZoom(), 14);
    go(() => map.flyTo(place, zoom, { duration: 0.6 }), () => map.setView(place, zoom, { animate: false }));
  }

  /* ---- gaps ---- */

  function showGaps(group) {
    group.clearLayers();
    (target().gaps || []).forEach((gap, number) => {
      if (!gap.at) return;
      const marker = L.marker(gap.at, {
        icon: L.divIcon({ className: "lc-gap", iconSize: [22, 22], html: element("span", {}, String(number + 1)) }),
        zIndexOffset: 1000 - number,
        keyboard: false,
        number,
      });
      marker.bindTooltip(gapCard(gap), { direction: "top", offset: [0, -10], className: "lc-tip" });
      marker.on("click", () => markGap(number));
      marker.on("mouseover", () => map.closeTooltip(tip));
      group.addLayer(marker);
    });
    thinGaps();
  }

  /* Where numbers would cover each other or a district's name, the lesser gap is a dot until one zooms in. */
  const GAP_HALF = 12.5;
  let taken = []; // middle, half width and half height of what stands on the map already, in pixels of the world

  function thinGaps() {
    const origin = map.getPixelOrigin();
    const place = (marker) => map.latLngToLayerPoint(marker.getLatLng()).add(origin);
    taken = [];
    for (const { label } of shapes.values()) {
      const name = label && label.getElement() && label.getElement().firstChild;
      if (name) taken.push([place(label), name.offsetWidth / 2, name.offsetHeight / 2]);
    }
    const free = (at, dx, dy) => !taken.some(([other, x, y]) => Math.abs(other.x - at.x) < dx + x && Math.abs(other.y - at.y) < dy + y);
    layers.gaps.eachLayer((marker) => {
      const node = marker.getElement();
      if (!node) return;
      const shown = free(place(marker), 13, GAP_HALF);
      node.classList.toggle("lc-gap-dot", !shown);
      if (shown) taken.push([place(marker), 12, GAP_HALF]);
    });
    layers.differences.eachLayer((marker) => { // a village's mark moves aside for a gap's number, down for a name
      const node = marker.getElement();
      if (!node) return;
      const at = place(marker);
      const numbered = taken.some(([other, , y]) => y === GAP_HALF && other.distanceTo(at) < 18);
      node.classList.toggle("lc-beside", numbered);
      node.classList.toggle("lc-below", !numbered && !free(at, 6, 6));
    });
    layers.villages.redraw();
  }

  /* ---- villages: their names from near, and those whose counts differ ---- */

  const villagePlace = (village) => {
    const villages = here().villages();
    return villages.placed[village] ? [villages.lat[village], villages.lon[village]] : null;
  };

  function villageName(village) {
    const villages = here().villages();
    const district = villages.districts[village];
    return [named(villages.names[village]), ...(district ? [" · ", named(district)] : [])];
  }

  const answerText = (letter) => (letter === "1" ? words.yes : letter === "0" ? words.no : words.unknown);
  const answerSign = (letter) => (letter === "1" ? "✓" : letter === "0" ? "✗" : "—");

  function differenceCard(one, now) {
    const states = data.lists[now.villages.states][one.village];
    const card = element("div", {}, element("strong", {}, ...villageName(one.village)), element("div", {}, words["villages_" + one.kind]),
      facts(now.villages.counts.map((name, i) => [name, answerSign(states[i]) + " " + answerText(states[i])])));
    if (one.gap) card.append(element("div", {}, words.village_gap, [one.gap.people, ...one.gap.facts].join(comma)));
    if (one.gap && one.gap.nearest) card.append(element("div", {}, ...around(words.gap_nearest, named(one.gap.nearest))));
    return card;
  }

  const comma = data.language === "en" ? ", " : "，";
  const gapText = (gap) => [[gap.people, ...gap.facts].join(comma),
    ...(gap.nearest ? [comma, ...around(words.gap_nearest, named(gap.nearest))] : [])];

  function showDifferences(group) {
    group.clearLayers();
    const now = target();
    for (const one of now.villages ? now.villages.differ : []) {
      const place = villagePlace(one.village);
      if (!place) continue;
      const marker = L.marker(place, {
        icon: L.divIcon({ className: "lc-difference", iconSize: [18, 18], html: differenceMark(one.kind, 18) }),
        keyboard: false,
        village: one.village,
      });
      marker.bindTooltip(differenceCard(one, now), { direction: "top", offset: [0, -9], className: "lc-tip" });
      marker.on("click", () => markVillage(one.village));
      marker.on("mouseover", () => map.closeTooltip(tip));
      group.addLayer(marker);
    }
  }

  function markVillage(village) {
    byId("lc-villages-part").open = true;
    for (const row of byId("lc-differences").rows) {
      const mine = row.dataset.village === String(village);
      row.classList.toggle("lc-chosen", mine);
      if (mine) row.scrollIntoView({ block: "nearest" });
    }
  }

  function villageRow(village, now) {
    const place = villagePlace(village);
    const title = place ? element("button", { type: "button", className: "lc-link" }, ...villageName(village)) : element("span", {}, ...villageName(village));
    if (place) title.addEventListener("click", () => goToVillage(village));
    const states = data.lists[now.villages.states][village];
    const row = element("tr", {}, element("th", { scope: "row" }, title),
      ...[...states].map((letter) => element("td", { className: "lc-answer-" + (letter === "-" ? "x" : letter) },
        element("span", { "aria-hidden": "true" }, answerSign(letter)), element("span", { className: "lc-hidden" }, answerText(letter)))));
    row.dataset.village = String(village);
    return row;
  }

  function goToVillage(village) {
    markVillage(village);
    goTo(villagePlace(village));
    layers.differences.eachLayer((marker) => {
      if (marker.options.village === village) marker.openTooltip();
      else marker.closeTooltip();
    });
  }

  const countsHead = (now) => element("thead", {}, element("tr", {}, element("th", { scope: "col" }, words.cell_village),
    ...now.villages.counts.map((name) => element("th", { scope: "col" }, name))));

  function showVillages() {
    const now = target();
    const shown = now.villages;
    const count = shown ? shown.differ.length : 0;
    if (!part("lc-villages-part", Boolean(shown), shown && shown.reached ? fill(words.villages_figure, { count }) : "")) return;
    byId("lc-villages-note").textContent = !shown.reached ? words.villages_no_reach : count ? words.table_hint : words.villages_same;
    byId("lc-differences").replaceChildren(...(count ? [countsHead(now)] : []), ...["over", "under"].flatMap((kind) => {
      const mine = shown.differ.filter((one) => one.kind === kind);
      if (!mine.length) return [];
      const head = element("th", { colSpan: 1 + shown.counts.length, scope: "rowgroup" },
        differenceMark(kind, 14), " ", words["villages_" + kind], ` (${mine.length})`);
      return [element("tbody", {}, element("tr", { className: "lc-kind" }, head), ...mine.flatMap((one) => {
        const row = villageRow(one.village, now);
        if (!one.gap) return [row];
        const more = element("tr", { className: "lc-more-row" }, element("td", { colSpan: 1 + shown.counts.length }, words.village_gap, ...gapText(one.gap)));
        more.dataset.village = row.dataset.village;
        row.className = "lc-has-more";
        return [row, more];
      }))];
    }));
    listVillages();
  }

  function listVillages() {
    const now = target();
    const table = byId("lc-villages");
    table.replaceChildren();
    if (!byId("lc-villages-all").open || !now.villages) return;
    const body = element("tbody", {});
    data.lists[now.villages.states].forEach((states, village) => {
      if (/[01]/.test(states)) body.append(villageRow(village, now));
    });
    table.append(countsHead(now), body);
  }

  function gapCard(gap) {
    const lines = [gap.people, ...gap.facts];
    const card = element("div", {}, element("strong", {}, placeOf(gap)), ...lines.map((line) => element("div", {}, line)));
    if (gap.nearest) card.append(element("div", {}, ...around(words.gap_nearest, named(gap.nearest))));
    return card;
  }

  const placeOf = (gap) => element("span", {}, ...gap.place.flatMap((name, i) => (i ? [" · ", named(name)] : [named(name)])));

  /* Put an element where {name} stands in a sentence. */
  function around(text, node) {
    const [before, after] = text.split("{name}");
    return [before, node, after || ""];
  }

  function markGap(number) {
    const items = byId("lc-gaps").children;
    if (number >= GAPS_FIRST && !chosen.allGaps) {
      chosen.allGaps = true;
      foldGaps();
    }
    byId("lc-gaps-part").open = true;
    for (let i = 0; i < items.length; i++) items[i].classList.toggle("lc-chosen", i === number);
    if (items[number]) items[number].scrollIntoView({ block: "nearest" });
  }

  /* ---- what stands under the pointer ---- */

  let tip = null;

  function nearestTo(set, latlng, limit, wanted) {
    const scale = 256 * Math.pow(2, map.getZoom());
    const x = across(latlng.lng), y = down(latlng.lat);
    const bound = limit / scale;
    let best = -1, least = bound * bound;
    for (let i = 0; i < set.count; i++) {
      if (!set.placed[i] || !wanted(i)) continue;
      const dx = set.x[i] - x, dy = set.y[i] - y;
      const apart = dx * dx + dy * dy;
      if (apart <= least) {
        best = i;
        least = apart;
      }
    }
    return best;
  }

  function facilityAt(latlng) {
    if (!map.hasLayer(layers.facilities)) return -1;
    const facilities = here().facilities();
    return nearestTo(facilities, latlng, symbolSize() + 3, (i) => target().services.includes(facilities.service[i]));
  }

  function cellAt(latlng) {
    if (!map.hasLayer(layers.residents) || !here().answers(target())) return -1;
    return nearestTo(here().cells(), latlng, Math.max(6, cellSide() * 0.72), () => true);
  }

  function peopleText(tenths) {
    const people = tenths / 10;
    return people > 0 && people < 0.5 ? "<1" : Math.round(people).toLocaleString("en");
  }

  /* Rounded up, so that a time over the limit never reads as the limit. */
  const minutesText = (minutes) => (Math.ceil(minutes * 10 - 1e-6) / 10).toFixed(1);

  function facts(rows) {
    const list = element("dl", { className: "lc-facts" });
    for (const [term, value] of rows) list.append(element("dt", {}, term), element("dd", {}, value));
    return list;
  }

  function facilityCard(facility) {
    const facilities = here().facilities();
    return element("div", {}, element("strong", {}, named(facilities.names[facility])),
      facts([[words.service, here().entry.services[facilities.service[facility]]]]));
  }

  function cellCard(cell) {
    const cells = here().cells();
    const answers = here().answers(target());
    const status = answers.status[cell];
    const rows = [[words.cell_status, status ? data.statuses[status] : words.uncounted]];
    const minutes = answers.minutes[cell];
    if (!Number.isNaN(minutes)) {
      const over = minutes - target().minutes;
      rows.push([words.cell_minutes, fill(status === STATUS.beyond ? words.cell_over : words.cell_within,
        { minutes: minutesText(minutes), over: minutesText(Math.max(over, 0)) })]);
    }
    const venue = answers.nearest[cell];
    if (venue) rows.push([words.cell_nearest, named(here().facilities().names[venue - 1])]);
    rows.push([words.cell_people, peopleText(answers.people[cell])]);
    if (cells.district(cell)) rows.push([words.cell_district, named(cells.district(cell))]);
    if (cells.village(cell)) rows.push([words.cell_village, named(cells.village(cell))]);
    return facts(rows);
  }

  function point(event) {
    const facility = facilityAt(event.latlng);
    const cell = facility < 0 ? cellAt(event.latlng) : -1;
    if (facility < 0 && cell < 0) {
      map.closeTooltip(tip);
      return;
    }
    const set = facility < 0 ? here().cells() : here().facilities();
    const index = facility < 0 ? cell : facility;
    const place = [set.lat[index], set.lon[index]];
    const low = map.latLngToContainerPoint(place).y < map.getSize().y / 2;
    tip.options.direction = low ? "bottom" : "top";
    tip.options.offset = L.point(0, low ? 8 : -8);
    tip.setContent(facility < 0 ? cellCard(cell) : facilityCard(facility)).setLatLng(place);
    if (!map.hasLayer(tip)) map.openTooltip(tip);
  }

  /* ---- the panel ---- */

  function swatch(colour, hatched) {
    const node = element("i", { className: "lc-swatch" + (hatched ? " lc-hatched" : ""), "aria-hidden": "true" });
    if (!hatched) node.style.background = colour;
    return node;
  }

  function symbol(number) {
    const ratio = window.devicePixelRatio || 1;
    const canvas = element("canvas", { width: 18 * ratio, height: 18 * ratio, className: "lc-symbol", "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    drawSymbol(context, number, 9, 9, 6);
    return canvas;
  }

  function legendPart(title, entries) {
    return [element("h3", {}, title), element("ul", {}, ...entries.map(([mark, text]) => element("li", {}, mark, element("span", {}, text))))];
  }

  function showLegend() {
    const now = target();
    const parts = [];
    const answers = here().answers(now);
    if (answers) {
      const [low, high] = data.overBreaks;
      const texts = CLASSES.map((name) => fill(words[name], {
        minutes: now.minutes, low: name === "beyond_1" ? low : high, high: name === "beyond_0" ? low : high,
      }));
      const present = CLASSES.map((name, which) => which).filter((which) => which < 6 || answers.classes.includes(6));
      parts.push(...legendPart(words.legend_residents,
        present.map((which) => [swatch(data.cellColours[CLASSES[which]], which === 5), texts[which]])));
      const key = (mark, text) => parts[parts.length - 1].append(element("li", {}, mark, element("span", {}, text)));
      if (now.gaps && now.gaps.length) {
        key(element("i", { className: "lc-gap lc-gap-key", "aria-hidden": "true" }, element("span", {}, "1")), words.gap_marks);
      }
      for (const kind of ["over", "under"]) {
        if (now.villages && now.villages.differ.some((one) => one.kind === kind)) key(differenceMark(kind, 18), words["villages_" + kind]);
      }
    }
    if (now.shares && now.districts.length) {
      parts.push(...legendPart(words.legend_districts, data.rateTexts.map((text, i) => [swatch(data.rateColours[i]), text])));
      parts[parts.length - 1].className = "lc-steps";
    }
    if (now.services.length) {
      parts.push(...legendPart(words.legend_facilities,
        now.services.map((service, number) => [symbol(number), named(here().entry.services[service])])));
      parts[parts.length - 1].className = "lc-columns";
    }
    part("lc-legend-part", parts.length > 0);
    byId("lc-legend").replaceChildren(...parts);
  }

  function showTable() {
    const now = target();
    part("lc-districts-part", now.districts.length > 0);
    byId("lc-rate-column").textContent = now.shares ? words.column_rate : words.column_value;
    byId("lc-districts").tBodies[0].replaceChildren(...now.districts.map((one) => {
      const name = shapes.has(one.code)
        ? element("button", { type: "button", className: "lc-link", "aria-pressed": "false" }, named(one.name))
        : named(one.name);
      if (name.tagName === "BUTTON") name.addEventListener("click", () => choose(one.code, { pan: true }));
      const row = element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, one.people),
        element("td", { title: one.statusText }, one.rate), element("td", {}, one.left));
      row.dataset.code = one.code;
      return row;
    }));
  }

  function showGapList() {
    const now = target();
    const gaps = now.gaps || [];
    part("lc-gaps-part", now.gaps !== null, now.gapCount ? fill(words.gaps_figure, { count: now.gapCount }) : "");
    byId("lc-gaps-note").textContent = !now.gapCount ? words.gaps_none
      : fill(now.gapCount > gaps.length ? words.gaps_shown : words.gaps_all, { count: now.gapCount, shown: gaps.length });
    byId("lc-gaps").replaceChildren(...gaps.map((gap, number) => {
      const title = element("span", { className: "lc-gap-title" }, placeOf(gap), " ", element("b", {}, gap.people));
      const head = gap.at ? element("button", { type: "button", className: "lc-link" }, title) : title;
      if (gap.at) head.addEventListener("click", () => {
        markGap(number);
        goTo(gap.at);
      });
      const item = element("li", {}, element("i", { className: "lc-gap lc-gap-key", "aria-hidden": "true" },
        element("span", {}, String(number + 1))), element("div", {}, head, element("div", { className: "lc-small" }, gap.facts.join(comma))));
      if (gap.nearest) item.lastChild.append(element("div", { className: "lc-small" }, ...around(words.gap_nearest, named(gap.nearest))));
      return item;
    }));
    foldGaps();
  }

  function foldGaps() {
    const items = [...byId("lc-gaps").children];
    items.forEach((item, number) => (item.hidden = !chosen.allGaps && number >= GAPS_FIRST));
    const more = byId("lc-gaps-more");
    more.hidden = items.length <= GAPS_FIRST;
    more.textContent = chosen.allGaps ? words.gaps_less : fill(words.gaps_more, { count: items.length });
    more.setAttribute("aria-expanded", String(chosen.allGaps));
  }

  function show() {
    map.closeTooltip(tip);
    showDistricts(layers.districts);
    layers.residents.redraw();
    layers.facilities.redraw();
    layers.roads.redraw();
    showDifferences(layers.differences);
    showGaps(layers.gaps);
    window.lifecirclePage.show(target());
    showLegend();
    showTable();
    showVillages();
    showGapList();
    if (chosen.district !== null) choose(chosen.district, {});
  }

  /* Circles first with their values, then what else has a figure, then the rest; each in the plan's order. */
  function fillTargets() {
    const before = byId("lc-target").value;
    const targets = here().entry.targets;
    const groups = [
      [words.targets_circles, targets.filter((one) => one.computed && one.kind === "circle")],
      [words.targets_others, targets.filter((one) => one.computed && one.kind !== "circle")],
      [words.targets_not_computed, targets.filter((one) => !one.computed)],
    ];
    byId("lc-target").replaceChildren(...groups.filter(([, mine]) => mine.length).map(([label, mine]) => element("optgroup", { label },
      ...mine.map((one) => element("option", { value: one.id }, one.computed ? fill(words.option_value, one) : one.name)))));
    const found = targets.find((one) => one.id === before) || groups.flatMap(([, mine]) => mine)[0];
    chosen.target = targets.indexOf(found);
    byId("lc-target").value = found.id;
    window.lifecirclePage.pending(targets, take);
  }

  function take(id) {
    byId("lc-target").value = id;
    chosen.target = here().entry.targets.findIndex((one) => one.id === id);
    chosen.allGaps = false;
    show();
  }

  function preparePanel() {
    const year = byId("lc-year");
    year.replaceChildren(...years.map((one, i) => element("option", { value: String(i) }, String(one.entry.year))));
    year.selectedIndex = chosen.year;
    byId("lc-year-row").hidden = years.length < 2;
    fillTargets();
    byId("lc-target-row").hidden = here().entry.targets.length < 2 && years.length < 2;
    byId("lc-target").addEventListener("change", (event) => take(event.target.value));
    byId("lc-gaps-more").addEventListener("click", () => {
      chosen.allGaps = !chosen.allGaps;
      foldGaps();
    });
    byId("lc-villages-all").addEventListener("toggle", listVillages);
    year.addEventListener("change", () => {
      chosen.year = year.selectedIndex;
      fillTargets();
      show();
    });
  }

  /* ---- the map's own controls ---- */

  function prepareControls() {
    const stamp = element("strong", { className: "lc-map-stamp" }, byId("lc-stamp").textContent);
    map.attributionControl.addAttribution(stamp.outerHTML).addAttribution(words.boundaries);
    L.control.scale({ imperial: false, position: window.innerWidth <= NARROW ? "topright" : "bottomleft" }).addTo(map);
    const North = L.Control.extend({
      onAdd: () => element("div", { className: "lc-north", title: words.north_note },
        element("span", { "aria-hidden": "true" }, "▲"), element("span", {}, words.north)),
    });
    new North({ position: "bottomright" }).addTo(map);
    if (window.innerWidth > NARROW) legendOnMap();
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

  function legendOnMap() {
    const Legend = L.Control.extend({
      onAdd() {
        const legend = byId("lc-legend-part");
        L.DomEvent.disableClickPropagation(legend).disableScrollPropagation(legend);
        return legend;
      },
    });
    new Legend({ position: "bottomleft" }).addTo(map);
  }

  let started = false; // nothing is drawn before, so that what fails is told in one place
  const painter = (pane, paint) => new Painter((context, view) => started && paint(context, view), { pane });
  const layers = {
    districts: L.featureGroup(),
    residents: painter("lc-residents", (context, view) => {
      const answers = here().answers(target());
      if (answers) paintResidents(context, view, here().cells(), answers.order, cellSide());
    }),
    differences: L.featureGroup(),
    gaps: L.featureGroup(),
    villages: painter("lc-villages", (context, view) => {
      if (view.zoom >= NAMES_FROM) paintNames(context, view, here().villages(), taken);
    }),
    facilities: painter("lc-facilities", (context, view) =>
      paintFacilities(context, view, here().facilities(), target().services, symbolSize())),
    roads: painter("lc-roads", paintRoads),
  };

  const PANES = { "lc-areas": 250, "lc-roads": 320, "lc-residents": 350, "lc-lines": 380, "lc-facilities": 450, "lc-villages": 500, "lc-labels": 550 };

  let tellReady, tellFailed;
  const ready = new Promise((resolve, reject) => {
    tellReady = resolve;
    tellFailed = reject;
  });
  ready.catch(() => {}); // told in the panel

  function start() {
    started = true;
    preparePanel();
    prepareControls();
    tip = L.tooltip({ className: "lc-tip", opacity: 1 });
    show();
    map.on("mousemove click", point);
    map.on("mouseout", () => map.closeTooltip(tip));
    map.on("zoomend overlayadd", thinGaps);
    requestAnimationFrame(() => setTimeout(tellReady));
  }

  /* For the scripts that folium writes: panes before any layer, layers by kind, and the start at the end. */
  Object.assign(window.lifecirclePage, {
    panes(made) {
      map = made;
      for (const [name, level] of Object.entries(PANES)) {
        const pane = map.createPane(name);
        pane.style.zIndex = level;
        if (name !== "lc-areas") pane.style.pointerEvents = "none";
      }
    },
    layer: (kind) => layers[kind],
    fit(bounds) {
      map.fitBounds(bounds, { paddingTopLeft: [beside(), 12], paddingBottomRight: [12, 12] });
    },
    start() {
      try {
        start();
      } catch (error) {
        const alert = byId("lc-failed");
        alert.hidden = false;
        alert.textContent = words.failed + error.message;
        tellFailed(error);
      }
    },
  });

  window.lifecircle = {
    ready,
    minutes(targetId, yearNumber) {
      const year = years.find((one) => one.entry.year === Number(yearNumber));
      const one = year && year.entry.targets.find((entry) => entry.id === targetId);
      const answers = one && year.answers(one);
      if (!answers) throw new RangeError(`no travel times for target ${targetId} in ${yearNumber}`);
      return Array.from(answers.minutes, (minutes) => (Number.isNaN(minutes) ? null : minutes));
    },
  };
})();
