"""What the files of a siting study of units hold; computes no figure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.report import DEGREES, NUMBER, ORDER, PEOPLE, RATE, TEXT, Rate
from lifecircle.siting_study._plan_files import (
    PlanParts,
    points_layer,
    study_facts,
    words_facts,
    words_sheet,
    write_plan,
)
from lifecircle.siting_study._unit_text import (
    existing_text,
    lacks_text,
    next_best,
    part_text,
    position_text,
    town_name,
    unit_goal,
    unit_head,
    unit_lines,
    unit_name_of,
    unit_notes,
    unit_reasons,
    unit_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifecircle.report import Sheets
    from lifecircle.siting_study._unit_study import UnitStudy

PLAN = {
    "row": ORDER, "units": TEXT, "part": TEXT, "services": TEXT, "district": TEXT, "lon": DEGREES,
    "lat": DEGREES, "works": TEXT, "existing_min": NUMBER, "existing": TEXT, "people": PEOPLE, "rank": ORDER,
    "next_best": TEXT, "cost": NUMBER, "held_after": ORDER, "value_after": RATE,
}  # fmt: skip
UNITS = {
    "rank": ORDER, "code": TEXT, "units": TEXT, "district": TEXT, "people": PEOPLE, "lacks": TEXT,
    "takes": ORDER, "chosen": TEXT,
}  # fmt: skip


def write_units(study: UnitStudy, folder: str | Path) -> Path:
    """Write the files of a siting study of units into a folder, all or none.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    language = study.scenario.before.language
    parts = PlanParts(
        study.scenario,
        study.target,
        unit_facts(study),
        _sheets(study),
        _layers(study),
        unit_head(study, language),
        unit_table(study, language),
        [*unit_goal(study, language), *unit_reasons(study, language), *unit_notes(study, language)],
    )
    return write_plan(parts, folder)


def unit_facts(study: UnitStudy) -> dict[str, Any]:
    """Put a siting study of units in the plain form of ``plan.json``: unrounded, no clock, no path.

    ``value`` and ``bound`` are units that hold with the plan, and that no plan of as many sites exceeds.
    """
    found = study.certificate
    records = () if study.candidates is None else study.candidates.records
    return {
        **study_facts(study.id, study.scenario, records),
        "target": study.target.id,
        "objective": "presence",
        "unit": study.target.unit,
        "existing_by": study.profile,
        "new": study.new,
        "status": study.status,
        "reproducible": "not_proved" not in study.notes,
        "value": study.holding_after,
        "bound": study.holding + found.bound,
        "gap": (found.bound - found.held) / study.holding_after if study.holding_after else 0.0,
        "units": study.total,
        "holding_before": study.holding,
        "holding_after": study.holding_after,
        "value_before": study.holding / study.total,
        "value_after": study.holding_after / study.total,
        "goal": study.target.goal,
        "needed": study.needed,
        "enough": found.fewest,
        "enough_possible": found.fewest_possible,
        "sites": list(_site_facts(study)),
        "curve": [],
        "without": [
            {
                "code": str(code),
                "name": str(row["name"]),
                "district": str(row["district"]),
                "people": None if pd.isna(row["people"]) else float(row["people"]),
                "lacks": list(row["lacks"]),
                "short": list(row["short"]),
                "rank": int(row["rank"]),
                "takes": int(row["takes"]),
                "chosen": bool(row["chosen"]),
            }
            for code, row in study.without.iterrows()
        ],
        **words_facts(
            study.scenario, study.target.id, study.notes, lambda language: unit_lines(study, language)
        ),
    }


def _site_facts(study: UnitStudy) -> Iterator[dict[str, Any]]:
    """Yield every site in plain form; the columns that a file of changes has are called as they are there."""
    for site in study.sites:
        facts = asdict(site)
        yield {
            **{name: facts.pop(name) for name in ("id", "name")},
            "service": ";".join(facts.pop("services")),
            **facts,
            "existing_min": site.existing_min,
            "value_after": site.held_after / study.total,
        }


def _sheets(study: UnitStudy) -> Sheets:
    language = study.scenario.before.language
    goal = () if study.target.goal is None else (study.target.goal,)
    services = study.scenario.before.services
    rows = [
        {
            "row": number,
            "units": " ".join(unit_name_of(study, code) for code in site.units),
            "part": part_text(site),
            "services": " + ".join(services.get(one, {}).get(language, one) for one in site.services),
            "district": town_name(study, site.district),
            "lon": site.lon,
            "lat": site.lat,
            "works": "" if study.target.unit == "outlet" else position_text(site, language),
            "existing_min": site.existing_min,
            "existing": existing_text(study, site, language),
            "people": site.people,
            "rank": site.rank,
            "next_best": next_best(study, site, language),
            "cost": site.cost,
            "held_after": site.held_after,
            "value_after": Rate(site.held_after / study.total, goal),
        }
        for number, site in enumerate(study.sites, 1)
    ]
    units = [
        {
            "rank": row["rank"],
            "code": str(code),
            "units": row["name"],
            "district": town_name(study, str(row["district"])),
            "people": None if pd.isna(row["people"]) else row["people"],
            "lacks": lacks_text(study, str(code), language),
            "takes": row["takes"],
            "chosen": "✓" if row["chosen"] else "",
        }
        for code, row in study.without.iterrows()
    ]
    explained = words_sheet(unit_lines(study, language))
    return {"plan": (_columns(study), rows), "explanation": explained, "units": (UNITS, units)}


def _columns(study: UnitStudy) -> dict[str, str]:
    """Return the columns of the plan; which of several sites of a unit it is only where there are several."""
    several = any(site.parts > 1 for site in study.sites)
    return {name: kind for name, kind in PLAN.items() if several or name != "part"}


def _layers(study: UnitStudy) -> dict[str, pd.DataFrame]:
    """Return the sites, and all units without with their rank."""
    sites = pd.DataFrame(_site_facts(study))
    for name in ("units", "next_best"):
        sites[name] = sites[name].map(" ".join)
    units = study.without.assign(
        lacks=study.without["lacks"].map(" ".join), short=study.without["short"].map(list)
    )
    return {"sites": points_layer(sites), "units_without": points_layer(units.reset_index())}
