"""The command for many studies, or one region by its districts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecircle.cli._command_log import progress_line
from lifecircle.cli._printing import print_path, print_text
from lifecircle.cli._root import FOUND, UNUSABLE, YEAR, cli, end_with, refuse_options

if TYPE_CHECKING:
    from lifecircle.batch import Batch, BatchOrder


def _remember_first(ctx: click.Context, _: click.Parameter, studies: tuple[Path, ...]) -> tuple[Path, ...]:
    """Keep the first study, whose language errors are printed in."""
    ctx.find_root().obj = studies[0]
    return studies


@cli.command()
@click.argument(
    "studies",
    metavar="STUDY...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    callback=_remember_first,
)
@YEAR
@click.option(
    "--split", type=click.Choice(["districts"]), help="One study: a task for each of its districts."
)
@click.option(
    "--solve",
    type=click.Choice(["auto", "whole", "districts"]),
    default="auto",
    show_default=True,
    help="With --split: the region as one graph, or district by district; auto chooses by its size.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Dask cluster that runs, such as tcp://10.0.0.1:8786.")
@click.option("--workers", type=click.IntRange(min=1), help="Start a Dask cluster here with so many workers.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the batch and of every run.")
@click.option("--atlas", is_flag=True, help="Also draw the map page of every study.")
@click.option(
    "--tries",
    type=click.IntRange(min=1, max=20),
    default=3,
    show_default=True,
    help="How often a task is begun whose worker is killed.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when an assessed target is missed or behind.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def batch(studies: tuple[Path, ...], *, split: str | None, strict: bool, quiet: bool, **choices: Any) -> None:
    """Audit many studies, or one region by its districts; what is finished is not run again."""
    from lifecircle.batch import BatchOrder

    if choices["scheduler"] and choices["workers"]:
        refuse_options("--scheduler names a cluster that runs, --workers starts one: give one of them")
    if choices["solve"] != "auto" and not split:
        refuse_options("--solve is of a region that is split: add --split districts")
    done = _shown(BatchOrder(studies=studies, split=split is not None, **choices), quiet=quiet)
    if not quiet:
        for line in done.lines():
            print_text(line)
        print_path("batch", done.out, done.language)
    if done.failed:
        end_with(UNUSABLE)
    if strict and done.found:
        end_with(FOUND)


def _shown(order: BatchOrder, *, quiet: bool) -> Batch:
    """Run a batch, its progress on the error stream where that is a terminal."""
    from lifecircle.batch import run_batch

    with progress_line(quiet=quiet) as report_progress:
        counts = {"all": 0, "ended": 0}

        def begin(many: int) -> None:
            """Note how many tasks there are."""
            counts["all"] = many

        def report(task: Any, outcome: Any) -> None:
            """Show how many tasks have ended, and which was the last to begin or end."""
            counts["ended"] += outcome is not None
            state = "" if outcome is None else f" {outcome.state}"
            report_progress(f"{counts['ended']}/{counts['all']} {task.id}{state}")

        return run_batch(order, progress=report_progress, report=report, begin=begin)
