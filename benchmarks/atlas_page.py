"""Own the section of docs/performance.md on the map page, and its place beside the other command's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.page import prose

if TYPE_CHECKING:
    from pathlib import Path

START = "<!-- the map page: written by python -m benchmarks.atlas -->"

_PROSE = prose("""
    The synthetic county as a page, opened from a file in headless Chromium without a graphics card. Medians
    of {rounds}, each in a browser of its own. Interactive is the end of the last long task once the page says
    it is ready. Frames are those of a drag of sixty moves. A change counts until it is painted; of changes
    the slowest is given, of what-ifs the 95th hundredth. The heap is measured after a collection of garbage.
    The peers hold one target of one year and no roads; the package's page holds all. `make bench-atlas`
    measures again; this run took {minutes} minutes.
""")

# county, figure, unit, at most
AIMS = (
    ("30 k cells", "file_mb", "MB", 2.0),
    ("30 k cells", "interactive_ms", "ms", 1000.0),
    ("30 k cells", "pan_p95_ms", "ms", 25.0),
    ("30 k cells", "pan_worst_ms", "ms", 200.0),
    ("30 k cells", "target_ms", "ms", 120.0),
    ("30 k cells", "year_ms", "ms", 120.0),
    ("30 k cells", "limit_ms", "ms", 120.0),
    ("30 k cells", "what_if_ms", "ms", 100.0),
    ("30 k cells", "heap_mb", "MB", 40.0),
    ("30 k cells", "write_s", "s", 5.0),
    ("200 k cells", "file_mb", "MB", 4.0),
    ("200 k cells", "interactive_ms", "ms", 2000.0),
)
FIGURES = {
    "file_mb": "file, MB",
    "write_s": "writing, s",
    "interactive_ms": "interactive, ms",
    "pan_p95_ms": "pan p95, ms",
    "pan_worst_ms": "pan worst, ms",
    "target_ms": "target, ms",
    "year_ms": "year, ms",
    "limit_ms": "limit, ms",
    "what_if_ms": "what-if p95, ms",
    "heap_mb": "heap, MB",
}


def write_section(results: dict[str, Any], path: Path) -> Path:
    """Write the section into a page, in place of an earlier one, after all else."""
    text = path.read_text("utf-8") if path.is_file() else "# Performance\n"
    path.write_text(f"{without_section(text).rstrip()}\n\n{section(results)}", "utf-8")
    return path


def kept_section(path: Path) -> str:
    """Give the section that stands in a page, empty where there is none."""
    text = path.read_text("utf-8") if path.is_file() else ""
    return START + text.partition(START)[2] if START in text else ""


def without_section(text: str) -> str:
    """Take the section out of a page."""
    return text.partition(START)[0]


def section(results: dict[str, Any]) -> str:
    """Write the section: aims, then every page of every county."""
    pages = results["pages"]
    rounds = max((page["rounds"] for page in pages), default=0)
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    blocks = [
        START,
        "## The map page",
        _PROSE.format(rounds=rounds, minutes=f"{results['took_s'] / 60:.0f}"),
        f"Machine: {machine}.",
        _aims(pages),
    ]
    blocks += [
        _table(county, [page for page in pages if page["county"] == county])
        for county in dict.fromkeys(page["county"] for page in pages)
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _aims(pages: list[dict[str, Any]]) -> str:
    own = {page["county"]: page for page in pages if page["page"] == "lifecircle"}
    rows = []
    for county, name, unit, most in AIMS:
        if county not in own:
            continue
        value = own[county].get(name)
        text = "not there yet" if value is None else f"{_figure(value)} {unit}"
        holds = "" if value is None else "holds" if value <= most else "does not hold"
        rows.append(
            f"| {county}: {FIGURES[name].partition(',')[0]} | <= {most:g} {unit} | {text} | {holds} |"
        )
    if not rows:
        return ""
    return "\n".join(["| what | aim | measured | |", "|---|---|---|---|", *rows])


def _table(county: str, pages: list[dict[str, Any]]) -> str:
    head = f"| page | holds | {' | '.join(FIGURES.values())} |"
    rows = [
        f"| {page['page']} | {page['holds']} | {' | '.join(_cell(page.get(name)) for name in FIGURES)} |"
        for page in pages
    ]
    return "\n".join([f"### {county}", "", head, f"|---|---|{'--:|' * len(FIGURES)}", *rows])


def _cell(value: float | None) -> str:
    return "" if value is None else _figure(value)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
