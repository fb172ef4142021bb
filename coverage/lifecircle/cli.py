"""Own the command line: parse, call one library function, print; the one place that prints or exits."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecircle.errors import LifecircleError, UnusableInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifecircle.findings import Findings, Language

DONE, FOUND, UNUSABLE = 0, 1, 2

_SELDOM = 500_000  # objects made and kept between two looks for cycles

_STUDY = click.argument("study", type=click.Path(path_type=Path))
_YEAR = click.option("--year", type=int, help="Year to audit; the study's own where left out.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lifecircle")
@click.option("-v", "--verbose", is_flag=True, help="Say more on the error stream.")
def cli(*, verbose: bool) -> None:
    """Who reaches which public service in N minutes, over real road networks."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(levelname)s %(message)s",
        stream=sys.stderr,
    )


@cli.command()
@_STUDY
@_YEAR
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results instead of STUDY/results.")
@click.option("--strict", is_flag=True, help="Exit with 1 when an assessed target is missed or behind.")
def audit(study: Path, year: int | None, out: Path | None, *, strict: bool) -> None:
    """Audit every target of STUDY for a year and write the results to STUDY/results/YEAR."""
    from lifecircle.audit import run_audit

    folder = study if study.is_dir() else study.parent
    with _progress() as tell:
        findings = run_audit(study, year, out=out or folder / "results", progress=tell)
    _print_scoreboard(findings)
    click.echo(f"results in {(out or folder / 'results') / str(findings.year)}")
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

    order = MapOrder(years=years_of(years) if years else (), **choices)
    with _progress() as tell:
        paths = draw_study(study, order, progress=tell)
    for path in paths:
        click.echo(f"map in {path}")


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
    from lifecircle.scenario import run_scenario, summary_lines, write_scenario
    from lifecircle.wording import word

    folder = study if study.is_dir() else study.parent
    with _progress() as tell:
        done = run_scenario(study, files, year, progress=tell)
        tell("writing")
        place = out or folder / "results" / f"{done.before.year}-scenario-{done.id}"
        write_scenario(done, place)
    language = done.before.language
    _print_stamp(done.before, language)
    for line in summary_lines(done, language):
        click.echo(line)
    click.echo(word("scenario", "written", language).format(place))


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
@click.option("--why", multiple=True, metavar="ID", help="Tell of a candidate why it is not in the plan.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for the solver.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder instead of STUDY/results/YEAR-site-ID.")
def site(study: Path, year: int | None, why: tuple[str, ...], out: Path | None, **question: Any) -> None:
    """Find where new sites in STUDY help a target most, with proof, curve, explanation and remedies."""
    from lifecircle.siting_study import site_study, study_lines, why_line, write_study
    from lifecircle.wording import word

    folder = study if study.is_dir() else study.parent
    time_limit_s = question.pop("time_limit")
    with _progress() as tell:
        found = site_study(study, year=year, time_limit_s=time_limit_s, progress=tell, **question)
        language = found.scenario.before.language
        told = [why_line(found, label, language) for label in why]
        tell("writing")
        place = out or folder / "results" / f"{found.inputs.year}-site-{found.id}"
        write_study(found, place)
    _print_stamp(found.scenario.before, language)
    for line in (*study_lines(found, language), *told):
        click.echo(line)
    click.echo(word("siting", "written", language).format(place))


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Copy the bundled synthetic example to DIRECTORY, audit it and draw its map."""
    from lifecircle.audit import copy_example, run_audit
    from lifecircle.maps import draw_study

    with _progress() as tell:
        study = copy_example(directory)
        findings = run_audit(study, out=study / "results", progress=tell)
        page, *_ = draw_study(study, progress=tell)
    _print_scoreboard(findings)
    click.echo(
        f"a synthetic study is in {study}\nresults in {study / 'results' / str(findings.year)}\nmap in {page}"
    )


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the current step on the error stream; nothing where it is not a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
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
        click.echo(word("stamp", "synthetic", language))


def _print_scoreboard(findings: Findings) -> None:
    from rich.console import Console
    from rich.table import Table

    from lifecircle.wording import explain, percent, word

    table = Table(title=f"{findings.name} {findings.year}", title_justify="left")
    table.add_column("target")
    for name in ("value", "goal", "not covered"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    table.add_column("slow-usual-fast", justify="right")
    left_out: dict[str, list[str]] = {}
    for result in findings.targets:
        if result.status == "not_assessable":
            left_out.setdefault(result.reason, []).append(result.target.id)
            continue
        value, goal = (
            "" if figure is None else percent(figure) for figure in (result.value, result.target.goal)
        )
        left = "" if result.count is None else f"{result.count.uncovered:,.0f}"
        band = " / ".join(percent(result.band.get(name)) for name in ("slow", "usual", "fast"))
        table.add_row(result.target.id, value, goal, left, word("status", result.status, "en"), band)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if findings.synthetic:
        console.print(word("stamp", "synthetic", "en"))
    console.print(table)
    for reason, names in left_out.items():
        console.print(f"not assessable, {explain(reason, 'en')}: {', '.join(names)}")
    if len(findings.rejects):
        console.print(f"{len(findings.rejects)} rows rejected, see rejects.csv")
    for warning in findings.warnings:
        console.print(f"warning: {explain(warning, 'en')}")


def main() -> None:
    """Run the command line; errors of input end with 2 and their faults, nothing half-written."""
    # A command ends soon and leaves few cycles of objects: looking for them a thousand times, as is usual,
    # takes a tenth of an audit and frees next to nothing. Looking through all that is left at the end takes
    # another tenth; it goes with the process.
    gc.set_threshold(_SELDOM)
    try:
        cli.main(standalone_mode=True)
    except UnusableInputError as error:
        for fault in error.faults:
            click.echo(f"error: {fault}", err=True)
        raise SystemExit(UNUSABLE) from None
    except LifecircleError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(UNUSABLE) from None
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
