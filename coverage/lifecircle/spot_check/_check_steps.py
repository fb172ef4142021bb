"""Draw and write the spot check of a study, or estimate from its filled sheet: the order of steps."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit import find_run, prepare
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import check_folder
from lifecircle.spot_check._check_sheets import FOLDER, Sheets, read_sample, write_sample
from lifecircle.spot_check._difference_estimate import Estimate, estimate
from lifecircle.spot_check._field_results import read_results
from lifecircle.spot_check._sample_draw import STRATA, draw_sample
from lifecircle.spot_check._walk_path import walk_path
from lifecircle.study import read_study
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.audit import Inputs
    from lifecircle.findings import Language
    from lifecircle.roads import Roads
    from lifecircle.spot_check._sample_draw import Sample
    from lifecircle.spot_check._walk_path import WalkPath

_log = logging.getLogger(__name__)


def spot_check_study(  # noqa: PLR0913 - a study, and what is drawn of it
    study: str | Path,
    target: str,
    *,
    size: int | None,
    seed: int = 1,
    year: int | None = None,
    results: str | Path | None = None,
    out: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Sample, Path]:
    """Draw a sample for a field check and write it to ``RESULTS/YEAR-spot-check-TARGET``, or to ``out``.

    Raises
    ------
    UnusableInputError
        With every fault of the study, or when no size is given, or no such sample can be drawn or written.
    """
    if size is None:
        remedy = say("give --size to draw a sample, or --filled to estimate from its sheet")
        raise UnusableInputError([Fault("--size", "", "", say("no size, and no filled sheet"), remedy)])
    report_progress = progress or _log.info
    findings = find_run(study, year, results=results, progress=progress)
    place = folder_of(study, findings.year, target, results=results) if out is None else Path(out)
    check_folder(place, FOLDER)
    sample = draw_sample(findings, target, size=size, seed=seed)
    report_progress("paths")
    inputs = prepare(read_study(study), findings.year)
    declared = findings.result(target).target
    roads = inputs.networks[str(getattr(declared, "profile", ""))]
    report_progress("writing")
    paths = trace_paths(sample, inputs, roads)
    return sample, write_sample(Sheets(sample, findings, paths, roads), place)


def folder_of(study: str | Path, year: int, target: str, *, results: str | Path | None = None) -> Path:
    """Return the folder in which the spot check of a target stands."""
    home = Path(study) if Path(study).is_dir() else Path(study).parent
    return (home / "results" if results is None else Path(results)) / f"{year}-spot-check-{target}"


def trace_paths(sample: Sample, inputs: Inputs, roads: Roads) -> dict[str, WalkPath]:
    """Trace the way of every resident of a sample to its venue: label -> way, where there is one."""
    homes = inputs.snapped(roads, inputs.homes)
    venues = inputs.snapped(roads, inputs.sites)
    home_of = {str(label): at for at, label in enumerate(inputs.demand.index)}
    venue_of = {str(label): at for at, label in enumerate(inputs.register.index)}
    paths = {}
    for label, venue in sample.points["venue"].items():
        if venue in venue_of:
            way = walk_path(
                roads,
                homes.take([home_of[str(label)]]),
                venues.take([venue_of[venue]]),
                limit_min=sample.limit_min,
            )
            if way is not None:
                paths[str(label)] = way
    return paths


def estimate_study(  # noqa: PLR0913 - a study, and where its files stand
    study: str | Path,
    target: str,
    filled: str | Path,
    *,
    year: int | None = None,
    results: str | Path | None = None,
    folder: str | Path | None = None,
) -> Estimate:
    """Estimate the coverage of a target from the filled sheet of its spot check.

    Parameters
    ----------
    folder : where the sample was written; the usual place where left out

    Raises
    ------
    UnusableInputError
        When there is no sample, it is of another study or target, or with every fault of the sheet.
    """
    declared = read_study(study)
    place = (
        folder_of(study, year or declared.year, target, results=results) if folder is None else Path(folder)
    )
    sample = read_sample(place)
    if (sample.study, sample.target) != (declared.id, target):
        shown = f"{sample.study} {sample.target}"
        reason = say("a sample of another study or target")
        raise UnusableInputError(
            [Fault(str(place), "", shown, reason, say("name the folder it was written to"))]
        )
    return estimate(sample, read_results(filled, sample))


def estimate_line(found: Estimate, language: Language) -> str:
    """Write one line about an estimate."""
    return word("spot", "estimate", language).format(
        computed=percent(found.computed),
        corrected=percent(found.corrected),
        low=percent(found.low),
        high=percent(found.high),
        checked=found.checked,
        missing=found.missing,
        too_low=sum(one for one, _ in found.wrong.values()),
        too_high=sum(two for _, two in found.wrong.values()),
    )


def sample_line(sample: Sample, language: Language) -> str:
    """Write one line about a sample."""
    counts = {name: int((sample.points["stratum"] == name).sum()) for name in STRATA}
    return word("spot", "drawn", language).format(count=len(sample.points), **counts)
