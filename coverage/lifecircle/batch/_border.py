"""Say how far beyond its border the roads and venues of a district are kept, so that its figures are exact.

Whoever is within a limit gets there by roads that lie no farther from home than the limit at the fastest
speed. The margin is for what decides where a place joins the roads: the longest legs of residents and venues,
the preference for the main network, and the length under which a fragment is short. An edge nearer than that
has its whole fragment, or as much of it as makes it no short one, within the roads that are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.roads import profile

if TYPE_CHECKING:
    from lifecircle.standards import CircleTarget, Standard
    from lifecircle.study import Study

LEGS_M = 500.0 + 300.0
"""Longest access legs of a resident and of a venue, metres."""

NEAR_LIMIT_MIN = 1.0
"""Minutes beyond a limit within which people are counted as near it."""

_ALWAYS = ("walk_aged", "wheelchair")


def border_m(study: Study) -> float:
    """Return the metres beyond a district within which its roads and venues are kept.

    Parameters
    ----------
    study : of the region; its standard has the limits, its roads the preference for the main network

    Returns
    -------
    metres : limit x fastest speed of any circle, or its straight radius if that is larger, and the margin

    >>> from lifecircle.study import example_folder, read_study
    >>> border_m(read_study(example_folder()))
    6683.333333333333
    """
    return reach_m(study.standard) + LEGS_M + study.roads.prefer_main_m + study.roads.fragment_m


def reach_m(standard: Standard) -> float:
    """Return how far anybody gets within the limit of any circle, in metres, at the fast end of the band."""
    circles = [target for target in standard.targets if target.kind == "circle"]
    return max((_reach(target) for target in circles), default=0.0)


def _reach(target: CircleTarget) -> float:
    names = {str(target.profile), *map(str, target.modes), *_ALWAYS}
    minutes = target.minutes + NEAR_LIMIT_MIN
    radii = [] if target.straight is None else [target.straight.urban_m, target.straight.rural_m]
    return max(*(minutes * _fastest_kmh(name) / 0.06 for name in names), *map(float, radii))


def _fastest_kmh(name: str) -> float:
    """Return the fastest that anybody of a profile goes: the fast end of the band around its speeds."""
    used = profile(name)
    speeds = [used.access_kmh, used.speed_kmh or 0.0, *(kmh for _, kmh in used.class_kmh)]
    return max(speeds) * max(1.0, *used.band)
