"""Draw a stratified sample of residents for a check in the field, with the chance each had of being drawn.

Three strata: residents whose time is within a minute of the limit, the other covered ones, and the other
uncovered ones. Wrong verdicts are most likely in the first, so it gets a larger share of the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.findings import Findings

BORDER_S = 60.0
"""Setting: seconds from the limit up to which (inclusive) a resident is a borderline case."""

STRATA = ("borderline", "covered", "uncovered")

LIKELY_WRONG: Mapping[str, float] = {"borderline": 0.3, "covered": 0.05, "uncovered": 0.05}
"""Setting: the share of wrong verdicts that the sample is laid out for. The estimate holds whatever it is."""

LEAST = 5
"""Setting: residents drawn of a stratum at least, as far as it has them."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A sample and the strata it was drawn from.

    Attributes
    ----------
    study, year, target, fingerprint : the run it was drawn from.
    seed : of the random numbers: the same seed and run give the same sample.
    limit_min : minutes of the target.
    people : people that the target counts; ``covered`` of them by the computation.
    sizes : stratum -> number of residents (points) in it.
    points : index label of the resident; columns ``stratum``, ``probability`` of being drawn, ``people``,
        ``minutes`` (NaN where there is no path), ``covered`` by the computation, ``venue`` (label, empty for
        none).
    left_out : people who have no place to go to; they count as computed.
    """

    study: str
    year: int
    target: str
    fingerprint: str
    seed: int
    limit_min: float
    people: float
    covered: float
    sizes: Mapping[str, int]
    points: pd.DataFrame
    left_out: float


def draw_sample(findings: Findings, target: str, *, size: int, seed: int = 1) -> Sample:
    """Draw a sample of the residents a circle counts.

    Within a stratum every resident (point) has the same chance, and none is drawn twice.

    Parameters
    ----------
    target : id of a circle judged by minutes (``reach`` or ``open``)
    size : residents to draw, 3 or more; all of them where there are no more
    seed : of the random numbers

    Raises
    ------
    UnusableInputError
        When the run has no such circle, its accounting knows no minutes, or the size is below 3.
    """
    limit_s = _check(findings, target, size)
    people = findings.people[target].fillna(0).to_numpy(dtype=float)
    seconds = findings.seconds[target].to_numpy(dtype=float)
    covered = (findings.status[target] == "covered").to_numpy(dtype=bool)
    placed = ~(findings.demand.geometry.is_empty | findings.demand.geometry.isna()).to_numpy(dtype=bool)
    stratum = strata_of(seconds, covered, limit_s)
    counted = people > 0
    rng = np.random.default_rng(seed)
    frame = {name: np.flatnonzero(counted & placed & (stratum == name)) for name in STRATA}
    sizes = {name: len(rows) for name, rows in frame.items()}
    drawn = allocate(sizes, size)
    chosen = {name: np.sort(rng.choice(frame[name], drawn[name], replace=False)) for name in STRATA}
    at = np.concatenate([chosen[name] for name in STRATA]).astype(np.intp)
    points = pd.DataFrame(
        {
            "stratum": stratum[at],
            "probability": [drawn[name] / sizes[name] for name in stratum[at]],
            "people": people[at],
            "minutes": seconds[at] / 60,
            "covered": covered[at],
            "venue": findings.nearest[target].iloc[at].fillna("").astype(str).to_numpy(),
        },
        index=findings.demand.index[at].astype(str).rename("id"),
    )
    return Sample(
        study=findings.study,
        year=findings.year,
        target=target,
        fingerprint=findings.fingerprint,
        seed=seed,
        limit_min=limit_s / 60,
        people=float(people.sum()),
        covered=float(people[covered].sum()),
        sizes=sizes,
        points=points,
        left_out=float(people[counted & ~placed].sum()),
    )


def _check(findings: Findings, target: str, size: int) -> float:
    """Return the limit in seconds.

    Raises
    ------
    UnusableInputError
        For what no sample can be drawn of.
    """
    known = list(findings.status.columns)
    if target not in known:
        remedy = say("give one of {names}", names=", ".join(map(str, known)))
        raise UnusableInputError(
            [Fault("(target)", "", target, say("no circle of this id in the run"), remedy)]
        )
    declared: Any = findings.result(target).target
    if declared.accounting not in {"reach", "open"}:
        reason = say("its accounting knows no minutes, so that nothing can be checked by walking")
        remedy = say("choose a circle judged by reach or open")
        raise UnusableInputError([Fault("(target)", "", target, reason, remedy)])
    if size < len(STRATA):
        reason, remedy = say("too few to check"), say("give {least} or more", least=len(STRATA))
        raise UnusableInputError([Fault("--size", "", str(size), reason, remedy)])
    return float(declared.minutes * 60)


def strata_of(
    seconds: npt.NDArray[np.float64], covered: npt.NDArray[np.bool_], limit_s: float
) -> npt.NDArray[np.str_]:
    """Put every resident in its stratum.

    >>> seconds, covered = np.array([100.0, 840.0, 960.0, 961.0]), np.array([True, True, False, False])
    >>> strata_of(seconds, covered, 900.0).tolist()
    ['covered', 'borderline', 'borderline', 'uncovered']
    """
    near = np.abs(seconds - limit_s) <= BORDER_S
    return np.where(near, "borderline", np.where(covered, "covered", "uncovered"))


def allocate(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """Share a sample out over the strata: in proportion to residents times the likely spread of errors.

    This is Neyman's allocation, with at least :data:`LEAST` of each stratum as far as the size goes.

    >>> allocate({"borderline": 100, "covered": 1000, "uncovered": 200}, 60)
    {'borderline': 9, 'covered': 43, 'uncovered': 8}
    >>> allocate({"borderline": 2, "covered": 0, "uncovered": 4}, 60)
    {'borderline': 2, 'covered': 0, 'uncovered': 4}
    """
    least = min(LEAST, size // len(STRATA))
    drawn = {name: min(least, sizes[name]) for name in STRATA}
    spread = {name: sizes[name] * float(np.sqrt(p * (1 - p))) for name, p in LIKELY_WRONG.items()}
    while sum(drawn.values()) < min(size, sum(sizes.values())):
        # One after another to whoever is furthest below its share: sums are exact without rounding.
        open_ = [name for name in STRATA if drawn[name] < sizes[name]]
        drawn[max(open_, key=lambda name: spread[name] / (drawn[name] + 0.5))] += 1
    return drawn
