"""Define the form of ``summary.json``: an entry for each kind of target, read and written by pydantic.

The models are the file's own schema (:func:`summary_schema`). Names and order of the keys are the contract
with the scripts that read the file; a key may be added, none is renamed. Nothing is rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lifecircle.findings._results import (
    ACCOUNTINGS,
    BUCKETS,
    Accounting,
    CapacityReach,
    CapacityResult,
    CircleDistrict,
    CircleGap,
    CircleResult,
    Count,
    DistrictResult,
    GroupResult,
    IndicatorResult,
    PresenceResult,
    TargetResult,
    UnitCount,
)
from lifecircle.findings._run_parts import InputRecord, Language, Publication  # noqa: TC001 - types of fields
from lifecircle.measures import Equity  # noqa: TC001 - type of a field
from lifecircle.reading import Reading
from lifecircle.standards import read_target

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants", arbitrary_types_allowed=False)


class People(_Part):
    """People a target counts, and how they fall in the four buckets."""

    total: float
    covered: float
    beyond: float
    disconnected: float
    unsnapped: float

    @classmethod
    def of(cls, count: Count | None) -> People | None:
        """Return the entry of a count, None for none."""
        if count is None:
            return None
        return cls(total=count.people, **{bucket: getattr(count, bucket) for bucket in BUCKETS})

    @property
    def count(self) -> Count:
        """The count that the entry is of."""
        return Count(self.total, self.covered, self.beyond, self.disconnected, self.unsnapped)


class DistrictEntry(_Part):
    """One target in one district; ``people`` and ``buckets`` are null where the target counts no people."""

    code: str
    name: str
    urban: bool | None
    people: float | None
    value: float | None
    status: str
    buckets: People | None

    @classmethod
    def of(cls, one: DistrictResult) -> DistrictEntry:
        """Return the entry of a district's result."""
        count = one.count if isinstance(one, CircleDistrict) else None
        return cls(
            code=one.code,
            name=one.name,
            urban=one.urban,
            people=None if count is None else count.people,
            value=one.value,
            status=one.status,
            buckets=People.of(count),
        )

    @property
    def result(self) -> DistrictResult:
        """The district's result that the entry is of."""
        if self.buckets is None:
            return DistrictResult(self.code, self.name, self.urban, self.value, self.status)
        return CircleDistrict(self.code, self.name, self.urban, self.value, self.status, self.buckets.count)


class GroupEntry(_Part):
    """One target for one group of residents."""

    group: str
    people: float
    value: float | None
    buckets: People

    @classmethod
    def of(cls, one: GroupResult) -> GroupEntry:
        """Return the entry of a group's result."""
        buckets = People.of(one.count)
        assert buckets is not None  # a group always has a count
        return cls(group=one.group, people=one.count.people, value=one.value, buckets=buckets)

    @property
    def result(self) -> GroupResult:
        """The group's result that the entry is of."""
        return GroupResult(self.group, self.buckets.count, self.value)


class TargetEntry(_Part):
    """What one run says of one target: the keys that every kind has, null where they mean nothing for it."""

    id: str
    kind: str
    unit: str
    value: float | None
    goal: float | None
    due: int | None
    status: str
    reason: str
    people: People | None = None
    band: dict[str, float | None] | None = None
    accountings: dict[str, Accounting | None] = Field(default_factory=lambda: dict.fromkeys(ACCOUNTINGS))
    flip: float | None = None
    milestone: float | None = None
    previous: float | None = None
    flip_minutes: float | None = None
    borderline_people: float | None = None
    only_outside_people: float | None = None
    leg_over_100_m: float | None = None
    leg_over_200_m: float | None = None
    shortfall_people: float | None = None
    shortfall_villages: float | None = None
    curve: list[tuple[float, float]] = []
    variants: dict[str, float | None] = {}
    districts: list[DistrictEntry] = []
    groups: list[GroupEntry] = []
    venues: list[str] = []
    classes: dict[str, list[str]] = {}
    notes: list[str] = []
    previous_notes: list[str] = []
    definition: dict[str, Any]

    def _shared(self) -> dict[str, Any]:
        """Return the fields that results of every kind have."""
        return {
            "target": read_target(self.definition),
            "value": self.value,
            "status": self.status,
            "reason": self.reason,
            "milestone": self.milestone,
            "previous": self.previous,
            "districts": tuple(one.result for one in self.districts),
            "venues": tuple(self.venues),
            "classes": {name: tuple(services) for name, services in self.classes.items()},
            "notes": tuple(self.notes),
            "previous_notes": tuple(self.previous_notes),
        }


_AS_THEY_ARE = (
    "flip_minutes",
    "borderline_people",
    "only_outside_people",
    "leg_over_100_m",
    "leg_over_200_m",
    "shortfall_people",
    "shortfall_villages",
)
"""Figures of a circle that have one name in the result and in the file."""


class CircleEntry(TargetEntry):
    """The entry of a circle target."""

    kind: Literal["circle"]
    modes: dict[str, float | None] = {}
    village_curve: list[tuple[float, int]] = []
    surfaces: dict[str, float | None] = {}
    equity: Equity | None = None

    @classmethod
    def of(cls, result: CircleResult) -> CircleEntry:
        """Return the entry of a circle's result."""
        return cls(
            **_common(result),
            people=People.of(result.count),
            band=dict(result.band) or None,
            accountings={name: result.accountings.get(name) for name in ACCOUNTINGS},
            flip=result.flip_kmh,
            curve=list(result.curve),
            variants=dict(result.variants),
            groups=[GroupEntry.of(one) for one in result.groups],
            modes=dict(result.modes),
            village_curve=list(result.village_curve),
            surfaces=dict(result.surfaces),
            equity=result.equity,
            **{name: getattr(result, name) for name in _AS_THEY_ARE},
        )

    @property
    def result(self) -> CircleResult:
        """The circle's result that the entry is of."""
        return CircleResult(
            **self._shared(),
            count=None if self.people is None else self.people.count,
            band=self.band or {},
            accountings=self.accountings,
            flip_kmh=self.flip,
            curve=tuple(self.curve),
            variants=self.variants,
            groups=tuple(one.result for one in self.groups),
            modes=self.modes,
            village_curve=tuple(self.village_curve),
            surfaces=self.surfaces,
            equity=self.equity,
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
        )


