"""Assess presence targets: which units hold the venues a target asks of each, and which do not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.audit._judged import Assessed, by_district, gap_table, judged, without_value
from lifecircle.audit._position_grades import counted_grades, of_services, rests_on_centres, too_rough
from lifecircle.counting import village_urban
from lifecircle.demand import OUTSIDE
from lifecircle.facilities import open_in
from lifecircle.findings import PresenceResult, UnitCount, UnitWithout
from lifecircle.measures import UnitCodes, committees, presence, units_near
from lifecircle.standards import verdict
from lifecircle.wording import word

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._judged import YearFacts
    from lifecircle.audit._position_grades import VenueGrades
    from lifecircle.findings import DistrictResult
    from lifecircle.measures import Presence
    from lifecircle.standards import IndicatorTarget, PresenceTarget

COUNTY_DIGITS = 6
"""Digits of a county's code at the head of the codes of its towns and villages."""

_BETWEEN_CODES = re.compile(r"[,，;；、|/\s]+")


def assess_presence(target: PresenceTarget, facts: YearFacts) -> Assessed:
    """Assess a presence target for the year."""
    inputs = facts.inputs
    services = inputs.study.standard.venues(target)
    reason, notes, units = _units(target, inputs)
    if units is None:
        return Assessed(without_value(PresenceResult, target, reason, services))
    found = _found(target, inputs, units)
    if found.value is None:
        return Assessed(without_value(PresenceResult, target, f"no_units:{target.unit}", services))
    names = dict(zip(map(str, units.codes), units.names, strict=True))
    holding = int(found.units["holds"].sum())
    notes = (*notes, f"units_held:{len(found.units)}|{holding}")
    if found.by_position:
        keys = "、".join(_named(key, inputs) for key in found.by_position)
        notes = (*notes, f"counted_by_place:{keys}")
    if len(found.disagreements):
        notes = (*notes, f"presence_disagreement:{len(found.disagreements)}")
    without = tuple(_without(target, found, code, names.get(code, code)) for code in found.without)
    grades = _grades(target, inputs, units)
    positions, statuses = _positions(target, inputs, units, found, grades)
    result = judged(
        PresenceResult,
        target,
        inputs,
        found.value,
        services=services,
        notes=(*notes, *grades.notes),
        previous=_year_before(target, facts),
        districts=_presence_districts(target, inputs, units, found, statuses),
        status="data_insufficient" if positions else None,
        reason=positions,
        units=UnitCount(target.unit, len(found.units), holding, without),
        disagreements=tuple(found.disagreements.astype("str").to_dict("records")),
    )
    return Assessed(result, _presence_gaps(target, inputs, units, found))


def _year_before(target: PresenceTarget, facts: YearFacts) -> float | None:
    """Return the value of the year before, None where its files are not given or it has none."""
    inputs = facts.inputs_before
    if inputs is None:
        return None
    _, _, units = _units(target, inputs)
    return None if units is None else _found(target, inputs, units).value


def _by_position(target: PresenceTarget, inputs: Inputs, units: _Units) -> npt.NDArray[np.bool_]:
    """Return which open facilities of a target count where they stand, not where they list: (facility,)."""
    mine = of_services(inputs, set().union(*inputs.study.standard.venues(target).values()))
    if target.assign == "position" or "serves" not in inputs.facilities:
        return mine
    meant = {*map(str, units.codes), *_aliases(target, inputs)}
    texts = _serves(inputs)
    standing = mine.copy()
    for at in np.flatnonzero(mine).tolist():
        text = texts[at]
        standing[at] = text not in meant and meant.isdisjoint(_BETWEEN_CODES.split(text))
    return standing


@cached_per_inputs
def _serves(inputs: Inputs) -> list[str]:
    """Return what the open facilities list as units they serve: (facility,)."""
    texts: list[str] = inputs.facilities["serves"].fillna("").astype(str).tolist()
    return texts


