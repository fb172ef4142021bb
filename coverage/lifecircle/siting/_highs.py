"""Call HiGHS: a mixed-integer model in, a solution and a bound out. No other module calls it.

highspy is optional and loaded on first use. It prints a banner to the standard output of the process while
the solver is made, past ``sys.stdout``, so the file descriptor is redirected for that moment.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from scipy.sparse import csr_array

    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]

_LEAST_S = 0.05
_MANY_ROWS = 5000
_PLAINLY = {
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
    "mip_heuristic_effort": 0.0,
    "mip_pscost_minreliable": 0,
}
_EXACT = 1e-9
_ROUNDING = 1e-12
"""Share of all that is summed up by which float64 may be wrong."""

_WHOLE, _DOUBT = 0.99, 0.005
"""Shares of the least difference of two values: within the first HiGHS may stop, for no better value fits
between; by the second its bound is trusted less than it says, for reduced costs are right to 1e-7 only."""


@dataclass(frozen=True, eq=False)
class Model:
    """Minimise ``cost @ x`` with ``lower <= matrix @ x <= upper`` and ``least <= x <= greatest``.

    ``whole`` (variable,) says which variables are integers.
    """

    cost: Floats
    matrix: csr_array
    lower: Floats
    upper: Floats
    least: Floats
    greatest: Floats
    whole: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answer:
    """Result of HiGHS: ``x`` is None without a solution; ``bound`` is -inf without a bound."""

    x: Floats | None
    bound: float
    infeasible: bool


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Values of the variables and prices of the rows; only what is computed again from them is a proof.

    ``stopped`` says that the solve ended early, because nothing worth more was left.
    """

    x: Floats
    prices: Floats
    stopped: bool


def is_installed() -> bool:
    """Return whether highspy is installed."""
    return importlib.util.find_spec("highspy") is not None


def minimise(  # noqa: PLR0913 - the model, when to stop and where to begin
    model: Model,
    *,
    deadline: Deadline,
    unit: float = 0.0,
    tolerance: float = 1e-7,
    start: Floats | None = None,
    plainly: bool = False,
    enough: float = -np.inf,
) -> Answer:
    """Solve a model until it is proved or the time is up.

    Parameters
    ----------
    unit : the least difference of two values, 0 where there is none: then the proof goes to ``tolerance``,
        relative
    start : (variable,) a solution to begin with
    plainly : whether to branch without trying sites first, restarts and searches for a plan: quicker where
        the plan is good and the relaxation is large
    enough : value of a solution at which to stop
    """
    import highspy  # noqa: PLC0415 - optional

    options = {
        "time_limit": max(_LEAST_S, deadline.left()),
        "mip_rel_gap": 0.0 if unit else tolerance,
        "mip_abs_gap": _WHOLE * unit,
        "objective_target": enough,
    }
    if not unit:
        # Where a value is a share, the usual 1e-6 by which rows may be missed is as much as a proof may be.
        options["mip_feasibility_tolerance"] = _EXACT
    solver = _solver_of(model, options | (_PLAINLY if plainly else {}))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    solver.run()
    info = solver.getInfo()
    status = solver.getModelStatus()
    # A solve cut very short has no solution: its column values are zeros and must not be read.
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(solver.getSolution().col_value) if found else None
    bound = info.mip_dual_bound if model.whole.any() else info.objective_function_value
    # The objective of an unfinished linear model is no bound.
    if not model.whole.any() and status != highspy.HighsModelStatus.kOptimal:
        bound = -np.inf
    infeasible = status == highspy.HighsModelStatus.kInfeasible
    return Answer(x, float(bound) - _DOUBT * unit if np.isfinite(bound) else -np.inf, infeasible)


def relax(model: Model, *, deadline: Deadline) -> tuple[float, Floats, Floats] | None:
    """Solve a model without its whole variables from inside, which is quickest where it is large.

    Returns
    -------
    bound, reduced, x : no solution of the model is worth less than ``bound``, and none in which a variable
        leaves the end that its ``reduced`` cost (variable,) holds it at is worth less than the two together;
        ``x`` is near the best. None where the time was up. The bound is summed up here from the prices of
        the rows and holds for any prices.
    """
    options = {"time_limit": max(_LEAST_S, deadline.left()), "solver": "ipm", "run_crossover": "off"}
    solver = _solver_of(replace(model, whole=np.zeros_like(model.whole)), options)
    solver.run()
    solution = solver.getSolution()
    if not solution.dual_valid or not solution.value_valid:
        return None
    bound, reduced = priced(model, np.array(solution.row_dual))
    return bound, reduced, np.array(solution.col_value)


