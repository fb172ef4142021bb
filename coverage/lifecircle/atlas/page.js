/* Draws the map page from the data that stand in it. Names are only ever put in as text, never as markup;
   nothing is asked of any server. Figures are printed as they were handed over: the page counts nothing. */
"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const { data, CLASSES, STATUS, years, plain, running, across, down, once } = window.lifecirclePage;
  const words = data.words;
  const DRAWN = [6, 0, 1, 2, 3, 4], UNSNAPPED = 5; // places in CLASSES; what matters most is drawn last
  const SHAPES = ["square", "triangle", "diamond", "circle", "cross", "bar"];
  const NARROW = 760; // pixels, as in page.css
  const FACILITY_INK = "#12304a";

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));

  function element(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key in node) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  const named = (text) => element("bdi", { className: "lc-name", title: text }, text);

  /* ---- what is chosen, and the layers that show it ---- */

  const chosen = { year: years.length - 1, target: 0, district: null };
  const here = () => years[chosen.year];
  const target = () => here().entry.targets[chosen.target];

  const Painter = L.Renderer.extend({
    initialize(paint, options) {
      L.Renderer.prototype.initialize.call(this, L.extend({ padding: 0.2 }, options));
      this._paint = paint;
    },
    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.setAttribute("aria-hidden", "true");
      this._context = this._container.getContext("2d");
    },
    _destroyContainer() {
      this._container.remove();
      delete this._container;
      delete this._context;
    },
    _updatePaths() {},
    _onZoomEnd() {},
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      const ratio = window.devicePixelRatio || 1;
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._container.width = ratio * size.x;
      this._container.height = ratio * size.y;
      this._container.style.width = size.x + "px";
      this._container.style.height = size.y + "px";
      this.redraw();
    },
    redraw() {
      if (!started || !this._map || !this._bounds) return;
      const size = this._bounds.getSize();
      const ratio = window.devicePixelRatio || 1;
      const origin = this._map.getPixelOrigin();
      this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this._context.clearRect(0, 0, size.x, size.y);
      this._paint(this._context, {
        scale: 256 * Math.pow(2, this._map.getZoom()),
        left: origin.x + this._bounds.min.x,
        top: origin.y + this._bounds.min.y,
        width: size.x,
        height: size.y,
        zoom: this._map.getZoom(),
      });
    },
  });

  /* One pixel of this many metres at the map's middle, so that a resident is drawn as large as it stands for. */
  const metresPerPixel = (map) =>
    (40075016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * Math.pow(2, map.getZoom()));

  let map = null;
  let started = false; // nothing is drawn before, so that what fails is told in one place
  const cellSide = () => Math.min(48, Math.max(3, here().entry.cells.size_m / metresPerPixel(map)));

  const hatch = once(() => {
    const tile = element("canvas", { width: 6, height: 6 });
    const context = tile.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, 6, 6);
    context.strokeStyle = data.cellColours.unsnapped;
    context.lineWidth = 1.6;
    context.beginPath();
    for (const shift of [-6, 0, 6]) {
      context.moveTo(shift - 1, 7);
      context.lineTo(shift + 7, -1);
    }
    context.stroke();
    return context.createPattern(tile, "repeat");
  });

  const packedColour = once(() => {
    const pixel = new Uint32Array(1);
    const parts = new Uint8Array(pixel.buffer);
    return CLASSES.map((name) => {
      const code = parseInt(data.cellColours[name].slice(1), 16);
      parts.set([code >> 16, (code >> 8) & 255, code & 255, 255]);
      return pixel[0];
    });
  });

  /* Tens of thousands of squares are written as pixels: asking the canvas for each took twice as long. */
  function paintResidents(context, view) {
    const answers = here().answers(target());
    if (!answers || !context.canvas.width || !context.canvas.height) return;
    const cells = here().cells();
    const half = cellSide() * 0.51 + 0.25; // neighbours overlap a little, or seams show between them
    const ratio = context.canvas.width / view.width;
    const width = context.canvas.width, height = context.canvas.height;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const which of DRAWN) {
      const colour = packedColour()[which];
      for (const i of answers.order[which]) {
        const x = cells.x[i] * view.scale - view.left, y = cells.y[i] * view.scale - view.top;
        const left = Math.max(Math.round((x - half) * ratio), 0), right = Math.min(Math.round((x + half) * ratio), width);
        const top = Math.max(Math.round((y - half) * ratio), 0), bottom = Math.min(Math.round((y + half) * ratio), height);
        if (left < right) for (let row = top; row < bottom; row++) pixels.fill(colour, row * width + left, row * width + right);
      }
    }
    context.putImageData(image, 0, 0);
    context.fillStyle = hatch();
    context.strokeStyle = data.cellColours.unsnapped;
    context.lineWidth = 1;
    const reach = Math.max(half, 2), side = Math.round(2 * reach);
    for (const i of answers.order[UNSNAPPED]) {
      const x = Math.round(cells.x[i] * view.scale - view.left - reach);
      const y = Math.round(cells.y[i] * view.scale - view.top - reach);
      if (x < -side || y < -side || x > view.width || y > view.height) continue;
      context.fillRect(x, y, side, side);
      context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    }
  }

  function trace(context, shape, x, y, r) {
    context.beginPath();
    if (shape === "circle") context.arc(x, y, r, 0, 2 * Math.PI);
    else if (shape === "square") context.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
    else if (shape === "bar") context.rect(x - r * 1.2, y - r * 0.55, r * 2.4, r * 1.1);
    else if (shape === "diamond") polygon(context, [x, y - r * 1.2, x + r * 1.2, y, x, y + r * 1.2, x - r * 1.2, y]);
    else if (shape === "triangle") polygon(context, [x, y - r * 1.2, x + r * 1.15, y + r * 0.85, x - r * 1.15, y + r * 0.85]);
    else {
      const a = r * 0.42, b = r * 1.15;
      polygon(context, [x - a, y - b, x + a, y - b, x + a, y - a, x + b, y - a, x + b, y + a, x + a, y + a,
        x + a, y + b, x - a, y + b, x - a, y + a, x - b, y + a, x - b, y - a, x - a, y - a]);
    }
    context.closePath();
  }

  function polygon(context, numbers) {
    context.moveTo(numbers[0], numbers[1]);
    for (let i = 2; i < numbers.length; i += 2) context.lineTo(numbers[i], numbers[i + 1]);
  }

  function drawSymbol(context, number, x, y, r) {
    trace(context, SHAPES[number % SHAPES.length], x, y, r);
    context.lineWidth = 3.6;
    context.strokeStyle = "#ffffff";
    context.stroke();
    context.lineWidth = 1.2;
    context.strokeStyle = "#ffffff";
    context.fillStyle = FACILITY_INK;
    context.fill();
    context.stroke();
  }

  const symbolSize = () => Math.min(7, Math.max(3.2, (map.getZoom() - 8) * 1.1));

  function paintFacilities(context, view) {
    const facilities = here().facilities();
    const shown = target().services;
    const r = symbolSize();
    for (let i = 0; i < facilities.count; i++) {
      const number = shown.indexOf(facilities.service[i]);
      if (number < 0 || !facilities.placed[i]) continue;
      const x = facilities.x[i] * view.scale - view.left;
      const y = facilities.y[i] * view.scale - view.top;
      if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
      drawSymbol(context, number, x, y, r);
    }
  }

  const roads = once(() => {
    const lon = running(data.roads.lon), lat = running(data.roads.lat);
    return {
      x: lon.map((value) => across(value / data.places)),
      y: lat.map((value) => down(value / data.places)),
      sizes: plain(data.roads.sizes),
    };
  });

  function paintRoads(context, view) {
    const { x, y, sizes } = roads();
    context.strokeStyle = "#8a8f98";
    context.lineWidth = view.zoom < 13 ? 0.5 : 1;
    let first = 0;
    for (const size of sizes) {
      context.beginPath();
      for (let i = first; i < first + size; i++) {
        const left = x[i] * view.scale - view.left, top = y[i] * view.scale - view.top;
        if (i > first) context.lineTo(left, top);
        else context.moveTo(left, top);
      }
      context.stroke();
      first += size;
    }
  }

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
    if (shape && options && options.pan) go(() => map.flyToBounds(shape.area.getBounds(), { padding: [30, 30], duration: 0.6 }),
      () => map.fitBounds(shape.area.getBounds(), { padding: [30, 30], animate: false }));
  }

  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const go = (flying, jumping) => (still.matches ? jumping() : flying());

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
  function thinGaps() {
    const taken = [];
    for (const { label } of shapes.values()) {
      const name = label && label.getElement() && label.getElement().firstChild;
      if (name) taken.push([map.latLngToLayerPoint(label.getLatLng()), name.offsetWidth / 2 + 13, name.offsetHeight / 2 + 12]);
    }
    layers.gaps.eachLayer((marker) => {
      const node = marker.getElement();
      if (!node) return;
      const at = map.latLngToLayerPoint(marker.getLatLng());
      const hidden = taken.some(([other, dx, dy]) => Math.abs(other.x - at.x) < dx && Math.abs(other.y - at.y) < dy);
      node.classList.toggle("lc-gap-dot", hidden);
      if (!hidden) taken.push([at, 25, 25]);
    });
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

  function showHeadline() {
    const now = target();
    byId("lc-rule").textContent = now.rule;
    byId("lc-value").textContent = now.value;
    const verdict = byId("lc-verdict");
    verdict.textContent = now.statusText;
    verdict.dataset.status = now.status;
    byId("lc-goal").textContent = now.goal;
    byId("lc-reason").replaceChildren(...[now.reason, ...now.notes].filter(Boolean).map((line) => element("span", {}, line)));
    const list = byId("lc-people");
    list.replaceChildren();
    list.hidden = !now.people;
    if (!now.people) return;
    for (const [key, term] of [["total", words.total], ["covered", data.statuses[STATUS.covered]], ["beyond", data.statuses[STATUS.beyond]],
      ["disconnected", data.statuses[STATUS.disconnected]], ["unsnapped", data.statuses[STATUS.unsnapped]]]) {
      list.append(element("div", { className: "lc-count lc-count-" + key }, element("dt", {}, term), element("dd", {}, now.people[key])));
    }
  }

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
      if (now.gaps && now.gaps.length) {
        parts[parts.length - 1].append(element("li", {}, element("i", { className: "lc-gap lc-gap-key", "aria-hidden": "true" },
          element("span", {}, "1")), element("span", {}, words.gap_marks)));
      }
    }
    if (now.shares && now.districts.length) {
      const rates = data.rateTexts.map((text, i) => [swatch(data.rateColours[i]), text]).reverse();
      parts.push(...legendPart(words.legend_districts, rates));
    }
    if (now.services.length) {
      parts.push(...legendPart(words.legend_facilities,
        now.services.map((service, number) => [symbol(number), here().entry.services[service]])));
    }
    byId("lc-legend").replaceChildren(...parts);
  }

  function showTable() {
    const now = target();
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
    byId("lc-gaps-note").textContent = now.gaps === null ? words.gaps_not_here : !now.gapCount ? words.gaps_none
      : fill(now.gapCount > gaps.length ? words.gaps_shown : words.gaps_all, { count: now.gapCount, shown: gaps.length });
    byId("lc-gaps").replaceChildren(...gaps.map((gap, number) => {
      const title = element("span", { className: "lc-gap-title" }, placeOf(gap), " ", element("b", {}, gap.people));
      const head = gap.at ? element("button", { type: "button", className: "lc-link" }, title) : title;
      if (gap.at) head.addEventListener("click", () => {
        markGap(number);
        const zoom = Math.max(map.getZoom(), 14);
        go(() => map.flyTo(gap.at, zoom, { duration: 0.6 }), () => map.setView(gap.at, zoom, { animate: false }));
      });
      const item = element("li", {}, element("i", { className: "lc-gap lc-gap-key", "aria-hidden": "true" },
        element("span", {}, String(number + 1))), element("div", {}, head, element("div", { className: "lc-small" }, gap.facts.join("，"))));
      if (data.language === "en") item.lastChild.lastChild.textContent = gap.facts.join(", ");
      if (gap.nearest) item.lastChild.append(element("div", { className: "lc-small" }, ...around(words.gap_nearest, named(gap.nearest))));
      return item;
    }));
  }

  function show() {
    map.closeTooltip(tip);
    showDistricts(layers.districts);
    layers.residents.redraw();
    layers.facilities.redraw();
    layers.roads.redraw();
    showGaps(layers.gaps);
    showHeadline();
    showLegend();
    showTable();
    showGapList();
    if (chosen.district !== null) choose(chosen.district, {});
  }

  function fillTargets() {
    const before = byId("lc-target").value;
    const targets = here().entry.targets;
    byId("lc-target").replaceChildren(...targets.map((one, i) => element("option", { value: one.id }, one.name)));
    const found = targets.findIndex((one) => one.id === before);
    chosen.target = Math.max(found, 0);
    byId("lc-target").selectedIndex = chosen.target;
  }

  function preparePanel() {
    const year = byId("lc-year");
    year.replaceChildren(...years.map((one, i) => element("option", { value: String(i) }, String(one.entry.year))));
    year.selectedIndex = chosen.year;
    byId("lc-year-row").hidden = years.length < 2;
    fillTargets();
    byId("lc-target-row").hidden = here().entry.targets.length < 2 && years.length < 2;
    byId("lc-target").addEventListener("change", (event) => {
      chosen.target = event.target.selectedIndex;
      show();
    });
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
    L.control.scale({ imperial: false, position: window.innerWidth <= NARROW ? "topleft" : "bottomleft" }).addTo(map);
    const North = L.Control.extend({
      onAdd: () => element("div", { className: "lc-north", title: words.north_note },
        element("span", { "aria-hidden": "true" }, "▲"), element("span", {}, words.north)),
    });
    new North({ position: "bottomright" }).addTo(map);
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

  const layers = {
    districts: L.featureGroup(),
    residents: new Painter(paintResidents, { pane: "lc-residents" }),
    gaps: L.featureGroup(),
    facilities: new Painter(paintFacilities, { pane: "lc-facilities" }),
    roads: new Painter(paintRoads, { pane: "lc-roads" }),
  };

  const PANES = { "lc-areas": 250, "lc-roads": 320, "lc-residents": 350, "lc-lines": 380, "lc-facilities": 450, "lc-labels": 550 };

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
