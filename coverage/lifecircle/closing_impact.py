"""Count for each venue the people who lose cover of a circle when it closes; does not close any.

Exact, and without running an audit for each venue: one search per class finds one venue more than the rule
asks for. A covered resident whose class asks for ``n`` venues loses cover when any of the ``n`` nearest
closes and the next one is beyond the limit::

    minutes to the venues of a class, n = 2, limit 15      4   9 | 18     either one is needed
                                                           4   9 | 12     neither is

A venue that serves several classes of a rule counts each resident once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit import Searches, counted_people, open_venues, road_radius
from lifecircle.demand import OUTSIDE
from lifecircle.limits import within_limit
from lifecircle.report import ORDER, PEOPLE, RATE, TEXT
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.audit import Answer, Inputs
    from lifecircle.findings import Findings, Language
    from lifecircle.standards import CircleTarget

IMPACT_COLUMNS = ("target", "venue", "name", "service", "district", "village", "people", "share", "residents")
"""``people`` lose cover when the venue closes, ``share`` of those the target counts; ``residents`` are their
points."""

CLOSING = {
    "row": ORDER, "target": TEXT, "venue_name": TEXT, "service": TEXT, "district": TEXT, "losing": PEOPLE,
    "losing_share": RATE,
}  # fmt: skip
"""Columns of the printed table, and their kinds."""

_TIMED = frozenset({"reach", "open"})


def closing_impact(inputs: Inputs, *, searches: Searches | None = None) -> pd.DataFrame:
    """Count who loses cover when a venue closes, for every circle and every venue that its rule counts.

    By the target's own accounting where it counts residents. A target whose unit is the village, or whose
    accounting lacks its input, has no rows.

    Parameters
    ----------
    inputs : of the year
    searches : of the same inputs, to use what they have found; new ones where left out

    Returns
    -------
    impact : columns :data:`IMPACT_COLUMNS`; targets in the standard's order, in each the venue that most
        people depend on first, those that nobody does with 0 people
    """
    asked = Searches(inputs) if searches is None else searches
    tables = [
        _of_target(target, inputs, asked)
        for target in inputs.study.standard.targets
        if target.kind == "circle"
    ]
    rows = [table for table in tables if len(table)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(IMPACT_COLUMNS))


def _of_target(target: CircleTarget, inputs: Inputs, searches: Searches) -> pd.DataFrame:
    reason, people = counted_people(target, inputs)
    opened = open_venues(target, inputs)
    known = target.accounting != "open" or opened is not None
    if reason or not known or target.accounting not in {*_TIMED, "network_distance"}:
        return pd.DataFrame(columns=list(IMPACT_COLUMNS))
    # One venue more of each class than the rule asks for: the one that would stand in.
    deeper = target.model_copy(update={"require": {name: n + 1 for name, n in target.require.items()}})
    answer = searches.answer(deeper, only=opened)
    near = _near(target, inputs, answer)
    if near is None:
        return pd.DataFrame(columns=list(IMPACT_COLUMNS))
    resident, venue = _dependent(target, answer, near, people > 0)
    return _table(target, inputs, answer, (resident, venue, people))


def _near(target: CircleTarget, inputs: Inputs, answer: Answer) -> dict[str, npt.NDArray[np.bool_]] | None:
    """Mark which of the nearest venues of each class are within the limit: class -> (demand, k)."""
    if target.accounting in _TIMED:
        return {name: within_limit(seconds, target.minutes * 60) for name, seconds in answer.ranks.items()}
    radius = road_radius(target, inputs)
    if radius is None:
        return None
    speed_ms = inputs.networks[target.profile].profile.access_ms
    return {
        name: within_limit(seconds * speed_ms, np.asarray(radius)[:, None])
        for name, seconds in answer.ranks.items()
    }


def _dependent(
    target: CircleTarget,
    answer: Answer,
    near: Mapping[str, npt.NDArray[np.bool_]],
    counted: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pair residents with the venues they cannot do without: (pair,) residents and (pair,) venues."""
    covered = counted & answer.snapped
    for name, flags in near.items():
        covered = covered & flags[:, target.require[name] - 1]
    pairs = [np.zeros((0, 2), dtype=np.intp)]
    for name, flags in near.items():
        count = target.require[name]
        alone = np.flatnonzero(covered & ~flags[:, count])
        venues = answer.venues[name][alone, :count]
        pairs.append(np.column_stack([np.repeat(alone, count), venues.ravel()]))
    both = np.unique(np.concatenate(pairs), axis=0)
    return both[:, 0], both[:, 1]


