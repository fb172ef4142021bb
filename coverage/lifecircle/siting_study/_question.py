"""Count what residents lack for a circle and what each candidate would add, in the way the audit counts.

A rule asks for so many venues of each class. A resident lacks as many of a class as stand beyond the limit;
a candidate brings as many as it would hold services of the class. Whoever lacks nothing is covered. Times to
candidates are those of the engine, over the audit's own roads, snaps and access legs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from lifecircle.audit import basis_of, counted_people, road_radius
from lifecircle.candidates import service_list
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.findings import BY_VILLAGE
from lifecircle.limits import within_limit
from lifecircle.reach import usable, within
from lifecircle.wording import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit import Answer, Basis, Inputs, Searches
    from lifecircle.findings import Language
    from lifecircle.standards import CircleTarget, Standard

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

IMPOSSIBLE = 1 << 30
"""What a resident needs whom no number of the candidates would cover."""


@dataclass(frozen=True, eq=False)
class Question:
    """A circle target and candidates, counted by the target's own accounting.

    Attributes
    ----------
    target : the circle
    people : (demand,) people the target counts
    answer : what the audit says of every resident today, over the venues the accounting counts
    covered : (demand,) who is covered today
    limit : (demand,) seconds within which each resident is covered, or metres where ``speed_ms`` is given
    speed_ms : what turns seconds into metres where a radius along the roads decides, else None
    usable : (candidate,) whether the audit would count a venue there: a road near enough
    brings : (candidate, class) venues of each class of the rule
    seconds : csr (demand, candidate) times up to the fast end of the band; a stored zero is a pair
    factors : slow, usual and fast, as shares of the usual speed; all 1 where speeds differ by road class, and
        where no speed decides
    free : (candidate,) whether it may be chosen
    """

    target: CircleTarget
    people: Floats
    answer: Answer
    covered: Flags
    limit: Floats
    speed_ms: float | None
    usable: Flags
    brings: Ints
    seconds: Any
    factors: tuple[float, float, float]
    free: Flags
    _kept: dict[object, Any] = field(default_factory=dict)

    @property
    def limit_s(self) -> Floats:
        """Seconds of each resident's limit at the usual speed: (demand,)."""
        return self.limit if self.speed_ms is None else self.limit / self.speed_ms

    def within(self, seconds: Floats, limit: Floats, factor: float = 1.0) -> Flags:
        """Return which times are within limits at a share of the usual speed, as the audit does.

        Parameters
        ----------
        limit : as ``self.limit``, in a shape that goes with ``seconds``
        """
        amounts = seconds if self.speed_ms is None else seconds * self.speed_ms
        return within_limit(amounts, limit * factor)

    @property
    def timed(self) -> Flags:
        """Return who has a path to the rule today: (demand,)."""
        flags: Flags = self.answer.snapped & np.isfinite(self.answer.seconds)
        return flags

    @property
    def people_covered(self) -> float:
        """People covered today."""
        return float(self.people[self.covered].sum())

    def lacks(self, factor: float = 1.0) -> Ints:
        """Count venues each resident lacks of each class, at a share of the usual speed: (demand, class)."""
        return np.column_stack(
            [
                (~self.within(times, self.limit[:, np.newaxis], factor)).sum(axis=1)
                for times in self.answer.ranks.values()
            ]
        ).astype(np.int64)

    def reach(self, factor: float = 1.0) -> Any:
        """Return who reaches which candidate at a share of usual speed: csr (demand, candidate) of ones."""
        key = ("reach", factor)
        if key not in self._kept:
            table = self.seconds
            every = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
            near = self.within(table.data, self.limit[every], factor)
            indptr = np.concatenate([[0], np.cumsum(np.bincount(every[near], minlength=table.shape[0]))])
            self._kept[key] = csr_array(
                (np.ones(int(near.sum())), table.indices[near], indptr), shape=table.shape
            )
        return self._kept[key]

    def waiting(self, factor: float = 1.0) -> Flags:
        """Return who is on the roads and lacks something: (demand,)."""
        return self.answer.snapped & (self.lacks(factor) > 0).any(axis=1)

    def served(self, chosen: Sequence[int] | Ints, factor: float = 1.0) -> Flags:
        """Return who lacks something now and nothing with the chosen candidates: (demand,)."""
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

    def fills_the_rule(self) -> bool:
        """Return whether every candidate that may be chosen holds all that the rule asks for."""
        wanted = np.array(list(self.target.require.values()))
        return bool((self.brings[self.free] >= wanted).all())

    def one_is_enough(self, factor: float = 1.0) -> bool:
        """Return whether one candidate in reach covers anyone whom candidates can cover."""
        needs = self.needs(factor)
        return needs is not None and bool(np.isin(needs, (0, 1, IMPOSSIBLE)).all())


