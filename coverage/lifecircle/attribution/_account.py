"""Account for the change of every target between two years: breaks first, then what the rest is made of.

The earlier value is followed to the later one in steps. A change of method, of the standard or of the
population surface is a step of its own, so that it is never counted as progress. What is left is divided
among the groups that differ by counterfactual values averaged over all orders (:mod:`._shares`).
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.attribution._counterfactual import Counterfactuals
from lifecircle.attribution._factors import difference
from lifecircle.attribution._figures import figures, gap_circles, result_figures
from lifecircle.attribution._shares import coalitions, group_shares, owen_shares
from lifecircle.audit import declared_break, open_study, prepare, prepare_other
from lifecircle.demand import OUTSIDE
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.findings import METHOD_VERSION, RUN, load_findings
from lifecircle.study import check_year

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from lifecircle.attribution._factors import Difference
    from lifecircle.attribution._shares import Share
    from lifecircle.attribution._venue_changes import VenueChange
    from lifecircle.audit import Answering, Inputs
    from lifecircle.findings import Findings, Language, TargetResult
    from lifecircle.standards import Standard, Target
    from lifecircle.study import Study

    Figures = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

_NOISE = 1e-12
"""A step smaller than this is the last digit of a sum, not a change."""


@dataclass(frozen=True)
class ChangePart:
    """One part of a change.

    ``group``, ``name`` : which; ``value`` : the mean over all orders; ``low``, ``high`` : the smallest and
    the largest contribution in any order; ``turns`` : whether its sign depends on the order.
    """

    group: str
    name: str
    value: float
    low: float
    high: float
    turns: bool = False


@dataclass(frozen=True)
class ChangeRow:
    """The change of one target, for all or in one district (``code``, empty for all).

    ``before`` + ``breaks`` + ``parts`` = ``after``; ``groups`` are the parts added up by group. ``reason`` :
    a code of why nothing is divided, empty where it is; ``sources`` : who registered a figure.
    """

    target: Target
    code: str
    name: str
    before: float | None
    after: float | None
    breaks: tuple[ChangePart, ...] = ()
    groups: tuple[ChangePart, ...] = ()
    parts: tuple[ChangePart, ...] = ()
    reason: str = ""
    sources: tuple[str, ...] = ()

    @property
    def change(self) -> float | None:
        """The later value less the earlier, None where one is missing."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def comparable(self) -> float | None:
        """The change without breaks and corrections of the record: what can be called progress."""
        if self.change is None or self.reason:
            return None
        aside = [*self.breaks, *(part for part in self.groups if part.group in {"data", "rest"})]
        return self.change - math.fsum(part.value for part in aside)