def _table(
    target: CircleTarget,
    inputs: Inputs,
    answer: Answer,
    pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]],
) -> pd.DataFrame:
    """Add the pairs up by venue, with what the venue is called and where it stands."""
    resident, venue, people = pairs
    facilities = inputs.facilities
    losing = np.bincount(venue, weights=people[resident], minlength=len(facilities))
    points = np.bincount(venue, minlength=len(facilities))
    # Those that nobody depends on are listed too: a venue that may close is an answer as well.
    served = {int(at) for venues in answer.venues.values() for at in np.unique(venues) if at >= 0}
    at = np.array(sorted(served), dtype=np.intp)
    chosen = facilities.iloc[at]
    table = pd.DataFrame(
        {
            "target": target.id,
            "venue": chosen.index.astype(str),
            "name": chosen["name"].astype(str).to_numpy(),
            "service": chosen["service"].astype(str).to_numpy(),
            "district": _names(chosen, "district", inputs.districts),
            "village": _names(chosen, "village", inputs.villages),
            "people": losing[at],
            "share": losing[at] / people.sum(),
            "residents": points[at],
        }
    )
    return table.sort_values(["people", "venue"], ascending=[False, True], kind="stable")


def _names(chosen: pd.DataFrame, column: str, units: pd.DataFrame | None) -> Any:
    labels = chosen[column].fillna("") if column in chosen else pd.Series("", index=chosen.index)
    named = labels if units is None else labels.map(units["name"]).fillna(labels)
    return named.astype(str).to_numpy()


def closing_table(impact: pd.DataFrame, findings: Findings, language: Language | None = None) -> pd.DataFrame:
    """Put the whole impact in a table for a file: every venue of every circle.

    Parameters
    ----------
    impact : as :func:`closing_impact` gives it
    language : of headings and names; left out, the language of the findings

    Returns
    -------
    table : a row for each row of ``impact``, headings from the catalogue; people and shares unrounded
    """
    language = language or findings.language
    targets = {one.target.id: one.target.name.get(language) for one in findings.targets}
    services = {name: _service(name, findings, language) for name in impact["service"].unique()}
    columns = {
        "target": impact["target"].map(targets),
        "venue_id": impact["venue"],
        "venue_name": impact["name"],
        "service": impact["service"].map(services),
        "district": impact["district"].map(lambda name: _district(name, language)),
        "village": impact["village"],
        "losing": impact["people"].astype(float),
        "losing_share": impact["share"].astype(float),
    }
    heads = {name: word("column", name, language) for name in columns}
    heads["district"] = word("board_column", "district", language)
    return pd.DataFrame({heads[name]: column for name, column in columns.items()})


def _service(name: str, findings: Findings, language: Language) -> str:
    return findings.services.get(name, {}).get(language) or word("class", name, language)


def _district(name: str, language: Language) -> str:
    return word("area", "outside", language) if name == OUTSIDE else name


def closing_sheet(
    impact: pd.DataFrame, findings: Findings, language: Language | None = None, *, most: int = 20
) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """Put the impact in rows that a report prints: for each target the venues most people depend on.

    Parameters
    ----------
    language : of the names; left out, the language of the findings
    most : venues of a target that are printed; those that nobody depends on never are
    """
    language = language or findings.language
    rows: list[dict[str, Any]] = []
    for target, table in impact[impact["people"] > 0].groupby("target", sort=False):
        name = findings.result(str(target)).target.name.get(language)
        for number, one in enumerate(table.head(most).to_dict("records"), 1):
            rows.append(
                {
                    "row": number,
                    "target": name,
                    "venue_name": one["name"] or one["venue"],
                    "service": _service(one["service"], findings, language),
                    "district": _district(one["district"], language),
                    "losing": one["people"],
                    "losing_share": one["share"],
                }
            )
    return CLOSING, rows
