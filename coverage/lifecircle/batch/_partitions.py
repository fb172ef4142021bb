"""Keep the residents and districts of every study as partitions of one GeoParquet dataset.

::

    OUT/residents/study=haiyan/part-0.parquet     a row for each resident, with seconds and status by target
    OUT/districts/study=haiyan/part-0.parquet     a row for each district, with its value by target

Any reader of partitioned Parquet takes the folder as one table; ``study`` is its column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd
import pandas as pd

from lifecircle.files import file_hash, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifecircle.findings import Findings

RESIDENTS: Final = "residents"
DISTRICTS: Final = "districts"
_PART: Final = "part-0.parquet"


def partition(out: Path, kind: str, name: str) -> Path:
    """Return the partition of a study."""
    return out / kind / f"study={name}" / _PART


def write_partitions(findings: Findings, out: Path, name: str) -> dict[str, str]:
    """Write the residents and the districts of a run as partitions, each whole or not at all.

    Returns
    -------
    digests : kind of the partition -> SHA-256 of its file
    """
    digests = {}
    for kind, table in ((RESIDENTS, _residents(findings)), (DISTRICTS, _districts(findings))):
        path = partition(out, kind, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as fresh:
            table.to_parquet(fresh, index=False)
        digests[kind] = file_hash(path)
    return digests


def has_partitions(out: Path, name: str, digests: Mapping[str, str]) -> bool:
    """Return whether the partitions of a study are there, as they were written."""
    try:
        return all(
            file_hash(partition(out, kind, name)) == digests.get(kind) for kind in (RESIDENTS, DISTRICTS)
        )
    except OSError:
        return False


def _residents(findings: Findings) -> gpd.GeoDataFrame:
    """Return the residents with their seconds and status for every circle."""
    demand = findings.demand
    columns = {
        "id": demand.index.astype("str").to_numpy(),
        "year": findings.year,
        "population": demand["population"].to_numpy(dtype=float),
        "district": demand["district"].astype("str").to_numpy(),
        "village": demand["village"].astype("str").to_numpy() if "village" in demand else "",
    }
    for target in findings.seconds:
        columns[f"seconds_{target}"] = findings.seconds[target].to_numpy(dtype=float)
        columns[f"status_{target}"] = findings.status[target].astype("str").to_numpy()
    return gpd.GeoDataFrame(columns, geometry=demand.geometry.to_numpy(), crs="EPSG:4326")


def _districts(findings: Findings) -> gpd.GeoDataFrame:
    """Return the districts with their values; a study without any is one without a shape."""
    layer = findings.districts
    table = pd.DataFrame(
        {"code": layer.index.astype("str"), "name": layer["name"].astype("str"), "year": findings.year}
    ).reset_index(drop=True)
    for result in findings.targets:
        values = {one.code: one.value for one in result.districts}
        table[f"value_{result.target.id}"] = pd.Series(
            [values.get(code) for code in table["code"]], index=table.index, dtype="float64"
        )
    return gpd.GeoDataFrame(table, geometry=layer.geometry.to_numpy(), crs="EPSG:4326")
