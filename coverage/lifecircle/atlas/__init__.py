"""Own the map page: findings in, one HTML file out that opens without a network; computes no figure.

:func:`draw_atlas` writes the page for planners, :func:`folium_map` gives plain folium layers for
notebooks. Both draw through Folium; :class:`OfflineFigure` holds everything a page needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.atlas._about import margin, stamp, what_was_read
from lifecircle.atlas._base import base_maps, place_names
from lifecircle.atlas._fonts import FontError
from lifecircle.atlas._layers import PageMap, add_layers, add_panel, add_surroundings
from lifecircle.atlas._notebook import folium_map
from lifecircle.atlas._offline import OfflineFigure, UnknownAssetError, content_policy
from lifecircle.atlas._packing import PayloadError, encoded
from lifecircle.atlas._payload import bounds, page_payload
from lifecircle.atlas._plans import Plan, Site, without_people
from lifecircle.atlas._public import STEP_MIN, public_findings
from lifecircle.atlas._reading import Payload, read_payload
from lifecircle.atlas._setting import (
    EDITIONS,
    Edition,
    MapSetting,
    roads_without_masked,
    without_masked,
)
from lifecircle.atlas._static import Drawing, Size, draw_static
from lifecircle.atlas._text import page_words, percent_text
from lifecircle.errors import Fault, UnusableInputError
from lifecircle.files import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.findings import Findings, Language
    from lifecircle.roads import Roads

__all__ = [
    "EDITIONS",
    "Edition",
    "FontError",
    "MapSetting",
    "OfflineFigure",
    "Payload",
    "PayloadError",
    "Plan",
    "Site",
    "UnknownAssetError",
    "draw_atlas",
    "edition_findings",
    "folium_map",
    "page_figure",
    "percent_text",
    "public_findings",
    "read_payload",
    "static_map",
    "static_maps",
]

_PLAIN = MapSetting()


def draw_atlas(  # noqa: PLR0913 - each is a choice of its own, and all but two are named
    findings_list: Sequence[Findings],
    path: str | Path,
    *,
    language: Language | None = None,
    roads: Roads | None = None,
    plans: Sequence[Plan] = (),
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
) -> Path:
    """Write the map page of one study, for one year or several, as one HTML file.

    Parameters
    ----------
    findings_list : the study's findings, one per year
    path : where the page goes; missing folders are made
    language : ``zh`` or ``en``; left out, the language of the findings
    roads : the roads of the findings: a layer of lines, switched off at first, and what the page searches
        to answer what a new venue would change, where a target's own profile uses the same ways at a flat
        speed; never in the public edition
    plans : siting plans to show; the public edition tells only where they build
    edition : ``internal`` holds everything; ``public`` is made of findings reduced by
        :func:`public_findings`
    setting : mask, base maps, names around the study and what else stands in the margin

    Returns
    -------
    path : the file written; the same findings give the same bytes

    Raises
    ------
    UnusableInputError
        When there are no findings, or they are of several studies or of one year twice, or a base map or
        an edition is not known, or a plan is not complete.
    """
    path = Path(path)
    figure = page_figure(
        findings_list, language=language, roads=roads, plans=plans, edition=edition, setting=setting
    )
    page = figure.render()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as scratch:
        scratch.write_bytes(page.encode("utf-8", "replace"))
    return path


def page_figure(  # noqa: PLR0913 - as for draw_atlas
    findings_list: Sequence[Findings],
    *,
    language: Language | None = None,
    roads: Roads | None = None,
    plans: Sequence[Plan] = (),
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
) -> OfflineFigure:
    """Lay out the map page of one study.

    Raises
    ------
    UnusableInputError
        As for :func:`draw_atlas`.
    """
    online = base_maps(setting.base, tianditu_key=setting.tianditu_key).values()
    years = edition_findings(findings_list, edition=edition, setting=setting)
    latest = years[-1]
    spoken = language or latest.language
    words = page_words(spoken)
    shown = None if roads is None or edition == "public" else roads_without_masked(roads, setting.mask)
    span = str(latest.year) if len(years) == 1 else f"{years[0].year}–{latest.year}"
    title = words["title"].format(name=latest.name, year=span)
    about = {
        "name": latest.name,
        "years": span,
        "edition": edition,
        "stepMinutes": STEP_MIN if edition == "public" else None,
        "title": title,
        "stamp": stamp(latest, spoken, edition),
        "margin": margin(latest, spoken, edition=edition, setting=setting),
        "reading": what_was_read(latest, spoken, edition),
        "dataDate": setting.data_date,
        "labels": place_names(setting.labels),
    }
    told = without_people(plans) if edition == "public" else plans
    raw = page_payload(years, spoken, shown, about=about, plans=told)
    figure = OfflineFigure(
        title,
        language="zh-CN" if spoken == "zh" else "en",
        seed=f"{latest.study} {span}",
    )
    figure.policy = content_policy(dict.fromkeys(host for base in online for host in base.hosts))
    add_panel(figure, about, words=words, data=encoded(raw))
    page_map = PageMap(bounds(years), label=words["map"])
    figure.add_child(page_map)
    add_surroundings(page_map, setting, words, labels=place_names(setting.labels))
    villages = any(len(findings.villages) for findings in years)
    add_layers(page_map, words, roads=shown is not None, villages=villages, plans=bool(plans))
    return figure


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
    """Draw one circle of a run as a map for a report, with all that a map on paper must carry.

    Parameters
    ----------
    target : id of a circle target of the run
    path : where the map goes; its ending, ``png``, ``svg`` or ``pdf``, decides the format
    language : ``zh`` or ``en``; left out, the language of the findings
    size : ``A4`` or ``A3``, lying
    edition, setting : as for :func:`draw_atlas`

    Returns
    -------
    path : the file written; the same findings and fonts give the same bytes

    Raises
    ------
    KeyError
        When the run has no such target.
    UnusableInputError
        When the target has no travel times, or the format or the size is not known.
    FontError
        When no font on this machine has every character of the map.
    MissingExtraError
        When matplotlib is not installed.
    """
    (shown,) = edition_findings([findings], edition=edition, setting=setting)
    drawing = Drawing(shown, shown.result(target), language or shown.language, edition, setting)
    return draw_static(drawing, Path(path), size=size)


def static_maps(
    findings_list: Sequence[Findings],
    folder: str | Path,
    *,
    language: Language | None = None,
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
) -> list[Path]:
    """Draw every circle of the latest year as ``<folder>/<target>-<year>.png``; see :func:`static_map`.

    The years are reduced together for the public edition, so that picture and page keep the same back.
    """
    latest = edition_findings(findings_list, edition=edition, setting=setting)[-1]
    language = language or latest.language
    return [
        draw_static(
            Drawing(latest, result, language, edition, setting),
            Path(folder) / f"{result.target.id}-{latest.year}.png",
            size="A4",
        )
        for result in latest.targets
        if result.target.id in latest.seconds and result.value is not None
    ]


def edition_findings(
    findings_list: Sequence[Findings], *, edition: Edition, setting: MapSetting = _PLAIN
) -> list[Findings]:
    """Give the findings that an edition is made of, in order of their years.

    Raises
    ------
    UnusableInputError
        As for :func:`draw_atlas`.
    """
    years = [without_masked(findings, setting.mask) for findings in _in_order(findings_list)]
    if edition not in EDITIONS:
        known = " or ".join(EDITIONS)
        raise UnusableInputError([Fault("(map)", "edition", str(edition), "no such edition", f"use {known}")])
    return public_findings(years, min_people=setting.min_people) if edition == "public" else years


def _in_order(findings_list: Sequence[Findings]) -> list[Findings]:
    """Put the findings in order of their years, once it is sure that one page can hold them."""
    faults = []
    studies = sorted({findings.study for findings in findings_list})
    years = sorted(findings.year for findings in findings_list)
    twice = sorted({str(year) for year in years if years.count(year) > 1})
    if not studies:
        faults.append(Fault("(findings)", "", "", "no findings to draw", "audit the study first"))
    if len(studies) > 1:
        faults.append(
            Fault("(findings)", "study", ", ".join(studies), "several studies", "draw one page per study")
        )
    elif twice:
        faults.append(
            Fault("(findings)", "year", ", ".join(twice), "the same year twice", "hand in one run per year")
        )
    if faults:
        raise UnusableInputError(faults)
    return sorted(findings_list, key=lambda findings: findings.year)
