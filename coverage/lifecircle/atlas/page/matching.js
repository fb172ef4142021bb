/* Finds what a few typed letters mean among many names: whole names first, then beginnings, then parts. */

/* A committee is known by its village or community: 新联村, 新联村委会 and 新联村民委员会 are one. */
const COMMITTEE = /^(.+?(?:村|社区))(?:村民委员会|居民委员会|民委员会|委员会|居委会|委会)$/; // as the package shortens the names

const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s·・,，]+/g, "").replace(COMMITTEE, "$1").replace(/居民委员会$/, "居委会");

/* How well a name fits what was typed: 0 is the name itself, -1 no fit. */
function rank(name, typed) {
  if (name === typed) return 0;
  const at = name.indexOf(typed);
  return at < 0 ? -1 : at === 0 ? 1 : 2;
}

/* The entries that fit, best first and in their order where equally good; entries: names (the first is the main one). */
export function matching(entries, typed, most) {
  const wanted = plain(typed);
  if (!wanted) return [];
  const found = [];
  entries.forEach((entry, place) => {
    entry.plain ??= entry.names.map(plain);
    let best = -1;
    for (const name of entry.plain) {
      const one = rank(name, wanted);
      if (one >= 0 && (best < 0 || one < best)) best = one;
    }
    if (best >= 0) found.push({ entry, best, place });
  });
  found.sort((a, b) => a.best - b.best || a.place - b.place);
  return found.slice(0, most).map(({ entry }) => entry);
}
