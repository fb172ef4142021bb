"""Count the people covered, in all or by district; not find the travel times.

Every function is pure: tables in, a table out. Every resident is in exactly one of covered, beyond,
disconnected and unsnapped, so the four add up to the people in every row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.limits import STATUSES, within_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

NO_DISTRICT = "(none)"
"""Name of the row of residents whose district is missing; they are counted."""

_LONG_LEGS_M = (100, 200)
_TIMED = 2
"""Of the statuses, those before this position follow from the seconds."""


def coverage(
    near: pd.DataFrame,
    demand: pd.DataFrame,
    *,
    limit_min: float,
    by: str | Sequence[str] | pd.Series | None = None,
    people: str = "population",
) -> pd.DataFrame:
    """Count the people covered within a limit.

    Covered and beyond are separated by seconds against the limit, which may differ from the limit that
    ``near`` was computed with; disconnected and unsnapped come from the status. The rate is covered /
    people.

    Parameters
    ----------
    near : ``seconds`` and ``status`` per resident, as :func:`lifecircle.reach.nearest` returns for one
        facility or for one rank of several; with a column ``leg_m``, long access legs are counted too
    demand : table on the same index
    limit_min : minutes >= 0, inclusive
    by : column of ``demand``, several of them, or a Series on its index; None is one row ``all``
    people : column of ``demand`` with the people to count, >= 0

    Returns
    -------
    table : one row for each district, sorted, those without one in the row ``(none)`` at the end, with
        ``people``, ``covered``, ``beyond``, ``disconnected``, ``unsnapped`` (people; the four add up to
        the first exactly), ``rate`` (0 to 1, NaN where there are no people) and, where legs are known,
        ``leg_over_100_m`` and ``leg_over_200_m`` (covered people whose leg is longer)

    Raises
    ------
    UnusableInputError
        When the indexes differ, a column is missing, people are negative or missing, a status is
        unknown, or the limit is negative or not finite.

    References
    ----------
    The share of residents within a walking time of a service, as in the 15-minute circle of GB 50180-2018;
    the plan's denominator is the resident population (常住人口).

    >>> near = pd.DataFrame({"seconds": [600.0, 960.0, np.nan], "status": ["covered", "beyond", "unsnapped"]})
    >>> people = pd.DataFrame({"population": [80.0, 15.0, 5.0]})
    >>> coverage(near, people, limit_min=15).loc["all", ["covered", "beyond", "unsnapped", "rate"]].tolist()
    [80.0, 15.0, 5.0, 0.8]
    """
    # Checked in two steps: the values of a column can only be checked when the column is there.
    faults = _missing(near, demand, by=by, people=people, limit_min=limit_min)
    if not faults:
        status = _status_numbers(near)
        faults = _misfits(near, demand, by=by, people=people, known=status >= 0)
    if faults:
        raise UnusableInputError(faults)
    labels, code = _districts(demand, by)
    weight = demand[people].to_numpy(dtype=np.float64)
    bucket = bucket_numbers(near["seconds"].to_numpy(dtype=np.float64), status, limit_min=limit_min)
    many = len(labels)
    counts = bucket_people(bucket, weight, code=code, many=many)
    columns = dict(zip(("people", *STATUSES), counts.T, strict=True))
    columns["rate"] = _share(columns["covered"], columns["people"])
    if "leg_m" in near:
        leg_m = near["leg_m"].to_numpy(dtype=np.float64)
        for metres in _LONG_LEGS_M:
            long = np.where((bucket == 0) & (leg_m > metres), weight, 0.0)
            columns[f"leg_over_{metres}_m"] = _sums(code, long, many)
    return pd.DataFrame(columns, index=labels)


def bucket_numbers(
    seconds: Floats, status: npt.NDArray[np.intp], *, limit_min: float
) -> npt.NDArray[np.intp]:
    """Return the bucket of every resident as its position in the four statuses.

    Covered and beyond follow from the seconds and this limit, which may differ from that of the search;
    disconnected and unsnapped do not depend on a limit.

    Parameters
    ----------
    seconds : (resident,) NaN where there are none
    status : (resident,) position of the status: covered, beyond, disconnected, unsnapped
    limit_min : minutes >= 0, inclusive

    Returns
    -------
    bucket : (resident,) 0 to 3

    >>> bucket_numbers(np.array([600.0, 960.0, np.nan]), np.array([0, 0, 3]), limit_min=15).tolist()
    [0, 1, 3]
    """
    timed = np.where(within_limit(seconds, 60.0 * limit_min), 0, 1)
    return np.where(status < _TIMED, timed, status)


def bucket_people(
    bucket: npt.NDArray[np.intp], people: Floats, *, code: npt.NDArray[np.intp], many: int
) -> Floats:
    """Count the people of every bucket by district, without any check of its arrays.

    Parameters
    ----------
    bucket : (resident,) as :func:`bucket_numbers` returns it
    people : (resident,) >= 0
    code : (resident,) position of the district, 0 to ``many`` - 1
    many : number of districts

    Returns
    -------
    people : (district, 5) all, covered, beyond, disconnected, unsnapped; the four add up to the first exactly

    >>> bucket_people(np.array([0, 3]), np.array([80.0, 5.0]), code=np.array([0, 0]), many=1).tolist()
    [[85.0, 80.0, 0.0, 0.0, 5.0]]
    """
    four = len(STATUSES)
    # One pass for all buckets and districts: every resident has exactly one of the numbers.
    counts = _sums(code * four + bucket, people, many * four).reshape(many, four)
    # Added in one fixed order, so that the four buckets add up to the people to the last bit.
    total = ((counts[:, 0] + counts[:, 1]) + counts[:, 2]) + counts[:, 3]
    return np.column_stack([total, counts])


def bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the bounds of the rate that the unsnapped residents leave open.

    Unsnapped residents are a defect of the data, not a gap in service: with all of them beyond the rate
    is ``lower``, with all of them covered it is ``upper``.

    Parameters
    ----------
    table : as :func:`coverage` returns it

    Returns
    -------
    bounds : on the index of ``table``, ``lower`` and ``upper`` (0 to 1), NaN where there are no people

    References
    ----------
    Bounds without an assumption about missing values: Manski (1990), Nonparametric bounds on treatment
    effects, American Economic Review 80(2).

    >>> table = pd.DataFrame({"people": [100.0], "covered": [80.0], "unsnapped": [5.0]}, index=["all"])
    >>> bounds(table).loc["all"].tolist()
    [0.8, 0.85]
    """
    people, covered, unsnapped = (
        table[name].to_numpy(dtype=np.float64) for name in ("people", "covered", "unsnapped")
    )
    return pd.DataFrame(
        {"lower": _share(covered, people), "upper": np.minimum(_share(covered + unsnapped, people), 1.0)},
        index=table.index,
    )


