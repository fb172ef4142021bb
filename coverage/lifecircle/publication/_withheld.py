"""Which counts the public edition may print, so that none of them, nor a difference, singles people out.

A count may stand when it is of nobody or of at least ``min_people``. What a reader can add and subtract is
checked as if it were printed: the rest of a total once the printed rows are taken away, and the difference
of any two counts of which one is part of the other: two targets, two years, two limits, a group and everyone.
Where such a difference is too small, the less important of the two is withheld, and then as many others as it
takes until nothing small is left to find. At last all that is printed is taken as equations over the kinds of
people there are, and counts are kept back until no small number follows from them (:mod:`._solved_counts`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from lifecircle import counting
from lifecircle.findings import CircleResult
from lifecircle.publication._solved_counts import Equations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult

    Vector = npt.NDArray[np.float64]

TOTAL = "(total)"
EVERYONE = "all"
_NOISE = 1e-6
_UNCOVERED = ("beyond", "disconnected", "unsnapped")
_COVER = ("people", "covered", "left")
_SIDES = ("urban", "rural")

What = Literal["people", "detail", "buckets"]


@dataclass
class Withheld:
    """What one target of one year keeps back: codes of districts, or :data:`TOTAL`, and groups.

    ``people`` : the number of people and everything else of the row; ``detail`` : who is covered and who is
    not; ``buckets`` : why people are not covered; ``groups`` : rows of the table of groups.
    """

    people: set[str] = field(default_factory=set)
    detail: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    buckets: bool = False

    def hides(self, code: str) -> bool:
        """Return whether a row keeps back who is covered."""
        return code in self.people or code in self.detail


@dataclass(frozen=True, eq=False)
class _Table:
    """The people of one target of one year by what became of them, (resident of any year,) each.

    ``district`` : the place of each resident's district in ``codes``, the number of codes for none of them.
    ``parts`` : people, covered, left (not covered), beyond, disconnected, unsnapped, and of each group
    ``group people``, ``group covered`` and ``group left``. ``whole`` : part -> the people of whom it is a
    part, wherever they live and whatever became of them.
    """

    year: int
    target: str
    rank: int
    codes: tuple[str, ...]
    district: npt.NDArray[np.intp]
    parts: dict[str, Vector]
    groups: tuple[str, ...]
    withheld: Withheld
    whole: dict[str, Vector]

    @cached_property
    def sums(self) -> dict[str, Vector]:
        """People of every part by district, the last for those in none: (code + 1,)."""
        size = len(self.codes) + 1
        return {
            name: np.bincount(self.district, weights=one, minlength=size).astype(np.float64)
            for name, one in self.parts.items()
        }


@dataclass(frozen=True, eq=False)
class _Count:
    """One count a reader has: people of a part in some districts (all where None), less those of others.

    ``row`` : what is kept back to hide it; ``found`` : it is not printed, but found by taking printed rows
    from a total, and hidden by keeping back one more of those.
    """

    table: _Table
    part: str
    what: What
    row: str = TOTAL
    districts: tuple[int, ...] | None = None
    less: tuple[str, ...] = ()
    group: str = ""
    found: bool = False

    @cached_property
    def people(self) -> float:
        """How many people it counts."""
        sums, kept = self.table.sums, slice(None) if self.districts is None else list(self.districts)
        return float(sums[self.part][kept].sum() - sum(sums[name][kept].sum() for name in self.less))

    @property
    def vector(self) -> Vector:
        """The people it counts, resident by resident."""
        parts = self.table.parts
        whole = parts[self.part] - sum(parts[name] for name in self.less)
        if self.districts is None:
            return whole
        return np.where(np.isin(self.table.district, self.districts), whole, 0.0)

    @property
    def importance(self) -> tuple[bool, bool, bool, int, int]:
        """Order in which counts are kept: totals before districts, late years before early ones."""
        whole = self.row == TOTAL and not self.found and not self.group
        return (whole, not self.found, not self.group, self.table.year, -self.table.rank)


def withheld_counts(years: Sequence[Findings], *, min_people: float) -> dict[tuple[int, str], Withheld]:
    """Decide what each target of each year keeps back: (year, target) -> what.

    The years are decided together, because a reader has all of them.
    """
    tables = list(_tables(years))
    _withhold_pairs(tables, min_people)
    every = _Every.of(tables, min_people) if tables else None
    while every is not None and (count := every.next_withheld()) is not None:
        _withhold(count)
        _withhold_pairs(tables, min_people)
    return {(table.year, table.target): table.withheld for table in tables}


def _withhold_pairs(tables: list[_Table], min_people: float) -> None:
    """Keep back until no count, nor the difference of a count and a part of it, is of few people."""
    while True:
        counts = [count for table in tables for count in _counts(table)]
        small = [count for count in counts if _is_of_few(count, min_people)]
        for count in small:
            _withhold(count)
        if small:
            continue
        pair = _revealing_pair(counts, min_people)
        if pair is None:
            return
        _withhold(min(pair, key=lambda count: count.importance))


def _is_of_few(count: _Count, min_people: float) -> bool:
    """Return whether a count is of some people, but of too few; where groups overlap it counts nobody."""
    if not _NOISE < count.people < min_people - _NOISE:
        return False
    return not count.less or bool((count.vector >= -_NOISE).all())


def _revealing_pair(counts: list[_Count], min_people: float) -> tuple[_Count, _Count] | None:
    """Find two counts of which one is part of the other and that differ by too few people."""
    return next(_revealing_pairs(counts, min_people), None)


def _revealing_pairs(counts: Sequence[_Count], min_people: float) -> Iterator[tuple[_Count, _Count]]:
    """List the pairs of counts of which one is part of the other and that differ by too few people."""
    counts = sorted((count for count in counts if count.people > _NOISE), key=lambda count: count.people)
    for place, first in enumerate(counts):
        for second in itertools.islice(counts, place + 1, None):
            apart = second.people - first.people
            if apart >= min_people - _NOISE:
                break
            if apart > _NOISE and (second.vector - first.vector >= -_NOISE).all():
                yield first, second


def _withhold(count: _Count) -> None:
    """Keep a count back; one that is found from others is hidden by keeping one more of those back."""
    table, kept = count.table, count.table.withheld
    hidden = kept.people if count.what == "people" else kept.detail
    if count.group:
        kept.groups.add(count.group)
    elif count.what == "buckets":
        kept.buckets = True
    elif count.found:
        left = [code for code in table.codes if code not in hidden | kept.people]
        hidden.add(min(left, key=lambda code: _cost(table, code)) if left else TOTAL)
    else:
        hidden.add(count.row)


def _cost(table: _Table, code: str) -> tuple[bool, float, str]:
    """Order districts by what hiding them costs: the smallest of those that have uncovered people first."""
    at = table.codes.index(code)
    return table.sums["left"][at] <= _NOISE, float(table.sums["people"][at]), code


def _counts(table: _Table) -> Iterator[_Count]:
    """List every count of a table that a reader has."""
    kept = table.withheld
    for row, districts in ((TOTAL, None), *((code, (at,)) for at, code in enumerate(table.codes))):
        if row not in kept.people:
            yield _Count(table, "people", "people", row, districts)
        if not kept.hides(row):
            yield from (_Count(table, part, "detail", row, districts) for part in ("covered", "left"))
    yield from _found(table, "people", kept.people, ("people",))
    yield from _found(table, "detail", kept.people | kept.detail, ("covered", "left"))
    if not kept.hides(TOTAL):
        if not kept.buckets:
            yield from (_Count(table, part, "buckets") for part in _UNCOVERED)
        yield from _group_counts(table)


# ---------------------------------------------------------------------------------------------------------
# All that is printed, as equations


@dataclass(frozen=True, eq=False)
class _Every:
    """Every count that a page could print, printed or not, and what must not be found from those that are.

    ``products`` : (count, count) of the counts' rows over the kinds of people; ``secret`` : (secret, count)
    the small counts, and the differences by few of two counts of which one is part of the other.
    """

    counts: tuple[_Count, ...]
    products: Vector
    secret: Vector

    @classmethod
    def of(cls, tables: list[_Table], min_people: float) -> _Every:
        """List the counts of tables, and those of them that are of few people."""
        counts = tuple(count for table in tables for count in _all_counts(table))
        place = {id(count): at for at, count in enumerate(counts)}
        own = [(at,) for at, count in enumerate(counts) if _is_of_few(count, min_people)]
        pairs = [(place[id(b)], place[id(a)]) for a, b in _revealing_pairs(counts, min_people)]
        secret = np.zeros((len(own) + len(pairs), len(counts)))
        for row, (first, *less) in enumerate([*own, *pairs]):
            secret[row, first] = 1.0
            secret[row, less] = -1.0
        return cls(counts, _products(tables, counts), secret)

    def next_withheld(self) -> _Count | None:
        """Choose a printed count to keep back, None once nothing small follows from what is printed."""
        printed = np.array([at for at, count in enumerate(self.counts) if _is_shown(count)], dtype=np.intp)
        equations = Equations(self.products, printed)
        found = equations.following(self.secret)
        if not len(found):
            return None
        used = equations.used(self.secret[found[0]])
        order = sorted(used.tolist(), key=lambda at: (self.counts[at].importance, self.counts[at].people))
        alone = set(equations.without_substitute().tolist())
        # The least important without which it is not found.
        chosen: int = next((at for at in order if at in alone), order[0])
        return self.counts[chosen]


def _all_counts(table: _Table) -> Iterator[_Count]:
    """List every count that a page could print of a table, each on its own."""
    for row, districts in ((TOTAL, None), *((code, (at,)) for at, code in enumerate(table.codes))):
        yield _Count(table, "people", "people", row, districts)
        yield from (_Count(table, part, "detail", row, districts) for part in ("covered", "left"))
    yield from (_Count(table, part, "buckets") for part in _UNCOVERED)
    for name in table.groups:
        yield from (_Count(table, f"{name} {part}", "detail", group=name) for part in _COVER)


def _is_shown(count: _Count) -> bool:
    """Return whether a count is printed as things stand."""
    kept = count.table.withheld
    if count.group:
        return not kept.hides(TOTAL) and count.group not in kept.groups
    if count.what == "buckets":
        return not kept.hides(TOTAL) and not kept.buckets
    return count.row not in kept.people if count.what == "people" else not kept.hides(count.row)


def _products(tables: list[_Table], counts: Sequence[_Count]) -> Vector:
    """Multiply the rows of counts with each other, over the kinds of people: (count, count).

    A kind is of the same district, counted alike and with the same answers in every table; people of each
    group and of each year are kinds of their own, of whose numbers a reader knows nothing.
    """
    marks: list[npt.NDArray[np.generic]] = []
    for table in tables:
        sides = [f"{side} people" for side in _SIDES if side in table.groups]
        marks += [
            table.district,
            *(table.parts[part] > 0 for part in ("people", "covered", *_UNCOVERED, *sides)),
        ]
    kind = np.unique(np.column_stack(marks), axis=0, return_inverse=True)[1].reshape(-1)
    size = int(kind.max(initial=-1)) + 1
    blocks: dict[bytes, int] = {}
    products = np.zeros((len(counts), len(counts)))
    by_block: dict[int, list[tuple[int, Vector]]] = {}
    for at, count in enumerate(counts):
        whole = count.table.whole[count.part]
        block = blocks.setdefault(whole.tobytes(), len(blocks))
        people, mine = (np.bincount(kind, weights=one, minlength=size) for one in (whole, count.vector))
        row = np.divide(mine, people, out=np.zeros(size), where=people > 0)
        by_block.setdefault(block, []).append((at, row))
    for rows in by_block.values():
        places = [at for at, _ in rows]
        matrix = np.array([row for _, row in rows])
        products[np.ix_(places, places)] = matrix @ matrix.T
    return products


def _found(table: _Table, what: What, hidden: set[str], parts: tuple[str, ...]) -> Iterator[_Count]:
    """List what a reader finds of a column with hidden rows: their sum, or a hidden total of shown rows."""
    rows = tuple(at for at, code in enumerate(table.codes) if code in hidden)
    if bool(rows) != (TOTAL in hidden) and table.codes:
        districts = rows or tuple(range(len(table.codes)))
        yield from (_Count(table, part, what, TOTAL, districts, found=True) for part in parts)


def _group_counts(table: _Table) -> Iterator[_Count]:
    """List the counts of groups, and of those who remain when groups are taken from everyone.

    As many groups are taken away at once as there are: five ages that part everyone leave those of none.
    """
    shown = [name for name in table.groups if name not in table.withheld.groups]
    others = [name for name in shown if name != EVERYONE]
    for name in shown:
        yield from (_Count(table, f"{name} {part}", "detail", group=name) for part in _COVER)
    if EVERYONE not in shown:
        return
    people = {name: float(table.sums[f"{name} people"].sum()) for name in shown}
    for size in range(1, len(others) + 1):
        for names in itertools.combinations(others, size):
            if sum(people[name] for name in names) > people[EVERYONE] + _NOISE:
                continue  # they overlap, so what remains is no one's number
            least = min(names, key=lambda name: (people[name], name))
            for part in _COVER:
                less = tuple(f"{name} {part}" for name in names)
                yield _Count(table, f"{EVERYONE} {part}", "detail", less=less, group=least, found=True)


# ---------------------------------------------------------------------------------------------------------
# From findings to tables


def _tables(years: Sequence[Findings]) -> Iterator[_Table]:
    """Return every circle of every year over the residents of all years, matched by their labels."""
    labels = years[0].demand.index
    for findings in years[1:]:
        labels = labels.union(findings.demand.index, sort=False)
    for findings in years:
        demand = findings.demand
        at = labels.get_indexer(demand.index)
        district = np.full(len(labels), None, dtype=object)
        if "district" in demand:
            district[at] = demand["district"].astype(str).to_numpy(dtype=object)
        for rank, result in enumerate(findings.targets):
            name = result.target.id
            if name not in findings.people or not isinstance(result, CircleResult) or result.count is None:
                continue
            status = np.full(len(labels), "", dtype=object)
            status[at] = findings.status[name].to_numpy(dtype=object)
            people = {"": findings.people[name], **_groups(findings, result)}
            parts: dict[str, Vector] = {}
            wholes: dict[str, Vector] = {}
            for group, own in people.items():
                whole = _spread(own, at, len(labels))
                every = _spread(_everyone_of(findings, result, group), at, len(labels))
                covered = np.where(status == "covered", whole, 0.0)
                stem = f"{group} " if group else ""
                parts |= {f"{stem}people": whole, f"{stem}covered": covered, f"{stem}left": whole - covered}
                wholes |= dict.fromkeys((f"{stem}{part}" for part in _COVER), every)
            wholes |= dict.fromkeys(_UNCOVERED, wholes["people"])
            parts |= {part: np.where(status == part, parts["people"], 0.0) for part in _UNCOVERED}
            codes = tuple(one.code for one in result.districts)
            place = pd.Index(codes, dtype=object).get_indexer(district)
            yield _Table(
                findings.year,
                name,
                rank,
                codes,
                np.where(place < 0, len(codes), place),
                parts,
                tuple(group for group in people if group),
                _unexplained(findings, result),
                wholes,
            )


def _spread(values: pd.Series[float], at: npt.NDArray[np.intp], size: int) -> Vector:
    out = np.zeros(size)
    out[at] = values.to_numpy(dtype=float)
    return out


def _groups(findings: Findings, result: CircleResult) -> dict[str, pd.Series[float]]:
    """Count each group of a target resident by resident, as far as the findings' columns allow."""
    demand, people = findings.demand, findings.people[result.target.id]
    inside = in_area(findings, result)
    found = {}
    for one in result.groups:
        column = "population" if one.group == EVERYONE else one.group
        if column in demand:
            found[one.group] = demand[column].astype(float).where(inside, 0.0)
        elif one.group in _SIDES:
            found[one.group] = people.where(counting.in_area(_urban(findings), one.group), 0.0)
    return found


