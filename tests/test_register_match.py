"""The register against another list of facilities: which rows are one, and what each list lacks."""

import json

import geopandas as gpd
import pandas as pd
import pytest

from commands import run as lifecircle
from lifecircle.doctor import check_study, matched

X, Y, FRAME = 500_000.0, 3_377_000.0, "EPSG:4549"


def facilities(*rows, ids=None):
    """Return a list of (service, name, metres east)."""
    places = gpd.points_from_xy([X + east for _, _, east in rows], [Y] * len(rows))
    frame = {"service": [row[0] for row in rows], "name": [row[1] for row in rows]}
    index = pd.Index(ids or [f"n{at}" for at in range(len(rows))], dtype="str")
    return gpd.GeoDataFrame(frame, geometry=places, crs=FRAME, index=index)


def found(one, other, known=("library", "clinic", "school")):
    table = matched(one, other, crs=FRAME, known=known)
    both = table[table["found"] == "both"]
    alone = {
        side: set(table.loc[table["found"] == side, key])
        for side, key in (("register", "id"), ("file", "file_id"))
    }
    return set(zip(both["id"], both["file_id"], strict=True)), alone["register"], alone["file"]


@pytest.mark.parametrize(
    ("mine", "theirs", "one"),
    [
        (("library", "海盐县图书馆", 0), ("library", "海盐图书馆", 50), True),  # 91 % alike, at the limit
        (("library", "海盐县图书馆", 0), ("library", "张元济图书馆", 50), False),  # 50 % alike
        (("library", "海盐县图书馆", 0), ("library", "", 50), True),
        (("library", "海盐县图书馆", 0), ("library", "", 51), False),
        (("library", "海盐县图书馆", 0), ("library", "海盐县图书馆", 500), True),
        (("library", "海盐县图书馆", 0), ("library", "海盐县图书馆", 501), False),
        (("library", "海盐县图书馆", 0), ("clinic", "海盐县图书馆", 0), False),  # another service
        (("library", "海盐县图书馆", 0), ("books", "海盐县图书馆", 400), True),  # a service nobody knows
        (("library", "海盐县图书馆", 0), ("books", "", 0), False),
        (("school", "第1小学", 0), ("school", "第2小学", 0), False),
    ],
)
def test_two_rows_are_one_facility(mine, theirs, one):
    both, _, _ = found(facilities(mine), facilities(theirs))
    assert len(both) == one


def test_each_row_is_matched_once_and_nothing_is_lost():
    mine = facilities(
        ("library", "东馆", 0), ("library", "西馆", 30), ("clinic", "卫生室", 900), ids=["A", "B", "C"]
    )
    theirs = facilities(
        ("library", "西馆", 5), ("library", "东馆", 25), ("library", "南馆", 20), ids=["a", "b", "c"]
    )
    assert found(mine, theirs) == ({("A", "b"), ("B", "a")}, {"C"}, {"c"})
    assert found(mine, theirs.iloc[:0]) == (set(), {"A", "B", "C"}, set())
    assert found(mine.iloc[:0], theirs) == (set(), set(), {"a", "b", "c"})


def test_the_check_reports_what_each_lacks(toytown, tmp_path):
    path = tmp_path / "osm.csv"
    register = gpd.GeoDataFrame(
        {"service": ["library", "gym", "museum"], "name": ["Toy library", "Gym of nobody", "Toy museum"]},
        geometry=gpd.points_from_xy([501_010, 505_000, 502_000], [3_377_000] * 3),
        crs=FRAME,
    ).to_crs("EPSG:4326")
    table = register[["service", "name"]].assign(lon=register.geometry.x, lat=register.geometry.y)
    table.to_csv(path, index=False)
    checkup = check_study(toytown, against=path)
    lacking = {(one.kind, one.count, one.rows) for one in checkup.problems if one.kind.startswith("not_in")}
    assert ("not_in_register", 1, ("3 Gym of nobody",)) in lacking
    assert ("not_in_register", 1, ("4 Toy museum",)) in lacking
    assert ("not_in_file", 2, ("G1 Toy gym west", "G2 Toy gym middle")) in lacking
    assert not any("L1 Toy library" in rows for _, _, rows in lacking)
    done = lifecircle("check", toytown, "--against", path, "--json")
    rows = json.loads(done.stdout)["against"]["rows"]
    assert [row["file_id"] for row in rows if row["found"] == "both"] == ["2"]
    assert len({row["id"] for row in rows if row["id"]}) + len(
        {row["file_id"] for row in rows if row["file_id"]}
    ) == (len(rows) + 1)
    assert "不" not in done.stderr
    assert json.loads(done.stdout)["against"]["unread"] == 0


def test_every_row_of_both_lists_is_written_as_csv(toytown, tmp_path):
    path, out = tmp_path / "osm.csv", tmp_path / "matches.csv"
    lines = ["id,service,name,lon,lat", "n1,library,=Toy library(),x,30", "n2,museum,=1+1,121.0,30.5"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    done = lifecircle("check", toytown, "--against", path, "--matches", out)
    assert done.returncode in {0, 1}, done.stderr
    table = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert table.columns[:4].tolist() == ["found in", "service", "id in the register", "name in the register"]
    assert table["found in"].value_counts().to_dict() == {"register only": 5, "other list only": 1}
    # No live formula of another's list, and the row without a place is counted.
    assert table["name in the other list"].tolist()[-1] == "'=1+1"
    assert "rows of 'osm.csv' that cannot be compared (1)" in done.stdout
    assert lifecircle("check", toytown, "--against", path, "--matches", out).returncode == done.returncode
    out.write_text("a,b\n1,2\n", "utf-8")
    refused = lifecircle("check", toytown, "--against", path, "--matches", out)
    assert refused.returncode == 2
    assert "was not written by lifecircle" in refused.stderr
    assert out.read_text("utf-8") == "a,b\n1,2\n"
    assert lifecircle("check", toytown, "--matches", out).returncode == 2