def basis_for(target: CircleTarget, inputs: Inputs, searches: Searches) -> Basis:
    """Return what the target's own accounting says of every resident today.

    Raises
    ------
    UnusableInputError
        The accounting counts villages, or the study has not what it needs.
    """
    remedy = say("ask with --accounting reach, or set accounting in the profile")
    if target.accounting in BY_VILLAGE:
        reason = say("'{name}' counts villages, and a plan counts residents", name=target.accounting)
        raise UnusableInputError([Fault(target.id, "accounting", target.accounting, reason, remedy)])
    basis = basis_of(target, inputs, searches)
    if basis is None or basis.answer is None:
        reason = say("the study has not what this accounting needs: opening hours, or radii by village")
        raise UnusableInputError([Fault(target.id, "accounting", target.accounting, reason, remedy)])
    return basis


def circle_question(
    target: CircleTarget,
    inputs: Inputs,
    basis: Basis,
    candidates: gpd.GeoDataFrame,
    *,
    far: bool = False,
) -> Question:
    """Find the times between residents and candidates, and what each brings.

    Parameters
    ----------
    basis : what the target's accounting says of every resident today, see :func:`basis_for`
    candidates : with ``services``, what each would hold
    far : look for candidates as far as anybody must go today, and not up to the limit alone

    Returns
    -------
    question : the same residents as the audit's, in its order

    Raises
    ------
    UnusableInputError
        The target cannot be assessed.
    """
    roads = inputs.networks[target.profile]
    reason, people = counted_people(target, inputs)
    if reason:
        raise UnusableInputError([not_assessable(target.id, reason, inputs.study.language)])
    answer = basis.answer
    assert answer is not None
    limit = np.full(len(people), float(target.minutes * 60))
    if basis.speed_ms is not None:
        radius = road_radius(target, inputs)
        assert radius is not None  # the basis has a speed only where the target has a radius
        limit = radius
    homes = inputs.snapped(roads, inputs.demand)
    sites = inputs.snapped(roads, candidates, keep=False)
    rows = np.flatnonzero(usable(roads, homes, limit_min=target.minutes))
    columns = np.flatnonzero(usable(roads, sites, limit_min=target.minutes))
    by_speed = roads.profile.uniform and basis.speed_ms is None
    factors = roads.profile.band if by_speed else (1.0, 1.0, 1.0)
    longest_s = float(limit.max(initial=0.0) / (basis.speed_ms or 1.0)) * max(factors)
    if far:
        timed = answer.snapped & np.isfinite(answer.seconds) & (people > 0)
        longest_s = max(longest_s, float(answer.seconds[timed].max(initial=0.0)))
    # The legs a query allows grow with its limit: those of the usual one were sorted out above.
    near = within(
        roads, homes.take(rows), sites.take(columns), limit_min=max(target.minutes, longest_s / 60)
    ).seconds
    # The search knew only the usable rows; put its rows back among all residents.
    indptr = np.zeros(len(homes) + 1, dtype=np.int64)
    indptr[rows + 1] = np.diff(near.indptr)
    shape = (len(homes), len(sites))
    flags = np.zeros(len(sites), dtype=bool)
    flags[columns] = True
    return Question(
        target=target,
        people=people,
        answer=answer,
        covered=basis.covered,
        limit=limit,
        speed_ms=basis.speed_ms,
        usable=flags,
        brings=brought(target, inputs.study.standard, candidates["services"]),
        seconds=csr_array((near.data, columns[near.indices], np.cumsum(indptr)), shape=shape),
        factors=factors,
        free=flags,
    )


def not_assessable(target: str, code: str, language: Language) -> Fault:
    """Say that a target cannot be assessed, with the reason's code in words."""
    words = say("the target cannot be assessed: {why}", why=explain(code, language))
    return Fault("", "target", target, words, say("choose another target"))


def brought(target: CircleTarget, standard: Standard, services: Iterable[str]) -> Ints:
    """Count the venues of each class that each building would hold: (candidate, class)."""
    classes = standard.venues(target)
    return np.array(
        [[len(set(service_list(text)) & members) for members in classes.values()] for text in services],
        dtype=np.int64,
    ).reshape(-1, len(classes))


def useful(target: CircleTarget, standard: Standard, services: Mapping[str, str]) -> list[Fault]:
    """Find candidates none of whose services count for the target: where -> its services."""
    counted = set().union(*standard.venues(target).values())
    return [
        Fault(
            "candidates",
            place,
            text,
            say("none of its services counts for '{target}'", target=target.id),
            say("give one of {names}", names=", ".join(sorted(counted))),
        )
        for place, text in services.items()
        if not set(service_list(text)) & counted
    ]
