"""The maps of a study: which years they show, from which runs, with which roads, labels and mask.

This module reads the keys of ``study.toml`` about maps and passes plain values to the rooms that draw.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyogrio.errors import DataLayerError, DataSourceError

from lifecircle.audit import find_run, has_files, read_networks
from lifecircle.datum import locate
from lifecircle.errors import Fault, FaultLog, MissingExtraError, UnusableInputError, say
from lifecircle.files import check_file, check_folder
from lifecircle.page_data import ScenarioView, WhatIf
from lifecircle.paper import (
    PICTURE_MARK,
    SheetOrder,
    picture_name,
    plan_picture_names,
    sheet_faults,
    sheet_folder,
    static_maps,
    write_sheets,
)
from lifecircle.publication import MapSetting
from lifecircle.roads import read_barrier_kinds, read_barriers
from lifecircle.scenario import read_changes
from lifecircle.standards import whole_rule
from lifecircle.study import check_year, read_study
from lifecircle.tables import Column, Schema, check_table, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language
    from lifecircle.page_data import Pin, Plan
    from lifecircle.paper import Size
    from lifecircle.publication import Edition
    from lifecircle.roads import Roads
    from lifecircle.standards import Standard
    from lifecircle.study import Study

    Progress = Callable[[str], None]

_log = logging.getLogger(__name__)

KINDS = ("neighbour", "water")


def years_of(text: str) -> tuple[int, ...]:
    """Read years as people write them, single ones and spans, in order and each once.

    Raises
    ------
    UnusableInputError
        When a part of the text is neither a year nor a span of years.

    >>> years_of("2025, 2021-2023")
    (2021, 2022, 2023, 2025)
    """
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\s*[-–]\s*(\d{4}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            reason, remedy = say("no year and no span of years"), say("write 2021-2023,2025")
            raise UnusableInputError([Fault("(years)", "", part.strip(), reason, remedy)])
        check_year(first)
        check_year(last)
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def map_setting(study: Study) -> MapSetting:
    """Read what a study says of its maps: the mask, base maps, labels and what stands in the margin.

    Raises
    ------
    UnusableInputError
        With the faults of the mask and of the labels together.
    """
    faults = FaultLog()
    mask: tuple[Any, ...] = ()
    labels = None
    if study.publish.mask is not None:
        with faults.catching():
            mask = tuple(read_barriers(study.path_in(study.publish.mask, study.year), crs="EPSG:4326"))
    if study.atlas.labels is not None:
        with faults.catching():
            labels = read_labels(study.path_in(study.atlas.labels, study.year))
    ground = None
    if study.barriers is not None:
        part = study.barriers
        with faults.catching():
            path = study.path_in(part.file, study.year)
            ground = read_barrier_kinds(path, layer=part.layer, datum=part.datum)
    faults.raise_any()
    return MapSetting(
        min_people=study.publish.min_people,
        mask=mask,
        base=study.atlas.base,
        tianditu_key=study.atlas.tianditu_key,
        labels=labels,
        data_date=study.atlas.data_date,
        ground=ground,
    )


_LABELS = Schema(
    "labels",
    (
        Column("name", "text", "what is written on the map", required=True, filled=True),
        Column("kind", "text", "neighbour (the default) or water"),
    ),
)


def read_labels(path: Path) -> gpd.GeoDataFrame:
    """Read the names of what lies around a study: name, lon and lat or points, and kind.

    Raises
    ------
    UnusableInputError
        With every row that has no name, no place or an unknown kind.
    """
    table = read_table(path)
    faults = FaultLog()
    with faults.catching():
        checked = check_table(table, _LABELS)
    with faults.catching():
        located = locate(table.frame, file=table.name)
    faults.raise_any()
    for reject in checked.rejects.itertuples():
        place = say("row {row}, column '{column}'", row=reject.row, column=reject.column)
        faults.add(Fault(table.name, place, str(reject.value), reject.reason, reject.remedy))
    kinds = (
        checked.frame.get("kind", pd.Series(KINDS[0], index=table.frame.index))
        .fillna("")
        .replace("", KINDS[0])
    )
    known = " or ".join(KINDS)
    for row, kind, reason, remedy in zip(kinds.index, kinds, located.reason, located.remedy, strict=True):
        if reason:
            faults.add(Fault(table.name, say("row {row}", row=row), "", reason, remedy))
        if kind not in KINDS:
            place = say("row {row}, column '{column}'", row=row, column="kind")
            choices = say("write {known}", known=known)
            faults.add(Fault(table.name, place, str(kind), say("unknown kind"), choices))
    faults.raise_any()
    return gpd.GeoDataFrame(
        {"name": checked.frame["name"], "kind": kinds}, geometry=located.points, crs="EPSG:4326"
    )


class _PlanPart(BaseModel):
    """What a page takes of ``plan.json``; the file holds more."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _PlanSite(_PlanPart):
    id: str = ""
    name: str = ""
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    service: str = ""
    people: float | None = None
    works: str = ""
    tenure: str = ""
    cost: float | None = None
    groups: dict[str, float] = {}
    band: tuple[float | None, ...] = ()


