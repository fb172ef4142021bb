"""Mutate inputs past their headers: cells, columns, shapes, documents and bytes, all from one seed.

Owns the drafts of tables and documents, what is done to them, and how they are written in each format. It
imports nothing of the package and knows no reader; ``fuzz_town`` holds what is mutated, ``fuzz_oracle`` says
what a right answer to it is. Every mutation notes what it did, so that a failing case explains itself.
"""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
import json
import math
import shutil
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from openpyxl.utils.exceptions import IllegalCharacterError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

Shape = shapely.Geometry | None

TABLE_FORMATS = ("csv", "xlsx", "gpkg", "shp", "geojson", "parquet", "gdb")


@dataclass
class Draft:
    """A table before it is written.

    ``shapes`` : one for each row, None for a table without geometry; ``titles`` : lines above the header;
    ``steps`` : what was done to it, in order.
    """

    names: list[str]
    rows: list[list[Any]]
    shapes: list[Shape] | None = None
    crs: Any = "EPSG:4326"
    titles: list[list[Any]] = field(default_factory=list)
    delimiter: str = ","
    encoding: str = "utf-8"
    steps: list[str] = field(default_factory=list)

    def copy(self) -> Draft:
        """Give a draft that may be changed without changing this one."""
        return copy.deepcopy(self)


# ---------------------------------------------------------------------------------------------------------
# Values


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


ODD_VALUES: tuple[Any, ...] = (
    None, "", " ", 0, -1, 1, 1.5, -0.0, True, False, "x", "中文", "１２３", "1,5", "1.234,5", "1 000", "0x1F",
    math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, 5e15, 2**31, 2**63, 2**64, 10**30, -(10**30),
    "1e400", "NaN",
    "inf", "None", "NULL", "null", "#N/A", "#REF!", "\u202eabc", "\u200b", "a\u0301", "\x00", "a\x00b",
    "\x07\x1b[31m",
    "a\nb", "a\r\nb", "a\u2028b", "\x85", "\ud800", "x\udfff", "=1+1", "=cmd|' /C calc'!A1", "@SUM(A1)",
    "+1", "-x",
    "http://x.y/" + "a" * 3000, "长" * 40_000, "{{7*7}}", "${x}", "$5_x{", "%s%n", "{0}",
    "<script>x</script>", "';--",
    "../../etc/passwd", "C:\\x", "2025-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "2025年13月",
    "31/12/2025",
    "2025-07-01T25:00", 1899, 45_000, 99_999_999, dt.date(1, 1, 1), dt.time(8, 30),
    pd.Timestamp("2025-07-01 12:00").to_pydatetime(),
    [], {}, [1, 2], ["library"], {"a": 1}, {"a": {"b": []}}, [[]], [None], _deep(30), b"\xff\x00",
    "120.01", 181, -91,
    "120°1'", "30.51N", "EPSG:4326", "nan,nan", "120.01,30.51", "是", "否", "yes", "Y", "T", "2", "１",
    "08:00-26:00",
    "Mo-Fr", "24/7", "off", "8:30-11:30;13:30-17:00", "library;gym", ";", "；", "111", "220", "1" * 12, "1"
    * 400,
)  # fmt: skip
"""What stands in cells of files that went wrong, or that somebody made to go wrong."""


def odd_value(rng: random.Random) -> Any:
    """Draw a value: one of :data:`ODD_VALUES`, or a number or text at random."""
    if rng.random() < 0.85:
        return copy.deepcopy(rng.choice(ODD_VALUES))
    if rng.random() < 0.5:
        return rng.choice([-1, 1]) * 10 ** rng.uniform(-12, 20)
    return "".join(chr(rng.randrange(1, 0x2FFF)) for _ in range(rng.randrange(1, 40)))


# ---------------------------------------------------------------------------------------------------------
# Shapes


def odd_shape(shape: Shape, rng: random.Random) -> tuple[Shape, str]:
    """Draw a shape made from a good one, with the name of what was done to it."""
    name = rng.choice(sorted(_SHAPES))
    return _made(name, shape), name


def _made(name: str, shape: Shape) -> Shape:
    try:
        return _SHAPES[name](shape if shape is not None else shapely.Point(120, 30.5))
    except (shapely.errors.GEOSException, ValueError):
        return None  # a second change to what is odd already may be more than the library can hold


