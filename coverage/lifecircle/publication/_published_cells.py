"""The public edition: findings reduced, before any page is made of them, to what everyone may know.

Residents become square cells of at least so many people, the same in every year, in whole multiples of that
number; a cell stands at the middle of its square, not of its residents. A cell has the bucket of most of
its people and a time in steps of :data:`STEP_MIN` minutes from the target's limit, so that no limit a reader
tries parts a cell. Counts in tables are withheld as :mod:`lifecircle.publication._withheld` decides; shares
beside a withheld count are cut to steps that stand for at least so many people. Ages, flip points, curves,
long access legs and other readings are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.findings import (
    BUCKETS,
    BY_VILLAGE,
    Accounting,
    CapacityResult,
    CircleResult,
    Count,
    PresenceResult,
)
from lifecircle.limits import SLACK_S
from lifecircle.publication._published_kinds import SUPPRESSED, public_kind
from lifecircle.publication._withheld import TOTAL, Withheld, in_area, withheld_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.findings import CircleDistrict, Findings, GroupResult, TargetResult

    Vector = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

STEP_MIN = 5
SIDES_M = tuple(250.0 * 2**level for level in range(11))
MIN_PEOPLE = 20
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# What may stand for a tie: the bucket that makes a cell look worst comes first.
_WORST_FIRST = ("beyond", "disconnected", "unsnapped", "covered")


def public_findings(years: Sequence[Findings], *, min_people: int = MIN_PEOPLE) -> list[Findings]:
    """Reduce the findings of one study to what may be published.

    Parameters
    ----------
    years : findings of one or several years, reduced together, because a reader may compare them
    min_people : no cell, count or difference of counts describes fewer people

    Returns
    -------
    reduced : findings of the same years and targets; a count withheld is NaN, a share None, and the status
        of such a district or target ``suppressed``
    """
    cells = _cells(years, min_people)
    withheld = withheld_counts(years, min_people=min_people)
    return [
        _reduced(findings, at, cells, withheld, min_people)
        for findings, at in zip(years, cells.member, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------------
# Cells


@dataclass(frozen=True, eq=False)
class _Cells:
    """Squares of enough people in every year in which anybody lives there.

    ``places`` : middle in EPSG:4326 (cell,); ``side_m`` : metres of its side; ``member`` : per year, the cell
    of each resident, -1 for none.
    """

    labels: list[str]
    district: list[str]
    places: npt.NDArray[np.object_]
    side_m: list[float]
    member: list[Places]


def _cells(years: Sequence[Findings], min_people: int) -> _Cells:
    """Put residents in the smallest squares that hold enough people; larger ones take who is left."""
    crs = years[0].crs
    frames = [_homes(findings, crs).assign(year=number) for number, findings in enumerate(years)]
    homes = pd.concat(frames, ignore_index=True)
    cell = np.full(len(homes), -1, dtype=np.intp)
    corners: list[tuple[str, float, float, float]] = []
    left = np.flatnonzero(np.isfinite(homes["x"]) & (homes["people"] > 0))
    for side in SIDES_M:
        rows = homes.iloc[left]
        keys = pd.MultiIndex.from_arrays(
            [rows["district"], np.floor(rows["x"] / side) * side, np.floor(rows["y"] / side) * side]
        )
        code, squares = pd.factorize(keys, sort=True)
        sums = np.zeros((len(squares), len(years)))
        np.add.at(sums, (code, rows["year"].to_numpy()), rows["people"].to_numpy())
        enough = ((sums == 0) | (sums >= min_people)).all(axis=1)
        number = np.cumsum(enough) - 1 + len(corners)
        cell[left] = np.where(enough[code], number[code], -1)
        corners += [(*square, side) for square, fits in zip(squares, enough, strict=True) if fits]
        left = left[~enough[code]]
    _join_nearest(cell, homes, corners, left)
    return _Cells(
        [f"{district}/{side:g}/{x:g}/{y:g}" for district, x, y, side in corners],
        [district for district, *_ in corners],
        _middles(corners, years, crs),
        [side for *_, side in corners],
        [cell[homes["year"] == number] for number in range(len(years))],
    )


def _homes(findings: Findings, crs: str) -> pd.DataFrame:
    demand = findings.demand
    shapes = shapely.centroid(demand.to_crs(crs).geometry.to_numpy())
    district = demand["district"].astype(str) if "district" in demand else pd.Series("", index=demand.index)
    return pd.DataFrame(
        {
            "district": district.to_numpy(dtype=object),
            "x": shapely.get_x(shapes),
            "y": shapely.get_y(shapes),
            "people": demand["population"].to_numpy(dtype=float),
        }
    )


def _join_nearest(
    cell: Places, homes: pd.DataFrame, corners: list[tuple[str, float, float, float]], left: Places
) -> None:
    """Put who fills no square of the district in the nearest cell that has people in the same years."""
    if not len(left) or not corners:
        return
    middles = np.array([(x + side / 2, y + side / 2) for _, x, y, side in corners])
    year, xy = homes["year"].to_numpy(), homes[["x", "y"]].to_numpy()
    lived = np.zeros((len(corners), year.max() + 1), dtype=bool)
    lived[cell[cell >= 0], year[cell >= 0]] = True
    for wanted in np.unique(year[left]):
        mine, open_to = left[year[left] == wanted], np.flatnonzero(lived[:, wanted])
        if len(open_to):
            cell[mine] = open_to[cKDTree(middles[open_to]).query(xy[mine])[1]]


def _middles(
    corners: list[tuple[str, float, float, float]], years: Sequence[Findings], crs: str
) -> npt.NDArray[np.object_]:
    """Return the middle of each square, or of its part in the district where the middle lies outside."""
    if not corners:
        return np.array([], dtype=object)
    x, y, side = np.array([corner[1:] for corner in corners]).T
    middles = shapely.points(x + side / 2, y + side / 2)
    outlines = {
        str(code): shape
        for findings in years
        for code, shape in findings.districts.to_crs(crs).geometry.items()
    }
    squares = shapely.box(x, y, x + side, y + side)
    for at, (district, *_) in enumerate(corners):
        outline = outlines.get(district)
        if outline is not None and not outline.contains(middles[at]):
            part = squares[at].intersection(outline)
            if not part.is_empty:
                middles[at] = shapely.point_on_surface(part)
    moved: npt.NDArray[np.object_] = gpd.GeoSeries(middles, crs=crs).to_crs("EPSG:4326").to_numpy()
    return moved


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of residents' values by cell; ``cell`` : that of each resident, -1 for none."""

    cell: Places
    size: int

    def of(self, people: Vector, chosen: npt.NDArray[np.bool_] | None = None) -> Vector:
        """Add up people by cell, of the chosen residents alone."""
        mine = (self.cell >= 0) if chosen is None else (self.cell >= 0) & chosen
        return np.bincount(self.cell[mine], weights=people[mine], minlength=self.size).astype(np.float64)

    def commonest(self, values: npt.NDArray[np.object_], people: Vector) -> npt.NDArray[np.object_]:
        """Return the value of most people of each cell, the first in order among equals, None without any."""
        out = np.full(self.size, None, dtype=object)
        known = np.flatnonzero((self.cell >= 0) & pd.notna(values) & (people > 0))
        if len(known):
            frame = pd.DataFrame({"cell": self.cell[known], "value": values[known], "people": people[known]})
            sums = frame.groupby(["cell", "value"], sort=True)["people"].sum().reset_index()
            first = sums.sort_values(["cell", "people"], ascending=[True, False], kind="stable")
            first = first.drop_duplicates("cell")
            out[first["cell"].to_numpy()] = first["value"].to_numpy(dtype=object)
        return out

    def median(self, values: Vector, people: Vector) -> Vector:
        """Return the middle value of the people of each cell, NaN without any."""
        out = np.full(self.size, np.nan)
        known = np.flatnonzero((self.cell >= 0) & np.isfinite(values) & (people > 0))
        order = known[np.lexsort((values[known], self.cell[known]))]
        weight = np.cumsum(people[order])
        ends = np.flatnonzero(np.diff(self.cell[order], append=-1))
        begin = np.concatenate([[0.0], weight[ends[:-1]]]) if len(ends) else np.zeros(0)
        middle = np.searchsorted(weight, (begin + weight[ends]) / 2)
        out[self.cell[order[ends]]] = values[order[np.minimum(middle, ends)]]
        return out


