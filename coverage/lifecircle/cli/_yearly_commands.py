"""The commands of the yearly round: register, change, rectification, field checks, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecircle.cli._command_log import progress_line
from lifecircle.cli._printing import (
    print_change,
    print_line,
    print_path,
    print_stamp,
    print_text,
)
from lifecircle.cli._root import FOUND, RESULTS, STUDY, YEAR, check_output, cli, end_with, language_of


@cli.group()
def ledger() -> None:
    """See, check and build again the register of all runs of a study."""


@ledger.command()
@STUDY
@RESULTS
@click.option("--target", help="Id of a target; every target where left out.")
@click.option("--district", "districts", multiple=True, help="Code of a district; may be given again.")
def history(study: Path, results: Path | None, target: str | None, districts: tuple[str, ...]) -> None:
    """Print the values of STUDY's targets over the years, of the last run of each, as CSV.

    The whole study has an empty district. method_changed is True where another version of the method
    computed the year before, so that the difference is no progress.
    """
    from lifecircle.ledger import open_register
    from lifecircle.study import read_study

    read = read_study(study)
    with open_register(results or read.folder / "results") as register:
        rows = register.history(read.id, target, districts=districts or None)
    print_line(rows.to_csv(index=False, lineterminator="\n").rstrip("\n"))


@ledger.command("check")
@STUDY
@RESULTS
def check_ledger(study: Path, results: Path | None) -> None:
    """Compare STUDY's register with itself and with the folders of runs; nothing is changed."""
    from lifecircle.study import read_study
    from lifecircle.verification import check_runs
    from lifecircle.wording import explain

    read = read_study(study)
    codes = check_runs(results or read.folder / "results")
    for code in codes or ["register_holds"]:
        print_text(explain(code, read.language))
    if codes:
        end_with(FOUND)


@ledger.command()
@STUDY
@RESULTS
def rebuild(study: Path, results: Path | None) -> None:
    """Build STUDY's register again from the folders of runs; the former one is kept beside it."""
    from lifecircle.files import one_writer
    from lifecircle.ledger import rebuild_register
    from lifecircle.study import read_study
    from lifecircle.wording import explain

    read = read_study(study)
    folder = results or read.folder / "results"
    with one_writer(folder):
        kept, runs = rebuild_register(folder)
    print_text(explain(f"register_built:{runs}", read.language))
    if kept is not None:
        print_text(explain(f"register_kept:{kept.name}", read.language))


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["geojson", "geoparquet"]),
    default="geojson",
    show_default=True,
    help="Form of the files.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder instead of RUN-FORMAT beside RUN.")
def export(run: Path, form: Any, out: Path | None) -> None:
    """Write the layers of the folder RUN as GeoJSON or GeoParquet; results.gpkg has them as a GeoPackage."""
    from lifecircle.findings import load_findings
    from lifecircle.interchange import EXPORT, export_layers

    usual = run.with_name(f"{run.resolve().name}-{form}")
    check_output(out, usual, EXPORT)
    findings = load_findings(run)
    print_path("export", export_layers(findings, out or usual, form=form), findings.language)


@cli.command()
@STUDY
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
        check_output(place / f"{first}-{second}-change", place, FOLDER)
    with progress_line() as report_progress:
        found = compare_years(study, first, second, results=place, progress=report_progress)
    if as_json:
        print_line(json.dumps(plain_comparison(found), ensure_ascii=False, indent=1, allow_nan=False))
        return
    write(found, comparison_folder(found, place))
    print_change(found)
    print_path("comparison", comparison_folder(found, place), found.language)


@cli.command()
@STUDY
@YEAR
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results.")
@click.option(
    "--filled",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of the last list that people filled in; may be given again.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder instead of STUDY/results/YEAR-rectification."
)
def rectify(study: Path, year: int | None, **files: Any) -> None:
    """Write STUDY's rectification list, with the ids and what people filled in of the last one kept."""
    from lifecircle.rectification import list_line, rectify_study

    with progress_line() as report_progress:
        listing, place = rectify_study(study, year, progress=report_progress, **files)
    print_stamp(listing.findings, listing.findings.language)
    print_text(list_line(listing))
    print_path("rectification", place, listing.findings.language)


@cli.command("spot-check")
@STUDY
@YEAR
@click.option("--target", required=True, help="Id of a circle target judged by minutes.")
@click.option("--size", type=int, help="How many residents to draw.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the random numbers.")
@click.option("--filled", type=click.Path(path_type=Path), help="The sheet that was filled in: estimate.")
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs instead of STUDY/results.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the sample instead of the usual one.")
def spot_check(study: Path, target: str, size: int | None, filled: Path | None, **files: Any) -> None:
    """Draw residents of STUDY to check in the field, or correct coverage by what was found there."""
    from lifecircle.spot_check import estimate_line, estimate_study, sample_line, spot_check_study

    seed, out = files.pop("seed"), files.pop("out")
    if filled is not None:
        found = estimate_study(study, target, filled, folder=out, **files)
        print_text(estimate_line(found, language_of(study)))
        return
    with progress_line() as report_progress:
        sample, place = spot_check_study(
            study, target, size=size, seed=seed, out=out, progress=report_progress, **files
        )
    print_text(sample_line(sample, language_of(study)))
    print_path("spot_check", place, language_of(study))


@cli.command()
@STUDY
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
    help="The public one keeps small counts back and leaves the rectification list out.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of the report; the study's own.")
@click.option("--maps/--no-maps", default=True, show_default=True, help="Put a map of every circle in.")
def report(study: Path, years: str | None, **choices: Any) -> None:
    """Write STUDY's yearly report: a document, and a workbook over all years of the plan."""
    from lifecircle.maps import years_of
    from lifecircle.study import read_study
    from lifecircle.yearbook import YearbookOrder, write_yearbook

    order = YearbookOrder(years=years_of(years) if years else (), **choices)
    with progress_line() as report_progress:
        folder = write_yearbook(study, order, progress=report_progress)
    print_path("report", folder, order.language or read_study(study).language)
