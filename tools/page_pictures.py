"""Draw the pictures of the map page that the README and the docs show, in both languages.

``maps/haiyan-*.png`` are its first screen, ``docs/pictures/atlas-*.png`` the map of one target: those stand
at the top of the README and are kept small.

Run in the repository, with Chromium on the path, selenium, Pillow (which comes with matplotlib), and the
results of an audit of the example::

    lifecircle audit data/geo/haiyan --out results
    python tools/page_pictures.py results

The pictures hang on the fonts and the version of Chromium: they are looked at, never compared.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from lifecircle.maps import MapOrder, draw_study

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import browser  # noqa: E402 - the tests' own browser, found only after the line above

STUDY = ROOT / "data" / "geo" / "haiyan"
SIZE = "1366,768"
WAIT_MS = 8000
COLOURS = 96
MOST_BYTES = 200_000


def picture(page: Path, out: Path) -> None:
    """Take a picture of what a page shows once it is ready."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "google-chrome"
    with tempfile.TemporaryDirectory() as profile:
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={SIZE}",
            f"--virtual-time-budget={WAIT_MS}",
            f"--screenshot={out}",
        ]
        subprocess.run([chromium, *flags, page.as_uri()], check=True, capture_output=True)  # noqa: S603 - the browser found above, and no text of others


def map_picture(page: Path, out: Path, scratch: Path) -> None:
    """Take a picture of the map of the first target, in few colours."""
    with browser.chromium(scratch / f"profile-{out.stem}") as driver:
        shown = browser.opened(driver, page.as_uri())
        shown.wait_ready()
        driver.execute_async_script("setTimeout(arguments[0], 1500)")
        shot = Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
    if out.stat().st_size > MOST_BYTES:
        sys.exit(f"{out.name} has {out.stat().st_size} bytes, more than {MOST_BYTES}")


def main(results: Path) -> None:
    """Draw the example's page in both languages and take the pictures of each."""
    with tempfile.TemporaryDirectory() as folder:
        for language in ("zh", "en"):
            page = Path(folder) / f"{language}.html"
            draw_study(STUDY, MapOrder(results=results, out=page, language=language))
            picture(page, ROOT / "maps" / f"haiyan-{language}.png")
            map_picture(page, ROOT / "docs" / "pictures" / f"atlas-{language}.png", Path(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
