"""Count whom sites satisfy under any rule: several sites or classes needed, groups of residents.

A resident has one row for each thing it needs, and a row may need several sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, hstack

from lifecircle.siting._cover import Cover, merge_rows
from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

TIE = 1e-4
"""Weight of the share of all people beside the least share of a group, while sets are searched."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Residents, what they need, and the value of a set of sites for them.

    Attributes
    ----------
    cover : rows and sites
    need, resident : (row,) how many sites, and whose row it is
    people : (resident,)
    group, groups : (resident,) position of the group whose least share counts, and how many groups there
        are; 0 where people count, and groups mean nothing
    in_group : (group,) people of each group, those included that need nothing any more
    settled : (group,) or, without groups, (1,): people that are satisfied whatever is chosen
    """

    cover: Cover
    need: Ints
    resident: Ints
    people: Floats
    group: Ints
    groups: int
    in_group: Floats
    settled: Floats

    @property
    def by_group(self) -> bool:
        """Return whether the least share of a group counts, not people."""
        return self.groups > 0

    def times(self, is_open: Bools) -> Floats:
        """Return the number of open sites of each row: (row,)."""
        return np.asarray(self.cover.by_row @ is_open.astype(np.float64))

    def satisfied(self, times: Floats) -> Bools:
        """Return which residents have enough sites in all rows: (resident,)."""
        lacking = totals(self.resident, times < self.need, len(self.people))
        return np.asarray(lacking == 0)

    def value(self, is_open: Bools) -> float:
        """Return the people satisfied, or the least share of a group."""
        done = self.people * self.satisfied(self.times(is_open))
        if not self.by_group:
            return float(done.sum() + self.settled.sum())
        return float(self._fairnesses(self._by_group(done)[np.newaxis, :])[0])

    def gains(self, is_open: Bools) -> Floats:
        """Return what each site would add: (site,)."""
        return self._with_each(self.times(is_open), self.cover.by_site) - self.value(is_open)

    def promises(self, is_open: Bools) -> Floats:
        """Return what each site would add if people counted in part for each need that is met: (site,)."""
        # Where a rule needs several sites, the first of them satisfies nobody yet: people counted in part
        # lead a greedy choice to pairs of sites that do.
        missing = np.maximum(self.need - self.times(is_open), 0.0)
        left = totals(self.resident, missing, len(self.people))
        worth = self.people[self.resident] / np.maximum(left, 1.0)[self.resident]
        if self.by_group:
            worth = worth / self._size()[self.group[self.resident]]
        return np.asarray(self.cover.by_site @ np.where(missing > 0, worth, 0.0))

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return what each exchange would add: (out, in)."""
        times, by_site = self.times(is_open), self.cover.by_site
        part = by_site[ins]
        worths = np.empty((len(outs), len(ins)))
        for place, out in enumerate(outs.tolist()):
            rows = by_site.indices[by_site.indptr[out] : by_site.indptr[out + 1]]
            # Close the site on the shared counts and open it again after: copying them for each exchange is
            # slower.
            times[rows] -= 1
            worths[place] = self._with_each(times, part)
            times[rows] += 1
        answer: Floats = worths - self.value(is_open)
        return answer

    def _with_each(self, times: Floats, by_site: Any) -> Floats:
        """Return the value with each site added to a set that serves rows so many times: (site,).

        A site satisfies the residents whose only missing need it meets; it is in one row of a resident at
        most.
        """
        missing = self.need - times
        open_rows = totals(self.resident, missing > 0, len(self.people))
        counts = (missing == 1) & (open_rows[self.resident] == 1)
        worth = np.where(counts, self.people[self.resident], 0.0)
        done = self.people * (open_rows == 0)
        if not self.by_group:
            return np.asarray(by_site @ worth) + float(done.sum() + self.settled.sum())
        rows = np.flatnonzero(counts)
        group = self.group[self.resident[rows]]
        spread = csr_array((worth[rows], (rows, group)), shape=(len(worth), self.groups))
        return self._fairnesses((by_site @ spread).toarray() + self._by_group(done))

    def _by_group(self, done: Floats) -> Floats:
        return totals(self.group, done, self.groups) + self.settled

    def _size(self) -> Floats:
        return np.where(self.in_group > 0, self.in_group, 1.0)

    def _fairnesses(self, reached: Floats) -> Floats:
        """Return the least share for each row of people by group, plus a small part of the share of all."""
        share = np.where(self.in_group > 0, reached / self._size(), 1.0)
        answer: Floats = share.min(axis=1) + TIE * reached.sum(axis=1) / max(1.0, float(self.in_group.sum()))
        return answer


def rules_of(  # noqa: PLR0913 - everything residents ask for
    by_row: csr_array, need: Ints, resident: Ints, people: Floats, choice: Choice, *, group: Ints, groups: int
) -> Rules:
    """Leave out residents satisfied in any case or never, and merge those who need the same."""
    # Whoever is satisfied anyway or never is left out: often that is most residents, and every later step
    # costs by the resident.
    may_open = choice.base()
    may_open[choice.variable] = True
    base = np.asarray(by_row @ choice.base().astype(np.float64))
    able = np.asarray(by_row @ may_open.astype(np.float64))
    # Three kinds of residents: satisfied whatever is chosen, never to be satisfied, and those who decide.
    lacking = totals(resident, base < need, len(people))
    hopeless = totals(resident, able < need, len(people)) > 0
    done, alive = lacking == 0, (lacking > 0) & ~hopeless & (people > 0)
    in_group = totals(group[group >= 0], people[group >= 0], groups)
    if groups:
        settled = totals(group[done & (group >= 0)], people[done & (group >= 0)], groups)
        alive &= group >= 0
    else:
        settled = np.array([people[done].sum()])
    rows = np.flatnonzero(alive[resident])
    number = np.cumsum(alive) - 1
    left, needs, owner = csr_array(by_row[rows]), need[rows], number[resident[rows]]
    heads, groups_left = people[alive], group[alive]
    # Only residents of one row can be merged; of several rows each belongs to its own resident.
    if len(rows) == len(heads) and np.array_equal(owner, np.arange(len(rows))):
        left, heads, first = _merged(left, needs, groups_left, heads)
        needs, groups_left, owner = needs[first], groups_left[first], np.arange(len(heads))
    cover = Cover.of(left, heads[owner])
    return Rules(cover, needs, owner, heads, groups_left, groups, in_group, settled)


def _merged(by_row: csr_array, need: Ints, group: Ints, people: Floats) -> tuple[csr_array, Floats, Ints]:
    """Merge all rows with the same sites, need and group."""
    kinds = np.unique(np.stack([need, group]), axis=1, return_inverse=True)[1].ravel()
    many = int(kinds.max(initial=-1)) + 1
    marks = csr_array((np.ones(len(kinds)), (np.arange(len(kinds)), kinds)), shape=(len(kinds), many))
    marked = csr_array(hstack([by_row, marks], format="csr"))
    marked.sort_indices()
    merged, summed, first = merge_rows(marked, people)
    return csr_array(merged[:, : by_row.shape[1]]), summed, first


def plain_value(rules: Rules, is_open: Bools) -> float:
    """Return the people satisfied, or the least share of a group and nothing else."""
    value = rules.value(is_open)
    if not rules.by_group:
        return value
    done = rules.people * rules.satisfied(rules.times(is_open))
    reached = totals(rules.group, done, rules.groups) + rules.settled
    counts = rules.in_group > 0
    return float((reached[counts] / rules.in_group[counts]).min(initial=1.0))
