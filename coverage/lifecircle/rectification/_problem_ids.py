"""Decide which gap of this year is which problem of the record, and why a problem is no longer found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lifecircle.datum import way_between
from lifecircle.findings import METHOD_VERSION
from lifecircle.rectification._problem_record import RunFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.findings import Findings
    from lifecircle.rectification._gap_facts import Gap
    from lifecircle.rectification._problem_record import Problem

LINK_M = 500.0
"""Metres within which two gaps may be one: the distance that links the residents of a gap."""

_SAME_PLACE = 1e-6
"""Degrees up to which a place has not moved: some 0.1 m, what writing and reading may change."""

_NO_RULE = frozenset(
    {
        "id", "name", "notes", "department", "goal", "due", "baseline", "milestones", "tolerance",
        "denominator", "settings", "sources", "source", "date", "grade", "quality",
    }
)  # fmt: skip
"""Keys of a target that have no bearing on who is covered."""


def run_facts(findings: Findings, members: Iterable[str]) -> RunFacts:
    """Gather what a later list needs of this run.

    Parameters
    ----------
    members : labels of the residents of all problems
    """
    places = _places(findings.demand)
    return RunFacts(
        year=findings.year,
        method=METHOD_VERSION,
        roads=findings.roads_key,
        rules={one.target.id: rule_of(one.target) for one in findings.targets},
        venues=_places(findings.facilities),
        places={label: places[label] for label in sorted(set(members)) if label in places},
        fingerprint=findings.fingerprint,
    )


def rule_of(target: Any) -> dict[str, Any]:
    """Return what of a target decides who is covered, in plain values."""
    plain = target.model_dump(mode="json", by_alias=True, exclude_none=True)
    rule = {key: value for key, value in plain.items() if key not in _NO_RULE}
    if isinstance(rule.get("straight"), dict):
        rule["straight"] = {
            key: value for key, value in rule["straight"].items() if key not in {"source", "date", "grade"}
        }
    return rule


def _places(table: gpd.GeoDataFrame) -> dict[str, tuple[float, float] | None]:
    points = table.geometry.representative_point()
    x, y = points.x.to_numpy(dtype=float), points.y.to_numpy(dtype=float)
    return {
        str(label): (round(float(lon), 7), round(float(lat), 7)) if np.isfinite(lon) else None
        for label, lon, lat in zip(table.index, x, y, strict=True)
    }


# ---------------------------------------------------------------------------------------------------------
# Which is which


def match(
    gaps: Sequence[Gap], problems: Sequence[Problem], findings: Findings, before: RunFacts
) -> dict[int, str]:
    """Give gaps the ids of problems: position of the gap -> id; each id at most once.

    A gap may take the id of a problem of the same target that shares residents with it. Where the run knows
    none of a problem's residents, as after a new survey, one who lived within :data:`LINK_M` of a resident of
    the gap stands for that. Of all such pairs the first by this order is taken, then the next of what is
    left: same village, most people shared, nearest, lowest id. A gap without residents takes the id of the
    same unit.
    """
    pairs: list[tuple[tuple[int, float, float, str], int, str]] = []
    by_target: dict[str, list[Problem]] = {}
    for one in problems:
        by_target.setdefault(one.target, []).append(one)
    labels = findings.demand.index.astype(str).to_numpy()
    metres = _metres(findings.demand, findings.crs)
    mine: dict[str, list[int]] = {}
    for at, gap in enumerate(gaps):
        mine.setdefault(gap.result.target.id, []).append(at)
    for target, places in mine.items():
        olds = by_target.get(target, [])
        circles = [at for at in places if len(gaps[at].members)]
        if circles and olds:
            people = findings.people[target].fillna(0).to_numpy(dtype=float)
            members = [gaps[at].members for at in circles]
            links = _links(members, olds, (labels, metres, people), before, findings)
            for (new, old), (shared, apart) in links.items():
                at, one = circles[new], olds[old]
                pairs.append(((int(gaps[at].unit != one.unit), -shared, apart, one.id), at, one.id))
        for at in places:
            same = [one.id for one in olds if one.unit == gaps[at].unit and not one.members]
            if not len(gaps[at].members) and same:
                pairs.append(((0, 0.0, 0.0, min(same)), at, min(same)))
    taken: dict[int, str] = {}
    used: set[str] = set()
    for _, at, name in sorted(pairs):
        if at not in taken and name not in used:
            taken[at] = name
            used.add(name)
    return taken


def _metres(demand: gpd.GeoDataFrame, crs: str) -> npt.NDArray[np.float64]:
    points = demand.to_crs(crs).geometry
    return np.column_stack([points.x.to_numpy(dtype=float), points.y.to_numpy(dtype=float)])


def _links(
    members: Sequence[npt.NDArray[np.intp]],
    olds: Sequence[Problem],
    residents: tuple[npt.NDArray[Any], npt.NDArray[np.float64], npt.NDArray[np.float64]],
    before: RunFacts,
    findings: Findings,
) -> dict[tuple[int, int], tuple[float, float]]:
    """List the pairs that may be one: (gap, problem) -> people shared, metres apart."""
    labels, metres, people = residents
    of_gap = np.repeat(np.arange(len(members)), [len(one) for one in members])
    at = np.concatenate(members)
    old = pd.DataFrame(
        [(label, number) for number, one in enumerate(olds) for label in one.members],
        columns=["label", "old"],
    )
    new = pd.DataFrame({"label": labels[at], "new": of_gap, "people": people[at]})
    shared = new.merge(old, on="label").groupby(["new", "old"])["people"].sum()
    found = {(int(one), int(two)): (float(total), 0.0) for (one, two), total in shared.items()}
    # Who is still known and is uncovered no more has been covered: neighbours are another gap.
    known = old["label"].isin(labels).groupby(old["old"]).transform("any")
    old = old[~known]
    places = [before.places.get(label) for label in old["label"]]
    placed = np.array([place is not None for place in places], dtype=bool)
    here = np.isfinite(metres[at]).all(axis=1)
    if not placed.any() or not here.any():
        return found
    lonlat = np.array([place for place in places if place is not None], dtype=float)
    to_metres = way_between("EPSG:4326", findings.crs)
    there = np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1]))
    near = cKDTree(metres[at][here]).sparse_distance_matrix(cKDTree(there), LINK_M, output_type="coo_matrix")
    apart = pd.DataFrame(
        {
            "new": of_gap[here][near.row],
            "old": old["old"].to_numpy()[placed][near.col],
            "metres": near.data,
        }
    )
    for (one, two), least in apart.groupby(["new", "old"])["metres"].min().items():
        found.setdefault((int(one), int(two)), (0.0, float(least)))
    return found


# ---------------------------------------------------------------------------------------------------------
# Why a problem is no longer found


def why_gone(problem: Problem, before: RunFacts, findings: Findings, others: Mapping[str, str]) -> str:
    """Say why the run finds a problem no more: a code of ``Problem.gone``.

    Every resident of the problem must be covered by a venue that opened since, or over roads that changed
    since; otherwise it was the data. A venue that the register had not, though it opened before, or that
    moved, is a correction of the register and no venue built.

    Parameters
    ----------
    others : label of a resident -> id of another problem of the target that it belongs to now
    """
    known = {one.target.id: one for one in findings.targets}
    if before.method != METHOD_VERSION:
        return "method"
    result = known.get(problem.target)
    if result is None or before.rules.get(problem.target) != rule_of(result.target):
        return "rule"
    if not problem.members:
        figure = result.target.kind in {"capacity", "indicator"}
        return "figure" if figure else _unit_gone(problem, before, findings)
    causes = {_resident_gone(label, problem, before, findings, others) for label in problem.members}
    for cause in ("surface", "merged", "register", "data"):
        if cause in causes:
            return cause
    return "venues" if "venues" in causes else "roads"


def _resident_gone(
    label: str, problem: Problem, before: RunFacts, findings: Findings, others: Mapping[str, str]
) -> str:
    if label in others:
        return "merged"
    if not _still_there(label, before, findings) or not _covered(label, problem.target, findings):
        return "surface"
    causes = {_venue_news(venue, before, findings) for venue in _venues_of(label, problem.target, findings)}
    for cause in ("venues", "register"):
        if cause in causes:
            return cause
    return "roads" if before.roads != findings.roads_key else "data"


def _still_there(label: str, before: RunFacts, findings: Findings) -> bool:
    """Return whether a resident lives where it lived in the run before."""
    place = before.places.get(label)
    if place is None or label not in findings.demand.index:
        return False
    point = findings.demand.geometry.loc[label]
    return point is not None and not point.is_empty and _near((point.x, point.y), place)


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= _SAME_PLACE


def _covered(label: str, target: str, findings: Findings) -> bool:
    """Return whether a target counts a resident, and as covered."""
    counted = findings.people.loc[label, target] > 0
    return bool(counted) and findings.status.loc[label, target] == "covered"


def _venues_of(label: str, target: str, findings: Findings) -> list[str]:
    """List the venues that a resident's rule rests on now."""
    ranks = findings.rank_venues
    if len(ranks.columns) and target in ranks.columns.get_level_values(0):
        found = ranks.loc[label, target]
        return [str(one) for one in found if not pd.isna(one)]
    one = findings.nearest.loc[label, target]
    return [] if pd.isna(one) else [str(one)]


