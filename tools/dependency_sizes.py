"""Write what each dependency costs in megabytes, and why it is there, into ``docs/install.md``.

    python tools/dependency_sizes.py

Sizes are those of the files that the packages installed beside this Python list as their own, without
compiled copies (``.pyc``); MB are millions of bytes. Reasons stand below, one for every dependency of
``pyproject.toml``.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "install.md"
BEGIN, END = "<!-- sizes: written by tools/dependency_sizes.py -->", "<!-- end of sizes -->"
REASONS = {
    "click": "the command line",
    "coverage": "keeps its name: the source root is a folder of the same name, which numba would take for it",
    "deflate": "packs the map page, the same bytes on every machine",
    "filelock": "two audits never write to one folder",
    "folium": "draws the map page and the layers of notebooks",
    "geopandas": "tables with places: reading, joining, writing",
    "networkx": "graphs of OSMnx come in, graphs go out",
    "numpy": "arrays: all figures",
    "opening-hours-py": "which venues are open at an hour",
    "openpyxl": "reads workbooks",
    "osmium": "reads OpenStreetMap files (.osm.pbf, .osm)",
    "osmnx": "roads of a place; which ways are one junction",
    "pandas": "tables",
    "pyarrow": "Parquet, and fast reading of layers",
    "pydantic": "studies and profiles against their models, and the schemas",
    "pyogrio": "GeoPackage, shapefile, GeoJSON (it carries GDAL)",
    "pyproj": "coordinate systems (it carries PROJ)",
    "rapidfuzz": "names of venues that are nearly one",
    "rich": "tables and progress in the terminal",
    "scipy": "sparse tables, searches on small graphs, statistics",
    "shapely": "geometry (it carries GEOS)",
    "sqlalchemy": "the register of runs, and databases",
    "xlsxwriter": "writes workbooks",
    "numba": "compiled searches: an audit of a county in seconds",
    "highspy": "the solver of siting, with its bound",
    "ortools": "who is served at best where venues are full",
    "matplotlib": "maps and sheets on paper, plots of the report",
    "python-docx": "the yearly report",
    "rasterio": "residents from a raster",
    "geoalchemy2": "PostGIS columns",
    "psycopg": "PostgreSQL",
    "distributed": "many studies on a Dask cluster",
}


def listed() -> dict[str, list[Requirement]]:
    """Return the direct dependencies by list: "" for what is always installed, else the extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {name: [Requirement(text) for text in lines] for name, lines in groups.items() if name != "all"}


def needs(one: Requirement) -> Iterator[Requirement]:
    """Yield what an installed package needs on this system."""
    for text in importlib.metadata.requires(one.name) or ():
        inner = Requirement(text)
        if inner.marker is None or any(
            inner.marker.evaluate({"extra": extra}) for extra in (*one.extras, "")
        ):
            yield inner


def with_all(requirements: Iterable[Requirement]) -> set[str]:
    """Return the names of packages and all they need in turn."""
    found: set[str] = set()
    queue = list(requirements)
    seen: set[tuple[str, frozenset[str]]] = set()
    while queue:
        one = queue.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key not in seen:
            seen.add(key)
            found.add(key[0])
            queue += needs(one)
    return found


def megabytes(names: Iterable[str]) -> float:
    """Return the size of packages as installed, in millions of bytes."""
    size = 0
    for name in names:
        for file in importlib.metadata.files(name) or ():
            path = Path(str(file.locate()))
            if path.suffix != ".pyc" and path.is_file():
                size += path.stat().st_size
    return size / 1e6


def rows() -> Iterator[str]:
    """Yield the table, the largest first within each list, with sums."""
    groups = listed()
    base = with_all(groups[""])
    yield "| package | extra | MB | MB that go without it | what for |"
    yield "|---|---|---:|---:|---|"
    for extra, requirements in groups.items():
        beside = base if extra else set()
        cells = []
        for one in requirements:
            others = with_all(other for other in requirements if other is not one) | beside
            own, alone = megabytes([one.name]), megabytes(with_all([one]) - others)
            name = canonicalize_name(one.name)
            goes = f"{alone:.1f}" if name not in others else "others need it"
            cells.append((max(own, alone), f"| {name} | {extra} | {own:.1f} | {goes} | {REASONS[name]} |"))
        for _, line in sorted(cells, reverse=True):
            yield line
    everything = with_all(one for requirements in groups.values() for one in requirements)
    usual = with_all(one for extra in ("", "fast", "siting", "print") for one in groups[extra])
    here = [*(ROOT / "coverage").rglob("*"), *(ROOT / "data" / "geo" / "haiyan").iterdir()]
    own = sum(path.stat().st_size for path in here if path.is_file() and path.suffix != ".pyc")
    yield ""
    yield f"lifecircle itself with its example: {own / 1e6:.1f} MB. All it needs:"
    yield ""
    for words, names in (("without extras", base), ("`[fast,siting,print]`", usual), ("`[all]`", everything)):
        yield f"* {words}: {megabytes(names):.0f} MB in {len(names)} packages;"


def main() -> int:
    """Write the table into the page."""
    text = PAGE.read_text("utf-8")
    before, mark, rest = text.partition(BEGIN)
    after = re.split(re.escape(END), rest, maxsplit=1)
    if not mark or len(after) != 2:
        sys.stderr.write(f"{PAGE.name} has no place for the table\n")
        return 1
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(rows()) + f"\n{END}{after[1]}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
