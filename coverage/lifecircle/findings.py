"""Own the result of one run: what it holds, how it is kept and read back; not how it is computed.

A run's folder holds ``summary.json`` (the verdicts, unrounded), ``results.gpkg`` (residents with their
seconds per target, facilities, districts, villages, gaps), ``ranks.parquet`` (what rules of several venues
rest on) and ``rejects.csv``. :func:`load_findings` reads a :class:`Findings` back from those four, so that
maps, siting and comparison never compute a reach again. ``checksums.txt`` says what every file held when it
was written, so that a damaged one is never read as a result.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import Results, file_hash
from lifecircle.reading import Reading, plain_reading, read_reading
from lifecircle.standards import read_target
from lifecircle.tables import rearmed, write_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.standards import Target

SCHEMA = 1
METHOD_VERSION = "2026.1"
CHECKSUMS = "checksums.txt"

RUN = Results(
    "summary.json",
    (
        "summary.json",
        "results.gpkg",
        "ranks.parquet",
        "rejects.csv",
        "scoreboard.csv",
        "scoreboard.xlsx",
        "gaps.csv",
        CHECKSUMS,
    ),
)
"""The folder of a run: the file it is known by, and all that stand in it."""

BUCKETS = ("covered", "beyond", "disconnected", "unsnapped")
ACCOUNTINGS = ("accepted", "straight", "network_distance", "reach", "open", "any_one")
BY_VILLAGE = frozenset({"accepted", "straight"})
"""Accountings whose unit is the village; the others count residents."""

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


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
    """One circle in one district; ``urban`` is None where the study does not say."""

    code: str
    name: str
    urban: bool | None
    count: Count
    value: float | None
    status: str


@dataclass(frozen=True)
class DistrictValue:
    """A target that is no circle in one district; ``value`` is None where it is unknown, never 0."""

    code: str
    name: str
    urban: bool | None
    value: float | None
    status: str


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
    """What one run says of one target.

    All figures are by the target's own accounting, None where they have no meaning by it. ``value`` is a
    share for circles and presence; ``count`` counts the target's own group and area; ``flip_kmh`` is the
    walking speed below which the verdict turns; ``curve`` pairs speeds (km/h) with coverage;
    ``shortfall_villages`` stands in the place of ``shortfall_people`` where villages are the unit;
    ``venues`` are the services its rule counts, ``classes`` those of each class of the rule; ``notes`` are
    codes of remarks, ``previous_notes`` those on the year before (see wording). ``facts`` : what the value of
    a target that is no circle was counted from, in plain values: units and those without, amounts and
    people, figures by year, gaps; ``by_district`` its values.
    """

    target: Target
    value: float | None
    status: str
    reason: str
    milestone: float | None = None
    previous: float | None = None
    count: Count | None = None
    band: Mapping[str, float | None] = field(default_factory=dict)
    accountings: Mapping[str, Accounting | None] = field(default_factory=dict)
    flip_kmh: float | None = None
    flip_minutes: float | None = None
    borderline_people: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    variants: Mapping[str, float | None] = field(default_factory=dict)
    only_outside_people: float | None = None
    leg_over_100_m: float | None = None
    leg_over_200_m: float | None = None
    shortfall_people: float | None = None
    shortfall_villages: float | None = None
    districts: tuple[DistrictResult, ...] = ()
    groups: tuple[GroupResult, ...] = ()
    venues: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    previous_notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    by_district: tuple[DistrictValue, ...] = ()

    @property
    def quality(self) -> Accounting | None:
        """The accounting that the target prints beside its headline, None where it names none."""
        name = getattr(self.target, "quality", None)
        return None if name is None else self.accountings.get(name)


@dataclass(frozen=True)
class InputRecord:
    """One file a run was computed from; ``path`` is relative to the study."""

    role: str
    path: str
    sha256: str
    rows: int
    rejected: int


@dataclass(frozen=True)
class Publication:
    """What stands in a map's margin; empty fields print as not filled in."""

    organisation: str = ""
    date: str = ""
    review_number: str = ""


