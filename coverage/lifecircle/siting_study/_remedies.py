"""Cheaper remedies: a gate or school ground, evening hours, a missing link, an idle building, a new one.

Each is tried alone, as a change of the study that is audited for the one target; nothing is estimated. Links
are looked for where two junctions are near in a straight line and far by road. Only remedies with the same
accounting and the same kind of payment, once or every year, are compared; the others have rankings of their
own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.audit import Searches, basis_of, open_venues, venue_classes
from lifecircle.candidates import service_list
from lifecircle.demand import assign_districts, assign_villages
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import open_at
from lifecircle.measures import rule_seconds
from lifecircle.reach import Snap, nearest_seconds, usable, within
from lifecircle.scenario import Change, apply_changes
from lifecircle.siting_study._question import circle_question
from lifecircle.study import basis_of_cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.roads import Roads
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.siting_study._explanation import Explanation
    from lifecircle.siting_study._question import Question
    from lifecircle.siting_study._solver_call import Conditions
    from lifecircle.standards import CircleTarget

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

LINK_M = 150.0
"""Longest missing link looked for, in a straight line: a setting."""

LINK_SAVES_MIN = 3.0
"""Least minutes a link must save at its worse end."""

_LINKS_TRIED = 12  # links audited, those that promise most people
_HOME_CAP_M = 500.0  # how far residents may be from a road
_EACH = 5  # remedies listed of one kind
_APART_M = 300.0  # links whose ends are nearer are the same link
_KINDS = (
    "open_gate",
    "school_ground",
    "evening_hours",
    "link",
    "footbridge",
    "idle_building",
    "new_building",
)


@dataclass(frozen=True)
class Remedy:
    """One thing that could be done, and the people it alone would cover.

    ``accounting`` : how they are counted: as the target is, or ``open`` for hours; ``cost`` : 10,000 yuan,
    ``paid`` once or every year, None where it is not known; ``source``, ``grade`` : where the unit cost comes
    from; ``changes`` : as a scenario; ``rank`` : place in the ranking of its accounting and way of paying.
    """

    kind: str
    name: str
    lon: float
    lat: float
    people: float
    accounting: str
    paid: Literal["once", "year"]
    cost: float | None
    source: str
    grade: str
    length_m: float | None
    changes: tuple[Change, ...]
    rank: int = 0

    @property
    def ranking(self) -> tuple[str, str]:
        """Name the ranking it stands in: accounting, and how it is paid."""
        return self.accounting, self.paid

    @property
    def people_per_cost(self) -> float | None:
        """People per 10,000 yuan, or per 10,000 yuan a year."""
        return self.people / self.cost if self.cost else None


def find_remedies(  # noqa: PLR0913, PLR0917 - the study as far as it is known
    question: Question,
    conditions: Conditions,
    found: Candidates,
    explanation: Explanation,
    inputs: Inputs,
    searches: Searches,
) -> tuple[Remedy, ...]:
    """Find what could be done, a ranking for each accounting and way of paying.

    The ranking of the target's own accounting and of what is paid once comes first. In each, most people per
    10,000 yuan come first; those of unknown cost follow by people; the kinds in the order of :data:`_KINDS`
    where all else is equal.
    """
    remedies = [
        *_buildings(question, conditions, found, explanation, inputs),
        *_hours(question, inputs, searches),
        *_links(question, inputs),
    ]
    helpful = [one for one in remedies if one.people >= 0.5]

    def order(one: Remedy) -> tuple[bool, bool, str, bool, float, int, str]:
        """Return the key to sort by: the ranking first, then its order."""
        worth = one.people_per_cost
        return (
            one.accounting != question.target.accounting,
            one.paid != "once",
            one.accounting,
            worth is None,
            -(one.people if worth is None else worth),
            _KINDS.index(one.kind),
            one.name,
        )

    ranked: list[Remedy] = []
    places: dict[tuple[str, str], int] = {}
    for one in sorted(helpful, key=order):
        places[one.ranking] = places.get(one.ranking, 0) + 1
        ranked.append(replace(one, rank=places[one.ranking]))
    return tuple(ranked)


def _buildings(
    question: Question,
    conditions: Conditions,
    found: Candidates,
    explanation: Explanation,
    inputs: Inputs,
) -> Iterator[Remedy]:
    """Try every candidate alone, by its kind of works: those that bring most of each kind."""
    table = found.table
    able = conditions.free | (found.table["left_out"] == "partial").to_numpy(dtype=bool)
    gain = np.where(able, explanation.candidates["reach_people"].to_numpy(), 0.0)
    works = table["works"].where(table["works"].isin(_KINDS), "new_building")
    for kind in ("open_gate", "school_ground", "idle_building", "new_building"):
        mine = np.flatnonzero((works == kind).to_numpy(dtype=bool) & (gain > 0))
        for at in mine[np.argsort(-gain[mine], kind="stable")][:_EACH]:
            row = table.iloc[at]
            price = conditions.prices[at]
            own = not np.isnan(row["cost"])  # its row says what building it costs, once
            _, source, grade, paid = unit_cost(inputs, kind)
            change = Change(
                "open",
                id=f"plan-{table.index[at]}",
                services=service_list(row["services"]),
                name=row["name"],
                shape=row.geometry,
                hours=hours_of(question.target),
                file="(remedy)",
            )
            yield Remedy(
                kind,
                row["name"] or str(table.index[at]),
                row.geometry.x,
                row.geometry.y,
                float(gain[at]),
                question.target.accounting,
                "once" if own else paid,
                None if np.isnan(price) else float(price),
                "candidates" if own else source,
                "" if own else grade,
                None,
                (change,),
            )


def unit_cost(inputs: Inputs, works: str) -> tuple[float | None, str, str, Literal["once", "year"]]:
    """Return the study's unit cost of some works, 10,000 yuan, its source and grade, and how it is paid."""
    known = {str(name): one for name, one in inputs.study.siting.costs.items()}.get(works)
    if known is None:
        return None, "", "", basis_of_cost(works, None)
    return known.cost, known.source, known.grade, basis_of_cost(works, known)


