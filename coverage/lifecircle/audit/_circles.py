"""Assess one circle target: people, verdict, margin, accountings, districts, groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit._basis import BY_TIME, Basis, basis_of, bucket, open_venues
from lifecircle.audit._counted import counted_people, in_area, people_of_unknown_class, urban_class
from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.audit._ladder import accountings, ladder_notes, village_curve, village_readings
from lifecircle.audit._prepare import AGED, STEP_FREE, at_factor
from lifecircle.audit._school_grounds import without_grounds
from lifecircle.counting import RURAL, URBAN
from lifecircle.demand import OUTSIDE
from lifecircle.findings import BUCKETS, BY_VILLAGE, CircleDistrict, CircleResult, Count, GroupResult
from lifecircle.measures import (
    borderline,
    bucket_numbers,
    bucket_people,
    coverage_at,
    curve_over_speed,
    district_codes,
    flip_seconds,
    shortfall,
)
from lifecircle.standards import milestone, threshold, verdict, without_baseline

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Answer, Answering
    from lifecircle.standards import CircleTarget

_FAR_S = 1e9
CURVE_SHARES = tuple(round(0.5 + 0.05 * step, 2) for step in range(21))


@dataclass(frozen=True, eq=False)
class Circle:
    """One circle target's result, the people it counts and its answer for every resident: (demand,).

    All of it is by the target's own accounting. ``seconds`` are NaN and ``venue`` is -1 where it knows no
    minutes. ``ranks``, ``venues`` : class -> (demand, k) seconds to the k nearest venues of the class, NaN
    where there is none, and their positions, -1 for none; none by village. ``speed_ms`` turns seconds into
    metres where a radius decides. ``villages`` : name of a column -> boolean for every village, what the
    accountings say of it. ``lacking`` : see :class:`~lifecircle.audit._answers.Answer`.
    """

    result: CircleResult
    people: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]
    status: npt.NDArray[np.str_]
    venue: npt.NDArray[np.intp]
    ranks: Mapping[str, npt.NDArray[np.float64]]
    venues: Mapping[str, npt.NDArray[np.intp]]
    villages: Mapping[str, pd.Series[Any]]
    speed_ms: float | None = None
    lacking: tuple[str, ...] = ()


def assess_circle(target: CircleTarget, inputs: Inputs, answers: Answering) -> Circle:
    """Assess a circle target for the year of the inputs."""
    reason, people = counted_people(target, inputs)
    basis = None if reason else basis_of(target, inputs, answers)
    if basis is None:
        return _unassessed(target, inputs, answers, (reason, people))
    read = _Reading(basis, people)
    answer = basis.answer
    seconds = np.full(len(people), np.nan)
    if answer is not None and basis.timed:
        seconds = np.where(answer.snapped & np.isfinite(answer.seconds), answer.seconds, np.nan)
    by_people = _by_people(target, answers, read)
    return Circle(
        result=_assessed(target, inputs, answers, read),
        people=people,
        seconds=seconds,
        status=basis.status,
        venue=np.full(len(people), -1) if answer is None else np.where(answer.snapped, answer.venue, -1),
        ranks={} if answer is None else _known_times(answer),
        venues={} if answer is None else answer.venues,
        villages=village_readings(target, inputs, people, by_people),
        speed_ms=basis.speed_ms,
        lacking=() if answer is None else answer.lacking,
    )


def _unassessed(
    target: CircleTarget,
    inputs: Inputs,
    answers: Answering,
    counted: tuple[str, npt.NDArray[np.float64]],
) -> Circle:
    """Return why a target cannot be assessed; its times stand as reach has them, and nobody is counted."""
    reason, people = counted
    answer = answers.answer(target)
    rungs = {} if reason else accountings(target, inputs, answers, people, answer)
    result = CircleResult(
        target,
        None,
        "not_assessable",
        reason or f"accounting_missing:{target.accounting}",
        accountings=rungs,
        venues=_venues(target, inputs),
        classes={} if reason else _classes(target, inputs),
        notes=() if reason else _notes(target, inputs),
    )
    return Circle(
        result=result,
        people=np.zeros(len(people)),
        seconds=np.where(answer.snapped & np.isfinite(answer.seconds), answer.seconds, np.nan),
        status=bucket(answer, target.minutes * 60),
        venue=np.where(answer.snapped, answer.venue, -1),
        ranks=_known_times(answer),
        venues=answer.venues,
        villages={},
        lacking=answer.lacking,
    )


def circle_value(target: CircleTarget, inputs: Inputs, answers: Answering) -> float | None:
    """Return a circle target's value alone, None where it cannot be assessed."""
    reason, people = counted_people(target, inputs)
    basis = None if reason else basis_of(target, inputs, answers)
    return None if basis is None else basis.value(people)