class _PlanCandidate(_PlanPart):
    left_out: str = ""


class _PlanSpeed(_PlanPart):
    speed: Literal["slow", "usual", "fast"]
    people: float
    best: float


class _PlanRemedy(_PlanPart):
    kind: str
    name: str
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    people: float
    accounting: str = "reach"
    paid: str = "once"
    cost: float | None = None
    people_per_cost: float | None = None


class _PlanMove(_PlanPart):
    """What becomes of a district or group; presence targets count no people."""

    code: str
    name: str = ""
    value_before: float | None = None
    value_after: float | None = None
    won: float | None = None


class _PlanTarget(_PlanPart):
    districts: tuple[_PlanMove, ...] = ()
    groups: tuple[_PlanMove, ...] = ()


class _PlanPoint(_PlanPart):
    sites: int
    people: float


class _PlanFile(_PlanPart):
    study: str
    target: str
    year: int
    objective: str
    status: str
    value: float | None
    bound: float | None
    gap: float | None
    sites: tuple[_PlanSite, ...]
    curve: tuple[_PlanPoint, ...]
    id: str = ""
    people: float | None = None
    covered_before: float | None = None
    covered_after: float | None = None
    value_before: float | None = None
    value_after: float | None = None
    goal: float | None = None
    attainable: float | None = None
    goal_attainable: bool | None = None
    enough: int | None = None
    sensitivity: tuple[_PlanSpeed, ...] = ()
    remedies: tuple[_PlanRemedy, ...] = ()
    candidates: tuple[_PlanCandidate, ...] = ()
    own_target: _PlanTarget | None = None


def read_plans(paths: Sequence[Path], *, study: str) -> list[Plan]:
    """Read siting plans as a page takes them, from ``plan.json`` files or the folders that hold one.

    Raises
    ------
    UnusableInputError
        With every file that is missing, is no plan, or is a plan of another study.
    """
    faults, plans = FaultLog(), []
    for given in paths:
        with faults.catching():
            plans.append(_plan(given, study))
    faults.raise_any()
    return plans


def _plan(given: Path, study: str) -> Plan:
    """Read one plan.

    Raises
    ------
    UnusableInputError
        When there is none, or it is damaged or of another study.
    """
    path = given / "plan.json" if given.is_dir() else given
    if not path.is_file():
        reason, remedy = say("no plan here"), say("name a plan.json that lifecircle site wrote")
        raise UnusableInputError([Fault(str(given), "", "", reason, remedy)])
    try:
        found = _PlanFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason, remedy = say("not a siting plan"), say("name what lifecircle site wrote")
        raise UnusableInputError([Fault(str(path), place, "", reason, remedy)]) from None
    if found.study != study:
        reason, remedy = say("a plan of another study"), say("name one of {study}", study=study)
        raise UnusableInputError([Fault(str(path), "study", found.study, reason, remedy)])
    plain = found.model_dump(exclude={"study", "candidates"})
    plain["free"] = sum(not one.left_out for one in found.candidates) or None
    plain["curve"] = [(point.sites, point.people) for point in found.curve]
    return cast("Plan", plain)


class _ScenarioChange(_PlanPart):
    action: str
    services: tuple[str, ...] = ()
    name: str = ""
    wkt: str = ""


