"""Write the styles that QGIS opens the layers of a run with, in the colours and words of its map page.

A GeoPackage holds them in the table ``layer_styles``: one style of every layer is its default, and the
others, one for each target, are chosen in QGIS under the properties of the layer. A style is QML: rules with
a filter, a label and a symbol each. Properties stand as ``prop``, which every QGIS 3 reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from lifecircle.findings import LABELS, CircleResult, PresenceResult
from lifecircle.legend._legend_colours import (
    CELL_COLOURS,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    RESIDENT_CLASSES,
    UNIT_COLOURS,
    VENUE_COLOUR,
    class_text,
    rate_texts,
)
from lifecircle.wording import Words, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lifecircle.findings import Findings, TargetResult

STYLES = "layer_styles"
"""Name of the table that QGIS looks for."""

_GEOMETRY = "geom"  # as GDAL names the geometry of a layer
_INK, _WHITE = "#1b2430", "#ffffff"
_EDGE = "#5d6470"
_SHAPES = ("square", "triangle", "diamond", "circle", "cross_fill", "pentagon", "star", "hexagon")
_GAP_CLASSES = {"disconnected": "disconnected", "unsnapped": "unsnapped", "beyond": "beyond_1"}


@dataclass(frozen=True)
class _Rule:
    """What a filter lets through, what it is called, and the properties of its symbol (``look``)."""

    filter: str
    label: str
    look: dict[str, str]


@dataclass(frozen=True)
class _Style:
    layer: str
    name: str
    symbol: str
    rules: Sequence[_Rule]
    labelled: str = ""


def layer_styles(findings: Findings) -> pd.DataFrame:
    """Write the styles of the layers of a run, as the rows of a GeoPackage's table ``layer_styles``.

    Parameters
    ----------
    findings : of one run

    Returns
    -------
    styles : one row for each style; the first of a layer is its default. The same run gives the same rows

    References
    ----------
    QGIS, saving styles to a database: the columns of ``layer_styles``, and how the default is chosen.
    """
    words = Words(findings.language)
    # A layer without a row is not written, so that QGIS would find no layer of a style's name.
    written = {name for name in LABELS if len(getattr(findings, name))}
    styles = [style for style in _styles(findings, words) if style.layer in written]
    first = pd.Series([style.layer for style in styles]).duplicated().to_numpy()
    text = {
        "f_table_catalog": "",
        "f_table_schema": "",
        "f_table_name": [style.layer for style in styles],
        "f_geometry_column": _GEOMETRY,
        "styleName": [style.name for style in styles],
        "styleQML": [_qml(style) for style in styles],
        "styleSLD": "",
    }
    rest = {
        "useAsDefault": ~first,
        "description": findings.name,
        "owner": "",
        "ui": "",
        # The same day in every file, so that equal runs are equal files; with its zone, as a GeoPackage asks.
        "update_time": pd.Timestamp("2000-01-01", tz="UTC"),
    }
    return pd.DataFrame({**text, **rest}, index=range(len(styles)))


def _styles(findings: Findings, words: Words) -> Iterator[_Style]:
    """Yield the styles of every layer, its default first."""
    page = words.section("page")
    circles = [result for result in findings.targets if result.target.id in findings.seconds]
    named = {result.target.id: result.target.name.get(words.language) for result in findings.targets}
    for result in circles:
        yield _Style("demand", named[result.target.id], "marker", _of_residents(result, words))
    yield _Style("facilities", page["layer_facilities"], "marker", _of_venues(findings))
    for result in findings.targets:
        if rules := _of_districts(result, words):
            yield _Style("districts", named[result.target.id], "fill", rules, "name")
    outline = [_Rule("", page["layer_districts"], _fill(_WHITE, _EDGE, opaque=False))]
    yield _Style("districts", page["layer_districts"], "fill", outline, "name")
    for layer, symbol in (("villages", "marker"), ("grid", "fill")):
        for result in circles:
            if f"covered_{result.target.id}" not in getattr(findings, layer).columns:
                continue
            yield _Style(layer, named[result.target.id], symbol, _of_rates(result.target.id, symbol, words))
    pairs = (
        findings.gaps[["target", "reason"]].drop_duplicates().astype(str).itertuples(index=False, name=None)
    )
    reasons: dict[str, set[str]] = {}
    for target, reason in pairs:
        reasons.setdefault(target, set()).add(reason)
    every = sorted(set().union(*reasons.values()))
    yield _Style("gaps", page["layer_gaps"], "marker", _of_gaps(every, "", words))
    for result in findings.targets:
        if mine := sorted(reasons.get(result.target.id, ())):
            whose = f"\"target\" = '{result.target.id}' AND "
            yield _Style("gaps", named[result.target.id], "marker", _of_gaps(mine, whose, words))


def _of_residents(result: TargetResult, words: Words) -> list[_Rule]:
    """Class residents as the map page does; who is drawn last stands last."""
    target, minutes = result.target.id, float(getattr(result.target, "minutes", np.nan))
    low, high = OVER_BREAKS_MIN
    over, counted = f'"seconds_{target}" / 60.0 - {minutes!r}', f'"people_{target}" > 0'
    beyond = f"{counted} AND \"status_{target}\" = 'beyond'"
    tests = {
        "uncounted": f'coalesce("people_{target}", 0) <= 0',
        "beyond_0": f"{beyond} AND {over} <= {low}",
        "beyond_1": f"{beyond} AND {over} > {low} AND {over} <= {high}",
        "beyond_2": f"{beyond} AND {over} > {high}",
    }
    return [
        _Rule(
            tests.get(name, f"{counted} AND \"status_{target}\" = '{name}'"),
            class_text(name, minutes, words),
            _marker(_WHITE, CELL_COLOURS[name], size=1.6)
            if name == "unsnapped"
            else _marker(CELL_COLOURS[name], CELL_COLOURS[name], size=1.4),
        )
        for name in RESIDENT_CLASSES
    ]


def _of_venues(findings: Findings) -> list[_Rule]:
    """Give every service a shape, filled in the first turn of shapes and hollow in the second."""
    services = sorted(set(findings.facilities["service"].astype(str)))
    rules = []
    for number, service in enumerate(services):
        shape, turn = _SHAPES[number % len(_SHAPES)], number // len(_SHAPES) % 2
        fill, edge = (VENUE_COLOUR, _WHITE) if turn == 0 else (_WHITE, VENUE_COLOUR)
        label = str(findings.services.get(service, {}).get(findings.language, service))
        rules.append(
            _Rule(f'"service" = {_quoted(service)}', label, _marker(fill, edge, size=2.6, shape=shape))
        )
    return rules


def _of_districts(result: TargetResult, words: Words) -> list[_Rule]:
    """Class districts by their rates, which the layer itself does not hold: each class names its codes."""
    if not isinstance(result, CircleResult | PresenceResult):
        return []
    codes: dict[int, list[str]] = {}
    for one in result.districts:
        if one.value is not None:
            place = sum(one.value >= mark for mark in RATE_BREAKS)
            codes.setdefault(place, []).append(_quoted(str(one.code)))
    return [
        _Rule(
            f'"code" IN ({", ".join(codes[place])})',
            rate_texts(words)[place],
            _fill(colour, _EDGE),
        )
        for place, colour in enumerate(RATE_COLOURS)
        if place in codes
    ]


def _of_rates(target: str, symbol: str, words: Words) -> list[_Rule]:
    """Class villages or cells by the share of their people who are covered."""
    rate = f'"covered_{target}" / "people_{target}"'
    bounds = [None, *RATE_BREAKS, None]
    rules = []
    for place, (text, colour) in enumerate(zip(rate_texts(words), RATE_COLOURS, strict=True)):
        low, high = bounds[place], bounds[place + 1]
        tests = [f'"people_{target}" > 0']
        tests += [f"{rate} >= {low!r}"] if low is not None else []
        tests += [f"{rate} < {high!r}"] if high is not None else []
        look = _marker(colour, _INK, size=2.6) if symbol == "marker" else _fill(colour, colour)
        rules.append(_Rule(" AND ".join(tests), text, look))
    return rules


def _of_gaps(reasons: Sequence[str], whose: str, words: Words) -> list[_Rule]:
    """Class gaps by their reason."""
    rules = []
    for reason in reasons:
        known = reason in _GAP_CLASSES
        colour = CELL_COLOURS[_GAP_CLASSES[reason]] if known else UNIT_COLOURS["lacks"]
        look = _marker(colour, _INK, size=3.0)
        rules.append(
            _Rule(f'{whose}"reason" = {_quoted(reason)}', word("bucket", reason, words.language), look)
        )
    return rules


def _quoted(text: str) -> str:
    """Write a text as an expression of QGIS does: in apostrophes, its own doubled, backslashes too."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


