"""Read profiles: find the file, read TOML into models, report all faults together."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, machine_fault, say
from lifecircle.standards._conflicts import nearest
from lifecircle.standards._faults import faults_of
from lifecircle.standards._model import Standard, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

_Model = TypeVar("_Model", bound=BaseModel)

_BASE = "services_from"


def shipped_standards() -> tuple[str, ...]:
    """Return the ids of the profiles that come with the package.

    Returns
    -------
    ids : in alphabetical order

    >>> "gb50180" in shipped_standards()
    True
    """
    return tuple(sorted(_shipped()))


def load_standard(use: str | Path, *, folder: str | Path | None = None) -> Standard:
    """Load a profile: one shipped with the package by its id, or a TOML file.

    Parameters
    ----------
    use : id of a shipped profile (capitals do not matter), or a path
    folder : where a relative path starts; the working folder where left out

    Returns
    -------
    standard : services and targets, checked

    Raises
    ------
    MissingFileError
        When a path is given and there is no such file.
    UnusableInputError
        With every fault of the profile, or when no shipped profile has the id.

    >>> load_standard("GB50180").id
    'gb50180'
    """
    return _load(use, Path() if folder is None else Path(folder), ())


def read_toml(path: str | Path, model: type[_Model]) -> _Model:
    """Read a TOML file into a model.

    Parameters
    ----------
    path : the file
    model : class of the model, such as :class:`Standard`

    Returns
    -------
    document : an instance of ``model``

    Raises
    ------
    MissingFileError
        When there is no such file.
    UnusableInputError
        With every fault: file, key, value, reason and remedy (the nearest known key).
    """
    return checked_document(read_document(path), model, file=str(path))


def read_document(path: str | Path) -> dict[str, Any]:
    """Read a TOML file as it is written, unchecked.

    Parameters
    ----------
    path : the file

    Returns
    -------
    document : tables as dicts

    Raises
    ------
    MissingFileError
        When there is no such file.
    UnusableInputError
        It is not text in UTF-8, or not TOML.
    """
    return _document(Path(path), str(path))


def read_target(definition: Mapping[str, Any], *, file: str = "(target)") -> Target:
    """Build a target from its plain form: the result of ``model_dump(mode="json", by_alias=True)``.

    Parameters
    ----------
    definition : keys of one target, with its ``kind``
    file : the name that faults show

    Returns
    -------
    target : of the class of its kind

    Raises
    ------
    UnusableInputError
        With every fault of the definition.

    >>> read_target({"id": "t", "kind": "indicator", "name": "t", "unit": "share"}).unit
    'share'
    """
    try:
        return _target_reader().validate_python(definition)
    except ValidationError as error:
        faults = faults_of(error.errors(), file=file, document=definition, model=Target)
        raise UnusableInputError(faults) from None


@lru_cache(maxsize=1)
def _target_reader() -> TypeAdapter[Target]:
    return TypeAdapter(Target)


def _shipped() -> dict[str, Traversable]:
    folder = resources.files(__package__) / "profiles"
    return {
        entry.name.removesuffix(".toml"): entry for entry in folder.iterdir() if entry.name.endswith(".toml")
    }


def _load(use: str | Path, folder: Path, opened: tuple[str, ...]) -> Standard:
    source, file = _found(use, folder)
    place = str(source.resolve()) if isinstance(source, Path) else file
    # Two profiles that take their services from each other would be read without end.
    if place in opened:
        reason = say("a profile that takes its services from itself, at once or through others")
        raise UnusableInputError([Fault(file, f"key {_BASE!r}", str(use), reason, say("break the ring"))])
    document = _document(source, file)
    document.setdefault("id", _id_from(file))
    # Only services are taken over, never targets: a target belongs to one plan with its date and source.
    base = document.get(_BASE)
    if isinstance(base, str):
        # The faults of the other profile come first: without its services every rule here looks wrong.
        folder = source.parent if isinstance(source, Path) else Path()
        inherited = _load(base, folder, (*opened, place)).services
        own = document.get("service", [])
        if isinstance(own, list):
            document["service"] = [*own, *(service.model_dump(by_alias=True) for service in inherited)]
    return checked_document(document, Standard, file=file)


def _found(use: str | Path, folder: Path) -> tuple[Path | Traversable, str]:
    """Return the file of a profile and its name; a file of that name is used before a shipped id."""
    # A file goes first: a study that keeps a changed copy of a shipped profile means its own.
    path = folder / use
    if path.is_file():
        return path, str(use)
    shipped = _shipped()
    key = str(use).casefold()
    if isinstance(use, str) and key in shipped:
        return shipped[key], shipped[key].name
    known = ", ".join(sorted(shipped))
    if isinstance(use, Path) or key.endswith(".toml") or "/" in key or "\\" in key:
        remedy = say("correct the path, or use a shipped one: {known}", known=known)
        raise MissingFileError([Fault(str(path), "", "", say("no such profile"), remedy)])
    hint = nearest(key, sorted(shipped))
    remedy = (
        say("{hint}; or give a path to a .toml file", hint=hint)
        if known in hint
        else say("{hint} Shipped are {known}; or give a path to a .toml file", hint=hint, known=known)
    )
    raise UnusableInputError([Fault("", "standard", str(use), say("no such shipped standard"), remedy)])


def _id_from(file: str) -> str:
    """Return an id made of a file's name, for a profile without one."""
    return re.sub(r"[^a-z0-9_-]+", "-", Path(file).stem.casefold()).strip("-_") or "standard"