def _moved(shape: shapely.Geometry, change: Callable[[float, float], tuple[float, float]]) -> Shape:
    return shapely.transform(shape, lambda xy: _changed(xy, change))


def _changed(xy: Any, change: Callable[[float, float], tuple[float, float]]) -> Any:
    fresh = xy.copy()
    for row, (x, y) in enumerate(xy):
        fresh[row] = change(x, y)
    return fresh


def _first(shape: shapely.Geometry) -> list[float]:
    found = shapely.get_coordinates(shape)
    return list(found[0]) if len(found) else [120.0, 30.5]


_SHAPES: dict[str, Callable[[shapely.Geometry], Shape]] = {
    "none": lambda _: None,
    "empty point": lambda _: shapely.Point(),
    "empty line": lambda _: shapely.LineString(),
    "empty polygon": lambda _: shapely.Polygon(),
    "empty collection": lambda _: shapely.GeometryCollection(),
    "point": lambda shape: shapely.Point(_first(shape)),
    "many points": lambda shape: shapely.MultiPoint([_first(shape), [121, 30]]),
    "line": lambda shape: shapely.LineString([_first(shape), [120.01, 30.52]]),
    "line of one place": lambda shape: shapely.LineString([_first(shape)] * 2),
    "many lines": lambda shape: shapely.MultiLineString([[_first(shape), [120.01, 30.52]], [[120, 30],
    [121, 31]]]),
    "polygon": lambda shape: shapely.Point(_first(shape)).buffer(0.01),
    "bow tie": lambda _: shapely.Polygon([(120, 30), (121, 31), (121, 30), (120, 31)]),
    "flat polygon": lambda _: shapely.Polygon([(120, 30), (121, 31), (120, 30)]),
    "spike": lambda _: shapely.Polygon([(120, 30), (120.1, 30), (120.1, 30.1), (120.1, 30), (120.2, 30)]),
    "two parts": lambda shape: shapely.MultiPolygon([shapely.Point(_first(shape)).buffer(0.01),
    shapely.box(1, 1, 2, 2)]),
    "collection": lambda shape: shapely.GeometryCollection([shape, shapely.Point(120, 30)]),
    "nested collection": lambda shape: shapely.GeometryCollection([shapely.GeometryCollection([shape])]),
    "with height": lambda shape: shapely.force_3d(shape, 7.0),
    "height not a number": lambda shape: shapely.Point([*_first(shape), math.nan]),
    "axes swapped": lambda shape: _moved(shape, lambda x, y: (y, x)),
    "nowhere": lambda shape: _moved(shape, lambda _x, _y: (math.nan, math.nan)),
    "endless": lambda shape: _moved(shape, lambda x, _y: (x, math.inf)),
    "far away": lambda shape: _moved(shape, lambda x, y: (x * 1e6, y * 1e6)),
    "other side": lambda shape: _moved(shape, lambda x, y: (-x, -y)),
    "beyond the pole": lambda shape: _moved(shape, lambda x, y: (x, y + 151)),
    "a degree off": lambda shape: _moved(shape, lambda x, y: (x + 1, y)),
    "null island": lambda shape: _moved(shape, lambda _x, _y: (0.0, 0.0)),
    "metres": lambda shape: _moved(shape, lambda x, y: ((x - 120) * 95_000 + 500_000, y * 111_000)),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------
# Tables


def mutate_table(draft: Draft, rng: random.Random) -> None:
    """Do one to three things to a table."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        moves = _TABLE_MOVES if draft.shapes is None else _TABLE_MOVES + _SHAPE_MOVES
        move = rng.choice(moves)
        told = move(draft, rng)
        if told:
            draft.steps.append(told)


def _column(draft: Draft, rng: random.Random) -> int:
    return rng.randrange(len(draft.names)) if draft.names else -1


def _one_cell(draft: Draft, rng: random.Random) -> str:
    column = _column(draft, rng)
    if column < 0 or not draft.rows:
        return ""
    row = rng.randrange(len(draft.rows))
    if column >= len(draft.rows[row]):
        return ""
    value = draft.rows[row][column] = odd_value(rng)
    return f"cell {row}, {draft.names[column]!r} = {_short(value)}"


def _some_cells(draft: Draft, rng: random.Random) -> str:
    told = [_one_cell(draft, rng) for _ in range(rng.randrange(2, 6))]
    return "; ".join(filter(None, told))


def _whole_column(draft: Draft, rng: random.Random) -> str:
    column, value = _column(draft, rng), odd_value(rng)
    if column < 0:
        return ""
    for row in draft.rows:
        if column < len(row):
            row[column] = copy.deepcopy(value)
    return f"every {draft.names[column]!r} = {_short(value)}"


def _mixed_column(draft: Draft, rng: random.Random) -> str:
    column = _column(draft, rng)
    if column < 0:
        return ""
    for row in draft.rows:
        if column < len(row):
            row[column] = odd_value(rng)
    values = [_short(row[column]) for row in draft.rows if column < len(row)]
    return f"every {draft.names[column]!r} another odd value: {values}"


def _numbers_as_text(draft: Draft, rng: random.Random) -> str:
    style: Callable[[Any], str] = rng.choice(
        [str, lambda value: f"{value:,}", lambda value: str(value).replace(".", ","),
        lambda value: f" {value} ",
         lambda value: f"{value}人", lambda value: f"'{value}", lambda value: f"{float(value):.2e}"]
    )  # fmt: skip
    for row in draft.rows:
        for column, value in enumerate(row):
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                row[column] = style(value)
    return "numbers as text"


def _drop_column(draft: Draft, rng: random.Random) -> str:
    column = _column(draft, rng)
    if column < 0:
        return ""
    name = draft.names.pop(column)
    for row in draft.rows:
        del row[column : column + 1]
    return f"without column {name!r}"


def _double_column(draft: Draft, rng: random.Random) -> str:
    column = _column(draft, rng)
    if column < 0:
        return ""
    draft.names.append(draft.names[column])
    for row in draft.rows:
        row.append(rng.choice([row[min(column, len(row) - 1)] if row else None, None, 1]))
    return f"column {draft.names[column]!r} twice"


_ODD_NAMES = ("", "名称", "geometry", "fid", "row", "id", "population", "lon", "x", "中" * 300, "\x00",
              "None",
              "nan", "1", "index")  # fmt: skip


def _rename_column(draft: Draft, rng: random.Random) -> str:
    column = _column(draft, rng)
    if column < 0:
        return ""
    before = draft.names[column]
    draft.names[column] = rng.choice(
        [f" {before} ", before.upper(), before[:-1], before + "\n", before + "_1", *_ODD_NAMES]
    )
    return f"column {before!r} called {_short(draft.names[column])}"


def _reorder(draft: Draft, rng: random.Random) -> str:
    order = list(range(len(draft.names)))
    rng.shuffle(order)
    width = len(order)
    draft.names = [draft.names[at] for at in order]
    draft.rows = [[(row + [None] * width)[at] for at in order] + row[width:] for row in draft.rows]
    return "columns in another order"


def _no_rows(draft: Draft, rng: random.Random) -> str:
    draft.rows, draft.shapes = [], None if draft.shapes is None else []
    if rng.random() < 0.3:
        draft.names = []
    return "no rows"


def _ragged(draft: Draft, rng: random.Random) -> str:
    if not draft.rows:
        return ""
    row = rng.choice(draft.rows)
    if rng.random() < 0.5 and row:
        del row[rng.randrange(len(row)) :]
    else:
        row.extend([odd_value(rng) for _ in range(rng.randrange(1, 4))])
    return "a row of another width"


def _titles(draft: Draft, rng: random.Random) -> str:
    lines: list[list[Any]] = [
        ["2025年设施一览表"],
        [],
        ["填报单位：", "某局", 2025],
        [None] * len(draft.names),
    ]
    draft.titles = rng.sample(lines, rng.randrange(1, 4))
    return f"{len(draft.titles)} lines above the header"


def _double_rows(draft: Draft, rng: random.Random) -> str:
    if not draft.rows:
        return ""
    times = rng.choice([1, 1, 2, 40])
    for _ in range(times):
        row = rng.randrange(len(draft.rows))
        draft.rows.append(copy.deepcopy(draft.rows[row]))
        if draft.shapes is not None:
            draft.shapes.append(draft.shapes[row] if row < len(draft.shapes) else None)
    return f"{times} rows again"


def _total_row(draft: Draft, rng: random.Random) -> str:
    row: list[Any] = [None] * len(draft.names)
    if row:
        row[0] = rng.choice(["合计", "Total", "注：以上为年末数"])
    draft.rows.append(row)
    if draft.shapes is not None:
        draft.shapes.append(None)
    return "a line of totals below"


def _semantic(draft: Draft, rng: random.Random) -> str:
    """Write what is well formed and cannot be true."""
    options: dict[str, list[Any]] = {
        "population": [-5, 0, 1e12, 0.5, 10**18], "age_0_2": [1e6, -1], "age_60": [1e6, -0.1],
        "id": ["L1", "r1", 1, 1.0, "1"], "code": ["001", 1, "1.0", 1e11], "opened": ["2030", "2025-07-02", 1],
        "closed": ["2000", "2009-12-31"], "service": ["librari", "library;gym", ""], "lon": [30.5, 12001,
        0, 121.02],
        "lat": [120.0, 3051, 0, 31.5], "district": ["01", "West Bank", "nowhere"], "urban": ["maybe", 2,
        "是"],
        "capacity": [-1, "many"], "cost": [-1, 1e300], "suitability": [-1, 7], "highway": ["motorway",
        "wall", ""],
        "oneway": ["-1", "Y", "1.0", "单行", "T", "perhaps"], "length": [-1, 0, 1e9], "u": [-1, 10**12, 0.5],
        "factor": [-1, 1e300, 0], "people": [-1e9, 0.5], "action": ["explode", "OPEN", ""], "edge": [-1,
        1e9, 0.5],
        "within_m": [-1, 0, 1e9], "hours": ["24/7", "Mo-", "8:30-11:30;13:30-17:00", "周一至周日"],
        "class": ["9", "111"],
        "year": [0, 9999, "2025年"], "value": [-1, 1e308, "7 个"], "kind": ["sea", "WATER"],
    }  # fmt: skip
    here = [name for name in draft.names if name in options]
    if not here or not draft.rows:
        return ""
    name = rng.choice(here)
    column, value = draft.names.index(name), rng.choice(options[name])
    rows = draft.rows if rng.random() < 0.3 else [rng.choice(draft.rows)]
    for row in rows:
        if column < len(row):
            row[column] = value
    return f"{len(rows)} of {name!r} = {_short(value)}"


def _delimiter(draft: Draft, rng: random.Random) -> str:
    draft.delimiter = rng.choice([";", "\t", "|", " ", "，"])
    return f"delimiter {draft.delimiter!r}"


def _encoding(draft: Draft, rng: random.Random) -> str:
    draft.encoding = rng.choice(["utf-8-sig", "gb18030", "latin-1", "utf-16", "cp1252", "utf-16-be", "big5"])
    return f"encoding {draft.encoding}"


_TABLE_MOVES = (
    _one_cell, _one_cell, _one_cell, _some_cells, _whole_column, _whole_column, _mixed_column,
    _numbers_as_text,
    _drop_column, _double_column, _rename_column, _reorder, _no_rows, _ragged, _titles, _double_rows,
    _total_row,
    _semantic, _semantic, _semantic, _delimiter, _encoding,
)  # fmt: skip


def _one_shape(draft: Draft, rng: random.Random) -> str:
    if not draft.shapes:
        return ""
    row = rng.randrange(len(draft.shapes))
    draft.shapes[row], told = odd_shape(draft.shapes[row], rng)
    return f"shape {row}: {told}"


def _all_shapes(draft: Draft, rng: random.Random) -> str:
    assert draft.shapes is not None
    name = rng.choice(sorted(_SHAPES))
    draft.shapes = [_made(name, shape) for shape in draft.shapes]
    return f"every shape: {name}"


def _other_crs(draft: Draft, rng: random.Random) -> str:
    draft.crs = rng.choice(
        [None, "EPSG:4549", "EPSG:3857", "EPSG:32650", "EPSG:4979", "EPSG:4490", "EPSG:2154", "EPSG:5773",
        "EPSG:4978",
         "ESRI:54009", "EPSG:27700", "EPSG:32661"]
    )  # fmt: skip
    return f"CRS {draft.crs}"


def _mixed_shapes(draft: Draft, rng: random.Random) -> str:
    if draft.shapes is None:
        return ""
    told = []
    for row, shape in enumerate(draft.shapes):
        draft.shapes[row], name = odd_shape(shape, rng)
        told.append(name)
    return f"every shape another: {told}"


_SHAPE_MOVES = (
    _one_shape,
    _one_shape,
    _one_shape,
    _all_shapes,
    _all_shapes,
    _other_crs,
    _other_crs,
    _mixed_shapes,
)


def _short(value: Any) -> str:
    told = ascii(value)
    return told if len(told) <= 60 else f"{told[:40]}...({len(told)} characters)"


# ---------------------------------------------------------------------------------------------------------
# Writing


def write_table(draft: Draft, path: Path, rng: random.Random) -> None:
    """Write a draft in the format of the path's suffix; what the format cannot hold goes in as text.

    Warnings of the libraries that write are not the business of anybody who reads.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = path.suffix.lstrip(".")
        try:
            {"csv": _write_csv, "xlsx": _write_xlsx, "geojson": _write_geojson, "json": _write_geojson,
             "parquet": _write_parquet, "gpkg": _write_layer, "shp": _write_layer,
             "gdb": _write_layer}[kind](draft, path, rng)  # fmt: skip
        except Exception as error:
            if kind not in {"gpkg", "shp", "parquet", "gdb"}:
                raise
            # a library that refuses to write what was drafted writes the same as text without shapes
            draft.steps.append(f"{kind} would not hold it ({type(error).__name__}): as text")
            _write_plain(draft, path)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, shapely.Geometry):
        return str(value.wkt)
    return str(value)


