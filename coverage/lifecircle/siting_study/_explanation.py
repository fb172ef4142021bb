"""The explanation of a plan: whom each site serves, what was nearly as good, why the others lost.

Everybody newly covered is counted at the nearest site, so that the sites' people add up to the plan's; so is
every minute saved. An exchange of one site for another is measured in the quantity of the plan's objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.audit import Searches, basis_of, in_area, urban_class
from lifecircle.reach import nearest_seconds
from lifecircle.scenario import saved_seconds
from lifecircle.siting_study._rivals import Aim, Swaps, aim_of, swaps_of
from lifecircle.siting_study._solver_call import best, covering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.scenario import Scenario
    from lifecircle.siting import SitingPlan
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.siting_study._question import Question
    from lifecircle.siting_study._solver_call import Conditions

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

NEAR_TIE = 0.01
"""A plan with one site changed is nearly as good when it gives up at most this share of what the plan gains
over today, by the plan's own quantity and, where that is a worst case, of the people newly covered too."""

RURAL, UNKNOWN = 0, -1  # see lifecircle.audit.urban_class

_WORST_CASES = frozenset({"p_center", "max_min_cover"})


@dataclass(frozen=True)
class SiteFacts:
    """What one site of a plan brings.

    ``people`` : newly covered and nearest to it; ``sole`` : of all newly covered those who would not be
    without it; ``shared`` : those in its reach who would still be; ``groups`` : of ``people``, the rural ones
    among them, None where the class of all is unknown, and ``class_unknown``, of how many it is, if any;
    ``districts`` : of ``people``; ``villages`` : codes of villages most of whose people are reached now and
    were not, with the site that brings most of them; ``saved_min`` : minutes saved times people, see
    :func:`lifecircle.scenario.saved_seconds`, of everybody whose nearest new site it is; ``band`` :
    ``people`` at slow, usual and fast, None where no one speed decides; ``swap`` : the candidate that would
    replace it best, ``swap_loss`` by how much the plan's own quantity is worse then, ``swap_people`` how many
    fewer people are covered then, ``swap_least`` the district that is worst then (None and empty where there
    is no other).
    """

    id: str
    people: float
    sole: float
    shared: float
    groups: Mapping[str, float | None]
    districts: Mapping[str, float]
    villages: tuple[str, ...]
    saved_min: float
    band: tuple[float | None, float, float | None]
    swap: str | None
    swap_loss: float | None
    swap_people: float | None
    swap_least: str


@dataclass(frozen=True)
class Tie:
    """A plan nearly as good: one site in the place of another.

    ``loss`` : by how much the plan's own quantity is worse; ``people`` : how many fewer people are covered.
    """

    site: str
    instead: str
    loss: float
    people: float
    least: str = ""


