"""Hold one problem of the rectification list, and the record of all problems that is kept between lists.

The record (``items.json``) is what makes ids stable: it keeps for every problem the residents it was made of,
what people wrote beside it, and for the run it came from the facts that keep a change of venues or roads
apart from a change of data. Nothing is ever taken out of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import Results

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
MARK = "items.json"
FOLDER = Results(
    MARK,
    (MARK, "rectification.csv", "rectification-towns.xlsx", "rectification-departments.xlsx"),
)
"""The folder of a list: the record it is known by, and its tables."""

COLUMNS = (
    "id", "description", "district", "village", "people", "over60", "under3", "minutes", "nearest", "cause",
    "measure", "expected", "department", "helpers", "deadline", "progress", "criterion", "evidence",
    "verifier", "status", "check",
)  # fmt: skip
"""Columns of the list in their order; their headings stand under ``rectify_column`` in the catalogue."""

HAND = ("measure", "helpers", "deadline", "progress", "evidence", "verifier", "status")
"""Columns that people fill in; ``measure``, ``deadline`` and ``status`` come with a proposal."""

FIGURES = frozenset({"people", "over60", "under3", "minutes", "expected"})

STATUSES = ("open", "working", "done", "closed", "data_changed", "withdrawn")
"""What ``status`` may be. ``closed`` needs evidence and a gap that venues or roads have closed, ``withdrawn``
evidence and a verifier: it takes a problem off the list that was one of data."""

ENDED = frozenset({"closed", "withdrawn"})

CAUSES = ("venue", "road", "hours", "capacity", "data", "figure")

BY_WORKS = frozenset({"venues", "roads", "figure"})
"""Reasons for a gap to be gone that let it be closed; the others are changes of data, surface or method."""


@dataclass(frozen=True)
class Problem:
    """One problem of the list.

    Attributes
    ----------
    id : never changed and never given again.
    target, unit : target's id; code or name of the village or district it lies in.
    lonlat : place, None where it has none.
    first_year, last_year : first and last year in which the computation found it.
    computed : the computed columns, numbers or text in the study's language.
    hand : what people wrote, by column; ``status`` is a code of :data:`STATUSES`.
    members : labels of the residents it is made of; empty for targets that are no circle.
    gone : why the computation finds it no more, empty while it does: :data:`BY_WORKS`, ``data``, ``surface``,
        ``method``, ``rule``, ``register`` or ``merged``.
    gone_year : year of the run that found it no more, None while it is found.
    check : code of what the computation says of the row (``reason`` in wording).
    """

    id: str
    target: str
    unit: str
    lonlat: tuple[float, float] | None
    first_year: int
    last_year: int
    computed: Mapping[str, str | float | None]
    hand: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    gone: str = ""
    gone_year: int | None = None
    check: str = ""

    @property
    def status(self) -> str:
        """Code of the status."""
        return self.hand.get("status", "open")

    @property
    def ended(self) -> bool:
        """Whether the problem is off the list for good."""
        return self.status in ENDED


@dataclass(frozen=True)
class RunFacts:
    """What a run was made of, as far as it keeps a change of venues or roads apart from one of data.

    ``rules`` : target -> what decides who is covered by it; ``venues`` : label of every facility -> where it
    stands (lon, lat); ``places`` : label of every resident of a problem -> where it stands; ``fingerprint`` :
    of the run, empty in records that do not say.
    """

    year: int
    method: str
    roads: str
    rules: Mapping[str, Any]
    venues: Mapping[str, tuple[float, float] | None]
    places: Mapping[str, tuple[float, float] | None]
    fingerprint: str = ""


@dataclass(frozen=True)
class Record:
    """All problems of a study up to a year, the last number given for each target, and the run's facts."""

    study: str
    run: RunFacts
    numbers: Mapping[str, int]
    problems: tuple[Problem, ...]

    @property
    def by_id(self) -> dict[str, Problem]:
        """Return the problems by id."""
        return {one.id: one for one in self.problems}


def write_record(record: Record, folder: Path) -> None:
    """Write the record into an existing folder, the same bytes for the same record."""
    plain = {"schema": SCHEMA, **asdict(record)}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_record(folder: Path) -> Record:
    """Read the record of a list back.

    Raises
    ------
    UnusableInputError
        When the file cannot be read, is damaged, or was written by a newer version of the format.
    """
    path = folder / MARK
    with system_errors(path):
        text = path.read_bytes()
    try:
        plain = json.loads(text)
        if plain["schema"] > SCHEMA:
            reason = say("newer than this version reads ({schema})", schema=SCHEMA)
            place = say("key '{key}'", key="schema")
            shown = str(plain["schema"])
            raise UnusableInputError([Fault(str(path), place, shown, reason, say("upgrade lifecircle"))])
        problems = tuple(_problem(one) for one in plain["problems"])
        run = RunFacts(**{**plain["run"], **{name: _places(plain["run"][name]) for name in _PLACES}})
        return Record(plain["study"], run, dict(plain["numbers"]), problems)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, UnusableInputError):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        reason = say("a damaged rectification record: {what}", what=what)
        remedy = say("put the file back from a copy: without it the problems would get new numbers")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from None


_PLACES = ("venues", "places")


def _places(plain: Mapping[str, Any]) -> dict[str, tuple[float, float] | None]:
    return {label: None if place is None else (place[0], place[1]) for label, place in plain.items()}


def _problem(plain: Mapping[str, Any]) -> Problem:
    place = plain["lonlat"]
    lonlat = None if place is None else (float(place[0]), float(place[1]))
    return Problem(**{**plain, "lonlat": lonlat, "members": tuple(plain["members"])})
