"""Write a run into its folder and remember it: evidence, the run it replaces, the register."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit._fingerprint import yearly_files
from lifecircle.beside import beside
from lifecircle.errors import UnusableInputError, system_errors
from lifecircle.files import complete_folder, file_hash, files_of
from lifecircle.findings import METHOD_VERSION, RUN, save_findings, seal
from lifecircle.legend import STYLES, layer_styles
from lifecircle.report import run_workbook, write_tables
from lifecircle.study import STUDY_FILE
from lifecircle.tables import snapshot_of
from lifecircle.wording import fault_line

if TYPE_CHECKING:
    from lifecircle.findings import Findings
    from lifecircle.ledger import Source
    from lifecircle.stages import Stages
    from lifecircle.study import Study

_log = logging.getLogger(__name__)


def source_of(study: Study, year: int, file: str | Path | None = None) -> Source:
    """Take down a study before it is read: the text of its file, and every input with its hash.

    Parameters
    ----------
    file : the study's folder or file, as it was named; left out, ``study.toml`` in its folder

    Raises
    ------
    UnusableInputError
        When the study's file cannot be read.
    """
    from lifecircle.ledger import Source  # noqa: PLC0415 - the database costs a quarter of a second

    path = study.folder / STUDY_FILE if file is None or Path(file).is_dir() else Path(file)
    with system_errors(path):
        declared = path.read_bytes().decode("utf-8-sig", "replace") if path.is_file() else ""
    return Source(study.folder, path.name, declared, used_files(study, year))


def used_files(study: Study, year: int) -> dict[str, str]:
    """Hash every file that a run reads, of its year and of the year before, with those read beside it.

    Returns
    -------
    files : path relative to the study's folder -> SHA-256, empty where it is not there. A file that the study
        names by its absolute path is known by its name alone, a table of a database by its address without
        passwords.
    """
    found: dict[str, str] = {}
    for file in yearly_files(study):
        for one in (year, year - 1):
            with suppress(UnusableInputError, ValueError):
                path = study.path_in(file, one)
                if (kept := snapshot_of(path)) is not None:
                    found[kept.address] = kept.digest
                    continue
                for part in files_of(path):
                    name = part.name
                    if not Path(_named(file, path, study)).is_absolute():
                        name = Path(os.path.relpath(part, study.folder)).as_posix()
                    if name not in found:
                        found[name] = file_hash(part) if part.is_file() else ""
    return found


def _named(file: str | dict[int, str], path: Path, study: Study) -> str:
    """Return what a study says of a file: the same name gives the same path."""
    names = [file] if isinstance(file, str) else list(file.values())
    return next(name for name in names if study.folder / name == path)


def write_run(  # noqa: PLR0913 - what is written and remembered of a run, all named
    findings: Findings,
    out: Path,
    study: Study | None = None,
    *,
    source: Source | None = None,
    stages: Stages | None = None,
    since: int = 0,
) -> Path:
    """Write a run's files to ``out/<year>/``, all or none; an earlier run of other content is kept aside.

    A run that is the same as the one in force changes no file. Where the study is given the run's evidence
    is written with it, and the run is added to the register of the folder; whatever happens to the register,
    the results stay, and what went wrong is logged.

    Parameters
    ----------
    study : the study that the findings are of; without it nothing is remembered of the run
    source : the study as it was before it was read; left out, as it is now
    stages : how long each stage took, for the evidence and the register; the first ``since`` of them are not
        of this run

    Raises
    ------
    UnusableInputError
        When something else stands there, or the system refuses to write.
    """
    from lifecircle.ledger import (  # noqa: PLC0415 - only who writes a run pays for the database
        drop_copy,
        evidence_of,
        is_repeated,
        keep_superseded,
        note_run,
        write_evidence,
    )

    target = out / str(findings.year)
    evidence = None
    if study is not None:
        source = source or source_of(study, findings.year)
        evidence = evidence_of(findings, source, study.standard, target)
    with suppress(_RepeatedError), complete_folder(target, RUN) as folder:
        write_files(findings, folder)
        if evidence is not None:
            timed = tuple(one.plain for one in stages.so_far(since)) if stages else ()
            write_evidence(evidence.model_copy(update={"stages": timed}), folder)
        seal(folder)
        if is_repeated(folder, target, evidence):
            raise _RepeatedError  # what was just written goes, and what stands there stays as it is
        if evidence is not None:
            keep_superseded(target, evidence)
    if evidence is not None:
        with suppress(OSError):
            drop_copy(target)
        seconds = sum(one.seconds for one in stages.so_far(since)) if stages else None
        if fault := note_run(out, findings, evidence, seconds=seconds):
            _log.warning("%s", fault_line(fault, findings.language))
    return target


class _RepeatedError(Exception):
    """The run that was written is the one in force."""


def write_files(findings: Findings, folder: Path) -> None:
    """Write the files that follow from findings alone into an existing folder."""
    with beside(lambda: run_workbook(findings)) as workbook:
        save_findings(findings, folder, tables={STYLES: layer_styles(findings)})
        write_tables(findings, folder, workbook.answer)


def years_of_another_method(out: Path, study: str, year: int) -> list[int]:
    """List the earlier years whose run in force is of this study and of another version of the method.

    Beside a figure of the present method they would show a change that is none; the audit runs them again.
    """
    from lifecircle.ledger import read_evidence, run_folders  # noqa: PLC0415 - as above

    found = []
    for folder in run_folders(out):
        if folder.name.isdecimal() and int(folder.name) < year:
            with suppress(UnusableInputError):
                evidence = read_evidence(folder)
                if evidence.study == study and evidence.method_version != METHOD_VERSION:
                    found.append(int(folder.name))
    return found
