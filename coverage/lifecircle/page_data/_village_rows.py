"""What the page says village by village: the three counts beside each other, and where they differ.

A village is counted officially when it is on the accepted list or its straight circle holds the rule. The
counts come from the columns ``accepted_<target>``, ``straight_<target>`` and ``reached_<target>`` of the
findings' villages, those that are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.wording import village_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.wording import Words

COUNTS = ("accepted", "straight", "reached")
_CODE = {True: "1", False: "0", None: "-"}


def village_counts(villages: gpd.GeoDataFrame, target: str) -> dict[str, list[bool | None]]:
    """Read how each village counts for a target: count -> one answer per village, None where unknown.

    Counts without a column are left out.
    """
    return {
        count: [None if pd.isna(value) else bool(value) for value in villages[f"{count}_{target}"]]
        for count in COUNTS
        if f"{count}_{target}" in villages
    }


def difference(accepted: bool | None, straight: bool | None, reached: bool | None) -> str:  # noqa: FBT001 - three answers of one kind
    """Return how a village's official counts differ from its reach: ``over``, ``under`` or not at all.

    >>> difference(True, False, False), difference(False, None, True), difference(True, None, True)
    ('over', 'under', '')
    """
    if reached is False and (accepted or straight):
        return "over"
    if reached and (accepted is False or straight is False):
        return "under"
    return ""


def village_rows(
    findings: Findings, result: TargetResult, gaps: Mapping[tuple[str, str], Any], words: Words
) -> dict[str, Any] | None:
    """Return the villages of one target; None where the findings hold no count of any.

    Parameters
    ----------
    gaps : (district, village) by name -> the village's largest gap as the page shows it, most people first

    Returns
    -------
    counts : the counts there are, in words
    states : one text per village, a letter per count: 1 yes, 0 no, - unknown
    differ : the villages whose official counts differ from their reach, those with large gaps first
    """
    counts = village_counts(findings.villages, result.target.id)
    if not counts or not any(value is not None for answers in counts.values() for value in answers):
        return None
    page = words.section("page")
    number = len(findings.villages)
    each = {count: counts.get(count, [None] * number) for count in COUNTS}
    order = {place: rank for rank, place in enumerate(gaps)}
    differ = []
    for village, place in enumerate(_places(findings)):
        kind = difference(*(each[count][village] for count in COUNTS))
        if kind:
            row = {"village": village, "kind": kind, "gap": gaps.get(place)}
            differ.append((kind != "over", order.get(place, len(order)), row))
    differ.sort(key=lambda entry: entry[:2])
    return {
        "counts": [page[f"village_{count}"] for count in counts],
        "states": ["".join(_CODE[each[count][village]] for count in counts) for village in range(number)],
        "reached": "reached" in counts,
        "differ": [row for *_, row in differ],
    }


def _places(findings: Findings) -> Sequence[tuple[str, str]]:
    """Name each village's district and itself, as gaps name them."""
    return list(
        zip(district_names(findings), findings.villages["name"].astype(str).map(village_text), strict=True)
    )


def district_names(findings: Findings) -> list[str]:
    """Return the name of each village's district, empty where none is known."""
    villages, districts = findings.villages, findings.districts
    if "district" not in villages:
        return [""] * len(villages)
    names = {str(code): str(name) for code, name in districts["name"].items()} if len(districts) else {}
    return ["" if pd.isna(code) else names.get(str(code), str(code)) for code in villages["district"]]
