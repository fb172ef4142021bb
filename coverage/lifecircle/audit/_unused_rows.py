"""Count the rows of a file that a run does not use, by the reason of each."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifecircle.errors import Message

if TYPE_CHECKING:
    import pandas as pd

    from lifecircle.reading import InputReading
    from lifecircle.roads import Roads

_KEPT = ("kept as unsnapped", "is kept, its hours unknown", "the facility is kept")
"""How the reasons of rejects end whose rows are used all the same."""


def left_out(rejects: pd.DataFrame, rows: int) -> dict[str, int]:
    """Count the rows that are not used by the first reason of each: reason -> rows; together ``rows``.

    A reason is the template of its sentence, so that rows of one kind count together whatever their values.
    """
    first = rejects[~rejects["reason"].map(lambda text: str(text).endswith(_KEPT)).astype(bool)]
    first = first.drop_duplicates(["file", "row"])
    counts: dict[str, int] = {}
    for reason in first["reason"]:
        if sum(counts.values()) == rows:
            break
        name = reason.template if isinstance(reason, Message) else _VALUES.sub("…", str(reason))
        counts[name] = counts.get(name, 0) + 1
    rest = rows - sum(counts.values())
    return counts if rest == 0 else {**counts, "not_used": rest}


_VALUES = re.compile(r"'[^']*'|\([^()]*\d[^()]*\)|\d[\d.,:-]*")


def with_classes(read: InputReading) -> InputReading:
    """Say of rows without a reject that their class is no service of the standard."""
    left = {"class_not_mapped" if why == "not_used" else why: rows for why, rows in read.left_out.items()}
    return replace(read, left_out=left)


def roads_read(read: InputReading, roads: Roads) -> InputReading:
    """Take over what the roads' own reading says of their rows."""
    own: Any = getattr(roads, "reading", None)
    if own is None or not own.rows:
        return read
    return replace(
        read, rows=int(own.rows), used=int(own.used), left_out=dict(own.left_out), notes=tuple(own.notes)
    )


def merged_rows(roads: Roads) -> int:
    """Return how many stretches of road a merge took from its second source."""
    codes = (note.partition(":")[2] for note in roads.reading.notes if note.startswith("merge_added:"))
    return int(next(codes, "0").partition("|")[0])
