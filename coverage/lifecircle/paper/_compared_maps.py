"""Two years of one target side by side: two maps, one legend, and the change of every district in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.findings import value_text
from lifecircle.page_data import figures
from lifecircle.paper._paper_legend import (
    grounds_legend,
    head,
    residents_legend,
    services_legend,
    value_and_verdict,
    write_margin,
)
from lifecircle.paper._paper_map import View, draw_map
from lifecircle.paper._paper_sheet import EDGE, Column
from lifecircle.paper._paper_tables import Room, Table, draw_piece, flowed
from lifecircle.wording import printed_points

if TYPE_CHECKING:
    from lifecircle.findings import DistrictResult, TargetResult
    from lifecircle.paper._paper_map import Drawing
    from lifecircle.paper._paper_sheet import Sheet

_GAP, _UNDER, _FOOT = 6.0, 62.0, 9.0
_TABLE = 108.0


def draw_compared(then: Drawing, now: Drawing, sheet: Sheet) -> None:
    """Draw two years beside each other, the earlier at the left.

    Parameters
    ----------
    then, now : the same target of two years
    """
    paper, k, words = sheet.paper, sheet.factor, now.words
    years = [words.format("page", "year", year=one.findings.year) for one in (then, now)]
    name = now.result.target.name.get(words.language)
    head(now, sheet, f"{now.findings.name} · {name} · {years[0]} → {years[1]}")
    wide = (paper.wide - 2 * EDGE - _GAP * k) / 2
    bottom, top = (_FOOT + _UNDER) * k, paper.high - 33.0 * k
    for place, (one, year) in enumerate(zip((then, now), years, strict=True)):
        left = EDGE + place * (wide + _GAP * k)
        texts = figures(one.findings, one.result, one.words)
        column = Column(sheet, left + 30 * k, paper.high - 19.0 * k, wide - 30 * k)
        sheet.text((left, paper.high - 20.5 * k), year, size=13, weight="bold")
        value_and_verdict(column, texts["value"], texts["statusText"])
        # Both show the ground of the later year: boundaries may have moved between them.
        draw_map(one, sheet, View.around((left, bottom, wide, top - bottom), now.ground.box))
    _legend(now, sheet, bottom - 3.0 * k)
    _table(then, now, sheet, bottom - 3.0 * k)


def _legend(now: Drawing, sheet: Sheet, top: float) -> None:
    k = sheet.factor
    column = Column(sheet, EDGE, top, 62.0 * k)
    if now.timed:
        column.heading(now.words.get("page", "legend_residents"))
        residents_legend(now, column)
        column.down(1)
    grounds_legend(now, column)
    room = sheet.paper.wide - 2 * EDGE - (62.0 + _TABLE + 8.0) * k
    beside = Column(sheet, EDGE + 66.0 * k, top, room)
    services_legend(now, beside, across=2)
    write_margin(now, Column(sheet, beside.x, 0.0, beside.wide), bottom=5.0)


def _table(then: Drawing, now: Drawing, sheet: Sheet, top: float) -> None:
    """List every district with both values and the change, in two columns where one has no room."""
    k = sheet.factor
    table = change_table(then, now)
    wide = _TABLE * k
    rooms = [Room(wide, top - 6.0), Room((wide - 5 * k) / 2, top - 6.0)]
    room = rooms[0] if flowed([table], rooms[0], rooms[0], k)[-1].room == 0 else rooms[1]
    for piece in flowed([table], room, room, k):
        x = sheet.paper.wide - EDGE - wide + piece.room * (room.wide + 5 * k)
        if piece.room > 1:  # more districts than a sheet has room for: the page and the tables have them all
            sheet.text((x - room.wide - 5 * k, 4.5), now.words.get("sheets", "more_in_tables"), size=6.3)
            return
        draw_piece(piece, Column(sheet, x, top, room.wide), top, now.words.get("sheets", "continued"))


def change_table(then: Drawing, now: Drawing) -> Table:
    """List the districts of the later year with both values and what changed."""
    words, page = now.words, now.words.section("page")
    earlier = {one.code: one for one in then.result.districts}
    rows = tuple(
        (
            one.name if one.code in now.ground.shapes else words.get("area", "outside"),
            _value(then.result, earlier.get(one.code), now),
            _value(now.result, one, now),
            _change(now.result, earlier.get(one.code), one),
        )
        for one in now.result.districts
    )
    years = [page["year"].format(year=one.findings.year) for one in (then, now)]
    heads = (page["column_name"], *years, words.get("sheets", "points" if now.result.is_share else "change"))
    return Table(page["table"], heads, (0.34, 0.22, 0.22, 0.22), rows)


def _value(result: TargetResult, one: DistrictResult | None, now: Drawing) -> str:
    return "—" if one is None else value_text(result, one.value, now.words.language)


def _change(result: TargetResult, then: DistrictResult | None, now: DistrictResult) -> str:
    """Print the change: in points for shares, in the target's unit for the others."""
    if then is None or then.value is None or now.value is None:
        return "—"
    step = printed_points(then.value, now.value) if result.is_share else now.value - then.value
    return (f"{step:+.1f}" if result.is_share else f"{step:+,.2f}").replace("-", "−")