@dataclass(frozen=True, eq=False)
class Findings:
    """The result of one run, and all that maps, siting and comparison need of it but the roads.

    ``seconds``, ``status``, ``nearest`` and ``people`` : (demand, circle target): the rule time (NaN where
    there is no path), the bucket, the label of the venue whose time is the rule time, and the people the
    target counts. ``ranks`` : (demand, (target, class, rank)) seconds to each venue that a rule of several
    venues asks for, see :func:`class_seconds`; ``rank_venues`` : the same shape, their labels (categories),
    see :func:`class_venues`. ``fingerprint`` : hash of all that a study's run follows from,
    empty for findings of trial inputs. ``villages`` and ``grid`` (500 m) hold people counted and covered
    per target. ``services`` : id -> name in each language. Tables are in EPSG:4326.
    """

    study: str
    name: str
    year: int
    language: Language
    synthetic: bool
    crs: str
    roads_key: str
    software: str
    targets: tuple[TargetResult, ...]
    demand: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    grid: gpd.GeoDataFrame
    seconds: pd.DataFrame
    status: pd.DataFrame
    nearest: pd.DataFrame
    people: pd.DataFrame
    ranks: pd.DataFrame
    gaps: pd.DataFrame
    rejects: pd.DataFrame
    inputs: tuple[InputRecord, ...] = ()
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    publication: Publication = field(default_factory=Publication)
    warnings: tuple[str, ...] = ()
    rank_venues: pd.DataFrame = field(default_factory=pd.DataFrame)
    fingerprint: str = ""
    reading: Reading = field(default_factory=Reading)

    def result(self, target: str) -> TargetResult:
        """Find the result of a target.

        Raises
        ------
        KeyError
            When the run has no such target; the message names those it has.
        """
        for one in self.targets:
            if one.target.id == target:
                return one
        known = ", ".join(one.target.id for one in self.targets)
        raise KeyError(f"no target {target!r} in this run; it has {known}")


def rank_table(columns: Mapping[tuple[str, str, int], Any], index: pd.Index) -> pd.DataFrame:
    """Lay out seconds, or labels of venues, by (target, class, rank) as the table that findings hold."""
    names = (
        pd.MultiIndex.from_tuples(list(columns), names=["target", "class", "rank"]) if columns else _NO_RANKS
    )
    return pd.DataFrame(dict(enumerate(columns.values())), index=index).set_axis(names, axis=1)


def class_seconds(findings: Findings, target: str) -> dict[str, npt.NDArray[np.float64]]:
    """Give the times a circle's rule rests on, so that one can tell what a resident still lacks.

    Returns
    -------
    seconds : class of the rule -> (demand, k), to the nearest venues of the class in order, as many as the
        rule asks for; NaN where there is no such venue within reach of any length

    Raises
    ------
    KeyError
        When the run has no such target.
    """
    require = getattr(findings.result(target).target, "require", {})
    if sum(require.values()) == 1:
        return {name: findings.seconds[[target]].to_numpy(dtype=float) for name in require}
    return {
        name: np.column_stack([findings.ranks[target, name, rank + 1] for rank in range(count)])
        for name, count in require.items()
    }


def class_venues(findings: Findings, target: str) -> dict[str, pd.Series[Any]]:
    """Give the label of the last venue that a circle's rule asks of each class, beside :func:`class_seconds`.

    Returns
    -------
    venues : class of the rule -> (demand,) label of the facility, NA where there is none

    Raises
    ------
    KeyError
        When the run has no such target, or holds no labels.
    """
    require = getattr(findings.result(target).target, "require", {})
    if sum(require.values()) == 1:
        return dict.fromkeys(require, findings.nearest[target])
    return {name: findings.rank_venues[target, name, count] for name, count in require.items()}


@dataclass(frozen=True)
class VenueLine:
    """One class of a rule at a gap: how many it asks for, the last of these venues and how far it is.

    ``venue`` is empty where there is none. ``minutes``, or ``metres`` where a radius along the roads decides.
    """

    name: str
    count: int
    venue: str
    minutes: float | None = None
    metres: float | None = None


def venue_lines(text: object) -> list[VenueLine]:
    """Read a gap's column ``venues``: a line for every class of a rule, none where the gap tells it itself.

    >>> venue_lines('[{"class": "gym", "count": 2, "venue": "West", "minutes": 18.0}]')
    [VenueLine(name='gym', count=2, venue='West', minutes=18.0, metres=None)]
    """
    if not isinstance(text, str) or not text:
        return []
    return [
        VenueLine(one["class"], one["count"], one["venue"], one.get("minutes"), one.get("metres"))
        for one in json.loads(text)
    ]


