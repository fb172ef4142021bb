"""Find the service ids of every row from what a list calls them; several in one cell are several services."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from lifecircle.errors import Bilingual
from lifecircle.headings import plain_heading
from lifecircle.tables import plain_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pandas as pd

_SURE = re.compile(r"[、；;]")
"""Signs that part services and stand in no word for one."""

_LONGEST = 125
"""Characters of a list of services in one line of a fault."""
_ALIKE = 0.4

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


def named_services(names: Mapping[str, str], near: str = "") -> Bilingual:
    """List services as ``name (id)`` for one line of a fault: those that a word is like come first.

    Parameters
    ----------
    names : id -> name, which may be :class:`~lifecircle.errors.Bilingual`
    near : what the list is called, such as the name of its file

    Returns
    -------
    text : as many as a line holds, and of how many they are

    >>> named_services({"library": Bilingual("library", "图书馆"), "museum": "museum"}, "museum.csv")
    'museum (museum), library (library)'
    >>> named_services({"library": Bilingual("library", "图书馆")}).zh
    '图书馆 (library)'
    """
    file = re.split(r"[\\/]", near)[-1]
    word = plain_heading(file.rpartition(".")[0] or file)

    def far(pair: tuple[str, str]) -> float:
        """Return a key that sorts a service called like the word first; all others stay in their order."""
        texts = (pair[0], pair[1], _zh(pair[1]))
        alike = max(difflib.SequenceMatcher(None, word, plain_heading(text)).ratio() for text in texts)
        return -alike if alike >= _ALIKE else 0.0

    ordered = sorted(names.items(), key=far)
    en, zh = [f"{name} ({one})" for one, name in ordered], [f"{_zh(name)} ({one})" for one, name in ordered]
    return Bilingual(_joined(en, ", ", ", ... ({count} in all)"), _joined(zh, "、", "等，共 {count} 项"))


def _zh(name: str) -> str:
    return name.zh if isinstance(name, Bilingual) else name


def _joined(parts: list[str], comma: str, more: str) -> str:
    shown = parts[:1]
    for part in parts[1:]:
        if len(comma.join([*shown, part])) > _LONGEST:
            return comma.join(shown) + more.format(count=len(parts))
        shown.append(part)
    return comma.join(shown)
