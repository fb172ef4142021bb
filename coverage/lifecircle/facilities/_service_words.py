"""Find the service ids of every row from what a list calls them; several in one cell are several services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lifecircle.tables import plain_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pandas as pd

_SURE = re.compile(r"[、；;]")
"""Signs that part services and stand in no word for one."""

_ALL = re.compile(r"[、，,；;/／|｜+＋\n]")


def service_ids(
    given: pd.Series[Any], services: Mapping[str, str], known: Iterable[str] | None = None
) -> list[tuple[str, ...]]:
    """Return the service ids of every row: (row,), the cell itself as the only one where a part is unknown.

    Parameters
    ----------
    given : what the list writes
    services : what it calls a service -> id
    known : ids of the standard; left out, only signs that stand in no word part a cell

    Returns
    -------
    ids : of every row, each once, in the order of the cell

    >>> import pandas as pd
    >>> service_ids(pd.Series(["图书馆、文化馆", "图书馆"]), {"图书馆": "library", "文化馆": "hall"})
    [('library', 'hall'), ('library',)]
    """
    words = {plain_text(word): name for word, name in services.items()}
    ids = None if known is None else frozenset(known)
    found = {cell: _ids(str(cell), words, ids) for cell in given.unique()}
    return [found[cell] for cell in given]


def _ids(cell: str, words: Mapping[str, str], known: Collection[str] | None) -> tuple[str, ...]:
    """Return the ids of one cell: as a whole where it is a word or id, else of its parts if all are."""
    if cell in words:
        return (words[cell],)
    if not cell or (known is not None and cell in known):
        return (cell,)
    parts = [part.strip() for part in (_SURE if known is None else _ALL).split(cell) if part.strip()]
    if len(parts) > 1 and (known is None or all(words.get(part, part) in known for part in parts)):
        return tuple(dict.fromkeys(words.get(part, part) for part in parts))
    return (cell,)