def _hours(question: Question, inputs: Inputs, searches: Searches) -> Iterator[Remedy]:
    """Try to open each venue that is closed at the target's hour, known to be, one at a time.

    It is counted by open hours, whatever the target's accounting: by any other a closed venue counts already.
    """
    target = question.target.model_copy(update={"accounting": "open"})
    if target.open_at is None:
        return
    basis = basis_of(target, inputs, searches)
    if basis is None:
        return
    facilities = inputs.facilities
    members = venue_classes(target, inputs.study.standard, facilities)
    known, opened = open_at(facilities, target.open_at)
    closed = np.flatnonzero(np.logical_or.reduce(list(members.values())) & known & ~opened)
    if not len(closed) or not opened.any():
        return
    venues = facilities.iloc[closed].assign(services=facilities["service"].iloc[closed])
    question = circle_question(target, inputs, basis, venues)
    gain = np.array([question.gain([at]) if on else 0.0 for at, on in enumerate(question.usable)])
    price, source, grade, paid = unit_cost(inputs, "evening_hours")
    for at in np.argsort(-gain, kind="stable")[:_EACH]:
        row = venues.iloc[at]
        hours = f"{row['hours']}; {slot(target.open_at)}"
        change = Change("hours", id=str(venues.index[at]), hours=hours, name=row["name"], file="(remedy)")
        yield Remedy(
            "evening_hours",
            row["name"],
            row.geometry.x,
            row.geometry.y,
            float(gain[at]),
            "open",
            paid,
            price,
            source,
            grade,
            None,
            (change,),
        )


def hours_of(target: CircleTarget) -> str:
    """Return the hours a new site is supposed to keep: the target's hour where only open venues count."""
    counts = target.accounting == "open" and target.open_at is not None
    return slot(str(target.open_at)) if counts else ""


def slot(moment: str) -> str:
    """Write the two hours from a weekday and time in the notation of opening hours.

    >>> slot("Sat 10:00")
    'Sa 10:00-12:00'
    """
    day, clock = moment.split(" ")
    hour, minute = clock.split(":")
    return f"{day[:2]} {clock}-{min(int(hour) + 2, 24):02d}:{minute if int(hour) < 22 else '00'}"


# --- links ----------------------------------------------------------------------------------------------


def _links(question: Question, inputs: Inputs) -> Iterator[Remedy]:
    """Try the missing links that promise most people, each audited again; those that help are reported."""
    target = question.target
    roads = inputs.networks[target.profile]
    reach_m = float(question.limit_s.max(initial=0.0)) * roads.profile.access_ms + _HOME_CAP_M
    trees = shapely.STRtree(np.asarray(list(roads.barriers), dtype=object))
    remedies = []
    for near, far in _promising(question, inputs, roads):
        line = shapely.LineString(roads.xy[[far, near]])
        over = bool(len(trees.query(line, predicate="intersects")))
        shape = gpd.GeoSeries([line], crs=roads.crs).to_crs("EPSG:4326").iloc[0]
        change = Change("add_road", shape=shape, highway="footway", within_m=1.0, file="(remedy)")
        # Nobody farther away than a whole walk and the way to a road can be concerned.
        apart = np.hypot(*(inputs.metres - line.centroid.coords[0]).T) - line.length
        mine = np.flatnonzero(apart <= reach_m)
        part = replace(inputs, networks={target.profile: roads}, demand=inputs.demand.iloc[mine])
        try:
            now = apply_changes(part, [change])
        except UnusableInputError:
            continue  # no traveller of this profile may use a footway
        basis = basis_of(target, now, Searches(now, keep=False))
        assert basis is not None  # as without the link
        gained = basis.covered.astype(float) - question.covered[mine]
        people = float(question.people[mine] @ gained)
        kind = "footbridge" if over else "link"
        price, source, grade, paid = unit_cost(inputs, f"{kind}_m")
        middle = shape.interpolate(0.5, normalized=True)
        cost = None if price is None else price * line.length
        name = _place_name(inputs, middle)
        remedies.append(
            Remedy(
                kind,
                name,
                middle.x,
                middle.y,
                people,
                target.accounting,
                paid,
                cost,
                source,
                grade,
                line.length,
                (change,),
            )
        )
    yield from sorted(remedies, key=lambda one: -one.people)[:_EACH]


