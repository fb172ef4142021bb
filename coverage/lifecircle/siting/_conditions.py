"""Read and check the conditions on the chosen sites; all faults are reported together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lifecircle.errors import Fault, say
from lifecircle.siting._allowed_sets import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from lifecircle.errors import FaultLog

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_SHOWN = 5
_NEAR_M = 1e-6


@dataclass(frozen=True, eq=False)
class Conditions:
    """Conditions as the caller gives them; see :func:`solve_siting`."""

    existing: Iterable[Any]
    required: Iterable[Any]
    forbidden: Iterable[Any]
    closable: Iterable[Any]
    closures: int
    movable: Iterable[Any]
    moves: int | None
    prices: Any
    budget: float | None
    apart: Any
    positions: Any
    separation_m: float | None


def read_choice(  # noqa: PLR0913 - the conditions and what they are about
    log: FaultLog, labels: pd.Index, given: Conditions, *, objective: str, sites: Any, named: bool
) -> tuple[Choice | None, Ints]:
    """Convert conditions into the sets that may be chosen.

    Returns
    -------
    choice, existing : None where something is wrong; positions of the existing sites
    """
    before = len(log.faults)
    reader = _Sites(log, labels, named)
    existing = reader.read("existing", given.existing)
    required = reader.read("required", given.required)
    forbidden = reader.read("forbidden", given.forbidden)
    closable = reader.read("closable", given.closable)
    movable = reader.read("movable", given.movable)
    reader.forbid_both(say("required and forbidden"), required, forbidden, say("leave it out of one of them"))
    reader.forbid_both(
        say("required and existing"), required, existing, say("an existing site needs no choosing")
    )
    reader.forbid_both(
        say("forbidden and existing"),
        forbidden,
        existing,
        say("leave it out of existing, or make it closable"),
    )
    reader.forbid_both(say("closable and movable"), closable, movable, say("leave it out of one of them"))
    for name, some in (("closable", closable), ("movable", movable)):
        reader.forbid_both(
            say("{name} but not existing", name=name),
            np.setdiff1d(some, existing),
            some,
            say("add it to existing"),
        )
    # From here on every site has one part: kept, closable, movable, required, free, or forbidden.
    kept = np.setdiff1d(existing, np.concatenate([closable, movable]))
    prices = _prices(log, given, labels, named=named)
    # Distances come before the number of sites: a candidate too near an open site can never be chosen, and
    # must not count among those that can.
    pairs = _pairs(log, reader, given, len(labels))
    free = np.setdiff1d(np.arange(len(labels)), np.concatenate([existing, required, forbidden]))
    # The number of sites is checked after this, against the candidates that can really be chosen.
    free = _beside(log, reader, free, kept, required, pairs)
    closures = _whole(log, "closures", given.closures, most=len(closable))
    moves = _whole(log, "moves", len(movable) if given.moves is None else given.moves, most=len(movable))
    count = _count(log, objective, sites, given.budget, free=free, required=required)
    if objective == "full_cover" and (len(closable) or len(movable)):
        reason = say("full_cover neither closes nor moves existing sites")
        log.add(
            Fault(
                "closable, movable",
                "",
                "",
                reason,
                say("leave them out of existing to choose among all sites"),
            )
        )
    _check_budget(log, given, prices, free=free, required=required, count=count)
    if len(log.faults) > before:
        return None, existing
    variable = np.concatenate([free, closable, movable])
    may_open = np.concatenate([variable, required])
    # Two existing sites that are too near each other are a fact and no fault of a plan.
    inside = np.isin(pairs, may_open).all(axis=1) & np.isin(pairs, variable).any(axis=1)
    both_stand = np.isin(pairs, existing).all(axis=1)
    choice = Choice(
        size=len(labels),
        kept=kept,
        required=required,
        free=free,
        count=count,
        closable=closable,
        closures=closures,
        movable=movable,
        moves=moves,
        prices=prices,
        budget=given.budget,
        apart=pairs[inside & ~both_stand],
    )
    return choice, existing


class _Sites:
    """Reads lists of sites as positions and reports what is wrong with them."""

    def __init__(self, log: FaultLog, labels: pd.Index, named: bool) -> None:  # noqa: FBT001 - private
        self.log, self.labels, self.named = log, labels, named

    def read(self, name: str, given: Iterable[Any]) -> Ints:
        """Return the positions of sites, ascending."""
        listed = list(given)
        if any(isinstance(site, (bool, np.bool_)) for site in listed):
            self.log.add(
                Fault(
                    name,
                    "",
                    "",
                    say("a mask, not sites"),
                    say("name the {kind} of the sites", kind=self.kind),
                )
            )
            return np.zeros(0, dtype=np.int64)
        places = self.labels.get_indexer(pd.Index(listed, dtype=object) if listed else pd.Index([]))
        lost = [site for site, place in zip(listed, places, strict=True) if place < 0]
        if lost:
            reason = say("{many} of them are no sites of the costs", many=len(lost))
            remedy = say("name {kind} of the costs' columns", kind=self.kind)
            self.log.add(Fault(name, "", _shown(lost), reason, remedy))
        places = places[places >= 0].astype(np.int64)
        unique, many = np.unique(places, return_counts=True)
        if (many > 1).any():
            again = _shown(self.labels[unique[many > 1]])
            self.log.add(Fault(name, "", again, say("a site is named more than once"), say("name each once")))
        return unique

    @property
    def kind(self) -> str:
        """Return what sites are identified by: labels or positions."""
        return "labels" if self.named else "positions"

    def forbid_both(self, what: str, one: Ints, other: Ints, remedy: str) -> None:
        """Report sites that are in two lists which exclude each other."""
        both = np.intersect1d(one, other)
        if len(both):
            self.log.add(
                Fault(
                    "sites",
                    "",
                    _shown(self.labels[both]),
                    say("{many} are {what}", many=len(both), what=what),
                    remedy,
                )
            )


def _shown(sites: Iterable[Any]) -> str:
    listed = [str(site) for site in sites]
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")


def _whole(log: FaultLog, name: str, value: Any, *, most: int | None = None, unit: str = "sites") -> int:
    """Read a whole number >= 0."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < 0:
        log.add(
            Fault(
                name,
                "",
                str(value),
                say("not a whole number >= 0"),
                say("give a number of {unit}", unit=unit),
            )
        )
        return 0
    if most is not None and value > most:
        log.add(
            Fault(
                name,
                "",
                str(value),
                say("there are only {most}", most=most),
                say("give at most {most}", most=most),
            )
        )
        return most
    return int(value)


