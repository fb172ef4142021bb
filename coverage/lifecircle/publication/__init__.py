"""The editions of what is published: the internal one, and the public one made of reduced findings.

:func:`edition_findings` returns what an edition may be drawn from; :func:`public_findings` merges cells and
withholds counts. Draws nothing.
"""

from lifecircle.publication._edition import edition_findings
from lifecircle.publication._published_cells import STEP_MIN, public_findings
from lifecircle.publication._setting import (
    EDITIONS,
    Edition,
    MapSetting,
    roads_without_masked,
    shown_ground,
    without_masked,
)

__all__ = [
    "EDITIONS",
    "STEP_MIN",
    "Edition",
    "MapSetting",
    "edition_findings",
    "public_findings",
    "roads_without_masked",
    "shown_ground",
    "without_masked",
]
