"""Sheets of towns and villages: one target at the extent of one area, with its figures and tables beside it.

What stands on a sheet is decided first, page by page, and drawn after: only so every page can say of how many
it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.findings import CircleDistrict, value_text
from lifecircle.page_data import (
    area_count,
    area_groups,
    figures,
    margin,
    people_text,
    percent_text,
    village_figures,
)
from lifecircle.paper._paper_legend import (
    grounds_legend,
    head,
    residents_legend,
    services_legend,
    value_and_verdict,
    verdict_high,
    write_margin,
)
from lifecircle.paper._paper_map import View, draw_map, fill, shape_path
from lifecircle.paper._paper_sheet import EDGE, QUIET, Column, shortened, wrapped
from lifecircle.paper._paper_tables import Piece, Room, Table, draw_piece, flowed
from lifecircle.wording import printed_points, village_text

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import shapely

    from lifecircle.findings import Count, Findings, TargetResult
    from lifecircle.paper._paper_map import Drawing, Numbered
    from lifecircle.paper._paper_sheet import Paper, Sheet

    Draw = Callable[[Sheet, str], None]

_BESIDE = 106.0  # width of the column beside the map, and below: millimetres of A4
_UNDER, _LOCATOR, _RESIDENTS = 33.0, 36.0, 47.0  # height of the strip under the map, widths of its parts
_HEAD, _FOOT, _GAP = 18.0, 10.0, 5.0
_FACT, _LABEL = 3.8, 24.0
_LEAST_M = 1500.0  # a village of one street is not shown larger than this
_MARKED = 60  # numbers on one map, as on the page; the table has all


@dataclass(frozen=True, eq=False)
class AreaSheet:
    """One target in one town, or in one village: ``code`` is the district's or the village's.

    ``before`` : findings of an earlier year, if any, for the figure to compare with.
    """

    drawing: Drawing
    code: str
    village: bool = False
    before: Findings | None = None

    @property
    def findings(self) -> Findings:
        """The findings drawn."""
        return self.drawing.findings

    @cached_property
    def district(self) -> str:
        """Code of the district, that of the village where the sheet is of one."""
        villages = self.findings.villages
        if not self.village:
            return self.code
        return str(villages.loc[self.code, "district"]) if "district" in villages else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of the district, and of the village where the sheet is of one."""
        districts, villages = self.findings.districts, self.findings.villages
        known = self.district in districts.index
        names = [str(districts.loc[self.district, "name"])] if known else []
        return (*names, village_text(str(villages.loc[self.code, "name"]))) if self.village else tuple(names)

    @property
    def title(self) -> str:
        """Study, area, target and year."""
        words = self.drawing.words
        target = self.drawing.result.target.name.get(words.language)
        year = words.format("page", "year", year=self.findings.year)
        return " · ".join([self.findings.name, *self.names, target, year])

    @cached_property
    def where(self) -> npt.NDArray[np.bool_]:
        """Who lives in the area: (demand,)."""
        demand, column = self.findings.demand, "village" if self.village else "district"
        if column not in demand:
            return np.zeros(len(demand), dtype=bool)
        mine: npt.NDArray[np.bool_] = (demand[column].astype(str) == self.code).to_numpy(dtype=bool)
        return mine

    @cached_property
    def shape(self) -> shapely.Geometry | None:
        """The town's shape; a village has none."""
        return None if self.village else self.drawing.ground.shapes.get(self.code)

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """The extent to show in metres: the town, or where the people of the village live."""
        if self.shape is not None and not self.shape.is_empty:
            left, low, right, high = self.shape.bounds
            return left, low, right, high
        homes = self.drawing.ground.homes[self.where]
        homes = homes[np.isfinite(homes).all(axis=1)]
        if self.village and not len(homes):
            homes = self.drawing.ground.committees[[self.findings.villages.index.get_loc(self.code)]]
            homes = homes[np.isfinite(homes).all(axis=1)]
        if not len(homes):
            return self.drawing.ground.box
        return (*homes.min(axis=0), *homes.max(axis=0))

    @cached_property
    def numbered(self) -> list[Numbered]:
        """What has a number and lies in the area; a number is the same on every sheet and on the page."""
        count = len(self.names)
        return [one for one in self.drawing.numbered if count and one.places[:count] == self.names]

    @cached_property
    def villages(self) -> list[int]:
        """Rows of the villages of the area."""
        villages = self.findings.villages
        if self.village:
            return [villages.index.get_loc(self.code)]
        if "district" not in villages:
            return []
        return np.flatnonzero(villages["district"].astype(str) == self.code).tolist()


# ---------------------------------------------------------------------------------------------------------
# The figures


@dataclass(frozen=True)
class _Figures:
    """The headline of an area: value and verdict in print, the people behind it, the share it stands for."""

    value: str
    verdict: str
    count: Count | None = None
    share: float | None = None


