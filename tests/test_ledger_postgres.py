"""The register in PostgreSQL: the same rows, refused changes, one chain from two writers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sql

from lifecircle.audit import run_audit
from lifecircle.findings import load_findings
from lifecircle.ledger import REGISTER, check_register, open_register, read_evidence

pytest.importorskip("psycopg", reason="PostgreSQL is an extra")


def test_runs_are_noted_in_postgres(toytown, tmp_path, database, monkeypatch):
    server = database.url.replace("postgresql:", "postgresql+psycopg:")
    monkeypatch.setenv("LIFECIRCLE_LEDGER", server)
    results = tmp_path / "results"
    run_audit(toytown, 2025, out=results)
    run_audit(toytown, 2025, out=results)
    assert not (results / REGISTER).exists()
    with open_register(results) as register:
        assert len(register.runs()) == 1
        rows = register.history("toytown", "reading", districts=[""])
        assert rows["value"].tolist() == [215 / 275]
    assert check_register(results, register_key(results), whole=True) == []
    for path in results.rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes()
    engine = sql.create_engine(server)
    for statement in (
        "UPDATE runs SET year = 2024",
        "DELETE FROM results",
        "TRUNCATE results",
        "TRUNCATE runs CASCADE",
    ):
        with pytest.raises(sql.exc.DBAPIError, match="only added to"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    findings, evidence = load_findings(results / "2025"), read_evidence(results / "2025")

    def add(number):
        other = evidence.model_copy(update={"fingerprint": f"f{number}", "study": f"s{number % 2}"})
        with open_register(results) as register:
            register.add(findings, other, results / "2025")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, range(10)))
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE results DISABLE TRIGGER only_added_to")
        connection.exec_driver_sql("UPDATE results SET value = 1 WHERE run = 1 AND target = 'culture'")
    engine.dispose()
    with open_register(results) as register:
        assert register.changed_rows() == []
        assert register.changed_rows(results=True) == [1]


def register_key(results):
    """Give the hash that the register knows the run by."""
    from lifecircle.files import file_hash  # noqa: PLC0415 - beside its use

    return file_hash(results / "2025" / "checksums.txt")