def priced(model: Model, prices: Floats) -> tuple[float, Floats]:
    """Return the bound of a model at any prices of its rows, and the reduced costs of its variables."""
    # A price on the side where a row is not limited would make the bound infinite: such a row counts for
    # nothing.
    end = np.where(prices > 0, model.lower, model.upper)
    prices = np.where(np.isfinite(end), prices, 0.0)
    charged = prices * np.where(np.isfinite(end), end, 0.0)
    reduced = model.cost - np.asarray(model.matrix.T @ prices)
    best = np.minimum(reduced * model.least, reduced * model.greatest)
    size = float(np.abs(charged).sum() + np.abs(best).sum() + np.abs(model.cost).sum())
    return float(charged.sum() + best.sum()) - _ROUNDING * size, reduced


class Relaxation:
    """A model without whole variables, solved again and again with other bounds of its first variables.

    Each solve begins with the basis that the last one left, which is what makes branching fast.
    """

    def __init__(self, model: Model) -> None:
        import highspy  # noqa: PLC0415 - optional

        self._wanted = highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kObjectiveBound
        # A large model is quicker from inside; from then on the simplex method goes on from the basis.
        first = "ipm" if len(model.lower) > _MANY_ROWS else "simplex"
        # All coefficients are ones, so scaling and shaking the costs only lengthen the way.
        options = {
            "presolve": "off",
            "solver": first,
            "simplex_scale_strategy": 0,
            "dual_simplex_cost_perturbation_multiplier": 0.0,
        }
        self._solver = _solver_of(replace(model, whole=np.zeros_like(model.whole)), options)

    def solve(
        self, least: Floats, greatest: Floats, *, deadline: Deadline, beyond: float = np.inf
    ) -> Relaxed | None:
        """Solve with other bounds of the first variables; stop where the value is proved to be ``beyond``.

        Returns
        -------
        relaxed : None where the time was up, or the solver got stuck
        """
        solver = self._solver
        places = np.arange(len(least), dtype=np.int32)
        solver.changeColsBounds(len(places), places, least, greatest)
        # HiGHS counts the time of all solves together.
        solver.setOptionValue("time_limit", solver.getRunTime() + max(_LEAST_S, deadline.left()))
        solver.setOptionValue("objective_bound", float(beyond))
        solver.run()
        solver.setOptionValue("solver", "simplex")
        solution = solver.getSolution()
        if solver.getModelStatus() not in self._wanted or not solution.dual_valid:
            return None
        stopped = solver.getModelStatus() == self._wanted[1]
        return Relaxed(np.array(solution.col_value), np.array(solution.row_dual), stopped)


def _solver_of(model: Model, options: dict[str, Any]) -> Any:
    """Return HiGHS with a model and some options."""
    import highspy  # noqa: PLC0415 - optional

    with _quiet_descriptor():
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call] # it has no annotations
    # One thread and a fixed seed: the same problem gives the same plan on every computer.
    for name, setting in ({"output_flag": False, "threads": 1, "random_seed": 0} | options).items():
        solver.setOptionValue(name, setting)
    solver.passModel(_handed_over(highspy, model))
    return solver


def _handed_over(highspy: Any, model: Model) -> Any:
    linear = highspy.HighsLp()
    linear.num_col_, linear.num_row_ = len(model.cost), len(model.lower)
    linear.col_cost_ = model.cost
    linear.col_lower_, linear.col_upper_ = model.least, model.greatest
    linear.row_lower_ = np.maximum(model.lower, -highspy.kHighsInf)
    linear.row_upper_ = np.minimum(model.upper, highspy.kHighsInf)
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.start_ = model.matrix.indptr
    linear.a_matrix_.index_ = model.matrix.indices
    linear.a_matrix_.value_ = model.matrix.data
    if model.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        linear.integrality_ = [kinds[int(whole)] for whole in model.whole]
    return linear


@contextlib.contextmanager
def _quiet_descriptor() -> Iterator[None]:
    """Discard what is written to file descriptor 1 while the block runs."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no standard output: nothing can leak into it
        yield
        return
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
