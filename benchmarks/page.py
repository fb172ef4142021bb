"""Own docs/performance.md: the tables and sentences made from a run's results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.aims import PROVED, aims_of
from benchmarks.siting import OWN, Solved
from benchmarks.timing import BOUND, EXACT, WRONG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.county import Whole
    from benchmarks.results import Results
    from benchmarks.timing import Race, Timing

HEADINGS = {
    "nearest": (
        "The nearest of many facilities",
        "The question behind every rate: one search.",
    ),
    "repair": (
        "One facility more, one less",
        "The question behind siting and what-if: what was solved stays right as facilities come and go.",
    ),
    "within": (
        "Everything within a limit of each facility",
        "The question behind catchments and siting: one bounded search per facility, sparse rows out.",
    ),
    "nearest_k": ("The five nearest facilities", "The question behind rules that ask for several venues."),
    "best": (
        "What each peer is best at",
        "Questions chosen for the peer. The package does the same work, whether it is made for it or not.",
    ),
    "snap": (
        "Joining points to roads",
        "The package also measures the share of the edge and settles ties; the tree gives edge and distance.",
    ),
}


def prose(text: str) -> str:
    """Make one line of a paragraph."""
    return " ".join(text.split())


_INTRODUCTION = prose("""
    lifecircle beside the tools people would otherwise use, in one run on one machine. `make bench` measures
    everything again and rewrites this page; this run took {minutes} minutes.
""")
_HOW_TO_READ = prose("""
    How to read it: contestants answer once (the first call, with whatever they prepare lazily), then in
    interleaved rounds, each round in another order. Times are wall seconds, medians of the rounds; the
    slowest contestants have fewer rounds, and the number stands beside the time. "Times slower" is the median
    of the ratios within a round, with the least and the greatest. What a tool builds once is apart. Beside
    each time stands how far its answer is from the reference, Dijkstra's algorithm by scipy in float64: a
    fast wrong answer loses, and is marked. A contestant marked with a share did that share of the work, and
    its time is scaled up.
""")
_NETWORKS = prose("""
    The synthetic ones are jittered lattices with arterials every tenth line and highways every eightieth,
    38 % of the small streets missing, 8 % of what is no highway one-way, in the shuffled order of an
    OpenStreetMap extract. All contestants are handed junctions in Hilbert order, as `read_roads` numbers
    them, but for the row "order of the file". Helsinki and São Paulo are real extracts, on foot.
""")
_MEMORY = prose("""
    `nearest` of 500 facilities, driving, in a process of its own: megabytes resident once the arrays were
    loaded, and at the peak, with what the contestant builds and the libraries it imports (of the package's,
    some 100 MB are numba and its compiler).
""")
_COLD = prose("""
    A process that imports the package and asks the three questions once of a graph of four junctions: nothing
    compiled yet, compiled code kept from before, and the scipy engine, which needs no compiler.
""")
_COUNTY = prose("""
    The synthetic county: {size} (a venue counts once for each circle it is in). Whole processes, start
    included. The audit does far more than the others: it cleans the offices' files, applies rules, barriers,
    five accountings, the aged and the step-free, and writes every table. The second row is the package doing
    just what the peers do: nearest venue of each circle for each resident at three speeds, people by
    district, two csv files. The peers are handed clean tables in metres and search no farther than 1,500 m;
    they go from junction to junction, the package from door to door.
""")

_SITING = prose("""
    Residents in towns and open country, candidates among them, people covered within a limit. All contestants
    work with one thread, so the seconds at work (processor time, the least of the rounds) are compared; the
    load of the machine when the race began was {load}. A plan is proved when its bound is its value; spopt
    reports no bound, and is taken at its word. spopt builds its model from a dense table, HiGHS alone is
    handed the plain sparse one.
