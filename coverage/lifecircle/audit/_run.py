"""Own the order of an audit: read, search, assess, write; the only room that knows it."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from lifecircle.audit._circles import Circle, assess_circle, circle_value
from lifecircle.audit._doubts import weighed
from lifecircle.audit._gaps import GAP_COLUMNS, find_gaps
from lifecircle.audit._intake import reading_warnings, report_reading
from lifecircle.audit._places import grid, village_counts
from lifecircle.audit._prepare import Inputs, circles, prepare, prepare_other
from lifecircle.audit._searches import Searches, venue_classes
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.findings import Findings, Publication, TargetResult, load_findings, rank_table, save_findings
from lifecircle.report import write_tables
from lifecircle.study import example_folder, read_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lifecircle.reading import CoarseReading, Reading
    from lifecircle.study import Study

_log = logging.getLogger(__name__)

Progress = "Callable[[str], None]"


def run_audit(
    study: str | Path | Study,
    year: int | None = None,
    *,
    out: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Findings:
    """Audit a study for a year; compute only, unless ``out`` names a folder for the results.

    Parameters
    ----------
    study : folder of a study, or a study read before
    year : the study's own where none is given
    out : results go to ``out/<year>/``, complete or not at all
    progress : told the name of each step as it begins

    Raises
    ------
    UnusableInputError
        With every fault of the study, its standard and its files.
    """
    tell = progress or _log.info
    if isinstance(study, str | Path):
        study = read_study(study)
    tell("reading")
    inputs = prepare(study, year)
    findings = run(inputs, progress=tell)
    if out is not None:
        tell("writing")
        write_run(findings, Path(out))
    return findings


def run(
    inputs: Inputs,
    *,
    previous: Mapping[str, float | None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Findings:
    """Compute the findings of prepared inputs, the year before beside them where its files allow.

    Parameters
    ----------
    previous : target -> value of the year before, where it is known already
    """
    tell = progress or _log.info
    searches = Searches(inputs)
    found: list[Circle] = []
    results: list[TargetResult] = []
    coarse: list[CoarseReading] = []
    for target in inputs.study.standard.targets:
        if target.kind == "circle":
            tell(target.id)
            circle = assess_circle(target, inputs, searches)
            result, check = weighed(circle, inputs, searches)
            found.append(replace(circle, result=result))
            results.append(result)
            coarse += [check] if check is not None else []
        else:
            results.append(TargetResult(target, None, "not_assessable", f"{target.kind}_not_computed"))
    tell("year before")
    before = _values_before(inputs, searches) if previous is None else previous
    results = [replace(result, previous=before.get(result.target.id)) for result in results]
    return _findings(inputs, found, tuple(results), report_reading(inputs, searches, coarse))


def _values_before(inputs: Inputs, now: Searches) -> dict[str, float | None]:
    """Compute each circle's value for the year before, from the study's own files for that year."""
    try:
        earlier = prepare_other(inputs, inputs.year - 1)
    except UnusableInputError:
        return {}
    searches = Searches(earlier, like=now)
    return {target.id: circle_value(target, earlier, searches) for target in circles(earlier.study.standard)}


def _findings(
    inputs: Inputs, found: list[Circle], results: tuple[TargetResult, ...], reading: Reading
) -> Findings:
    study = inputs.study
    names = [circle.result.target.id for circle in found]
    index = inputs.demand.index
    labels = inputs.facilities.index.array

    def table(columns: list[Any]) -> pd.DataFrame:
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)

    gaps = [find_gaps(circle, inputs) for circle in found if circle.result.value is not None]
    roads = next(iter(inputs.networks.values()))
    return Findings(
        study=study.id,
        name=study.name or study.id,
        year=inputs.year,
        language=study.language,
        synthetic=study.synthetic,
        crs=roads.crs.to_string(),
        roads_key=roads.key,
        software=version("lifecircle"),
        targets=results,
        demand=inputs.demand,
        facilities=inputs.facilities,
        districts=_units(inputs.districts),
        villages=_units(inputs.villages).assign(
            **{name: flags for circle in found for name, flags in circle.villages.items()},
            **village_counts(found, inputs),
        ),
        grid=grid(found, inputs),
        seconds=table([circle.seconds for circle in found]),
        status=table([circle.status for circle in found]),
        nearest=table([labels.take(circle.venue, allow_fill=True) for circle in found]),
        people=table([circle.people for circle in found]),
        ranks=_ranks(found, index),
        gaps=pd.concat(gaps, ignore_index=True) if gaps else pd.DataFrame(columns=list(GAP_COLUMNS)),
        rejects=inputs.rejects,
        inputs=inputs.records,
        services={one.id: one.name.model_dump() for one in study.standard.services},
        publication=Publication(study.publish.organisation, study.publish.date, study.publish.review_number),
        warnings=(*_empty_classes(inputs), *reading_warnings(reading, inputs)),
        reading=reading,
    )


def _ranks(found: list[Circle], index: pd.Index) -> pd.DataFrame:
    """Set out the times to every venue that rules of more than one venue ask for."""
    columns = {
        (circle.result.target.id, name, rank + 1): times[:, rank]
        for circle in found
        if sum(times.shape[1] for times in circle.ranks.values()) > 1
        for name, times in circle.ranks.items()
        for rank in range(times.shape[1])
    }
    return rank_table(columns, index)


def _units(layer: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Give a layer of units, an empty one where the study has none."""
    if layer is not None:
        return layer
    return gpd.GeoDataFrame({"name": []}, geometry=[], crs="EPSG:4326").rename_axis("code")


