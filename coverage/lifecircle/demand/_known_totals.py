"""Hold residents to known totals of districts or villages, to the person.

A census or a register knows how many live in a town; a raster or a map of buildings knows where. The people
of every unit are divided among its places by their weight on the surface, by the largest remainder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.demand._apportion import apportion
from lifecircle.demand._crosswalk import move_counts
from lifecircle.demand._residents import MOST_PEOPLE
from lifecircle.errors import Fault, FaultLog, say
from lifecircle.tables import Column, Schema, check_table, nearest_name, read_table, strange_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifecircle.demand._crosswalk import Crosswalk
    from lifecircle.tables import Checked, Source, Table

TOTALS_COLUMNS = Schema(
    "totals",
    (
        Column("code", "text", say("code or name of the district or village"), required=True, filled=True),
        Column(
            "population",
            "number",
            say("residents"),
            unit="people",
            required=True,
            filled=True,
            low=0.0,
            high=MOST_PEOPLE,
        ),
    ),
    part="[demand.totals]",
)
"""Columns of a table of totals, with one for each group that has totals."""


@dataclass(frozen=True, eq=False)
class Totals:
    """Known totals: ``people`` has whole people, index code of the unit, columns ``population`` and groups.

    ``notes`` : codes, as of units without a total; ``rows`` : rows of the table; ``olds`` : old units met.
    """

    people: pd.DataFrame
    rows: int
    notes: tuple[str, ...] = ()
    olds: frozenset[str] = frozenset()


def read_totals(  # noqa: PLR0913 - one keyword for each key of [demand.totals] in a study
    source: Source,
    units: gpd.GeoDataFrame,
    *,
    groups: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    crosswalk: Crosswalk | None = None,
    year: int | None = None,
) -> Totals:
    """Read known totals of districts or villages.

    Parameters
    ----------
    source : table with ``code`` (or the name) and ``population``
    units : districts or villages: index code, ``name``
    groups : group -> column of its total
    columns : canonical name -> name of the column in the file
    crosswalk : by which totals of old units come to those of today, whole people by the largest remainder
    year : of the totals, for the crosswalk

    Returns
    -------
    totals : whole people by unit

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A count is missing, no whole number or negative, a group is larger than its population, a unit is
        unknown or there twice; all faults together.

    >>> towns = gpd.GeoDataFrame({"name": ["East", "West"]}, index=["1", "2"])
    >>> table = pd.DataFrame({"code": ["1", "West"], "population": [30, 12]})
    >>> read_totals(table, towns).people["population"].to_dict()
    {'1': 30, '2': 12}
    """
    table, faults = read_table(source), FaultLog()
    named = dict(groups or {})
    mapped = dict(columns or {})
    schema = Schema(
        TOTALS_COLUMNS.name,
        (*TOTALS_COLUMNS.columns, *(_group_column(name) for name in named)),
        TOTALS_COLUMNS.part,
    )
    for fault in strange_names(mapped, schema.names, file=table.name):
        faults.add(fault)
    checked = check_table(table, schema, columns={**mapped, **named})
    for row, column, value, reason, remedy in checked.rejects.drop(columns="file").itertuples(index=False):
        faults.add(_fault(table, row, column, (str(value), reason, remedy)))
    counts = ["population", *named]
    people = checked.frame[counts]
    for fault in _faults_of_counts(table, checked, counts):
        faults.add(fault)
    known = _known(table, checked, units, crosswalk, faults)
    faults.raise_any()
    whole = people.round().astype(np.int64).set_axis(pd.Index(known, name="code", dtype="str"))
    notes: list[str] = []
    olds: frozenset[str] = frozenset()
    if crosswalk is not None:
        moved = move_counts(whole, crosswalk, year=year)
        whole, olds = moved.table, moved.olds
        if olds:
            notes.append(f"totals_moved:{len(olds)}")
    missing = [str(code) for code in units.index.astype("str") if code not in set(whole.index)]
    if missing:
        notes.append(f"totals_missing:{len(missing)}|{', '.join(missing[:5])}")
    return Totals(whole, len(people), tuple(notes), olds)


def _group_column(name: str) -> Column:
    return Column(
        name,
        "number",
        say("residents of group {name}", name=name),
        unit="people",
        required=True,
        filled=True,
        low=0.0,
        high=MOST_PEOPLE,
    )


def _fault(table: Table, row: Any, column: str, texts: tuple[str, str, str]) -> Fault:
    return Fault(table.name, say("row {row}, column '{column}'", row=row, column=column), *texts)


def _faults_of_counts(table: Table, checked: Checked, counts: list[str]) -> Iterator[Fault]:
    """Yield faults of counts that are no whole people, or of groups larger than everybody."""
    people = checked.frame[counts]
    for name in counts:
        part = people[name].dropna()
        for row, value in part[(part - part.round()).abs() > 1e-6].items():
            reason, remedy = say("no whole number of people"), say("write whole people")
            yield _fault(table, row, checked.found[name], (f"{value:g}", reason, remedy))
        for row in people.index[(people[name] > people["population"]).to_numpy(dtype=bool)]:
            reason = say("larger than the population ({total})", total=f"{people['population'][row]:g}")
            texts = (f"{people[name][row]:g}", reason, say("mend one of the two counts"))
            yield _fault(table, row, checked.found[name], texts)


def _known(
    table: Table,
    checked: Checked,
    units: gpd.GeoDataFrame,
    crosswalk: Crosswalk | None,
    faults: FaultLog,
) -> list[str]:
    """Return the code of every row's unit, of today or old; note units unknown or there twice."""
    codes = units.index.astype("str")
    names = pd.Series(codes, index=units["name"].astype("str"))
    by_name = names[~names.index.duplicated(keep=False)]
    found: list[str] = []
    seen: dict[str, Any] = {}
    for row, text in checked.frame["code"].items():
        old = "" if crosswalk is None else crosswalk.code_of(text)
        code = text if text in codes else old or str(by_name.get(text, ""))
        found.append(code)
        if text and not code:
            near = nearest_name(text, [*codes, *names.index])
            remedy = (
                say("did you mean '{name}'?", name=near) if near else say("use a code of the study's units")
            )
            faults.add(_fault(table, row, checked.found["code"], (text, say("unknown unit"), remedy)))
        elif code in seen:
            reason, remedy = (
                say("the same unit as in row {row}", row=seen[code]),
                say("delete one of the rows"),
            )
            faults.add(_fault(table, row, checked.found["code"], (text, reason, remedy)))
        seen.setdefault(code, row)
    return found


