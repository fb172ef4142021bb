"""The command line: parse, call one library function, print; the one place that prints or exits.

Exit status: 0 done; 1 found (``--strict``); 2 unusable input, usage, or an error of the system; 70 a fault of
this program; 130 interrupted. Every fault is one line, in the language of the study.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from lifecircle.errors import Fault, LifecircleError, UnusableInputError, say, system_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lifecircle.attribution import YearComparison
    from lifecircle.files import Results
    from lifecircle.findings import Findings, Language
    from lifecircle.siting_study import SiteStudy

DONE, FOUND, UNUSABLE, BROKEN, INTERRUPTED = 0, 1, 2, 70, 130

_SELDOM = 500_000  # objects made and kept between two looks for cycles


class _Commands(click.Group):
    """The commands, whose errors end in lines and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; print what it raises in the language of the study named on the command line."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
            raise
        except Exception as error:  # the one place where every error ends
            language = _language(ctx.obj)
            status = UNUSABLE
            if (faults := _faults_of(error)) is None:
                status, faults = BROKEN, [_own_fault(error)]
                if logging.getLogger().isEnabledFor(logging.INFO):
                    logging.getLogger(__name__).exception("where it arose:")
            _print_faults(faults, language)
            ctx.exit(status)


def _faults_of(error: Exception) -> list[Fault] | None:
    """Put an error that is no fault of this program in faults, None for one that is."""
    if isinstance(error, UnusableInputError):
        return list(error.faults)
    if isinstance(error, LifecircleError):
        return [_plain_fault(str(error))]
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
        _say(start + fault_line(fault, language), err=True)


def _language(study: Path | None) -> Language:
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


def _remember(ctx: click.Context, _: click.Parameter, study: Path) -> Path:
    """Keep the study that a command is given, whose language errors are printed in."""
    ctx.find_root().obj = study
    return study


def _say(text: str, *, err: bool = False) -> None:
    """Print a line; a reader who has gone, as in ``| head``, is no reason to stop."""
    stream = sys.stderr if err else sys.stdout  # click would print UTF-8 where the user asks for ASCII
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        _let_go(stream)


def _let_go(stream: Any) -> None:
    """Send what is still to be printed to a closed pipe nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _show(text: str) -> None:
    """Print a line that may hold what stands in a file."""
    from lifecircle.wording import one_line

    _say(one_line(text, _LONGEST_LINE))


_LONGEST_LINE = 4000


class _OneLine(logging.Formatter):
    """Puts a message of the log in one line, without the passwords it may hold."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging has it
        """Put the message in one line; a traceback, asked for by -v, follows as it is."""
        from lifecircle.wording import one_line

        return one_line(super().formatMessage(record))


_STUDY = click.argument("study", type=click.Path(path_type=Path), callback=_remember)
_YEAR = click.option("--year", type=int, help="Year to audit; the study's own where left out.")


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="lifecircle")
@click.option("-v", "--verbose", is_flag=True, help="Say more on the error stream.")
def cli(*, verbose: bool) -> None:
    """Who reaches which public service in N minutes, over real road networks."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


@cli.command()
@_STUDY
@_YEAR
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results instead of STUDY/results.")
@click.option("--strict", is_flag=True, help="Exit with 1 when an assessed target is missed or behind.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the scoreboard.")
def audit(  # noqa: PLR0913 - one parameter an option
    study: Path, year: int | None, out: Path | None, *, strict: bool, quiet: bool, as_json: bool
) -> None:
    """Audit every target of STUDY for a year and write the results to STUDY/results/YEAR."""
    from lifecircle.audit import run_audit

    folder = out or (study if study.is_dir() else study.parent) / "results"
    with _progress(quiet=quiet) as tell:
        findings = run_audit(study, year, out=folder, progress=tell)
    place = folder / str(findings.year)
    if as_json:
        _say((place / "summary.json").read_text("utf-8").rstrip("\n"))
    elif not quiet:
        _print_scoreboard(findings)
        _print_place("results", place, findings.language)
    if strict and any(result.status in {"missed", "behind"} for result in findings.targets):
        raise SystemExit(FOUND)


@cli.command()
@_STUDY
@click.option(
    "--years", help="Years to show, such as 2021,2025 or 2021-2025; the study's and the one before."
)
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of STUDY/maps/ID.html.")
@click.option(
    "--edition",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="The public one holds merged cells and no roads, and keeps small counts back.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of the page; the study's own.")
@click.option("--roads/--no-roads", default=None, help="Put the roads in the page, for trying new venues.")
@click.option("--static", type=click.Path(path_type=Path), help="Folder for a PNG of every circle as well.")
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path),
    help="plan.json of a siting study to show, or its folder; may be repeated.",
)
def atlas(study: Path, years: str | None, **choices: Any) -> None:
    """Draw STUDY's results as one HTML page that opens without a network."""
    from lifecircle.maps import MapOrder, draw_study, years_of
    from lifecircle.study import read_study

    order = MapOrder(years=years_of(years) if years else (), **choices)
    with _progress() as tell:
        paths = draw_study(study, order, progress=tell)
    language = order.language or read_study(study).language
    for path in paths:
        _print_place("map", path, language)


