"""What is said of a command while it runs: progress, the log as text or as JSON, and a profile of its time.

A log is kept and sent on: it holds no password, and no path of this computer outside the study.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import click

    from lifecircle.errors import Fault
    from lifecircle.findings import Language
    from lifecircle.stages import Stage

_log = logging.getLogger(__name__)

_LONGEST: Final = 500
_SLOWEST: Final = 5
PROFILE_MARK: Final = b"lifecircle/"
"""Bytes that every profile of a command holds: the names of the package's own files."""


class LogLine(logging.Formatter):
    """Puts a message of the log in one line, without the passwords it may hold."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging has it
        """Put the message in one line; a traceback, asked for by -v, follows line by line."""
        from lifecircle.wording import one_line

        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as logging has it
        """Return a traceback without passwords: a database quotes its address in what it raises."""
        from lifecircle.wording import one_line

        lines = super().formatException(ei).splitlines()
        return "\n".join(line[: len(line) - len(line.lstrip())] + one_line(line) for line in lines)


class JsonLine(logging.Formatter):
    """Puts a message of the log in one line of JSON: time, level, event, and what belongs to the event.

    ``places`` : folders of this computer -> what is written in their stead.
    """

    def __init__(self, places: dict[str, str] | None = None) -> None:
        super().__init__()
        self.places = places or {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; keys stand in a fixed order, and those of the event follow."""
        event = getattr(record, "event", "message")
        facts: dict[str, Any] = dict(getattr(record, "facts", {}))
        if event == "message":
            facts["message"] = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            facts["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": event,
            **{name: self._plain(value) for name, value in facts.items()},
        }
        return json.dumps(line, ensure_ascii=False)

    def _plain(self, value: Any) -> Any:
        """Return a value without passwords and without the folders of who runs the command."""
        from lifecircle.wording import one_line

        if not isinstance(value, str):
            return value
        for folder, name in self.places.items():
            value = value.replace(folder, name)
        return one_line(value, _LONGEST)


def places_of(study: Path | None) -> dict[str, str]:
    """Return which folders are written in another way: the study, where the command runs, the user's own.

    Parameters
    ----------
    study : the folder or file that the command is given
    """
    places: dict[str, str] = {}
    if study is not None:
        folder = study if study.is_dir() else study.parent
        places |= {str(one): "STUDY" for one in (folder.resolve(), folder.absolute()) if one != one.parent}
    for own, name in ((Path.cwd(), "."), (_home(), "~")):
        if own is not None and own != own.parent:
            places.setdefault(str(own), name)
    return dict(sorted(places.items(), key=lambda one: -len(one[0])))


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


@dataclass
class CommandLog:
    """How one command is observed: ``as_json`` its log, ``profile`` the file of a profile, if any."""

    as_json: bool = False
    profile: Path | None = None
    stages: Sequence[Stage] = ()
    formatter: JsonLine | None = None

    def event(self, name: str, level: int = logging.INFO, **facts: Any) -> None:
        """Log an event of the command itself, which a log in text does not show."""
        if self.as_json:
            _log.log(level, "%s", name, extra={"event": name, "facts": facts})

    def faults(self, faults: Sequence[Fault], language: Language) -> None:
        """Log faults, one line each, with their parts."""
        from lifecircle.wording import place_text, translate

        for one in faults:
            self.event(
                "fault",
                logging.ERROR,
                file=place_text(one.file, language),
                place=place_text(one.place, language),
                value=one.value[:80],
                reason=translate(one.reason, language),
                remedy=translate(one.remedy, language),
            )


