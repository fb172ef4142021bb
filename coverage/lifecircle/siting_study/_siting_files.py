"""What the files of a siting study of circles hold, and the picture of the curve; computes no figure."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.datum import in_china_area
from lifecircle.errors import MissingExtraError
from lifecircle.report import DEGREES, NUMBER, ORDER, PEOPLE, POINTS, RATE, TEXT, Rate
from lifecircle.siting_study._explanation import nearest_site
from lifecircle.siting_study._plan_files import (
    PlanParts,
    points_layer,
    study_facts,
    words_facts,
    words_sheet,
    write_plan,
)
from lifecircle.siting_study._remedies import hours_of
from lifecircle.siting_study._siting_table import site_table
from lifecircle.siting_study._siting_text import (
    goal_lines,
    head_lines,
    land_word,
    note_lines,
    own_value,
    reason_lines,
    site_name,
    study_lines,
    unit_name,
)
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lifecircle.findings import Language
    from lifecircle.report import Sheets
    from lifecircle.siting_study._siting_steps import SiteStudy

_log = logging.getLogger(__name__)

THREE_LINES = ("永久基本农田", "生态保护红线", "城镇开发边界外")
"""The kinds of land that always have a column in China, given by the study or not."""

_SHOWN = (
    "id", "target", "objective", "status", "sites", "value", "bound", "gap", "people", "covered_before",
    "covered_after", "goal", "attainable", "goal_attainable", "enough", "sensitivity", "remedies",
    "own_target",
)  # fmt: skip
"""What the map page shows of plan.json."""

_MOST_CANDIDATES = 200  # rows of the sheet of candidates; plan.gpkg holds all

CURVE = {
    "sites": ORDER,
    "covered": PEOPLE,
    "value": RATE,
    "bound_people": PEOPLE,
    "added": PEOPLE,
    "proved": TEXT,
}
REMEDIES = {
    "ranking": TEXT, "row": ORDER, "works": TEXT, "name": TEXT, "lon": DEGREES, "lat": DEGREES,
    "new_people": PEOPLE, "counted": TEXT, "length_m": PEOPLE, "cost": NUMBER, "paid": TEXT,
    "per_cost": NUMBER, "cost_source": TEXT, "cost_grade": TEXT,
}  # fmt: skip
CANDIDATES = {
    "id": TEXT, "name": TEXT, "lon": DEGREES, "lat": DEGREES, "works": TEXT, "district": TEXT,
    "village": TEXT, "rank": ORDER, "reach_people": PEOPLE, "plan_has": PEOPLE, "adds": PEOPLE,
    "swap_for": TEXT,
}  # fmt: skip
_SWAPS = {
    "max_cover": {"loss": PEOPLE},
    "full_cover": {"left": PEOPLE},
    "p_center": {"longer": NUMBER, "people": PEOPLE},
    "p_median": {"together": PEOPLE, "people": PEOPLE},
    "max_min_cover": {"points": NUMBER, "people": PEOPLE},
}
"""Columns that say what an exchange would cost, in the quantity that the plan strives for.

Where a radius along the roads decides, times are metres, and their columns are named with ``_m``."""


def write_study(study: SiteStudy, folder: str | Path) -> Path:
    """Write a siting study's files into a folder, all or none; those of an earlier one there are replaced.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    language = study.scenario.before.language
    parts = PlanParts(
        study.scenario,
        study.target,
        plan_facts(study),
        _sheets(study),
        _layers(study),
        head_lines(study, language),
        site_table(study, language),
        [*goal_lines(study, language), *reason_lines(study, language), *note_lines(study, language)],
    )
    return write_plan(parts, folder, lambda fresh: _draw(study, fresh))


def _draw(study: SiteStudy, folder: Path) -> None:
    try:
        draw_curve(study, folder / "curve.png")
    except MissingExtraError as error:
        _log.warning("the curve is not drawn: %s", error)


