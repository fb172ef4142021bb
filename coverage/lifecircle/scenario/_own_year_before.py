"""The year before of a changed study: that of the study itself, for every kind of target.

The audit of changed inputs prepares the year before from the same changed register, residents and roads. What
is supposed to be different in this year was not there then, so the figures of the study's own year before
take their place, and a trend is judged against them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lifecircle.findings import IndicatorResult
from lifecircle.measures import not_smaller
from lifecircle.standards import trend_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings, TargetResult

_NOT_SMALLER, _MISSING = "gap_not_smaller:", "year_before_missing:"  # codes of notes and reasons


def with_own_year_before(after: Findings, before: Findings) -> Findings:
    """Return findings of a changed study with the year before of the study as it is.

    Parameters
    ----------
    after, before : audits of the changed study, and of the study
    """
    own = {one.target.id: one for one in before.targets}
    targets = tuple(_with_previous(one, own[one.target.id], before.year) for one in after.targets)
    return replace(after, targets=targets)


def _with_previous(result: TargetResult, own: TargetResult, year: int) -> TargetResult:
    result = replace(result, previous=own.previous)
    if isinstance(result, IndicatorResult) and isinstance(own, IndicatorResult) and result.gaps:
        return _judged_again(result, own, year)
    return result


def _judged_again(result: IndicatorResult, own: IndicatorResult, year: int) -> IndicatorResult:
    """Set the gaps beside those of the study's own year before, and judge the trend by these."""
    computed = getattr(result.target, "computed", None)
    if computed is None:
        return result
    gaps = {}
    moves: dict[str, bool | None] = {}
    for name, one in result.gaps.items():
        was = own.gaps[name].previous if name in own.gaps else None
        now = getattr(one.gap, computed.measure)
        moved = None if now is None else not_smaller({year - 1: was, year: now})[year]
        gaps[name] = replace(one, previous=was, not_smaller=moved)
        if now is not None:
            moves[name] = moved
    notes = tuple(note for note in result.notes if not note.startswith(_NOT_SMALLER))
    notes += tuple(f"{_NOT_SMALLER}{name}" for name, moved in moves.items() if moved)
    return _with_trend(replace(result, gaps=gaps, notes=notes), moves, year)


def _with_trend(result: IndicatorResult, moves: Mapping[str, bool | None], year: int) -> IndicatorResult:
    """Judge a target that has to shrink; one that has a goal keeps its verdict."""
    if getattr(result.target, "trend", None) != "shrinking":
        return result
    status = trend_verdict(result.target, year, moves.values())
    unknown = status == "not_assessable" and None in moves.values()
    return replace(result, status=status, reason=f"{_MISSING}{year - 1}" if unknown else "")
