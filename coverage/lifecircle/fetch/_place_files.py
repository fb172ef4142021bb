"""Fetch a place in order: ask for everything, then write the folder whole or not at all."""

from __future__ import annotations

import ctypes
import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.fetch._facility_tags import TAGS, service_of, wanted_tags
from lifecircle.files import Results, check_folder, complete_folder
from lifecircle.roads import fetch_extract
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.roads import PlaceExtract
    from lifecircle.wording import Language

_log = logging.getLogger(__name__)

ROADS, OUTLINE, FACILITIES = "roads.osm.pbf", "outline.geojson", "facilities.geojson"
OTHERS, MARK = "others.geojson", "fetched.json"

FETCHED: Final = Results(MARK, (ROADS, OUTLINE, FACILITIES, OTHERS, MARK))
"""What a fetched folder holds; the same place is fetched into it again."""

SCHEMA: Final = 1
BUFFER_M: Final = 3000.0
"""Usual metres around the area in which roads are kept: nobody near its border loses a way."""

_KEPT: Final = (
    "name",
    "opening_hours",
    "operator",
    "operator:type",
    "fee",
    "access",
    "capacity",
    "start_date",
)


@dataclass(frozen=True)
class Fetched:
    """What was fetched into a folder.

    ``facilities`` : service -> objects; ``no_service`` : objects whose tags or name give none, which are in a
    file of their own.
    """

    folder: Path
    place: str
    ways: int
    facilities: dict[str, int]
    no_service: int

    def lines(self, language: Language) -> list[str]:
        """Return what was fetched, and what to write into study.toml, as lines."""
        found = ", ".join(f"{service} {count}" for service, count in self.facilities.items()) or "0"
        said = [
            word("fetch", "roads", language).format(file=self.folder / ROADS, ways=f"{self.ways:,}"),
            word("fetch", "outline", language).format(file=self.folder / OUTLINE, place=self.place),
            word("fetch", "facilities", language).format(file=self.folder / FACILITIES, found=found),
        ]
        if self.no_service:
            others = self.folder / OTHERS
            said.append(
                word("fetch", "no_service", language).format(file=others, count=f"{self.no_service:,}")
            )
        said.append(word("fetch", "next", language))
        said += [
            f'[roads]\nfile = "{ROADS}"',
            f'[districts]\nfile = "{OUTLINE}"',
            f'[[facilities]]\nfile = "{FACILITIES}"',
        ]
        return said