def _count(  # noqa: PLR0913 - what decides how many may be chosen
    log: FaultLog, objective: str, sites: Any, budget: Any, *, free: Ints, required: Ints
) -> int | None:
    if objective == "full_cover":
        return None
    if sites is None:
        if budget is None:
            log.add(
                Fault(
                    "sites",
                    "",
                    "",
                    say("{objective} needs a number of new sites", objective=objective),
                    say("give sites, or a budget"),
                )
            )
        return None
    many = _whole(log, "sites", sites)
    able = len(free) + len(required)
    if many > able:
        log.add(
            Fault(
                "sites",
                "",
                str(many),
                say("only {able} {able:candidate|candidates} may be chosen", able=able),
                say("ask for at most {able}", able=able),
            )
        )
    if many < len(required):
        reason = say("{many} {many:site is|sites are} required", many=len(required))
        log.add(Fault("sites", "", str(many), reason, say("ask for at least as many, or require fewer")))
    return many


def _prices(log: FaultLog, given: Conditions, labels: pd.Index, *, named: bool) -> Floats | None:
    if given.prices is None:
        if given.budget is not None:
            log.add(Fault("prices", "", "", say("a budget needs prices"), say("give the price of each site")))
        return None
    source = given.prices.reindex(labels) if isinstance(given.prices, pd.Series) and named else given.prices
    prices = np.asarray(source, dtype=np.float64)
    if prices.shape != (len(labels),):
        log.add(
            Fault(
                "prices",
                "",
                f"shape {prices.shape}",
                say("there {many:is|are} {many} {many:site|sites}", many=len(labels)),
                say("give one price each"),
            )
        )
        return None
    bad = np.flatnonzero(~((prices >= 0) & np.isfinite(prices)))
    if len(bad):
        shown = _shown(labels[bad])
        log.add(
            Fault(
                "prices",
                "",
                shown,
                say("{many} {many:price is|prices are} missing, negative or infinite", many=len(bad)),
                say("give them all"),
            )
        )
        return None
    return prices


