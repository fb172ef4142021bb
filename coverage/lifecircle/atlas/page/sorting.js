/* Sorts tables by their headings: a button in each, its order named by aria-sort. */

import { page } from "./selection.js";
import { element, fill } from "./nodes.js";

/* The order after a press on a heading: names from the first, figures from the largest, a second press turns it. */
export const nextOrder = (order, key) => ({ key, down: order.key === key ? !order.down : key !== "name" });

/* Rows in an order: values of `key`, texts as the language sorts them, what is not known last; equals as they were. */
export function inOrderOf(rows, { key, down }, valueOf = (row) => row[key]) {
  if (key === null) return [...rows];
  const unknown = (value) => value === null || value === undefined || Number.isNaN(value);
  return rows.map((row, i) => [valueOf(row, key), i, row]).sort(([a, i], [b, j]) => {
    if (unknown(a) || unknown(b)) return unknown(a) - unknown(b) || i - j;
    const apart = typeof a === "string" ? a.localeCompare(b, page.data?.language) : a - b;
    return (down ? -apart : apart) || i - j;
  }).map(([, , row]) => row);
}

/* A row of headings, [key, text] each (key null: not to sort by); `take` gets the order that a press asks for. */
export function sortedHead(columns, order, take) {
  return element("tr", {}, ...columns.map(([key, text]) => {
    if (key === null) return element("th", { scope: "col" }, text);
    const button = element("button", { type: "button", className: "lc-sort", title: fill(page.words.sort_by, { column: text }) }, text,
      element("span", { "aria-hidden": "true" }, order.key !== key ? "" : order.down ? " ▼" : " ▲"));
    button.addEventListener("click", () => {
      const table = button.closest("table");
      take(nextOrder(order, key));
      table.tHead.querySelector(`[data-key="${key}"] button`)?.focus();
    });
    const head = element("th", { scope: "col", "aria-sort": order.key !== key ? "none" : order.down ? "descending" : "ascending" }, button);
    head.dataset.key = key;
    return head;
  }));
}

/* Offer a list its orders, [key, text] each, of which those with a difference in `rows` are of use; the row of the control
   hides where there is but one. Returns the order that stands, the first where the one before is of no use. */
export function offerOrders(list, orders, rows, valueOf, key) {
  const useful = orders.filter(([one], i) => i === 0 || new Set(rows.map((row) => String(valueOf(row, one)))).size > 1);
  const stands = useful.some(([one]) => one === key) ? key : useful[0][0];
  list.replaceChildren(...useful.map(([value, text]) => element("option", { value }, text)));
  list.value = stands;
  list.parentNode.hidden = rows.length < 2 || useful.length < 2;
  return stands;
}

/* The number in a printed figure; not a number where it is kept back or not known. */
export const numberIn = (text) => (text === "<1" ? 0.5 : /\d/.test(text) ? Number(text.replace(/[^\d.-]/g, "")) : NaN);
