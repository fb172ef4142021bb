"""The reading report of a run: how homes and venues joined each network, and what is warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from lifecircle.audit._surfaces import residents_reading
from lifecircle.datum import way_between
from lifecircle.reach import fragment_lengths, short_edges
from lifecircle.reading import IslandReading, NetworkReading, OffRoads, PlacesReading, Reading
from lifecircle.roads import dead_ends, one_way_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Searches
    from lifecircle.reach import Snap
    from lifecircle.reading import CoarseReading
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

NAMED = 100  # homes, and venues, that a report names on each network
MISSES = 1000  # dead ends near another line that it lists at most
ISLANDS = 5  # fragments that it describes
_UNSURE_WARN = 0.005  # of a rate: half a point
_OFF = ("far", "barrier", "no_place")


def report_reading(inputs: Inputs, searches: Searches, coarse: Sequence[CoarseReading]) -> Reading:
    """Put together the reading report of a run."""
    part = inputs.study.roads
    # People are balanced where most of them travel.
    roads = inputs.networks.get("walk", next(iter(inputs.networks.values())))
    return Reading(
        inputs=inputs.read,
        networks=tuple(_network(roads, names, inputs, searches) for names, roads in _networks(inputs)),
        in_districts=inputs.in_districts,
        in_villages=_in_villages(inputs),
        coarse=tuple(coarse),
        reach_m=inputs.reach_m,
        prefer_main_m=part.prefer_main_m,
        fragment_m=part.fragment_m,
        residents=residents_reading(inputs, searches.snapped(roads, inputs.demand)),
    )


def reading_warnings(reading: Reading, inputs: Inputs) -> list[str]:
    """Warn of what a notable share of was not used: rows, people off the roads or on fragments, venues."""
    most = inputs.study.reading.far_warn
    found = list(inputs.doubts)
    if reading.in_villages is not None and 1 - reading.in_villages > most:
        found.append(f"no_village:{1 - reading.in_villages:.1%}")
    for network in reading.networks:
        name, homes, venues = network.profiles[0], network.homes, network.venues
        everybody = homes.people or 0.0
        for code, people, metres in (
            ("homes_off_roads", homes.off_people, ""),
            ("homes_on_fragments", homes.fragment_people, f"|{reading.fragment_m:g}"),
        ):
            if people and people > most * everybody:
                found.append(f"{code}:{name}|{people:,.0f}|{people / everybody:.1%}{metres}")
        for code, rows, metres in (
            ("venues_without_road", venues.off_rows, ""),
            ("venues_on_fragments", venues.on_fragment, f"|{reading.fragment_m:g}"),
        ):
            if rows > most * venues.rows:
                found.append(f"{code}:{name}|{rows}|{venues.rows}{metres}")
    found += [
        f"coarse_residents:{one.target}|{one.people:.1%}|{one.limit_m:.0f}|{one.spacing_m:.0f}"
        f"|{one.spread:.1%}|{one.value:.1%}|{(one.spread - one.value) * 100:+.1f}"
        for one in reading.coarse
        if not one.unsure
    ]
    found += [
        f"coarse_cells:{one.target}|{one.people:.1%}|{one.limit_m:.0f}|{one.spacing_m:.0f}"
        f"|{one.unsure * 100:.1f}"
        if one.people > inputs.study.reading.coarse_people
        else f"unsure_cells:{one.target}|{one.partly:.1%}|{one.spacing_m:.0f}|{one.unsure * 100:.1f}"
        for one in reading.coarse
        if one.unsure >= _UNSURE_WARN
    ]
    return found


def _networks(inputs: Inputs) -> list[tuple[tuple[str, ...], Roads]]:
    """List the networks that differ in their ways, each with the profiles that travel it."""
    found: dict[int, tuple[list[str], Roads]] = {}
    for name, roads in inputs.networks.items():
        if "@" not in name:  # the ends of a speed band
            found.setdefault(id(roads.lines), ([], roads))[0].append(name)
    return [(tuple(names), roads) for names, roads in found.values()]


def _in_villages(inputs: Inputs) -> float | None:
    """Find the share of the people who belong to a village that the study lists."""
    people = inputs.demand["population"].to_numpy(dtype=float)
    if inputs.villages is None or "village" not in inputs.demand or not people.sum() > 0:
        return None
    known = inputs.demand["village"].isin(inputs.villages.index).to_numpy(dtype=bool)
    return float(people[known].sum() / people.sum())


def _network(roads: Roads, names: tuple[str, ...], inputs: Inputs, searches: Searches) -> NetworkReading:
    """Return what one network is made of, and how homes and the venues of the year joined it."""
    lengths = fragment_lengths(roads)
    own: Any = getattr(roads, "reading", None)
    people = inputs.demand["population"].to_numpy(dtype=float)
    venues = searches.snapped(roads, inputs.register).take(inputs.opened)
    homes = searches.snapped(roads, inputs.demand)
    # Of very many, every n-th from the nearest to the farthest: a report is read by people.
    misses = sorted(getattr(own, "misses", ()), key=lambda miss: miss[2])
    listed = misses[:: -(-len(misses) // MISSES) or 1]
    ends, dead = dead_ends(roads)
    pieces, trapped = one_way_pieces(roads)
    on = homes.snapped
    on_island = people_by_fragment(roads, homes, people)
    return NetworkReading(
        profiles=names,
        edges=len(roads.u),
        length_m=float(lengths.sum()),
        fragments=len(lengths),
        short=int((lengths[1:] < inputs.study.roads.fragment_m).sum()),
        largest=largest_share(roads),
        homes=_places(roads, homes, inputs.demand, inputs, people),
        venues=_places(roads, venues, inputs.facilities, inputs, None),
        without_class_m=float(getattr(own, "length_without_class_m", 0.0)),
        joined=int(getattr(own, "joined", 0)),
        misses=tuple((float(lon), float(lat), float(m)) for lon, lat, m in listed),
        missed=len(misses),
        suggested_join_m=getattr(own, "suggested_join_m", None),
        crossings=int(getattr(own, "crossings", 0)),
        dead_ends=ends,
        dead_end_m=float(roads.length_m[dead].sum()),
        dead_end_people=float(people[on][dead[homes.edge[on]]].sum()),
        one_way_pieces=pieces - (len(lengths) - 1),
        one_way_m=float(roads.length_m[trapped & (roads.components[roads.u] == 0)].sum()),
        one_way_people=float(people[on][(trapped & (roads.components[roads.u] == 0))[homes.edge[on]]].sum()),
        island_m=float(lengths[1:].sum()),
        island_people=float(on_island[1:].sum()),
        islands=tuple(_islands(roads, lengths, on_island)),
    )


def people_by_fragment(roads: Roads, homes: Snap, people: Floats) -> Floats:
    """Return the people whose home joined each fragment: (fragment,), by ``roads.components``."""
    on = homes.snapped
    label = roads.components[roads.u[homes.edge[on]]]
    count = int(roads.components.max(initial=-1)) + 1
    return np.bincount(label, weights=people[on], minlength=count).astype(np.float64)


def _islands(roads: Roads, lengths: Floats, people: Floats) -> Iterator[IslandReading]:
    """Describe the longest fragments after the first, each at the middle of its longest edge."""
    label = roads.components[roads.u]
    to_degrees = way_between(roads.crs, "EPSG:4326")
    for island in range(1, min(len(lengths), ISLANDS + 1)):
        edges = np.flatnonzero(label == island)
        longest = edges[int(np.argmax(roads.length_m[edges]))]
        middle = shapely.line_interpolate_point(roads.lines[longest], 0.5, normalized=True)
        lon, lat = to_degrees.transform(shapely.get_x(middle), shapely.get_y(middle))
        yield IslandReading(
            round(float(lon), 6), round(float(lat), 6), float(lengths[island]), float(people[island])
        )


def largest_share(roads: Roads) -> float:
    """Find the share of the roads' length that the longest fragment has; 1 where there are no roads."""
    lengths = fragment_lengths(roads)
    return float(lengths[0] / lengths.sum()) if len(lengths) else 1.0


