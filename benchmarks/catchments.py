"""Measure floating catchments beside PySAL's access, and service within capacity.

Run with ``python -m benchmarks.catchments``: 30,000 residents x 2,000 venues with 200 pairs each, the same
table of costs for both. Every method runs in a process of its own, for its peak of memory; the seconds are of
the call alone, the least of the rounds, and the figures are compared. The table is written between its marks
in docs/catchments.md. ``--slow`` also runs the peer's rational agents, which take minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.children import measure
from benchmarks.machine import describe_machine
from benchmarks.networks import ROOT

RESIDENTS, VENUES, PAIRS, LIMIT = 30_000, 2_000, 200, 30.0
STEPS = {10: 1.0, 20: 0.68, 30: 0.22}
METHODS = ("2SFCA", "E2SFCA, Gaussian", "E2SFCA, steps", "3SFCA", "RAAM")
PAGE = ROOT / "docs" / "catchments.md"
MARKS = ("<!-- measured -->", "<!-- /measured -->")


def instance() -> tuple[csr_array, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Draw costs of 0 to 60, people and supply; the same for everyone."""
    random = np.random.default_rng(0)
    people = random.integers(100, 3000, RESIDENTS).astype(float)
    supply = random.integers(1, 20, VENUES).astype(float)
    first = random.integers(0, VENUES, RESIDENTS)
    steps = np.argsort(random.random((RESIDENTS, PAIRS)), axis=1) * (VENUES // PAIRS)
    venue = ((first[:, None] + steps) % VENUES).ravel()
    resident = np.repeat(np.arange(RESIDENTS), PAIRS)
    costs = csr_array((random.random(RESIDENTS * PAIRS) * 60, (resident, venue)), shape=(RESIDENTS, VENUES))
    costs.sort_indices()
    return costs, people, supply


def save(folder: Path) -> None:
    """Write the instance to a folder, so that drawing it is in nobody's memory."""
    costs, people, supply = instance()
    np.savez(
        folder / "instance.npz",
        data=costs.data,
        indices=costs.indices,
        indptr=costs.indptr,
        people=people,
        supply=supply,
    )


def load(folder: Path) -> tuple[csr_array, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Read the instance of a folder."""
    kept = np.load(folder / "instance.npz")
    costs = csr_array((kept["data"], kept["indices"], kept["indptr"]), shape=(RESIDENTS, VENUES))
    return costs, kept["people"], kept["supply"]


def ours(method: str, folder: Path, rounds: int) -> tuple[float, Any]:
    """Run a method of this package: least seconds and figures."""
    import lifecircle as lc  # noqa: PLC0415 - each process pays for what it measures

    costs, people, supply = load(folder)
    decay, variant = {
        "2SFCA": (None, "2sfca"),
        "E2SFCA, Gaussian": (lc.gaussian_decay(10), "2sfca"),
        "E2SFCA, steps": (lc.step_decay(STEPS), "2sfca"),
        "3SFCA": (lc.step_decay(STEPS), "3sfca"),
        "RAAM": (None, ""),
    }[method]
    best, found = np.inf, None
    for _ in range(rounds):
        begun = time.perf_counter()
        if variant:
            found = lc.floating_catchment(costs, people, supply, limit=LIMIT, decay=decay, method=variant)
        else:
            found = lc.rational_agent_access(costs, people, supply, tau=60)
        best = min(best, time.perf_counter() - begun)
    return best, found


def theirs(method: str, folder: Path) -> tuple[float, Any]:
    """Run the method of PySAL's access: seconds of the call and figures."""
    import access  # noqa: PLC0415 - a peer
    import pandas as pd  # noqa: PLC0415 - the same

    costs, people, supply = load(folder)
    resident = np.repeat(np.arange(RESIDENTS), np.diff(costs.indptr))
    frame = pd.DataFrame({"o": resident, "d": costs.indices, "t": costs.data})
    other = access.Access(
        demand_df=pd.DataFrame({"id": range(RESIDENTS), "pop": people}),
        demand_index="id",
        demand_value="pop",
        supply_df=pd.DataFrame({"id": range(VENUES), "doc": supply}),
        supply_index="id",
        supply_value="doc",
        cost_df=frame,
        cost_origin="o",
        cost_dest="d",
        cost_name="t",
    )
    steps, gauss = access.weights.step_fn(STEPS), access.weights.gaussian(10)
    begun = time.perf_counter()
    found = {
        "2SFCA": lambda: other.two_stage_fca(name="a", cost="t", max_cost=LIMIT),
        "E2SFCA, Gaussian": lambda: other.enhanced_two_stage_fca(
            name="a", cost="t", max_cost=LIMIT, weight_fn=gauss
        ),
        "E2SFCA, steps": lambda: other.enhanced_two_stage_fca(
            name="a", cost="t", max_cost=LIMIT, weight_fn=steps
        ),
        "3SFCA": lambda: other.three_stage_fca(name="a", cost="t", max_cost=LIMIT, weight_fn=steps),
        "RAAM": lambda: other.raam(name="a", cost="t", tau=60),
    }[method]()
    return time.perf_counter() - begun, found.iloc[:, 0].reindex(range(RESIDENTS)).fillna(0)


def service(folder: Path) -> dict[str, float]:
    """Time service by order and at best: seconds of each, people served."""
    import lifecircle as lc  # noqa: PLC0415 - as above

    costs, people, supply = load(folder)
    places = supply * people.sum() / supply.sum() * 0.8 // 1
    begun = time.perf_counter()
    ordered = lc.serve_in_order(costs, people, places, limit=LIMIT)
    between = time.perf_counter()
    best = lc.serve_best(costs, people, places, limit=LIMIT)
    return {
        "order_s": between - begun,
        "best_s": time.perf_counter() - between,
        "order": ordered.people,
        "best": best.people,
    }


def child(who: str, method: str, folder: Path) -> None:
    """Run one contestant and print its seconds; its figures go to a file."""
    warnings.simplefilter("ignore")
    if who == "service":
        print(json.dumps(service(folder)))
        return
    rounds = 1 if method == "RAAM" else 3
    seconds, found = ours(method, folder, rounds) if who == "ours" else theirs(method, folder)
    np.save(folder / f"{who}.npy", np.asarray(found, dtype=float))
    print(json.dumps({"seconds": seconds}))


def rows(scratch: str, *, slow: bool) -> list[str]:
    """Measure every method: a row of a table for each."""
    found = []
    for method in METHODS:
        used = {}
        for who in ("ours", "theirs"):
            if who == "theirs" and method == "RAAM" and not slow:
                continue
            argv = [sys.executable, "-m", "benchmarks.catchments", "--child", who, method, scratch]
            used[who] = measure(who, argv=argv)
        mine = used["ours"]
        if "theirs" not in used:
            found.append(f"| {method} | {mine['seconds']:.2f} | | | {mine['peak_mb']:.0f} | | | |")
            continue
        other = used["theirs"]
        one, two = (np.load(Path(scratch) / f"{who}.npy") for who in ("ours", "theirs"))
        apart = float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-300)))
        cells = (
            f"{mine['seconds']:.2f}",
            f"{other['seconds']:.2f}",
            f"{other['seconds'] / mine['seconds']:.1f}",
            f"{mine['peak_mb']:.0f}",
            f"{other['peak_mb']:.0f}",
            f"{mine['peak_mb'] / other['peak_mb']:.2f}",
            f"{apart:.0e}",
        )
        found.append(f"| {method} | {' | '.join(cells)} |")
        print(found[-1], flush=True)
    return found


def main() -> None:
    """Measure everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true", help="run the peer's rational agents too")
    parser.add_argument("--child", nargs=3, metavar=("WHO", "METHOD", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        who, method, folder = given.child
        child(who, method, Path(folder))
        return
    with tempfile.TemporaryDirectory() as scratch:
        save(Path(scratch))
        table = rows(scratch, slow=given.slow)
        argv = [sys.executable, "-m", "benchmarks.catchments", "--child", "service", "", scratch]
        served = measure("service", argv=argv)
    machine = describe_machine()
    lines = [
        f"{RESIDENTS:,} residents, {VENUES:,} venues, {PAIRS} pairs each, on {machine['cores']} cores of",
        f"{machine['processor']}; seconds of the call, peak MB of the process, largest relative difference.",
        "",
        "| method | s | access, s | times faster | MB | access, MB | share | difference |",
        "|---|---|---|---|---|---|---|---|",
        *table,
        "",
        f"Service by order: {served['order_s']:.2f} s, {served['order']:,.0f} people.",
        f"The optimum, proved: {served['best_s']:.1f} s, {served['best']:,.0f} people.",
    ]
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(before + MARKS[0] + "\n" + "\n".join(lines) + "\n" + MARKS[1] + after, "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
