"""Read the rows of a road table: its columns under their usual names, its words, its lines in a known CRS.

Who may use a road is decided in ``_profiles``, where lines meet in ``_joining``.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.datum import wgs84_from_bd09, wgs84_from_gcj02
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads._column_words import (
    LETTERS,
    cell_words,
    class_names,
    class_word,
    is_said,
    names_of,
    oneway_word,
    plain,
    read_tags,
)
from lifecircle.roads._profiles import PROFILES
from lifecircle.roads._source import code_text, open_layer
from lifecircle.roads._topology import shift_between
from lifecircle.tables import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecircle.roads._network import FloatArray, LongArray, ObjectArray
    from lifecircle.roads._topology import BoolArray

PLACE_COLUMNS: Final = ("u_lon", "u_lat", "v_lon", "v_lat")
_GEOMETRY_COLUMNS = ("geometry", "wkt", "geom")
_LEVEL_KEYS = ("layer", "bridge", "tunnel")
_EDGE_COLUMNS = ("u", "v", "length", *PLACE_COLUMNS)
_OTHER_COLUMNS = ("seconds", "speed_kmh", "geometry", *_EDGE_COLUMNS)
_RENAMED = ("oneway", *_LEVEL_KEYS, "speed_kmh", "seconds")
_EXPRESSWAYS = frozenset({"motorway", "motorway_link"})
_NO_CHANGE = {("datum", "wgs84"), ("split_crossings", False)}
_SHOWN = 10
"""Number of rows that one message lists."""

_SHIFTED: Final[Mapping[str, Callable[..., tuple[Any, Any]]]] = {
    "gcj02": wgs84_from_gcj02,
    "bd09": wgs84_from_bd09,
}


@dataclass(frozen=True)
class LineSettings:
    """How a table of lines is to be read.

    Attributes
    ----------
    join_m : ends that miss another line by no more are joined to it.
    layer : layer of a GeoPackage.
    columns : our name of a column -> the name it has in the table; an empty name: there is none.
    classes : word of the class column -> road class; ``no``: its rows are no roads.
    datum : ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n``; None: what the file states.
    split_crossings : join lines that cross without a shared vertex; None: where the table grades lines apart.
    """

    join_m: float = 0.1
    layer: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    datum: str | None = None
    split_crossings: bool | None = None

    def key(self) -> str:
        """Return the settings in one text, for a key of the cache."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    def beyond_joining(self) -> list[str]:
        """List the settings that only tables of lines have and that differ from their defaults."""
        usual = LineSettings()
        names = ("layer", "columns", "classes", "datum", "split_crossings")
        return [
            name
            for name in names
            if getattr(self, name) != getattr(usual, name)
            and (name in {"columns", "classes"} or (name, getattr(self, name)) not in _NO_CHANGE)
        ]


@dataclass(frozen=True)
class Rows:
    """The rows of a road table in use, column names in lower case.

    ``number`` is each row's number as a person sees it; ``line`` its LineString in ``crs`` or None;
    ``stated`` what stood in the class column and ``known`` whether that word means a road;
    ``class_column`` its name, empty where the table has none.
    """

    name: str
    frame: pd.DataFrame
    number: LongArray
    line: ObjectArray
    crs: pyproj.CRS
    stated: ObjectArray
    known: BoolArray
    class_column: str = ""
    notes: tuple[str, ...] = ()

    def taking(self, kept: BoolArray | LongArray) -> Rows:
        """Return some of the rows."""
        return replace(
            self,
            frame=self.frame.iloc[kept],
            number=self.number[kept],
            line=self.line[kept],
            stated=self.stated[kept],
            known=self.known[kept],
        )

    def column(self, name: str) -> FloatArray | None:
        """Return a column of numbers, NaN where there is none; None without the column."""
        if name not in self.frame.columns:
            return None
        numbers: FloatArray = pd.to_numeric(self.frame[name], errors="coerce").to_numpy(
            np.float64, na_value=np.nan
        )
        return numbers

    def faults(
        self, wrong: Any, reason: str, remedy: str, *, column: str = "", values: Any = None
    ) -> list[Fault]:
        """Return faults for the first few wrong rows, with the value of each."""
        where = f", column {column!r}" if column else ""
        return [
            Fault(
                self.name,
                f"row {self.number[i]}{where}",
                "" if values is None else " ".join(str(values[i]).split())[:60],
                reason,
                remedy,
            )
            for i in np.flatnonzero(wrong)[:_SHOWN]
        ]

    @property
    def levels(self) -> LongArray:
        """Return the level of each row: ``layer``, else 1 on a bridge and -1 in a tunnel, else 0."""
        stated = self.column("layer")
        level = np.zeros(len(self.frame)) if stated is None else np.nan_to_num(stated, posinf=0, neginf=0)
        for key, storey in (("bridge", 1), ("tunnel", -1)):
            if key in self.frame.columns:
                said = {word: _any_said(word) for word in set(self.frame[key])}
                there = np.array([said[word] for word in self.frame[key]], dtype=bool)
                # A stated layer goes before the storey that a bridge or a tunnel implies.
                level = np.where((level == 0) & there, storey, level)
        return np.clip(np.round(level), -1000, 1000).astype(np.int64)


