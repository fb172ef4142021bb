"""Compare the shifts of datums with the libraries there are: how far a round trip misses, and how fast.

Run with ``python -m benchmarks.datums``, in the environment of ``make bench`` or one that has the peers:
1,000,000 places for this package, as many as take a second for a peer that takes one place at a time. The
table is written between its marks in docs/study.md.
"""

from __future__ import annotations

import importlib
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

import lifecircle as lc
from benchmarks.networks import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    Places = np.ndarray[Any, Any]
    Shift = Callable[[float, float], tuple[float, float]]

MANY, TURN = 1_000_000, 2_000
PAGE = ROOT / "docs" / "study.md"
MARKS = ("<!-- datums -->", "<!-- /datums -->")
METRE_DEG = 111_320.0


def places(many: int) -> tuple[Places, Places]:
    """Draw places inside China: longitudes and latitudes."""
    random = np.random.default_rng(0)
    return random.uniform(80, 125, many), random.uniform(22, 45, many)


def apart_m(first: tuple[Places, Places], second: tuple[Places, Places]) -> float:
    """Return the largest distance between places, in metres."""
    east = (first[0] - second[0]) * METRE_DEG * np.cos(np.radians(first[1]))
    return float(np.hypot(east, (first[1] - second[1]) * METRE_DEG).max())


def own() -> list[dict[str, Any]]:
    """Measure this package: there and back, for both datums."""
    here = places(MANY)
    rows = []
    for name, there, back in (
        ("GCJ-02", lc.gcj02_from_wgs84, lc.wgs84_from_gcj02),
        ("BD-09", lc.bd09_from_wgs84, lc.wgs84_from_bd09),
    ):
        begun = time.process_time()
        shifted = there(*here)
        between = time.process_time()
        again = back(*shifted)
        rows.append(
            {
                "who": "lifecircle",
                "datum": name,
                "there": between - begun,
                "back": time.process_time() - between,
                "miss": apart_m(here, again),
            }
        )
    return rows


def _swapped(shift: Shift) -> Shift:
    """Turn a shift of latitude and longitude into one of longitude and latitude."""

    def turned(lon: float, lat: float) -> tuple[float, float]:
        found = shift(lat, lon)
        return found[1], found[0]

    return turned


def peers() -> dict[str, dict[str, tuple[Shift, Shift]]]:
    """Return the shifts of every library that is installed: name -> datum -> there and back."""
    found: dict[str, dict[str, tuple[Shift, Shift]]] = {}
    for package, module in (
        ("eviltransform", "eviltransform"),
        ("coord-convert", "coord_convert.transform"),
        ("prcoords", "prcoords"),
        ("coordTransform", "coordTransform"),
    ):
        try:
            one: Any = importlib.import_module(module)
        except ImportError:
            continue
        name = f"{package} {version(package)}"
        if package == "eviltransform":
            found[name] = {
                "GCJ-02": (_swapped(one.wgs2gcj), _swapped(one.gcj2wgs)),
                "GCJ-02, exact": (_swapped(one.wgs2gcj), _swapped(one.gcj2wgs_exact)),
                "BD-09": (_swapped(one.wgs2bd), _swapped(one.bd2wgs)),
            }
        elif package == "coord-convert":
            found[name] = {"GCJ-02": (one.wgs2gcj, one.gcj2wgs), "BD-09": (one.wgs2bd, one.bd2wgs)}
        elif package == "prcoords":
            coords = one.Coords

            def call(shift: Any, coords: Any = coords) -> Shift:
                def turned(lon: float, lat: float) -> tuple[float, float]:
                    made = shift(coords(lat, lon))
                    return made.lon, made.lat

                return turned

            found[name] = {
                "GCJ-02": (call(one.wgs_gcj), call(one.gcj_wgs)),
                "GCJ-02, exact": (call(one.wgs_gcj), call(one.gcj_wgs_bored)),
                "BD-09": (call(one.wgs_bd), call(one.bd_wgs)),
            }
        else:
            found[name] = {
                "GCJ-02": (one.wgs84_to_gcj02, one.gcj02_to_wgs84),
                "BD-09": (one.wgs84_to_bd09, one.bd09_to_wgs84),
            }
    return found


def other(who: str, datum: str, there: Shift, back: Shift) -> dict[str, Any]:
    """Measure a library that takes one place at a time; its seconds are those of as many as ours."""
    lon, lat = places(TURN)
    begun = time.process_time()
    shifted = [there(*one) for one in zip(lon.tolist(), lat.tolist(), strict=True)]
    between = time.process_time()
    again = np.array([back(*one) for one in shifted])
    end = time.process_time()
    scale = MANY / TURN
    return {
        "who": who,
        "datum": datum,
        "there": (between - begun) * scale,
        "back": (end - between) * scale,
        "miss": apart_m((lon, lat), (again[:, 0], again[:, 1])),
    }


def _line(row: dict[str, Any]) -> str:
    times = f"{row['there']:.2f} | {row['back']:.2f}"
    return f"| {row['who']} | {row['datum']} | {times} | {row['miss']:.1e} m |"


def main() -> None:
    """Measure everything and write the table."""
    rows = own()
    for who, shifts in peers().items():
        rows += [other(who, datum, *both) for datum, both in shifts.items()]
    lines = [
        "| library | datum | processor s for 1,000,000 there | and back | round trip misses by at most |",
        "|---|---|---|---|---|",
        *map(_line, rows),
    ]
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(before + MARKS[0] + "\n" + "\n".join(lines) + "\n" + MARKS[1] + after, "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
