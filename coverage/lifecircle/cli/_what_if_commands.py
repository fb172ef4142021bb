"""The commands that ask what would change: scenarios and new sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecircle.cli._command_log import progress_line
from lifecircle.cli._printing import print_path, print_stamp, print_table, print_text
from lifecircle.cli._root import STUDY, YEAR, check_output, cli


@cli.command()
@STUDY
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@YEAR
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write instead of STUDY/results/YEAR-scenario-ID.",
)
def scenario(study: Path, files: tuple[Path, ...], year: int | None, out: Path | None) -> None:
    """Audit STUDY with the changes of each FILE made in order, and report who wins and who loses."""
    from lifecircle.scenario import FOLDER, run_scenario, summary_lines, write_scenario

    folder = study if study.is_dir() else study.parent
    check_output(out, folder / "results" / "scenario", FOLDER)
    with progress_line() as report_progress:
        done = run_scenario(study, files, year, progress=report_progress)
        report_progress("writing")
        place = out or folder / "results" / f"{done.before.year}-scenario-{done.id}"
        write_scenario(done, place)
    language = done.before.language
    print_stamp(done.before, language)
    for line in summary_lines(done, language):
        print_text(line)
    print_path("comparison", place, language)


@cli.command()
@STUDY
@YEAR
@click.option("--target", required=True, help="Id of a circle, presence or capacity target.")
@click.option(
    "--new",
    type=int,
    help="How many new sites; left out: the fewest, for full_cover or a presence target.",
)
@click.option(
    "--candidates", type=click.Path(path_type=Path), help="List of candidates instead of the study's own."
)
@click.option(
    "--objective",
    default="max_cover",
    show_default=True,
    help="What to strive for: max_cover, full_cover, p_median, p_center or max_min_cover.",
)
@click.option("--service", "services", multiple=True, help="Service a new site holds; may be given again.")
@click.option("--budget", type=float, help="What the sites may cost together, 10,000 yuan.")
@click.option("--profile", help="Travel profile to count with, such as walk_aged; the target's own.")
@click.option("--accounting", help="reach, open or network_distance; the target's own.")
@click.option("--why", multiple=True, metavar="ID", help="Print why a candidate is not in the plan.")
@click.option("--explain", is_flag=True, help="Print the reasons, the near ties and the remedies as well.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for the solver.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder instead of STUDY/results/YEAR-site-ID.")
def site(
    study: Path, year: int | None, why: tuple[str, ...], out: Path | None, *, explain: bool, **question: Any
) -> None:
    """Find where new sites in STUDY help a target most, with proof, curve, explanation and remedies.

    Of a presence target: which villages, towns or outlets get a facility first. Of a capacity target: the
    places missing by district.
    """
    from lifecircle.siting_study import (
        FOLDER,
        PlacesMissing,
        findings_of,
        printed,
        reasons_of,
        study_of,
        write_any,
    )

    folder = study if study.is_dir() else study.parent
    check_output(out, folder / "results" / "site", FOLDER)
    time_limit_s = question.pop("time_limit")
    place = None
    with progress_line() as report_progress:
        found = study_of(study, year=year, time_limit_s=time_limit_s, progress=report_progress, **question)
        before = findings_of(found)
        reasons = reasons_of(found, why)
        if not isinstance(found, PlacesMissing):
            report_progress("writing")
            place = write_any(found, out or folder / "results" / f"{before.year}-site-{found.id}")
    above, table, below = printed(found, before.language, explain=explain)
    print_stamp(before, before.language)
    for line in above:
        print_text(line)
    print_table(table)
    for line in (*below, *reasons):
        print_text(line)
    if place is not None:
        print_path("plan", place, before.language)
