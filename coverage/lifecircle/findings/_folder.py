"""Write a run into its folder and read it back, so that a damaged file is never read as a result.

A run's folder holds ``summary.json`` (the verdicts, unrounded), ``results.gpkg`` (residents with their
seconds per target, facilities, districts, villages, gaps), ``ranks.parquet`` (what rules of several venues
rest on) and ``rejects.csv``; findings are read back from those four. ``checksums.txt`` holds what every file
held when it was written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import Results, file_hash
from lifecircle.findings._findings import HOME_SUPPLY, VENUE_SUPPLY, Findings, rank_table
from lifecircle.findings._summary import SCHEMA, Software, Summary, target_entry
from lifecircle.tables import rearmed, write_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

METHOD_VERSION = "2026.1"
CHECKSUMS = "checksums.txt"

RUN = Results(
    "summary.json",
    (
        "summary.json",
        "results.gpkg",
        "ranks.parquet",
        "rejects.csv",
        "scoreboard.csv",
        "scoreboard.xlsx",
        "gaps.csv",
        "evidence.json",
        CHECKSUMS,
    ),
)
"""The folder of a run: the file it is known by, and all that stand in it."""


def summary(findings: Findings) -> dict[str, Any]:
    """Return the plain form of ``summary.json``: verdicts unrounded, no clock, no absolute path."""
    whole = Summary(
        schema=SCHEMA,
        study=findings.study,
        name=findings.name,
        year=findings.year,
        language=findings.language,
        synthetic=findings.synthetic,
        crs=findings.crs,
        software=Software(version=findings.software, method_version=METHOD_VERSION),
        fingerprint=findings.fingerprint,
        roads=findings.roads_key,
        publication=findings.publication,
        services={name: dict(words) for name, words in findings.services.items()},
        inputs=list(findings.inputs),
        reading=findings.reading,
        warnings=list(findings.warnings),
        targets=[target_entry(result) for result in findings.targets],
    )
    plain = whole.model_dump(mode="json", by_alias=True)
    # Keys that came later and say nothing of this run are left out: a run made before them stays the same.
    if plain["reading"]["residents"] is None:
        del plain["reading"]["residents"]
    for check in plain["reading"]["coarse"]:
        for name in ("unsure", "partly"):
            if not check[name]:
                del check[name]
    for target in plain["targets"]:
        if not target.get("surfaces", True):
            del target["surfaces"]
        for key in ("reach", "equity"):
            if target.get(key, False) is None:
                del target[key]
    return plain


def save_findings(
    findings: Findings, folder: Path, *, tables: Mapping[str, pd.DataFrame] | None = None
) -> None:
    """Write ``summary.json``, ``results.gpkg`` and ``ranks.parquet`` into an existing folder.

    ``tables`` : further tables of the GeoPackage, such as the styles of its layers.
    """
    text = json.dumps(summary(findings), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    write_layers(folder / "results.gpkg", {**result_layers(findings), **(tables or {})})
    ranks = findings.ranks.set_axis(_flat(findings.ranks), axis=1)
    venues = findings.rank_venues.set_axis([name + _VENUE for name in _flat(findings.rank_venues)], axis=1)
    both = pd.concat([ranks, venues], axis=1) if len(venues.columns) else ranks
    both.to_parquet(folder / "ranks.parquet")


def result_layers(findings: Findings) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of a run, as ``results.gpkg`` holds them: name -> rows, empty ones left out.

    Parameters
    ----------
    findings : of one run

    Returns
    -------
    layers : the first column of each is what a row is known by; see ``LABELS``
    """
    layers = {
        "demand": _with_answers(findings),
        "facilities": _beside(findings.facilities, findings.venue_supply),
        "districts": findings.districts,
        "villages": findings.villages,
        "grid": findings.grid,
        "gaps": _gap_layer(findings.gaps),
    }
    return {name: layer.reset_index(names=LABELS[name]) for name, layer in layers.items() if len(layer)}


