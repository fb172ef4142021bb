"""The commands for one study and year: copy, check, audit, verify, draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecircle.cli._command_log import progress_line
from lifecircle.cli._printing import print_line, print_path, print_scoreboard, print_text
from lifecircle.cli._root import (
    FOUND,
    STUDY,
    YEAR,
    cli,
    end_with,
    language_near,
    language_of,
    refuse_options,
    remember,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.findings import Findings, Language


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Copy the bundled synthetic example to DIRECTORY, audit it and draw its map."""
    from lifecircle.audit import run_audit
    from lifecircle.maps import draw_study
    from lifecircle.study import copy_example

    with progress_line() as report_progress:
        study = copy_example(directory)
        findings = run_audit(study, out=study / "results", progress=report_progress)
        page, *_ = draw_study(study, progress=report_progress)
    print_scoreboard(findings)
    places = {"study": study, "results": study / "results" / str(findings.year), "map": page}
    for name, place in places.items():
        print_path(name, place, findings.language)


@cli.command()
@STUDY
@YEAR
@click.option("--json", "as_json", is_flag=True, help="Print the check as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with a sketch of the places.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Another list of facilities, such as OpenStreetMap's: report what each lacks.",
)
@click.option(
    "--matches",
    type=click.Path(path_type=Path),
    help="With --against: write every row of both lists as csv, matched or in one alone.",
)
@click.option("--fix", is_flag=True, help="Write a mended copy beside STUDY, and check that.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the mended copy, not STUDY-fixed.")
def check(  # noqa: PLR0913 - one parameter an option
    study: Path,
    year: int | None,
    html: Path | None,
    *,
    against: Path | None,
    matches: Path | None,
    out: Path | None,
    as_json: bool,
    fix: bool,
) -> None:
    """Check the inputs of STUDY: what is wrong, how much it matters, how to mend it. Changes no file."""
    from lifecircle.doctor import check_study, checkup_page, mend_study, write_matches
    from lifecircle.files import check_file, written
    from lifecircle.wording import word

    if html is not None:
        check_file(html, b"<!DOCTYPE html>")
    if out is not None and not fix:
        refuse_options("--out names the folder of the mended copy: add --fix")
    if matches is not None and against is None:
        refuse_options("--matches writes what --against compares: add --against FILE")
    if matches is not None:
        check_file(matches, word("match_column", "alike", language_of(study)).encode())
    with progress_line() as report_progress:
        copy = mend_study(study, out, progress=report_progress) if fix else None
        folder = study if copy is None else copy.folder
        found = check_study(folder, year, against=against, progress=report_progress)
    if html is not None:
        with written(html) as fresh:
            fresh.write_text(checkup_page(found), "utf-8")
    if matches is not None and found.match is not None:
        with written(matches) as fresh:
            write_matches(found.match, fresh, found.language)
    if as_json:
        import json

        print_line(json.dumps(found.plain(), ensure_ascii=False, indent=1))
    else:
        for line in [*(copy.lines(found.language) if copy is not None else []), *found.lines()]:
            print_text(line)
    if found.found:
        end_with(FOUND)


@cli.command()
@click.argument("place")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files; named after PLACE.")
@click.option(
    "--buffer-m",
    type=click.FloatRange(min=0),
    default=3000.0,
    show_default=True,
    help="Metres around PLACE in which roads are kept; at least limit times speed.",
)
@click.option(
    "--language", type=click.Choice(["zh", "en"]), help="Of what is printed; guessed where left out."
)
@click.pass_context
def fetch(
    ctx: click.Context, place: str, out: Path | None, buffer_m: float, language: Language | None
) -> None:
    """Fetch roads, outline and facilities of PLACE from OpenStreetMap, as files a study reads."""
    from lifecircle.fetch import fetch_place, language_of_place

    # Before anything can fail: errors are printed in this language too.
    folders = [Path()] if out is None else [out, out.parent]
    spoken = ctx.find_root().obj = language or language_near(folders) or language_of_place(place)
    with progress_line() as report_progress:
        fetched = fetch_place(place, out=out, buffer_m=buffer_m, progress=report_progress)
    for line in fetched.lines(spoken):
        print_text(line)


