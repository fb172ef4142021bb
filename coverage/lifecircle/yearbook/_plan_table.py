"""Lay out all targets over the years of a plan (终期评估): values by year, goal and final verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecircle.findings import unit_text, value_text
from lifecircle.report import FIGURE, ORDER, STATUS, TEXT, Rate
from lifecircle.standards import milestone
from lifecircle.wording import explain, printed_points, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifecircle.findings import Findings, Language, TargetResult

BEFORE = {
    "row": ORDER, "target": TEXT, "kind": TEXT, "department": TEXT, "source": TEXT, "grade": TEXT,
    "denominator": TEXT, "figure_unit": TEXT, "plan_baseline": TEXT, "plan_milestones": TEXT,
}  # fmt: skip
AFTER = {"goal": FIGURE, "due": ORDER, "plan_change": TEXT, "status": STATUS, "remarks": TEXT}


def year_column(year: int) -> str:
    """Name the column of a year's value."""
    return f"value_{year}"


def plan_columns(years: Sequence[int]) -> dict[str, str]:
    """Return the columns of the table and how each is printed, the years in order."""
    return {**BEFORE, **{year_column(year): FIGURE for year in years}, **AFTER}


def plan_rows(findings_list: Sequence[Findings], language: Language) -> list[dict[str, Any]]:
    """Return a row for every target of the latest year, with its value in every year.

    Parameters
    ----------
    findings_list : one run a year, in order; a target that an earlier run lacks has no value there

    Returns
    -------
    rows : the columns of :func:`plan_columns`; the final verdict and its reason are the latest year's
    """
    latest = findings_list[-1]
    return [_row(number, result, findings_list, language) for number, result in enumerate(latest.targets, 1)]


def values_by_year(target: str, findings_list: Sequence[Findings]) -> dict[int, float | None]:
    """Return the values of a target by year, None where a run has none."""
    values: dict[int, float | None] = {}
    for findings in findings_list:
        found = [one.value for one in findings.targets if one.target.id == target]
        values[findings.year] = found[0] if found else None
    return values


def _row(
    number: int, result: TargetResult, findings_list: Sequence[Findings], language: Language
) -> dict[str, Any]:
    target = result.target
    values = values_by_year(target.id, findings_list)
    return {
        "row": number,
        "target": target.name.get(language),
        "kind": word("kind", target.kind, language),
        "department": target.department,
        "source": " · ".join(part for part in (target.source, target.date) if part),
        "grade": word("grade", target.grade, language),
        "denominator": _denominator(result, language),
        "figure_unit": unit_text(result, language),
        "plan_baseline": _by_year(result, target.baseline, language)
        or word("yearbook", "not_given", language),
        "plan_milestones": _milestones(result, list(values), language),
        **{year_column(year): _figure(result, value) for year, value in values.items()},
        "goal": _figure(result, target.goal),
        "due": target.due,
        "plan_change": _change(result, values, language),
        "status": word("status", result.status, language),
        "remarks": _remarks(result, findings_list, language),
    }


def _denominator(result: TargetResult, language: Language) -> str:
    target = result.target
    if target.denominator or target.kind != "circle":
        return str(target.denominator)
    return f"{word('area', target.area, language)} · {word('group', target.group, language)}"


def _by_year(result: TargetResult, given: Mapping[int, float], language: Language) -> str:
    return "；".join(
        f"{year}：{value_text(result, value, language)}" for year, value in sorted(given.items())
    )


def _milestones(result: TargetResult, years: Sequence[int], language: Language) -> str:
    """Print the milestones of a target; where it gives none, what stands for them until it is due."""
    target = result.target
    if target.milestones or target.goal is None:
        return _by_year(result, target.milestones, language) or word("yearbook", "not_given", language)
    if not target.baseline:
        return word("yearbook", "milestones_none", language)
    asked = {year: milestone(target, year) for year in years if target.due is None or year < target.due}
    line = _by_year(result, {year: one for year, one in asked.items() if one is not None}, language)
    return word("yearbook", "milestones_line", language).format(line=line)


def _figure(result: TargetResult, value: float | None) -> Rate | float | None:
    if value is None or not result.is_share:
        return value
    marks = (result.target.goal, result.milestone)
    return Rate(value, tuple(mark for mark in marks if mark is not None))


def _change(result: TargetResult, values: Mapping[int, float | None], language: Language) -> str:
    """Print the change from the first to the last year with a value, as the difference of what is printed."""
    known = [(year, value) for year, value in values.items() if value is not None]
    if len(known) < 2:
        return ""
    (first, early), (last, late) = known[0], known[-1]
    if result.is_share:
        moved = word("yearbook", "points", language).format(points=f"{printed_points(early, late):+.1f}")
    else:
        sign = "+" if late >= early else "−"
        moved = f"{sign}{value_text(result, abs(late - early), language)}"
    return word("yearbook", "from_to", language).format(first=first, last=last, moved=moved)


def _remarks(result: TargetResult, findings_list: Sequence[Findings], language: Language) -> str:
    """Return the latest year's reason and notes, and why an earlier year without a value has none."""
    said = [explain(code, language) for code in (result.reason, *result.notes) if code]
    for findings in findings_list[:-1]:
        found = [one for one in findings.targets if one.target.id == result.target.id]
        if not found:
            reason = word("yearbook", "not_in_run", language)
        elif found[0].value is None and found[0].reason:
            reason = explain(found[0].reason, language)
        else:
            continue
        said.append(word("yearbook", "year_reason", language).format(year=findings.year, reason=reason))
    return "；".join(said) if language == "zh" else "; ".join(said)
