"""The map on a sheet: districts, residents, units, venues, names and numbers in a frame, at any extent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.findings import value_text
from lifecircle.legend import RESIDENT_CLASSES, VENUE_COLOUR
from lifecircle.page_data import (
    CELL_COLOURS,
    HOLDS,
    LACKS,
    NO_RATE_COLOUR,
    RATE_BREAKS,
    RATE_COLOURS,
    UNIT_COLOURS,
    area_classes,
    by_rate,
    cell_size_m,
    gap_rows,
    lonlat,
    place_names,
    resident_classes,
    service_text,
    unit_marks,
)
from lifecircle.paper._paper_sheet import INK, QUIET, wide_mm_of
from lifecircle.wording import village_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.page_data import AreaClasses, UnitMark, UnitMarks
    from lifecircle.paper._paper_sheet import Sheet
    from lifecircle.publication import Edition, MapSetting
    from lifecircle.wording import Words

    Points = npt.NDArray[np.float64]

_GROUND, _WATER, _PLACE, _CHOSEN = "#edf0f2", "#2a6f97", "#5d6470", "#0b3d91"
SHAPES: tuple[tuple[tuple[float, float], ...] | None, ...] = (
    ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
    ((0.0, 1.2), (1.15, -0.85), (-1.15, -0.85)),
    ((0.0, 1.2), (1.2, 0.0), (0.0, -1.2), (-1.2, 0.0)),
    None,  # a circle
    (
        *((-0.42, 1.15), (0.42, 1.15), (0.42, 0.42), (1.15, 0.42), (1.15, -0.42), (0.42, -0.42)),
        *((0.42, -1.15), (-0.42, -1.15), (-0.42, -0.42), (-1.15, -0.42), (-1.15, 0.42), (-0.42, 0.42)),
    ),
    ((-1.2, -0.55), (1.2, -0.55), (1.2, 0.55), (-1.2, 0.55)),
    ((0.0, -1.2), (1.15, 0.85), (-1.15, 0.85)),
    ((-0.55, -1.2), (0.55, -1.2), (0.55, 1.2), (-0.55, 1.2)),
)
"""The page's symbols, in radii: square, triangle, diamond, circle, cross, bar, wedge, post."""
SITE: Mapping[str, Any] = {"markerfacecolor": "#0f5132", "markeredgecolor": "white", "marker": "s"}
"""The look of a plan's site, in the colour that the page has for it."""
_OVERLAP, _SEAM_MM = 1.16, 0.09  # as on the page, and a hair more: between neighbours no seam shall show
_PICTURE_FROM = 12_000
_LONGEST = 16  # characters of a village's name on the map
_DASHED = ((0, 40), (60, 100), (120, 160), (180, 220), (240, 280), (300, 340))