def _any_said(word: Any) -> bool:
    return any(is_said(part) for part in word) if isinstance(word, tuple) else is_said(word)


def read_rows(source: Any, settings: LineSettings) -> Rows:
    """Read the table, rename its columns and find its lines.

    Raises
    ------
    UnusableInputError
        No geometry, no CRS, rows that are not lines, a column that is named and not there.
    """
    table, notes = open_layer(source, settings.layer)
    given = table.frame
    crs = pyproj.CRS("EPSG:4326")
    with_lines = isinstance(given, gpd.GeoDataFrame)
    if isinstance(given, gpd.GeoDataFrame):
        line = given.geometry.to_numpy()
        crs = _stated_crs(given.crs, settings.datum, table.name)
        given = pd.DataFrame(given.drop(columns=given.geometry.name))
    else:
        given = pd.DataFrame(given)
        line = np.full(len(given), None, dtype=object)
        crs = _stated_crs(crs, settings.datum, table.name)
    frame = given.rename(columns={name: str(name).strip().lower() for name in given.columns})
    # Columns that differ in case alone have become one name: the first is kept.
    frame = frame.loc[:, ~frame.columns.duplicated()]
    # Kept before the index is reset: faults name the row that a person sees in the file.
    number = frame.index.to_numpy(np.int64)
    frame = frame.reset_index(drop=True)
    none = np.full(len(frame), "", dtype=object)
    rows = Rows(table.name, frame, number, line, crs, none, np.ones(len(frame), dtype=bool), notes=notes)
    # Columns are renamed first, because every later step looks for them by our names.
    rows = _named(rows, settings)
    if not with_lines:
        rows = _with_text_lines(rows, settings)
    return _with_words(_shifted(_of_lines(rows), settings.datum), settings)


# --------------------------------------------------------------------------------------------------------
# Where the lines are


def _stated_crs(own: Any, datum: str | None, name: str) -> pyproj.CRS:
    """Return the CRS that coordinates are written in: the declared one, else the file's own.

    Raises
    ------
    UnusableInputError
        There is none, or the datum is unknown.
    """
    text = (datum or "").strip().lower().replace("-", "").replace(" ", "")
    if text.startswith("epsg:"):
        try:
            return pyproj.CRS.from_user_input(text)
        except pyproj.exceptions.CRSError as error:
            reason = say("there is no such EPSG code")
            remedy = say("look the code up, for example EPSG:4549")
            raise UnusableInputError([Fault(name, "datum", str(datum), reason, remedy)]) from error
    if text not in {"", "wgs84", *_SHIFTED}:
        reason = say("roads cannot be read in this datum")
        remedy = say("declare wgs84, gcj02, bd09 or EPSG:n, for example EPSG:4549")
        raise UnusableInputError([Fault(name, "datum", str(datum), reason, remedy)])
    if own is None and not text:
        reason = say("the lines have no CRS")
        remedy = say(
            "store the file with its CRS (a .prj beside a .shp), or declare it: datum = '{example}'",
            example="EPSG:4549",
        )
        raise UnusableInputError([Fault(name, "geometry", "", reason, remedy)])
    return pyproj.CRS.from_user_input("EPSG:4326" if own is None else own)


