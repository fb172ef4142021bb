"""Join residents to the facilities that reach them, in compiled loops; without searching.

Importing this module imports numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifecircle.compiled import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Labels = npt.NDArray[np.int32]


class Meetings(NamedTuple):
    """Facilities met at each of several places, in ascending order, and the seconds to each from there.

    Those of place p are in ``ptr[p]:ptr[p + 1]``; ``ptr`` (place + 1,), ``venue``, ``seconds`` (meeting,).
    """

    ptr: Longs
    venue: Labels
    seconds: Floats


class Homes(NamedTuple):
    """Residents: the ends of their edge and the seconds to either (inf: no way), each (home,)."""

    u: Longs
    v: Longs
    to_u_s: Floats
    to_v_s: Floats


@kernel
def turn_round(row_ptr: Longs, nodes: Labels, seconds: Floats, at_junction: Meetings) -> None:
    """Turn lists of junctions, one for each facility, into lists of facilities, one for each junction.

    ``row_ptr`` (facility + 1,), ``nodes``, ``seconds`` (meeting,) are what was found; ``at_junction.ptr``
    is zero on entry.
    """
    ptr, venue, time = at_junction
    for node in nodes:
        ptr[node] += 1
    before = np.int64(0)
    for node in range(len(ptr)):
        many = ptr[node]
        ptr[node] = before
        before += many
    for row in range(len(row_ptr) - 1):
        for i in range(row_ptr[row], row_ptr[row + 1]):
            place = ptr[nodes[i]]
            venue[place] = row
            time[place] = seconds[i]
            ptr[nodes[i]] = place + 1
    for node in range(len(ptr) - 1, 0, -1):
        ptr[node] = ptr[node - 1]
    ptr[0] = 0


@kernel
def join(  # noqa: C901, PLR0913, PLR0917 - one loop over three lists at once, and the arrays it works in
    homes: Homes,
    at_junction: Meetings,
    along: Meetings,
    bound_s: float,
    row_ptr: Longs,
    place: Labels,
    seconds: Floats,
) -> None:
    """Join each resident to the facilities met at both ends of the edge and along it, each at its least.

    Parameters
    ----------
    homes : the residents
    at_junction : facilities met at each junction
    along : facilities that each resident meets on the edge itself
    bound_s : seconds, inclusive
    row_ptr : (home + 1,) written when ``place`` is empty: where the pairs of each resident are to stand
    place, seconds : (pair,) written when they are not empty
    """
    writing = len(place) > 0
    ptr, venue, time = at_junction
    at = np.int64(0)
    for home in range(len(homes.u)):
        i, last_i = ptr[homes.u[home]], ptr[homes.u[home] + 1]
        j, last_j = ptr[homes.v[home]], ptr[homes.v[home] + 1]
        d, last_d = along.ptr[home], along.ptr[home + 1]
        to_u_s, to_v_s = homes.to_u_s[home], homes.to_v_s[home]
        while i < last_i or j < last_j or d < last_d:
            lowest = np.int32(2**31 - 1)
            if i < last_i:
                lowest = min(lowest, venue[i])
            if j < last_j:
                lowest = min(lowest, venue[j])
            if d < last_d:
                lowest = min(lowest, along.venue[d])
            least = np.inf
            if i < last_i and venue[i] == lowest:
                least = min(least, to_u_s + time[i])
                i += 1
            if j < last_j and venue[j] == lowest:
                least = min(least, to_v_s + time[j])
                j += 1
            if d < last_d and along.venue[d] == lowest:
                least = min(least, along.seconds[d])
                d += 1
            if least <= bound_s:
                if writing:
                    place[at] = lowest
                    seconds[at] = least
                at += 1
        if not writing:
            row_ptr[home + 1] = at
