"""Verify a run: its files against their checksums, its inputs against the evidence, and a second run."""

from __future__ import annotations

import logging
import tomllib
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit import run_audit, used_files, write_files
from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say
from lifecircle.files import file_hash, scratch_folder
from lifecircle.findings import CHECKSUMS, METHOD_VERSION, RUN, load_findings
from lifecircle.ledger import (
    EVIDENCE,
    check_register,
    declared_key,
    differences,
    read_evidence,
    run_folders,
    sealed,
    standard_key,
    without_secrets,
)
from lifecircle.standards import Standard
from lifecircle.study import FaultyStudyError, read_study
from lifecircle.wording import explain, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifecircle.findings import Findings
    from lifecircle.ledger import Evidence
    from lifecircle.study import Study
    from lifecircle.wording import Language

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verification:
    """What was found; ``codes`` are reason codes (see wording), empty where the run holds.

    ``computed`` : the run was computed again.
    """

    run: Path
    language: Language
    codes: tuple[str, ...]
    computed: bool

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.codes

    def lines(self) -> list[str]:
        """Return what was found in the language of the study, or that nothing was."""
        if self.holds:
            return [explain("verified", self.language)]
        lines = [explain(code, self.language) for code in self.codes]
        again = {code.partition(":")[0] for code in self.codes} & {"result_differs", "value_differs"}
        if self.computed and not again:
            lines.append(explain("computed_again", self.language))
        return lines


def verify_run(
    run: str | Path, study: str | Path | None = None, *, progress: Callable[[str], None] | None = None
) -> Verification:
    """Verify a run from its evidence; nothing is changed or mended.

    1. Every file of the run is compared with its checksum, and the checksums with the register beside it.
    2. The method and the software that computed the run are compared with those that are installed.
    3. Study, profile and inputs are compared with what the evidence says of them.
    4. Where the inputs are the same, the run is computed again from the study and the profile that the
       evidence holds, whatever they say now. By the same software its files are compared byte by byte, by
       another the values of its targets.

    Parameters
    ----------
    run : folder of a run
    study : folder of the study; left out, where the evidence says it is

    Raises
    ------
    MissingFileError
        When the folder holds no run, or no evidence.
    UnusableInputError
        When the study is not where the evidence says.
    """
    report = progress or _log.info
    run = Path(run)
    report("comparing")
    found = [*_files_changed(run), *check_register(run.parent, _key_of(run))]
    try:
        evidence = read_evidence(run)
    except MissingFileError:
        raise
    except UnusableInputError:
        return Verification(
            run, _language_of(run), (*found, f"not_computed_again:{EVIDENCE}"), computed=False
        )
    language: Language = "en" if _says(evidence.declared, "language") == "en" else "zh"
    folder, file = _study_place(run, evidence, study)
    other = [
        f"{what}_changed:{then}|{now}"
        for what, then, now in (
            ("method", evidence.method_version, METHOD_VERSION),
            ("software", evidence.software, version("lifecircle")),
        )
        if then != now
    ]
    found += other
    try:
        used = _study_as_used(evidence, folder, file)
        found += _study_changed(evidence, file)
        changed = list(_inputs_changed(evidence, used))
        if changed:
            return Verification(run, language, (*found, *changed), computed=False)
        findings = run_audit(used, evidence.year, progress=report)
    except UnusableInputError as error:
        code = f"not_computed_again:{one_line(error.faults[0].file)}"
        return Verification(run, language, (*found, code), computed=False)
    if other:
        found += _values_changed(run, findings, found)
    else:
        with scratch_folder() as scratch:
            write_files(findings, scratch)
            found += _results_changed(run, scratch, found)
    return Verification(run, language, tuple(found), computed=True)


def _says(declared: str, key: str) -> str:
    """Return what a study says under a key of text, empty where it does not, or cannot be read."""
    try:
        return str(tomllib.loads(declared).get(key, ""))
    except tomllib.TOMLDecodeError:
        return ""


def _language_of(run: Path) -> Language:
    """Return the language of a run whose evidence cannot be read."""
    try:
        return load_findings(run).language
    except UnusableInputError:
        return "en"


