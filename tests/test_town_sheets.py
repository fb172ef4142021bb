"""Sheets of towns: one command, a PDF a town, every figure held against sums, no row and no file lost."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import atlas_town
import pdf_text
from conftest import TOYTOWN
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from lifecircle.findings import BUCKETS
from lifecircle.maps import MapOrder, draw_study
from lifecircle.page_data import area_count, area_groups, people_text, percent_text, village_figures
from lifecircle.paper import SheetOrder, _fonts, write_sheets
from lifecircle.paper._paper_tables import Room, Table, flowed

pytest.importorskip("matplotlib", reason="maps on paper need the extra print")


@pytest.fixture(scope="module", autouse=True)
def _fonts_there():
    if not any(_fonts._file(name) for name in _fonts.CJK_FAMILIES):
        pytest.skip("no Chinese font on this machine")


def with_villages(town):
    """Give every resident the village of its row, by turns, and a number of people of 60 and over."""
    demand = town.demand.copy()
    villages = town.villages
    mine = [villages.index[villages["district"] == code] for code in demand["district"]]
    demand["village"] = [codes[row % len(codes)] if len(codes) else None for row, codes in enumerate(mine)]
    demand["over60"] = np.floor(demand["population"] / 3)
    return dataclasses.replace(town, demand=demand)


@pytest.fixture(scope="module")
def town():
    return with_villages(atlas_town.town(residents=300))


@pytest.fixture(scope="module")
def before():
    return with_villages(atlas_town.town(residents=300, year=2024, venues=30))


@pytest.fixture(scope="module")
def sheets(town, before, tmp_path_factory):
    """Draw the sheets of one target once; their pages' texts by file."""
    folder = tmp_path_factory.mktemp("sheets") / "out"
    paths = write_sheets([before, town], folder, SheetOrder(target="culture"))
    return {path.name: pdf_text.drawn_pages(path.read_bytes()) for path in paths}


def test_every_town_has_a_file_and_the_index_names_it(town, sheets):
    names = list(town.districts["name"])
    files = [f"{number:02d}-{name}.pdf" for number, name in enumerate(names, 1)]
    assert list(sheets) == ["00-海盐县（示例）.pdf", *files]
    index = sheets["00-海盐县（示例）.pdf"][0]
    for one, file in zip(town.targets[0].districts, files, strict=False):
        assert f"{one.name}{file}{len(sheets[file])}{percent_text(one.value)}" in index


def test_pages_are_counted_in_each_file(sheets):
    for pages in sheets.values():
        for number, text in enumerate(pages, 1):
            assert f"第{number}页，共{len(pages)}页" in text


def test_a_sheet_shows_the_runs_own_figures_of_its_town(town, before, sheets):
    then = {one.code: one.value for one in before.targets[0].districts}
    for number, one in enumerate(town.targets[0].districts[:9], 1):
        text = sheets[f"{number:02d}-{one.name}.pdf"][0]
        assert f"海盐县（示例）·{one.name}·品质文化生活圈·2025年" in text
        assert (
            f"统计人口{people_text(one.count.people)}人未覆盖人口{people_text(one.count.uncovered)}人" in text
        )
        assert f"上年{percent_text(then[one.code])}" in text
        assert f"全县{percent_text(town.targets[0].value)}" in text
        for line in ("合成示例，非真实数据", "界线仅供参考，不作划界依据", "审图号：未送审", "EPSG:4549"):
            assert line in text


def test_villages_and_groups_are_sums_over_the_towns_residents(town, sheets):
    demand = town.demand.assign(people=town.people["culture"], status=town.status["culture"].astype(str))
    for number, (code, name) in enumerate(town.districts["name"].items(), 1):
        text = "".join(sheets[f"{number:02d}-{name}.pdf"])
        mine = demand[demand["district"] == code]
        aged = mine["over60"]
        left = aged[mine["status"] != "covered"].sum()
        assert f"60岁及以上{people_text(aged.sum())}{people_text(left)}" in text
        for village, rows in mine.dropna(subset=["village"]).groupby("village"):
            out = rows["status"] != "covered"
            people = rows["people"].sum()
            if not people:
                continue
            rate = percent_text(float(rows["people"][~out].sum() / people))
            sums = (people, rows["people"][out].sum(), rows["over60"][out].sum())
            figures = "".join(map(people_text, sums)) + rate
            assert f"{re.sub('村委会$', '村', str(town.villages.loc[village, 'name']))}{figures}" in text


