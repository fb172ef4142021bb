"""What a circle says of small places: people counted and covered in every village and grid cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.audit._counted import village_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._circles import Circle
    from lifecircle.audit._inputs import Inputs

CELL_M = 500.0


def village_counts(circles: list[Circle], inputs: Inputs) -> dict[str, npt.NDArray[np.float64]]:
    """Count people and covered people by village: ``people_<target>``, ``covered_<target>`` (village,)."""
    if inputs.villages is None:
        return {}
    return _counts(circles, village_of(inputs), len(inputs.villages))


def grid(circles: list[Circle], inputs: Inputs) -> gpd.GeoDataFrame:
    """Count people and covered people by cell of a square grid of :data:`CELL_M`.

    Cells begin at whole multiples of their size in the study's metre CRS, so that those of two years are
    the same; only cells where somebody lives are there. Residents without a place are in none.

    Returns
    -------
    cells : index ``cell`` (``<east>_<north>``, the south-west corner in cells), ``population``,
        ``people_<target>`` and ``covered_<target>``, squares in EPSG:4326
    """
    placed = np.flatnonzero(np.isfinite(inputs.metres).all(axis=1))
    corner = np.floor(inputs.metres[placed] / CELL_M).astype(np.int64)
    cells, member = np.unique(corner, axis=0, return_inverse=True)
    of = np.full(len(inputs.demand), -1, dtype=np.intp)
    of[placed] = member.ravel()
    population = inputs.demand["population"].to_numpy(dtype=float)
    low, high = cells * CELL_M, (cells + 1) * CELL_M
    squares = gpd.GeoSeries(
        shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]),
        crs=inputs.crs,
    )
    columns: dict[str, Any] = {
        "population": _sums(of, population, len(cells)),
        **_counts(circles, of, len(cells)),
    }
    labels = pd.Index([f"{east}_{north}" for east, north in cells.tolist()], name="cell", dtype="str")
    return gpd.GeoDataFrame(
        columns, index=labels, geometry=squares.to_crs("EPSG:4326").to_numpy(), crs="EPSG:4326"
    )


def _counts(
    circles: list[Circle], of: npt.NDArray[np.intp], number: int
) -> dict[str, npt.NDArray[np.float64]]:
    out = {}
    for circle in circles:
        target = circle.result.target.id
        out[f"people_{target}"] = _sums(of, circle.people, number)
        out[f"covered_{target}"] = _sums(of, np.where(circle.status == "covered", circle.people, 0.0), number)
    return out


def _sums(of: npt.NDArray[np.intp], people: npt.NDArray[np.float64], number: int) -> npt.NDArray[np.float64]:
    mine = of >= 0
    return np.bincount(of[mine], weights=people[mine], minlength=number).astype(np.float64)
