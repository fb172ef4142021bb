/* Draws what is painted on canvases: residents, venues, roads and village names; and the small symbols. */
"use strict";
(function () {
  const { data, CLASSES, plain, running, across, down, once, element, svg } = window.lifecirclePage;
  const DRAWN = [6, 0, 1, 2, 3, 4], UNSNAPPED = 5; // places in CLASSES; what matters most is drawn last
  const SHAPES = ["square", "triangle", "diamond", "circle", "cross", "bar"];
  const INK = "#12304a";

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
      if (!this._map || !this._bounds) return;
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
  function paintResidents(context, view, cells, order, side) {
    if (!context.canvas.width || !context.canvas.height) return;
    const half = side * 0.51 + 0.25; // neighbours overlap a little, or seams show between them
    const ratio = context.canvas.width / view.width;
    const width = context.canvas.width, height = context.canvas.height;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const which of DRAWN) {
      const colour = packedColour()[which];
      for (const i of order[which]) {
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
    const reach = Math.max(half, 2), box = Math.round(2 * reach);
    for (const i of order[UNSNAPPED]) {
      const x = Math.round(cells.x[i] * view.scale - view.left - reach);
      const y = Math.round(cells.y[i] * view.scale - view.top - reach);
      if (x < -box || y < -box || x > view.width || y > view.height) continue;
      context.fillRect(x, y, box, box);
      context.strokeRect(x + 0.5, y + 0.5, box - 1, box - 1);
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
    const hollow = number % (2 * SHAPES.length) >= SHAPES.length; // the shapes again, for a seventh to twelfth service
    context.strokeStyle = hollow ? INK : "#ffffff";
    context.fillStyle = hollow ? "#ffffff" : INK;
    context.fill();
    context.stroke();
  }

  function paintFacilities(context, view, facilities, shown, r) {
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

  const shortened = (name) => (name.length > 14 ? name.slice(0, 13) + "…" : name);

  /* Names in a halo, each below its place, as far as nothing else stands there. */
  function paintNames(context, view, villages, taken) {
    const stands = taken.slice();
    context.font = `600 12.5px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = "rgba(255, 255, 255, 0.92)";
    context.fillStyle = "#33404f";
    for (let i = 0; i < villages.count; i++) {
      if (!villages.placed[i]) continue;
      const at = L.point(villages.x[i] * view.scale, villages.y[i] * view.scale + 15);
      const name = shortened(villages.names[i]);
      const half = context.measureText(name).width / 2;
      if (stands.some(([other, x, y]) => Math.abs(other.x - at.x) < half + x && Math.abs(other.y - at.y) < 8 + y)) continue;
      stands.push([at, half, 8]);
      context.strokeText(name, at.x - view.left, at.y - view.top);
      context.fillText(name, at.x - view.left, at.y - view.top);
    }
  }

  function differenceMark(kind, side) {
    const points = kind === "over" ? "4.5,6 13.5,6 9,13.5" : "4.5,12 13.5,12 9,4.5";
    const picture = svg("svg", { viewBox: "0 0 18 18", width: side, height: side, "aria-hidden": "true", class: "lc-mark lc-mark-" + kind });
    picture.append(svg("rect", { x: 1, y: 1, width: 16, height: 16, rx: 3 }), svg("polygon", { points }));
    return picture;
  }

  Object.assign(window.lifecirclePage, {
    Painter, paintResidents, paintFacilities, paintRoads, paintNames, drawSymbol, differenceMark,
  });
})();
