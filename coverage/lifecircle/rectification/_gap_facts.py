"""Gather what the findings say of every gap: residents, cause, what would mend it; writes no sentence.

A gap of a circle is a cluster of uncovered residents; the clustering is the audit's own, so that the members
of a gap are those it was counted from. Other kinds have a unit in the place of members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lifecircle.audit import Searches, gap_clusters
from lifecircle.errors import ProofError
from lifecircle.facilities import open_at
from lifecircle.findings import class_seconds
from lifecircle.limits import within_limit
from lifecircle.roads import profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings, TargetResult
    from lifecircle.standards import CircleTarget

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

DETOUR = 2.0
"""Setting: a venue whose straight distance is at most the limit's length over this is near; who still needs
longer than the limit has to go round, and the road is the cause."""
STREETS = 1.3
"""Setting: metres to walk for a metre as the crow flies in an ordinary street network; used for venues to
which no time was computed: whose hours are unknown, or that are closed and the inputs of the run are gone."""
MOST = 0.5
"""Setting: share of a gap's people for whom a cause must hold."""
WHOLE = 0.9
"""Setting: share of the village's people from which on a gap is the whole village and no part of it."""
MIDDLE_M = 150.0
"""Setting: a part this near to the village's centre is its middle."""

_NO_VENUE = frozenset({"too_few_venues", "venue_missing", "venue_not_open"})
_DATA = frozenset({"unsnapped", "venues_off_roads"})
_SIDES = ("east", "northeast", "north", "northwest", "west", "southwest", "south", "southeast")


@dataclass(frozen=True, eq=False)
class Gap:
    """What one run says of one gap.

    Attributes
    ----------
    result : the target it belongs to.
    district, village : names, empty where there is none; ``unit`` differs for places of one name.
    part : ``east`` ... where it is a part of the village, ``middle``, or empty.
    lonlat : place, None where it has none.
    members : positions of its residents; empty for targets that are no circle.
    people, over60, under3 : counts, None where unknown.
    minutes : median over its people, None where there is none.
    nearest : venue whose time is the rule time at the gap's place.
    reason, cause : the audit's reason, and one of :data:`~lifecircle.rectification._problem_record.CAUSES`.
    expected : people a measure would cover at most, None where that cannot be said.
    wanted : the venues that the measure needs, by class or service.
    closed : venue that is closed at the hour of the target and nearest to most of its people, where the
        hours are the cause; else empty.
    value : value of the target there, for targets that count no residents.
    """

    result: TargetResult
    district: str
    village: str
    unit: str
    part: str
    lonlat: tuple[float, float] | None
    members: Places
    people: float | None
    over60: float | None
    under3: float | None
    minutes: float | None
    nearest: str
    reason: str
    cause: str
    expected: float | None
    wanted: tuple[tuple[str, int], ...] = ()
    closed: str = ""
    value: float | None = None


@dataclass(frozen=True, eq=False)
class _Homes:
    """The two things of an audit's inputs that its clustering reads, and the places in degrees."""

    demand: gpd.GeoDataFrame
    metres: Floats
    lonlat: Floats


@dataclass(frozen=True, eq=False)
class _Facts:
    """Per-resident data used to describe the gaps of one circle, (demand,) each; places in metres.

    ``by_hours`` : whether a resident would be covered if the venues that are closed were open; ``closed`` :
    row of the nearest such venue of a class it lacks, -1 for none; ``by_unknown`` : whether it takes venues
    whose hours are not known; ``labels`` : label of the village, ``villages`` : label -> people,
    ``centres`` : label -> centre.
    """

    findings: Findings
    result: TargetResult
    homes: _Homes
    people: Floats
    seconds: Floats
    status: npt.NDArray[np.str_]
    lacking: dict[str, npt.NDArray[np.int64]]
    near_m: Floats
    by_hours: npt.NDArray[np.bool_]
    closed: Places
    by_unknown: npt.NDArray[np.bool_]
    walk_m: float | None
    labels: npt.NDArray[np.object_] | None
    villages: Mapping[str, float]
    centres: Mapping[str, Floats]


