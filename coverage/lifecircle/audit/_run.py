"""Run an audit in order: read, ask every question of the roads, assess, write."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.audit._before import YearBefore, anything_dated, ask_earlier, earlier_inputs, year_before
from lifecircle.audit._fingerprint import fingerprint
from lifecircle.audit._gaps import GAP_COLUMNS
from lifecircle.audit._intake import reading_warnings, report_reading
from lifecircle.audit._judged import Assessed, YearFacts
from lifecircle.audit._kinds import NEED_NO_ANSWERS, assess, left_out
from lifecircle.audit._places import grid, village_counts
from lifecircle.audit._position_grades import report_positions
from lifecircle.audit._prepare import circles, open_study, prepare, prepare_other
from lifecircle.audit._questions import Answers, ask
from lifecircle.audit._record import source_of, write_run, years_of_another_method
from lifecircle.audit._searches import Searches, venue_classes
from lifecircle.audit._surface_values import surface_doubts, surface_notes, values_on_surfaces
from lifecircle.beside import beside
from lifecircle.errors import UnusableInputError
from lifecircle.files import check_folder, one_writer, recover
from lifecircle.findings import (
    HOME_SUPPLY,
    RUN,
    VENUE_SUPPLY,
    CircleResult,
    Findings,
    Publication,
    load_findings,
    rank_table,
    read_fingerprint,
)
from lifecircle.stages import Stages
from lifecircle.study import check_year

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifecircle.audit._circles import Circle
    from lifecircle.audit._inputs import Inputs
    from lifecircle.beside import Beside
    from lifecircle.reading import Reading
    from lifecircle.standards import Target
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
    progress : called with the name of each step as it begins

    Raises
    ------
    UnusableInputError
        With every fault of the study, its standard and its files; before anything is read, when ``out``
        holds something else where the results go, or cannot be written.
    """
    report = Stages.of(progress)
    named = study if isinstance(study, str | Path) else None
    if isinstance(study, str | Path):
        study = open_study(study, year)
    year = study.year if year is None else check_year(year)
    if out is None:
        return _audited(study, year, report)
    check_folder(Path(out) / str(year), RUN)
    with one_writer(Path(out)):
        findings = _written(study, year, Path(out), named, report)
        # A change of method is no progress: earlier years are judged by it too, before anyone compares them.
        for earlier in years_of_another_method(Path(out), study.id, year):
            report(str(earlier))
            try:
                check_folder(Path(out) / str(earlier), RUN)
                _written(study, earlier, Path(out), named, report)
            except UnusableInputError as error:
                _log.warning(
                    "%s is of another version of the method and cannot be computed again (%s): "
                    "what differs from it is no progress",
                    earlier,
                    error,
                )
    return findings


def _written(study: Study, year: int, out: Path, named: str | Path | None, report: Stages) -> Findings:
    """Audit a year and write its run."""
    since = len(report.so_far())
    report("hashing")
    source = source_of(study, year, named)
    findings = _audited(study, year, report)
    report("writing")
    write_run(findings, out, study, source=source, stages=report, since=since)
    return findings


def _audited(study: Study, year: int, report: Stages) -> Findings:
    report("reading")
    # Before the files are read: one that changes meanwhile makes the run outdated, never current.
    made_of = fingerprint(study, year)
    inputs = prepare(study, year)
    roads = next(iter(inputs.networks.values()))
    report.count(residents=len(inputs.demand), facilities=len(inputs.facilities), edges=len(roads.lines))
    report.count(rejects=len(inputs.rejects), people=int(inputs.demand["population"].sum()))
    return replace(run(inputs, progress=report), fingerprint=made_of)


def run(
    inputs: Inputs,
    *,
    previous: Mapping[str, float | None] | None = None,
    searches: Searches | None = None,
    progress: Callable[[str], None] | None = None,
) -> Findings:
    """Compute the findings of prepared inputs, the year before beside them where its files allow.

    Parameters
    ----------
    previous : target -> value of the year before, where it is known already
    searches : of the same inputs, to use what they or those of another year have found; new ones where
        left out
    """
    report = Stages.of(progress)
    searches = searches or Searches(inputs)
    report("year before")
    earlier = earlier_inputs(inputs)
    targets = [target for target in inputs.study.standard.targets if target.kind in NEED_NO_ANSWERS]
    with beside(lambda: _of_each(targets, _facts(inputs, Answers({}), earlier, Answers({})))) as held:
        # Step one: every question is asked, of this year and, where its files allow, of the year before.
        answers = ask(inputs, searches, progress=report)
        report("year before")
        asked = Answers({}) if isinstance(earlier, str) else ask_earlier(earlier, searches)
        # Step two: everything is assessed from the answers.
        report("assessing")
        found = _assessed(inputs, _facts(inputs, answers, earlier, asked), held)
    before = year_before(inputs, earlier, asked) if previous is None else YearBefore(previous)
    assessed = [_beside_year_before(one, before) for one in found]
    assessed += [Assessed(left_out(target)) for target in inputs.study.left_out]
    valued = values_on_surfaces(inputs)
    assessed = [_beside_surfaces(one, valued, inputs) for one in assessed]
    coarse = [one.coarse for one in assessed if one.coarse is not None]
    if not isinstance(earlier, str):
        inputs = replace(inputs, doubts=(*inputs.doubts, *surface_doubts(earlier, inputs)))
    positions = report_positions(inputs, [one.result for one in assessed])
    return _findings(inputs, assessed, replace(report_reading(inputs, searches, coarse), positions=positions))


