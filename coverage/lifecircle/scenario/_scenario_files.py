"""The files of a scenario: comparison.json, comparison.xlsx and scenario.gpkg; computes no figure."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.files import Results, complete_folder
from lifecircle.findings import METHOD_VERSION
from lifecircle.report import (
    DEGREES,
    FIGURE,
    NUMBER,
    ORDER,
    PEOPLE,
    POINTS,
    STATUS,
    TEXT,
    Heading,
    Rate,
    write_workbook,
)
from lifecircle.report import Change as Difference
from lifecircle.scenario._scenario_text import change_line, summary_lines
from lifecircle.tables import write_layers
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    import shapely

    from lifecircle.audit import Inputs
    from lifecircle.findings import Language
    from lifecircle.report import Sheets
    from lifecircle.scenario._changes import Change
    from lifecircle.scenario._compare import Part, TargetComparison
    from lifecircle.scenario._scenario_steps import Scenario
    from lifecircle.scenario._unit_moves import Town

SCHEMA = 1
MARK = "comparison.json"
FOLDER = Results(MARK, (MARK, "comparison.xlsx", "scenario.gpkg"))

_BOTH = {"value_before": FIGURE, "value_after": FIGURE, "points": POINTS}
_MOVES = {"won": PEOPLE, "lost": PEOPLE}
_COVERED = {"people_after": PEOPLE, "covered_before": PEOPLE, "covered_after": PEOPLE}
TARGETS = {
    "target": TEXT, **_BOTH, "status_before": STATUS, "status_after": STATUS, "goal": FIGURE,
    **_COVERED, **_MOVES, "come": PEOPLE, "connected": PEOPLE, "cut_off": PEOPLE,
    "nearer": PEOPLE, "farther": PEOPLE, "mean_saved": NUMBER, "gaps_closed": TEXT, "gaps_opened": TEXT,
    "units_gained": TEXT, "units_lost": TEXT, "missing_before": PEOPLE, "missing_after": PEOPLE,
}  # fmt: skip
TOWNS = {
    "target": TEXT, "district": TEXT, **_BOTH, "status_before": STATUS, "status_after": STATUS,
    **_COVERED, **_MOVES,
}  # fmt: skip
GROUPS = {"target": TEXT, "group": TEXT, **_BOTH, **_COVERED, **_MOVES}
CHANGES = {"row": ORDER, "change": TEXT, "lon": DEGREES, "lat": DEGREES, "file": TEXT}
WORDS = {"row": ORDER, "text": TEXT}


def write_scenario(scenario: Scenario, folder: str | Path) -> Path:
    """Write a scenario's files into a folder, all or none; those of an earlier one there are replaced.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    target = Path(folder)
    with complete_folder(target, FOLDER) as fresh:
        text = json.dumps(comparison(scenario), ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
        heading = Heading(
            f"{scenario.before.name} {scenario.before.year} · {scenario.id}",
            scenario.before.language,
            scenario.before.synthetic,
            words="scenario_column",
        )
        write_workbook(fresh / "comparison.xlsx", _sheets(scenario), heading)
        write_layers(fresh / "scenario.gpkg", _layers(scenario))
    return target


def comparison(scenario: Scenario) -> dict[str, Any]:
    """Put a scenario in the plain form of ``comparison.json``: unrounded, no clock, no absolute path."""
    before = scenario.before
    return {
        "schema": SCHEMA,
        "id": scenario.id,
        "study": before.study,
        "name": before.name,
        "year": before.year,
        "synthetic": before.synthetic,
        "software": {"version": before.software, "method_version": METHOD_VERSION},
        "inputs": [asdict(record) for record in (*before.inputs, *scenario.files)],
        "changes": [_plain(change) for change in scenario.changes],
        "summary": {language: summary_lines(scenario, language) for language in ("zh", "en")},
        "targets": [asdict(one) for one in scenario.targets],
    }


def _plain(change: Change) -> dict[str, Any]:
    """Put a change in plain form, what is empty left out."""
    facts = {
        **{name: value for name, value in vars(change).items() if name not in {"shape", "services", "file"}},
        "services": list(change.services),
        "file": Path(change.file).name,
        "wkt": None if change.shape is None else change.shape.wkt,
    }
    if change.action != "add_road":
        facts = {name: value for name, value in facts.items() if name not in {"highway", "crossings"}}
    return {name: value for name, value in facts.items() if value not in ("", None, [])}


def _sheets(scenario: Scenario) -> Sheets:
    language = scenario.before.language
    lines = summary_lines(scenario, language)
    return {
        "scenario_text": (WORDS, [{"row": at, "text": line} for at, line in enumerate(lines, 1)]),
        "scenario_targets": (TARGETS, list(_target_rows(scenario, language))),
        "towns": (TOWNS, list(_part_rows(scenario, language, "districts"))),
        "groups": (GROUPS, list(_part_rows(scenario, language, "groups"))),
        "changes": (CHANGES, list(_change_rows(scenario, language))),
    }


def _target_rows(scenario: Scenario, language: Language) -> Iterator[dict[str, Any]]:
    for one in scenario.targets:
        units = one.units
        moved = (one.nearer or 0.0) + (one.farther or 0.0)
        yield {
            **vars(one),
            **_values(one, one),
            "target": _name(scenario, one.target, language),
            "goal": _figure(one, one.goal),
            "status_before": word("status", one.status_before, language),
            "status_after": word("status", one.status_after, language),
            "mean_saved": (one.saved_min or 0.0) / moved if moved else None,
            "gaps_closed": " ".join(one.gaps_closed),
            "gaps_opened": " ".join(one.gaps_opened),
            "units_gained": "" if units is None else " ".join(unit.name for unit in units.gained),
            "units_lost": "" if units is None else " ".join(unit.name for unit in units.lost),
        }


def _part_rows(scenario: Scenario, language: Language, which: str) -> Iterator[dict[str, Any]]:
    for one in scenario.targets:
        parts: tuple[Part | Town, ...] = (*one.districts, *one.towns) if which == "districts" else one.groups
        for part in parts:
            outside = part.code == "(outside)"
            yield {
                **vars(part),
                **_values(one, part),
                "target": _name(scenario, one.target, language),
                "district": word("area", "outside", language) if outside else part.name,
                "group": word("group", part.code, language),
                "status_before": word("status", part.status_before, language),
                "status_after": word("status", part.status_after, language),
            }


def _values(one: TargetComparison, part: TargetComparison | Part | Town) -> dict[str, Any]:
    """Return both values, and the change between them where they are shares."""
    before, after = part.value_before, part.value_after
    points = None
    if before is not None and after is not None and _is_share(one):
        points = Difference(before, after)
    return {"value_before": _figure(one, before), "value_after": _figure(one, after), "points": points}


def _is_share(one: TargetComparison) -> bool:
    return one.kind in {"circle", "presence"} or one.unit == "share"


def _figure(one: TargetComparison, value: float | None) -> Rate | float | None:
    if value is None or not _is_share(one):
        return value
    return Rate(value, () if one.goal is None else (one.goal,))


def _change_rows(scenario: Scenario, language: Language) -> Iterator[dict[str, Any]]:
    for number, change in enumerate(scenario.changes, 1):
        place = place_of(change, scenario.inputs)
        yield {
            "row": number,
            "change": change_line(change, scenario.before, language),
            "lon": None if place is None else place.x,
            "lat": None if place is None else place.y,
            "file": f"{Path(change.file).name}, {change.row}",
        }


def place_of(change: Change, inputs: Inputs) -> shapely.Point | None:
    """Return the place of a change: its own, its facility's, or that of what grows; None without any."""
    shape = change.shape
    if shape is None and change.action == "grow":
        units = inputs.villages if change.village else inputs.districts
        name = change.village or change.district
        if units is not None:
            mine = ((units["name"] == name) | (units.index.astype(str) == name)).to_numpy(dtype=bool)
            shape = units.geometry[mine].iloc[0] if mine.sum() == 1 else None
    elif shape is None and (change.id or change.name):
        table = inputs.register
        mine = (
            np.asarray(table.index == change.id)
            if change.id
            else (table["name"] == change.name).to_numpy(dtype=bool)
        )
        shape = table.geometry[mine].iloc[0] if mine.sum() == 1 else None
    elif shape is None and change.edge is not None:
        roads = next(iter(inputs.networks.values()))
        if change.edge < len(roads.lines):
            shape = gpd.GeoSeries([roads.lines[change.edge]], crs=roads.crs).to_crs("EPSG:4326").iloc[0]
    if shape is None or shape.is_empty or shape.geom_type == "Point":
        return None if shape is None or shape.is_empty else shape
    if shape.geom_type.endswith("LineString"):
        return shape.interpolate(0.5, normalized=True)
    return shape.representative_point()


def _name(scenario: Scenario, target: str, language: Language) -> str:
    return scenario.before.result(target).target.name.get(language)


def _layers(scenario: Scenario) -> dict[str, pd.DataFrame]:
    """Return winners, losers and those who are nearer or farther, and the changes that have a place."""
    moved = scenario.residents
    layers = {
        "winners": moved[moved["change"].isin(["won", "connected", "nearer"])],
        "losers": moved[moved["change"].isin(["lost", "cut_off", "farther"])],
    }
    shapes = [change for change in scenario.changes if change.shape is not None]
    for name, kinds in (("changed_sites", {"Point"}), ("changed_roads", {"LineString", "MultiLineString"})):
        mine = [change for change in shapes if change.shape.geom_type in kinds]
        layers[name] = gpd.GeoDataFrame(
            {
                "action": pd.Series([change.action for change in mine], dtype="str"),
                "service": pd.Series([";".join(change.services) for change in mine], dtype="str"),
                "name": pd.Series([change.name or change.id for change in mine], dtype="str"),
            },
            geometry=[change.shape for change in mine],
            crs="EPSG:4326",
        )
    return {name: layer for name, layer in layers.items() if len(layer) or name in {"winners", "losers"}}
