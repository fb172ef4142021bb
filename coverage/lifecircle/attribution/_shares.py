"""Divide a change among factors: Shapley shares over groups, nested (Owen) shares within a group.

Pure arithmetic on a table of coalition values: what a figure is when some factors stand as in the later year
and all others as in the earlier one. Nothing here knows what a factor is.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Values = npt.NDArray[np.float64]
    Coalition = frozenset[str]

_NOISE = 1e-12  # contributions smaller than this have no sign


@dataclass(frozen=True, eq=False)
class Share:
    """What one factor contributes to a change, for every figure of the table: (figure,).

    ``mean`` : over all orders in which the factors may be switched; ``low``, ``high`` : the smallest and the
    largest contribution in any of these orders.
    """

    mean: Values
    low: Values
    high: Values

    @property
    def turns(self) -> npt.NDArray[np.bool_]:
        """Whether the sign of the contribution depends on the order: (figure,)."""
        flags: npt.NDArray[np.bool_] = (self.low < -_NOISE) & (self.high > _NOISE)
        return flags


def coalitions(groups: Mapping[str, Sequence[str]]) -> Iterator[Coalition]:
    """List the coalitions whose values :func:`owen_shares` needs, each once, the empty one first.

    Parameters
    ----------
    groups : group -> its members; no member stands in two groups

    >>> [sorted(one) for one in coalitions({"venues": ["opened", "closed"], "people": ["people"]})][:4]
    [[], ['closed', 'opened'], ['people'], ['closed', 'opened', 'people']]
    """
    seen: set[Coalition] = set()
    for whole in _subsets(list(groups)):
        coalition = frozenset(itertools.chain.from_iterable(groups[name] for name in whole))
        if coalition not in seen:
            seen.add(coalition)
            yield coalition
    for name, members in groups.items():
        others = [other for other in groups if other != name]
        for before in _subsets(others):
            outer = frozenset(itertools.chain.from_iterable(groups[other] for other in before))
            for inner in _subsets(list(members)):
                one = outer | frozenset(inner)
                if one not in seen:
                    seen.add(one)
                    yield one


def shapley_shares(players: Sequence[str], values: Mapping[Coalition, Values]) -> dict[str, Share]:
    """Divide a change among factors by the Shapley value: the mean over all orders of switching them.

    Parameters
    ----------
    players : the factors
    values : coalition (all of them) -> (figure,) values with these factors as in the later year

    Returns
    -------
    shares : factor -> share; the means add up to the value of all factors less that of none

    References
    ----------
    L. S. Shapley, A value for n-person games, 1953.

    >>> table = {frozenset(): np.zeros(1), frozenset("a"): np.ones(1), frozenset("b"): np.zeros(1),
    ...     frozenset("ab"): np.full(1, 4.0)}
    >>> share = shapley_shares(["a", "b"], table)
    >>> share["a"].mean.tolist(), share["a"].low.tolist(), share["a"].high.tolist()
    ([2.5], [1.0], [4.0])
    """
    return owen_shares({name: [name] for name in players}, values)


def group_shares(groups: Mapping[str, Sequence[str]], values: Mapping[Coalition, Values]) -> dict[str, Share]:
    """Divide a change among groups by the Shapley value, each group switched as a whole.

    Parameters
    ----------
    groups, values : as for :func:`owen_shares`
    """
    merged = {
        frozenset(whole): values[frozenset(itertools.chain.from_iterable(groups[name] for name in whole))]
        for whole in _subsets(list(groups))
    }
    return shapley_shares(list(groups), merged)


def owen_shares(groups: Mapping[str, Sequence[str]], values: Mapping[Coalition, Values]) -> dict[str, Share]:
    """Divide a change among the members of groups: the mean over all orders that keep each group together.

    Within a group the members share what the group gets by :func:`group_shares`, so a group gains or loses
    nothing by being divided into more parts.

    Parameters
    ----------
    groups : group -> its members
    values : coalition -> (figure,) values; those of :func:`coalitions` must be there

    Returns
    -------
    shares : member -> share; all means add up to the whole change, those of a group to the group's share

    References
    ----------
    G. Owen, Values of games with a priori unions, 1977.
    """
    return {
        member: _share(groups, name, member, values) for name, members in groups.items() for member in members
    }


def _share(
    groups: Mapping[str, Sequence[str]], name: str, member: str, values: Mapping[Coalition, Values]
) -> Share:
    """Average what a member adds over all that may stand before it: whole other groups, some of its own."""
    others = [other for other in groups if other != name]
    fellows = [other for other in groups[name] if other != member]
    total: Values | None = None
    low = high = None
    for before in _subsets(others):
        outer = frozenset(itertools.chain.from_iterable(groups[other] for other in before))
        weight = _weight(len(before), len(groups))
        for inner in _subsets(fellows):
            without = outer | frozenset(inner)
            added = values[without | {member}] - values[without]
            part = weight * _weight(len(inner), len(groups[name])) * added
            total = part if total is None else total + part
            low = added if low is None else np.minimum(low, added)
            high = added if high is None else np.maximum(high, added)
    assert total is not None
    assert low is not None
    assert high is not None
    return Share(total, low, high)


def _weight(before: int, size: int) -> float:
    """Return the share of all orders in which exactly these stand before one of ``size``."""
    return math.factorial(before) * math.factorial(size - before - 1) / math.factorial(size)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names) + 1):
        yield from itertools.combinations(names, count)
