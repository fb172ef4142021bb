"""Own the assessment of targets that are no circles: presence, capacity, registered and computed figures.

Every assessor takes a target and the facts of the year and returns the same result as a circle does: value,
verdict or the reason why there is none, values by district, and what the value was counted from (``facts``).
Reasons speak of the data, never of the software.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit._circles import circle_parts, counted_people
from lifecircle.audit._gaps import GAP_COLUMNS, GAP_FIGURES
from lifecircle.audit._ladder import village_urban
from lifecircle.audit._prepare import circles
from lifecircle.demand import OUTSIDE
from lifecircle.facilities import open_in
from lifecircle.findings import DistrictValue, TargetResult
from lifecircle.measures import (
    Gap,
    capacity,
    committees,
    gap_between,
    gap_over,
    not_smaller,
    presence,
    registered,
    share_bounds,
    undecided,
    units_near,
    village_figures,
    village_rule,
)
from lifecircle.standards import milestone, threshold, trend_verdict, verdict, without_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit._circles import CircleParts
    from lifecircle.audit._prepare import Inputs
    from lifecircle.audit._searches import Searches
    from lifecircle.measures import Presence
    from lifecircle.standards import (
        CapacityTarget,
        IndicatorTarget,
        PresenceTarget,
        Target,
    )

COUNTY_DIGITS = 6
"""Digits of a county's code at the head of the codes of its towns and villages."""

