"""The choice of a font for maps on paper, and the proof that it has every character they print."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lifecircle.errors import LifecircleError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Asked for by name: a collection's first face is the Japanese one, whose forms of many characters differ.
CJK_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
)
PLAIN_FAMILY = "DejaVu Sans"  # matplotlib brings it along


class FontError(LifecircleError, LookupError):
    """No font on this machine has every character a map prints."""

    def __init__(self, missing: Iterable[str], families: Iterable[str]) -> None:
        shown = " ".join(f"{sign} (U+{ord(sign):04X})" for sign in sorted(set(missing))[:12])
        super().__init__(
            f"no character for {shown} in {', '.join(families)}. Remedy: install a Chinese font, such as "
            f"{CJK_FAMILIES[0]} (on Debian and Ubuntu: apt install fonts-noto-cjk), and draw again"
        )


def families() -> tuple[str, ...]:
    """Name the fonts to draw with: the first Chinese one this machine has, then the plain one."""
    return (*[name for name in CJK_FAMILIES if _file(name)][:1], PLAIN_FAMILY)


def check_characters(texts: Iterable[str]) -> None:
    """Make sure that every character of some texts can be drawn.

    Raises
    ------
    FontError
        With the characters that none of the fonts has.
    """
    used = families()
    known = set().union(*(_characters(_file(name)) for name in used))
    missing = {sign for text in texts for sign in text if sign != "\n" and ord(sign) not in known}
    if missing:
        raise FontError(missing, used)


@cache
def _file(family: str) -> str:
    """Find the file of a family, empty where this machine has none."""
    from matplotlib import font_manager  # noqa: PLC0415 - the extra print is loaded when a map is drawn

    # findfont would take any other font, or the wrong face of a collection, for one that is not there.
    known = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    return str(known.get(family, ""))


@cache
def _characters(file: str) -> frozenset[int]:
    from matplotlib import ft2font  # noqa: PLC0415 - as above

    return frozenset(ft2font.FT2Font(file).get_charmap()) if file else frozenset()
