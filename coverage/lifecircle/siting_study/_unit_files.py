"""The files of a siting study of units: plan.json, plan.xlsx, plan.gpkg; computes no figure."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from lifecircle.files import complete_folder
from lifecircle.findings import METHOD_VERSION
from lifecircle.report import DEGREES, NUMBER, ORDER, PEOPLE, RATE, TEXT, Heading, Rate, write_workbook
from lifecircle.scenario import comparison
from lifecircle.siting_study._siting_files import FOLDER, MARK, SCHEMA
from lifecircle.siting_study._unit_text import next_best, place_of_site, town_name, unit_lines, unit_name_of
from lifecircle.tables import write_layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.report import Sheets
    from lifecircle.siting_study._unit_study import UnitStudy

PLAN = {
    "row": ORDER, "units": TEXT, "services": TEXT, "district": TEXT, "lon": DEGREES, "lat": DEGREES,
    "works": TEXT, "people": PEOPLE, "rank": ORDER, "next_best": TEXT, "cost": NUMBER,
    "held_after": ORDER, "value_after": RATE,
}  # fmt: skip
UNITS = {"rank": ORDER, "code": TEXT, "units": TEXT, "district": TEXT, "people": PEOPLE, "chosen": TEXT}
WORDS = {"row": ORDER, "text": TEXT}


def write_units(study: UnitStudy, folder: str | Path) -> Path:
    """Write the files of a siting study of units into a folder, all or none.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    target = Path(folder)
    before = study.scenario.before
    with complete_folder(target, FOLDER) as fresh:
        text = json.dumps(unit_facts(study), ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
        title = f"{before.name} {before.year} · {study.target.name.get(before.language)}"
        heading = Heading(title, before.language, before.synthetic, words="plan_column")
        write_workbook(fresh / "plan.xlsx", _sheets(study), heading)
        write_layers(fresh / "plan.gpkg", _layers(study))
    return target


def unit_facts(study: UnitStudy) -> dict[str, Any]:
    """Put a siting study of units in the plain form of ``plan.json``: unrounded, no clock, no path.

    ``value`` and ``bound`` are units that hold with the plan, and that no plan of as many sites exceeds.
    """
    before, found = study.scenario.before, study.certificate
    records = () if study.candidates is None else study.candidates.records
    return {
        "schema": SCHEMA,
        "id": study.id,
        "study": before.study,
        "name": before.name,
        "year": before.year,
        "synthetic": before.synthetic,
        "software": {"version": before.software, "method_version": METHOD_VERSION},
        "inputs": [asdict(record) for record in (*before.inputs, *records)],
        "target": study.target.id,
        "objective": "presence",
        "unit": study.target.unit,
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
                "rank": int(row["rank"]),
                "chosen": bool(row["chosen"]),
            }
            for code, row in study.without.iterrows()
        ],
        "notes": list(study.notes),
        "summary": {language: unit_lines(study, language) for language in ("zh", "en")},
        "other_targets": [
            one for one in comparison(study.scenario)["targets"] if one["target"] != study.target.id
        ],
    }


def _site_facts(study: UnitStudy) -> Iterator[dict[str, Any]]:
    """Yield every site in plain form; the columns that a file of changes has are called as they are there."""
    for site in study.sites:
        facts = asdict(site)
        yield {
            **{name: facts.pop(name) for name in ("id", "name")},
            "service": ";".join(facts.pop("services")),
            **facts,
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
            "services": " + ".join(services.get(one, {}).get(language, one) for one in site.services),
            "district": town_name(study, site.district),
            "lon": site.lon,
            "lat": site.lat,
            "works": "" if study.target.unit == "outlet" else place_of_site(site, language),
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
            "chosen": "✓" if row["chosen"] else "",
        }
        for code, row in study.without.iterrows()
    ]
    lines = [{"row": at, "text": line} for at, line in enumerate(unit_lines(study, language), 1)]
    return {"plan": (PLAN, rows), "explanation": (WORDS, lines), "units": (UNITS, units)}


def _layers(study: UnitStudy) -> dict[str, pd.DataFrame]:
    """Return the sites, and all units without with their rank."""
    sites = pd.DataFrame(
        [
            {name: " ".join(value) if isinstance(value, tuple) else value for name, value in row.items()}
            for row in _site_facts(study)
        ]
    )
    units = study.without.assign(lacks=study.without["lacks"].map(" ".join)).reset_index()
    return {
        "sites": gpd.GeoDataFrame(
            sites, geometry=gpd.points_from_xy(sites["lon"], sites["lat"]), crs="EPSG:4326"
        ),
        "units_without": gpd.GeoDataFrame(
            units, geometry=gpd.points_from_xy(units["lon"], units["lat"]), crs="EPSG:4326"
        ),
    }