def _figures_of(sheet: AreaSheet, findings: Findings, result: TargetResult) -> _Figures:
    """Return the run's own figures of a town; those added up, and no verdict, of a village."""
    words = sheet.drawing.words
    page = words.section("page")
    if sheet.village:
        if sheet.drawing.edition == "public" or result.target.id not in findings.people:
            return _Figures("—", page["area_no_figure"])
        where = (findings.demand["village"].astype(str) == sheet.code).to_numpy(dtype=bool)
        count = area_count(findings, result, where)
        return _Figures(percent_text(count.value), page["area_not_judged"], count, count.value)
    one = next((one for one in result.districts if one.code == sheet.code), None)
    if one is None or one.value is None:
        return _Figures("—", page["area_no_figure"] if one is None else words.get("status", one.status))
    parts = sheet.drawing.areas is not None and sheet.drawing.areas.parts
    verdict = page["area_not_judged"] if parts else words.get("status", one.status)
    people = one.count if isinstance(one, CircleDistrict) else None
    return _Figures(value_text(result, one.value, words.language), verdict, people, one.value)


def _facts(sheet: AreaSheet, own: _Figures) -> list[tuple[str, str]]:
    """List goal, people, the year before, and the same figure of the whole study to compare with."""
    drawing = sheet.drawing
    page, texts = drawing.words.section("page"), figures(drawing.findings, drawing.result, drawing.words)
    facts = [tuple(fact) for fact in texts["facts"] if fact[0] in {page["goal"], page["milestone"]}]
    if own.count is not None:
        facts.append((page["total"], page["gap_people"].format(people=people_text(own.count.people))))
        text = page["uncovered_people" if own.count.unsnapped == 0 else "uncovered_data"]
        left, data = people_text(own.count.uncovered), people_text(own.count.unsnapped)
        facts.append((page["uncovered"], text.format(people=left, data=data)))
    facts += _before(sheet, own)
    facts.append((page["unit_county"], f"{texts['value']}  {texts['statusText']}"))
    return [(label, text) for label, text in facts]


_SAME = ("require", "minutes", "profile", "group", "area", "accounting", "unit")


def _before(sheet: AreaSheet, own: _Figures) -> list[tuple[str, str]]:
    """Return the figure of the earlier year and the change, where the target asked the same then."""
    result, words = sheet.drawing.result, sheet.drawing.words
    earlier = None if sheet.before is None else next(
        (one for one in sheet.before.targets if one.target.id == result.target.id), None
    )  # fmt: skip
    if sheet.before is None or earlier is None:
        return []
    if any(getattr(earlier.target, name, None) != getattr(result.target, name, None) for name in _SAME):
        return []
    then = _figures_of(sheet, sheet.before, earlier)
    if then.share is None:
        return []
    page = words.section("page")
    follows = sheet.before.year == sheet.findings.year - 1
    label = page["before"] if follows else page["year"].format(year=sheet.before.year)
    if own.share is None or not result.is_share:
        return [(label, then.value)]
    points = f"{printed_points(then.share, own.share):+.1f}".replace("-", "−")
    return [(label, page["before_change"].format(value=then.value, points=points))]


# ---------------------------------------------------------------------------------------------------------
# The tables


def _tables(sheet: AreaSheet) -> list[Table]:
    tables = [_groups(sheet), _villages(sheet), _list(sheet)]
    return [table for table in tables if table is not None]


def _groups(sheet: AreaSheet) -> Table | None:
    """List the groups in the area; the public edition holds none by resident."""
    drawing = sheet.drawing
    if drawing.edition == "public" or not drawing.timed:
        return None
    page, words = drawing.words.section("page"), drawing.words
    rows = tuple(
        (
            words.get("group", name),
            people_text(count.people),
            people_text(count.uncovered),
            percent_text(count.value),
        )
        for name, count in area_groups(drawing.findings, drawing.result, sheet.where)
    )
    heads = ("", page["column_people"], page["column_left"], page["column_rate"])
    return Table(page["groups"], heads, (0.40, 0.2, 0.2, 0.2), rows)


