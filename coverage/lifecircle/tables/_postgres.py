"""Read a table or a query of PostgreSQL, with PostGIS geometries, as one unchanging file.

An address names what is read: ``postgresql://host/db?table=schema.name``, or ``?query=SELECT ...``. User and
password come from where PostgreSQL's own programs look for them: ``PGUSER``, ``PGPASSWORD``, ``~/.pgpass``, a
service file (``postgresql:///?service=county&table=clinics``). Rows of a database have no order, so they are
put in one, and equal rows give equal tables.
"""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.errors import Fault, MissingExtraError, UnusableInputError, say
from lifecircle.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMES = frozenset({"postgresql", "postgres", "postgis"})
_LONGEST_ADDRESS = 1000
_WAIT_S = 10


@dataclass(frozen=True)
class Snapshot:
    """A table of a database as it was read.

    ``path`` : a GeoParquet file that lives as long as the process; ``address`` : where it is from, without
    passwords; ``digest`` : SHA-256 of its names and cells, in order.
    """

    path: Path
    address: str
    digest: str


_SNAPSHOTS: dict[Path, Snapshot] = {}


def is_database(source: object) -> bool:
    """Return whether a source is the address of a database, and not a path.

    Parameters
    ----------
    source : text or path

    Returns
    -------
    database : True for ``postgresql://``, also with a driver in it

    >>> is_database("postgresql+psycopg://host/db?table=t"), is_database("t.csv")
    (True, False)
    """
    scheme, between, _ = str(source).partition("://")
    return bool(between) and scheme.partition("+")[0].lower() in _SCHEMES


def snapshot_of(path: str | Path) -> Snapshot | None:
    """Return the snapshot that a file holds, None for any other file.

    Parameters
    ----------
    path : of a file

    >>> snapshot_of("residents.csv") is None
    True
    """
    return _SNAPSHOTS.get(Path(path))


def database_snapshot(url: str) -> Snapshot:
    """Read a table of a database into a file that lives as long as the process.

    Parameters
    ----------
    url : address with ``table`` or ``query``

    Returns
    -------
    snapshot : the file, its address without passwords, and the hash of what it holds

    Raises
    ------
    UnusableInputError
        The address names no table, or the database refuses.
    MissingExtraError
        The packages that read databases are not installed.
    """
    frame = read_database(url)
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-database-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "table.parquet"
    frame.to_parquet(path)
    found = Snapshot(path, shown_address(url), _digest(frame))
    _SNAPSHOTS[path] = found
    return found


def shown_address(url: str) -> str:
    """Return an address as it may be printed: without user and password.

    >>> shown_address("postgresql://me:secret@host/db?table=clinics")
    'postgresql://***@host/db?table=clinics'
    """
    return one_line(url, _LONGEST_ADDRESS)


def read_database(url: str) -> pd.DataFrame:
    """Read the rows that an address names, in a fixed order; nothing can be changed while reading.

    Parameters
    ----------
    url : address with ``table`` or ``query``

    Returns
    -------
    rows : a GeoDataFrame where there is a geometry, in the CRS of its SRID

    Raises
    ------
    UnusableInputError
        The address names no table, the database refuses, or the columns are not clear.
    MissingExtraError
        The packages that read databases are not installed.
    """
    sql = sqlalchemy()
    address, asked = _split(url, sql)
    shown = shown_address(url)
    engine = connect(address)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            connection.execute(sql.text("SET TRANSACTION READ ONLY"))
            statement, keys = _statement(asked, connection, sql)
            shapes = _geometry_columns(statement, connection, sql)
            if len(shapes) > 1:
                raise UnusableInputError([_several(shown, shapes)])
            if shapes:
                rows = gpd.read_postgis(statement, connection, geom_col=shapes[0])
            else:
                rows = pd.read_sql(statement, connection)
    except (sql.exc.SQLAlchemyError, ValueError) as error:
        if isinstance(error, UnusableInputError):
            raise
        raise UnusableInputError([refused(shown, error)]) from None
    finally:
        engine.dispose()
    if not rows.columns.is_unique:
        reason = say("two columns of the same name")
        raise UnusableInputError([Fault(shown, "", "", reason, say("rename one of them"))])
    return _ordered(_plain_cells(rows), keys)


def sqlalchemy() -> Any:
    """Return SQLAlchemy with the driver of PostgreSQL beside it, loaded only where a database is asked for.

    Raises
    ------
    MissingExtraError
        The driver is not installed.
    """
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra
        import sqlalchemy as sql  # noqa: PLC0415 - a quarter of a second that only a database needs
    except ImportError as error:
        raise MissingExtraError(error.name or "psycopg", "postgis") from None
    return sql


def connect(address: Any) -> Any:
    """Return an engine for an address; it waits ten seconds for a server, not for ever.

    Parameters
    ----------
    address : URL of SQLAlchemy

    Returns
    -------
    engine : of SQLAlchemy, to be disposed of

    Raises
    ------
    UnusableInputError
        A part of the address is none, such as a port that is no number.
    """
    how = {"connect_timeout": _WAIT_S, "application_name": "lifecircle"}
    sql = sqlalchemy()
    try:
        return sql.create_engine(address, poolclass=sql.pool.NullPool, connect_args=how)
    except (sql.exc.ArgumentError, ValueError, TypeError) as error:
        raise UnusableInputError([refused(shown_address(str(address)), error)]) from None


