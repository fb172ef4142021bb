// A road search to test the page with: everyone goes straight at 5 km/h, as the made-up county has it.
window.lifecirclePage = {
  route: {
    can({ year, target }) {
      const { opened, one } = this.of(year, target);
      return one.kind === "circle" && opened.answers(one) !== null;
    },
    metres(lon, lat, toLon, toLat) {
      return Math.hypot((lon - toLon) * 95700, (lat - toLat) * 111320);
    },
    of(year, target) {
      const opened = window.lifecirclePage.years.find((one) => one.entry.year === year);
      return { opened, one: opened.entry.targets.find((entry) => entry.id === target) };
    },
    times({ year, target, pins }) {
      const { opened, one } = this.of(year, target);
      const cells = opened.cells(), answers = opened.answers(one);
      const counts = one.services.map((service) => opened.entry.serviceIds[service]);
      return Float64Array.from(answers.minutes, (minutes, i) => {
        let least = Number.isNaN(minutes) ? Infinity : minutes * 60;
        for (const pin of pins) {
          const counted = pin.service === undefined || pin.service.split(";").some((one) => counts.includes(one));
          if (counted && cells.placed[i] && answers.status[i] !== 4) {
            least = Math.min(least, (this.metres(cells.lon[i], cells.lat[i], pin.lon, pin.lat) / 5) * 3.6);
          }
        }
        return Number.isFinite(least) ? least : NaN;
      });
    },
    whatIf({ year, target, pins }) {
      const { opened, one } = this.of(year, target);
      const answers = opened.answers(one), times = this.times({ year, target, pins });
      const cells = [];
      let people = 0;
      for (let i = 0; i < times.length; i++) {
        if (answers.status[i] > 1 && times[i] <= one.minutes * 60 + 1e-6) {
          cells.push(i);
          people += answers.people[i] / 10;
        }
      }
      return { people, cells, districts: [] };
    },
    survey({ year, target, pins, limit, speed = 1, status }) {
      const { opened, one } = this.of(year, target);
      const answers = opened.answers(one), standing = status ?? answers.status, most = (limit ?? one.minutes) * 60 * speed + 1e-6;
      const times = this.times({ year, target, pins });
      const cells = [...times.keys()].filter((i) => standing[i] > 1 && times[i] <= most);
      const sum = (some) => some.reduce((total, i) => total + answers.people[i] / 10, 0);
      const each = pins.map((pin) => {
        const alone = this.times({ year, target, pins: [pin] });
        const all = [...alone.keys()].filter((i) => standing[i] && standing[i] < 4 && alone[i] <= most);
        const before = all.filter((i) => standing[i] === 1), newly = all.filter((i) => cells.includes(i));
        return { why: pin.lon < 121 ? "" : "far", legMetres: 41.7, all: sum(all), before: sum(before), newly: sum(newly), left: 0, lacking: 0, lacks: [] };
      });
      return { people: sum(cells), cells, each };
    },
    lacks: () => [{ class: "library", name: "<b>图书馆</b>", count: 2, have: 1, seconds: 1200 }],
    can: () => true,
    snap: (lon) => ({ legMetres: 41.7, ok: lon < 121 }),
  },
};
