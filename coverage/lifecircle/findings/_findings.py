"""Hold the result of one run, and read the times and venues that stand behind a rule out of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.findings._results import CircleResult
from lifecircle.findings._run_parts import Publication
from lifecircle.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.findings._results import TargetResult
    from lifecircle.findings._run_parts import InputRecord, Language

_NO_RANKS = pd.MultiIndex.from_arrays([[], [], []], names=["target", "class", "rank"])


HOME_SUPPLY = ("near_score_", "near_served_", "near_full_")
VENUE_SUPPLY = ("near_people_", "near_rate_", "near_load_", "near_use_")
"""How the columns of capacity targets begin, before the id of the target; of residents and of facilities."""


@dataclass(frozen=True, eq=False)
class Findings:
    """The result of one run, and all that maps, siting and comparison need of it but the roads.

    ``seconds``, ``status``, ``nearest`` and ``people`` : (demand, circle target): the rule time (NaN where
    there is no path), the bucket, the label of the venue whose time is the rule time, and the people the
    target counts. ``ranks`` : (demand, (target, class, rank)) seconds to each venue that a rule of several
    venues asks for, see :func:`class_seconds`; ``rank_venues`` : the same shape, their labels (categories),
    see :func:`class_venues`. ``fingerprint`` : hash of all that a study's run follows from,
    empty for findings of trial inputs. ``villages`` and ``grid`` (500 m) hold people counted and covered
    per target. ``services`` : id -> name in each language. Tables are in EPSG:4326.
    """

    study: str
    name: str
    year: int
    language: Language
    synthetic: bool
    crs: str
    roads_key: str
    software: str
    targets: tuple[TargetResult, ...]
    demand: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    grid: gpd.GeoDataFrame
    seconds: pd.DataFrame
    status: pd.DataFrame
    nearest: pd.DataFrame
    people: pd.DataFrame
    ranks: pd.DataFrame
    gaps: pd.DataFrame
    rejects: pd.DataFrame
    inputs: tuple[InputRecord, ...] = ()
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    publication: Publication = field(default_factory=Publication)
    warnings: tuple[str, ...] = ()
    rank_venues: pd.DataFrame = field(default_factory=pd.DataFrame)
    fingerprint: str = ""
    reading: Reading = field(default_factory=Reading)
    home_supply: pd.DataFrame = field(default_factory=pd.DataFrame)
    venue_supply: pd.DataFrame = field(default_factory=pd.DataFrame)

    def result(self, target: str) -> TargetResult:
        """Find the result of a target.

        Raises
        ------
        KeyError
            When the run has no such target; the message names those it has.
        """
        for one in self.targets:
            if one.target.id == target:
                return one
        known = ", ".join(one.target.id for one in self.targets)
        raise KeyError(f"no target {target!r} in this run; it has {known}")

    def circle(self, target: str) -> CircleResult:
        """Find the result of a circle target.

        Raises
        ------
        KeyError
            When the run has no such target.
        TypeError
            When the target is of another kind.
        """
        found = self.result(target)
        if not isinstance(found, CircleResult):
            raise TypeError(f"target {target!r} is of kind {found.target.kind}, not a circle")
        return found


def rank_table(columns: Mapping[tuple[str, str, int], Any], index: pd.Index) -> pd.DataFrame:
    """Return seconds, or labels of venues, by (target, class, rank) as the table that findings hold."""
    names = (
        pd.MultiIndex.from_tuples(list(columns), names=["target", "class", "rank"]) if columns else _NO_RANKS
    )
    return pd.DataFrame(dict(enumerate(columns.values())), index=index).set_axis(names, axis=1)


def class_seconds(findings: Findings, target: str) -> dict[str, npt.NDArray[np.float64]]:
    """Return the times a circle's rule rests on, to find what a resident still lacks.

    Returns
    -------
    seconds : class of the rule -> (demand, k), to the nearest venues of the class in order, as many as the
        rule asks for; NaN where there is no such venue within reach of any length

    Raises
    ------
    KeyError
        When the run has no such target.
    """
    require = getattr(findings.result(target).target, "require", {})
    if sum(require.values()) == 1:
        return {name: findings.seconds[[target]].to_numpy(dtype=float) for name in require}
    return {
        name: np.column_stack([findings.ranks[target, name, rank + 1] for rank in range(count)])
        for name, count in require.items()
    }


def class_venues(findings: Findings, target: str) -> dict[str, pd.Series[Any]]:
    """Return the label of the last venue that a rule asks of each class, beside :func:`class_seconds`.

    Returns
    -------
    venues : class of the rule -> (demand,) label of the facility, NA where there is none

    Raises
    ------
    KeyError
        When the run has no such target, or holds no labels.
    """
    require = getattr(findings.result(target).target, "require", {})
    if sum(require.values()) == 1:
        return dict.fromkeys(require, findings.nearest[target])
    return {name: findings.rank_venues[target, name, count] for name, count in require.items()}


@dataclass(frozen=True)
class VenueLine:
    """One class of a rule at a gap: how many it asks for, the last of these venues and how far it is.

    ``venue`` is empty where there is none. ``minutes``, or ``metres`` where a radius along the roads decides.
    """

    name: str
    count: int
    venue: str
    minutes: float | None = None
    metres: float | None = None


def venue_lines(text: object) -> list[VenueLine]:
    """Read a gap's column ``venues``: a line for every class of a rule, none where the gap itself says it.

    >>> venue_lines('[{"class": "gym", "count": 2, "venue": "West", "minutes": 18.0}]')
    [VenueLine(name='gym', count=2, venue='West', minutes=18.0, metres=None)]
    """
    if not isinstance(text, str) or not text:
        return []
    return [
        VenueLine(one["class"], one["count"], one["venue"], one.get("minutes"), one.get("metres"))
        for one in json.loads(text)
    ]
