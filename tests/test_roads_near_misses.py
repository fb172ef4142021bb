"""Road lines whose ends were digitised with an error: which join_m mends them, and what times come out."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lifecircle.demand import read_demand
from lifecircle.facilities import read_facilities
from lifecircle.reach import nearest
from lifecircle.roads import read_roads
from lifecircle.roads._near_misses import suggest_join_m

EXAMPLE = Path(__file__).parents[1] / "data" / "geo" / "haiyan"
FRAME = "EPSG:4549"


def noisy(frame, kind):
    """Move each end of each line by up to 0.5 m in each direction, or by 0.5 m exactly."""
    random = np.random.default_rng(20)
    xy, line = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    for side in ("left", "right"):
        end = np.searchsorted(line, np.arange(len(frame)), side=side) - (side == "right")
        angle = random.uniform(0, 2 * np.pi, len(frame))
        square = random.uniform(-0.5, 0.5, (len(frame), 2))
        xy[end] += square if kind == "square" else 0.5 * np.column_stack([np.cos(angle), np.sin(angle)])
    return gpd.GeoDataFrame(
        {"highway": frame["highway"].to_numpy()},
        geometry=shapely.linestrings(xy, indices=line),
        crs=frame.crs,
    )


@pytest.fixture(scope="module")
def example():
    lines = gpd.read_parquet(EXAMPLE / "roads.parquet")
    people, _ = read_demand(EXAMPLE / "residents.parquet")
    venues, _ = read_facilities(EXAMPLE / "sports.geojson")
    roads = read_roads(lines, crs=FRAME)
    return lines, people, venues, nearest(roads, people, venues, limit_min=15)["seconds"], roads


@pytest.mark.parametrize("kind", ["square", "circle"])
def test_the_example_with_noise_on_every_end_gives_its_times_again(example, kind):
    lines, people, venues, truth, true_roads = example
    plain = noisy(lines, kind)
    broken = read_roads(plain, crs=FRAME).reading
    assert len(broken.misses) > 50_000
    join_m = broken.suggested_join_m
    assert join_m == {"square": 1.5, "circle": 1.0}[kind]  # the largest gap is the square's diagonal, or 1 m
    roads = read_roads(plain, crs=FRAME, join_m=join_m)
    assert len(roads.xy) == len(true_roads.xy)
    assert roads.components.max() == true_roads.components.max()
    assert roads.reading.suggested_join_m is None
    times = nearest(roads, people, venues, limit_min=15)["seconds"]
    assert (times.isna() == truth.isna()).all()
    off = ((times - truth).abs() / truth).dropna()
    assert len(off) > 20_000
    assert np.quantile(off, 0.99) <= 0.01


def test_gaps_that_lie_everywhere_suggest_nothing():
    assert suggest_join_m(np.linspace(0.1, 5, 500)) is None
    assert suggest_join_m(np.linspace(0.2, 0.9, 19)) is None  # too few to see anything
    assert suggest_join_m(np.linspace(0.2, 0.9, 20)) == 1.0
    assert suggest_join_m(np.array([])) is None
    # half of them near by chance: the suggestion would not join most
    assert suggest_join_m(np.r_[np.linspace(0.1, 0.9, 100), np.linspace(1, 5, 100)]) is None
    assert suggest_join_m(np.r_[np.linspace(0.1, 1.9, 400), np.linspace(2, 5, 30)]) == 2.0
    assert suggest_join_m(np.linspace(3.6, 4.9, 100)) is None  # beyond what is taken for an error of drawing


def test_scattered_ends_meet_in_the_middle_and_ends_that_agree_stay():
    x, y = 500_000.0, 3_380_000.0
    ends = [(x, y), (x + 0.6, y), (x, y + 0.6)]
    far = [(x - 100, y), (x + 100, y), (x, y + 100)]
    lines = [shapely.LineString(pair) for pair in zip(far, ends, strict=True)]
    roads = read_roads(gpd.GeoDataFrame(geometry=lines, crs=FRAME), join_m=1)
    (hub,) = np.flatnonzero(np.bincount(np.r_[roads.u, roads.v]) == 3)
    assert roads.xy[hub] == pytest.approx([x + 0.2, y + 0.2], abs=1e-6)
    agreed = [*lines, shapely.LineString([(x - 100, y - 100), (x, y)])]
    roads = read_roads(gpd.GeoDataFrame(geometry=agreed, crs=FRAME), join_m=1)
    (hub,) = np.flatnonzero(np.bincount(np.r_[roads.u, roads.v]) == 4)
    assert roads.xy[hub] == pytest.approx([x, y], abs=1e-6)
