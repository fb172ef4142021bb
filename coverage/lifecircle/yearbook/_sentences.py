"""Put the findings of a year in the sentences of a report: overview, conclusions, problems, suggestions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.findings import (
    CapacityResult,
    PresenceResult,
    as_circle,
    equity_lines,
    gap_text,
    mark_text,
    reach_lines,
    value_text,
)
from lifecircle.page_data import people_text, percent_text
from lifecircle.wording import Words as CatalogueWords
from lifecircle.wording import explain, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.findings import Findings, TargetResult

LATE = ("missed", "behind")
GOOD = ("met", "on_track")
DOUBTFUL = ("not_assessable", "data_insufficient")
GAPS_NAMED = 10
UNITS_NAMED = 8


@dataclass(frozen=True)
class Words(CatalogueWords):
    """The sentences of a report in one language."""

    def line(self, key: str, **values: object) -> str:
        """Return a sentence of the report with its values filled in."""
        return word("yearbook", key, self.language).format(**values)

    def join(self, parts: list[str]) -> str:
        """Join the items of a list."""
        return ("、" if self.language == "zh" else ", ").join(parts)

    def name(self, result: TargetResult) -> str:
        """Return the name of a target."""
        return result.target.name.get(self.language)


def overview(findings: Findings, words: Words) -> list[str]:
    """Return what the year looks like in numbers: residents, targets by verdict, how sure the data are."""
    total = float(findings.demand["population"].sum())
    statuses = Counter(result.status for result in findings.targets)
    order = (*GOOD, *LATE, "reported", *DOUBTFUL)
    counts = [
        words.line("status_count", status=word("status", name, words.language), count=statuses[name])
        for name in order
        if statuses[name]
    ]
    lines = [
        words.line(
            "overview_people",
            name=findings.name,
            year=findings.year,
            people=people_text(total),
            districts=len(findings.districts),
            villages=len(findings.villages),
            venues=f"{len(findings.facilities):,}",
        ),
        words.line("overview_targets", count=len(findings.targets), statuses=words.join(counts)),
    ]
    doubted = [
        words.line("doubt", target=words.name(result), reason=explain(result.reason, words.language))
        for result in findings.targets
        if result.status in DOUBTFUL
    ]
    return lines + doubted


def conclusions(findings: Findings, words: Words) -> Iterator[tuple[str, list[str]]]:
    """Return, by department, a sentence a target with its value, goal, verdict and change."""
    by_department: dict[str, list[TargetResult]] = {}
    for result in findings.targets:
        by_department.setdefault(result.target.department, []).append(result)
    for department, results in by_department.items():
        yield department or words.line("no_department"), [_conclusion(result, words) for result in results]


def _conclusion(result: TargetResult, words: Words) -> str:
    language = words.language
    if result.value is None:
        return words.line(
            "conclusion_none", target=words.name(result), reason=explain(result.reason, language)
        )
    goal = "" if result.target.goal is None else mark_text(result, result.target.goal, language)
    parts = [
        words.line(
            "conclusion" if goal else "conclusion_no_goal",
            target=words.name(result),
            value=value_text(result, result.value, language),
            goal=goal,
            status=word("status", result.status, language),
        )
    ]
    if result.previous is not None:
        parts.append(words.line("conclusion_before", value=value_text(result, result.previous, language)))
    circle = as_circle(result)
    if circle.shortfall_people:
        parts.append(words.line("conclusion_short", people=people_text(circle.shortfall_people)))
    if isinstance(result, CapacityResult) and result.missing:
        parts.append(words.line("conclusion_missing", amount=f"{result.missing:,.0f}"))
    if isinstance(result, PresenceResult) and result.units is not None and result.units.without:
        parts.append(words.line("conclusion_without", count=len(result.units.without)))
    band = circle.band
    if band and band.get("slow") is not None and band.get("fast") is not None:
        # A verdict that turns within the band of walking speeds must not read as a firm one.
        parts.append(
            words.line("conclusion_band", slow=percent_text(band["slow"]), fast=percent_text(band["fast"]))
        )
    return words.line("between").join(parts) + words.line("stop")


def supply_lines(findings: Findings, words: Words) -> Iterator[tuple[str, list[str]]]:
    """Return, by capacity target, what is within reach, who is served, and how evenly."""
    circles = {one.target.id: words.name(one) for one in findings.targets}
    for result in findings.targets:
        if isinstance(result, CapacityResult) and result.reach is not None:
            said = [*reach_lines(result, words.language, circles), *equity_lines(result, words.language)]
            yield words.name(result), [f"{text}{words.line('stop')}" for text in said]


def equity_rows(findings: Findings, words: Words) -> tuple[list[str], list[list[str]]]:
    """Return the table of how evenly every target is shared out: headings and rows."""
    language = words.language
    heads = ("gap_sides", "gap_towns", "lowest_town", "lowest_group", "gini", "below")
    rows = []
    for result in findings.targets:
        equity = getattr(result, "equity", None)
        if equity is None:
            continue
        sides, towns, groups = equity.urban_rural, equity.towns, equity.groups
        lowest = min(groups, key=lambda name: groups[name]) if groups else ""
        rows.append(
            [
                words.name(result),
                gap_text(result, sides and sides.difference, language),
                gap_text(result, towns and towns.difference, language),
                "—" if towns is None else towns.low,
                word("group", lowest, language) if lowest else "—",
                "—" if equity.gini is None else f"{equity.gini:.2f}",
                percent_text(equity.below),
            ]
        )
    return [words.line("ladder_target"), *(word("column", name, language) for name in heads)], rows


def problems(findings: Findings, words: Words) -> list[str]:
    """Return the largest gaps, and the units without, each as a sentence."""
    lines = []
    targets = {result.target.id: result for result in findings.targets}
    gaps = findings.gaps
    if len(gaps):
        known = gaps[gaps["people"].notna() & gaps["target"].map(lambda name: targets[name].status in LATE)]
        timed = known[known["minutes"].notna() | known["reason"].isin(["disconnected", "unsnapped"])]
        largest = timed.nlargest(GAPS_NAMED, "people").to_dict("records")
        lines += [_gap(gap, targets[gap["target"]], findings, words) for gap in largest]
    for result in findings.targets:
        if isinstance(result, PresenceResult) and result.units is not None and result.units.without:
            named = [one.name for one in result.units.without]
            more = len(named) - UNITS_NAMED
            rest = words.line("more", count=more) if more > 0 else ""
            lines.append(
                words.line(
                    "units_without",
                    target=words.name(result),
                    count=len(named),
                    names=words.join(named[:UNITS_NAMED]) + rest,
                )
            )
    return lines or [words.line("no_problems")]


def _gap(gap: dict[str, object], result: TargetResult, findings: Findings, words: Words) -> str:
    towns = findings.districts["name"].to_dict() if len(findings.districts) else {}
    villages = findings.villages["name"].to_dict() if len(findings.villages) else {}
    place = " ".join(
        str(names.get(gap[key], gap[key]))
        for key, names in (("district", towns), ("village", villages))
        if not _empty(gap[key])
    )
    facts = {
        "place": place,
        "people": people_text(float(str(gap["people"]))),
        "target": words.name(result),
        "reason": word("bucket", str(gap["reason"]), words.language),
    }
    minutes = gap["minutes"]
    if _empty(minutes):
        return words.line("gap_no_way", **facts)
    limit = float(getattr(result.target, "minutes", None) or 0.0)
    minutes = float(str(minutes))
    return words.line("gap", **facts, minutes=f"{minutes:.1f}", over=f"{max(minutes - limit, 0.0):.1f}")


def _empty(value: object) -> bool:
    return value is None or value == "" or bool(pd.isna(value))


def suggestions(findings: Findings, words: Words) -> list[str]:
    """Return what would close what is missing: people, places and units, by target; never a cause."""
    lines = []
    for result in findings.targets:
        if result.status not in LATE:
            continue
        department = result.target.department or words.line("no_department")
        circle = as_circle(result)
        if circle.shortfall_people:
            gaps = findings.gaps[findings.gaps["target"] == result.target.id]
            largest = gaps["people"].nlargest(1)
            lines.append(
                words.line(
                    "suggest_people",
                    department=department,
                    target=words.name(result),
                    people=people_text(circle.shortfall_people),
                    gaps=len(gaps),
                    largest=people_text(float(largest.iloc[0])) if len(largest) else "—",
                )
            )
        if isinstance(result, CapacityResult) and result.missing:
            amount = f"{result.missing:,.0f}"
            lines.append(
                words.line("suggest_places", department=department, target=words.name(result), amount=amount)
            )
        if isinstance(result, PresenceResult) and result.units is not None and result.units.without:
            count = len(result.units.without)
            lines.append(
                words.line("suggest_units", department=department, target=words.name(result), count=count)
            )
    return lines or [words.line("no_suggestions")]
