"""Write coverage where residents need several sites as a model over pairs of sites; not solve it.

``need * y <= sum of x`` alone lets half a site beside three other halves count as two. Here every condition
is also multiplied by x of one site and by ``1 - x`` of it: a resident that a site helps to satisfy needs the
others together with that site. The products are variables: X for two sites, z for a site and a resident. See
Sherali and Adams (1990), "A hierarchy of relaxations between the continuous and convex hull representations".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from lifecircle.siting._highs import Model

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._rules import Rules

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Block = tuple[Ints, Ints, Floats | float]

_MOST_TRIPLES = 80_000
"""Products of two sites and a resident that are solved in some ten seconds; residents beyond have none."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Which variable site serves which row that still needs some, by resident, and their pairs.

    Attributes
    ----------
    row, site, resident : (entry,) ascending by resident; ``row`` counts the rows that still need some
    left, owner : (row,) how many sites are missing, and whose row it is
    one, other : (pair,) two entries of one resident, in both orders
    rest : rows of the residents who get no products, as positions among all
    """

    row: Ints
    site: Ints
    resident: Ints
    left: Floats
    owner: Ints
    one: Ints
    other: Ints
    rest: Ints


@dataclass(frozen=True, eq=False)
class Lifted:
    """The model, and the factors of its products: ``site``, ``resident`` of each z, ``ends`` of each X."""

    model: Model
    site: Ints
    resident: Ints
    ends: tuple[Ints, Ints]

    def solution(self, x: Floats, y: Floats) -> Floats:
        """Return a set as variables of the model: x (site,) and y (resident,) are 0 or 1."""
        z = np.minimum(x[self.site], y[self.resident])
        return np.concatenate([x, y, z, x[self.ends[0]] * x[self.ends[1]]])


def lifted_model(rules: Rules, choice: Choice) -> Lifted | None:
    """Return the model, None where it would say no more than the plain one.

    Variables are x for each site that varies, y for each resident, z for each entry, X for each pair of sites
    that serve a resident together.
    """
    entries = _entries(rules, choice)
    if entries is None:
        return None
    sites, people, many = len(choice.variable), len(rules.people), len(entries.row)
    z = sites + people
    low = np.minimum(entries.site[entries.one], entries.site[entries.other])
    high = np.maximum(entries.site[entries.one], entries.site[entries.other])
    kinds, both = np.unique(low * sites + high, return_inverse=True)
    both = z + many + both
    pairs = z + many + np.arange(len(kinds))
    width = z + many + len(kinds)
    every, line = np.arange(many), np.arange(len(kinds))
    rows = choice.rows()
    blocks = [
        *_products(entries, both, sites, z),
        # a product is at most each of its factors
        _table([(every, entries.site, 1.0), (every, z + every, -1.0)], many, width),
        _table([(line, kinds // sites, 1.0), (line, pairs, -1.0)], len(kinds), width),
        _table([(line, kinds % sites, 1.0), (line, pairs, -1.0)], len(kinds), width),
        # of the sites that are needed for a resident, each one counts once
        _table(
            [
                (entries.row, z + every, 1.0),
                (np.arange(len(entries.left)), sites + entries.owner, -entries.left),
            ],
            len(entries.left),
            width,
        ),
    ]
    left = np.maximum(rules.need - rules.times(choice.base()), 0.0)[entries.rest]
    table = csr_array(rules.cover.by_row[entries.rest])[:, choice.variable].tocoo()
    owner = sites + rules.resident[entries.rest]
    blocks.append(
        _table([(table.row, table.col, 1.0), (np.arange(len(left)), owner, -left)], len(left), width)
    )
    if choice.count is not None:
        others = float(choice.wanted + len(choice.movable) + len(choice.closable) - choice.closures - 1)
        ends = np.concatenate([kinds // sites, kinds % sites])
        each = np.arange(sites)
        blocks.append(_table([(each, each, others), (ends, np.tile(pairs, 2), -1.0)], sites, width))
    # Up to two missing sites the products leave y no choice once x is whole.
    whole = np.arange(width) < sites
    whole[sites + entries.owner[entries.left > 2]] = True
    whole[owner[left > 1]] = True
    inner = sum(block.shape[0] for block in blocks)
    blocks = [_widened(block, width) for block in blocks]
    matrix: Any = vstack([*blocks, rows.padded(width)], format="csr")
    model = Model(
        cost=np.concatenate([np.zeros(sites), -rules.people, np.zeros(many + len(kinds))]),
        matrix=csr_array(matrix),
        lower=np.concatenate([np.zeros(inner), rows.lower]),
        upper=np.concatenate([np.full(inner, np.inf), rows.upper]),
        least=np.zeros(width),
        greatest=np.ones(width),
        whole=whole,
    )
    return Lifted(model, entries.site, entries.resident, (kinds // sites, kinds % sites))


def _entries(rules: Rules, choice: Choice) -> Entries | None:
    """Return the entries that count, None where each resident needs one site only."""
    left = np.maximum(rules.need - rules.times(choice.base()), 0.0)
    missing = np.flatnonzero(left > 0)
    many = np.bincount(rules.resident[missing], minlength=len(rules.people))
    if rules.by_group or not len(missing) or many.min() == 0:
        return None
    reach = csr_array(rules.cover.by_row[:, choice.variable])
    size = np.bincount(rules.resident[missing], weights=np.diff(reach.indptr)[missing], minlength=len(many))
    # The products of whoever has few sites in reach cost little; most people for their number come first.
    cost = np.square(size)
    order = np.argsort(-rules.people / np.maximum(cost, 1.0), kind="stable")
    gets = np.zeros(len(many), dtype=np.bool_)
    gets[order[np.cumsum(cost[order]) <= _MOST_TRIPLES]] = True
    # One missing site of one kind is bounded as well without.
    gets[(many == 1) & (np.bincount(rules.resident[missing], weights=left[missing]) <= 1)] = False
    rows = missing[gets[rules.resident[missing]]]
    rows = rows[np.argsort(rules.resident[rows], kind="stable")]
    if not len(rows):
        return None
    table, owner = csr_array(reach[rows]), rules.resident[rows]
    row = np.repeat(np.arange(len(rows)), np.diff(table.indptr))
    resident = owner[row]
    sizes = np.bincount(resident, minlength=len(many))
    first = np.cumsum(sizes) - sizes
    one = np.repeat(np.arange(len(row)), sizes[resident])
    begin = np.cumsum(sizes[resident]) - sizes[resident]
    other = first[resident[one]] + np.arange(len(one)) - begin[one]
    apart = one != other
    rest = missing[~gets[rules.resident[missing]]]
    site = table.indices.astype(np.int64)
    return Entries(row, site, resident, left[rows], owner, one[apart], other[apart], rest)


def _products(entries: Entries, both: Ints, sites: int, z: int) -> list[coo_array]:
    """Return the condition of each row multiplied by each site of its resident and its complement."""
    many = np.bincount(entries.owner)
    first = np.concatenate([[0], np.cumsum(many)])[:-1]
    # a line for each entry and each row of its resident
    entry = np.repeat(np.arange(len(entries.row)), many[entries.resident])
    begin = np.cumsum(many[entries.resident]) - many[entries.resident]
    row = first[entries.resident[entry]] + np.arange(len(entry)) - begin[entry]
    line = np.arange(len(entry))
    left, own = entries.left[row], entries.row[entry] == row
    triple = begin[entries.one] + entries.row[entries.other] - first[entries.resident[entries.one]]
    resident = sites + entries.resident[entry]
    width = int(max(both.max(initial=0), z + len(entries.row))) + 1
    inside = _table([(triple, both, 1.0), (line, z + entry, -(left - own))], len(line), width)
    outside = _table(
        [
            (triple, entries.site[entries.other], 1.0),
            (triple, both, -1.0),
            (line, resident, -left),
            (line, z + entry, left),
        ],
        len(line),
        width,
    )
    # A site that is the only one missing asks nothing of the others.
    asks = csr_array(inside)[np.flatnonzero(left - own > 0)]
    return [coo_array(asks), outside]


def _table(blocks: list[Block], rows: int, width: int) -> coo_array:
    """Return a matrix from rows, columns and factors; factors of the same place are added up."""
    row = np.concatenate([block[0] for block in blocks])
    column = np.concatenate([block[1] for block in blocks])
    factor = np.concatenate([np.broadcast_to(block[2], len(block[0])) for block in blocks])
    return coo_array((factor, (row, column)), shape=(rows, width))


def _widened(block: coo_array, width: int) -> coo_array:
    """Return a matrix with further columns of zeros."""
    return coo_array((block.data, (block.row, block.col)), shape=(block.shape[0], width))
