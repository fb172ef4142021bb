"""Own the explanation of a plan: whom each site serves, what was nearly as good, why the others lost.

Everybody newly covered is told with the site nearest to him, so that the sites' people add up to the plan's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.audit import in_area, urban_class
from lifecircle.siting_study._solve import best

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.scenario import Scenario
    from lifecircle.siting import SitingPlan
    from lifecircle.siting_study._candidates import Candidates
    from lifecircle.siting_study._question import Question
    from lifecircle.siting_study._solve import Conditions

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

NEAR_TIE = 0.01
"""A plan with one site changed is nearly as good when it covers at most this share fewer newly."""

_MOST_SWAPS = 20_000  # swaps tried one by one where candidates count together


@dataclass(frozen=True)
class SiteFacts:
    """What one site of a plan brings.

    ``people`` : newly covered and nearest to it; ``sole`` : of all newly covered those who would not be
    without it; ``shared`` : those in its reach who would still be; ``groups``, ``districts`` : of ``people``;
    ``villages`` : codes of villages most of whose people are reached now and were not, with the site that
    brings most of them; ``saved_min`` : minutes saved times people, of all nearest to it who are newly
    covered; ``band`` : ``people`` at slow, usual and fast; ``swap``, ``swap_loss`` : the candidate that would
    replace it best, and how many fewer people the plan would then cover (None where there is no other).
    """

    id: str
    people: float
    sole: float
    shared: float
    groups: Mapping[str, float]
    districts: Mapping[str, float]
    villages: tuple[str, ...]
    saved_min: float
    band: tuple[float, float, float]
    swap: str | None
    swap_loss: float | None


@dataclass(frozen=True)
class Tie:
    """A plan nearly as good: one site in the place of another, and how many fewer people it covers."""

    site: str
    instead: str
    loss: float


@dataclass(frozen=True)
class Sensitivity:
    """The plan at one end of the band: people newly covered by it, and by the best sites for that speed.

    ``status`` : the solver's, of those best sites.
    """

    speed: str
    people: float
    best: float | None
    same_sites: int | None
    status: str


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a plan is as it is.

    ``candidates`` : index candidate; ``chosen``, ``left_out``, ``reach_people`` (newly covered by it alone),
    ``rank`` (by that, 1 the most; missing where left out), ``plan_has`` (of those, covered by the plan),
    ``adds`` (people it would add to the plan), ``swap_for`` and ``swap_loss`` (the site it would best
    replace, and the people lost by it), ``reason`` (code of why it is not in the plan).
    """

    sites: tuple[SiteFacts, ...]
    ties: tuple[Tie, ...]
    sensitivity: tuple[Sensitivity, ...]
    candidates: pd.DataFrame


def explain(
    question: Question,
    conditions: Conditions,
    found: Candidates,
    plan: SitingPlan,
    scenario: Scenario,
) -> Explanation:
    """Explain a plan that the audit has proved.

    What another site in the place of one would cost is counted in people covered, so it is told of plans for
    most people alone.
    """
    chosen = conditions.labels.get_indexer(list(plan.sites)).astype(np.int64)
    swaps = np.full((len(chosen), len(conditions.labels)), np.inf)
    if plan.objective == "max_cover":
        swaps = _swaps(question, conditions, chosen)
    table = _candidates(question, conditions, found, chosen, swaps)
    won = question.gain(chosen)
    ties = [
        Tie(str(conditions.labels[chosen[at]]), str(conditions.labels[other]), float(swaps[at, other]))
        for at in range(len(chosen))
        for other in np.flatnonzero(swaps[at] <= NEAR_TIE * won)
    ]
    return Explanation(
        sites=tuple(_sites(question, conditions, chosen, swaps, scenario)),
        ties=tuple(sorted(ties, key=lambda tie: (tie.loss, tie.site, tie.instead))),
        sensitivity=tuple(_sensitivity(question, conditions, chosen)),
        candidates=table,
    )


def nearest_site(question: Question, chosen: Ints, factor: float = 1.0) -> tuple[Ints, Flags]:
    """Tell who is newly covered by the chosen sites and which is nearest: position in ``chosen``, and who."""
    served = question.served(chosen, factor)
    times = np.full((len(served), len(chosen)), np.inf)
    for at, column in enumerate(chosen):
        part = question.seconds[:, [column]].tocoo()
        near = part.data <= question.limit_s * max(question.factors) + 1
        times[part.row[near], at] = part.data[near]
    return np.argmin(times, axis=1).astype(np.int64), served


