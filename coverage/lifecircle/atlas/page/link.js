/* Keeps what is chosen in the address, behind the #, so that a link opens the page as it stands and back leads to what
   was chosen before. Whoever has something to keep registers it with `keepInLink`; nothing is asked of any server. */

import { page, chosen, change, onChange } from "./selection.js";
import { byId, copyText, fill } from "./nodes.js";

const WAIT_MS = 250; // from the last change to the address: browsers refuse more than a few a second
const MARK = "lc"; // the first name of every link of a map page; its value is the sum of the others

const keepers = [];
let usable = true; // some frames have an address that cannot be written
let opening = false;
let timer = null;
let initial = new Map(), last = new Map();

/* Keep something in the link.
   name: a short word, what stands before the `=`; keepers are written and read in the order they are registered.
   read(): its text, "" for what the page starts with, which is left out of the link.
   write(text, so): check a text and give the choices for `change`, or a function to be run after it; throw RangeError
     where the page cannot have it. "" means as the page starts; `so` are the choices with those of earlier keepers.
   step: whether another text is a step that "back" undoes. */
export const keepInLink = ({ name, read, write, step = false }) => keepers.push({ name, read, write, step });

/* Report that something kept has changed; choices that go through `change` need no report. */
export function noteChange() {
  if (opening || !usable) return;
  clearTimeout(timer);
  timer = setTimeout(() => writeAddress(), WAIT_MS);
}

/* ---- the text of a link ---- */

function sumOf(pairs) {
  let sum = 0x811c9dc5; // FNV-1a
  for (const sign of JSON.stringify(pairs)) sum = Math.imul(sum ^ sign.codePointAt(0), 0x01000193);
  return (sum >>> 0).toString(36);
}

/* mine: study and edition of the page; values: a Map of names and texts, empty texts left out. */
export function linkText(mine, values) {
  const pairs = [["study", mine.study], ["edition", mine.edition], ...[...values].filter(([, text]) => text !== "")];
  return "#" + new URLSearchParams([[MARK, sumOf(pairs)], ...pairs]);
}

export const isLink = (fragment) => fragment.startsWith("#" + MARK + "=");

/* {values} of a link, or {fault}: "damaged", or "other" for that of another study or edition. */
export function readLink(mine, fragment) {
  const [mark, ...pairs] = new URLSearchParams(fragment.slice(1));
  if (!mark || mark[0] !== MARK || mark[1] !== sumOf(pairs)) return { fault: "damaged" };
  const values = new Map(pairs);
  if (values.size !== pairs.length) return { fault: "damaged" };
  if (values.get("study") !== mine.study || values.get("edition") !== mine.edition) return { fault: "other", study: values.get("study") };
  values.delete("study");
  values.delete("edition");
  return { values };
}

/* ---- writing the address ---- */

const valuesNow = () => new Map(keepers.map(({ name, read }) => [name, read()]));
const differs = (values, others) => keepers.some(({ name }) => values.get(name) !== others.get(name));
const mine = () => ({ study: page.data.about.study, edition: page.data.about.edition });

/* Write what is chosen into the address: a new entry of the history where a step was taken, else over the last one. */
function writeAddress(always = false) {
  clearTimeout(timer);
  const values = valuesNow();
  if (!always && !differs(values, last) && (isLink(location.hash) || !differs(values, initial))) return;
  const stepped = keepers.some(({ name, step }) => step && values.get(name) !== last.get(name));
  last = values;
  try {
    history[stepped ? "pushState" : "replaceState"](null, "", linkText(mine(), values));
  } catch {
    usable = false;
    byId("lc-link-copy").hidden = true;
  }
}

/* ---- opening a link ---- */

function say(text) {
  const line = byId("lc-link-said");
  line.hidden = !text;
  line.textContent = text;
}

function refuse(found) {
  say(fill(page.words["link_" + found.fault], { name: byId("lc-name").textContent, ...found }));
  return false;
}

/* What the keepers make of a link: {choices, after}, or {fault} where the page has not what it names. */
function checked(values) {
  const choices = {}, after = [];
  const names = new Set(keepers.map(({ name }) => name));
  for (const [name, value] of values) if (!names.has(name)) return { fault: "unknown", part: `${name}=${value}` };
  for (const { name, write } of keepers) {
    const text = values.get(name) ?? "";
    try {
      const made = write(text, { ...chosen, ...choices });
      if (typeof made === "function") after.push(made);
      else Object.assign(choices, made);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { fault: "unknown", part: `${name}=${text}` };
    }
  }
  return { choices, after };
}

/* Show what a link names, all of it or, with a message, nothing. */
function open(values) {
  const made = checked(values);
  if (made.fault) return refuse(made);
  opening = true;
  say("");
  change(made.choices);
  for (const act of made.after) act();
  page.closeOverview();
  opening = false;
  last = valuesNow();
  return true;
}

function openAddress() {
  const fragment = location.hash;
  if (fragment === "" || fragment === "#") return differs(valuesNow(), initial) && open(initial);
  if (!isLink(fragment) && document.getElementById(fragment.slice(1))) return false; // a way to a part of the page
  const found = readLink(mine(), fragment);
  return found.fault ? refuse(found) : open(found.values);
}

/* Once the page shows what it starts with: keep it from now on, and open the link that the page was asked with. */
export function prepareLink() {
  initial = last = valuesNow();
  onChange(noteChange);
  window.addEventListener("popstate", openAddress);
  byId("lc-link-copy").addEventListener("click", async () => {
    writeAddress(true); // even as the page starts: tomorrow's page may start otherwise
    if (!usable) return;
    const box = byId("lc-link-text");
    box.value = location.href;
    say("");
    const copied = await copyText(box);
    box.hidden = copied;
    byId("lc-link-copied").textContent = copied ? page.words.link_copied : page.words.link_by_hand;
  });
  openAddress();
}
