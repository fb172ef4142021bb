"""Put a value and its verdict into the result of its kind; what assessors of all kinds share.

Reasons speak of the data, never of the software.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from lifecircle.audit._circles import circle_parts
from lifecircle.audit._gaps import GAP_COLUMNS, GAP_FIGURES
from lifecircle.audit._position_grades import village_centred
from lifecircle.audit._prepare import circles
from lifecircle.findings import DistrictResult, TargetResult
from lifecircle.standards import milestone, verdict, without_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.audit._circles import Circle, CircleParts
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._questions import Answers
    from lifecircle.reading import CoarseReading
    from lifecircle.standards import Target

Kind = TypeVar("Kind", bound=TargetResult)


@dataclass(frozen=True, eq=False)
class YearFacts:
    """What assessors read: the inputs and answers of the year, and those of the year before, if any.

    ``dated`` : whether anything of a year differs between the two, without which a value of the year before
    would be this year's printed twice.
    """

    inputs: Inputs
    answers: Answers
    earlier: tuple[Inputs, Answers] | None = None
    dated: bool = False

    @cached_property
    def parts(self) -> Mapping[str, CircleParts]:
        """Circle -> its shares by area and district in the year, of those that have a value."""
        return _parts(self.inputs, self.answers)

    @cached_property
    def parts_before(self) -> Mapping[str, CircleParts]:
        """The same for the year before; empty where its files are not given."""
        return {} if self.earlier is None else _parts(*self.earlier)

    @cached_property
    def parts_without_centres(self) -> tuple[Mapping[str, CircleParts], Mapping[str, CircleParts]]:
        """The parts of the year and of the year before without venues at village centres (grade D)."""
        now = _parts(self.inputs, self.answers, centres=False)
        return now, {} if self.earlier is None else _parts(*self.earlier, centres=False)

    @property
    def inputs_before(self) -> Inputs | None:
        """The inputs of the year before, None where there are none that differ."""
        return self.earlier[0] if self.earlier is not None and self.dated else None


@dataclass(frozen=True, eq=False)
class Assessed:
    """A result and its gaps, as rows of the list of gaps.

    ``circle`` : for a circle, who is covered and when, from which its gaps are found; ``coarse`` : the check
    of residents that stand far apart, where there was one; ``homes``, ``venues`` : columns of residents and
    facilities, of a capacity target with a limit.
    """

    result: TargetResult
    gaps: pd.DataFrame = field(default_factory=lambda: gap_table([]))
    circle: Circle | None = None
    coarse: CoarseReading | None = None
    homes: pd.DataFrame | None = None
    venues: pd.DataFrame | None = None


def _parts(inputs: Inputs, answers: Answers, *, centres: bool = True) -> dict[str, CircleParts]:
    centred = None if centres else village_centred(inputs)
    only = None if centred is None else ~centred
    found = {one.id: circle_parts(one, inputs, answers, only=only) for one in circles(inputs.study.standard)}
    return {name: parts for name, parts in found.items() if parts is not None}


def judged(  # noqa: PLR0913 - a value, and what the verdict does not follow from
    kind: type[Kind],
    target: Target,
    inputs: Inputs,
    value: float,
    *,
    services: Mapping[str, Iterable[str]] | None = None,
    status: str | None = None,
    reason: str = "",
    **fields: Any,
) -> Kind:
    """Return the result of a value with its verdict.

    Parameters
    ----------
    services : class -> services that the target counts
    status : the verdict, where it does not follow from value and goal
    reason : why there is no verdict; the value stays
    fields : further fields of the result, such as ``districts`` and ``notes``
    """
    found = status or ("not_assessable" if reason else verdict(target, inputs.year, value))
    # A value before every baseline can be early, never late.
    early = status is None and found == "reported" and without_baseline(target, inputs.year)
    return kind(
        target=target,
        value=value,
        status=found,
        reason=reason or ("no_baseline" if early else ""),
        milestone=milestone(target, inputs.year),
        **_counted_services(services),
        **fields,
    )


def without_value(
    kind: type[Kind],
    target: Target,
    reason: str,
    services: Mapping[str, Iterable[str]] | None = None,
    **own: Any,
) -> Kind:
    """Return the result of a target that has no value, with what is missing in the data."""
    return kind(target, None, "not_assessable", reason, **_counted_services(services), **own)


def _counted_services(services: Mapping[str, Iterable[str]] | None) -> dict[str, Any]:
    classes = {name: tuple(sorted(ids)) for name, ids in (services or {}).items()}
    return {"classes": classes, "venues": tuple(sorted(set().union(*classes.values()))) if classes else ()}


def by_district(
    target: Target, inputs: Inputs, values: Mapping[str, float], statuses: Mapping[str, str] | None = None
) -> tuple[DistrictResult, ...]:
    """Return the values by district, each with the verdict of the target; unknown is None, never 0.

    Parameters
    ----------
    values : code -> value
    statuses : code -> verdict, where it does not follow from the value
    """
    layer = inputs.districts
    if layer is None:
        return ()
    out = []
    nothing = [None] * len(layer)
    urbans = layer["urban"].tolist() if "urban" in layer else nothing
    for code, name, urban in zip(layer.index, layer["name"].tolist(), urbans, strict=True):
        value = values.get(str(code))
        value = None if value is None or not math.isfinite(value) else value
        status = (statuses or {}).get(str(code)) or verdict(target, inputs.year, value)
        known = None if urban is None or pd.isna(urban) else bool(urban)
        out.append(DistrictResult(str(code), str(name), known, value, status))
    return tuple(out)


def gap_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of the list of gaps as a table with its declared columns and types."""
    return _gap_table(rows) if rows else _no_gaps().copy()


@cache
def _no_gaps() -> pd.DataFrame:
    """Return the empty list of gaps, which most targets have: its columns take long to declare."""
    return _gap_table([])


def _gap_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    return table.astype({name: "float64" if name in GAP_FIGURES else "str" for name in GAP_COLUMNS})