def _steps(minutes: Vector, limit_min: float) -> Vector:
    """Round minutes up to steps counted from the limit, so that covered and beyond stay what they are.

    >>> _steps(np.array([0.0, 9.9, 10.0, 15.0, 15.2, 21.0]), 15.0).tolist()
    [5.0, 10.0, 10.0, 15.0, 20.0, 25.0]
    >>> _steps(np.array([0.0, 4.0, 4.5]), 9.0).tolist()
    [4.0, 4.0, 9.0]
    """
    over = np.ceil((minutes - limit_min - SLACK_S / 60) / STEP_MIN)
    first = limit_min - STEP_MIN * (math.ceil(limit_min / STEP_MIN) - 1)
    stepped: Vector = np.maximum(limit_min + STEP_MIN * over, first)
    return stepped


def _answers(findings: Findings, result: TargetResult, sums: _Sums, min_people: int) -> dict[str, Any]:
    """Return for each cell what most of its people have, of those the target is about."""
    target = result.target
    name = target.id
    population = findings.demand["population"].to_numpy(dtype=float)
    inside = in_area(findings, result).to_numpy(dtype=bool)
    status = findings.status[name].to_numpy(dtype=object)
    people = np.where(inside, population, 0.0)
    by_bucket = np.array([sums.of(people, status == bucket) for bucket in _WORST_FIRST])
    counted = by_bucket.sum(axis=0) >= min_people
    bucket = np.array(_WORST_FIRST, dtype=object)[by_bucket.argmax(axis=0)]
    mine = np.zeros(len(people), dtype=bool)
    there = sums.cell >= 0
    mine[there] = status[there] == bucket[sums.cell[there]]
    common = np.where(mine, people, 0.0)
    seconds = sums.median(findings.seconds[name].to_numpy(dtype=float), common)
    timed = counted & np.isin(bucket, ("covered", "beyond"))
    steps = _steps(seconds / 60, float(getattr(target, "minutes", np.nan))) * 60
    nearest = sums.commonest(findings.nearest[name].to_numpy(dtype=object), common)
    rounded = _whole(sums.of(population), min_people)
    return {
        "seconds": np.where(timed, steps, np.nan),
        "status": np.where(counted, bucket, ""),
        "nearest": np.where(timed, nearest, np.array(None)),
        "people": np.where(counted, rounded, 0.0),
    }


