"""Tables of a database: the rows in a fixed order, with their geometry, and no password anywhere."""

import sys

import geopandas as gpd
import pandas as pd
import pytest

from lifecircle.audit import run_audit
from lifecircle.errors import MissingExtraError, UnusableInputError
from lifecircle.findings import summary
from lifecircle.tables import database_snapshot, is_database, read_table, shown_address, snapshot_of
from lifecircle.verification import verify_run

pytest.importorskip("psycopg", reason="PostgreSQL is an extra")


@pytest.fixture(scope="module")
def engine(database):
    import sqlalchemy as sql  # noqa: PLC0415 - beside its use

    made = sql.create_engine(database.url.replace("postgresql:", "postgresql+psycopg:"))
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION postgis")
    yield made
    made.dispose()


def run(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_address():
    assert is_database("postgis://host/db?table=t")
    assert not is_database("sqlite:///db")
    assert shown_address("postgresql+psycopg://me:hunter2@host/db?table=t") == (
        "postgresql+psycopg://***@host/db?table=t"
    )


def test_a_table_is_read_in_the_order_of_its_key(database, engine):
    run(
        engine,
        'CREATE SCHEMA "文化"',
        'CREATE TABLE "文化"."场馆"'
        ' (id int PRIMARY KEY, "名称" text, places numeric(6,1), opened date, free boolean)',
        'INSERT INTO "文化"."场馆" VALUES '
        "(3, '图书馆', 12.5, '2021-05-01', true), (1, NULL, NULL, NULL, false)",
    )
    table = read_table(f"{database.url}?table=文化.场馆")
    assert table.name == f"postgresql://***@127.0.0.1:{database.port}/postgres?table=文化.场馆"
    assert table.frame.index.tolist() == [1, 2]
    assert table.frame["id"].tolist() == [1, 3]
    assert table.frame["places"].tolist()[1] == 12.5
    assert table.frame["opened"].tolist()[1] == "2021-05-01"
    assert table.frame["free"].tolist() == [False, True]
    assert pd.isna(table.frame["名称"].tolist()[0])


def test_geometry_has_the_crs_of_its_srid(database, engine):
    run(
        engine,
        "CREATE TABLE clinics (name text, geom geometry(Point, 4549))",
        "INSERT INTO clinics VALUES ('b', ST_SetSRID(ST_Point(500000, 3370000), 4549)),"
        " ('a', ST_SetSRID(ST_Point(500100, 3370000), 4549))",
        "CREATE VIEW opened AS SELECT name, geom, '8:30'::text AS hours FROM clinics",
    )
    frame = read_table(f"{database.url}?table=clinics").frame
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.crs == "EPSG:4549"
    assert frame["name"].tolist() == ["a", "b"]  # no key: in the order of what they hold
    assert frame.geometry.x.tolist() == [500100, 500000]
    asked = f"{database.url}?query=SELECT name, geom FROM opened WHERE hours = '8:30' AND name LIKE '%25a';"
    assert read_table(asked).frame["name"].tolist() == ["a"]


def test_equal_rows_give_an_equal_snapshot(database, engine):
    run(engine, "CREATE TABLE towns (name text, people int)", "INSERT INTO towns VALUES ('x', 2), ('y', 1)")
    first = database_snapshot(f"{database.url}?table=towns")
    assert snapshot_of(first.path) == first
    assert read_table(first.path).name == first.address
    run(engine, "DELETE FROM towns", "INSERT INTO towns VALUES ('y', 1), ('x', 2)")
    assert database_snapshot(f"{database.url}?table=towns").digest == first.digest
    run(engine, "UPDATE towns SET people = 3 WHERE name = 'y'")
    assert database_snapshot(f"{database.url}?table=towns").digest != first.digest


def test_faults_name_the_address_without_its_password(database, engine):
    run(engine, "CREATE TABLE two (a geometry, b geometry)", "CREATE TABLE none (a int)")
    faults = {
        "": "names no table",
        "?table=a&query=b": "names no table",
        "?table=nowhere": "the database refuses: .*nowhere",
        "?table=two": "holds 2 geometries: a, b",
        "?query=SELECT 1 AS a, 2 AS a": "two columns of the same name",
        "?query=SELEC": "the database refuses: .*syntax error",
        "?query=DELETE FROM none RETURNING a": "the database refuses: ",
        "?table=none": "empty table",
    }
    for end, reason in faults.items():
        with pytest.raises(UnusableInputError, match=reason) as caught:
            read_table(database.url + end)
        assert "secret" not in str(caught.value), end
        assert str(caught.value).startswith("postgresql://***@127.0.0.1"), end
    with pytest.raises(UnusableInputError, match=r"the database refuses: .*refused"):
        read_table("postgresql://me:secret@127.0.0.1:1/db?table=t")


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"lifecircle\[postgis\]"):
        read_table("postgresql://reader:hunter2@localhost/county?table=t")


@pytest.fixture
def study(toytown, database, engine):
    """Give the toy town with its residents, districts and venues in a database."""
    from conftest import edit  # noqa: PLC0415 - beside its use

    files = {"demand": "residents.csv", "facilities": "facilities.csv", "roads": "roads.geojson"}
    for name, file in files.items():
        run(engine, f"DROP TABLE IF EXISTS {name}")
        table = read_table(toytown / file).frame
        if isinstance(table, gpd.GeoDataFrame):
            table.to_postgis(name, engine, index=False)
        else:
            table.to_sql(name, engine, index=False)
        edit(toytown / "study.toml", f'"{file}"', f'"{database.url}?table={name}"')
        (toytown / file).unlink()
    return toytown


def test_a_study_in_a_database_has_the_values_of_its_files(study, tmp_path, engine):
    from conftest import TOYTOWN  # noqa: PLC0415 - beside its use

    files = run_audit(TOYTOWN, 2025)
    found = run_audit(study, 2025, out=tmp_path / "results")
    assert [(one.target.id, one.value, one.status) for one in found.targets] == [
        (one.target.id, one.value, one.status) for one in files.targets
    ]
    inputs = {one["role"]: one["path"] for one in summary(found)["inputs"]}
    assert inputs["demand"].endswith("/postgres?table=demand")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "toytown":
            assert b"secret" not in path.read_bytes(), path
    again = run_audit(study, 2025)
    assert summary(again) == summary(found)
    assert verify_run(tmp_path / "results" / "2025", study).holds
    run(engine, "UPDATE demand SET population = '999' WHERE ctid = (SELECT min(ctid) FROM demand)")
    changed = verify_run(tmp_path / "results" / "2025", study)
    assert [code for code in changed.codes if code.endswith("?table=demand")], changed.codes


def test_a_database_that_does_not_answer_is_one_fault_of_the_study(study):
    from conftest import edit  # noqa: PLC0415 - beside its use

    text = (study / "study.toml").read_text("utf-8")
    port = text.partition("127.0.0.1:")[2].partition("/")[0]
    edit(study / "study.toml", f"127.0.0.1:{port}/postgres?table=demand", "127.0.0.1:1/postgres?table=demand")
    with pytest.raises(UnusableInputError, match="the database refuses") as caught:
        run_audit(study, 2025)
    assert len(caught.value.faults) == 1
