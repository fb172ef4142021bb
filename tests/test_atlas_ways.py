"""The way that the page draws from a resident to a venue, against the run's times and the roads' lines."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

import atlas_roads
from atlas_asking import ask
from lifecircle.page_data import page_payload, read_payload
from lifecircle.page_data._answers import STEP_S
from lifecircle.wording import Words

YEAR = 2025


@pytest.mark.parametrize("seed", range(4))
def test_a_way_takes_the_time_of_the_run_and_stays_on_the_roads(tmp_path, seed):
    found, roads = atlas_roads.study(seed)
    raw = page_payload([found], Words("zh"), roads)
    answers = read_payload(raw).answers(YEAR, "clinic")
    known = np.flatnonzero((answers.steps >= 0) & (answers.nearest >= 0)).tolist()
    assert len(known) > 80
    (ways,) = ask(tmp_path, raw, [{"kind": "ways", "year": YEAR, "target": "clinic", "cells": known}])
    to = pyproj.Transformer.from_crs("EPSG:4326", roads.crs, always_xy=True)
    on = shapely.union_all(roads.lines)
    venues = found.facilities.to_crs(roads.crs).geometry
    homes = found.demand.to_crs(roads.crs).geometry
    for cell, way in zip(known, ways, strict=True):
        assert way is not None, cell
        seconds = way["time"] / 100
        assert seconds == pytest.approx(answers.steps[cell] * STEP_S, abs=0.2)
        lat, lon = np.array(way["places"]).T
        line = np.column_stack(to.transform(lon, lat))
        door, venue = homes.iloc[cell], venues.iloc[answers.nearest[cell]]
        legs = door.distance(shapely.Point(line[0])) + venue.distance(shapely.Point(line[-1]))
        walked = np.hypot(*np.diff(line, axis=0).T).sum() + legs
        assert walked / (5.0 / 3.6) == pytest.approx(seconds, abs=1.0)  # lines stand to a few decimetres
        assert shapely.distance(shapely.points(line), on).max() < 0.6


def test_where_there_is_no_way_none_is_drawn(tmp_path):
    found, roads = atlas_roads.study(0)
    raw = page_payload([found], Words("zh"), roads)
    answers = read_payload(raw).answers(YEAR, "clinic")
    lost = np.flatnonzero(answers.steps < 0).tolist()
    assert lost
    (ways,) = ask(tmp_path, raw, [{"kind": "ways", "year": YEAR, "target": "clinic", "cells": lost}])
    assert ways == [None] * len(lost)