""")


def write_page(results: Results, *, pictures: list[str]) -> str:
    """Write the whole page."""
    blocks = [
        _introduction(results),
        _aims(results),
        *(f"![{name.removesuffix('.svg')}](pictures/{name})" for name in pictures),
        _networks(results),
        *_races(results),
        _memory(results),
        _cold(results),
        _county(results),
        _siting(results),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _introduction(results: Results) -> str:
    machine = [f"| {name} | {value} |" for name, value in results.machine.items()]
    versions = [f"| {name} | {value} |" for name, value in results.peers.items()]
    return "\n".join(
        [
            "# Performance",
            "",
            _INTRODUCTION.format(minutes=f"{results.took_s / 60:.0f}"),
            "",
            _HOW_TO_READ,
            "",
            "| machine | |",
            "|---|---|",
            *machine,
            "",
            "| contestant | version |",
            "|---|---|",
            *versions,
        ]
    )


def _aims(results: Results) -> str:
    rows = []
    for aim in aims_of(results):
        measured = "" if aim.measured is None else f"{_figure(aim.measured)} {aim.unit}"
        aside = f" ({aim.aside})" if aim.aside else ""
        rows.append(
            f"| {aim.what} | {aim.sign} {aim.wanted:g} {aim.unit} | {measured}{aside} | {aim.verdict} |"
        )
    return "\n".join(
        ["## Aims, and what holds", "", "| what | aim | measured | |", "|---|---|---|---|", *rows]
    )


def _networks(results: Results) -> str:
    rows = [
        f"| {one['name']} | {one['junctions']:,} | "
        + ", ".join(f"{many:,} {mode}" for mode, many in one["edges"].items())
        + f" | {one['edges_per_junction']:.2f} | "
        + ", ".join(f"{mean} {mode}" for mode, mean in one["mean_s"].items())
        + " |"
        for one in results.networks
    ]
    if not rows:
        return ""
    return "\n".join(
        [
            "## Networks",
            "",
            _NETWORKS,
            "",
            "| network | junctions | directed edges | per junction | mean seconds of an edge |",
            "|---|--:|---|--:|---|",
            *rows,
        ]
    )


def _races(results: Results) -> Iterator[str]:
    for task, (heading, sentence) in HEADINGS.items():
        races = [race for race in results.races if race.task.startswith(task) and _task(race) == task]
        if races:
            yield f"## {heading}\n\n{sentence}"
            yield from (_race(race) for race in races)


def _task(race: Race) -> str:
    return "best" if race.task.startswith("best") else race.task


def _race(race: Race) -> str:
    rows = [_row(timing, race.timings[0]) for timing in race.timings]
    return "\n".join(
        [
            f"### {race.network}: {race.title}",
            "",
            "| contestant | settings | build | first call | median (rounds) | times slower | agreement |",
            "|---|---|--:|--:|--:|--:|---|",
            *rows,
        ]
    )


def _row(timing: Timing, first: Timing) -> str:
    name = f"**{timing.name}**" if timing is first else timing.name
    if timing.sample < 1:
        name += f", {100 * timing.sample:.2g} % of the work"
    build = "" if timing.build_s is None else _seconds(timing.build_s)
    middle, low, high = timing.times_slower(first)
    ratio = "1" if timing is first else f"{_figure(middle)} ({_figure(low)}-{_figure(high)})"
    agreement = timing.agreement.text
    if timing.agreement.kind == WRONG:
        agreement = f"**wrong**: {agreement}"
    elif timing.agreement.kind not in {EXACT, BOUND}:
        agreement = f"rounded: {agreement}"
    cells = [
        name,
        timing.settings,
        build,
        _seconds(timing.cold_s),
        f"{_seconds(timing.median_s)} ({max(1, len(timing.rounds_s))})",
        ratio,
        agreement,
    ]
    return f"| {' | '.join(cells)} |"


def _memory(results: Results) -> str:
    rows = [
        f"| {network} | {one['name']} | {one['loaded_mb']:,.0f} | {one['peak_mb']:,.0f} | "
        f"{one['peak_mb'] - one['loaded_mb']:,.0f} |"
        for network, entries in results.memory.items()
        for one in entries
    ]
    if not rows:
        return ""
    return "\n".join(
        [
            "## Memory",
            "",
            _MEMORY,
            "",
            "| network | contestant | loaded | peak | more |",
            "|---|---|--:|--:|--:|",
            *rows,
        ]
    )


def _cold(results: Results) -> str:
    if not results.cold:
        return ""
    rows = [f"| {name} | {_seconds(took)} |" for name, took in results.cold.items()]
    return "\n".join(
        [
            "## The first run ever",
            "",
            _COLD,
            "",
            "| state | whole process |",
            "|---|--:|",
            *rows,
        ]
    )


def _county(results: Results) -> str:
    county = results.county
    if county is None:
        return ""
    size = ", ".join(f"{many:,} {what}" for what, many in county.size.items())
    rows = [_whole_row(one, county.pipelines[0]) for one in county.pipelines]
    audit = county.pipelines[0]
    return "\n".join(
        [
            "## A county",
            "",
            _COUNTY.format(size=size),
            "",
            f"An audit with no roads, snaps or compiled code kept took {_seconds(county.first_s)}.",
            "",
            "| pipeline | what it does | median (runs) | times the audit | peak MB | agreement |",
            "|---|---|--:|--:|--:|---|",
            *rows,
            "",
            "### The audit by stages",
            "",
            *_stages([audit]),
            "",
            "### The others by stages",
            "",
            *_stages([one for one in county.pipelines[1:] if not one.name.endswith("at once")]),
        ]
    )


def _siting(results: Results) -> str:
    if not results.siting:
        return ""
    rows = [_solved_row(Solved(**one)) for one in results.siting["rows"]]
    return "\n".join(
        [
            "## Choosing sites",
            "",
            _SITING.format(load=results.siting["load"]),
            "",
            "| residents x sites | question | contestant | at work | by the clock | value | gap |",
            "|---|---|---|--:|--:|--:|--:|",
            *rows,
        ]
    )


def _solved_row(one: Solved) -> str:
    name = f"**{one.contestant}**" if one.contestant == OWN else one.contestant
    cells = [
        one.instance,
        one.question,
        name,
        _seconds(one.used_s),
        _seconds(one.wall_s),
        f"{one.value:,.0f}",
        "proved" if one.gap <= PROVED else f"{100 * one.gap:.2f} %",
    ]
    return f"| {' | '.join(cells)} |"


def _whole_row(one: Whole, audit: Whole) -> str:
    median = f"{_seconds(one.median_s)} ({len(one.wall_s)})"
    if one.estimated:
        median = f"{_seconds(one.median_s)}, scaled up"
    name = f"**{one.name}**" if one is audit else one.name
    agreement = f"rounded: {one.agreement.text}" if one.agreement.kind == "rounded" else one.agreement.text
    if one.agreement.kind == WRONG:
        agreement = f"**wrong**: {agreement}"
    ratio = _figure(one.median_s / audit.median_s)
    return f"| {name} | {one.settings} | {median} | {ratio} | {one.peak_mb:,.0f} | {agreement} |"


def _stages(pipelines: Iterable[Whole]) -> Iterator[str]:
    yield "| pipeline | stage | seconds |"
    yield "|---|---|--:|"
    for one in pipelines:
        for stage, took in one.stages.items():
            if took >= 0.005:
                yield f"| {one.name} | {stage} | {took:.2f} |"


def _seconds(took: float) -> str:
    if took < 0.001:
        return f"{took * 1e6:.0f} µs"
    if took < 1:
        return f"{took * 1e3:.3g} ms"
    return f"{_figure(took)} s"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
