"""Split a regional study by its districts: one study for each, that can be audited alone, over shared roads.

::

    FOLDER/split.json                   of which inputs it was made; written last
    FOLDER/roads/walk/*.npy             the roads of the region, once, mapped by every worker
    FOLDER/haiyan-330424001.toml        the study of a district
    FOLDER/haiyan-330424001/*.parquet   its residents, venues, villages; which of the roads are its own

A district whose files come out the same keeps them, so that its run is still current when another part of the
region has changed.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd

from lifecircle.audit import fingerprint, prepare_other
from lifecircle.batch._cut import border_m, cut_district, people_outside
from lifecircle.batch._district_text import STANDARD_FILE, district_text, standard_text
from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import file_hash, written
from lifecircle.roads import ROAD_PART, edges_near, write_road_part, write_road_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from lifecircle.audit import Inputs
    from lifecircle.batch._cut import Cut
    from lifecircle.roads import Roads
    from lifecircle.study import Study

_log = logging.getLogger(__name__)

SPLIT: Final = "split.json"
_VERSION: Final = 1


@dataclass(frozen=True)
class Split:
    """A region that was split: the studies of its districts, by code, and what none of them holds.

    ``outside`` : people in no district; ``elsewhere`` : residents whose village lies in another district than
    they do; ``buffer_m`` : how far beyond a border roads and venues are kept; ``junctions`` : of the region's
    largest network; ``made`` : written now, not found as it was.
    """

    studies: Mapping[str, Path]
    names: Mapping[str, str]
    buffer_m: float
    outside: float
    elsewhere: int
    junctions: int
    made: bool


def found_split(study: Study, year: int, folder: Path) -> Split | None:
    """Return the split in a folder if it is of the region's present inputs and whole, else None."""
    try:
        plain = json.loads((folder / SPLIT).read_bytes())
        if plain["schema"] != _VERSION or plain["fingerprint"] != fingerprint(study, year):
            return None
        if any(file_hash(folder / name) != digest for name, digest in plain["files"].items()):
            return None
        return Split(
            studies={code: folder / name for code, name in plain["studies"].items()},
            names=plain["names"],
            buffer_m=float(plain["buffer_m"]),
            outside=float(plain["outside"]),
            elsewhere=int(plain["elsewhere"]),
            junctions=int(plain["junctions"]),
            made=False,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def check_split(study: Study) -> None:
    """Raise UnusableInputError for a study that cannot be split by districts.

    Raises
    ------
    UnusableInputError
        It has no districts.
    """
    if study.districts is None:
        reason = say("the study has no districts to be split by")
        remedy = say("add [districts] to study.toml, or leave out --split")
        raise UnusableInputError([Fault("study.toml", "districts", "", reason, remedy)])


def split_study(inputs: Inputs, folder: Path, *, progress: Callable[[str], None]) -> Split:
    """Write the study of every district of a region into a folder.

    Parameters
    ----------
    inputs : of the region, prepared
    folder : made where it is missing
    progress : called with the name of each district as it begins

    Raises
    ------
    UnusableInputError
        The study has no districts, two of them would have one id, or the system refuses to write.
    """
    study, year = inputs.study, inputs.year
    check_split(study)
    assert inputs.districts is not None
    codes = [str(code) for code in inputs.districts.index]
    ids = _ids(study.id, codes)
    made_of = fingerprint(study, year)
    buffer_m = border_m(study)
    outside = people_outside(inputs)
    junctions = max(len(roads.xy) for roads in inputs.networks.values())
    with system_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SPLIT).unlink(missing_ok=True)
        writer = _Writer(folder, _years(inputs), buffer_m)
        writer.write_shared()
        for code in codes:
            progress(str(inputs.districts.loc[code, "name"]))
            writer.write_district(code, ids[code])
        plain = {
            "schema": _VERSION,
            "study": study.id,
            "year": year,
            "fingerprint": made_of,
            "buffer_m": buffer_m,
            "outside": outside,
            "elsewhere": writer.elsewhere,
            "junctions": junctions,
            "studies": writer.studies,
            "names": writer.names,
            "files": writer.files,
        }
        with written(folder / SPLIT) as fresh:
            fresh.write_text(json.dumps(plain, ensure_ascii=False, indent=1), "utf-8")
    return Split(
        studies={code: folder / name for code, name in writer.studies.items()},
        names=writer.names,
        buffer_m=buffer_m,
        outside=outside,
        elsewhere=writer.elsewhere,
        junctions=junctions,
        made=True,
    )