def _facts(inputs: Inputs, answers: Answers, earlier: Inputs | str, asked: Answers) -> YearFacts:
    """Put together what assessors read; of the year before ``earlier`` is a code where there is none."""
    if isinstance(earlier, str):
        return YearFacts(inputs, answers)
    return YearFacts(inputs, answers, (earlier, asked), anything_dated(inputs, earlier))


def _of_each(targets: Sequence[Target], facts: YearFacts) -> dict[str, Assessed]:
    """Assess targets one after another: id -> what was found."""
    return {target.id: assess(target, facts) for target in targets}


def _assessed(inputs: Inputs, facts: YearFacts, held: Beside[dict[str, Assessed]]) -> list[Assessed]:
    """Assess every target, in the order of the standard: circles here, the other kinds beside them.

    ``held`` : the targets that need no answer, at work since before the questions were asked
    """
    targets = inputs.study.standard.targets
    circle = [target for target in targets if target.kind == "circle"]
    others = [target for target in targets if target.kind not in {"circle", *NEED_NO_ANSWERS}]
    with beside(lambda: _of_each(others, facts)) as rest:
        found = {**_of_each(circle, facts), **held.answer(), **rest.answer()}
    return [found[target.id] for target in targets]


def _beside_year_before(assessed: Assessed, before: YearBefore) -> Assessed:
    """Set the year before beside a result: a circle's value, and for every kind what is said of that year."""
    name = assessed.result.target.id
    result = replace(assessed.result, previous_notes=before.notes.get(name, ()))
    if assessed.circle is not None:
        result = replace(result, previous=before.shares.get(name))
    return replace(assessed, result=result)


def _beside_surfaces(
    assessed: Assessed, valued: Mapping[str, Mapping[str, float | None]], inputs: Inputs
) -> Assessed:
    """Set the values on other surfaces beside a circle's own; its verdict stays as it is."""
    others = valued.get(assessed.result.target.id)
    if assessed.circle is None or not others or not isinstance(assessed.result, CircleResult):
        return assessed
    notes = surface_notes(assessed.result, others, inputs.year)
    result = replace(assessed.result, surfaces=others, notes=(*assessed.result.notes, *notes))
    return replace(assessed, result=result, circle=replace(assessed.circle, result=result))


def _findings(inputs: Inputs, assessed: list[Assessed], reading: Reading) -> Findings:
    study = inputs.study
    found = [one.circle for one in assessed if one.circle is not None]
    names = [circle.result.target.id for circle in found]
    index = inputs.demand.index
    labels = inputs.facilities.index.array

    def table(columns: list[Any]) -> pd.DataFrame:
        """Put one column for each circle beside each other, on the residents."""
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)

    # Gaps of circles first, as they always were: their rows are known by their order.
    gaps = [one.gaps for one in sorted(assessed, key=lambda one: one.circle is None) if len(one.gaps)]
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
        targets=tuple(one.result for one in assessed),
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
        home_supply=_supply(assessed, "homes", HOME_SUPPLY, index),
        venue_supply=_supply(assessed, "venues", VENUE_SUPPLY, inputs.facilities.index),
    )


def _supply(
    assessed: list[Assessed], part: Literal["homes", "venues"], prefixes: tuple[str, ...], index: pd.Index
) -> pd.DataFrame:
    """Set the columns of capacity targets beside each other: prefix and id of the target."""
    columns = {
        f"{prefix}{one.result.target.id}": table[name]
        for one in assessed
        if (table := getattr(one, part)) is not None
        for prefix in prefixes
        if (name := prefix.removeprefix("near_").removesuffix("_")) in table
    }
    return pd.DataFrame(columns, index=index)


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
    """Return a layer of units, an empty one where the study has none."""
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
    """Return a study's findings for a year: the run in the results folder if it fits, else computed again.

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
    folder = declared.folder / "results" if results is None else Path(results)
    found = _current(declared, year, folder)
    return run_audit(declared, year, progress=progress) if found is None else found


def find_runs(
    study: str | Path,
    years: Sequence[int],
    *,
    results: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Findings]:
    """Return a study's findings for several years, each as :func:`find_run` does.

    Years that are computed share what they have in common: files that hold for several are read once, and
    the same question of the same roads, residents and venues is asked once.

    Parameters
    ----------
    years : in the order of the findings
    results : folder of runs; ``results`` in the study's folder where left out

    Raises
    ------
    UnusableInputError
        As for :func:`run_audit`.
    """
    report = Stages.of(progress)
    declared = open_study(study, max(years))
    folder = declared.folder / "results" if results is None else Path(results)
    found: list[Findings] = []
    beside: tuple[Inputs, Searches] | None = None
    for year in years:
        findings = _current(declared, check_year(year), folder)
        if findings is None:
            report(str(year))
            made_of = fingerprint(declared, year)
            inputs = prepare(declared, year) if beside is None else prepare_other(beside[0], year)
            beside = inputs, Searches(inputs, like=None if beside is None else beside[1])
            findings = replace(run(inputs, searches=beside[1], progress=report), fingerprint=made_of)
        found.append(findings)
    return found


def _current(study: Study, year: int, results: Path) -> Findings | None:
    """Load the run of a year if it is of the study as it is now; None, with a warning, if it is not."""
    folder = results / str(year)
    recover(folder, RUN)
    if not (folder / RUN.mark).is_file():
        return None
    try:
        # What a run was made of stands in a small file: the large ones are read only if it is current.
        if read_fingerprint(folder) == fingerprint(study, year):
            return load_findings(folder)
        _log.warning("%s is of other inputs than the study's now: computed again", folder)
    except UnusableInputError as error:
        _log.warning("%s: computed again", error)
    return None
