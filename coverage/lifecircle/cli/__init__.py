"""The command line: parse, call one library function, print; the one place that prints or exits.

Exit status: 0 done; 1 found (``--strict``); 2 unusable input, usage, or an error of the system; 70 a fault of
this program; 130 interrupted. Every fault is one line, in the language of the study.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from lifecircle.cli import (
    _batch_commands,
    _start_commands,
    _study_commands,
    _what_if_commands,
    _yearly_commands,
)
from lifecircle.cli._printing import let_go, print_line
from lifecircle.cli._root import DONE, INTERRUPTED, cli

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["cli", "main"]

_log = logging.getLogger(__name__)

# Importing a module of commands adds them to the group.
_COMMANDS = (_batch_commands, _start_commands, _study_commands, _what_if_commands, _yearly_commands)

_SELDOM = 500_000  # objects made and kept between two looks for cycles


def _note_unraisable(what: UnraisableHookArgs) -> None:
    """Put what fails while an object is thrown away in the log, which -v shows.

    A library whose file could not be written closes it once more when it is thrown away: the error that
    matters was reported by then, and a traceback below it helps nobody.
    """
    _log.info("ignored: %s", f"{what.exc_type.__name__}: {what.exc_value}")


def main() -> None:
    """Run the command line; errors of input end with 2 and their faults, nothing half-written.

    Raises
    ------
    SystemExit
        Always, with the exit status.
    """
    # A command ends soon and leaves few cycles of objects: looking for them a thousand times, as is usual,
    # takes a tenth of an audit and frees next to nothing. Looking through all that is left at the end takes
    # another tenth; it goes with the process.
    gc.set_threshold(_SELDOM)
    # Arrow's own allocator keeps what was freed for each of its threads: 40 MB of the audit of a county.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.unraisablehook = _note_unraisable
    for stream in (sys.stdout, sys.stderr):
        # What a terminal has no character for is printed as its number; it is no reason to end.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # may be replaced
    try:
        status = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print_line("interrupted", err=True)
        status = INTERRUPTED
    except SystemExit as end:
        status = end.code
    finally:
        gc.freeze()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout)
    raise SystemExit(status if isinstance(status, int) else DONE)
