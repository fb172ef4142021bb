"""Own the race of choosing sites: ``solve_siting`` beside HiGHS on the plain model and spopt end to end.

Every contestant gets the same instance: towns of different size and open country, half of the candidates
among the homes. A round asks each contestant once, in an order drawn by lot. What counts is the processor
time of the process, for all of them work with one thread; the least of the rounds. A solve is cut short after
some time by the clock; of a peer that was, the ratio is a lower bound.
"""

from __future__ import annotations

import importlib.util
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, hstack, vstack
from scipy.sparse import eye_array as identity
from scipy.spatial import cKDTree

import lifecircle as lc
from benchmarks.children import measure
from benchmarks.timing import say
from lifecircle.siting import siting_curve, siting_problem, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Array = np.ndarray[Any, Any]

OWN, RAW, SPOPT = "lifecircle", "HiGHS, plain model", "spopt with HiGHS"
CUT_S, LONG_S = 30.0, 300.0
LARGE_CUTS_S = {5: 30.0, 20: 120.0, 50: 60.0}
UNIFORM_RADII, UNIFORM_SITES = (5.5, 5.75, 6.0, 6.25), (10, 15, 20)


@dataclass(frozen=True)
class Instance:
    """Residents, candidates and who is within reach of whom: ``metres`` csr (demand, site), ``people``."""

    name: str
    metres: csr_array
    people: Array
    limit_m: float


@dataclass(frozen=True)
class Solved:
    """One answer: processor and wall seconds, value and bound; ``cut_s`` is where it would be cut short."""

    instance: str
    question: str
    contestant: str
    used_s: float
    wall_s: float
    value: float
    bound: float
    cut_s: float
    peak_mb: float = 0.0

    @property
    def gap(self) -> float:
        """Difference of bound and value as a share of the value."""
        return abs(self.bound - self.value) / abs(self.value) if self.value else 0.0


def county(residents: int, sites: int, *, reached: float, seed: int = 1) -> Instance:
    """Draw an instance whose candidates reach so many residents each, on average."""
    rng = np.random.default_rng(seed)
    towns = max(5, int(residents**0.5 / 4))
    centre, size = rng.random((towns, 2)) * 100, rng.pareto(1.1, towns) + 0.3
    size /= size.sum()
    urban = int(residents * 0.7)
    town = rng.choice(towns, urban, p=size)
    spread = 0.6 + 6 * np.sqrt(size[town])
    homes = np.vstack(
        [
            centre[town] + rng.normal(size=(urban, 2)) * spread[:, np.newaxis],
            rng.random((residents - urban, 2)) * 100,
        ]
    )
    at = homes[rng.choice(residents, sites, replace=False)] + rng.normal(size=(sites, 2)) * 0.15
    tree = cKDTree(homes)
    low, high = 0.01, 60.0
    for _ in range(40):
        middle = (low + high) / 2
        many = tree.query_ball_point(at, middle, return_length=True).mean()
        low, high = (middle, high) if many < reached else (low, middle)
    near = tree.query_ball_point(at, high)
    column = np.repeat(np.arange(sites), [len(rows) for rows in near])
    row = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in near])
    away = np.hypot(*(homes[row] - at[column]).T)
    order = np.lexsort((column, row))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=residents))])
    metres = csr_array((away[order], column[order], indptr), shape=(residents, sites))
    people = np.maximum(1, rng.lognormal(4.2, 0.8, residents)).astype(np.int64).astype(np.float64)
    return Instance(f"{residents:,} x {sites:,}", metres, people, float(high))


def uniform(residents: int, radius: float, *, seed: int = 0) -> Instance:
    """Draw residents and 100 sites evenly on a square, as Cordeau, Furini and Ljubic do (2019)."""
    rng = np.random.default_rng(seed)
    at, homes = rng.random((100, 2)) * 30, rng.random((residents, 2)) * 30
    near = cKDTree(homes).query_ball_point(at, radius)
    column = np.repeat(np.arange(len(at)), [len(rows) for rows in near])
    row = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in near])
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=residents))])
    metres = csr_array((np.hypot(*(homes[row] - at[column]).T), column, indptr), shape=(residents, len(at)))
    people = rng.integers(1, 101, residents).astype(np.float64)
    return Instance(f"{residents:,} x 100, uniform", metres, people, radius)


