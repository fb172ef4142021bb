"""Apply the crosswalk of units to what a study reads: registered figures and accepted lists of old units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.demand import ACCEPTED_COLUMNS, accepted_today, move_figures
from lifecircle.tables import check_table, join_rejects

if TYPE_CHECKING:
    import geopandas as gpd

    from lifecircle.demand import Crosswalk
    from lifecircle.indicators import Indicators
    from lifecircle.study import Study
    from lifecircle.tables import Table

_RATES = ("share", "percent", "%", "‰", "per ", "/", "每", "人均", "率", "比")
"""Parts of a unit's name that make its figures rates; figures of other units are amounts that add up."""


def with_old_units(layer: gpd.GeoDataFrame | None, crosswalk: Crosswalk | None) -> pd.DataFrame | None:
    """Return districts or villages with the old units beside them, so that tables may name these."""
    if layer is None or crosswalk is None:
        return layer
    plain = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    named = {code: name for name, code in crosswalk.names.items()}
    # An old unit is known at the level of what it became, never at both.
    olds = [
        code
        for code in dict.fromkeys(crosswalk.changes["from"])
        if code not in crosswalk.today
        and any(unit in plain.index for unit in crosswalk.shares(code, crosswalk.first_change(code) - 1))
    ]
    rows = pd.DataFrame({"name": [named.get(code, code) for code in olds]}, index=pd.Index(olds, dtype="str"))
    if "district" in plain:
        rows["district"] = ""
    return pd.concat([plain, rows])


def figures_of_old(
    found: Indicators, crosswalk: Crosswalk, study: Study, villages: gpd.GeoDataFrame | None
) -> tuple[Indicators, frozenset[str]]:
    """Return registered figures on the units of today, and the old units met."""
    part = study.crosswalk
    rates = () if part is None else part.rates
    amounts = () if part is None else part.amounts

    def adds_up(target: str, unit: str) -> bool:
        """Return whether figures of a target add up over units, as counts do and rates do not."""
        if target in rates or target in amounts:
            return target in amounts
        return not any(word in unit.lower() for word in _RATES)

    districts = {} if villages is None else dict(zip(villages.index, villages["district"], strict=True))
    moved = move_figures(found.table, crosswalk, adds_up=adds_up, district_of=districts)
    if not moved.olds and moved.rejects.empty:
        return found, moved.olds
    notes = (*found.notes, f"figures_moved:{len(moved.olds)}")
    rejects = join_rejects([found.rejects, moved.rejects])
    return replace(found, table=moved.table, rejects=rejects, notes=notes), moved.olds


def accepted_of_old(
    table: Table, crosswalk: Crosswalk, villages: gpd.GeoDataFrame, *, year: int
) -> tuple[Table, tuple[str, ...], frozenset[str]]:
    """Return an accepted list with old villages replaced by those of today that it accepts.

    Returns
    -------
    table : rows of old villages are gone, rows of accepted villages of today are added
    notes : how many were brought to today, and which villages of today were accepted in part alone
    olds : old villages met
    """
    frame, checked = table.frame, check_table(table, ACCEPTED_COLUMNS)
    names = set(villages["name"].astype("str"))
    old_of: dict[Any, str] = {}
    for column, today in (("code", set(villages.index)), ("name", names)):
        for row, text in checked.frame.get(column, pd.Series(dtype="str")).items():
            code = crosswalk.code_of(text) if text and text not in today else ""
            if code:
                old_of.setdefault(row, code)
    if not old_of:
        return table, (), frozenset()
    accepted, partly, olds = accepted_today(set(old_of.values()), crosswalk, year=year)
    by_unit: dict[str, Any] = {}
    for row, code in old_of.items():
        for unit in crosswalk.shares(code, crosswalk.first_change(code) - 1):
            by_unit.setdefault(unit, row)
    added = [(by_unit[unit], unit) for unit in sorted(accepted) if unit in villages.index]
    kept = frame.drop(index=list(old_of))
    rows = pd.DataFrame("", index=pd.Index([row for row, _ in added]), columns=frame.columns, dtype="object")
    rows[checked.found.get("code", "code")] = [unit for _, unit in added]
    notes = [f"accepted_moved:{len(olds)}|{len(accepted)}"]
    if partly:
        notes.append(f"accepted_partly:{', '.join(sorted(partly)[:5])}")
    joined = pd.concat([kept.astype("object"), rows]).infer_objects()
    return replace(table, frame=joined), tuple(notes), olds