@dataclass(frozen=True, eq=False)
class Ground:
    """The places of some findings in metres, worked out once for all maps of them."""

    findings: Findings

    def metres(self, shapes: Any) -> Any:
        """Bring shapes in degrees into the study's own metres."""
        return gpd.GeoSeries(shapes, crs="EPSG:4326").to_crs(self.findings.crs).to_numpy()

    def points(self, places: Points) -> Points:
        """Bring places (row, 2) in degrees into metres; NaN where a row has none."""
        placed = np.isfinite(places).all(axis=1)
        out = np.full((len(places), 2), np.nan)
        if placed.any():
            out[placed] = shapely.get_coordinates(self.metres(shapely.points(places[placed])))
        return out

    @cached_property
    def homes(self) -> Points:
        """The residents: (demand, 2)."""
        return self.points(lonlat(self.findings.demand))

    @cached_property
    def venues(self) -> Points:
        """The venues: (facility, 2)."""
        return self.points(lonlat(self.findings.facilities))

    @cached_property
    def committees(self) -> Points:
        """The middles of the villages: (village, 2)."""
        return self.points(lonlat(self.findings.villages))

    @cached_property
    def services(self) -> npt.NDArray[np.str_]:
        """The service of every venue."""
        services: npt.NDArray[np.str_] = (
            self.findings.facilities["service"].astype(str).to_numpy(dtype=np.str_)
        )
        return services

    @cached_property
    def side(self) -> float:
        """How far residents usually stand from each other, in metres."""
        return cell_size_m(lonlat(self.findings.demand))

    @cached_property
    def shapes(self) -> Mapping[str, shapely.Geometry]:
        """Code of a district -> its shape."""
        districts = self.findings.districts
        if not len(districts):
            return {}
        shapes = self.metres(districts.geometry.to_numpy())
        return dict(zip(districts.index.astype(str), shapes, strict=True))

    @cached_property
    def borders(self) -> list[Points]:
        """Every border once: dashes of two neighbours would fill each other's gaps."""
        if not self.shapes:
            return []
        lines = shapely.line_merge(shapely.union_all(shapely.boundary(list(self.shapes.values()))))
        return [shapely.get_coordinates(line) for line in shapely.get_parts(lines)]

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """The extent of the districts, or of the residents where there are none."""
        if self.shapes:
            left, low, right, high = map(float, shapely.total_bounds(list(self.shapes.values())))
            return left, low, right, high
        known = self.homes[np.isfinite(self.homes).all(axis=1)]
        return (*known.min(axis=0), *known.max(axis=0)) if len(known) else (0.0, 0.0, 1000.0, 1000.0)


