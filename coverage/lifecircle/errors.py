"""Define the public exceptions; the checks that raise them are elsewhere.

Every error is a :class:`LifecircleError` and also a built-in, so that callers may catch either.
An error about input carries its faults as data: where each one is, the reason and the remedy.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


_FORMS: Final = re.compile(r"\{(\w+):([^{}|]*)\|([^{}|]*)\}")
"""A part of an English text that depends on a count: ``{count:row is|rows are}``."""


class Phrase(str):
    """A text with fields, in which a part such as ``{count:row|rows}`` takes the form of its count.

    The first form stands for one, also for a count that is printed already; the second for all others.

    >>> [Phrase("{n} {n:row is|rows are} left out").format(n=n) for n in (0, 1, "1,000")]
    ['0 rows are left out', '1 row is left out', '1,000 rows are left out']
    """

    __slots__ = ()

    def format(self, *places: object, **values: object) -> str:
        """Fill the fields, as ``str.format`` does."""

        def form(match: re.Match[str]) -> str:
            """Return the form that the count of a part asks for."""
            name, one, more = match.groups()
            value = places[int(name)] if name.isdigit() else values[name]
            return one if value == 1 or value == "1" else more  # noqa: PLR1714 - a set asks for a hash

        # The forms hold no fields: what is put in for one is filled by nothing.
        return _FORMS.sub(form, str(self)).format(*places, **values)


class Message(str):
    """A sentence in English that remembers how it was made, so that it can be printed in another language.

    ``template`` : the sentence with named fields; ``values`` : the contents of the fields. It is an ordinary
    ``str`` everywhere; :func:`lifecircle.wording.translate` finds the other language by the template.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """Fill the template in English."""
        message = super().__new__(cls, Phrase(template).format(**values))
        message.template = template
        message.values = values
        return message

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the template when the message is copied or sent to another process."""
        return (Message, (self.template, dict(self.values)))


def say(template: str, **values: object) -> Message:
    """Return a message of a fault: English now, in the study's language when it is printed.

    Every template used in the package has its Chinese sentence under ``[message]`` in ``wording.toml``.

    Parameters
    ----------
    template : English sentence with named fields
    values : contents of the fields

    Returns
    -------
    message : a ``str`` that can be translated later

    >>> say("no column '{name}'", name="lon")
    "no column 'lon'"
    """
    return Message(template, values)


class Bilingual(str):
    """A text in English that carries the same in Chinese, such as a name from a profile; made by no template.

    >>> Bilingual("village clinic", "村卫生室").zh
    '村卫生室'
    """

    __slots__ = ("zh",)

    zh: str

    def __new__(cls, en: str, zh: str) -> Self:
        """Take both texts; as an ordinary ``str`` it is the English one."""
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Keep both languages when the text is copied or sent to another process."""
        return (Bilingual, (str(self), self.zh))


class LifecircleError(Exception):
    """Root of every error this package raises on purpose."""

    @property
    def of_system(self) -> bool:
        """Whether the system failed: then an input is never passed over as one that is not there."""
        return False


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input, and what to do about it.

    ``file`` is the name people know the source by; ``place`` is the row, column or key inside it;
    ``value`` is the value found there, empty where there is nothing to show. ``of_system`` : the disk or the
    system failed, and the input itself may be right.

    >>> print(Fault("study.toml", "key 'yaer'", "2025", "unknown key", "did you mean 'year'?"))
    study.toml, key 'yaer': unknown key (found: 2025). Remedy: did you mean 'year'?
    """

    file: str
    place: str
    value: str
    reason: str
    remedy: str
    of_system: bool = False

    def __str__(self) -> str:
        """Return the fault in one line."""
        where = ", ".join(part for part in (self.file, self.place) if part)
        found = f" (found: {self.value})" if self.value else ""
        return f"{where}: {self.reason}{found}. Remedy: {self.remedy}"


class UnusableInputError(LifecircleError, ValueError):
    """Input that no result can be computed from, with all its faults together."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @property
    def of_system(self) -> bool:
        """Whether any of the faults is one of the system."""
        return any(fault.of_system for fault in self.faults)


class MissingFileError(UnusableInputError, FileNotFoundError):
    """A file that an input names and that is not there."""


class ProjectionError(LifecircleError, ValueError):
    """A coordinate system that cannot measure metres over the area."""


class GraphError(LifecircleError, ValueError):
    """A network or a query on it that has no answer: weights, sources, limits."""


class ProofError(LifecircleError, ArithmeticError):
    """A figure that was computed in two ways came out differently: this package is at fault."""


