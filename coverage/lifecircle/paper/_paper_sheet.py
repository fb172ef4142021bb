"""A sheet of paper measured in millimetres: texts, boxes and marks on it, and files of one sheet or of many.

What is drawn is decided elsewhere; matplotlib, of the extra print, is loaded when a sheet is made.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lifecircle.errors import Fault, MissingExtraError, UnusableInputError, say
from lifecircle.files import written
from lifecircle.paper._fonts import check_characters, families

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Size = Literal["A4", "A3"]


@dataclass(frozen=True)
class Paper:
    """Paper that lies: millimetres, and how large its type and marks are beside those of A4.

    Larger paper has a larger map, and only a little larger type: it is read from a little further off.
    """

    wide: float
    high: float
    factor: float


PAPERS: dict[str, Paper] = {"A4": Paper(297.0, 210.0, 1.0), "A3": Paper(420.0, 297.0, 1.15)}
FORMATS = ("png", "svg", "pdf")
DPI = 300
"""Dots an inch of a picture that is to be printed."""
EDGE = 9.0
"""Millimetres at the sides that stay empty."""

INK, QUIET, RED, FRAME_COLOUR = "#1b2430", "#4a5565", "#a3123a", "#59636f"
PICTURE_FACTS = {"Software": "lifecircle"}
PICTURE_MARK = b"Software\0lifecircle"
"""What every picture holds, so that one of another program is never replaced."""
_NOTHING_OF_TIME: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_QUICK_PNG = 3  # of zlib's nine: two thirds of the usual time, and a file a tenth larger
_MM_PER_PT = 25.4 / 72
_ASCENT = 0.88  # of the type, from its top to the line that it stands on


class Sheet:
    """A sheet that lies, measured in millimetres from its lower left corner.

    Attributes
    ----------
    figure : the matplotlib figure
    paper : its size, and the size of its type
    texts : all that was written on it
    """

    def __init__(self, figure: Any, paper: Paper) -> None:
        self.figure = figure
        self.paper = paper
        self.texts: list[str] = []

    @property
    def factor(self) -> float:
        """How large type and marks are beside those of A4."""
        return self.paper.factor

    def text(self, place: tuple[float, float], text: str, *, size: float = 7.5, **looks: Any) -> None:
        """Write a line on the sheet, its upper left corner at the place.

        Lines stand on their baseline, or figures and Chinese beside them would stand at two heights.
        """
        if not text:
            return
        self.texts.append(text)
        looks = {"color": INK, "va": "baseline", "parse_math": False} | looks
        base = place[1] - _ASCENT * size * self.factor * _MM_PER_PT
        x, y = place[0] / self.paper.wide, base / self.paper.high
        self.figure.text(x, y, text, fontsize=size * self.factor, **looks)

    def on(
        self, axes: Any, place: tuple[float, float], text: str, *, size: float = 7.5, **looks: Any
    ) -> None:
        """Write a text on a map, in a halo."""
        from matplotlib import patheffects  # noqa: PLC0415 - the extra print is loaded when a sheet is made

        self.texts.append(text)
        halo = [patheffects.withStroke(linewidth=2.2 * self.factor, foreground="white")]
        looks = {"color": INK, "ha": "center", "va": "center", "parse_math": False} | looks
        axes.text(*place, text, fontsize=size * self.factor, path_effects=halo, clip_on=True, **looks)

    def box(self, place: tuple[float, float], wide: float, high: float, **looks: Any) -> None:
        """Draw a rectangle on the sheet from its lower left corner."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

        corner = (place[0] / self.paper.wide, place[1] / self.paper.high)
        frame: dict[str, Any] = {"edgecolor": FRAME_COLOUR, "linewidth": 0.5 * self.factor, **looks}
        across, up = wide / self.paper.wide, high / self.paper.high
        self.figure.add_artist(Rectangle(corner, across, up, transform=self.figure.transFigure, **frame))

    def rules(self, lines: Iterable[tuple[float, float, float]], **looks: Any) -> None:
        """Draw level lines, each of left, right and height."""
        from matplotlib.collections import LineCollection  # noqa: PLC0415 - as above

        wide, high = self.paper.wide, self.paper.high
        ends = [[(left / wide, y / high), (right / wide, y / high)] for left, right, y in lines]
        frame: dict[str, Any] = {"colors": "#cfd6de", "linewidths": 0.4 * self.factor, **looks}
        self.figure.add_artist(LineCollection(ends, transform=self.figure.transFigure, **frame))

    def mark(self, place: tuple[float, float], marker: Any, **looks: Any) -> None:
        """Draw a symbol on the sheet."""
        from matplotlib.lines import Line2D  # noqa: PLC0415 - as above

        looks = {"markersize": 5.2 * self.factor} | looks
        x, y = place[0] / self.paper.wide, place[1] / self.paper.high
        self.figure.add_artist(
            Line2D([x], [y], marker=marker, linestyle="", transform=self.figure.transFigure, **looks)
        )

    def axes(self, left: float, bottom: float, wide: float, high: float) -> Any:
        """Make room for a map, without any scale at its sides."""
        paper = self.paper
        shape = (left / paper.wide, bottom / paper.high, wide / paper.wide, high / paper.high)
        axes = self.figure.add_axes(shape)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_autoscale_on(False)  # the extent is given, and asking every shape for its own takes long
        return axes