class _ScenarioMove(_PlanMove):
    lost: float | None = None


class _ScenarioTarget(_PlanPart):
    target: str
    kind: str
    unit: str
    value_before: float | None
    value_after: float | None
    won: float | None
    lost: float | None
    districts: tuple[_ScenarioMove, ...] = ()
    groups: tuple[_ScenarioMove, ...] = ()
    towns: tuple[_ScenarioMove, ...] = ()


class _ScenarioFile(_PlanPart):
    study: str
    id: str
    year: int
    changes: tuple[_ScenarioChange, ...]
    targets: tuple[_ScenarioTarget, ...]


def read_scenarios(paths: Sequence[Path], *, study: str, services: Collection[str]) -> list[ScenarioView]:
    """Read scenarios as a page opens them: files of changes, or the folders that `lifecircle scenario` wrote.

    Parameters
    ----------
    services : ids that the study's standard has

    Raises
    ------
    UnusableInputError
        With every file that is missing or no scenario, of another study, or opens an unknown service.
    """
    faults, views = FaultLog(), []
    for given in paths:
        with faults.catching():
            run = given / "comparison.json" if given.is_dir() else given
            view = _scenario_run(run, study) if run.name == "comparison.json" else _scenario_file(run)
            for number, pin in enumerate(view.pins, 1):
                for one in pin["service"].split(";"):
                    if one not in services:
                        place = say("venue {number}", number=number)
                        remedy = say("name a service of the standard")
                        faults.add(Fault(str(given), place, one, say("unknown service"), remedy))
            views.append(view)
    faults.raise_any()
    return views


def _scenario_file(path: Path) -> ScenarioView:
    changes = read_changes(path)
    pins: list[Pin] = [
        {"lon": one.shape.x, "lat": one.shape.y, "service": ";".join(one.services), "name": one.name}
        for one in changes
        if one.action == "open"
    ]
    return ScenarioView(path.stem, pins, Counter(one.action for one in changes if one.action != "open"))


def _scenario_run(path: Path, study: str) -> ScenarioView:
    """Read what a scenario's run wrote: its changes, the comparison, and who wins and loses.

    Raises
    ------
    UnusableInputError
        When there is none, or it is damaged or of another study.
    """
    if not path.is_file():
        reason, remedy = say("no scenario here"), say("name a folder that lifecircle scenario wrote")
        raise UnusableInputError([Fault(str(path.parent), "", "", reason, remedy)])
    try:
        found = _ScenarioFile.model_validate_json(path.read_bytes())
        shapes = [shapely.from_wkt(one.wkt) if one.action == "open" else None for one in found.changes]
    except (ValidationError, shapely.GEOSException):
        reason, remedy = say("not a scenario's comparison"), say("name what lifecircle scenario wrote")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from None
    if found.study != study:
        reason, remedy = say("a scenario of another study"), say("name a scenario of {study}", study=study)
        raise UnusableInputError([Fault(str(path), "study", found.study, reason, remedy)])
    pins: list[Pin] = [
        {"lon": shape.x, "lat": shape.y, "service": ";".join(one.services), "name": one.name}
        for one, shape in zip(found.changes, shapes, strict=True)
        if isinstance(shape, shapely.Point) and not shape.is_empty
    ]
    return ScenarioView(
        found.id,
        pins,
        Counter(one.action for one in found.changes if one.action != "open"),
        year=found.year,
        targets=[one.model_dump() for one in found.targets],
        moved=_moved(path.with_name("scenario.gpkg")),
    )


def _moved(path: Path) -> pd.DataFrame:
    """Read who is covered after a scenario and not before, or the other way round.

    Raises
    ------
    UnusableInputError
        When the file is not there or is not what a scenario wrote.
    """
    names = ["target", "resident", "change"]
    try:
        parts = [
            pyogrio.read_dataframe(path, layer=layer, read_geometry=False)[names].astype(str)
            for layer in ("winners", "losers")
        ]
    except (DataSourceError, DataLayerError, KeyError):
        reason, remedy = say("not the residents of a scenario"), say("run lifecircle scenario again")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from None
    table = pd.concat(parts, ignore_index=True)
    return table[table["change"].isin(["won", "lost"])]


