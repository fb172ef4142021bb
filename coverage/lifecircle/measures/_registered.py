"""Select registered figures: of a year, units without one, and rules that every village must meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Registered:
    """The figures of one target in one year.

    ``value`` : the county's, None where none is registered. ``by_year`` : the county's in every year.
    ``districts``, ``villages`` : on the codes asked for, NaN where there is no figure. ``sources`` : the
    offices that registered them, each once.
    """

    value: float | None
    by_year: Mapping[int, float]
    districts: pd.Series[float]
    villages: pd.Series[float]
    sources: tuple[str, ...]

    @property
    def missing_districts(self) -> list[str]:
        """Return the codes of the districts without a figure."""
        return [str(code) for code in self.districts.index[self.districts.isna()]]

    @property
    def missing_villages(self) -> list[str]:
        """Return the codes of the villages without a figure."""
        return [str(code) for code in self.villages.index[self.villages.isna()]]


def registered(
    table: pd.DataFrame,
    target: str,
    year: int,
    *,
    districts: pd.Index[str] | None = None,
    villages: pd.Index[str] | None = None,
) -> Registered:
    """Select the figures of a target in a year; nothing is estimated, averaged or carried over.

    Parameters
    ----------
    table : as :func:`lifecircle.indicators.read_indicators` returns: ``target``, ``year``, ``district``,
        ``village``, ``item``, ``value``, ``source``; one row at most for each of the first five
    districts, villages : codes that a figure is expected of

    Returns
    -------
    figures : of the county, the districts and the villages

    References
    ----------
    The figures are those of the offices; this package only selects them.

    >>> table = pd.DataFrame({"target": ["t", "t"], "year": [2024, 2025], "district": "", "village": "",
    ...     "item": "", "value": [0.8, 0.9], "source": "office"})
    >>> registered(table, "t", 2025).value, registered(table, "t", 2026).value
    (0.9, None)
    """
    # Figures of items belong to the rule of a village and are not figures of the target itself.
    mine = table[(table["target"] == target) & (table["item"] == "")]
    whole = mine[(mine["district"] == "") & (mine["village"] == "")]
    by_year = {int(one): float(value) for one, value in zip(whole["year"], whole["value"], strict=True)}
    now = mine[mine["year"] == year]
    towns = now[(now["village"] == "") & (now["district"] != "")]
    named = now[now["village"] != ""]
    return Registered(
        by_year.get(year),
        dict(sorted(by_year.items())),
        _on(towns, "district", districts),
        _on(named, "village", villages),
        tuple(source for source in dict.fromkeys(now["source"].astype("str")) if source),
    )


def village_figures(table: pd.DataFrame, target: str, year: int, villages: pd.Index[str]) -> pd.DataFrame:
    """Return the figures that a rule is made of: (village, item), NaN where there is none.

    Parameters
    ----------
    table : as for :func:`registered`
    villages : the villages the rule is about

    Returns
    -------
    figures : float64, on ``villages``, one column for each item

    >>> table = pd.DataFrame({"target": "t", "year": 2025, "district": "", "village": ["A"], "item": ["own"],
    ...     "value": [80.0], "source": ""})
    >>> village_figures(table, "t", 2025, pd.Index(["A", "B"]))["own"].tolist()
    [80.0, nan]
    """
    mine = table[
        (table["target"] == target)
        & (table["year"] == year)
        & (table["village"] != "")
        & (table["item"] != "")
    ]
    wide = mine.set_index(["village", "item"])["value"].unstack("item")  # noqa: PD010 - no aggregate is meant
    return wide.reindex(villages).rename_axis(index=villages.name, columns=None)


def village_rule(
    figures: pd.DataFrame, least: Mapping[str, float], *, direction: Literal["up", "down"] = "up"
) -> pd.DataFrame:
    """Return which villages meet every figure of a rule.

    A village meets it when every item is at least (``down``: at most) its figure, inclusive. One item known
    to fail is enough to fail; otherwise one item unknown leaves the village unknown.

    Parameters
    ----------
    figures : (village, item) as :func:`village_figures` returns
    least : item -> figure, in the unit of the figures

    Returns
    -------
    table : on the villages, ``meets`` (boolean, NA where unknown), ``fails`` and ``unknown`` (items of each
        kind, joined by ``|``)

    References
    ----------
    The plan's 经常性收入200万元以上、经营性收入80万元以上的行政村全覆盖.

    >>> figures = pd.DataFrame({"all": [210.0, 150.0, None], "own": [80.0, None, 90.0]})
    >>> village_rule(figures, {"all": 200, "own": 80})["meets"].tolist()
    [True, False, <NA>]
    """
    values = figures.reindex(columns=list(least)).to_numpy(dtype=np.float64)
    bars = np.array(list(least.values()), dtype=np.float64)
    unknown = np.isnan(values)
    fails = ~unknown & ((values > bars) if direction == "down" else (values < bars))
    meets = pd.array(~fails.any(axis=1), dtype="boolean")
    meets[unknown.any(axis=1) & ~fails.any(axis=1)] = pd.NA
    return pd.DataFrame(
        {"meets": meets, "fails": _items(fails, list(least)), "unknown": _items(unknown, list(least))},
        index=figures.index,
    )


def share_bounds(meets: pd.Series[bool]) -> tuple[float, float, int] | None:
    """Return the bounds of the share of units that meet a rule, for units where this is unknown.

    Parameters
    ----------
    meets : (unit,) boolean, NA where unknown

    Returns
    -------
    bounds : (none of the unknown meet it, all of them do, number unknown); None without units

    References
    ----------
    As :func:`bounds`: Manski (1990).

    >>> share_bounds(pd.Series([True, False, None, True], dtype="boolean"))
    (0.5, 0.75, 1)
    """
    if not len(meets):
        return None
    known, unknown = int(meets.sum()), int(meets.isna().sum())
    return known / len(meets), (known + unknown) / len(meets), unknown


def _on(rows: pd.DataFrame, column: str, codes: pd.Index[str] | None) -> pd.Series[float]:
    figures = rows.set_index(column)["value"].astype("float64")
    return figures if codes is None else figures.reindex(codes)


def _items(chosen: npt.NDArray[np.bool_], items: list[str]) -> list[str]:
    return ["|".join(name for name, one in zip(items, row, strict=True) if one) for row in chosen]
