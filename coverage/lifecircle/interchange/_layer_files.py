"""Write the layers of a run as GeoJSON or GeoParquet, for programs that read no GeoPackage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import Results, complete_folder
from lifecircle.findings import LABELS, result_layers
from lifecircle.tables import write_features

if TYPE_CHECKING:
    from lifecircle.findings import Findings

Form = Literal["geojson", "geoparquet"]
ENDINGS = {"geojson": ".geojson", "geoparquet": ".parquet"}
"""Form -> the ending of its files."""

_MARK = "layers.json"
EXPORT = Results(_MARK, (_MARK, *(name + ending for name in LABELS for ending in ENDINGS.values())))
"""The folder of an export: the file it is known by, and all that may stand in it."""


def export_layers(findings: Findings, folder: str | Path, *, form: Form = "geojson") -> Path:
    """Write the layers of a run into a folder, a file each; whole or not at all.

    Parameters
    ----------
    findings : of one run
    folder : new, or one of an earlier export, which is replaced
    form : ``geojson`` (RFC 7946) or ``geoparquet``; both in longitude and latitude of WGS84

    Returns
    -------
    folder : as given; ``layers.json`` says of which run it is, and how many rows each layer has

    Raises
    ------
    UnusableInputError
        The form is none, something else stands in the folder, or it cannot be written.

    References
    ----------
    RFC 7946, The GeoJSON format; OGC, GeoParquet 1.1.
    """
    if form not in ENDINGS:
        remedy = say("use one of {names}", names=", ".join(ENDINGS))
        raise UnusableInputError([Fault("form", "", str(form), say("no such form"), remedy)])
    layers = {name: layer.to_crs("EPSG:4326") for name, layer in result_layers(findings).items()}
    about = {
        "schema": 1,
        "study": findings.study,
        "name": findings.name,
        "year": findings.year,
        "synthetic": findings.synthetic,
        "edition": "internal",
        "crs": "EPSG:4326",
        "layers": {name: len(layer) for name, layer in layers.items()},
    }
    with complete_folder(Path(folder), EXPORT) as fresh:
        for name, layer in layers.items():
            write_features(fresh / (name + ENDINGS[form]), layer)
        text = json.dumps(about, ensure_ascii=False, indent=1)
        (fresh / _MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
    return Path(folder)
