"""Write what a run was made of, so that somebody else can compute it again years later."""

from __future__ import annotations

import json
import os
import platform
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import content_key
from lifecircle.findings import METHOD_VERSION, InputRecord
from lifecircle.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings
    from lifecircle.standards import Standard

EVIDENCE = "evidence.json"
SCHEMA = 1


class Evidence(BaseModel):
    """What a run was made of.

    ``study_path`` leads from the run's folder to the study's, empty where there is no such way (another
    disk). ``declared`` and ``standard`` are the study and its profile in full, as they were read, without
    passwords and keys; ``inputs`` : every table with its rows; ``files`` : every file of the year and of the
    year before, path -> SHA-256, also those that are read with another. The register of facilities and the
    residents as they were used stand in ``results.gpkg`` beside it. ``stages`` : stage, seconds and counts of
    the audit, in order. They alone differ from one computing of the same inputs to the next, and decide
    nothing: a run that differs in them alone is the same, and the file that stands stays as it is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_: int = Field(default=SCHEMA, alias="schema")
    study: str
    study_path: str
    study_file: str = "study.toml"
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
    files: dict[str, str] = Field(default_factory=dict)
    stages: tuple[dict[str, Any], ...] = ()

    @property
    def hashes(self) -> dict[str, str]:
        """Every input with its hash; what a run of an earlier version knows of the year alone."""
        return self.files or {one.path: one.sha256 for one in self.inputs}


@dataclass(frozen=True)
class Source:
    """What was taken down of a study before it was read: one that changes meanwhile is never kept as used.

    ``file`` : its ``study.toml``, by whatever name; ``declared`` : the text of it, empty where it has none;
    ``files`` : path -> SHA-256.
    """

    folder: Path
    file: str
    declared: str
    files: Mapping[str, str]


def evidence_of(findings: Findings, source: Source, standard: Standard, folder: Path) -> Evidence:
    """Collect the evidence of a run that is written to a folder.

    Parameters
    ----------
    source : the study, as it was before it was read
    standard : the profile in force
    folder : of the run
    """
    declared = without_secrets(source.declared)
    plain = standard.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Evidence(
        study=findings.study,
        study_path=_way(folder, source.folder),
        study_file=source.file,
        year=findings.year,
        fingerprint=findings.fingerprint,
        software=findings.software,
        method_version=METHOD_VERSION,
        python=platform.python_version(),
        declared=declared,
        declared_key=declared_key(declared),
        standard=plain,
        standard_key=standard_key(plain),
        inputs=findings.inputs,
        files={one_line(name): digest for name, digest in sorted(source.files.items())},
    )


def without_secrets(text: str) -> str:
    r"""Return the text of a study without the passwords of its databases and the keys of its map services.

    >>> without_secrets('[demand]\nfile = "postgresql://me:secret@host/db"')
    '[demand]\nfile = "postgresql://***@host/db"'
    """
    lines = []
    for line in text.splitlines():
        shown = one_line(line, 8 * len(line) + 100)
        # Everything else stays as it was written, and what is masked stays TOML.
        masked = "***" in shown and "***" not in line
        lines.append(re.sub(r"=\s*\*\*\*", '= "***"', shown) if masked else line)
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")


_NOT_OF_A_RUN = frozenset({"year", "siting", "atlas"})
_NOT_OF_A_RUN_IN_PUBLISH = frozenset({"mask", "min_people"})


def declared_facts(declared: str) -> dict[str, Any]:
    r"""Return what a study says as far as it alters a run, key by key; comments and the order of keys do not.

    >>> declared_facts("id = 'a'  # mine") == declared_facts("year = 2025\nid = 'a'")
    True
    """
    try:
        facts = tomllib.loads(declared.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        return {"": declared}
    publish = facts.get("publish")
    if isinstance(publish, dict):
        left = {name: value for name, value in publish.items() if name not in _NOT_OF_A_RUN_IN_PUBLISH}
        facts = {**facts, "publish": left} if left else {k: v for k, v in facts.items() if k != "publish"}
    return {name: value for name, value in facts.items() if name not in _NOT_OF_A_RUN}


def declared_key(declared: str) -> str:
    """Hash what a study says as far as it alters a run."""
    return content_key(json.dumps(declared_facts(declared), sort_keys=True, ensure_ascii=False, default=str))


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
