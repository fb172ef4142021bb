"""Make the list of a year from its findings, the record of the lists before and what people filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lifecircle.rectification._gap_facts import read_gaps
from lifecircle.rectification._problem_ids import match, run_facts, why_gone
from lifecircle.rectification._problem_record import BY_WORKS, Problem, Record
from lifecircle.rectification._problem_text import computed_columns, deadline
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from lifecircle.findings import Findings
    from lifecircle.rectification._gap_facts import Gap

    Filled = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class RectificationList:
    """The list of one year: its record, and the run it is of."""

    record: Record
    findings: Findings

    @property
    def current(self) -> tuple[Problem, ...]:
        """Return the problems that are still on the list."""
        return tuple(one for one in self.record.problems if not one.ended)

    @property
    def ended(self) -> tuple[Problem, ...]:
        """Return the problems that are off the list for good."""
        return tuple(one for one in self.record.problems if one.ended)


def rectify(
    findings: Findings,
    before: Record | None = None,
    filled: Filled | None = None,
    *,
    shut: Mapping[str, npt.NDArray[np.str_]] | None = None,
) -> RectificationList:
    """Make the rectification list of a run.

    Parameters
    ----------
    before : record of the last list; None for the first
    filled : id -> column -> what people wrote into it, of the last list (see :func:`read_filled`)
    shut : who would be covered if more venues were open at the hour, see :func:`covered_if_open`

    Returns
    -------
    listing : every problem of the record before is in the new one, and every gap of the run; a problem that
        was closed or withdrawn stays so, and a gap at its place is a new problem
    """
    gaps = read_gaps(findings, shut)
    old = {} if before is None else before.by_id
    hands = {name: {**one.hand, **(filled or {}).get(name, {})} for name, one in old.items()}
    alive = [one for one in old.values() if not one.ended]
    ids = {} if before is None else match(gaps, alive, findings, before.run)
    numbers = {} if before is None else dict(before.numbers)
    found = {}
    for at, gap in enumerate(gaps):
        target = gap.result.target.id
        if at not in ids:
            numbers[target] = numbers.get(target, 0) + 1
            ids[at] = f"{target}-{findings.year}-{numbers[target]:04d}"
        name = ids[at]
        found[name] = _still(name, gap, findings, old.get(name), hands.get(name, {}))
    owner = {(one.target, label): one.id for one in found.values() for label in one.members}
    gone = [
        _gone(one, hands[one.id], findings, before, owner)
        for one in old.values()
        if one.id not in found and before is not None
    ]
    problems = _in_order([*found.values(), *gone], findings)
    members = (label for one in problems for label in one.members)
    facts = run_facts(findings, members)
    if before is not None:  # where residents lived who have gone since
        facts = replace(facts, places={**before.run.places, **facts.places})
    return RectificationList(Record(findings.study, facts, numbers, problems), findings)


def _still(name: str, gap: Gap, findings: Findings, old: Problem | None, hand: Mapping[str, str]) -> Problem:
    """Write a problem that the run finds, with all that people wrote of it."""
    year = findings.year
    computed = computed_columns(gap, findings)
    kept = {"deadline": deadline(gap, year), "status": "open", **hand}
    first = year if old is None else old.first_year
    check = f"problem_new:{year}" if first == year else f"problem_since:{first}"
    if kept["status"] in _SENT_BACK:
        # It is still there: nothing that was written is lost, but the row stays open.
        check = f"{_SENT_BACK[kept['status']]}:{year}"
        kept["status"] = "working"
    elif old is not None and old.gone:
        kept["status"], check = "working", f"problem_back:{year}"
    elif old is not None and old.last_year == year and old.check.partition(":")[0] in _SAID:
        check = old.check  # the same year again: what was said of it still holds
    labels = findings.demand.index.astype(str)
    return Problem(
        id=name,
        target=gap.result.target.id,
        unit=gap.unit,
        lonlat=gap.lonlat,
        first_year=first,
        last_year=year,
        computed=computed,
        hand=kept,
        members=tuple(labels[gap.members]),
        check=check,
    )


_SENT_BACK = {
    "closed": "problem_not_closed",
    "withdrawn": "problem_not_withdrawn",
    "data_changed": "problem_back",
}
"""Statuses that a problem which is still found cannot have -> what is said of it."""

_SAID = frozenset(_SENT_BACK.values())


def _gone(
    problem: Problem,
    hand: Mapping[str, str],
    findings: Findings,
    before: Record | None,
    owner: Mapping[tuple[str, str], str],
) -> Problem:
    """Decide what becomes of a problem that the run does not find."""
    assert before is not None
    if problem.ended:
        return problem
    gone, gone_year = problem.gone, problem.gone_year
    others = {
        label: owner[problem.target, label] for label in problem.members if (problem.target, label) in owner
    }
    if not gone:
        gone, gone_year = why_gone(problem, before.run, findings, others), findings.year
    kept = dict(hand)
    status = kept.get("status", "open")
    check = f"problem_gone_{gone}:{gone_year}"
    if gone == "merged" and others:
        check = f"problem_gone_merged:{gone_year}|{min(others.values())}"
    elif gone == "merged":
        check = problem.check
    if gone in BY_WORKS and status == "closed" and kept.get("evidence"):
        check = f"problem_closed:{gone_year}"
    elif status == "withdrawn" and gone not in BY_WORKS and kept.get("evidence"):
        check = f"problem_withdrawn:{gone_year}"
    else:
        kept["status"] = "done" if gone in BY_WORKS else "data_changed"
    return replace(problem, hand=kept, gone=gone, gone_year=gone_year, check=check)


def _in_order(problems: Sequence[Problem], findings: Findings) -> tuple[Problem, ...]:
    """Order problems as an office reads them: by town, department and target, most people first."""
    towns = {str(name): at for at, name in enumerate(findings.districts.get("name", ()))}
    targets = {one.target.id: at for at, one in enumerate(findings.targets)}

    def place(one: Problem) -> tuple[int, str, str, int, float, str]:
        """Return what a problem is ordered by."""
        town, people = str(one.computed.get("district") or ""), one.computed.get("people")
        return (
            towns.get(town, len(towns)),
            town,
            str(one.computed.get("department") or ""),
            targets.get(one.target, len(targets)),
            -float(people or 0),
            one.id,
        )

    return tuple(sorted(problems, key=place))


def list_line(listing: RectificationList) -> str:
    """Write one line that counts the problems of a list."""
    year, current = listing.findings.year, listing.current
    return word("rectify", "counts", listing.findings.language).format(
        current=len(current),
        new=sum(one.first_year == year for one in current),
        done=sum(one.status == "done" for one in current),
        data=sum(one.status == "data_changed" for one in current),
        ended=len(listing.ended),
    )
