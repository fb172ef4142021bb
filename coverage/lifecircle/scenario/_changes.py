"""The reading of changes: a file of what is to be different -> checked :class:`Change` rows.

What a row says is checked here by itself; whether the study has the facility, village or road it speaks of
is seen when it is applied.
"""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely.errors import ShapelyError

from lifecircle.datum import EAST_NAMES, LON_NAMES, locate, to_wgs84
from lifecircle.errors import Fault, FaultLog, MissingFileError, UnusableInputError, say
from lifecircle.facilities import readable_hours
from lifecircle.standards import is_too_deep
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
            "serves",
            "text",
            "codes of the units that a facility which opens serves, where a target counts by such a list",
            aliases=("服务范围", "服务村"),
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
        Column(
            "within_m",
            "number",
            "how far a line may be from the roads it joins or closes",
            unit="m",
            low=0.0,
        ),
    ),
)
"""Columns of a table of changes, beside a geometry or ``lon`` and ``lat`` (or ``wkt``)."""

_POINT, _LINE = 0, 1


@dataclass(frozen=True)
class Change:
    """One thing that is to be different.

    ``services`` : one for each venue that opens at the place; ``serves`` : codes of the units it serves, as
    in a register, for targets that count by such a list; ``shape`` : point or line in EPSG:4326;
    ``file``, ``row`` : where it stands. What does not belong to the action is empty.
    """

    action: Action
    id: str = ""
    services: tuple[str, ...] = ()
    name: str = ""
    shape: Any = None
    capacity: float | None = None
    hours: str = ""
    serves: str = ""
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
        """Return what is wrong with a cell of this row."""
        return Fault(self.file, _place(self.row, column), str(value), reason, remedy)


def _place(row: object, column: str = "") -> str:
    """Name a row of a file, and a column of it."""
    return (
        say("row {row}, column '{column}'", row=row, column=column) if column else say("row {row}", row=row)
    )


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
        faults.add(Fault(table.name, _place(one.row, str(one.column)), one.value, one.reason, one.remedy))
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
    "services": (
        "service",
        say("no service is given"),
        say("write the id of the service that opens"),
    ),
    "point": ("geometry", say("no place is given"), say("give lon and lat, or a point")),
    "line": ("geometry", say("no line is given"), say("draw the road as a line")),
    "line or edge": (
        "geometry",
        say("neither a line nor an edge is given"),
        say("draw a line along the road"),
    ),
    "facility": ("id", say("no facility is named"), say("give its id, its name, or a point at its place")),
    "facility_by_name": ("id", say("no facility is named"), say("give its id, or its name")),
    "size": ("capacity", say("no size is given"), say("give capacity, or factor")),
    "hours": ("hours", say("no hours are given"), say("write them like Mo-Su 08:30-20:30")),
    "place": ("village", say("no village or district is named"), say("give the code or name of one")),
    "growth": ("factor", say("neither factor nor people is given"), say("give one of them")),
}

_WORLD = (-180.0, -90.0, 180.0, 90.0)


def _faults(change: Change) -> Iterator[Fault]:
    """Find what a row lacks, or says twice, by itself."""
    if change.action not in ACTIONS:
        yield change.fault(
            "action", change.action, say("unknown action"), _meant(str(change.action), ACTIONS)
        )
        return
    if change.shape is not None:
        yield from _outside_world(change)
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
            why = say("{action}: {why}", action=change.action, why=reason)
            yield change.fault(column, found, why, remedy)
    if change.action in {"resize", "grow"}:
        other, value = (
            ("capacity", change.capacity) if change.action == "resize" else ("people", change.people)
        )
        if change.factor is not None and value is not None:
            reason = say("factor and {other} are both given", other=other)
            yield change.fault("factor", change.factor, reason, say("keep one of them"))
    if change.hours and not readable_hours(change.hours):
        remedy = say("write them like Mo-Su 08:30-20:30")
        yield change.fault("hours", change.hours, say("hours that cannot be read"), remedy)
    if change.oneway not in {"", "yes", "-1"}:
        yield change.fault("oneway", change.oneway, say("unknown direction"), say("write yes, -1 or nothing"))