def covered_if_open(findings: Findings, inputs: Inputs) -> dict[str, npt.NDArray[np.str_]]:
    """Find who would be covered if more venues were open at the target's hour.

    Parameters
    ----------
    findings : of a run
    inputs : that the run was made of

    Returns
    -------
    shut : target whose accounting is ``open`` -> (demand,): ``closed`` where the venues that are closed then
        would do, ``unknown`` where it takes those whose hours are not known, else empty
    """
    targets = [one.target for one in findings.targets if getattr(one.target, "accounting", "") == "open"]
    searches = Searches(inputs) if targets else None
    found = {}
    for target in targets:
        hour = getattr(target, "open_at", None)
        if searches is None or hour is None:
            continue
        known, _ = open_at(inputs.facilities, hour)
        shut = np.full(len(inputs.demand), "", dtype="<U7")
        for state, only in (("unknown", None), ("closed", known)):  # what closed venues explain comes last
            answer = searches.answer(cast("CircleTarget", target), only=only)
            limit_s = getattr(target, "minutes", 0.0) * 60
            shut[answer.snapped & within_limit(answer.seconds, limit_s)] = state
        found[target.id] = shut
    return found


def read_gaps(findings: Findings, shut: Mapping[str, npt.NDArray[np.str_]] | None = None) -> list[Gap]:
    """List what a run says of every gap, targets in the standard's order, in each the run's own order.

    Beside the gaps of the run there is one for each district where a target of capacity or a registered
    figure is missed or behind; the whole study where there is none. Those of capacity come before the
    villages whose people find every venue full.

    Parameters
    ----------
    shut : as :func:`covered_if_open` finds it; left out, venues that are not open are judged by straight
        distance

    Raises
    ------
    ProofError
        When the residents of the gaps do not add up to what the run counted.
    """
    demand = findings.demand.to_crs(findings.crs)
    homes = _Homes(findings.demand, _coordinates(demand), _coordinates(findings.demand))
    venues = findings.facilities.to_crs(findings.crs)
    centres = _centres(findings)
    gaps: list[Gap] = []
    for result in findings.targets:
        rows = findings.gaps[findings.gaps["target"] == result.target.id]
        if result.target.id in findings.status:
            facts = _facts(findings, result, homes, venues, centres, (shut or {}).get(result.target.id))
            members = _members(facts)
            if len(members) != len(rows):
                raise ProofError(f"{result.target.id}: {len(rows)} gaps were written, {len(members)} found")
            gaps += [
                _circle_gap(row, mine, facts)
                for row, mine in zip(rows.to_dict("records"), members, strict=True)
            ]
        else:
            gaps += [] if len(rows) and result.target.kind != "capacity" else _figure_gaps(result)
            gaps += [_unit_gap(row, result, findings) for row in rows.to_dict("records")]
    return gaps


def _coordinates(table: gpd.GeoDataFrame) -> Floats:
    points = table.geometry.representative_point()
    return np.column_stack([points.x.to_numpy(dtype=float), points.y.to_numpy(dtype=float)])


def _centres(findings: Findings) -> dict[str, Floats]:
    """Return the centre of every village that has one, in metres."""
    villages = findings.villages
    if "geometry" not in villages or not len(villages):
        return {}
    known = villages[~(villages.geometry.isna() | villages.geometry.is_empty)].to_crs(findings.crs)
    middles = known.geometry.centroid
    places = np.column_stack([middles.x.to_numpy(dtype=float), middles.y.to_numpy(dtype=float)])
    return dict(zip(known.index, places, strict=True))


def _facts(  # noqa: PLR0913, PLR0917 - what is the same for all circles, and one of them
    findings: Findings,
    result: TargetResult,
    homes: _Homes,
    venues: gpd.GeoDataFrame,
    centres: Mapping[str, Floats],
    shut: npt.NDArray[np.str_] | None,
) -> _Facts:
    target = result.target.id
    seconds = findings.seconds[target].to_numpy(dtype=float)
    timed = getattr(result.target, "accounting", "") in {"reach", "open"}
    walk_m = None
    if result.target.kind == "circle" and timed:
        moved = profile(result.target.profile)
        # By car the road decides the speed: a straight distance says nothing of the minutes.
        walk_m = moved.access_ms * result.target.minutes * 60 if moved.mode != "drive" else None
    places = dict(zip(venues.index, _coordinates(venues), strict=True))
    nowhere = np.array([np.nan, np.nan])
    nearest = np.array([places.get(label, nowhere) for label in findings.nearest[target]]).reshape(-1, 2)
    people = findings.people[target].fillna(0).to_numpy(dtype=float)
    lacking = _lacking(findings, result)
    (closed_m, closed), (unknown_m, _) = _to_shut(result, homes, venues, lacking)
    if shut is None:
        near = (metres * STREETS <= (walk_m or 0.0) for metres in (closed_m, unknown_m))
    else:
        near = (shut == state for state in ("closed", "unknown"))
    by_hours, by_unknown = near
    labels = findings.demand["village"].to_numpy(dtype=object) if "village" in findings.demand else None
    sums = {} if labels is None else pd.Series(people).groupby(labels).sum().to_dict()
    return _Facts(
        findings=findings,
        result=result,
        homes=homes,
        people=people,
        seconds=seconds,
        status=findings.status[target].to_numpy(dtype=str),
        lacking=lacking,
        near_m=np.hypot(*(homes.metres - nearest).T),
        by_hours=by_hours,
        closed=closed,
        by_unknown=by_unknown,
        walk_m=walk_m,
        labels=labels,
        villages=sums,
        centres=centres,
    )


