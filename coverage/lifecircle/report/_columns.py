"""Columns of the tables that people read: their kinds, their headings, and the figures in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecircle.findings import LANGUAGES
from lifecircle.wording import printed_points, word

if TYPE_CHECKING:
    from lifecircle.findings import Language


STATUS_FILL = {
    "met": "C6E5D0",
    "on_track": "DDEFE3",
    "behind": "FBE3B5",
    "missed": "F4C0B4",
    "reported": "E7EAEE",
    "not_assessable": "E7EAEE",
    "data_insufficient": "E7EAEE",
    "nobody": "F3F4F6",
}
TEXT, RATE, PEOPLE, POINTS, FIGURE, STATUS = "text", "rate", "people", "points", "figure", "status"
NUMBER, ORDER, DEGREES, SPEED = "number", "order", "degrees", "speed"
Row = dict[str, Any]
Sheets = Mapping[str, tuple[Mapping[str, str], Sequence[Row]]]
"""Name of a sheet in the catalogue -> name of each column and how it is printed, and the rows."""


@dataclass(frozen=True)
class Heading:
    """What stands above every sheet of a workbook.

    ``words`` is where the catalogue names its columns; ``names`` are headings of columns that are a study's
    own, such as one for each target; ``widths`` are the most characters of columns that need a width of
    their own.
    """

    title: str
    language: Language
    synthetic: bool
    words: str = "column"
    names: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rate:
    """A figure of a target whose kind is a share: printed as a rate, and a fraction in a workbook.

    ``marks`` : goal and milestone, which a rate below them must not show by being rounded.
    """

    share: float
    marks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Change:
    """The change between two shares: unrounded in a workbook, else the difference of what is printed."""

    before: float
    after: float

    @property
    def points(self) -> float:
        """Percentage points, unrounded."""
        return (self.after - self.before) * 100

    @property
    def printed(self) -> float:
        """Percentage points between the two rates as they are printed."""
        return printed_points(self.before, self.after)


def column_heading(name: str, heading: Heading) -> str:
    """Name a column: by the study's own words, by the workbook's, else by those of all tables.

    >>> column_heading("lon", Heading("", "en", synthetic=False, words="plan_column"))
    'longitude'
    """
    if name in heading.names:
        return heading.names[name]
    known = any(word(heading.words, name, language) != name for language in LANGUAGES)
    return word(heading.words if known else "column", name, heading.language)
