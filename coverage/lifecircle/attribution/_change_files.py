"""Write the account of a change: change.json, change.csv and change.xlsx; no figure is computed here."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.attribution._change_text import (
    amount,
    amount_text,
    change_lines,
    change_unit,
    figure_text,
    is_share,
    used_parts,
)
from lifecircle.attribution._factors import CHAINED
from lifecircle.demand import OUTSIDE
from lifecircle.files import Results, complete_folder
from lifecircle.findings import METHOD_VERSION
from lifecircle.report import FIGURE, NUMBER, ORDER, SPEED, TEXT, Heading, Rate, write_workbook
from lifecircle.tables import write_csv
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.attribution._account import ChangePart, ChangeRow, YearComparison
    from lifecircle.findings import Language
    from lifecircle.report import Sheets

SCHEMA = 1
MARK = "change.json"
FOLDER = Results(MARK, (MARK, "change.csv", "change.xlsx"))

_DIGITS = 10  # of a cell in the csv; the parts add up to the change within them

# A workbook prints SPEED with two decimals, which parts in points need too.
PARTS = {
    "row": ORDER, "target": TEXT, "district": TEXT, "unit": TEXT, "group": TEXT, "part": TEXT,
    "amount": SPEED,
    "low": SPEED, "high": SPEED, "turns": TEXT,
}  # fmt: skip
VENUES = {
    "row": ORDER, "part": TEXT, "service": TEXT, "name": TEXT, "id": TEXT, "district": TEXT, "metres": NUMBER,
    "why_so": TEXT,
}  # fmt: skip
WORDS = {"row": ORDER, "text": TEXT}


def comparison_folder(comparison: YearComparison, results: Path) -> Path:
    """Return the folder that a comparison is written to, beside the runs."""
    return results / f"{comparison.years[0]}-{comparison.years[1]}-change"


def write_comparison(comparison: YearComparison, folder: str | Path) -> Path:
    """Write a comparison's files into a folder, all or none; those of an earlier one there are replaced.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    target, language = Path(folder), comparison.language
    with complete_folder(target, FOLDER) as fresh:
        text = json.dumps(plain_comparison(comparison), ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
        write_csv(_csv(comparison, language), fresh / "change.csv")
        first, second = comparison.years
        heading = Heading(
            # Figures of districts and venues are not rounded: small counts could be worked out from them.
            f"{comparison.name} {first}-{second} · {word('change', 'office', language)}",
            language,
            comparison.synthetic,
            words="change_column",
            names=_headings(comparison, language),
        )
        write_workbook(fresh / "change.xlsx", _sheets(comparison, language), heading)
    return target


def plain_comparison(comparison: YearComparison) -> dict[str, Any]:
    """Put a comparison in the plain form of ``change.json``: unrounded, no clock, no path."""
    return {
        "schema": SCHEMA,
        "study": comparison.study,
        "name": comparison.name,
        "years": list(comparison.years),
        "synthetic": comparison.synthetic,
        "edition": "internal",
        "stamp": {language: word("change", "office", language) for language in ("zh", "en")},
        "software": {"version": version("lifecircle"), "method_version": METHOD_VERSION},
        "notes": list(comparison.notes),
        "summary": {language: change_lines(comparison, language) for language in ("zh", "en")},
        "rows": [_plain_row(row) for row in comparison.rows],
        "venues": [asdict(one) for one in comparison.venues],
        "lines": dict(comparison.lines),
    }


def _plain_row(row: ChangeRow) -> dict[str, Any]:
    return {
        "target": row.target.id,
        "kind": row.target.kind,
        "district": row.code,
        "name": row.name,
        "before": row.before,
        "after": row.after,
        "change": row.change,
        "comparable": row.comparable,
        "reason": row.reason,
        "sources": list(row.sources),
        **{kind: [asdict(part) for part in getattr(row, kind)] for kind in ("breaks", "groups", "parts")},
    }


def _csv(comparison: YearComparison, language: Language) -> pd.DataFrame:
    """Lay out every part of every figure as a row, the value before and after beside it."""
    rows = []
    for row in comparison.rows:
        share = is_share(row)
        plain = {
            "target_id": row.target.id,
            "target": row.target.name.get(language),
            "district": _district(row, language),
            "unit": change_unit(row, language),
            "value_before": _rounded(amount(row.before, share=share)),
            "value_after": _rounded(amount(row.after, share=share)),
            "difference": _rounded(amount(row.change, share=share)),
            "comparable": _rounded(amount(row.comparable, share=share)),
        }
        parts = [*row.breaks, *row.parts]
        rows += [{**plain, **_part_cells(part, share, language)} for part in parts]
        if not parts:
            remark = word("change_reason", row.reason, language) if row.reason else ""
            rows.append({**plain, "remark": remark})
    columns = ["target_id", "target", "district", "unit", "value_before", "value_after", "difference"]
    columns += ["comparable", "group", "part", "amount", "low", "high", "turns", "remark"]
    table = pd.DataFrame(rows, columns=columns).assign(edition=word("change", "office", language))
    columns.append("edition")
    return table.rename(columns={name: _head(name, language) for name in columns})


def _part_cells(part: ChangePart, share: bool, language: Language) -> dict[str, Any]:  # noqa: FBT001 - of one row
    return {
        "group": word("change_group", part.group, language),
        "part": word("change_part", part.name, language),
        "amount": _rounded(amount(part.value, share=share)),
        "low": _rounded(amount(part.low, share=share)),
        "high": _rounded(amount(part.high, share=share)),
        "turns": word("change", "yes", language) if part.turns else "",
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS) + 0.0


def _head(name: str, language: Language) -> str:
    own = word("change_column", name, language)
    return word("column", name, language) if own == name else own


def _district(row: ChangeRow, language: Language) -> str:
    if not row.code:
        return word("change", "whole", language)
    return word("area", "outside", language) if row.code == OUTSIDE else row.name


# --- the workbook -----------------------------------------------------------------------------------------


def _headings(comparison: YearComparison, language: Language) -> dict[str, str]:
    """Name the columns that the kinds of part are."""
    return {
        f"part_{name}": word("change_part" if name in CHAINED else "change_group", name, language)
        for name in used_parts(comparison)
    }


def _sheets(comparison: YearComparison, language: Language) -> Sheets:
    lines = change_lines(comparison, language)
    columns = {
        "row": ORDER, "target": TEXT, "district": TEXT, "value_before": FIGURE, "value_after": FIGURE,
        "unit": TEXT, "difference": SPEED, **dict.fromkeys(_headings(comparison, language), SPEED),
        "comparable": SPEED, "remark": TEXT,
    }  # fmt: skip
    return {
        "change_text": (WORDS, [{"row": at, "text": line} for at, line in enumerate(lines, 1)]),
        "change_groups": (columns, list(_group_rows(comparison, language))),
        "change_parts": (PARTS, list(_part_rows(comparison, language))),
        "change_venues": (VENUES, list(_venue_rows(comparison, language))),
    }


def _group_rows(comparison: YearComparison, language: Language) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(comparison.rows, 1):
        share = is_share(row)
        parts = {part.name: part.value for part in row.breaks} | {
            part.group: part.value for part in row.groups
        }
        yield {
            "row": number,
            "target": row.target.name.get(language),
            "district": _district(row, language),
            "value_before": _figure(row, row.before),
            "value_after": _figure(row, row.after),
            "unit": change_unit(row, language),
            "difference": amount(row.change, share=share),
            "comparable": amount(row.comparable, share=share),
            "remark": word("change_reason", row.reason, language) if row.reason else "、".join(row.sources),
            **{f"part_{name}": amount(value, share=share) for name, value in parts.items()},
        }


def _figure(row: ChangeRow, value: float | None) -> Rate | float | None:
    return Rate(value) if value is not None and is_share(row) else value


def _part_rows(comparison: YearComparison, language: Language) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(comparison.rows, 1):
        share = is_share(row)
        for part in (*row.breaks, *row.parts):
            yield {
                "row": number,
                "target": row.target.name.get(language),
                "district": _district(row, language),
                "unit": change_unit(row, language),
                **_part_cells(part, share, language),
            }


def _venue_rows(comparison: YearComparison, language: Language) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(comparison.venues, 1):
        yield {
            "row": number,
            "part": word("change_part", one.member, language),
            "service": comparison.services.get(one.service, {}).get(language, one.service),
            "name": one.name,
            "id": one.id,
            "district": comparison.districts.get(one.district, one.district),
            "metres": one.metres,
            "why_so": _why(one.why, language),
        }


def _why(code: str, language: Language) -> str:
    """Name the rule that decided; of a column that only a study has, the column."""
    text = word("change_why", code, language)
    return text.removeprefix("cell:")


def board_rows(comparison: YearComparison, language: Language) -> tuple[list[str], list[list[str]]]:
    """Return the table of the terminal: names of the columns, and a row for every target that has values."""
    used = list(used_parts(comparison))
    heads = [word("terminal", name, language) for name in ("id", "target")]
    heads += [str(year) for year in comparison.years]
    heads += [word("terminal", "change_of", language), *_headings(comparison, language).values()]
    out = []
    for row in comparison.rows:
        if row.code or row.change is None:
            continue
        share = is_share(row)
        parts = {part.name: part.value for part in row.breaks} | {
            part.group: part.value for part in row.groups
        }
        cells = [figure_text(row, value, language) for value in (row.before, row.after)]
        cells.append(amount_text(row.change, share=share))
        cells += [amount_text(parts[name], share=share) if name in parts else "" for name in used]
        out.append([row.target.id, row.target.name.get(language), *cells])
    return heads, out