def _document(source: Path | Traversable, file: str) -> dict[str, Any]:
    try:
        text = source.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise MissingFileError([Fault(file, "", "", say("no such file"), say("correct the path"))]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        fault = Fault(file, f"line {line}", "", say("not UTF-8 text"), say("save the file as UTF-8"))
        raise UnusableInputError([fault]) from None
    except OSError as error:
        reason = say("cannot be read: {why}", why=error.strerror)
        fault = machine_fault(error, file) or Fault(file, "", "", reason, say("name a file that can be read"))
        raise UnusableInputError([fault]) from None
    document: dict[str, Any] | None
    try:
        document = tomllib.loads(text)
    except RecursionError:
        document = None
    except tomllib.TOMLDecodeError as error:
        raise UnusableInputError([_broken(str(error), text, file)]) from None
    if document is None or is_too_deep(document):
        fault = Fault(file, "", "", say("nested too deeply to be read"), say("write it with fewer brackets"))
        raise UnusableInputError([fault])
    return document


def is_too_deep(document: object) -> bool:
    """Return whether tables and lists lie in each other deeper than anything that is meant.

    Dotted keys nest without a bracket, and what is so deep ends whoever walks through it later.

    >>> is_too_deep({"a": [{"b": 1}]})
    False
    """
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


_DEEPEST = 50
"""Levels of a document; a study has six."""


def _broken(message: str, text: str, file: str) -> Fault:
    """Return the fault of a TOML text that cannot be read, with its line."""
    lines = text.splitlines()
    at = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    number = int(at[1]) if at and at[1] else len(lines)
    place = f"line {number}" + (f", column {at[2]}" if at and at[2] else "")
    shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    reason = say("broken TOML: {message}", message=message[: at.start()] if at else message)
    return Fault(file, place, shown, reason, say("correct this line or the one before it"))


def checked_document(document: Mapping[str, Any], model: type[_Model], *, file: str) -> _Model:
    """Check a document against its model.

    Parameters
    ----------
    document : as :func:`read_document` returns it
    model : class of the model
    file : the name that faults show

    Returns
    -------
    document : an instance of ``model``

    Raises
    ------
    UnusableInputError
        With every fault: file, key, value, reason and remedy.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = faults_of(error.errors(), file=file, document=document, model=model)
        raise UnusableInputError(faults) from None