def _meant(name: str, known: Sequence[str]) -> str:
    """Return which name was meant, or which there are."""
    near = nearest_name(name, known)
    return (
        say("did you mean '{name}'?", name=near)
        if near
        else say("use one of {names}", names=", ".join(known))
    )


def _outside_world(change: Change) -> Iterator[Fault]:
    """Find a place that no degrees can name."""
    west, south, east, north = shapely.bounds(change.shape)
    inside = west >= _WORLD[0] and south >= _WORLD[1] and east <= _WORLD[2] and north <= _WORLD[3]
    if not inside or not np.isfinite(shapely.get_coordinates(change.shape)).all():
        reason = say("a place that is nowhere on earth")
        remedy = say("give longitude, then latitude, in decimal degrees")
        yield change.fault("geometry", f"{west:g}, {south:g} … {east:g}, {north:g}", reason, remedy)


def _table(path: Path) -> Table:
    """Read the rows of a file, whichever of the forms it has."""
    suffix = path.suffix.lower()
    if suffix in {".toml", ".json"} and not path.is_file():
        raise MissingFileError([Fault(str(path), "", "", say("no such file"), say("check the path"))])
    if suffix == ".toml":
        return _toml_table(path)
    if suffix == ".json":
        return _json_table(path)
    if suffix == ".gpkg" and path.is_file():
        layers: list[str] = []
        with suppress(RuntimeError):  # of a damaged file the reader below says what is wrong
            layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if "sites" in layers:
            return _opening(read_table(path, layer="sites"), str(path))
    return read_table(path)


def _toml_table(path: Path) -> Table:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except RecursionError:
        raise UnusableInputError([_too_deep(path)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = say("broken TOML: {error}", error=error)
        raise UnusableInputError([Fault(str(path), "", "", reason, say("correct the file"))]) from None
    if is_too_deep(document):
        raise UnusableInputError([_too_deep(path)])
    unknown = [name for name in document if name != "change"]
    rows = document.get("change", [])
    if unknown or not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        reason = say("no change in it")
        if unknown:
            reason = say("unknown key: {names}", names=", ".join(unknown))
        remedy = say("write a table [[change]] for each change")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
    return _rows(str(path), pd.DataFrame([_with_wkt(row) for row in rows]))


def _with_wkt(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``line = [[lon, lat], ...]`` as WKT; what is no line stays, and is reported with its row."""
    if "line" not in row:
        return dict(row)
    rest = {name: value for name, value in row.items() if name != "line"}
    try:
        places = np.asarray(row["line"], dtype=np.float64)
        fine = places.size > 0 and bool(np.isfinite(places).all())
        return {**rest, "wkt": shapely.LineString(places).wkt} if fine else dict(row)
    except (shapely.GEOSException, ValueError, TypeError, OverflowError):
        return dict(row)


def _json_table(path: Path) -> Table:
    """Read GeoJSON called .json, or the plan of a siting study."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except RecursionError:
        raise UnusableInputError([_too_deep(path)]) from None
    except ValueError as error:
        reason = say("broken JSON: {error}", error=error)
        raise UnusableInputError([Fault(str(path), "", "", reason, say("correct the file"))]) from None
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        return _rows(str(path), _features(path, content.get("features")))
    sites = content.get("sites") if isinstance(content, dict) else None
    if not isinstance(sites, list) or not sites or not all(isinstance(one, dict) for one in sites):
        reason = say("neither GeoJSON nor a plan with sites")
        remedy = say("give a FeatureCollection, or the plan.json of lifecircle site")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
    return _opening(_rows(str(path), pd.DataFrame(sites)), str(path))


def _features(path: Path, features: Any) -> gpd.GeoDataFrame:
    """Read the features of a GeoJSON file, with a fault for each that is none, by its number."""
    faults = FaultLog()
    remedy = say("write it as GeoJSON: type Feature, properties and geometry")
    if not isinstance(features, list):
        faults.add(Fault(str(path), "", "", say("a FeatureCollection without features"), remedy))
        features = []
    rows, shapes = [], []
    for number, one in enumerate(features, 1):
        properties = one.get("properties") if isinstance(one, dict) else None
        fine = isinstance(one, dict) and isinstance(properties or {}, dict)
        try:
            shapes.append(_geometry(one.get("geometry")) if fine else None)
        except (ShapelyError, KeyError, TypeError, ValueError, AttributeError, IndexError):
            fine = False
        rows.append(dict(properties or {}) if fine else {})
        if not fine:
            faults.add(Fault(str(path), _place(number), "", say("not a feature"), remedy))
    faults.raise_any()
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs="EPSG:4326")


def _geometry(drawn: Any) -> Any:
    return shapely.geometry.shape(drawn) if drawn else None


def _too_deep(path: Path) -> Fault:
    return Fault(str(path), "", "", say("nested too deeply to be read"), say("write it with fewer brackets"))


def _opening(table: Table, name: str) -> Table:
    """Make the sites of a plan into venues that open there."""
    frame = table.frame
    missing = [column for column in ("id", "service", "lon", "lat") if column not in frame]
    if missing:
        reason = say("a plan's sites without {names}", names=", ".join(missing))
        remedy = say("write the plan again with lifecircle site")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])
    kept = pd.DataFrame(frame)[
        [column for column in ("id", "name", "service", "hours", "serves", "lon", "lat") if column in frame]
    ]
    ids = kept["id"].map(plain_text).map(lambda label: f"plan-{label}" if label else "")
    return Table(name, kept.assign(action="open", id=ids), table.first_row)


