"""Choose how a region is solved: as one graph, or district by district.

Both give the same figures of the districts. One graph needs the memory of the whole region in one process,
and uses one processor; districts need a copy of the roads along their borders, and use every worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from lifecircle.standards import Standard

Solve = Literal["auto", "whole", "districts"]
SOLVES: Final = ("auto", "whole", "districts")

WHOLE_UP_TO: Final = 1_000_000
"""Junctions up to which one graph is taken; see docs/scale.md for what was measured."""


@dataclass(frozen=True)
class Way:
    """How a region is solved, and why, as a code of ``[batch]`` with its figures."""

    solved: Literal["whole", "districts"]
    why: str
    junctions: int

    @property
    def whole(self) -> bool:
        """Whether the region is one graph."""
        return self.solved == "whole"

    def plain(self) -> dict[str, object]:
        """Return the way as JSON has it."""
        return {
            "solved": self.solved,
            "why": self.why,
            "junctions": self.junctions,
            "whole_up_to": WHOLE_UP_TO,
        }


def choose_way(asked: Solve, standard: Standard, *, junctions: int, atlas: bool) -> Way:
    """Choose how to solve a region.

    1. What is asked for is done.
    2. A target whose unit is the county counts the whole study as one: only apart is each district a county.
    3. A page for each district needs a run of each.
    4. Otherwise one graph up to :data:`WHOLE_UP_TO` junctions (inclusive), districts above.

    Parameters
    ----------
    asked : auto, or one of the two
    standard : of the region
    junctions : of its largest network
    atlas : whether a page of each district is asked for

    >>> from lifecircle.standards import Standard
    >>> choose_way("auto", Standard(id="s"), junctions=10, atlas=False).why
    'way_small:10'
    """
    if asked != "auto":
        return Way(asked, "way_asked", junctions)
    counties = [one.id for one in standard.targets if one.kind == "presence" and one.unit == "county"]
    if counties:
        return Way("districts", f"way_counties:{len(counties)}", junctions)
    if atlas:
        return Way("districts", "way_pages", junctions)
    if junctions <= WHOLE_UP_TO:
        return Way("whole", f"way_small:{junctions}", junctions)
    return Way("districts", f"way_large:{junctions}", junctions)