def values_with(
    target: CircleTarget, inputs: Inputs, answers: Answering, only: npt.NDArray[np.bool_]
) -> tuple[float | None, dict[str, float | None]]:
    """Return a circle's value with some venues alone, and by district: (value, code -> value).

    Parameters
    ----------
    only : (facility,) the venues to count
    """
    reason, people = counted_people(target, inputs)
    basis = None if reason else basis_of(target, inputs, answers, only=only)
    if basis is None:
        return None, {}
    read = _Reading(basis, people)
    own = _districts(target, inputs, _buckets(target, read), read)
    return basis.value(people), {one.code: one.value for one in own}


def _known_times(answer: Answer) -> dict[str, npt.NDArray[np.float64]]:
    """Return the times to the venues of every class, NaN where there is none."""
    return {
        name: np.where(answer.snapped[:, None] & np.isfinite(times), times, np.nan)
        for name, times in answer.ranks.items()
    }


def _by_people(target: CircleTarget, answers: Answering, read: _Reading) -> npt.NDArray[np.bool_]:
    """Return who is covered, in time where the accounting counts villages: (demand,)."""
    return read.basis.covered if read.answer is not None else _in_time(target, answers)


def _in_time(target: CircleTarget, answers: Answering) -> npt.NDArray[np.bool_]:
    """Return who reaches the rule in time, whatever the target's accounting."""
    flags: npt.NDArray[np.bool_] = bucket(answers.answer(target), target.minutes * 60) == "covered"
    return flags


@dataclass(frozen=True, eq=False)
class _Reading:
    """A target's accounting of every resident beside the people it counts."""

    basis: Basis
    people: npt.NDArray[np.float64]

    @property
    def answer(self) -> Answer | None:
        """The times that the accounting rests on; None by village."""
        return self.basis.answer

    @property
    def times(self) -> npt.NDArray[np.float64] | None:
        """Rule times, inf where there is no road near or no path: (demand,); None where no minutes decide."""
        answer = self.basis.answer
        if answer is None or not self.basis.timed:
            return None
        return np.where(answer.snapped, answer.seconds, np.inf)


def _assessed(target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading) -> CircleResult:
    buckets = _buckets(target, read)
    total = _count(buckets, read.people)
    rungs = accountings(target, inputs, answers, read.people, answers.answer(target))
    value = read.basis.value(read.people)
    legs = _long_legs(read)
    status = verdict(target, inputs.year, value)
    late = status == "reported" and without_baseline(target, inputs.year)
    return CircleResult(
        target=target,
        value=value,
        status=status,
        reason="no_baseline" if late else "",
        milestone=milestone(target, inputs.year),
        count=total,
        accountings=rungs,
        variants=_variants(target, inputs, answers, read),
        modes=_modes(target, inputs, answers, read),
        village_curve=village_curve(target, inputs, read.people, _by_people(target, answers, read)),
        only_outside_people=_only_outside(target, inputs, answers, read),
        leg_over_100_m=legs[0],
        leg_over_200_m=legs[1],
        districts=_districts(target, inputs, buckets, read),
        groups=_groups(target, inputs, buckets, read),
        venues=_venues(target, inputs),
        classes=_classes(target, inputs),
        notes=_notes(target, inputs),
        **_shortfall(target, inputs, total, read),
        **_margin(target, inputs, answers, read),
    )