@dataclass(frozen=True, eq=False)
class Drawing:
    """One map to draw: the findings of an edition, a target of theirs, and how.

    ``plan`` : one entry of :func:`plan_data`, whose sites are numbered in place of the gaps.
    """

    findings: Findings
    result: TargetResult
    words: Words
    edition: Edition
    setting: MapSetting
    shared: Ground | None = None
    plan: Mapping[str, Any] | None = None

    @cached_property
    def ground(self) -> Ground:
        """The places in metres: those of other maps of the findings, or its own."""
        return self.shared or Ground(self.findings)

    @property
    def timed(self) -> bool:
        """Whether the target has travel times, so that residents can be coloured."""
        return self.result.target.id in self.findings.seconds

    @cached_property
    def classes(self) -> npt.NDArray[np.str_]:
        """The class of every resident."""
        return resident_classes(self.findings, self.result)

    @cached_property
    def areas(self) -> AreaClasses | None:
        """The classes of the target's districts, where they are not those of rates."""
        return area_classes(self.findings, self.result, self.words)

    @cached_property
    def units(self) -> UnitMarks | None:
        """The units that hold what the target asks of each, and those that lack it."""
        return unit_marks(self.findings, self.result, self.words)

    @cached_property
    def services(self) -> list[str]:
        """The services of the target that have a venue."""
        there = set(self.ground.services)
        return [name for name in self.result.venues if name in there]

    @cached_property
    def symbols(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """The symbols as the page gives them: (heading, (number of the symbol, service)).

        Where a circle's rule has two classes, those of the first are filled and those of the second hollow;
        else the
        shapes begin again, hollow, for a ninth service.
        """
        page, most = self.words.section("page"), len(SHAPES)
        classes = [[one for one in self.services if one in part] for part in self.result.classes.values()]
        names = [service_text(self.findings.services, name, self.words) for name in self.result.classes]
        if (
            self.timed
            and len(classes) == 2
            and len(classes[0]) <= most
            and sorted([*classes[0], *classes[1]]) == sorted(self.services)
        ):
            numbers = [list(enumerate(classes[0])), list(enumerate(classes[1], most))]
            headings = [
                page["legend_filled"].format(name=names[0]),
                page["legend_hollow"].format(name=names[1]),
            ]
        else:
            every = list(enumerate(self.services))
            numbers = [[one for one in every if is_hollow(one[0]) == hollow] for hollow in (False, True)]
            headings = [page["legend_facilities"], page["legend_hollow_more"]]
        return [(text, rows) for text, rows in zip(headings, numbers, strict=True) if rows]

    @cached_property
    def numbered(self) -> list[Numbered]:
        """The units without, or the circle's gaps, most people first; each keeps its number on every map.

        With a plan its sites, in the plan's order.
        """
        page = self.words.section("page")
        if self.plan is not None:
            return [
                Numbered(number, (site["name"],), site["peopleText"], site["lon"], site["lat"])
                for number, site in enumerate(self.plan["sites"], 1)
            ]
        if self.units is not None:
            return [_unit_line(mark, page, number) for number, mark in enumerate(self.units.without, 1)]
        return [
            Numbered(
                number,
                tuple(gap["place"]),
                gap["people"],
                *_lonlat_of(gap["at"]),
                " ".join(gap["facts"]),
                gap["nearest"],
                gap["heads"],
            )
            for number, gap in enumerate(gap_rows(self.findings, self.result, self.words), 1)
        ]


@dataclass(frozen=True)
class Numbered:
    """What has a number on the map and a line beside it; ``lon`` and ``lat`` are NaN without a place.

    ``figure`` : its people in words; ``heads`` : the number alone.
    """

    number: int
    places: tuple[str, ...]
    figure: str
    lon: float
    lat: float
    facts: str = ""
    nearest: str = ""
    heads: str = ""

    @property
    def place(self) -> str:
        """District and village in one line."""
        return " · ".join(self.places)


def _lonlat_of(at: Sequence[float] | None) -> tuple[float, float]:
    return (math.nan, math.nan) if at is None else (at[1], at[0])


def _unit_line(mark: UnitMark, page: Mapping[str, str], number: int) -> Numbered:
    if not mark.placed and mark.lacks:  # the whole study, which everybody knows
        return Numbered(number, (mark.lacks,), "", mark.lon, mark.lat)
    place = tuple(dict.fromkeys(name for name in (mark.district, mark.name) if name))
    figure = page["gap_people"].format(people=mark.people) if mark.people else ""
    return Numbered(number, place, figure, mark.lon, mark.lat, facts=mark.lacks, heads=mark.people)


@dataclass(frozen=True, eq=False)
class View:
    """What part of the ground a frame shows.

    ``frame`` : left, bottom, width, height on the sheet in millimetres; ``box`` : the ground in metres, left,
    bottom, right, top; ``only`` : the shape that the map is about, everything else is paler, None for all;
    ``numbered`` : what has a number; ``villages`` : rows of the villages that have their names.
    """

    frame: tuple[float, float, float, float]
    box: tuple[float, float, float, float]
    only: shapely.Geometry | None = None
    numbered: Sequence[Numbered] = ()
    villages: Sequence[int] = ()

    @classmethod
    def around(
        cls,
        frame: tuple[float, float, float, float],
        box: tuple[float, float, float, float],
        *,
        least_m: float = 1000.0,
        **facts: Any,
    ) -> View:
        """Show a box of the ground in a frame, with some room around it."""
        shape = frame[2] / frame[3]
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        half = max((box[2] - box[0]) / shape, box[3] - box[1], least_m) / 2 * 1.06
        shown = (middle[0] - half * shape, middle[1] - half, middle[0] + half * shape, middle[1] + half)
        return cls(frame, shown, **facts)

    @property
    def close(self) -> bool:
        """Whether the map is of one town or village."""
        return self.only is not None or len(self.villages) > 0

    @property
    def metres_per_mm(self) -> float:
        """Metres of the ground in a millimetre of the sheet."""
        return (self.box[2] - self.box[0]) / self.frame[2]

    def holds(self, points: Points, room_m: float = 0.0) -> npt.NDArray[np.bool_]:
        """Return which points show, or lie no further outside than some metres."""
        left, low, right, high = self.box
        x, y = points[:, 0], points[:, 1]
        inside: npt.NDArray[np.bool_] = (
            (x >= left - room_m) & (x <= right + room_m) & (y >= low - room_m) & (y <= high + room_m)
        )
        return inside


def draw_map(drawing: Drawing, sheet: Sheet, view: View) -> Any:
    """Draw the map of a target in a frame of a sheet; returns matplotlib's axes, in metres."""
    axes = sheet.axes(*view.frame)
    axes.set_xlim(view.box[0], view.box[2])
    axes.set_ylim(view.box[1], view.box[3])
    axes.set_facecolor(_GROUND)
    for edge in axes.spines.values():
        edge.set(color=QUIET, linewidth=0.8 * sheet.factor)
    _districts(drawing, axes, plain=drawing.timed and view.close)
    if drawing.timed:
        _residents(drawing, axes, view)
    if view.only is not None:
        _veil(view, axes, sheet)
    _borders(drawing, axes, sheet)
    _units(drawing, axes, sheet, view)
    _facilities(drawing, axes, sheet, view)
    _numbers(drawing, axes, sheet, view)
    _names(drawing, axes, sheet, view)
    _scale_and_north(axes, sheet, view, drawing.words.section("page")["north"])
    return axes


# ---------------------------------------------------------------------------------------------------------
# Shapes


def shape_path(shape: shapely.Geometry) -> Any:
    """Return a polygon, or several, as one path of matplotlib, holes and all; None where it has no area."""
    from matplotlib.path import Path  # noqa: PLC0415 - the extra print is loaded when a map is drawn

    rings = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            polygon = shapely.orient_polygons(part)  # holes differ from islands by their winding
            rings += [polygon.exterior, *polygon.interiors]
    if not rings:
        return None
    return Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))


