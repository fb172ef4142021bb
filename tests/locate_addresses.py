"""Make up addresses of the bundled county, each with what is to be found: none of them is a real one."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pandas as pd

from conftest import ROOT
from lifecircle.locate._known_places import village_forms, village_stem

COUNTY = ROOT / "data" / "geo" / "haiyan"
STREETS = ("示例东路", "合成大道", "虚构街", "样例路", "演示北路")
PUT = {"武原街道": "望海街道", "沈荡镇": "百步镇"}
FULL = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True)
class MadeUp:
    """An address, the kind of its fault, the grade it should have (empty: none) and where it truly is."""

    address: str
    kind: str
    grade: str
    lon: float = float("nan")
    lat: float = float("nan")


def villages():
    table = pd.read_csv(COUNTY / "villages.csv", dtype={"code": str, "district": str})
    towns = {row["properties"]["code"]: row["properties"]["name"] for row in towns_of()}
    return [
        (row.name_, towns[row.district], row.lon, row.lat)
        for row in table.rename(columns={"name": "name_"}).itertuples()
    ]


def towns_of():
    import json  # noqa: PLC0415 - used here alone

    return json.loads((COUNTY / "towns.geojson").read_text("utf-8"))["features"]


def made_up(seed=2026):
    """Return 200 addresses and the rows of an address file that knows some of them."""
    draw = random.Random(seed)
    known = villages()
    found, file = [], []

    def add(kind, count, write, grade):
        for name, town, lon, lat in draw.sample(known, count):
            text, at = write(name, town, lon, lat)
            found.append(MadeUp(text, kind, grade, *(at if grade else (float("nan"), float("nan")))))

    def house(name, town, lon, lat, *, listed=True, detail=""):
        street, number = draw.choice(STREETS), draw.randint(1, 900)
        at = round(lon + draw.uniform(-0.004, 0.004), 6), round(lat + draw.uniform(-0.004, 0.004), 6)
        if listed:
            file.append({"address": f"海盐县{town}{street}{number}号", "lon": at[0], "lat": at[1]})
        short = village_forms(name)[-1]
        return f"{town}{short}{street}{number}号{detail}", at if listed else (lon, lat)

    def typo(name):
        stem = village_stem(name)
        return name.replace(stem, stem[:-1] + "噩", 1)

    add("official", 60, lambda n, t, x, y: (f"浙江省嘉兴市海盐县{t}{n}", (x, y)), "D")
    add("short", 30, lambda n, t, x, y: (f"{t}{village_forms(n)[-1]}", (x, y)), "D")
    add(
        "group",
        25,
        lambda n, _, x, y: (
            f"海盐县{village_forms(n)[-1]}{draw.randint(1, 20)}组{draw.randint(1, 99)}号",
            (x, y),
        ),
        "D",
    )
    add(
        "spaces",
        15,
        lambda n, t, x, y: (
            f"浙江省 海盐县（{t}） {t}，{n} 十二组{str(draw.randint(1, 99)).translate(FULL)}号",
            (x, y),
        ),
        "D",
    )
    add("house", 25, lambda *row: house(*row, detail="3幢201室"), "C")
    add("house not listed", 10, lambda *row: house(*row, listed=False), "D")
    add("typo", 15, lambda n, t, x, y: (f"{t}{typo(n)}", (x, y)), "")
    add("wrong town", 8, lambda n, t, x, y: (f"{PUT.get(t, '武原街道')}{n}", (x, y)), "")
    add("another county", 7, lambda n, _, x, y: (f"浙江省嘉兴市平湖市{n}", (x, y)), "")
    add("blank", 5, lambda *_: ("", (0, 0)), "")
    return found, pd.DataFrame(file)