class MissingExtraError(LifecircleError, ImportError):
    """An optional package is not installed; the message names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs {package}, which is not installed. Remedy: pip install 'lifecircle[{extra}]'"
        )


class FetchError(LifecircleError, ConnectionError):
    """A download that did not succeed; ``fault`` says why, in every language."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class FaultLog:
    """Collect the faults of several inputs, so that all are reported together.

    >>> faults = FaultLog()
    >>> with faults.catching():
    ...     raise UnusableInputError([Fault("a.csv", "", "", "empty table", "add rows")])
    >>> len(faults.faults)
    1
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add one fault."""
        self.faults.append(fault)

    def catching(self) -> _Catching:
        """Return a context that adds the faults of input, or an error of the system, and goes on."""
        return _Catching(self)

    def raise_any(self) -> None:
        """Raise one error with every fault added so far, if there is any.

        Raises
        ------
        UnusableInputError
            When at least one fault was noted.
        """
        if self.faults:
            raise UnusableInputError(self.faults)


class _Catching:
    def __init__(self, log: FaultLog) -> None:
        self._log = log

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, UnusableInputError):
            self._log.faults.extend(error.faults)
            return True
        if isinstance(error, OSError) and (fault := system_fault(error)) is not None:
            self._log.faults.append(fault)
            return True
        return False


_REASONS: Final = {
    "EACCES": (
        say("the system does not permit it"),
        say("change the rights of the file or folder, or name another"),
    ),
    "EPERM": (
        say("the system does not permit it"),
        say("change the rights of the file or folder, or name another"),
    ),
    "EROFS": (say("the disk can only be read"), say("name a place on another disk")),
    "ENOSPC": (say("the disk is full"), say("make room on the disk, or name a place on another")),
    "EDQUOT": (say("the disk is full"), say("make room on the disk, or name a place on another")),
    "EFBIG": (say("the file would be larger than the system permits"), say("name a place on another disk")),
    "ENAMETOOLONG": (say("the name is too long"), say("use a shorter name")),
    "ENOENT": (say("no such file or folder"), say("check the path")),
    "EISDIR": (say("is a folder, not a file"), say("name a file")),
    "ENOTDIR": (say("is a file, not a folder"), say("name a folder")),
    "ELOOP": (say("links that lead in a circle"), say("name the file itself")),
    "EMFILE": (say("too many files are open"), say("raise the limit of open files (ulimit -n)")),
    "EIO": (say("the disk reports an error"), say("check the disk, and run again")),
    "ETXTBSY": (say("another program has the file open"), say("close the other program, and run again")),
    "EBUSY": (say("another program has the file open"), say("close the other program, and run again")),
    "EXDEV": (
        say("the disk does not move files within this folder"),
        say("name a folder that lies on one disk, or write elsewhere and copy the results"),
    ),
}

_OF_A_NAME: Final = frozenset({"ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"})
"""Errors that say something of the name that was given, and nothing of the disk."""


def system_fault(error: OSError, place: str | Path = "") -> Fault | None:
    """Return an error of the operating system as a fault, None where it has no error number.

    Parameters
    ----------
    error : as Python raised it
    place : file or folder that was read or written, where the error does not name it

    Returns
    -------
    fault : with the reason of the system

    >>> str(system_fault(OSError(28, "No space left on device"), "a.csv").file)
    'a.csv'
    """
    name = errno.errorcode.get(error.errno or 0)
    if name is None:
        return None
    file = error.filename if error.filename is not None else place
    shown = os.fsdecode(file) if isinstance(file, str | bytes | os.PathLike) else str(place)
    if name in _REASONS:
        reason, remedy = _REASONS[name]
        return Fault(shown, "", "", reason, remedy, name not in _OF_A_NAME)
    reason = say("the system reports: {text}", text=os.strerror(error.errno or 0))
    remedy = say("check the file, its folder and the disk, and run again")
    return Fault(shown, "", "", reason, remedy, of_system=True)


def machine_fault(error: BaseException, place: str | Path = "") -> Fault | None:
    """Return what the machine lacks for a moment as a fault, None where an error may be one of the file.

    Parameters
    ----------
    error : as a reader of a file raised it
    place : file that was read, where the error does not name it

    Returns
    -------
    fault : of the system

    >>> machine_fault(OSError(24, "Too many open files"), "a.csv").of_system
    True
    >>> machine_fault(OSError("no end of the stream")), machine_fault(ValueError("no number"))
    (None, None)
    """
    # A seek before the beginning of a file (EINVAL) comes of what stands in the file.
    if not isinstance(error, OSError) or error.errno == errno.EINVAL:
        return None
    fault = system_fault(error, place)
    return fault if fault is not None and fault.of_system else None


@contextmanager
def system_errors(place: str | Path) -> Iterator[None]:
    """Raise errors of the operating system as faults of the place that was read or written.

    Parameters
    ----------
    place : file or folder that is read or written in the block

    Raises
    ------
    UnusableInputError
        In the place of an :class:`OSError`; errors of input pass as they are.
    """
    try:
        yield
    except UnusableInputError:
        raise
    except OSError as error:
        fault = system_fault(error, place)
        if fault is None:
            raise
        raise UnusableInputError([fault]) from error