@cli.command()
@_STUDY
@_YEAR
@click.option("--json", "as_json", is_flag=True, help="Print the check as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with a sketch of the places.")
def check(study: Path, year: int | None, html: Path | None, *, as_json: bool) -> None:
    """Check the inputs of STUDY: what is wrong, how much it matters, how to mend it. Changes no file."""
    from lifecircle.doctor import check_study, checkup_page
    from lifecircle.files import check_file, written

    if html is not None:
        check_file(html, b"<!DOCTYPE html>")
    with _progress() as tell:
        found = check_study(study, year, progress=tell)
    if html is not None:
        with written(html) as fresh:
            fresh.write_text(checkup_page(found), "utf-8")
    if as_json:
        import json

        _say(json.dumps(found.plain(), ensure_ascii=False, indent=1))
    else:
        for line in found.lines():
            _show(line)
    if found.found:
        raise SystemExit(FOUND)


@cli.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--study", type=click.Path(exists=True, path_type=Path), help="The study; left out, where RUN says it is."
)
def verify(run: Path, study: Path | None) -> None:
    """Verify the folder RUN: its files, its inputs, the method, and computing it again."""
    from lifecircle.verification import verify_run

    with _progress() as tell:
        found = verify_run(run, study, progress=tell)
    for line in found.lines():
        _show(line)
    if not found.holds:
        raise SystemExit(FOUND)


@cli.command()
@_STUDY
@click.option("--years", help="Years of the plan, such as 2021-2025; all that STUDY has files for.")
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write instead of STUDY/results/yearbook-YEARS."
)
@click.option(
    "--edition",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="The public one keeps small counts back.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of the report; the study's own.")
@click.option("--maps/--no-maps", default=True, show_default=True, help="Put a map of every circle in.")
def report(study: Path, years: str | None, **choices: Any) -> None:
    """Write STUDY's yearly report: a document, and a workbook over all years of the plan."""
    from lifecircle.maps import years_of
    from lifecircle.study import read_study
    from lifecircle.yearbook import YearbookOrder, write_yearbook

    order = YearbookOrder(years=years_of(years) if years else (), **choices)
    with _progress() as tell:
        folder = write_yearbook(study, order, progress=tell)
    _print_place("report", folder, order.language or read_study(study).language)


@cli.command()
@_STUDY
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_YEAR
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write instead of STUDY/results/YEAR-scenario-ID.",
)
def scenario(study: Path, files: tuple[Path, ...], year: int | None, out: Path | None) -> None:
    """Audit STUDY with the changes of each FILE made in order, and tell who wins and who loses."""
    from lifecircle.scenario import FOLDER, run_scenario, summary_lines, write_scenario

    folder = study if study.is_dir() else study.parent
    _check_place(out, folder / "results" / "scenario", FOLDER)
    with _progress() as tell:
        done = run_scenario(study, files, year, progress=tell)
        tell("writing")
        place = out or folder / "results" / f"{done.before.year}-scenario-{done.id}"
        write_scenario(done, place)
    language = done.before.language
    _print_stamp(done.before, language)
    for line in summary_lines(done, language):
        _show(line)
    _print_place("comparison", place, language)


