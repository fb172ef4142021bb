"""Load compiled loops, store them on disk and call them; not what they compute.

Importing this module does not import numba; using it does.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from contextlib import contextmanager
from pathlib import Path
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
