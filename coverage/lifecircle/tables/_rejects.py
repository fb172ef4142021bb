"""Build reject rows: the faults of single rows of a table, kept beside the rows that are good."""

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
    """Return a table of rejects without a row.

    Returns
    -------
    rejects : DataFrame with the columns of :data:`REJECT_COLUMNS`

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
    """Return reject rows of one file; each part is one text for all rows or one per row.

    Parameters
    ----------
    file : name of the file
    rows : (reject,) row numbers as a person sees them
    column, value, reason, remedy : one for all rows, or (reject,)

    Returns
    -------
    rejects : DataFrame with the columns of :data:`REJECT_COLUMNS`

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
    """Return one value for each row: the given one for all, or the given ones."""
    if isinstance(part, (list, tuple, np.ndarray, pd.Series, pd.Index)):
        return list(part)
    return [part] * rows


def join_rejects(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several tables of rejects of one file as one, by row; within a row they keep their order.

    Parameters
    ----------
    parts : tables of rejects

    Returns
    -------
    rejects : one table

    >>> parts = [reject_rows("a.csv", [row], column="c", value="", reason="r", remedy="m") for row in (5, 2)]
    >>> join_rejects(parts)["row"].tolist()
    [2, 5]
    """
    full = [part for part in parts if len(part)]
    if not full:
        return no_rejects()
    return pd.concat(full, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def rejected_rows(rejects: pd.DataFrame) -> int:
    """Return the number of rows rejected: a row with two faults counts once.

    Parameters
    ----------
    rejects : table of rejects

    Returns
    -------
    rows : their number

    >>> rejected_rows(reject_rows("a.csv", [2, 2], column="c", value="", reason="r", remedy="m"))
    1
    """
    return len(rejects.drop_duplicates(["file", "row"]))


def too_many_rejects(rejects: pd.DataFrame, rows: int, max_share: float, name: str) -> Fault | None:
    """Return the fault of a table with more than ``max_share`` of its rows rejected, else None.

    Parameters
    ----------
    rejects : table of rejects
    rows : rows of the table
    max_share : share of the rows that may be rejected, 0 to 1, inclusive
    name : name of the file

    Returns
    -------
    fault : with the first rejects in its text; None where the share is not exceeded

    >>> too_many_rejects(no_rejects(), 10, 0.05, "a.csv") is None
    True
    """
    count = rejected_rows(rejects)
    if count <= max_share * rows:
        return None
    # One fault for each row: the first is enough to find it, and the table of rejects holds all.
    first = rejects.drop_duplicates(["file", "row"]).head(_SHOWN)
    parts = zip(first["row"], first["column"], first["reason"], first["value"], strict=True)
    listed = ""
    for row, column, reason, value in parts:
        listed = say(
            "{before}row {row}, column '{column}': {reason}{value}",
            before=say("{listed}; ", listed=listed) if listed else "",
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
            "{share} of the rows rejected, more than {most}: {listed}{more}",
            share=f"{count / rows:.1%}",
            most=f"{max_share:.1%}",
            listed=listed,
            more=more,
        ),
        say("mend these rows, or raise max_rejected in study.toml if they may be left out"),
    )


def _shown(value: Any) -> str:
    """Return the value of a cell as a short text, as a person sees it."""
    text = plain_text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