def _villages(sheet: AreaSheet) -> Table | None:
    """List every village of the town, those that miss most people first."""
    drawing = sheet.drawing
    if drawing.edition == "public" or sheet.village:
        return None
    mine = set(sheet.villages)
    known = [one for row, one in enumerate(village_figures(drawing.findings, drawing.result)) if row in mine]
    counted = sorted((one for one in known if one.people > 0), key=lambda one: (-one.left, one.code))
    if not counted:
        return None
    page = drawing.words.section("page")
    aged = counted[0].aged_left is not None
    heads = [page["cell_village"], page["column_people"], page["column_left"], page["column_rate"]]
    rows = [
        [one.name, people_text(one.people), people_text(one.left), percent_text(one.rate)] for one in counted
    ]
    shares = [0.46, 0.18, 0.18, 0.18]
    if aged:
        heads.insert(3, page["column_left_aged"])
        shares = [0.36, 0.15, 0.15, 0.19, 0.15]
        for row, one in zip(rows, counted, strict=True):
            row.insert(3, people_text(one.aged_left or 0.0))
    without = len(known) - len(counted)
    note = drawing.words.format("sheets", "villages_without", count=without) if without else ""
    title = f"{page['village_figures']} {page['village_figures_number'].format(count=len(counted))}"
    return Table(title, tuple(heads), tuple(shares), tuple(map(tuple, rows)), note=note)


def _list(sheet: AreaSheet) -> Table | None:
    """List every gap of the area, or every unit without, with the number it has on the map."""
    drawing, page = sheet.drawing, sheet.drawing.words.section("page")
    count = len(sheet.names)
    if not sheet.numbered:
        return None
    places = [" · ".join(one.places[count:] or one.places) for one in sheet.numbered]
    if drawing.units is not None:
        title = page["units"].format(unit=drawing.units.title)
        heads = ("", page["column_name"], page["cell_lacking"], page["column_people"])
        rows = tuple(
            (str(one.number), place, one.facts, one.heads)
            for place, one in zip(places, sheet.numbered, strict=True)
        )
        return Table(title, heads, (0.07, 0.35, 0.4, 0.18), rows, left=3)
    title = f"{page['gaps']} {page['gaps_figure'].format(count=len(sheet.numbered))}"
    return Table(
        title,
        ("", page["cell_village"], page["column_people"], page["cell_minutes"], page["cell_nearest"]),
        (0.06, 0.2, 0.1, 0.32, 0.32),
        tuple(
            (str(one.number), place, one.heads, one.facts, one.nearest)
            for place, one in zip(places, sheet.numbered, strict=True)
        ),
        left=5,
    )


# ---------------------------------------------------------------------------------------------------------
# The pages


@dataclass(frozen=True)
class _Plan:
    """Where everything stands on the pages of one area: what is written first, and the tables."""

    own: _Figures
    rule: str
    facts: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    top: float
    remark: str


def town_page(drawing: Drawing, code: str, *, before: Findings | None = None) -> Callable[[Sheet], None]:
    """Return the drawing of the first page of a town's sheet, for a picture; ``code`` is the district's."""

    def draw(on: Sheet) -> None:
        """Draw it, with no page to count."""
        area_pages(AreaSheet(drawing, code, before=before), on.paper)[0](on, "")

    return draw


def area_pages(sheet: AreaSheet, paper: Paper) -> list[Draw]:
    """Decide the pages of one area: the map and what stands beside it, then what its tables still need."""
    drawing, k = sheet.drawing, paper.factor
    page = drawing.words.section("page")
    own = _figures_of(sheet, drawing.findings, drawing.result)
    facts = tuple(_facts(sheet, own))
    rule = figures(drawing.findings, drawing.result, drawing.words)["rule"]
    wide = _BESIDE * k
    lines = len(wrapped(rule, wide, 8.5 * k)) * 8.5 * 0.48 + verdict_high(own.value, own.verdict, wide, k)
    high = sum(len(wrapped(text, wide - _LABEL * k, 7.5 * k)) for _, text in facts) * _FACT + 2.5
    remark = ""
    if drawing.timed and not sheet.numbered:
        whole = own.count is not None and own.count.uncovered == 0
        remark = page["answer_everybody" if whole else "gaps_none"]
        high += 4.4
    top = paper.high - (_HEAD + 1.0 + lines + high) * k
    foot = _FOOT + _margin_high(drawing, wide, k) + 2.0 * k
    first = Room(wide, top - foot)
    column = (paper.wide - 2 * EDGE - 2 * _GAP * k) / 2
    others = Room(column, paper.high - _HEAD * k - _FOOT - 2.0)
    pieces = tuple(flowed(_tables(sheet), first, others, k))
    plan = _Plan(own, rule, facts, pieces, top, remark)
    last = max((piece.room for piece in pieces), default=0)
    further = range(1, last + 1, 2)
    return [
        partial(_first_page, sheet, plan),
        *(partial(_further_page, sheet, plan, room) for room in further),
    ]


def _margin_high(drawing: Drawing, wide: float, k: float) -> float:
    texts = margin(
        drawing.findings, drawing.words, edition=drawing.edition, setting=drawing.setting, paper=True
    )
    return sum(3.0 * len(wrapped(line, wide, 6.3 * k)) + 0.5 for line in texts.values()) * k


