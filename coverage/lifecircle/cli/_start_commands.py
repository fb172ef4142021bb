"""The commands at the start: a study from the files at hand, forms to collect data, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecircle.cli._command_log import progress_line
from lifecircle.cli._printing import print_line, print_path, print_text
from lifecircle.cli._root import cli, language_of


@cli.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--forms", is_flag=True, help="Write the workbooks that departments fill in into DIR instead.")
@click.option(
    "--study", type=click.Path(path_type=Path), help="With --forms: the study whose units they name."
)
@click.option("--profile", help="Profile shipped with the package, or a path; guessed where left out.")
@click.option("--year", type=int, help="Year of the study, or of the figures on the forms.")
@click.option(
    "--language", type=click.Choice(["zh", "en"]), help="Of what is written; guessed where left out."
)
def new(directory: Path, files: tuple[Path, ...], study: Path | None, *, forms: bool, **order: Any) -> None:
    """Write a commented study.toml in DIR from each FILE (a file or a folder), its guesses marked.

    With --forms: one workbook for each department to fill in, which a study reads.
    """
    _check_words(files, study, order["profile"], forms=forms)
    if forms:
        from lifecircle.forms import FormOrder, write_forms

        spoken = order["language"] or (language_of(study) if study else "zh")
        for path in write_forms(directory, FormOrder(study, **order)):
            print_path("forms", path, spoken)
        return
    from lifecircle.new_study import NewOrder, write_study

    with progress_line() as report_progress:
        made = write_study(directory, files, NewOrder(**order), progress=report_progress)
    for line in made.lines():
        print_text(line)
    print_path("forms", made.path, made.language)


def _check_words(files: tuple[Path, ...], study: Path | None, profile: str | None, *, forms: bool) -> None:
    """Refuse words that would not be used: nothing a user writes is passed over in silence."""
    if forms and files:
        raise click.UsageError("--forms takes no FILE: it writes workbooks into DIR")
    if forms and study is not None and profile is not None:
        raise click.UsageError("--study has a profile of its own: leave --profile out")
    if study is not None and not forms:
        raise click.UsageError("--study goes with --forms")


@cli.command()
@click.argument("what", type=click.Choice(["study", "profile", "summary"]), default="study")
def schema(what: str) -> None:
    """Print the JSON Schema of study.toml, of a profile, or of summary.json: WHAT, study where left out."""
    import json

    from lifecircle.findings import summary_schema
    from lifecircle.standards import profile_schema
    from lifecircle.study import study_schema

    printed = {"study": study_schema, "profile": profile_schema, "summary": summary_schema}[what]()
    print_line(json.dumps(printed, ensure_ascii=False, indent=1))
