/* Reads the page's data: packed columns back to numbers, and for each year the residents, the facilities and
   every resident's answer, each when it is first asked for. */

export const CLASSES = ["covered", "beyond_0", "beyond_1", "beyond_2", "disconnected", "unsnapped", "uncounted"];
export const STATUS = { covered: 1, beyond: 2, disconnected: 3, unsnapped: 4 }; // places in data.statuses

/* Places: 0 to 1 over the world in web mercator, as the canvases use them. */
export const across = (lon) => lon / 360 + 0.5;
export const down = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);

export const once = (make) => {
  let made;
  return () => (made === undefined ? (made = make()) : made);
};

/* Read what stands in a document; `plain` and `running` read further columns. */
export function readPage(document) {
  const data = JSON.parse(document.getElementById("lifecircle-data").textContent);

  /* ---- reading packed columns ---- */

  function bytes(column) {
    const text = atob(data.columns[column]);
    const out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
    return out;
  }

  function plain(column) {
    const packed = bytes(column);
    let count = 0;
    for (let i = 0; i < packed.length; i++) if (packed[i] < 128) count++;
    const out = new Float64Array(count);
    for (let i = 0, at = 0, value = 0, scale = 1; i < packed.length; i++) {
      value += (packed[i] & 127) * scale;
      if (packed[i] > 127) scale *= 128;
      else {
        out[at++] = value;
        value = 0;
        scale = 1;
      }
    }
    return out;
  }

  function running(column) {
    const out = plain(column);
    for (let i = 0, last = 0; i < out.length; i++) {
      last += out[i] % 2 ? -(out[i] + 1) / 2 : out[i] / 2;
      out[i] = last;
    }
    return out;
  }

  function runs(column, count) {
    const pairs = plain(column);
    const out = new Uint32Array(count);
    for (let i = 0, at = 0; i < pairs.length; i += 2) {
      out.fill(pairs[i], at, at + pairs[i + 1]);
      at += pairs[i + 1];
    }
    return out;
  }

  function nibbles(column, count) {
    const packed = bytes(column);
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = (packed[i >> 1] >> (4 * (i & 1))) & 15;
    return out;
  }

  function points(packed) {
    const lon = running(packed.lon).map((value) => value / data.places);
    const lat = running(packed.lat).map((value) => value / data.places);
    return { lon, lat, x: lon.map(across), y: lat.map(down), placed: runs(packed.placed, packed.count) };
  }

  function openYear(entry) {
    const labels = (packed, list) => {
      if (!packed) return () => "";
      const values = runs(packed.values, entry.cells.count);
      const names = data.lists[packed[list]];
      return (cell) => (values[cell] ? names[values[cell] - 1] : "");
    };
    const cells = once(() =>
      Object.assign(points(entry.cells), {
        count: entry.cells.count,
        district: labels(entry.cells.district, "names"),
        districtCode: labels(entry.cells.district, "codes"),
        village: labels(entry.cells.village, "names"),
        villageCode: labels(entry.cells.village, "codes"),
      }));
    const facilities = once(() =>
      Object.assign(points(entry.facilities), {
        count: entry.facilities.count,
        service: plain(entry.facilities.service),
        names: data.lists[entry.facilities.names],
      }));
    const villages = once(() =>
      Object.assign(points(entry.villages), {
        count: entry.villages.count,
        names: data.lists[entry.villages.names],
        codes: data.lists[entry.villages.codes],
        districts: data.lists[entry.villages.districts],
      }));
    const answers = new Map(entry.targets.map((target) => [target.id, once(() => openAnswers(entry, target))]));
    return { entry, cells, facilities, villages, answers: (target) => answers.get(target.id)() };
  }

  function openAnswers(entry, target) {
    if (!target.answers) return null;
    const count = entry.cells.count;
    const placed = runs(entry.cells.placed, count);
    const tenths = plain(target.answers.tenths);
    const status = nibbles(target.answers.status, count);
    const minutes = new Float64Array(count);
    const classes = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      minutes[i] = tenths[i] ? (tenths[i] - 1) / 600 : NaN;
      if (status[i] === STATUS.covered) classes[i] = 0;
      else if (status[i] === STATUS.beyond) {
        const over = minutes[i] - target.minutes;
        classes[i] = over <= data.overBreaks[0] ? 1 : over <= data.overBreaks[1] ? 2 : 3;
      } else classes[i] = status[i] === STATUS.disconnected ? 4 : status[i] === STATUS.unsnapped ? 5 : 6;
    }
    const order = CLASSES.map(() => []); // the residents of each class that have a place
    for (let i = 0; i < count; i++) if (placed[i]) order[classes[i]].push(i);
    return { minutes, status, classes, order, people: plain(target.answers.people), nearest: running(target.answers.nearest) };
  }

  return { data, years: data.years.map(openYear), plain, running };
}