LABELS = {
    "demand": "id",
    "facilities": "id",
    "districts": "code",
    "villages": "code",
    "grid": "cell",
    "gaps": "row",
}
"""Layer of a run -> the column that its rows are known by."""
_ANSWERS = ("seconds", "status", "nearest", "people")
_FILES = ("summary.json", "results.gpkg", "ranks.parquet", "rejects.csv")


def _flat(table: pd.DataFrame) -> list[str]:
    return ["/".join(map(str, column)) for column in table.columns]


_VENUE = "/venue"


def _with_answers(findings: Findings) -> gpd.GeoDataFrame:
    columns = {
        f"{answer}_{target}": getattr(findings, answer)[target]
        for target in findings.seconds.columns
        for answer in _ANSWERS
    }
    return _beside(findings.demand.assign(**columns), findings.home_supply)


def _beside(layer: gpd.GeoDataFrame, supply: pd.DataFrame) -> gpd.GeoDataFrame:
    """Put the columns of capacity targets beside those of a layer, row by row."""
    return layer.assign(**{str(name): supply[name].reindex(layer.index) for name in supply.columns})


def _gap_layer(gaps: pd.DataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(gaps, geometry=gpd.points_from_xy(gaps["lon"], gaps["lat"]), crs="EPSG:4326")


def seal(folder: Path) -> None:
    """Write ``checksums.txt`` of a run's folder: SHA-256 and name of its files, as ``sha256sum`` does."""
    names = sorted(
        path.name for path in folder.iterdir() if path.name in RUN.files and path.name != CHECKSUMS
    )
    lines = [f"{file_hash(folder / name)}  {name}\n" for name in names]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_fingerprint(folder: str | Path) -> str:
    """Read the fingerprint of a run from its summary alone; empty where the run has none.

    Raises
    ------
    UnusableInputError
        When the summary cannot be read.
    """
    found = _summary(Path(folder)).get("fingerprint", "")
    return found if isinstance(found, str) else ""


def load_findings(folder: str | Path) -> Findings:
    """Read a run back from its folder.

    Raises
    ------
    MissingFileError
        When the folder holds no finished run.
    UnusableInputError
        When a file of the run is damaged, or was written by a newer version of the format.
    """
    folder = Path(folder)
    for name in _FILES:
        if not (folder / name).is_file():
            reason, remedy = say("a run without this file"), say("audit the study again")
            raise MissingFileError([Fault(str(folder / name), "", "", reason, remedy)])
    top = _summary(folder)
    if top["schema"] > SCHEMA:
        reason = say("newer than this version reads ({schema})", schema=SCHEMA)
        place, shown = say("key '{key}'", key="schema"), str(top["schema"])
        fault = Fault(str(folder / "summary.json"), place, shown, reason, say("upgrade lifecircle"))
        raise UnusableInputError([fault])
    _check_seal(folder)
    try:
        return _findings(folder, top)
    except UnusableInputError:
        raise
    except _DAMAGED as error:
        raise UnusableInputError([_damaged(folder, f"{type(error).__name__}: {error}")]) from error


_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError)
"""What reading a damaged run may raise: a whole one holds only what this package wrote."""


def _damaged(path: Path, what: str) -> Fault:
    reason = say("a damaged run: {what}", what=" ".join(what.split())[:200])
    return Fault(str(path), "", "", reason, say("audit the study again"))


def _summary(folder: Path) -> dict[str, Any]:
    """Read the summary of a run.

    Raises
    ------
    UnusableInputError
        When it is not there, or not what a summary is.
    """
    path = folder / "summary.json"
    with system_errors(path):
        text = path.read_bytes()
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableInputError([_damaged(path, str(error))]) from None
    if not isinstance(top, dict) or not isinstance(top.get("schema"), int):
        raise UnusableInputError([_damaged(path, "no summary")])
    return top


