"""Solve coverage under any rule and condition: several sites or classes needed, groups, prices, distances.

Local search gives a plan, multipliers a bound, and HiGHS closes the gap between them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from lifecircle.errors import say
from lifecircle.siting._allowed_sets import Rows, largest
from lifecircle.siting._certificate import (
    Found,
    is_proved,
    none_found,
    rounded_down,
    rounded_up,
    step_beyond,
    unit_of,
)
from lifecircle.siting._highs import Model, is_installed, minimise, relax
from lifecircle.siting._lagrange import Effort, rule_bound
from lifecircle.siting._lifted import lifted_model
from lifecircle.siting._local_search import Start, any_set, first_set, local_search
from lifecircle.siting._rules import TIE, plain_value

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._lifted import Lifted
    from lifecircle.siting._rules import Rules

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_STEPS, _KICKS = 1500, 60


def solve_rules(rules: Rules, choice: Choice, *, deadline: Deadline) -> Found:
    """Find the set that satisfies the most people, or whose least share of a group is largest."""
    unit = 0.0 if rules.by_group else unit_of(np.concatenate([rules.people, rules.settled]))
    # Two greedy starts, because neither is better everywhere; the local search improves both.
    starts = [
        first_set(rules, choice, likes=likes, deadline=deadline) for likes in (rules.gains, rules.promises)
    ]
    allowed = [start.is_open for start in starts if start.is_open is not None]
    if not allowed:
        return none_found(say("no set of sites meets the conditions"), proved=starts[0].impossible)
    is_open, value = max(
        (local_search(rules, choice, start, kicks=0, deadline=deadline.share(0.2)) for start in allowed),
        key=lambda found: found[1],
    )
    # The bound before the long search: when it proves the plan, the search is not needed.
    bound = _bound(rules, choice, value, unit, deadline=deadline.share(0.4))
    if not _is_done(rules, is_open, bound, unit) and not deadline.passed():
        is_open, _ = local_search(
            rules, choice, is_open, kicks=_KICKS, deadline=deadline.share(0.3), enough=bound + 2 * TIE
        )
    if not _is_done(rules, is_open, bound, unit) and not deadline.passed() and is_installed():
        is_open, bound = _exactly(rules, choice, is_open, bound, unit, deadline)
    return Found(is_open, bound)


def _is_done(rules: Rules, is_open: Bools, bound: float, unit: float) -> bool:
    value = plain_value(rules, is_open)
    return bound < value + unit * 0.5 if unit else is_proved(value, bound)


def _bound(rules: Rules, choice: Choice, value: float, unit: float, *, deadline: Deadline) -> float:
    """Return an upper bound of the value of any allowed set."""
    if not rules.by_group:
        settled = float(rules.settled.sum())
        enough = value + step_beyond(value, unit) - settled
        effort = Effort(_STEPS, deadline, enough)
        parts = rules.cover, rules.need, rules.resident, rules.people
        bound = rule_bound(*parts, choice, value=value - settled, effort=effort)
        return rounded_down(min(bound + settled, settled + float(rules.people.sum())), unit)
    # no share of all is under the least one, with any weights for the groups
    counts = np.flatnonzero(rules.in_group > 0)
    # Tried with equal weights and with each group alone; the least of these bounds is taken.
    weighings = [np.isin(np.arange(rules.groups), counts) / max(1, len(counts))]
    weighings += [(np.arange(rules.groups) == one).astype(np.float64) for one in counts.tolist()]
    bounds = [1.0]
    for weighing in weighings:
        factor = np.where(rules.in_group > 0, weighing / np.maximum(rules.in_group, 1e-300), 0.0)
        people = rules.people * factor[rules.group]
        settled = float((rules.settled * factor).sum())
        effort = Effort(_STEPS // 8, deadline, value - settled)
        part = rule_bound(
            rules.cover, rules.need, rules.resident, people, choice, value=value - settled, effort=effort
        )
        bounds.append(settled + part)
    return min(bounds)


def _exactly(  # noqa: PLR0913, PLR0917 - everything known so far
    rules: Rules, choice: Choice, is_open: Bools, bound: float, unit: float, deadline: Deadline
) -> tuple[Bools, float]:
    """Pass the problem to HiGHS; where residents need several sites, the bound of the products first."""
    models = [model_of(rules, choice)]
    many, value = len(choice.variable), plain_value(rules, is_open)
    lifted = lifted_model(rules, choice)
    if lifted is not None:
        is_open, bound, limits = _lifted(rules, choice, is_open, bound, unit, lifted, deadline)
        value = plain_value(rules, is_open)
        models = [_limited(model, limits) for model in (*models, lifted.model)] if limits else models
    for place, model in enumerate(models):
        if _is_done(rules, is_open, bound, unit) or deadline.passed():
            break
        # The plain model is quicker where a proof is in reach, the products bound better where it is not.
        share = deadline.share(0.5) if place + 1 < len(models) else deadline
        start = start_of(rules, choice, is_open)
        if place and lifted is not None:
            start = lifted.solution(start[:many], start[many:])
        answer = minimise(model, deadline=share, unit=unit, start=start, plainly=True)
        if answer.x is not None:
            found = choice.base()
            found[choice.variable] = answer.x[:many] > 0.5
            # The model maximises without the small share that breaks ties, so it is compared without it.
            if choice.allows(found) and plain_value(rules, found) > value:
                is_open, value = found, plain_value(rules, found)
        # Sets with a site that was settled are better than the plan by less than a step.
        proved = value if unit or len(models) == 1 else value + step_beyond(value, unit)
        settled = 0.0 if rules.by_group else float(rules.settled.sum())
        if answer.infeasible:
            bound = min(bound, proved)
        elif math.isfinite(answer.bound):
            bound = min(bound, max(proved, rounded_down(settled - answer.bound, unit)))
    return is_open, max(bound, value)


def _limited(model: Model, limits: tuple[Floats, Floats]) -> Model:
    """Return a model with the first variables held between limits."""
    many = len(limits[0])
    least, greatest = (
        np.concatenate([limit, end[many:]])
        for limit, end in zip(limits, (model.least, model.greatest), strict=True)
    )
    return replace(model, least=least, greatest=greatest)


def _lifted(  # noqa: PLR0913, PLR0917 - everything known so far
    rules: Rules,
    choice: Choice,
    is_open: Bools,
    bound: float,
    unit: float,
    lifted: Lifted,
    deadline: Deadline,
) -> tuple[Bools, float, tuple[Floats, Floats] | None]:
    """Lower the bound by the products of two sites, search from where it points, and settle sites.

    Returns
    -------
    is_open, bound, limits : of the variable sites in any better set, least and greatest; None where the
        relaxation was not solved in the time
    """
    model = lifted.model
    relaxed = relax(model, deadline=deadline.share(0.5))
    if relaxed is None:
        return is_open, bound, None
    settled, sites = float(rules.settled.sum()), choice.variable
    least, reduced, x = relaxed
    bound = max(plain_value(rules, is_open), min(bound, rounded_down(settled - least, unit)))
    rounded = choice.base()
    rounded[sites[largest(x[: len(sites)], round(float(x[: len(sites)].sum())))]] = True
    if choice.allows(rounded) and not _is_done(rules, is_open, bound, unit):
        share = deadline.share(0.2)
        found, value = local_search(rules, choice, rounded, kicks=_KICKS, deadline=share, enough=bound)
        is_open = found if value > rules.value(is_open) else is_open
    # A site whose choice, or refusal, would push the bound to the plan is settled: no better plan has it so.
    value = plain_value(rules, is_open)
    wanted = settled - value - step_beyond(value, unit)
    reduced = reduced[: len(sites)]
    held = np.abs(reduced) + least > wanted
    opened, closed = held & (reduced < 0), held & (reduced > 0)
    return is_open, bound, (opened.astype(np.float64), (~closed).astype(np.float64))


def model_of(rules: Rules, choice: Choice) -> Model:
    """Return the model: x for each site that varies, y for each resident, and the least share with groups.

    ``need * y <= sum of x``; where a row needs several sites y is required to be whole, else it is so by
    itself.
    """
    variable, rows = choice.variable, choice.rows()
    x, y, t = len(variable), len(rules.people), int(rules.by_group)
    have = rules.times(choice.base())
    links, needs = _links(rules, variable, have)
    width = x + y + t
    parts: list[Any] = [links.padded(width), rows.padded(width)]
    lower, upper = [links.lower, rows.lower], [links.upper, rows.upper]
    cost = np.concatenate([np.zeros(x), -rules.people])
    if t:
        counts = np.flatnonzero(rules.in_group > 0)
        size = rules.in_group[counts]
        place = np.full(rules.groups, -1, dtype=np.int64)
        place[counts] = np.arange(len(counts))
        share = rules.people / rules.in_group[rules.group]
        matrix = coo_array(
            (
                np.concatenate([share, -np.ones(len(counts))]),
                (
                    np.concatenate([place[rules.group], np.arange(len(counts))]),
                    np.concatenate([x + np.arange(y), np.full(len(counts), x + y)]),
                ),
            ),
            shape=(len(counts), width),
        )
        parts.append(matrix)
        lower.append(-rules.settled[counts] / size)
        upper.append(np.full(len(counts), np.inf))
        cost = np.concatenate([np.zeros(x + y), [-1.0]])
    several = np.zeros(y, dtype=np.bool_)
    # Where one site is enough, y is whole by itself at the optimum, and a model with fewer integers is
    # faster.
    several[rules.resident[needs > 1]] = True
    return Model(
        cost=cost,
        matrix=csr_array(vstack(parts, format="csr")),
        lower=np.concatenate(lower),
        upper=np.concatenate(upper),
        least=np.zeros(width),
        greatest=np.ones(width),
        whole=np.concatenate([np.ones(x, dtype=np.bool_), several, np.zeros(t, dtype=np.bool_)]),
    )


def _links(rules: Rules, variable: Ints, have: Floats) -> tuple[Rows, Floats]:
    """Return ``sum of x - left * y`` for each row, and what is left of its need beside ``have``."""
    left = np.maximum(rules.need - have, 0.0)
    own = csr_array((-left, (np.arange(len(left)), rules.resident)), shape=(len(left), len(rules.people)))
    matrix = hstack([csr_array(rules.cover.by_row[:, variable]), own], format="coo")
    return Rows(coo_array(matrix), np.zeros(len(left)), np.full(len(left), np.inf)), left


def start_of(rules: Rules, choice: Choice, is_open: Bools) -> Floats:
    """Return a known set as variables of the model."""
    done = rules.satisfied(rules.times(is_open)).astype(np.float64)
    least = [plain_value(rules, is_open)] if rules.by_group else []
    return np.concatenate([is_open[choice.variable].astype(np.float64), done, least])


def solve_fewest(rules: Rules, choice: Choice, *, deadline: Deadline) -> Found:
    """Find the fewest sites that satisfy everyone, under conditions.

    ``rules`` hold everyone who is not satisfied in any case, and everyone can be.
    """
    always = float(len(choice.always))
    is_open, impossible = _a_cover(rules, choice, deadline)
    if is_open is None:
        return none_found(say("no allowed set of sites covers everyone"), proved=impossible)
    bound = always + float(bool(len(rules.people)))
    if is_open.sum() > bound and is_installed() and not deadline.passed():
        model = _cover_all(rules, choice)
        start = is_open[choice.variable].astype(np.float64)
        answer = minimise(model, deadline=deadline, unit=1.0, start=start)
        if answer.x is not None:
            found = choice.base()
            found[choice.variable] = answer.x > 0.5
            # HiGHS works with a tolerance of its own, so its set is checked before it replaces the plan.
            if (
                choice.allows(found)
                and rules.satisfied(rules.times(found)).all()
                and found.sum() < is_open.sum()
            ):
                is_open = found
        if math.isfinite(answer.bound):
            bound = max(bound, always + rounded_up(answer.bound, 1.0))
    return Found(is_open, min(bound, float(is_open.sum())))


def _cover_all(rules: Rules, choice: Choice) -> Model:
    variable, rows = choice.variable, choice.rows()
    matrix = vstack([csr_array(rules.cover.by_row[:, variable]), rows.matrix], format="csr")
    left = rules.need - rules.times(choice.base())
    return Model(
        cost=np.ones(len(variable)),
        matrix=csr_array(matrix),
        lower=np.concatenate([left, rows.lower]),
        upper=np.concatenate([np.full(len(left), np.inf), rows.upper]),
        least=np.zeros(len(variable)),
        greatest=np.ones(len(variable)),
        whole=np.ones(len(variable), dtype=np.bool_),
    )


def _a_cover(rules: Rules, choice: Choice, deadline: Deadline) -> Start:
    """Find an allowed set that satisfies everyone: greedily, else by integer programming."""
    is_open = choice.base()
    while not rules.satisfied(rules.times(is_open)).all():
        able = choice.additions(is_open)
        gains = rules.promises(is_open)[able]
        if not len(able) or gains.max() <= 0:
            break
        is_open[able[int(np.argmax(gains))]] = True
    if rules.satisfied(rules.times(is_open)).all():
        return Start(is_open, impossible=False)
    left = rules.need - rules.times(choice.base())
    must = csr_array(rules.cover.by_row[:, choice.variable]), left
    return any_set(choice, -np.ones(choice.size), must=must, deadline=deadline)
