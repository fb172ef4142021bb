"""Assess indicators: figures that offices register, rules for every village, and computed gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.audit._assess_presence import units_in_area
from lifecircle.audit._judged import Assessed, by_district, judged, without_value
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
from lifecircle.standards import threshold, trend_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifecircle.audit._circles import CircleParts
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._judged import YearFacts
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
        districts=by_district(target, inputs, values) if values else (),
        previous=found.by_year.get(inputs.year - 1),
        status=status,
        reason=reason,
        **figures,
    )
    return Assessed(result)


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
    names = dict(zip(villages.index.astype("str"), villages["name"].astype("str"), strict=True))
    failing = rule.index[(rule["meets"] == False).fillna(value=False)]  # noqa: E712 - a column of three states
    holding = int(rule["meets"].sum())
    units = UnitCount(
        unit="village",
        total=len(own),
        holding=holding,
        without=tuple(
            UnitWithout(str(code), names.get(str(code), str(code)), (str(rule.loc[code, "fails"]),))
            for code in failing
        ),
        unknown=unknown,
        unknown_codes=tuple(str(code) for code in rule.index[rule["meets"].isna()])[:MISSING_NAMED],
    )
    home = villages["district"].astype("str").set_axis(villages.index.astype("str")).reindex(own)
    share = rule["meets"].astype("float64").groupby(home.to_numpy()).mean()
    doubt = undecided(lower, upper, threshold(target, inputs.year))
    result = judged(
        IndicatorResult,
        target,
        inputs,
        lower,
        notes=(
            f"units_held:{len(own)}|{holding}",
            *notes,
            *([f"village_figures_unknown:{unknown}"] if unknown and not doubt else []),
        ),
        units=units,
        districts=by_district(target, inputs, {str(c): float(v) for c, v in share.items()}),
        reason=f"village_figures_unknown:{unknown}" if doubt else "",
    )
    return Assessed(result)


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
        return _without(target, "gap_unknown")
    moves: dict[str, bool | None] = {}
    for name, value in known.items():
        earlier = getattr(before[name], measure) if name in before else None
        moves[name] = not_smaller({inputs.year - 1: earlier, inputs.year: value})[inputs.year]
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
    table = _table(inputs)
    status = trend_verdict(target, inputs.year, moves.values()) if target.trend == "shrinking" else None
    unknown = any(one is None for one in moves.values())
    result = judged(
        IndicatorResult,
        target,
        inputs,
        mean,
        gaps=gaps,
        registered=None if table is None else registered(table, target.id, inputs.year).value,
        previous=float(np.mean(had)) if len(had) == len(known) and None not in had else None,
        status=status,
        reason=f"year_before_missing:{inputs.year - 1}" if status == "not_assessable" and unknown else "",
        notes=tuple(f"gap_not_smaller:{name}" for name, moved in moves.items() if moved),
    )
    return Assessed(result)


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
