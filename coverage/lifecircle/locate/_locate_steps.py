"""Locate a list: read the study's names and the address file, match every row, write the folder."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.audit import read_networks
from lifecircle.datum import metre_crs
from lifecircle.demand import read_districts, read_villages, with_districts
from lifecircle.errors import FaultLog
from lifecircle.files import check_folder
from lifecircle.locate._known_places import Gazetteer, street_places, town_table, village_places
from lifecircle.locate._locate_files import FOLDER, Located, write_located
from lifecircle.locate._located_list import locate_rows, read_addresses, read_list
from lifecircle.locate._street_names import read_street_names
from lifecircle.study import read_study
from lifecircle.tables import no_rejects, read_table, rejected_rows
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from lifecircle.study import Study
    from lifecircle.wording import Language

_log = logging.getLogger(__name__)

_COUNTY = re.compile(r"[\u4e00-\u9fff]{2,7}?(?:县|区|市|旗)")


@dataclass(frozen=True)
class LocateOrder:
    """What is asked: a list, its study, and how positions are read.

    ``given`` : grade of the positions that the list has already; ``datum``, ``address_datum`` : of the
    coordinates of the list and of the address file; ``language`` : the study's where left out.
    """

    file: Path
    study: Path
    addresses: Path | None = None
    out: Path | None = None
    given: str = "A"
    datum: str = "wgs84"
    address_datum: str = "wgs84"
    language: Language | None = None


def locate_list(order: LocateOrder, *, progress: Callable[[str], None] | None = None) -> tuple[Located, Path]:
    """Locate every row of a list and write the answer, with a page for placing the rest by hand.

    Parameters
    ----------
    order : what is asked
    progress : called with the name of each step as it begins

    Returns
    -------
    located : the list with its answer, and what it was matched to
    folder : where it was written: ``STUDY/results/locate-NAME`` where the order names none

    Raises
    ------
    MissingFileError
        A file is not there.
    UnusableInputError
        With the faults of all files together, or when the folder cannot be written.
    """
    report = progress or _log.info
    study = read_study(order.study)
    folder = order.out or study.folder / "results" / f"locate-{_stem(order.file)}"
    check_folder(folder, FOLDER)
    report("reading")
    faults = FaultLog()
    listed = known = None
    rejects = no_rejects()
    with faults.catching():
        listed = read_list(order.file, given=order.given, datum=order.datum)
    with faults.catching():
        known, districts = gather_places(study, study.year)
    if order.addresses is not None and known is not None:
        with faults.catching():
            addresses, rejects = read_addresses(
                order.addresses, known, datum=order.address_datum, max_rejected=study.max_rejected
            )
            known = replace(known, addresses=addresses)
    faults.raise_any()
    assert listed is not None
    assert known is not None
    report("roads")
    roads = None if study.roads.file is None else next(iter(read_networks(study, study.year).values()))
    report("matching")
    language = order.language or study.language
    answer = locate_rows(listed, known, language=language)
    located = Located(study, answer, known, rejected_rows(rejects), language, districts, roads)
    report("writing")
    return located, write_located(located, folder)


def gather_places(study: Study, year: int) -> tuple[Gazetteer, gpd.GeoDataFrame | None]:
    """Read the names of a study's towns, villages and streets.

    Parameters
    ----------
    study : as declared
    year : of its files

    Returns
    -------
    known : without addresses
    districts : in EPSG:4326, None where the study has none

    Raises
    ------
    UnusableInputError
        With the faults of all files together.
    """
    faults = FaultLog()
    districts = villages = streets = None
    with faults.catching():
        districts = _districts(study, year)
    with faults.catching():
        villages = _villages(study, year)
    with faults.catching():
        streets = read_street_names(study, year)
    faults.raise_any()
    assert streets is not None
    if villages is not None:
        villages = with_districts(villages, districts)
    towns, town_of = town_table(districts)
    crs = study.crs or _metre_crs(districts, villages, streets)
    known = Gazetteer(
        towns,
        town_of,
        village_places(villages, town_of=town_of, crs=crs),
        street_places(streets, districts=districts, crs=crs),
        county=(_COUNTY.findall(study.name) or [""])[-1],
    )
    return known, districts


def located_lines(located: Located) -> list[str]:
    """Return what was matched to what, as lines of text.

    Parameters
    ----------
    located : the list with its answer

    Returns
    -------
    lines : in the language of the order
    """
    language, answer = located.language, located.answer

    def line(name: str, **values: Any) -> str:
        """Return a line of the catalogue with its values."""
        return word("locate", name, language).format(**values)

    lines = [line("known", **located.known.counts, rejected=located.rejected)]
    if not located.known.streets:
        lines.append(line("no_streets"))
    lines.append(line("rows", rows=f"{len(answer.table):,}", **answer.placed))
    lines += [
        line("without", rows=f"{rows:,}", why=word("locate_outcome", outcome, language))
        for outcome, rows in sorted(answer.outcomes.items(), key=lambda one: (-one[1], one[0]))
    ]
    return lines


def _stem(path: Path) -> str:
    """Return the name of a folder for a list: its own name, as far as every system takes it."""
    return re.sub(r"[^\w.-]+", "-", path.stem).strip("-.") or "list"


def _districts(study: Study, year: int) -> gpd.GeoDataFrame | None:
    part = study.districts
    if part is None:
        return None
    table = read_table(study.path_in(part.file, year), **part.where)
    return read_districts(table, datum=part.datum, columns=part.columns)


def _villages(study: Study, year: int) -> gpd.GeoDataFrame | None:
    part = study.villages
    if part is None:
        return None
    table = read_table(study.path_in(part.file, year), **part.where)
    villages, _ = read_villages(
        table, datum=part.datum, columns=part.columns, max_rejected=study.max_rejected
    )
    return villages


def _metre_crs(*layers: gpd.GeoDataFrame | None) -> Any:
    """Return the metre CRS of whatever the study has; any where it has nothing, and nothing is measured."""
    shapes = [layer.geometry.representative_point() for layer in layers if layer is not None and len(layer)]
    if not shapes:
        return "EPSG:4549"
    points = pd.concat(shapes)
    return metre_crs(points.x.to_numpy(), points.y.to_numpy())
