"""Own the reading of changes: a file of what is to be different -> checked :class:`Change` rows.

What a row says is checked here by itself; whether the study has the facility, village or road it speaks of
is seen when it is applied.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from lifecircle.datum import EAST_NAMES, LON_NAMES, locate, to_wgs84
from lifecircle.errors import Fault, FaultLog, MissingFileError, UnusableInputError
from lifecircle.facilities import readable_hours
from lifecircle.tables import Column, Schema, Table, check_table, nearest_name, plain_text, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Action = Literal["open", "close", "move", "resize", "hours", "add_road", "close_road", "grow"]
ACTIONS: tuple[Action, ...] = get_args(Action)

CHANGE_COLUMNS = Schema(
    "changes",
    (
        Column(
            "action",
            "text",
            f"what is done: {', '.join(ACTIONS)}",
            required=True,
            filled=True,
            aliases=("操作", "动作"),
        ),
        Column(
            "id",
            "text",
            "the facility, as the study calls it; of one that opens, what to call it",
            aliases=("编号",),
        ),
        Column(
            "service",
            "text",
            "id of the service; several with ; between them open as one building",
            aliases=("类别", "服务"),
        ),
        Column("name", "text", "what people call it", aliases=("名称",)),
        Column(
            "capacity", "number", "how many it serves", unit="places", low=0.0, aliases=("容量", "容纳人数")
        ),
        Column(
            "hours",
            "text",
            "when it is open, in OpenStreetMap's notation for opening_hours",
            aliases=("开放时间",),
        ),
        Column(
            "village",
            "text",
            "code or name of the village that grows",
            aliases=("村", "村（社区）", "村(社区)"),
        ),
        Column(
            "district",
            "text",
            "code or name of the district that grows, or that the village is in",
            aliases=("镇", "镇（街道）", "镇(街道)"),
        ),
        Column("factor", "number", "what the population is multiplied by", low=0.0, aliases=("倍数",)),
        Column(
            "people", "number", "how many people come (negative: go)", unit="people", aliases=("增减人口",)
        ),
        Column(
            "highway",
            "text",
            "class of the road, as in OpenStreetMap; left out: residential",
            aliases=("道路等级",),
        ),
        Column("oneway", "text", "yes along the line, -1 against it", aliases=("单行",)),
        Column("crossings", "flag", "whether the road joins the roads it crosses", aliases=("相交",)),
        Column("edge", "number", "number of the edge that is closed", low=0.0),
        Column("within_m", "number", "how far a line may be from the roads it joins or closes", unit="m"),
    ),
)
"""Columns of a table of changes, beside a geometry or ``lon`` and ``lat`` (or ``wkt``)."""

_POINT, _LINE = 0, 1


@dataclass(frozen=True)
class Change:
    """One thing that is to be different.

    ``services`` : one for each venue that opens at the place; ``shape`` : point or line in EPSG:4326;
    ``file``, ``row`` : where it stands. What does not belong to the action is empty.
    """

    action: Action
    id: str = ""
    services: tuple[str, ...] = ()
    name: str = ""
    shape: Any = None
    capacity: float | None = None
    hours: str = ""
    village: str = ""
    district: str = ""
    factor: float | None = None
    people: float | None = None
    highway: str = "residential"
    oneway: str = ""
    crossings: bool = False
    edge: int | None = None
    within_m: float | None = None
    file: str = "(changes)"
    row: int = 1

    def fault(self, column: str, value: object, reason: str, remedy: str) -> Fault:
        """Tell what is wrong with a cell of this row."""
        place = f"row {self.row}" + (f", column '{column}'" if column else "")
        return Fault(self.file, place, str(value), reason, remedy)


def read_changes(source: str | Path, *, datum: str = "wgs84") -> tuple[Change, ...]:
    """Read changes from a file.

    Parameters
    ----------
    source : GeoJSON, csv, xlsx, gpkg, shp or parquet with the columns of :data:`CHANGE_COLUMNS`; toml with a
        table ``[[change]]`` for each; ``plan.json`` or ``plan.gpkg`` of a siting study, whose sites open
    datum : of its coordinates, as for facilities

    Returns
    -------
    changes : in the order of the rows

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        With every fault of every row.
    """
    changes, faults = read_rows(Path(source), datum=datum)
    if faults:
        raise UnusableInputError(faults)
    return changes


def read_rows(path: Path, *, datum: str = "wgs84") -> tuple[tuple[Change, ...], tuple[Fault, ...]]:
    """Read the changes of a file that are sound, and what is wrong with the others.

    Raises
    ------
    UnusableInputError
        When the file as a whole cannot be read.
    """
    table = _table(path)
    faults = FaultLog()
    with faults.catching():
        checked = check_table(table, CHANGE_COLUMNS)
    with faults.catching():
        shapes = _shapes(table, datum)
    faults.raise_any()
    for one in checked.rejects.itertuples():
        faults.add(
            Fault(table.name, f"row {one.row}, column '{one.column}'", one.value, one.reason, one.remedy)
        )
    changes = []
    broken = set(checked.rejects["row"])
    for row, shape, cells in zip(table.frame.index, shapes, checked.frame.to_dict("records"), strict=True):
        if row in broken:
            continue
        change = _change(cells, shape, table.name, int(row))
        wrong = list(_faults(change))
        for fault in wrong:
            faults.add(fault)
        if not wrong:
            changes.append(change)
    return tuple(changes), tuple(faults.faults)


def _change(cells: Mapping[Any, Any], shape: Any, file: str, row: int) -> Change:
    """Put a checked row into a change."""
    known = {
        name: value
        for name, value in cells.items()
        if value not in ("", None) and not pd.isna(value) and name not in {"service", "edge", "crossings"}
    }
    services = [part.strip() for part in str(cells.get("service") or "").replace("；", ";").split(";")]
    edge, crossings = cells.get("edge"), cells.get("crossings")
    return Change(
        **known,
        services=tuple(part for part in services if part),
        edge=None if edge is None or pd.isna(edge) else int(edge),
        crossings=crossings is not None and not pd.isna(crossings) and bool(crossings),
        shape=shape,
        file=file,
        row=row,
    )


_NEEDS: dict[str, tuple[str, ...]] = {
    "open": ("services", "point"),
    "close": ("facility",),
    "move": ("facility_by_name", "point"),
    "resize": ("facility", "size"),
    "hours": ("facility", "hours"),
    "add_road": ("line",),
    "close_road": ("line or edge",),
    "grow": ("place", "growth"),
}

_WANTED = {
    "services": ("service", "no service is given", "write the id of the service that opens"),
    "point": ("geometry", "no place is given", "give lon and lat, or a point"),
    "line": ("geometry", "no line is given", "draw the road as a line"),
    "line or edge": ("geometry", "neither a line nor an edge is given", "draw a line along the road"),
    "facility": ("id", "no facility is named", "give its id, its name, or a point at its place"),
    "facility_by_name": ("id", "no facility is named", "give its id, or its name"),
    "size": ("capacity", "no size is given", "give capacity, or factor"),
    "hours": ("hours", "no hours are given", "write them like Mo-Su 08:30-20:30"),
    "place": ("village", "no village or district is named", "give the code or name of one"),
    "growth": ("factor", "neither factor nor people is given", "give one of them"),
}


def _faults(change: Change) -> Iterator[Fault]:
    """Find what a row lacks, or says twice, by itself."""
    if change.action not in ACTIONS:
        near = nearest_name(str(change.action), ACTIONS)
        remedy = f"did you mean '{near}'?" if near else f"use one of {', '.join(ACTIONS)}"
        yield change.fault("action", change.action, "unknown action", remedy)
        return
    kind = -1 if change.shape is None else shapely.get_type_id(change.shape)
    held = {
        "services": bool(change.services),
        "point": kind == _POINT,
        "line": kind == _LINE,
        "line or edge": kind == _LINE or change.edge is not None,
        "facility": bool(change.id or change.name) or kind == _POINT,
        "facility_by_name": bool(change.id or change.name),
        "size": change.capacity is not None or change.factor is not None,
        "hours": bool(change.hours),
        "place": bool(change.village or change.district),
        "growth": change.factor is not None or change.people is not None,
    }
    for need in _NEEDS[change.action]:
        if not held[need]:
            column, reason, remedy = _WANTED[need]
            found = change.shape.geom_type if column == "geometry" and change.shape is not None else ""
            yield change.fault(column, found, f"{change.action}: {reason}", remedy)
    if change.action in {"resize", "grow"}:
        other, value = (
            ("capacity", change.capacity) if change.action == "resize" else ("people", change.people)
        )
        if change.factor is not None and value is not None:
            yield change.fault(
                "factor", change.factor, f"factor and {other} are both given", "keep one of them"
            )
    if change.hours and not readable_hours(change.hours):
        yield change.fault(
            "hours", change.hours, "hours that cannot be read", "write them like Mo-Su 08:30-20:30"
        )
    if change.oneway not in {"", "yes", "-1"}:
        yield change.fault("oneway", change.oneway, "unknown direction", "write yes, -1 or nothing")


def _table(path: Path) -> Table:
    """Read the rows of a file, whichever of the forms it has."""
    suffix = path.suffix.lower()
    if suffix in {".toml", ".json"} and not path.is_file():
        raise MissingFileError([Fault(str(path), "", "", "no such file", "check the path")])
    if suffix == ".toml":
        return _toml_table(path)
    if suffix == ".json":
        return _json_table(path)
    if suffix == ".gpkg" and path.is_file() and "sites" in pyogrio.list_layers(path)[:, 0]:
        return _opening(read_table(path, layer="sites"), str(path))
    return read_table(path)


def _toml_table(path: Path) -> Table:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInputError(
            [Fault(str(path), "", "", f"broken TOML: {error}", "correct the file")]
        ) from None
    unknown = [name for name in document if name != "change"]
    rows = document.get("change", [])
    if unknown or not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        reason = f"unknown key: {', '.join(unknown)}" if unknown else "no change in it"
        fault = Fault(str(path), "", "", reason, "write a table [[change]] for each change")
        raise UnusableInputError([fault])
    return _rows(str(path), pd.DataFrame([_with_wkt(row) for row in rows]))


def _with_wkt(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``line = [[lon, lat], ...]`` as WKT; what is no line is left to be told as one."""
    if "line" not in row:
        return dict(row)
    rest = {name: value for name, value in row.items() if name != "line"}
    try:
        return {**rest, "wkt": shapely.LineString(row["line"]).wkt}
    except (shapely.GEOSException, ValueError, TypeError):
        return {**rest, "wkt": str(row["line"])}