def fill(axes: Any, path: Any, **looks: Any) -> None:
    """Draw a path on a map; nothing where there is none."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - as above

    if path is not None:
        axes.add_artist(PathPatch(path, **{"edgecolor": "none", "linewidth": 0.0} | looks))


def _districts(drawing: Drawing, axes: Any, *, plain: bool) -> None:
    for code, shape in drawing.ground.shapes.items():
        # Of one town the ground says nothing that its figure does not: it stays white under the residents.
        colour = NO_RATE_COLOUR if plain else _area_colour(drawing, code)
        fill(axes, shape_path(shape), facecolor=colour, zorder=1)


def _area_colour(drawing: Drawing, code: str) -> str:
    if drawing.areas is not None:
        return drawing.areas.colour(code)
    value = {one.code: one.value for one in drawing.result.districts}.get(code)
    if value is None or not by_rate(drawing.result):
        return NO_RATE_COLOUR
    return RATE_COLOURS[sum(value >= mark for mark in RATE_BREAKS)]


def _borders(drawing: Drawing, axes: Any, sheet: Sheet) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - as above

    looks: dict[str, Any] = {"linewidths": 0.8 * sheet.factor, "linestyles": [(0, (5, 2.5))]}
    axes.add_artist(LineCollection(drawing.ground.borders, colors=_PLACE, zorder=2.2, **looks))


def _veil(view: View, axes: Any, sheet: Sheet) -> None:
    """Make paler what lies around the area that the map is about, and draw its outline as the page does."""
    around = shapely.box(*view.box).difference(view.only)
    fill(axes, shape_path(around), facecolor="white", alpha=0.62, zorder=2.1)
    outline = {"facecolor": "none", "edgecolor": _CHOSEN, "linewidth": 1.6 * sheet.factor, "zorder": 2.3}
    fill(axes, shape_path(view.only), **outline)


# ---------------------------------------------------------------------------------------------------------
# Residents, units, venues


def _residents(drawing: Drawing, axes: Any, view: View) -> None:
    """Draw every resident that shows as a square, those of a class as one path: one artist, not thousands."""
    ground = drawing.ground
    side = ground.side * _OVERLAP + _SEAM_MM * view.metres_per_mm
    inside = view.holds(ground.homes, side)
    # Tens of thousands of squares are four times smaller in a PDF as a picture than as shapes.
    as_picture = np.count_nonzero(inside) > _PICTURE_FROM
    for place, name in enumerate(RESIDENT_CLASSES):
        mine = inside & (drawing.classes == name)
        if not mine.any():
            continue
        looks: dict[str, Any] = {"facecolor": CELL_COLOURS[name]}
        if name == "unsnapped":  # a defect of the data, and no gap of the service
            edge = {"edgecolor": CELL_COLOURS[name], "linewidth": 0.4}
            looks = {"facecolor": "white", "hatch": "//////", **edge}
        path = squares(ground.homes[mine], side)
        looks |= {"antialiased": False, "rasterized": as_picture}
        fill(axes, path, zorder=1.5 + place / 100, **looks)


def squares(middles: Points, side: float) -> Any:
    """Return squares of one size as one path of matplotlib.

    >>> len(squares(np.array([[0.0, 0.0], [5.0, 5.0]]), 2.0))
    10
    """
    from matplotlib.path import Path  # noqa: PLC0415 - the extra print is loaded when a map is drawn

    corners = side / 2 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    return Path((middles[:, None, :] + corners).reshape(-1, 2), np.tile(codes, len(middles)))


def _points(axes: Any, places: Points, **looks: Any) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - as above

    line = Line2D(*places.T, linestyle="", **looks)
    line.set_transform(axes.transData)
    axes.add_artist(line)


def _facilities(drawing: Drawing, axes: Any, sheet: Sheet, view: View) -> None:
    ground = drawing.ground
    inside = view.holds(ground.venues, 3 * view.metres_per_mm)
    for number, name in (row for _, rows in drawing.symbols for row in rows):
        mine = (ground.services == name) & inside
        if mine.any():
            _points(axes, ground.venues[mine], **service_symbol(number, sheet.factor, 3.9), zorder=5)


def _units(drawing: Drawing, axes: Any, sheet: Sheet, view: View) -> None:
    """Draw units that hold under the venues, and those that lack or are not known above them."""
    units = drawing.units
    if units is None:
        return
    states = np.array([mark.state for mark in units.marks])
    places = drawing.ground.points(
        np.array([(mark.lon, mark.lat) for mark in units.marks], dtype=float).reshape(-1, 2)
    )
    inside = view.holds(places, 3 * view.metres_per_mm)
    for state in dict.fromkeys(states):
        mine = inside & (states == state)
        for looks in unit_symbol(str(state), sheet.factor):
            _points(axes, places[mine], zorder=4 if state == HOLDS else 6.5, **looks)


def unit_symbol(state: str, factor: float) -> list[dict[str, Any]]:
    """Return how a unit looks: full where it holds, hollow where it lacks, broken where unknown."""
    colour = UNIT_COLOURS["holds" if state == HOLDS else "lacks" if state == LACKS else "unknown"]
    disc = {"marker": "o", "markersize": 6.2 * factor, "markeredgewidth": 0.6 * factor}
    if state == HOLDS:
        return [disc | {"markerfacecolor": colour, "markeredgecolor": "white"}]
    ring = {"markersize": 5.4 * factor, "markeredgewidth": 1.5 * factor, "markeredgecolor": colour}
    if state == LACKS:
        return [ring | {"marker": "o", "markerfacecolor": "white"}]
    under = disc | {"markerfacecolor": "white", "markeredgecolor": "white"}
    return [under, ring | {"marker": _broken_circle(), "markerfacecolor": "none"}]


def _broken_circle() -> Any:
    from matplotlib.path import Path  # noqa: PLC0415 - as above

    turns = [np.radians(np.linspace(first, last, 7)) for first, last in _DASHED]
    arcs = [Path(np.column_stack([np.cos(turn), np.sin(turn)]) / 2) for turn in turns]
    return Path.make_compound_path(*arcs)


def is_hollow(number: int) -> bool:
    """Return whether a symbol is one of the second turn of shapes."""
    return number % (2 * len(SHAPES)) >= len(SHAPES)


def service_symbol(number: int, factor: float, size: float) -> dict[str, Any]:
    """Return how a service's venues look, as on the page; ``size`` : across a circle, in points."""
    shape, hollow = SHAPES[number % len(SHAPES)], is_hollow(number)
    widest = 1.0 if shape is None else max(abs(value) for point in shape for value in point)
    return {
        "marker": "o" if shape is None else [*shape, shape[0]],
        "markersize": size * factor * widest,  # the size of a marker is that of its widest side
        "markerfacecolor": "white" if hollow else VENUE_COLOUR,
        "markeredgecolor": VENUE_COLOUR if hollow else "white",
        "markeredgewidth": (0.8 if hollow else 0.4) * factor,
    }