@cli.command()
@_STUDY
@_YEAR
@click.option("--target", required=True, help="Id of a circle target.")
@click.option("--new", type=int, help="How many new sites; left out for full_cover alone.")
@click.option(
    "--candidates", type=click.Path(path_type=Path), help="List of candidates instead of the study's own."
)
@click.option("--objective", default="max_cover", show_default=True, help="What to strive for.")
@click.option("--service", "services", multiple=True, help="Service a new site holds; may be given again.")
@click.option("--budget", type=float, help="What the sites may cost together, 10,000 yuan.")
@click.option("--profile", help="Travel profile to count with, such as walk_aged; the target's own.")
@click.option("--accounting", help="reach, open or network_distance; the target's own.")
@click.option("--why", multiple=True, metavar="ID", help="Print why a candidate is not in the plan.")
@click.option("--explain", is_flag=True, help="Print the reasons: each site, near ties, losers and remedies.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for the solver.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder instead of STUDY/results/YEAR-site-ID.")
def site(
    study: Path,
    year: int | None,
    why: tuple[str, ...],
    out: Path | None,
    *,
    explain: bool,
    **question: Any,
) -> None:
    """Find where new sites in STUDY help a target most, with proof, curve, explanation and remedies."""
    from lifecircle.siting_study import FOLDER, site_study, why_line, write_study

    folder = study if study.is_dir() else study.parent
    _check_place(out, folder / "results" / "site", FOLDER)
    time_limit_s = question.pop("time_limit")
    with _progress() as tell:
        found = site_study(study, year=year, time_limit_s=time_limit_s, progress=tell, **question)
        language = found.scenario.before.language
        told = [why_line(found, label, language) for label in why]
        tell("writing")
        place = out or folder / "results" / f"{found.inputs.year}-site-{found.id}"
        write_study(found, place)
    _print_plan(found, language, explain=explain)
    for line in told:
        _show(line)
    _print_place("plan", place, language)


@cli.command()
@_STUDY
@click.argument("first", metavar="Y1", type=int)
@click.argument("second", metavar="Y2", type=int)
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON and write nothing.")
def compare(study: Path, first: int, second: int, results: Path | None, *, as_json: bool) -> None:
    """Divide the change of every target of STUDY from year Y1 to year Y2 into what it is made of."""
    import json

    from lifecircle.attribution import FOLDER, compare_years, comparison_folder, plain_comparison
    from lifecircle.attribution import write_comparison as write

    place = results or (study if study.is_dir() else study.parent) / "results"
    if not as_json:
        _check_place(place / f"{first}-{second}-change", place, FOLDER)
    with _progress() as tell:
        found = compare_years(study, first, second, results=place, progress=tell)
    if as_json:
        _say(json.dumps(plain_comparison(found), ensure_ascii=False, indent=1, allow_nan=False))
        return
    write(found, comparison_folder(found, place))
    _print_change(found)
    _print_place("comparison", comparison_folder(found, place), found.language)


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Copy the bundled synthetic example to DIRECTORY, audit it and draw its map."""
    from lifecircle.audit import run_audit
    from lifecircle.maps import draw_study
    from lifecircle.study import copy_example

    with _progress() as tell:
        study = copy_example(directory)
        findings = run_audit(study, out=study / "results", progress=tell)
        page, *_ = draw_study(study, progress=tell)
    _print_scoreboard(findings)
    places = {"study": study, "results": study / "results" / str(findings.year), "map": page}
    for name, place in places.items():
        _print_place(name, place, findings.language)


def _check_place(out: Path | None, usual: Path, kind: Results) -> None:
    """Refuse a place that results cannot go to before they are computed; the usual one has its name later."""
    from lifecircle.files import check_folder, check_room

    if out is not None:
        check_folder(out, kind)
    else:
        check_room(usual)


@contextmanager
def _progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show the current step on the error stream; nothing where it is not a terminal."""
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if quiet or not console.is_terminal:
        yield logging.getLogger(__name__).info
        return
    with console.status("starting") as status, _shown(status.update):
        yield status.update


@contextmanager
def _shown(show: Callable[[str], None]) -> Iterator[None]:
    """Show what rooms below say they are doing, such as compiling, on the progress line."""
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: show(record.getMessage())  # type: ignore[method-assign]  # all a handler is
    room = logging.getLogger("lifecircle.reach")
    before = room.level
    room.addHandler(handler)
    room.setLevel(logging.INFO)
    try:
        yield
    finally:
        room.setLevel(before)
        room.removeHandler(handler)


def _print_stamp(findings: Findings, language: Language) -> None:
    from lifecircle.wording import word

    if findings.synthetic:
        _show(word("stamp", "synthetic", language))


def _print_place(name: str, place: Path, language: Language) -> None:
    """Print where something was written."""
    from lifecircle.wording import word

    _show(word("terminal", name, language).format(place=place))


