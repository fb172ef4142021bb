"""Write the page of a batch: a choropleth of the region by target, and every study with its page; offline."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.batch._merged_rows import DISTRICTS, partition
from lifecircle.batch._task_order import FAILED
from lifecircle.sealed_page import data_text, page_policy
from lifecircle.wording import Words, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lifecircle.batch._task_order import Outcome
    from lifecircle.findings import Language

_DEGREE: Final = 1e4  # places of the page are whole numbers of this part of a degree, about ten metres
_MOST_POINTS: Final = 60_000
_SIMPLER: Final = (0.0005, 0.001, 0.002, 0.004, 0.008)
_WORDS: Final = (
    "target",
    "map",
    "study",
    "value",
    "status",
    "page",
    "open_page",
    "no_value",
    "failed",
    "of_goal",
)


def index_page(out: Path, outcomes: Sequence[Outcome], *, title: str, language: Language) -> str:
    """Return the page of a batch.

    Parameters
    ----------
    out : folder of the batch, whose partitions of districts are drawn
    outcomes : of all studies, in order
    title, language : of the page

    Returns
    -------
    page : HTML
    """
    words = Words(language)
    good = [one for one in outcomes if one.state != FAILED]
    synthetic = any(one.synthetic for one in good)
    data = {
        "words": {name: words.get("batch_page", name) for name in _WORDS},
        "targets": _targets(good),
        "areas": _areas(out, good, words),
        "studies": [_study(one, words) for one in good],
    }
    failed = [
        f"<li><b>{escape(one.id)}</b>: {escape('; '.join(one.faults))}</li>"
        for one in outcomes
        if one.state == FAILED
    ]
    script, style = _file("region.js"), _file("region.css")
    return _PAGE.format(
        language=language,
        title=escape(title),
        stamp=escape(words.get("stamp", "synthetic" if synthetic else "internal")),
        border=escape(words.get("placing", "border")),
        failed=f"<h2>{escape(words.get('batch_page', 'failed'))}</h2><ul>{''.join(failed)}</ul>"
        if failed
        else "",
        **{
            name: escape(words.get("batch_page", name), quote=True)
            for name in ("target", "map", "study", "page")
        },
        value=escape(words.get("batch_page", "value")),
        status=escape(words.get("batch_page", "status")),
        policy=page_policy(script, style),
        style=style,
        script=script,
        data=data_text(data),
    )


def _targets(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """Return the targets of all studies, each once, in the order of the first that has it."""
    named: dict[str, str] = {}
    for one in outcomes:
        for row in one.rows:
            named.setdefault(row["target"], str(row["target_name"]))
    return [{"id": name, "name": text or name} for name, text in named.items()]


def _study(one: Outcome, words: Words) -> dict[str, Any]:
    """Return what the list says of a study: its name, page, and value and verdict by target."""
    whole = {row["target"]: row for row in one.rows if row["district"] == ""}
    return {
        "id": one.id,
        "name": one.name or one.id,
        "page": one.page,
        "targets": {name: _value_and_verdict(row, words) for name, row in whole.items()},
    }


def _value_and_verdict(row: dict[str, Any], words: Words) -> list[Any]:
    """Return a value as it is coloured, as it is printed, and its verdict."""
    value, status = row["value"], words.get("status", row["status"])
    if value is None:
        return [None, "", status]
    return [round(float(value), 4), percent(value) if row["is_share"] else f"{value:,.4g}", status]


def _areas(out: Path, outcomes: Sequence[Outcome], words: Words) -> list[dict[str, Any]]:
    """Return the districts of all studies: name, page, rings, and value and verdict by target."""
    shapes: list[shapely.Geometry] = []
    areas: list[dict[str, Any]] = []
    for one in outcomes:
        path = partition(out, DISTRICTS, one.id)
        layer = gpd.read_parquet(path) if path.is_file() else None
        if layer is None or layer.empty:
            continue
        rows: dict[tuple[str, str], dict[str, Any]] = {
            (row["district"], row["target"]): row for row in one.rows
        }
        for code, name, shape in zip(layer["code"], layer["name"], layer.geometry, strict=True):
            shown = {
                target: _value_and_verdict(row, words) for (own, target), row in rows.items() if own == code
            }
            areas.append({"name": str(name), "study": one.id, "page": one.page, "targets": shown})
            shapes.append(shape)
    for area, rings in zip(areas, _rings(shapes), strict=True):
        area["rings"] = rings
    return areas


def _rings(shapes: Sequence[shapely.Geometry]) -> Iterable[list[list[int]]]:
    """Return the rings of shapes as whole numbers, with as many bends as a small page can hold."""
    simple = np.array(shapes, dtype=object)
    for degrees in _SIMPLER:
        simple = shapely.simplify(np.array(shapes, dtype=object), degrees)
        if len(simple) == 0 or shapely.get_num_coordinates(simple).sum() <= _MOST_POINTS:
            break
    for shape in simple:
        rings = [ring for polygon in shapely.get_parts(shape) for ring in shapely.get_rings(polygon)]
        yield [
            np.round(shapely.get_coordinates(ring) * _DEGREE).astype(int).ravel().tolist() for ring in rings
        ]


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body>
<header><h1>{title}</h1><p id="stamp">{stamp}</p></header>
<main>
<section id="ground">
<p><label for="target">{target}</label> <select id="target"></select></p>
<svg id="map" role="img" aria-label="{map}"></svg>
<p id="legend"></p>
<p id="border">{border}</p>
</section>
<section id="list">
<table><thead><tr><th>{study}</th><th>{value}</th><th>{status}</th><th>{page}</th></tr></thead>
<tbody id="rows"></tbody></table>
{failed}
</section>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body></html>
"""
