"""Hold the colours and the limits of classes of every map, and print what a class is called."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecircle.wording import Words

RATE_BREAKS = (0.5, 0.7, 0.85, 0.95)
OVER_BREAKS_MIN = (5, 15)
# They differ in lightness, also under every colour blindness: pale blue, oranges to brown, violet; the ground
# in warm greys, so that the pale blue of the covered shows on it.
CELL_COLOURS = {
    "covered": "#9ccae6",
    "beyond_0": "#fdae61",
    "beyond_1": "#e0601f",
    "beyond_2": "#8c2d04",
    "disconnected": "#54278f",
    "unsnapped": "#4d4d4d",
    "uncounted": "#dedbd2",
    "over": "#b0145a",
    "under": "#00695c",
    "newly": "#1a5fd6",
    "gained": "#1a5fd6",
    "lost": "#6b1f02",
    "kept": "#b9d9ea",
    "still": "#f5c07f",
}
RESIDENT_CLASSES = ("uncounted", "covered", "beyond_0", "beyond_1", "beyond_2", "disconnected", "unsnapped")
"""Classes of residents in the order of drawing: what matters most is drawn last, as on the page."""
RATE_COLOURS = ("#918b82", "#b1aba2", "#ccc7c0", "#e4e1dc", "#f8f7f5")
NO_RATE_COLOUR = "#ffffff"
AREA_COLOURS = {"reached": "#9ccae6", "below": "#fdae61", "unknown": "#dedbd2"}
"""Colours of districts that are judged; as those of residents covered and too far."""
STEP_COLOURS = ("#f6f4f1", "#e4e0da", "#d0cac1", "#bbb3a8", "#a59c8f")
"""Colours of districts whose values no goal judges, the lowest value first."""
UNIT_COLOURS = {"holds": "#1b6ca8", "lacks": "#b0145a", "unknown": "#6b7683"}
VENUE_COLOUR = "#12304a"


def class_text(name: str, minutes: float, words: Words) -> str:
    """Print what a class of residents is called.

    Parameters
    ----------
    name : one of :data:`RESIDENT_CLASSES`
    minutes : limit of the target
    words : the words of a language

    Returns
    -------
    text : as in the legend

    >>> from lifecircle.wording import Words
    >>> class_text("beyond_1", 15.0, Words("en"))
    '5–15 min too far'
    """
    low, high = OVER_BREAKS_MIN
    facts = {"low": low if name == "beyond_1" else high, "high": low if name == "beyond_0" else high}
    return words.format("page", name, minutes=f"{minutes:g}", **facts)


def rate_texts(words: Words) -> list[str]:
    """Print the classes of rates, from the lowest.

    Parameters
    ----------
    words : the words of a language

    Returns
    -------
    texts : one for each of :data:`RATE_COLOURS`

    >>> from lifecircle.wording import Words
    >>> len(rate_texts(Words("zh"))) == len(RATE_COLOURS)
    True
    """
    page = words.section("page")
    marks = [f"{value:.0%}" for value in RATE_BREAKS]
    between = [page["rate_between"].format(low=low, high=high) for low, high in itertools.pairwise(marks)]
    return [page["rate_first"].format(high=marks[0]), *between, page["rate_last"].format(low=marks[-1])]