def _flat(draft: Draft) -> tuple[list[str], list[list[Any]]]:
    """Put shapes of a table that has no place for them into a column of WKT."""
    if draft.shapes is None:
        return draft.names, draft.rows
    shapes = [*draft.shapes, *[None] * len(draft.rows)]
    return [*draft.names, "wkt"], [[*row, shapes[at]] for at, row in enumerate(draft.rows)]


def _write_csv(draft: Draft, path: Path, rng: random.Random) -> None:
    names, rows = _flat(draft)
    buffer = io.StringIO()
    delimiter = draft.delimiter if len(draft.delimiter) == 1 else ","
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=rng.choice(["\n", "\n", "\r\n"]))
    for line in (*draft.titles, names, *rows):
        writer.writerow([_text(value) for value in line])
    path.write_bytes(
        buffer.getvalue().encode(draft.encoding, "replace" if draft.encoding != "utf-8" else "surrogatepass")
    )


def _write_xlsx(draft: Draft, path: Path, rng: random.Random) -> None:
    names, rows = _flat(draft)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = rng.choice(["Sheet1", "数据", "a" * 31])
    if rng.random() < 0.2:
        book.create_sheet("封面", 0).append(["说明"])
    if rng.random() < 0.1:
        book.create_sheet("空")
    for number, line in enumerate((*draft.titles, names, *rows), start=1):
        for column, value in enumerate(line, start=1):
            _set_cell(sheet, number, column, value)
    if rng.random() < 0.05:
        sheet.merge_cells(start_row=1, start_column=1, end_row=2, end_column=2)
    book.save(path)


