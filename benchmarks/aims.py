"""Own the speeds the project aims at, and how a run's figures are held against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.cities import kept_cities
from benchmarks.cost_model import POINTS
from benchmarks.siting import OWN, RAW, SPOPT, Solved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.county import Whole
    from benchmarks.results import Results


PROVINCE_JUNCTIONS = 3_900_000
"""Junctions of a province of 4 million, as the network of that size is made."""
PROVED = 1e-6
"""Share of its value that the bound of a proved plan may be off by."""


@dataclass(frozen=True)
class Aim:
    """A figure aimed at and the one measured: ``sign`` stands before ``wanted``, in ``unit``.

    ``measured`` is None where the run has no figure; ``aside`` stands beside it, ``why`` only where the aim
    is missed.
    """

    what: str
    wanted: float
    sign: Literal[">=", "<="]
    unit: str
    measured: float | None
    aside: str = ""
    why: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the aim is met; None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.wanted if self.sign == ">=" else self.measured <= self.wanted

    @property
    def verdict(self) -> str:
        """Say whether it holds, and by how much it does not."""
        if self.measured is None:
            return "not measured"
        if self.holds:
            return "holds"
        if self.sign == ">=":
            missed = f"does not hold: {100 * (1 - self.measured / self.wanted):.0f} % short"
        else:
            missed = f"does not hold: {self.measured / self.wanted:.1f} times the aim"
        return f"{missed}; {self.why}" if self.why else missed


def aims_of(results: Results) -> list[Aim]:
    """Hold a run's figures against every aim."""
    return [
        *_search_aims(results),
        *_snap_aims(results),
        *_county_aims(results),
        *_cold_aims(results),
        *_province_aims(),
        *_siting_aims(results),
        *_city_aims(),
    ]


def _search_aims(results: Results) -> list[Aim]:
    def slower(task: str, network: str, name: str) -> float | None:
        race = results.race(task, network)
        other = race.timing(name) if race else None
        return other.times_slower(race.timings[0])[0] if race and other else None

    bound = slower("nearest", "1 M, drive", "streaming")
    memory = {one["name"]: one for one in results.memory.get("4 M", [])}
    peaks = [memory[name]["peak_mb"] for name in ("lifecircle", "scipy") if name in memory]
    nearest = "`nearest`, 1 M junctions, 500 facilities, against "
    return [
        Aim(
            f"{nearest}scipy with facilities named",
            6,
            ">=",
            "times",
            slower("nearest", "1 M, drive", "scipy"),
        ),
        Aim(f"{nearest}networkx, lengths", 15, ">=", "times", slower("nearest", "1 M, drive", "networkx")),
        Aim(f"{nearest}pandana, query alone", 10, ">=", "times", slower("nearest", "1 M, drive", "pandana")),
        Aim(
            "`nearest`, 1 M, in passes over the memory (the streaming bound)",
            8,
            "<=",
            "passes",
            1 / bound if bound else None,
            why="a search reads what it settles in the order of arrival, one pass reads straight ahead",
        ),
        Aim(
            "`nearest`, 4 M, peak memory of the process, against scipy's",
            1.5,
            "<=",
            "times",
            peaks[0] / peaks[1] if len(peaks) == 2 else None,
            why="numba and its compiler are loaded, some 100 MB whatever the graph",
        ),
        _repair_aim(results),
        Aim(
            "`within` 15 minutes' drive, 1 M, 500 facilities, against scipy in dense blocks",
            20,
            ">=",
            "times",
            slower("within", "1 M, drive", "scipy, dense"),
            _warm(results, "drive", slower("within", "1 M, drive", "scipy, small")),
        ),
        Aim(
            "`within` 15 minutes' walk, 1 M, 5,000 facilities, against scipy in dense blocks",
            100,
            ">=",
            "times",
            slower("within", "1 M, walk", "scipy, dense"),
            _warm(results, "walk", slower("within", "1 M, walk", "scipy, small")),
        ),
        Aim(
            "`nearest_k`, k = 5, 100 k, against a compiled binary heap",
            2,
            ">=",
            "times",
            slower("nearest_k", "100 k, drive", "compiled"),
        ),
        Aim(
            "`nearest_k`, k = 5, 100 k, against pandana",
            8,
            ">=",
            "times",
            slower("nearest_k", "100 k, drive", "pandana"),
            why="pandana answers with all threads and rounds its times, this is one thread in float64",
        ),
    ]


def _repair_aim(results: Results) -> Aim:
    race = results.race("repair", "1 M, drive")
    searched = race.timing("lifecircle, searched again") if race else None
    added, removed = (race.timings[0], race.timings[1]) if race else (None, None)
    measured = searched.times_slower(added)[0] if searched and added else None
    aside = f"removing it again: {searched.times_slower(removed)[0]:.0f}" if searched and removed else ""
    what = "one facility added to a solved `nearest`, 1 M junctions, against searching again with the package"
    return Aim(what, 100, ">=", "times", measured, aside)


