"""Write the results of a run to a PostGIS database: all of it in one transaction, or nothing.

A schema holds the runs of any number of studies and years. Its tables ``runs`` and ``results`` hold what a
run was and what it found for every target and district; ``demand``, ``facilities``, ``districts``,
``villages``, ``grid`` and ``gaps`` are the layers of ``results.gpkg``, in EPSG:4326, with ``study`` and
``year`` before their own columns. Writing a run again replaces its rows and no others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Fault, MissingExtraError, UnusableInputError, say
from lifecircle.findings import LABELS, METHOD_VERSION, result_layers
from lifecircle.ledger import result_rows
from lifecircle.tables import connect, driven, is_database, refused, shown_address, sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings

SCHEMA = "lifecircle"
"""Schema that results go to where the address names none."""

_SRID = 4326
_LONGEST_NAME = 63  # bytes of a name that PostgreSQL keeps
_KEYS = {"runs": (), "results": ("target", "district")} | {name: (label,) for name, label in LABELS.items()}
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def write_database(findings: Findings, url: str) -> str:
    """Write a run to a database; its rows of an earlier time are replaced, whole or not at all.

    Parameters
    ----------
    findings : of one run
    url : ``postgresql://host/db``, with ``?schema=name`` where it is not ``lifecircle``

    Returns
    -------
    address : schema and database, without user and password

    Raises
    ------
    UnusableInputError
        The address is of no PostgreSQL database, PostGIS is not there, or the database refuses; then it holds
        what it held before.
    MissingExtraError
        The packages that write databases are not installed.
    """
    sql = sqlalchemy()
    _check_extra()
    address, schema = _address(url, sql)
    shown = f"{shown_address(address.render_as_string())} [{schema}]"
    tables = _tables(findings)
    engine = connect(address)
    try:
        with engine.begin() as connection:
            # Two writers never mix: who comes second waits for the first.
            connection.execute(sql.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": schema})
            _check_postgis(connection, shown, sql)
            connection.execute(sql.schema.CreateSchema(schema, if_not_exists=True))
            run = {"study": findings.study, "year": findings.year}
            for name, frame in tables.items():
                _write_table(connection, schema, name, frame, run)
            _clear_others(connection, schema, tables, run)
    except sql.exc.SQLAlchemyError as error:
        raise UnusableInputError([refused(shown, error)]) from None
    finally:
        engine.dispose()
    return shown


def _check_extra() -> None:
    try:
        import geoalchemy2  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(error.name or "geoalchemy2", "postgis") from None


def _address(url: str, sql: Any) -> tuple[Any, str]:
    """Divide an address into that of the database and the schema.

    Raises
    ------
    UnusableInputError
        It is no address of PostgreSQL, or its schema has no plain name.
    """
    shown = shown_address(url)
    if not is_database(url):
        reason = say("not the address of a PostgreSQL database")
        raise UnusableInputError([Fault(shown, "", "", reason, say("write postgresql://host/database"))])
    try:
        whole = sql.engine.make_url(url)
    except (sql.exc.ArgumentError, ValueError) as error:
        raise UnusableInputError([refused(shown, error)]) from None
    keys = dict(whole.query)
    schema = keys.pop("schema", SCHEMA)
    if not isinstance(schema, str) or not _NAME.fullmatch(schema) or schema.startswith("pg_"):
        reason = say("no name of a schema")
        remedy = say("write a name of small letters, digits and underscores")
        raise UnusableInputError([Fault(shown, "schema", str(schema), reason, remedy)])
    return driven(whole.set(query=keys)), schema


def _tables(findings: Findings) -> dict[str, pd.DataFrame]:
    """Return every table that a run has rows in: its own row, its results, its layers."""
    run = {
        "name": findings.name,
        "language": findings.language,
        "synthetic": findings.synthetic,
        "crs": findings.crs,
        "fingerprint": findings.fingerprint,
        "software": findings.software,
        "method_version": METHOD_VERSION,
    }
    tables = {"runs": pd.DataFrame([run]), "results": pd.DataFrame(list(result_rows(findings)))}
    for name, layer in result_layers(findings).items():
        degrees = layer.to_crs(_SRID)
        own = degrees.geometry.name == "geometry"
        tables[name] = degrees if own else degrees.rename_geometry("geometry")
    whose = {"study": findings.study, "year": findings.year}
    return {name: _with_keys(_plain(frame), whose) for name, frame in tables.items() if len(frame)}


def _with_keys(frame: pd.DataFrame, whose: Mapping[str, Any]) -> pd.DataFrame:
    """Put study and year before a table's columns; one that has such a name gets ``own_`` before it."""
    frame = frame.rename(columns={name: f"own_{name}" for name in whose if name in frame.columns})
    for at, (name, value) in enumerate(whose.items()):
        frame.insert(at, name, value)
    return frame


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of texts, floats, flags and one geometry; columns without any value are left out."""
    shape = getattr(frame, "active_geometry_name", None)
    keys = {key for keys in _KEYS.values() for key in keys}
    columns: dict[str, Any] = {}
    for name in frame.columns:
        cells = frame[name]
        if name == shape or (cells.isna().all() and name not in keys):
            continue
        if pd.api.types.is_bool_dtype(cells.dtype):
            cells = cells.astype("boolean").astype(object)
        elif pd.api.types.is_numeric_dtype(cells.dtype) and name not in keys:
            cells = cells.astype("float64")
        else:
            cells = cells.astype(object).map(_text)
        columns[_fitting(str(name), columns)] = cells
    if shape is None:
        return pd.DataFrame(columns, index=frame.index)
    return gpd.GeoDataFrame(columns, index=frame.index, geometry=frame.geometry, crs=frame.crs)


def _fitting(name: str, taken: Mapping[str, Any]) -> str:
    """Cut a name to what PostgreSQL keeps of it, and number it where another has the same beginning."""
    name, end, number = name.replace("\x00", ""), "", 1
    while (short := name.encode()[: _LONGEST_NAME - len(end)].decode("utf-8", "ignore") + end) in taken:
        number += 1
        end = f"_{number}"
    return short


def _text(cell: Any) -> str | None:
    """Return a cell as text; a database holds no zero byte."""
    if pd.isna(cell):
        return None
    return (cell.isoformat() if hasattr(cell, "isoformat") else str(cell)).replace("\x00", "")


def _kind(cells: pd.Series) -> str:
    if isinstance(cells.dtype, gpd.array.GeometryDtype):
        return f"geometry(Geometry, {_SRID})"
    if cells.dtype == np.dtype("float64"):
        return "double precision"
    if cells.dtype == np.dtype("int64"):
        return "integer"
    return "boolean" if cells.dropna().map(lambda cell: isinstance(cell, bool)).all() else "text"


def _check_postgis(connection: Any, shown: str, sql: Any) -> None:
    """Find PostGIS in the database, or put it there.

    Raises
    ------
    UnusableInputError
        It is not there, and this user may not add it.
    """
    there = sql.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")
    if connection.execute(there).scalar():
        return
    try:
        connection.execute(sql.text("CREATE EXTENSION postgis"))
    except sql.exc.DBAPIError:
        remedy = say("let an administrator of the database run: CREATE EXTENSION postgis")
        reason = say("the database has no PostGIS")
        raise UnusableInputError([Fault(shown, "", "", reason, remedy)]) from None


def _write_table(
    connection: Any, schema: str, name: str, frame: pd.DataFrame, run: Mapping[str, Any]
) -> None:
    """Replace the rows of a run in a table, which is made, or given the columns it lacks, before."""
    kinds = {str(column): _kind(frame[column]) for column in frame.columns}
    _make_table(connection, schema, name, kinds)
    _delete(connection, schema, name, run)
    texts = {
        column: shapely.to_wkb(cells.array, hex=True, include_srid=True)
        if isinstance(cells.dtype, gpd.array.GeometryDtype)
        else cells.astype(object).where(cells.notna(), None)
        for column, cells in (
            (column, frame[column].set_crs(_SRID) if kinds[column].startswith("geometry") else frame[column])
            for column in kinds
        )
    }
    _copy(connection, schema, name, texts)


def _copy(connection: Any, schema: str, name: str, columns: Mapping[str, Any]) -> None:
    """Send rows to a table the way PostgreSQL takes many of them."""
    quoted = ", ".join(map(_quoted, columns))
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {_quoted(schema)}.{_quoted(name)} ({quoted}) FROM STDIN") as copy:
        for row in zip(*columns.values(), strict=True):
            copy.write_row(row)


def _make_table(connection: Any, schema: str, name: str, kinds: Mapping[str, str]) -> None:
    """Make a table, or add the columns it lacks; one of two kinds of values becomes text."""
    sql = sqlalchemy()
    whole = f"{_quoted(schema)}.{_quoted(name)}"
    if not sql.inspect(connection).has_table(name, schema=schema):
        key = ", ".join(map(_quoted, ("study", "year", *_KEYS[name])))
        columns = ", ".join(f"{_quoted(column)} {kind}" for column, kind in kinds.items())
        connection.exec_driver_sql(f"CREATE TABLE {whole} ({columns}, PRIMARY KEY ({key}))")
        if "geometry" in kinds:
            connection.exec_driver_sql(f"CREATE INDEX ON {whole} USING gist (geometry)")
        return
    there = {
        one["name"]: str(one["type"]).lower() for one in sql.inspect(connection).get_columns(name, schema)
    }
    for column, kind in kinds.items():
        if column not in there:
            connection.exec_driver_sql(f"ALTER TABLE {whole} ADD COLUMN {_quoted(column)} {kind}")
        elif kind == "text" and there[column] not in {"text", "varchar"}:
            connection.exec_driver_sql(f"ALTER TABLE {whole} ALTER COLUMN {_quoted(column)} TYPE text")


def _clear_others(
    connection: Any, schema: str, written: Mapping[str, pd.DataFrame], run: Mapping[str, Any]
) -> None:
    """Delete what the run had in tables that it has no rows in now, such as gaps that are closed."""
    sql = sqlalchemy()
    for name in _KEYS:
        if name not in written and sql.inspect(connection).has_table(name, schema=schema):
            _delete(connection, schema, name, run)


def _delete(connection: Any, schema: str, name: str, run: Mapping[str, Any]) -> None:
    sql = sqlalchemy()
    table = sql.table(name, sql.column("study"), sql.column("year"), schema=schema)
    whose = (table.c.study == run["study"]) & (table.c.year == run["year"])
    connection.execute(sql.delete(table).where(whose))


def _quoted(name: str) -> str:
    """Quote a name, whatever stands in it: a column of a register may be called anything."""
    return '"' + name.replace('"', '""').replace("\x00", "") + '"'
