"""Lay out the rectification list and the closing impact of the latest year for the yearly report.

Both count few people at a place: they are made for the internal edition alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from lifecircle.closing_impact import closing_sheet
from lifecircle.page_data import people_text, percent_text
from lifecircle.rectification import COLUMNS, FIGURES, STATUSES, problem_row
from lifecircle.report import NUMBER, PEOPLE, TEXT
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from lifecircle.findings import Findings, Language
    from lifecircle.rectification import Problem, RectificationList
    from lifecircle.report import Sheets
    from lifecircle.yearbook._sentences import Words

_WIDTHS = {
    "id": 17, "description": 38, "district": 10, "village": 14, "people": 8, "over60": 8, "under3": 8,
    "minutes": 8, "nearest": 19, "cause": 9, "measure": 22, "expected": 9, "department": 12, "helpers": 11,
    "deadline": 11, "progress": 16, "criterion": 20, "evidence": 14, "verifier": 8, "status": 10, "check": 17,
}  # fmt: skip
"""Characters of the list's columns: together what an A3 page holds."""
BOOK = "yearbook.xlsx"
"""The workbook of a yearly report, which holds both."""
MOST_VENUES = 20
"""Venues of a target that the sheet of the closing impact holds."""
TARGETS_NAMED = 8
"""Targets whose most needed venue the document names."""


@dataclass(frozen=True, eq=False)
class Inside:
    """What an internal report says beside its runs.

    ``listing`` : the rectification list of the latest year, ``state`` : as :func:`find_list` gives it;
    ``impact`` : the closing impact, without venues that are masked; ``problems`` : those of the list that may
    be printed, ``masked`` : how many may not.
    """

    listing: RectificationList
    state: str
    impact: pd.DataFrame
    problems: tuple[Problem, ...]
    masked: int


def inside(
    found: tuple[RectificationList, str],
    impact: pd.DataFrame,
    *,
    shown: Findings,
    mask: Sequence[shapely.Geometry] = (),
) -> Inside:
    """Gather what an internal report says beside its runs, without what lies in the mask.

    Parameters
    ----------
    found : the list and its state
    impact : of all venues
    shown : findings of the same year as they are printed, without venues in the mask
    mask : areas in EPSG:4326 of which nothing is printed
    """
    listing, state = found
    hidden = set(listing.findings.facilities["name"]) - set(shown.facilities["name"])
    area = shapely.union_all(list(mask))
    problems = tuple(one for one in listing.record.problems if not _masked(one, area, hidden))
    seen = impact["venue"].isin(shown.facilities.index.astype(str))
    return Inside(listing, state, impact[seen], problems, len(listing.record.problems) - len(problems))


def _masked(problem: Problem, area: shapely.Geometry, hidden: set[str]) -> bool:
    """Return whether a problem lies in an area, or its nearest venue is one that is not named."""
    place = problem.lonlat
    return problem.computed.get("nearest") in hidden or (
        place is not None and bool(shapely.intersects_xy(area, *place))
    )


def list_widths() -> dict[str, float]:
    """Return the widths of the columns of the list."""
    return {f"problem_{name}": float(width) for name, width in _WIDTHS.items()}


def list_sheets(found: Inside, language: Language) -> tuple[Sheets, dict[str, str]]:
    """Return the sheets of the list and of the closing impact, and the headings of their columns."""
    columns = {f"problem_{name}": _kind(name) for name in COLUMNS}
    rows: list[dict[str, Any]] = [
        {f"problem_{name}": value for name, value in problem_row(one, language).items()}
        for one in found.problems
    ]
    names = {f"problem_{name}": word("rectify_column", name, language) for name in COLUMNS}
    closing = closing_sheet(found.impact, found.listing.findings, language, most=MOST_VENUES)
    return {"problems": (columns, rows), "closing": closing}, names


def _kind(column: str) -> str:
    return NUMBER if column == "minutes" else PEOPLE if column in FIGURES else TEXT


def list_remarks(found: Inside | None, year: int, language: Language) -> dict[str, str]:
    """Return what is to be known of the two sheets, by sheet; why they are not there where they are not."""
    if found is None:
        return {"problems": word("yearbook", "list_not_public", language)}
    state = word("yearbook", f"list_{found.state}", language).format(year=year)
    masked = word("yearbook", "list_masked", language).format(count=found.masked) if found.masked else ""
    notes = word("rectify", "notes", language)
    return {
        "problems": "\n".join(part for part in (state, masked, notes) if part),
        "closing": word("yearbook", "closing_note", language).format(most=MOST_VENUES),
    }


def list_lines(found: Inside, words: Words) -> list[str]:
    """Return the list in a sentence, and for each circle the venue that most people depend on."""
    statuses: Mapping[str, int] = Counter(one.status for one in found.listing.current)
    counts = [
        f"{word('problem_status', name, words.language)} {statuses[name]}"
        for name in STATUSES
        if statuses.get(name)
    ]
    lines = [
        words.line(
            "list_counts",
            current=len(found.listing.current),
            ended=len(found.listing.ended),
            statuses=words.join(counts) or "0",
            book=BOOK,
            sheet=word("sheet", "problems", words.language),
        )
    ]
    _, rows = closing_sheet(found.impact, found.listing.findings, words.language, most=1)
    needed = sorted(rows, key=lambda row: -row["losing"])[:TARGETS_NAMED]
    return lines + [
        words.line(
            "closing",
            target=row["target"],
            venue=row["venue_name"],
            where=words.join([part for part in (row["service"], row["district"]) if part]),
            people=people_text(row["losing"]),
            share=percent_text(row["losing_share"]),
        )
        for row in needed
    ]