def _set_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    plain = value if isinstance(value, int | float | str | dt.date | dt.time | type(None)) else _text(value)
    if isinstance(plain, str):
        plain = plain.encode("utf-8", "replace").decode()  # a workbook cannot hold half a character
    try:
        sheet.cell(row, column).value = plain[:32_000] if isinstance(plain, str) else plain
        if isinstance(plain, float) and not math.isfinite(plain):
            sheet.cell(row, column).value = str(plain)
    except (IllegalCharacterError, ValueError):
        sheet.cell(row, column).value = ascii(plain)


def _write_geojson(draft: Draft, path: Path, rng: random.Random) -> None:
    shapes = draft.shapes if draft.shapes is not None else [None] * len(draft.rows)
    features = []
    for row, given in zip(draft.rows, [*shapes, *[None] * len(draft.rows)], strict=False):
        facts = {name: _json_value(value) for name, value in zip(draft.names, row, strict=False)}
        shape = given if draft.shapes is not None else _point_of(facts)
        features.append({"type": "Feature", "properties": facts, "geometry": _json_shape(shape)})
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if draft.crs not in {None, "EPSG:4326"}:
        name = rng.choice([f"urn:ogc:def:crs:{str(draft.crs).replace(':', '::')}", str(draft.crs)])
        collection = {"crs": {"type": "name", "properties": {"name": name}}, **collection}
    path.write_bytes(json.dumps(collection, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass"))


def _point_of(facts: dict[str, Any]) -> Shape:
    """Draw the point of a table that has it in columns."""
    pair = facts.get("lon"), facts.get("lat")
    if all(type(value) in {int, float} and abs(value) < 1e6 for value in pair):
        return shapely.Point(pair)
    return None


def _json_value(value: Any) -> Any:
    if isinstance(value, dt.date | dt.time | bytes | shapely.Geometry):
        return _text(value)
    return value


def _json_shape(shape: Shape) -> Any:
    if shape is None:
        return None
    try:
        return shapely.geometry.mapping(shape)
    except (ValueError, TypeError, IndexError):
        return {"type": "Point", "coordinates": []}


def _write_parquet(draft: Draft, path: Path, rng: random.Random) -> None:
    width = len(draft.names)
    columns = [[(row + [None] * width)[at] for row in draft.rows] for at in range(width)]
    arrays = [_arrow(column, rng) for column in columns]
    names = list(draft.names)
    metadata = {}
    if draft.shapes is not None:
        shapes = (draft.shapes + [None] * len(draft.rows))[: len(draft.rows)]
        arrays.append(
            pa.array([None if shape is None else _wkb(shape, rng) for shape in shapes], type=pa.binary())
        )
        names.append("geometry")
        about: dict[str, Any] = {"encoding": "WKB", "geometry_types": []}
        if draft.crs != "EPSG:4326":
            import pyproj  # noqa: PLC0415 - only where a CRS is written

            about["crs"] = None if draft.crs is None else pyproj.CRS(draft.crs).to_json_dict()
        geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": about}}
        metadata = {b"geo": json.dumps(geo).encode()}
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)], metadata
    )
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)