class PresenceEntry(TargetEntry):
    """The entry of a presence target."""

    kind: Literal["presence"]
    units: UnitCount | None = None
    disagreements: list[dict[str, str]] = []

    @classmethod
    def of(cls, result: PresenceResult) -> PresenceEntry:
        """Return the entry of a presence result."""
        rows = [dict(row) for row in result.disagreements]
        return cls(**_common(result), units=result.units, disagreements=rows)

    @property
    def result(self) -> PresenceResult:
        """The presence result that the entry is of."""
        return PresenceResult(**self._shared(), units=self.units, disagreements=tuple(self.disagreements))


class CapacityEntry(TargetEntry):
    """The entry of a capacity target; ``counted_people`` are the people its ratio is per."""

    kind: Literal["capacity"]
    amount: float | None = None
    counted_people: float | None = None
    per: float | None = None
    venue_count: int | None = None
    unknown: int = 0
    missing: float | None = None
    reach: CapacityReach | None = None
    equity: Equity | None = None

    @classmethod
    def of(cls, result: CapacityResult) -> CapacityEntry:
        """Return the entry of a capacity result."""
        return cls(
            **_common(result),
            amount=result.amount,
            counted_people=result.people,
            per=result.per,
            venue_count=result.venue_count,
            unknown=result.unknown,
            missing=result.missing,
            reach=result.reach,
            equity=result.equity,
        )

    @property
    def result(self) -> CapacityResult:
        """The capacity result that the entry is of."""
        return CapacityResult(
            **self._shared(),
            amount=self.amount,
            people=self.counted_people,
            per=self.per,
            venue_count=self.venue_count,
            unknown=self.unknown,
            missing=self.missing,
            reach=self.reach,
            equity=self.equity,
        )


class IndicatorEntry(TargetEntry):
    """The entry of an indicator: registered, of every village, or a computed gap."""

    kind: Literal["indicator"]
    by_year: dict[str, float] = {}
    sources: list[str] = []
    missing: list[str] = []
    units: UnitCount | None = None
    gaps: dict[str, CircleGap] = {}
    registered: float | None = None

    @classmethod
    def of(cls, result: IndicatorResult) -> IndicatorEntry:
        """Return the entry of an indicator's result."""
        return cls(
            **_common(result),
            by_year=dict(result.by_year),
            sources=list(result.sources),
            missing=list(result.missing),
            units=result.units,
            gaps=dict(result.gaps),
            registered=result.registered,
        )

    @property
    def result(self) -> IndicatorResult:
        """The indicator's result that the entry is of."""
        return IndicatorResult(
            **self._shared(),
            by_year=self.by_year,
            sources=tuple(self.sources),
            missing=tuple(self.missing),
            units=self.units,
            gaps=self.gaps,
            registered=self.registered,
        )


AnyEntry = Annotated[
    CircleEntry | PresenceEntry | CapacityEntry | IndicatorEntry, Field(discriminator="kind")
]


class Software(_Part):
    """What computed a run; ``method_version`` changes when the same inputs may give other figures."""

    version: str
    method_version: str


class Summary(_Part):
    """The whole of ``summary.json``."""

    schema_: int = Field(alias="schema")
    study: str
    name: str
    year: int
    language: Language
    synthetic: bool
    crs: str
    software: Software
    fingerprint: str = ""
    roads: str
    publication: Publication
    services: dict[str, dict[str, str]]
    inputs: list[InputRecord]
    reading: Reading = Reading()
    warnings: list[str]
    targets: list[AnyEntry]


ENTRIES: Mapping[type[TargetResult], Any] = {
    CircleResult: CircleEntry,
    PresenceResult: PresenceEntry,
    CapacityResult: CapacityEntry,
    IndicatorResult: IndicatorEntry,
}
"""Class of a result -> its entry in the file: the one place that a new kind is added to here."""


def target_entry(result: TargetResult) -> AnyEntry:
    """Return the entry of a result, by its kind."""
    entry: AnyEntry = ENTRIES[type(result)].of(result)
    return entry


def summary_schema() -> dict[str, Any]:
    """Return the JSON schema of ``summary.json``.

    >>> summary_schema()["title"]
    'Summary'
    """
    return Summary.model_json_schema(by_alias=True)


def _common(result: TargetResult) -> dict[str, Any]:
    """Return the keys that entries of every kind have."""
    target = result.target
    return {
        "id": target.id,
        "kind": target.kind,
        "unit": target.unit if target.kind != "circle" else "people",
        "value": result.value,
        "goal": target.goal,
        "due": target.due,
        "status": result.status,
        "reason": result.reason,
        "milestone": result.milestone,
        "previous": result.previous,
        "districts": [DistrictEntry.of(one) for one in result.districts],
        "venues": list(result.venues),
        "classes": {name: list(services) for name, services in result.classes.items()},
        "notes": list(result.notes),
        "previous_notes": list(result.previous_notes),
        "definition": target.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
