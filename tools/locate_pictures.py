"""Make the pictures of docs/locate.md: the page for placing the rest of a list, in a headless browser.

Run from the root: ``python tools/locate_pictures.py``. It needs Chromium, selenium and Pillow, which comes
with matplotlib. The list is that of the tests, whose addresses are made up.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import browser  # noqa: E402 - the tests' own browser, found only after the line above
from lifecircle.locate import LocateOrder, locate_list  # noqa: E402 - after what stands above
from locate_addresses import COUNTY, made_up  # noqa: E402 - the same

COLOURS = 64
MOST_BYTES = 150_000


def main() -> None:
    """Locate the list, open the page, choose a row with candidates and keep what is seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, file = made_up()
        names = [f"示例设施 {number}" for number in range(1, len(rows) + 1)]
        table = pd.DataFrame({"名称": names, "地址": [one.address for one in rows]})
        table.to_csv(folder / "halls.csv", index=False)
        file.to_csv(folder / "addresses.csv", index=False)
        for language in ("zh", "en"):
            order = LocateOrder(
                folder / "halls.csv", COUNTY, folder / "addresses.csv", folder / language, language=language
            )
            locate_list(order)
            with browser.chromium(folder / f"profile-{language}") as driver:
                page = browser.opened(driver, (folder / language / "place.html").as_uri())
                page.wait_ready()
                page.run("document.querySelectorAll('#rows button')[4].click()")
                canvas = driver.find_element("id", "map")
                ActionChains(driver).move_to_element_with_offset(canvas, 60, 45).click().perform()
                page.run("document.activeElement.blur()")
                driver.execute_async_script("setTimeout(arguments[0], 500)")
                shot = Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")
            kept = ROOT / "docs" / "pictures" / f"locate-{language}.png"
            shot.quantize(COLOURS, dither=Image.Dither.NONE).save(kept, optimize=True)
            size = kept.stat().st_size
            if size > MOST_BYTES:
                sys.exit(f"{kept.name} has {size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    main()
