"""A headless Chromium for the tests of pages: what a page asks for, what it logs, what it shows."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

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
    "--force-prefers-reduced-motion",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def needed(name: str) -> str:
    """Find a program, or skip; fail where the run demands everything optional."""
    found = shutil.which(name)
    if found:
        return found
    reason = f"{name} is not installed, so no page can be opened"
    if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Page:
    """One opened page and all it did since it was opened."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.address = address
        self.events: list[dict[str, Any]] = []

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script that returns a value at once."""
        return self.driver.execute_script(script, *arguments)

    def wait_ready(self, *, overview: bool = False) -> float:
        """Wait for ``lifecircle.ready``; returns the milliseconds since the navigation started.

        ``overview`` : leave the cards of all targets in front of the map, as the page starts.
        """
        done = self.driver.execute_async_script(
            "const answer = arguments[0];"
            "window.lifecircle.ready.then(() => answer(performance.now()), (error) => answer(String(error)));"
        )
        assert isinstance(done, int | float), done
        if not overview:
            self.run(
                "const cards = document.getElementById('lc-overview');"
                "if (cards && !cards.hidden) document.getElementById('lc-overview-close').click();"
                "document.activeElement.blur()"
            )
        return float(done)

    def requests(self) -> list[str]:
        """List every address the page asked for, data and blobs apart."""
        self._read()
        sent = [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in sent if not address.startswith(("data:", "blob:"))]

    def complaints(self) -> list[str]:
        """List what the console and the log hold: errors, warnings and policy violations."""
        self._read()
        out = [entry["message"] for entry in self.driver.get_log("browser")]
        for event in self.events:
            if event["method"] == "Log.entryAdded":
                out.append(event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                out.append(str(event["params"]["exceptionDetails"]))
        return out

    def _read(self) -> None:
        for entry in self.driver.get_log("performance"):
            self.events.append(json.loads(entry["message"])["message"])


@contextmanager
def chromium(
    profile: Path, *, size: tuple[int, int] = (1366, 768), flags: tuple[str, ...] = ()
) -> Iterator[Any]:
    """Start a Chromium of its own with a fresh profile; ``flags`` replace those of the same name."""
    browser, driver_path = needed("chromium"), needed("chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    given = {flag.partition("=")[0] for flag in flags}
    kept = [flag for flag in FLAGS if flag.partition("=")[0] not in given]
    for flag in (*kept, *flags, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    try:
        driver.set_script_timeout(60)
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
        )
        yield driver
    finally:
        driver.quit()


def opened(driver: Any, address: str) -> Page:
    """Open an address and hand over the page."""
    driver.get_log("performance")
    driver.get_log("browser")
    driver.get(address)
    return Page(driver, address)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback for as long as the block runs; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parameter's own name
            del format, args

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
