"""Load compiled loops, store them on disk and call them; not what they compute.

Importing this module does not import numba; using it does.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import logging
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lifecircle.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)

_KERNEL: dict[str, Any] = {"nogil": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
_PART: dict[str, Any] = {**_KERNEL, "no_cpython_wrapper": True}
"""Options by which numba compiles. Nothing here is called from C, and parts are not called from Python: what
would let them be takes as long to compile as they do. A division by zero gives inf, as in numpy."""


_LOOK_S = 0.01
"""Seconds between two looks for a loop that is compiled by another process."""


def compiled(module: str) -> ModuleType:
    """Import a module of compiled loops by its full name, and numba with it.

    Parameters
    ----------
    module : full name, such as ``lifecircle.reach._kernels``

    Returns
    -------
    module : the module

    Raises
    ------
    MissingExtraError
        When numba is not installed.
    """
    try:
        with _without("coverage"):
            import numba  # noqa: F401, PLC0415 - optional, and 0.3 s: only who searches with it pays for it
    except ModuleNotFoundError as error:
        raise MissingExtraError("numba", "fast") from error
    return importlib.import_module(module)


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Let an import look in vain for a module that nobody has imported so far.

    numba loads coverage.py, where it is installed, in case it measures this process. That takes a third of
    the time of loading numba; who measures has imported it before.
    """
    if module in sys.modules:
        yield
        return
    loaded: dict[str, Any] = sys.modules
    loaded[module] = None  # Python then says that there is no such module
    try:
        yield
    finally:
        if loaded.get(module) is None:
            del loaded[module]


def is_loaded(module: str) -> bool:
    """Return whether this process has already loaded a module of compiled loops.

    Parameters
    ----------
    module : full name, as for :func:`compiled`

    Returns
    -------
    loaded : bool

    >>> is_loaded("lifecircle.no_such_module")
    False
    """
    return module in sys.modules


def loads(module: str) -> bool:
    """Load a module of compiled loops and return whether that worked; a broken numba counts as missing.

    Parameters
    ----------
    module : full name, as for :func:`compiled`

    Returns
    -------
    worked : bool

    >>> loads("lifecircle.no_such_module")
    False
    """
    if importlib.util.find_spec("numba") is None:
        return False
    try:
        compiled(module)
    except ImportError as error:
        _log.info("working without numba, which is installed but does not load: %s", error)
        return False
    return True


def part(function: _Function) -> _Function:
    """Compile a part of a kernel; it is stored on disk inside the kernels that use it.

    Only kernels call it: no entry point from Python is compiled for it.
    """
    from numba import njit  # noqa: PLC0415 - see the module

    return cast("_Function", njit(**_PART)(function))


def kernel(function: _Function) -> _Function:
    """Compile a kernel on first use and store it on disk, if there is a folder for it.

    numba tries ``NUMBA_CACHE_DIR``, ``__pycache__`` beside the kernel's file and the user's cache folder.
    Where none can be written, every process compiles for itself.
    """
    from numba import njit  # noqa: PLC0415 - see the module

    try:
        # numba looks for a folder here already, and fails where it finds none that can be written.
        return cast("_Function", njit(cache=True, **_KERNEL)(function))
    except RuntimeError as error:
        _log.info("compiled code is not kept: %s", error)
        return cast("_Function", njit(**_KERNEL)(function))


