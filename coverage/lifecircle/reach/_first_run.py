"""Compile the loops of this room in the first run on a machine, beside what has to be done before them.

Compiling takes several seconds, reading the inputs of a county two or three. On two processors they pass at
the same time: a second process asks one small question of every loop, and numba stores what it compiles. The
loops are the same, and so are all answers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lifecircle import compiled
from lifecircle.reach._choice import ENVIRONMENT, KERNELS, thread_count

if TYPE_CHECKING:
    from lifecircle.roads import Roads

_PROGRAM = "from lifecircle.reach import compile_loops; compile_loops()"
_MANY_JUNCTIONS = 30_000  # of a county: two nearest of many venues alone pay for loading
_LAST = ("lifecircle.reach._pair_kernels", "join")


def compile_beside() -> bool:
    """Start compiling in a second process, where nothing is stored and there is a processor for it.

    For commands that will search a county or more; it ends with this process at the latest.

    Returns
    -------
    started : bool
    """
    if thread_count() < 2 or os.environ.get(ENVIRONMENT) == "scipy":
        return False
    return compiled.compile_beside(_PROGRAM, last=_LAST)


def load_loops(roads: Roads) -> bool:
    """Load the compiled loops where the questions of an audit will need them.

    For who has to wait anyway. Nothing waits for a loop that is still being compiled.

    Parameters
    ----------
    roads : network that is going to be searched

    Returns
    -------
    loaded : bool; false for a small network, which scipy answers, and without numba
    """
    from lifecircle.reach._ring import hint_compiles, search_loops  # noqa: PLC0415 - tables come with it

    if (
        len(roads.xy) < _MANY_JUNCTIONS
        or os.environ.get(ENVIRONMENT) == "scipy"
        or not compiled.loads(KERNELS)
    ):
        return False
    if not compiled.is_compiling():
        hint_compiles(search_loops())
    return True


def compile_loops() -> None:
    """Compile and store every loop that an audit calls, in the order in which it needs them."""
    from geopandas import GeoDataFrame, GeoSeries  # noqa: PLC0415 - only the process beside needs tables

    from lifecircle.reach._pairs import within  # noqa: PLC0415 - as above
    from lifecircle.reach._search import nearest  # noqa: PLC0415 - as above
    from lifecircle.reach._snap import snap  # noqa: PLC0415 - as above
    from lifecircle.roads import read_roads  # noqa: PLC0415 - as above

    os.environ[ENVIRONMENT] = "ring"
    line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    places = GeoDataFrame(geometry=line.boundary.explode(ignore_index=True))
    ends = snap(roads, places)
    for ranks in (2, 1):
        nearest(roads, ends, ends, limit_min=15, k=ranks)
    within(roads, ends, ends, limit_min=15)
    compiled.note_stored(*_LAST)
