"""Tables on paper: how high their rows are, how they flow over columns and pages, and their drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecircle.paper._paper_sheet import QUIET, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.paper._paper_sheet import Column

_TITLE, _LINE, _PAD, _AFTER = 4.6, 3.1, 0.7, 2.2  # millimetres of A4
_SIZE, _HEAD_SIZE, _GAP = 7.0, 6.3, 1.2


@dataclass(frozen=True)
class Table:
    """A table for paper.

    ``shares`` : of the width, one for each column; ``left`` : how many columns stand at their left; the
    others, which hold numbers, stand at their right; ``note`` : said under the last row; ``bold`` : rows.
    """

    title: str
    heads: tuple[str, ...]
    shares: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    note: str = ""
    bold: frozenset[int] = frozenset()

    def lines(
        self, cells: Sequence[str], wide: float, factor: float, *, head: bool = False
    ) -> list[list[str]]:
        """Break the cells of a row into the lines that fit their columns."""
        size = (_HEAD_SIZE if head else _SIZE) * factor
        return [
            wrapped(text, share * wide - _GAP * factor, size)
            for text, share in zip(cells, self.shares, strict=True)
        ]

    def head_high(self, wide: float, factor: float) -> float:
        """Return how high title and head are, in millimetres."""
        count = max(len(one) for one in self.lines(self.heads, wide, factor, head=True))
        return (_TITLE + count * _LINE + _PAD) * factor

    def row_high(self, row: int, wide: float, factor: float) -> float:
        """Return how high a row is, in millimetres; the last has the note under it."""
        count = max(len(one) for one in self.lines(self.rows[row], wide, factor))
        last = row == len(self.rows) - 1
        below = len(wrapped(self.note, wide, _HEAD_SIZE * factor)) if last and self.note else 0
        return (count * _LINE + _PAD + below * _LINE + (_AFTER if last else 0.0)) * factor


@dataclass(frozen=True)
class Room:
    """Room for tables: a column of a page, counted from 0; ``high``, ``wide`` in millimetres."""

    wide: float
    high: float


@dataclass(frozen=True)
class Piece:
    """Rows of a table that stand together: ``first`` to before ``last``, in a room, so far below its top."""

    table: Table
    first: int
    last: int
    room: int
    below: float


def flowed(tables: Sequence[Table], first: Room, others: Room, factor: float) -> list[Piece]:
    """Put tables below each other into a first room and as many others as they take; no row is cut or lost.

    The head stands again wherever a table goes on. A row higher than a room has a room of its own.

    >>> table = Table("", ("a",), (1.0,), tuple(("x",) for _ in range(9)))
    >>> [(one.first, one.last, one.room) for one in flowed([table], Room(50, 20), Room(50, 30), 1.0)]
    [(0, 3, 0), (3, 8, 1), (8, 9, 2)]
    """
    pieces: list[Piece] = []
    number, used = 0, 0.0
    for table in (table for table in tables if table.rows):
        row = 0
        while row < len(table.rows):
            room = others if number else first
            high = table.head_high(room.wide, factor)
            begin, last, below = used, row, used + high
            while last < len(table.rows):
                step = table.row_high(last, room.wide, factor)
                if below + step > room.high + 1e-6 and (last > row or used > 0 or number == 0):
                    break
                below, last = below + step, last + 1
            if last > row:
                pieces.append(Piece(table, row, last, number, begin))
                row, used = last, below
            if row < len(table.rows):
                number, used = number + 1, 0.0
    return pieces


def draw_piece(piece: Piece, column: Column, top: float, continued: str) -> None:
    """Draw rows of a table under its head.

    Parameters
    ----------
    column : the room, from its top
    top : height of the room's top on the sheet
    continued : said after the title where the table began elsewhere
    """
    table, sheet, k = piece.table, column.sheet, column.factor
    y = top - piece.below
    title = table.title + (continued if piece.first and table.title else "")
    sheet.text((column.x, y), title, size=7.5, weight="bold", color=QUIET)
    y -= _TITLE * k
    heads = table.lines(table.heads, column.wide, k, head=True)
    _cells(table, heads, column, y, size=_HEAD_SIZE, color=QUIET)
    y -= (max(map(len, heads)) * _LINE + _PAD) * k
    rules = [(column.x, column.x + column.wide, y + 0.5 * k)]
    for row in range(piece.first, piece.last):
        cells = table.lines(table.rows[row], column.wide, k)
        _cells(table, cells, column, y, weight="bold" if row in table.bold else "normal")
        y -= (max(map(len, cells)) * _LINE + _PAD) * k
        rules.append((column.x, column.x + column.wide, y + 0.5 * k))
    sheet.rules(rules)
    if piece.last == len(table.rows) and table.note:
        for line in wrapped(table.note, column.wide, _HEAD_SIZE * k):
            sheet.text((column.x, y), line, size=_HEAD_SIZE, color=QUIET)
            y -= _LINE * k


def _cells(table: Table, cells: list[list[str]], column: Column, y: float, **looks: Any) -> None:
    x, k = column.x, column.factor
    for number, (lines, share) in enumerate(zip(cells, table.shares, strict=True)):
        place, facts = x, {"size": _SIZE} | looks
        if number >= table.left:
            last = number == len(cells) - 1
            place, facts = x + share * column.wide - (0.0 if last else _GAP * k), facts | {"ha": "right"}
        for line, text in enumerate(lines):
            column.sheet.text((place, y - line * _LINE * k), text, **facts)
        x += share * column.wide
