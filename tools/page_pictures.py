"""Draw the pictures of the map page that the README and the docs show: its first screen, in both languages.

Run in the repository, with Chromium on the path and the results of an audit of the example::

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
from pathlib import Path

from lifecircle.maps import MapOrder, draw_study

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "data" / "geo" / "haiyan"
SIZE = "1366,768"
WAIT_MS = 8000


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


def main(results: Path) -> None:
    """Draw the example's page in both languages and take a picture of each."""
    with tempfile.TemporaryDirectory() as folder:
        for language in ("zh", "en"):
            page = Path(folder) / f"{language}.html"
            draw_study(STUDY, MapOrder(results=results, out=page, language=language))
            picture(page, ROOT / "maps" / f"haiyan-{language}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
