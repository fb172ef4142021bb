"""The candidates of one siting study: from a file or near the gaps, and the land they lie on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lifecircle.candidates import on_land, read_candidates, read_land
from lifecircle.demand import OUTSIDE, assign_districts, assign_villages, village_centres
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.findings import InputRecord
from lifecircle.study import LandPart
from lifecircle.tables import read_table, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.standards import CircleTarget, PresenceTarget

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

NEAR_GAP_M = 500.0
"""Generated candidates lie within this, in a straight line, of somebody not covered: a setting."""

_AROUND_M = 400.0


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidates of a study.

    ``table`` : as from :func:`lifecircle.candidates.read_candidates`, with ``district``, ``village`` and
    ``left_out`` (why it may not be chosen: the name of the land it lies on, or a code; empty where it may);
    ``land`` : (candidate, kind of land) whether it lies on it; ``rejects`` : rows left out on reading;
    ``records`` : the files read; ``generated`` : whether they were found near the gaps.
    """

    table: gpd.GeoDataFrame
    land: pd.DataFrame
    rejects: pd.DataFrame
    records: tuple[InputRecord, ...]
    generated: bool

    @property
    def free(self) -> Flags:
        """Return which candidates may be chosen: (candidate,)."""
        flags: Flags = (self.table["left_out"] == "").to_numpy(dtype=bool)
        return flags


def gather(
    inputs: Inputs,
    target: CircleTarget | PresenceTarget,
    uncovered: Flags,
    people: Floats,
    *,
    file: str | Path | None = None,
) -> Candidates:
    """Bring together the candidates for a target, and find on which land each lies.

    Parameters
    ----------
    uncovered : (demand,) who is not covered today
    people : (demand,) people the target counts
    file : list of candidates instead of the study's own; without either they are found near the gaps

    Raises
    ------
    UnusableInputError
        With every fault of the files, and every candidate that is required on excluded land.
    """
    part = inputs.study.siting
    faults = FaultLog()
    records: list[InputRecord] = []
    rejects = pd.DataFrame()
    given = file if file is not None else _own_file(inputs, part.candidates)
    table = None
    with faults.catching():
        if given is not None:
            known = [service.id for service in inputs.study.standard.services]
            table, rejects = read_candidates(
                read_table(given, **part.where) if file is None else given,
                datum=part.datum,
                columns=part.columns,
                known_services=known,
                max_rejected=inputs.study.max_rejected,
            )
            records.append(_record("candidates", given, inputs, len(table), len(rejects)))
        else:
            table = near_gaps(inputs, uncovered, people, spacing_m=part.spacing_m)
    layers = _layers(inputs, records, faults)
    faults.raise_any()
    assert table is not None
    table = assign_villages(assign_districts(table, inputs.districts), inputs.villages)
    if given is None and inputs.villages is not None:
        near = table["village"].map(inputs.villages["name"]).fillna("")
        table = table.assign(name=table["name"].where(table["name"] != "", near + " " + table.index))
    table = table.assign(works=table["works"].replace(dict(part.works)))
    crs = next(iter(inputs.networks.values())).crs
    land, left_out = _on_each(table, layers, crs)
    left_out = left_out.mask((left_out == "") & table["forbidden"], "forbidden")
    # A unit counts what stands in it, so only a circle reaches across the border.
    if not getattr(target, "across_border", False):
        left_out = left_out.mask((left_out == "") & (table["district"] == OUTSIDE), "outside")
    table = table.assign(left_out=left_out)
    wrong = list(_required_on_land(table, "" if given is None else str(given)))
    if wrong:
        raise UnusableInputError(wrong)
    if given is None:
        kept = (left_out == "").to_numpy(dtype=bool)
        table, land = table[kept], land[kept]
    return Candidates(table, land, rejects, tuple(records), given is None)


def _layers(
    inputs: Inputs, records: list[InputRecord], faults: FaultLog
) -> dict[str, tuple[gpd.GeoDataFrame, LandPart]]:
    """Read the kinds of land a study keeps free; faults and records are noted."""
    layers = {}
    for name, one in inputs.study.siting.exclude.items():
        part = one if isinstance(one, LandPart) else LandPart(file=one)
        path = inputs.study.path_in(part.file, inputs.year)
        with faults.catching():
            layers[name] = read_land(read_table(path, **part.where), datum=part.datum), part
            records.append(_record(f"land {name}", path, inputs, len(layers[name][0]), 0))
    return layers


