"""Which findings an edition is made of: in order of their years, masked, reduced for the public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.publication._published_cells import public_findings
from lifecircle.publication._setting import EDITIONS, Edition, MapSetting, without_masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.findings import Findings

_PLAIN = MapSetting()


def edition_findings(
    findings_list: Sequence[Findings], *, edition: Edition, setting: MapSetting = _PLAIN
) -> list[Findings]:
    """Return the findings that an edition is made of, in order of their years.

    Raises
    ------
    UnusableInputError
        When there are no findings, or they are of several studies or of one year twice, or the edition is
        not known.
    """
    years = [without_masked(findings, setting.mask) for findings in _in_order(findings_list)]
    if edition not in EDITIONS:
        remedy = say("use one of {known}", known=", ".join(EDITIONS))
        raise UnusableInputError([Fault("(map)", "edition", str(edition), say("no such edition"), remedy)])
    return public_findings(years, min_people=setting.min_people) if edition == "public" else years


def _in_order(findings_list: Sequence[Findings]) -> list[Findings]:
    """Put the findings in order of their years, once it is sure that one page can hold them."""
    faults = []
    studies = sorted({findings.study for findings in findings_list})
    years = sorted(findings.year for findings in findings_list)
    twice = sorted({str(year) for year in years if years.count(year) > 1})
    if not studies:
        reason, remedy = say("no findings to draw"), say("audit the study first")
        faults.append(Fault("(findings)", "", "", reason, remedy))
    if len(studies) > 1:
        reason, remedy = say("several studies"), say("draw one page per study")
        faults.append(Fault("(findings)", "study", ", ".join(studies), reason, remedy))
    elif twice:
        reason, remedy = say("the same year twice"), say("hand in one run per year")
        faults.append(Fault("(findings)", "year", ", ".join(twice), reason, remedy))
    if faults:
        raise UnusableInputError(faults)
    return sorted(findings_list, key=lambda findings: findings.year)
