"""One siting study for targets of every kind: who answers, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecircle.audit import open_study
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.siting_study._places_missing import (
    PlacesMissing,
    missing_lines,
    missing_table,
    places_missing,
)
from lifecircle.siting_study._siting_files import write_study
from lifecircle.siting_study._siting_steps import SiteStudy, site_study
from lifecircle.siting_study._siting_table import PlanTable, site_table
from lifecircle.siting_study._siting_text import (
    goal_lines,
    head_lines,
    note_lines,
    reason_lines,
    short_notes,
    why_line,
)
from lifecircle.siting_study._unit_files import write_units
from lifecircle.siting_study._unit_study import UnitStudy, unit_study
from lifecircle.siting_study._unit_text import unit_goal, unit_head, unit_notes, unit_reasons, unit_table
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language

AnyStudy = SiteStudy | UnitStudy | PlacesMissing

_OF_CIRCLES = {"objective": "max_cover", "budget": None, "profile": None, "accounting": None}
"""Options that have a meaning for circles alone, and what they are where they are not given."""


def study_of(
    study: str | Path,
    target: str,
    *,
    year: int | None = None,
    time_limit_s: float = 60.0,
    progress: Callable[[str], None] | None = None,
    **question: Any,
) -> AnyStudy:
    """Make a siting study of a target, by its kind.

    Parameters
    ----------
    study : folder of a study
    target : id of a circle target (where new sites help most), of a presence target (which units get a
        facility first), or of a capacity target (places missing by district: there is nothing to site)
    question : what else :func:`site_study` takes

    Raises
    ------
    UnusableInputError
        With every fault of the study and the question; for an indicator, which no facility moves.
    """
    read = open_study(study, year)
    kind = next((one.kind for one in read.standard.targets if one.id == target), "circle")
    if kind == "indicator":
        reason = say("an indicator is a registered or computed figure, which no site can be chosen for")
        remedy = say("choose a circle, presence or capacity target")
        raise UnusableInputError([Fault("", "target", target, reason, remedy)])
    if kind == "circle":
        return site_study(read, target, year=year, time_limit_s=time_limit_s, progress=progress, **question)
    _refuse(kind, question)
    if kind == "capacity":
        return places_missing(read, target, year=year, progress=progress)
    own = {name: value for name, value in question.items() if name not in _OF_CIRCLES}
    return unit_study(read, target, year=year, time_limit_s=time_limit_s, progress=progress, **own)


def _refuse(kind: str, question: dict[str, Any]) -> None:
    """Refuse options that only a circle has; for a capacity target all that speaks of sites.

    Raises
    ------
    UnusableInputError
        With every such option.
    """
    given = [name for name, usual in _OF_CIRCLES.items() if question.get(name, usual) != usual]
    faults = [
        Fault("", name, str(question[name]), say("only a circle target has this option"), say("leave it out"))
        for name in given
    ]
    if kind == "capacity" and question.get("new") is not None:
        reason = say("a capacity target lacks places, and no site can be chosen for them")
        remedy = say("leave the number out to see the places missing by district")
        faults.append(Fault("", "new", str(question["new"]), reason, remedy))
    if faults:
        raise UnusableInputError(faults)


def findings_of(found: AnyStudy) -> Findings:
    """Return the findings before the plan."""
    return found.findings if isinstance(found, PlacesMissing) else found.scenario.before


def reasons_of(found: AnyStudy, why: Sequence[str]) -> list[str]:
    """Return why candidates are not in the plan of a circle; of other plans the list says it.

    Raises
    ------
    UnusableInputError
        There is no such candidate, or the plan has none.
    """
    if isinstance(found, SiteStudy):
        return [why_line(found, label, found.scenario.before.language) for label in why]
    if why:
        reason, remedy = say("only a circle target has this option"), say("leave it out")
        raise UnusableInputError([Fault("", "why", why[0], reason, remedy)])
    return []


def write_any(found: SiteStudy | UnitStudy, folder: Path) -> Path:
    """Write the files of a siting study into a folder, all or none."""
    return write_study(found, folder) if isinstance(found, SiteStudy) else write_units(found, folder)


def printed(found: AnyStudy, language: Language, *, explain: bool) -> tuple[list[str], PlanTable, list[str]]:
    """Return what is printed of a siting study: lines, the table, and lines below it.

    Parameters
    ----------
    explain : the reasons and all notes as well
    """
    if isinstance(found, PlacesMissing):
        return missing_lines(found), missing_table(found), []
    more = [] if explain else [word("plan_table", "more", language)]
    if isinstance(found, UnitStudy):
        reasons = unit_reasons(found, language) if explain else []
        below = [*unit_goal(found, language), *reasons, *unit_notes(found, language), *more]
        return unit_head(found, language), unit_table(found, language), below
    reasons = reason_lines(found, language) if explain else []
    notes = note_lines(found, language) if explain else short_notes(found, language)
    below = [*goal_lines(found, language), *reasons, *notes, *more]
    return head_lines(found, language), site_table(found, language), below
