"""Keep a register of runs that is only ever added to: SQLite beside the runs, or PostgreSQL by its URL.

Every row of a run holds the hash of its results and of the row before it, so that a row that was changed,
left out or put in later shows. The database itself refuses to change or delete rows. Order is a row's number,
never its clock.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sqlite3
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from lifecircle.errors import Fault, LifecircleError, MissingExtraError, UnusableInputError, say
from lifecircle.files import clear_beside, content_key, file_hash, written
from lifecircle.findings import CHECKSUMS, as_circle, load_findings
from lifecircle.ledger._evidence import Evidence, read_evidence
from lifecircle.ledger._register_tables import METADATA, RESULTS, RUNS, SEALED, VALUES
from lifecircle.ledger._superseded import kept_by, run_folders, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings

_log = logging.getLogger(__name__)

REGISTER = "ledger.sqlite"
URL = "LIFECIRCLE_LEDGER"
"""Environment variable with the address of a database that is used instead of the file."""


class Register:
    """A register that is open; :func:`open_register` opens one."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine

    def add(  # noqa: PLR0913 - what is noted of a run, all named
        self,
        findings: Findings,
        evidence: Evidence,
        folder: Path,
        *,
        seconds: float | None = None,
        now: Callable[[], datetime] | None = None,
        rebuilt: bool = False,
    ) -> int | None:
        """Add a run, unless the last one of its year is the very same.

        Parameters
        ----------
        folder : of the run, complete; what stands beside it says whether it replaced another, and why
        seconds : how long the audit took
        now : the clock; its time is noted, and decides nothing
        rebuilt : the run was not noted when it was written, and is noted from its folder

        Returns
        -------
        number : of the run in the register, None where nothing was added
        """
        rows = list(result_rows(findings))
        return self.add_rows(rows, evidence, folder, seconds=seconds, now=now, rebuilt=rebuilt)

    def add_rows(  # noqa: PLR0913 - what is noted of a run, all named
        self,
        results: Iterable[dict[str, Any]],
        evidence: Evidence,
        folder: Path,
        *,
        seconds: float | None = None,
        now: Callable[[], datetime] | None = None,
        rebuilt: bool = False,
    ) -> int | None:
        """Add a run by the rows of its results, as :func:`result_rows` gives them; else as :meth:`add`."""
        rows = [_plain_values(one) for one in results]
        row = {
            **_plain(evidence, folder),
            **_replaced(folder, rebuilt=rebuilt),
            "seconds": None if seconds is None else round(seconds, 3),
            "written": (now or _clock)().isoformat(timespec="seconds"),
            "values_key": _values_key(rows),
        }
        with self._engine.begin() as connection:
            # Two writers never follow the same row: who comes second waits, and follows the first.
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE runs IN EXCLUSIVE MODE")
            last = self._last(connection)
            mine = self._last(connection, study=evidence.study, year=evidence.year)
            if mine is not None and all(mine[key] == row[key] for key in ("fingerprint", "results_key")):
                return None
            row["before"] = "" if last is None else last["row_key"]
            if last is not None and not rebuilt and row["written"] < last["written"]:
                _log.warning(
                    "the clock was set back: the last run was noted at %s, this one at %s; "
                    "the register keeps the order in which runs were added",
                    last["written"],
                    row["written"],
                )
            row["row_key"] = _key(row)
            added = connection.execute(sql.insert(RUNS).values(**row).returning(RUNS.c.number))
            number = int(added.scalar_one())
            whose = {"run": number, "study": evidence.study, "year": evidence.year}
            if rows:
                connection.execute(sql.insert(RESULTS), [{**whose, **one} for one in rows])
        return number

    @staticmethod
    def _last(connection: Any, **of: Any) -> dict[str, Any] | None:
        query = sql.select(RUNS).order_by(RUNS.c.number.desc()).limit(1)
        for name, value in of.items():
            query = query.where(RUNS.c[name] == value)
        found = connection.execute(query).mappings().first()
        return None if found is None else dict(found)

    def runs(self) -> pd.DataFrame:
        """Return every run, in the order they were added."""
        with self._engine.connect() as connection:
            return pd.read_sql(sql.select(RUNS).order_by(RUNS.c.number), connection, index_col="number")

    def history(
        self, study: str, target: str | None = None, *, districts: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return values by year and district, of the last run of each year.

        Parameters
        ----------
        target : left out, every target
        districts : codes; left out, every district and the whole study, whose code is empty

        Returns
        -------
        rows : year, target, district, value, status, people, covered, run, method_version; ``method_changed``
            is true where the figure is of another version of the method than the one of the year before it,
            so that their difference is no progress
        """
        latest = sql.select(sql.func.max(RUNS.c.number)).where(RUNS.c.study == study).group_by(RUNS.c.year)
        columns = [RESULTS.c[name] for name in ("year", "target", "district", "value", "status")]
        columns += [RESULTS.c[name] for name in ("people", "covered", "run")]
        query = sql.select(*columns).where(RESULTS.c.study == study, RESULTS.c.run.in_(latest))
        if target is not None:
            query = query.where(RESULTS.c.target == target)
        if districts is not None:
            query = query.where(RESULTS.c.district.in_(list(districts)))
        query = query.order_by(RESULTS.c.target, RESULTS.c.district, RESULTS.c.year)
        methods = sql.select(RUNS.c.number, RUNS.c.method_version).where(RUNS.c.number.in_(latest))
        with self._engine.connect() as connection:
            found = connection.execute(query)
            rows = pd.DataFrame(list(map(tuple, found.fetchall())), columns=list(found.keys()))
            method_of = {int(number): str(method) for number, method in connection.execute(methods)}
        rows["method_version"] = rows["run"].map(method_of).astype(object)
        earlier = rows.groupby(["target", "district"], sort=False)["method_version"].shift()
        rows["method_changed"] = earlier.notna() & (earlier != rows["method_version"])
        return rows

    def changed_rows(self, *, results: bool = False) -> list[int]:
        """Return the numbers of runs whose row is not what was added, or does not follow the row before.

        Parameters
        ----------
        results : compare the values of every target and district too, which takes seconds in a long register
        """
        found, before = set[int](), ""
        with self._engine.connect() as connection:
            keys = self._values_keys(connection) if results else {}
            nothing = _values_key([])
            for row in connection.execute(sql.select(RUNS).order_by(RUNS.c.number)).mappings():
                number = int(row["number"])
                changed = row["before"] != before or row["row_key"] != _key(dict(row))
                if changed or (results and keys.pop(number, nothing) != row["values_key"]):
                    found.add(number)
                before = row["row_key"]
        return sorted(found | keys.keys())  # results of a run that is not there any more were changed too

    @staticmethod
    def _values_keys(connection: Any) -> dict[int, str]:
        """Hash the results of every run as they are now."""
        rows: dict[int, list[dict[str, Any]]] = {}
        query = sql.select(RESULTS.c.run, *(RESULTS.c[name] for name in VALUES))
        for run, *values in connection.execute(query):
            rows.setdefault(int(run), []).append(dict(zip(VALUES, values, strict=True)))
        return {run: _values_key(values) for run, values in rows.items()}

    def knows(self, results_key: str) -> bool:
        """Return whether a run with these results was ever added."""
        query = sql.select(RUNS.c.number).where(RUNS.c.results_key == results_key).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()


# ---------------------------------------------------------------------------------------------------------
# Opened, and built again where it is damaged


@contextmanager
def open_register(results: Path, *, url: str | None = None, coming: Path | None = None) -> Iterator[Register]:
    """Open the register of a folder of runs, built from the folders where there is none.

    A damaged file is kept aside as ``ledger.sqlite.damaged-1`` and the register is built again from the
    evidence in the folders; runs are never at risk. A file that is locked, or on a disk that is full or can
    only be read, is not damaged, and is left as it is.

    Parameters
    ----------
    results : folder of runs, such as ``STUDY/results``
    url : of a database instead; left out, what ``LIFECIRCLE_LEDGER`` says, else the file in the folder
    coming : folder of a run that is going to be added, and is not built from

    Raises
    ------
    UnusableInputError
        When a database cannot be used; its address is shown without its password.
    MissingExtraError
        When the driver of the database is not installed.
    """
    address = url or os.environ.get(URL, "")
    with _explained(address or str(results / REGISTER)):
        register = Register(_connected(address) if address else _opened_file(results / REGISTER, coming))
        try:
            yield register
        finally:
            register.close()


def note_run(
    results: Path, findings: Findings, evidence: Evidence, *, seconds: float | None = None
) -> Fault | None:
    """Add a run that is written to the register; what goes wrong is returned, never raised.

    The run's folder is safe by now, and the next audit notes what is missing: a register that cannot be used
    is no reason to fail.

    Returns
    -------
    fault : why the run could not be noted, None where it was
    """
    folder = results / str(findings.year)
    try:
        with open_register(results, coming=folder) as register:
            register.add(findings, evidence, folder, seconds=seconds)
            if changed := register.changed_rows():
                shown = os.environ.get(URL, "") or str(results / REGISTER)
                numbers = ", ".join(map(str, changed))
                return _changed_fault(shown, numbers)
    except UnusableInputError as error:
        return error.faults[0]
    except (LifecircleError, OSError) as error:
        reason = say("the register cannot be used: {what}", what=str(error))
        return Fault(str(results / REGISTER), "", "", reason, "")
    return None


def _changed_fault(shown: str, numbers: str) -> Fault:
    reason = say("rows {numbers} of the register were changed after they were added", numbers=numbers)
    remedy = say("see which with lifecircle ledger check STUDY; the results themselves are not affected")
    return Fault(shown, "", "", reason, remedy)


def rebuild_register(results: Path) -> tuple[Path | None, int]:
    """Build the register of a folder again from the runs in it, and keep the present one aside.

    Returns
    -------
    kept : the register there was, None where there was none
    runs : how many the new one holds

    Raises
    ------
    UnusableInputError
        When the folder cannot be written.
    """
    path = results / REGISTER
    with _explained(str(path)):
        kept = _aside(path) if path.exists() else None
        _build(path, results, None)
        with open_register(results, url=_file_url(path)) as register:
            return kept, len(register.runs())


def check_register(results: Path, results_key: str, *, whole: bool = False) -> list[str]:
    """Compare a run with its register, without changing or mending the register.

    Parameters
    ----------
    results : folder of runs
    results_key : SHA-256 of the run's ``checksums.txt``; empty compares the register with itself alone
    whole : compare the values of every run too

    Returns
    -------
    codes : ``register_damaged``, ``register_row_changed:numbers``, ``register_knows_not``; empty where all is
        right or there is no register
    """
    address = os.environ.get(URL, "")
    path = results / REGISTER
    if not address and not path.is_file():
        return []
    uri = address or f"sqlite:///file:{path.as_posix().replace('?', '%3f')}?mode=ro&uri=true"
    register = None
    try:
        register = Register(sql.create_engine(uri))
        changed = register.changed_rows(results=whole)
        known = not results_key or register.knows(results_key)
    except (SQLAlchemyError, ImportError):
        return ["register_unreachable"] if address else ["register_damaged"]
    finally:
        if register is not None:
            register.close()
    codes = [f"register_row_changed:{', '.join(map(str, changed))}"] if changed else []
    return codes if known else [*codes, "register_knows_not"]


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Turn what a database refuses into a fault of one line, which never shows a password.

    Raises
    ------
    UnusableInputError
        In the place of an error of the database.
    MissingExtraError
        When the driver of the database is not installed.
    """
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtraError(getattr(error, "name", None) or "psycopg", "postgis") from None
    except SQLAlchemyError as error:
        shown = address
        if "://" in address:
            with suppress(SQLAlchemyError):
                shown = sql.engine.make_url(address).render_as_string()
        reason = say("the register cannot be used: {what}", what=_short(error))
        remedy = say("the results are safe; build the register again with lifecircle ledger rebuild STUDY")
        if "://" in address:
            remedy = say("mend {name}, or leave it out to use the file beside the runs", name=URL)
        raise UnusableInputError([Fault(shown, "", "", reason, remedy)]) from None


def _opened_file(path: Path, coming: Path | None) -> sql.Engine:
    """Open the file of a folder, built from the runs where it is missing, empty or damaged."""
    clear_beside(path)
    if path.is_file() and path.stat().st_size:
        engine = sql.create_engine(_file_url(path))
        try:
            with engine.connect() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
            METADATA.create_all(engine)
        except DBAPIError as error:
            found = _short(error)
            if not _is_damage(error):
                engine.dispose()
                raise
        if found == "ok":
            return engine
        engine.dispose()
        kept = _aside(path)
        _log.warning("%s is damaged (%s): kept as %s, built again", path, found, kept.name)
    _build(path, path.parent, coming)
    return _connected(_file_url(path))


def _connected(address: str) -> sql.Engine:
    """Open a database, its tables and triggers made where they are not there."""
    engine = sql.create_engine(address)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                # Two that make the same trigger at once refuse each other.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('lifecircle ledger'))")
            METADATA.create_all(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _file_url(path: Path) -> str:
    return sql.engine.URL.create("sqlite", database=str(path)).render_as_string()


def _is_damage(error: DBAPIError) -> bool:
    """Return whether a file itself is wrong, and not the disk it is on or who else has it open."""
    return isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(
        error.orig, sqlite3.OperationalError
    )


def _aside(path: Path) -> Path:
    """Copy a register that is to be replaced; the file itself stays until the new one takes its place."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    with written(kept) as fresh:
        fresh.write_bytes(path.read_bytes())
    return kept


def _build(path: Path, results: Path, coming: Path | None) -> None:
    """Build a register from the folders of runs, those that were replaced first; whole or not at all."""
    with written(path) as fresh:
        # Made here, a file has the rights that others of the user have; SQLite would keep a group out, and
        # colleagues who share a folder could not note their runs.
        fresh.touch()
        register = Register(_connected(_file_url(fresh)))
        try:
            for folder in run_folders(results):
                if folder == coming:
                    continue
                try:
                    _add_folder(register, folder)
                except UnusableInputError as error:
                    _log.warning("%s is left out of the register: %s", folder, error)
        finally:
            register.close()
        # What a killed writer of the damaged file had begun belongs to that file, and not to the new one.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _add_folder(register: Register, folder: Path) -> None:
    when = datetime.fromtimestamp((folder / CHECKSUMS).stat().st_mtime, UTC) if sealed(folder) else _clock()
    register.add(load_findings(folder), read_evidence(folder), folder, now=lambda: when, rebuilt=True)


# ---------------------------------------------------------------------------------------------------------
# Rows


def _short(error: Exception) -> str:
    """Return what a database says in one line, without the statement."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:160]


def _clock() -> datetime:
    return datetime.now(UTC)


def _plain(evidence: Evidence, folder: Path) -> dict[str, Any]:
    return {
        "study": evidence.study,
        "year": evidence.year,
        "folder": folder.name,
        "fingerprint": evidence.fingerprint,
        "method_version": evidence.method_version,
        "software": evidence.software,
        "profile": str(evidence.standard.get("id", "")),
        "declared_key": evidence.declared_key,
        "standard_key": evidence.standard_key,
        "inputs": json.dumps(dict(evidence.hashes), ensure_ascii=False, sort_keys=True),
        "results": json.dumps(sealed(folder), ensure_ascii=False, sort_keys=True),
        "results_key": file_hash(folder / CHECKSUMS),
    }


def _replaced(folder: Path, *, rebuilt: bool) -> dict[str, str]:
    """Return which run was replaced by the one in a folder, and what differs, as its own folder says.

    It is read from the disk: a command that was killed between the two notes the same as one that was not.
    """
    name, differs = kept_by(folder)
    reason = f"superseded:{name}" if name else ""
    if rebuilt:
        reason = f"rebuilt|{reason}" if reason else "rebuilt"
    return {"reason": reason, "differs": json.dumps(differs, ensure_ascii=False)}


def _key(row: dict[str, Any]) -> str:
    return content_key(json.dumps([row[name] for name in SEALED], ensure_ascii=False))


def _values_key(rows: Iterable[dict[str, Any]]) -> str:
    """Hash the results of a run, whatever their order."""
    plain = [json.dumps([row[name] for name in VALUES], ensure_ascii=False) for row in rows]
    return content_key(*sorted(plain))


def _plain_values(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as a database gives it back: floats, and None for what is unknown."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in (
            (name, float(value) if name in {"value", "people", "covered"} and value is not None else value)
            for name, value in row.items()
        )
    }


def result_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield a row for every target as a whole, code empty, and for each of its districts.

    Parameters
    ----------
    findings : of one run

    Yields
    ------
    row : target, department, district, value, status, people, covered
    """
    for result in findings.targets:
        shared = {"target": result.target.id, "department": result.target.department}
        count = as_circle(result).count
        yield {
            **shared,
            "district": "",
            "value": result.value,
            "status": result.status,
            "people": None if count is None else count.people,
            "covered": None if count is None else count.covered,
        }
        for one in result.districts:
            counted = getattr(one, "count", None)
            yield {
                **shared,
                "district": one.code,
                "value": one.value,
                "status": one.status,
                "people": None if counted is None else counted.people,
                "covered": None if counted is None else counted.covered,
            }
