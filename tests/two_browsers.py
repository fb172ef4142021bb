"""A reader of pages with real clicks and keys, in Chromium or in Firefox: the same hands for both.

Chromium is driven by selenium, Firefox by Mozilla's own client: Debian has no geckodriver. Both speak of
elements in the same words (find, click, send_keys), and take the same list of actions of a pointer.
"""

from __future__ import annotations

import base64
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = (1366, 768)
ENTER, RIGHT = "\ue007", "\ue014"
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "marionette.port": 0,  # any that is free; a file in the profile names it
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "ui.prefersReducedMotion": 1,
}
ANSWER = "const answer = arguments[arguments.length - 1];"
READY = ANSWER + "lifecircle.ready.then(() => answer(''), (error) => answer(String(error)));"
FRAMES = ANSWER + "requestAnimationFrame(() => requestAnimationFrame(() => answer('')));"
KEEP_PRINTED = """
const keep = () => { window.wasPrinted = document.getElementById('lc-print').textContent; };
window.addEventListener('beforeprint', keep, { once: true });
"""


class Reader:
    """Opens a page, clicks, types and drags on it, and reads what it shows. ``name`` : the browser's."""

    name = ""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Open a page afresh and wait until it can be used."""
        self.go("about:blank")
        self.go(page.as_uri())
        assert self.wait_for(READY) == ""

    def find(self, css: str) -> Any:
        """Find the first element."""
        return self.driver.find_element("css selector", css)

    def find_all(self, css: str) -> list[Any]:
        """Find all elements."""
        return list(self.driver.find_elements("css selector", css))

    def go(self, address: str) -> None:
        """Go to an address."""
        raise NotImplementedError

    def ask(self, script: str, *arguments: object) -> Any:
        """Read something off the page by a script."""
        raise NotImplementedError

    def wait_for(self, script: str) -> Any:
        """Run a script that reports when it is done."""
        raise NotImplementedError

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Do what a pointer does."""
        raise NotImplementedError

    def print(self) -> bytes:
        """Print the page as the browser's own command does, on A4 that lies."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait for two frames."""
        self.wait_for(FRAMES)

    def click(self, css: str) -> None:
        """Click the first element."""
        self.find(css).click()
        self.settle()

    def click_name(self, css: str, name: str) -> None:
        """Click the element that bears a name."""
        texts = self.ask(
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((one) => (one.querySelector('bdi') ?? one).textContent)",
            css,
        )
        self.find_all(css)[texts.index(name)].click()
        self.settle()

    def keys(self, css: str, *keys: str) -> None:
        """Press keys on an element."""
        self.find(css).send_keys(*keys)
        self.settle()

    def drag(self, css: str, right: int, down: int) -> None:
        """Take hold of an element with the pointer, move it by pixels, let go."""
        x, y = self.ask(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]",
            css,
        )
        ways = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}]
        ways += [{"type": "pointerDown", "button": 0}]
        for part in (0.2, 0.6, 1.0):
            place = {"x": round(x + right * part), "y": round(y + down * part)}
            ways.append({"type": "pointerMove", **place, "duration": 50})
        ways.append({"type": "pointerUp", "button": 0})
        hand = {"type": "pointer", "id": "hand", "parameters": {"pointerType": "mouse"}, "actions": ways}
        self.act([hand])
        self.settle()

    def text(self, css: str) -> str:
        """Give the text of an element."""
        return str(self.ask("return document.querySelector(arguments[0]).textContent", css))

    def value(self, css: str) -> str:
        """Give what a field holds."""
        return str(self.ask("return document.querySelector(arguments[0]).value", css))

    def shows(self, css: str) -> bool:
        """Return whether there is such an element in sight of one who scrolls."""
        return bool(
            self.ask(
                "const one = document.querySelector(arguments[0]);"
                "return one?.checkVisibility({visibilityProperty: true}) ?? false",
                css,
            )
        )

    def table(self, css: str) -> list[dict[str, str]]:
        """Give the rows of a table: the key of each heading and the text under it."""
        heads, rows = self.ask(
            "const table = document.querySelector(arguments[0]);"
            "return [[...table.tHead.rows[0].cells].map((one) => one.dataset.key ?? one.textContent),"
            "  [...table.tBodies[0].rows].map((row) => [...row.cells].map((one) => one.innerText))]",
            css,
        )
        return [dict(zip(heads, row, strict=True)) for row in rows]

    def printed(self) -> tuple[bytes, str]:
        """Print; give the PDF and the text of what the page made for paper."""
        self.ask(KEEP_PRINTED)
        made = self.print()
        return made, str(self.ask("return window.wasPrinted"))


class Chromium(Reader):
    """A Chromium that selenium drives."""

    name = "chromium"

    def go(self, address: str) -> None:
        """Go to an address."""
        self.driver.get(address)

    def ask(self, script: str, *arguments: object) -> Any:
        """Read something off the page by a script."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str) -> Any:
        """Run a script that reports when it is done."""
        return self.driver.execute_async_script(script)

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Do what a pointer does."""
        self.driver.execute("actions", {"actions": actions})

    def print(self) -> bytes:
        """Print the page as the browser's own command does."""
        wanted = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", wanted)["data"])


class Firefox(Reader):
    """A Firefox that Mozilla's client drives."""

    name = "firefox"

    def go(self, address: str) -> None:
        """Go to an address."""
        self.driver.navigate(address)

    def ask(self, script: str, *arguments: object) -> Any:
        """Read something off the page by a script."""
        return self.driver.execute_script(script, script_args=arguments, sandbox=None)

    def wait_for(self, script: str) -> Any:
        """Run a script that reports when it is done."""
        return self.driver.execute_async_script(script, sandbox=None)

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Do what a pointer does."""
        self.driver.actions.perform(actions)

    def print(self) -> bytes:
        """Print the page as the browser's own command does; the client has no method for it."""
        wanted = {"page": {"width": 29.7, "height": 21.0}, "background": True}
        return base64.b64decode(self.driver._send_message("WebDriver:Print", wanted, key="value"))


@contextmanager
def reader(name: str, profile: Path) -> Iterator[Reader]:
    """Start a browser with a fresh profile; skip, or fail where all is required, if it is not installed."""
    if name == "chromium":
        with browser.chromium(profile, size=SIZE) as driver:
            yield Chromium(driver)
        return
    program = browser.needed("firefox-esr")
    client = pytest.importorskip("marionette_driver.marionette", reason="marionette_driver is not installed")
    with _started(program, profile) as port:
        firefox = client.Marionette(host="127.0.0.1", port=port)
        firefox.start_session({"strictFileInteractability": False})
        try:
            firefox.timeout.script = 60
            yield Firefox(firefox)
        finally:
            firefox.delete_session()


@contextmanager
def _started(program: str, profile: Path) -> Iterator[int]:
    lines = [f'user_pref("{name}", {_written(value)});\n' for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines), "utf-8")
    size = ["--width", str(SIZE[0]), "--height", str(SIZE[1])]
    words = [program, "--marionette", "--headless", "--no-remote", "--profile", str(profile), *size]
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = profile / "MarionetteActivePort"
    try:
        until = time.monotonic() + 60
        while not told.is_file() or not told.read_text("ascii"):
            assert time.monotonic() < until, "Firefox does not start"
            time.sleep(0.1)
        yield int(told.read_text("ascii"))
    finally:
        run.terminate()
        run.wait(30)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'
