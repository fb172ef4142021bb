"""What stands in the margin of every map, on the page and on paper: who, when, from what data."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pyproj

from lifecircle.page_data._words import page_words
from lifecircle.reading import reading_lines
from lifecircle.wording import explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from lifecircle.findings import Findings, Language
    from lifecircle.publication import Edition, MapSetting


def stamp(findings: Findings, language: Language, edition: Edition) -> str:
    """Return the stamp: made up, or not to be made public, or public and whether it passed review."""
    words = page_words(language)
    if findings.synthetic:
        return words["synthetic"]
    if edition == "internal":
        return words["internal"]
    return words["public" if findings.publication.review_number else "public_unreviewed"]


def margin(
    findings: Findings, language: Language, *, edition: Edition, setting: MapSetting, paper: bool = False
) -> dict[str, str]:
    """Return the lines of the margin by what they tell, in their order; what is not known says so.

    ``paper`` : the map is drawn in the study's own coordinates and without any online base map.
    """
    words, publication = page_words(language), findings.publication
    crs = (
        words["crs_paper"].format(name=crs_text(findings.crs, language))
        if paper
        else words["crs"].format(crs=crs_text(findings.crs, language))
    )
    lines = {
        "boundaries": words["boundaries"],
        "organisation": words["organisation"].format(name=publication.organisation or words["empty"]),
        "date": words["date"].format(date=publication.date or words["empty"]),
        "data_date": words["data_date"].format(date=setting.data_date or f"{findings.year}-12-31"),
        "crs": crs,
        "base": words["base"].format(sources=_sources(findings, () if paper else setting.base, words)),
        "review": words["review"].format(number=publication.review_number or words["review_none"]),
    }
    if edition == "public":
        lines["cells"] = words["public_cells"].format(people=setting.min_people)
        lines["star"] = words["public_star"]
    return lines


def what_was_read(findings: Findings, language: Language, edition: Edition) -> dict[str, list[str]]:
    """Return the page's lines on what the latest year was computed from, and what is warned of.

    The public edition holds neither counts of few people nor names of homes: it says what files were used.
    """
    lines = reading_lines(findings.reading, language, public=edition == "public")
    warned = [] if edition == "public" else [explain(code, language) for code in findings.warnings]
    return {"warnings": warned, "lines": lines}


def _sources(findings: Findings, online: Sequence[str], words: Mapping[str, str]) -> str:
    """Return where the ground of the map comes from: the study's files, and base maps a reader may add."""
    files = {record.role: PurePath(record.path).name for record in findings.inputs}
    own = [words[f"base_{role}"].format(file=files[role]) for role in ("roads", "districts") if role in files]
    told = words["and"].join(own) or words["base_own"]
    names = words["and"].join(words[f"base_{name}"] for name in dict.fromkeys(online))
    return told + (words["base_online"].format(names=names) if names else "")


def crs_text(crs: str, language: Language) -> str:
    """Name a coordinate system as maps do.

    >>> crs_text("EPSG:4549", "zh")
    '2000国家大地坐标系，3度带高斯-克吕格投影，中央经线120°（EPSG:4549）'
    >>> crs_text("EPSG:4549", "en")
    'CGCS2000 / 3-degree Gauss-Kruger CM 120E (EPSG:4549)'
    """
    known = pyproj.CRS.from_user_input(crs)
    code = known.to_authority()
    written = "" if code is None else ":".join(code)
    name = str(known.name)
    if language == "en":
        return f"{name} ({written})" if written else name
    if name.startswith("CGCS2000 / 3-degree Gauss-Kruger") and known.coordinate_operation is not None:
        facts = {one.name: one.value for one in known.coordinate_operation.params}
        middle = facts.get("Longitude of natural origin", 0.0)
        name = f"2000国家大地坐标系，3度带高斯-克吕格投影，中央经线{middle:g}°"
    return f"{name}（{written}）" if written else name


def place_names(labels: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Return the labels as plain values: name, kind (``water`` or ``neighbour``), place (lat, lon)."""
    if labels is None or not len(labels):
        return []
    kinds = labels["kind"] if "kind" in labels else ["neighbour"] * len(labels)
    return [
        {
            "name": str(name),
            "kind": "water" if str(kind) == "water" else "neighbour",
            "at": [round(float(point.y), 5), round(float(point.x), 5)],
        }
        for name, kind, point in zip(labels["name"], kinds, labels.geometry, strict=True)
        if point is not None and not point.is_empty
    ]
