"""Own the headless Chromium that pages are measured in: opening, panning, changing, asking; not the pages.

Software rendering on purpose: the PCs of an office have no graphics card worth the name. WebGL runs on
SwiftShader, the software renderer that Chromium brings along.
"""
# ruff: noqa: PLC0415 - selenium is only needed where a page is measured

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-precise-memory-info",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1366,768",
)
QUIET_MS = 800
PATIENCE_S = 120
MOVES = 60

_WATCH = """
window.__long = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.__long.push(one.startTime + one.duration);
}).observe({type: "longtask", buffered: true});
"""
_SETTLED = """
const quiet = arguments[0], patience = arguments[1], answer = arguments[2];
const ready = window.lifecircle ? window.lifecircle.ready.then(() => performance.now()) : Promise.resolve(0);
ready.then((at) => (function look() {
  const load = performance.timing.loadEventEnd - performance.timing.navigationStart;
  const last = Math.max(at, load, ...window.__long);
  if (performance.timing.loadEventEnd && performance.now() - last > quiet) answer(last);
  else if (performance.now() > patience) answer(null);
  else setTimeout(look, 100);
})(), (error) => answer(null));
"""
_FRAMES = """
window.__frames = [];
window.__stop = false;
let before = performance.now();
(function step() {
  const now = performance.now();
  window.__frames.push(now - before);
  before = now;
  if (!window.__stop) requestAnimationFrame(step);
})();
"""
# A change counts until the frame after the next has begun: by then the first is painted.
_CHANGED = """
const answer = arguments[arguments.length - 1];
const list = document.getElementById(arguments[0]);
if (!list) return answer(null);
const begin = performance.now();
list.value = arguments[1];
list.dispatchEvent(new Event("input", {bubbles: true}));
list.dispatchEvent(new Event("change", {bubbles: true}));
requestAnimationFrame(() => requestAnimationFrame(() => answer(performance.now() - begin)));
"""
_CHOICES = """
const list = document.getElementById(arguments[0]);
if (!list || list.closest("[hidden]")) return [];
if (list.tagName === "SELECT") return [...list.options].map((one) => one.value);
const low = Number(list.min), high = Number(list.max);
return [0.2, 0.8, 0.4, 0.6].map((share) => String(Math.round(low + share * (high - low))));
"""
_ASKED = """
const answer = arguments[arguments.length - 1];
if (!window.lifecircle || !window.lifecircle.whatIf) return answer(null);
const begin = performance.now();
window.lifecircle.whatIf(arguments[0]).then(
  () => requestAnimationFrame(() => requestAnimationFrame(() => answer(performance.now() - begin))),
  () => answer(null));
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a Chromium of its own with a fresh profile.

    Raises
    ------
    FileNotFoundError
        When Chromium or its driver is not installed.
    """
    from selenium import webdriver

    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise FileNotFoundError(
            f"{' and '.join(missing)} not installed: apt install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = found["chromium"]
    with tempfile.TemporaryDirectory(prefix="bench-profile-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(found["chromedriver"]))
        try:
            driver.set_script_timeout(PATIENCE_S + 10)
            driver.set_page_load_timeout(PATIENCE_S + 10)
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
            yield driver
        finally:
            driver.quit()


def measure_page(path: Path, *, places: list[tuple[float, float]], rounds: int) -> dict[str, float | None]:
    """Measure one page in a browser of its own; what the page does not have is None.

    Parameters
    ----------
    places : (lon, lat) to ask what a new venue there would change
    rounds : changes of each kind

    Returns
    -------
    milliseconds, and ``heap_mb``
    """
    with chromium() as driver:
        driver.get(path.resolve().as_uri())
        ready = driver.execute_async_script(_SETTLED, QUIET_MS, PATIENCE_S * 1000)
        found: dict[str, float | None] = {"interactive_ms": ready}
        if ready is None:
            return found
        found |= _pan(driver)
        for name in ("target", "year", "limit"):
            found[f"{name}_ms"] = _change(driver, f"lc-{name}", rounds)
        found["what_if_ms"] = _ask(driver, places)
        driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        heap = driver.execute_cdp_cmd("Runtime.getHeapUsage", {})
        used = heap["usedSize"] + heap.get("backingStorageSize", 0)  # arrays of numbers stand in the latter
        return found | {"heap_mb": used / 1e6}


def _pan(driver: Any) -> dict[str, float | None]:
    """Drag the map about and give the frames' milliseconds: the 95th hundredth and the worst."""
    driver.execute_script(_FRAMES)

    def mouse(kind: str, step: int) -> None:
        at = {"x": 900 - 5 * step, "y": 400 - 2 * step}
        driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": kind, **at, "button": "left", "buttons": 1, "clickCount": 1}
        )

    mouse("mousePressed", 0)
    for step in range(1, MOVES + 1):
        mouse("mouseMoved", step)
    mouse("mouseReleased", MOVES)
    frames = driver.execute_script("window.__stop = true; return window.__frames")[2:]
    if not frames:
        return {"pan_p95_ms": None, "pan_worst_ms": None}
    return {"pan_p95_ms": float(np.quantile(frames, 0.95)), "pan_worst_ms": float(max(frames))}


def _change(driver: Any, control: str, rounds: int) -> float | None:
    """Change a control to each of its choices in turn; gives the slowest change."""
    choices = driver.execute_script(_CHOICES, control)
    if len(choices) < 2:
        return None
    took = [
        driver.execute_async_script(_CHANGED, control, choices[turn % len(choices)]) for turn in range(rounds)
    ]
    return None if None in took else float(max(took))


def _ask(driver: Any, places: list[tuple[float, float]]) -> float | None:
    """Ask what a venue at each place would change; gives the 95th hundredth."""
    target = driver.execute_script("return (document.getElementById('lc-target') || {}).value")
    year = driver.execute_script(
        "const list = document.getElementById('lc-year'); return list && list.selectedOptions[0].textContent"
    )
    if not target or not year:
        return None
    took = [
        driver.execute_async_script(_ASKED, {"target": target, "year": int(year), "lon": lon, "lat": lat})
        for lon, lat in places
    ]
    return None if None in took else float(np.quantile(took, 0.95))