MISSING_NAMED = 12
"""Units named one by one in what a result was counted from; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Assessed:
    """A result, and its gaps: units that lack what the target asks for, as rows of the list of gaps."""

    result: TargetResult
    gaps: pd.DataFrame = field(default_factory=lambda: _gap_table([]))


@dataclass(frozen=True, eq=False)
class Facts:
    """What assessors read: the inputs of the year, its searches, and those of the year before, if any."""

    inputs: Inputs
    searches: Searches
    earlier: tuple[Inputs, Searches] | None = None


def assess_other(target: Target, facts: Facts) -> Assessed:
    """Assess a target of any kind but a circle."""
    assessed: Assessed = ASSESSORS[target.kind](target, facts)
    return assessed


# ---------------------------------------------------------------------------------------------- presence


@dataclass(frozen=True, eq=False)
class _Units:
    """The units a presence target counts: codes, names, districts, places; where each venue stands."""

    codes: pd.Index[str]
    names: list[str]
    district: list[str]
    place: pd.Series[Any]
    counted: npt.NDArray[np.bool_] | None = None
    lonlat: npt.NDArray[np.float64] | None = None


def _presence(target: PresenceTarget, facts: Facts) -> Assessed:
    inputs = facts.inputs
    standard = inputs.study.standard
    reason, notes, units = _units(target, inputs)
    services = standard.venues(target)
    if units is None:
        return _without(target, reason, services)
    found = presence(
        inputs.register,
        units.codes,
        needed=target.needed,
        services=services,
        place=units.place,
        opened=open_in(inputs.register, inputs.year).to_numpy(dtype=bool),
        counted=units.counted,
        aliases=_aliases(target, inputs),
        known=_known_codes(inputs),
        assign=target.assign,
    )
    if found.value is None:
        return _without(target, f"no_units:{target.unit}", services)
    names = dict(zip(map(str, units.codes), units.names, strict=True))
    holding = int(found.units["holds"].sum())
    notes = (*notes, f"units_held:{len(found.units)}|{holding}")
    if found.by_position:
        notes = (*notes, f"counted_by_place:{'、'.join(found.by_position)}")
    if len(found.disagreements):
        notes = (*notes, f"presence_disagreement:{len(found.disagreements)}")
    told = {
        "unit": target.unit,
        "units": len(found.units),
        "holding": holding,
        "without": [
            {"code": code, "name": names.get(code, code), "lacks": str(found.units.loc[code, "lacks"])}
            for code in found.without
        ],
        "disagreements": found.disagreements.astype("str").to_dict("records"),
    }
    result = _result(
        target,
        inputs,
        found.value,
        services=services,
        notes=notes,
        facts=told,
        values=_presence_districts(target, inputs, units, found),
    )
    return Assessed(result, _presence_gaps(target, inputs, units, found))


def _units(target: PresenceTarget, inputs: Inputs) -> tuple[str, tuple[str, ...], _Units | None]:
    """Lay out the units of a target: (why there are none, notes, units)."""
    register, districts, villages = inputs.register, inputs.districts, inputs.villages
    if target.unit == "county":
        code = _county_code(inputs)
        inside = register["district"].astype("str") != OUTSIDE
        place = pd.Series(np.where(inside, code, ""), index=register.index)
        return "", (), _Units(pd.Index([code]), [inputs.study.name or code], [""], place)
    if target.unit == "outlet":
        return _outlets(target, inputs)
    layer = districts if target.unit == "district" else villages
    if layer is None or not len(layer):
        return f"no_units:{target.unit}", (), None
    codes = layer.index.astype("str")
    urban = layer["urban"].astype("boolean") if target.unit == "district" else None
    if target.unit == "village":
        urban = village_urban(layer, districts)
    counted, notes, reason = _in_area(target, layer, urban, inputs.study.max_rejected)
    if reason:
        return reason, notes, None
    place = register[target.unit].astype("str")
    district = codes if target.unit == "district" else layer["district"].astype("str")
    points = layer.to_crs(inputs.crs).geometry.representative_point().to_crs("EPSG:4326")
    lonlat = np.column_stack([points.x, points.y])
    return (
        "",
        notes,
        _Units(pd.Index(codes), layer["name"].astype("str").tolist(), list(district), place, counted, lonlat),
    )


def _in_area(
    target: PresenceTarget | IndicatorTarget,
    layer: gpd.GeoDataFrame,
    urban: pd.Series[Any] | None,
    most_unknown: float,
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...], str]:
    """Choose the units of an area and of a kind of committee: (unit,) flags, notes, why it cannot be done."""
    counted = np.ones(len(layer), dtype=bool)
    notes: list[str] = []
    if target.area != "all" and urban is not None:
        unknown = int(urban.isna().sum())
        if unknown > most_unknown * len(layer):
            return counted, (), f"urban_unknown:{unknown}"
        if unknown:
            notes.append(f"urban_unknown:{unknown}")
        wanted = urban if target.area == "urban" else ~urban
        counted &= wanted.fillna(value=False).to_numpy(dtype=bool)
    if target.committee != "all":
        kinds = committees(layer.index.astype("str"), layer["name"].astype("str")).to_numpy(dtype=object)
        lost = int((kinds == "").sum())
        if lost:
            notes.append(f"committee_unknown:{lost}")
        counted &= kinds == target.committee
    return counted, tuple(notes), ""


def _outlets(target: PresenceTarget, inputs: Inputs) -> tuple[str, tuple[str, ...], _Units | None]:
    """Lay out service windows, shops and other outlets as units; one without a place holds by list alone."""
    outlets = inputs.outlets
    if outlets is None:
        return "outlets_missing", (), None
    mine = outlets[open_in(outlets, inputs.year).to_numpy(dtype=bool)]
    if target.outlets:
        mine = mine[mine["service"].isin(target.outlets).to_numpy()]
    if not len(mine):
        return f"outlet_kind_missing:{'、'.join(target.outlets)}", (), None
    codes = pd.Index(mine.index.astype("str"))
    places = mine.to_crs(inputs.crs).geometry
    places_m = np.column_stack([places.x, places.y])
    register = inputs.sites.geometry
    venues_m = np.column_stack([register.x, register.y])
    place = pd.Series(
        units_near(venues_m, places_m, codes, within_m=target.within_m), index=inputs.register.index
    )
    lonlat = np.column_stack([mine.geometry.x, mine.geometry.y])
    district = mine["district"].astype("str").tolist()
    return "", (), _Units(codes, mine["name"].astype("str").tolist(), district, place, lonlat=lonlat)


def _county_code(inputs: Inputs) -> str:
    """Name the whole study as a unit: the head that the codes of its districts share, else its id."""
    codes = [] if inputs.districts is None else [str(code) for code in inputs.districts.index]
    heads = {code[:COUNTY_DIGITS] for code in codes if code.isdigit() and len(code) > COUNTY_DIGITS}
    return heads.pop() if len(heads) == 1 else inputs.study.id


def _aliases(target: PresenceTarget, inputs: Inputs) -> dict[str, str]:
    """Say which code of a smaller unit stands for a unit of the target: a village's for its town."""
    if target.unit == "district" and inputs.villages is not None:
        return {str(code): str(town) for code, town in inputs.villages["district"].items()}
    if target.unit == "county":
        return {code: _county_code(inputs) for code in _known_codes(inputs)}
    return {}


