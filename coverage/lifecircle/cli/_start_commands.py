"""The commands at the start: a study from the files at hand, forms to collect data, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecircle.cli._printing import print_line, print_path
from lifecircle.cli._root import cli
from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from lifecircle.findings import Language


@cli.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--forms", is_flag=True, help="Write the workbooks that departments fill in into DIR instead.")
@click.option(
    "--study", type=click.Path(path_type=Path), help="With --forms: the study whose units they name."
)
@click.option("--profile", default="haiyan-2025", show_default=True, help="A profile, or a path.")
@click.option("--year", type=int, help="Year of the study, or of the figures on the forms.")
@click.option(
    "--language", type=click.Choice(["zh", "en"]), help="Of what is written; guessed where left out."
)
def new(directory: Path, language: Language | None, *, forms: bool, **order: Any) -> None:
    """Write the workbooks that departments fill in into DIR (with --forms), one for each."""
    if not forms:
        reason, remedy = say("nothing to write"), say("give --forms")
        raise UnusableInputError([Fault("", "", "", reason, remedy)])
    from lifecircle.forms import FormOrder, write_forms

    for path in write_forms(directory, FormOrder(language=language, **order)):
        print_path("forms", path, language or "zh")


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
