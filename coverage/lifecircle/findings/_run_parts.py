"""Define what a run says of itself: its input files, what stands in its maps' margin, its language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class InputRecord:
    """One file a run was computed from; ``path`` is relative to the study."""

    role: str
    path: str
    sha256: str
    rows: int
    rejected: int


@dataclass(frozen=True)
class Publication:
    """What stands in a map's margin; empty fields print as not filled in."""

    organisation: str = ""
    date: str = ""
    review_number: str = ""
