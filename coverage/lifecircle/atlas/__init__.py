"""Own the map page: findings in, one HTML file out that opens without a network; computes no figure.

:func:`draw_atlas` writes the page for planners, :func:`folium_map` gives plain folium layers for
notebooks. Both draw through Folium; :class:`OfflineFigure` holds everything a page needs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.atlas._layers import PageMap, add_layers, add_panel
from lifecircle.atlas._notebook import folium_map
from lifecircle.atlas._offline import OfflineFigure, UnknownAssetError
from lifecircle.atlas._packing import PayloadError, encoded
from lifecircle.atlas._payload import Extras, bounds, page_payload
from lifecircle.atlas._plans import Label, Plan, Site
from lifecircle.atlas._reading import Payload, read_payload
from lifecircle.atlas._text import page_words, percent_text
from lifecircle.errors import Fault, UnusableInputError
from lifecircle.files import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.findings import Findings, Language
    from lifecircle.roads import Roads

__all__ = [
    "Extras",
    "Label",
    "OfflineFigure",
    "Payload",
    "PayloadError",
    "Plan",
    "Site",
    "UnknownAssetError",
    "draw_atlas",
    "folium_map",
    "page_figure",
    "percent_text",
    "read_payload",
]


def draw_atlas(  # noqa: PLR0913 - each is one thing that a page may hold, all named
    findings_list: Sequence[Findings],
    path: str | Path,
    *,
    language: Language | None = None,
    roads: Roads | None = None,
    plans: Sequence[Plan] = (),
    extras: Extras | None = None,
) -> Path:
    """Write the map page of one study, for one year or several, as one HTML file.

    Parameters
    ----------
    findings_list : the study's findings, one per year
    path : where the page goes; missing folders are made
    language : ``zh`` or ``en``; left out, the language of the findings
    roads : the roads of the findings: a layer of lines, switched off at first, and what the page searches
        to answer what a new venue would change, where a target's own profile uses the same ways at a flat
        speed
    plans : siting plans to show; further ones may stand in ``extras``
    extras : names of places around, the day of the data, where the roads are from

    Returns
    -------
    path : the file written; the same findings give the same bytes

    Raises
    ------
    UnusableInputError
        When there are no findings, or they are of several studies or of one year twice, or a plan is not
        complete.
    """
    path = Path(path)
    given = extras or Extras()
    page = page_figure(
        findings_list,
        language=language,
        roads=roads,
        extras=replace(given, plans=(*plans, *given.plans)),
    ).render()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as scratch:
        scratch.write_bytes(page.encode("utf-8", "replace"))
    return path


def page_figure(
    findings_list: Sequence[Findings],
    *,
    language: Language | None = None,
    roads: Roads | None = None,
    extras: Extras | None = None,
) -> OfflineFigure:
    """Lay out the map page of one study.

    Raises
    ------
    UnusableInputError
        When there are no findings, or they are of several studies or of one year twice.
    """
    years = _in_order(findings_list)
    latest = years[-1]
    spoken = language or latest.language
    words = page_words(spoken)
    raw = page_payload(years, spoken, roads, extras=extras)
    span = str(latest.year) if len(years) == 1 else f"{years[0].year}–{latest.year}"
    figure = OfflineFigure(
        words["title"].format(name=latest.name, year=span),
        language="zh-CN" if spoken == "zh" else "en",
        seed=f"{latest.study} {span}",
    )
    add_panel(figure, latest, span, words=words, data=encoded(raw))
    page_map = PageMap(bounds(years), label=words["map"])
    figure.add_child(page_map)
    villages = any(len(findings.villages) for findings in years)
    add_layers(page_map, words, roads=roads is not None, villages=villages)
    return figure


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