def _rows(name: str, frame: Any) -> Table:
    if not len(frame):
        raise UnusableInputError([Fault(name, "", "", say("no change in it"), say("add one"))])
    return Table(name, frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row")), 1)


def _shapes(table: Table, datum: str) -> Sequence[Any]:
    """Return the point or line of every row in EPSG:4326, None where it has none."""
    frame = table.frame
    shapes: np.ndarray[Any, Any] = np.full(len(frame), None, dtype=object)
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
    if "line" in lower:
        for fault in _no_lines(table):
            faults.add(fault)
    if text is not None:
        _draw(table, text, shapes, datum, faults)
    if any(name in lower for name in (*LON_NAMES, *EAST_NAMES)):
        located = locate(frame, datum=datum, file=table.name)
        wrong = (located.reason != "") & ~located.blank
        for at in np.flatnonzero(wrong):
            place = _place(frame.index[at], str(located.column[at]))
            cell = located.value[at], located.reason[at], located.remedy[at]
            faults.add(Fault(table.name, place, str(cell[0]), cell[1], cell[2]))
        placed = np.array([point is not None for point in located.points], dtype=bool)
        shapes[placed] = located.points[placed]
    faults.raise_any()
    return list(shapes)


def _no_lines(table: Table) -> Iterator[Fault]:
    """Find the lines of a toml file that are none; those that are stand as WKT, see :func:`_with_wkt`."""
    for row, cell in table.frame["line"].items():
        if isinstance(cell, list) or not pd.isna(cell):
            reason, remedy = say("not a line"), say("write line = [[lon, lat], [lon, lat]]")
            yield Fault(table.name, _place(row, "line"), str(cell), reason, remedy)


def _draw(table: Table, column: str, shapes: np.ndarray[Any, Any], datum: str, faults: FaultLog) -> None:
    """Read a column of WKT into the shapes of the rows; what is none is noted."""
    frame = table.frame
    cells = frame[column].astype(object).where(frame[column].notna(), None)
    drawn = shapely.from_wkt(cells, on_invalid="ignore")
    for row, cell, shape in zip(frame.index, frame[column], drawn, strict=True):
        if (shape is None and not pd.isna(cell)) or (shape is not None and shape.is_empty):
            remedy = say("write WKT, as in LINESTRING (lon lat, lon lat)")
            faults.add(Fault(table.name, _place(row, column), str(cell), say("not a shape"), remedy))
    given = np.array([shape is not None and not shape.is_empty for shape in drawn], dtype=bool)
    if given.any():
        layer = gpd.GeoDataFrame(geometry=np.asarray(drawn, dtype=object)[given])
        shapes[given] = to_wgs84(layer, datum=datum, file=table.name).geometry.to_numpy()
