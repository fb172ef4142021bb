"""What stands beside the map on a sheet: title, result, legend, list of numbers and margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecircle.legend import RESIDENT_CLASSES, class_text
from lifecircle.page_data import (
    CELL_COLOURS,
    RATE_COLOURS,
    by_rate,
    figures,
    margin,
    one_figure,
    rate_texts,
    stamp,
)
from lifecircle.paper._paper_map import SITE, View, draw_map, service_symbol, unit_symbol
from lifecircle.paper._paper_sheet import EDGE, QUIET, RED, Column, shortened, wide_mm_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifecircle.page_data import AreaClasses, UnitMarks
    from lifecircle.paper._paper_map import Drawing, Numbered
    from lifecircle.paper._paper_sheet import Sheet

GAPS_NUMBERED, UNITS_NUMBERED = 30, 40  # at most, as far as the list beside the map has room
SIDE = 71.0
"""Width of the column beside the map, in millimetres of A4."""
_FOOT, _HEAD = 10.0, 18.0
_ROW, _VALUE = 3.7, 10.0
_SMALL, _SMALL_STEP = 6.3, 3.0


def draw_whole(drawing: Drawing, sheet: Sheet, *, page_text: str = "") -> None:
    """Draw the sheet of a target for the whole study: the map, and in a column beside it all about it."""
    name = drawing.result.target.name.get(drawing.words.language)
    year = drawing.words.format("page", "year", year=drawing.findings.year)
    parts = [drawing.findings.name, name, year]
    if drawing.plan is not None:
        parts.append(drawing.plan["story"]["effect"] or drawing.plan["title"])
    head(drawing, sheet, " · ".join(parts), page_text=page_text)
    wide = SIDE * sheet.factor
    left = sheet.paper.wide - EDGE - wide
    top = sheet.paper.high - _HEAD * sheet.factor
    column = Column(sheet, left, top - 1.0, wide)
    numbered = _beside(drawing, column)
    frame = (EDGE, _FOOT, left - 6.0 - EDGE, top - _FOOT)
    draw_map(drawing, sheet, View.around(frame, drawing.ground.box, numbered=numbered))


def head(drawing: Drawing, sheet: Sheet, title: str, *, page_text: str = "") -> None:
    """Write the title, the stamp and which page this is."""
    paper, k = sheet.paper, sheet.factor
    marked = stamp(drawing.findings, drawing.words, drawing.edition)
    room = paper.wide - 24 - wide_mm_of(marked, 9 * k)
    sizes = (15, 13.5, 12, 10.5)
    size = next((size for size in sizes if len(wrapped(title, room, size * k)) == 1), 9.5)
    for number, line in enumerate(wrapped(title, room, size * k)[:2]):
        sheet.text((EDGE, paper.high - (6 + 5 * number) * k), line, size=size, weight="bold")
    sheet.text((paper.wide - EDGE, paper.high - 7 * k), marked, size=9, color=RED, ha="right")
    sheet.text((paper.wide - EDGE, 7.5), page_text, size=_SMALL, color=QUIET, ha="right")


def value_and_verdict(column: Column, value: str, verdict: str) -> None:
    """Write the figure large and its verdict beside it, or below where it is long."""
    sheet, k = column.sheet, column.factor
    sheet.text((column.x, column.y - 0.5 * k), value, size=19, weight="bold")
    high = verdict_high(value, verdict, column.wide, k)
    low = high > _VALUE
    place = (column.x + (0 if low else _beside_value(value, k)), column.y - (9 if low else 4.2) * k)
    sheet.text(place, verdict, size=9)
    column.down(high)


def verdict_high(value: str, verdict: str, wide: float, k: float) -> float:
    """Return how high a figure with its verdict is, in millimetres of A4."""
    fits = _beside_value(value, k) + wide_mm_of(verdict, 9 * k) <= wide
    return _VALUE if fits else _VALUE + 4.0


def _beside_value(value: str, k: float) -> float:
    return max(30.0 * k, wide_mm_of(value, 19 * k) + 4 * k)


def _beside(drawing: Drawing, column: Column) -> Sequence[Numbered]:
    """Write the result, the legend, what has a number and the margin; returns what has one."""
    page = drawing.words.section("page")
    texts = figures(drawing.findings, drawing.result, drawing.words)
    column.paragraph(texts["rule"], size=8.5, weight="bold")
    value_and_verdict(column, texts["value"], texts["statusText"])
    if one_figure(drawing.result):
        column.paragraph(page["legend_whole"], size=9, weight="bold")
        column.paragraph(page["legend_whole_note"], color=QUIET)
        column.down(1)
    if drawing.result.value is None:
        why = "；".join(text for text in (texts["reason"], page["legend_not_computed"]) if text)
        column.paragraph(why, color=QUIET)
        column.down(1)
    for name, text in texts["facts"][: 1 if column.factor == 1.0 else None]:  # larger paper has room for all
        column.paragraph(f"{name}  {text}", color=QUIET)
    column.down(1.5)
    legend(drawing, column)
    end = write_margin(drawing, replace_column(column, y=0.0), bottom=_FOOT)
    return _list(drawing, column, end + 2 * column.factor)


def replace_column(column: Column, **changes: float) -> Column:
    """Return a column like another at another place."""
    facts = {"x": column.x, "y": column.y, "wide": column.wide} | changes
    return Column(column.sheet, **facts)


# ---------------------------------------------------------------------------------------------------------
# The margin


def write_margin(drawing: Drawing, column: Column, *, bottom: float) -> float:
    """Write the lines that every map carries so that they end at a height; returns where they begin."""
    texts = margin(
        drawing.findings, drawing.words, edition=drawing.edition, setting=drawing.setting, paper=True
    )
    size = _SMALL * column.factor
    rows = sum(_SMALL_STEP * len(wrapped(line, column.wide, size)) + 0.5 for line in texts.values())
    column.y = start = bottom + rows * column.factor
    for line in texts.values():
        column.paragraph(line, size=_SMALL, color=QUIET, step=_SMALL_STEP)
        column.down(0.5)
    return start


# ---------------------------------------------------------------------------------------------------------
# The legend


def legend(drawing: Drawing, column: Column) -> None:
    """Explain every sign on the map."""
    page = drawing.words.section("page")
    if drawing.timed:
        column.heading(page["legend_residents"])
        residents_legend(drawing, column)
        column.down(1)
    grounds_legend(drawing, column)
    services_legend(drawing, column, across=2)
    if drawing.plan is not None:
        k = column.factor
        looks = {**SITE, "markersize": 6.0 * k, "markeredgewidth": 0.6 * k}
        column.sheet.mark((column.x + 2.5 * k, column.y - 1.5 * k), **looks)
        _beside_mark(column, page["plan_marks"])
    column.down(1)


def residents_legend(drawing: Drawing, column: Column) -> None:
    """Explain the colours of the residents."""
    minutes = float(getattr(drawing.result.target, "minutes", 0))
    present = set(drawing.classes)
    for name in (*RESIDENT_CLASSES[1:], RESIDENT_CLASSES[0]):
        if name == "uncounted" and name not in present:
            continue
        colour = CELL_COLOURS[name]
        text = class_text(name, minutes, drawing.words)
        hatched = {"facecolor": "white", "hatch": "//////", "edgecolor": colour}
        _swatch(column, **(hatched if name == "unsnapped" else {"facecolor": colour}))
        _beside_mark(column, text)


def grounds_legend(drawing: Drawing, column: Column) -> None:
    """Explain the marks of units and the colours of districts."""
    if drawing.units is not None:
        _units_legend(drawing.units, column)
    if drawing.areas is not None:
        _areas_legend(drawing.areas, column)
    elif (
        by_rate(drawing.result)
        and drawing.ground.shapes
        and any(one.value is not None for one in drawing.result.districts)
    ):
        _rates_legend(drawing, column)


def _swatch(column: Column, **looks: Any) -> None:
    k = column.factor
    column.sheet.box((column.x, column.y - 2.9 * k), 5 * k, 2.7 * k, **looks)


def _beside_mark(column: Column, text: str) -> None:
    for line in wrapped(text, column.wide - 7 * column.factor, 7 * column.factor):
        column.sheet.text((column.x + 7 * column.factor, column.y), line, size=7)
        column.down(_ROW)


def _units_legend(units: UnitMarks, column: Column) -> None:
    k = column.factor
    if units.legend:
        column.heading(units.title)
    for state, text in units.legend:
        for looks in unit_symbol(state, k):
            column.sheet.mark((column.x + 2.5 * k, column.y - 1.5 * k), **looks)
        _beside_mark(column, text)
    if units.note:
        column.paragraph(units.note, size=6.5, color=QUIET)
    column.down(1)


def _areas_legend(areas: AreaClasses, column: Column) -> None:
    column.heading(areas.title)
    for colour, text in areas.rows:
        _swatch(column, facecolor=colour)
        _beside_mark(column, text)
    if areas.note:
        column.paragraph(areas.note, size=6.5, color=QUIET)
    column.down(1)


def _rates_legend(drawing: Drawing, column: Column) -> None:
    page, k = drawing.words.section("page"), column.factor
    column.heading(page["legend_districts" if drawing.units is None else "legend_share"])
    wide = min(column.wide, SIDE * k) / len(RATE_COLOURS)
    for number, (text, colour) in enumerate(zip(rate_texts(drawing.words), RATE_COLOURS, strict=True)):
        column.sheet.box((column.x + number * wide, column.y - 2.9 * k), wide, 2.7 * k, facecolor=colour)
        middle = (column.x + (number + 0.5) * wide, column.y - 3.3 * k)
        column.sheet.text(middle, text, size=5.6, ha="center")
    column.down(7.5)
    if not drawing.timed and any(one.value is None for one in drawing.result.districts):
        column.paragraph(page["area_left_out"], size=6.5, color=QUIET)
        column.down(1)


def services_legend(drawing: Drawing, column: Column, *, across: int) -> None:
    """Explain the symbols of the venues, several beside each other."""
    k, wide = column.factor, column.wide / across
    for heading, rows in drawing.symbols:
        column.heading(heading)
        most = 1
        for place, (number, name) in enumerate(rows):
            x = column.x + (place % across) * wide
            column.sheet.mark((x + 2 * k, column.y - 1.5 * k), **service_symbol(number, k, 4.6))
            label = drawing.findings.services.get(name, {}).get(drawing.words.language, name)
            lines = wrapped(str(label), wide - 6 * k, 7 * k)
            for line, text in enumerate(lines):
                column.sheet.text((x + 5 * k, column.y - line * _SMALL_STEP * k), text, size=7)
            most = max(most, len(lines))
            if place % across == across - 1 or place == len(rows) - 1:
                column.down(_ROW + (most - 1) * _SMALL_STEP)
                most = 1


# ---------------------------------------------------------------------------------------------------------
# The list of what has a number


def _list(drawing: Drawing, column: Column, end: float) -> Sequence[Numbered]:
    """List what is numbered on the map, as far as there is room above the margin; returns what is listed.

    What the map numbers stands in the list, and no more: a number without its line says nothing.
    """
    page, k = drawing.words.section("page"), column.factor
    most = GAPS_NUMBERED if drawing.units is None else UNITS_NUMBERED
    room = int((column.y - 4.2 * k - end) / (_ROW * k) + 1e-9)
    listed = drawing.numbered[: max(0, min(most, room))]
    if not listed:
        return ()
    column.heading(list_title(drawing, page, len(listed)))
    for one in listed:
        indent = (4.0 if len(listed) < 100 else 5.5) * k
        column.sheet.text((column.x, column.y), f"{one.number}", size=7, weight="bold")
        figure = wide_mm_of(one.figure, 7 * k) + 2 * k if one.figure else 0.0
        place = shortened(one.place, column.wide - indent - figure, 7 * k)
        column.sheet.text((column.x + indent, column.y), place, size=7)
        column.sheet.text((column.x + column.wide, column.y), one.figure, size=7, ha="right")
        column.down(_ROW)
    return listed


def list_title(drawing: Drawing, page: Mapping[str, str], listed: int) -> str:
    """Name the list of what has a number; where only the first are listed it says of how many."""
    total = len(drawing.numbered)
    if drawing.plan is not None:
        title = str(drawing.plan["title"])
        return (
            title
            if listed == total
            else drawing.words.format("sheets", "list_first", title=title, count=listed)
        )
    if drawing.units is None:
        return (
            page["gaps"]
            if listed == total
            else drawing.words.format("sheets", "gaps_first", count=listed, total=total)
        )
    if drawing.units.unit == "county":
        return page["units_county"]
    count = page["units_figure"].format(count=len(drawing.units.without))
    title = f"{page['units'].format(unit=drawing.units.title)} {count}"
    return (
        title if listed == total else drawing.words.format("sheets", "list_first", title=title, count=listed)
    )