def _place_name(inputs: Inputs, point: shapely.Point) -> str:
    """Name a place by the village and district it lies in."""
    table = gpd.GeoDataFrame(geometry=[point], crs="EPSG:4326")
    placed = assign_villages(assign_districts(table, inputs.districts), inputs.villages)
    units = ((inputs.districts, placed["district"].iloc[0]), (inputs.villages, placed["village"].iloc[0]))
    names = [str(unit["name"].get(label, label)) for unit, label in units if unit is not None and label]
    return " ".join(names)


def _promising(question: Question, inputs: Inputs, roads: Roads) -> list[tuple[int, int]]:
    """List missing links, (near, far) junctions, those first that would cover most people by a first count.

    A link is missing where the rule takes at least :data:`LINK_SAVES_MIN` longer from its far end than over
    the link and on from its near end. The first count holds residents to the roads they are on now, and the
    whole rule to the near end's: the audit of the link is what counts.
    """
    target, limit_s = question.target, question.limit_s
    longest_s = float(limit_s.max(initial=0.0))
    speed = roads.profile.access_ms
    rule = _at_junctions(question, inputs, roads)
    tree = cKDTree(roads.xy)
    pairs = tree.query_pairs(LINK_M, output_type="ndarray")
    pairs = np.vstack([pairs, pairs[:, ::-1]])
    near, far = pairs.T
    over_s = np.hypot(*(roads.xy[near] - roads.xy[far]).T) / speed
    onward = rule[near] + over_s
    in_time = onward <= longest_s
    near, far, onward = near[in_time], far[in_time], onward[in_time]
    useful = rule[far] >= onward + LINK_SAVES_MIN * 60
    near, far, onward = near[useful], far[useful], onward[useful]
    if not len(near):
        return []
    ends, at = np.unique(far, return_inverse=True)
    homes = inputs.snapped(roads, inputs.demand)
    waiting = np.flatnonzero(question.waiting() & (question.people > 0))
    waiting = waiting[usable(roads, homes.take(waiting), limit_min=target.minutes)]
    limit_min = max(target.minutes, longest_s / 60)
    times = within(
        roads, homes.take(waiting), _junction_snap(roads, ends), limit_min=limit_min
    ).seconds.tocsc()
    people, limits = question.people[waiting], question.limit[waiting]
    promise = np.zeros(len(near))
    for number, end in enumerate(at):
        part = slice(times.indptr[end], times.indptr[end + 1])
        rows = times.indices[part]
        inside = question.within(times.data[part] + onward[number], limits[rows])
        promise[number] = people[rows[inside]].sum()
    order = np.lexsort((far, near, onward, -promise))
    chosen: list[int] = []
    middle = (roads.xy[near] + roads.xy[far]) / 2
    for one in order:
        if promise[one] <= 0 or len(chosen) == _LINKS_TRIED:
            break
        if all(np.hypot(*(middle[one] - middle[other])) > _APART_M for other in chosen):
            chosen.append(int(one))
    return [(int(near[one]), int(far[one])) for one in chosen]


def _at_junctions(question: Question, inputs: Inputs, roads: Roads) -> Floats:
    """Return the rule time of whoever lives at each junction: (junction,), inf where none."""
    target = question.target
    facilities = inputs.facilities
    venues = inputs.snapped(roads, facilities)
    junctions = _junction_snap(roads, np.arange(len(roads.xy)))
    members = venue_classes(target, inputs.study.standard, facilities)
    counted = open_venues(target, inputs)
    if counted is not None:
        members = {name: member & counted for name, member in members.items()}
    return rule_seconds(
        [
            nearest_seconds(
                roads, junctions, venues.where(member), k=target.require[name], limit_min=target.minutes
            )[0][:, -1]
            for name, member in members.items()
        ]
    )


def _junction_snap(roads: Roads, junctions: Ints) -> Snap:
    """Put junctions on the roads, at an end of one of their edges."""
    edge = np.full(len(roads.xy), -1, dtype=np.int64)
    share = np.zeros(len(roads.xy))
    for ends, part in ((roads.v, 1.0), (roads.u, 0.0)):
        edge[ends] = np.arange(len(ends))
        share[ends] = part
    return Snap(
        index=pd.RangeIndex(len(junctions)),
        edge=edge[junctions],
        share=share[junctions],
        leg_m=np.zeros(len(junctions)),
        reason=np.full(len(junctions), "", dtype="<U8"),
        lines=roads.lines,
    )
