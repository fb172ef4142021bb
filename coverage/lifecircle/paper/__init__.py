"""Maps on paper: one target of one run as a picture for a report; computes no figure."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.page_data import plan_data, without_people
from lifecircle.paper._compared_maps import draw_compared
from lifecircle.paper._fonts import FontError, check_characters
from lifecircle.paper._fonts import families as font_families
from lifecircle.paper._paper_legend import draw_whole
from lifecircle.paper._paper_map import Drawing, Ground
from lifecircle.paper._paper_sheet import PICTURE_MARK, Size, save_sheet
from lifecircle.paper._sheet_folder import SheetOrder, sheet_faults, sheet_folder, write_sheets
from lifecircle.paper._town_sheets import town_page
from lifecircle.publication import Edition, MapSetting, edition_findings
from lifecircle.wording import Words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lifecircle.findings import Findings, Language
    from lifecircle.page_data import Plan

__all__ = [
    "PICTURE_MARK",
    "Drawing",
    "FontError",
    "SheetOrder",
    "Size",
    "check_characters",
    "draw_compared",
    "draw_static",
    "font_families",
    "picture_name",
    "plan_picture_names",
    "save_sheet",
    "sheet_faults",
    "sheet_folder",
    "static_map",
    "static_maps",
    "town_page",
    "write_sheets",
]

_PLAIN = MapSetting()


def static_map(  # noqa: PLR0913 - each is a choice of its own, and all but three are named
    findings: Findings,
    target: str,
    path: str | Path,
    *,
    language: Language | None = None,
    size: Size = "A4",
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
) -> Path:
    """Draw one target of a run as a map for a report, with all that a map on paper must carry.

    A circle colours its residents; other targets mark units with and without, and colour districts.

    Parameters
    ----------
    target : id of a target of the run
    path : where the map goes; its ending, ``png``, ``svg`` or ``pdf``, decides the format
    language : ``zh`` or ``en``; left out, the language of the findings
    size : ``A4`` or ``A3``, lying
    edition, setting : as for :func:`lifecircle.atlas.draw_atlas`

    Returns
    -------
    path : the file written; the same findings and fonts give the same bytes

    Raises
    ------
    KeyError
        When the run has no such target.
    UnusableInputError
        When the format or the size is not known.
    FontError
        When no font on this machine has every character of the map.
    MissingExtraError
        When matplotlib is not installed.
    """
    (shown,) = edition_findings([findings], edition=edition, setting=setting)
    drawing = Drawing(shown, shown.result(target), Words(language or shown.language), edition, setting)
    return draw_static(drawing, Path(path), size=size)


def draw_static(drawing: Drawing, path: Path, *, size: Size, dpi: int | None = None) -> Path:
    """Write one map; the format follows the ending of the name.

    Raises
    ------
    UnusableInputError
        When the format or the size is not known.
    FontError
        When no font on this machine has every character of the map.
    MissingExtraError
        When matplotlib is not installed.
    """
    return save_sheet(partial(draw_whole, drawing), path, size=size, dpi=dpi)


def static_maps(  # noqa: PLR0913 - each is a choice of its own, and all but two are named
    findings_list: Sequence[Findings],
    folder: str | Path,
    *,
    language: Language | None = None,
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
    kinds: Collection[str] | None = None,
    size: Size = "A4",
    dpi: int | None = None,
    compared: bool = False,
    plans: Sequence[Plan] = (),
) -> list[Path]:
    """Draw every target of the latest year that has a figure as ``<folder>/<target>-<year>.png``.

    Each is drawn as by :func:`static_map`. The years are reduced together for the public edition, so that
    picture and page keep the same back. ``kinds`` : of the targets to draw; left out, all; ``dpi`` : dots an
    inch, 300 where left out; ``compared`` : also the first and the latest year beside each other, as
    ``<target>-<first>-<latest>.png``, of targets that have a figure in both; ``plans`` : siting plans, each
    of one of the years drawn as ``<target>-<year>-plan.png``, its sites numbered and listed in place of gaps.
    """
    years = edition_findings(findings_list, edition=edition, setting=setting)
    first, latest = years[0], years[-1]
    words, ground = Words(language or latest.language), Ground(latest)
    paths = [
        draw_static(
            Drawing(latest, result, words, edition, setting, ground),
            Path(folder) / picture_name(result.target.id, latest.year),
            size=size,
            dpi=dpi,
        )
        for result in latest.targets
        if result.value is not None and (kinds is None or result.target.kind in kinds)
    ]
    given = Drawing(latest, latest.targets[0], words, edition, setting, ground) if plans else None
    for drawing, name in _of_plans(given, years, plans) if given else ():
        paths.append(draw_static(drawing, Path(folder) / name, size=size, dpi=dpi))
    if not compared or first is latest:
        return paths
    then = {one.target.id: one for one in first.targets if one.value is not None}
    ground_then = Ground(first)
    for result in latest.targets:
        target = result.target.id
        if (
            result.value is None
            or target not in then
            or (kinds is not None and result.target.kind not in kinds)
        ):
            continue
        drawings = (
            Drawing(first, then[target], words, edition, setting, ground_then),
            Drawing(latest, result, words, edition, setting, ground),
        )
        path = Path(folder) / picture_name(target, latest.year, first.year)
        paths.append(save_sheet(partial(draw_compared, *drawings), path, size=size, dpi=dpi))
    return paths


def picture_name(target: str, year: int, first: int | None = None) -> str:
    """Name the picture of a target, or of two years of it.

    >>> picture_name("culture", 2025), picture_name("culture", 2025, 2021)
    ('culture-2025.png', 'culture-2021-2025.png')
    """
    return f"{target}-{year}.png" if first is None else f"{target}-{first}-{year}.png"


def plan_picture_names(plans: Sequence[Plan]) -> list[str]:
    """Name the picture of each plan; further plans of a target and year have a number.

    >>> plan_picture_names([{"target": "culture", "year": 2025}] * 2)
    ['culture-2025-plan.png', 'culture-2025-plan-2.png']
    """
    names: list[str] = []
    for plan in plans:
        stem = f"{plan['target']}-{plan['year']}-plan"
        before = sum(name.startswith(stem) for name in names)
        names.append(f"{stem}-{before + 1}.png" if before else f"{stem}.png")
    return names


def _of_plans(
    given: Drawing, years: Sequence[Findings], plans: Sequence[Plan]
) -> Iterator[tuple[Drawing, str]]:
    """Yield what to draw of each plan whose target and year are there, and the name of its picture."""
    shown = without_people(plans) if given.edition == "public" else plans
    of_year = {year.year: year for year in years}
    for plan, name in zip(shown, plan_picture_names(plans), strict=True):
        year = of_year.get(plan["year"])
        result = (
            next((one for one in year.targets if one.target.id == plan["target"]), None) if year else None
        )
        if year is None or result is None:
            continue
        (printed,) = plan_data([plan], given.words, year.services)
        shared = given.ground if year is given.findings else Ground(year)
        yield replace(given, findings=year, result=result, shared=shared, plan=printed), name