def _shifted(rows: Rows, datum: str | None) -> Rows:
    """Convert the lines and the coordinate columns from a Chinese map datum to WGS84."""
    # After the layer's own projection: offices project shifted coordinates as if they were WGS84.
    undo = _SHIFTED.get((datum or "").strip().lower().replace("-", ""))
    degrees = pyproj.CRS("EPSG:4326")
    to_degrees = shift_between(rows.crs, degrees)
    frame = rows.frame
    if set(PLACE_COLUMNS) <= set(frame.columns) and (undo is not None or datum is not None):
        for lon_name, lat_name in (PLACE_COLUMNS[:2], PLACE_COLUMNS[2:]):
            lon, lat = (
                pd.to_numeric(frame[each], errors="coerce").to_numpy(np.float64, na_value=np.nan)
                for each in (lon_name, lat_name)
            )
            if datum is not None and datum.strip().lower().startswith("epsg:"):
                lon, lat = to_degrees(lon, lat)
            if undo is not None:
                lon, lat = undo(lon, lat)
            frame = frame.assign(**{lon_name: lon, lat_name: lat})
    if undo is None:
        return replace(rows, frame=frame)
    lines = shapely.transform(rows.line, lambda x, y: undo(*to_degrees(x, y)), interleaved=False)
    return replace(rows, frame=frame, line=lines, crs=degrees)


def _with_text_lines(rows: Rows, settings: LineSettings) -> Rows:
    """Read lines written as text (WKT), or check that an edge table needs none."""
    column = next((name for name in _GEOMETRY_COLUMNS if name in rows.frame.columns), None)
    if column is None:
        edges = _with_edge_columns(rows.frame, settings)
        if {"u", "v", *PLACE_COLUMNS} <= set(edges.columns):
            return replace(rows, frame=edges)
        reason = say("there are no lines in it")
        remedy = say(
            "give a column 'geometry' with lines as WKT in longitude and latitude, or the columns "
            "u, v, {places} and length (also from, to, from_lon ..., length_m, seconds)",
            places=", ".join(PLACE_COLUMNS),
        )
        there = [str(name) for name in rows.frame.columns if rows.class_column or name != "highway"]
        found = " ".join(", ".join(there).split())[:200]
        raise UnusableInputError([Fault(rows.name, "columns", found, reason, remedy)])
    text = rows.frame[column].to_numpy(dtype=object)
    stated = np.array([isinstance(item, (str, bytes)) and bool(item.strip()) for item in text], dtype=bool)
    line = np.full(len(text), None, dtype=object)
    for i in np.flatnonzero(stated):
        read = shapely.from_wkb if isinstance(text[i], bytes) else shapely.from_wkt
        line[i] = read(text[i], on_invalid="ignore")
    wrong = stated & shapely.is_missing(line)
    if wrong.any():
        remedy = say("write lines as WKT: LINESTRING (lon lat, lon lat)")
        raise UnusableInputError(
            rows.faults(wrong, say("this is not a line"), remedy, column=column, values=text)
        )
    return replace(rows, line=line)


def _of_lines(rows: Rows) -> Rows:
    """Check that geometries are lines, join the parts of multi-lines that follow on one another.

    Raises
    ------
    UnusableInputError
        Points, polygons, coordinates that are not numbers.
    """
    line = rows.line.copy()
    line[shapely.is_empty(line)] = None
    kind = shapely.get_type_id(line)
    wrong = ~np.isin(kind, [-1, 1, 2, 5])
    faults = rows.faults(
        wrong,
        say("roads are lines, this is none"),
        say("give the layer with the road lines"),
        column="geometry",
        values=[shape.geom_type if shape is not None else "" for shape in line] if wrong.any() else None,
    )
    coordinates, row = shapely.get_coordinates(line, return_index=True)
    broken = np.bincount(row, weights=~np.isfinite(coordinates).all(axis=1), minlength=len(line)) > 0
    reason, remedy = say("coordinates are not numbers"), say("draw the line again")
    faults += rows.faults(broken, reason, remedy, column="geometry")
    if faults:
        raise UnusableInputError(faults)
    if (shapely.get_coordinate_dimension(line) > 2).any():
        line = shapely.force_2d(line)
    several = kind == 5
    # Parts that follow one another become one line; parts that do not stay apart.
    line[several] = shapely.line_merge(line[several])
    ring = kind == 2
    line[ring] = [shapely.LineString(shape.coords) for shape in line[ring]]
    return replace(rows, line=line)