def _lacking(findings: Findings, result: TargetResult) -> dict[str, npt.NDArray[np.int64]]:
    """Count the venues of each class that a resident lacks within the limit: class -> (demand,)."""
    limit_s = getattr(result.target, "minutes", 0) * 60
    try:
        times = class_seconds(findings, result.target.id)
    except KeyError:  # a run by village holds no times
        return {}
    return {
        name: (~within_limit(seconds, limit_s)).sum(axis=1).astype(np.int64)
        for name, seconds in times.items()
    }


def _to_shut(
    result: TargetResult,
    homes: _Homes,
    venues: gpd.GeoDataFrame,
    lacking: Mapping[str, npt.NDArray[np.int64]],
) -> tuple[tuple[Floats, Places], tuple[Floats, Places]]:
    """Measure straight to the nearest venue that is closed at the target's hour, and whose hours are unknown.

    Returns
    -------
    closed, unknown : (demand,) metres each, inf for none, and (demand,) rows of the venues, -1 for none; of
        the classes that a resident lacks
    """
    metres = [np.full(len(homes.demand), np.inf) for _ in range(2)]
    rows = [np.full(len(homes.demand), -1, dtype=np.intp) for _ in range(2)]
    hour = getattr(result.target, "open_at", None)
    if getattr(result.target, "accounting", "") == "open" and hour is not None:
        known, opened = open_at(venues, hour)
        placed = np.isfinite(homes.metres).all(axis=1)
        places = _coordinates(venues)
        for name, counts in lacking.items():
            mine = venues["service"].isin(getattr(result, "classes", {}).get(name, ())).to_numpy()
            for at, state in enumerate((known & ~opened, ~known)):
                venue, home = np.flatnonzero(mine & state), np.flatnonzero(placed & (counts > 0))
                if len(venue) and len(home):
                    far, which = cKDTree(places[venue]).query(homes.metres[home])
                    nearer = far < metres[at][home]
                    metres[at][home[nearer]] = far[nearer]
                    rows[at][home[nearer]] = venue[which[nearer]]
    return (metres[0], rows[0]), (metres[1], rows[1])


def _members(facts: _Facts) -> list[Places]:
    """List the residents of every gap in the order in which the run numbered them."""
    left = np.flatnonzero((facts.status != "covered") & (facts.people > 0))
    if not len(left):
        return []
    # The clustering reads nothing of the inputs but these.
    cluster = gap_clusters(left, facts.status, cast("Inputs", facts.homes))
    order = np.argsort(cluster, kind="stable")
    ends = np.flatnonzero(np.diff(cluster[order])) + 1
    groups = np.split(left[order], ends)
    return sorted(groups, key=lambda mine: (-float(facts.people[mine].sum()), int(mine[0])))


def _circle_gap(row: dict[str, Any], mine: Places, facts: _Facts) -> Gap:
    if not np.isclose(row["people"], facts.people[mine].sum()):
        raise ProofError(f"{row['id']}: {row['people']} people were written, others found")
    weight = facts.people[mine]
    lonlat = _lonlat(row)
    cause = _cause(str(row["reason"]), mine, facts)
    expected, wanted = _expected(cause, lonlat, mine, facts)
    return Gap(
        result=facts.result,
        district=_text(row["district"]),
        village=_text(row["village"]),
        unit=_unit_of(facts.findings.demand, mine),
        part=_part(mine, facts),
        lonlat=lonlat,
        members=mine,
        people=float(weight.sum()),
        over60=_sum(facts.homes.demand, "over60", mine),
        under3=_sum(facts.homes.demand, "under3", mine),
        minutes=_median(facts.seconds[mine] / 60, weight),
        nearest=_text(row["nearest"]),
        reason=str(row["reason"]),
        cause=cause,
        expected=expected,
        wanted=wanted,
        closed=_closed_venue(mine, facts) if cause == "hours" else "",
    )