# ---------------------------------------------------------------------------------------------------------
# Names and numbers


@dataclass(eq=False)
class _Taken:
    """Where names and numbers stand already: middle, half width and half height in metres."""

    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def free(self, box: tuple[float, float, float, float]) -> bool:
        """Return whether a box touches none of those that are there."""
        x, y, wide, high = box
        return not any(
            abs(x - other_x) < wide + other_wide and abs(y - other_y) < high + other_high
            for other_x, other_y, other_wide, other_high in self.boxes
        )


def _text_box(place: Any, text: str, size: float, view: View) -> tuple[float, float, float, float]:
    """Return the room that a text takes on the map, in metres."""
    half = view.metres_per_mm / 2
    return float(place[0]), float(place[1]), wide_mm_of(text, size) * half, 0.46 * size * half


def _names(drawing: Drawing, axes: Any, sheet: Sheet, view: View) -> None:
    """Write the districts' names, below them their figures where no residents are drawn, and names around."""
    taken = _Taken(list(_marked(drawing, sheet, view)))
    _district_names(drawing, axes, sheet, view, taken)
    for place in place_names(drawing.setting.labels):
        (point,) = drawing.ground.points(np.array([place["at"][::-1]], dtype=float))
        water = place["kind"] == "water"
        looks = {"color": _WATER, "style": "italic"} if water else {"color": _PLACE}
        sheet.on(axes, tuple(point), place["name"], size=9, zorder=6, **looks)
    for row in view.villages:
        name = village_text(str(drawing.findings.villages["name"].iloc[row]))
        name = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"  # as on the page
        point = drawing.ground.committees[row]
        _village_name(name, point, (axes, sheet, view), taken)


