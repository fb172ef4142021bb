"""Assess indicators: figures that offices register, rules for every village, and computed gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit._assess_presence import units_in_area
from lifecircle.audit._judged import Assessed, by_district, judged, without_value
from lifecircle.audit._position_grades import counted_grades, of_services, rests_on_centres, too_rough
from lifecircle.counting import village_urban
from lifecircle.findings import CircleGap, IndicatorResult, UnitCount, UnitWithout
from lifecircle.measures import (
    Gap,
    gap_between,
    gap_over,
    not_smaller,
    registered,
    share_bounds,
    undecided,
    village_figures,
    village_rule,
)
from lifecircle.standards import judges_districts, threshold, trend_verdict
from lifecircle.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.audit._circles import CircleParts
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._judged import YearFacts
    from lifecircle.audit._position_grades import VenueGrades
    from lifecircle.findings import DistrictResult
    from lifecircle.standards import IndicatorTarget

MISSING_NAMED = 12
"""Units named one by one in a result; the rest is counted."""


def assess_indicator(target: IndicatorTarget, facts: YearFacts) -> Assessed:
    """Assess an indicator for the year: a registered figure, a rule for every village, or a computed gap."""
    if target.each:
        return _each_village(target, facts)
    if target.computed is not None:
        return _computed(target, facts)
    return _registered(target, facts.inputs)


def _table(inputs: Inputs) -> pd.DataFrame | None:
    return None if inputs.indicators is None else inputs.indicators.table


def _registered(target: IndicatorTarget, inputs: Inputs) -> Assessed:
    """Judge the figure that an office registered for the year; nothing is estimated or carried over."""
    table = _table(inputs)
    if table is None:
        return _without(target, f"indicator_missing:{inputs.year}")
    districts = None if inputs.districts is None else inputs.districts.index.astype("str")
    villages = None if inputs.villages is None else inputs.villages.index.astype("str")
    found = registered(table, target.id, inputs.year, districts=districts, villages=villages)
    figures: dict[str, Any] = {
        "by_year": {str(year): value for year, value in found.by_year.items()},
        "sources": tuple(found.sources),
    }
    notes = [f"registered_by:{'、'.join(found.sources)}"] if found.sources else []
    missing = {"district": found.missing_districts, "village": found.missing_villages}.get(target.by, [])
    if missing and found.value is not None:
        notes.append(f"figures_missing:{len(missing)}")
    if found.value is None:
        return _without(target, f"indicator_missing:{inputs.year}", **figures)
    values = {str(code): float(value) for code, value in found.districts.items() if np.isfinite(value)}
    status, reason = None, ""
    if target.trend == "shrinking":
        moved = not_smaller(found.by_year).get(inputs.year)
        status = trend_verdict(target, inputs.year, [moved])
        reason = f"year_before_missing:{inputs.year - 1}" if moved is None else ""
    result = judged(
        IndicatorResult,
        target,
        inputs,
        found.value,
        notes=tuple(notes),
        missing=tuple(missing[:MISSING_NAMED]),
        districts=_figures_by_district(target, inputs, values),
        previous=found.by_year.get(inputs.year - 1),
        status=status,
        reason=reason,
        **figures,
    )
    return Assessed(result)


def _figures_by_district(
    target: IndicatorTarget, inputs: Inputs, values: Mapping[str, float]
) -> tuple[DistrictResult, ...]:
    """Return the registered figures by district; only a share is judged there.

    A goal that is a share holds in every part of the whole. One that is a number, such as 24 schools, is the
    whole's: a district has no goal of its own.
    """
    if not values:
        return ()
    reported = {} if judges_districts(target) else dict.fromkeys(values, "reported")
    return by_district(target, inputs, values, reported)


def _each_village(target: IndicatorTarget, facts: YearFacts) -> Assessed:
    """Judge a rule that every village has to meet: the share of villages whose figures all reach theirs."""
    inputs = facts.inputs
    villages, table = inputs.villages, _table(inputs)
    if villages is None or not len(villages):
        return _without(target, "no_units:village")
    if table is None:
        return _without(target, f"indicator_missing:{inputs.year}")
    chosen, notes, reason = units_in_area(
        target, villages, village_urban(villages, inputs.districts), inputs.study.max_rejected
    )
    if reason:
        return _without(target, reason)
    own = villages.index.astype("str")[chosen]
    figures = village_figures(table, target.id, inputs.year, own)
    rule = village_rule(figures, target.each, direction=target.direction)
    bounds = share_bounds(rule["meets"])
    if bounds is None:
        return _without(target, "no_units:village")
    lower, upper, unknown = bounds
    if unknown == len(own):
        return _without(target, f"indicator_missing:{inputs.year}")
    units = _villages_that_meet(rule, villages["name"].set_axis(villages.index.astype("str")))
    home = villages["district"].astype("str").set_axis(villages.index.astype("str")).reindex(own)
    share = rule["meets"].astype("float64").groupby(home.to_numpy()).mean()
    doubt = undecided(lower, upper, threshold(target, inputs.year))
    result = judged(
        IndicatorResult,
        target,
        inputs,
        lower,
        notes=(
            f"units_held:{len(own)}|{units.holding}",
            *notes,
            *([f"village_figures_unknown:{unknown}"] if unknown and not doubt else []),
        ),
        units=units,
        districts=by_district(target, inputs, {str(c): float(v) for c, v in share.items()}),
        reason=f"village_figures_unknown:{unknown}" if doubt else "",
    )
    return Assessed(result)


def _villages_that_meet(rule: pd.DataFrame, names: pd.Series[Any]) -> UnitCount:
    """Count the villages that meet a rule, fail it, or are unknown; ``names`` : code -> name."""
    failing = rule.index[(rule["meets"] == False).fillna(value=False)]  # noqa: E712 - a column of three states
    unknown = rule.index[rule["meets"].isna()]
    return UnitCount(
        unit="village",
        total=len(rule),
        holding=int(rule["meets"].sum()),
        without=tuple(
            UnitWithout(str(code), str(names.get(code, code)), (str(rule.loc[code, "fails"]),))
            for code in failing
        ),
        unknown=len(unknown),
        unknown_codes=tuple(str(code) for code in unknown)[:MISSING_NAMED],
    )


def _computed(target: IndicatorTarget, facts: YearFacts) -> Assessed:
    """Judge a gap between town and country, or between districts, of every circle that counts both."""
    inputs = facts.inputs
    now = _gaps_of(target, facts.parts, inputs)
    before = {} if facts.earlier is None else _gaps_of(target, facts.parts_before, facts.earlier[0])
    assert target.computed is not None
    measure = target.computed.measure
    values = {name: getattr(gap, measure) for name, gap in now.items()}
    known = {name: float(value) for name, value in values.items() if value is not None}
    if not known:
        apart = "gap_one_side" if target.computed.gap == "urban_rural" else "gap_few_districts"
        return _without(target, "gap_undivided" if now else apart)
    moves = _moves(target, now, before, inputs.year)
    mean = float(np.mean(list(known.values())))
    had = [getattr(before[name], measure) for name in known if name in before]
    gaps = {
        name: CircleGap(
            gap,
            previous=getattr(before[name], measure) if name in before else None,
            not_smaller=moves.get(name),
        )
        for name, gap in now.items()
    }
    districts, said = _gap_districts(target, {name: facts.parts[name] for name in known}, inputs)
    table = _table(inputs)
    status = trend_verdict(target, inputs.year, moves.values()) if target.trend == "shrinking" else None
    unknown = any(one is None for one in moves.values())
    reason = f"year_before_missing:{inputs.year - 1}" if status == "not_assessable" and unknown else ""
    grades, positions = _positions(target, facts, status, known)
    result = judged(
        IndicatorResult,
        target,
        inputs,
        mean,
        gaps=gaps,
        registered=None if table is None else registered(table, target.id, inputs.year).value,
        previous=float(np.mean(had)) if len(had) == len(known) and None not in had else None,
        status="data_insufficient" if positions else status,
        reason=positions or reason,
        districts=districts,
        notes=(*(f"gap_not_smaller:{name}" for name, moved in moves.items() if moved), *said, *grades.notes),
    )
    return Assessed(result)


def _gap_districts(
    target: IndicatorTarget, parts: Mapping[str, CircleParts], inputs: Inputs
) -> tuple[tuple[DistrictResult, ...], tuple[str, ...]]:
    """Return what a gap is in every district, each a mean over the circles, with notes that say what it is.

    A gap between town and country is that of the district itself; one that is all town or all country has
    none. A gap over districts has no parts: each district's own share stands beside that of all. The goal
    is for the whole, so that no district is judged.
    """
    assert target.computed is not None
    if inputs.districts is None or not parts:
        return (), ()
    codes = [str(code) for code in inputs.districts.index]
    if target.computed.gap == "urban_rural":
        values = {code: _own_gap(code, parts, target.computed.measure) for code in codes}
        bare = sum(value is None for value in values.values())
        notes = ("gap_by_district", *([f"districts_one_side:{bare}"] if bare else []))
    else:
        shares = pd.DataFrame({name: one.by_district[0] for name, one in parts.items()})
        values = {str(code): float(share) for code, share in shares.mean(axis=1).items()}
        whole = [_share_of_all(*one.by_district) for one in parts.values()]
        notes = (f"share_by_district:{percent(float(np.mean(whole)))}",)
    known = {code: value for code, value in values.items() if value is not None and np.isfinite(value)}
    reported = {code: "reported" if code in known else "not_assessable" for code in codes}
    return by_district(target, inputs, known, reported), notes


def _own_gap(code: str, parts: Mapping[str, CircleParts], measure: str) -> float | None:
    """Return the mean gap of a district over the circles that have residents on both of its sides."""
    gaps = [gap_between(*one.sides[code], names=("urban", "rural")) for one in parts.values()]
    values = [getattr(gap, measure) for gap in gaps if gap is not None]
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _share_of_all(shares: pd.Series[float], people: pd.Series[float]) -> float:
    counted = people.where(shares.notna(), 0.0)
    return float((shares.fillna(0.0) * counted).sum() / counted.sum())


def _moves(
    target: IndicatorTarget, now: Mapping[str, Gap], before: Mapping[str, Gap], year: int
) -> dict[str, bool | None]:
    """Return whether the gap of each circle did not become smaller, None where that is unknown."""
    assert target.computed is not None
    measure = target.computed.measure
    moves: dict[str, bool | None] = {}
    for name, gap in now.items():
        value = getattr(gap, measure)
        if value is not None:
            earlier = getattr(before[name], measure) if name in before else None
            moves[name] = not_smaller({year - 1: earlier, year: float(value)})[year]
    return moves


def _positions(
    target: IndicatorTarget, facts: YearFacts, status: str | None, circles: Iterable[str]
) -> tuple[VenueGrades, str]:
    """Count the grades of the circles' venues, and return why they give no verdict on the trend, if so."""
    inputs, standard = facts.inputs, facts.inputs.study.standard
    rules = [standard.target(name) for name in circles]
    counted = [rule for rule in rules if rule.kind == "circle" and rule.accounting != "accepted"]
    services = set().union(*(set().union(*standard.venues(rule).values()) for rule in counted))
    grades = counted_grades(inputs, of_services(inputs, services))
    if status is None:
        return grades, ""
    rough = too_rough(grades, inputs)
    if rough or not grades.village_centre:
        return grades, rough
    now, before = facts.parts_without_centres
    earlier = inputs if facts.earlier is None else facts.earlier[0]
    moves = _moves(target, _gaps_of(target, now, inputs), _gaps_of(target, before, earlier), inputs.year)
    return grades, rests_on_centres(status, trend_verdict(target, inputs.year, moves.values()), grades)