def _closed_venue(mine: Places, facts: _Facts) -> str:
    """Name the closed venue that is nearest to most of a gap's people."""
    here = mine[facts.closed[mine] >= 0]
    if not len(here):
        return ""
    row = int(np.argmax(np.bincount(facts.closed[here], weights=facts.people[here])))
    return str(facts.findings.facilities["name"].iloc[row])


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else ""


def _lonlat(row: dict[str, Any]) -> tuple[float, float] | None:
    known = np.isfinite(row["lon"]) and np.isfinite(row["lat"])
    return (float(row["lon"]), float(row["lat"])) if known else None


def _unit_of(demand: pd.DataFrame, mine: Places) -> str:
    """Return the label of the village of a gap's residents, of the district where there are no villages."""
    column = "village" if "village" in demand else "district"
    label = demand[column].iloc[int(mine[0])] if column in demand else ""
    return "" if pd.isna(label) else str(label)


def _sum(demand: pd.DataFrame, group: str, mine: Places) -> float | None:
    return float(demand[group].to_numpy(dtype=float)[mine].sum()) if group in demand else None


def _median(values: Floats, weight: Floats) -> float | None:
    """Return the median over people; None where half of them or more have no value.

    >>> _median(np.array([10.0, 20.0, 30.0]), np.array([1.0, 1.0, 5.0]))
    30.0
    """
    order = np.argsort(values, kind="stable")  # NaN goes last
    running = np.cumsum(weight[order])
    middle = values[order][np.searchsorted(running, running[-1] / 2)]
    return float(middle) if np.isfinite(middle) else None


def _cause(reason: str, mine: Places, facts: _Facts) -> str:
    """Name what a gap comes from; the first that holds for at least half of its people."""
    code = reason.partition(":")[0]
    if code in _DATA or facts.result.status == "data_insufficient":
        return "data"
    weight = facts.people[mine]
    # Closed hours come before missing ways and venues: a door that is shut looks like either.
    if weight[facts.by_hours[mine]].sum() >= MOST * weight.sum():
        return "hours"
    if weight[facts.by_unknown[mine]].sum() >= MOST * weight.sum():
        return "data"  # the venue is there, and nobody knows whether it is open
    if code in _NO_VENUE or code == "disconnected" or facts.walk_m is None:
        return "road" if code == "disconnected" else "venue"
    round_about = facts.near_m[mine] * DETOUR <= facts.walk_m
    return "road" if weight[round_about].sum() >= MOST * weight.sum() else "venue"


def _expected(
    cause: str, lonlat: tuple[float, float] | None, mine: Places, facts: _Facts
) -> tuple[float | None, tuple[tuple[str, int], ...]]:
    """Count whom a measure would cover at most, and list the venues it needs: (class, how many).

    The venues are those that the person in the middle lacks. Built at the gap's place they cover who lacks no
    more than them and lives within the limit as the crow flies: no road is shorter. Where a road or the hours
    are the cause it is the gap's people.
    """
    weight = facts.people[mine]
    if cause == "data" or lonlat is None:
        return None, ()
    if cause in {"road", "hours"} or facts.walk_m is None or not facts.lacking:
        return float(weight.sum()), ()
    lacking = {name: counts[mine] for name, counts in facts.lacking.items()}
    needed = {name: int(_median(counts.astype(float), weight) or 0) for name, counts in lacking.items()}
    if not any(needed.values()):  # some lack one class, some another: name the one that most people lack
        most = max(lacking, key=lambda name: float(weight @ (lacking[name] > 0)))
        needed[most] = 1
    held = np.hypot(*(facts.homes.metres[mine] - _centre(lonlat, mine, facts)).T) <= facts.walk_m
    for name, counts in lacking.items():
        held &= counts <= needed[name]
    return float(weight[held].sum()), tuple((name, count) for name, count in needed.items() if count)