def _sites(
    question: Question, conditions: Conditions, chosen: Ints, swaps: Floats, scenario: Scenario
) -> Iterator[SiteFacts]:
    inputs = scenario.inputs
    people = question.people
    site, served = nearest_site(question, chosen)
    band = [nearest_site(question, chosen, factor) for factor in question.factors]
    saved = _saved_min(question, scenario)
    villages = _villages_won(question, scenario, site, served, sites=len(chosen))
    district = inputs.demand["district"].astype(str).to_numpy()
    groups = _groups(inputs, question)
    reach = question.reach()
    for at, column in enumerate(chosen):
        mine = served & (site == at)
        without = question.served(np.delete(chosen, at)) if len(chosen) > 1 else np.zeros_like(served)
        sole = float(people[served & ~without].sum())
        inside = np.zeros(len(people), dtype=bool)
        inside[reach[:, [column]].tocoo().row] = True
        others = np.flatnonzero(np.isfinite(swaps[at]))
        best_one = int(others[np.argmin(swaps[at, others])]) if len(others) else -1
        yield SiteFacts(
            id=str(conditions.labels[column]),
            people=float(people[mine].sum()),
            sole=sole,
            shared=float(people[served & inside & without].sum()),
            groups={name: float(count[mine].sum()) for name, count in groups.items()},
            districts={
                str(name): float(people[mine & (district == name)].sum())
                for name in sorted(set(district[mine]))
            },
            villages=villages[at],
            saved_min=float(people[mine] @ saved[mine]),
            band=tuple(  # type: ignore[arg-type]  # three factors give three
                float(people[who & (nearest == at)].sum()) for nearest, who in band
            ),
            swap=str(conditions.labels[best_one]) if best_one >= 0 else None,
            swap_loss=float(swaps[at, best_one]) if best_one >= 0 else None,
        )


def _groups(inputs: Inputs, question: Question) -> dict[str, Floats]:
    """Count the people of each group the tables tell: (demand,), rural residents by their class."""
    inside = in_area(question.target, inputs)
    counts = {
        name: np.where(inside, inputs.demand[name].to_numpy(dtype=float), 0.0)
        for name in inputs.study.demand.groups
    }
    return {**counts, "rural": np.where(urban_class(inputs) == 0, question.people, 0.0)}


def _saved_min(question: Question, scenario: Scenario) -> Floats:
    """Minutes saved by each resident, 0 for those who had no path before."""
    target = question.target.id
    before = scenario.before.seconds[target].to_numpy(dtype=float)
    after = scenario.after.seconds[target].to_numpy(dtype=float)
    saved: Floats = np.nan_to_num(before - after, nan=0.0) / 60
    return saved


def _villages_won(
    question: Question, scenario: Scenario, site: Ints, served: Flags, *, sites: int
) -> list[tuple[str, ...]]:
    """Name the villages reached now and not before, each with the site that brings most of its people."""
    out: list[list[str]] = [[] for _ in range(sites)]
    name = f"reached_{question.target.id}"
    before, after = scenario.before.villages, scenario.after.villages
    if name in before and "village" in scenario.inputs.demand:
        was = before[name].fillna(value=False).to_numpy(dtype=bool)
        now = after[name].fillna(value=False).to_numpy(dtype=bool)
        village = scenario.inputs.demand["village"].astype(str).to_numpy()
        for code in before.index[now & ~was]:
            mine = served & (village == str(code))
            if mine.any():
                weight = np.bincount(site[mine], weights=question.people[mine], minlength=len(out))
                out[int(weight.argmax())].append(str(code))
    return [tuple(codes) for codes in out]


def _swaps(question: Question, conditions: Conditions, chosen: Ints) -> Floats:
    """Count the people lost when a site of the plan is replaced: (site, candidate), inf where it may not be.

    Where one candidate in reach is enough, all are counted at once; where candidates count together each is
    tried, unless there are too many (inf throughout).
    """
    free = np.flatnonzero(conditions.free)
    others = np.setdiff1d(free, chosen)
    out = np.full((len(chosen), len(conditions.labels)), np.inf)
    fixed = set(conditions.required)
    barred = {pair for one, other in conditions.apart for pair in ((one, other), (other, one))}
    whole = question.gain(chosen)
    quick = question.one_is_enough()
    if not quick and len(chosen) * len(others) > _MOST_SWAPS:
        return out
    for at, site in enumerate(chosen):
        if str(conditions.labels[site]) in fixed:
            continue
        rest = np.delete(chosen, at)
        kept = question.gain(rest) if len(rest) else 0.0
        if quick:
            left = np.where(
                question.waiting()
                & ~(question.served(rest) if len(rest) else np.zeros(len(question.people), bool)),
                question.people,
                0.0,
            )
            added = question.reach().T @ np.where(_possible(question), left, 0.0)
            out[at, others] = whole - kept - added[others]
        else:
            out[at, others] = [whole - question.gain(np.append(rest, other)) for other in others]
        names = {str(conditions.labels[one]) for one in rest}
        for other in others:
            if any((str(conditions.labels[other]), name) in barred for name in names):
                out[at, other] = np.inf
        if conditions.budget is not None:
            cost = conditions.prices[rest].sum() + conditions.prices[others]
            out[at, others[cost > conditions.budget]] = np.inf
    return out


