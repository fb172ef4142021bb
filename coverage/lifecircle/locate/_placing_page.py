"""Write the page on which a clerk places the rest of a list: one file that opens without a network.

The page holds the cells of the csv as they are written, so that saving without a change gives the same file.
Whatever stands in the list is data of the page and put into it as text, never as markup.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.locate._located_list import ANSWER
from lifecircle.sealed_page import data_text, page_policy
from lifecircle.tables import unarmed
from lifecircle.wording import word

if TYPE_CHECKING:
    import geopandas as gpd

    from lifecircle.locate._address_match import Match
    from lifecircle.locate._known_places import Gazetteer, KnownPlace
    from lifecircle.locate._located_list import LocatedList
    from lifecircle.roads import Roads
    from lifecircle.wording import Language

MOST_POINTS = 200_000
"""Points of roads that a page holds; with more they have fewer bends, or only the main ones are drawn."""

_DEGREE = 1e5  # places of the page are whole numbers of this part of a degree, about a metre
_SIMPLER_M = (4.0, 8.0, 16.0)
_MAIN = frozenset({"motorway", "trunk", "primary", "secondary", "tertiary"})
_WORDS = (
    *("show", "show_open", "show_rough", "show_all", "search", "save", "saved", "rows", "no_rows", "more"),
    *("progress", "chosen", "none_chosen", "candidates", "grade", "grade_a", "grade_b", "lon", "lat", "put"),
    *("undo", "next", "placed", "not_placed", "by_hand", "note_by_hand", "note_candidate", "not_numbers"),
    *("far", "map", "keys", "zoom_in", "zoom_out", "kind_address", "kind_street", "kind_village", "no_place"),
)


@dataclass(frozen=True, eq=False)
class PageMap:
    """What the page draws under the places: towns and roads, either of which a study may lack."""

    districts: gpd.GeoDataFrame | None = None
    roads: Roads | None = None


def placing_page(  # noqa: PLR0913 - what a page is made of
    answer: LocatedList,
    known: Gazetteer,
    *,
    ground: PageMap,
    title: str,
    synthetic: bool,
    language: Language,
) -> str:
    """Return the page for placing the rows of a list by hand.

    Parameters
    ----------
    answer : the list with its answer
    known : the villages whose names are drawn
    ground : towns and roads
    title : name of the study
    synthetic : whether the study is made up, which is stamped on the page
    language : ``zh`` or ``en``

    Returns
    -------
    page : HTML
    """
    words = {name: word("placing", name, language) for name in _WORDS}
    heading = word("placing", "title", language).format(name=title)
    stamp = word("stamp", "synthetic" if synthetic else "internal", language)
    stem = re.sub(r"[^\w.-]+", "-", Path(answer.name).stem).strip("-.") or "list"
    data = {
        "words": words,
        "columns": [unarmed(str(name)) for name in answer.table.columns],
        "rows": [
            [unarmed(str(cell)) for cell in row] for row in answer.table.to_numpy(dtype=object).tolist()
        ],
        "answer": len(answer.table.columns) - len(ANSWER),
        "facts": [_fact(one) for one in answer.matches],
        "save": f"{stem}-located.csv",
        "villages": [[one.name, *_whole(one.lon, one.lat)] for one in known.every_village if _has(one)],
        **_ground(ground),
    }
    script, style = _file("placing.js"), _file("placing.css")
    return _PAGE.format(
        language=language,
        title=escape(heading),
        stamp=escape(stamp),
        border=escape(word("placing", "border", language)),
        **{name: escape(text, quote=True) for name, text in words.items()},
        policy=page_policy(script, style),
        style=style,
        script=script,
        data=data_text(data),
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


def _has(place: KnownPlace) -> bool:
    return math.isfinite(place.lon) and math.isfinite(place.lat)


def _whole(lon: float, lat: float) -> tuple[int, int]:
    return round(lon * _DEGREE), round(lat * _DEGREE)


def _fact(match: Match) -> dict[str, Any]:
    """Return what the page knows of a row beside its cells: its candidates with their places."""
    return {
        "candidates": [
            [one.name, one.kind, round(score), *_place(one), one.grade] for one, score in match.candidates
        ]
    }


def _place(place: KnownPlace) -> tuple[float | None, float | None]:
    return (place.lon, place.lat) if _has(place) else (None, None)


# ---------------------------------------------------------------------------------------------------------
# What is drawn under the places


def _ground(ground: PageMap) -> dict[str, Any]:
    """Return towns and roads as whole numbers: the first point, then the steps to the next."""
    towns: list[Any] = []
    if ground.districts is not None:
        for name, shape in zip(ground.districts["name"], ground.districts.geometry, strict=True):
            simple = shapely.simplify(shape, 20 / 111_320)
            rings = [_steps(ring) for ring in _rings(simple)]
            inner = shapely.point_on_surface(shape)
            towns.append([str(name), *_whole(shapely.get_x(inner), shapely.get_y(inner)), rings])
    main, minor = _roads(ground.roads)
    return {"towns": towns, "main": main, "minor": minor}


def _rings(shape: shapely.Geometry) -> list[Any]:
    polygons = shapely.get_parts(shape)
    return [ring for polygon in polygons for ring in shapely.get_rings(polygon)]


def _steps(line: Any) -> list[int]:
    """Return the coordinates of a line as whole numbers, each after the first as a step from the last."""
    whole = np.round(shapely.get_coordinates(line) * _DEGREE).astype(np.int64)
    steps: list[int] = np.vstack([whole[:1], np.diff(whole, axis=0)]).ravel().tolist()
    return steps


def _roads(roads: Roads | None) -> tuple[list[Any], list[Any]]:
    """Return the lines of main and of other roads, with as many bends as a page of good size can hold."""
    if roads is None:
        return [], []
    import geopandas as gpd  # noqa: PLC0415 - used here alone

    classes = np.array([str(one).split("_")[0] for one in roads.highway])
    is_main = np.isin(classes, list(_MAIN))
    # A two-way road is two edges of one line: it is drawn once.
    _, first = np.unique(shapely.to_wkb(shapely.normalize(roads.lines)), return_index=True)
    lines, is_main = roads.lines[np.sort(first)], is_main[np.sort(first)]
    simple = lines
    for metres in _SIMPLER_M:
        simple = shapely.simplify(lines, metres)
        if shapely.get_num_coordinates(simple).sum() <= MOST_POINTS:
            break
    degrees = gpd.GeoSeries(simple, crs=roads.crs).to_crs("EPSG:4326").to_numpy()
    points = shapely.get_num_coordinates(degrees)
    drawn = is_main if points.sum() > MOST_POINTS else np.ones(len(degrees), dtype=bool)
    return (
        [_steps(one) for one in degrees[drawn & is_main]],
        [_steps(one) for one in degrees[drawn & ~is_main]],
    )


_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body>
<main>
<section id="panel" aria-labelledby="title">
<h1 id="title">{title}</h1>
<p id="stamp">{stamp}</p>
<p id="progress" role="status"></p>
<div id="tools">
<label for="show">{show}</label>
<select id="show"><option value="open">{show_open}</option><option value="rough">{show_rough}</option>
<option value="all">{show_all}</option></select>
<label for="search">{search}</label><input id="search" type="search" autocomplete="off">
</div>
<h2 id="rows-title">{rows}</h2>
<ul id="rows" aria-labelledby="rows-title"></ul>
<h2 id="chosen-title">{chosen}</h2>
<div id="chosen" aria-labelledby="chosen-title" role="group">
<p id="note">{none_chosen}</p>
<dl id="cells"></dl>
<div id="candidates-box" hidden><h3>{candidates}</h3><ol id="candidates"></ol></div>
<fieldset><legend>{grade}</legend>
<label><input type="radio" name="grade" value="B" checked> {grade_b}</label>
<label><input type="radio" name="grade" value="A"> {grade_a}</label></fieldset>
<div id="numbers"><label for="lon">{lon}</label><input id="lon" inputmode="decimal" autocomplete="off">
<label for="lat">{lat}</label><input id="lat" inputmode="decimal" autocomplete="off">
<button type="button" id="put">{put}</button></div>
<p id="message" role="alert"></p>
<div id="steps"><button type="button" id="undo">{undo}</button>
<button type="button" id="next">{next}</button></div>
</div>
<button type="button" id="save">{save}</button>
</section>
<section id="ground" aria-label="{map}">
<canvas id="map" tabindex="0" role="application" aria-label="{map}" aria-describedby="keys"></canvas>
<div id="zoom"><button type="button" id="zoom-in" aria-label="{zoom_in}">+</button>
<button type="button" id="zoom-out" aria-label="{zoom_out}">−</button></div>
<p id="keys">{keys}<br>{border}</p>
</section>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body></html>
"""
