"""Convert coordinates: their datum, their position in WGS84, and the metre CRS of an area.

Everything inside the package is WGS84, lon before lat; only this room converts other datums. It does not read
files and knows no residents or services.
"""

from lifecircle.datum._detection import CANDIDATES, LEAST_POINTS, Detection, detect
from lifecircle.datum._located import (
    EAST_NAMES,
    LAT_NAMES,
    LON_NAMES,
    NORTH_NAMES,
    PLACE_KEYS,
    Located,
    RawPlaces,
    areas,
    is_projected,
    locate,
    raw_places,
    to_wgs84,
)
from lifecircle.datum._metre_crs import (
    CHINA_AREA,
    SCALE_TOLERANCE,
    check_metre_crs,
    in_china_area,
    metre_crs,
    scale_error,
    way_between,
)
from lifecircle.datum._shifts import (
    SHIFTED_AREA,
    bd09_from_wgs84,
    gcj02_from_wgs84,
    shifted_tiles,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)

__all__ = [
    "CANDIDATES",
    "CHINA_AREA",
    "EAST_NAMES",
    "LAT_NAMES",
    "LEAST_POINTS",
    "LON_NAMES",
    "NORTH_NAMES",
    "PLACE_KEYS",
    "SCALE_TOLERANCE",
    "SHIFTED_AREA",
    "Detection",
    "Located",
    "RawPlaces",
    "areas",
    "bd09_from_wgs84",
    "check_metre_crs",
    "detect",
    "gcj02_from_wgs84",
    "in_china_area",
    "is_projected",
    "locate",
    "metre_crs",
    "raw_places",
    "scale_error",
    "shifted_tiles",
    "to_wgs84",
    "way_between",
    "wgs84_from_bd09",
    "wgs84_from_gcj02",
]