def _on_each(
    table: gpd.GeoDataFrame, layers: Mapping[str, tuple[gpd.GeoDataFrame, LandPart]], crs: Any
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return on which land each candidate lies, and the first that leaves it out (empty where none does)."""
    land = pd.DataFrame(index=table.index)
    left_out = pd.Series("", index=table.index, dtype="str")
    for name, (layer, part) in layers.items():
        inside = on_land(table, layer, crs=crs)
        land[name] = ~inside if part.outside else inside
        if part.effect == "exclude":
            left_out = left_out.mask((left_out == "") & land[name], name)
    return land, left_out


def _own_file(inputs: Inputs, file: Any) -> Path | None:
    return None if file is None else inputs.study.path_in(file, inputs.year)


def _record(role: str, path: str | Path, inputs: Inputs, rows: int, rejected: int) -> InputRecord:
    import hashlib  # noqa: PLC0415 - beside its only use
    from pathlib import Path  # noqa: PLC0415 - the same

    kept = snapshot_of(path)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest() if kept is None else kept.digest
    return InputRecord(role, inputs.study.name_of(path), digest, rows, rejected)


def _required_on_land(table: gpd.GeoDataFrame, file: str) -> Iterator[Fault]:
    for label, row in table[table["required"] & (table["left_out"] != "")].iterrows():
        reason = say("required, yet it lies on excluded land: {name}", name=row["left_out"])
        if row["left_out"] == "outside":
            reason = say("required, yet it lies outside the districts and would not count for the target")
        yield Fault(file, f"candidate {label}", row["name"], reason, say("move it, or make it not required"))


def near_gaps(inputs: Inputs, uncovered: Flags, people: Floats, *, spacing_m: float) -> gpd.GeoDataFrame:
    """Find places for candidates: village centres and road junctions near people who are not covered.

    Of all within :data:`NEAR_GAP_M` of somebody not covered, village centres come first, then junctions, and
    those with most uncovered people around before others; one nearer than ``spacing_m`` to one that stands is
    left out. The same inputs give the same candidates.
    """
    roads = next(iter(inputs.networks.values()))
    metres = inputs.metres
    lost = np.flatnonzero(uncovered & (people > 0) & np.isfinite(metres).all(axis=1))
    centres, names = _centres(inputs, roads.crs)
    places = np.vstack([centres, roads.xy])
    kind = np.repeat([0, 1], [len(centres), len(roads.xy)])
    if len(lost):
        tree = cKDTree(metres[lost])
        near = np.isfinite(tree.query(places, distance_upper_bound=NEAR_GAP_M)[0])
    else:
        near = np.zeros(len(places), dtype=bool)
    at = np.flatnonzero(near)
    around = np.zeros(len(at))
    if len(at):
        for row, members in enumerate(tree.query_ball_point(places[at], _AROUND_M, return_sorted=True)):
            around[row] = people[lost[members]].sum()
    order = np.lexsort((places[at, 1], places[at, 0], -around, kind[at]))
    kept = at[order][_thinned(places[at[order]], spacing_m)]
    points = gpd.GeoSeries(gpd.points_from_xy(*places[kept].T), crs=roads.crs).to_crs("EPSG:4326")
    labels = pd.Index([f"G{number:03d}" for number in range(1, len(kept) + 1)], name="id", dtype="str")
    named = [names[one] if one < len(centres) else "" for one in kept]
    return gpd.GeoDataFrame(
        {
            "name": pd.Series(named, index=labels, dtype="str"),
            "works": pd.Series("new_building", index=labels, dtype="str"),
            **{text: pd.Series("", index=labels, dtype="str") for text in ("tenure", "land_use", "services")},
            **{number: pd.Series(np.nan, index=labels) for number in ("cost", "suitability")},
            **{flag: pd.Series([False] * len(labels), index=labels) for flag in ("required", "forbidden")},
            "area": pd.Series(None, index=labels, dtype=object),
        },
        geometry=points.to_numpy(),
        crs="EPSG:4326",
    )


def _centres(inputs: Inputs, crs: Any) -> tuple[Floats, list[str]]:
    if inputs.villages is None:
        return np.zeros((0, 2)), []
    centres = village_centres(inputs.villages, crs)
    known = np.isfinite(centres).all(axis=1)
    return centres[known], inputs.villages["name"][known].tolist()


def _thinned(places: Floats, spacing_m: float) -> Flags:
    """Return which places stand when each keeps those behind it at a distance: (place,)."""
    stands = np.ones(len(places), dtype=bool)
    if len(places):
        tree = cKDTree(places)
        for at in range(len(places)):
            if stands[at]:
                near = np.array(tree.query_ball_point(places[at], spacing_m * (1 - 1e-9)))
                stands[near[near > at]] = False
    return stands