def fetch_place(
    place: str,
    *,
    out: str | Path | None = None,
    buffer_m: float = BUFFER_M,
    cache: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Fetched:
    """Fetch roads, outline and facilities by tag of a named place, and write them as files a study reads.

    Parameters
    ----------
    place : name of an area, as the gazetteer knows it
    out : folder for the files; left out, a folder of the place's name here. An earlier fetch in it is
        replaced.
    buffer_m : metres around the area in which roads are kept; take at least limit x speed
    cache : folder for what was downloaded, so that it is asked for once
    progress : is called with what is being done

    Returns
    -------
    fetched

    Raises
    ------
    FetchError
        The download did not succeed, or there is no network.
    UnusableInputError
        The place is unknown or no area, or the folder holds other things.

    >>> fetched = fetch_place("海盐县", out="haiyan-osm")  # doctest: +SKIP
    """
    report = progress or _log.info
    if not place.strip():
        reason, remedy = say("no name of a place"), say("name a town or a county, such as 海盐县")
        raise UnusableInputError([Fault("", "place", place, reason, remedy)])
    folder = Path(out) if out is not None else Path(_folder_name(place))
    check_folder(folder, FETCHED)
    report("fetching")
    extract = fetch_extract(place, wanted_tags(), buffer_m=buffer_m, cache=cache)
    objects = _facilities(extract.objects)
    serving = (objects["service"] != "").to_numpy(dtype=bool)
    facilities, others = objects[serving], objects[~serving]
    counts = facilities["service"].value_counts()
    found = {str(service): int(counts[service]) for service in sorted(counts.index)}
    no_service = len(others)
    report("writing")
    with system_errors(folder), complete_folder(folder, FETCHED) as fresh:
        _write_roads(extract, fresh / ROADS)
        _write_features(_outline(extract, place), fresh / OUTLINE)
        _write_features(facilities, fresh / FACILITIES)
        _write_features(others, fresh / OTHERS)
        facts = {"schema": SCHEMA, "study": "", "place": place, "buffer_m": buffer_m}
        facts |= {
            "ways": len(extract.ways),
            "facilities": found,
            "no_service": no_service,
            "source": "OpenStreetMap, ODbL 1.0",
        }
        (fresh / MARK).write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return Fetched(folder, place, len(extract.ways), found, no_service)


def language_of_place(place: str) -> Language:
    """Return the language of who asks for a place: there is no study yet that says it.

    >>> language_of_place("海盐县"), language_of_place("Haiyan")
    ('zh', 'en')
    """
    return "zh" if re.search(r"[\u4e00-\u9fff]", place) else "en"


def _folder_name(place: str) -> str:
    """Return a name for the folder of a place that every system accepts."""
    return re.sub(r"[^\w-]+", "-", place).strip("-")[:60] or "place"


def _outline(extract: PlaceExtract, place: str) -> gpd.GeoDataFrame:
    name = place.partition(",")[0].strip()
    shape = shapely.union_all(extract.outline.geometry.to_numpy())
    return gpd.GeoDataFrame({"code": [""], "name": [name]}, geometry=[shape], crs="EPSG:4326")


def _facilities(objects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return objects as a register with their tags; ``service`` is empty where these give none.

    Points stay points and areas stay areas, which are reached at their edge; lines are left to the roads.
    """
    keys = dict.fromkeys(key for tag in TAGS for key in (tag.key, *tag.also))
    columns = [name for name in dict.fromkeys((*_KEPT, *keys)) if name in objects.columns]
    if objects.empty:
        return gpd.GeoDataFrame({"id": [], "name": [], "service": []}, geometry=[], crs="EPSG:4326")
    shapes = objects.geometry.to_numpy()
    objects = objects[~shapely.is_missing(shapes) & (shapely.get_dimensions(shapes) != 1)]
    ids = [f"{element}/{number}" for element, number in objects.index]
    rows: dict[str, Any] = {"id": ids, "name": [""] * len(ids)}
    rows |= {name: [_text(cell) for cell in objects[name]] for name in columns}
    tags = [{name: rows[name][at] for name in columns} for at in range(len(ids))]
    rows["service"] = [service_of(one) for one in tags]
    return gpd.GeoDataFrame(rows, geometry=objects.geometry.to_numpy(), crs="EPSG:4326")


def _text(cell: object) -> str:
    return "" if cell is None or (isinstance(cell, float) and pd.isna(cell)) else str(cell)


def _write_roads(extract: PlaceExtract, path: Path) -> None:
    """Write ways as an OpenStreetMap file, which every mode reads by its own rules.

    Raises
    ------
    UnusableInputError
        It cannot be written.
    """
    import osmium  # noqa: PLC0415 - only files of OpenStreetMap need it
    from osmium.osm import mutable  # noqa: PLC0415 - as above

    nodes = {node: (lon, lat) for _, course in extract.ways for node, lon, lat in course}
    # Given new numbers: a way that the server cut into parts would otherwise be there twice under one number.
    writer = None
    try:
        writer = osmium.SimpleWriter(str(path))
        for node in sorted(nodes):
            writer.add_node(mutable.Node(id=node, version=1, location=nodes[node]))
        for number, (tags, course) in enumerate(extract.ways, 1):
            refs = [node for node, _, _ in course]
            writer.add_way(mutable.Way(id=number, version=1, nodes=refs, tags=tags))
        writer.close()
    except RuntimeError as error:  # osmium has no error number
        if writer is not None:
            # A writer that failed ends the process when it is freed: it is kept for good.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))
        reason = say("cannot be written: {text}", text=" ".join(str(error).split()))
        remedy = say("make room on the disk, or name a place on another")
        raise UnusableInputError([Fault(path.name, "", "", reason, remedy, of_system=True)]) from error


def _write_features(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a GeoJSON file with coordinates to a centimetre, one feature a line."""
    shapes = json.loads(frame.geometry.set_precision(1e-7).to_json())["features"]
    names = [name for name in frame.columns if name != frame.geometry.name]
    lines = []
    for at, shape in enumerate(shapes):
        row = {name: frame[name].iloc[at] for name in names}
        kept = {name: value for name, value in row.items() if value or name in {"id", "name", "service"}}
        feature = {"type": "Feature", "properties": kept, "geometry": shape["geometry"]}
        lines.append(json.dumps(feature, ensure_ascii=False))
    text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, "utf-8")