def _whole(people: Vector, min_people: int) -> Vector:
    """Round down to whole multiples of the least number."""
    multiples: Vector = np.floor(people / min_people + 1e-9) * min_people
    return multiples


# ---------------------------------------------------------------------------------------------------------
# Findings


def _reduced(
    findings: Findings,
    at: Places,
    cells: _Cells,
    withheld: Mapping[tuple[int, str], Withheld],
    min_people: int,
) -> Findings:
    sums = _Sums(at, len(cells.labels))
    population = findings.demand["population"].to_numpy(dtype=float)
    rounded = _whole(sums.of(population), min_people)
    index = pd.Index(cells.labels, name="id", dtype="str")
    columns: dict[str, Any] = {
        "population": rounded,
        "district": cells.district,
        "side_m": np.array(cells.side_m, dtype=np.float64),
    }
    if "village" in findings.demand:
        columns["village"] = sums.commonest(findings.demand["village"].to_numpy(dtype=object), population)
    demand = gpd.GeoDataFrame(columns, index=index, geometry=cells.places, crs="EPSG:4326")
    lived = rounded > 0
    circles = [result for result in findings.targets if result.target.id in findings.seconds]
    answers = {result.target.id: _answers(findings, result, sums, min_people) for result in circles}
    tables = {
        part: pd.DataFrame({name: one[part] for name, one in answers.items()}, index=index)[lived]
        for part in ("seconds", "status", "nearest", "people")
    }
    villages = _villages(findings, min_people)
    targets = tuple(
        _target(findings, result, withheld.get((findings.year, result.target.id)), villages, min_people)
        for result in findings.targets
    )
    return replace(
        findings,
        targets=targets,
        demand=demand[lived],
        villages=villages,
        grid=findings.grid.iloc[:0],
        ranks=findings.ranks.iloc[:0, :0],
        rank_venues=findings.rank_venues.iloc[:0, :0],
        gaps=_gaps(findings, at, cells, min_people),
        rejects=findings.rejects.iloc[:0],
        inputs=(),
        home_supply=pd.DataFrame(),
        venue_supply=pd.DataFrame(),
        roads_key="",
        warnings=(),
        **tables,
    )


def _villages(findings: Findings, min_people: int) -> gpd.GeoDataFrame:
    """Keep names, places and yes or no of villages; whether one is reached only where enough people live."""
    villages = findings.villages
    columns = [
        name
        for name in villages.columns
        if name in {"name", "district", "urban", "geometry"} or name.startswith(("accepted_", "straight_"))
    ]
    kept = villages[columns].copy()
    for name in (column for column in villages.columns if column.startswith("reached_")):
        people = _village_people(findings, name.removeprefix("reached_"))
        kept[name] = villages[name].astype("boolean").where((people >= min_people).to_numpy(), pd.NA)
    return kept