def _check_budget(  # noqa: PLR0913 - everything a budget is held against
    log: FaultLog, given: Conditions, prices: Floats | None, *, free: Ints, required: Ints, count: int | None
) -> None:
    if given.budget is None:
        return
    budget = given.budget
    if (
        not isinstance(budget, (int, float, np.integer, np.floating))
        or not math.isfinite(budget)
        or budget < 0
    ):
        log.add(
            Fault(
                "budget", "", str(budget), say("not a number >= 0"), say("give it in the units of the prices")
            )
        )
        return
    if prices is None:
        return
    least = float(prices[required].sum())
    what = say("the required sites cost")
    if count is None and not len(required) and len(free):
        least, what = float(prices[free].min()), say("the cheapest site costs")
    elif count is not None and count >= len(required):
        cheapest = np.sort(prices[free])[: count - len(required)]
        least, what = (
            least + float(cheapest.sum()),
            say("the cheapest {count} {count:site costs|sites cost}", count=count),
        )
    # A budget that cannot pay the cheapest sites is a fault of the input and not an infeasible plan.
    if least > budget * (1 + 1e-9):
        log.add(
            Fault(
                "budget",
                "",
                f"{budget:g}",
                say("{what} {least}", what=what, least=f"{least:g}"),
                say("raise the budget or ask for less"),
            )
        )


def _pairs(log: FaultLog, reader: _Sites, given: Conditions, size: int) -> Ints:
    """Return pairs of sites that exclude each other: (pair, 2), each once, the lower site first."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    if given.apart is not None:
        listed = [tuple(pair) for pair in given.apart]
        if any(len(pair) != 2 or pair[0] == pair[1] for pair in listed):
            log.add(
                Fault("apart", "", "", say("not pairs of two different sites"), say("give pairs of sites"))
            )
        else:
            flat = [site for pair in listed for site in pair]
            places = reader.labels.get_indexer(pd.Index(flat, dtype=object) if flat else pd.Index([]))
            lost = [site for site, place in zip(flat, places, strict=True) if place < 0]
            if lost:
                log.add(
                    Fault(
                        "apart",
                        "",
                        _shown(lost),
                        say("no sites of the costs"),
                        say("name {kind}", kind=reader.kind),
                    )
                )
            else:
                found.append(places.astype(np.int64).reshape(-1, 2))
    if (given.positions is None) != (given.separation_m is None):
        log.add(
            Fault(
                "positions, separation_m", "", "", say("one without the other"), say("give both, in metres")
            )
        )
    elif given.positions is not None and given.separation_m is not None:
        # In metres of a projected CRS: the distances below are planar.
        xy = np.asarray(given.positions, dtype=np.float64)
        if xy.shape != (size, 2) or not np.isfinite(xy).all():
            log.add(
                Fault(
                    "positions",
                    "",
                    f"shape {xy.shape}",
                    say("not x, y of each site"),
                    say("give metres (site, 2)"),
                )
            )
        elif not math.isfinite(given.separation_m) or given.separation_m < 0:
            log.add(
                Fault(
                    "separation_m", "", str(given.separation_m), say("not a number >= 0"), say("give metres")
                )
            )
        else:
            # exactly so far apart is far enough
            near = cKDTree(xy).query_pairs(given.separation_m, output_type="ndarray")
            length = np.hypot(*(xy[near[:, 0]] - xy[near[:, 1]]).T)
            found.append(near[length < given.separation_m - _NEAR_M].astype(np.int64))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _beside(  # noqa: PLR0913, PLR0917 - lists of sites
    log: FaultLog, reader: _Sites, free: Ints, kept: Ints, required: Ints, pairs: Ints
) -> Ints:
    """Return the candidates without those that a site open in any case excludes."""
    reader.forbid_both(
        say("required but exclude each other"),
        *_ends(pairs[np.isin(pairs, required).all(axis=1)]),
        say("require one of them"),
    )
    for standing, name in ((kept, "existing"), (required, "required")):
        touching = np.isin(pairs, standing)
        excluded = pairs[touching.any(axis=1) & ~touching.all(axis=1)]
        others = excluded[~np.isin(excluded, standing)]
        free = np.setdiff1d(free, others)
        if name == "existing":
            reader.forbid_both(
                say("required but too near an existing site"),
                required,
                others,
                say("lower the separation or require another"),
            )
    del log
    return free


def _ends(pairs: Ints) -> tuple[Ints, Ints]:
    flat = np.unique(pairs)
    return flat, flat