@dataclass(frozen=True)
class MapOrder:
    """The order for maps of a study; what is left out follows from the study.

    ``years`` : left out, the study's year and the one before, where its files allow; ``results`` : folder of
    runs; ``out`` : the page, ``maps/<id>.html`` in the study for the internal edition in the study's own
    language; ``roads`` : whether the page holds the roads, which lets it answer what a new venue would
    change; ``static`` : folder for a picture of every target with a figure; ``plans`` : files ``plan.json``
    of siting studies, or their folders, to show; ``scenarios`` : files of changes, or folders that
    ``lifecircle scenario`` wrote, to open; ``sheets`` : folder for the sheets of every town, of every circle
    or of ``target`` alone, with ``villages`` those of every village too; ``paper`` : of sheets and pictures.
    """

    years: tuple[int, ...] = ()
    results: Path | None = None
    out: Path | None = None
    edition: Edition = "internal"
    language: Language | None = None
    roads: bool | None = None
    static: Path | None = None
    plans: tuple[Path, ...] = ()
    scenarios: tuple[Path, ...] = ()
    sheets: Path | None = None
    target: str | None = None
    villages: bool = False
    paper: Size = "A4"


def draw_study(
    study: str | Path, order: MapOrder = MapOrder(), *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Draw the maps of a study: the page, and a picture of every target where a folder is named.

    A year without a run is computed in memory.

    Returns
    -------
    paths : the files written, the page first

    Raises
    ------
    UnusableInputError
        With the faults of the study and its files, or when the public edition shall hold roads; before
        anything is computed, when something else stands where a map goes, or nothing can be written there.
    MissingExtraError
        When pictures or sheets are asked for and matplotlib is not installed.
    """
    # Folium, which the page is drawn with, costs half a second that who asks for no page need not wait.
    from lifecircle.atlas import PAGE_MARK, draw_atlas  # noqa: PLC0415 - as above

    report_progress = progress or _log.info
    declared = read_study(study)
    if order.edition == "public" and (order.roads or order.scenarios):
        option = "roads" if order.roads else "scenario"
        reason = (
            say("the public edition holds no roads")
            if order.roads
            else say("the public edition holds no scenarios")
        )
        remedy = say("leave out --{option}", option=option)
        raise UnusableInputError([Fault("(map)", option, "", reason, remedy)])
    # Everything that can be refused is refused here, before a run is computed, which may take minutes.
    page = order.out or declared.folder / "maps" / _page_name(declared, order)
    check_file(page, PAGE_MARK)
    years_asked = [check_year(year) for year in order.years]
    plans = read_plans(order.plans, study=declared.id)
    _check_paper(declared, order, years_asked, plans)
    setting = map_setting(declared)
    known = {one.id for one in declared.standard.services}
    scenarios = read_scenarios(order.scenarios, study=declared.id, services=known)
    years = _runs(declared, study, order, report_progress)
    with_roads = order.edition == "internal" if order.roads is None else order.roads
    roads = _walked(declared, years[-1].year) if with_roads else None
    report_progress("drawing")
    paths = [
        draw_atlas(
            years,
            page,
            language=order.language,
            roads=roads,
            plans=plans,
            edition=order.edition,
            setting=setting,
            what_if=WhatIf(buildings=_buildings(declared), scenarios=scenarios),
        )
    ]
    paths += _draw_paper(years, order, setting, plans, progress=report_progress)
    return tuple(paths)


def _draw_paper(
    years: Sequence[Findings],
    order: MapOrder,
    setting: MapSetting,
    plans: Sequence[Plan],
    *,
    progress: Progress,
) -> list[Path]:
    """Draw the pictures and the sheets that are asked for."""
    paths: list[Path] = []
    if order.static is not None:
        paths += static_maps(
            years,
            order.static,
            language=order.language,
            edition=order.edition,
            setting=setting,
            size=order.paper,
            compared=len(order.years) > 1,
            plans=plans,
        )
    if order.sheets is not None:
        sheets = SheetOrder(order.target, order.paper, order.villages, order.language, order.edition, setting)
        paths += write_sheets(years, order.sheets, sheets, progress=progress)
    return paths


def _check_paper(study: Study, order: MapOrder, years: Sequence[int], plans: Sequence[Plan]) -> None:
    """Refuse what pictures and sheets cannot be made of, before any is computed.

    Raises
    ------
    UnusableInputError
        When something else stands at the folder, the target is unknown, the public edition is asked for
        villages, or a target or villages are named without a folder.
    MissingExtraError
        When matplotlib is not installed.
    """
    if order.static is not None:
        check_static(order.static, study.standard, *_first_and_last(years, study.year), plans=plans)
    faults = FaultLog()
    if order.sheets is None:
        for option, given in (("--target", order.target), ("--villages", order.villages)):
            if given:
                reason, remedy = say("it is of the sheets, and none are asked for"), say("add --sheets DIR")
                faults.add(Fault("(sheets)", option, str(given), reason, remedy))
    else:
        if find_spec("matplotlib") is None:
            raise MissingExtraError("matplotlib", "print")
        ids = [target.id for target in study.standard.targets]
        for fault in sheet_faults(order.target, ids, villages=order.villages, edition=order.edition):
            faults.add(fault)
        with faults.catching():
            check_folder(order.sheets, sheet_folder(order.sheets))
    faults.raise_any()


def _first_and_last(years: Sequence[int], own: int) -> tuple[int, int | None]:
    """Return the latest year, and the first where it is another: those that pictures compare."""
    return (max(years), min(years)) if len(years) > 1 else (years[0] if years else own, None)


def check_static(
    folder: Path, standard: Standard, year: int, first: int | None = None, *, plans: Sequence[Plan] = ()
) -> None:
    """Refuse a folder of pictures before any is computed: one of another program is never replaced.

    ``first`` : the year that pictures of two years compare with; ``plans`` : plans to draw a picture of each.

    Raises
    ------
    UnusableInputError
        When something else stands where a picture goes, or nothing can be written there.
    MissingExtraError
        When matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "print")
    faults = FaultLog()
    for target in standard.targets:
        with faults.catching():
            check_file(folder / picture_name(target.id, year), PICTURE_MARK)
            if first is not None:
                check_file(folder / picture_name(target.id, year, first), PICTURE_MARK)
    known = {target.id for target in standard.targets}
    for name in plan_picture_names([plan for plan in plans if plan["target"] in known]):
        with faults.catching():
            check_file(folder / name, PICTURE_MARK)
    faults.raise_any()