def test_every_gap_of_a_town_is_listed_with_its_number_on_the_page(town, sheets):
    gaps = town.gaps[town.gaps["target"] == "culture"].sort_values("people", ascending=False, kind="stable")
    listed = 0
    for number, name in enumerate(town.districts["name"], 1):
        text = "".join(sheets[f"{number:02d}-{name}.pdf"])
        for place, gap in enumerate(gaps.to_dict("records"), 1):
            row = f"{place}{gap['village']}{people_text(gap['people'])}"
            if gap["district"] == name:
                assert row in text
                listed += 1
    assert listed == gaps["district"].isin(town.districts["name"]).sum()


def test_figures_of_villages_and_areas_add_up_to_the_run(town):
    result = town.targets[0]
    inside = town.demand["village"].notna().to_numpy()
    figures = village_figures(town, result)
    count = area_count(town, result, inside)
    assert sum(one.people for one in figures) == pytest.approx(count.people)
    assert sum(one.covered for one in figures) == pytest.approx(count.covered)
    everyone = np.ones(len(town.demand), dtype=bool)
    whole = area_count(town, result, everyone)
    status = town.status["culture"].astype(str)
    for name in BUCKETS:
        assert getattr(whole, name) == pytest.approx(town.people["culture"][status == name].sum())
    ((name, aged),) = [one for one in area_groups(town, result, everyone) if one[0] == "over60"]
    assert aged.people == pytest.approx(town.demand["over60"].sum())
    assert aged.uncovered == pytest.approx(town.demand["over60"][status != "covered"].sum())


@given(
    st.lists(st.integers(0, 70), max_size=4),
    st.floats(12, 90),
    st.floats(30, 200),
)
def test_a_table_flows_over_pages_without_losing_a_row(counts, first, others):
    tables = [
        Table(
            f"t{number}",
            ("a", "b"),
            (0.5, 0.5),
            tuple((f"{number}.{row}", "x" * (row % 40)) for row in range(count)),
        )
        for number, count in enumerate(counts)
    ]
    pieces = flowed(tables, Room(60, first), Room(60, others), 1.0)
    seen = [(piece.table.title, row) for piece in pieces for row in range(piece.first, piece.last)]
    assert seen == [(table.title, row) for table in tables for row in range(len(table.rows))]
    assert [piece.room for piece in pieces] == sorted(piece.room for piece in pieces)
    for piece in pieces:
        high = (others if piece.room else first) + 1e-6
        used = piece.below + piece.table.head_high(60, 1.0)
        used += sum(piece.table.row_high(row, 60, 1.0) for row in range(piece.first, piece.last))
        assert used <= high or piece.last - piece.first == 1


def test_the_same_bytes_again_and_other_files_stay(town, tmp_path):
    folder = tmp_path / "out"
    order = SheetOrder(target="clinic", language="en")
    first = {path.name: path.read_bytes() for path in write_sheets([town], folder, order)}
    (folder / "note.txt").write_text("mine")
    (folder / "own.pdf").write_text("mine too")
    fewer = dataclasses.replace(town, districts=town.districts.iloc[:2])
    again = write_sheets([fewer], folder, order)
    assert {path.name for path in folder.iterdir()} == {
        *(path.name for path in again),
        "sheets.json",
        "note.txt",
        "own.pdf",
    }
    back = {path.name: path.read_bytes() for path in write_sheets([town], folder, order)}
    assert back == first
    listed = json.loads((folder / "sheets.json").read_text("utf-8"))
    assert [one["file"] for one in listed["files"]] == list(first)