def _wkb(shape: shapely.Geometry, rng: random.Random) -> bytes:
    data = bytes(shapely.to_wkb(shape))
    if rng.random() < 0.02:
        return data[: rng.randrange(len(data))]
    return data


def _arrow(values: list[Any], rng: random.Random) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        texts = [
            None if value is None else ascii(value) if _text(value)[:1] >= "\ud800" else _text(value)
            for value in values
        ]
        array = pa.array(
            [text if text is None else text.encode("utf-8", "replace").decode() for text in texts],
            pa.string(),
        )
    types = [pa.dictionary(pa.int32(), array.type), pa.large_string(), pa.decimal128(20, 3), pa.binary(),
    pa.float32(),
             pa.date32(), pa.timestamp("ns", "Asia/Shanghai"), pa.null(), pa.list_(array.type)]  # fmt: skip
    if rng.random() < 0.1:
        try:
            kind = rng.choice(types)
            return array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)
        except pa.ArrowException:
            return array
    return array


def _frame(draft: Draft, *, texts: bool) -> pd.DataFrame:
    width = len(draft.names)
    columns: dict[int, Any] = {}
    for at in range(width):
        values = [row[at] if at < len(row) else None for row in draft.rows]
        kinds = {type(value) for value in values if value is not None}
        if texts or len(kinds) > 1 or kinds & {list, dict, dt.time, bytes}:
            values = [None if value is None and not texts else _plain(value) for value in values]
        columns[at] = pd.Series(values, dtype=None if values else "str")
    frame = pd.DataFrame(columns, index=range(len(draft.rows)), columns=range(width))
    return frame.set_axis(_own_names(draft.names), axis=1)


