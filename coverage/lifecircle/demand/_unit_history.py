"""Bring registered figures and accepted lists of old units to the units of today.

Amounts add up; a rate of a merged unit is the mean of the rates by people. What cannot be known, because the
figure of one part is missing or the parts' people are, is not guessed but rejected and named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.errors import say
from lifecircle.tables import join_rejects, no_rejects, reject_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecircle.demand._crosswalk import Crosswalk

_KEY = ["target", "year", "item"]


@dataclass(frozen=True, eq=False)
class MovedFigures:
    """Figures on the units of today: ``table`` with the columns it had, rejects, old units met."""

    table: pd.DataFrame
    rejects: pd.DataFrame
    olds: frozenset[str] = frozenset()


def move_figures(
    figures: pd.DataFrame,
    crosswalk: Crosswalk,
    *,
    adds_up: Callable[[str, str], bool],
    district_of: Mapping[str, str],
) -> MovedFigures:
    """Bring registered figures of old districts and villages to those of today.

    1. A unit that only changed its code or name keeps its figure.
    2. An amount is divided by the shares, and the amounts of all parts of a unit add up.
    3. A rate holds for all parts of its unit; where several units became one, it is the mean by their people,
       which the crosswalk gives. Equal rates need no people.
    4. A unit of which one part has no figure that year has none.

    Parameters
    ----------
    figures : columns ``target``, ``year``, ``district``, ``village``, ``item``, ``value``, ``unit``,
        ``file``, ``row``
    crosswalk : as from ``read_crosswalk``
    adds_up : whether figures of a target in a unit are amounts: (target, unit) -> bool
    district_of : code of a village of today -> code of its district

    Returns
    -------
    moved : figures and rejects
    """
    kept: list[pd.DataFrame] = []
    rejects, olds = [], set[str]()
    for level in ("village", "district"):
        mine = figures[_level(figures) == level]
        for key, rows in mine.groupby(_KEY, sort=False):
            year = int(key[1])
            parts = {code: crosswalk.shares(code, year) for code in rows[level]}
            changed = {code for code, own in parts.items() if own != {code: 1.0}}
            # A unit that took in another is not what it was, even where only its own figure is there.
            if not changed and not any(crosswalk.origins(code, year) for code in parts):
                kept.append(rows)
                continue
            olds |= changed
            found, lost = _moved_rows(rows, level, (parts, crosswalk, adds_up))
            kept.append(found if level == "district" else _in_districts(found, district_of))
            rejects += lost
    whole = figures[_level(figures) == "whole"]
    table = pd.concat([whole, *kept]).sort_values("row", kind="stable", ignore_index=True)
    joined = join_rejects(rejects) if rejects else no_rejects()
    return MovedFigures(table[list(figures.columns)].astype(figures.dtypes), joined, frozenset(olds))


def _level(figures: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series(
        np.select([figures["village"] != "", figures["district"] != ""], ["village", "district"], "whole"),
        index=figures.index,
        dtype="str",
    )


def _in_districts(rows: pd.DataFrame, district_of: Mapping[str, str]) -> pd.DataFrame:
    return rows.assign(district=[district_of.get(code, "") for code in rows["village"]])


def _moved_rows(
    rows: pd.DataFrame,
    level: str,
    rules: tuple[Mapping[str, Mapping[str, float]], Crosswalk, Callable[[str, str], bool]],
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Bring the figures of one target, year and item to the units of today."""
    parts, crosswalk, adds_up = rules
    first = rows.iloc[0]
    amounts = adds_up(str(first["target"]), str(first["unit"]))
    by_code = {str(row[level]): row for _, row in rows.iterrows()}
    to: dict[str, dict[str, float]] = {}
    for code in by_code:
        for unit, share in parts[code].items():
            to.setdefault(unit, {})[code] = share
    found, lost = [], []
    for unit, shares in to.items():
        missing = crosswalk.origins(unit, int(first["year"])) - shares.keys()
        value = None if missing else _value(shares, by_code, crosswalk, amounts=amounts)
        source = by_code[next(iter(shares))]
        if value is not None:
            found.append({**source.to_dict(), level: unit, "value": value})
            continue
        reason = (
            say(
                "unit {unit} of today has a part without a figure that year: {missing}",
                unit=unit,
                missing=", ".join(sorted(missing)),
            )
            if missing
            else say("rates of units that became {unit} differ, and their people are not known", unit=unit)
        )
        remedy = (
            say("register a figure for every unit of that year")
            if missing
            else say("add the column people to the crosswalk")
        )
        lost.append(
            reject_rows(
                str(source["file"]) if "file" in source else "",
                [int(by_code[code]["row"]) for code in shares],
                column="value",
                value=[f"{by_code[code]['value']:.10g}" for code in shares],
                reason=reason,
                remedy=remedy,
            )
        )
    return pd.DataFrame(found, columns=list(rows.columns)), lost


def _value(
    shares: Mapping[str, float],
    rows: Mapping[str, pd.Series[Any]],
    crosswalk: Crosswalk,
    *,
    amounts: bool,
) -> float | None:
    """Return the figure of one unit of today; None for rates that differ where the people are unknown."""
    values = {code: float(rows[code]["value"]) for code in shares}
    if amounts:
        return float(sum(share * values[code] for code, share in shares.items()))
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    weights = {code: share * crosswalk.people_of(code) for code, share in shares.items()}
    total = sum(weights.values())
    if not total > 0:  # NaN is not
        return None
    return float(sum(weights[code] * values[code] for code in shares) / total)


def accepted_today(
    listed: set[str], crosswalk: Crosswalk, *, year: int
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the villages of today that an accepted list of old villages accepts.

    A village of today is accepted where all old villages it has a part of are on the list.

    Parameters
    ----------
    listed : codes of old villages on the list
    crosswalk : as from ``read_crosswalk``
    year : of the list

    Returns
    -------
    accepted, partly, olds : villages of today that are accepted; those of which only a part is; old villages
    met
    """
    accepted, partly = set[str](), set[str]()
    for code in listed:
        # A list may use old codes long after the change: what counts is the village as it was before.
        before = min(year, crosswalk.first_change(code) - 1)
        for unit in crosswalk.shares(code, before):
            origins = crosswalk.origins(unit, before) or {code}
            (accepted if origins <= listed else partly).add(unit)
    return frozenset(accepted), frozenset(partly), frozenset(listed)