def _known_codes(inputs: Inputs) -> set[str]:
    layers = [layer for layer in (inputs.districts, inputs.villages) if layer is not None]
    return {_county_code(inputs), *(str(code) for layer in layers for code in layer.index)}


def _presence_districts(
    target: PresenceTarget, inputs: Inputs, units: _Units, found: Presence
) -> tuple[DistrictValue, ...]:
    """Give every district the share of its own units that hold; nothing where the whole study is the unit."""
    if inputs.districts is None or target.unit == "county":
        return ()
    home = pd.Series(units.district, index=units.codes).reindex(found.units.index)
    share = found.units["holds"].groupby(home.to_numpy()).mean()
    return _by_district(target, inputs, {str(code): float(value) for code, value in share.items()})


def _presence_gaps(target: PresenceTarget, inputs: Inputs, units: _Units, found: Presence) -> pd.DataFrame:
    """List the units without, with the people who live in them where they are villages or districts."""
    rows = []
    at = {str(code): number for number, code in enumerate(units.codes)}
    people = inputs.demand["population"].groupby(_unit_of_people(target, inputs)).sum()
    for number, code in enumerate(found.without, start=1):
        place = at[code]
        lonlat = (math.nan, math.nan) if units.lonlat is None else units.lonlat[place]
        closed = bool(found.units.loc[code, "closed"])
        rows.append(
            {
                "id": f"{target.id}-{number:04d}",
                "target": target.id,
                "district": units.district[place],
                "village": code if target.unit == "village" else "",
                "lon": round(float(lonlat[0]), 6),
                "lat": round(float(lonlat[1]), 6),
                "people": float(people.get(code, math.nan)),
                "minutes": math.nan,
                "nearest": "",
                "reason": "venue_not_open" if closed else "venue_missing",
                "mean_minutes": math.nan,
                "venues": "",
            }
        )
    return _gap_table(rows)


def _gap_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    return table.astype({name: "float64" if name in GAP_FIGURES else "str" for name in GAP_COLUMNS})


def _unit_of_people(target: PresenceTarget, inputs: Inputs) -> pd.Series[Any]:
    column = target.unit if target.unit in {"village", "district"} else "district"
    if column not in inputs.demand:
        return pd.Series("", index=inputs.demand.index)
    return inputs.demand[column].astype("str")


# ---------------------------------------------------------------------------------------------- capacity


def _capacity(target: CapacityTarget, facts: Facts) -> Assessed:
    inputs = facts.inputs
    services = inputs.study.standard.venues(target)
    reason, people = counted_people(target, inputs)
    if reason:
        return _without(target, reason, services)
    venues = inputs.facilities
    mine = venues[venues["service"].isin(set().union(*services.values())).to_numpy()]
    mine = mine[mine["district"].astype("str").to_numpy() != OUTSIDE]
    if target.of not in mine:
        return _without(target, f"capacity_column_missing:{target.of}", services)
    homes = inputs.demand["district"].astype("str")
    inside = homes.to_numpy() != OUTSIDE
    heads = pd.Series(people[inside]).groupby(homes[inside].to_numpy()).sum().astype("float64")
    if not heads.sum() > 0:
        return _without(target, "nobody_counted", services)
    table = capacity(
        mine.assign(district=mine["district"].astype("str")), heads, column=target.of, per=target.per
    )
    whole = table.loc["all"]
    turn = threshold(target, inputs.year)
    value, unknown = float(whole["value"]), int(whole["unknown"])
    told = {
        "people": float(whole["people"]),
        "amount": float(whole["amount"]),
        "venues": int(whole["venues"]),
        "unknown": unknown,
        "per": float(target.per),
        "lower_bound": unknown > 0,
    }
    if turn is not None:
        told["missing"] = max(0.0, math.ceil(turn * told["people"] / target.per - told["amount"] - 1e-9))
    statuses: dict[str, str] = {}
    for code, row in table.iloc[:-1].iterrows():
        open_end = math.inf if row["unknown"] else float(row["value"])
        if undecided(float(row["value"]), open_end, turn):
            statuses[str(code)] = "not_assessable"
    result = _result(
        target,
        inputs,
        value,
        services=services,
        notes=(
            f"amount_per:{told['amount']:,.0f}|{told['venues']}|{told['people']:,.0f}",
            *([f"capacity_unknown:{unknown}"] if unknown else []),
        ),
        facts=told,
        values=_by_district(
            target, inputs, {str(code): float(v) for code, v in table["value"].iloc[:-1].items()}, statuses
        ),
        reason=f"capacity_unknown:{unknown}"
        if undecided(value, math.inf if unknown else value, turn)
        else "",
    )
    return Assessed(result)


