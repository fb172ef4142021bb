"""Write what a run was made of, so that somebody else can compute it again years later."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import content_key
from lifecircle.findings import METHOD_VERSION, InputRecord

if TYPE_CHECKING:
    from lifecircle.findings import Findings
    from lifecircle.standards import Standard

EVIDENCE = "evidence.json"
SCHEMA = 1


class Evidence(BaseModel):
    """What a run was made of.

    ``study_path`` leads from the run's folder to the study's, empty where there is no such way (another
    disk). ``declared`` and ``standard`` are the study and its profile in full, as they were read;
    ``inputs`` : every file with its hash. The register of facilities and the residents as they were used
    stand in ``results.gpkg`` beside it. There is no clock in it: the same inputs give the same bytes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_: int = Field(default=SCHEMA, alias="schema")
    study: str
    study_path: str
    year: int
    fingerprint: str
    software: str
    method_version: str
    python: str
    declared: str
    declared_key: str
    standard: dict[str, Any]
    standard_key: str
    inputs: tuple[InputRecord, ...]


def evidence_of(findings: Findings, study: Path, standard: Standard, folder: Path) -> Evidence:
    """Collect the evidence of a run that is written to a folder.

    Parameters
    ----------
    study : folder of the study, whose ``study.toml`` is kept in full
    standard : the profile in force
    folder : of the run
    """
    declared = (study / "study.toml").read_text("utf-8", "replace")
    plain = standard.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Evidence(
        study=findings.study,
        study_path=_way(folder, study),
        year=findings.year,
        fingerprint=findings.fingerprint,
        software=findings.software,
        method_version=METHOD_VERSION,
        python=platform.python_version(),
        declared=declared,
        declared_key=content_key(declared),
        standard=plain,
        standard_key=standard_key(plain),
        inputs=findings.inputs,
    )


def standard_key(standard: dict[str, Any]) -> str:
    """Hash a profile in its plain form, whatever the order of its keys."""
    return content_key(json.dumps(standard, sort_keys=True, ensure_ascii=False))


def _way(start: Path, goal: Path) -> str:
    """Return the way from one folder to another, empty where there is none."""
    try:
        return Path(os.path.relpath(os.path.realpath(goal), os.path.realpath(start))).as_posix()
    except ValueError:  # another drive
        return ""


def write_evidence(evidence: Evidence, folder: Path) -> None:
    """Write ``evidence.json`` into an existing folder."""
    text = evidence.model_dump_json(indent=1, by_alias=True)
    (folder / EVIDENCE).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_evidence(folder: str | Path) -> Evidence:
    """Read the evidence of a run.

    Raises
    ------
    MissingFileError
        When the folder holds none.
    UnusableInputError
        When it is damaged.
    """
    path = Path(folder) / EVIDENCE
    if not path.is_file():
        reason, remedy = say("a run without this file"), say("audit the study again")
        raise MissingFileError([Fault(str(path), "", "", reason, remedy)])
    with system_errors(path):
        text = path.read_bytes()
    try:
        return Evidence.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = say("a damaged run: {what}", what=f"{place} {first['msg']}".strip())
        raise UnusableInputError([Fault(str(path), "", "", reason, say("audit the study again"))]) from None