def _centre(lonlat: tuple[float, float], mine: Places, facts: _Facts) -> Floats:
    """Return the resident that stands for the gap, in metres."""
    apart = np.hypot(*(facts.homes.lonlat[mine] - lonlat).T)
    centre: Floats = facts.homes.metres[mine[int(np.nanargmin(apart))]]
    return centre


def _part(mine: Places, facts: _Facts) -> str:
    """Name the side of the village that a gap lies on; empty for the whole village or an unknown centre."""
    label = facts.labels[mine[0]] if facts.labels is not None else None
    if label is None or label not in facts.centres:
        return ""
    weight = facts.people[mine]
    placed = np.isfinite(facts.homes.metres[mine]).all(axis=1)
    if weight.sum() >= WHOLE * facts.villages[label] or not placed.any():
        return ""
    place = np.average(facts.homes.metres[mine][placed], axis=0, weights=weight[placed])
    east, north = place - facts.centres[label]
    return side_of(float(east), float(north))


def side_of(east_m: float, north_m: float) -> str:
    """Name the side that a place lies on by its bearing, one of eight of 45 degrees; the middle when near.

    >>> side_of(800, 100), side_of(-500, -500), side_of(0, 900), side_of(20, -30)
    ('east', 'southwest', 'north', 'middle')
    """
    if np.hypot(east_m, north_m) <= MIDDLE_M:
        return "middle"
    return _SIDES[int(np.round(np.degrees(np.arctan2(north_m, east_m)) / 45)) % 8]


def _unit_gap(row: dict[str, Any], result: TargetResult, findings: Findings) -> Gap:
    """Describe a unit without its venues, by the codes that stand in the row."""
    district, village = _text(row["district"]), _text(row["village"])
    demand = findings.demand
    mine = np.zeros(0, dtype=np.intp)
    for column, code in (("village", village), ("district", district)):
        if code and column in demand and not len(mine):
            mine = np.flatnonzero((demand[column].astype(str) == code).to_numpy())
    reason = str(row["reason"])
    people = float(row["people"]) if np.isfinite(row["people"]) else None
    return Gap(
        result=result,
        district=_name(findings.districts, district),
        village=_name(findings.villages, village),
        unit=village or district,
        part="",
        lonlat=_lonlat(row),
        members=np.zeros(0, dtype=np.intp),
        people=people,
        over60=_sum(demand, "over60", mine) if len(mine) else None,
        under3=_sum(demand, "under3", mine) if len(mine) else None,
        minutes=None,
        nearest=_text(row["nearest"]),
        reason=reason,
        cause=_unit_cause(reason, result),
        expected=people,
        wanted=((lacks, 1),) if (lacks := _wanted(result, village or district)) else (),
    )


def _unit_cause(reason: str, result: TargetResult) -> str:
    code = reason.partition(":")[0]
    if code == "full":
        return "capacity"
    return "data" if code in _DATA or result.status == "data_insufficient" else "venue"


def _wanted(result: TargetResult, unit: str) -> str:
    """Return what the target's facts say a unit lacks, else the first class of its rule."""
    units = getattr(result, "units", None)
    for one in () if units is None else units.without:
        if one.code == unit and one.lacks:
            return "|".join(one.lacks)
    return next(iter(getattr(result.target, "require", {})), "")


def _name(units: pd.DataFrame, code: str) -> str:
    """Name a unit by its code; the code itself where it has no name."""
    return str(units["name"].loc[code]) if len(units) and code in units.index else code


def _figure_gaps(result: TargetResult) -> Iterator[Gap]:
    """Yield a row for each district where a capacity or a registered figure falls short, else for all."""
    if result.target.kind not in {"capacity", "indicator"} or result.status not in {"missed", "behind"}:
        return
    short = [one for one in result.districts if one.status in {"missed", "behind"}]
    places = [(one.name, one.code, one.value) for one in short] or [("", "", result.value)]
    for name, code, value in places:
        yield Gap(
            result=result,
            district=name,
            village="",
            unit=code,
            part="",
            lonlat=None,
            members=np.zeros(0, dtype=np.intp),
            people=None,
            over60=None,
            under3=None,
            minutes=None,
            nearest="",
            reason="",
            cause="capacity" if result.target.kind == "capacity" else "figure",
            expected=None,
            value=value,
        )
