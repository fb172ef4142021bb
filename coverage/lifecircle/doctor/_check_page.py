"""Write a check as one HTML page that opens without a network: a table, and a sketch of the places."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lifecircle.doctor._road_checks import missing_roads, supply_cells, supply_heads
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.doctor._check_order import Checkup

_WIDE = 640.0
_COLOURS = {"error": "#b00020", "warning": "#b26a00", "note": "#44546a"}
_STYLE = (
    "body{font:15px/1.5 'Microsoft YaHei','Noto Sans CJK SC',sans-serif;margin:24px auto;max-width:1080px;"
    "padding:0 16px;color:#1f2933}table{border-collapse:collapse;width:100%}"
    "td,th{border-top:1px solid #d5dbe3;"
    "padding:8px;text-align:left;vertical-align:top}.stamp{color:#b00020;font-weight:bold}small{color:#52606d}"
    "tr.doubtful td{background:#fff1d6;font-weight:bold}"
    ".roads td+td,.roads th+th{text-align:right}"
    "svg{background:#f4f6f9;max-width:100%;height:auto}"
)


def checkup_page(checkup: Checkup) -> str:
    """Return the page; it holds no script and asks for nothing."""
    language = checkup.language
    title = word("checkup", "title", language).format(name=checkup.name, year=checkup.year)
    stamp = word("stamp", "synthetic" if checkup.synthetic else "internal", language)
    heads = "".join(
        f'<th scope="col">{escape(word("checkup", name, language))}</th>'
        for name in ("severity", "input", "what", "count", "remedy")
    )
    rows = (
        "\n".join(_rows(checkup))
        or f'<tr><td colspan="5">{escape(word("checkup", "nothing", language))}</td></tr>'
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1><p class="stamp">{escape(stamp)}</p>{_sketch(checkup)}'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>{_roads(checkup)}</main></body></html>\n"
    )


def _roads(checkup: Checkup) -> str:
    """Return the table of roads by district, those in doubt marked; empty where nothing was computed."""
    if not checkup.roads:
        return ""
    language = checkup.language
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in supply_heads(language))
    rows = []
    for one in checkup.roads:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in supply_cells(one, language))
        kind = "doubtful" if missing_roads(checkup.roads, one) else "plain"
        rows.append(f'<tr class="{kind}">{cells}</tr>')
    title = escape(word("checkup", "roads_title", language))
    note = escape(word("checkup", "roads_note", language))
    return (
        f'<h2>{title}</h2><table class="roads"><thead><tr class="head">{heads}</tr></thead><tbody>'
        + "".join(rows)
        + f"</tbody></table><p><small>{note}</small></p>"
    )


def _rows(checkup: Checkup) -> Iterator[str]:
    language = checkup.language
    for number, one in enumerate(checkup.problems, 1):
        texts = {name: escape(text) for name, text in checkup.texts(one).items()}
        shown = "<br>".join(escape(row) for row in one.rows)
        effect = f"<br><strong>{texts['effect']}</strong>" if texts["effect"] else ""
        yield (
            f'<tr><td style="color:{_COLOURS[one.severity]}">{number} · '
            f"{escape(word('severity', one.severity, language))}</td><td>{texts['input']}</td>"
            f"<td>{texts['reason']}{effect}<br><small>{shown}</small></td>"
            f"<td>{one.count:,}</td><td>{texts['remedy']}</td></tr>"
        )


def _sketch(checkup: Checkup) -> str:
    """Draw the districts and the places of the problems, each with the number of its row in the table."""
    inputs = checkup.inputs
    found = enumerate(checkup.problems, 1)
    places = [(number, one.severity, place) for number, one in found for place in one.places]
    if inputs is None or inputs.districts is None or not places:
        return ""
    shapes = inputs.districts.to_crs("EPSG:4326").geometry
    west, south, east, north = shapes.total_bounds
    # A degree of longitude is shorter: the sketch keeps its shape at the middle latitude.
    across = max((east - west) * _cosine((south + north) / 2), 1e-9)
    scale = _WIDE / across
    high = (north - south) * scale

    def at(lon: float, lat: float) -> tuple[float, float]:
        """Return where a place stands in the sketch."""
        return (lon - west) / (east - west) * _WIDE, (north - lat) * scale

    lines = []
    for shape in shapes.simplify((east - west) / 500):
        for part in getattr(shape, "geoms", [shape]):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*xy[:2]) for xy in part.exterior.coords))
            lines.append(f'<polygon points="{points}" fill="#ffffff" stroke="#9aa5b1"/>')
    for number, severity, (lon, lat) in places:
        x, y = at(lon, lat)
        lines.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_COLOURS[severity]}"/>'
            f'<text x="{x + 6:.1f}" y="{y + 4:.1f}" font-size="12">{number}</text>'
        )
    label = escape(word("checkup", "sketch", checkup.language))
    return (
        f'<svg viewBox="0 0 {_WIDE:.0f} {high:.0f}" width="{_WIDE:.0f}" role="img" aria-label="{label}">'
        + "".join(lines)
        + "</svg>"
    )


def _cosine(degrees: float) -> float:
    import math  # noqa: PLC0415 - used here alone

    return math.cos(math.radians(degrees))