def summary(findings: Findings) -> dict[str, Any]:
    """Put a run's verdicts in the plain form of ``summary.json``: unrounded, no clock, no absolute path."""
    return {
        "schema": SCHEMA,
        "study": findings.study,
        "name": findings.name,
        "year": findings.year,
        "language": findings.language,
        "synthetic": findings.synthetic,
        "crs": findings.crs,
        "software": {"version": findings.software, "method_version": METHOD_VERSION},
        "fingerprint": findings.fingerprint,
        "roads": findings.roads_key,
        "publication": asdict(findings.publication),
        "services": {name: dict(words) for name, words in findings.services.items()},
        "inputs": [asdict(record) for record in findings.inputs],
        "reading": plain_reading(findings.reading),
        "warnings": list(findings.warnings),
        "targets": [_target_summary(result) for result in findings.targets],
    }


_PLAIN = (
    "milestone",
    "previous",
    "flip_minutes",
    "borderline_people",
    "only_outside_people",
    "leg_over_100_m",
    "leg_over_200_m",
    "shortfall_people",
    "shortfall_villages",
)


def _target_summary(result: TargetResult) -> dict[str, Any]:
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
        "people": _people(result.count),
        "band": dict(result.band) or None,
        "accountings": {
            name: asdict(rung) if (rung := result.accountings.get(name)) else None for name in ACCOUNTINGS
        },
        "flip": result.flip_kmh,
        **{name: getattr(result, name) for name in _PLAIN},
        "curve": [list(point) for point in result.curve],
        "variants": dict(result.variants),
        "districts": [
            {
                "code": one.code,
                "name": one.name,
                "urban": one.urban,
                "people": one.count.people,
                "value": one.value,
                "status": one.status,
                "buckets": _people(one.count),
            }
            for one in result.districts
        ]
        + [{**asdict(one), "people": None, "buckets": None} for one in result.by_district],
        "groups": [
            {
                "group": one.group,
                "people": one.count.people,
                "value": one.value,
                "buckets": _people(one.count),
            }
            for one in result.groups
        ],
        "venues": list(result.venues),
        "classes": {name: list(services) for name, services in result.classes.items()},
        "notes": list(result.notes),
        "previous_notes": list(result.previous_notes),
        **({"facts": dict(result.facts)} if result.facts else {}),
        "definition": target.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _people(count: Count | None) -> dict[str, float] | None:
    if count is None:
        return None
    return {"total": count.people, **{bucket: getattr(count, bucket) for bucket in BUCKETS}}


def _count(people: Mapping[str, float] | None) -> Count | None:
    return None if people is None else Count(people["total"], *(people[bucket] for bucket in BUCKETS))


def _target_result(entry: dict[str, Any]) -> TargetResult:
    return TargetResult(
        target=read_target(entry["definition"]),
        value=entry["value"],
        status=entry["status"],
        reason=entry["reason"],
        count=_count(entry["people"]),
        band=entry["band"] or {},
        accountings={
            name: Accounting(**rung) if rung else None for name, rung in entry["accountings"].items()
        },
        flip_kmh=entry["flip"],
        curve=tuple((speed, value) for speed, value in entry["curve"]),
        variants=entry["variants"],
        districts=tuple(
            DistrictResult(
                one["code"],
                one["name"],
                one["urban"],
                Count(**{"people": one["people"], **{bucket: one["buckets"][bucket] for bucket in BUCKETS}}),
                one["value"],
                one["status"],
            )
            for one in entry["districts"]
            if one["buckets"] is not None
        ),
        by_district=tuple(
            DistrictValue(one["code"], one["name"], one["urban"], one["value"], one["status"])
            for one in entry["districts"]
            if one["buckets"] is None
        ),
        groups=tuple(
            GroupResult(
                one["group"],
                Count(**{"people": one["people"], **{bucket: one["buckets"][bucket] for bucket in BUCKETS}}),
                one["value"],
            )
            for one in entry["groups"]
        ),
        venues=tuple(entry["venues"]),
        classes={name: tuple(services) for name, services in entry.get("classes", {}).items()},
        notes=tuple(entry["notes"]),
        previous_notes=tuple(entry.get("previous_notes", ())),
        facts=entry.get("facts", {}),
        **{name: entry.get(name) for name in _PLAIN},
    )


