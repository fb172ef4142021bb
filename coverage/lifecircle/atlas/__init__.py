"""The map page: findings in, one HTML file out that opens without a network; computes no figure.

:func:`draw_atlas` writes the page for planners through Folium; :class:`OfflineFigure` holds everything a
page needs. What the page shows is made in :mod:`lifecircle.page_data`; its scripts, style and panel stand in
the folder ``page``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.atlas._base_maps import base_maps
from lifecircle.atlas._layers import PageMap, add_layers, add_panel, add_surroundings
from lifecircle.atlas._offline import OfflineFigure, UnknownAssetError, attribute, content_policy
from lifecircle.files import written
from lifecircle.page_data import (
    ELEMENT,
    WhatIf,
    bounds,
    encoded,
    margin,
    page_payload,
    place_names,
    stamp,
    what_was_read,
    without_people,
)
from lifecircle.publication import (
    STEP_MIN,
    Edition,
    MapSetting,
    edition_findings,
    roads_without_masked,
    shown_ground,
)
from lifecircle.wording import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.atlas._layers import Kind
    from lifecircle.findings import Findings, Language
    from lifecircle.page_data import Plan
    from lifecircle.roads import Roads

__all__ = ["PAGE_MARK", "OfflineFigure", "UnknownAssetError", "attribute", "draw_atlas", "page_figure"]

_PLAIN = MapSetting()
_NOTHING = WhatIf()

PAGE_MARK = f'id="{ELEMENT}"'.encode()
"""What every page holds, so that one of another program is never replaced."""


def draw_atlas(  # noqa: PLR0913 - each is a choice of its own, and all but two are named
    findings_list: Sequence[Findings],
    path: str | Path,
    *,
    language: Language | None = None,
    roads: Roads | None = None,
    plans: Sequence[Plan] = (),
    edition: Edition = "internal",
    setting: MapSetting = _PLAIN,
    what_if: WhatIf = _NOTHING,
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
    plans : siting plans to show; the public edition shows only where they build
    edition : ``internal`` holds everything; ``public`` is made of findings reduced by
        :func:`lifecircle.publication.public_findings`
    setting : mask, base maps, names around the study and what else stands in the margin
    what_if : what the page offers to try; never in the public edition

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
        findings_list,
        language=language,
        roads=roads,
        plans=plans,
        edition=edition,
        setting=setting,
        what_if=what_if,
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
    what_if: WhatIf = _NOTHING,
) -> OfflineFigure:
    """Return the map page of one study.

    Raises
    ------
    UnusableInputError
        As for :func:`draw_atlas`.
    """
    online = base_maps(setting.base, tianditu_key=setting.tianditu_key).values()
    years = edition_findings(findings_list, edition=edition, setting=setting)
    latest = years[-1]
    words = Words(language or latest.language)
    page = words.section("page")
    shown = None if roads is None or edition == "public" else roads_without_masked(roads, setting.mask)
    span = str(latest.year) if len(years) == 1 else f"{years[0].year}–{latest.year}"
    title = page["title"].format(name=latest.name, year=span)
    about = {
        "name": latest.name,
        "study": latest.study,
        "years": span,
        "edition": edition,
        "stepMinutes": STEP_MIN if edition == "public" else None,
        "title": title,
        "stamp": stamp(latest, words, edition),
        "margin": margin(latest, words, edition=edition, setting=setting),
        "reading": what_was_read(latest, words, edition),
        "dataDate": setting.data_date,
        "labels": place_names(setting.labels),
    }
    shown_plans = without_people(plans) if edition == "public" else plans
    ground = shown_ground(setting, shown)
    offered = _NOTHING if edition == "public" else what_if
    raw = page_payload(years, words, shown, about=about, plans=shown_plans, ground=ground, what_if=offered)
    figure = OfflineFigure(
        title,
        language="zh-CN" if words.language == "zh" else "en",
        seed=f"{latest.study} {span}",
    )
    figure.policy = content_policy(dict.fromkeys(host for base in online for host in base.hosts))
    add_panel(figure, about, words=page, data=encoded(raw))
    page_map = PageMap(bounds(years), label=page["map"])
    figure.add_child(page_map)
    add_surroundings(page_map, setting, page, labels=place_names(setting.labels))
    optional: dict[Kind, bool] = {
        "supply": any(len(findings.home_supply.columns) for findings in years),
        "ground": ground is not None,
        "rates": any(result.target.kind == "circle" for findings in years for result in findings.targets),
        "roads": shown is not None,
        "villages": any(len(findings.villages) for findings in years),
        "units": any(getattr(result, "units", None) for findings in years for result in findings.targets),
        "plans": bool(plans),
    }
    add_layers(page_map, page, optional=[kind for kind, wanted in optional.items() if wanted])
    return figure