# --------------------------------------------------------------------------------------------- indicator


def _indicator(target: IndicatorTarget, facts: Facts) -> Assessed:
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
    told: dict[str, Any] = {
        "by_year": {str(year): value for year, value in found.by_year.items()},
        "sources": list(found.sources),
    }
    notes = [f"registered_by:{'、'.join(found.sources)}"] if found.sources else []
    missing = {"district": found.missing_districts, "village": found.missing_villages}.get(target.by, [])
    if missing and found.value is not None:
        notes.append(f"figures_missing:{len(missing)}")
        told["missing"] = missing[:MISSING_NAMED]
    if found.value is None:
        return _without(target, f"indicator_missing:{inputs.year}", facts=told)
    values = {str(code): float(value) for code, value in found.districts.items() if np.isfinite(value)}
    status, reason = None, ""
    if target.trend == "shrinking":
        moved = not_smaller(found.by_year).get(inputs.year)
        status = trend_verdict(target, inputs.year, [moved])
        reason = f"year_before_missing:{inputs.year - 1}" if moved is None else ""
    result = _result(
        target,
        inputs,
        found.value,
        notes=tuple(notes),
        facts=told,
        values=_by_district(target, inputs, values) if values else (),
        previous=found.by_year.get(inputs.year - 1),
        status=status,
        reason=reason,
    )
    return Assessed(result)