def _grades(target: PresenceTarget, inputs: Inputs, units: _Units) -> VenueGrades:
    """Count the grades of the venues that count where they stand, beside all venues of the rule."""
    mine = of_services(inputs, set().union(*inputs.study.standard.venues(target).values()))
    rough = counted_grades(inputs, _by_position(target, inputs, units))
    return replace(rough, venues=int(mine.sum()))


def _without_centres(target: PresenceTarget, inputs: Inputs, units: _Units) -> Presence:
    """Find the units that hold where venues at village centres count for the units they list alone."""
    centred = (inputs.register["grade"] == "D").to_numpy(dtype=bool)
    # Nowhere is no unit, whether a venue stands in one unit or near several.
    place = units.place.astype(object).where(~centred, "")
    return _found(target, inputs, replace(units, place=place))


def _positions(
    target: PresenceTarget, inputs: Inputs, units: _Units, found: Presence, grades: VenueGrades
) -> tuple[str, dict[str, str]]:
    """Return why positions give no verdict, empty where they do, and the status of districts without one."""
    now = _shares_by_district(units, found)
    rough = too_rough(grades, inputs)
    if rough:
        return rough, dict.fromkeys(now, "data_insufficient")
    if not grades.village_centre:
        return "", {}
    fewer = _without_centres(target, inputs, units)
    kept = _shares_by_district(units, fewer)

    def doubt(value: float | None, without: float | None) -> str:
        """Return why a verdict rests on venues at village centres, empty where it does not."""
        with_all, others = (verdict(target, inputs.year, figure) for figure in (value, without))
        return rests_on_centres(with_all, others, grades)

    statuses = {code: "data_insufficient" for code, share in now.items() if doubt(share, kept.get(code))}
    return doubt(found.value, fewer.value), statuses


def _found(target: PresenceTarget, inputs: Inputs, units: _Units) -> Presence:
    return presence(
        inputs.register,
        UnitCodes(units.codes, units.counted, _aliases(target, inputs), _known_codes(inputs)),
        needed=target.needed,
        services=inputs.study.standard.venues(target),
        place=units.place,
        opened=_is_open(inputs),
        assign=target.assign,
    )


