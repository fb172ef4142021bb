"""What stands in the margin of every map, on the page and on paper: who, when, from what data."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pyproj

from lifecircle.reading import reading_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from lifecircle.findings import Findings
    from lifecircle.publication import Edition, MapSetting
    from lifecircle.wording import Words


def stamp(findings: Findings, words: Words, edition: Edition) -> str:
    """Return the stamp: made up, or not to be made public, or public and whether it passed review."""
    page = words.section("page")
    if findings.synthetic:
        return page["synthetic"]
    if edition == "internal":
        return page["internal"]
    return page["public" if findings.publication.review_number else "public_unreviewed"]


def margin(
    findings: Findings, words: Words, *, edition: Edition, setting: MapSetting, paper: bool = False
) -> dict[str, str]:
    """Return the lines of the margin by subject, in order; where a fact is not known, its line says so.

    ``paper`` : the map is drawn in the study's own coordinates and without any online base map.
    """
    page, publication = words.section("page"), findings.publication
    crs = (
        page["crs_paper"].format(name=crs_text(findings.crs, words))
        if paper
        else page["crs"].format(crs=crs_text(findings.crs, words))
    )
    lines = {
        "boundaries": page["boundaries"],
        "organisation": page["organisation"].format(name=publication.organisation or page["empty"]),
        "date": page["date"].format(date=publication.date or page["empty"]),
        "data_date": page["data_date"].format(date=setting.data_date or f"{findings.year}-12-31"),
        "crs": crs,
        "base": page["base"].format(sources=_sources(findings, () if paper else setting.base, page)),
        "review": page["review"].format(number=_review(publication.review_number, page, edition)),
    }
    if edition == "public":
        lines["cells"] = page["public_cells"].format(people=setting.min_people)
        lines["star"] = page["public_star"]
    return lines


def _review(number: str, page: Mapping[str, str], edition: Edition) -> str:
    """Return the review number of the public edition, which is what was reviewed.

    The internal edition bears the stamp that it must not be made public; a number beside that would say the
    opposite, and would be of another map.
    """
    if not number:
        return page["review_none"]
    return number if edition == "public" else page["review_internal"]


def what_was_read(findings: Findings, words: Words, edition: Edition) -> dict[str, list[str]]:
    """Return the page's lines on what the latest year was computed from, and what is warned of.

    The public edition holds neither counts of few people nor names of homes: it says what files were used.
    """
    lines = reading_lines(findings.reading, words.language, public=edition == "public")
    warned = [] if edition == "public" else [words.explain(code) for code in findings.warnings]
    return {"warnings": warned, "lines": lines}


def _sources(findings: Findings, online: Sequence[str], page: Mapping[str, str]) -> str:
    """Return where the ground of the map comes from: the study's files, and base maps a reader may add."""
    files = {record.role: PurePath(record.path).name for record in findings.inputs}
    own = [
        page[f"base_{role}"].format(file=files[role])
        for role in ("roads", "barriers", "districts")
        if role in files
    ]
    text = page["and"].join(own) or page["base_own"]
    names = page["and"].join(page[f"base_{name}"] for name in dict.fromkeys(online))
    return text + (page["base_online"].format(names=names) if names else "")


def crs_text(crs: str, words: Words) -> str:
    """Name a coordinate system as maps do.

    >>> from lifecircle.wording import Words
    >>> crs_text("EPSG:4549", Words("zh"))
    '2000国家大地坐标系，3度带高斯-克吕格投影，中央经线120°（EPSG:4549）'
    >>> crs_text("EPSG:4549", Words("en"))
    'CGCS2000 / 3-degree Gauss-Kruger CM 120E (EPSG:4549)'
    """
    known = pyproj.CRS.from_user_input(crs)
    code = known.to_authority()
    written = "" if code is None else ":".join(code)
    name = str(known.name)
    if words.language == "en":
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
