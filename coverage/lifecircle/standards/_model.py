"""Define what a profile may hold: services, targets of four kinds, and where each figure comes from.

Models are frozen and refuse unknown keys. The checks between keys are in ``_conflicts``; they are run by the
models, so that a model made in Python follows the same rules as one read from a file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from lifecircle.errors import Bilingual, say
from lifecircle.standards._conflicts import (
    CONFLICT,
    Conflict,
    equity_conflicts,
    provenance_conflicts,
    standard_conflicts,
    target_conflicts,
)

Language = Literal["zh", "en"]
Grade = Literal["primary", "secondary", "unverified", "setting"]
Area = Literal["all", "urban", "rural"]
Tier = Literal["county", "town", "village"]
Committee = Literal["all", "village", "community"]
TravelProfile = Literal["walk", "cycle", "ebike", "drive", "walk_aged", "walk_child", "wheelchair"]

PROFILES: tuple[str, ...] = ("walk", "cycle", "ebike", "drive", "walk_aged", "walk_child", "wheelchair")

_FIRST_YEAR, _LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class _Matching:
    """A form that a text must have, checked when it is read and stated in the JSON Schema."""

    pattern: str
    remedy: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "pattern": f"^(?:{self.pattern})$"}

    def _checked(self, value: str) -> str:
        if re.fullmatch(self.pattern, value):
            return value
        raise PydanticCustomError(
            CONFLICT,
            "{reason}; {remedy}",
            {"reason": say("not in the form expected"), "remedy": self.remedy},
        )


def _as_written(value: object) -> object:
    """Return a TOML date, or a year written as a number, as text."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, _Matching(r"[a-z0-9][a-z0-9_-]*", say("use small letters, digits, _ and -"))]
Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
Year = Annotated[int, Field(ge=_FIRST_YEAR, le=_LAST_YEAR)]
DueYear = Annotated[int, Field(strict=True, ge=_FIRST_YEAR, le=_LAST_YEAR)]
HowMany = Annotated[int, Field(strict=True, ge=1)]
Rule = Annotated[dict[str, HowMany], Field(min_length=1)]
_DATE = r"(\d{4}(-\d{2}(-\d{2})?)?|undated)?"
SourceDate = Annotated[
    str,
    BeforeValidator(_as_written),
    _Matching(_DATE, say('write "2022", "2022-12", "2022-12-28" or "undated"')),
    # A year alone may stand without quotes.
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{_DATE}$"}, {"type": "integer"}]}),
]
WeekTime = Annotated[
    str, _Matching(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d", say('write it like "Sat 10:00"'))
]


class _Part(BaseModel):
    """Part of a profile. Faults of a key and faults between keys are reported together."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    filled: ClassVar[frozenset[str]] = frozenset()
    """Keys that are filled in where a file leaves them out, so that no file needs them."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        plain = handler.resolve_ref_schema(schema)
        plain["required"] = [key for key in plain.get("required", ()) if key not in cls.filled]
        plain["description"] = plain.get("description", "").partition("\n\n>>>")[0]
        cls._as_in_files(plain)
        return schema

    @classmethod
    def _as_in_files(cls, plain: dict[str, Any]) -> None:
        """Change the JSON Schema of the part to what a file may hold, where that differs from the model."""

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        plain = cls._completed(data)
        found = [conflict.details() for conflict in cls._conflicts(plain)]
        try:
            made = handler(plain)
        except ValidationError as error:
            own = [_again(line) for line in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, [*own, *found]) from None
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found)
        return made

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document with keys filled in that other keys determine."""
        return dict(plain)

    @classmethod
    def _conflicts(cls, plain: Mapping[str, Any]) -> Iterable[Conflict]:
        """Yield conflicts between keys."""
        del plain
        return ()


def _again(line: Any) -> InitErrorDetails:
    """Return a fault that pydantic found, so that one error can hold it with others."""
    context = line.get("ctx", {})
    kind = PydanticCustomError(line["type"], "{message}", {**context, "message": line["msg"]})
    return InitErrorDetails(type=kind, loc=line["loc"], input=line["input"])


class Text(_Part):
    """A name or remark in both languages; one language alone, or plain text, stands for both.

    >>> Text.model_validate({"zh": "图书馆", "en": "library"}).get("en")
    'library'
    """

    zh: str
    en: str

    filled: ClassVar[frozenset[str]] = frozenset({"zh", "en"})

    def both(self) -> Bilingual:
        """Return the text for a message, which prints it in the language of the message."""
        return Bilingual(self.en, self.zh)

    @classmethod
    def _as_in_files(cls, plain: dict[str, Any]) -> None:
        both = {**plain, "minProperties": 1}
        plain.clear()
        plain.update({"anyOf": [{"type": "string"}, both]})

    @model_validator(mode="before")
    @classmethod
    def _from_plain_text(cls, data: Any) -> Any:
        return {"zh": data, "en": data} if isinstance(data, str) else data

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        given = [plain[language] for language in ("zh", "en") if language in plain]
        twin = given[0] if given and isinstance(given[0], str) else ""
        return {"zh": twin, "en": twin, **plain} if given else dict(plain)

    def get(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language == "zh" else self.en


class Provenance(_Part):
    """Where a figure comes from. Left out, the grade is ``setting``, or ``unverified`` beside a source."""

    source: str = ""
    date: SourceDate = ""
    grade: Grade = "setting"

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        return {"grade": "unverified" if plain.get("source") else "setting", **plain}

    @classmethod
    def _conflicts(cls, plain: Mapping[str, Any]) -> Iterable[Conflict]:
        return provenance_conflicts(plain)


class _Named(Provenance):
    id: Id
    name: Text
    notes: Text | None = None

    filled: ClassVar[frozenset[str]] = frozenset({"name"})

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        named = super()._completed(plain)
        # Without an id there is nothing to name it by, and the missing id is fault enough.
        return {"name": named["id"] if isinstance(named.get("id"), str) else "", **named}


class Service(_Named):
    """One kind of facility. ``service_class`` (key ``class``) and ``also`` are the names rules count by."""

    service_class: str = Field(default="", alias="class")
    also: tuple[str, ...] = ()
    tier: Tier | None = None
    department: str = ""
    ownership: Literal["public", "inclusive", "private"] = "public"

    @property
    def classes(self) -> frozenset[str]:
        """Return every class the service belongs to."""
        return frozenset({self.service_class, *self.also} - {""})


class Straight(Provenance):
    """The straight-line reading of a circle; a radius left out is that of the other area."""

    urban_m: Positive
    rural_m: Positive
    centre: Literal["committee", "settlement", "free"] = "committee"
    distinct_site_m: Annotated[float, Field(strict=True, ge=0)] = 0.0

    filled: ClassVar[frozenset[str]] = frozenset({"urban_m", "rural_m"})

    @classmethod
    def _as_in_files(cls, plain: dict[str, Any]) -> None:
        plain["anyOf"] = [{"required": ["urban_m"]}, {"required": ["rural_m"]}]

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        whole = super()._completed(plain)
        given = next((whole[radius] for radius in ("urban_m", "rural_m") if radius in whole), None)
        usable = isinstance(given, (int, float)) and given > 0
        twin = given if usable else 1.0
        return {"rural_m": twin, **({"urban_m": twin} if "rural_m" in whole else {}), **whole}


class _Promise(_Named):
    """Keys of targets of every kind.

    ``source``, ``date`` and ``grade`` are those of the promise and its figures; ``sources`` names the
    keys whose figure comes from elsewhere, ``settings`` those that are a choice of the profile.
    """

    department: str = ""
    group: Id = "all"
    area: Area = "all"
    goal: Number | None = None
    due: DueYear | None = None
    baseline: dict[Year, Number] = Field(default_factory=dict)
    milestones: dict[Year, Number] = Field(default_factory=dict)
    tolerance: Number = 0.0
    denominator: str = ""
    settings: tuple[str, ...] = ()
    sources: dict[str, Provenance] = Field(default_factory=dict)

    @classmethod
    def _as_in_files(cls, plain: dict[str, Any]) -> None:
        plain["required"] = ["kind", *plain["required"]]

    @classmethod
    def _conflicts(cls, plain: Mapping[str, Any]) -> Iterator[Conflict]:
        kind = cls.model_fields["kind"].default
        yield from target_conflicts({**plain, "kind": kind}, keys=cls.model_fields)

    def provenance(self, field: str) -> Provenance:
        """Return where the figure of one key comes from.

        Raises
        ------
        KeyError
            When targets of this kind have no such key.
        """
        if field not in type(self).model_fields:
            raise KeyError(f"a {type(self).__name__} has no {field!r}")
        if field in self.sources:
            return self.sources[field]
        if field in self.settings:
            return Provenance()
        part = getattr(self, field)
        own = part if isinstance(part, Straight) else self
        return Provenance(source=own.source, date=own.date, grade=own.grade)


class CircleTarget(_Promise):
    """A share of residents that reach the rule's venues within some minutes.

    ``require`` : class or service id -> how many of it. ``accounting`` is the one the verdict uses, and all
    figures of its row with it. ``quality`` : an accounting whose value is printed beside the headline, such
    as ``open`` for the venues that are open when people are free. ``modes`` : further ways to travel, such as
    ``cycle``, whose shares within the same minutes are reported beside the verdict.
    """

    kind: Literal["circle"] = "circle"
    require: Rule
    minutes: Positive
    profile: TravelProfile = "walk"
    modes: tuple[TravelProfile, ...] = ()
    open_at: WeekTime | None = None
    straight: Straight | None = None
    accounting: Literal["accepted", "straight", "network_distance", "reach", "open"] = "reach"
    quality: Literal["accepted", "straight", "network_distance", "reach", "open", "any_one"] | None = None
    across_border: bool = True


class PresenceTarget(_Promise):
    """A share of counties, districts, villages or outlets that hold the venues asked for.

    A unit needs of every key in ``require`` as many venues as it says, and at least ``minimum``. ``tier`` :
    only services of this tier count. ``assign`` : how venues come to their units: by what they list in
    ``serves``, else where they stand; by the list alone; by the place alone. ``committee`` : villages with
    a villagers' committee (村委会), or communities (居委会), alone. ``outlets`` : kinds of outlets, all where
    left out; an outlet holds a venue that lists it or lies within ``within_m`` of it (inclusive).
    """

    kind: Literal["presence"] = "presence"
    require: Rule
    unit: Literal["county", "district", "village", "outlet"]
    minimum: HowMany = 1
    tier: Tier | None = None
    assign: Literal["serves_first", "serves", "position"] = "serves_first"
    committee: Committee = "all"
    outlets: tuple[str, ...] = ()
    within_m: Annotated[float, Field(strict=True, ge=0)] = 50.0

    @property
    def needed(self) -> dict[str, int]:
        """Return the venues that a unit needs of every class or service."""
        return {name: max(count, self.minimum) for name, count in self.require.items()}


class CapacityTarget(_Promise):
    """Places, beds or carers per so many people of a group.

    The column ``of`` of the facility register is summed over the services that ``require`` names. Beside that
    ratio, which alone is judged, an audit counts what is within reach: within ``minutes`` by ``profile``;
    left out, those of the first circle that counts one of the same services (:func:`reach_of`).
    ``users`` : the group of whom each takes a place; left out, a place is for as many people of ``group`` as
    the norm says (4.5 places per 1,000: one place for 222).
    """

    kind: Literal["capacity"] = "capacity"
    require: Rule
    per: Positive = 1000.0
    of: str = "capacity"
    minutes: Positive | None = None
    profile: TravelProfile | None = None
    users: Id | None = None

    @property
    def unit(self) -> str:
        """Return the unit of the value, for a table.

        >>> CapacityTarget(id="beds", name="beds", require={"ward": 1}, per=10000).unit
        'per 10000'
        """
        return f"per {self.per:.10g}"


@dataclass(frozen=True)
class ReachRule:
    """How far people go for the venues of a capacity target: minutes by a profile, and whose they are.

    ``circle`` : id of the circle that they are taken from, empty where the target says both itself.
    """

    minutes: float
    profile: TravelProfile
    circle: str = ""


class Equity(_Part):
    """A gap that is counted from circles: their shares in town and country, or in all districts.

    ``measure`` : difference (over districts the range), ratio of the higher to the lower, and over districts
    Gini or Theil. ``circles`` : their ids; left out, every circle that counts both sides. The value is the
    mean over the circles; a trend is judged for each of them.
    """

    gap: Literal["urban_rural", "districts"]
    measure: Literal["difference", "ratio", "gini", "theil"] = "difference"
    circles: tuple[Id, ...] = ()

    @classmethod
    def _conflicts(cls, plain: Mapping[str, Any]) -> Iterable[Conflict]:
        return equity_conflicts(plain)


class IndicatorTarget(_Promise):
    """A registered figure. ``unit`` share is 0..1, percent (or %) 0..100, any other 0 or more.

    ``unit_names`` : other names of the unit in tables. ``by`` : the smallest units that figures are expected
    of; which have none is named. ``each`` : a rule that every village has to meet, item -> figure in
    ``each_unit``; the value is then the share of the villages (of this ``committee``) that meet all items.
    ``trend`` : without a goal, the figure has to be smaller every year. ``computed`` : the figure is a gap
    that the audit counts; what is registered stands beside it.
    """

    kind: Literal["indicator"] = "indicator"
    unit: str
    unit_names: tuple[str, ...] = ()
    direction: Literal["up", "down"] = "up"
    by: Literal["county", "district", "village"] = "county"
    each: dict[Id, Number] = Field(default_factory=dict)
    each_unit: str = ""
    committee: Committee = "all"
    trend: Literal["shrinking"] | None = None
    computed: Equity | None = None

    @classmethod
    def _completed(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        whole = super()._completed(plain)
        return {"direction": "down", **whole} if whole.get("trend") == "shrinking" else whole


Target = Annotated[
    CircleTarget | PresenceTarget | CapacityTarget | IndicatorTarget, Field(discriminator="kind")
]


class Standard(_Named):
    """A profile: services, and targets in the order the scoreboard shows them.

    ``services_from`` names the profile, shipped or a path, whose services were added to its own.
    """

    services_from: str | None = None
    services: tuple[Service, ...] = Field(default=(), alias="service")
    targets: tuple[Target, ...] = Field(default=(), alias="target")

    # A file without an id has one made of its name.
    filled: ClassVar[frozenset[str]] = frozenset({"id", "name"})

    @classmethod
    def _conflicts(cls, plain: Mapping[str, Any]) -> Iterable[Conflict]:
        return standard_conflicts(plain)

    def service(self, service_id: str) -> Service:
        """Return a service by its id.

        Raises
        ------
        KeyError
            When the standard has no such service; the message names those it has.
        """
        for one in self.services:
            if one.id == service_id:
                return one
        known = ", ".join(one.id for one in self.services)
        raise KeyError(f"no service {service_id!r} in {self.id}; it has {known}")

    def target(self, target_id: str) -> Target:
        """Return a target by its id.

        Raises
        ------
        KeyError
            When the standard has no such target; the message names those it has.
        """
        for one in self.targets:
            if one.id == target_id:
                return one
        known = ", ".join(one.id for one in self.targets)
        raise KeyError(f"no target {target_id!r} in {self.id}; it has {known}")

    def venues(self, target: Target) -> dict[str, set[str]]:
        """Return the service ids that count for each key of a target's rule; an indicator has none."""
        if isinstance(target, IndicatorTarget):
            return {}
        tier = target.tier if isinstance(target, PresenceTarget) else None
        return {
            key: {
                one.id
                for one in self.services
                if (key == one.id or key in one.classes) and tier in {None, one.tier}
            }
            for key in target.require
        }