def _village_name(name: str, point: Points, on: tuple[Any, Sheet, View], taken: _Taken) -> None:
    """Write a village's name at its middle, above or below; where there is no room the table has it alone."""
    axes, sheet, view = on
    if not np.isfinite(point).all():
        return
    step = 3.0 * sheet.factor * view.metres_per_mm
    for move in (0.0, 1.0, -1.0, 1.8, -1.8):
        box = _text_box((point[0], point[1] + move * step), name, 6 * sheet.factor, view)
        if taken.free(box):
            taken.boxes.append(box)
            sheet.on(axes, box[:2], name, size=6, zorder=5.5)
            return


def _district_names(drawing: Drawing, axes: Any, sheet: Sheet, view: View, taken: _Taken) -> None:
    findings = drawing.findings
    values = {} if drawing.timed else {one.code: one.value for one in drawing.result.districts}
    shown = shapely.box(*view.box)
    line = 4.2 * sheet.factor * view.metres_per_mm
    for code, name in zip(
        drawing.ground.shapes,
        findings.districts["name"].astype(str) if len(findings.districts) else (),
        strict=True,
    ):
        seen = drawing.ground.shapes[code].intersection(shown)
        if seen.is_empty or (
            view.only is not None and seen.intersection(view.only).area > 0.5 * view.only.area
        ):
            continue  # its name stands in the title
        point = shapely.point_on_surface(seen)
        size, looks = (9.0, {"weight": "bold"}) if view.only is None else (8.0, {"color": QUIET})
        boxes = [
            _text_box((point.x, point.y + move * line), name, size * sheet.factor, view)
            for move in (0.0, -1.0, 1.0, -2.0, 2.0)
        ]
        if view.only is not None and any(
            abs(boxes[0][axis] - view.box[side]) < boxes[0][axis + 2]
            for axis, side in ((0, 0), (0, 2), (1, 1), (1, 3))
        ):
            continue  # of a corner of a neighbour there is not enough for its name
        box = next((one for one in boxes if taken.free(one)), boxes[0])
        taken.boxes.append(box)
        sheet.on(axes, box[:2], name, size=size, zorder=6, **looks)
        value = values.get(code)
        if value is not None:
            text = value_text(drawing.result, value, drawing.words.language)
            sheet.on(axes, (box[0], box[1] - 0.95 * line), text, size=8, zorder=6)


