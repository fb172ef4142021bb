/* Cells of a CSV file: numbers are numbers, names are texts, nothing that a spreadsheet would compute. */

import assert from "node:assert/strict";
import test from "node:test";

import { cellText, csvText } from "../../coverage/lifecircle/atlas/page/table_export.js";

test("figures lose the commas between thousands, and nothing else", () => {
  assert.deepEqual(["1,234", "456,775", "12", "-3.5", "86.4%", "-0.4 %", "—", "<1", "1,23"].map(cellText),
    ["1234", "456775", "12", "-3.5", "86.4%", "-0.4 %", "—", "<1", '"1,23"']);
});

test("what a spreadsheet would compute is a text", () => {
  for (const text of ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r\n=1", "|x"]) assert.match(cellText(text), /^"?'/, text);
});

test("quotes, commas and lines stay inside their cell", () => {
  assert.equal(cellText('a "b", c'), '"a ""b"", c"');
  assert.equal(cellText("a\nb"), "a b");
  assert.equal(csvText(["镇", "人口"], [["百步镇", "1,234"]]), "\ufeff镇,人口\r\n百步镇,1234\r\n");
});
