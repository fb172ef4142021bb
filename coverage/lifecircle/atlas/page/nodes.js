/* Makes the nodes of the page and the figures in them. Names are only ever put in as text, never as markup. */

export const byId = (id) => document.getElementById(id);
/* Of a part such as {count:row|rows} the first form stands for one, the second for all other counts. */
const formed = (text, values) => text.replace(/\{(\w+):([^{}|]*)\|([^{}|]*)\}/g, (all, key, one, more) => (String(values[key]) === "1" ? one : more));
export const fill = (text, values) => formed(text, values).replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));

export function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export const named = (text) => element("bdi", { className: "lc-name", title: text }, text);
export const pairs = (rows) => rows.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]);
export const facts = (rows) => element("dl", { className: "lc-facts" }, ...pairs(rows));

/* Put an element where {name} stands in a sentence. */
export function around(text, node) {
  const [before, after] = text.split("{name}");
  return [before, node, after || ""];
}

/* The parts of a sentence, with nodes or texts where its {fields} stand. */
export function sentence(text, values) {
  return formed(text, values).split(/(\{\w+\})/).flatMap((part) => {
    const key = part.slice(1, -1);
    return part.startsWith("{") && key in values ? values[key] : part ? [part] : [];
  });
}

/* The venue of a gap, or one line for each class of a rule of several: the contents of each line. */
export function venueNodes(gap, words) {
  if (gap.venues.length) return gap.venues.map((one) => around(one.text, named(one.venue)));
  return gap.nearest ? [around(words.gap_nearest, named(gap.nearest))] : [];
}

/* Remember which row of the panel has the focus: once tables are made again, it goes back to the same row. */
export function rememberFocus() {
  const row = document.activeElement?.closest("#lc-panel tr, #lc-panel li");
  const list = row?.parentElement.closest("[id]"), key = row && JSON.stringify(row.dataset);
  return () => {
    if (!row || row.isConnected || !list.isConnected) return;
    const same = [...list.querySelectorAll("tr, li")].find((one) => JSON.stringify(one.dataset) === key);
    same?.querySelector("button")?.focus({ preventScroll: true });
  };
}

let touched = null; // the part of the panel that was last pointed at or walked to

/* Keep the panel where it is while what it holds changes: remember where its parts in sight stand, and once all is
   changed scroll so that the part last used, else the first that still shows, stands there again. At its very top the
   panel stays there. */
export function holdPanel() {
  const panel = byId("lc-panel"), alone = panel.scrollHeight > panel.clientHeight + 1 && getComputedStyle(panel).overflowY !== "visible";
  const scroller = alone ? panel : document.scrollingElement;
  if (!scroller.scrollTop) return () => {};
  const map = document.querySelector(".folium-map");
  const edge = alone ? panel.getBoundingClientRect().top : Math.min(Math.max(0, map ? map.getBoundingClientRect().bottom : 0), window.innerHeight - 40);
  const tops = [...panel.children].map((child) => [child, child.getBoundingClientRect()])
    .filter(([, { bottom, top, height }]) => height && bottom > edge + 1 && top < window.innerHeight)
    .map(([child, { top }]) => [child, top]);
  tops.sort(([one], [other]) => (other === touched) - (one === touched));
  return () => {
    const [kept, was] = tops.find(([child]) => child.isConnected && child.getClientRects().length) ?? [];
    const moved = kept ? kept.getBoundingClientRect().top - was : 0;
    if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
  };
}

/* Remember which part of the panel is being used. */
export function watchPanel() {
  for (const kind of ["pointerdown", "focusin"]) {
    byId("lc-panel").addEventListener(kind, (event) => (touched = event.target.closest("#lc-panel > *")));
  }
}

/* Show a part of the panel with the figure at the end of its title, or hide it. */
export function part(id, shown, figure) {
  const node = byId(id);
  node.hidden = !shown;
  const place = node.querySelector("summary .lc-figure");
  if (place) place.textContent = figure || "";
  return shown;
}

/* Copy the text of a box; where there is no clipboard, as from a file in some browsers, leave it selected for the keys. */
export async function copyText(box) {
  try {
    await navigator.clipboard.writeText(box.value);
    return true;
  } catch {
    for (let node = box; node; node = node.parentElement) {
      node.hidden = false;
      if (node.tagName === "DETAILS") node.open = true;
    }
    box.focus({ preventScroll: true });
    box.select();
    return document.execCommand("copy");
  }
}

/* Figures read as in the tables: rates truncated, minutes rounded up, so that nothing looks better than it is. */
export function percentText(share) {
  return share === null ? "—" : (Math.floor(share * 1000 + 1e-9) / 10).toFixed(1) + "%";
}

export function peopleText(people) {
  return people > 0 && people < 0.5 ? "<1" : Math.round(people).toLocaleString("en");
}

export const minutesText = (minutes) => (Math.ceil(minutes * 10 - 1e-6) / 10).toFixed(1);