@dataclass(frozen=True)
class YearComparison:
    """What changed between two years, and what it is made of.

    ``rows`` : every target for all, followed by its districts; ``venues`` : every venue that differs;
    ``lines`` : member -> road lines that differ by it; ``notes`` : codes of remarks; ``services`` : id ->
    name in each language, ``districts`` : code -> name.
    """

    study: str
    name: str
    years: tuple[int, int]
    language: Language
    synthetic: bool
    rows: tuple[ChangeRow, ...]
    venues: tuple[VenueChange, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    districts: Mapping[str, str] = field(default_factory=dict)

    def row(self, target: str, code: str = "") -> ChangeRow:
        """Find the row of a target, for all or in one district.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        for one in self.rows:
            if one.target.id == target and one.code == code:
                return one
        raise KeyError(f"no row of target {target!r} in district {code!r}")


@dataclass(frozen=True, eq=False)
class Stored:
    """A run of the earlier year as it was written then, and the version of its method."""

    findings: Findings
    method: str


def compare_years(
    study: str | Path | Study,
    first: int,
    second: int,
    *,
    results: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> YearComparison:
    """Divide the change of every target and district of a study between two years into its parts.

    Parameters
    ----------
    study : folder of a study, or a study read before
    first, second : an earlier and a later year
    results : folder of runs; one of the earlier year that says another figure than is computed now is the
        beginning of the account; ``results`` in the study's folder where left out
    progress : called with the name of each step as it begins

    Raises
    ------
    UnusableInputError
        When the years are not in order, or with every fault of the study in either of them.
    """
    report_progress = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, second)
    first, second = check_year(first), check_year(second)
    if first >= second:
        reason, remedy = say("the earlier year comes first"), say("write the two years in order")
        raise UnusableInputError([Fault("", "", f"{first} {second}", reason, remedy)])
    report_progress("reading")
    after = prepare(study, second)
    before, gone = _earlier(after, first)
    folder = (study.folder / "results" if results is None else Path(results)) / str(first)
    return account(before, after, stored=_stored(folder), roads_gone=gone, progress=report_progress)


def _earlier(after: Inputs, year: int) -> tuple[Inputs, bool]:
    """Prepare the earlier year; where its roads are gone, with the later ones, and whether that is so."""
    study, file = after.study, after.study.roads.file
    if file is None or isinstance(file, str):
        return prepare_other(after, year), False
    given = [one for one in file if one <= year]
    if given and study.path_in(file, year).exists():
        return prepare_other(after, year), False
    later = file[max(one for one in file if one <= after.year)]
    roads = study.roads.model_copy(update={"file": later})
    return prepare_other(replace(after, study=replace(study, roads=roads)), year), True


def _stored(folder: Path) -> Stored | None:
    """Read the run in a folder, if there is one that can be read."""
    if not (folder / RUN.mark).is_file():
        return None
    try:
        findings = load_findings(folder)
    except UnusableInputError as error:
        _log.warning("%s: %s", folder, error)
        return None
    top = json.loads((folder / RUN.mark).read_text("utf-8"))
    return Stored(findings, str(top.get("software", {}).get("method_version", "")))


def account(
    before: Inputs,
    after: Inputs,
    *,
    stored: Stored | None = None,
    roads_gone: bool = False,
    progress: Callable[[str], None] | None = None,
) -> YearComparison:
    """Divide the change of every target between two prepared years into its parts.

    Parameters
    ----------
    before, after : inputs of an earlier and a later year; their standards may differ
    stored : a run of the earlier year as it was written then
    roads_gone : whether ``before`` has the later year's roads for want of its own
    """
    report_progress = progress or _log.info
    report_progress("comparing inputs")
    own = before
    before = _under(before, after)
    found = difference(before, after)
    years = Counterfactuals(found)
    layers = [one for one in (before.districts, after.districts) if one is not None]
    names = {str(code): str(name) for layer in layers for code, name in layer["name"].items()}
    names[OUTSIDE] = OUTSIDE  # people who live in no district are in the whole, so they have a row too
    account_of = _Account(found, years, own, before, tuple(names), stored, roads_gone)
    rows: list[ChangeRow] = []
    for target in after.study.standard.targets:
        report_progress(target.id)
        rows += account_of.rows(target, names)
    return YearComparison(
        study=after.study.id,
        name=after.study.name or after.study.id,
        years=(before.year, after.year),
        language=after.study.language,
        synthetic=after.study.synthetic,
        rows=tuple(rows),
        venues=found.venues.listed,
        lines=found.roads.counts,
        notes=(
            *_notes(found, roads_gone=roads_gone, stored=stored),
            *(f"joint_{role}" for role in sorted(account_of.joint)),
        ),
        services={one.id: one.name.model_dump() for one in after.study.standard.services},
        districts=names,
    )


def _under(before: Inputs, after: Inputs) -> Inputs:
    """Return the earlier inputs under the later year's standard."""
    return _judged_by(before, after.study.standard, set(after.networks))


def _judged_by(inputs: Inputs, standard: Standard, profiles: AbstractSet[str]) -> Inputs:
    """Return inputs under another standard, read again where it asks for travel profiles they lack."""
    if inputs.study.standard == standard:
        return inputs
    study = replace(inputs.study, standard=standard)
    missing = profiles - inputs.networks.keys()
    return prepare(study, inputs.year) if missing else replace(inputs, study=study)


def _notes(found: Difference, *, roads_gone: bool, stored: Stored | None) -> tuple[str, ...]:
    venues = found.venues
    declared = declared_break(found.after.study, found.before.year, found.after.year)
    return tuple(
        code
        for code, holds in (
            (f"roads_gone:{found.before.year}", roads_gone),
            (f"roads_gone_untold:{found.before.year}", roads_gone and stored is None),
            ("surface_break", found.surface),
            (f"surface_undeclared:{found.before.year}|{found.after.year}", found.surface and not declared),
            ("boundaries_differ", found.boundaries),
            (f"venues_renamed:{len(venues.renamed)}|{_some(venues.renamed)}", bool(venues.renamed)),
            (f"venues_undated:{venues.undated}", venues.undated > 0),
            ("roads_undivided", "undivided" in found.roads.members),
        )
        if holds
    )


def _some(names: Sequence[str]) -> str:
    """Return the first names of many, without the sign that parts a code."""
    shown = "; ".join(name.replace("|", " ") for name in names[:_NAMED])
    return shown + (" …" if len(names) > _NAMED else "")


_NAMED = 5

_RESIDENTS = frozenset(
    {"demand", "demand_group", "demand_part", "demand_ground", "demand_totals", "crosswalk"}
)
_ROLES = {
    "circle": _RESIDENTS | {"roads", "barriers", "districts", "villages", "accepted", "facilities"},
    "presence": frozenset({"districts", "villages", "facilities", "outlets"}),
    "capacity": _RESIDENTS | {"districts", "villages", "facilities"},
    "indicator": frozenset({"indicators", "districts", "villages", "crosswalk"}),
}
"""Kind of target -> roles of the files that its value may rest on."""

_KEPT = frozenset({"facilities", "demand"})
"""Roles of the files whose rows a run keeps as it used them."""


@dataclass(frozen=True, eq=False)
class _Account:
    """Accounts for one target after another, sharing what they share.

    ``own`` : the earlier inputs under their own standard, ``before`` under the later one's.
    """

    found: Difference
    years: Counterfactuals
    own: Inputs
    before: Inputs
    codes: tuple[str, ...]
    stored: Stored | None
    roads_gone: bool
    joint: set[str] = field(default_factory=set)
    """Roles of missing files, without which a change of method cannot be kept apart from one of files."""

    def rows(self, target: Target, names: Mapping[str, str]) -> list[ChangeRow]:
        """Return the rows of a target: for all, then by district."""
        registered = target.kind == "indicator" and target.computed is None
        steps = self._steps(target)
        last = self._figures(target, self.years.after())
        if registered:
            groups: dict[str, tuple[str, ...]] = {"registered": ("registered",)}
            table = {frozenset[str](): steps[-1][1], frozenset({"registered"}): last}
        else:
            groups = self.found.groups(target)
            table = self._table(target, groups, steps[-1][1], last)
        nested = (owen_shares(groups, table), group_shares(groups, table))
        sources = self._sources(target) if registered else ()
        out = []
        for at, code in enumerate(("", *self.codes)):
            if code and all(np.isnan(values[at]) for values in (steps[0][1], last)):
                continue  # the target has no figure by district, or counts nobody there
            out.append(
                _row(
                    target,
                    (code, names.get(code, "")),
                    at,
                    [(name, values) for name, values in [*steps, ("", last)]],
                    groups,
                    nested,
                    sources,
                )
            )
        return out

    def _figures(self, target: Target, one: tuple[Inputs, Answering]) -> Figures:
        return figures(target, *one, self.codes)

    def _table(
        self, target: Target, groups: Mapping[str, Sequence[str]], first: Figures, last: Figures
    ) -> dict[frozenset[str], Figures]:
        """Compute the values of every coalition; the first and the last are those of the years themselves."""
        everything = frozenset(member for members in groups.values() for member in members)
        table: dict[frozenset[str], Figures] = {}
        for one in coalitions(groups):
            if not one:
                table[one] = first
            elif one == everything:
                table[one] = last
            else:
                table[one] = self.years.figures(target, one, self.codes)
        return table

    def _steps(self, target: Target) -> list[tuple[str, Figures]]:
        """Follow the earlier value through the breaks: (name of the break that led here, values)."""
        steps: list[tuple[str, Figures]] = []
        was = (
            None
            if self.stored is None
            else next((one for one in self.stored.findings.targets if one.target.id == target.id), None)
        )
        same = self.own is self.before
        searches = self.years.before()[1] if same and not self.found.surface else None
        own = figures(
            self._own_target(target), self.own, searches or self.years.searches(self.own), self.codes
        )
        if was is not None and was.value is not None:
            steps.append(("", result_figures(was, self.codes)))
            steps += self._from_then(target, was, own)
        else:
            steps.append(("", own))
        if not same:
            steps.append(
                ("method", figures(target, self.before, self.years.searches(self.before), self.codes))
            )
        if self.found.surface:
            steps.append(("surface", self._figures(target, self.years.before())))
        return steps

    def _own_target(self, target: Target) -> Target:
        """Return the target as the earlier year's own standard has it, the later one's where it has none."""
        return next((one for one in self.own.study.standard.targets if one.id == target.id), target)

    def _from_then(self, target: Target, was: TargetResult, now: Figures) -> list[tuple[str, Figures]]:
        """Follow the figure written in a run to what is computed for the same year now.

        Where files and method changed both, a year between them is computed, so that the change of method
        stands apart: by the target of then over the files of now where the version of the method is the
        same; else by the method of now over the venues and residents that the run kept.
        """
        assert self.stored is not None
        roles = self.changed & _roles(target)
        version = self.stored.method != METHOD_VERSION
        other = was.target != target or self._other_circles(target)
        if roles <= {"roads"} and self.roads_gone and not (version or other):
            return [("roads_gone", now)]
        if not roles or not (version or other):
            return [("restated" if roles else "method", now)]
        if not version and _same_services(was, self.own):
            return [("restated", self._figures_of(was.target, self._by_old_targets)), ("method", now)]
        if version and roles <= _KEPT and not _drawn(self.own):
            return [
                ("method", self._figures_of(self._own_target(target), self._kept_inputs)),
                ("restated", now),
            ]
        self.joint.update(roles - _KEPT if version else {"services"})
        return [("method_restated", now)]

    def _figures_of(self, target: Target, inputs: Inputs) -> Figures:
        return figures(target, inputs, self.years.searches(inputs), self.codes)

    def _other_circles(self, target: Target) -> bool:
        """Return whether a computed gap is about circles that were other ones then."""
        assert self.stored is not None
        then = {one.target.id: one.target for one in self.stored.findings.targets}
        return any(then.get(one.id) != one for one in gap_circles(target, self.own))

    @cached_property
    def _by_old_targets(self) -> Inputs:
        """Return the earlier year's files as they are now, judged by the targets of its run."""
        assert self.stored is not None
        targets = tuple(one.target for one in self.stored.findings.targets)
        standard = self.own.study.standard.model_copy(update={"targets": targets})
        return _judged_by(self.own, standard, {one.profile for one in targets if one.kind == "circle"})

    @cached_property
    def _kept_inputs(self) -> Inputs:
        """Return the earlier year with the venues and residents that its run kept, where files changed."""
        assert self.stored is not None
        run = self.stored.findings
        register = run.facilities if "facilities" in self.changed else self.own.register
        demand = run.demand if "demand" in self.changed else self.own.demand
        return replace(self.own, register=register, demand=demand)

    @cached_property
    def changed(self) -> frozenset[str]:
        """Roles of the earlier year's files that are other ones than when its run was written."""
        assert self.stored is not None
        now = {(one.role, one.path): one.sha256 for one in self.own.records}
        then = {(one.role, one.path): one.sha256 for one in self.stored.findings.inputs}
        return frozenset(
            role for role, path in now.keys() | then.keys() if now.get((role, path)) != then.get((role, path))
        )

    def _sources(self, target: Target) -> tuple[str, ...]:
        """Name who registered the figures of both years."""
        found: dict[str, None] = {}
        for one in (self.before, self.found.after):
            if one.indicators is not None:
                table = one.indicators.table
                mine = table[(table["target"] == target.id) & (table["year"] == one.year)]
                found |= dict.fromkeys(text for text in mine["source"].astype("str") if text.strip())
        return tuple(found)


def _same_services(was: TargetResult, inputs: Inputs) -> bool:
    """Return whether the services of every class of a target are those of its run."""
    then = {name: set(services) for name, services in was.classes.items()}
    return then == inputs.study.standard.venues(was.target)


def _roles(target: Target) -> frozenset[str]:
    """Return the roles of files that a value may rest on; a computed gap rests on those of its circles."""
    computed = target.kind == "indicator" and target.computed is not None
    # Of a kind that is not named any file may be one.
    own = _ROLES.get(target.kind, frozenset().union(*_ROLES.values()))
    return own | (_ROLES["circle"] if computed else frozenset())


def _drawn(inputs: Inputs) -> bool:
    """Return whether venues are drawn as polygons, whose edges a run does not keep."""
    return "polygon" in inputs.register and bool(inputs.register["polygon"].notna().any())


def _row(  # noqa: PLR0913, PLR0917 - the parts of one row
    target: Target,
    unit: tuple[str, str],
    at: int,
    steps: Sequence[tuple[str, Figures]],
    groups: Mapping[str, Sequence[str]],
    nested: tuple[Mapping[str, Share], Mapping[str, Share]],
    sources: tuple[str, ...],
) -> ChangeRow:
    """Put the steps and shares of one figure into a row; what is not known is said, never filled in."""
    values = [float(figures[at]) for _, figures in steps]
    first, base, last = values[0], values[-2], values[-1]
    before, after = (None if math.isnan(value) else value for value in (first, last))
    plain = ChangeRow(target, *unit, before, after, sources=sources)
    if before is None or after is None:
        return replace(plain, reason="no_value_before" if before is None else "no_value_after")
    if math.isnan(base):
        return replace(plain, reason="no_value_now")
    breaks: list[ChangePart] = []
    known = values[0]
    for (name, _), value in zip(steps[1:-1], values[1:-1], strict=True):
        if not math.isnan(value) and abs(value - known) > _NOISE:
            step = value - known + sum(one.value for one in breaks if one.name == name)
            breaks = [one for one in breaks if one.name != name]
            breaks.append(ChangePart("breaks", name, step, step, step))
        known = known if math.isnan(value) else value
    parts = [_part(group, name, nested[0][name], at) for group, members in groups.items() for name in members]
    whole = [_part(name, name, nested[1][name], at) for name in groups]
    rest = (last - base) - math.fsum(part.value for part in parts)
    if math.isnan(rest):  # a year that never was has no value: nothing can be divided
        parts, whole, rest = [], [], last - base
    if abs(rest) > _NOISE:
        part = ChangePart("rest", "rest", rest, rest, rest)
        parts.append(part)
        whole.append(part)
    return replace(plain, breaks=tuple(breaks), groups=tuple(whole), parts=tuple(parts))


def _part(group: str, name: str, share: Share, at: int) -> ChangePart:
    mean, low, high = (float(values[at]) + 0.0 for values in (share.mean, share.low, share.high))
    return ChangePart(group, name, mean, low, high, bool(share.turns[at]))
