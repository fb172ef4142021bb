"""Keep a register of runs that is only ever added to: SQLite beside the runs, or PostgreSQL by its URL.

Every row of a run holds the hash of the row before it, so that one that was changed, left out or put in
later shows. The database itself refuses to change or delete rows. Order is a row's number, never its clock.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from lifecircle.errors import Fault, MissingExtraError, UnusableInputError, say
from lifecircle.files import content_key, file_hash
from lifecircle.findings import CHECKSUMS, as_circle
from lifecircle.ledger._evidence import Evidence, read_evidence
from lifecircle.ledger._superseded import run_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings

_log = logging.getLogger(__name__)

REGISTER = "ledger.sqlite"
URL = "LIFECIRCLE_LEDGER"
"""Environment variable with the address of a database that is used instead of the file."""

_META = sql.MetaData()
RUNS = sql.Table(
    "runs",
    _META,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("study", sql.Text, nullable=False),
    sql.Column("year", sql.Integer, nullable=False),
    sql.Column("folder", sql.Text, nullable=False),
    sql.Column("fingerprint", sql.Text, nullable=False),
    sql.Column("method_version", sql.Text, nullable=False),
    sql.Column("software", sql.Text, nullable=False),
    sql.Column("declared_key", sql.Text, nullable=False),
    sql.Column("standard_key", sql.Text, nullable=False),
    sql.Column("inputs", sql.Text, nullable=False),
    sql.Column("results_key", sql.Text, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("seconds", sql.Float),
    sql.Column("written", sql.Text, nullable=False),
    sql.Column("before", sql.Text, nullable=False),
    sql.Column("row_key", sql.Text, nullable=False),
)
RESULTS = sql.Table(
    "results",
    _META,
    sql.Column("run", sql.Integer, sql.ForeignKey("runs.number"), nullable=False),
    sql.Column("study", sql.Text, nullable=False),
    sql.Column("year", sql.Integer, nullable=False),
    sql.Column("target", sql.Text, nullable=False),
    sql.Column("district", sql.Text, nullable=False),
    sql.Column("department", sql.Text, nullable=False),
    sql.Column("value", sql.Float),
    sql.Column("status", sql.Text, nullable=False),
    sql.Column("people", sql.Float),
    sql.Column("covered", sql.Float),
    # What a question about the past asks for stands in the index, so that the table itself is not read.
    sql.Index("results_by_place", "study", "target", "district", "year", "run", "value", "status"),
)
_KEPT = ("runs", "results")


def _after_create(statement: str, dialect: str) -> None:
    """Run a statement when the tables have been made in a database of some kind."""
    deed = sql.DDL(statement)  # type: ignore[no-untyped-call] # the library has no types for it
    event.listen(_META, "after_create", deed.execute_if(dialect=dialect))


for _name in _KEPT:
    for _deed in ("UPDATE", "DELETE"):
        _after_create(
            f"CREATE TRIGGER IF NOT EXISTS no_{_deed.lower()}_of_{_name} BEFORE {_deed} ON {_name} "
            "BEGIN SELECT RAISE(ABORT, 'the register of runs is only added to'); END",
            "sqlite",
        )
_after_create(
    "CREATE OR REPLACE FUNCTION lifecircle_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the register of runs is only added to'; END $$",
    "postgresql",
)
for _name in _KEPT:
    _after_create(
        f"CREATE OR REPLACE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON {_name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION lifecircle_only_added_to()",
        "postgresql",
    )


_SEALED = tuple(column.name for column in RUNS.columns if column.name not in {"number", "row_key"})
"""Columns of a run that its hash is of."""


@dataclass(frozen=True)
class History:
    """Values of a target over the years: ``rows`` on year, district, value, status, people, covered, run."""

    rows: pd.DataFrame


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
        reason: str = "",
        seconds: float | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> int | None:
        """Add a run, unless the last one of its year is the very same.

        Parameters
        ----------
        folder : of the run, complete
        reason : why an earlier run of the year was replaced, empty for the first
        seconds : how long the audit took
        now : the clock; its time is noted, and decides nothing

        Returns
        -------
        number : of the run in the register, None where nothing was added
        """
        row = {
            **_plain(evidence, folder),
            "reason": reason,
            "seconds": seconds,
            "written": (now or _clock)().isoformat(timespec="seconds"),
        }
        with self._engine.begin() as connection:
            last = self._last(connection)
            mine = self._last(connection, study=evidence.study, year=evidence.year)
            if mine is not None and all(mine[key] == row[key] for key in ("fingerprint", "results_key")):
                return None
            row["before"] = "" if last is None else last["row_key"]
            if last is not None and row["written"] < last["written"]:
                _log.warning(
                    "the clock was set back: the last run was noted at %s, this one at %s; "
                    "the register keeps the order in which runs were added",
                    last["written"],
                    row["written"],
                )
            row["row_key"] = _key(row)
            added = connection.execute(sql.insert(RUNS).values(**row).returning(RUNS.c.number))
            number = int(added.scalar_one())
            rows = [{"run": number, **one} for one in _result_rows(findings)]
            if rows:
                connection.execute(sql.insert(RESULTS), rows)
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

    def history(self, study: str, target: str, *, districts: Sequence[str] | None = None) -> History:
        """Return the values of a target by year and district, of the last run of each year.

        Parameters
        ----------
        districts : codes; left out, every district and the whole study, whose code is empty
        """
        latest = (
            sql.select(sql.func.max(RUNS.c.number))
            .where(RUNS.c.study == study)
            .group_by(RUNS.c.year)
            .scalar_subquery()
        )
        query = (
            sql.select(RESULTS)
            .where(RESULTS.c.study == study, RESULTS.c.target == target, RESULTS.c.run.in_(latest))
            .order_by(RESULTS.c.year, RESULTS.c.district)
        )
        if districts is not None:
            query = query.where(RESULTS.c.district.in_(list(districts)))
        with self._engine.connect() as connection:
            return History(pd.read_sql(query, connection))

    def changed_rows(self) -> list[int]:
        """Return the numbers of runs whose row is not what was added, or does not follow the row before."""
        found, before = [], ""
        with self._engine.connect() as connection:
            for row in connection.execute(sql.select(RUNS).order_by(RUNS.c.number)).mappings():
                if row["before"] != before or row["row_key"] != _key(dict(row)):
                    found.append(int(row["number"]))
                before = row["row_key"]
        return found

    def knows(self, results_key: str) -> bool:
        """Return whether a run with these results was ever added."""
        query = sql.select(RUNS.c.number).where(RUNS.c.results_key == results_key).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()


@contextmanager
def open_register(results: Path, *, url: str | None = None) -> Iterator[Register]:
    """Open the register of a folder of runs, made where there is none.

    A damaged file is kept aside as ``ledger.sqlite.damaged-1`` and the register is built again from the
    evidence in the folders; runs are never at risk.

    Parameters
    ----------
    results : folder of runs, such as ``STUDY/results``
    url : of a database instead; left out, what ``LIFECIRCLE_LEDGER`` says, else the file in the folder

    Raises
    ------
    UnusableInputError
        When a database at an address cannot be used; the address is shown without its password.
    """
    address = url or os.environ.get(URL, "")
    if not address:
        path = results / REGISTER
        try:
            register = _opened(f"sqlite:///{path.as_posix()}", check=True)
        except SQLAlchemyError as error:
            kept = _keep_aside(path)
            _log.warning("%s is damaged (%s): kept as %s, built again", path, _short(error), kept.name)
            register = _opened(f"sqlite:///{path.as_posix()}", check=False)
            _rebuild(register, results)
    else:
        with _explained(address):
            register = _opened(address, check=False)
    try:
        with _explained(address or str(results / REGISTER)):
            yield register
    finally:
        register.close()


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
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "psycopg", "postgis") from None
    except SQLAlchemyError as error:
        shown = sql.engine.make_url(address).render_as_string() if "://" in address else address
        reason = say("the register cannot be used: {what}", what=_short(error))
        remedy = say("mend {name}, or leave it out to use the file beside the runs", name=URL)
        raise UnusableInputError([Fault(shown, "", "", reason, remedy)]) from None


def check_register(results: Path, results_key: str) -> list[str]:
    """Compare a run with the register beside it, without changing or mending the register.

    Returns
    -------
    codes : ``register_damaged``, ``register_row_changed:numbers``, ``register_knows_not``; empty where all is
        right or there is no register
    """
    path = results / REGISTER
    if not path.is_file():
        return []
    register = Register(sql.create_engine(f"sqlite:///file:{path.as_posix()}?mode=ro&uri=true"))
    try:
        changed = register.changed_rows()
        known = register.knows(results_key)
    except SQLAlchemyError:
        return ["register_damaged"]
    finally:
        register.close()
    codes = [f"register_row_changed:{', '.join(map(str, changed))}"] if changed else []
    return codes if known else [*codes, "register_knows_not"]


def _opened(address: str, *, check: bool) -> Register:
    engine = sql.create_engine(address)
    try:
        if check:
            with engine.connect() as connection:
                _check(str(connection.execute(sql.text("PRAGMA quick_check")).scalar()))
        _META.create_all(engine)
    except BaseException:
        engine.dispose()
        raise
    return Register(engine)


def _check(found: str) -> None:
    """Refuse a file in which SQLite finds something wrong.

    Raises
    ------
    DatabaseError
        With what was found.
    """
    if found != "ok":
        raise sql.exc.DatabaseError(found, None, ValueError(found))


def _keep_aside(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.replace(kept)
    return kept


def _rebuild(register: Register, results: Path) -> None:
    """Add every run that the folders hold, those that were replaced first."""
    from lifecircle.findings import load_findings  # noqa: PLC0415 - reads large files; only when rebuilding

    for folder in run_folders(results):
        try:
            register.add(load_findings(folder), read_evidence(folder), folder, reason="rebuilt")
        except UnusableInputError as error:
            _log.warning("%s is left out of the register: %s", folder, error)


def _short(error: Exception) -> str:
    """Return what a database says in one line, without the statement and its address."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:160]


def _clock() -> datetime:
    return datetime.now(UTC)


def _plain(evidence: Evidence, folder: Path) -> dict[str, Any]:
    inputs = [[one.role, one.path, one.sha256, one.rows, one.rejected] for one in evidence.inputs]
    return {
        "study": evidence.study,
        "year": evidence.year,
        "folder": folder.name,
        "fingerprint": evidence.fingerprint,
        "method_version": evidence.method_version,
        "software": evidence.software,
        "declared_key": evidence.declared_key,
        "standard_key": evidence.standard_key,
        "inputs": json.dumps(inputs, ensure_ascii=False),
        "results_key": file_hash(folder / CHECKSUMS),
    }


def _key(row: dict[str, Any]) -> str:
    return content_key(json.dumps([row[name] for name in _SEALED], ensure_ascii=False))


def _result_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    """Return a row for every target as a whole, code empty, and for each of its districts."""
    for result in findings.targets:
        shared = {
            "study": findings.study,
            "year": findings.year,
            "target": result.target.id,
            "department": result.target.department,
        }
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
