"""Convert the errors that pydantic finds in a document into faults: file, key, value, reason, remedy."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from lifecircle.errors import Fault, Message, say
from lifecircle.standards._conflicts import CONFLICT, nearest

_SHOWN = 60  # characters of a value in a message
_MOST = 200  # faults that are listed

_TABLE = (say("not a table"), say("write a table: {{ key = value }}"))
_LIST = (say("not a list"), say("write a list: [ ... ]"))

_WANTED = {
    "bool": (say("not true or false"), say("write true or false")),
    "date": (say("not a date"), say("write a date")),
    "dict": _TABLE,
    "finite": (say("not a finite number"), say("give a finite number")),
    "float": (say("not a number"), say("give a number")),
    "int": (say("not a whole number"), say("give a whole number")),
    "list": _LIST,
    "mapping": _TABLE,
    "model": _TABLE,
    "string": (say("not text"), say('write text in quotes: "..."')),
    "tuple": _LIST,
}


def _bounds(kind: str, context: Mapping[str, Any]) -> tuple[Message, Message] | None:
    """Return reason and remedy of a value outside its bounds, None for another kind of error."""
    name = {
        "greater_than": "gt",
        "greater_than_equal": "ge",
        "less_than": "lt",
        "less_than_equal": "le",
        "string_pattern_mismatch": "pattern",
        "too_short": "min_length",
    }.get(kind)
    limit = _plain(context.get(name)) if name else ""
    made = {
        "greater_than": (
            say("should be greater than {limit}", limit=limit),
            say("give more than {limit}", limit=limit),
        ),
        "greater_than_equal": (
            say("should be greater than or equal to {limit}", limit=limit),
            say("give {limit} or more", limit=limit),
        ),
        "less_than": (
            say("should be less than {limit}", limit=limit),
            say("give less than {limit}", limit=limit),
        ),
        "less_than_equal": (
            say("should be less than or equal to {limit}", limit=limit),
            say("give {limit} or less", limit=limit),
        ),
        "string_pattern_mismatch": (
            say("not in the form expected"),
            say("write it in the form {limit}", limit=limit),
        ),
        "too_short": (say("too few entries"), say("give at least {limit}", limit=limit)),
    }
    return made.get(kind)


def faults_of(
    errors: Iterable[Mapping[str, Any]], *, file: str, document: object, model: object
) -> list[Fault]:
    """Return the errors of a validation as faults, one for each key.

    Parameters
    ----------
    errors : the result of ``ValidationError.errors()``
    document : the document as read; its tables are named by their ids
    model : the model, or union of models, that the document was checked against

    Returns
    -------
    faults : in the order of the errors
    """
    by_key: dict[tuple[str, str], Fault] = {}
    listed = list(errors)
    for error in listed[:_MOST]:
        place = _place(error, document)
        reason, remedy = _words(error, model)
        # A key of several possible types fails once for each of them, which is one fault.
        key = (place, reason if error["type"] == CONFLICT else "")
        by_key.setdefault(key, Fault(file, place, _found(error), reason, remedy))
    found = list(by_key.values())
    if len(listed) > _MOST:
        # Each is compared with every key there is: a file of another program would take minutes.
        reason = say(
            "{count} more {count:fault, which is|faults, which are} not listed", count=len(listed) - _MOST
        )
        found.append(Fault(file, "", "", reason, say("is this the file that is meant?")))
    return found


def meant_key(model: object, loc: Iterable[str | int]) -> str | None:
    """Return the known key that a mistyped key most resembles, None where none is near.

    Parameters
    ----------
    model : the model, or union of models, of the document
    loc : location of the mistyped key, from the outermost table on

    Returns
    -------
    key : a key that the model has at this location

    >>> from lifecircle.standards import Standard
    >>> meant_key(Standard, ("servises_from",))
    'services_from'
    """
    *place, name = loc
    near = difflib.get_close_matches(str(name), _keys(_types_at(model, place)), n=1, cutoff=0.6)
    return near[0] if near else None


def _path(loc: Iterable[str | int], document: object) -> list[tuple[str | int, object]]:
    """Return a location as far as the document has it, without pydantic's names of union members."""
    path: list[tuple[str | int, object]] = []
    here = document
    for part in loc:
        inside = (isinstance(part, int) and isinstance(here, (list, tuple)) and part < len(here)) or (
            isinstance(here, Mapping) and part in here
        )
        if inside:
            here = here[part]  # type: ignore[index]  # part is an index of here, as was just seen
            path.append((part, here))
    return path