def call(kernel: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """Call a kernel, and once more if the compiled code of the first call could not be stored.

    A full disk is noticed only when numba saves, which is after it has compiled the kernel and
    before it runs it.

    Parameters
    ----------
    kernel : a function made by :func:`kernel`
    arguments : its arguments, in order

    Returns
    -------
    answer : of the kernel
    """
    wait_for(kernel)
    if _compiles(kernel):
        _log.info("compiling %s, once on this machine", getattr(kernel, "__name__", "a kernel"))
    try:
        return kernel(*arguments)
    except OSError as error:
        _log.info("compiled code is not kept: %s", error)
        return kernel(*arguments)


def _compiles(kernel: Any) -> bool:
    """Return whether the next call compiles: nothing is loaded and nothing is stored on disk."""
    if getattr(kernel, "signatures", True):
        return False
    folder = kernel.stats.cache_path
    name = kernel.py_func.__qualname__
    return folder is None or not any(Path(folder).glob(f"*.{name}-*.nbi"))


class _Beside:
    """The process that compiles loops beside this one, while there is one."""

    process: subprocess.Popen[bytes] | None = None


def compile_beside(program: str, *, last: tuple[str, str]) -> bool:
    """Let a second process compile loops and store them, while this one does what comes before them.

    :func:`call` then waits for a loop that is not stored yet. The process ends with this one, at the latest.

    Parameters
    ----------
    program : Python statements that compile every loop, in the order in which they are needed
    last : module and name of the loop that is compiled last

    Returns
    -------
    started : bool; false where the loops are stored already, and where a process cannot be started
    """
    if _Beside.process is not None or importlib.util.find_spec("numba") is None:
        return False
    try:
        if _is_stored(*last):  # its folder may be closed to this user
            return False
        _Beside.process = subprocess.Popen(  # noqa: S603 - our own program, by the interpreter that runs this
            [sys.executable, "-P", "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        _log.info("no process to compile beside this one: %s", error)
        return False
    atexit.register(_end_beside)
    _log.info("compiling beside, once on this machine")
    return True


def is_compiling() -> bool:
    """Return whether a process compiles beside this one.

    >>> is_compiling()
    False
    """
    return _Beside.process is not None and _Beside.process.poll() is None


def wait_for(kernel: Any) -> None:
    """Wait until a kernel is stored, as long as a process compiles beside this one.

    Parameters
    ----------
    kernel : a function made by :func:`kernel`
    """
    process = _Beside.process
    if process is None or getattr(kernel, "signatures", True) or not kernel.stats.cache_path:
        return
    folder = Path(kernel.stats.cache_path)
    # The code, not its index: numba writes the index first.
    code = f"*.{kernel.py_func.__qualname__}-*.nbc"
    while not any(folder.glob(code)):
        if process.poll() is not None:
            _Beside.process = None
            return
        sleep(_LOOK_S)


def _end_beside() -> None:
    process = _Beside.process
    if process is not None and process.poll() is None:
        process.kill()
        process.wait()


def _is_stored(module: str, name: str) -> bool:
    """Return whether numba has stored a kernel of a module as it is now; numba is not loaded for it."""
    file, codes = _stored_code(module, name)
    return max((one.stat().st_mtime for one in codes), default=0.0) >= file.stat().st_mtime


def note_stored(module: str, name: str) -> None:
    """Note that what is stored of a kernel is of its module as it is now.

    numba goes by what the module holds: a module that was installed again, and is the same, is not compiled
    again, and what is stored of it stays older than it is. The clock alone would then never be right.

    Parameters
    ----------
    module, name : the kernel, which has just been loaded or compiled
    """
    with suppress(OSError):
        for code in sorted(_stored_code(module, name)[1], key=lambda one: one.stat().st_mtime)[-1:]:
            os.utime(code)


def _stored_code(module: str, name: str) -> tuple[Path, list[Path]]:
    """Return the file of a module, and every file in which numba may have stored the code of a kernel."""
    spec = importlib.util.find_spec(module)
    file = Path(spec.origin if spec is not None and spec.origin else "")
    home = os.environ.get("NUMBA_CACHE_DIR")
    users = Path.home() / "Library" / "Caches" if sys.platform == "darwin" else Path.home() / ".cache"
    apart = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or users) / "numba"
    folders = [*apart.glob(f"{file.parent.name}_*"), *([] if home else [file.parent / "__pycache__"])]
    code = f"{file.stem}.{name}-*.py{sys.version_info.major}{sys.version_info.minor}.*.nbc"
    return file, [one for folder in folders for one in folder.glob(code)]