def test_a_folder_of_others_is_refused_and_left_alone(town, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UnusableInputError, match="not replaced"):
        write_sheets([town], tmp_path, SheetOrder(target="clinic"))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_public_edition_has_the_published_figures_alone(town, tmp_path):
    paths = write_sheets([town], tmp_path / "out", SheetOrder(target="culture", edition="public"))
    for path in paths[1:]:
        text = "".join(pdf_text.drawn_pages(path.read_bytes()))
        assert "公开版" in text or "合成示例" in text
        assert "60岁" not in text
        assert "各村（社区）数据" not in text
    with pytest.raises(UnusableInputError, match="no figures of villages"):
        write_sheets([town], tmp_path / "b", SheetOrder(edition="public", villages=True))
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("target", "match"), [("nope", "no such target.*culture"), ("places", "no figure")])
def test_a_target_without_a_figure_is_refused(town, tmp_path, target, match):
    with pytest.raises(UnusableInputError, match=match):
        write_sheets([town], tmp_path / "out", SheetOrder(target=target))
    assert not (tmp_path / "out").exists()


def test_other_kinds_and_villages_have_sheets_too(town, tmp_path):
    kinds = atlas_town.with_kinds(town)
    first = next(iter(town.districts.index))
    few = dataclasses.replace(kinds, districts=kinds.districts.iloc[:1])
    for target in ("clinics", "beds"):
        _, path = write_sheets([few], tmp_path / target, SheetOrder(target=target, size="A3"))
        (wide, high), *_ = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", path.read_bytes())
        assert (float(wide) / 72 * 25.4, float(high) / 72 * 25.4) == pytest.approx((420, 297), abs=0.1)
        assert town.districts["name"].iloc[0] in "".join(pdf_text.drawn_pages(path.read_bytes()))
    paths = write_sheets([few], tmp_path / "villages", SheetOrder(target="culture", villages=True))
    pages = pdf_text.drawn_pages(paths[2].read_bytes())
    mine = town.villages[town.villages["district"] == first]
    assert len(pages) >= len(mine) > 0
    figures = {one.code: one for one in village_figures(town, town.targets[0])}
    for code in mine.index:
        told = f"统计人口{people_text(figures[code].people)}人未覆盖人口{people_text(figures[code].left)}人"
        assert any(told in page and "不单独评价" in page for page in pages)


def test_names_of_any_kind_make_files_and_stay_text(town, tmp_path):
    names = ['../../etc/"x"', "长" * 60, "$x_1$"]
    named = atlas_town.with_names(town, names)
    paths = write_sheets([named], tmp_path / "out", SheetOrder(target="clinic"))
    assert all(path.parent == tmp_path / "out" and path.is_file() for path in paths)
    assert "$x_1$" in pdf_text.drawn_pages(paths[3].read_bytes())[0]


# ---------------------------------------------------------------------------------------------------------
# The command


def test_one_command_draws_page_and_sheets(tmp_path):
    study = shutil.copytree(TOYTOWN, tmp_path / "toytown")
    run_audit(study, 2025, out=study / "results")
    words = [
        "atlas",
        str(study),
        "--years",
        "2025",
        "--no-roads",
        "--sheets",
        str(tmp_path / "sheets"),
        "--paper",
        "a3",
    ]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (tmp_path / "sheets").iterdir())
    assert names[0].startswith("00-")
    assert names[-1] == "sheets.json"
    assert len(names) == 2 + len(pd.read_json(tmp_path / "sheets" / "sheets.json", typ="series")["files"]) - 1


def test_what_sheets_cannot_be_made_of_is_reported_at_once(tmp_path):
    study = shutil.copytree(TOYTOWN, tmp_path / "toytown")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a")
    order = MapOrder(sheets=tmp_path / "full", target="nope", villages=True, edition="public")
    with pytest.raises(UnusableInputError) as caught:
        draw_study(study, order)
    for part in ("no such target", "no figures of villages", "not replaced"):
        assert part in str(caught.value)
    with pytest.raises(UnusableInputError, match="add --sheets DIR"):
        draw_study(study, MapOrder(target="reading"))
    assert not (study / "maps").exists()
