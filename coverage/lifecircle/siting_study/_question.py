"""Own what residents lack of a circle and what each candidate would bring them, counted as the audit counts.

A rule asks for so many venues of each class. A resident lacks as many of a class as stand beyond the limit;
a candidate brings as many as it would hold services of the class. Whoever lacks nothing is covered. Times to
candidates are those of the engine, over the audit's own roads, snaps and access legs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from lifecircle.audit import bucket, counted_people
from lifecircle.candidates import service_list
from lifecircle.errors import Fault, UnusableInputError
from lifecircle.reach import usable, within, within_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit import Answer, Inputs
    from lifecircle.standards import CircleTarget, Standard

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

IMPOSSIBLE = 1 << 30
"""What a resident needs whom no number of the candidates would cover."""

_TIERS = ("village", "town", "county", None)


@dataclass(frozen=True, eq=False)
class Question:
    """A circle target and candidates.

    Attributes
    ----------
    target : the circle
    people : (demand,) people the target counts
    answer : what the audit says of every resident today
    usable : (candidate,) whether the audit would count a venue there: a road near enough
    brings : (candidate, class) venues of each class of the rule
    seconds : csr (demand, candidate) times up to the fast end of the band; a stored zero is a pair
    factors : slow, usual and fast, as shares of the usual speed; all 1 where speeds differ by road class
    free : (candidate,) whether it may be chosen
    """

    target: CircleTarget
    people: Floats
    answer: Answer
    usable: Flags
    brings: Ints
    seconds: Any
    factors: tuple[float, float, float]
    free: Flags
    _kept: dict[object, Any] = field(default_factory=dict)

    @property
    def limit_s(self) -> float:
        """Seconds of the limit at the usual speed."""
        return float(self.target.minutes * 60)

    @property
    def covered(self) -> Flags:
        """Tell who is covered today: (demand,)."""
        flags: Flags = bucket(self.answer, self.limit_s) == "covered"
        return flags

    @property
    def people_covered(self) -> float:
        """People covered today."""
        return float(self.people[self.covered].sum())

    def lacks(self, factor: float = 1.0) -> Ints:
        """Count venues each resident lacks of each class, at a share of the usual speed: (demand, class)."""
        return np.column_stack(
            [
                (~within_limit(times, self.limit_s * factor)).sum(axis=1)
                for times in self.answer.ranks.values()
            ]
        ).astype(np.int64)

    def reach(self, factor: float = 1.0) -> Any:
        """Give who reaches which candidate at a share of the usual speed: csr (demand, candidate) of ones."""
        key = ("reach", factor)
        if key not in self._kept:
            table = self.seconds
            near = within_limit(table.data, self.limit_s * factor)
            row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))[near]
            indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=table.shape[0]))])
            self._kept[key] = csr_array((np.ones(len(row)), table.indices[near], indptr), shape=table.shape)
        return self._kept[key]

    def waiting(self, factor: float = 1.0) -> Flags:
        """Tell who is on the roads and lacks something: (demand,)."""
        return self.answer.snapped & (self.lacks(factor) > 0).any(axis=1)

    def served(self, chosen: Sequence[int] | Ints, factor: float = 1.0) -> Flags:
        """Tell who lacks something now and nothing with the chosen candidates: (demand,)."""
        at = np.asarray(chosen, dtype=np.int64)
        brought = self.reach(factor)[:, at] @ self.brings[at].astype(np.float64)
        enough: Flags = (brought >= self.lacks(factor)).all(axis=1)
        return enough & self.waiting(factor)

    def gain(self, chosen: Sequence[int] | Ints, factor: float = 1.0) -> float:
        """Count the people newly covered by the chosen candidates."""
        return float(self.people[self.served(chosen, factor)].sum())

    def needs(self, factor: float = 1.0) -> Ints | None:
        """Count the candidates each resident needs, where all that may be chosen bring the same.

        Returns
        -------
        needs : (demand,) 0 for the covered, :data:`IMPOSSIBLE` for those no number of them would cover; None
            where candidates differ
        """
        brings = self.brings[self.free]
        if len(brings) and (brings != brings[0]).any():
            return None
        one = brings[0] if len(brings) else np.zeros(brings.shape[1], dtype=np.int64)
        lacks = self.lacks(factor)
        each = np.where(lacks > 0, IMPOSSIBLE, 0)
        np.floor_divide(lacks + one - 1, one, out=each, where=(one > 0) & (lacks > 0))
        return np.where(self.answer.snapped, each.max(axis=1), IMPOSSIBLE)

    def one_is_enough(self, factor: float = 1.0) -> bool:
        """Tell whether one candidate in reach covers anyone whom candidates can cover."""
        needs = self.needs(factor)
        return needs is not None and bool(np.isin(needs, (0, 1, IMPOSSIBLE)).all())


def ask(
    target: CircleTarget,
    inputs: Inputs,
    answer: Answer,
    candidates: gpd.GeoDataFrame,
    *,
    times_limit: float = 1.0,
) -> Question:
    """Find the times between residents and candidates, and what each brings.

    Parameters
    ----------
    answer : what the audit says of every resident today
    times_limit : times the limit up to which times to candidates are found, at least the fast end's
    candidates : with ``services``, what each would hold
    """
    roads = inputs.networks[target.profile]
    reason, people = counted_people(target, inputs)
    if reason:
        fault = Fault(target.id, "target", reason, "the target cannot be assessed", "choose another target")
        raise UnusableInputError([fault])
    homes = inputs.snapped(roads, inputs.demand)
    sites = inputs.snapped(roads, candidates, keep=False)
    rows = np.flatnonzero(usable(roads, homes, limit_min=target.minutes))
    columns = np.flatnonzero(usable(roads, sites, limit_min=target.minutes))
    factors = roads.profile.band if roads.profile.uniform else (1.0, 1.0, 1.0)
    # The legs a query allows grow with its limit: those of the usual one were sorted out above.
    near = within(
        roads, homes.take(rows), sites.take(columns), limit_min=target.minutes * max(*factors, times_limit)
    ).seconds
    indptr = np.zeros(len(homes) + 1, dtype=np.int64)
    indptr[rows + 1] = np.diff(near.indptr)
    shape = (len(homes), len(sites))
    flags = np.zeros(len(sites), dtype=bool)
    flags[columns] = True
    return Question(
        target=target,
        people=people,
        answer=answer,
        usable=flags,
        brings=brought(target, inputs.study.standard, candidates["services"]),
        seconds=csr_array((near.data, columns[near.indices], np.cumsum(indptr)), shape=shape),
        factors=factors,
        free=flags,
    )


def brought(target: CircleTarget, standard: Standard, services: Iterable[str]) -> Ints:
    """Count the venues of each class that each building would hold: (candidate, class)."""
    classes = standard.venues(target)
    return np.array(
        [[len(set(service_list(text)) & members) for members in classes.values()] for text in services],
        dtype=np.int64,
    ).reshape(-1, len(classes))


def whole_rule(target: CircleTarget, standard: Standard) -> tuple[str, ...]:
    """Choose the services of one building that fills a rule alone: of each class as many as it asks for.

    Services of villages come first, then of towns and of the county, each in the standard's order.

    Raises
    ------
    UnusableInputError
        A class has fewer services than the rule asks venues of.
    """
    chosen: list[str] = []
    classes = standard.venues(target)
    for name, members in classes.items():
        have = len(set(chosen) & members)
        ordered = sorted(
            (one for one in standard.services if one.id in members and one.id not in chosen),
            key=lambda one: _TIERS.index(one.tier),
        )
        wanted = target.require[name] - have
        if len(ordered) < wanted:
            reason = (
                f"class {name!r} has only {len(ordered) + have} services for {target.require[name]} venues"
            )
            remedy = "say which services a new site holds, with --service or [siting.services]"
            raise UnusableInputError([Fault(standard.id, f"target {target.id!r}", name, reason, remedy)])
        chosen += [one.id for one in ordered[: max(wanted, 0)]]
    return tuple(chosen)


def useful(target: CircleTarget, standard: Standard, services: Mapping[str, str]) -> list[Fault]:
    """Find candidates none of whose services count for the target: where -> its services."""
    counted = set().union(*standard.venues(target).values())
    return [
        Fault("candidates", place, text, f"none of its services counts for {target.id!r}", _counts(counted))
        for place, text in services.items()
        if not set(service_list(text)) & counted
    ]


def _counts(services: Iterable[str]) -> str:
    return f"give one of {', '.join(sorted(services))}"