def _status_numbers(near: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return the position of each status in :data:`STATUSES`, -1 for an unknown one."""
    number: npt.NDArray[np.intp] = pd.Index(STATUSES).get_indexer(pd.Index(near["status"]))
    return number


def _sums(code: npt.NDArray[np.intp], weight: Floats, many: int) -> Floats:
    sums: Floats = np.bincount(code, weights=weight, minlength=many).astype(np.float64)
    return sums


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def _districts(
    demand: pd.DataFrame, by: str | Sequence[str] | pd.Series | None
) -> tuple[pd.Index, npt.NDArray[np.intp]]:
    """Return the districts, sorted, (district,), and the position of each resident's district, (demand,)."""
    if by is None:
        return pd.Index(["all"]), np.zeros(len(demand), dtype=np.intp)
    if isinstance(by, pd.Series):
        return district_codes(by)
    if isinstance(by, str):
        return district_codes(demand[by])
    factors = [district_codes(demand[name]) for name in by]
    sizes = [len(labels) for labels, _ in factors]
    whole = (
        np.ravel_multi_index([code for _, code in factors], sizes)
        if len(demand)
        else np.zeros(0, dtype=np.intp)
    )
    present, code = np.unique(whole, return_inverse=True)
    parts = np.unravel_index(present, sizes) if len(present) else [present] * len(sizes)
    levels = [labels.take(part) for (labels, _), part in zip(factors, parts, strict=True)]
    return pd.MultiIndex.from_arrays(levels, names=list(by)), code


def district_codes(values: pd.Series) -> tuple[pd.Index, npt.NDArray[np.intp]]:
    """Return the districts in order, and the position of each resident's.

    Parameters
    ----------
    values : (resident,) district of each, missing where there is none

    Returns
    -------
    labels : (district,) sorted, ``(none)`` at the end where a resident has none
    code : (resident,) position in ``labels``

    >>> labels, code = district_codes(pd.Series(["b", "a", None]))
    >>> labels.tolist(), code.tolist()
    (['a', 'b', '(none)'], [1, 0, 2])
    """
    code, labels = pd.factorize(values, sort=True)
    missing = code < 0
    if not missing.any():
        return pd.Index(labels, name=values.name), code
    named = np.append(np.asarray(labels, dtype=object), NO_DISTRICT)
    return pd.Index(named, name=values.name), np.where(missing, len(labels), code)


def _missing(
    near: pd.DataFrame,
    demand: pd.DataFrame,
    *,
    by: str | Sequence[str] | pd.Series | None,
    people: str,
    limit_min: float,
) -> list[Fault]:
    """List faults of what is missing: a limit, columns."""
    found = []
    if not (np.isfinite(limit_min) and limit_min >= 0):
        remedy = say("give a finite number of minutes >= 0")
        found.append(_fault("limit_min", limit_min, say("not a limit"), remedy))
    names = [by] if isinstance(by, str) else [] if by is None or isinstance(by, pd.Series) else by
    for table, name, columns in ((near, "near", ("seconds", "status")), (demand, "demand", (people, *names))):
        found += [
            _fault(
                f"{name}, column {column!r}",
                "",
                say("missing column"),
                say("give {name} this column", name=name),
            )
            for column in columns
            if column not in table
        ]
    return found


def _misfits(
    near: pd.DataFrame,
    demand: pd.DataFrame,
    *,
    by: str | Sequence[str] | pd.Series | None,
    people: str,
    known: npt.NDArray[np.bool_],
) -> list[Fault]:
    """List faults of what is there and cannot be counted: other indexes, values."""
    remedy = say(
        "find near for this very demand table; of several ranks, pick one with near.xs(1, level='rank')"
    )
    found = _differences("near", near.index, demand.index, remedy=remedy)
    if isinstance(by, pd.Series):
        found += _differences("by", by.index, demand.index, remedy=say("give by on the index of demand"))
    weight = pd.to_numeric(demand[people], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    usable = np.isfinite(weight) & (weight >= 0)
    remedy = say("give people as numbers >= 0")
    found += _worst(demand[people], usable, say("not a number of people"), remedy)
    remedy = say("use one of {known}", known=", ".join(STATUSES))
    found += _worst(near["status"], known, say("unknown status"), remedy)
    return found


def _fault(place: str, value: object, reason: str, remedy: str) -> Fault:
    return Fault("(table)", place, str(value), reason, remedy)


def _worst(values: pd.Series, good: npt.NDArray[np.bool_], reason: str, remedy: str) -> list[Fault]:
    """Return the fault of the first value that is not good, if there is one."""
    if good.all():
        return []
    at = int(good.argmin())
    return [_fault(f"row {values.index[at]!r}, column {values.name!r}", values.iloc[at], reason, remedy)]


def _differences(name: str, index: pd.Index, demand: pd.Index, *, remedy: str) -> list[Fault]:
    """Return the fault of the first label that differs from the demand table's, if there is one."""
    if index.equals(demand):
        return []
    for position, (left, right) in enumerate(zip(index, demand, strict=False)):
        if left != right:
            reason = say("{name} and demand differ at position {position}", name=name, position=position)
            return [_fault("index", f"{left!r}, {right!r}", reason, remedy)]
    reason = say("{name} and demand differ in length", name=name)
    return [_fault("index", f"{len(index)}, {len(demand)}", reason, remedy)]