def _marked(drawing: Drawing, sheet: Sheet, view: View) -> Iterator[tuple[float, float, float, float]]:
    """Yield the room that names shall keep off: numbers, and marks of units."""
    lonlats = [(one.lon, one.lat) for one in view.numbered]
    units = drawing.units
    if units is not None:
        lonlats += [
            (mark.lon, mark.lat) for mark in units.marks if mark.state != HOLDS or units.unit == "district"
        ]
    half = 1.7 * sheet.factor * view.metres_per_mm
    for x, y in drawing.ground.points(np.array(lonlats, dtype=float).reshape(-1, 2)):
        if np.isfinite(x):
            yield float(x), float(y), half, half


def _numbers(drawing: Drawing, axes: Any, sheet: Sheet, view: View) -> None:
    """Draw the numbers, the first on top; where numbers would overlap, the lesser one is a dot."""
    edge, ink = INK if drawing.units is None else UNIT_COLOURS["lacks"], INK
    taken = _Taken()
    half = 1.6 * sheet.factor * view.metres_per_mm
    places = drawing.ground.points(
        np.array([(one.lon, one.lat) for one in view.numbered], dtype=float).reshape(-1, 2)
    )
    looks: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": edge, "marker": "o"}
    if drawing.plan is not None:
        looks, ink = {**SITE}, "white"
    dots = []
    for one, place, seen in zip(view.numbered, places, view.holds(places), strict=True):
        if not seen:
            continue
        box = (float(place[0]), float(place[1]), half, half)
        if not taken.free(box):
            dots.append(place)
            continue
        taken.boxes.append(box)
        size = 9.0 if one.number < 100 else 11.0
        _points(
            axes,
            place[None, :],
            markersize=size * sheet.factor,
            markeredgewidth=1.0 * sheet.factor,
            zorder=7,
            **looks,
        )
        axes.text(
            *place, str(one.number), fontsize=6.3 * sheet.factor, weight="bold", color=ink, ha="center",
            va="center_baseline", zorder=8, clip_on=True,
        )  # fmt: skip
        sheet.texts.append(str(one.number))
    if dots:
        small = {"markersize": 4.0 * sheet.factor, "markeredgewidth": 0.9 * sheet.factor}
        _points(axes, np.array(dots), zorder=6.9, **small, **looks)


def _scale_and_north(axes: Any, sheet: Sheet, view: View, north: str) -> None:
    """Draw a scale bar of a round length, and which way is north."""
    left, low, right, high = view.box
    mm = view.metres_per_mm * sheet.factor
    wanted = min((right - left) / 4, 45.0 * mm)
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    x, y = left + 6.0 * mm, low + 6.0 * mm
    tick = 1.4 * mm
    line = {"color": INK, "linewidth": 1.2 * sheet.factor, "zorder": 9}
    axes.plot([x, x, x + length, x + length], [y + tick, y, y, y + tick], **line)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    sheet.on(axes, (x + length / 2, y + 2.6 * tick), text, size=7.5, zorder=9)
    x, y = left + 7.0 * mm, high - 10.0 * mm
    arrow = {
        "arrowstyle": "-|>",
        "color": INK,
        "linewidth": 1.2 * sheet.factor,
        "mutation_scale": 12 * sheet.factor,
    }
    axes.annotate("", (x, y), (x, y - 11.0 * mm), arrowprops=arrow, zorder=9)
    sheet.on(axes, (x, y + 3.2 * mm), north, size=9, weight="bold", zorder=9)
