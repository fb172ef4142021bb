"""Plot the values of targets over the years of a plan against goal, milestones and the band of speeds."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from lifecircle.errors import MissingExtraError
from lifecircle.findings import as_circle
from lifecircle.paper import check_characters, font_families
from lifecircle.standards import milestone
from lifecircle.wording import word
from lifecircle.yearbook._plan_table import values_by_year

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.findings import Findings, Language, TargetResult

_ACROSS = 3
_WIDE_IN, _HIGH_IN = 2.35, 1.75
_DPI = 160
_WHOLE = 100.0
_VALUE, _GOAL, _BAND = "#1f5a94", "#b0442e", "#c9d7e8"


def plotted(findings_list: Sequence[Findings]) -> list[TargetResult]:
    """Return the results of the latest year whose targets have a value in at least two years."""
    return [
        result
        for result in findings_list[-1].targets
        if sum(value is not None for value in values_by_year(result.target.id, findings_list).values()) > 1
    ]


def draw_trends(
    results: Sequence[TargetResult], findings_list: Sequence[Findings], language: Language
) -> bytes:
    """Draw small multiples, a panel a target, as a PNG; the same findings and fonts give the same bytes.

    Raises
    ------
    MissingExtraError
        When matplotlib is not installed.
    FontError
        When no font on this machine has every character.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - the extra print is loaded when a plot is drawn
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtraError("matplotlib", "print") from None
    names = [result.target.name.get(language) for result in results]
    said = [
        word("yearbook", key, language) for key in ("plot_value", "plot_goal", "plot_milestone", "plot_band")
    ]
    check_characters([*names, *said])
    down = math.ceil(len(results) / _ACROSS)
    looks: Any = {"font.family": list(font_families()), "font.size": 7, "axes.unicode_minus": False}
    with mpl.rc_context(looks):
        figure = Figure(figsize=(_ACROSS * _WIDE_IN, down * _HIGH_IN + 0.3), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        grid = figure.subplots(down, _ACROSS, squeeze=False)
        for axes in grid.flat[len(results) :]:
            axes.set_visible(False)
        for axes, result in zip(grid.flat, results, strict=False):
            _panel(axes, result, findings_list, language)
        handles, labels = _legend(grid.flat[: len(results)])
        figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
        # Fixed margins: to measure every text first would take as long as to draw it.
        high = down * _HIGH_IN + 0.3
        figure.subplots_adjust(
            left=0.055, right=0.985, bottom=0.55 / high, top=1 - 0.25 / high, wspace=0.22, hspace=0.42
        )
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _panel(axes: Any, result: TargetResult, findings_list: Sequence[Findings], language: Language) -> None:
    """Draw one target: its values, the line it has to be at, and the band of speeds of a circle."""
    target = result.target
    times = 100.0 if result.is_share else 1.0
    values = values_by_year(target.id, findings_list)
    known = {year: value * times for year, value in values.items() if value is not None}
    years = sorted(values)
    band = _band(target.id, findings_list)
    if band:
        axes.fill_between(
            [year for year, _, _ in band],
            [low * times for _, low, _ in band],
            [high * times for _, _, high in band],
            color=_BAND,
            linewidth=0,
            label=word("yearbook", "plot_band", language),
        )
    if target.goal is not None:
        name = word("yearbook", "plot_goal", language)
        axes.axhline(target.goal * times, color=_GOAL, linestyle="--", linewidth=1, label=name)
    # Before the due year the milestone decides, where the target has any.
    due = [(year, milestone(target, year)) for year in years]
    asked = [(year, value * times) for year, value in due if value is not None]
    if target.baseline or target.milestones:
        name = word("yearbook", "plot_milestone", language)
        axes.plot(*zip(*asked, strict=True), color=_GOAL, linestyle=":", linewidth=1, label=name)
    name = word("yearbook", "plot_value", language)
    axes.plot(list(known), list(known.values()), color=_VALUE, marker="o", markersize=3, label=name)
    title = target.name.get(language)
    axes.set_title(title if len(title) <= _TITLE else title[: _TITLE - 1] + "…", fontsize=7)
    axes.set_xticks(years)
    axes.tick_params(length=2, labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    if result.is_share:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}%")
        low, high = axes.get_ylim()
        if high > _WHOLE:  # no share is more than all
            axes.set_yticks([tick for tick in axes.get_yticks() if low <= tick <= _WHOLE])
            axes.set_ylim(low, _WHOLE + (_WHOLE - low) / 20)


_TITLE = 22  # characters that a panel has room for


def _band(target: str, findings_list: Sequence[Findings]) -> list[tuple[int, float, float]]:
    found = []
    for findings in findings_list:
        for result in findings.targets:
            band = as_circle(result).band
            if result.target.id == target and band:
                low, high = band.get("slow"), band.get("fast")
                if low is not None and high is not None:
                    found.append((findings.year, low, high))
    return found


def _legend(panels: Any) -> tuple[list[Any], list[str]]:
    """Return each kind of line once, whichever panel has it."""
    handles: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    return list(handles.values()), list(handles)