def _everyone_of(findings: Findings, result: CircleResult, group: str) -> pd.Series[float]:
    """Return the people of whom a group's counts are a part, whatever the area: (demand,)."""
    name = str(result.target.group) if group in {"", *_SIDES} else group
    column = "population" if name == EVERYONE else name
    if column not in findings.demand:
        return findings.people[result.target.id].astype(float)
    return findings.demand[column].astype(float)


def in_area(findings: Findings, result: TargetResult) -> pd.Series[bool]:
    """Return which residents live in the area a target is about, whoever is counted there: (demand,)."""
    inside = counting.in_area(_urban(findings), getattr(result.target, "area", EVERYONE))
    return pd.Series(inside, index=findings.demand.index)


def _urban(findings: Findings) -> npt.NDArray[np.int8]:
    """Return the urban class of every resident: (demand,), see :func:`counting.urban_class`."""
    return counting.urban_class(findings.demand, findings.districts, findings.villages)


def _unexplained(findings: Findings, result: CircleResult) -> Withheld:
    """Keep back from the start what cannot be counted again from the residents, and so not be checked."""
    name, kept = result.target.id, Withheld()
    people, status = findings.people[name], findings.status[name]
    covered = people.where(status == "covered", 0.0)
    district = (
        findings.demand["district"].astype(str)
        if "district" in findings.demand
        else pd.Series("", index=people.index)
    )
    assert result.count is not None
    rows = {TOTAL: (result.count, people.notna())}
    rows |= {one.code: (one.count, district == one.code) for one in result.districts}
    for code, (count, mine) in rows.items():
        same = np.allclose([count.people, count.covered], [people[mine].sum(), covered[mine].sum()])
        if not same:
            kept.people.add(code)
    groups = _groups(findings, result)
    for one in result.groups:
        own = groups.get(one.group)
        published = (one.count.people, one.count.covered)
        if own is None or not np.allclose(published, (own.sum(), own[status == "covered"].sum())):
            kept.groups.add(one.group)
    if kept.people - {TOTAL} and result.districts:
        kept.people |= {one.code for one in result.districts}
    return kept
