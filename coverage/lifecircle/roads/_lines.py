"""Build roads from tables: road lines from an office's own files, and edge tables.

Junctions are where lines meet (``_joining``), or the columns ``u`` and ``v``. This module does not read OSM
files or graphs.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import scipy.sparse
import shapely
from scipy.sparse.csgraph import connected_components

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads._joining import join_lines
from lifecircle.roads._near_misses import suggest_join_m
from lifecircle.roads._network import RoadsReading
from lifecircle.roads._osm import no_way
from lifecircle.roads._osmnx_graph import class_shown
from lifecircle.roads._profiles import Profile, allowed_row, allowed_way, oneway, profile, way_kmh
from lifecircle.roads._rows import PLACE_COLUMNS, LineSettings, Rows, left_out_by_class, read_rows
from lifecircle.roads._topology import (
    FIT_M,
    BoolArray,
    Pieces,
    assemble,
    collapse,
    fit_lines,
    line_ends,
    metre_frame,
    shift_between,
    straight_lines,
    to_metres,
)
from lifecircle.tables import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifecircle.roads._network import FloatArray, LongArray, ObjectArray, Roads

TABLE_SUFFIXES = tuple(SUFFIXES)

_COMPARED = 64
"""Ends of one junction up to which each is compared with each other; for more there is a tree."""


def read_lines(source: Any, used: Profile, *, crs: Any, settings: LineSettings | None = None) -> Roads:
    """Read a table of road lines or edges.

    Columns read, in any case of letters and under their usual names (``words.toml``): the geometry (or
    ``geometry``, ``wkt``, ``geom`` as text); ``u`` and ``v`` (junctions), ``u_lon``, ``u_lat``, ``v_lon``,
    ``v_lat`` where there is no line; ``highway``; ``oneway``; ``layer``, ``bridge``, ``tunnel``;
    ``speed_kmh`` or ``seconds`` (not on foot); ``length`` in metres where there is no line, or ``seconds``
    where there is no length either; the other keys the rules read, also out of ``other_tags``.

    Raises
    ------
    UnusableInputError
        Anything that leaves the network unknown: no lines, no CRS, points, lines that miss their junctions,
        no row for the mode.
    ProjectionError
        The CRS cannot measure metres over the area.
    """
    settings = settings or LineSettings()
    whole = read_rows(source, settings)
    by_name = {"u", "v"} <= set(whole.frame.columns)
    rows, left_out = _usable_rows(whole, used, needs_line=not by_name)
    # Rows are filtered before they are projected: those that the mode may not use cost nothing more.
    lon, lat = _degrees(rows)
    frame = metre_frame(lon, lat, crs)
    lines = _projected(rows, frame)
    reading = RoadsReading(len(whole.frame), len(rows.frame), left_out, notes=whole.notes)
    length_m: FloatArray = shapely.length(lines)
    if by_name:
        pieces, turned, notes = _by_name(rows, lines, frame, used)
        length_m, reading = pieces.length_m, replace(reading, notes=(*reading.notes, *notes))
        part = np.arange(len(length_m))
    else:
        pieces, part, reading = _by_place(rows, lines, frame, settings, reading)
        turned = np.zeros(len(part), dtype=bool)
    # Speeds are of whole rows, because stated seconds are; the parts of a row share its speed.
    along, against = (speed[part] for speed in _speeds(rows, used, length_m))
    flat = used.speed_kmh is not None
    if flat and "seconds" in rows.frame.columns and "seconds_as_length" not in reading.notes:
        reading = replace(reading, notes=(*reading.notes, "seconds_unused"))
    rows = rows.taking(part)
    # A line drawn from v to u was turned above; its words on direction refer to it as it was drawn.
    pieces = replace(
        pieces,
        forward_kmh=np.where(turned, against, along),
        backward_kmh=np.where(turned, along, against),
        highway=_classes(rows, used),
    )
    return assemble(collapse(pieces), crs=frame, profile=used, name=rows.name).with_reading(reading)


def _usable_rows(rows: Rows, used: Profile, *, needs_line: bool) -> tuple[Rows, dict[str, int]]:
    """Return the rows the profile may use, and the number of the others by reason.

    Raises
    ------
    UnusableInputError
        There is none, or a speed is missing or none.
    """
    own = _own_speeds(rows, used)
    timed = np.isfinite(own) | (np.isfinite(_own_seconds(rows)) & (used.speed_kmh is None))
    fits = np.zeros(len(rows.frame), dtype=bool)
    for tags, index in _groups(rows, used):
        # In a table without a class column every row is a road of unknown class.
        fits[index] = allowed_way({"highway": "road", **tags}, used) & rows.known[index]
        fits[index] |= timed[index] & allowed_row(tags, used)
    unclassed = np.array([not word for word in rows.stated], dtype=bool) & bool(rows.class_column)
    lineless = shapely.is_missing(rows.line) & needs_line
    kept = fits & ~unclassed & ~lineless
    if not kept.any():
        raise UnusableInputError([_nothing_usable(rows, used, unclassed, lineless)])
    # Counted before the rows are dropped: nothing that was read is left out without a reason.
    left_out = _left_out(rows, fits, unclassed, lineless)
    rows, own, timed = rows.taking(kept), own[kept], timed[kept]
    faults = []
    if np.isfinite(own).any():
        reason, remedy = say("a speed is a positive number"), say("give km/h, or leave the cell empty")
        wrong = np.isfinite(own) & (own <= 0)
        faults += rows.faults(wrong, reason, remedy, column="speed_kmh", values=own)
    if used.speed_kmh is None:
        lost = (_classes(rows, used) == "") & ~timed
        remedy = say("fill column 'highway' or 'speed_kmh', or give one speed for all (speed_kmh=...)")
        faults += rows.faults(lost, say("the speed of this road is not known"), remedy)
    if faults:
        raise UnusableInputError(faults)
    return rows, left_out


def _left_out(rows: Rows, fits: BoolArray, unclassed: BoolArray, lineless: BoolArray) -> dict[str, int]:
    """Count the rows that are not used by reason; a row has one reason, the first in the order below."""
    unknown = ~fits & ~rows.known & ~unclassed
    counts = {"no_class": int(unclassed.sum()), **left_out_by_class(rows.stated[unknown])}
    counts["not_for_mode"] = int((~fits & ~unclassed & ~unknown).sum())
    counts["no_line"] = int((lineless & fits & ~unclassed).sum())
    return {code: number for code, number in counts.items() if number}


def _nothing_usable(rows: Rows, used: Profile, unclassed: BoolArray, lineless: BoolArray) -> Fault:
    """Return the fault of a table in which no row may be used."""
    if lineless.all():
        reason, remedy = say("no line has any coordinates"), say("give the layer with the road lines")
        return Fault(rows.name, "geometry", "", reason, remedy)
    column = f"column {rows.class_column!r}"
    if unclassed.all():
        reason = say("no row has a road class")
        remedy = say(
            "fill the column, name another one with columns = {{ highway = '...' }}, "
            "or write highway = '' there if every row is a road"
        )
        return Fault(rows.name, column, "", reason, remedy)
    named = ~unclassed
    if rows.class_column and not rows.known[named].any():
        words = list(left_out_by_class(rows.stated[named]).items())[:8]
        found = ", ".join(f"{code.partition(':')[2]} {number}" for code, number in words)
        reason = say("no word in it is a road class that is known")
        remedy = say(
            "say what the words mean with classes = {{ '{word}' = 'residential' }}, "
            "or name the class column with columns = {{ highway = '...' }}",
            word=words[0][0].partition(":")[2],
        )
        return Fault(rows.name, column, found, reason, remedy)
    return no_way(rows.name, used, Counter(_classes(rows, used).tolist()))


def _own_speeds(rows: Rows, used: Profile) -> FloatArray:
    """Return the speeds the table itself states, NaN where it states none or the profile has one for all.

    Raises
    ------
    UnusableInputError
        A cell that is no number.
    """
    stated = rows.column("speed_kmh") if used.speed_kmh is None else None
    if stated is None:
        return np.full(len(rows.frame), np.nan)
    wrong = rows.frame["speed_kmh"].notna().to_numpy() & ~np.isfinite(stated)
    values = rows.frame["speed_kmh"].to_numpy(dtype=object)
    reason, remedy = say("a speed is a positive number"), say("give km/h, or leave the cell empty")
    faults = rows.faults(wrong, reason, remedy, column="speed_kmh", values=values)
    if faults:
        raise UnusableInputError(faults)
    return stated


def _own_seconds(rows: Rows) -> FloatArray:
    """Return the seconds that the table states for its rows, NaN where it states none.

    Raises
    ------
    UnusableInputError
        A cell that is no positive number.
    """
    stated = rows.column("seconds")
    if stated is None:
        return np.full(len(rows.frame), np.nan)
    wrong = rows.frame["seconds"].notna().to_numpy() & ~((stated > 0) & (stated < math.inf))
    values = rows.frame["seconds"].to_numpy(dtype=object)
    reason, remedy = (
        say("a time is a positive number of seconds"),
        say("give seconds, or leave the cell empty"),
    )
    faults = rows.faults(wrong, reason, remedy, column="seconds", values=values)
    if faults:
        raise UnusableInputError(faults)
    return stated


def _groups(rows: Rows, used: Profile) -> Iterable[tuple[dict[str, Any], LongArray]]:
    """Yield each different set of tags with its rows, so that a rule is applied once for each set."""
    keys = [key for key in used.ways.keys if key in rows.frame.columns]
    coded = pd.DataFrame({key: pd.factorize(rows.frame[key].to_numpy(dtype=object))[0] for key in keys})
    for index in coded.groupby(keys, sort=False).indices.values():
        tags = rows.frame.iloc[index[0]]
        yield {key: tags[key] for key in keys if tags[key]}, np.asarray(index, np.int64)


def _classes(rows: Rows, used: Profile) -> ObjectArray:
    """Return one class for each row, empty where there is none."""
    said = rows.frame["highway"].tolist()  # a list, because one access to a column of texts is slow
    shown = {words: class_shown(words, used) for words in set(said)}
    return np.array([shown[words] for words in said], dtype=object)


def _degrees(rows: Rows) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude of every vertex, or of the stated ends.

    Raises
    ------
    UnusableInputError
        Coordinates outside the earth: another CRS than stated, or the axes swapped.
    """
    coordinates, row = shapely.get_coordinates(rows.line, return_index=True)
    x, y = coordinates.T
    lon, lat = shift_between(rows.crs, pyproj.CRS("EPSG:4326"))(x, y)
    stated_lon, stated_lat = _stated_places(rows)
    known = np.isfinite(stated_lon) & np.isfinite(stated_lat)
    lon, lat = np.concatenate([lon, stated_lon[known]]), np.concatenate([lat, stated_lat[known]])
    faults = []
    if not len(lon):
        faults.append(
            Fault(
                rows.name,
                "geometry",
                "",
                say("no line has any coordinates"),
                say("give the layer with the road lines"),
            )
        )
    elif not ((np.abs(lon) <= 180) & (np.abs(lat) <= 90)).all():
        far = int(np.argmin((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))
        reason = say("coordinates are not on the earth when read as {crs}", crs=rows.crs.name)
        remedy = say("store the CRS the lines are really in; longitude comes before latitude")
        value = f"{x[far]:.6g} {y[far]:.6g}" if far < len(x) else f"{lon[far]:.6g} {lat[far]:.6g}"
        place = f"row {rows.number[row[far]]}, column 'geometry'" if far < len(x) else "geometry"
        faults.append(Fault(rows.name, place, value, reason, remedy))
    if faults:
        raise UnusableInputError(faults)
    return lon, lat


def _stated_places(rows: Rows) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude of all u, then of all v, where the table has columns for them."""
    u_lon, u_lat, v_lon, v_lat = (rows.column(name) for name in PLACE_COLUMNS)
    if u_lon is None or u_lat is None or v_lon is None or v_lat is None:
        return np.empty(0), np.empty(0)
    return np.concatenate([u_lon, v_lon]), np.concatenate([u_lat, v_lat])


def _projected(rows: Rows, frame: pyproj.CRS) -> ObjectArray:
    if rows.crs == frame:
        return rows.line
    lines: ObjectArray = shapely.transform(rows.line, shift_between(rows.crs, frame), interleaved=False)
    return lines


def _by_place(
    rows: Rows, lines: ObjectArray, frame: pyproj.CRS, settings: LineSettings, reading: RoadsReading
) -> tuple[Pieces, LongArray, RoadsReading]:
    """Join lines where they meet; return the pieces, the row of each, and the reading report.

    Multi-lines are divided; each part keeps the words of its row.
    """
    parts, row = shapely.get_parts(lines, return_index=True)
    joined = join_lines(
        parts, rows.levels[row], join_m=settings.join_m, split_crossings=settings.split_crossings
    )
    pieces = _pieces(joined.lines, joined.start, joined.end, joined.xy)
    x, y, metres = joined.misses.T
    lon, lat = shift_between(frame, pyproj.CRS("EPSG:4326"))(x, y)
    # Rounded and sorted, so that the reading report is the same on every computer.
    places = sorted(
        zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), np.round(metres, 3).tolist(), strict=True)
    )
    notes = (f"crossings_split:{joined.split}",) if joined.split and settings.split_crossings is None else ()
    found = replace(
        reading,
        joined=joined.joined,
        misses=tuple(places),
        suggested_join_m=suggest_join_m(joined.misses[:, 2]),
        crossings=joined.crossings,
        notes=(*reading.notes, *notes),
    )
    return pieces, row[joined.row].astype(np.int64), found


def _pieces(lines: ObjectArray, start: LongArray, end: LongArray, xy: FloatArray) -> Pieces:
    nothing = np.zeros(len(lines))
    none = np.full(len(lines), "", dtype=object)
    return Pieces(lines, start, end, xy, shapely.length(lines), nothing, nothing, none)


def _by_name(
    rows: Rows, lines: ObjectArray, frame: pyproj.CRS, used: Profile
) -> tuple[Pieces, BoolArray, tuple[str, ...]]:
    """Join rows by the names of their junctions; return which lines were drawn from v to u, and notes.

    Raises
    ------
    UnusableInputError
        A name is missing, a row without a line has an end nobody places, a line misses its junctions, or a
        row without a line has no usable length.
    """
    names = rows.frame[["u", "v"]]
    empty = names.isna().any(axis=1).to_numpy()
    faults = rows.faults(
        empty,
        say("a junction has no name"),
        say("fill both u and v, or leave out both columns"),
        column="u, v",
    )
    faults += rows.faults(
        shapely.get_type_id(lines) == 5,
        say("the line is in several parts"),
        say("draw it as one, or drop columns u and v"),
    )
    if faults:
        raise UnusableInputError(faults)
    both = pd.concat([names["u"], names["v"]])
    if both.dtype.kind not in "iu":
        # As text, because u and v may be numbers in one column and text in the other.
        both = both.astype(str)
    code, _ = pd.factorize(both)
    start, end = code[: len(lines)].astype(np.int64), code[len(lines) :].astype(np.int64)
    given = ~shapely.is_missing(lines)
    xy = _junctions(rows, lines, start, end, frame)
    nowhere = ~given & ~np.isfinite(xy[start] + xy[end]).all(axis=1)
    remedy = say("draw the line, or give {columns}", columns=", ".join(PLACE_COLUMNS))
    faults = rows.faults(nowhere, say("the row has no line and its junctions have no place"), remedy)
    if faults:
        raise UnusableInputError(faults)
    # Rows without a line are straight; the lines of the others are then put in their positions.
    whole = np.full(len(lines), None, dtype=object)
    whole[~given] = straight_lines(xy[start[~given]], xy[end[~given]])
    whole[given], miss, turn = fit_lines(lines[given], xy[start[given]], xy[end[given]])
    turned = np.zeros(len(lines), dtype=bool)
    turned[given] = turn
    missed = np.zeros(len(lines))
    missed[given] = miss
    remedy = say("join the line to its junctions, or drop columns u and v so that shared ends are junctions")
    wrong = ~(missed <= FIT_M)
    if wrong.any():
        reason = say("the line does not run between its junctions")
        raise UnusableInputError(
            rows.faults(wrong, reason, remedy, values=[f"{metres:.1f} m" for metres in missed])
        )
    pieces = _pieces(whole, start, end, xy)
    lengths, notes = _lengths(rows, pieces, given, used)
    return replace(pieces, length_m=lengths), turned, notes


def _junctions(
    rows: Rows, lines: ObjectArray, start: LongArray, end: LongArray, frame: pyproj.CRS
) -> FloatArray:
    """Return the place of each named junction: where most of its lines end, or as stated; else NaN.

    A line drawn from v to u is recognised by where the other lines put its junctions.
    """
    # Only drawn lines vote for the place of a junction; rows without a line take the result.
    given = np.flatnonzero(~shapely.is_missing(lines))
    drawn = lines[given]
    first, last = line_ends(drawn, 0), line_ends(drawn, -1)
    s, e = start[given], end[given]
    place_of_node = np.full((int(max(start.max(), end.max())) + 1, 2), np.nan)
    lon, lat = _stated_places(rows)
    known = np.isfinite(lon) & np.isfinite(lat)
    named = np.concatenate([start, end])[known] if len(lon) else np.empty(0, np.int64)
    stated = to_metres(lon[known], lat[known], frame) if len(named) else np.empty((0, 2))
    place_of_node[named] = stated
    turn = np.zeros((len(given), 1), dtype=bool)
    if len(given):
        turn[:, 0] = _drawn_backwards(s, e, first, last, place_of_node)
    node = np.concatenate([s, e, named])
    place = np.vstack([np.where(turn, last, first), np.where(turn, first, last), stated])
    xy = np.full(place_of_node.shape, np.nan)
    best, where = _most_voted(node, place)
    xy[best] = where
    return xy


def _drawn_backwards(
    s: LongArray, e: LongArray, first: FloatArray, last: FloatArray, place: FloatArray
) -> BoolArray:
    """Return which lines run from v to u: (line,).

    A junction is where both of its lines come, whichever way they are drawn; from there on the other end of
    each line is known too. Where that leaves both ways open (a line alone), it is as drawn.

    Parameters
    ----------
    s, e : (line,) junctions u and v.
    first, last : (line, 2) ends of the line as it is drawn.
    place : (junction, 2) where the table places it, NaN where it does not; filled here.
    """
    _place_meetings(s, e, first, last, place)
    _spread(s, e, first, last, place)
    # What is left are parts in which no two lines meet at a known point: one line of each part is taken as
    # drawn, and the rest follows from it.
    lost = np.flatnonzero(np.isnan(place[s]).any(axis=1) & np.isnan(place[e]).any(axis=1))
    if len(lost):
        links = scipy.sparse.coo_array(
            (np.ones(len(lost), np.int8), (s[lost], e[lost])), shape=(len(place),) * 2
        )
        _, group = connected_components(links, directed=False)
        _, one = np.unique(group[s[lost]], return_index=True)
        place[s[lost[one]]], place[e[lost[one]]] = first[lost[one]], last[lost[one]]
        _spread(s, e, first, last, place)
    drawn = _apart(first, place[s]) + _apart(last, place[e])
    turned: BoolArray = np.asarray(drawn > _apart(first, place[e]) + _apart(last, place[s]), dtype=bool)
    return turned


def _place_meetings(
    s: LongArray, e: LongArray, first: FloatArray, last: FloatArray, place: FloatArray
) -> None:
    """Fill the place of junctions where ends of several of their lines meet, and nowhere else."""
    node, ends = np.concatenate([s, s, e, e]), np.vstack([first, last, first, last])
    order = np.argsort(node, kind="stable")
    node, ends = node[order], ends[order]
    begin = np.flatnonzero(np.concatenate([[True], node[1:] != node[:-1]]))
    support = _support(begin, ends)
    most = np.maximum.reduceat(support, begin)
    best = np.flatnonzero(support == np.repeat(most, np.diff(begin, append=len(node))))
    # Of each junction the first of its best ends, and how far they are apart.
    start = np.flatnonzero(np.concatenate([[True], node[best[1:]] != node[best[:-1]]]))
    low, high = (each.reduceat(ends[best], start, axis=0) for each in (np.minimum, np.maximum))
    sure = (most > 1) & (high - low <= 2 * FIT_M).all(axis=1)
    at, where = node[begin][sure], ends[best[start]][sure]
    unplaced = np.isnan(place[at]).any(axis=1)
    place[at[unplaced]] = where[unplaced]


def _support(begin: LongArray, ends: FloatArray) -> LongArray:
    """Count the ends of the same junction within :data:`FIT_M` of each end, itself included: (end,).

    Parameters
    ----------
    begin : (junction,) where its ends begin in ``ends``, which has at least one junction.
    ends : (end, 2), those of a junction together.
    """
    size = np.diff(begin, append=len(ends))
    left = np.repeat(begin + size, size) - np.arange(len(ends))  # ends from this one to the last of its own
    # Centred, because large coordinates cost the digits that the tolerance needs.
    xy = ends - ends.mean(axis=0)
    support = np.ones(len(ends), np.int64)
    here = np.flatnonzero(np.repeat(size <= _COMPARED, size))
    for step in range(1, _COMPARED):
        here = here[left[here] > step]
        if not len(here):
            break
        apart = xy[here + step] - xy[here]
        near = here[(apart * apart).sum(axis=1) <= FIT_M * FIT_M]
        support[near] += 1  # an end has one partner at each step, so no index comes twice
        support[near + step] += 1
    for at, number in zip(begin[size > _COMPARED], size[size > _COMPARED], strict=True):
        support[at : at + number] = _support_of_many(xy[at : at + number])
    return support


def _support_of_many(xy: FloatArray) -> LongArray:
    """Count the points within :data:`FIT_M` of each, itself included: (point,), with a tree."""
    from scipy.spatial import KDTree  # noqa: PLC0415 - only junctions of very many lines need it

    tree = KDTree(xy)
    return np.asarray(tree.query_ball_point(xy, FIT_M, return_length=True), np.int64)


def _spread(s: LongArray, e: LongArray, first: FloatArray, last: FloatArray, place: FloatArray) -> None:
    """Fill the place at the other end of every line of which one end is known, as far as that leads."""
    while True:
        there: BoolArray = np.asarray(np.isfinite(place).all(axis=1), dtype=bool)
        fresh = False
        for here, other in ((s, e), (e, s)):
            lines = np.flatnonzero(there[here] & ~there[other])
            known = place[here[lines]]
            begins = _apart(first[lines], known) <= _apart(last[lines], known)
            far = np.where(np.expand_dims(begins, 1), last[lines], first[lines])
            place[other[lines][::-1]] = far[::-1]
            fresh |= len(lines) > 0
        if not fresh:
            return


def _apart(here: FloatArray, there: FloatArray) -> FloatArray:
    apart: FloatArray = np.hypot(*(here - there).T)
    return apart


def _most_voted(node: LongArray, place: FloatArray) -> tuple[LongArray, FloatArray]:
    """Return for each junction the place where most line ends put it, to the millimetre; of equals the first.

    Parameters
    ----------
    node : (vote,) junction.
    place : (vote, 2) where a line end, or the table, puts it.

    Returns
    -------
    node (junction,) in rising order, place (junction, 2)
    """
    x, y = np.round(place * 1000).astype(np.int64).T
    order = np.lexsort((y, x, node))  # stable: equal votes stay in their order
    fresh = np.ones(len(order), dtype=bool)
    for key in (node, x, y):
        fresh[1:] &= key[order[1:]] == key[order[:-1]]
    fresh[1:] = ~fresh[1:]
    begin = np.flatnonzero(fresh)
    votes, first = np.diff(begin, append=len(order)), order[begin]
    ranked = np.lexsort((first, -votes, node[first]))
    chosen = first[ranked]
    of_node, at = np.unique(node[chosen], return_index=True)
    return of_node, place[chosen[at]]


def _lengths(
    rows: Rows, pieces: Pieces, given: BoolArray, used: Profile
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the length of each row: of its line, else the stated length, else the straight one; and notes.

    Where a row has neither a line nor a length, but seconds, and the profile has one speed for all roads, its
    length is what the usual speed covers in these seconds: walking, or cycling for e-bikes too, because the
    profiles that share their ways share one network and differ in the speed alone.

    Raises
    ------
    UnusableInputError
        A stated length that is not a positive number, or one between junctions at one place.
    """
    if given.all():
        return pieces.length_m, ()
    stated = rows.column("length")
    known = np.zeros(len(given), dtype=bool)
    if stated is None:
        stated = np.full(len(given), np.nan)
    else:
        known = rows.frame["length"].notna().to_numpy() & ~given
    wrong = known & ~((stated > 0) & (stated < math.inf))
    faults = rows.faults(
        wrong,
        say("a length is a positive number of metres"),
        say("mend it, or draw the line"),
        column="length",
        values=stated if not known.any() else rows.frame["length"].to_numpy(dtype=object),
    )
    seconds = _own_seconds(rows)
    timed = ~known & ~given & np.isfinite(seconds)
    point = (known | timed) & (pieces.length_m == 0)
    reason = say("the row has a length but no line, and its junctions stand at one place")
    remedy = say("draw the line, or move one of the junctions")
    faults += rows.faults(point, reason, remedy)
    if faults:
        raise UnusableInputError(faults)
    lengths: FloatArray = np.where(known, stated, pieces.length_m)
    usual = profile("walk" if used.mode == "walk" else "cycle").speed_ms
    if used.speed_kmh is None or usual is None or not timed.any():
        return lengths, ()
    return np.where(timed, seconds * usual, lengths), ("seconds_as_length",)


def _speeds(rows: Rows, used: Profile, length_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the speeds along and against each row's line, 0 where not allowed.

    A stated speed goes before stated seconds, and these before the speed of the class; ``length_m`` : (row,).
    """
    own = _own_speeds(rows, used)
    if used.speed_kmh is None:
        own = np.where(np.isfinite(own), own, length_m / _own_seconds(rows) * 3.6)
    kmh, direction = np.zeros(len(rows.frame)), np.zeros(len(rows.frame), np.int8)
    for tags, index in _groups(rows, used):
        kmh[index] = way_kmh(tags, used)
        direction[index] = oneway(tags, used)
    kmh = np.where(np.isfinite(own), own, kmh)
    return np.where(direction >= 0, kmh, 0.0), np.where(direction <= 0, kmh, 0.0)
