"""Maps on paper: one target of one run as PNG, SVG or PDF for a report, with all a map must carry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.errors import Fault, MissingExtraError, UnusableInputError
from lifecircle.files import written
from lifecircle.findings import value_text
from lifecircle.page_data import (
    CELL_COLOURS,
    HOLDS,
    LACKS,
    NO_RATE_COLOUR,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    UNIT_COLOURS,
    area_classes,
    by_rate,
    cell_size_m,
    figures,
    lonlat,
    margin,
    one_figure,
    people_text,
    place_names,
    rate_texts,
    resident_classes,
    stamp,
    unit_marks,
)
from lifecircle.paper._fonts import check_characters, families
from lifecircle.wording import village_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.page_data import AreaClasses, UnitMark, UnitMarks
    from lifecircle.publication import Edition, MapSetting
    from lifecircle.wording import Words

Size = Literal["A4", "A3"]
SIZES: dict[str, float] = {"A4": 1.0, "A3": math.sqrt(2)}
FORMATS = ("png", "svg", "pdf")
GAPS_NUMBERED = 8
UNITS_NUMBERED = 20

_WIDE, _HIGH = 297.0, 210.0  # millimetres of A4, lying
_FRAME = (9.0, 10.0, 203.0, 182.0)  # left, bottom, width, height of the map
_SIDE, _SIDE_WIDE = 218.0, 71.0
_INK, _QUIET, _RED = "#1b2430", "#4a5565", "#a3123a"
_VENUE = "#12304a"
_MARKERS = ("s", "^", "D", "o", "P", "v", "p", "h", "8", "<", ">", "X")
_CLASSES = ("covered", "beyond_0", "beyond_1", "beyond_2", "disconnected", "unsnapped", "uncounted")
_DPI = 200
PICTURE_MARK = b"Software\0lifecircle"
"""What every picture holds, so that one of another program is never replaced."""
_NOTHING_OF_TIME: dict[str, dict[str, str | None]] = {
    "png": {"Software": "lifecircle"},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, eq=False)
class Drawing:
    """One map to draw: the findings of an edition, a target of theirs, and how."""

    findings: Findings
    result: TargetResult
    words: Words
    edition: Edition
    setting: MapSetting

    @property
    def timed(self) -> bool:
        """Whether the target has travel times, so that residents can be coloured."""
        return self.result.target.id in self.findings.seconds

    @cached_property
    def areas(self) -> AreaClasses | None:
        """The classes of the target's districts, where they are not those of rates."""
        return area_classes(self.findings, self.result, self.words)

    @cached_property
    def units(self) -> UnitMarks | None:
        """The units that hold what the target asks of each, and those that lack it."""
        return unit_marks(self.findings, self.result, self.words)