def _venue_news(venue: str, before: RunFacts, findings: Findings) -> str:
    """Say what is new of a venue since the run before: ``venues``, ``register``, or nothing."""
    if venue not in before.venues:
        return "venues" if _opened_since(venue, before.year, findings) else "register"
    old, point = before.venues[venue], findings.facilities.geometry.loc[venue].representative_point()
    moved = old is None or not _near((point.x, point.y), old)
    return "register" if moved else ""


def _opened_since(venue: str, year: int, findings: Findings) -> bool:
    opened = findings.facilities["opened"].loc[venue]
    return not pd.isna(opened) and bool(opened > pd.Timestamp(year, 12, 31))


def _unit_gone(problem: Problem, before: RunFacts, findings: Findings) -> str:
    """Look for a venue of the target that opened since in a unit, or serves it."""
    result = next(one for one in findings.targets if one.target.id == problem.target)
    table = findings.facilities[findings.facilities["service"].isin(result.venues)]
    for venue, row in zip(table.index.astype(str), table.to_dict("records"), strict=True):
        serves = str(row.get("serves") or "")
        here = not problem.unit or problem.unit in {row.get("village"), row.get("district")}
        if (here or problem.unit in serves) and _venue_news(venue, before, findings) == "venues":
            return "venues"
    return "data"