def _plain(value: Any) -> str:
    """Write a value as text that any library takes."""
    return _text(value).encode("utf-8", "replace").decode().replace("\x00", "")


def _own_names(names: Sequence[str]) -> list[str]:
    """Keep names apart from each other and from ``geometry``, as the formats of layers ask."""
    seen: dict[str, int] = {}
    own = []
    for name in names:
        plain = name.replace("\x00", "") or "f"
        plain = "geometry_" if plain == "geometry" else plain
        count = seen[plain.lower()] = seen.get(plain.lower(), 0) + 1
        own.append(plain if count == 1 else f"{plain}_{count}")
    return own


_DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".gdb": "OpenFileGDB"}


def _write_layer(draft: Draft, path: Path, rng: random.Random) -> None:
    shapes = [None] * len(draft.rows) if draft.shapes is None else (draft.shapes + [None] * len(draft.rows))
    shapes = shapes[: len(draft.rows)]
    frame = gpd.GeoDataFrame(_frame(draft, texts=False), geometry=shapes, crs=draft.crs)
    frame.to_file(path, engine="pyogrio", driver=_DRIVERS[path.suffix])
    if path.suffix == ".gpkg" and rng.random() < 0.08:
        frame.to_file(path, layer="another", engine="pyogrio")
        draft.steps.append("two layers")