def _empty_classes(inputs: Inputs) -> list[str]:
    """Warn of every class of a circle that has no open facility, or fewer than the rule asks for."""
    warnings = []
    for target in circles(inputs.study.standard):
        for name, member in venue_classes(target, inputs.study.standard, inputs.facilities).items():
            here, asked = int(member.sum()), target.require[name]
            if not here:
                warnings.append(f"class_empty:{target.id}|{name}|{inputs.year}")
            elif here < asked:
                warnings.append(f"class_short:{target.id}|{name}|{inputs.year}|{here}|{asked}")
    return warnings


def find_run(
    study: str | Path,
    year: int | None = None,
    *,
    results: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Findings:
    """Give a study's findings for a year: the run in the results folder if it fits, else computed anew.

    Parameters
    ----------
    results : folder of runs; ``results`` in the study's folder where left out

    Raises
    ------
    UnusableInputError
        As for :func:`run_audit`.
    """
    declared = read_study(study)
    year = declared.year if year is None else year
    folder = (declared.folder / "results" if results is None else Path(results)) / str(year)
    if (folder / "summary.json").is_file():
        found = load_findings(folder)
        if found.study == declared.id and all(
            _unchanged(declared.folder / one.path, one.sha256) for one in found.inputs
        ):
            return found
        _log.warning("%s is of other inputs than the study's now: computed anew", folder)
    return run_audit(declared, year, progress=progress)


def _unchanged(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def copy_example(folder: str | Path) -> Path:
    """Copy the bundled synthetic study into a new folder.

    Raises
    ------
    UnusableInputError
        When the folder is there already and not empty.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UnusableInputError(
            [
                Fault(
                    str(folder),
                    "",
                    "",
                    say("already there and not empty"),
                    say("name a new folder for the example"),
                )
            ]
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        example_folder(),
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__", "results", "maps"),
    )
    return folder


def write_run(findings: Findings, out: Path) -> Path:
    """Write a run's files to ``out/<year>/``, all or none; an equal run already there is left alone."""
    with complete_folder(out / str(findings.year)) as folder:
        save_findings(findings, folder)
        write_tables(findings, folder)
    return out / str(findings.year)


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """Give a fresh folder beside the target that takes its place when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        old = target.with_name(f".{target.name}-old-{os.getpid()}")
        if target.exists():
            target.replace(old)
        fresh.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