@cli.command()
@STUDY
@YEAR
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results instead of STUDY/results.")
@click.option("--strict", is_flag=True, help="Exit with 1 when an assessed target is missed or behind.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the scoreboard.")
@click.option(
    "--database",
    envvar="LIFECIRCLE_DATABASE",
    show_envvar=True,
    help="PostGIS database to write the run to as well, such as postgresql://host/db?schema=lifecircle.",
)
def audit(  # noqa: PLR0913 - one parameter an option
    study: Path,
    year: int | None,
    out: Path | None,
    *,
    strict: bool,
    quiet: bool,
    as_json: bool,
    database: str | None,
) -> None:
    """Audit every target of STUDY for a year and write the results to STUDY/results/YEAR."""
    from lifecircle.beside import allow_copies
    from lifecircle.reach import compile_beside, thread_count

    allow_copies(thread_count())
    compile_beside()  # before the rest is loaded: on a machine's first run there is much to compile
    from lifecircle.audit import run_audit

    folder = out or (study if study.is_dir() else study.parent) / "results"
    with progress_line(quiet=quiet) as report_progress:
        findings = run_audit(study, year, out=folder, progress=report_progress)
        kept = _to_database(findings, database, report_progress)
    place = folder / str(findings.year)
    if as_json:
        print_line((place / "summary.json").read_text("utf-8").rstrip("\n"))
    elif not quiet:
        print_scoreboard(findings)
        print_path("results", place, findings.language)
        if kept:
            print_path("database", kept, findings.language)
    if strict and any(result.status in {"missed", "behind"} for result in findings.targets):
        end_with(FOUND)


def _to_database(findings: Findings, database: str | None, report_progress: Callable[[str], None]) -> str:
    """Write a run to a database where one is named; the folder of the run is complete by now."""
    if not database:
        return ""
    from lifecircle.database import write_database

    report_progress("writing to the database")
    return write_database(findings, database)


@cli.command()
@STUDY
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
@click.option(
    "--static",
    type=click.Path(path_type=Path),
    help="Folder for a picture (PNG) of every target with a figure.",
)
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path),
    help="plan.json of a siting study to show, or its folder; may be repeated.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Changes to open as pins (as for scenario), or a folder it wrote; may be repeated.",
)
@click.option(
    "--sheets",
    type=click.Path(path_type=Path),
    help="Folder for a PDF of every town: map, figures and villages, a page for each circle; an index first.",
)
@click.option("--target", help="With --sheets: the only target to draw, of any kind with a figure.")
@click.option("--villages", is_flag=True, help="With --sheets: sheets of every village too.")
@click.option(
    "--paper",
    type=click.Choice(["A4", "A3"], case_sensitive=False),
    default="A4",
    show_default=True,
    help="Paper of the sheets and of the pictures.",
)
def atlas(study: Path, years: str | None, **choices: Any) -> None:
    """Draw STUDY's results as one HTML page that opens without a network."""
    from lifecircle.maps import MapOrder, draw_study, years_of
    from lifecircle.study import read_study

    order = MapOrder(years=years_of(years) if years else (), **choices)
    with progress_line() as report_progress:
        paths = draw_study(study, order, progress=report_progress)
    language = order.language or read_study(study).language
    for path in paths:
        print_path("map", path, language)


@cli.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--study", type=click.Path(exists=True, path_type=Path), help="The study; left out, where RUN says it is."
)
def verify(run: Path, study: Path | None) -> None:
    """Verify the folder RUN: its files, its inputs, the method, and computing it again."""
    from lifecircle.verification import verify_run

    with progress_line() as report_progress:
        found = verify_run(run, study, progress=report_progress)
    for line in found.lines():
        print_text(line)
    if not found.holds:
        end_with(FOUND)


@cli.command("locate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--study", required=True, type=click.Path(path_type=Path), callback=remember, help="The study it is of."
)
@click.option("--addresses", type=click.Path(path_type=Path), help="Table of address, lon, lat and grade.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder instead of STUDY/results/locate-FILE.")
@click.option(
    "--given",
    type=click.Choice(["A", "B", "C", "D"]),
    default="A",
    show_default=True,
    help="Grade of positions that FILE has already.",
)
@click.option("--datum", default="wgs84", show_default=True, help="Of coordinates that FILE has.")
@click.option("--address-datum", default="wgs84", show_default=True, help="Of the address file.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of the page; the study's own.")
def locate_file(**order: Any) -> None:
    """Locate the rows of FILE by their addresses, offline; a page for placing the rest by hand."""
    from lifecircle.locate import LocateOrder, locate_list, located_lines

    with progress_line() as report_progress:
        located, folder = locate_list(LocateOrder(**order), progress=report_progress)
    for line in located_lines(located):
        print_text(line)
    print_path("located", folder, located.language)