def _json_table(path: Path) -> Table:
    """Read GeoJSON called .json, or the plan of a siting study."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        fault = Fault(str(path), "", "", f"broken JSON: {error}", "correct the file")
        raise UnusableInputError([fault]) from None
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        frame = gpd.GeoDataFrame.from_features(content["features"], crs="EPSG:4326")
        return _rows(str(path), frame)
    sites = content.get("sites") if isinstance(content, dict) else None
    if not isinstance(sites, list) or not sites:
        reason = "neither GeoJSON nor a plan with sites"
        remedy = "give a FeatureCollection, or the plan.json of lifecircle site"
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
    return _opening(_rows(str(path), pd.DataFrame(sites)), str(path))


def _opening(table: Table, name: str) -> Table:
    """Make the sites of a plan into venues that open there."""
    frame = table.frame
    missing = [column for column in ("id", "service", "lon", "lat") if column not in frame]
    if missing:
        reason = f"a plan's sites without {', '.join(missing)}"
        raise UnusableInputError([Fault(name, "", "", reason, "write the plan again with lifecircle site")])
    kept = pd.DataFrame(frame)[
        [column for column in ("id", "name", "service", "hours", "lon", "lat") if column in frame]
    ]
    ids = kept["id"].map(plain_text).map(lambda label: f"plan-{label}" if label else "")
    return Table(name, kept.assign(action="open", id=ids), table.first_row)


def _rows(name: str, frame: Any) -> Table:
    if not len(frame):
        raise UnusableInputError([Fault(name, "", "", "no change in it", "add one")])
    return Table(name, frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row")), 1)


def _shapes(table: Table, datum: str) -> Sequence[Any]:
    """Give the point or line of every row in EPSG:4326, None where it has none."""
    frame = table.frame
    shapes = np.full(len(frame), None, dtype=object)
    if getattr(frame, "active_geometry_name", None) is not None:
        own = to_wgs84(frame, datum=datum, file=table.name).geometry.to_numpy()
        there = ~(shapely.is_missing(own) | shapely.is_empty(own))
        shapes[there] = shapely.force_2d(own[there])
        single = shapely.get_type_id(shapes) > 3
        shapes[single] = shapely.line_merge(shapes[single])
        return list(shapes)
    lower = {str(name).lower(): name for name in frame.columns}
    faults = FaultLog()
    text = next((lower[name] for name in ("wkt", "geometry") if name in lower), None)
    if text is not None:
        drawn = shapely.from_wkt(
            frame[text].astype(object).where(frame[text].notna(), None), on_invalid="ignore"
        )
        for row, cell, shape in zip(frame.index, frame[text], drawn, strict=True):
            if shape is None and not pd.isna(cell):
                remedy = "write WKT, as in LINESTRING (lon lat, lon lat)"
                faults.add(Fault(table.name, f"row {row}, column '{text}'", str(cell), "not a shape", remedy))
        given = np.array([shape is not None for shape in drawn], dtype=bool)
        if given.any():
            layer = gpd.GeoDataFrame(geometry=np.asarray(drawn, dtype=object)[given])
            shapes[given] = to_wgs84(layer, datum=datum, file=table.name).geometry.to_numpy()
    if any(name in lower for name in (*LON_NAMES, *EAST_NAMES)):
        located = locate(frame, datum=datum, file=table.name)
        wrong = (located.reason != "") & ~located.blank
        for at in np.flatnonzero(wrong):
            place = f"row {frame.index[at]}, column '{located.column[at]}'"
            faults.add(
                Fault(
                    table.name,
                    place,
                    str(located.value[at]),
                    str(located.reason[at]),
                    str(located.remedy[at]),
                )
            )
        placed = np.array([point is not None for point in located.points], dtype=bool)
        shapes[placed] = located.points[placed]
    faults.raise_any()
    return list(shapes)