def _possible(question: Question) -> Flags:
    """Tell whom one candidate covers when it is in reach, where one is enough: (demand,)."""
    needs = question.needs()
    assert needs is not None
    able: Flags = needs == 1
    return able


def _own_reach(question: Question, chosen: Ints) -> tuple[Floats, Floats, Floats]:
    """Count what each candidate brings alone, what the plan has of it, and what it adds: (candidate,)."""
    many = len(question.brings)
    plan, whole = question.served(chosen), question.gain(chosen)
    people = np.where(question.waiting(), question.people, 0.0)
    reach = question.reach()
    if not question.one_is_enough():
        alone = np.array([question.gain([one]) for one in range(many)])
        adds = np.array([question.gain(np.append(chosen, one)) - whole for one in range(many)])
        return alone, np.minimum(alone, reach.T @ np.where(plan, people, 0.0)), adds
    able = np.where(_possible(question), people, 0.0)
    alone, has = reach.T @ able, reach.T @ np.where(plan, able, 0.0)
    adds = alone - has
    # those that fill the rule in part are not counted like the others
    for at in np.flatnonzero((question.brings != question.brings[question.free][0]).any(axis=1)):
        alone[at] = question.gain([int(at)])
        adds[at] = question.gain(np.append(chosen, at)) - whole
        has[at] = np.minimum(alone[at], has[at])
    return alone, has, adds


def _candidates(
    question: Question, conditions: Conditions, found: Candidates, chosen: Ints, swaps: Floats
) -> pd.DataFrame:
    """Tell of every candidate what it reaches, what the plan has of that, and why it lost."""
    many = len(conditions.labels)
    picked = np.isin(np.arange(many), chosen)
    alone, has, adds = _own_reach(question, chosen)
    adds = np.where(picked, 0.0, adds)
    left_out = found.table["left_out"].to_numpy(dtype=object)
    rank = pd.Series(np.where(conditions.free, alone, np.nan)).rank(ascending=False, method="min")
    nearest = swaps.argmin(axis=0) if len(chosen) else np.zeros(many, dtype=np.intp)
    loss = swaps.min(axis=0) if len(chosen) else np.full(many, np.inf)
    swap = np.array(
        [
            str(conditions.labels[chosen[one]]) if np.isfinite(cost) else ""
            for one, cost in zip(nearest, loss, strict=True)
        ],
        dtype=object,
    )
    reason = np.select(
        [
            picked,
            left_out != "",
            alone <= 0,
            adds <= 0,
            np.isfinite(loss) & (loss <= NEAR_TIE * question.gain(chosen)),
        ],
        ["chosen", "left_out", "reaches_nobody", "plan_has_all", "near_tie"],
        "adds_less",
    )
    return pd.DataFrame(
        {
            "chosen": picked,
            "left_out": pd.Series(left_out, dtype="str").to_numpy(),
            "reach_people": alone,
            "rank": rank.to_numpy(),
            "plan_has": has,
            "adds": adds,
            "swap_for": swap.astype(str),
            "swap_loss": np.where(np.isfinite(loss), loss, np.nan),
            "reason": reason.astype(str),
        },
        index=conditions.labels,
    )


def _sensitivity(question: Question, conditions: Conditions, chosen: Ints) -> Iterator[Sensitivity]:
    """Count the plan at slow, usual and fast, beside the best sites for that speed."""
    for name, factor in zip(("slow", "usual", "fast"), question.factors, strict=True):
        people = question.gain(chosen, factor)
        if factor == 1.0:
            yield Sensitivity(name, people, people, len(chosen), "optimal")
            continue
        other = best(question, conditions, objective="max_cover", sites=len(chosen), factor=factor)
        if other.status == "infeasible":
            yield Sensitivity(name, people, None, None, "infeasible")
            continue
        picked = conditions.labels.get_indexer(list(other.sites)).astype(np.int64)
        same = int(np.isin(picked, chosen).sum())
        yield Sensitivity(name, people, question.gain(picked, factor), same, other.status)
