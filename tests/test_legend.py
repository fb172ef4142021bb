"""Styles for QGIS: every resident in exactly one class, in the page's colours and the study's words."""

import json
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest

import lifecircle as lc
from conftest import TOYTOWN
from lifecircle.findings import load_findings, save_findings
from lifecircle.legend import (
    CELL_COLOURS,
    RATE_BREAKS,
    RATE_COLOURS,
    RESIDENT_CLASSES,
    STYLES,
    class_text,
    layer_styles,
    rate_texts,
)
from lifecircle.page_data import resident_classes
from lifecircle.wording import Words


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give the toy town's run as it is written, and its findings."""
    out = tmp_path_factory.mktemp("out")
    findings = lc.run_audit(TOYTOWN, out=out)
    return out / str(findings.year), findings


def styles(folder):
    """Give the rows of the styles, by layer and name, with the parsed QML."""
    with closing(sqlite3.connect(folder / "results.gpkg")) as base:
        base.row_factory = sqlite3.Row
        rows = [dict(row) for row in base.execute(f"SELECT * FROM {STYLES}")]  # a constant
    return [row | {"tree": ET.fromstring(row["styleQML"])} for row in rows]


def rules(tree):
    """Give (filter, label, colour) of each rule."""
    symbols = {one.get("name"): one for one in tree.iter("symbol")}
    for rule in tree.iter("rule"):
        props = {one.get("k"): one.get("v") for one in symbols[rule.get("symbol")].iter("prop")}
        yield rule.get("filter"), rule.get("label"), props["color"], props["outline_color"]


def rgba(colour):
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)) + ",255"


def count(folder, layer, where):
    # QGIS's expressions of these filters are those of SQL, so SQLite can count them.
    with closing(sqlite3.connect(folder / "results.gpkg")) as base:
        return base.execute(f'SELECT count(*) FROM "{layer}" WHERE {where}').fetchone()[0]


def test_every_layer_has_one_default_and_each_name_once(run):
    folder, findings = run
    found = styles(folder)
    layers = set(pyogrio.list_layers(folder / "results.gpkg")[:, 0]) - {STYLES}
    assert {row["f_table_name"] for row in found} == layers
    for layer in layers:
        mine = [row for row in found if row["f_table_name"] == layer]
        assert [row["useAsDefault"] for row in mine] == [1] + [0] * (len(mine) - 1)
        assert len({row["styleName"] for row in mine}) == len(mine)
    # As QGIS asks for them: an empty schema is not a missing one.
    assert {(row["f_table_schema"], row["f_geometry_column"]) for row in found} == {("", "geom")}
    first = next(result for result in findings.targets if result.target.id in findings.seconds)
    assert found[0]["styleName"] == first.target.name.get(findings.language)


def test_the_table_is_registered_as_attributes(run):
    folder, _ = run
    with closing(sqlite3.connect(folder / "results.gpkg")) as base:
        kinds = dict(base.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall())
        there = {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        days = {day for (day,) in base.execute(f"SELECT update_time FROM {STYLES}")}
    assert kinds.pop(STYLES) == "attributes"
    assert set(kinds.values()) == {"features"}
    assert set(kinds) <= there
    assert all(day.endswith("Z") for day in days)


def test_every_symbol_and_rule_is_whole(run):
    folder, _ = run
    for row in styles(folder):
        tree = row["tree"]
        assert tree.tag == "qgis"
        assert tree.find("renderer-v2").get("type") == "RuleRenderer"
        names = [one.get("name") for one in tree.iter("symbol")]
        assert (
            names == [rule.get("symbol") for rule in tree.iter("rule")] == list(map(str, range(len(names))))
        )
        kinds = {one.get("type") for one in tree.iter("symbol")}
        assert kinds == ({"fill"} if row["f_table_name"] in {"districts", "grid"} else {"marker"})
        assert all(label for _, label, _, _ in rules(tree))
        columns = set(pyogrio.read_info(folder / "results.gpkg", layer=row["f_table_name"])["fields"])
        for where, *_ in rules(tree):
            asked = set((where or "").split('"')[1::2])
            assert asked <= columns
            assert count(folder, row["f_table_name"], where or "1") >= 0


def test_residents_are_in_the_classes_of_the_page(run):
    folder, findings = run
    by_name = {row["styleName"]: row["tree"] for row in styles(folder) if row["f_table_name"] == "demand"}
    circles = [result for result in findings.targets if result.target.id in findings.seconds]
    assert len(by_name) == len(circles) > 0
    for result in circles:
        classes = resident_classes(findings, result)
        found = list(rules(by_name[result.target.name.get(findings.language)]))
        counts = [count(folder, "demand", where) for where, *_ in found]
        assert counts == [int((classes == name).sum()) for name in RESIDENT_CLASSES]
        assert sum(counts) == len(findings.demand)
        for name, (_, label, fill, edge) in zip(RESIDENT_CLASSES, found, strict=True):
            assert edge == rgba(CELL_COLOURS[name])
            assert fill == (rgba("#ffffff") if name == "unsnapped" else edge)
            assert label == class_text(name, result.target.minutes, Words(findings.language))


def test_rates_of_districts_villages_and_cells(run):
    folder, findings = run
    colours = [rgba(colour) for colour in RATE_COLOURS]
    for result in findings.targets:
        name = result.target.name.get(findings.language)
        for row in styles(folder):
            if row["styleName"] != name or row["f_table_name"] not in {"districts", "villages", "grid"}:
                continue
            found = {fill: where for where, _, fill, _ in rules(row["tree"])}
            assert list(found) == [colour for colour in colours if colour in found]
            if row["f_table_name"] == "districts":
                for one in result.districts:
                    if one.value is not None:
                        place = int(np.searchsorted(RATE_BREAKS, one.value, side="right"))
                        assert f"'{one.code}'" in found[colours[place]]
            else:
                layer, target = row["f_table_name"], result.target.id
                peopled = count(folder, layer, f'"people_{target}" > 0')
                assert sum(count(folder, layer, where) for where in found.values()) == peopled


def test_gaps_and_venues_are_all_drawn(run):
    folder, findings = run
    for layer, rows in (("gaps", findings.gaps), ("facilities", findings.facilities)):
        first = next(row for row in styles(folder) if row["f_table_name"] == layer)
        drawn = sum(count(folder, layer, where) for where, *_ in rules(first["tree"]))
        assert drawn == len(rows) > 0


def test_the_same_run_is_the_same_file_and_is_read_back(run, tmp_path):
    folder, findings = run
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_findings(findings, tmp_path / name, tables={STYLES: layer_styles(findings)})
    first, second = ((tmp_path / name / "results.gpkg").read_bytes() for name in ("a", "b"))
    assert first == second
    again = load_findings(folder)
    assert layer_styles(again).equals(layer_styles(findings))
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["fingerprint"] == findings.fingerprint


def test_words_of_both_languages():
    assert class_text("beyond_0", 15.0, Words("zh")) == "超时 5 分钟以内"
    assert rate_texts(Words("en")) == ["<50%", "50%–70%", "70%–85%", "85%–95%", "≥95%"]
