"""Keep what the merged files of a batch need of each study: rows of one table, partitions of one dataset.

::

    OUT/residents/study=haiyan/part-0.parquet     a row for each resident, with seconds and status by target
    OUT/districts/study=haiyan/part-0.parquet     a row for each district, with its value by target

Any reader of partitioned Parquet takes the folder as one table; ``study`` is its column.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd

from lifecircle.files import file_hash, written
from lifecircle.findings import METHOD_VERSION, as_circle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from lifecircle.findings import Count, Findings, TargetResult

RESIDENTS: Final = "residents"
DISTRICTS: Final = "districts"
_PART: Final = "part-0.parquet"
PEOPLE: Final = ("people", "covered", "beyond", "disconnected", "unsnapped")
COLUMNS: Final = {
    "study": "str",
    "study_name": "str",
    "year": "int64",
    "target": "str",
    "target_name": "str",
    "kind": "str",
    "district": "str",
    "district_name": "str",
    "value": "float64",
    "goal": "float64",
    "due": "Int64",
    "status": "str",
    "reason": "str",
    **dict.fromkeys(PEOPLE, "float64"),
    "synthetic": "bool",
    "method_version": "str",
    "fingerprint": "str",
}
"""Columns of the merged table; ``district`` is empty in the row of a whole study."""


def merged_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield a row for every target as a whole, and for each of its districts; what is unknown is None.

    Parameters
    ----------
    findings : of one run
    """
    for result in findings.targets:
        shared = _shared(findings, result)
        whole = {"district": "", "district_name": "", "value": result.value, "status": result.status}
        yield {**shared, **whole, "reason": result.reason, **_people(as_circle(result).count)}
        for one in result.districts:
            own = {"district": one.code, "district_name": one.name, "value": one.value, "status": one.status}
            yield {**shared, **own, "reason": "", **_people(getattr(one, "count", None))}


def _shared(findings: Findings, result: TargetResult) -> dict[str, Any]:
    target = result.target
    return {
        "study": findings.study,
        "study_name": findings.name,
        "year": findings.year,
        "target": target.id,
        "target_name": target.name.get(findings.language),
        "kind": target.kind,
        "goal": target.goal,
        "due": target.due,
        "is_share": result.is_share,  # for the page; not a column of the table
        "synthetic": findings.synthetic,
        "method_version": METHOD_VERSION,
        "fingerprint": findings.fingerprint,
    }


def _people(count: Count | None) -> dict[str, float | None]:
    return {name: None if count is None else float(getattr(count, name)) for name in PEOPLE}


def merged_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as the merged table, in the order they are given.

    >>> merged_table([]).columns.tolist()[:3]
    ['study', 'study_name', 'year']
    """
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype(COLUMNS)


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


def drop_partitions(out: Path, keep: Collection[str]) -> None:
    """Remove the partitions of every study but some; each can be made again from its study."""
    for kind in (RESIDENTS, DISTRICTS):
        for folder in sorted((out / kind).glob("study=*")):
            if folder.name.removeprefix("study=") not in keep:
                shutil.rmtree(folder, ignore_errors=True)


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