def _snap_aims(results: Results) -> list[Aim]:
    race = results.race("snap", "30 k to 60 k")
    took = race.timings[0].median_s if race else None
    return [Aim("`snap`, 30,000 points to 60,000 edges", 0.1, "<=", "s", took)]


def _county_aims(results: Results) -> list[Aim]:
    county = results.county
    audit = county.pipeline("lifecircle audit") if county else None
    lean = county.pipeline("lifecircle, same") if county else None

    def ratio(name: str) -> tuple[float | None, str]:
        other = county.pipeline(name) if county else None
        if audit is None or lean is None or other is None:
            return None, ""
        return other.median_s / audit.median_s, f"the same result alone: {other.median_s / lean.median_s:.1f}"

    pandana, pandana_lean = ratio("pandana")
    tutorial, tutorial_lean = ratio("tutorial, nearest_nodes per")
    slowest = _slowest_stages(audit.stages) if audit else ""
    return [
        Aim("county audit, whole process", 2.5, "<=", "s", audit.median_s if audit else None, why=slowest),
        Aim(
            "county audit, nothing kept",
            6,
            "<=",
            "s",
            county.first_s if county else None,
            why="the roads of three profiles are read and snapped to, and every loop is compiled beside",
        ),
        Aim("bundled example audited, whole process", 5, "<=", "s", county.example_s if county else None),
        Aim("county audit, peak memory", 0.6, "<=", "GB", audit.peak_mb / 1024 if audit else None),
        Aim(
            "county audit, against pandana's pipeline with its build",
            10,
            ">=",
            "times",
            pandana,
            pandana_lean,
            why=_least_of_all(audit, county.pipeline("pandana") if county else None),
        ),
        Aim(
            "county audit, against the tutorial's pipeline (from a sample)",
            100,
            ">=",
            "times",
            tutorial,
            tutorial_lean,
        ),
    ]


def _least_of_all(audit: Whole | None, pandana: Whole | None) -> str:
    """Say why a whole audit cannot be ten times as fast as pandana's pipeline: what no search can save."""
    if audit is None or pandana is None:
        return ""
    loading, writing = (audit.stages.get(name, 0.0) for name in ("imports", "write the run"))
    return (
        f"a tenth of pandana's run is {pandana.median_s / 10:.1f} s, and loading libraries "
        f"({loading:.1f} s) and writing every table ({writing:.1f} s) take longer before anything is "
        "searched; the audit also reads and cleans the offices' files and counts accountings, groups and gaps"
    )


def _slowest_stages(stages: dict[str, float]) -> str:
    """Name the three stages that take most of an audit."""
    most = sorted(stages.items(), key=lambda stage: -stage[1])[:3]
    return "most of it is " + ", ".join(f"{name} ({took:.1f} s)" for name, took in most)


def _cold_aims(results: Results) -> list[Aim]:
    cold: dict[str, Any] = results.cold
    more = cold["empty cache"] - cold["warm cache"] if cold else None
    why = "each of three kernels compiles for one to two seconds, once on a machine"
    return [Aim("first run ever, compiling included, beyond any later one", 6, "<=", "s", more, why=why)]


def _province_aims() -> list[Aim]:
    """Hold the largest province that was measured against the aims for 4 million junctions."""
    rows = json.loads(POINTS.read_text("utf-8"))["province"]
    largest = max(rows, key=lambda one: one["junctions"])
    said = f"{largest['junctions']:,} junctions, {largest['residents']:,} residents, 8 services"
    parts = largest["stages"]
    why = f"reading takes {parts['reading']:.0f} s of it, assessing {parts['assessing']:.0f} s"
    whole = largest["junctions"] >= PROVINCE_JUNCTIONS
    if not whole:
        why = f"a smaller one, against its part of the aims; {why}"
    part = 1.0 if whole else largest["junctions"] / PROVINCE_JUNCTIONS
    name = f"a province audited in one process, {said}, nothing kept"
    return [
        Aim(name, round(90 * part, 1), "<=", "s", largest["wall_s"], why=why),
        Aim(
            "the same, peak memory",
            round(8 * part, 2),
            "<=",
            "GB",
            largest["peak_mb"] / 1024,
            why="the roads of two profiles are held at once, each line an object",
        ),
    ]


def _city_aims() -> Iterator[Aim]:
    """Hold the search on public city instances against the best values known."""
    for city in kept_cities():
        short = {one["sites"]: 100 * (1 - one["value"] / one["best"]) for one in city["rows"]}
        name = f"{city['name']}, {city['points']:,} points, {city['radius_m']:.0f} m"
        each = ", ".join(f"{sites} sites {max(0.0, less):.3f} %" for sites, less in short.items())
        yield Aim(
            f"public city instance {name}, a minute each: short of the best value known",
            0.05,
            "<=",
            "%",
            max(short.values()),
            each,
            why=f"the search alone; load {city['load']}",
        )


