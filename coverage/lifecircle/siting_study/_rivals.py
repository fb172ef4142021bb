"""Own what a plan would be worth with one of its sites replaced, by the aim of the plan; no words.

Every aim has a quantity of its own: people newly covered, people left uncovered, the longest time, the sum of
all times, the least share of a district. A candidate is held against the plan in the place of each site that
it may replace, and its case is the place where it does best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lifecircle.siting_study._solver_call import covering

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting import SitingPlan
    from lifecircle.siting_study._question import Question
    from lifecircle.siting_study._solver_call import Conditions

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

_MOST_SWAPS = 20_000  # swaps tried one by one where candidates count together
_NOISE = 1e-9
"""Share of a figure that float noise may be; sums of many products are not added in one order."""


@dataclass(frozen=True)
class Aim:
    """The quantity a plan strives for: today, and with the plan.

    ``unit`` : ``people`` (covered, or for full_cover uncovered though a candidate would cover them),
    ``seconds`` (the longest time), ``person_seconds`` (the sum of all times) or ``share`` (of the district
    where it is least); ``least_before``, ``least_after`` : which district that is, empty for other aims.
    """

    unit: str
    before: float
    after: float
    least_before: str = ""
    least_after: str = ""


@dataclass(frozen=True, eq=False)
class Swaps:
    """A plan with one site replaced: (site, candidate) each.

    ``allowed`` : whether the conditions let the candidate take the site's place; ``known`` : whether it was
    counted (there may be too many); ``loss`` : by how much the plan's own quantity is then worse, inf where
    it is not allowed or not known; ``people`` : how many fewer people are covered then; ``least`` : for
    max_min_cover the district that is worst then.
    """

    allowed: Flags
    known: bool
    loss: Floats
    people: Floats
    least: npt.NDArray[np.object_]

    def best(self, axis: int) -> Ints:
        """Find the best place for each candidate (axis 0), or the best candidate for each site (axis 1)."""
        loss, people = (self.loss, self.people) if axis == 0 else (self.loss.T, self.people.T)
        if not loss.shape[0]:
            return np.zeros(loss.shape[1], dtype=np.int64)
        order = np.lexsort((people, loss), axis=0)
        first: Ints = order[0].astype(np.int64)
        return first


def aim_of(question: Question, conditions: Conditions, chosen: Ints, objective: str) -> Aim:
    """Count the quantity a plan strives for, today and with the plan."""
    if objective == "max_cover":
        covered = question.people_covered
        return Aim("people", covered, covered + question.gain(chosen))
    if objective == "full_cover":
        before, after = (_uncovered(question, conditions, some) for some in (chosen[:0], chosen))
        return Aim("people", before, after)
    if objective == "max_min_cover":
        (before, worst), (after, now) = (
            _least_share(question, conditions, some) for some in (chosen[:0], chosen)
        )
        return Aim("share", before, after, worst, now)
    rows, people = _timed(question)
    times = [_times(question, some)[rows] for some in (chosen[:0], chosen)]
    if objective == "p_center":
        before, after = (float(one.max(initial=0.0)) for one in times)
        return Aim("seconds", before, after)
    before, after = (float(people @ one) for one in times)
    return Aim("person_seconds", before, after)


def swaps_of(question: Question, conditions: Conditions, chosen: Ints, plan: SitingPlan) -> Swaps:
    """Count every exchange of one site of a plan for one candidate that the plan has not."""
    allowed = _allowed(conditions, chosen)
    whole = question.gain(chosen)
    quick = question.one_is_enough()
    shape = allowed.shape
    nothing = np.full(shape, np.inf)
    least = np.full(shape, "", dtype=object)
    if not quick and allowed.sum() > _MOST_SWAPS:
        return Swaps(allowed, known=False, loss=nothing, people=nothing, least=least)
    value, people = nothing.copy(), np.full(shape, np.inf)
    for at in range(len(chosen)):
        rest = np.delete(chosen, at)
        others = np.flatnonzero(allowed[at])
        if not len(others):
            continue
        people[at, others] = whole - _people_with(question, rest, others, quick=quick)
        value[at, others], least[at, others] = _value_with(question, conditions, rest, others, plan)
    if plan.objective == "max_cover":
        loss = people
    elif plan.objective == "full_cover":
        loss = value - _uncovered(question, conditions, chosen)
    else:
        loss = plan.value - value if plan.objective == "max_min_cover" else value - plan.value
        loss = np.where(np.abs(loss) <= _NOISE * abs(plan.value), 0.0, loss)
    loss = np.where(allowed, loss, np.inf)
    return Swaps(allowed, known=True, loss=loss, people=people, least=least)


def _allowed(conditions: Conditions, chosen: Ints) -> Flags:
    """Tell which candidate may take which site's place: required sites stay, distances and budget hold."""
    labels = conditions.labels
    fixed = set(conditions.required)
    position = {str(label): at for at, label in enumerate(labels)}
    barred = np.zeros((len(chosen), len(labels)), dtype=bool)
    place = {int(site): at for at, site in enumerate(chosen)}
    for pair in conditions.apart:
        one, other = (position[name] for name in pair)
        for site, candidate in ((one, other), (other, one)):
            if site in place:  # it stands beside whatever replaces the others
                barred[np.arange(len(chosen)) != place[site], candidate] = True
    free = conditions.free & ~np.isin(np.arange(len(labels)), chosen)
    stays = np.array([str(labels[site]) in fixed for site in chosen], dtype=bool)
    allowed: Flags = free[np.newaxis, :] & ~barred & ~stays[:, np.newaxis]
    if conditions.budget is not None:
        for at in range(len(chosen)):
            cost = conditions.prices[np.delete(chosen, at)].sum() + conditions.prices
            allowed[at] &= cost <= conditions.budget * (1 + _NOISE)
    return allowed


