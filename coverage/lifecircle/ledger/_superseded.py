"""Keep runs that a newer one replaces: ``results/2025.1`` and so on, each with the reason."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lifecircle.errors import UnusableInputError
from lifecircle.files import file_hash, whole_folder
from lifecircle.findings import CHECKSUMS, RUN
from lifecircle.ledger._evidence import read_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.ledger._evidence import Evidence

SUPERSEDED = "superseded.json"
SCHEMA = 1


def same_run(one: Path, other: Path) -> bool:
    """Return whether two folders hold the same run, by their checksums and the files themselves."""
    seals = [folder / CHECKSUMS for folder in (one, other)]
    if not all(seal.is_file() for seal in seals) or seals[0].read_bytes() != seals[1].read_bytes():
        return False
    return all(
        (folder / name).is_file() and file_hash(folder / name) == digest
        for folder in (one, other)
        for name, digest in sealed(folder).items()
    )


def sealed(folder: Path) -> dict[str, str]:
    """Read the checksums of a run: file -> SHA-256; empty where there are none."""
    path = folder / CHECKSUMS
    if not path.is_file():
        return {}
    lines = path.read_text("utf-8", "replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def run_folders(results: Path, year: int | None = None) -> list[Path]:
    """List the folders of runs, those that were replaced before the one in force, years in order."""
    found: list[tuple[int, float, Path]] = []
    for folder in results.iterdir() if results.is_dir() else ():
        match = re.fullmatch(r"(\d{4})(?:\.(\d+))?", folder.name)
        if match and (folder / RUN.mark).is_file() and year in {None, int(match[1])}:
            order = float("inf") if match[2] is None else int(match[2])
            found.append((int(match[1]), order, folder))
    return [folder for *_, folder in sorted(found)]


def keep_superseded(current: Path, evidence: Evidence) -> Path | None:
    """Copy the run in force aside, before another takes its place: ``2025`` to ``2025.1``.

    A copy, made whole or not at all: killed before the new run is in place, the run in force still stands,
    and its copy is found and used again the next time.

    Parameters
    ----------
    current : folder of the run in force; nothing is done where there is none
    evidence : of the run that comes, from which the reason follows

    Returns
    -------
    folder : of the copy, None where there was nothing to keep
    """
    if not (current / RUN.mark).is_file():
        return None
    before = run_folders(current.parent, int(current.name))
    earlier = [folder for folder in before if folder.name != current.name]
    if earlier and same_run(earlier[-1], current):
        return earlier[-1]
    last = max((int(folder.name.partition(".")[2]) for folder in earlier), default=0)
    kept = current.with_name(f"{current.name}.{last + 1}")
    facts = {"schema": SCHEMA, "study": evidence.study, "year": evidence.year}
    facts |= {"by": evidence.fingerprint, "reasons": reasons(current, evidence)}
    with whole_folder(kept) as fresh:
        for name in RUN.files:
            if (current / name).is_file():
                shutil.copy2(current / name, fresh / name)
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        (fresh / SUPERSEDED).write_text(text + "\n", encoding="utf-8", newline="\n")
    return kept


def reasons(current: Path, evidence: Evidence) -> list[dict[str, Any]]:
    """Return what differs between a run in force and the one that comes: method, software, study, inputs."""
    try:
        old = read_evidence(current)
    except UnusableInputError:
        return [{"what": "evidence", "name": "", "before": "", "after": ""}]
    return differences(old, evidence)


def differences(old: Evidence, new: Evidence) -> list[dict[str, Any]]:
    """Return what two runs were made of differently, as rows of what, name, before and after."""
    rows = [
        {"what": what, "name": "", "before": before, "after": after}
        for what, before, after in (
            ("method", old.method_version, new.method_version),
            ("software", old.software, new.software),
            ("study", old.declared_key, new.declared_key),
            ("standard", old.standard_key, new.standard_key),
        )
        if before != after
    ]
    mine, theirs = ({(one.role, one.path): one for one in part.inputs} for part in (old, new))
    for key in sorted(mine.keys() | theirs.keys()):
        sides = [asdict(part[key])["sha256"] if key in part else "" for part in (mine, theirs)]
        if sides[0] != sides[1]:
            rows.append({"what": "input", "name": key[1], "before": sides[0], "after": sides[1]})
    return rows
