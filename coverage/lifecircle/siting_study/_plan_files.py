"""The files that every plan has: plan.json, plan.csv, plan.md, plan.xlsx, plan.gpkg; of any target."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from lifecircle.files import Results, complete_folder
from lifecircle.findings import METHOD_VERSION
from lifecircle.report import ORDER, TEXT, Heading, Rate, column_heading, write_workbook
from lifecircle.scenario import comparison
from lifecircle.tables import write_csv, write_layers
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lifecircle.findings import InputRecord, Language
    from lifecircle.report import Sheets
    from lifecircle.scenario import Scenario
    from lifecircle.siting_study._siting_table import PlanTable
    from lifecircle.standards import Target

SCHEMA = 1
MARK = "plan.json"
FOLDER = Results(MARK, (MARK, "plan.csv", "plan.md", "plan.xlsx", "plan.gpkg", "curve.png"))

_DIGITS = 6  # of a figure in plan.csv; plan.json has all

_WORDS = {"row": ORDER, "text": TEXT}


@dataclass(frozen=True)
class PlanParts:
    """What is written of a plan.

    ``facts`` : as in plan.json; ``sheets`` : of the workbook, of which the one called ``plan`` is plan.csv
    too; ``layers`` : of the GeoPackage; ``above``, ``table``, ``below`` : what plan.md says, in the study's
    language.
    """

    scenario: Scenario
    target: Target
    facts: Mapping[str, Any]
    sheets: Sheets
    layers: Mapping[str, pd.DataFrame]
    above: Sequence[str]
    table: PlanTable
    below: Sequence[str]


def write_plan(parts: PlanParts, folder: str | Path, draw: Callable[[Path], None] | None = None) -> Path:
    """Write a plan's files into a folder, all or none; those of an earlier one there are replaced.

    Parameters
    ----------
    draw : writes what this kind of plan has besides, into the folder that it is given

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    target, before = Path(folder), parts.scenario.before
    title = f"{before.name} {before.year} · {parts.target.name.get(before.language)}"
    heading = Heading(title, before.language, before.synthetic, words="plan_column")
    with complete_folder(target, FOLDER) as fresh:
        text = json.dumps(parts.facts, ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
        write_csv(plan_table(parts.sheets, heading), fresh / "plan.csv")
        # Markdown passes tags on to the page that is made of it: a name must not become one.
        page = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", plan_page(parts, heading))
        (fresh / "plan.md").write_text(page, encoding="utf-8", newline="\n")
        write_workbook(fresh / "plan.xlsx", parts.sheets, heading)
        write_layers(fresh / "plan.gpkg", parts.layers)
        if draw is not None:
            draw(fresh)
    return target


def study_facts(identity: str, scenario: Scenario, records: Iterable[InputRecord]) -> dict[str, Any]:
    """Return what plan.json says of the study and the inputs: no clock, no absolute path."""
    before = scenario.before
    return {
        "schema": SCHEMA,
        "id": identity,
        "study": before.study,
        "name": before.name,
        "year": before.year,
        "synthetic": before.synthetic,
        "software": {"version": before.software, "method_version": METHOD_VERSION},
        "inputs": [asdict(record) for record in (*before.inputs, *records)],
    }


def words_facts(
    scenario: Scenario, target: str, notes: Iterable[str], lines: Callable[[Language], list[str]]
) -> dict[str, Any]:
    """Return what plan.json says in words, and what becomes of its own target and of the others."""
    targets = comparison(scenario)["targets"]
    return {
        "notes": list(notes),
        "summary": {language: lines(language) for language in ("zh", "en")},
        "own_target": next((one for one in targets if one["target"] == target), None),
        "other_targets": [one for one in targets if one["target"] != target],
    }


def words_sheet(lines: Sequence[str]) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """Return the sheet that explains a plan in sentences."""
    return _WORDS, [{"row": at, "text": line} for at, line in enumerate(lines, 1)]


def points_layer(rows: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return rows with ``lon`` and ``lat`` as a layer of points; lists and mappings are written as JSON."""
    plain = rows.map(lambda value: _as_text(value) if isinstance(value, (dict, tuple, list)) else value)
    return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(plain["lon"], plain["lat"]), crs="EPSG:4326")


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def plan_table(sheets: Sheets, heading: Heading) -> pd.DataFrame:
    """Return the sheet of the plan as plan.csv has it, with the headings of the workbook."""
    columns, rows = sheets["plan"]
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    table = pd.DataFrame(cells, columns=list(columns))
    return table.rename(columns={name: column_heading(name, heading) for name in columns})


def _cell(value: Any) -> Any:
    if isinstance(value, Rate):
        return percent(value.share)
    if not isinstance(value, float):
        return "" if value is None else value  # an empty text: beside None whole numbers become fractions
    rounded = round(value, _DIGITS) + 0.0
    return int(rounded) if rounded.is_integer() else rounded


def plan_page(parts: PlanParts, heading: Heading) -> str:
    """Return a plan as plan.md: the title with its stamp, what it brings, its table, and the reasons."""
    stamp = word("stamp", "synthetic" if heading.synthetic else "internal", heading.language)
    table, sides = parts.table, ["---:" if at in parts.table.figures else "---" for at in _columns(parts)]
    rows = [_row(table.headings), _row(sides), *(_row(row) for row in table.rows)]
    blocks = [f"# {heading.title}", f"**{stamp}**", *map(_line, parts.above), "\n".join(rows)]
    if parts.below:
        blocks.append("\n".join(map(_point, parts.below)))
    return "\n\n".join(blocks) + "\n"


def _point(line: str) -> str:
    """Return a sentence as a point of a list; one that is a point already, as one below it."""
    return f"  * {_line(line[2:])}" if line.startswith("- ") else f"* {_line(line)}"


def _columns(parts: PlanParts) -> range:
    return range(len(parts.table.headings))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_line(cell) for cell in cells)} |"


def _line(text: str) -> str:
    """Keep a text what it is in Markdown: on one line, no sign of it a column, a link or a tag."""
    for sign in "\\|<`*_[":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
