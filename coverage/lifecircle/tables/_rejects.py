"""Own reject rows: what is wrong with single rows of a table, kept beside the rows that are good."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.cells import plain_text
from lifecircle.errors import Fault, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REJECT_COLUMNS = ["file", "row", "column", "value", "reason", "remedy"]
"""Columns of every table of rejects: ``row`` is int64, as a person sees it; the others are texts.

``reason`` and ``remedy`` are object columns, so that messages stay messages, to be printed in any language.
"""

_DTYPES = dict.fromkeys(REJECT_COLUMNS, "str") | {"row": "int64", "reason": "object", "remedy": "object"}
_SHOWN = 3
_LONGEST_VALUE = 80


def no_rejects() -> pd.DataFrame:
    """Give a table of rejects without a row.

    >>> list(no_rejects().columns)
    ['file', 'row', 'column', 'value', 'reason', 'remedy']
    """
    return _empty().copy()


@functools.cache
def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=_DTYPES[name]) for name in REJECT_COLUMNS})


def reject_rows(  # noqa: PLR0913 - one part for each column of a reject row
    file: str,
    rows: Sequence[int] | np.ndarray[Any, Any],
    *,
    column: Any,
    value: Any,
    reason: Any,
    remedy: Any,
) -> pd.DataFrame:
    """Make reject rows of one file; each part is one text for all rows or one per row.

    >>> reject_rows("a.csv", [2, 5], column="people", value=["-1", "x"], reason="bad", remedy="mend").shape
    (2, 6)
    """
    if len(rows) == 0:
        return no_rejects()
    parts = {"file": file, "column": column, "value": value, "reason": reason, "remedy": remedy}
    cells = {name: _for_each(part, len(rows)) for name, part in parts.items()}
    cells["value"] = [_shown(cell) for cell in cells["value"]]
    return pd.DataFrame(
        {
            name: np.asarray(rows, dtype=np.int64)
            if name == "row"
            else pd.Series(cells[name], dtype=object).astype(_DTYPES[name])
            for name in REJECT_COLUMNS
        }
    )


def _for_each(part: Any, rows: int) -> list[Any]:
    """Give one value for each row: the one that is for all, or those that are there."""
    if isinstance(part, (list, tuple, np.ndarray, pd.Series, pd.Index)):
        return list(part)
    return [part] * rows


def join_rejects(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of rejects of one file together, by row; within a row they keep their order."""
    full = [part for part in parts if len(part)]
    if not full:
        return no_rejects()
    return pd.concat(full, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def rejected_rows(rejects: pd.DataFrame) -> int:
    """Count the rows rejected: a row with two faults counts once."""
    return len(rejects.drop_duplicates(["file", "row"]))


def too_many_rejects(rejects: pd.DataFrame, rows: int, max_share: float, name: str) -> Fault | None:
    """Give the fault of a table that has more than ``max_share`` (0 to 1, inclusive) of its rows rejected.

    >>> too_many_rejects(no_rejects(), 10, 0.05, "a.csv") is None
    True
    """
    count = rejected_rows(rejects)
    if count <= max_share * rows:
        return None
    first = rejects.drop_duplicates(["file", "row"]).head(_SHOWN)
    parts = zip(first["row"], first["column"], first["reason"], first["value"], strict=True)
    told = ""
    for row, column, reason, value in parts:
        told = say(
            "{before}row {row}, column '{column}': {reason}{value}",
            before=say("{told}; ", told=told) if told else "",
            row=row,
            column=column,
            reason=reason,
            value=f" ({value})" if value else "",
        )
    more = say("; and {count} more", count=count - _SHOWN) if count > _SHOWN else ""
    return Fault(
        name,
        f"{count} of {rows} rows",
        "",
        say(
            "{share} of the rows rejected, more than {most}: {told}{more}",
            share=f"{count / rows:.1%}",
            most=f"{max_share:.1%}",
            told=told,
            more=more,
        ),
        say("mend these rows, or raise max_rejected in study.toml if they may be left out"),
    )


def _shown(value: Any) -> str:
    """Put what stands in a cell into a short text, as a person sees it."""
    text = plain_text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
