"""What the tests of the map page ask of an opened one: colours on its canvases, texts, tables, choices."""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.page_data import encoded
from lifecircle.page_data._packed_columns import raw_bytes

if TYPE_CHECKING:
    import browser

MAP = "const map = window[document.querySelector('.folium-map').id];"

PROBE = (
    MAP
    + """
const at = map.latLngToContainerPoint([arguments[0], arguments[1]]);
const canvas = document.querySelector(`.leaflet-${arguments[2]}-pane canvas`);
const box = canvas.getBoundingClientRect(), frame = map.getContainer().getBoundingClientRect();
const scale = canvas.width / box.width;
const x = (frame.left + at.x - box.left) * scale, y = (frame.top + at.y - box.top) * scale;
const probe = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
const context = probe.getContext('2d', {willReadFrequently: true});
context.drawImage(canvas, Math.floor(x), Math.floor(y), 1, 1, 0, 0, 1, 1);
return Array.from(context.getImageData(0, 0, 1, 1).data);
"""
)


def colour_at(page: browser.Page, lat: float, lon: float, pane: str = "lc-residents") -> str:
    """Give the colour that a canvas of the map has at a place, nothing where it is clear."""
    red, green, blue, alpha = page.run(PROBE, lat, lon, pane)
    return f"#{red:02x}{green:02x}{blue:02x}" if alpha else ""


def with_facts(text: str, **facts: object) -> str:
    """Give a page whose data hold other facts about it."""
    raw = raw_bytes(text)
    (length,) = struct.unpack_from("<I", raw, 8)
    header = json.loads(raw[12 : 12 + length])
    header["page"] |= facts
    told = json.dumps(header, ensure_ascii=False).encode()
    changed = raw[:8] + struct.pack("<I", len(told)) + told + raw[12 + length :]
    return text.replace(encoded(raw), encoded(changed))


def is_quiet(page: browser.Page) -> None:
    """Check that the page asked for nothing but itself and logged nothing."""
    assert [address for address in page.requests() if address != page.address] == []
    assert page.requests().count(page.address) == 1
    assert page.complaints() == []


def legend_colours(page: browser.Page) -> list[str]:
    """List the colours of the legend's residents."""
    found = page.run(
        "return [...document.querySelectorAll('#lc-legend ul:first-of-type .lc-swatch')]"
        ".map((one) => getComputedStyle(one).backgroundColor)"
    )
    return ["#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", text)[:3]) for text in found]


def point_at(page: browser.Page, lat: float, lon: float) -> None:
    """Move the pointer over a place on the map."""
    page.run(
        MAP
        + """
const at = map.latLngToContainerPoint([arguments[0], arguments[1]]);
const frame = map.getContainer().getBoundingClientRect();
map.getContainer().dispatchEvent(new MouseEvent('mousemove',
  {bubbles: true, clientX: frame.left + at.x, clientY: frame.top + at.y}));
""",
        lat,
        lon,
    )


def text_of(page: browser.Page, selector: str) -> str:
    """Give the text of an element."""
    return page.run("return document.querySelector(arguments[0]).textContent", selector)


def cell_of(town: Any, status: str, target: str = "culture") -> int:
    """Find a placed resident with a status, away from every symbol that the pointer would meet first."""
    places = town.demand.geometry
    venues = np.column_stack([town.facilities.geometry.x, town.facilities.geometry.y])
    for cell in np.flatnonzero((town.status[target] == status) & places.notna()):
        apart = np.hypot(*(venues - [places.iloc[cell].x, places.iloc[cell].y]).T)
        if apart.min() > 0.006:
            return int(cell)
    raise AssertionError(status)


def choose(page: browser.Page, which: str, value: str) -> None:
    """Choose a value of a list by its id."""
    page.run(
        "const list = document.getElementById(arguments[0]); list.value = arguments[1];"
        "list.dispatchEvent(new Event('change'))",
        which,
        value,
    )


def rows_of(page: browser.Page, selector: str) -> list[list[str]]:
    """Give the texts of a table's rows."""
    return page.run(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((row) => [...row.cells].map((one) => one.textContent))",
        selector,
    )
