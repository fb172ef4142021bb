"""Each resident's answer in the page: people, bucket, times to the venues of a rule, and these venues.

Times are whole steps of 0.05 s. They are rounded to the nearest, but never across the target's own limit, so
that nobody changes bucket. Where the page has the roads a target was searched on, a time stands as the steps
by which it differs from what the page finds itself; elsewhere as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.facilities import open_at
from lifecircle.findings import class_seconds, class_venues
from lifecircle.limits import search_bound, within_limit
from lifecircle.page_data._page_roads import PER_SECOND, Network, Places, places_of, searchable
from lifecircle.page_data._target_text import OUTSIDE
from lifecircle.page_data._times import Found, Ground, graph_of
from lifecircle.reach import LEG_SHARE, snap
from lifecircle.roads import profile as find_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.page_data._packed_columns import Columns, SectionWriter
    from lifecircle.roads import Profile, Roads
    from lifecircle.standards import CircleTarget

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

STATUS_CODES = ("", "covered", "beyond", "disconnected", "unsnapped")
UNSNAPPED = STATUS_CODES.index("unsnapped")
STEP_S = 0.05
"""Seconds of one step of time in the page."""
COUNTED = 8
"""Added to the bucket's code of a resident whom the target counts."""

PLACE_PARTS = ("edge", "along", "leg")
"""What stands of a place on the roads."""

_PARTS = (1, 10, 100, 1000)  # of a person, the first in which everybody is whole
_AGREE_S = 0.5
_AGREE_SHARE = 0.99


def steps_of(seconds: Floats, limit_s: float) -> Ints:
    """Count seconds in steps of 0.05 s, to the nearest on their own side of a limit; -1 where there is none.

    >>> steps_of(np.array([899.99, 900.0, 900.01, 903.06, np.nan]), 900.0).tolist()
    [18000, 18000, 18001, 18061, -1]
    """
    known = np.isfinite(seconds)
    times = np.where(known, seconds, 0.0)
    nearest = np.floor(times / STEP_S + 0.5)
    last = np.floor(search_bound(limit_s) / STEP_S + 1e-9)
    within = within_limit(times, limit_s)
    sided: Floats = np.where(within, np.minimum(nearest, last), np.maximum(nearest, last + 1))
    return np.where(known, sided, -1).astype(np.int64)


def found_steps(hundredths: Floats, factor: float) -> Ints:
    """Count times of the page's own search in steps, multiplied by a factor; -1 where there is none."""
    known = np.isfinite(hundredths)
    per_step = PER_SECOND * STEP_S
    steps: Floats = np.floor(np.where(known, hundredths, 0.0) * factor / per_step + 0.5)
    return np.where(known, steps, -1).astype(np.int64)


def counted(findings: Findings, result: TargetResult) -> npt.NDArray[np.bool_]:
    """Return which residents a target is about: (demand,)."""
    mine: npt.NDArray[np.bool_] = (findings.people[result.target.id] > 0).to_numpy(dtype=bool)
    return mine


def buckets(findings: Findings, result: TargetResult) -> Ints:
    """Return each resident's place in :data:`STATUS_CODES` for a target, whether counted or not."""
    place = {code: number for number, code in enumerate(STATUS_CODES)}
    codes: Ints = findings.status[result.target.id].map(place).fillna(0).to_numpy().astype(np.int64)
    return codes


def status_codes(findings: Findings, result: TargetResult) -> Ints:
    """Return each resident's place in :data:`STATUS_CODES` for a target, 0 for those it does not count."""
    codes: Ints = np.where(counted(findings, result), buckets(findings, result), 0)
    return codes


@dataclass(frozen=True, eq=False)
class PageYear:
    """One year's findings, and its residents and venues on the page's roads with their profile, if any."""

    findings: Findings
    ground: Ground | None = None
    profile: Profile | None = None

    @classmethod
    def of(cls, findings: Findings, roads: Roads | None, network: Network | None) -> PageYear:
        """Join a year's residents and venues to the roads; without roads that the page can search, none."""
        if roads is None or network is None or not searchable(roads.profile):
            return cls(findings)
        homes, venues = (  # snapped by the audit before, so most often kept
            places_of(
                network,
                roads,
                snap(
                    roads,
                    table,
                    prefer_main_m=findings.reading.prefer_main_m,
                    fragment_m=findings.reading.fragment_m,
                    keep=True,
                ),
            )
            for table in (findings.demand, findings.facilities)
        )
        ground = Ground(network, graph_of(network), homes=homes, venues=venues, leg_share=LEG_SHARE)
        return cls(findings, ground, roads.profile)

    def factor(self, profile: str) -> float | None:
        """Return what the page's times are multiplied by for a profile, None where it uses other ways."""
        other = find_profile(profile)
        if self.profile is None or not searchable(other) or other.ways != self.profile.ways:
            return None
        return self.profile.access_kmh / other.access_kmh


def keep_places(name: str, places: Places, writer: SectionWriter) -> dict[str, str]:
    """Put places in the container."""
    return {part: writer.keep(f"{name}/{part}", getattr(places, part)) for part in PLACE_PARTS}


