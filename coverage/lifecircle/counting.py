"""Decide who counts where: urban class, area, people, village, bucket, majority; pure functions of tables.

Nothing here knows a study, a target or a search: callers pass the columns. Unknown is a class of its own and
never silently one of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy.typing as npt
    import pandas as pd

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

URBAN, RURAL, UNKNOWN = 1, 0, -1
"""Classes that :func:`urban_class` returns."""

MAJORITY = 0.5
"""Share of a village's people that makes it a reached one: a setting, as no source defines it."""


def urban_class(
    demand: pd.DataFrame, districts: pd.DataFrame | None, villages: pd.DataFrame | None
) -> npt.NDArray[np.int8]:
    """Classify residents as urban, rural or unknown: by village, else by district.

    Parameters
    ----------
    demand : residents with the columns ``district`` and ``village``
    districts, villages : units on their codes, with a nullable column ``urban``

    Returns
    -------
    urban : (demand,) :data:`URBAN`, :data:`RURAL` or :data:`UNKNOWN`
    """
    found = np.full(len(demand), UNKNOWN, dtype=np.int8)
    # The village comes second, so that its own class replaces that of its district.
    for column, units in (("district", districts), ("village", villages)):
        if units is None or "urban" not in units or column not in demand:
            continue
        urban = demand[column].map(units["urban"].astype("boolean"))
        known = urban.notna().to_numpy(dtype=bool)
        found[known] = urban[known].to_numpy(dtype=bool)
    return found


def in_area(urban: npt.NDArray[np.int8], area: str) -> Flags:
    """Return which residents live in an area: (demand,).

    Parameters
    ----------
    urban : (demand,) as :func:`urban_class` returns it
    area : ``all``, ``urban`` or ``rural``; nobody of unknown class is in the latter two

    >>> in_area(np.array([1, 0, -1], dtype=np.int8), "rural").tolist()
    [False, True, False]
    """
    if area == "all":
        return np.ones(len(urban), dtype=bool)
    inside: Flags = urban == (URBAN if area == "urban" else RURAL)
    return inside


def people_counted(
    demand: pd.DataFrame, urban: npt.NDArray[np.int8], *, group: str, area: str, max_unknown: float
) -> tuple[str, Floats]:
    """Count the people of a group who live in an area.

    Parameters
    ----------
    demand : residents with ``population`` and the columns of the groups
    urban : (demand,) as :func:`urban_class` returns it
    group : ``all`` or a column
    max_unknown : the share of people whose class may be unknown; above it nothing is counted

    Returns
    -------
    reason : a code that says why the people cannot be counted, else empty
    people : (demand,) zero for everyone who does not count
    """
    column = "population" if group == "all" else group
    nobody = np.zeros(len(demand))
    if column not in demand:
        return f"group_missing:{group}", nobody
    people = demand[column].to_numpy(dtype=float)
    unknown = people_of_unknown_class(people, urban, area)
    if unknown > max_unknown * people.sum():
        return f"urban_unknown:{unknown:.0f}", nobody
    people = np.where(in_area(urban, area), people, 0.0)
    return ("", people) if people.sum() > 0 else ("nobody_counted", nobody)


def people_of_unknown_class(people: Floats, urban: npt.NDArray[np.int8], area: str) -> float:
    """Count the people who may or may not live in an area; nobody where the area is everything."""
    return 0.0 if area == "all" else float(people[urban == UNKNOWN].sum())


def village_positions(demand: pd.DataFrame, villages: pd.DataFrame | None) -> npt.NDArray[np.intp]:
    """Return the position of each resident's village among the villages, -1 for none: (demand,)."""
    if villages is None or "village" not in demand:
        return np.full(len(demand), -1, dtype=np.intp)
    positions: npt.NDArray[np.intp] = villages.index.get_indexer(demand["village"])
    return positions


def village_urban(villages: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> pd.Series[Any]:
    """Return the urban class of every village, NA where unknown: its own, else its district's."""
    own = villages["urban"].astype("boolean")
    if districts is None:
        return own
    return own.fillna(villages["district"].map(districts["urban"]).astype("boolean"))


def known_true(flags: pd.Series[Any]) -> Flags:
    """Return nullable flags as plain ones, in which what is not known is False."""
    plain: Flags = flags.fillna(value=False).to_numpy(dtype=bool)
    return plain


def people_by_village(people: Floats, positions: npt.NDArray[np.intp], *, villages: int) -> Floats:
    """Add people up by village: (village,).

    Parameters
    ----------
    people : (demand,)
    positions : (demand,) position of the village, -1 for none: such people are in no sum
    villages : number of villages
    """
    mine = positions >= 0
    return np.bincount(positions[mine], weights=people[mine], minlength=villages).astype(np.float64)


def buckets(
    near: Flags, *, snapped: Flags, seconds: Floats, any_seconds: Floats, lacking: bool
) -> npt.NDArray[np.str_]:
    """Put every resident in one of the four buckets: (demand,).

    Parameters
    ----------
    near : (demand,) who is within the limit
    snapped : (demand,) who has a road
    seconds, any_seconds : (demand,) to the rule's last venue, and to its nearest one; inf without a path
    lacking : the rule has too few venues anywhere. No road is to blame for that: whoever reaches any venue of
        the rule is then ``beyond``, and only who reaches none is ``disconnected``
    """
    pathless = ~np.isfinite(any_seconds if lacking else seconds)
    return np.select(
        [~snapped, pathless, near],
        ["unsnapped", "disconnected", "covered"],
        "beyond",
    )


def people_in_buckets(
    people: Floats, status: npt.NDArray[np.str_], names: Sequence[str], where: Flags
) -> tuple[float, ...]:
    """Add people up by bucket where they live: one sum for each of the names, in their order.

    Parameters
    ----------
    people : (demand,)
    status : (demand,) bucket; who is in none of ``names`` is in no sum
    where : (demand,) whom to count

    >>> people_in_buckets(np.array([3.0, 4.0]), np.array(["a", "b"]), ("b", "a"), np.array([True, True]))
    (4.0, 3.0)
    """
    return tuple(float(people[where & (status == name)].sum()) for name in names)