# --------------------------------------------------------------------------------------------------------
# What the columns are called


def _known_columns() -> list[str]:
    keys = {key for used in PROFILES.values() for key in used.ways.keys}
    return sorted(keys | set(_LEVEL_KEYS) | set(_OTHER_COLUMNS))


def _named(rows: Rows, settings: LineSettings) -> Rows:
    """Rename the columns to our names: as the study states, else by their usual names.

    Raises
    ------
    UnusableInputError
        The study names a column that is not there, or a name of ours that there is not.
    """
    _check_settings(rows, settings)
    said = {ours.strip().lower(): theirs.strip().lower() for ours, theirs in settings.columns.items()}
    frame = rows.frame
    # A column that has our name but another meaning, by the study's own words, must not be read.
    unused = [ours for ours, theirs in said.items() if ours in frame.columns and theirs != ours]
    source = frame
    frame = frame.drop(columns=unused)
    for ours, theirs in said.items():
        if theirs:
            frame = frame.assign(**{ours: source[theirs]})
    for ours in _RENAMED:
        theirs_found = _by_usual_name(frame, ours)
        if ours not in said and ours not in frame.columns and theirs_found:
            frame = frame.assign(**{ours: frame[theirs_found]})
    frame = _with_tags(frame)
    if "highway" in said:
        column = said["highway"]
    else:
        column = _class_column(frame, settings)
        if column and column != "highway":
            frame = frame.assign(highway=frame[column])
    notes = list(rows.notes)
    if column and column != "highway":
        notes.append(f"class_column:{code_text(column)}")
    if not column:
        frame = frame.assign(highway=None)
        notes.append("no_class_column")
    return replace(rows, frame=frame, class_column=column, notes=tuple(notes))


def _check_settings(rows: Rows, settings: LineSettings) -> None:
    known, there = _known_columns(), list(rows.frame.columns)
    faults = []
    for ours, theirs in settings.columns.items():
        if ours.strip().lower() not in known:
            near = nearest_name(ours, known)
            reason = say("roads have no such column")
            remedy = (
                say("did you mean '{name}'?", name=near)
                if near
                else say("use one of {known}", known=", ".join(known))
            )
            faults.append(Fault(rows.name, f"columns.{ours}", "", reason, remedy))
        elif theirs.strip() and theirs.strip().lower() not in there:
            reason = say("the road table has no column of this name")
            remedy = say("the table has {columns}", columns=" ".join(", ".join(there).split())[:200])
            faults.append(Fault(rows.name, f"columns.{ours}", theirs, reason, remedy))
    for word, meaning in settings.classes.items():
        if meaning not in class_names():
            near = nearest_name(meaning, sorted(class_names()))
            reason = say("this is no road class")
            remedy = say(
                "use a class of OpenStreetMap, such as '{near}', or 'no' for what is no road",
                near=near or "residential",
            )
            faults.append(Fault(rows.name, f"classes.{word}", str(meaning), reason, remedy))
    if faults:
        raise UnusableInputError(faults)


def _by_usual_name(frame: pd.DataFrame, kind: str) -> str | None:
    """Find the column that goes by a usual name of a kind, the surest name first."""
    names = {plain(str(column)): str(column) for column in reversed(list(frame.columns))}
    return next((names[name] for name in names_of(kind) if name in names), None)


def _with_edge_columns(frame: pd.DataFrame, settings: LineSettings) -> pd.DataFrame:
    """Rename the columns of a table of edges without lines; name junctions by their coordinates."""
    said = {ours.strip().lower() for ours in settings.columns}
    for ours in _EDGE_COLUMNS:
        theirs = _by_usual_name(frame, ours)
        if ours not in said and ours not in frame.columns and theirs:
            frame = frame.assign(**{ours: frame[theirs]})
    if set(PLACE_COLUMNS) <= set(frame.columns) and not {"u", "v"} & {*frame.columns, *said}:
        # Without names equal coordinates are one junction, as they are where lines are drawn.
        names = [
            frame[lon].astype("str") + " " + frame[lat].astype("str")
            for lon, lat in (PLACE_COLUMNS[:2], PLACE_COLUMNS[2:])
        ]
        frame = frame.assign(u=names[0], v=names[1])
    return frame


