"""Compare targets that are not circles before and after changes: units, places missing, gaps.

Every figure is taken from two audits; none is counted again here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecircle.findings import CapacityResult, IndicatorResult, PresenceResult

if TYPE_CHECKING:
    from lifecircle.findings import TargetResult, UnitCount


@dataclass(frozen=True)
class NamedUnit:
    """A unit by its code and name."""

    code: str
    name: str


@dataclass(frozen=True)
class UnitMoves:
    """The units of a presence target before and after.

    ``unit`` : county, district, village or outlet; ``gained`` : units that hold after and did not before;
    ``lost`` : the other way round.
    """

    unit: str
    total: int
    holding_before: int
    holding_after: int
    gained: tuple[NamedUnit, ...]
    lost: tuple[NamedUnit, ...]


@dataclass(frozen=True)
class GapMove:
    """How unequal one circle is before and after, in the measure that the target is judged by."""

    circle: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Town:
    """One target in one district before and after; values are None where they are unknown."""

    code: str
    name: str
    value_before: float | None
    value_after: float | None
    status_before: str
    status_after: str


def moves_of(one: TargetResult, other: TargetResult) -> dict[str, Any]:
    """Return what is different between two results of a target that is no circle.

    Returns
    -------
    fields : those of :class:`lifecircle.scenario.TargetComparison` that its kind has
    """
    fields: dict[str, Any] = {"towns": _towns(one, other)}
    if isinstance(one, PresenceResult) and isinstance(other, PresenceResult):
        if one.units is not None and other.units is not None:
            fields["units"] = _units(one.units, other.units)
    elif isinstance(one, CapacityResult) and isinstance(other, CapacityResult):
        fields |= {"missing_before": one.missing, "missing_after": other.missing}
    elif isinstance(one, IndicatorResult) and isinstance(other, IndicatorResult):
        computed = getattr(one.target, "computed", None)
        # A figure that an office registers stays what it is, whatever is built.
        fields["registered"] = computed is None
        if computed is not None:
            fields["gaps"] = _gaps(one, other, computed.measure)
    return fields


def _units(one: UnitCount, other: UnitCount) -> UnitMoves:
    """Compare the units without; the units themselves are the same in both audits."""
    was, now = ({unit.code: unit.name for unit in count.without} for count in (one, other))
    return UnitMoves(
        unit=one.unit,
        total=other.total,
        holding_before=one.holding,
        holding_after=other.holding,
        gained=tuple(NamedUnit(code, name) for code, name in was.items() if code not in now),
        lost=tuple(NamedUnit(code, name) for code, name in now.items() if code not in was),
    )


def _gaps(one: IndicatorResult, other: IndicatorResult, measure: str) -> tuple[GapMove, ...]:
    return tuple(
        GapMove(
            name,
            *(
                getattr(result.gaps[name].gap, measure) if name in result.gaps else None
                for result in (one, other)
            ),
        )
        for name in dict.fromkeys((*one.gaps, *other.gaps))
    )


def _towns(one: TargetResult, other: TargetResult) -> tuple[Town, ...]:
    later = {part.code: part for part in other.districts}
    return tuple(
        Town(
            part.code,
            part.name,
            part.value,
            later[part.code].value,
            part.status,
            later[part.code].status,
        )
        for part in one.districts
        if part.code in later
    )