def _place(error: Mapping[str, Any], document: object) -> str:
    path = _path(error["loc"], document)
    place = ""
    for part, value in path:
        if isinstance(part, int):
            name = value.get("id") if isinstance(value, Mapping) else None
            place += f"[{part + 1}]" + (f" {name!r}" if isinstance(name, str) else "")
        else:
            place += f".{part}" if place else part
    if error["type"] == "missing":
        place += f".{error['loc'][-1]}" if place else str(error["loc"][-1])
    elif error["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        place += ".kind" if place else "kind"
    elif error["type"] == CONFLICT and (not path or path[-1][0] != error["loc"][-1]):
        place += f".{error['loc'][-1]}" if place else str(error["loc"][-1])
    single = place and not set(".[") & set(place)
    return f"key {place!r}" if single else place


def _words(error: Mapping[str, Any], model: object) -> tuple[str, str]:  # noqa: PLR0911  # one return per kind
    """Return reason and remedy of an error."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == CONFLICT:
        return context["reason"], context["remedy"]
    if kind == "extra_forbidden":
        return say("unknown key"), nearest(error["loc"][-1], _keys(_types_at(model, error["loc"][:-1])))
    if kind == "missing":
        return say("missing key"), say("add {name} = ...", name=error["loc"][-1])
    if kind == "literal_error":
        allowed = _unquoted(context["expected"])
        return say("not one of the words allowed"), nearest(error["input"], allowed)
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        kinds = [tag for one in _types_at(model, error["loc"]) for tag in _tags(one)]
        reason = say("missing key") if kind == "union_tag_not_found" else say("unknown kind")
        return reason, nearest(context.get("tag", ""), kinds)
    if (bounds := _bounds(kind, context)) is not None:
        return bounds
    # A check of our own raises what it has to say; pydantic hands the error back as it was raised.
    own = context.get("error")
    if isinstance(own, ValueError) and own.args:
        return own.args[0], _remedy_of(own)
    # The last resort: a fault of pydantic without words of ours is still reported, in English.
    message = str(context.get("message", error["msg"])).removeprefix("Value error, ")
    wanted = _WANTED.get(kind.split("_")[0])
    if wanted is not None:
        return wanted
    return say("not accepted: {message}", message=_lowered(message)), say("correct this value")


def _remedy_of(error: ValueError) -> str:
    return error.args[1] if len(error.args) > 1 else say("correct this value")


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _unquoted(expected: str) -> list[str]:
    """Split the words of "'a', 'b' or 'c'"."""
    return [part for part in expected.split("'")[1::2] if part]


def _plain(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _found(error: Mapping[str, Any]) -> str:
    """Return the value at the location of an error, empty where there is none."""
    if error["type"] in {"missing", "union_tag_not_found"}:
        return ""
    value = error["ctx"]["tag"] if error["type"] == "union_tag_invalid" else error["input"]
    text = _plain(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _types_at(model: object, loc: Iterable[str | int]) -> list[object]:
    """List the types that a location of a document of this model may have."""
    here = list(_members(model))
    for part in loc:
        inner = [member for one in here for member in _inside(one, part)]
        # A part that leads nowhere is pydantic's name of a union member: keep the member it names.
        here = inner or [one for one in here if part in _tags(one)] or here
    return here


def _keys(types_here: Iterable[object]) -> list[str]:
    return sorted({key for one in types_here for key in _own_keys(one)})


def _members(annotation: object) -> Iterator[object]:
    """Flatten unions and annotations into the types they are made of."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _inside(annotation: object, part: str | int) -> Iterator[object]:
    """Yield the types found one step into a type."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in {tuple, list} and isinstance(part, int):
        yield from _members(args[0])
    elif origin is dict:
        yield from _members(args[1])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part == (field.alias or name):
                yield from _members(field.annotation)


def _own_keys(annotation: object) -> list[str]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _tags(annotation: object) -> list[str]:
    """List the kinds that a model, or the members of a union, have."""
    found: list[str] = []
    for one in _members(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel) and "kind" in one.model_fields:
            kind = one.model_fields["kind"].annotation
            found += get_args(kind) if get_origin(kind) is Literal else ()
    return found
