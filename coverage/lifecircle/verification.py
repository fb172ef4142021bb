"""Verify a run: its files against their checksums, its inputs against the evidence, and a second run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lifecircle.audit import open_study, run_audit, write_files
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import file_hash
from lifecircle.findings import CHECKSUMS, METHOD_VERSION, RUN
from lifecircle.ledger import EVIDENCE, check_register, differences, evidence_of, read_evidence, sealed
from lifecircle.wording import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifecircle.ledger import Evidence
    from lifecircle.wording import Language

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verification:
    """What was found; ``codes`` are reason codes (see wording), empty where the run holds."""

    run: Path
    language: Language
    codes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.codes

    def lines(self) -> list[str]:
        """Return what was found in the language of the study, or that nothing was."""
        if self.holds:
            return [explain("verified", self.language)]
        return [explain(code, self.language) for code in self.codes]


def verify_run(
    run: str | Path, study: str | Path | None = None, *, progress: Callable[[str], None] | None = None
) -> Verification:
    """Verify a run from its evidence; nothing is changed or mended.

    1. Every file of the run is compared with its checksum, and the checksums with the register beside it.
    2. The method and the software that computed the run are compared with those that are installed.
    3. Study, profile and inputs are compared with what the evidence says of them.
    4. Where these are the same the run is computed again, and its files are compared byte by byte.

    Parameters
    ----------
    run : folder of a run
    study : folder of the study; left out, where the evidence says it is

    Raises
    ------
    MissingFileError
        When the folder holds no run, or no evidence.
    UnusableInputError
        When the evidence is damaged, or the study is not where it says.
    """
    report = progress or _log.info
    run = Path(run)
    evidence = read_evidence(run)
    declared = _study_folder(run, evidence, study)
    report("comparing")
    codes = [*_files_changed(run), *check_register(run.parent, _key_of(run))]
    if evidence.method_version != METHOD_VERSION:
        codes.append(f"method_changed:{evidence.method_version}|{METHOD_VERSION}")
    changed = [*_inputs_changed(evidence, declared)]
    try:
        read = open_study(declared, evidence.year)
        if not changed and evidence.method_version == METHOD_VERSION:
            findings = run_audit(read, evidence.year, progress=report)
            made_of = differences(evidence, evidence_of(findings, read.folder, read.standard, run))
            changed = [
                f"{one['what']}_changed:{one['name'] or one['before']}|{one['after']}" for one in made_of
            ]
            if not any(one["what"] != "software" for one in made_of):
                with TemporaryDirectory(prefix="lifecircle-") as scratch:
                    write_files(findings, Path(scratch))
                    codes += _results_changed(run, Path(scratch), codes)
    except UnusableInputError as error:
        changed.append(f"not_computed_again:{error.faults[0].file}")
    return Verification(run, "en" if read_language(evidence) == "en" else "zh", (*codes, *changed))


def _code(row: dict[str, str]) -> str:
    return f"{row['what']}_changed:{row['name'] or row['before']}|{row['after']}"


def read_language(evidence: Evidence) -> str:
    """Return the language that the study of a run declares."""
    return "en" if 'language = "en"' in evidence.declared else "zh"


def _study_folder(run: Path, evidence: Evidence, given: str | Path | None) -> Path:
    """Return the folder of the study.

    Raises
    ------
    UnusableInputError
        When it is not there.
    """
    folder = Path(given) if given is not None else run / evidence.study_path
    folder = folder if folder.is_dir() else folder.parent
    if (given is None and not evidence.study_path) or not (folder / "study.toml").is_file():
        reason = say("the study of this run is not here")
        remedy = say("name its folder with --study")
        raise UnusableInputError(
            [Fault(str(run / EVIDENCE), "study_path", evidence.study_path, reason, remedy)]
        )
    return folder


def _key_of(run: Path) -> str:
    seal = run / CHECKSUMS
    return file_hash(seal) if seal.is_file() else ""


def _files_changed(run: Path) -> Iterator[str]:
    """Compare the files of a run with what they were when they were written."""
    sums = sealed(run)
    if not sums:
        yield f"file_missing:{CHECKSUMS}"
        return
    for name in RUN.files:
        if name == CHECKSUMS:
            continue
        if not (run / name).is_file():
            yield f"file_missing:{name}"
        elif sums.get(name) != file_hash(run / name):
            yield f"file_changed:{name}"


def _inputs_changed(evidence: Evidence, study: Path) -> Iterator[str]:
    """Compare the inputs with what they were, file by file; one outside the study is left to the new run."""
    for one in evidence.inputs:
        path = study / one.path
        if not path.is_file():
            if Path(one.path).name != one.path:
                yield f"input_missing:{one.path}"
        elif file_hash(path) != one.sha256:
            yield f"input_changed:{one.path}"


def _results_changed(run: Path, fresh: Path, known: list[str]) -> Iterator[str]:
    """Compare the files with those computed again; what its checksum has found already is not named twice."""
    for name in RUN.files:
        made, kept = fresh / name, run / name
        both = made.is_file() and kept.is_file() and f"file_changed:{name}" not in known
        if both and file_hash(made) != file_hash(kept):
            yield f"result_differs:{name}"
