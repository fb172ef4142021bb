"""Own the form in which siting plans are handed to the page; solves and places nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from lifecircle.errors import Fault, UnusableInputError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Site(TypedDict):
    """One proposed place: WGS84 degrees, what stands there, whom it newly serves."""

    lon: float
    lat: float
    name: NotRequired[str]
    service: NotRequired[str]
    people: NotRequired[float]


class Plan(TypedDict):
    """One siting plan for one target of one year.

    ``objective`` and ``status`` are those of the solver; ``value``, ``bound`` and ``gap`` (a share) are None
    where there is none; ``curve`` pairs a number of sites with the value they reach.
    """

    target: str
    year: int
    objective: str
    status: str
    sites: Sequence[Site]
    value: float | None
    bound: float | None
    gap: float | None
    title: NotRequired[str]
    service: NotRequired[str]
    curve: NotRequired[Sequence[tuple[int, float]]]


_NEEDED = ("target", "year", "objective", "status", "sites", "value", "bound", "gap")


def plan_data(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """Put plans in the plain form of the page.

    Raises
    ------
    UnusableInputError
        With every plan that lacks a key, and every site without a place.
    """
    faults = []
    for number, plan in enumerate(plans):
        missing = [key for key in _NEEDED if key not in plan]
        if missing:
            faults.append(_fault(number, "keys", ", ".join(missing), "missing in the plan"))
        for row, site in enumerate(plan.get("sites", ())):
            if "lon" not in site or "lat" not in site:
                faults.append(_fault(number, f"site {row}", "", "a site without lon and lat"))
    if faults:
        raise UnusableInputError(faults)
    return [_plain(plan) for plan in plans]


def _plain(plan: Plan) -> dict[str, Any]:
    figures = {name: None if plan[name] is None else float(plan[name]) for name in ("value", "bound", "gap")}  # type: ignore[arg-type]  # mypy does not carry the check to the value
    return {
        "target": str(plan["target"]),
        "year": int(plan["year"]),
        "title": str(plan.get("title", "")),
        "objective": str(plan["objective"]),
        "status": str(plan["status"]),
        "service": str(plan.get("service", "")),
        "sites": [
            {
                "lon": float(site["lon"]),
                "lat": float(site["lat"]),
                "name": str(site.get("name", "")),
                "service": str(site.get("service", plan.get("service", ""))),
                "people": None if site.get("people") is None else float(site["people"]),
            }
            for site in plan["sites"]
        ],
        **figures,
        "curve": [[int(sites), float(value)] for sites, value in plan.get("curve", ())],
    }


def _fault(number: int, column: str, value: str, reason: str) -> Fault:
    return Fault("(plans)", f"plan {number}, {column}", value, reason, "give lifecircle.atlas.Plan in full")