def _places(
    roads: Roads, snapped: Snap, table: gpd.GeoDataFrame, inputs: Inputs, people: Floats | None
) -> PlacesReading:
    """Return how the rows of a table joined a network: (row,) snaps and people, None of venues."""
    short = short_edges(roads, inputs.study.roads.fragment_m)
    on = snapped.snapped
    fragment = np.zeros(len(snapped), dtype=bool)
    fragment[on] = short[snapped.edge[on]]
    moved = snapped.moved if len(snapped.moved) else np.zeros(len(snapped), dtype=bool)
    counts = {reason: int((snapped.reason == reason).sum()) for reason in _OFF}

    def heads(rows: Flags) -> float | None:
        """Add up the people of some rows."""
        return None if people is None else float(people[rows].sum())

    return PlacesReading(
        rows=len(snapped),
        people=None if people is None else float(people.sum()),
        off={reason: rows for reason, rows in counts.items() if rows},
        off_people=heads(~on),
        on_fragment=int(fragment.sum()),
        fragment_people=heads(fragment),
        moved=int(moved.sum()),
        moved_people=heads(moved),
        named=_named(roads, snapped, table, fragment, people),
    )


def _named(
    roads: Roads, snapped: Snap, table: gpd.GeoDataFrame, fragment: Flags, people: Floats | None
) -> tuple[OffRoads, ...]:
    """Name rows off the roads or on a short fragment: most people first, then the farthest, then in order."""
    metres = snapped.leg_m.copy()
    rows = np.flatnonzero(~snapped.snapped | fragment)
    if people is not None:
        rows = rows[people[rows] > 0]
    weight = np.zeros(len(rows)) if people is None else people[rows]
    rows = rows[np.lexsort((rows, -np.nan_to_num(metres[rows], nan=-1.0), -weight))][:NAMED]
    if not len(rows):
        return ()
    lengths = fragment_lengths(roads)
    places = table.geometry.to_numpy()[rows]
    names = table["name"].to_numpy(dtype=object)[rows] if "name" in table else [""] * len(rows)
    found = []
    for row, place, name, to_main in zip(rows, places, names, _to_main(roads, table, rows), strict=True):
        of = lengths[roads.components[roads.u[snapped.edge[row]]]] if fragment[row] else None
        far = to_main if fragment[row] else metres[row]
        found.append(
            OffRoads(
                id=str(table.index[row]),
                name="" if pd.isna(name) else str(name),
                reason="fragment" if fragment[row] else str(snapped.reason[row]),
                metres=float(far) if np.isfinite(far) else None,
                people=None if people is None else float(people[row]),
                fragment_m=None if of is None else float(of),
                lon=None if place is None or place.is_empty else round(float(shapely.get_x(place)), 6),
                lat=None if place is None or place.is_empty else round(float(shapely.get_y(place)), 6),
            )
        )
    return tuple(found)


def _to_main(roads: Roads, table: gpd.GeoDataFrame, rows: npt.NDArray[np.intp]) -> Floats:
    """Find how far rows lie from the longest fragment, in metres; NaN where they have no place."""
    metres = np.full(len(rows), np.nan)
    points = table.geometry.iloc[rows].to_crs(roads.crs).to_numpy()
    placed = ~(shapely.is_missing(points) | shapely.is_empty(points))
    main = roads.lines[roads.components[roads.u] == 0]
    if placed.any() and len(main):
        (row, _), found = shapely.STRtree(main).query_nearest(
            points[placed], return_distance=True, all_matches=False
        )
        metres[np.flatnonzero(placed)[row]] = found
    return metres
