"""The commands at the start: a study from the files at hand, forms to collect data, schemas."""

from __future__ import annotations

import click

from lifecircle.cli._printing import print_line
from lifecircle.cli._root import cli


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