def _village_people(findings: Findings, target: str) -> pd.Series[float]:
    villages = findings.villages
    if f"people_{target}" in villages:
        return villages[f"people_{target}"]
    if "village" in findings.demand and target in findings.people:
        people = findings.people[target].groupby(findings.demand["village"].astype(str)).sum()
        return people.reindex(villages.index.astype(str), fill_value=0.0)
    return pd.Series(0.0, index=villages.index)


def _gaps(findings: Findings, at: Places, cells: _Cells, min_people: int) -> pd.DataFrame:
    """Keep gaps of enough people, at their cells, with people in whole multiples and without a mean time.

    The gap of a presence target is a unit without: which units have a venue is no secret, and their places
    are those of villages, so it stays where it is, but its people are kept back where they are few. Those of
    a capacity target, who find every venue full, are left out with all that is said of them.
    """
    of_units = [result.target.id for result in findings.targets if isinstance(result, PresenceResult)]
    inside = [result.target.id for result in findings.targets if isinstance(result, CapacityResult)]
    enough = (findings.gaps["people"] >= min_people) & ~findings.gaps["target"].isin(inside)
    gaps = findings.gaps[enough | findings.gaps["target"].isin(of_units)].copy()
    people = gaps["people"].to_numpy(dtype=float)
    gaps["people"] = np.where(people >= min_people, _whole(people, min_people), np.nan)
    gaps["minutes"] = np.nan
    gaps["mean_minutes"] = np.nan
    gaps["venues"] = ""
    homes = np.column_stack(
        [shapely.get_x(_points(findings.demand)), shapely.get_y(_points(findings.demand))]
    )
    known = np.flatnonzero(np.isfinite(homes[:, 0]) & (at >= 0))
    place = gaps[["lon", "lat"]].to_numpy(dtype=float)
    unit = gaps["target"].isin(of_units).to_numpy(dtype=bool)
    located = np.flatnonzero(np.isfinite(place).all(axis=1) & ~unit)
    shown = np.where(unit[:, None], place, np.nan)
    if len(known) and len(located):
        nearest = known[cKDTree(homes[known]).query(place[located])[1]]
        middles = cells.places[at[nearest]]
        shown[located] = np.column_stack([shapely.get_x(middles), shapely.get_y(middles)])
    gaps["lon"], gaps["lat"] = shown[:, 0], shown[:, 1]
    return gaps.sort_values(["people", "id"], ascending=[False, True], kind="stable")


