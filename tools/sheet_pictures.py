"""Draw the pictures of docs/atlas.md that show paper: a town's sheet, and two years side by side.

Run in the repository, with the results of two audits of the example::

    lifecircle audit data/geo/haiyan --year 2024 --out results
    lifecircle audit data/geo/haiyan --out results
    python tools/sheet_pictures.py results

They are ``sheet-town-zh.png``, ``sheet-town-en.png`` and ``sheet-years-zh.png`` in ``docs/pictures``, hang
on the fonts, and are looked at, never compared.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from lifecircle.findings import Language, load_findings
from lifecircle.maps import map_setting
from lifecircle.paper import Drawing, draw_compared, town_page
from lifecircle.paper import save_sheet as save
from lifecircle.study import read_study
from lifecircle.wording import Words

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "data" / "geo" / "haiyan"
PICTURES = ROOT / "docs" / "pictures"
TARGET, TOWN = "culture", "330424103"
DOTS, COLOURS, MOST_BYTES = 100, 48, 200_000


def keep(draw: Callable[..., None], name: str) -> None:
    """Draw a sheet small enough for the docs."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Image.open(save(draw, Path(folder) / "a.png", size="A4", dpi=DOTS)).convert("RGB")
    kept = PICTURES / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(kept, optimize=True)
    if kept.stat().st_size > MOST_BYTES:
        sys.exit(f"{kept.name} has {kept.stat().st_size} bytes, more than {MOST_BYTES}")


def main(results: Path) -> None:
    """Draw the three pictures from the runs of two years."""
    study = read_study(STUDY)
    runs = [load_findings(results / str(year)) for year in (study.year - 1, study.year)]
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        drawings = [
            Drawing(run, run.result(TARGET), Words(language), "internal", map_setting(study)) for run in runs
        ]
        keep(town_page(drawings[1], TOWN, before=runs[0]), f"sheet-town-{language}")
        if language == "zh":
            keep(partial(draw_compared, *drawings), "sheet-years-zh")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