def race_siting(sizes: tuple[tuple[int, int], ...], *, alone: bool) -> dict[str, Any]:
    """Ask every question of every contestant that there is.

    Parameters
    ----------
    sizes : (residents, sites) of three instances: one for all contestants, one for the package alone, and
        one to choose from without searching; of its residents a hundredth, a tenth and all are drawn
        uniformly too
    """
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    peers = [RAW, *([SPOPT] if importlib.util.find_spec("spopt") else [])]
    small, large, huge = sizes
    rows = list(_small(county(*small, reached=0.0234 * small[0]), [OWN, *([] if alone else peers)]))
    rows += _large(county(*large, reached=0.00687 * large[0]))
    rows.append(greedy(*huge) if alone else _alone("greedy", *huge))
    for part in (100, 10, 1):
        many = huge[0] // part
        rows.append(slowest_uniform(many) if alone else _alone("uniform", many))
    if not alone:
        rows += _uniform_by_highs(huge[0] // 100)
    return {"load": load, "rows": [asdict(row) for row in rows]}


def _small(instance: Instance, here: list[str]) -> Iterator[Solved]:
    yield from _raced(instance, here, sites=5, cut_s=LONG_S, rounds=2)
    yield from _raced(instance, here, sites=50, cut_s=LONG_S, rounds=1)
    yield from _raced(instance, [OWN], sites=20, cut_s=CUT_S, rounds=1)
    covers = [name for name in here if name != SPOPT]
    yield from _raced(instance, covers, sites=None, cut_s=LONG_S, rounds=3)


def _large(instance: Instance) -> Iterator[Solved]:
    for sites, cut_s in LARGE_CUTS_S.items():
        yield from _raced(instance, [OWN], sites=sites, cut_s=cut_s, rounds=1)
    problem = siting_problem(
        instance.metres, instance.people, objective="max_cover", limit=instance.limit_m, sites=1
    )
    begin, used = time.perf_counter(), time.process_time()
    # What was begun is ended when the time is over: half a second of the minute is left for it.
    curve = siting_curve(problem, most=50, time_limit_s=59.5)
    worst = max(curve.plans[1:], key=lambda plan: plan.gap)
    yield Solved(
        instance.name,
        "curve of 1 to 50 sites, its widest gap",
        OWN,
        time.process_time() - used,
        time.perf_counter() - begin,
        worst.value,
        worst.bound,
        60.0,
    )


def _alone(task: str, *sizes: int) -> Solved:
    """Measure in a process that has done nothing before, and return its peak of memory too."""
    measured = measure(task, *sizes)
    return Solved(**(measured["row"] | {"peak_mb": measured["peak_mb"]}))


def slowest_uniform(residents: int) -> Solved:
    """Ask for every number of sites at every radius; give the slowest, with the widest gap of all."""
    own_plan(county(1000, 100, reached=100.0), 10, 5.0)  # compiled code is loaded
    answers = []
    for radius in UNIFORM_RADII:
        instance = uniform(residents, radius)
        for sites in UNIFORM_SITES:
            begin, used = time.perf_counter(), time.process_time()
            value, bound = own_plan(instance, sites, LONG_S)
            wall, spent = time.perf_counter() - begin, time.process_time() - used
            question = f"{sites} sites, radius {radius}: the slowest of {{}}"
            answers.append(Solved(instance.name, question, OWN, spent, wall, value, bound, LONG_S))
    slowest = max(answers, key=lambda one: one.used_s)
    widest = max(answers, key=lambda one: one.gap)
    changes = {"question": slowest.question.format(len(answers))}
    if widest.gap > slowest.gap:  # never the gap of one that was proved, where another was not
        changes |= {"value": widest.value, "bound": widest.bound}
    return Solved(**(asdict(slowest) | changes))


def _uniform_by_highs(residents: int) -> Iterator[Solved]:
    """Hand the plain model to HiGHS where it is smallest: the fewest sites at the least radius."""
    yield from _raced(
        uniform(residents, UNIFORM_RADII[0]), [RAW], sites=UNIFORM_SITES[0], cut_s=LONG_S, rounds=1
    )


def greedy(residents: int, sites: int) -> Solved:
    """Choose a thousand sites with no time to search: reading and checking included, drawing not."""
    small = county(1000, 100, reached=100.0)
    own_plan(small, 10, 0.0)  # compiled code is loaded, as it was for every other question
    instance = county(residents, sites, reached=0.00048 * residents)
    number = min(1000, instance.metres.shape[1] // 10)
    begin, used = time.perf_counter(), time.process_time()
    plan = own_plan(instance, number, 0.0)
    wall, spent = time.perf_counter() - begin, time.process_time() - used
    question = f"{number:,} sites at once, {len(instance.metres.data) / 1e6:.1f} M pairs"
    return Solved(instance.name, question, OWN, spent, wall, plan[0], plan[1], 0.0)


def _raced(
    instance: Instance, here: list[str], *, sites: int | None, cut_s: float, rounds: int
) -> Iterator[Solved]:
    """Ask a question in rounds, and give the quickest answer of each contestant; None asks for full cover."""
    question = "fewest sites for everyone" if sites is None else f"{sites} sites"
    say(f"siting, {instance.name}: {question}")
    answers: dict[str, Callable[[Instance, int | None, float], tuple[float, float]]] = {
        OWN: own_plan,
        RAW: _raw,
        SPOPT: _spopt,
    }
    rng = np.random.default_rng(0)
    best: dict[str, Solved] = {}
    for _ in range(rounds):
        for name in rng.permutation(here).tolist():
            begin, used = time.perf_counter(), time.process_time()
            value, bound = answers[name](instance, sites, cut_s)
            wall, spent = time.perf_counter() - begin, time.process_time() - used
            if name not in best or spent < best[name].used_s:
                best[name] = Solved(instance.name, question, name, spent, wall, value, bound, cut_s)
    return (best[name] for name in here)


def own_plan(instance: Instance, sites: int | None, cut_s: float) -> tuple[float, float]:
    """Ask the package: value and bound of so many sites, or of the fewest for everyone where None."""
    if sites is None:
        reached = (np.diff(instance.metres.indptr) > 0).astype(np.float64)
        plan = lc.solve_siting(
            instance.metres, reached, objective="full_cover", limit=instance.limit_m, time_limit_s=cut_s
        )
    else:
        problem = siting_problem(
            instance.metres, instance.people, objective="max_cover", limit=instance.limit_m, sites=sites
        )
        plan = solve(problem, time_limit_s=cut_s)
    return plan.value, plan.bound


def _raw(instance: Instance, sites: int | None, cut_s: float) -> tuple[float, float]:
    """Hand the whole sparse model to HiGHS."""
    import highspy  # noqa: PLC0415 - a peer that need not be installed

    table = csr_array((np.ones(len(instance.metres.data)), instance.metres.indices, instance.metres.indptr))
    rows, columns = table.shape
    model = highspy.HighsLp()
    if sites is None:
        table = csr_array(table[np.flatnonzero(np.diff(table.indptr))])
        matrix, width = table, columns
        cost, lower, upper = np.ones(columns), np.ones(table.shape[0]), np.full(table.shape[0], np.inf)
    else:
        width = columns + rows
        count = csr_array(np.concatenate([np.ones(columns), np.zeros(rows)])[np.newaxis, :])
        matrix = csr_array(vstack([hstack([-table, identity(rows)]), count], format="csr"))
        cost = np.concatenate([np.zeros(columns), -instance.people])
        lower = np.concatenate([np.full(rows, -np.inf), [sites]])
        upper = np.concatenate([np.zeros(rows), [sites]])
    model.num_col_, model.num_row_ = width, len(lower)
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(width), np.ones(width)
    model.row_lower_ = np.maximum(lower, -highspy.kHighsInf)
    model.row_upper_ = np.minimum(upper, highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    kinds = [highspy.HighsVarType.kInteger] * columns + [highspy.HighsVarType.kContinuous] * (width - columns)
    model.integrality_ = kinds
    solver = highspy.Highs()
    for option, setting in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", cut_s),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.999),
    ):
        solver.setOptionValue(option, setting)
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    sign = 1.0 if sites is None else -1.0
    value, bound = sign * info.objective_function_value, sign * info.mip_dual_bound
    # both count whole people or sites, so a bound within one of the value proves it
    return value, value if abs(bound - value) < 1 else bound


def _spopt(instance: Instance, sites: int | None, cut_s: float) -> tuple[float, float]:
    """Build and solve with spopt, which takes a dense table; it reports no bound, only that it is done."""
    import pulp  # noqa: PLC0415 - a peer that need not be installed
    from spopt.locate import MCLP  # noqa: PLC0415 - the same, and it takes seconds to load

    dense = np.full(instance.metres.shape, 2 * instance.limit_m)
    row = np.repeat(np.arange(dense.shape[0]), np.diff(instance.metres.indptr))
    dense[row, instance.metres.indices] = instance.metres.data
    model = MCLP.from_cost_matrix(dense, instance.people, instance.limit_m, p_facilities=sites)
    model = model.solve(pulp.HiGHS(msg=False, timeLimit=cut_s, threads=1, gapRel=0.0))
    value = float(model.problem.objective.value())
    done = model.problem.sol_status == pulp.LpSolutionOptimal
    return value, value if done else float("inf")
