"""Own the order of an audit: read, search, assess, write; the only room that knows it."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.audit._before import YearBefore, earlier_year, year_before
from lifecircle.audit._circles import Circle, assess_circle
from lifecircle.audit._doubts import weighed
from lifecircle.audit._fingerprint import fingerprint
from lifecircle.audit._gaps import GAP_COLUMNS, find_gaps
from lifecircle.audit._intake import reading_warnings, report_reading
from lifecircle.audit._kinds import Assessed, Facts, assess_other
from lifecircle.audit._places import grid, village_counts
from lifecircle.audit._prepare import Inputs, circles, open_study, prepare
from lifecircle.audit._searches import Searches, venue_classes
from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import check_folder, complete_folder, recover, whole_folder
from lifecircle.findings import (
    RUN,
    Findings,
    Publication,
    TargetResult,
    load_findings,
    rank_table,
    read_fingerprint,
    save_findings,
    seal,
)
from lifecircle.report import write_tables
from lifecircle.study import check_year, example_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        With every fault of the study, its standard and its files; before anything is read, when ``out``
        holds something else where the results go, or cannot be written.
    """
    tell = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, year)
    year = study.year if year is None else check_year(year)
    if out is not None:
        check_folder(Path(out) / str(year), RUN)
    tell("reading")
    # Before the files are read: one that changes meanwhile makes the run outdated, never current.
    made_of = fingerprint(study, year)
    inputs = prepare(study, year)
    findings = replace(run(inputs, progress=tell), fingerprint=made_of)
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
    tell("year before")
    earlier = earlier_year(inputs, searches)
    before = year_before(inputs, earlier) if previous is None else YearBefore(previous)
    known = {
        result.target.id: replace(
            result,
            previous=before.shares.get(result.target.id),
            previous_notes=before.notes.get(result.target.id, ()),
        )
        for result in results
    }
    facts = Facts(inputs, searches, None if isinstance(earlier, str) else earlier)
    others: list[Assessed] = []
    for target in inputs.study.standard.targets:
        if target.kind != "circle":
            tell(target.id)
            others.append(assess_other(target, facts))
            known[target.id] = others[-1].result
    results = [known[target.id] for target in inputs.study.standard.targets]
    return _findings(inputs, found, others, tuple(results), report_reading(inputs, searches, coarse))


def _findings(
    inputs: Inputs,
    found: list[Circle],
    others: list[Assessed],
    results: tuple[TargetResult, ...],
    reading: Reading,
) -> Findings:
    study = inputs.study
    names = [circle.result.target.id for circle in found]
    index = inputs.demand.index
    labels = inputs.facilities.index.array

    def table(columns: list[Any]) -> pd.DataFrame:
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)

    gaps = [find_gaps(circle, inputs) for circle in found if circle.result.value is not None]
    gaps += [one.gaps for one in others if len(one.gaps)]
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
        facilities=inputs.facilities.drop(columns="polygon", errors="ignore"),
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
        ranks=_ranks(found, index, [circle.ranks for circle in found]),
        rank_venues=_ranks(found, index, [_labels(circle, labels) for circle in found]),
        gaps=pd.concat(gaps, ignore_index=True) if gaps else pd.DataFrame(columns=list(GAP_COLUMNS)),
        rejects=inputs.rejects,
        inputs=inputs.records,
        services={one.id: one.name.model_dump() for one in study.standard.services},
        publication=Publication(study.publish.organisation, study.publish.date, study.publish.review_number),
        warnings=(*_empty_classes(inputs), *reading_warnings(reading, inputs)),
        reading=reading,
    )


def _ranks(found: list[Circle], index: pd.Index, answers: list[Mapping[str, Any]]) -> pd.DataFrame:
    """Set out the times to every venue that rules of more than one venue ask for, or their labels."""
    columns = {
        (circle.result.target.id, name, rank + 1): column
        for circle, answer in zip(found, answers, strict=True)
        if sum(times.shape[1] for times in circle.ranks.values()) > 1
        for name, times in answer.items()
        for rank, column in enumerate(times if isinstance(times, list) else times.T)
    }
    return rank_table(columns, index)


def _labels(circle: Circle, labels: Any) -> dict[str, list[pd.Categorical]]:
    """Name the venues of every class and rank: categories, as few venues stand beside many residents."""
    names = pd.Index(labels)
    return {
        name: [
            pd.Categorical.from_codes(
                np.where(np.isfinite(times[:, at]), venues[:, at], -1), names
            ).remove_unused_categories()
            for at in range(venues.shape[1])
        ]
        for name, venues in circle.venues.items()
        for times in [circle.ranks[name]]
    }


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
    declared = open_study(study, year)
    year = declared.year if year is None else check_year(year)
    folder = (declared.folder / "results" if results is None else Path(results)) / str(year)
    recover(folder, RUN)
    if not (folder / RUN.mark).is_file():
        return run_audit(declared, year, progress=progress)
    try:
        # What a run was made of stands in a small file: the large ones are read only if it is current.
        if read_fingerprint(folder) == fingerprint(declared, year):
            return load_findings(folder)
        _log.warning("%s is of other inputs than the study's now: computed anew", folder)
    except UnusableInputError as error:
        _log.warning("%s: computed anew", error)
    return run_audit(declared, year, progress=progress)


def copy_example(folder: str | Path) -> Path:
    """Copy the bundled synthetic study into a new folder, whole or not at all.

    Raises
    ------
    UnusableInputError
        When the folder is there already and not empty.
    """
    folder = Path(folder)
    with system_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            reason = say("already there and not empty")
            raise UnusableInputError(
                [Fault(str(folder), "", "", reason, say("name a new folder for the example"))]
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as fresh:
            shutil.copytree(
                example_folder(),
                fresh,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "results", "maps"),
            )
    return folder


def write_run(findings: Findings, out: Path) -> Path:
    """Write a run's files to ``out/<year>/``, all or none, in the place of an earlier run.

    Raises
    ------
    UnusableInputError
        When something else stands there, or the system refuses to write.
    """
    with complete_folder(out / str(findings.year), RUN) as folder:
        save_findings(findings, folder)
        write_tables(findings, folder)
        seal(folder)
    return out / str(findings.year)