_ROW_NUMBERS = {"fid", "objectid"}


def _write_plain(draft: Draft, path: Path) -> None:
    frame = _frame(draft, texts=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
        return
    if path.is_dir():  # what of a file geodatabase was written
        shutil.rmtree(path)
    # A layer has a number of its own for each row, and takes no column of that name.
    frame = frame.rename(columns={name: f"{name} " for name in frame if str(name).lower() in _ROW_NUMBERS})
    points = [shapely.Point(120 + 0.001 * row, 30.51) for row in range(len(frame))]
    gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326").to_file(
        path, engine="pyogrio", driver=_DRIVERS[path.suffix], geometry_type="Point"
    )


# ---------------------------------------------------------------------------------------------------------
# Trees such as those of TOML and of JSON


def mutate_document(document: Any, rng: random.Random) -> list[str]:
    """Do one to three things to a tree of dicts and lists, in place."""
    steps = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        places = list(_places(document, ()))
        if not places:
            return steps
        path = rng.choice(places)
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        steps.append(
            _DOCUMENT_MOVES[rng.randrange(len(_DOCUMENT_MOVES))](holder, path[-1], rng)
            + f" at {_where(path)}"
        )
    return steps


def _where(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def _places(node: Any, path: tuple[Any, ...]) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _other_value(holder: Any, key: Any, rng: random.Random) -> str:
    holder[key] = odd_value(rng)
    return f"value {_short(holder[key])}"


def _taken_out(holder: Any, key: Any, _: random.Random) -> str:
    del holder[key]
    return "taken out"


def _in_a_list(holder: Any, key: Any, rng: random.Random) -> str:
    holder[key] = [holder[key]] * rng.choice([1, 1, 2])
    return "in a list"


def _in_a_table(holder: Any, key: Any, rng: random.Random) -> str:
    holder[key] = {rng.choice(["2021", "a", "file", "zh", "0", ""]): holder[key]}
    return "in a table"


def _other_key(holder: Any, key: Any, rng: random.Random) -> str:
    if not isinstance(holder, dict):
        return _in_a_list(holder, key, rng)
    fresh = rng.choice(
        [f"{key}s", str(key)[:-1] or "k", str(key).upper(), "", "id", "名称", "a.b", "x" * 500, "\x07", "{k}"]
    )
    holder[fresh] = holder.pop(key)
    return f"key {key!r} called {_short(fresh)}"


def _more(holder: Any, key: Any, rng: random.Random) -> str:
    if isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[key]) for _ in range(rng.choice([1, 5])))
        return "again"
    holder[rng.choice(["extra", "layer", "sheet", "columns", "x"])] = odd_value(rng)
    return "a key more"


def _near_value(holder: Any, key: Any, rng: random.Random) -> str:
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = rng.choice(["true", 1, None, not value])
    elif isinstance(value, int | float):
        holder[key] = rng.choice(
            [-value, 0, value * 1e9, str(value), 1e308, math.nan, math.inf, -1e-9, value + 0.5]
        )
    elif isinstance(value, str):
        holder[key] = rng.choice(
            [value + "x", value.upper(), "", f" {value}", value[:-1], f"../{value}", value * 200, "."]
        )
    else:
        holder[key] = type(value)() if isinstance(value, list | dict) else None
    return f"near value {_short(holder[key])}"


_DOCUMENT_MOVES = (_other_value, _other_value, _near_value, _near_value, _near_value, _taken_out, _in_a_list,
                   _in_a_table, _other_key, _more)  # fmt: skip


