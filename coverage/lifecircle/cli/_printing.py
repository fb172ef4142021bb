"""Printing: lines and tables; what a terminal cannot show is no reason to stop."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from lifecircle.attribution import YearComparison
    from lifecircle.findings import Findings, Language, TargetResult
    from lifecircle.siting_study import PlanTable

_LONGEST_LINE = 4000


def print_line(text: str, *, err: bool = False) -> None:
    """Print a line; a reader who has gone, as in ``| head``, is no reason to stop."""
    stream = sys.stderr if err else sys.stdout  # click would print UTF-8 where the user asks for ASCII
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        let_go(stream)


def let_go(stream: Any) -> None:
    """Send what is still to be printed to a closed pipe nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def print_text(text: str, *, err: bool = False) -> None:
    """Print a line that may hold what stands in a file."""
    from lifecircle.wording import one_line

    print_line(one_line(text, _LONGEST_LINE), err=err)


def print_stamp(findings: Findings, language: Language) -> None:
    """Print that what follows is made up, where it is."""
    from lifecircle.wording import word

    if findings.synthetic:
        print_text(word("stamp", "synthetic", language))


def print_path(name: str, place: Path | str, language: Language) -> None:
    """Print where something was written."""
    from lifecircle.wording import word

    print_text(word("terminal", name, language).format(place=place))


def _console() -> Console:
    """Make a console as wide as the terminal; 150 signs where the output goes elsewhere."""
    from rich.console import Console

    # A console takes [square brackets] for markup, and names may hold them.
    return Console(width=None if sys.stdout.isatty() else 150, markup=False, highlight=False, emoji=False)


def _grid(console: Console, title: str = "") -> Table:
    """Make a table, drawn in signs that the terminal has."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from lifecircle.wording import one_line

    return Table(
        title=Text(one_line(title, 200)) if title else None,
        title_justify="left",
        box=box.ASCII if console.options.ascii_only else box.HEAVY_HEAD,
    )


def _add_row(grid: Table, cells: Iterable[str]) -> None:
    from rich.text import Text

    from lifecircle.wording import one_line

    grid.add_row(*(Text(one_line(cell, 200)) for cell in cells))


def _print_grid(console: Console, grid: Table) -> None:
    """Print a table; signs of two columns' width, such as Chinese ones, are aligned."""
    with console.capture() as captured:
        console.print(grid)
    print_line(captured.get().rstrip("\n"))


def print_table(table: PlanTable) -> None:
    """Print the table of a plan."""
    console = _console()
    grid = _grid(console)
    for at, heading in enumerate(table.headings):
        figure = at in table.figures
        grid.add_column(heading, justify="right" if figure else "left", no_wrap=figure, overflow="fold")
    for row in table.rows:
        _add_row(grid, row)
    _print_grid(console, grid)


_BOARD = ("id", "target", "value", "goal", "left", "status", "band")
_KINDS = {"circle": 0, "presence": 1, "capacity": 2, "indicator": 3}


def print_scoreboard(findings: Findings) -> None:
    """Print the targets that have a value by kind, then those without by reason, and what was not used."""
    from lifecircle.findings import grounds_text
    from lifecircle.reading import reading_lines
    from lifecircle.report import warning_lines
    from lifecircle.wording import explain, word

    language = findings.language
    console = _console()
    grid = _grid(console, f"{findings.name} {findings.year}")
    for name in _BOARD:
        side: Literal["left", "right"] = "right" if name in {"value", "goal", "left", "band"} else "left"
        grid.add_column(
            word("terminal", name, language), justify=side, no_wrap=name != "target", overflow="fold"
        )
    left_out: dict[str, list[str]] = {}
    kind = ""
    for result in sorted(findings.targets, key=lambda one: _KINDS.get(one.target.kind, len(_KINDS))):
        if result.value is None:
            left_out.setdefault(result.reason, []).append(result.target.name.get(language))
            continue
        if kind and kind != result.target.kind:
            grid.add_section()
        kind = result.target.kind
        _add_row(grid, _board_cells(result, language))
    print_stamp(findings, language)
    _print_grid(console, grid)
    between = "、" if language == "zh" else ", "
    lines = [
        word("terminal", "left_out", language).format(
            reason=explain(reason, language), names=between.join(names)
        )
        for reason, names in left_out.items()
    ]
    lines += filter(None, (grounds_text(one, language) for one in findings.targets))
    lines += filter(None, (grounds_text(one, language) for one in findings.targets))
    if len(findings.rejects):
        lines.append(word("terminal", "rejects", language).format(count=len(findings.rejects)))
    lines += [word("terminal", "warning", language).format(text=text) for text in warning_lines(findings)]
    lines += [f"  {line}" for line in reading_lines(findings.reading, language)]
    for line in lines:
        print_text(line)


def _board_cells(result: TargetResult, language: Language) -> tuple[str, ...]:
    """Return the cells of a target in the order of :data:`_BOARD`."""
    from lifecircle.findings import as_circle, value_text
    from lifecircle.wording import percent, word

    value, goal = (
        "" if figure is None else value_text(result, figure, language)
        for figure in (result.value, result.target.goal)
    )
    circle = as_circle(result)
    left = "" if circle.count is None else f"{circle.count.uncovered:,.0f}"
    band = " / ".join(percent(circle.band[name]) for name in ("slow", "usual", "fast") if circle.band)
    status = word("status", result.status, language)
    return (result.target.id, result.target.name.get(language), value, goal, left, status, band)


def print_change(found: YearComparison) -> None:
    """Print the account of a change: a row for every target that has values, and what it says in words."""
    from lifecircle.attribution import board_rows, change_lines
    from lifecircle.wording import word

    language = found.language
    console = _console()
    grid = _grid(console, f"{found.name} {found.years[0]}-{found.years[1]}")
    heads, rows = board_rows(found, language)
    for at, head in enumerate(heads):
        grid.add_column(head, justify="left" if at < 2 else "right", no_wrap=at != 1, overflow="fold")
    for row in rows:
        _add_row(grid, row)
    if found.synthetic:
        print_text(word("stamp", "synthetic", language))
    _print_grid(console, grid)
    for line in change_lines(found, language):
        print_text(line)