# ---------------------------------------------------------------------------------------------------------
# QML


def _rgba(colour: str, *, opaque: bool = True) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{255 if opaque else 0}"


def _marker(fill: str, edge: str, *, size: float, shape: str = "circle") -> dict[str, str]:
    edges = {"outline_color": _rgba(edge), "outline_style": "solid", "outline_width": "0.2"}
    return {"name": shape, "color": _rgba(fill), "size": f"{size:g}", "size_unit": "MM", **edges}


def _fill(fill: str, edge: str, *, opaque: bool = True) -> dict[str, str]:
    edges = {"outline_color": _rgba(edge), "outline_style": "solid", "outline_width": "0.3"}
    return {"color": _rgba(fill, opaque=opaque), "style": "solid" if opaque else "no", **edges}


_CLASSES = {"marker": "SimpleMarker", "fill": "SimpleFill"}


def _qml(style: _Style) -> str:
    """Write a style as QML."""
    root = ET.Element(
        "qgis",
        {
            "version": "3.16.0",
            "styleCategories": "Symbology|Labeling",
            "labelsEnabled": "1" if style.labelled else "0",
        },
    )
    about = {"type": "RuleRenderer", "symbollevels": "0", "forceraster": "0", "enableorderby": "0"}
    renderer = ET.SubElement(root, "renderer-v2", about)
    rules = ET.SubElement(renderer, "rules", {"key": f"{style.layer}"})
    symbols = ET.SubElement(renderer, "symbols")
    for number, rule in enumerate(style.rules):
        facts = {"key": f"{style.layer}-{number}", "symbol": str(number), "label": rule.label}
        ET.SubElement(rules, "rule", facts | ({"filter": rule.filter} if rule.filter else {}))
        shown = {
            "type": style.symbol,
            "name": str(number),
            "alpha": "1",
            "clip_to_extent": "1",
            "force_rhr": "0",
        }
        symbol = ET.SubElement(symbols, "symbol", shown)
        drawn = {"class": _CLASSES[style.symbol], "enabled": "1", "locked": "0", "pass": "0"}
        layer = ET.SubElement(symbol, "layer", drawn)
        for key, value in rule.look.items():
            ET.SubElement(layer, "prop", {"k": key, "v": value})
    if style.labelled:
        labelling = ET.SubElement(root, "labeling", {"type": "simple"})
        settings = ET.SubElement(labelling, "settings")
        text = {"fieldName": style.labelled, "fontSize": "9", "textColor": _rgba(_INK), "isExpression": "0"}
        halo = {"bufferDraw": "1", "bufferSize": "0.8", "bufferColor": _rgba(_WHITE)}
        ET.SubElement(ET.SubElement(settings, "text-style", text), "text-buffer", halo)
    plain = ET.tostring(root, encoding="unicode")
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{plain}"
