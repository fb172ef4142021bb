"""Define what one run says of one target: a base that all kinds share, and a class for each kind.

Nothing is computed here but what follows from the fields of a result itself.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types of the fields
from dataclasses import dataclass, field

from lifecircle.measures import Equity, Gap, OrderSpread  # noqa: TC001 - as above
from lifecircle.standards import Target  # noqa: TC001 - as above

BUCKETS = ("covered", "beyond", "disconnected", "unsnapped")
ACCOUNTINGS = ("accepted", "straight", "network_distance", "reach", "open", "any_one")
BY_VILLAGE = frozenset({"accepted", "straight"})
"""Accountings whose unit is the village; the others count residents."""

_SHARE_KINDS = frozenset({"circle", "presence"})


@dataclass(frozen=True)
class Count:
    """People of one target in the four buckets; together they are ``people``."""

    people: float
    covered: float
    beyond: float
    disconnected: float
    unsnapped: float

    @property
    def value(self) -> float | None:
        """Share covered, or None where the target counts nobody."""
        return self.covered / self.people if self.people > 0 else None

    @property
    def uncovered(self) -> float:
        """People not covered, whatever the reason."""
        return self.people - self.covered

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lowest and highest share, as unsnapped residents are all uncovered or all covered."""
        if self.people <= 0:
            return None
        return self.covered / self.people, (self.covered + self.unsnapped) / self.people


@dataclass(frozen=True)
class DistrictResult:
    """One target in one district.

    ``urban`` is None where the study does not say; ``value`` is None where it is unknown, never 0.
    """

    code: str
    name: str
    urban: bool | None
    value: float | None
    status: str


@dataclass(frozen=True)
class CircleDistrict(DistrictResult):
    """One circle in one district, with the people it counts there."""

    count: Count


@dataclass(frozen=True)
class GroupResult:
    """One target for one group of residents (``all``, an age group, ``urban``, ``rural``)."""

    group: str
    count: Count
    value: float | None


@dataclass(frozen=True)
class Accounting:
    """One rung of the ladder from the reported figure to lived reach: villages, people and a share.

    The share is of villages for :data:`BY_VILLAGE`, of people for the others.
    """

    villages: int
    people: float
    value: float | None


@dataclass(frozen=True)
class TargetResult:
    """What one run says of one target, whatever its kind.

    ``value`` is a share for circles and presence, a figure in the target's unit for the others, None where
    there is none; ``status`` is the verdict and ``reason`` a code that says why there is none. ``previous``
    is the value of the year before. ``venues`` are the services the target counts, ``classes`` those of each
    class of its rule; ``notes`` are codes of remarks, ``previous_notes`` those on the year before (see
    wording).
    """

    target: Target
    value: float | None
    status: str
    reason: str
    milestone: float | None = None
    previous: float | None = None
    districts: tuple[DistrictResult, ...] = ()
    venues: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    previous_notes: tuple[str, ...] = ()

    @property
    def is_share(self) -> bool:
        """Whether the figures of the target are shares from 0 to 1."""
        return self.target.kind in _SHARE_KINDS or getattr(self.target, "unit", "") == "share"

    @property
    def falls(self) -> bool:
        """Whether a lower value is better."""
        return getattr(self.target, "direction", "up") == "down"


@dataclass(frozen=True)
class CircleResult(TargetResult):
    """The result of a circle target.

    All figures are by the target's own accounting, None where they have no meaning by it. ``count`` counts
    the target's own group and area; ``flip_kmh`` is the walking speed below which the verdict turns;
    ``curve`` pairs speeds (km/h) with coverage; ``shortfall_villages`` takes the place of
    ``shortfall_people`` where villages are the unit. ``modes`` : further modes or profiles that the target
    lists -> share covered in the same minutes, reported beside the verdict. ``village_curve`` : share of a
    village's people (0.5, 0.8, ...) -> number of villages where at least that share is covered. ``surfaces``
    : other surface of the residents -> share covered on it, None where it has none.
    """

    districts: tuple[CircleDistrict, ...] = ()
    count: Count | None = None
    band: Mapping[str, float | None] = field(default_factory=dict)
    accountings: Mapping[str, Accounting | None] = field(default_factory=dict)
    flip_kmh: float | None = None
    flip_minutes: float | None = None
    borderline_people: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    variants: Mapping[str, float | None] = field(default_factory=dict)
    modes: Mapping[str, float | None] = field(default_factory=dict)
    village_curve: tuple[tuple[float, int], ...] = ()
    surfaces: Mapping[str, float | None] = field(default_factory=dict)
    only_outside_people: float | None = None
    leg_over_100_m: float | None = None
    leg_over_200_m: float | None = None
    shortfall_people: float | None = None
    shortfall_villages: float | None = None
    groups: tuple[GroupResult, ...] = ()
    equity: Equity | None = None

    @property
    def quality(self) -> Accounting | None:
        """The accounting that the target prints beside its headline, None where it names none."""
        name = getattr(self.target, "quality", None)
        return None if name is None else self.accountings.get(name)