def save_findings(findings: Findings, folder: Path) -> None:
    """Write ``summary.json``, ``results.gpkg`` and ``ranks.parquet`` into an existing folder."""
    text = json.dumps(summary(findings), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    layers = {
        "demand": _with_answers(findings),
        "facilities": findings.facilities,
        "districts": findings.districts,
        "villages": findings.villages,
        "grid": findings.grid,
        "gaps": _gap_layer(findings.gaps),
    }
    write_layers(
        folder / "results.gpkg",
        {name: layer.reset_index(names=_LABEL[name]) for name, layer in layers.items() if len(layer)},
    )
    ranks = findings.ranks.set_axis(_flat(findings.ranks), axis=1)
    venues = findings.rank_venues.set_axis([name + _VENUE for name in _flat(findings.rank_venues)], axis=1)
    both = pd.concat([ranks, venues], axis=1) if len(venues.columns) else ranks
    both.to_parquet(folder / "ranks.parquet")


_LABEL = {
    "demand": "id",
    "facilities": "id",
    "districts": "code",
    "villages": "code",
    "grid": "cell",
    "gaps": "row",
}
_ANSWERS = ("seconds", "status", "nearest", "people")
_FILES = ("summary.json", "results.gpkg", "ranks.parquet", "rejects.csv")
_NO_RANKS = pd.MultiIndex.from_arrays([[], [], []], names=["target", "class", "rank"])


def _flat(table: pd.DataFrame) -> list[str]:
    return ["/".join(map(str, column)) for column in table.columns]


_VENUE = "/venue"


def _with_answers(findings: Findings) -> gpd.GeoDataFrame:
    columns = {
        f"{answer}_{target}": getattr(findings, answer)[target]
        for target in findings.seconds.columns
        for answer in _ANSWERS
    }
    return findings.demand.assign(**columns)


def _gap_layer(gaps: pd.DataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(gaps, geometry=gpd.points_from_xy(gaps["lon"], gaps["lat"]), crs="EPSG:4326")


def seal(folder: Path) -> None:
    """Write ``checksums.txt`` of a run's folder: SHA-256 and name of its files, as ``sha256sum`` does."""
    names = sorted(
        path.name for path in folder.iterdir() if path.name in RUN.files and path.name != CHECKSUMS
    )
    lines = [f"{file_hash(folder / name)}  {name}\n" for name in names]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_fingerprint(folder: str | Path) -> str:
    """Read the fingerprint of a run from its summary alone; empty where the run has none.

    Raises
    ------
    UnusableInputError
        When the summary cannot be read.
    """
    found = _summary(Path(folder)).get("fingerprint", "")
    return found if isinstance(found, str) else ""


def load_findings(folder: str | Path) -> Findings:
    """Read a run back from its folder.

    Raises
    ------
    MissingFileError
        When the folder holds no finished run.
    UnusableInputError
        When a file of the run is damaged, or was written by a newer version of the format.
    """
    folder = Path(folder)
    for name in _FILES:
        if not (folder / name).is_file():
            reason, remedy = say("a run without this file"), say("audit the study again")
            raise MissingFileError([Fault(str(folder / name), "", "", reason, remedy)])
    top = _summary(folder)
    if top["schema"] > SCHEMA:
        reason = say("newer than this version reads ({schema})", schema=SCHEMA)
        place, shown = say("key '{key}'", key="schema"), str(top["schema"])
        fault = Fault(str(folder / "summary.json"), place, shown, reason, say("upgrade lifecircle"))
        raise UnusableInputError([fault])
    _check_seal(folder)
    try:
        return _findings(folder, top)
    except UnusableInputError:
        raise
    except _DAMAGED as error:
        raise UnusableInputError([_damaged(folder, f"{type(error).__name__}: {error}")]) from error


_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError)
"""What reading a damaged run may raise: a whole one holds only what this package wrote."""


def _damaged(path: Path, what: str) -> Fault:
    reason = say("a damaged run: {what}", what=" ".join(what.split())[:200])
    return Fault(str(path), "", "", reason, say("audit the study again"))


def _summary(folder: Path) -> dict[str, Any]:
    """Read the summary of a run.

    Raises
    ------
    UnusableInputError
        When it is not there, or not what a summary is.
    """
    path = folder / "summary.json"
    with system_errors(path):
        text = path.read_bytes()
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableInputError([_damaged(path, str(error))]) from None
    if not isinstance(top, dict) or not isinstance(top.get("schema"), int):
        raise UnusableInputError([_damaged(path, "no summary")])
    return top


def _check_seal(folder: Path) -> None:
    """Compare the files that findings are read from with what they held when they were written.

    Raises
    ------
    UnusableInputError
        With every file that holds something else now.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        return  # a run of a version that wrote none
    with system_errors(path):
        lines = path.read_text("utf-8", "replace").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        faults = [
            _damaged(folder / name, "not what was written")
            for name in _FILES
            if sums.get(name) != file_hash(folder / name)
        ]
    if faults:
        raise UnusableInputError(faults)


def _findings(folder: Path, top: Mapping[str, Any]) -> Findings:
    """Put findings together from the files of a run and its summary."""
    targets = tuple(_target_result(entry) for entry in top["targets"])
    layers = _read_layers(folder / "results.gpkg")
    demand = layers["demand"]
    circles = [name.removeprefix("seconds_") for name in demand.columns if name.startswith("seconds_")]
    answers = {
        answer: demand[[f"{answer}_{target}" for target in circles]].set_axis(circles, axis=1)
        for answer in _ANSWERS
    }
    ranks, rank_venues = _read_ranks(folder / "ranks.parquet")
    return Findings(
        study=top["study"],
        name=top["name"],
        year=top["year"],
        language=top["language"],
        synthetic=top["synthetic"],
        crs=top["crs"],
        roads_key=top["roads"],
        software=top["software"]["version"],
        targets=targets,
        demand=demand.drop(columns=[f"{answer}_{target}" for target in circles for answer in _ANSWERS]),
        facilities=layers["facilities"],
        districts=layers["districts"],
        villages=layers["villages"],
        grid=layers["grid"],
        ranks=ranks,
        rank_venues=rank_venues,
        gaps=pd.DataFrame(layers["gaps"].drop(columns="geometry")),
        rejects=pd.read_csv(folder / "rejects.csv", dtype=str, keep_default_na=False).map(rearmed),
        inputs=tuple(InputRecord(**record) for record in top["inputs"]),
        services=top["services"],
        publication=Publication(**top["publication"]),
        warnings=tuple(top["warnings"]),
        fingerprint=top.get("fingerprint", ""),
        reading=read_reading(top.get("reading")),
        **answers,
    )


def _read_ranks(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the times to the venues of rules of several, and the labels of these venues."""
    flat = pd.read_parquet(path)
    labels = [name for name in flat.columns if name.endswith(_VENUE)]
    return _ranked(flat.drop(columns=labels)), _ranked(flat[labels])


def _ranked(flat: pd.DataFrame) -> pd.DataFrame:
    columns = [column.split("/") for column in flat.columns]
    return rank_table(
        {(one[0], one[1], int(one[2])): flat.iloc[:, at].array for at, one in enumerate(columns)},
        flat.index,
    )


def _read_layers(path: Path) -> dict[str, gpd.GeoDataFrame]:
    """Read the layers of a run back; one that held nothing was not written, and is empty."""
    written = set(pyogrio.list_layers(path)[:, 0])
    return {
        name: _read_layer(path, name)
        if name in written
        else gpd.GeoDataFrame({label: []}, geometry=[], crs="EPSG:4326").set_index(label)
        for name, label in _LABEL.items()
    }


def _read_layer(path: Path, name: str) -> gpd.GeoDataFrame:
    layer = gpd.read_file(path, layer=name, use_arrow=True).set_index(_LABEL[name])
    # A flag that is unknown somewhere comes as plain objects.
    plain = layer.columns[layer.dtypes == np.dtype(object)]
    flags = [column for column in plain if pd.api.types.infer_dtype(layer[column]) == "boolean"]
    layer = layer.astype(dict.fromkeys(flags, "boolean"))
    return layer.rename_axis(index="id") if name in {"demand", "facilities"} else layer
