"""Define the tables of the register, and the triggers that keep their rows from being changed or deleted."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql
from sqlalchemy import event

METADATA: Final = sql.MetaData()
RUNS: Final = sql.Table(
    "runs",
    METADATA,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("study", sql.Text, nullable=False),
    sql.Column("year", sql.Integer, nullable=False),
    sql.Column("folder", sql.Text, nullable=False),
    sql.Column("fingerprint", sql.Text, nullable=False),
    sql.Column("method_version", sql.Text, nullable=False),
    sql.Column("software", sql.Text, nullable=False),
    sql.Column("profile", sql.Text, nullable=False),  # id of the standard in force
    sql.Column("declared_key", sql.Text, nullable=False),
    sql.Column("standard_key", sql.Text, nullable=False),
    sql.Column("inputs", sql.Text, nullable=False),  # JSON: path -> SHA-256
    sql.Column("results", sql.Text, nullable=False),  # JSON: file -> SHA-256
    sql.Column("results_key", sql.Text, nullable=False),  # SHA-256 of checksums.txt
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("differs", sql.Text, nullable=False),  # JSON: what differs from the run that was replaced
    sql.Column("seconds", sql.Float),
    sql.Column("written", sql.Text, nullable=False),
    sql.Column("values_key", sql.Text, nullable=False),  # hash of the run's rows in RESULTS
    sql.Column("before", sql.Text, nullable=False),  # row_key of the row before
    sql.Column("row_key", sql.Text, nullable=False),
)
RESULTS: Final = sql.Table(
    "results",
    METADATA,
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
    sql.Index(
        "results_by_place",
        *("study", "target", "district", "year", "run", "value", "status", "people", "covered"),
    ),
    sql.Index("results_by_district", "study", "district", "target", "year", "run"),
)

SEALED: Final = tuple(column.name for column in RUNS.columns if column.name not in {"number", "row_key"})
"""Columns of a run that its hash is of."""
VALUES: Final = ("target", "district", "department", "value", "status", "people", "covered")
"""Columns of a result that the hash of its run is of."""


def _after_create(statement: str, dialect: str) -> None:
    """Run a statement when the tables have been made in a database of some kind."""
    deed = sql.DDL(statement)  # type: ignore[no-untyped-call]  # the library has no types for it
    event.listen(METADATA, "after_create", deed.execute_if(dialect=dialect))


for _name in ("runs", "results"):
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
for _name in ("runs", "results"):
    # TRUNCATE fires no trigger of DELETE.
    _after_create(
        f"CREATE OR REPLACE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON {_name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION lifecircle_only_added_to()",
        "postgresql",
    )
