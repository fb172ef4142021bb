"""Make and write the list of a study for a year: find the run, the last list and what was filled in."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit import find_run, open_study, prepare
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import check_folder, one_writer, recover
from lifecircle.rectification._filled_list import read_filled
from lifecircle.rectification._gap_facts import covered_if_open
from lifecircle.rectification._list_files import write_list
from lifecircle.rectification._problem_record import FOLDER, MARK, read_record
from lifecircle.rectification._rounds import RectificationList, rectify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings
    from lifecircle.rectification._problem_record import Record

_log = logging.getLogger(__name__)

ENDING = "-rectification"


def rectify_study(  # noqa: PLR0913 - a study, and where its files stand
    study: str | Path,
    year: int | None = None,
    *,
    results: str | Path | None = None,
    filled: Iterable[str | Path] = (),
    out: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[RectificationList, Path]:
    """Make a study's list for a year and write it to ``RESULTS/YEAR-rectification``, or to ``out``.

    The list before is the latest among the lists in the folder of results that is of this year or an earlier
    one: its numbers are kept, and what was filled in is kept even when no filled file is given.

    Parameters
    ----------
    results : folder of runs and lists; ``results`` in the study's folder where left out
    filled : files of the list before that people have filled in

    Raises
    ------
    UnusableInputError
        With every fault of the study or of the filled files; when there are such files and no list before;
        when the list before is of another study, or cannot be read; when another command writes there.
    """
    report_progress = progress or _log.info
    findings = find_run(study, year, results=results, progress=progress)
    home = Path(study) if Path(study).is_dir() else Path(study).parent
    folder = home / "results" if results is None else Path(results)
    place = folder / f"{findings.year}{ENDING}" if out is None else Path(out)
    check_folder(place, FOLDER)
    by_hour = any(getattr(one.target, "accounting", "") == "open" for one in findings.targets)
    shut = covered_if_open(findings, prepare(open_study(study), findings.year)) if by_hour else None
    # Of two at once the later would write over what the earlier has just read from a filled list.
    with one_writer(folder) if out is None else nullcontext():
        before = last_record(folder, findings.year, also=place)
        paths = list(filled)
        _check_study(before, findings, folder)
        if before is None and paths:
            reason = say("a filled list, and no list before it in {folder}", folder=str(folder))
            remedy = say("name the folder with the list that was handed out with --results")
            raise UnusableInputError([Fault(str(path), "", "", reason, remedy) for path in paths])
        report_progress("gaps")
        texts = {} if before is None else read_filled(paths, before)
        listing = rectify(findings, before, texts, shut=shut)
        report_progress("writing")
        return listing, write_list(listing, place)


def find_list(
    findings: Findings, results: str | Path, *, inputs: Inputs | None = None
) -> tuple[RectificationList, str]:
    """Return the list of a run as it is now, and whether it is the one that was handed out.

    Parameters
    ----------
    results : folder of runs and lists
    inputs : of the run; without them venues that are closed at an hour are judged by straight distance

    Returns
    -------
    listing : ids, what people filled in and states of the last list; nothing is written
    state : ``handed_out`` when the list of the year says the same, ``outdated`` when it says something else,
        ``not_made`` when there is none of the year: its new ids are those that a list will give

    Raises
    ------
    UnusableInputError
        When a record cannot be read, or is of another study.
    """
    before = last_record(Path(results), findings.year)
    _check_study(before, findings, Path(results))
    if before is not None and findings.fingerprint and before.run.fingerprint == findings.fingerprint:
        return RectificationList(before, findings), "handed_out"
    listing = rectify(findings, before, shut=None if inputs is None else covered_if_open(findings, inputs))
    if before is None or before.run.year != findings.year:
        return listing, "not_made"
    return listing, "handed_out" if _contents(listing.record) == _contents(before) else "outdated"


def _contents(record: Record) -> list[tuple[object, ...]]:
    """List what a record says in any language: who is in which problem, and what became of it."""
    return [(one.id, one.members, dict(one.hand), one.gone, one.check) for one in record.problems]


def _check_study(record: Record | None, findings: Findings, folder: Path) -> None:
    if record is not None and record.study != findings.study:
        reason = say("a list of another study")
        remedy = say("name the folder of results of this study with --results")
        raise UnusableInputError([Fault(str(folder), "", record.study, reason, remedy)])


def last_record(results: Path, year: int, *, also: Path | None = None) -> Record | None:
    """Read the record of the latest list up to a year; None where there is none.

    Parameters
    ----------
    also : another folder in which a list may stand

    Raises
    ------
    UnusableInputError
        When a record cannot be read: numbers that were given must not be given again.
    """
    folders = sorted(results.glob(f"*{ENDING}")) if results.is_dir() else []
    if also is not None and also not in folders:
        folders.append(also)
    for one in folders:
        recover(one, FOLDER)
    records = [read_record(one) for one in folders if (one / MARK).is_file()]
    known = [one for one in records if one.run.year <= year]
    return max(known, key=lambda one: one.run.year, default=None)