def _shortfall(target: CircleTarget, inputs: Inputs, total: Count, read: _Reading) -> dict[str, Any]:
    """Count what is missing to the goal, or to the milestone of the year: people, or villages by village."""
    goal, basis = threshold(target, inputs.year), read.basis
    if goal is None:
        return {}
    if basis.holds is not None and basis.counted is not None:
        held = float((basis.holds & basis.counted).sum())
        return {"shortfall_villages": shortfall(held, float(basis.counted.sum()), goal)}
    return {"shortfall_people": shortfall(total.covered, total.people, goal)}


def _margin(target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading) -> dict[str, Any]:
    """Return how firmly the verdict stands: band, flip point, curve, people near the limit.

    Nothing where the accounting knows no minutes: the notes say so.
    """
    seconds = read.times
    if seconds is None:
        return {}
    limit_s = target.minutes * 60
    profile = inputs.networks[target.profile].profile
    usual_kmh = profile.access_ms * 3.6
    goal = threshold(target, inputs.year)
    flip = None if goal is None else flip_seconds(seconds, read.people, goal)
    speeds = [round(usual_kmh * share, 2) for share in CURVE_SHARES] if profile.uniform else []
    slow, _, fast = profile.band
    return {
        "band": {
            "slow": _band_value(target, inputs, answers, read, slow),
            "usual": read.basis.value(read.people),
            "fast": _band_value(target, inputs, answers, read, fast),
        },
        "flip_kmh": None if flip is None or not profile.uniform else usual_kmh * flip / limit_s,
        "flip_minutes": None if flip is None else flip / 60,
        "borderline_people": borderline(seconds, read.people, limit_s),
        "curve": curve_over_speed(seconds, read.people, limit_s, usual_kmh=usual_kmh, speeds_kmh=speeds),
    }


def _venues(target: CircleTarget, inputs: Inputs) -> tuple[str, ...]:
    """Name the services a rule counts."""
    return tuple(sorted(set().union(*inputs.study.standard.venues(target).values())))


