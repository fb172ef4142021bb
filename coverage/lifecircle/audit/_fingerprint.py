"""The fingerprint of a run: one hash of all it follows from, so that a kept run is known to be current.

In it are the study as declared, the standard in force, the content of every file of the year and of the year
before, and the version of the method. Left out is what alters no file of a run: where candidates may stand,
how maps look, and the year that a study has when none is asked for.
"""

from __future__ import annotations

import dataclasses
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lifecircle.errors import UnusableInputError
from lifecircle.files import content_key
from lifecircle.findings import METHOD_VERSION, SCHEMA
from lifecircle.tables import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifecircle.study import Study, YearlyFile

_NOT_OF_A_RUN = frozenset({"folder", "standard", "standard_path", "year", "siting", "atlas", "snapshots"})
_LATER = frozenset({"crosswalk"})
"""Parts that came later: a run of a study without them is still current."""
_NOT_OF_A_RUN_IN_PUBLISH = frozenset({"mask", "min_people"})


def fingerprint(study: Study, year: int) -> str:
    """Hash all that a study's run for a year follows from; a file that is not there counts as that.

    Returns
    -------
    fingerprint : 64 hexadecimal digits; equal wherever the study's folder lies
    """
    facts = {
        "method": [METHOD_VERSION, SCHEMA, version("lifecircle")],
        "year": year,
        "study": _declared(study),
        "standard": study.standard.model_dump(mode="json", by_alias=True),
        "files": _contents(study, year),
    }
    return content_key(json.dumps(facts, sort_keys=True, ensure_ascii=False))


def _declared(study: Study) -> dict[str, Any]:
    """Return what a study declares, as far as it alters a run; a new key of a study is in by itself."""
    facts = {
        field.name: _plain(getattr(study, field.name))
        for field in dataclasses.fields(study)
        if field.name not in _NOT_OF_A_RUN
        and not (field.name in _LATER and getattr(study, field.name) is None)
    }
    facts["publish"] = {
        name: value for name, value in facts["publish"].items() if name not in _NOT_OF_A_RUN_IN_PUBLISH
    }
    return facts


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _contents(study: Study, year: int) -> dict[str, str]:
    """Hash every file of a year and of the one before, which the change is counted from."""
    found: dict[str, str] = {}
    hashes: dict[Path, str] = {}
    for file in yearly_files(study):
        for one in (year, year - 1):
            try:
                path = study.path_in(file, one)
            except UnusableInputError:
                continue
            name = study.name_of(path)
            if path not in hashes:
                hashes[path] = _content(path)
            found[f"{one} {json.dumps(file, sort_keys=True)} {name}"] = hashes[path]
    return found


def _content(path: Path) -> str:
    if (kept := snapshot_of(path)) is not None:
        return kept.digest
    try:
        return content_key(path)
    except (OSError, ValueError):  # a name with a zero byte is a ValueError; whoever reads it reports it
        return ""


def yearly_files(study: Study) -> Iterator[YearlyFile]:
    """Return every file a run may read: those under the key ``file`` of any part, and files beside them."""
    for field in dataclasses.fields(study):
        if field.name in _NOT_OF_A_RUN:
            continue
        value = getattr(study, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            for key in ("file", "entrances", "merge"):
                file = getattr(part, key, None)
                if file is not None:
                    yield file
    yield from study.side_files
    if study.villages is not None:
        yield from study.villages.accepted.values()