def refused(shown: str, error: Exception) -> Fault:
    """Return the fault for what a database refuses, in one line without the statement.

    Parameters
    ----------
    shown : address without passwords
    error : what was raised
    """
    cause = getattr(error, "orig", None) or error
    reason = say("the database refuses: {what}", what=one_line(str(cause), 300))
    remedy = say(
        "check the address, the rights and that the server runs; user and password may stand in PGUSER, "
        "PGPASSWORD, ~/.pgpass or a service file"
    )
    return Fault(shown, "", "", reason, remedy)


def driven(url: Any) -> Any:
    """Return an address with the driver that reads PostgreSQL."""
    return url.set(drivername="postgresql+psycopg")


@dataclass(frozen=True)
class _Asked:
    table: str = ""
    query: str = ""


def _split(url: str, sql: Any) -> tuple[Any, _Asked]:
    """Divide an address into that of the database and what is asked of it.

    Raises
    ------
    UnusableInputError
        It names neither table nor query, or both, or is no address.
    """
    shown = shown_address(url)
    try:
        whole = sql.engine.make_url(url)
    except (sql.exc.ArgumentError, ValueError) as error:
        raise UnusableInputError([refused(shown, error)]) from None
    keys = dict(whole.query)
    asked = {name: keys.pop(name) for name in ("table", "query") if name in keys}
    if len(asked) != 1 or not isinstance(value := next(iter(asked.values())), str) or not value.strip():
        reason = say("the address names no table")
        remedy = say("end it in ?table=schema.name, or in ?query=SELECT ...")
        raise UnusableInputError([Fault(shown, "", "", reason, remedy)])
    return driven(whole.set(query=keys)), _Asked(**asked)


def _statement(asked: _Asked, connection: Any, sql: Any) -> tuple[Any, list[str]]:
    """Return the statement that reads the rows, and the columns that order them where the table has a key."""
    if asked.query:
        # A colon before a word is a parameter to SQLAlchemy; here it is text of the query, such as an hour.
        return sql.text(re.sub(r"(?<!:):(?=\w)", r"\\:", asked.query.strip().rstrip(";"))), []
    schema, _, name = asked.table.rpartition(".")
    table = sql.table(name, schema=schema or None)
    try:
        key = sql.inspect(connection).get_pk_constraint(name, schema=schema or None)
    except sql.exc.NoSuchTableError:
        key = None  # a view has no key; a name that is not there is refused when it is read
    statement = sql.select(sql.text("*")).select_from(table)
    return statement, list((key or {}).get("constrained_columns") or [])


def _geometry_columns(statement: Any, connection: Any, sql: Any) -> list[str]:
    """Return the names of the columns that hold geometries."""
    kinds = sql.text("SELECT oid FROM pg_type WHERE typname IN ('geometry', 'geography')")
    known = {int(oid) for oid in connection.execute(kinds).scalars()}
    asked = statement.columns() if isinstance(statement, sql.TextClause) else statement
    head = sql.select(sql.text("*")).select_from(asked.subquery("asked")).limit(0)
    described = connection.execute(head).cursor.description
    return [str(column.name) for column in described if column.type_code in known]


def _several(shown: str, shapes: list[str]) -> Fault:
    reason = say(
        "holds {count} {count:geometry|geometries}: {names}", count=len(shapes), names=", ".join(shapes)
    )
    remedy = say("ask for one of them: ?query=SELECT {name}, ... FROM ...", name=shapes[0])
    return Fault(shown, "", "", reason, remedy)


def _plain_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with cells that any file may hold: numbers, dates, flags and texts."""
    shape = getattr(rows, "active_geometry_name", None)
    columns = {
        name: rows[name].map(_plain_cell)
        for name in rows.columns
        if name != shape and rows[name].dtype == np.dtype(object)
    }
    return rows.assign(**columns)


def _plain_cell(cell: Any) -> Any:
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    if isinstance(cell, bytes | memoryview):
        return bytes(cell).hex()
    return str(cell)


def _ordered(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Put rows in the order of their key, else of all that they hold."""
    if keys and all(name in rows.columns for name in keys):
        return rows.sort_values(keys, kind="stable", ignore_index=True)
    texts = pd.Series(list(map("\x1f".join, _texts(rows))), dtype=object)
    return rows.iloc[np.argsort(texts.to_numpy(), kind="stable")].reset_index(drop=True)


def _texts(rows: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the cells of every row as text, geometries as their bytes in hexadecimal digits."""
    shape = getattr(rows, "active_geometry_name", None)
    columns = [
        rows[name].to_wkb(hex=True) if name == shape else rows[name].astype(object) for name in rows.columns
    ]
    for row in zip(*columns, strict=True):
        yield ["" if pd.isna(cell) else repr(cell) for cell in row]


def _digest(rows: pd.DataFrame) -> str:
    """Hash what the rows hold, whatever wrote the file they are kept in."""
    digest = hashlib.sha256("\x1f".join(map(str, rows.columns)).encode())
    crs = getattr(rows, "crs", None)
    digest.update(("" if crs is None else crs.to_string()).encode())
    for row in _texts(rows):
        digest.update(("\x1e" + "\x1f".join(row)).encode())
    return digest.hexdigest()