def _points(frame: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    points: npt.NDArray[np.object_] = shapely.centroid(frame.geometry.to_numpy())
    return points


# ---------------------------------------------------------------------------------------------------------
# Tables


def _target(
    findings: Findings,
    result: TargetResult,
    withheld: Withheld | None,
    villages: gpd.GeoDataFrame,
    min_people: int,
) -> TargetResult:
    """Withhold what a target may not show."""
    if not isinstance(result, CircleResult):
        result = public_kind(findings, result, min_people=min_people)
    said: dict[str, Any] = {
        "reason": _without_few(result.reason, min_people),
        # Notes on other surfaces are for the office: with the public figures, small counts follow from them.
        "notes": tuple(
            _without_few(note, min_people) for note in result.notes if not note.startswith("surfaces")
        ),
    }
    result = replace(result, **said)
    return result if not isinstance(result, CircleResult) else _circle(result, withheld, villages, min_people)


def _circle(
    result: CircleResult, withheld: Withheld | None, villages: gpd.GeoDataFrame, min_people: int
) -> CircleResult:
    """Withhold counts of too few people and what hidden ones could be worked out from."""
    plain = _without_times(result)
    if withheld is None or result.count is None:
        return _uncounted(plain, min_people)
    rows = tuple(_district(one, withheld) for one in result.districts)
    by_village = getattr(result.target, "accounting", "") in BY_VILLAGE
    if 0 < result.count.people < min_people and not by_village:
        plain = replace(plain, value=None, previous=None, status=SUPPRESSED, band={}, accountings={})
        return replace(plain, count=_NOTHING, shortfall_people=None, groups=(), districts=rows)
    hidden = withheld.hides(TOTAL)
    step = share_step(result.count.people, min_people)
    return replace(
        plain,
        count=_count(result.count, withheld, TOTAL, buckets=not withheld.buckets),
        value=result.value if by_village else _cut(result.value, step) if hidden else result.value,
        previous=result.previous if by_village else _cut(result.previous, step),
        shortfall_people=None if hidden else result.shortfall_people,
        band={
            name: value if name == "usual" and not hidden else _cut(value, step)
            for name, value in result.band.items()
        },
        accountings={
            name: None if rung is None else _rung(name, rung, result, villages, (hidden, step, min_people))
            for name, rung in result.accountings.items()
        },
        districts=rows,
        groups=() if hidden else tuple(_groups(result, withheld)),
    )


def _without_times(result: CircleResult) -> CircleResult:
    """Leave out what needs every resident's time: differences of it would be single households."""
    return replace(
        result,
        shortfall_villages=None,
        flip_kmh=None,
        flip_minutes=None,
        borderline_people=None,
        curve=(),
        variants={},
        modes={},
        village_curve=(),
        surfaces={},
        equity=None,
        only_outside_people=None,
        leg_over_100_m=None,
        leg_over_200_m=None,
    )


def _uncounted(result: CircleResult, min_people: int) -> CircleResult:
    """Withhold the counts of a target that no resident's answer stands behind, where one is too small."""
    counts = [result.count or _NOBODY]
    counts += [one.count for one in result.districts]
    counts += [one.count for one in result.groups]
    if all(value == 0 or value >= min_people for count in counts for value in _values(count)):
        return result
    rows = tuple(replace(one, count=_NOTHING, value=None, status=SUPPRESSED) for one in result.districts)
    return replace(result, count=None, districts=rows, groups=(), shortfall_people=None)


_NOBODY = Count(0.0, 0.0, 0.0, 0.0, 0.0)
_NOTHING = Count(np.nan, np.nan, np.nan, np.nan, np.nan)


def _values(count: Count) -> list[float]:
    return [count.people, count.uncovered, *(getattr(count, bucket) for bucket in BUCKETS)]


def _count(count: Count, withheld: Withheld, code: str, *, buckets: bool) -> Count:
    detail = not withheld.hides(code)
    uncovered = (
        (count.beyond, count.disconnected, count.unsnapped)
        if detail and buckets
        else (np.nan, np.nan, np.nan)
    )
    return Count(
        np.nan if code in withheld.people else count.people,
        count.covered if detail else np.nan,
        *uncovered,
    )


def _district(one: CircleDistrict, withheld: Withheld) -> CircleDistrict:
    hidden = withheld.hides(one.code)
    return replace(
        one,
        count=_count(one.count, withheld, one.code, buckets=False),
        value=None if hidden else one.value,
        status=SUPPRESSED if hidden else one.status,
    )


def _groups(result: CircleResult, withheld: Withheld) -> Iterator[GroupResult]:
    """Keep people and covered people of the groups that are not withheld, not why others are uncovered."""
    for one in result.groups:
        if one.group not in withheld.groups:
            yield replace(one, count=Count(one.count.people, one.count.covered, np.nan, np.nan, np.nan))


def _rung(
    name: str,
    rung: Accounting,
    result: CircleResult,
    villages: gpd.GeoDataFrame,
    how: tuple[bool, float, int],
) -> Accounting:
    """Cut a rung's people to whole multiples and its share to steps; the verdict's own count stays."""
    hidden, step, min_people = how
    column = f"reached_{result.target.id}"
    count = rung.villages
    if name == "reach" and column in villages:
        count = int(villages[column].fillna(value=False).sum())
    same = not hidden and result.count is not None and rung.people == result.count.covered
    if same:
        return replace(rung, villages=count)
    people = float(_whole(np.array([rung.people]), min_people)[0])
    return Accounting(count, people, rung.value if name in BY_VILLAGE else _cut(rung.value, step))


def share_step(people: float, min_people: int) -> float:
    """Return the step of shares that stands for at least so many people.

    >>> share_step(380_000, 20), share_step(1_000, 20), share_step(5, 20)
    (0.001, 0.02, 1.0)
    """
    return next((step for step in _STEPS if step * people >= min_people), _STEPS[-1])


def _cut(value: float | None, step: float) -> float | None:
    """Round a share down to whole steps.

    >>> _cut(0.9996, 0.001), _cut(0.29, 0.01), _cut(None, 0.1)
    (0.999, 0.29, None)
    """
    if value is None:
        return None
    steps = (Decimal(repr(value)) / Decimal(repr(step))).to_integral_value(rounding=ROUND_FLOOR)
    return float(steps * Decimal(repr(step)))


def _without_few(code: str, min_people: int) -> str:
    """Take small numbers of people out of a reason such as ``urban_unknown:12``.

    >>> _without_few("urban_unknown:12", 20), _without_few("rural_radius_used:3", 20)
    ('urban_unknown:<20', 'rural_radius_used:3')
    """
    name, _, rest = code.partition(":")
    if name != "urban_unknown" or not 0 < _number(rest) < min_people:
        return code
    return f"{name}:<{min_people}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