def plan_layer(study: SiteStudy) -> dict[str, Any]:
    """Return the plan as the map page takes it: plain values, sites in WGS84 degrees."""
    facts = plan_facts(study)
    free = sum(not one["left_out"] for one in facts["candidates"])
    return {
        **{name: facts[name] for name in _SHOWN},
        "year": study.inputs.year,
        "service": "",
        "free": free,
        "curve": [[point.sites, point.people] for point in study.curve],
    }


def plan_facts(study: SiteStudy) -> dict[str, Any]:
    """Put a siting study in the plain form of ``plan.json``: unrounded, no clock, no absolute path."""
    plan, table = study.plan, study.explanation.candidates
    return {
        **study_facts(study.id, study.scenario, study.candidates.records),
        "target": study.target.id,
        "profile": study.target.profile,
        "accounting": study.target.accounting,
        "own": {"profile": study.own.profile, "accounting": study.own.accounting},
        "objective": study.objective,
        "new": study.new,
        "status": plan.status,
        "reproducible": "not_proved" not in study.notes,
        "value": plan.value,
        "bound": plan.bound,
        "gap": plan.gap,
        "second": None if plan.second is None else asdict(plan.second),
        "aim": asdict(study.explanation.aim),
        "people": study.people,
        "covered_before": study.covered,
        "covered_after": study.scenario.target(study.target.id).covered_after,
        "goal": study.target.goal,
        "enough": study.enough,
        "enough_possible": study.enough_possible,
        "attainable": study.attainable,
        "goal_attainable": study.goal_attainable,
        "sites": list(_site_rows(study)),
        "curve": [asdict(point) for point in study.curve],
        "ties": [asdict(tie) for tie in study.explanation.ties],
        "sensitivity": [asdict(one) for one in study.explanation.sensitivity],
        "remedies": [_remedy_facts(one) for one in study.remedies],
        "candidates": [
            {"id": str(label), **{name: _plain(value) for name, value in row.items()}}
            for label, row in zip(table.index, table.to_dict("records"), strict=True)
        ],
        **words_facts(
            study.scenario, study.target.id, study.notes, lambda language: study_lines(study, language)
        ),
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def _remedy_facts(remedy: Any) -> dict[str, Any]:
    facts = {name: value for name, value in vars(remedy).items() if name != "changes"}
    return {**facts, "people_per_cost": remedy.people_per_cost}


def _site_rows(study: SiteStudy) -> Iterator[dict[str, Any]]:
    """Yield every site of the plan with all that is known of it, in plain form."""
    table, land = study.candidates.table, study.candidates.land
    for facts in study.explanation.sites:
        row = table.loc[facts.id]
        price = float(study.conditions.prices[table.index.get_loc(facts.id)])
        known = not np.isnan(price)
        yield {
            "id": facts.id,
            "name": str(row["name"]) or facts.id,
            "service": str(row["services"]),
            "lon": float(row.geometry.x),
            "lat": float(row.geometry.y),
            **{name: str(row[name]) for name in ("works", "tenure", "land_use", "district", "village")},
            "hours": hours_of(study.target),
            "suitability": _plain(float(row["suitability"])),
            "land": {str(name): bool(land.loc[facts.id, name]) for name in land.columns},
            "cost": price if known else None,
            "yuan_per_person": price * 10_000 / facts.people if known and facts.people > 0 else None,
            **{name: value for name, value in asdict(facts).items() if name != "id"},
        }


# --- the workbook ---------------------------------------------------------------------------------------


def _sheets(study: SiteStudy) -> Sheets:
    language = study.scenario.before.language
    columns, rows = _plan_sheet(study, language)
    return {
        "plan": (columns, rows),
        "explanation": words_sheet(study_lines(study, language)),
        "curve": (CURVE, list(_curve_rows(study, language))),
        "remedies": (REMEDIES, list(_remedy_rows(study, language))),
        "candidates": (_candidate_columns(study), list(_candidate_rows(study, language))),
    }


def _swap_columns(study: SiteStudy, before: str = "swap_") -> dict[str, str]:
    """Name the columns that say what an exchange would cost: of a candidate, or of the next best one."""
    metres = study.question.speed_ms is not None
    timed = {"longer", "together"}
    return {
        before + (f"{name}_m" if metres and name in timed else name): kind
        for name, kind in _SWAPS[study.objective].items()
    }


def _swap_cells(
    study: SiteStudy, loss: float | None, people: float | None, before: str = "swap_"
) -> dict[str, Any]:
    """Return the cells of these columns; empty where there is no exchange."""
    if loss is None or people is None or np.isnan(loss):
        return {}
    speed_ms = study.question.speed_ms
    first, *second = _swap_columns(study, before)
    if study.objective in {"p_center", "p_median"}:
        loss = loss / 60 if speed_ms is None else loss * speed_ms
    elif study.objective == "max_min_cover":
        loss *= 100
    return {first: loss, **dict.fromkeys(second, people)}


def _candidate_columns(study: SiteStudy) -> dict[str, str]:
    return {**CANDIDATES, **_swap_columns(study), "why": TEXT}


def _plan_sheet(study: SiteStudy, language: Language) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """Return a row for every site and a last one for the plan, in the columns an office asks for."""
    land = study.candidates.land
    usual = THREE_LINES if in_china_area(study.inputs.lonlat) else ()
    lands = [*usual, *(str(name) for name in land.columns if name not in usual)]
    groups: list[str] = [name for name in ("over60", "under3") if name in study.inputs.study.demand.groups]
    sites = study.explanation.sites
    groups += ["rural", *(["class_unknown"] if any("class_unknown" in one.groups for one in sites) else [])]
    columns = {
        "row": ORDER, "site": TEXT, "lon": DEGREES, "lat": DEGREES, "works": TEXT, "tenure": TEXT,
        "land_use": TEXT, **dict.fromkeys(lands, TEXT), "services": TEXT, "district": TEXT, "village": TEXT,
        "new_people": PEOPLE, **{f"new_{name}": PEOPLE for name in groups},
        "new_villages": TEXT, "coverage_change": POINTS, "bound_gap": TEXT,
        "next_best": TEXT, **_swap_columns(study, "next_"), "cost": NUMBER, "yuan_per_person": PEOPLE,
        "band": TEXT, "saved_hours": NUMBER,
    }  # fmt: skip
    services = study.scenario.before.services
    rows = []
    for number, facts in enumerate(_site_rows(study), 1):
        held = [services.get(one, {}).get(language, one) for one in str(facts["service"]).split(";")]
        rows.append(
            {
                "row": number,
                "site": site_name(study, facts["id"]),
                "lon": facts["lon"],
                "lat": facts["lat"],
                "works": word("works", facts["works"], language),
                "tenure": facts["tenure"],
                "land_use": facts["land_use"],
                **{name: _on_land(facts["land"].get(name), language) for name in lands},
                "services": " + ".join(held),
                "district": unit_name(study, facts["district"]),
                "village": _village_name(study, facts["village"]),
                "new_people": facts["people"],
                **{f"new_{name}": facts["groups"].get(name) for name in groups},
                "new_villages": " ".join(_village_name(study, code) for code in facts["villages"]),
                "coverage_change": facts["people"] / study.people * 100,
                "next_best": "" if facts["swap"] is None else site_name(study, facts["swap"]),
                **_swap_cells(study, facts["swap_loss"], facts["swap_people"], "next_"),
                "cost": facts["cost"],
                "yuan_per_person": facts["yuan_per_person"],
                "band": _in_band(facts["band"]),
                "saved_hours": facts["saved_min"] / 60,
            }
        )
    return columns, [*rows, _total_row(study, rows, groups, language)]


def _total_row(
    study: SiteStudy, rows: list[dict[str, Any]], groups: Sequence[str], language: Language
) -> dict[str, Any]:
    """Return the plan as a whole: sums of its sites, and how far it can be from the best there is."""
    costs = [row["cost"] for row in rows]
    people = sum(row["new_people"] for row in rows)
    cost = None if any(one is None for one in costs) else sum(costs)
    band = [one.people for one in study.explanation.sensitivity]
    plan = study.plan
    gap = word("plan_status", plan.status, language)
    if plan.status != "optimal":
        gap = f"{gap}: {own_value(study, plan.bound, language)} ({plan.gap * 100:.2f} %)"
    if plan.objective != "max_cover":
        gap = f"{own_value(study, plan.value, language)}; {gap}"
    return {
        "site": word("siting", "together", language),
        "new_people": people,
        **{f"new_{name}": _sum([row[f"new_{name}"] for row in rows]) for name in groups},
        "coverage_change": people / study.people * 100,
        "bound_gap": gap,
        "cost": cost,
        "yuan_per_person": cost * 10_000 / people if cost is not None and people else None,
        "band": _in_band(band) if len(band) == len(_SPEEDS) else "",
        "saved_hours": sum(row["saved_hours"] for row in rows),
    }


_SPEEDS = ("slow", "usual", "fast")


def _in_band(people: Sequence[float | None]) -> str:
    """Print people at slow, usual and fast; empty where no one speed decides."""
    known = [one for one in people if one is not None]
    return " / ".join(f"{one:,.0f}" for one in known) if len(known) == len(_SPEEDS) else ""


def _sum(parts: Sequence[float | None]) -> float | None:
    """Add up people; unknown where a part is."""
    known = [one for one in parts if one is not None]
    return sum(known) if len(known) == len(parts) else None


def _on_land(inside: bool | None, language: Language) -> str:  # noqa: FBT001 - a cell's value
    return word("on_land", "unknown" if inside is None else "yes" if inside else "no", language)


def _village_name(study: SiteStudy, code: str) -> str:
    units = study.inputs.villages
    return code if units is None or code not in units.index else str(units["name"][code])


def _curve_rows(study: SiteStudy, language: Language) -> Iterator[dict[str, Any]]:
    marks = () if study.target.goal is None else (study.target.goal,)
    for point in study.curve:
        yield {
            "sites": point.sites,
            "covered": point.people,
            "value": Rate(point.value, marks),
            "bound_people": point.bound,
            "added": point.added if point.sites else None,
            "proved": word("plan_status", point.status, language) if point.sites else "",
        }


def _remedy_rows(study: SiteStudy, language: Language) -> Iterator[dict[str, Any]]:
    for one in study.remedies:
        accounting, paid = word("column", one.accounting, language), word("paid", one.paid, language)
        yield {
            "ranking": f"{accounting} · {paid}",
            "row": one.rank,
            "works": word("works", one.kind, language),
            "name": one.name,
            "lon": one.lon,
            "lat": one.lat,
            "new_people": one.people,
            "counted": accounting,
            "length_m": one.length_m,
            "cost": one.cost,
            "paid": paid,
            "per_cost": one.people_per_cost,
            "cost_source": word("siting", one.source, language) if one.source == "candidates" else one.source,
            "cost_grade": word("grade", one.grade, language) if one.grade else "",
        }


def _candidate_rows(study: SiteStudy, language: Language) -> Iterator[dict[str, Any]]:
    """List candidates by their own reach, those left out last."""
    facts = study.explanation.candidates
    table = study.candidates.table
    order = facts.assign(_out=facts["left_out"] != "").sort_values(["_out", "rank"], kind="stable")
    for label, row in order.head(_MOST_CANDIDATES).iterrows():
        out = str(row["left_out"])
        why = word("why", str(row["reason"]), language)
        yield {
            "id": str(label),
            "name": table["name"][label],
            "lon": float(table.geometry[label].x),
            "lat": float(table.geometry[label].y),
            "works": word("works", str(table["works"][label]), language),
            "district": unit_name(study, str(table["district"][label])),
            "village": _village_name(study, str(table["village"][label])),
            **{name: _plain(row[name]) for name in ("rank", "reach_people", "plan_has", "adds")},
            "swap_for": row["swap_for"],
            **_swap_cells(study, row["swap_loss"], row["swap_people"]),
            "why": f"{why}: {land_word(out, language)}" if out else why,
        }


# --- layers and picture ---------------------------------------------------------------------------------


def _layers(study: SiteStudy) -> dict[str, pd.DataFrame]:
    """Return the sites, everybody newly covered with his site, all candidates, and the remedies."""
    chosen = study.conditions.labels.get_indexer(list(study.plan.sites)).astype(np.int64)
    nearest, served = nearest_site(study.question, chosen)
    mine = np.flatnonzero(served & (study.question.people > 0))
    demand = study.inputs.demand.iloc[mine]
    layers: dict[str, pd.DataFrame] = {
        "sites": points_layer(pd.DataFrame(_site_rows(study))),
        "served": gpd.GeoDataFrame(
            {
                "resident": demand.index.astype(str),
                "site": [str(study.plan.sites[at]) for at in nearest[mine]],
                "people": study.question.people[mine],
            },
            geometry=demand.geometry.to_numpy(),
            crs="EPSG:4326",
        ),
        "candidates": study.candidates.table.drop(columns=["area", "left_out"])
        .join(study.explanation.candidates)
        .reset_index(names="id"),
    }
    if study.remedies:
        facts = [_remedy_facts(one) for one in study.remedies]
        layers["remedies"] = gpd.GeoDataFrame(
            pd.DataFrame(facts),
            geometry=[one.changes[0].shape or _point(one) for one in study.remedies],
            crs="EPSG:4326",
        )
    return layers


def _point(remedy: Any) -> Any:
    import shapely  # noqa: PLC0415 - beside its only use

    return shapely.Point(remedy.lon, remedy.lat)


def draw_curve(study: SiteStudy, path: Path) -> None:
    """Draw coverage over the number of sites, with what no plan exceeds and the goal, as a PNG.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - the same
    except ImportError as error:
        raise MissingExtraError("matplotlib", "print") from error
    language = study.scenario.before.language
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    fonts = ["Noto Sans CJK SC", "Microsoft YaHei", "SimHei", "DejaVu Sans"]
    _plot(figure.add_subplot(), study, language, _fonts_here(fonts))
    figure.savefig(path, metadata={"Software": None})


def _fonts_here(wanted: list[str]) -> list[str]:
    """Keep the fonts that are installed, because matplotlib warns of every font that is missing."""
    from matplotlib import font_manager  # noqa: PLC0415 - an extra

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in wanted if name in there]


def _plot(axes: Any, study: SiteStudy, language: Language, fonts: list[str]) -> None:
    sites = [point.sites for point in study.curve]
    values = [point.value * 100 for point in study.curve]
    bounds = [point.bound / study.people * 100 for point in study.curve]
    said = {
        name: word("siting", f"curve_{name}", language)
        for name in ("sites", "value", "bound", "plan", "goal")
    }
    axes.fill_between(sites, values, bounds, color="#c9d7e8", label=said["bound"], linewidth=0)
    axes.plot(sites, values, color="#1f5a94", marker="o", markersize=4, label=said["value"])
    # The curve is that of most people covered; a plan that strives for something else lies under it.
    count = study.scenario.after.circle(study.target.id).count
    assert count is not None
    at, own = len(study.plan.sites), count.covered / study.people * 100
    axes.plot([at], [own], color="#b3261e", marker="o", markersize=9, linestyle="none", label=said["plan"])
    goal = study.target.goal
    if goal is not None:
        axes.axhline(goal * 100, color="#2e7d32", linestyle="--", linewidth=1, label=said["goal"])
    before = study.scenario.before
    stamp = word("stamp", "synthetic" if before.synthetic else "internal", language)
    title = f"{before.name} {before.year} · {study.target.name.get(language)}"
    axes.set_title(f"{title}\n{stamp}", fontfamily=fonts, fontsize=11, parse_math=False)  # a $ is a $
    axes.set_xlabel(said["sites"], fontfamily=fonts)
    axes.set_ylabel(said["value"] + " (%)", fontfamily=fonts)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(visible=True, color="#e3e7ec")
    axes.legend(prop={"family": fonts, "size": 9}, frameon=False)