@cached_per_inputs
def _is_open(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """Return which facilities of the register are open in the year: (facility,)."""
    flags = np.zeros(len(inputs.register), dtype=bool)
    flags[inputs.opened] = True
    return flags


def _named(key: str, inputs: Inputs) -> str:
    """Name a key of a rule in the study's language: a service by its name, a class by the catalogue's."""
    language = inputs.study.language
    names = {one.id: one.name.get(language) for one in inputs.study.standard.services}
    return names.get(key) or word("class", key, language)


def _without(target: PresenceTarget, found: Presence, code: str, name: str) -> UnitWithout:
    """Return a unit without, with how many venues it lacks of each class."""
    row = found.units.loc[code]
    lacks = _split(row["lacks"])
    return UnitWithout(code, name, lacks, tuple(target.needed[key] - int(row[key]) for key in lacks))


def _split(lacks: object) -> tuple[str, ...]:
    return tuple(name for name in str(lacks).split("|") if name)


@dataclass(frozen=True, eq=False)
class _Units:
    """The units a presence target counts: codes, names, districts, places; where each venue stands."""

    codes: pd.Index[str]
    names: list[str]
    district: list[str]
    place: pd.Series[Any]
    counted: npt.NDArray[np.bool_] | None = None
    lonlat: npt.NDArray[np.float64] | None = None


def _units(target: PresenceTarget, inputs: Inputs) -> tuple[str, tuple[str, ...], _Units | None]:
    """Return the units of a target: (why there are none, notes, units)."""
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
    counted, notes, reason = units_in_area(target, layer, urban, inputs.study.max_rejected)
    if reason:
        return reason, notes, None
    place = register[target.unit].astype("str")
    district = codes if target.unit == "district" else layer["district"].astype("str")
    lonlat = _district_lonlat(inputs) if target.unit == "district" else _village_lonlat(inputs)
    return (
        "",
        notes,
        _Units(pd.Index(codes), layer["name"].astype("str").tolist(), list(district), place, counted, lonlat),
    )


@cached_per_inputs
def _district_lonlat(inputs: Inputs) -> npt.NDArray[np.float64]:
    return _inner_points(inputs.districts, inputs)


@cached_per_inputs
def _village_lonlat(inputs: Inputs) -> npt.NDArray[np.float64]:
    return _inner_points(inputs.villages, inputs)


def _inner_points(layer: gpd.GeoDataFrame | None, inputs: Inputs) -> npt.NDArray[np.float64]:
    """Return a point within each unit, in degrees: (unit, 2)."""
    assert layer is not None  # only layers that are there have units
    points = layer.to_crs(inputs.crs).geometry.representative_point().to_crs("EPSG:4326")
    return np.column_stack([points.x, points.y])


def units_in_area(
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
    """Return service windows, shops and other outlets as units; one without a place holds by list alone."""
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


@cached_per_inputs
def _county_code(inputs: Inputs) -> str:
    """Name the whole study as a unit: the head that the codes of its districts share, else its id."""
    codes = [] if inputs.districts is None else [str(code) for code in inputs.districts.index]
    heads = {code[:COUNTY_DIGITS] for code in codes if code.isdigit() and len(code) > COUNTY_DIGITS}
    return heads.pop() if len(heads) == 1 else inputs.study.id


def _aliases(target: PresenceTarget, inputs: Inputs) -> dict[str, str]:
    """Return, by the code of a smaller unit, the unit of the target that it means: a village's town."""
    if target.unit == "district":
        return _towns_of_villages(inputs)
    if target.unit == "county":
        return {code: _county_code(inputs) for code in _known_codes(inputs)}
    return {}


@cached_per_inputs
def _towns_of_villages(inputs: Inputs) -> dict[str, str]:
    """Return the code of the district of every village: code -> code; empty without villages."""
    if inputs.villages is None:
        return {}
    return {str(code): str(town) for code, town in inputs.villages["district"].items()}


@cached_per_inputs
def _known_codes(inputs: Inputs) -> set[str]:
    layers = [layer for layer in (inputs.districts, inputs.villages) if layer is not None]
    return {_county_code(inputs), *(str(code) for layer in layers for code in layer.index)}


def _presence_districts(
    target: PresenceTarget, inputs: Inputs, units: _Units, found: Presence, statuses: dict[str, str]
) -> tuple[DistrictResult, ...]:
    """Return the share of units that hold by district; nothing where the whole study is the unit."""
    if inputs.districts is None or target.unit == "county":
        return ()
    return by_district(target, inputs, _shares_by_district(units, found), statuses)


def _shares_by_district(units: _Units, found: Presence) -> dict[str, float]:
    """Return the share of the units of each district that hold: code -> share."""
    home = pd.Series(units.district, index=units.codes).reindex(found.units.index)
    share = found.units["holds"].groupby(home.to_numpy()).mean()
    return {str(code): float(value) for code, value in share.items()}


def _presence_gaps(target: PresenceTarget, inputs: Inputs, units: _Units, found: Presence) -> pd.DataFrame:
    """List the units without, with the people who live in them where they are villages or districts."""
    if not found.without:
        return gap_table([])
    rows = []
    at = {str(code): number for number, code in enumerate(units.codes)}
    people = (_people_of_villages if target.unit == "village" else _people_of_districts)(inputs)
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
    return gap_table(rows)


@cached_per_inputs
def _people_of_villages(inputs: Inputs) -> pd.Series[Any]:
    return _people_by("village", inputs)


@cached_per_inputs
def _people_of_districts(inputs: Inputs) -> pd.Series[Any]:
    return _people_by("district", inputs)


def _people_by(column: str, inputs: Inputs) -> pd.Series[Any]:
    """Return the people of every unit that residents are in: code -> people."""
    demand = inputs.demand
    unit = demand[column].astype("str") if column in demand else pd.Series("", index=demand.index)
    return demand["population"].groupby(unit).sum()
