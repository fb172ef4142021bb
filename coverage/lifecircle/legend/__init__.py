"""The colours and classes of every map of a run: page, paper, notebook, and the styles that QGIS opens.

Computes no figure; who is in which class is counted elsewhere.
"""

from lifecircle.legend._layer_styles import STYLES, layer_styles
from lifecircle.legend._legend_colours import (
    AREA_COLOURS,
    CELL_COLOURS,
    NO_RATE_COLOUR,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    RESIDENT_CLASSES,
    STEP_COLOURS,
    UNIT_COLOURS,
    VENUE_COLOUR,
    class_text,
    rate_texts,
)

__all__ = [
    "AREA_COLOURS",
    "CELL_COLOURS",
    "NO_RATE_COLOUR",
    "OVER_BREAKS_MIN",
    "RATE_BREAKS",
    "RATE_COLOURS",
    "RESIDENT_CLASSES",
    "STEP_COLOURS",
    "STYLES",
    "UNIT_COLOURS",
    "VENUE_COLOUR",
    "class_text",
    "layer_styles",
    "rate_texts",
]
