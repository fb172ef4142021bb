"""Keep runs that a newer one replaces: ``results/2025.1`` and so on, each with the reason."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from lifecircle.errors import UnusableInputError
from lifecircle.files import clear_beside, file_hash, remove_folder, whole_folder, written
from lifecircle.findings import CHECKSUMS, RUN
from lifecircle.ledger._evidence import EVIDENCE, declared_facts, read_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.ledger._evidence import Evidence

SUPERSEDED = "superseded.json"
SCHEMA = 1


def same_run(one: Path, other: Path) -> bool:
    """Return whether two folders hold the same run, by their checksums and the files themselves."""
    return bool(sealed(one)) and sealed(one) == sealed(other) and is_whole(one) and is_whole(other)


def is_whole(folder: Path) -> bool:
    """Return whether every file of a run is what was written."""
    sums = sealed(folder)
    return bool(sums) and all(
        (folder / name).is_file() and file_hash(folder / name) == digest for name, digest in sums.items()
    )


def is_repeated(fresh: Path, current: Path, evidence: Evidence | None) -> bool:
    """Return whether a run that was just written says the same as the one in force, which is whole.

    Where the results lie, the comments of a study and the version of Python stand in the evidence and alter
    nothing: a run that differs in them alone is the same.
    """
    if not is_whole(current):
        return False
    new, old = (dict(sealed(folder)) for folder in (fresh, current))
    digests = new.pop(EVIDENCE, ""), old.pop(EVIDENCE, "")
    if new != old:
        return False
    if digests[0] == digests[1] or evidence is None:
        return True
    try:
        return not differences(read_evidence(current), evidence)
    except UnusableInputError:
        return False


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
    facts = {"schema": SCHEMA, "study": evidence.study, "year": evidence.year}
    facts |= {"by": evidence.fingerprint, "reasons": reasons(current, evidence)}
    text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    earlier = _replaced(current)
    if earlier and _same_files(earlier[-1], current):
        kept = earlier[-1]
        with written(kept / SUPERSEDED) as fresh:  # what comes now may differ in something else
            fresh.write_text(text, encoding="utf-8", newline="\n")
        return kept
    last = max((int(folder.name.partition(".")[2]) for folder in earlier), default=0)
    kept = current.with_name(f"{current.name}.{last + 1}")
    with whole_folder(kept) as room:
        for name in RUN.files:
            if (current / name).is_file():
                shutil.copy2(current / name, room / name)
        (room / SUPERSEDED).write_text(text, encoding="utf-8", newline="\n")
    return kept


def drop_copy(current: Path) -> None:
    """Remove a copy of the run in force, or half of one, that a command which died had made."""
    earlier = _replaced(current)
    if earlier and _same_files(earlier[-1], current) and same_run(earlier[-1], current):
        remove_folder(earlier[-1])
        earlier.pop()
    for folder in (current.with_name(f"{current.name}.{len(earlier) + 1}"), *earlier[-1:]):
        clear_beside(folder)


def kept_by(current: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return the name of the run that the one in a folder replaced, and what differs; empty where none."""
    number = current.name.partition(".")[2]
    before = _replaced(current.with_name(current.name.partition(".")[0]))
    if number:
        before = [folder for folder in before if int(folder.name.partition(".")[2]) < int(number)]
    if not before:
        return "", []
    try:
        facts = json.loads((before[-1] / SUPERSEDED).read_bytes())
        return before[-1].name, list(facts["reasons"])
    except (OSError, ValueError, KeyError, TypeError):
        return before[-1].name, []


def _replaced(current: Path) -> list[Path]:
    """List the runs that were replaced in a year, in order."""
    return [
        folder for folder in run_folders(current.parent, int(current.name)) if folder.name != current.name
    ]


def _same_files(one: Path, other: Path) -> bool:
    """Return whether two folders hold the same files of a run, also where these are damaged."""
    return all(
        (one / name).is_file() == (other / name).is_file()
        and (not (one / name).is_file() or file_hash(one / name) == file_hash(other / name))
        for name in RUN.files
    )


def reasons(current: Path, evidence: Evidence) -> list[dict[str, Any]]:
    """Return what differs between a run in force and the one that comes: method, software, study, inputs.

    Where nothing differs, a file of the run in force is damaged or was changed by hand, or the figures of the
    same inputs are others.
    """
    sums = sealed(current)
    damaged = [
        {"what": "file", "name": name, "before": digest, "after": _digest(current / name)}
        for name, digest in sums.items()
        if _digest(current / name) != digest
    ]
    try:
        found = differences(read_evidence(current), evidence)
    except UnusableInputError:
        found = [{"what": "evidence", "name": "", "before": "", "after": ""}]
    return [*damaged, *found] or [{"what": "results", "name": "", "before": "", "after": ""}]


def _digest(path: Path) -> str:
    return file_hash(path) if path.is_file() else ""


def differences(old: Evidence, new: Evidence) -> list[dict[str, Any]]:
    """Return what two runs were made of differently, as rows of what, name, before and after.

    ``what`` is method, software, study, standard or input; ``name`` the keys of the study, the targets and
    services of the standard, or the file.
    """
    rows = [
        {"what": what, "name": name, "before": before, "after": after}
        for what, name, before, after in (
            ("method", "", old.method_version, new.method_version),
            ("software", "", old.software, new.software),
            ("study", _keys(old, new), old.declared_key, new.declared_key),
            ("standard", _parts(old, new), old.standard_key, new.standard_key),
        )
        if before != after
    ]
    mine, theirs = old.hashes, new.hashes
    if bool(old.files) != bool(new.files):  # one of an earlier version knows the files of the year alone
        mine, theirs = ({one.path: one.sha256 for one in part.inputs} for part in (old, new))
    for name in sorted(mine.keys() | theirs.keys()):
        sides = mine.get(name, ""), theirs.get(name, "")
        if sides[0] != sides[1]:
            rows.append({"what": "input", "name": name, "before": sides[0], "after": sides[1]})
    return rows


def _keys(old: Evidence, new: Evidence) -> str:
    """Name the keys of a study that are not what they were."""
    return _unlike(declared_facts(old.declared), declared_facts(new.declared))


def _parts(old: Evidence, new: Evidence) -> str:
    """Name the targets and services of a standard that are not what they were."""
    return _unlike(*(_by_id(part.standard) for part in (old, new)))


def _unlike(one: dict[str, Any], other: dict[str, Any]) -> str:
    return ", ".join(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)))


def _by_id(standard: dict[str, Any]) -> dict[str, Any]:
    """Lay a standard out by the ids of its targets and services, beside its other keys."""
    plain = {name: value for name, value in standard.items() if not isinstance(value, list)}
    for value in standard.values():
        if isinstance(value, list):
            plain |= {str(one["id"]): one for one in value if isinstance(one, dict) and "id" in one}
    return plain