@dataclass(frozen=True)
class Sensitivity:
    """The plan at one end of the band: people newly covered by it, and by the best sites for that speed.

    ``best``, ``same_sites``, ``status`` : of the best sites for that speed, where the plan is one for most
    people; else None and empty.
    """

    speed: str
    people: float
    best: float | None
    same_sites: int | None
    status: str


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a plan is as it is.

    ``aim`` : the quantity it strives for; ``candidates`` : index candidate; ``chosen``, ``left_out``,
    ``reach_people`` (newly covered by it alone), ``rank`` (by that, 1 the most; missing where left out),
    ``plan_has`` (of those, covered by the plan), ``adds`` (people it would add to the plan), ``swap_for``
    (the site in whose place it does best), ``swap_loss`` (by how much the plan's own quantity is worse then),
    ``swap_people`` (how many fewer people are covered then), ``swap_least`` (the district that is worst
    then), ``reason`` (code of why it is not in the plan).
    """

    aim: Aim
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
    """Explain a plan that the audit has proved."""
    chosen = conditions.labels.get_indexer(list(plan.sites)).astype(np.int64)
    aim = aim_of(question, conditions, chosen, plan.objective)
    swaps = swaps_of(question, conditions, chosen, plan)
    near = _near(swaps, plan.objective, abs(aim.after - aim.before), question.gain(chosen))
    labels = conditions.labels
    ties = [
        Tie(
            str(labels[chosen[at]]),
            str(labels[other]),
            float(swaps.loss[at, other]),
            float(swaps.people[at, other]),
            str(swaps.least[at, other]),
        )
        for at, other in np.argwhere(near)
    ]
    return Explanation(
        aim=aim,
        sites=tuple(_sites(question, conditions, found, chosen, swaps, scenario)),
        ties=tuple(sorted(ties, key=lambda tie: (tie.loss, tie.people, tie.site, tie.instead))),
        sensitivity=tuple(_sensitivity(question, conditions, chosen, plan.objective)),
        candidates=_candidates(question, conditions, found, chosen, swaps, near, plan.objective),
    )


def _near(swaps: Swaps, objective: str, gain: float, won: float) -> Flags:
    """Return which exchanges leave the plan nearly as good: (site, candidate)."""
    near: Flags = swaps.loss <= NEAR_TIE * gain
    if objective in _WORST_CASES:
        near &= swaps.people <= NEAR_TIE * won
    return near


def nearest_site(question: Question, chosen: Ints, factor: float = 1.0) -> tuple[Ints, Flags]:
    """Return who the chosen sites newly cover, and the nearest one: position in ``chosen``, and who."""
    served = question.served(chosen, factor)
    times = np.full((len(served), len(chosen)), np.inf)
    for at, column in enumerate(chosen):
        part = question.seconds[:, [column]].tocoo()
        times[part.row, at] = part.data
    return np.argmin(times, axis=1).astype(np.int64), served


def _saved_by_site(question: Question, found: Candidates, chosen: Ints, scenario: Scenario) -> Floats:
    """Add up the minutes saved by everybody, each with the new site nearest to him: (site,)."""
    target, inputs = question.target, scenario.inputs
    after = basis_of(target, inputs, Searches(inputs))
    assert after is not None
    assert after.answer is not None
    now, then = (
        np.where(answer.snapped & np.isfinite(answer.seconds), answer.seconds, np.nan)
        for answer in (question.answer, after.answer)
    )
    saved = saved_seconds(now, then) / 60
    roads = inputs.networks[target.profile]
    sites = inputs.snapped(roads, found.table.iloc[chosen], keep=False)
    homes = inputs.snapped(roads, inputs.demand)
    _, nearest = nearest_seconds(roads, homes, sites, limit_min=target.minutes)
    mine = (saved != 0) & (nearest[:, 0] >= 0)
    return np.bincount(
        nearest[mine, 0], weights=(question.people * saved)[mine], minlength=len(chosen)
    ).astype(np.float64)


def _sites(  # noqa: PLR0913, PLR0917 - the plan from all sides
    question: Question,
    conditions: Conditions,
    found: Candidates,
    chosen: Ints,
    swaps: Swaps,
    scenario: Scenario,
) -> Iterator[SiteFacts]:
    inputs = scenario.inputs
    people = question.people
    site, served = nearest_site(question, chosen)
    by_speed = len(set(question.factors)) > 1
    band = [
        nearest_site(question, chosen, factor) if by_speed or factor_at == 1 else None
        for factor_at, factor in enumerate(question.factors)
    ]
    saved = _saved_by_site(question, found, chosen, scenario)
    villages = _villages_won(question, scenario, site, served, sites=len(chosen))
    district = inputs.demand["district"].astype(str).to_numpy()
    groups = _groups(inputs, question)
    best_ones = swaps.best(1)
    reach = question.reach()
    for at, column in enumerate(chosen):
        mine = served & (site == at)
        without = question.served(np.delete(chosen, at)) if len(chosen) > 1 else np.zeros_like(served)
        sole = float(people[served & ~without].sum())
        inside = np.zeros(len(people), dtype=bool)
        inside[reach[:, [column]].tocoo().row] = True
        other = int(best_ones[at])
        has = bool(np.isfinite(swaps.loss[at, other]))
        yield SiteFacts(
            id=str(conditions.labels[column]),
            people=float(people[mine].sum()),
            sole=sole,
            shared=float(people[served & inside & without].sum()),
            groups=_in_groups(groups, mine, people),
            districts={
                str(name): float(people[mine & (district == name)].sum())
                for name in sorted(set(district[mine]))
            },
            villages=villages[at],
            saved_min=float(saved[at]),
            band=tuple(  # type: ignore[arg-type]  # three factors give three
                None if one is None else float(people[one[1] & (one[0] == at)].sum()) for one in band
            ),
            swap=str(conditions.labels[other]) if has else None,
            swap_loss=float(swaps.loss[at, other]) if has else None,
            swap_people=float(swaps.people[at, other]) if has else None,
            swap_least=str(swaps.least[at, other]) if has else "",
        )


def _groups(inputs: Inputs, question: Question) -> dict[str, Floats]:
    """Count the people of each group that the tables name: (demand,), rural residents by their class."""
    inside = in_area(question.target, inputs)
    counts = {
        name: np.where(inside, inputs.demand[name].to_numpy(dtype=float), 0.0)
        for name in inputs.study.demand.groups
    }
    urban = urban_class(inputs)
    return {
        **counts,
        "rural": np.where(urban == RURAL, question.people, 0.0),
        "class_unknown": np.where(urban == UNKNOWN, question.people, 0.0),
    }


def _in_groups(groups: Mapping[str, Floats], mine: Flags, people: Floats) -> dict[str, float | None]:
    """Add up the groups of some residents; the rural ones are None where nobody's class is known."""
    found: dict[str, float | None] = {name: float(count[mine].sum()) for name, count in groups.items()}
    whole = float(people[mine].sum())
    if whole > 0 and found["class_unknown"] == whole:
        found["rural"] = None
    if not found["class_unknown"]:
        del found["class_unknown"]
    return found


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


def _own_reach(question: Question, chosen: Ints) -> tuple[Floats, Floats, Floats]:
    """Count what each candidate brings alone, what the plan has of it, and what it adds: (candidate,)."""
    many = len(question.brings)
    plan, whole = question.served(chosen), question.gain(chosen)
    people = np.where(question.waiting(), question.people, 0.0)
    if not question.one_is_enough():
        alone = np.array([question.gain([one]) for one in range(many)])
        adds = np.array([question.gain(np.append(chosen, one)) - whole for one in range(many)])
        return alone, np.minimum(alone, question.reach().T @ np.where(plan, people, 0.0)), adds
    table = covering(question)
    alone, has = table.T @ people, table.T @ np.where(plan, people, 0.0)
    adds = alone - has
    # those that fill the rule in part are not counted like the others
    for at in np.flatnonzero((question.brings != question.brings[question.free][0]).any(axis=1)):
        alone[at] = question.gain([int(at)])
        adds[at] = question.gain(np.append(chosen, at)) - whole
        has[at] = np.minimum(alone[at], has[at])
    return alone, has, adds


def _candidates(  # noqa: PLR0913, PLR0917 - the plan from all sides
    question: Question,
    conditions: Conditions,
    found: Candidates,
    chosen: Ints,
    swaps: Swaps,
    near: Flags,
    objective: str,
) -> pd.DataFrame:
    """Return for every candidate what it reaches, what the plan has of that, and why it lost."""
    many = len(conditions.labels)
    picked = np.isin(np.arange(many), chosen)
    alone, has, adds = _own_reach(question, chosen)
    adds = np.where(picked, 0.0, adds)
    left_out = found.table["left_out"].to_numpy(dtype=object)
    rank = pd.Series(np.where(conditions.free, alone, np.nan)).rank(ascending=False, method="min")
    place = swaps.best(0)
    every = np.arange(many)
    counted = np.isfinite(swaps.loss[place, every]) if len(chosen) else np.zeros(many, dtype=bool)
    best_for = {
        name: table[place, every] if len(chosen) else np.full(many, np.nan)
        for name, table in (("loss", swaps.loss), ("people", swaps.people), ("least", swaps.least))
    }
    reasons = [(picked, "chosen"), (left_out != "", "left_out")]
    if objective == "max_cover":
        reasons += [(alone <= 0, "reaches_nobody"), (adds <= 0, "plan_has_all")]
    reasons += [(near.any(axis=0), "near_tie"), (~swaps.allowed.any(axis=0), "barred")]
    otherwise = "adds_less" if objective == "max_cover" else f"worse_{objective}"
    names = [str(conditions.labels[chosen[one]]) if len(chosen) else "" for one in place]
    return pd.DataFrame(
        {
            "chosen": picked,
            "left_out": pd.Series(left_out, dtype="str").to_numpy(),
            "reach_people": alone,
            "rank": rank.to_numpy(),
            "plan_has": has,
            "adds": adds,
            "swap_for": np.where(counted, np.array(names, dtype=object), "").astype(str),
            "swap_loss": np.where(counted, best_for["loss"], np.nan),
            "swap_people": np.where(counted, best_for["people"], np.nan),
            "swap_least": np.where(counted, best_for["least"], "").astype(str),
            "reason": np.select(
                [flags for flags, _ in reasons], [name for _, name in reasons], otherwise
            ).astype(str),
        },
        index=conditions.labels,
    )


def _sensitivity(
    question: Question, conditions: Conditions, chosen: Ints, objective: str
) -> Iterator[Sensitivity]:
    """Count the plan at slow, usual and fast; for most people beside the best sites for that speed."""
    by_speed = len(set(question.factors)) > 1
    for name, factor in zip(("slow", "usual", "fast"), question.factors, strict=True):
        if name != "usual" and not by_speed:
            continue  # speeds differ by class of road, or a radius decides
        people = question.gain(chosen, factor)
        if objective != "max_cover":
            yield Sensitivity(name, people, None, None, "")
            continue
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
