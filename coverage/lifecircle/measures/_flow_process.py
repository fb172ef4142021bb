"""Solve a flow of least cost with OR-Tools, in a process of its own: a folder with its arcs is the argument.

OR-Tools and highspy each bring a library of one name, and whichever is loaded second fails. So OR-Tools is
never loaded into a process that may also solve a siting problem. Nothing of the package is imported here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """Read the arcs in a folder, solve, and write the flow of each.

    Raises
    ------
    SystemExit
        The flow was not solved to its optimum.
    """
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - the reason of this process

    given = np.load(folder / "arcs.npz")
    row, venue, cost, people, room = (given[name] for name in ("row", "venue", "cost", "people", "room"))
    flow = min_cost_flow.SimpleMinCostFlow()
    residents, venues = len(people), len(room)
    start, end = residents + venues, residents + venues + 1
    add = flow.add_arcs_with_capacity_and_unit_cost
    arcs = add(row, residents + venue, people[row], cost)
    add(np.full(residents, start), np.arange(residents), people, np.zeros(residents, dtype=np.int64))
    add(residents + np.arange(venues), np.full(venues, end), room, np.zeros(venues, dtype=np.int64))
    flow.set_node_supply(start, int(people.sum()))
    flow.set_node_supply(end, -int(people.sum()))
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        raise SystemExit(f"status {status}")
    np.save(folder / "flows.npy", flow.flows(arcs))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