def _gaps_of(target: IndicatorTarget, parts: Mapping[str, CircleParts], inputs: Inputs) -> dict[str, Gap]:
    """Compute the gap of every circle the target is about; one with a single side is left out."""
    assert target.computed is not None
    wanted = target.computed.circles
    gaps = {
        name: _gap_of(target, shares, inputs)
        for name, shares in parts.items()
        if not wanted or name in wanted
    }
    return {name: gap for name, gap in gaps.items() if gap is not None}


def _gap_of(target: IndicatorTarget, parts: CircleParts, inputs: Inputs) -> Gap | None:
    assert target.computed is not None
    if target.computed.gap == "urban_rural":
        return gap_between(parts.urban, parts.rural, names=("urban", "rural"))
    values, people = parts.by_district
    groups = None
    if inputs.districts is not None and "urban" in inputs.districts:
        urban = inputs.districts["urban"].astype("boolean").set_axis(inputs.districts.index.astype("str"))
        if urban.reindex(values.index).notna().all():
            named = urban.reindex(values.index).map({True: "urban", False: "rural"})
            groups = named.astype("str")
    return gap_over(values, people, groups)


def _without(target: IndicatorTarget, reason: str, **own: Any) -> Assessed:
    return Assessed(without_value(IndicatorResult, target, reason, **own))