def _each_village(target: IndicatorTarget, facts: Facts) -> Assessed:
    """Judge a rule that every village has to meet: the share of villages whose figures all reach theirs."""
    inputs = facts.inputs
    villages, table = inputs.villages, _table(inputs)
    if villages is None or not len(villages):
        return _without(target, "no_units:village")
    if table is None:
        return _without(target, f"indicator_missing:{inputs.year}")
    chosen, notes, reason = _in_area(
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
    told = {
        "unit": "village",
        "units": len(own),
        "holding": int(rule["meets"].sum()),
        "unknown": unknown,
        "without": [
            {
                "code": str(code),
                "name": names.get(str(code), str(code)),
                "lacks": str(rule.loc[code, "fails"]),
            }
            for code in failing
        ],
        "unknown_units": [str(code) for code in rule.index[rule["meets"].isna()]][:MISSING_NAMED],
    }
    home = villages["district"].astype("str").set_axis(villages.index.astype("str")).reindex(own)
    share = rule["meets"].astype("float64").groupby(home.to_numpy()).mean()
    doubt = undecided(lower, upper, threshold(target, inputs.year))
    result = _result(
        target,
        inputs,
        lower,
        notes=(
            f"units_held:{len(own)}|{told['holding']}",
            *notes,
            *([f"village_figures_unknown:{unknown}"] if unknown and not doubt else []),
        ),
        facts=told,
        values=_by_district(target, inputs, {str(c): float(v) for c, v in share.items()}),
        reason=f"village_figures_unknown:{unknown}" if doubt else "",
    )
    return Assessed(result)


def _computed(target: IndicatorTarget, facts: Facts) -> Assessed:
    """Judge a gap between town and country, or between districts, of every circle that counts both."""
    inputs = facts.inputs
    now = _gaps_of(target, inputs, facts.searches)
    before = {} if facts.earlier is None else _gaps_of(target, *facts.earlier)
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
    told = {
        "gaps": {
            name: {
                **{key: getattr(gap, key) for key in _GAP_FIELDS},
                "previous": getattr(before[name], measure) if name in before else None,
                "not_smaller": moves.get(name),
            }
            for name, gap in now.items()
        }
    }
    table = _table(inputs)
    if table is not None:
        told["registered"] = registered(table, target.id, inputs.year).value  # type: ignore[assignment]
    status = trend_verdict(target, inputs.year, moves.values()) if target.trend == "shrinking" else None
    unknown = any(one is None for one in moves.values())
    result = _result(
        target,
        inputs,
        mean,
        facts=told,
        previous=float(np.mean(had)) if len(had) == len(known) and None not in had else None,
        status=status,
        reason=f"year_before_missing:{inputs.year - 1}" if status == "not_assessable" and unknown else "",
        notes=tuple(f"gap_not_smaller:{name}" for name, moved in moves.items() if moved),
    )
    return Assessed(result)


_GAP_FIELDS = ("difference", "ratio", "high", "low", "gini", "theil", "theil_between", "theil_within")


def _gaps_of(target: IndicatorTarget, inputs: Inputs, searches: Searches) -> dict[str, Gap]:
    """Count the gap of every circle the target is about; one with a single side is left out."""
    assert target.computed is not None
    wanted = target.computed.circles
    found: dict[str, Gap] = {}
    for circle in circles(inputs.study.standard):
        if wanted and circle.id not in wanted:
            continue
        parts = circle_parts(circle, inputs, searches)
        gap = None if parts is None else _gap_of(target, parts, inputs)
        if gap is not None:
            found[circle.id] = gap
    return found


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


# -------------------------------------------------------------------------------------------------- both


def _by_district(
    target: Target, inputs: Inputs, values: Mapping[str, float], statuses: Mapping[str, str] | None = None
) -> tuple[DistrictValue, ...]:
    """Set values beside the districts, each with the verdict of the target; unknown is None, never 0."""
    layer = inputs.districts
    if layer is None:
        return ()
    out = []
    for code, row in layer.iterrows():
        value = values.get(str(code))
        value = None if value is None or not math.isfinite(value) else value
        urban = row.get("urban")
        status = (statuses or {}).get(str(code)) or verdict(target, inputs.year, value)
        known = None if urban is None or pd.isna(urban) else bool(urban)
        out.append(DistrictValue(str(code), str(row["name"]), known, value, status))
    return tuple(out)


def _result(  # noqa: PLR0913 - the parts of one result, all named
    target: Target,
    inputs: Inputs,
    value: float,
    *,
    services: Mapping[str, Iterable[str]] | None = None,
    notes: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
    values: tuple[DistrictValue, ...] = (),
    previous: float | None = None,
    status: str | None = None,
    reason: str = "",
) -> TargetResult:
    """Judge a value; a reason given leaves the value without a verdict unless the status is given too."""
    told = status or ("not_assessable" if reason else verdict(target, inputs.year, value))
    late = status is None and told == "reported" and without_baseline(target, inputs.year)
    classes = {name: tuple(sorted(ids)) for name, ids in (services or {}).items()}
    return TargetResult(
        target=target,
        value=value,
        status=told,
        reason=reason or ("no_baseline" if late else ""),
        milestone=milestone(target, inputs.year),
        previous=previous,
        by_district=values,
        venues=tuple(sorted(set().union(*classes.values()))) if classes else (),
        classes=classes,
        notes=notes,
        facts=facts or {},
    )


def _without(
    target: Target,
    reason: str,
    services: Mapping[str, Iterable[str]] | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Assessed:
    """Return a target without a value, with what is missing in the data."""
    classes = {name: tuple(sorted(ids)) for name, ids in (services or {}).items()}
    venues = tuple(sorted(set().union(*classes.values()))) if classes else ()
    return Assessed(
        TargetResult(
            target, None, "not_assessable", reason, venues=venues, classes=classes, facts=facts or {}
        )
    )


ASSESSORS: Mapping[str, Callable[[Any, Facts], Assessed]] = {
    "presence": _presence,
    "capacity": _capacity,
    "indicator": _indicator,
}
"""Kind of target -> its assessor; circles have their own room of people and minutes."""
