"""The form in which siting plans are handed to the page; solves and places nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.page_data._figure_text import people_text
from lifecircle.page_data._plan_story import plan_story, site_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifecircle.wording import Words


class Site(TypedDict):
    """One proposed place: WGS84 degrees, what stands there, whom it newly serves."""

    lon: float
    lat: float
    name: NotRequired[str]
    service: NotRequired[str]
    people: NotRequired[float | None]
    works: NotRequired[str]
    tenure: NotRequired[str]
    cost: NotRequired[float | None]
    groups: NotRequired[Mapping[str, float]]
    band: NotRequired[Sequence[float | None]]


class Plan(TypedDict):
    """One siting plan for one target of one year.

    ``objective`` and ``status`` are those of the solver; ``value``, ``bound`` and ``gap`` (a share) are None
    where there is none; ``curve`` pairs a number of sites with the value they reach. What is not required is
    kept where it is there, as ``plan.json`` has it; ``free`` is how many candidates may be chosen.
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
    id: NotRequired[str]
    people: NotRequired[float | None]
    covered_before: NotRequired[float | None]
    covered_after: NotRequired[float | None]
    value_before: NotRequired[float | None]
    value_after: NotRequired[float | None]
    goal: NotRequired[float | None]
    attainable: NotRequired[float | None]
    goal_attainable: NotRequired[bool | None]
    enough: NotRequired[int | None]
    free: NotRequired[int | None]
    sensitivity: NotRequired[Sequence[Mapping[str, Any]]]
    remedies: NotRequired[Sequence[Mapping[str, Any]]]
    own_target: NotRequired[Mapping[str, Any] | None]


_OF_PEOPLE = ("max_cover", "rule_cover", "backup_cover", "capacitated_max_cover")
_PUBLIC = ("id", "target", "year", "objective", "status", "title", "service")
_PUBLIC_SITE = ("lon", "lat", "name", "service")
_NEEDED = ("target", "year", "objective", "status", "sites", "value", "bound", "gap")


def plan_data(
    plans: Sequence[Plan], words: Words, services: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Put plans in the plain form of the page, with what it prints of them.

    Raises
    ------
    UnusableInputError
        With every plan that lacks a key, and every site without a place.
    """
    faults = []
    for number, plan in enumerate(plans):
        missing = [key for key in _NEEDED if key not in plan]
        if missing:
            faults.append(_fault(number, "keys", ", ".join(missing), say("missing in the plan")))
        for row, site in enumerate(plan.get("sites", ())):
            if "lon" not in site or "lat" not in site:
                faults.append(_fault(number, f"site {row}", "", say("a site without lon and lat")))
    if faults:
        raise UnusableInputError(faults)
    return [_plain(plan, words, services) for plan in plans]


def _plain(plan: Plan, words: Words, services: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    page = words.section("page")
    objective = words.get("objective", str(plan["objective"]))
    figures = {name: None if plan[name] is None else float(plan[name]) for name in ("value", "bound", "gap")}  # type: ignore[arg-type]  # mypy does not carry the check to the value
    return {
        "target": str(plan["target"]),
        "year": int(plan["year"]),
        "title": str(plan.get("title", ""))
        or page["plan_title"].format(sites=len(plan["sites"]), objective=objective),
        "line": _line(plan, words),
        "objective": str(plan["objective"]),
        "status": str(plan["status"]),
        "sites": [
            _site(site, number, services=_service_names(plan, site, services, words), page=page)
            | {"service": _ids(plan, site), "facts": site_facts(site, words)}
            for number, site in enumerate(plan["sites"], 1)
        ],
        "story": plan_story(plan, words),
        **figures,
        "curve": [[int(sites), float(value)] for sites, value in plan.get("curve", ())],
    }


def _service_names(
    plan: Plan, site: Site, services: Mapping[str, Mapping[str, str]], words: Words
) -> list[str]:
    return [services.get(one, {}).get(words.language, one) for one in _ids(plan, site).split(";") if one]


def _ids(plan: Plan, site: Site) -> str:
    return str(site.get("service", plan.get("service", "")))


def _site(site: Site, number: int, *, services: list[str], page: Mapping[str, str]) -> dict[str, Any]:
    people = site.get("people")
    return {
        "lon": float(site["lon"]),
        "lat": float(site["lat"]),
        "name": str(site.get("name", "")) or page["plan_number"].format(number=number),
        "services": page["plan_and"].join(services),
        "people": None if people is None else float(people),
        "peopleText": "" if people is None else page["plan_site_people"].format(people=people_text(people)),
    }


def without_people(plans: Sequence[Plan]) -> list[Plan]:
    """Leave of plans only where they build: the people they reach may be few, and could be identified."""
    return [
        cast(
            "Plan",
            {
                **{name: plan[name] for name in _PUBLIC if name in plan},  # type: ignore[literal-required]  # the names are those of the form
                **dict.fromkeys(("value", "bound", "gap")),
                "sites": [
                    {name: site[name] for name in _PUBLIC_SITE if name in site}  # type: ignore[literal-required]  # as above
                    for site in plan["sites"]
                ],
            },
        )
        for plan in plans
    ]


def _line(plan: Plan, words: Words) -> str:
    """Return how good the plan is: people and how sure, or only how sure where its value is not people."""
    page, status = words.section("page"), words.get("plan_status", str(plan["status"]))
    value, bound = plan["value"], plan["bound"]
    if plan["objective"] not in _OF_PEOPLE or value is None:
        return status
    proved = plan["status"] == "optimal" or bound is None
    return page["plan_people" if proved else "plan_bound"].format(
        value=people_text(value), bound="" if bound is None else people_text(bound), status=status
    )


def _fault(number: int, column: str, value: str, reason: str) -> Fault:
    remedy = say("give lifecircle.atlas.Plan in full")
    return Fault("(plans)", f"plan {number}, {column}", value, reason, remedy)