def reach_of(standard: Standard, target: CapacityTarget) -> ReachRule | None:
    """Return how far people go for the venues of a capacity target; None where no key and no circle says it.

    The circle is the first of the standard that counts a service of the target.

    >>> beds = CapacityTarget(id="beds", name="beds", require={"ward": 1}, minutes=30)
    >>> reach_of(Standard(id="s", name="s", service=[Service(id="ward")], target=[beds]), beds)
    ReachRule(minutes=30.0, profile='walk', circle='')
    """
    mine = set().union(*standard.venues(target).values())
    like = next(
        (
            one
            for one in standard.targets
            if isinstance(one, CircleTarget) and mine & set().union(*standard.venues(one).values())
        ),
        None,
    )
    minutes = target.minutes or (None if like is None else like.minutes)
    if minutes is None:
        return None
    travel = target.profile or ("walk" if like is None else like.profile)
    borrowed = like is not None and (target.minutes is None or target.profile is None)
    return ReachRule(minutes, travel, like.id if like is not None and borrowed else "")


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile as it stands in a file, derived from the models that read it.

    Returns
    -------
    schema : draft 2020-12; what a schema cannot say, such as classes that no service has, is checked when a
        profile is read.

    >>> sorted(profile_schema()["properties"])[:3]
    ['date', 'grade', 'id']
    """
    schema = Standard.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "profile"}
