"""Solve coverage under any rule and condition: several sites or classes needed, groups, prices, distances.

A resident has one row for each thing it needs, and a row may need several sites. Local search gives a plan,
multipliers a bound, and HiGHS closes the gap between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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
from lifecircle.siting._cover import Cover, merge_rows
from lifecircle.siting._highs import Model, is_installed, minimise, relax
from lifecircle.siting._lagrange import Effort, rule_bound
from lifecircle.siting._lifted import lifted_model
from lifecircle.siting._local_search import Start, any_set, first_set, local_search
from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._lifted import Lifted

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_STEPS, _KICKS = 1500, 60
_TIE = 1e-4
"""Weight of the share of all people beside the least share of a group, while sets are searched."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Residents, what they need, and the value of a set of sites for them.

    Attributes
    ----------
    cover : rows and sites
    need, resident : (row,) how many sites, and whose row it is
    people : (resident,)
    group, groups : (resident,) position of the group whose least share counts, and how many groups there
        are; 0 where people count, and groups mean nothing
    in_group : (group,) people of each group, those included that need nothing any more
    settled : (group,) or, without groups, (1,): people that are satisfied whatever is chosen
    """

    cover: Cover
    need: Ints
    resident: Ints
    people: Floats
    group: Ints
    groups: int
    in_group: Floats
    settled: Floats

    @property
    def by_group(self) -> bool:
        """Return whether the least share of a group counts, not people."""
        return self.groups > 0

    def times(self, is_open: Bools) -> Floats:
        """Return the number of open sites of each row: (row,)."""
        return np.asarray(self.cover.by_row @ is_open.astype(np.float64))

    def satisfied(self, times: Floats) -> Bools:
        """Return which residents have enough sites in all rows: (resident,)."""
        lacking = totals(self.resident, times < self.need, len(self.people))
        return np.asarray(lacking == 0)

    def value(self, is_open: Bools) -> float:
        """Return the people satisfied, or the least share of a group."""
        done = self.people * self.satisfied(self.times(is_open))
        if not self.by_group:
            return float(done.sum() + self.settled.sum())
        return float(self._fairnesses(self._by_group(done)[np.newaxis, :])[0])

    def gains(self, is_open: Bools) -> Floats:
        """Return what each site would add: (site,)."""
        return self._with_each(self.times(is_open), self.cover.by_site) - self.value(is_open)

    def promises(self, is_open: Bools) -> Floats:
        """Return what each site would add if people counted in part for each need that is met: (site,)."""
        # Where a rule needs several sites, the first of them satisfies nobody yet: people counted in part
        # lead a greedy choice to pairs of sites that do.
        missing = np.maximum(self.need - self.times(is_open), 0.0)
        left = totals(self.resident, missing, len(self.people))
        worth = self.people[self.resident] / np.maximum(left, 1.0)[self.resident]
        if self.by_group:
            worth = worth / self._size()[self.group[self.resident]]
        return np.asarray(self.cover.by_site @ np.where(missing > 0, worth, 0.0))

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return what each exchange would add: (out, in)."""
        times, by_site = self.times(is_open), self.cover.by_site
        part = by_site[ins]
        worths = np.empty((len(outs), len(ins)))
        for place, out in enumerate(outs.tolist()):
            rows = by_site.indices[by_site.indptr[out] : by_site.indptr[out + 1]]
            # Close the site on the shared counts and open it again after: copying them for each exchange is
            # slower.
            times[rows] -= 1
            worths[place] = self._with_each(times, part)
            times[rows] += 1
        answer: Floats = worths - self.value(is_open)
        return answer

    def _with_each(self, times: Floats, by_site: Any) -> Floats:
        """Return the value with each site added to a set that serves rows so many times: (site,).

        A site satisfies the residents whose only missing need it meets; it is in one row of a resident at
        most.
        """
        missing = self.need - times
        open_rows = totals(self.resident, missing > 0, len(self.people))
        counts = (missing == 1) & (open_rows[self.resident] == 1)
        worth = np.where(counts, self.people[self.resident], 0.0)
        done = self.people * (open_rows == 0)
        if not self.by_group:
            return np.asarray(by_site @ worth) + float(done.sum() + self.settled.sum())
        rows = np.flatnonzero(counts)
        group = self.group[self.resident[rows]]
        spread = csr_array((worth[rows], (rows, group)), shape=(len(worth), self.groups))
        return self._fairnesses((by_site @ spread).toarray() + self._by_group(done))

    def _by_group(self, done: Floats) -> Floats:
        return totals(self.group, done, self.groups) + self.settled

    def _size(self) -> Floats:
        return np.where(self.in_group > 0, self.in_group, 1.0)

    def _fairnesses(self, reached: Floats) -> Floats:
        """Return the least share for each row of people by group, plus a small part of the share of all."""
        share = np.where(self.in_group > 0, reached / self._size(), 1.0)
        answer: Floats = share.min(axis=1) + _TIE * reached.sum(axis=1) / max(1.0, float(self.in_group.sum()))
        return answer