def set_up_log(ctx: click.Context) -> None:
    """Send the log to the error stream in the form asked for, and remember how the command is observed."""
    verbose = ctx.params.get("verbose", False)
    kept = CommandLog(ctx.params.get("log_format") == "json", ctx.params.get("profile"))
    handler = logging.StreamHandler(sys.stderr)
    if kept.as_json:
        kept.formatter = JsonLine(places_of(None))
        handler.setFormatter(kept.formatter)
    else:
        handler.setFormatter(LogLine("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    if kept.as_json:
        logging.getLogger("lifecircle").setLevel(logging.INFO)
    ctx.meta["lifecircle.log"] = kept


def command_log(ctx: click.Context | None) -> CommandLog:
    """Return how a command is observed; not at all where nothing was set up."""
    found = None if ctx is None else ctx.meta.get("lifecircle.log")
    return found if isinstance(found, CommandLog) else CommandLog()


@contextmanager
def observed(ctx: click.Context) -> Iterator[None]:
    """Log how a command ended."""
    kept, begun, status = command_log(ctx), monotonic(), 70
    try:
        yield
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
        raise
    except Exception as error:
        status = int(getattr(error, "exit_code", 2))
        raise
    finally:
        kept.event("end", **_end_facts(ctx, status, monotonic() - begun))


def _end_facts(ctx: click.Context, status: int, seconds: float) -> dict[str, Any]:
    from importlib.metadata import version

    from lifecircle.stages import peak_mb

    peak = peak_mb()
    return {
        "command": ctx.invoked_subcommand or "",
        "status": status,
        "seconds": round(seconds, 3),
        "peak_mb": None if peak is None else round(peak),
        "version": version("lifecircle"),
    }


@contextmanager
def profiled(kept: CommandLog) -> Iterator[None]:
    """Measure where the time of a block goes, write it to a file, and name what took longest."""
    if kept.profile is None:
        yield
        return
    import cProfile

    from lifecircle.files import check_file

    check_file(kept.profile, PROFILE_MARK)
    measured = cProfile.Profile()
    try:
        measured.enable()
        yield
    finally:
        measured.disable()
        _write_profile(measured, kept)


def _write_profile(measured: Any, kept: CommandLog) -> None:
    import pstats

    from lifecircle.cli._printing import print_line, print_text
    from lifecircle.errors import system_errors
    from lifecircle.files import written

    path = kept.profile
    if path is None:
        return
    stats = pstats.Stats(measured)
    stats.stats = _without_folders(stats.stats)  # type: ignore[attr-defined]  # the table of pstats itself
    with system_errors(path), written(path) as fresh:
        stats.dump_stats(fresh)
    slowest = sorted(kept.stages, key=lambda one: -one.seconds)[:_SLOWEST]
    total = sum(one.seconds for one in kept.stages)
    if kept.as_json:
        kept.event("profile", file=path.name, slowest=[one.plain for one in slowest])
        return
    for one in slowest:
        print_text(f"{one.seconds:9.3f} s {one.seconds / total if total else 0:4.0%}  {one.name}", err=True)
    print_line(f"profile: {path.name} (python -m pstats)", err=True)


def _without_folders(table: dict[Any, Any]) -> dict[Any, Any]:
    """Name files of code from their package on: a profile shows no folder of this computer."""
    roots = sorted({str(Path(one).resolve()) for one in sys.path if one}, key=len, reverse=True)

    def short(key: tuple[str, int, str]) -> tuple[str, int, str]:
        """Cut the folder of a package off."""
        root = next((one for one in roots if key[0].startswith(f"{one}/")), None)
        name = key[0][len(root) + 1 :] if root else key[0]
        return Path(name).name if name.startswith("/") else name, key[1], key[2]

    found: dict[Any, Any] = {}
    for key, (calls, primitive, own, whole, callers) in table.items():
        named = {short(one): value for one, value in callers.items()}
        found[short(key)] = (calls, primitive, own, whole, named)
    return found


@contextmanager
def progress_line(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show the current step on the error stream, nothing where it is not a terminal; time every step."""
    import click
    from rich.console import Console

    from lifecircle.stages import Stages

    observed = command_log(click.get_current_context(silent=True))
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    with ExitStack() as shown:
        show: Callable[[str], None] = logging.getLogger(__name__).info
        if observed.as_json:
            show = _nothing  # every stage is an event of its own when it ends
        elif not quiet and console.is_terminal:
            status = shown.enter_context(console.status("starting"))
            shown.enter_context(_shown(status.update))
            show = status.update
        stages = Stages(show)
        try:
            yield stages
        finally:
            observed.stages = (*observed.stages, *stages.end())


def _nothing(_: str) -> None:
    """Show nothing."""


@contextmanager
def _shown(show: Callable[[str], None]) -> Iterator[None]:
    """Show what rooms below say they are doing, such as compiling, on the progress line."""
    from lifecircle.stages import listening

    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: show(record.getMessage())  # type: ignore[method-assign]  # all a handler is
    with listening("lifecircle.reach", handler):
        yield
