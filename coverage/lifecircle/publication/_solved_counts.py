"""Which counts follow from others by adding and subtracting any multiples of them: linear algebra, no policy.

A count is a sum over kinds of people, whose numbers nobody knows; it is known exactly where its row of zeros
and ones is a combination of the rows that are printed. All that is needed of the rows are their products with
each other, so thousands of residents cost no more than dozens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

_RANK = 1e-10  # of the largest eigenvalue: below it a direction is noise
_FOLLOWS = 1e-6  # of a count's own square: less than this is left over where it follows
_USED = 1e-7  # smaller multiples are noise


@dataclass(frozen=True, eq=False)
class Equations:
    """Counts that are printed, as equations.

    ``products`` : (count, count) of the rows of all counts with each other; ``printed`` : places of those
    that are printed.
    """

    products: Matrix
    printed: Places

    @cached_property
    def _directions(self) -> tuple[Matrix, Matrix]:
        """The products of the printed counts as (value,) and (printed, value), without what is noise."""
        values, vectors = np.linalg.eigh(self.products[np.ix_(self.printed, self.printed)])
        kept = values > _RANK * max(float(values.max(initial=0.0)), 1.0)
        return values[kept], vectors[:, kept]

    @cached_property
    def _inverse(self) -> Matrix:
        values, vectors = self._directions
        inverse: Matrix = (vectors / values) @ vectors.T
        return inverse

    def following(self, secret: Matrix) -> Places:
        """Return which secrets follow from what is printed.

        Parameters
        ----------
        secret : (secret, count) each a combination of counts, printed or not

        >>> whole, half, other = np.eye(2)[[0, 0]].sum(axis=0) / 2 + [0, 1], [1.0, 0.0], [0.0, 1.0]
        >>> rows = np.array([whole, half, other])
        >>> Equations(rows @ rows.T, np.array([0, 1])).following(np.eye(3)[[2]]).tolist()
        [0]
        """
        across = secret @ self.products
        own = np.einsum("ij,ij->i", across, secret)
        seen = across[:, self.printed]
        left = own - np.einsum("ij,ij->i", seen @ self._inverse, seen)
        places: Places = np.flatnonzero(left < _FOLLOWS * np.maximum(own, 1.0))
        return places

    def used(self, secret: Matrix) -> Places:
        """Return the places of the printed counts that one secret, (count,), is found from."""
        multiples = self._inverse @ (secret @ self.products)[self.printed]
        places: Places = self.printed[np.abs(multiples) > _USED * np.abs(multiples).max()]
        return places

    def without_substitute(self) -> Places:
        """Return the places of the printed counts that do not follow from the other printed ones.

        A secret that is found from such a count is not found without it: every other way to the secret would
        be a way to the count.

        >>> rows = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> Equations(rows @ rows.T, np.arange(4)).without_substitute().tolist()
        [3]
        """
        _, vectors = self._directions
        apart = 1.0 - np.einsum("ij,ij->i", vectors, vectors)  # how far each is in equations among the others
        places: Places = self.printed[apart < _FOLLOWS]
        return places
