"""Set out findings as rows of the one table over all studies of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from lifecircle.findings import METHOD_VERSION, as_circle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lifecircle.findings import Count, Findings, TargetResult

PEOPLE: Final = ("people", "covered", "beyond", "disconnected", "unsnapped")
COLUMNS: Final = {
    "study": "str",
    "study_name": "str",
    "year": "int64",
    "target": "str",
    "target_name": "str",
    "kind": "str",
    "district": "str",
    "district_name": "str",
    "value": "float64",
    "goal": "float64",
    "due": "Int64",
    "status": "str",
    "reason": "str",
    **dict.fromkeys(PEOPLE, "float64"),
    "synthetic": "bool",
    "method_version": "str",
    "fingerprint": "str",
}
"""Columns of the merged table; ``district`` is empty in the row of a whole study."""


def merged_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield a row for every target as a whole, and for each of its districts; what is unknown is None.

    Parameters
    ----------
    findings : of one run
    """
    for result in findings.targets:
        shared = _shared(findings, result)
        whole = {"district": "", "district_name": "", "value": result.value, "status": result.status}
        yield {**shared, **whole, "reason": result.reason, **_people(as_circle(result).count)}
        for one in result.districts:
            own = {"district": one.code, "district_name": one.name, "value": one.value, "status": one.status}
            yield {**shared, **own, "reason": "", **_people(getattr(one, "count", None))}


def _shared(findings: Findings, result: TargetResult) -> dict[str, Any]:
    target = result.target
    return {
        "study": findings.study,
        "study_name": findings.name,
        "year": findings.year,
        "target": target.id,
        "target_name": target.name.get(findings.language),
        "kind": target.kind,
        "goal": target.goal,
        "due": target.due,
        "is_share": result.is_share,  # for the page; not a column of the table
        "synthetic": findings.synthetic,
        "method_version": METHOD_VERSION,
        "fingerprint": findings.fingerprint,
    }


def _people(count: Count | None) -> dict[str, float | None]:
    return {name: None if count is None else float(getattr(count, name)) for name in PEOPLE}


def merged_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as the merged table, in the order they are given.

    >>> merged_table([]).columns.tolist()[:3]
    ['study', 'study_name', 'year']
    """
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype(COLUMNS)