def _people_with(question: Question, rest: Ints, others: Ints, *, quick: bool) -> Floats:
    """Count the people newly covered by the rest of a plan and each candidate: (candidate,)."""
    kept = question.gain(rest) if len(rest) else 0.0
    if not quick:
        return np.array([question.gain(np.append(rest, other)) for other in others])
    served = question.served(rest) if len(rest) else np.zeros(len(question.people), dtype=bool)
    added = covering(question)[:, others].T @ np.where(served, 0.0, question.people)
    return np.asarray(kept + added)


def _value_with(
    question: Question, conditions: Conditions, rest: Ints, others: Ints, plan: SitingPlan
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Give the plan's own quantity with each candidate beside the rest, and the worst district then."""
    unnamed = np.full(len(others), "", dtype=object)
    if plan.objective in {"p_center", "p_median"}:
        return _times_with(question, rest, others, plan.objective), unnamed
    if plan.objective == "max_min_cover":
        return _shares_with(question, conditions, rest, others)
    if plan.objective == "full_cover":
        served = question.served(rest) if len(rest) else np.zeros(len(question.people), dtype=bool)
        left = np.where(_asked(question, conditions) & ~served, question.people, 0.0)
        return np.asarray(left.sum() - covering(question)[:, others].T @ left), unnamed
    return np.zeros(len(others)), unnamed


def _asked(question: Question, conditions: Conditions) -> Flags:
    """Tell whom the candidates that may be chosen would cover, and nobody does today: (demand,)."""
    table = covering(question)[:, np.flatnonzero(conditions.free)]
    flags: Flags = np.diff(table.indptr) > 0
    return flags


def _uncovered(question: Question, conditions: Conditions, chosen: Ints) -> float:
    served = question.served(chosen) if len(chosen) else np.zeros(len(question.people), dtype=bool)
    return float(question.people[_asked(question, conditions) & ~served].sum())


# --- times ----------------------------------------------------------------------------------------------


def _timed(question: Question) -> tuple[Ints, Floats]:
    rows = np.flatnonzero(question.timed & (question.people > 0))
    return rows, question.people[rows]


def _times(question: Question, chosen: Ints) -> Floats:
    """Give everybody's time to the rule with the chosen candidates, each of which fills it: (demand,)."""
    times = question.answer.seconds.copy()
    entries = question.seconds[:, chosen].tocoo()
    np.minimum.at(times, entries.row, entries.data)
    return times


def _times_with(question: Question, rest: Ints, others: Ints, objective: str) -> Floats:
    """Give the longest time, or the sum of all, with each candidate beside the rest: (candidate,)."""
    rows, people = _timed(question)
    times = _times(question, rest)[rows]
    table = question.seconds[rows][:, others].tocsc()
    column = np.repeat(np.arange(len(others)), np.diff(table.indptr))
    if objective == "p_median":
        saved = people[table.indices] * np.maximum(times[table.indices] - table.data, 0.0)
        return np.asarray(people @ times - np.bincount(column, weights=saved, minlength=len(others)))
    longest = np.empty(len(others))
    for at in range(len(others)):
        part = slice(table.indptr[at], table.indptr[at + 1])
        now = times.copy()
        now[table.indices[part]] = np.minimum(now[table.indices[part]], table.data[part])
        longest[at] = now.max(initial=0.0)
    return longest


# --- districts ------------------------------------------------------------------------------------------


def _districts(question: Question, conditions: Conditions) -> tuple[Ints, npt.NDArray[np.object_], Floats]:
    """Give each resident's district by number, -1 for none, and the names and people of the districts."""
    mine = np.asarray(~pd.isna(conditions.groups), dtype=bool)
    names, code = np.unique(conditions.groups[mine].astype(str), return_inverse=True)
    number = np.full(len(mine), -1, dtype=np.int64)
    number[mine] = code
    whole = np.bincount(code, weights=question.people[mine], minlength=len(names))
    return number, names.astype(object), whole.astype(np.float64)


def _least_share(question: Question, conditions: Conditions, chosen: Ints) -> tuple[float, str]:
    number, names, whole = _districts(question, conditions)
    covered = question.covered | (question.served(chosen) if len(chosen) else False)
    mine = covered & (number >= 0)
    have = np.bincount(number[mine], weights=question.people[mine], minlength=len(names))
    counts = np.flatnonzero(whole > 0)
    share = have[counts] / whole[counts]
    worst = int(np.argmin(share))
    return float(share[worst]), str(names[counts[worst]])


def _shares_with(
    question: Question, conditions: Conditions, rest: Ints, others: Ints
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Give the least share of a district with each candidate beside the rest, and which: (candidate,)."""
    number, names, whole = _districts(question, conditions)
    covered = question.covered | (question.served(rest) if len(rest) else False)
    mine = covered & (number >= 0)
    have = np.bincount(number[mine], weights=question.people[mine], minlength=len(names))
    left = np.flatnonzero(~covered & (number >= 0))
    spread = csr_array(
        (question.people[left], (left, number[left])), shape=(len(question.people), len(names))
    )
    added = csr_array(csr_array(covering(question)[:, others]).T @ spread).toarray()
    counts = np.flatnonzero(whole > 0)
    share = (have[counts] + added[:, counts]) / whole[counts]
    return share.min(axis=1), names[counts[share.argmin(axis=1)]]