def _warm(results: Results, mode: str, small: float | None) -> str:
    """Return the ratios to scipy at its best, to print beside the plain one."""
    warm = results.warm.get(mode)
    texts = [f"with freed memory kept: {warm['ratio']:.1f}"] if warm else []
    texts += [f"in scipy's best blocks: {small:.1f}"] if small else []
    return "; ".join(texts)


def _uniform_aims(find: Callable[[int, str], Solved | None]) -> Iterator[Aim]:
    """Hold the uniform instances against the times they are to be proved in; one not proved has no time."""
    for place, wanted_s in enumerate((2, 5, 45), start=3):
        one = find(place, "")
        name = one.instance if one else "uniform instances"
        took = None if one is None else one.used_s if one.gap <= PROVED else float("inf")
        aside = f"the clock: {one.wall_s:.1f} s; {one.question}" if one else ""
        yield Aim(f"{name}, 10 to 20 sites, each proved", wanted_s, "<=", "s", took, aside)
        if place == 5:
            peak = one.peak_mb / 1024 if one and one.peak_mb else None
            yield Aim("the same, peak memory of the process", 4, "<=", "GB", peak)


def _siting_aims(results: Results) -> list[Aim]:
    rows = [Solved(**one) for one in results.siting.get("rows", [])]
    load = results.siting.get("load", "")

    def find(instance: int, question: str, contestant: str = OWN) -> Solved | None:
        names = list(dict.fromkeys(row.instance for row in rows))
        return next(
            (
                row
                for row in rows
                if row.instance == names[instance]
                and row.question.startswith(question)
                and row.contestant == contestant
            ),
            None,
        )

    def times(question: str, contestant: str) -> float | None:
        own, other = find(0, question), find(0, question, contestant)
        return other.used_s / own.used_s if own and other and own.gap <= PROVED else None

    def gap(instance: int, question: str) -> float | None:
        own = find(instance, question)
        return 100 * own.gap if own else None

    def spent(instance: int, question: str) -> str:
        own = find(instance, question)
        return f"{own.wall_s:.1f} s, of which {own.used_s:.1f} s at work" if own else ""

    busy = f"the machine was shared, load {load}"
    hasty, curve = find(2, ""), find(1, "curve")
    small, large = "5,000 residents x 500 sites", "30,000 x 2,000"
    return [
        Aim(
            f"{small}, 5 sites proved, against {SPOPT} end to end", 10, ">=", "times", times("5 sites", SPOPT)
        ),
        Aim(
            f"{small}, 50 sites proved, against {SPOPT} end to end",
            6,
            ">=",
            "times",
            times("50", SPOPT),
            why="nearly all of it are the linear relaxations of some hundred nodes, each solved by HiGHS",
        ),
        Aim(f"{small}, 20 sites within 30 s: gap", 0.3, "<=", "%", gap(0, "20"), spent(0, "20"), why=busy),
        Aim(
            f"{large}, 5 sites within 30 s: gap",
            0.0001,
            "<=",
            "%",
            gap(1, "5 sites"),
            spent(1, "5 sites"),
            why=busy,
        ),
        Aim(f"{large}, 20 sites within 120 s: gap", 0.1, "<=", "%", gap(1, "20"), spent(1, "20"), why=busy),
        Aim(
            f"{large}, 50 sites within 60 s: gap",
            0.3,
            "<=",
            "%",
            gap(1, "50"),
            spent(1, "50"),
            why="the bound of the linear relaxation itself is 0.7 % above the best plan known",
        ),
        Aim(
            f"{small}, fewest sites for everyone, against HiGHS on all of it",
            3,
            ">=",
            "times",
            times("fewest", RAW),
        ),
        Aim(
            "a thousand of 10,000 sites for 1 M residents, reading included",
            2,
            "<=",
            "s",
            hasty.used_s if hasty else None,
            f"the clock: {hasty.wall_s:.1f} s" if hasty else "",
        ),
        Aim(
            "the same, peak memory of the process",
            1,
            "<=",
            "GB",
            hasty.peak_mb / 1024 if hasty and hasty.peak_mb else None,
            why="drawing the instance counts too",
        ),
        Aim(
            f"{large}, curve of 1 to 50 sites with bounds",
            60,
            "<=",
            "s",
            curve.wall_s if curve else None,
            spent(1, "curve"),
            why=busy,
        ),
        Aim("the same curve, its widest gap", 1, "<=", "%", gap(1, "curve"), why=busy),
        *_uniform_aims(find),
    ]