class Column:
    """A column of a sheet that is written from the top down.

    Attributes
    ----------
    y : height of the next line
    """

    def __init__(self, sheet: Sheet, x: float, y: float, wide: float) -> None:
        self.sheet, self.x, self.y, self.wide = sheet, x, y, wide

    @property
    def factor(self) -> float:
        """Size of type and distances, beside those of A4."""
        return self.sheet.factor

    def paragraph(self, text: str, *, size: float = 7.5, step: float | None = None, **looks: Any) -> None:
        """Write a text in as many lines as it takes."""
        for line in wrapped(text, self.wide, size * self.factor):
            self.sheet.text((self.x, self.y), line, size=size, **looks)
            self.down(step or size * 0.48)

    def heading(self, text: str) -> None:
        """Write what the following lines are about."""
        self.sheet.text((self.x, self.y), text, size=7.5, weight="bold", color=QUIET)
        self.down(4.2)

    def down(self, step: float) -> None:
        """Leave room, in millimetres of A4."""
        self.y -= step * self.factor


# ---------------------------------------------------------------------------------------------------------
# Files


def check_format(path: Path, size: str) -> str:
    """Return the format that the ending of a name asks for.

    Raises
    ------
    UnusableInputError
        When the format or the size of the paper is not known, with both faults.
    """
    ending = path.suffix.removeprefix(".").lower()
    faults = []
    if ending not in FORMATS:
        remedy = say("end the name in {known}", known=", ".join(FORMATS))
        faults.append(Fault(path.name, "", ending, say("no format for a map"), remedy))
    if size not in PAPERS:
        remedy = say("use one of {known}", known=", ".join(PAPERS))
        faults.append(Fault("(map)", "size", size, say("no such size of paper"), remedy))
    if faults:
        raise UnusableInputError(faults)
    return ending