def _first_page(sheet: AreaSheet, plan: _Plan, on: Sheet, page_text: str) -> None:
    drawing, k, paper = sheet.drawing, on.factor, on.paper
    head(drawing, on, sheet.title, page_text=page_text)
    left, top = paper.wide - EDGE - _BESIDE * k, paper.high - _HEAD * k
    bottom = _FOOT + _UNDER * k
    frame = (EDGE, bottom, left - _GAP * k - EDGE, top - bottom)
    facts = {"only": sheet.shape, "numbered": sheet.numbered[:_MARKED], "villages": sheet.villages}
    draw_map(drawing, on, View.around(frame, sheet.box, least_m=_LEAST_M, **facts))
    _under(sheet, on, (EDGE, bottom - 2.5 * k, frame[2]))
    column = Column(on, left, top - 1.0 * k, _BESIDE * k)
    column.paragraph(plan.rule, size=8.5, weight="bold")
    value_and_verdict(column, plan.own.value, plan.own.verdict)
    for label, text in plan.facts:
        on.text((left, column.y), label, color=QUIET)
        for line in wrapped(text, (_BESIDE - _LABEL) * k, 7.5 * k):
            on.text((left + _LABEL * k, column.y), line)
            column.down(_FACT)
    if plan.remark:
        on.text((left, column.y), plan.remark, size=7.5)
    _pieces(sheet, plan, 0, Column(on, left, plan.top, _BESIDE * k))
    write_margin(drawing, Column(on, left, 0.0, (_BESIDE - 14.0) * k), bottom=_FOOT - 2.5)


def _further_page(sheet: AreaSheet, plan: _Plan, room: int, on: Sheet, page_text: str) -> None:
    k, paper = on.factor, on.paper
    head(sheet.drawing, on, sheet.title, page_text=page_text)
    wide = (paper.wide - 2 * EDGE - 2 * _GAP * k) / 2
    for number in range(2):
        x = EDGE + number * (wide + 2 * _GAP * k)
        _pieces(sheet, plan, room + number, Column(on, x, paper.high - _HEAD * k, wide))
    on.text((EDGE, 7.5), sheet.drawing.words.get("page", "boundaries"), size=6.3, color=QUIET)


def _pieces(sheet: AreaSheet, plan: _Plan, room: int, column: Column) -> None:
    continued = sheet.drawing.words.get("sheets", "continued")
    for piece in plan.pieces:
        if piece.room == room:
            draw_piece(piece, column, column.y, continued)


def _under(sheet: AreaSheet, on: Sheet, strip: tuple[float, float, float]) -> None:
    """Draw what stands under the map: where the area lies in the study, and the legend."""
    drawing, k = sheet.drawing, on.factor
    left, top, wide = strip
    x = left
    if len(drawing.ground.shapes) > 1:  # of one town alone there is nothing to find
        _locator(sheet, on, (left, _FOOT - 2.5, _LOCATOR * k, top - _FOOT + 2.5))
        x += (_LOCATOR + 4.0) * k
    part = _RESIDENTS * k
    column = Column(on, x, top, part)
    if drawing.timed:
        column.heading(drawing.words.get("page", "legend_residents"))
        residents_legend(drawing, column)
        x += part + 3.0 * k
    else:
        column.wide = part * 1.25
        grounds_legend(drawing, column)
        x += part * 1.25 + 3.0 * k
    rest = Column(on, x, top, left + wide - x)
    services_legend(
        drawing, rest, across=max(1, min(3 if len(drawing.services) > 12 else 2, int(rest.wide / (34 * k))))
    )


def _locator(sheet: AreaSheet, on: Sheet, frame: tuple[float, float, float, float]) -> None:
    """Draw the whole study small, with the area marked in it."""
    ground, k = sheet.drawing.ground, on.factor
    axes = on.axes(*frame)
    view = View.around(frame, ground.box)
    axes.set_xlim(view.box[0], view.box[2])
    axes.set_ylim(view.box[1], view.box[3])
    for edge in axes.spines.values():
        edge.set(color=QUIET, linewidth=0.5 * k)
    for code, shape in ground.shapes.items():
        chosen = code == sheet.district
        looks = {
            "facecolor": "#9ab4dd" if chosen else "#eceae6",
            "edgecolor": "#8d939b",
            "linewidth": 0.4 * k,
        }
        fill(axes, shape_path(shape), zorder=2 if chosen else 1, **looks)
    if sheet.village:
        left, low, right, high = sheet.box
        x, y = (left + right) / 2, (low + high) / 2
        axes.plot(x, y, marker="o", markersize=4.0 * k, color="#0b3d91", zorder=3)
    name = shortened(sheet.names[0] if sheet.names else "", frame[2] - 2.0 * k, 6 * k)
    on.text((frame[0] + 1.0 * k, frame[1] + frame[3] - 0.8 * k), name, size=6, color=QUIET)