def _study_place(run: Path, evidence: Evidence, given: str | Path | None) -> tuple[Path, Path]:
    """Return the folder of the study, and its file, which may be gone.

    Raises
    ------
    UnusableInputError
        When the folder is not there.
    """
    place = Path(given) if given is not None else run / evidence.study_path
    if (given is None and not evidence.study_path) or not place.exists():
        reason = say("the study of this run is not here")
        remedy = say("name its folder with --study")
        raise UnusableInputError(
            [Fault(str(run / EVIDENCE), "study_path", evidence.study_path, reason, remedy)]
        )
    if place.is_file():
        return place.parent, place
    return place, place / evidence.study_file


def _study_as_used(evidence: Evidence, folder: Path, file: Path) -> Study:
    """Return the study as the run used it, whose files are looked for where the study lies now.

    Raises
    ------
    UnusableInputError
        When the evidence holds no study that can be read.
    """
    declared = evidence.declared
    if (
        file.is_file()
        and without_secrets(now := file.read_bytes().decode("utf-8-sig", "replace")) == declared
    ):
        declared = now  # nothing but passwords and keys is more in it
    with scratch_folder() as scratch:
        place = scratch / "study.toml"
        place.write_text(declared, encoding="utf-8")
        try:
            read = read_study(place)
        except FaultyStudyError as error:
            # A profile in a file of its own is not beside this copy; the evidence holds it.
            if error.stand_ins != {"standard"} or len(error.faults) != 1:
                raise
            read = error.rest
    standard = Standard.model_validate(evidence.standard)
    return replace(read, folder=folder, standard=standard, standard_path=None)


def _study_changed(evidence: Evidence, file: Path) -> Iterator[str]:
    """Compare what the study and its profile say now with what they said: another run would differ."""
    try:
        now = read_study(file)
        declared = without_secrets(file.read_bytes().decode("utf-8-sig", "replace"))
    except UnusableInputError:
        yield "study_changed:"
        return
    plain = now.standard.model_dump(mode="json", by_alias=True, exclude_none=True)
    new = evidence.model_copy(
        update={
            "declared": declared,
            "declared_key": declared_key(declared),
            "standard": plain,
            "standard_key": standard_key(plain),
        }
    )
    for one in differences(evidence, new):
        yield f"{one['what']}_changed:{one['name']}"


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


def _inputs_changed(evidence: Evidence, study: Study) -> Iterator[str]:
    """Compare the inputs with what they were, file by file."""
    files = {one_line(name): digest for name, digest in used_files(study, evidence.year).items()}
    known = evidence.hashes
    for name in sorted(known.keys() | (files.keys() if evidence.files else set())):
        was, now = known.get(name, ""), files.get(name, "")
        if was and not now:
            yield f"input_missing:{name}"
        elif was != now:
            yield f"input_changed:{name}"


def _results_changed(run: Path, fresh: Path, known: list[str]) -> Iterator[str]:
    """Compare the files with those computed again; what its checksum has found already is not named twice."""
    for name in RUN.files:
        made, kept = fresh / name, run / name
        both = made.is_file() and kept.is_file() and f"file_changed:{name}" not in known
        if both and file_hash(made) != file_hash(kept):
            yield f"result_differs:{name}"


def _values_changed(run: Path, fresh: Findings, known: list[str]) -> Iterator[str]:
    """Compare the values and verdicts of a run with those that another method or software gives."""
    if "file_changed:summary.json" in known:
        return
    was = {one.target.id: (one.value, one.status) for one in load_findings(run).targets}
    now = {one.target.id: (one.value, one.status) for one in fresh.targets}
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            sides = (
                "" if side is None else f"{side[0]} {side[1]}" for side in (was.get(name), now.get(name))
            )
            yield f"value_differs:{name}|{'|'.join(sides)}"


def check_runs(results: str | Path) -> list[str]:
    """Compare the register of a folder of runs with itself and with every run that lies there.

    Parameters
    ----------
    results : folder of runs, such as ``STUDY/results``

    Returns
    -------
    codes : reason codes, empty where all is right
    """
    folder = Path(results)
    codes = check_register(folder, "", whole=True)
    for run in run_folders(folder):
        if "register_knows_not" in check_register(folder, _key_of(run)):
            codes.append(f"run_unknown:{run.name}")
        # The files of every run, those that were replaced too, whose register row says what they were.
        codes += [code.replace(":", f":{run.name}/", 1) for code in _files_changed(run)]
    return codes