@contextmanager
def _styled() -> Iterator[Any]:
    """Set how everything looks, and yield the class of figures.

    Raises
    ------
    MissingExtraError
        When matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - the extra print is loaded when a sheet is made
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtraError("matplotlib", "print") from None
    looks: Any = {
        "font.family": list(families()),
        "svg.hashsalt": "lifecircle",
        "svg.fonttype": "path",
        # The other kind, 42, writes the Chinese fonts that are built of curves as what they are not: readers
        # other than that of Chromium then show other characters, or none.
        "pdf.fonttype": 3,
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.6,
    }

    def figure(paper: Paper, dpi: int) -> Any:
        """Make an empty figure of the size of a paper."""
        made = Figure(figsize=(paper.wide / 25.4, paper.high / 25.4), dpi=dpi, facecolor="white")
        FigureCanvasAgg(made)
        return made

    with mpl.rc_context(looks):
        yield figure


def save_sheet(draw: Callable[[Sheet], None], path: Path, *, size: str, dpi: int | None = None) -> Path:
    """Draw one sheet and write it; the format follows the ending of the name.

    Raises
    ------
    UnusableInputError
        When the format or the size is not known.
    FontError
        When no font on this machine has every character.
    MissingExtraError
        When matplotlib is not installed.
    """
    ending, dots = check_format(path, size), dpi or DPI
    with _styled() as figure:
        sheet = Sheet(figure(PAPERS[size], dots), PAPERS[size])
        draw(sheet)
        check_characters(sheet.texts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as scratch:
            if ending == "png":
                _save_png(sheet.figure, scratch, dots)
            else:
                sheet.figure.savefig(scratch, format=ending, metadata=_NOTHING_OF_TIME[ending], dpi=dots)
    return path


def _save_png(figure: Any, path: Path, dots: int) -> None:
    """Write a picture as PNG without transparency, which no sheet has: a quarter less to pack."""
    from PIL import Image, PngImagePlugin  # noqa: PLC0415 - matplotlib brings it along

    figure.canvas.draw()
    pixels = np.ascontiguousarray(np.asarray(figure.canvas.buffer_rgba())[:, :, :3])
    facts = PngImagePlugin.PngInfo()
    for name, text in PICTURE_FACTS.items():
        facts.add_text(name, text)
    Image.fromarray(pixels).save(path, "png", dpi=(dots, dots), pnginfo=facts, compress_level=_QUICK_PNG)


def save_book(draws: Iterable[Callable[[Sheet], None]], path: Path, *, size: str) -> None:
    """Draw sheets as the pages of one PDF; the same sheets and fonts give the same bytes.

    Raises
    ------
    FontError
        When no font on this machine has every character.
    MissingExtraError
        When matplotlib is not installed.
    """
    check_format(path, size)
    with _styled() as figure:
        from matplotlib.backends.backend_pdf import PdfPages  # noqa: PLC0415 - the extra print is there

        with PdfPages(path, metadata=_NOTHING_OF_TIME["pdf"]) as book:
            for draw in draws:
                sheet = Sheet(figure(PAPERS[size], DPI), PAPERS[size])
                draw(sheet)
                check_characters(sheet.texts)
                book.savefig(sheet.figure, dpi=DPI)


# ---------------------------------------------------------------------------------------------------------
# Text that has to fit


def wrapped(text: str, wide_mm: float, size_pt: float) -> list[str]:
    """Break a text into lines of a width; a Chinese character is as wide as the type, others about half.

    >>> wrapped("四个汉字", 5.7, 7.5), wrapped("one two", 10.0, 7.5)
    (['四个', '汉字'], ['one', 'two'])
    """
    lines, line, used = [], "", 0.0
    room = wide_mm / _MM_PER_PT / size_pt
    for part in _parts(text, room):
        ems = _ems(part)
        if line and used + ems > room + 1e-9 and part not in "，。；：、）":
            lines.append(line.rstrip())
            line, used = "", 0.0
            if part == " ":
                continue
        line, used = line + part, used + ems
    return [*lines, line.rstrip()]


def shortened(text: str, wide_mm: float, size_pt: float) -> str:
    """Cut a text to one line of a width.

    >>> shortened("四个汉字", 8.5, 7.5), shortened("四个汉字", 20.0, 7.5)
    ('四个…', '四个汉字')
    """
    kept = text
    while len(kept) > 1 and wide_mm_of(kept, size_pt) > wide_mm:
        kept = kept.removesuffix("…")[:-1] + "…"
    return kept


def wide_mm_of(text: str, size_pt: float) -> float:
    """Estimate how wide a text is, in millimetres."""
    return _ems(text) * size_pt * _MM_PER_PT


def _ems(text: str) -> float:
    return sum(1.0 if ord(sign) > 0x2E7F else 0.54 for sign in text)


def _parts(text: str, room: float) -> Iterator[str]:
    """Yield the pieces of a text that a line may end after: words, spaces, single Chinese characters.

    A word that is wider than a line is cut into pieces that are not.
    """
    word = ""
    for sign in text:
        if sign == " " or ord(sign) > 0x2E7F:
            if word:
                yield word
            yield sign
            word = ""
        elif word and _ems(word + sign) > room:
            yield word
            word = sign
        else:
            word += sign
    if word:
        yield word
