"""A run in PostGIS: what results.gpkg holds, replaced whole or not at all."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import sqlalchemy as sql
from click.testing import CliRunner

from lifecircle import database as room
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.database import write_database
from lifecircle.errors import UnusableInputError
from lifecircle.findings import LABELS, result_layers

pytest.importorskip("psycopg", reason="PostgreSQL is an extra")
pytest.importorskip("geoalchemy2", reason="PostGIS is an extra")


@pytest.fixture
def engine(database):
    made = sql.create_engine(database.url.replace("postgresql:", "postgresql+psycopg:"))
    with made.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS lifecircle CASCADE")
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def findings():
    from conftest import TOYTOWN  # noqa: PLC0415 - beside its use

    return run_audit(TOYTOWN, 2025)


def read(engine, name):
    return pd.read_sql(f"SELECT * FROM lifecircle.{name} ORDER BY study, year", engine)


def _in_degrees(layer):
    degrees = layer.to_crs(4326)
    return degrees if degrees.geometry.name == "geometry" else degrees.rename_geometry("geometry")


def everything(engine):
    """Read every row of every table, as text and in order."""
    with engine.connect() as connection:
        names = sql.inspect(connection).get_table_names("lifecircle")
        return {
            name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM lifecircle.{name}")))
            for name in names
        }


def test_layers_and_results_are_those_of_the_run(findings, database, engine):
    shown = write_database(findings, database.url)
    assert shown == f"postgresql+psycopg://***@127.0.0.1:{database.port}/postgres [lifecircle]"
    for name, layer in result_layers(findings).items():
        label = LABELS[name]
        query = f'SELECT * FROM lifecircle.{name} ORDER BY "{label}" COLLATE "C"'
        got = gpd.read_postgis(query, engine, geom_col="geometry")
        wanted = _in_degrees(layer)
        wanted = wanted.assign(**{label: wanted[label].astype(str)}).sort_values(label, kind="stable")
        assert got[label].tolist() == wanted[label].tolist(), name
        assert got.geometry.to_wkb().tolist() == wanted.geometry.to_wkb().tolist()
        assert set(got["year"]) == {2025}
        for column in wanted.columns:
            if str(column).startswith(("seconds_", "people_")):
                pd.testing.assert_series_equal(
                    got[column], wanted[column].astype(float), check_index=False, check_exact=True
                )
    values = read(engine, "results").set_index(["target", "district"])["value"]
    for result in findings.targets:
        got = values[result.target.id, ""]
        assert got == result.value or (result.value is None and pd.isna(got))
        for one in result.districts:
            got = values[result.target.id, one.code]
            assert got == one.value or (one.value is None and pd.isna(got))
    assert read(engine, "runs")["fingerprint"].tolist() == [findings.fingerprint]


def test_writing_again_changes_nothing_and_other_runs_stay(findings, database, engine):
    write_database(findings, database.url)
    write_database(replace(findings, year=2024), database.url)
    write_database(replace(findings, study="other"), database.url)
    before = everything(engine)
    write_database(findings, database.url)
    assert everything(engine) == before
    # A run that has no gaps any more leaves none of its old ones.
    write_database(replace(findings, gaps=findings.gaps.iloc[:0]), database.url)
    gaps = read(engine, "gaps")
    assert not ((gaps["study"] == findings.study) & (gaps["year"] == 2025)).any()
    assert len(gaps) == 2 * len(findings.gaps)


def test_columns_may_be_called_anything_and_change_their_kind(findings, database, engine):
    long = "很长的列名" * 8
    strange = {'a"; DROP TABLE x': 1.0, long: "x", long + "2": "y", "year": 7, "floors": 3}
    venues = findings.facilities.assign(**strange)
    write_database(replace(findings, facilities=venues), database.url)
    write_database(
        replace(findings, facilities=venues.assign(floors="3F", nul="a\x00b"), year=2024), database.url
    )
    rows = read(engine, "facilities")
    assert set(rows["floors"]) == {"3", "3F"}
    assert set(rows["own_year"]) == {7}
    assert set(rows['a"; DROP TABLE x']) == {1.0}
    assert set(rows["nul"].dropna()) == {"ab"}
    assert {"x", "y"} <= {value for column in rows.columns for value in rows[column].map(str)}


def test_addresses_that_cannot_be_written_to(findings, database):
    for url, reason in {
        "sqlite:///x.db": "not the address of a PostgreSQL database",
        database.url + "?schema=A b": "no name of a schema",
        database.url + "?schema=pg_catalog": "no name of a schema",
        "postgresql://me:secret@127.0.0.1:1/db": "the database refuses",
    }.items():
        with pytest.raises(UnusableInputError, match=reason) as caught:
            write_database(findings, url)
        assert "secret" not in str(caught.value)


def test_a_database_without_postgis_says_who_can_add_it(findings, database, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS clerk")
        connection.exec_driver_sql("CREATE ROLE clerk LOGIN")
        connection.exec_driver_sql("DROP EXTENSION IF EXISTS postgis CASCADE")
    with pytest.raises(UnusableInputError, match="CREATE EXTENSION postgis"):
        write_database(findings, database.url.replace("me:secret", "clerk"))


def test_a_server_killed_while_writing_keeps_the_old_results_whole(findings, database, engine, monkeypatch):
    write_database(findings, database.url)
    before = everything(engine)
    new = replace(findings, fingerprint="new", demand=findings.demand.assign(population=0))
    for at in range(len(room._KEYS)):
        count = iter(range(100))
        copy = room._copy

        def killed(*args, count=count, copy=copy, at=at):
            copy(*args)
            if next(count) == at:
                database.kill()

        with monkeypatch.context() as patched:
            patched.setattr(room, "_copy", killed)
            try:
                with pytest.raises(UnusableInputError, match="the database refuses"):
                    write_database(new, database.url)
            finally:
                if not (database.folder / "data" / "postmaster.pid").exists():
                    database.start()
        engine.dispose()
        assert everything(engine) == before
        if at >= len(before) - 1:
            break
    write_database(new, database.url)
    assert read(engine, "runs")["fingerprint"].tolist() == ["new"]


def test_the_command_writes_to_a_database_and_prints_no_password(toytown, tmp_path, database, engine):
    order = ["audit", str(toytown), "--out", str(tmp_path), "--database"]
    run = CliRunner().invoke(cli, [*order, database.url], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    assert "[lifecircle]" in run.output
    assert "secret" not in run.output
    assert len(read(engine, "runs")) == 1
    refused = CliRunner().invoke(cli, [*order, "postgresql://me:secret@127.0.0.1:1/d"])
    assert refused.exit_code == 2
    assert "secret" not in refused.output
    assert (tmp_path / "2025" / "summary.json").is_file()
