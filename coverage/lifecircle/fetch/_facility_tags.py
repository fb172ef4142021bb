"""Look up which tags of OpenStreetMap are fetched as facilities, and which service they give."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Tag:
    """Objects with one of the values of a key, and of ``also``, and no word of ``not_named`` in the name."""

    key: str
    values: tuple[str, ...]
    service: str
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_named: tuple[str, ...] = ()


def _read() -> tuple[Tag, ...]:
    document = tomllib.loads(files(__package__).joinpath("osm_tags.toml").read_text("utf-8"))
    return tuple(
        Tag(
            key=one["key"],
            values=tuple(one["values"]),
            service=one["service"],
            also={key: tuple(values) for key, values in one.get("also", {}).items()},
            not_named=tuple(one.get("not_named", ())),
        )
        for one in document["tag"]
    )


TAGS: Final[tuple[Tag, ...]] = _read()


def wanted_tags() -> dict[str, list[str]]:
    """Return the tags to ask for, as OSMnx takes them: key -> values.

    >>> wanted_tags()["tourism"]
    ['museum']
    """
    found: dict[str, list[str]] = {}
    for tag in TAGS:
        values = found.setdefault(tag.key, [])
        values += [value for value in tag.values if value not in values]
    return found


def service_of(tags: Mapping[str, Any]) -> str:
    """Return the service of an object by its tags, empty where they give none.

    Parameters
    ----------
    tags : key -> value; several values of a key stand between semicolons

    Returns
    -------
    service : an id, or the word of OpenStreetMap

    >>> service_of({"amenity": "library"}), service_of({"amenity": "clinic", "name": "爱宠动物诊所"})
    ('library', '')
    """
    name = str(tags.get("name", "")).casefold()
    for tag in TAGS:
        needed = {tag.key: tag.values, **tag.also}
        if all(_has(tags.get(key), values) for key, values in needed.items()):
            return "" if any(word in name for word in tag.not_named) else tag.service
    return ""


def _has(cell: object, values: tuple[str, ...]) -> bool:
    return isinstance(cell, str) and bool({part.strip() for part in cell.split(";")} & set(values))