def _ids(study: str, codes: list[str]) -> dict[str, str]:
    """Name the study of each district: the region's id and the district's code, or its number.

    Raises
    ------
    UnusableInputError
        Two codes give one id.
    """
    ids: dict[str, str] = {}
    for number, code in enumerate(codes, 1):
        # A code that is a name, as of a layer without codes, has signs that no id has.
        plain = code.lower() if re.fullmatch(r"[a-z0-9_-]+", code.lower()) else f"{number:03d}"
        ids[code] = f"{study}-{plain}"
    if len(set(ids.values())) < len(ids):
        reason = say("two districts would have one id")
        remedy = say("give the districts codes that differ by more than large and small letters")
        raise UnusableInputError([Fault("study.toml", "districts", ", ".join(codes[:5]), reason, remedy)])
    return ids


def _years(inputs: Inputs) -> list[tuple[int, Inputs]]:
    """Return the years that a run reads, the earlier one alone where its files are others."""
    try:
        before = prepare_other(inputs, inputs.year - 1)
    except UnusableInputError:
        return [(inputs.year, inputs)]  # the run of each district says so, as the region's does
    if before.demand is inputs.demand:
        return [(inputs.year, inputs)]
    return [(inputs.year - 1, before), (inputs.year, inputs)]


class _Writer:
    """Writes the studies of districts, and remembers what it wrote."""

    def __init__(self, folder: Path, years: list[tuple[int, Inputs]], buffer_m: float) -> None:
        self.folder = folder
        self.years = years
        self.buffer_m = buffer_m
        self.study = years[-1][1].study
        self.studies: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.elsewhere = 0
        self._stores: dict[int, list[tuple[Roads, Path]]] = {}

    def write_shared(self) -> None:
        """Write the roads of the region, once for each list of ways and year, and a standard of its own."""
        for year, inputs in self.years:
            seen: list[tuple[Roads, Path]] = []
            for roads in inputs.networks.values():
                if all(roads.profile.ways != other.profile.ways for other, _ in seen):
                    name = roads.profile.ways.id + ("" if len(self.years) == 1 else f"-{year}")
                    seen.append((roads, write_road_store(roads, self.folder / "roads" / name)))
            self._stores[year] = seen
        if self.study.standard_path is not None:
            # In full, as a profile may build on another that lies elsewhere.
            self._put(standard_text(self.study.whole_standard).encode(), STANDARD_FILE)

    def write_district(self, code: str, name: str) -> None:
        """Write the tables of one district and its study."""
        parts: dict[str, dict[int, str]] = {}
        cut = None
        for year, inputs in self.years:
            if inputs.districts is None or code not in inputs.districts.index:
                continue  # a district that came to be in the year has no year before
            cut = cut_district(inputs, code, buffer_m=self.buffer_m)
            for part, file in self._write_cut(cut, name, inputs, year).items():
                parts.setdefault(part, {})[year] = file
        assert cut is not None
        self.elsewhere += cut.elsewhere
        text = district_text(self.study, cut, name, parts, crs=self.years[-1][1].crs, buffer_m=self.buffer_m)
        self._put(text.encode(), f"{name}.toml")
        self.studies[code], self.names[code] = f"{name}.toml", cut.name

    def _write_cut(self, cut: Cut, name: str, inputs: Inputs, year: int) -> dict[str, str]:
        """Write the tables of a year: part -> file, relative to the folder."""
        (self.folder / name).mkdir(exist_ok=True)
        suffix = "" if len(self.years) == 1 else f"-{year}"
        files = {}
        for part, table in cut.tables.items():
            files[part] = f"{name}/{part}{suffix}.parquet"
            self._put_table(table, files[part])
        assert inputs.districts is not None
        area = inputs.districts.loc[[cut.code]]
        files["roads"] = f"{name}/roads{suffix}{ROAD_PART}"
        parts = [
            (roads, edges_near(roads, area, self.buffer_m), store) for roads, store in self._stores[year]
        ]
        path = self.folder / files["roads"]
        write_road_part(path, [one for one in parts if len(one[1])])
        self.files[files["roads"]] = file_hash(path)
        return files

    def _put_table(self, table: pd.DataFrame, name: str) -> None:
        path = self.folder / name
        with written(path) as fresh:
            if isinstance(table, gpd.GeoDataFrame):
                table.to_parquet(fresh, index=False)
            else:
                table.to_parquet(fresh, index=False)
        self.files[name] = file_hash(path)

    def _put(self, content: bytes, name: str) -> None:
        path = self.folder / name
        with written(path) as fresh:
            fresh.write_bytes(content)
        self.files[name] = file_hash(path)


def split_facts(split: Split) -> dict[str, Any]:
    """Return what is kept of a split in the record of a batch."""
    return {
        "districts": len(split.studies),
        "buffer_m": round(split.buffer_m, 3),
        "people_outside": split.outside,
        "village_elsewhere": split.elsewhere,
        "junctions": split.junctions,
    }
