"""Compute a target's value for all and by district from prepared inputs, and nothing else of it.

The figures are those of an audit; what an audit says beside them (band, variants, gaps) is not computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from lifecircle.audit import YearFacts, assess, basis_of, circle_parts, counted_people

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.audit import Answering, CircleParts, Inputs
    from lifecircle.findings import TargetResult
    from lifecircle.standards import CircleTarget, Target

    Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _YearFacts(YearFacts):
    """What assessors read of a counterfactual year, with the shares of its circles as they are known."""

    known: Mapping[str, CircleParts] = field(default_factory=dict)

    @cached_property
    def parts(self) -> Mapping[str, CircleParts]:
        """Circle -> its shares by area and district."""
        return self.known


def figures(
    target: Target,
    inputs: Inputs,
    answers: Answering,
    codes: Sequence[str],
    *,
    parts: Mapping[str, CircleParts] | None = None,
) -> Figures:
    """Return a target's value, then its values by district: (1 + district,), NaN where there is none.

    Parameters
    ----------
    codes : districts in the order wanted
    parts : circle -> its shares in this year, for a computed gap; asked where left out
    """
    if target.kind == "circle":
        return _circle(target, inputs, answers, codes)
    if target.kind == "indicator" and target.computed is not None and parts is None:
        found = {one.id: circle_parts(one, inputs, answers) for one in gap_circles(target, inputs)}
        parts = {name: one for name, one in found.items() if one is not None}
    # These answer when asked, where an audit has the answers already; nothing else is read of them.
    facts = _YearFacts(inputs, cast("Any", answers), known=parts or {})
    return result_figures(assess(target, facts).result, codes)


def gap_circles(target: Target, inputs: Inputs) -> list[CircleTarget]:
    """List the circles that a computed gap is about; none for any other target."""
    if target.kind != "indicator" or target.computed is None:
        return []
    wanted = target.computed.circles
    return [
        one
        for one in inputs.study.standard.targets
        if one.kind == "circle" and (not wanted or one.id in wanted)
    ]


def result_figures(result: TargetResult, codes: Sequence[str]) -> Figures:
    """Return the figures of a result: its value, then its values by district, NaN where there is none."""
    by_code = {one.code: one.value for one in result.districts}
    values = [result.value, *(by_code.get(code) for code in codes)]
    return np.array([np.nan if value is None else float(value) for value in values])


def _circle(target: CircleTarget, inputs: Inputs, answers: Answering, codes: Sequence[str]) -> Figures:
    out = np.full(1 + len(codes), np.nan)
    reason, people = counted_people(target, inputs)
    basis = None if reason else basis_of(target, inputs, answers)
    if basis is None:
        return out
    by_village = basis.holds is not None
    units = inputs.villages if by_village else inputs.demand
    whole = basis.value(people)
    out[0] = np.nan if whole is None else whole
    if units is None or "district" not in units:
        return out
    if basis.holds is not None and basis.counted is not None:
        weight, held = basis.counted.astype(float), basis.holds
    else:
        weight, held = people, basis.covered
    # All districts in one pass: there are as many passes as counterfactual years.
    home = pd.Index(codes).get_indexer(units["district"])
    inside = home >= 0
    whole_of, held_of = (
        np.bincount(home[inside & flags], weights=weight[inside & flags], minlength=len(codes))
        for flags in (inside, held)
    )
    out[1:] = np.divide(held_of, whole_of, out=np.full(len(codes), np.nan), where=whole_of > 0)
    return out
