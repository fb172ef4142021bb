"""The commands for one study and year: copy, check, audit, verify, draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecircle.cli._printing import print_line, print_path, print_scoreboard, print_text, progress_line
from lifecircle.cli._root import FOUND, STUDY, YEAR, cli


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Copy the bundled synthetic example to DIRECTORY, audit it and draw its map."""
    from lifecircle.audit import run_audit
    from lifecircle.maps import draw_study
    from lifecircle.study import copy_example

    with progress_line() as tell:
        study = copy_example(directory)
        findings = run_audit(study, out=study / "results", progress=tell)
        page, *_ = draw_study(study, progress=tell)
    print_scoreboard(findings)
    places = {"study": study, "results": study / "results" / str(findings.year), "map": page}
    for name, place in places.items():
        print_path(name, place, findings.language)


@cli.command()
@STUDY
@YEAR
@click.option("--json", "as_json", is_flag=True, help="Print the check as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with a sketch of the places.")
def check(study: Path, year: int | None, html: Path | None, *, as_json: bool) -> None:
    """Check the inputs of STUDY: what is wrong, how much it matters, how to mend it. Changes no file."""
    from lifecircle.doctor import check_study, checkup_page
    from lifecircle.files import check_file, written

    if html is not None:
        check_file(html, b"<!DOCTYPE html>")
    with progress_line() as tell:
        found = check_study(study, year, progress=tell)
    if html is not None:
        with written(html) as fresh:
            fresh.write_text(checkup_page(found), "utf-8")
    if as_json:
        import json

        print_line(json.dumps(found.plain(), ensure_ascii=False, indent=1))
    else:
        for line in found.lines():
            print_text(line)
    if found.found:
        raise SystemExit(FOUND)


@cli.command()
@STUDY
@YEAR
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
    with progress_line(quiet=quiet) as tell:
        findings = run_audit(study, year, out=folder, progress=tell)
    place = folder / str(findings.year)
    if as_json:
        print_line((place / "summary.json").read_text("utf-8").rstrip("\n"))
    elif not quiet:
        print_scoreboard(findings)
        print_path("results", place, findings.language)
    if strict and any(result.status in {"missed", "behind"} for result in findings.targets):
        raise SystemExit(FOUND)


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
def atlas(study: Path, years: str | None, **choices: Any) -> None:
    """Draw STUDY's results as one HTML page that opens without a network."""
    from lifecircle.maps import MapOrder, draw_study, years_of
    from lifecircle.study import read_study

    order = MapOrder(years=years_of(years) if years else (), **choices)
    with progress_line() as tell:
        paths = draw_study(study, order, progress=tell)
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

    with progress_line() as tell:
        found = verify_run(run, study, progress=tell)
    for line in found.lines():
        print_text(line)
    if not found.holds:
        raise SystemExit(FOUND)