def _classes(target: CircleTarget, inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """Name the services that count for each class of a rule."""
    return {name: tuple(sorted(services)) for name, services in inputs.study.standard.venues(target).items()}


def _buckets(target: CircleTarget, read: _Reading) -> npt.NDArray[np.intp]:
    """Return the bucket of every resident as a number: (demand,)."""
    times = read.times
    if times is None:  # no minutes decide: none is within any limit, any other beyond every one
        times = np.select([read.basis.covered, read.basis.status == "beyond"], [0.0, _FAR_S], np.nan)
    status = np.zeros(len(read.people), dtype=np.intp)
    for number, name in enumerate(BUCKETS):
        status[read.basis.status == name] = number
    return bucket_numbers(np.where(np.isfinite(times), times, np.nan), status, limit_min=target.minutes)


def _count(buckets: npt.NDArray[np.intp], people: npt.NDArray[np.float64]) -> Count:
    """Count everyone of a number of people for each resident."""
    everyone = np.zeros(len(buckets), dtype=np.intp)
    return Count(*bucket_people(buckets, people, code=everyone, many=1)[0].tolist())


def _counts(
    buckets: npt.NDArray[np.intp], people: npt.NDArray[np.float64], inputs: Inputs
) -> dict[str, Count]:
    """Count by district: code, or ``(none)`` -> count."""
    labels, code = _district_codes(inputs)
    table = bucket_people(buckets, people, code=code, many=len(labels))
    return {label: Count(*row) for label, row in zip(labels, table.tolist(), strict=True)}


@cached_per_inputs
def _district_codes(inputs: Inputs) -> tuple[list[str], npt.NDArray[np.intp]]:
    labels, code = district_codes(inputs.demand["district"])
    return [str(label) for label in labels], code


def _band_value(
    target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading, factor: float
) -> float | None:
    limit_s, seconds = target.minutes * 60, read.times
    if seconds is not None and inputs.networks[target.profile].profile.uniform:
        return coverage_at(seconds, read.people, limit_s, factor=factor)
    other = answers.answer(
        target, profile=at_factor(target.profile, factor), only=open_venues(target, inputs)
    )
    return coverage_at(np.where(other.snapped, other.seconds, np.inf), read.people, limit_s)


def _long_legs(read: _Reading) -> tuple[float | None, float | None]:
    if read.answer is None:
        return None, None
    covered = np.where(read.basis.covered, read.people, 0.0)
    return float(covered[read.answer.leg_m > 100].sum()), float(covered[read.answer.leg_m > 200].sum())


def _variants(
    target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading
) -> dict[str, float | None]:
    """Report the same circle otherwise: without school grounds; the aged, all by their group, step-free."""
    if not read.basis.timed:
        return {}
    limit_s, only = target.minutes * 60, open_venues(target, inputs)
    public = without_grounds(target, inputs, only)
    bare: dict[str, float | None] = {}
    if public is not None:
        answer = answers.answer(target, only=public)
        bare["without_school_grounds"] = _share(bucket(answer, limit_s) == "covered", read.people)
    if inputs.networks[target.profile].profile.mode != "walk":
        return bare
    aged, step_free = (answers.answer(target, profile=name, only=only) for name in (AGED, STEP_FREE))
    covered_aged = bucket(aged, limit_s) == "covered"
    out: dict[str, float | None] = {
        **bare,
        "step_free": _share(bucket(step_free, limit_s) == "covered", read.people),
    }
    demand = inputs.demand
    if "over60" in demand:
        shares = np.where(
            demand["population"] > 0,
            demand["over60"] / demand["population"].where(demand["population"] > 0),
            0.0,
        )
        old = read.people * shares if target.group != "over60" else read.people
        out["aged_over60"] = _share(covered_aged, old)
        usual = read.basis.covered
        total = read.people.sum()
        out["by_group_speed"] = float((old[covered_aged].sum() + (read.people - old)[usual].sum()) / total)
    return out


def _modes(
    target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading
) -> dict[str, float | None]:
    """Count the same circle by the further modes that the target lists; none of them decides a verdict."""
    if not read.basis.timed:
        return {}
    limit_s, only = target.minutes * 60, open_venues(target, inputs)
    return {
        mode: _share(
            bucket(answers.answer(target, profile=mode, only=only), limit_s) == "covered", read.people
        )
        for mode in target.modes
    }


def _share(covered: npt.NDArray[np.bool_], people: npt.NDArray[np.float64]) -> float | None:
    total = people.sum()
    return float(people[covered].sum() / total) if total > 0 else None


def _only_outside(target: CircleTarget, inputs: Inputs, answers: Answering, read: _Reading) -> float | None:
    if inputs.districts is None or target.accounting == "accepted":
        return None
    inside = (inputs.facilities["district"] != OUTSIDE).to_numpy(dtype=bool)
    if inside.all():
        return 0.0
    own = basis_of(target, inputs, answers, only=inside)
    assert own is not None  # as with all venues
    return float(read.people[read.basis.covered & ~own.covered].sum())


def _districts(
    target: CircleTarget, inputs: Inputs, buckets: npt.NDArray[np.intp], read: _Reading
) -> tuple[CircleDistrict, ...]:
    if inputs.districts is None:
        return ()
    counts = _counts(buckets, read.people, inputs)
    results = []
    order = [*sorted(inputs.districts.index), *([OUTSIDE] if counts.get(OUTSIDE) else [])]
    for code in order:
        count = counts.get(code, Count(0.0, 0.0, 0.0, 0.0, 0.0))
        known = code in inputs.districts.index
        urban = inputs.districts["urban"].get(code) if known and "urban" in inputs.districts else None
        value = _district_value(read, inputs, code, count)
        results.append(
            CircleDistrict(
                code=str(code),
                name=str(inputs.districts["name"][code]) if known else OUTSIDE,
                urban=None if urban is None or pd.isna(urban) else bool(urban),
                value=value,
                status="nobody" if count.value is None else verdict(target, inputs.year, value),
                count=count,
            )
        )
    return tuple(results)


def _district_value(read: _Reading, inputs: Inputs, code: Any, count: Count) -> float | None:
    """Return a district's share: of its villages where they are the accounting's unit, else of its people."""
    if read.basis.holds is None or inputs.villages is None:
        return count.value
    mine = (inputs.villages["district"] == code).to_numpy(dtype=bool)
    return read.basis.value(read.people, mine)


def _groups(
    target: CircleTarget, inputs: Inputs, buckets: npt.NDArray[np.intp], read: _Reading
) -> tuple[GroupResult, ...]:
    """Count the target for everyone in its area and for every group and area class apart."""
    inside = in_area(target, inputs)
    results = []
    for name in ("population", *inputs.study.demand.groups):
        people = inputs.demand[name].to_numpy(dtype=float)
        count = _count(buckets, np.where(inside, people, 0.0))
        results.append(GroupResult("all" if name == "population" else name, count, count.value))
    if target.area == "all":
        urban = urban_class(inputs)
        for name, code in (("urban", URBAN), ("rural", RURAL)):
            count = _count(buckets, np.where(urban == code, read.people, 0.0))
            if count.people > 0:
                results.append(GroupResult(name, count, count.value))
    return tuple(results)


@dataclass(frozen=True, eq=False)
class CircleParts:
    """A circle's shares in town, in the country and by district, for comparing them.

    ``urban``, ``rural`` : share, None where the target counts nobody there. ``by_district`` : shares and
    people counted, on the codes of the districts; ``sides`` : code -> share in town and in the country of
    the district itself.
    """

    urban: float | None
    rural: float | None
    by_district: tuple[pd.Series[float], pd.Series[float]]
    sides: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


def circle_parts(
    target: CircleTarget, inputs: Inputs, answers: Answering, *, only: npt.NDArray[np.bool_] | None = None
) -> CircleParts | None:
    """Count a circle's shares by area and district for the year of the inputs; None where it has no value.

    ``only`` : (facility,) venues to count instead of all.
    """
    reason, people = counted_people(target, inputs)
    basis = None if reason else basis_of(target, inputs, answers, only=only)
    if basis is None:
        return None
    read = _Reading(basis, people)
    buckets = _buckets(target, read)
    urban = urban_class(inputs)
    apart = [np.where(urban == code, people, 0.0) for code in (URBAN, RURAL)]
    sides = [_count(buckets, mine) for mine in apart]
    codes = [] if inputs.districts is None else list(inputs.districts.index)
    counts = _counts(buckets, people, inputs) if codes else {}
    nobody = Count(0.0, 0.0, 0.0, 0.0, 0.0)
    own = [counts.get(str(code), nobody) for code in codes]
    index = pd.Index([str(code) for code in codes])
    by_side = [_counts(buckets, mine, inputs) if codes else {} for mine in apart]
    shares = pd.Series([one.value for one in own], index=index, dtype="float64")
    return CircleParts(
        sides[0].value,
        sides[1].value,
        (shares, pd.Series([one.people for one in own], index=index, dtype="float64")),
        {code: (by_side[0].get(code, nobody).value, by_side[1].get(code, nobody).value) for code in index},
    )


def _notes(target: CircleTarget, inputs: Inputs) -> tuple[str, ...]:
    unknown = people_of_unknown_class(target, inputs)
    notes = [f"urban_unknown:{unknown:.0f}"] if unknown else []
    if target.accounting != "reach":
        notes.append(f"verdict_by:{target.accounting}")
    if target.accounting not in BY_TIME:
        notes.append(f"no_margin:{target.accounting}")
    if target.accounting in BY_VILLAGE:
        notes.append("by_village")
    return (*notes, *ladder_notes(target, inputs))
