"""The command group: errors of a command end in lines and an exit status here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lifecircle.cli._command_log import LogLine, command_log, observed, places_of, profiled, set_up_log
from lifecircle.cli._printing import print_line
from lifecircle.errors import Fault, FetchError, LifecircleError, UnusableInputError, say, system_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifecircle.files import Results
    from lifecircle.findings import Language

__all__ = ["LogLine", "cli"]

DONE, FOUND, UNUSABLE, BROKEN, INTERRUPTED = 0, 1, 2, 70, 130


def end_with(status: int) -> NoReturn:
    """End a command with an exit status, what it printed before it.

    Raises
    ------
    SystemExit
        Always.
    """
    raise SystemExit(status)


def refuse_options(reason: str) -> NoReturn:
    """End a command whose options do not go together.

    Raises
    ------
    click.UsageError
        Always.
    """
    raise click.UsageError(reason)


class _Commands(click.Group):
    """The commands, whose errors end in lines and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; print what it raises in the language of the study named on the command line."""
        set_up_log(ctx)
        with observed(ctx):
            try:
                with profiled(command_log(ctx)):
                    return super().invoke(ctx)
            except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
                raise
            except Exception as error:  # noqa: BLE001 - the one place where every error ends
                ctx.exit(_print_error(ctx, error))


def _print_error(ctx: click.Context, error: Exception) -> int:
    """Print an error in lines; gives the exit status."""
    language = _spoken(ctx)
    status = UNUSABLE
    if (faults := _faults_of(error)) is None:
        status, faults = BROKEN, [_own_fault(error)]
        if logging.getLogger().isEnabledFor(logging.INFO):
            logging.getLogger(__name__).error("where it arose:", exc_info=error)
    if command_log(ctx).as_json:
        command_log(ctx).faults(faults, language)
    else:
        _print_faults(faults, language)
    return status


def _faults_of(error: Exception) -> list[Fault] | None:
    """Put an error that is no fault of this program in faults, None for one that is."""
    if isinstance(error, UnusableInputError):
        return list(error.faults)
    if isinstance(error, LifecircleError):
        return [error.fault if isinstance(error, FetchError) else _plain_fault(str(error))]
    if isinstance(error, MemoryError):
        reason, remedy = (
            say("not enough memory"),
            say("close other programs, or use a computer with more memory"),
        )
        return [Fault("", "", "", reason, remedy)]
    if isinstance(error, ValueError) and str(error).startswith("embedded null"):
        return [Fault("", "", "", say("a name of a file holds a zero byte"), say("correct the name"))]
    # A library that writes may hand the error of the system on inside one of its own.
    for one in (error, *error.args, error.__cause__):
        if isinstance(one, OSError) and (fault := system_fault(one)) is not None:
            return [fault]
    return None


def _plain_fault(text: str) -> Fault:
    """Take the remedy of an error apart from what it says."""
    reason, _, remedy = text.partition(" Remedy: ")
    return Fault("", "", "", reason.rstrip("."), remedy)


def _own_fault(error: Exception) -> Fault:
    what = f"{type(error).__name__}: {error}"
    return Fault(
        "",
        "",
        "",
        say("this is a fault of lifecircle itself, not of your data: {what}", what=what),
        say("run lifecircle -v with the same words to see where it arose, and report it"),
    )


def _print_faults(faults: list[Fault], language: Language) -> None:
    from lifecircle.wording import fault_line

    start = "错误：" if language == "zh" else "error: "
    for fault in faults:
        print_line(start + fault_line(fault, language), err=True)


def language_of(study: Path | None) -> Language:
    """Find the language of a study, also of one that cannot be read whole; English where there is none."""
    import re
    import tomllib

    if study is None:
        return "en"
    try:
        path = study / "study.toml" if study.is_dir() else study
        text = path.read_bytes()[:1_000_000].decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return "en"
    try:
        named = tomllib.loads(text).get("language")
    except (ValueError, RecursionError):
        match = re.search(r"""^\s*language\s*=\s*["'](\w+)["']""", text, re.MULTILINE)
        named = match[1] if match else None
    return "en" if named == "en" else "zh"


def _spoken(ctx: click.Context) -> Language:
    """Return the language of a command: that of its study, or the one that a command without one set."""
    said: Path | Language | None = ctx.find_root().obj
    return language_of(said) if said is None or isinstance(said, Path) else said


def language_near(folders: Iterable[Path]) -> Language | None:
    """Find the language of the first study among folders, None where none holds one."""
    return next((language_of(one) for one in folders if (one / "study.toml").is_file()), None)


def remember(ctx: click.Context, _: click.Parameter, study: Path) -> Path:
    """Keep the study that a command is given, whose language errors are printed in."""
    ctx.find_root().obj = study
    if (formatter := command_log(ctx).formatter) is not None:
        formatter.places = places_of(study)
    return study


STUDY = click.argument("study", type=click.Path(path_type=Path), callback=remember)


YEAR = click.option("--year", type=int, help="Year to audit; the study's own where left out.")


RESULTS = click.option(
    "--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results."
)


def check_output(out: Path | None, usual: Path, kind: Results) -> None:
    """Refuse a place that results cannot go to before they are computed; the usual one has its name later."""
    from lifecircle.files import check_folder, check_room

    if out is not None:
        check_folder(out, kind)
    else:
        check_room(usual)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="lifecircle")
@click.option("-v", "--verbose", is_flag=True, help="Say more on the error stream.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the error stream; json: a line for every stage, with seconds and counts.",
)
@click.option(
    "--profile", type=click.Path(path_type=Path), help="File to write where the time of the command went."
)
def cli(**_: Any) -> None:
    """Who reaches which public service in N minutes, over real road networks."""
    # Its options are read where a command begins, before anything of the command can go wrong.
