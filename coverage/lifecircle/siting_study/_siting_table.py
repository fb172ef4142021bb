"""The table of a plan as it is printed: one row a site, all cells in words; computes no figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.siting_study._siting_text import effect, site_name, unit_name
from lifecircle.wording import word

if TYPE_CHECKING:
    from lifecircle.findings import Language
    from lifecircle.siting_study._explanation import SiteFacts
    from lifecircle.siting_study._siting_steps import SiteStudy


@dataclass(frozen=True)
class PlanTable:
    """A table of a plan in words.

    ``headings`` : one a column; ``figures`` : columns that hold figures and stand to the right, by position;
    ``rows`` : cells, one a column.
    """

    headings: tuple[str, ...]
    figures: frozenset[int]
    rows: tuple[tuple[str, ...], ...]


def worded_table(names: tuple[str, ...], rows: list[dict[str, str]], language: Language) -> PlanTable:
    """Put rows in a table whose headings are the catalogue's; a column that is empty in all is left out.

    Parameters
    ----------
    names : columns in order; the ones of :data:`FIGURES` hold figures
    rows : name -> cell
    """
    kept = [name for name in names if not rows or any(row[name] for row in rows)]
    return PlanTable(
        tuple(word("plan_table", name, language) for name in kept),
        frozenset(at for at, name in enumerate(kept) if name in FIGURES),
        tuple(tuple(row[name] for name in kept) for row in rows),
    )


FIGURES = frozenset(
    {"row", "new_people", "without", "cost", "value_after", "people", "places", "ratio", "missing"}
)
"""Columns of figures."""


def site_table(study: SiteStudy, language: Language) -> PlanTable:
    """Return a row for every site: who is newly covered, what it costs if known, and the next best."""
    table, prices = study.candidates.table, study.conditions.prices
    rows = []
    for number, facts in enumerate(study.explanation.sites, 1):
        price = float(prices[table.index.get_loc(facts.id)])
        rows.append(
            {
                "row": str(number),
                "site": _place(study, facts.id),
                "district": unit_name(study, str(table.loc[facts.id, "district"])),
                "new_people": f"{facts.people:,.0f}",
                "cost": "" if np.isnan(price) else f"{price:,.1f}",
                "next_best": _next_best(study, facts, language),
            }
        )
    return worded_table(("row", "site", "district", "new_people", "cost", "next_best"), rows, language)


def _place(study: SiteStudy, label: str) -> str:
    """Name a site; one without a name by the village it lies in."""
    name = site_name(study, label)
    village = str(study.candidates.table.loc[label, "village"])
    villages = study.inputs.villages
    if name != label or villages is None or village not in villages.index:
        return name
    return f"{villages['name'][village]}（{label}）"


def _next_best(study: SiteStudy, facts: SiteFacts, language: Language) -> str:
    """Name what would replace a site best, and what that would change."""
    if facts.swap is None or facts.swap_loss is None or facts.swap_people is None:
        return ""
    change = effect(study, facts.swap_loss, facts.swap_people, facts.swap_least, language)
    return word("plan_table", "instead", language).format(name=site_name(study, facts.swap), change=change)