def keep_answers(
    page_year: PageYear, result: TargetResult, writer: SectionWriter, before: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Put each resident's answer for a target in the container, None without travel times.

    Parameters
    ----------
    before : what was kept for the target in the year before, whose columns may be much the same

    Returns
    -------
    answers : ``factor`` is what the page's own times are multiplied by, None where times stand as they are
    """
    findings, target = page_year.findings, result.target
    if target.kind != "circle" or target.id not in findings.seconds:
        return None
    name, last = f"{findings.year}/{target.id}", before or {}
    per, people = people_parts(findings.people[target.id].to_numpy(dtype=np.float64))
    standing = buckets(findings, result) + COUNTED * counted(findings, result)
    parts = _classes_of(findings, result, target)
    factor, found = _own_search(page_year, target, parts)
    unsnapped = standing % COUNTED == UNSNAPPED
    answers: dict[str, Any] = {
        "people": writer.keep(f"{name}/people", people),
        "per": per,
        "standing": writer.keep(f"{name}/standing", standing, since=last.get("standing")),
        "factor": factor,
        "classes": [],
    }
    for number, part in enumerate(parts):
        own = (
            np.where(unsnapped[:, None], -1, found_steps(found[number].hundredths, factor))
            if factor is not None
            else -1
        )
        answers["classes"].append(
            {
                "name": part.name,
                "services": list(part.services),
                "venues": writer.keep(f"{name}/{part.name}/venues", part.venues),
                "last": _keep_last(part, found[number] if found else None, unsnapped, (writer, name)),
                "steps": [
                    writer.keep(f"{name}/{part.name}/{rank + 1}", column, since=_before(last, number, rank))
                    for rank, column in enumerate((part.steps - own).T)
                ],
            }
        )
    if not parts:
        steps = steps_of(findings.seconds[target.id].to_numpy(dtype=np.float64), 60 * target.minutes)
        answers["steps"] = writer.keep(f"{name}/steps", steps + 1, since=last.get("steps"))
    venue = findings.facilities.index.get_indexer(findings.nearest[target.id]).astype(np.int64)
    expected = np.where(unsnapped, -1, deciding_of(found)) if found else -1
    answers["nearest"] = writer.keep(f"{name}/nearest", venue - expected, since=last.get("nearest"))
    return answers


def _keep_last(part: _Class, found: Found | None, unsnapped: npt.NDArray[np.bool_], at: Any) -> str | None:
    """Keep which venue is the last that the rule asks of a class; None where the run does not say."""
    if part.last is None:
        return None
    writer, name = at
    expected = -1 if found is None else np.where(unsnapped, -1, found.venue[:, -1])
    kept: str = writer.keep(f"{name}/{part.name}/last", part.last - expected)
    return kept


def people_parts(people: Floats) -> tuple[int, Ints]:
    """Count people in whole parts of a person: how many parts, and the counts."""
    per = next(
        (one for one in _PARTS if np.allclose(people * one, np.round(people * one), atol=1e-9)), _PARTS[-1]
    )
    return per, np.round(people * per).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Class:
    """A class of a rule: its services, its venues (facility,) bool, steps to the nearest (demand, k).

    ``last`` : (demand,) position of the last of these venues, -1 for none; None for a rule of one venue,
    whose venue is the one that decides, and where the run does not say.
    """

    name: str
    services: tuple[str, ...]
    venues: npt.NDArray[np.bool_]
    steps: Ints
    last: Ints | None


def _classes_of(findings: Findings, result: TargetResult, target: CircleTarget) -> list[_Class]:
    """List the classes of a rule; none where the run holds no times of each class that make up the rule's.

    Where a radius or a village decides there are none: the page tries new venues by minutes.
    """
    require = target.require
    if target.accounting not in {"reach", "open"}:
        return []
    services = result.classes or ({next(iter(require)): result.venues} if len(require) == 1 else {})
    try:
        times = class_seconds(findings, target.id)
    except KeyError:
        return []
    rule = np.max([one[:, -1] for one in times.values()], axis=0)  # NaN where any is
    if not np.array_equal(rule, findings.seconds[target.id].to_numpy(dtype=np.float64), equal_nan=True):
        return []
    near = np.ones(len(findings.facilities), dtype=bool)
    if not target.across_border and "district" in findings.facilities:
        near = (findings.facilities["district"] != OUTSIDE).to_numpy(dtype=bool)
    if target.accounting == "open" and target.open_at is not None and "hours" in findings.facilities:
        near &= open_at(findings.facilities, target.open_at)[1]
    last = _last_venues(findings, target)
    return [
        _Class(
            name,
            tuple(services.get(name, ())),
            near & findings.facilities["service"].isin(services.get(name, ())).to_numpy(dtype=bool),
            steps_of(one, 60 * target.minutes),
            last.get(name),
        )
        for name, one in times.items()
    ]


def _last_venues(findings: Findings, target: CircleTarget) -> dict[str, Ints]:
    """Find the last venue that a rule of several asks of each class: class -> (demand,), -1 for none."""
    if sum(target.require.values()) == 1:
        return {}
    try:
        venues = class_venues(findings, target.id)
    except KeyError:
        return {}
    index = findings.facilities.index
    return {
        name: index.get_indexer(labels.astype(object)).astype(np.int64) for name, labels in venues.items()
    }


def _own_search(
    page_year: PageYear, target: CircleTarget, parts: list[_Class]
) -> tuple[float | None, list[Found]]:
    """Search the page's roads for a rule: the factor on its times and what is found, class by class.

    No factor where the page has no roads for the target, or others than the run's: all but one in a hundred
    residents must come out within half a second of the run.
    """
    factor = page_year.factor(target.profile)
    if page_year.ground is None or factor is None or not parts or not all(part.services for part in parts):
        return None, []
    found = [
        page_year.ground.find(part.venues, minutes=target.minutes, factor=factor, k=part.steps.shape[1])
        for part in parts
    ]
    seconds = page_year.findings.seconds[target.id].to_numpy(dtype=np.float64)
    own = np.max([one.hundredths[:, -1] for one in found], axis=0) * factor / PER_SECOND
    known = np.isfinite(seconds)
    agree = np.abs(own[known] - seconds[known]) <= _AGREE_S
    return (factor, found) if agree.sum() >= _AGREE_SHARE * len(agree) else (None, [])


def deciding_of(found: list[Found]) -> Ints:
    """Name the venue whose time is the rule's, the first class of equals; -1 where there is none: (home,)."""
    lasts = np.column_stack([one.hundredths[:, -1] for one in found])
    venues = np.column_stack([one.venue[:, -1] for one in found])
    slowest = lasts.argmax(axis=1)[:, None]
    deciding = np.take_along_axis(venues, slowest, axis=1)[:, 0]
    return np.where(np.isfinite(lasts).all(axis=1), deciding, -1)


def _before(last: Mapping[str, Any], number: int, rank: int) -> str | None:
    """Name the column of the year before, where it has one of the same class and rank."""
    classes = last.get("classes", [])
    if number >= len(classes) or rank >= len(classes[number]["steps"]):
        return None
    return str(classes[number]["steps"][rank])


# ---------------------------------------------------------------------------------------------------------
# Reading


@dataclass(frozen=True, eq=False)
class Answers:
    """Each resident's answer for a target as the page reads it.

    ``steps`` : (demand,) rule time in steps of 0.05 s, -1 where none; ``classes`` : class -> (demand, k)
    steps; ``bucket`` : (demand,) places in :data:`STATUS_CODES`; ``counted`` : (demand,) bool; ``nearest`` :
    (demand,) position in the register of the venue that decides, -1 where none; ``people`` : (demand,);
    ``lasts`` : class -> (demand,) the last venue the rule asks of it, for rules of several venues.
    """

    steps: Ints
    classes: Mapping[str, Ints]
    bucket: Ints
    counted: npt.NDArray[np.bool_]
    nearest: Ints
    people: Floats
    lasts: Mapping[str, Ints]

    @property
    def seconds(self) -> Floats:
        """Rule time in seconds, NaN where none: (demand,)."""
        return np.where(self.steps >= 0, self.steps * STEP_S, np.nan)

    @property
    def status(self) -> Ints:
        """Bucket of those the target counts, 0 for the others: (demand,)."""
        return np.where(self.counted, self.bucket, 0)


def read_places(header: Mapping[str, str], columns: Columns) -> Places:
    """Read places back from the container."""
    return Places(*(columns[header[part]].astype(np.int64) for part in ("edge", "along", "leg")))


def read_answers(
    header: Mapping[str, Any], columns: Columns, *, minutes: float, ground: Ground | None
) -> Answers:
    """Read a target's answers back from the container, searching the page's roads as the page does."""
    standing = columns[header["standing"]].astype(np.int64)
    bucket, factor = standing % COUNTED, header["factor"]
    unsnapped = bucket == UNSNAPPED
    nearest = columns[header["nearest"]].astype(np.int64)
    classes: dict[str, Ints] = {}
    lasts: dict[str, Ints] = {}
    found: list[Found] = []
    for one in header["classes"]:
        ends: Ints | int = -1
        steps = np.column_stack([columns[name].astype(np.int64) for name in one["steps"]])
        own: Ints | int = -1
        if factor is not None and ground is not None:
            mask = columns[one["venues"]] > 0
            found.append(ground.find(mask, minutes=minutes, factor=factor, k=steps.shape[1]))
            own = np.where(unsnapped[:, None], -1, found_steps(found[-1].hundredths, factor))
            ends = np.where(unsnapped, -1, found[-1].venue[:, -1])
        classes[one["name"]] = steps + own
        if one["last"] is not None:
            lasts[one["name"]] = columns[one["last"]].astype(np.int64) + ends
    expected = np.where(unsnapped, -1, deciding_of(found)) if found else -1
    if classes:
        ended = np.column_stack([steps[:, -1] for steps in classes.values()])
        rule = np.where((ended < 0).any(axis=1), -1, ended.max(axis=1))
    else:
        rule = columns[header["steps"]].astype(np.int64) - 1
    people = columns[header["people"]] / header["per"]
    return Answers(rule, classes, bucket, standing >= COUNTED, nearest + expected, people, lasts)