@dataclass(frozen=True, eq=False)
class Constrained:
    """Residents held to totals: ``demand`` whole people; ``unplaced`` : unit -> people without a place.

    ``before`` : people of the surface in the units that have totals.
    """

    demand: gpd.GeoDataFrame
    before: float
    unplaced: Mapping[str, int] = field(default_factory=dict)


def constrain(demand: gpd.GeoDataFrame, totals: Totals, *, unit: str) -> Constrained:
    """Hold residents to known totals of their units, by the largest remainder and to the person.

    People of a unit without totals, and of none, stay as they are. A unit where nobody lives on the surface
    gets its people in a row without a place: they are there, and nobody knows where. A group is divided by
    its own surface, where it has one, and is nowhere larger than the population.

    Parameters
    ----------
    demand : residents with ``unit`` and ``population``, and with columns of groups
    totals : as from :func:`read_totals`
    unit : ``district`` or ``village``

    Returns
    -------
    constrained : every unit of the totals has exactly its people

    >>> homes = gpd.GeoDataFrame(
    ...     {"population": [1.0, 3.0], "district": ["a", "a"]}, geometry=gpd.points_from_xy([0, 1], [0, 1])
    ... )
    >>> known = Totals(pd.DataFrame({"population": [12]}, index=["a"]), 1)
    >>> constrain(homes, known, unit="district").demand["population"].tolist()
    [3.0, 9.0]
    """
    labels = demand[unit].astype("str").to_numpy(dtype=object)
    codes = totals.people.index.to_numpy(dtype=object)
    people = demand["population"].to_numpy(dtype=float)
    shapes = demand.geometry.to_numpy()
    at = pd.Index(codes).get_indexer(pd.Index(labels))
    living = np.isin(np.arange(len(codes)), at[(people > 0) & (at >= 0)])
    rows = np.flatnonzero((at >= 0) & (people > 0))
    before = float(people[at >= 0].sum())
    order = np.full(len(codes), -1)
    order[np.flatnonzero(living)] = np.arange(int(living.sum()))
    parts, known = order[at[rows]], totals.people[living]
    xy = np.column_stack([shapely.get_x(shapes[rows]), shapely.get_y(shapes[rows])])
    out = demand.copy()
    out.loc[:, "population"] = np.where(at >= 0, 0.0, people)
    if len(rows):
        whole = apportion(people[rows], parts, known["population"].to_numpy(), xy=xy)
        new = np.where(at >= 0, 0.0, people)
        new[rows] = whole
        out["population"] = new
        for name in [column for column in totals.people.columns if column != "population"]:
            own = demand[name].to_numpy(dtype=float) if name in demand else people
            group = np.where(at >= 0, 0.0, own)
            # By the share of the group in the row: where a row got no whole person, it has none of a group
            # either,
            # and the group's own weight would give the places that did get one too much.
            weights = whole * own[rows] / people[rows]
            group[rows] = apportion(weights, parts, known[name].to_numpy(), xy=xy, caps=whole)
            out[name] = group
    _scale_groups(out, demand, totals, rows)
    left = totals.people[~living & (totals.people["population"].to_numpy() > 0)]
    unplaced = {str(code): int(count) for code, count in left["population"].items()}
    return Constrained(_with_unplaced(out, left, unit), before, unplaced)


def _scale_groups(
    out: gpd.GeoDataFrame, demand: gpd.GeoDataFrame, totals: Totals, rows: np.ndarray[Any, Any]
) -> None:
    """Let groups without totals change with the population of their row, in place of the given columns."""
    taken = {*totals.people.columns, "extent_m"}
    counts = [name for name in demand.select_dtypes("number").columns if name not in taken]
    before = demand["population"].to_numpy(dtype=float)[rows]
    factor = out["population"].to_numpy(dtype=float)[rows] / before
    for name in counts:
        own = demand[name].to_numpy(dtype=float).copy()
        own[rows] *= factor
        out[name] = own


def _with_unplaced(demand: gpd.GeoDataFrame, left: pd.DataFrame, unit: str) -> gpd.GeoDataFrame:
    """Add a row without a place for every unit whose people have none."""
    if left.empty:
        return demand
    rows = pd.DataFrame(index=pd.Index([f"{unit}:{code}" for code in left.index], name=demand.index.name))
    for name in demand.columns:
        if name == demand.geometry.name:
            continue
        numeric = pd.api.types.is_numeric_dtype(demand[name])
        rows[name] = left[name].to_numpy(dtype=float) if name in left else (0.0 if numeric else "")
    rows[unit] = left.index.to_numpy(dtype=object)
    layer = gpd.GeoDataFrame(rows, geometry=[None] * len(rows), crs=demand.crs)
    joined = pd.concat([demand, layer[demand.columns]])
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=demand.crs)