def _page_name(study: Study, order: MapOrder) -> str:
    language = "" if order.language in {None, study.language} else f"-{order.language}"
    edition = "" if order.edition == "internal" else f"-{order.edition}"
    return f"{study.id}{edition}{language}.html"


def _runs(study: Study, where: str | Path, order: MapOrder, report_progress: Progress) -> list[Findings]:
    """Find the runs of the years asked for, computing those that are not there."""
    if order.years:
        return [
            find_run(where, year, results=order.results, progress=report_progress) for year in order.years
        ]
    latest = find_run(where, study.year, results=order.results, progress=report_progress)
    if not has_files(study, study.year - 1):
        return [latest]  # a study of one year is no fault
    try:
        before = find_run(where, study.year - 1, results=order.results, progress=report_progress)
    except UnusableInputError as error:
        if error.of_system:
            raise
        _log.warning("no map of %d: %s", study.year - 1, error)
        return [latest]
    return [before, latest]


def _buildings(study: Study) -> dict[str, tuple[str, ...]]:
    """Return what one building holds that fills a circle's rule, as a siting study takes it."""
    found = {}
    for target in study.standard.targets:
        if target.kind == "circle":
            with suppress(UnusableInputError):  # fewer services than venues: no building fills it alone
                own = study.siting.services.get(target.id, ())
                found[target.id] = tuple(own) or whole_rule(target, study.standard)
    return found


def _walked(study: Study, year: int) -> Roads:
    """Read the roads of the first circle's travel profile, as the audit had them."""
    networks = read_networks(study, year)
    profiles = [str(target.profile) for target in study.standard.targets if target.kind == "circle"]
    return networks[profiles[0]] if profiles else next(iter(networks.values()))