def _check_seal(folder: Path) -> None:
    """Compare the files that findings are read from with what they held when they were written.

    Raises
    ------
    UnusableInputError
        With every file that holds something else now.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        return  # a run of a version that wrote none
    with system_errors(path):
        lines = path.read_text("utf-8", "replace").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        faults = [
            _damaged(folder / name, "not what was written")
            for name in _FILES
            if sums.get(name) != file_hash(folder / name)
        ]
    if faults:
        raise UnusableInputError(faults)


def _findings(folder: Path, top: Mapping[str, Any]) -> Findings:
    """Build findings from the files of a run and its summary."""
    whole = Summary.model_validate(top)
    layers = _read_layers(folder / "results.gpkg")
    demand = layers["demand"]
    circles = [name.removeprefix("seconds_") for name in demand.columns if name.startswith("seconds_")]
    demand, home_supply = _supply(demand, HOME_SUPPLY)
    facilities, venue_supply = _supply(layers["facilities"], VENUE_SUPPLY)
    answers = {
        answer: demand[[f"{answer}_{target}" for target in circles]].set_axis(circles, axis=1)
        for answer in _ANSWERS
    }
    ranks, rank_venues = _read_ranks(folder / "ranks.parquet")
    return Findings(
        study=whole.study,
        name=whole.name,
        year=whole.year,
        language=whole.language,
        synthetic=whole.synthetic,
        crs=whole.crs,
        roads_key=whole.roads,
        software=whole.software.version,
        targets=tuple(entry.result for entry in whole.targets),
        demand=demand.drop(columns=[f"{answer}_{target}" for target in circles for answer in _ANSWERS]),
        facilities=facilities,
        home_supply=home_supply,
        venue_supply=venue_supply,
        districts=layers["districts"],
        villages=layers["villages"],
        grid=layers["grid"],
        ranks=ranks,
        rank_venues=rank_venues,
        gaps=pd.DataFrame(layers["gaps"].drop(columns="geometry")),
        rejects=pd.read_csv(folder / "rejects.csv", dtype=str, keep_default_na=False).map(rearmed),
        inputs=tuple(whole.inputs),
        services=whole.services,
        publication=whole.publication,
        warnings=tuple(whole.warnings),
        fingerprint=whole.fingerprint,
        reading=whole.reading,
        **answers,
    )


def _supply(layer: gpd.GeoDataFrame, prefixes: tuple[str, ...]) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Divide a layer into its own columns and those of capacity targets, which begin with a prefix."""
    mine = [name for name in layer.columns if name.startswith(prefixes)]
    return layer.drop(columns=mine), pd.DataFrame(layer[mine])


def _read_ranks(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the times to the venues of rules of several, and the labels of these venues."""
    flat = pd.read_parquet(path)
    labels = [name for name in flat.columns if name.endswith(_VENUE)]
    return _ranked(flat.drop(columns=labels)), _ranked(flat[labels])


def _ranked(flat: pd.DataFrame) -> pd.DataFrame:
    columns = [column.split("/") for column in flat.columns]
    return rank_table(
        {(one[0], one[1], int(one[2])): flat.iloc[:, at].array for at, one in enumerate(columns)},
        flat.index,
    )


def _read_layers(path: Path) -> dict[str, gpd.GeoDataFrame]:
    """Read the layers of a run back; one that held nothing was not written, and is empty."""
    written = set(pyogrio.list_layers(path)[:, 0])
    return {
        name: _read_layer(path, name)
        if name in written
        else gpd.GeoDataFrame({label: []}, geometry=[], crs="EPSG:4326").set_index(label)
        for name, label in LABELS.items()
    }


def _read_layer(path: Path, name: str) -> gpd.GeoDataFrame:
    layer = gpd.read_file(path, layer=name, use_arrow=True).set_index(LABELS[name])
    # A flag that is unknown somewhere comes as plain objects.
    plain = layer.columns[layer.dtypes == np.dtype(object)]
    flags = [column for column in plain if pd.api.types.infer_dtype(layer[column]) == "boolean"]
    layer = layer.astype(dict.fromkeys(flags, "boolean"))
    return layer.rename_axis(index="id") if name in {"demand", "facilities"} else layer