def rules_of(  # noqa: PLR0913 - everything residents ask for
    by_row: csr_array, need: Ints, resident: Ints, people: Floats, choice: Choice, *, group: Ints, groups: int
) -> Rules:
    """Leave out residents satisfied in any case or never, and merge those who need the same."""
    # Whoever is satisfied anyway or never is left out: often that is most residents, and every later step
    # costs by the resident.
    may_open = choice.base()
    may_open[choice.variable] = True
    base = np.asarray(by_row @ choice.base().astype(np.float64))
    able = np.asarray(by_row @ may_open.astype(np.float64))
    # Three kinds of residents: satisfied whatever is chosen, never to be satisfied, and those who decide.
    lacking = totals(resident, base < need, len(people))
    hopeless = totals(resident, able < need, len(people)) > 0
    done, alive = lacking == 0, (lacking > 0) & ~hopeless & (people > 0)
    in_group = totals(group[group >= 0], people[group >= 0], groups)
    if groups:
        settled = totals(group[done & (group >= 0)], people[done & (group >= 0)], groups)
        alive &= group >= 0
    else:
        settled = np.array([people[done].sum()])
    rows = np.flatnonzero(alive[resident])
    number = np.cumsum(alive) - 1
    left, needs, owner = csr_array(by_row[rows]), need[rows], number[resident[rows]]
    heads, groups_left = people[alive], group[alive]
    # Only residents of one row can be merged; of several rows each belongs to its own resident.
    if len(rows) == len(heads) and np.array_equal(owner, np.arange(len(rows))):
        left, heads, first = _merged(left, needs, groups_left, heads)
        needs, groups_left, owner = needs[first], groups_left[first], np.arange(len(heads))
    cover = Cover.of(left, heads[owner])
    return Rules(cover, needs, owner, heads, groups_left, groups, in_group, settled)


def _merged(by_row: csr_array, need: Ints, group: Ints, people: Floats) -> tuple[csr_array, Floats, Ints]:
    """Merge all rows with the same sites, need and group."""
    kinds = np.unique(np.stack([need, group]), axis=1, return_inverse=True)[1].ravel()
    many = int(kinds.max(initial=-1)) + 1
    marks = csr_array((np.ones(len(kinds)), (np.arange(len(kinds)), kinds)), shape=(len(kinds), many))
    marked = csr_array(hstack([by_row, marks], format="csr"))
    marked.sort_indices()
    merged, summed, first = merge_rows(marked, people)
    return csr_array(merged[:, : by_row.shape[1]]), summed, first


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
            rules, choice, is_open, kicks=_KICKS, deadline=deadline.share(0.3), enough=bound + 2 * _TIE
        )
    if not _is_done(rules, is_open, bound, unit) and not deadline.passed() and is_installed():
        is_open, bound = _exactly(rules, choice, is_open, bound, unit, deadline)
    return Found(is_open, bound)


def plain_value(rules: Rules, is_open: Bools) -> float:
    """Return the people satisfied, or the least share of a group and nothing else."""
    value = rules.value(is_open)
    if not rules.by_group:
        return value
    done = rules.people * rules.satisfied(rules.times(is_open))
    reached = totals(rules.group, done, rules.groups) + rules.settled
    counts = rules.in_group > 0
    return float((reached[counts] / rules.in_group[counts]).min(initial=1.0))


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