def _print_plan(found: SiteStudy, language: Language, *, explain: bool) -> None:
    """Print what a plan is worth, its sites as a table, and the reasons where they are asked for."""
    from lifecircle.siting_study import note_line, plan_lines, reason_lines, site_table
    from lifecircle.wording import word

    _print_stamp(found.scenario.before, language)
    for line in plan_lines(found, language):
        _show(line)
    heads, rows = site_table(found, language)
    if rows:
        _print_table(heads, rows, right={0, 4, 5})
    for line in reason_lines(found, language) if explain else ():
        _show(line)
    for note in found.notes:
        _show(note_line(note, language))
    if not explain:
        _say(word("terminal_hint", "explain", language))


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: set[int]) -> None:
    """Print a table whose columns line up, also where Chinese characters take two places."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lifecircle.wording import one_line

    # A console takes [square brackets] for markup, and names may hold them.
    console = Console(width=None if sys.stdout.isatty() else 150, markup=False, highlight=False, emoji=False)
    table = Table(box=box.ASCII if console.options.ascii_only else box.SIMPLE_HEAD)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell, 200)) for cell in row))
    with console.capture() as captured:
        console.print(table)
    _say(captured.get().rstrip("\n"))


def _print_scoreboard(findings: Findings) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lifecircle.findings import as_circle, value_text
    from lifecircle.reading import reading_lines
    from lifecircle.report import warning_lines
    from lifecircle.wording import explain, one_line, percent, word

    language = findings.language
    # A console takes [square brackets] for markup, and names may hold them.
    console = Console(width=None if sys.stdout.isatty() else 150, markup=False, highlight=False, emoji=False)
    table = Table(
        title=Text(one_line(f"{findings.name} {findings.year}", 200)),
        title_justify="left",
        box=box.ASCII if console.options.ascii_only else box.HEAVY_HEAD,
    )
    for name in ("id", "target", "value", "goal", "left", "status", "band"):
        side: Literal["left", "right"] = "right" if name in {"value", "goal", "left", "band"} else "left"
        table.add_column(
            word("terminal", name, language), justify=side, no_wrap=name != "target", overflow="fold"
        )
    left_out: dict[str, list[str]] = {}
    order = {"circle": 0, "presence": 1, "capacity": 2, "indicator": 3}
    kind = ""
    for result in sorted(findings.targets, key=lambda one: order[one.target.kind]):
        if result.value is None:
            left_out.setdefault(result.reason, []).append(result.target.name.get(language))
            continue
        if kind and kind != result.target.kind:
            table.add_section()
        kind = result.target.kind
        value, goal = (
            "" if figure is None else value_text(result, figure, language)
            for figure in (result.value, result.target.goal)
        )
        circle = as_circle(result)
        left = "" if circle.count is None else f"{circle.count.uncovered:,.0f}"
        band = " / ".join(percent(circle.band[name]) for name in ("slow", "usual", "fast") if circle.band)
        status = word("status", result.status, language)
        cells = (result.target.id, result.target.name.get(language), value, goal, left, status, band)
        table.add_row(*(Text(one_line(cell, 200)) for cell in cells))
    _print_stamp(findings, language)
    with console.capture() as captured:
        console.print(table)
    _say(captured.get().rstrip("\n"))
    between = "、" if language == "zh" else ", "
    lines = [
        word("terminal", "left_out", language).format(
            reason=explain(reason, language), names=between.join(names)
        )
        for reason, names in left_out.items()
    ]
    if len(findings.rejects):
        lines.append(word("terminal", "rejects", language).format(count=len(findings.rejects)))
    lines += [word("terminal", "warning", language).format(text=text) for text in warning_lines(findings)]
    lines += [f"  {line}" for line in reading_lines(findings.reading, language)]
    for line in lines:
        _show(line)


def _print_change(found: YearComparison) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lifecircle.attribution import board_rows, change_lines
    from lifecircle.wording import one_line, word

    language = found.language
    console = Console(width=None if sys.stdout.isatty() else 150, markup=False, highlight=False, emoji=False)
    table = Table(
        title=Text(one_line(f"{found.name} {found.years[0]}-{found.years[1]}", 200)),
        title_justify="left",
        box=box.ASCII if console.options.ascii_only else box.HEAVY_HEAD,
    )
    heads, rows = board_rows(found, language)
    for at, head in enumerate(heads):
        table.add_column(head, justify="left" if at < 2 else "right", no_wrap=at != 1, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell, 200)) for cell in row))
    if found.synthetic:
        _show(word("stamp", "synthetic", language))
    with console.capture() as captured:
        console.print(table)
    _say(captured.get().rstrip("\n"))
    for line in change_lines(found, language):
        _show(line)


def main() -> None:
    """Run the command line; errors of input end with 2 and their faults, nothing half-written."""
    # A command ends soon and leaves few cycles of objects: looking for them a thousand times, as is usual,
    # takes a tenth of an audit and frees next to nothing. Looking through all that is left at the end takes
    # another tenth; it goes with the process.
    gc.set_threshold(_SELDOM)
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
        _say("interrupted", err=True)
        status = INTERRUPTED
    except SystemExit as end:
        status = end.code
    finally:
        gc.freeze()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go(sys.stdout)
    raise SystemExit(status if isinstance(status, int) else DONE)


if __name__ == "__main__":
    main()
