"""The keys of ``[roads]`` in study.toml reach the reading of the roads."""

import pytest

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError


def test_keys_of_the_study_decide_on_the_roads(toytown):
    keys = 'file = "roads.geojson"\ncolumns = { highway = "NAME" }\nclasses = { "Main Street" = "footway" }'
    edit(toytown / "study.toml", 'file = "roads.geojson"', keys)
    served = (run_audit(toytown).status == "covered").to_numpy().sum()
    edit(toytown / "study.toml", keys, 'file = "roads.geojson"')
    whole = (run_audit(toytown).status == "covered").to_numpy().sum()
    assert 0 < served < whole


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ('columns = { highway = "kind" }', r"columns.highway: the road table has no column of this name"),
        ('datum = "GCJ"', r"a datum is wgs84, gcj02, bd09, auto or EPSG:n"),
        ("join_m = 6", r"join_m"),
        ('layer = "town"', r"a .geojson file has no layer"),
        ('classes = { a = "b" }', r"classes.a: this is no road class"),
    ],
)
def test_keys_that_say_nothing_are_refused(toytown, keys, match):
    edit(toytown / "study.toml", 'file = "roads.geojson"', f'file = "roads.geojson"\n{keys}')
    with pytest.raises(UnusableInputError, match=match):
        run_audit(toytown)