@dataclass(frozen=True)
class UnitWithout:
    """A unit that lacks what a target asks of each.

    ``lacks`` : classes, services or items it lacks; ``short`` : how many venues it lacks of each of them;
    empty where nothing is counted.
    """

    code: str
    name: str
    lacks: tuple[str, ...]
    short: tuple[int, ...] = ()


@dataclass(frozen=True)
class UnitCount:
    """How many units hold what a target asks of each.

    ``unit`` : county, district, village or outlet; ``unknown`` : units of which it is not known, whose first
    codes stand in ``unknown_codes``.
    """

    unit: str
    total: int
    holding: int
    without: tuple[UnitWithout, ...] = ()
    unknown: int = 0
    unknown_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PresenceResult(TargetResult):
    """The result of a presence target: the units that hold, and those without.

    ``disagreements`` : venues whose list of served units and whose position name different units, a row each.
    """

    units: UnitCount | None = None
    disagreements: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class ServedCount:
    """People and whether there is a place for them; they add up to ``people``. None where nothing says it.

    ``full`` : they reach venues, and all are full; ``unreachable`` : no venue within the limit; ``unsnapped``
    : no road near, which is a fault of the data; ``unknown`` : they find no place for sure, and reach a venue
    whose places nobody knows. ``score`` : amount per so many people within reach, mean
    over the people, None without any. ``missing`` : what is missing to the norm by the plain ratio,
    ``missing_full`` and ``missing_unreachable`` : for those two by the norm, in the unit of the amount.
    """

    people: float
    served: float | None
    full: float | None
    unreachable: float | None
    unsnapped: float | None
    score: float | None = None
    missing: float | None = None
    missing_full: float | None = None
    missing_unreachable: float | None = None
    unknown: float | None = None


@dataclass(frozen=True)
class ServedDistrict:
    """One district, and who is served there."""

    code: str
    name: str
    urban: bool | None
    count: ServedCount


@dataclass(frozen=True)
class CapacityReach:
    """What is within reach by a capacity target, and who is served; it explains and is never a verdict.

    Attributes
    ----------
    minutes, profile, circle : the limit, and the circle it is taken from, empty for the target's own
    users : the group that takes places
    each : people one place is for: 1 for users that the target names, else what the norm says; None where
        there is neither, and then nobody is counted as served
    count, districts : people of the target in the area it counts
    venues, unreached, filled : venues of known amount, those that nobody reaches, and those that are full
    load, unused : places taken and left at these venues, also by people whom the target does not count
    orders : people served in the orders tried, and at most; of everyone who takes places
    """

    minutes: float
    profile: str
    circle: str
    users: str
    each: float | None
    count: ServedCount
    districts: tuple[ServedDistrict, ...] = ()
    venues: int = 0
    unreached: int = 0
    filled: int = 0
    load: float | None = None
    unused: float | None = None
    orders: OrderSpread | None = None


@dataclass(frozen=True)
class CapacityResult(TargetResult):
    """The result of a capacity target: ``amount`` (places, beds, staff) per ``per`` people.

    ``unknown`` : venues without a known capacity, so that the value is a lower bound; ``missing`` : what is
    still needed to the milestone of the year, in the unit of the amount. ``reach`` : what is within reach,
    None where no limit is known; ``equity`` : of the amount within reach of each resident.
    """

    amount: float | None = None
    people: float | None = None
    per: float | None = None
    venue_count: int | None = None
    unknown: int = 0
    missing: float | None = None
    reach: CapacityReach | None = None
    equity: Equity | None = None


@dataclass(frozen=True)
class CircleGap:
    """How unequal one circle is between its sides in the year, and whether that became less.

    ``previous`` : the measure that the target is judged by, in the year before; ``not_smaller`` is None where
    that is unknown.
    """

    gap: Gap
    previous: float | None = None
    not_smaller: bool | None = None


@dataclass(frozen=True)
class IndicatorResult(TargetResult):
    """The result of an indicator: a registered figure, a rule for every village, or a computed gap.

    ``by_year`` : year -> registered figure; ``sources`` : who registered it; ``missing`` : codes of units
    without a figure; ``units`` : villages that meet the rule, where each village has to; ``gaps`` : circle ->
    how unequal it is, for a computed gap, beside which ``registered`` is the figure an office states.
    """

    by_year: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    units: UnitCount | None = None
    gaps: Mapping[str, CircleGap] = field(default_factory=dict)
    registered: float | None = None


def as_circle(result: TargetResult) -> CircleResult:
    """Return the figures that only circles have; for a target of another kind all of them are empty.

    Tables and pages that print targets of every kind in one way read them through this.
    """
    if isinstance(result, CircleResult):
        return result
    return CircleResult(result.target, result.value, result.status, result.reason)
