"""Villagers' and residents' committees, by name and by code."""

import pandas as pd
import pytest

from conftest import ROOT
from lifecircle.measures import committees


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("330424101200", "首荡村委会", "village"),
        ("330424101200", "首荡村村民委员会", "village"),
        ("330424001005", "文昌社区居委会", "community"),
        ("330424001005", "文星社区居民委员会", "community"),
        ("330424001005", "文昌社区", "community"),
        ("330424001205", "文昌社区居委会", "community"),  # the name is what it is called now
        ("330424001005", "文昌", "community"),
        ("330424101399", "横港", "village"),
        ("330424101400", "开发区", "community"),
        ("330424101500", "横港", ""),
        ("330424101000", "横港", ""),
        ("V7", "横港村", ""),
    ],
)
def test_by_name_else_by_code(code, name, kind):
    assert committees([code], [name]).tolist() == [kind]


def test_names_and_codes_of_the_county_agree():
    units = pd.read_csv(ROOT / "data/geo/haiyan/villages.csv", dtype=str, encoding="utf-8-sig")
    kinds = committees(units["code"], units["name"])
    assert kinds.tolist() == committees(units["code"], [""] * len(units)).tolist()
    assert kinds.value_counts().to_dict() == {"village": 77, "community": 45}