def draw_static(drawing: Drawing, path: Path, *, size: Size) -> Path:
    """Write one map; the format follows the ending of the name.

    Raises
    ------
    UnusableInputError
        When the format or the size is not known.
    FontError
        When no font on this machine has every character of the map.
    MissingExtraError
        When matplotlib is not installed.
    """
    ending = path.suffix.removeprefix(".").lower()
    _check(path, ending, size)
    try:
        import matplotlib as mpl  # noqa: PLC0415 - the extra print is loaded when a map is drawn
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtraError("matplotlib", "print") from None
    looks: Any = {
        "font.family": list(families()),
        "svg.hashsalt": "lifecircle",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.6,
    }
    with mpl.rc_context(looks):
        inches = (_WIDE * SIZES[size] / 25.4, _HIGH * SIZES[size] / 25.4)
        figure = Figure(figsize=inches, dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        sheet = _Sheet(figure, SIZES[size])
        _draw_sheet(drawing, sheet)
        check_characters(sheet.texts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as scratch:
            figure.savefig(scratch, format=ending, metadata=_NOTHING_OF_TIME[ending], dpi=_DPI)
    return path


def _check(path: Path, ending: str, size: str) -> None:
    faults = []
    if ending not in FORMATS:
        faults.append(
            Fault(path.name, "", ending, "no format for a map", f"end the name in {', '.join(FORMATS)}")
        )
    if size not in SIZES:
        faults.append(Fault("(map)", "size", size, "no such size of paper", f"use {' or '.join(SIZES)}"))
    if faults:
        raise UnusableInputError(faults)


class _Sheet:
    """A sheet measured in millimetres of A4, from its lower left corner; larger paper is the same, larger."""

    def __init__(self, figure: Any, factor: float) -> None:
        self.figure = figure
        self.factor = factor
        self.texts: list[str] = []

    def text(self, place: tuple[float, float], text: str, *, size: float = 7.5, **looks: Any) -> None:
        """Write a text on the sheet."""
        self.texts.append(text)
        looks = {"color": _INK, "va": "top", "linespacing": 1.35, "parse_math": False} | looks
        self.figure.text(place[0] / _WIDE, place[1] / _HIGH, text, fontsize=size * self.factor, **looks)

    def on(
        self, axes: Any, place: tuple[float, float], text: str, *, size: float = 7.5, **looks: Any
    ) -> None:
        """Write a text on the map, in a halo."""
        from matplotlib import patheffects  # noqa: PLC0415 - the extra print is loaded when a map is drawn

        self.texts.append(text)
        halo = [patheffects.withStroke(linewidth=2.2 * self.factor, foreground="white")]
        looks = {"color": _INK, "ha": "center", "va": "center", "parse_math": False} | looks
        axes.text(*place, text, fontsize=size * self.factor, path_effects=halo, clip_on=True, **looks)

    def box(self, place: tuple[float, float], wide: float, high: float, **looks: Any) -> None:
        """Draw a rectangle on the sheet."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

        corner = (place[0] / _WIDE, place[1] / _HIGH)
        frame: dict[str, Any] = {"edgecolor": "#59636f", "linewidth": 0.5 * self.factor, **looks}
        self.figure.add_artist(
            Rectangle(corner, wide / _WIDE, high / _HIGH, transform=self.figure.transFigure, **frame)
        )

    def mark(self, place: tuple[float, float], marker: str, **looks: Any) -> None:
        """Draw a symbol on the sheet."""
        from matplotlib.lines import Line2D  # noqa: PLC0415 - as above

        looks = {"markersize": 5.2 * self.factor} | looks
        self.figure.add_artist(
            Line2D(
                [place[0] / _WIDE],
                [place[1] / _HIGH],
                marker=marker,
                linestyle="",
                transform=self.figure.transFigure,
                **looks,
            )
        )


def _draw_sheet(drawing: Drawing, sheet: _Sheet) -> None:
    page, findings = drawing.words.section("page"), drawing.findings
    name = drawing.result.target.name.get(drawing.words.language)
    title = f"{findings.name} · {name} · {page['year'].format(year=findings.year)}"
    marked = stamp(findings, drawing.words, drawing.edition)
    room = _WIDE - 24 - _wide_mm(marked, 9)
    size = next((size for size in (15, 13.5, 12, 10.5) if len(wrapped(title, room, size)) == 1), 9.5)
    for number, line in enumerate(wrapped(title, room, size)[:2]):
        sheet.text((_FRAME[0], 204 - 5 * number), line, size=size, weight="bold")
    sheet.text((_WIDE - 9, 203), marked, size=9, color=_RED, ha="right")
    axes = _map(drawing, sheet)
    _side(drawing, sheet)
    _scale_and_north(axes, sheet, page["north"])


# ---------------------------------------------------------------------------------------------------------
# The map


def _map(drawing: Drawing, sheet: _Sheet) -> Any:
    left, bottom, wide, high = _FRAME
    axes = sheet.figure.add_axes((left / _WIDE, bottom / _HIGH, wide / _WIDE, high / _HIGH))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#edf0f2")
    for side in axes.spines.values():
        side.set(color=_QUIET, linewidth=0.8 * sheet.factor)
    _districts(drawing, axes, sheet)
    if drawing.timed:
        _residents(drawing, axes)
    _outlines(drawing, axes, sheet)
    _units(drawing, axes, sheet)
    _facilities(drawing, axes, sheet)
    _frame(drawing, axes, wide / high)
    _names(drawing, axes, sheet)
    _numbers(drawing, axes, sheet)
    return axes


def _metres(shapes: Any, findings: Findings) -> Any:
    return gpd.GeoSeries(shapes, crs="EPSG:4326").to_crs(findings.crs).to_numpy()


def _rings(shape: shapely.Geometry) -> Iterator[npt.NDArray[np.float64]]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield shapely.get_coordinates(part.exterior)


def _districts(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    districts = drawing.findings.districts
    for code, shape in zip(
        districts.index, _metres(districts.geometry.to_numpy(), drawing.findings), strict=True
    ):
        colour = _area_colour(drawing, str(code))
        for ring in _rings(shape):
            axes.fill(*ring.T, facecolor=colour, edgecolor="none", linewidth=0.3 * sheet.factor)


def _area_colour(drawing: Drawing, code: str) -> str:
    if drawing.areas is not None:
        return drawing.areas.colour(code)
    value = {one.code: one.value for one in drawing.result.districts}.get(code)
    if value is None or not by_rate(drawing.result):
        return NO_RATE_COLOUR
    return RATE_COLOURS[sum(value >= mark for mark in RATE_BREAKS)]


def _outlines(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    """Draw each border once: dashes of two neighbours would fill each other's gaps."""
    shapes = _metres(drawing.findings.districts.geometry.to_numpy(), drawing.findings)
    borders = shapely.line_merge(shapely.union_all(shapely.boundary(shapes)))
    for line in shapely.get_parts(borders):
        axes.plot(
            *shapely.get_coordinates(line).T,
            color="#5d6470",
            linewidth=0.8 * sheet.factor,
            linestyle=(0, (5, 2.5)),
        )


def _residents(drawing: Drawing, axes: Any) -> None:
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - the extra print

    findings = drawing.findings
    places = lonlat(findings.demand)
    placed = np.isfinite(places).all(axis=1)
    metres = np.full(places.shape, np.nan)
    metres[placed] = shapely.get_coordinates(_metres(shapely.points(places[placed]), findings))
    half = cell_size_m(places) * 0.51
    square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    classes = resident_classes(findings, drawing.result)
    for name in _CLASSES:
        mine = placed & (classes == name)
        if mine.any():
            colour = CELL_COLOURS[name]
            looks: dict[str, Any] = {"facecolors": colour, "edgecolors": colour, "linewidths": 0.25}
            if name == "unsnapped":
                looks = {"facecolors": "white", "edgecolors": colour, "hatch": "//////", "linewidths": 0.4}
            axes.add_collection(
                PolyCollection(metres[mine][:, None, :] + square, antialiased=False, rasterized=True, **looks)
            )


def _facilities(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    findings = drawing.findings
    service = findings.facilities["service"].astype(str).to_numpy()
    places = lonlat(findings.facilities)
    for number, name in enumerate(_services(drawing)):
        mine = (service == name) & np.isfinite(places).all(axis=1)
        if mine.any():
            metres = shapely.get_coordinates(_metres(shapely.points(places[mine]), findings))
            axes.plot(*metres.T, **_symbol(number, sheet.factor, 3.9), linestyle="", zorder=5)


def _units(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    """Draw units that hold under the venues, and those that lack or are not known above them."""
    for mark in drawing.units.marks if drawing.units is not None else ():
        if mark.placed:
            (place,) = shapely.get_coordinates(_metres([shapely.Point(mark.lon, mark.lat)], drawing.findings))
            looks = _unit_symbol(mark.state, sheet.factor)
            axes.plot(*place, marker="o", zorder=4 if mark.state == HOLDS else 6.5, **looks)


def _unit_symbol(state: str, factor: float) -> dict[str, Any]:
    colour = UNIT_COLOURS["holds" if state == HOLDS else "lacks" if state == LACKS else "unknown"]
    hollow = state != HOLDS
    return {
        "markersize": (5.4 if hollow else 6.2) * factor,
        "markerfacecolor": "white" if hollow else colour,
        "markeredgecolor": colour if hollow else "white",
        "markeredgewidth": (1.5 if hollow else 0.6) * factor,
    }


def _services(drawing: Drawing) -> list[str]:
    there = set(drawing.findings.facilities["service"].astype(str))
    return [name for name in drawing.result.venues if name in there]


def _symbol(number: int, factor: float, size: float) -> dict[str, Any]:
    return {
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": size * factor,
        "markerfacecolor": _VENUE if number < len(_MARKERS) else "white",
        "markeredgecolor": "white" if number < len(_MARKERS) else _VENUE,
        "markeredgewidth": 0.4 * factor,
    }


def _frame(drawing: Drawing, axes: Any, shape: float) -> None:
    """Show the districts, or the residents where there are none, with some room around them."""
    findings = drawing.findings
    shown = findings.districts if len(findings.districts) else findings.demand
    box = gpd.GeoSeries(shown.geometry.to_numpy(), crs="EPSG:4326").to_crs(findings.crs).total_bounds
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max((box[2] - box[0]) / shape, box[3] - box[1], 1000.0) / 2 * 1.06
    axes.set_xlim(middle[0] - half * shape, middle[0] + half * shape)
    axes.set_ylim(middle[1] - half, middle[1] + half)


def _names(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    """Write the districts' names, below them their figures where no residents are drawn, and names around."""
    findings = drawing.findings
    high = axes.get_ylim()[1] - axes.get_ylim()[0]
    if len(findings.districts):
        shapes = _metres(findings.districts.geometry.to_numpy(), findings)
        marked = _marked(drawing)
        values = {} if drawing.timed else {one.code: one.value for one in drawing.result.districts}
        for code, name, shape in zip(
            findings.districts.index.astype(str), findings.districts["name"].astype(str), shapes, strict=True
        ):
            x, y = _free_of(marked, shape, axes)
            sheet.on(axes, (x, y), name, size=9, weight="bold", zorder=6)
            value = values.get(code)
            if value is not None:
                text = value_text(drawing.result, value, drawing.words.language)
                sheet.on(axes, (x, y - 0.022 * high), text, size=8, zorder=6)
    for place in place_names(drawing.setting.labels):
        (point,) = _metres([shapely.Point(place["at"][::-1])], findings)
        water = place["kind"] == "water"
        looks = {"color": "#2a6f97", "style": "italic"} if water else {"color": "#5d6470"}
        sheet.on(axes, (point.x, point.y), place["name"], size=9, zorder=6, **looks)


@dataclass(frozen=True)
class _Numbered:
    """What has a number on the map and a line beside it; ``lon`` and ``lat`` are NaN without a place."""

    place: str
    figure: str
    lon: float
    lat: float


def _numbered(drawing: Drawing) -> list[_Numbered]:
    """List the first units without, or the circle's gaps with most people."""
    page = drawing.words.section("page")
    if drawing.units is not None:
        return [_unit_line(mark, page) for mark in drawing.units.without[:UNITS_NUMBERED]]
    return [
        _Numbered(
            " · ".join(village_text(str(gap[unit])) for unit in ("district", "village") if gap[unit])
            or page["no_place"],
            page["gap_people"].format(people=people_text(gap["people"])),
            float(gap["lon"]),
            float(gap["lat"]),
        )
        for gap in largest_gaps(drawing).to_dict("records")
    ]


def _unit_line(mark: UnitMark, page: Mapping[str, str]) -> _Numbered:
    if not mark.placed and mark.lacks:  # the whole study, which everybody knows
        return _Numbered(mark.lacks, "", mark.lon, mark.lat)
    place = " · ".join(dict.fromkeys(name for name in (mark.district, mark.name) if name))
    figure = page["gap_people"].format(people=mark.people) if mark.people else ""
    return _Numbered(place, figure, mark.lon, mark.lat)


def _marked(drawing: Drawing) -> npt.NDArray[np.float64]:
    """Return the places in metres that names shall keep off: numbers, and marks of units, (mark, 2)."""
    lonlats = [(one.lon, one.lat) for one in _numbered(drawing)]
    units = drawing.units
    if units is not None:
        lonlats += [
            (mark.lon, mark.lat) for mark in units.marks if mark.state != HOLDS or units.unit == "district"
        ]
    places = np.array([place for place in lonlats if np.isfinite(place).all()], dtype=float).reshape(-1, 2)
    metres: npt.NDArray[np.float64] = shapely.get_coordinates(
        _metres(shapely.points(places), drawing.findings)
    )
    return metres


def _free_of(marked: npt.NDArray[np.float64], shape: shapely.Geometry, axes: Any) -> tuple[float, float]:
    """Find a place for a district's name near its middle where no number and no mark stands."""
    point = shapely.point_on_surface(shape)
    high = axes.get_ylim()[1] - axes.get_ylim()[0]
    for step in (0.0, -1.0, 1.0, -2.0, 2.0):
        place = (float(point.x), float(point.y) + step * 0.028 * high)
        apart = np.abs(marked - place) if len(marked) else np.full((1, 2), np.inf)
        if not ((apart[:, 0] < 0.06 * high) & (apart[:, 1] < 0.026 * high)).any():
            return place
    return float(point.x), float(point.y)


def _numbers(drawing: Drawing, axes: Any, sheet: _Sheet) -> None:
    edge = _INK if drawing.units is None else UNIT_COLOURS["lacks"]
    for number, one in list(enumerate(_numbered(drawing), 1))[::-1]:
        if np.isfinite(one.lon):
            (point,) = _metres([shapely.Point(one.lon, one.lat)], drawing.findings)
            looks = {
                "markerfacecolor": "white",
                "markeredgecolor": edge,
                "markeredgewidth": 1.0 * sheet.factor,
            }
            axes.plot(point.x, point.y, marker="o", markersize=9 * sheet.factor, zorder=7, **looks)
            sheet.on(axes, (point.x, point.y), str(number), size=6.5, weight="bold", zorder=8)


def largest_gaps(drawing: Drawing) -> Any:
    """Return the circle's gaps with most people, the first that are numbered."""
    gaps = drawing.findings.gaps
    own = gaps[gaps["target"] == drawing.result.target.id]
    return own.sort_values("people", ascending=False, kind="stable").head(GAPS_NUMBERED)


def _scale_and_north(axes: Any, sheet: _Sheet, north: str) -> None:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    wanted = (right - left) / 5
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    x, y = left + (right - left) * 0.03, low + (high - low) * 0.035
    tick = (high - low) * 0.008
    line = {"color": _INK, "linewidth": 1.2 * sheet.factor, "zorder": 9}
    axes.plot([x, x, x + length, x + length], [y + tick, y, y, y + tick], **line)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    sheet.on(axes, (x + length / 2, y + 2.6 * tick), text, size=7.5, zorder=9)
    x, y = left + (right - left) * 0.035, low + (high - low) * 0.95
    arrow = {"arrowstyle": "-|>", "color": _INK, "linewidth": 1.2 * sheet.factor, "mutation_scale": 12}
    axes.annotate("", (x, y), (x, y - (high - low) * 0.06), arrowprops=arrow, zorder=9)
    sheet.on(axes, (x, y + (high - low) * 0.018), north, size=9, weight="bold", zorder=9)


# ---------------------------------------------------------------------------------------------------------
# Beside the map


def _side(drawing: Drawing, sheet: _Sheet) -> None:
    """Write the result, the legend, the gaps with most people and the margin, from the top down."""
    page = drawing.words.section("page")
    texts = figures(drawing.findings, drawing.result, drawing.words)
    y = 191.0
    y = _paragraph(sheet, y, texts["rule"], size=8.5, weight="bold")
    sheet.text((_SIDE, y - 0.5), texts["value"], size=19, weight="bold")
    beside = max(30.0, _wide_mm(texts["value"], 19) + 4)
    low = beside + _wide_mm(texts["statusText"], 9) > _SIDE_WIDE  # a long figure has its verdict below it
    sheet.text((_SIDE + (0 if low else beside), y - (9 if low else 4.2)), texts["statusText"], size=9)
    y -= 14 if low else 10
    if one_figure(drawing.result):
        y = _paragraph(sheet, y, page["legend_whole"], size=9, weight="bold")
        y = _paragraph(sheet, y, page["legend_whole_note"], color=_QUIET) - 1
    if drawing.result.value is None:
        why = "；".join(text for text in (texts["reason"], page["legend_not_computed"]) if text)
        y = _paragraph(sheet, y, why, color=_QUIET) - 1
    goal = "  ".join(f"{name} {text}" for name, text in texts["facts"][:1])
    y = _paragraph(sheet, y, goal, color=_QUIET) - 1.5
    y = _legend(drawing, sheet, y, page)
    lines = list(_margin_lines(drawing))
    end = 10 + sum(3.0 * len(wrapped(line, _SIDE_WIDE, 6.3)) + 0.5 for line in lines)
    _gaps(drawing, sheet, y, end + 2)
    y = end
    for line in lines:
        y = _paragraph(sheet, y, line, size=6.3, color=_QUIET, step=3.0) - 0.5


def _margin_lines(drawing: Drawing) -> Iterator[str]:
    lines = margin(
        drawing.findings, drawing.words, edition=drawing.edition, setting=drawing.setting, paper=True
    )
    yield from lines.values()


def _paragraph(
    sheet: _Sheet, y: float, text: str, *, size: float = 7.5, step: float | None = None, **looks: Any
) -> float:
    """Write a text in the column beside the map; gives where the next begins."""
    step = step or size * 0.48
    for line in wrapped(text, _SIDE_WIDE, size):
        sheet.text((_SIDE, y), line, size=size, **looks)
        y -= step
    return y


def _legend(drawing: Drawing, sheet: _Sheet, y: float, page: Mapping[str, str]) -> float:
    """Explain every sign on the map; gives where the next begins."""
    if drawing.timed:
        y = _residents_legend(drawing, sheet, _heading(sheet, y, page["legend_residents"]), page) - 1
    if drawing.units is not None:
        y = _units_legend(drawing.units, sheet, y)
    if drawing.areas is not None:
        y = _areas_legend(drawing.areas, sheet, y)
    elif by_rate(drawing.result) and any(one.value is not None for one in drawing.result.districts):
        y = _rates_legend(drawing, sheet, y, page)
    services = _services(drawing)
    y = _heading(sheet, y, page["legend_facilities"]) if services else y
    for number, name in enumerate(services):
        x = _SIDE + (number % 2) * _SIDE_WIDE / 2
        symbol = _symbol(number, sheet.factor, 4.6)
        sheet.mark((x + 2, y - 1.5), symbol.pop("marker"), **symbol)
        label = drawing.findings.services.get(name, {}).get(drawing.words.language, name)
        sheet.text((x + 5, y), shortened(str(label), _SIDE_WIDE / 2 - 6, 7), size=7)
        if number % 2 or number == len(services) - 1:
            y -= 3.7
    return y - 1


def _residents_legend(drawing: Drawing, sheet: _Sheet, y: float, page: Mapping[str, str]) -> float:
    low, high = OVER_BREAKS_MIN
    limit = f"{getattr(drawing.result.target, 'minutes', 0):g}"
    present = set(resident_classes(drawing.findings, drawing.result))
    for name in _CLASSES:
        if name == "uncounted" and name not in present:
            continue
        colour = CELL_COLOURS[name]
        text = page[name].format(
            minutes=limit, low=low if name == "beyond_1" else high, high=low if name == "beyond_0" else high
        )
        hatched = {"facecolor": "white", "hatch": "//////", "edgecolor": colour}
        sheet.box((_SIDE, y - 2.9), 5, 2.7, **(hatched if name == "unsnapped" else {"facecolor": colour}))
        sheet.text((_SIDE + 7, y), text, size=7)
        y -= 3.7
    return y


def _units_legend(units: UnitMarks, sheet: _Sheet, y: float) -> float:
    y = _heading(sheet, y, units.title) if units.legend else y
    for state, text in units.legend:
        sheet.mark((_SIDE + 2.5, y - 1.5), "o", **_unit_symbol(state, sheet.factor))
        sheet.text((_SIDE + 7, y), text, size=7)
        y -= 3.7
    return (_paragraph(sheet, y, units.note, size=6.5, color=_QUIET) if units.note else y) - 1


def _areas_legend(areas: AreaClasses, sheet: _Sheet, y: float) -> float:
    y = _heading(sheet, y, areas.title)
    for colour, text in areas.rows:
        sheet.box((_SIDE, y - 2.9), 5, 2.7, facecolor=colour)
        for line in wrapped(text, _SIDE_WIDE - 7, 7):
            sheet.text((_SIDE + 7, y), line, size=7)
            y -= 3.7
    return (_paragraph(sheet, y, areas.note, size=6.5, color=_QUIET) if areas.note else y) - 1


def _rates_legend(drawing: Drawing, sheet: _Sheet, y: float, page: Mapping[str, str]) -> float:
    y = _heading(sheet, y, page["legend_districts" if drawing.units is None else "legend_share"])
    wide = _SIDE_WIDE / len(RATE_COLOURS)
    for number, (text, colour) in enumerate(zip(rate_texts(drawing.words), RATE_COLOURS, strict=True)):
        sheet.box((_SIDE + number * wide, y - 2.9), wide, 2.7, facecolor=colour)
        sheet.text((_SIDE + (number + 0.5) * wide, y - 3.3), text, size=5.6, ha="center")
    y -= 7.5
    if not drawing.timed and any(one.value is None for one in drawing.result.districts):
        y = _paragraph(sheet, y, page["area_left_out"], size=6.5, color=_QUIET) - 1
    return y


def _heading(sheet: _Sheet, y: float, text: str) -> float:
    sheet.text((_SIDE, y), text, size=7.5, weight="bold", color=_QUIET)
    return y - 4.2


def _gaps(drawing: Drawing, sheet: _Sheet, y: float, end: float) -> None:
    """List what is numbered on the map, as far as there is room above the margin."""
    page = drawing.words.section("page")
    numbered = _numbered(drawing)
    if not numbered or y - 8 < end:
        return
    y = _heading(sheet, y, _list_title(drawing, page))
    for number, one in enumerate(numbered, 1):
        if y - 3.6 < end:
            return
        sheet.text((_SIDE, y), f"{number}", size=7, weight="bold")
        sheet.text((_SIDE + 4, y), shortened(one.place, 50 if one.figure else 66, 7), size=7)
        sheet.text((_SIDE + _SIDE_WIDE, y), one.figure, size=7, ha="right")
        y -= 3.7


def _list_title(drawing: Drawing, page: Mapping[str, str]) -> str:
    if drawing.units is None:
        return page["gaps"]
    if drawing.units.unit == "county":
        return page["units_county"]
    count = page["units_figure"].format(count=len(drawing.units.without))
    return f"{page['units'].format(unit=drawing.units.title)} {count}"


def wrapped(text: str, wide_mm: float, size_pt: float) -> list[str]:
    """Break a text into lines of a width; a Chinese character is as wide as the type, others about half.

    >>> wrapped("四个汉字", 5.7, 7.5), wrapped("one two", 10.0, 7.5)
    (['四个', '汉字'], ['one', 'two'])
    """
    lines, line, used = [], "", 0.0
    room = wide_mm / 25.4 * 72 / size_pt
    for part in _parts(text):
        ems = _ems(part)
        if line and used + ems > room + 1e-9 and part not in "，。；：、）":
            lines.append(line.rstrip())
            line, used = "", 0.0
            if part == " ":
                continue
        line, used = line + part, used + ems
    return [*lines, line.rstrip()]


def shortened(text: str, wide_mm: float, size_pt: float) -> str:
    """Cut a text to one line of a width.

    >>> shortened("四个汉字", 8.5, 7.5), shortened("四个汉字", 20.0, 7.5)
    ('四个…', '四个汉字')
    """
    kept = text
    while kept and _wide_mm(kept, size_pt) > wide_mm:
        kept = kept.removesuffix("…")[:-1] + "…"
    return kept


def _wide_mm(text: str, size_pt: float) -> float:
    return _ems(text) * size_pt / 72 * 25.4


def _ems(text: str) -> float:
    return sum(1.0 if ord(sign) > 0x2E7F else 0.54 for sign in text)


def _parts(text: str) -> Iterator[str]:
    """Yield the pieces of a text that a line may end after: words, spaces, single Chinese characters."""
    word = ""
    for sign in text:
        if sign == " " or ord(sign) > 0x2E7F:
            if word:
                yield word
            yield sign
            word = ""
        else:
            word += sign
    if word:
        yield word
