"""Read what residents need and what sites offer: rows, groups, capacities; not who reaches whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from lifecircle.errors import Fault, say

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.costs import Costs
    from lifecircle.errors import FaultLog

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def read_needs(  # noqa: PLR0913 - the sides of a rule
    log: FaultLog, table: Costs, *, objective: str, times: Any, offers: Any, lacking: Any
) -> tuple[Ints, Ints, csr_array]:
    """Return what each resident needs as rows: one row, or one for each class it lacks something of.

    Returns
    -------
    need, resident, by_row : (row,), (row,) and csr (row, site)
    """
    many = len(table.demand)
    need = np.ones(many, dtype=np.int64)
    if objective == "rule_cover":
        return _lacks(log, table, offers, lacking)
    if objective == "backup_cover":
        if isinstance(times, (int, np.integer)) and not isinstance(times, bool) and times >= 1:
            need *= int(times)
        else:
            remedy = say("give the number of sites that each resident should reach")
            log.add(Fault("times", "", str(times), say("not a whole number >= 1"), remedy))
    return need, np.arange(many), table.table


def _lacks(log: FaultLog, table: Costs, offers: Any, lacking: Any) -> tuple[Ints, Ints, csr_array]:
    """Return a row for each resident and class that lacks venues, with the sites of that class."""
    needs, residents = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    rows = [csr_array((0, len(table.sites)))]
    classes = np.asarray([] if offers is None else offers, dtype=object)
    if lacking is None or offers is None:
        remedy = say("give what residents lack, and what each site offers")
        log.add(Fault("lacking, offers", "", "", say("rule_cover needs both"), remedy))
    elif classes.shape != (len(table.sites),):
        reason = say("there {many:is|are} {many} {many:site|sites}", many=len(table.sites))
        log.add(Fault("offers", "", f"shape {classes.shape}", reason, say("give one class for each")))
    else:
        for name, numbers in lacking.items():
            lacks = _whole_numbers(log, table, name, numbers)
            some = np.flatnonzero(lacks)
            part = table.table[some].tocoo()
            offered = np.array([one == name for one in classes], dtype=np.bool_)[part.col]
            indptr = np.concatenate([[0], np.cumsum(np.bincount(part.row[offered], minlength=len(some)))])
            needs.append(lacks[some])
            residents.append(some)
            rows.append(csr_array((part.data[offered], part.col[offered], indptr), shape=part.shape))
    return np.concatenate(needs), np.concatenate(residents), csr_array(vstack(rows, format="csr"))


def _whole_numbers(log: FaultLog, table: Costs, name: Any, numbers: Any) -> Ints:
    """Read the number of venues of a class that each resident lacks: (demand,)."""
    source = numbers.reindex(table.demand) if isinstance(numbers, pd.Series) and table.named else numbers
    lacks = np.asarray(source, dtype=np.float64)
    if lacks.shape != (len(table.demand),) or not np.all((lacks >= 0) & (lacks == np.rint(lacks))):
        reason = say("not one whole number >= 0 for each resident")
        log.add(Fault("lacking", str(name), "", reason, say("give how many venues each one lacks")))
        return np.zeros(len(table.demand), dtype=np.int64)
    return lacks.astype(np.int64)


def read_groups(log: FaultLog, demand: pd.Index, objective: str, groups: Any) -> tuple[Ints, pd.Index]:
    """Read the group of each resident: (resident,) position in the groups, -1 for none, and the groups."""
    if objective != "max_min_cover":
        if groups is not None:
            log.add(
                Fault(
                    "groups",
                    "",
                    "",
                    say("{objective} knows no groups", objective=objective),
                    say("ask for max_min_cover"),
                )
            )
        return np.full(len(demand), -1, dtype=np.int64), pd.Index([])
    if groups is None:
        log.add(
            Fault(
                "groups", "", "", say("max_min_cover compares groups"), say("give each resident's district")
            )
        )
        return np.full(len(demand), -1, dtype=np.int64), pd.Index([])
    values = (
        groups.reindex(demand)
        if isinstance(groups, pd.Series) and set(demand) <= set(groups.index)
        else groups
    )
    series = pd.Series(np.asarray(values, dtype=object))
    if len(series) != len(demand):
        log.add(
            Fault(
                "groups",
                "",
                str(len(series)),
                say("there {many:is|are} {many} {many:resident|residents}", many=len(demand)),
                say("give one label each"),
            )
        )
        return np.full(len(demand), -1, dtype=np.int64), pd.Index([])
    codes, names = pd.factorize(series)
    if not len(names):
        log.add(
            Fault("groups", "", "", say("no resident is in a group"), say("give each resident's district"))
        )
    return codes.astype(np.int64), pd.Index(names)


def read_capacities(log: FaultLog, sites: pd.Index, objective: str, capacities: Any) -> Floats:
    """Read the most people that each site serves: (site,), inf where it is not limited."""
    unlimited = np.full(len(sites), np.inf)
    if objective != "capacitated_max_cover":
        if capacities is not None:
            log.add(
                Fault(
                    "capacities",
                    "",
                    "",
                    say("{objective} knows none", objective=objective),
                    say("ask for capacitated_max_cover"),
                )
            )
        return unlimited
    if capacities is None:
        log.add(
            Fault(
                "capacities",
                "",
                "",
                say("capacitated_max_cover needs them"),
                say("give people for each site"),
            )
        )
        return unlimited
    values = np.asarray(
        capacities.reindex(sites) if isinstance(capacities, pd.Series) else capacities, dtype=np.float64
    )
    if values.shape != (len(sites),):
        reason = say("there {many:is|are} {many} {many:site|sites}", many=len(sites))
        log.add(Fault("capacities", "", f"shape {values.shape}", reason, say("give people for each")))
        return unlimited
    bad = np.flatnonzero(~(values >= 0))
    if len(bad):
        reason = say(
            "{many} {many:capacity is|capacities are} missing or negative, the first one here", many=len(bad)
        )
        remedy = say("give people; inf where it is not limited")
        log.add(Fault("capacities", f"site {sites[bad[0]]}", f"{values[bad[0]]}", reason, remedy))
        return unlimited
    return values