def toml_text(document: dict[str, Any]) -> str:
    """Write a tree as TOML; what TOML does not know (None) is left out."""
    return "".join(
        f"{_toml_key(key)} = {_toml(value)}\n" for key, value in document.items() if value is not None
    )


def _toml_key(key: Any) -> str:
    return json.dumps(str(key).encode("utf-8", "replace").decode(), ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)  # nan, inf and -inf are written alike in both
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        inside = (f"{_toml_key(key)} = {_toml(one)}" for key, one in value.items() if one is not None)
        return f"{{ {', '.join(inside)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value if one is not None)}]"
    return _toml_key(_text(value))


# ---------------------------------------------------------------------------------------------------------
# Lines of XML


def mutate_xml(text: str, rng: random.Random, steps: list[str]) -> str:
    """Change values of attributes, lines, or the text of an XML document."""
    lines = text.split("\n")
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind = rng.choice(["value", "value", "value", "line", "twice", "shuffle", "text", "nest"])
        at = rng.randrange(len(lines))
        if kind == "value" and '="' in lines[at]:
            parts = lines[at].split('"')
            which = rng.randrange(1, len(parts), 2) if len(parts) > 1 else 0
            fresh = rng.choice(["", "-1", "0", "nan", "inf", "1e400", "99999999999999999999", "x",
            "delete", "false",
                                "motorway", "yes", "-0", "181", "1.5", "&#0;", "&amp;", "中文", "a" *
                                5000])  # fmt: skip
            steps.append(f"line {at}: {parts[which - 1][-20:]} {parts[which][:20]!r} -> {fresh[:20]!r}")
            parts[which] = fresh
            lines[at] = '"'.join(parts)
        elif kind == "line":
            steps.append(f"without line {at}: {lines.pop(at)[:80]}")
        elif kind == "twice":
            lines.insert(at, lines[at])
            steps.append(f"line {at} twice")
        elif kind == "shuffle":
            middle = lines[2:-1]
            rng.shuffle(middle)
            lines[2:-1] = middle
            steps.append("lines in another order")
        elif kind == "text":
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
            steps.append(f"line {at} cut")
        else:
            lines[at] = "<a>" * 50 + lines[at]
            steps.append(f"line {at} behind 50 <a>")
        if not lines:
            break
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------
# Bytes


def mutate_bytes(data: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Cut, flip, insert, repeat or blank bytes; give the new ones and what was done."""
    if not data:
        return b"\x00", "one byte"
    at, length = rng.randrange(len(data)), rng.choice([1, 2, 4, 16, 64, 256])
    name = rng.choice(sorted(_BYTE_MOVES))
    return _BYTE_MOVES[name](data, at, length, rng), f"bytes: {name} at {at} of {len(data)}"


def _flip(data: bytes, _at: int, _length: int, rng: random.Random) -> bytes:
    done = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 10])):
        done[rng.randrange(len(done))] ^= 1 << rng.randrange(8)
    return bytes(done)


def _digits(data: bytes, _at: int, _length: int, rng: random.Random) -> bytes:
    done = bytearray(data)
    places = [place for place, byte in enumerate(done) if 48 <= byte <= 57]
    for place in rng.sample(places, min(len(places), rng.choice([1, 2, 8]))):
        done[place] = rng.choice(b"0123456789.-eE")
    return bytes(done)


def _insert(data: bytes, at: int, length: int, rng: random.Random) -> bytes:
    odd = [rng.randbytes(length), b"\x00" * length, b"\xff\xfe", b"<", b"[" * 5000, b"\r"]
    return data[:at] + rng.choice(odd) + data[at:]


_BYTE_MOVES: dict[str, Callable[[bytes, int, int, random.Random], bytes]] = {
    "cut": lambda data, at, _length, _rng: data[:at],
    "flip": _flip,
    "flip again": _flip,
    "insert": _insert,
    "drop": lambda data, at, length, _rng: data[:at] + data[at + length :],
    "repeat": lambda data, at, length, rng: (
        data[:at] + data[at : at + length] * rng.choice([1, 3]) + data[at:]
    ),
    "zero": lambda data, at, length, _rng: (data[:at] + b"\x00" * length)[: len(data)] + data[at + length :],
    "digits": _digits,
    "empty": lambda _data, _at, _length, _rng: b"",
}
