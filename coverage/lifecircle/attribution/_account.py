"""Account for the change of every target between two years: breaks first, then what the rest is made of.

The earlier value is followed to the later one in steps. A change of method, of the standard or of the
population surface is a step of its own, so that it is never told as progress. What is left is divided among
the groups that differ by counterfactual values averaged over all orders (:mod:`._shares`).
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.attribution._counterfactual import Counterfactuals
from lifecircle.attribution._factors import difference
from lifecircle.attribution._figures import figures, result_figures
from lifecircle.attribution._shares import coalitions, group_shares, owen_shares
from lifecircle.audit import open_study, prepare, prepare_other
from lifecircle.demand import OUTSIDE
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.findings import METHOD_VERSION, RUN, load_findings
from lifecircle.study import check_year

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.attribution._factors import Difference
    from lifecircle.attribution._shares import Share
    from lifecircle.attribution._venue_changes import VenueChange
    from lifecircle.audit import Answering, Inputs
    from lifecircle.findings import Findings, Language
    from lifecircle.standards import Target
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
    tell = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, second)
    first, second = check_year(first), check_year(second)
    if first >= second:
        reason, remedy = say("the earlier year comes first"), say("write the two years in order")
        raise UnusableInputError([Fault("", "", f"{first} {second}", reason, remedy)])
    tell("reading")
    after = prepare(study, second)
    before, gone = _earlier(after, first)
    folder = (study.folder / "results" if results is None else Path(results)) / str(first)
    return account(before, after, stored=_stored(folder), roads_gone=gone, progress=tell)


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
    tell = progress or _log.info
    tell("comparing inputs")
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
        tell(target.id)
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
        notes=_notes(found, roads_gone=roads_gone, stored=stored),
        services={one.id: one.name.model_dump() for one in after.study.standard.services},
        districts=names,
    )


def _under(before: Inputs, after: Inputs) -> Inputs:
    """Return the earlier inputs under the later year's standard."""
    standard = after.study.standard
    if before.study.standard == standard:
        return before
    study = replace(before.study, standard=standard)
    changed = replace(before, study=study)
    missing = after.networks.keys() - before.networks.keys()
    return prepare(study, before.year) if missing else changed


def _notes(found: Difference, *, roads_gone: bool, stored: Stored | None) -> tuple[str, ...]:
    venues = found.venues
    return tuple(
        code
        for code, told in (
            (f"roads_gone:{found.before.year}", roads_gone),
            (f"roads_gone_untold:{found.before.year}", roads_gone and stored is None),
            ("surface_break", found.surface),
            ("boundaries_differ", found.boundaries),
            (f"venues_renamed:{venues.renamed}", venues.renamed > 0),
            (f"venues_undated:{venues.undated}", venues.undated > 0),
            ("roads_undivided", "undivided" in found.roads.members),
        )
        if told
    )


_ROLES = {
    "circle": frozenset({"roads", "barriers", "demand", "districts", "villages", "accepted", "facilities"}),
    "presence": frozenset({"districts", "villages", "facilities", "outlets"}),
    "capacity": frozenset({"demand", "districts", "villages", "facilities"}),
    "indicator": frozenset({"indicators", "districts", "villages"}),
}
"""Kind of target -> roles of the files that its value may rest on."""


def _roles_of(target: Target) -> frozenset[str]:
    """Return the roles of files that a target may rest on; a computed gap rests on those of circles too."""
    own = _ROLES.get(target.kind, frozenset().union(*_ROLES.values()))
    return own | _ROLES["circle"] if getattr(target, "computed", None) is not None else own


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
                continue  # the target is not told by district, or counts nobody there
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
            steps.append((self._break_of(target, was), own))
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

    def _break_of(self, target: Target, was: object) -> str:
        """Name why a run written then says another figure than is computed for the same year now."""
        assert self.stored is not None
        now = {(one.role, one.path): one.sha256 for one in self.own.records}
        then = {(one.role, one.path): one.sha256 for one in self.stored.findings.inputs}
        roles = {
            role for role, path in now.keys() | then.keys() if now.get((role, path)) != then.get((role, path))
        } & _roles_of(target)
        method = self.stored.method != METHOD_VERSION or getattr(was, "target", None) != target
        if roles <= {"roads"} and self.roads_gone and not method:
            return "roads_gone"
        return "method_restated" if roles and method else "restated" if roles else "method"

    def _sources(self, target: Target) -> tuple[str, ...]:
        """Name who registered the figures of both years."""
        found: dict[str, None] = {}
        for one in (self.before, self.found.after):
            if one.indicators is not None:
                table = one.indicators.table
                mine = table[(table["target"] == target.id) & (table["year"] == one.year)]
                found |= dict.fromkeys(text for text in mine["source"].astype("str") if text.strip())
        return tuple(found)


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
    breaks = []
    known = values[0]
    for (name, _), value in zip(steps[1:-1], values[1:-1], strict=True):
        if not math.isnan(value) and abs(value - known) > _NOISE:
            breaks.append(ChangePart("breaks", name, value - known, value - known, value - known))
        known = known if math.isnan(value) else value
    parts = [_part(group, name, nested[0][name], at) for group, members in groups.items() for name in members]
    whole = [_part(name, name, nested[1][name], at) for name in groups]
    rest = (last - base) - math.fsum(part.value for part in parts)
    if math.isnan(rest):  # a year that never was has no value: nothing can be told apart
        parts, whole, rest = [], [], last - base
    if abs(rest) > _NOISE:
        part = ChangePart("rest", "rest", rest, rest, rest)
        parts.append(part)
        whole.append(part)
    return replace(plain, breaks=tuple(breaks), groups=tuple(whole), parts=tuple(parts))


def _part(group: str, name: str, share: Share, at: int) -> ChangePart:
    mean, low, high = (float(values[at]) + 0.0 for values in (share.mean, share.low, share.high))
    return ChangePart(group, name, mean, low, high, bool(share.turns[at]))
