"""Match the register of a year with that of the year before: what is one venue, what only one list has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecircle.audit import prepare_other
from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.errors import UnusableInputError, say
from lifecircle.facilities import YearRegister, open_in, same_facilities
from lifecircle.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lifecircle.audit import Inputs


def years_matched(inputs: Inputs) -> Iterator[Problem]:
    """Report how the venues of this year's files and last year's were matched; nothing where they are one.

    The rules are those of ``lifecircle compare`` (see :func:`lifecircle.facilities.same_facilities`), so that
    what stands here is what an account of the change is made of.
    """
    if not _has_files_of_its_own(inputs):
        return
    try:
        before = prepare_other(inputs, inputs.year - 1)
    except UnusableInputError as error:
        if error.of_system:
            raise
        yield Problem(
            "note",
            "year_before",
            "facilities",
            len(error.faults),
            say("the files of {year} cannot be read, so that venues are not matched", year=inputs.year - 1),
            say("check that year on its own: lifecircle check STUDY --year {year}", year=inputs.year - 1),
            tuple(one_line(str(fault), 200) for fault in error.faults[:SAMPLES]),
            say("moves no rate of this year"),
        )
        return
    first, second = (YearRegister(one.register, inputs.crs) for one in (before, inputs))
    mine, theirs = first.open_rows(before.year), second.open_rows(inputs.year)
    same = same_facilities(first, second, mine, theirs)
    yield from _other_names(first, second, same.pairs, same.rule)
    yield from _gone(first, second, np.setdiff1d(mine, same.pairs[:, 0]), same.pairs)
    yield from _come(second, np.setdiff1d(theirs, same.pairs[:, 1]), before.year)


def _has_files_of_its_own(inputs: Inputs) -> bool:
    """Return whether a list of the year before is another file than this year's."""
    study = inputs.study
    try:
        return any(
            study.path_in(part.file, inputs.year) != study.path_in(part.file, inputs.year - 1)
            for part in study.facilities
        )
    except UnusableInputError:
        return False  # there is no file of a year before


def _other_names(
    first: YearRegister,
    second: YearRegister,
    pairs: npt.NDArray[np.intp],
    rules: npt.NDArray[np.object_],
) -> Iterator[Problem]:
    """Report venues of both years under another name or id: renamed, no closure and no opening."""
    rows, places = [], []
    for (a, b), rule in zip(pairs.tolist(), rules, strict=True):
        other_id = first.id[a] != second.id[b] and bool(first.id[a] or second.id[b])
        if first.name[a] == second.name[b] and not other_id:
            continue
        ids = f"{first.table.index[a]} → {second.table.index[b]}"
        rows.append(f"{ids}: {first.called[a]} → {second.called[b]} ({_RULES[str(rule)]})")
        places.append(b)
    if rows:
        yield _note(
            "matched",
            rows,
            say("venues of both years under another name or id: renamed, not closed and opened"),
            say("compare the pairs; give a venue the same id every year"),
            _points(second, places),
        )


_RULES = {"id": "id", "name": "name", "like_name": "like name", "place": "place"}


def _gone(
    first: YearRegister, second: YearRegister, gone: npt.NDArray[np.intp], pairs: npt.NDArray[np.intp]
) -> Iterator[Problem]:
    """Report venues that the later list has no more and says nothing of."""
    rest = np.setdiff1d(np.arange(len(second.table)), pairs[:, 1])
    still = set(same_facilities(first, second, gone, rest).pairs[:, 0].tolist())
    dated = first.table["closed"].notna().to_numpy(dtype=bool)
    lost = [row for row in gone.tolist() if row not in still and not dated[row]]
    if lost:
        yield _note(
            "not_listed",
            [f"{first.table.index[row]} {first.called[row]}" for row in lost],
            say("venues of the year before that the list has no more, without a day of closing"),
            say("keep the row and write the day it closed, or its id if it was renamed"),
            _points(first, lost),
        )


def _come(second: YearRegister, come: npt.NDArray[np.intp], year: int) -> Iterator[Problem]:
    """Report venues new in the list that say they were open the year before, or say nothing."""
    then = open_in(second.table, year).to_numpy(dtype=bool)
    late = [row for row in come.tolist() if then[row]]
    if late:
        yield _note(
            "listed_late",
            [f"{second.table.index[row]} {second.called[row]}" for row in late],
            say("venues new in the list, though open the year before by their own row, or without a day"),
            say("write the day each opened; a late entry restates the year before and is no progress"),
            _points(second, late),
        )


def _note(
    kind: str,
    rows: Sequence[str],
    reason: str,
    remedy: str,
    places: tuple[tuple[float, float], ...],
) -> Problem:
    effect = say("moves no rate of this year, but what compare says of the change")
    return Problem(
        "note", kind, "facilities", len(rows), reason, remedy, tuple(rows[:SAMPLES]), effect, places
    )


def _points(register: YearRegister, rows: Sequence[int]) -> tuple[tuple[float, float], ...]:
    shapes = register.table.geometry.iloc[list(rows)]
    shapes = shapes[shapes.notna() & ~shapes.is_empty]
    return tuple(zip(shapes.x.tolist(), shapes.y.tolist(), strict=True))[:SAMPLES]