def _with_tags(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill empty cells of the columns that the rules read from a column that holds many tags."""
    names = {plain(str(column)): str(column) for column in frame.columns}
    column = next((names[name] for name in names_of("tags") if name in names), None)
    if column is None:
        return frame
    wanted = frozenset({*_known_columns(), "highway"} - set(_OTHER_COLUMNS))
    cells = frame[column].tolist()
    # Each different text is parsed once: a county has a million rows and a few thousand texts.
    kept = {cell: read_tags(cell, wanted) for cell in {cell for cell in cells if isinstance(cell, str)}}
    tags = [kept[cell] if isinstance(cell, str) else read_tags(cell, wanted) for cell in cells]
    for key in sorted({key for found in tags for key in found}):
        values = np.array([found.get(key) for found in tags], dtype=object)
        if key in frame.columns:
            own = frame[key].to_numpy(dtype=object)
            empty = frame[key].isna().to_numpy() | np.array(
                [isinstance(cell, str) and not cell.strip() for cell in own]
            )
            values = np.where(empty, values, own)
        frame = frame.assign(**{key: pd.Series(values, index=frame.index, dtype=object)})
    return frame


def _class_column(frame: pd.DataFrame, settings: LineSettings) -> str:
    """Find the class column: the surest name in which a word is known, else the surest name; or none."""
    names = {plain(str(column)): str(column) for column in reversed(list(frame.columns))}
    candidates = [names[name] for name in (*names_of("class"), *names_of("class_maybe")) if name in names]
    own = _own_classes(settings)
    for column in candidates:
        words = {cell_words(cell) for cell in _distinct(frame[column])}
        if any(class_word(part, own) for word in words if word for part in _parts(word)):
            return column
    return candidates[0] if candidates else ""


def _own_classes(settings: LineSettings) -> dict[str, str]:
    return {plain(word): meaning for word, meaning in settings.classes.items()}


def _distinct(column: pd.Series[Any]) -> list[Any]:
    """List the different cells of a column; cells that cannot be hashed are listed one by one."""
    cells: list[Any] = column.tolist()
    try:
        return list(dict.fromkeys(cells))
    except TypeError:
        return cells


def _parts(word: Any) -> tuple[str, ...]:
    return word if isinstance(word, tuple) else (word,)


# --------------------------------------------------------------------------------------------------------
# What the cells say


def _with_words(rows: Rows, settings: LineSettings) -> Rows:
    """Read the columns the rules read as words of tags, ``highway`` always, its words as road classes.

    Raises
    ------
    UnusableInputError
        A cell holds a record instead of a word.
    """
    keys = [key for key in sorted({*_known_columns()} - set(_OTHER_COLUMNS)) if key in rows.frame.columns]
    read = {key: _column_words(rows.frame[key]) for key in keys}
    faults = []
    for key, words in read.items():
        reason = say("a cell of a road table holds one word, this one holds a record")
        remedy = say("write one word for each cell")
        wrong = np.array([word is None for word in words], dtype=bool)
        faults += rows.faults(
            wrong, reason, remedy, column=key, values=rows.frame[key].to_numpy(dtype=object)
        )
    if faults:
        raise UnusableInputError(faults)
    notes = list(rows.notes)
    for key in keys:
        if key.startswith("oneway"):
            read[key], said = _oneways(read[key])
            notes += said
        elif key != "highway":
            read[key] = _mapped(read[key], str.lower)
    stated = read["highway"]
    own = _own_classes(settings)
    read["highway"], known = _classes(stated, own)
    if rows.class_column not in {"", "highway"}:
        stated, known, said = _with_other_columns(rows, own, read, stated, known)
        notes += said
    return replace(rows, frame=rows.frame.assign(**read), stated=stated, known=known, notes=tuple(notes))


def _column_words(column: pd.Series[Any]) -> ObjectArray:
    cells = column.tolist()
    words = np.empty(len(cells), dtype=object)
    kept: dict[Any, Any] = {}
    for i, cell in enumerate(cells):  # a list of equal tuples would be taken for two dimensions
        if isinstance(cell, str):
            if cell not in kept:
                kept[cell] = cell_words(cell)
            words[i] = kept[cell]
        else:
            words[i] = cell_words(cell)
    return words


def _mapped(words: ObjectArray, change: Callable[[str], str]) -> ObjectArray:
    """Return words changed by a function, which is called once for each different word."""
    new = {
        word: tuple(change(part) for part in word) if isinstance(word, tuple) else change(word)
        for word in set(words.tolist())
    }
    changed = np.empty(len(words), dtype=object)
    for i, word in enumerate(words):
        changed[i] = new[word]
    return changed


def _oneways(words: ObjectArray) -> tuple[ObjectArray, list[str]]:
    """Return one-way words as those of OpenStreetMap; notes list the unknown words."""
    count = Counter(part.lower() for word in words for part in _parts(word) if part)
    notes = [
        f"oneway_unknown:{code_text(word)}|{number}"
        for word, number in sorted(count.items())
        if oneway_word(word) is None
    ][:_SHOWN]
    if LETTERS <= set(count) <= LETTERS:
        notes.append(f"oneway_letters:{count['f']}|{count['t']}")
    return _mapped(words, lambda word: oneway_word(word) or word.lower()), notes


def _classes(stated: ObjectArray, own: Mapping[str, str]) -> tuple[ObjectArray, BoolArray]:
    """Return the road class of every row, and whether its word is known; an empty cell has no class.

    Of several words in a cell the known ones count; an unknown word stays as it is.
    """
    found: dict[Any, tuple[Any, bool]] = {}
    for word in set(stated.tolist()):
        classes = [class_word(part, own) for part in _parts(word)]
        meant = tuple(dict.fromkeys(each for each in classes if each))
        if meant:
            found[word] = (meant if len(meant) > 1 else meant[0], True)
        else:
            found[word] = (word if isinstance(word, str) else word[0], not word)
    highway = np.empty(len(stated), dtype=object)
    known = np.empty(len(stated), dtype=bool)
    for i, word in enumerate(stated):
        highway[i], known[i] = found[word]
    return highway, known


def _with_other_columns(
    rows: Rows,
    own: Mapping[str, str],
    read: dict[str, ObjectArray],
    stated: ObjectArray,
    known: BoolArray,
) -> tuple[ObjectArray, BoolArray, list[str]]:
    """Take from further class columns what the first one leaves open; change ``read["highway"]``.

    Offices keep who a road belongs to (行政等级) beside how it is built (技术等级). A national
    road that is built as an expressway is one: nobody walks there. A row without a known
    class takes the other column's.

    Returns
    -------
    stated, known : as they are then; notes
    """
    columns = {plain(str(column)): str(column) for column in reversed(list(rows.frame.columns))}
    others = [columns[name] for name in (*names_of("class"), *names_of("class_maybe")) if name in columns]
    notes = []
    stated, known, highway = stated.copy(), known.copy(), read["highway"].copy()
    for column in others:
        if column in {"highway", rows.class_column}:
            continue
        words = _column_words(rows.frame[column])
        words[np.array([word is None for word in words], dtype=bool)] = ""
        classes, sure = _classes(words, own)
        sure &= np.array([bool(word) for word in words], dtype=bool)
        open_rows = sure & (~known | np.array([not word for word in stated], dtype=bool))
        fast = np.array([word in _EXPRESSWAYS for word in classes], dtype=bool) & ~open_rows
        fast &= np.array([word not in _EXPRESSWAYS for word in highway], dtype=bool)
        for at in np.flatnonzero(open_rows | fast):
            highway[at], stated[at], known[at] = classes[at], words[at], True
        for code, count in (("classes_from", int(open_rows.sum())), ("expressways_by", int(fast.sum()))):
            if count:
                notes.append(f"{code}:{code_text(column)}|{count}")
    read["highway"] = highway
    return stated, known, notes


def left_out_by_class(stated: ObjectArray) -> dict[str, int]:
    """Count rows by unknown class word: reason code -> rows, rare words together."""
    count = Counter(code_text("; ".join(_parts(word))) for word in stated)
    common = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    codes = {f"unknown_class:{word}": number for word, number in common[:20]}
    rest = sum(number for _, number in common[20:])
    return codes | ({f"unknown_classes:{len(common) - 20}": rest} if rest else {})
