"""The folium elements of the page: the map, the layers drawn by ``page.js``, the panel beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import folium
from folium.map import Layer
from folium.template import Template
from jinja2 import Environment

from lifecircle.atlas._base_maps import BaseLayer, PlaceNames, base_maps
from lifecircle.atlas._offline import PlainMacro, Verbatim, in_script
from lifecircle.atlas._script import asset, page_script
from lifecircle.page_data import ELEMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from branca.element import Figure

    from lifecircle.publication import MapSetting

MAX_ZOOM = 18

OLDEST_CHROMIUM = 88
"""Oldest Chromium whose language and style sheets the page is written in."""

# In the oldest words there are: what newer scripts do not run in has to run itself. A script that cannot be
# read sets no lifecirclePage; one that can may still miss what it calls.
_OLD_BROWSER = (
    "(function () { var old = !window.lifecirclePage || !Element.prototype.replaceChildren || "
    "!window.CSS || !CSS.supports || !CSS.supports('selector(:is(a))'); "
    "if (old) document.getElementById('lc-old').hidden = false; })();"
)

Kind = Literal[
    "districts",
    "rates",
    "ground",
    "roads",
    "residents",
    "supply",
    "score",
    "differences",
    "gaps",
    "units",
    "facilities",
    "loads",
    "villages",
    "plans",
]


class PageMap(folium.Map, PlainMacro):
    """Folium map that fills its part of the page, takes no tiles and needs Leaflet alone."""

    default_js = [entry for entry in folium.Map.default_js if entry[0] == "leaflet"]  # noqa: RUF012 - as folium has it
    default_css = [entry for entry in folium.Map.default_css if entry[0] == "leaflet_css"]  # noqa: RUF012 - as folium has it

    _template = Template(
        """
{% macro html(this, kwargs) %}
<div class="folium-map" id="{{ this.get_name() }}" role="region" aria-label="{{ this.label|e }}"></div>
{% endmacro %}
{% macro script(this, kwargs) %}
var {{ this.get_name() }} = L.map("{{ this.get_name() }}", {{ this.options|tojavascript }});
lifecirclePage.panes({{ this.get_name() }});
lifecirclePage.fit({{ this.shown|tojson }});
{% endmacro %}
"""
    )

    def __init__(self, bounds: list[list[float]], *, label: str) -> None:
        super().__init__(tiles=None, max_zoom=MAX_ZOOM, min_zoom=5, zoom_snap=0.25, zoom_delta=0.5)
        self.options |= {"maxZoom": MAX_ZOOM, "minZoom": 5, "wheelPxPerZoomLevel": 90}
        self.options.pop("zoom", None)
        self.shown = bounds
        self.label = label


class PageLayer(Layer, PlainMacro):
    """Layer that ``page.js`` draws from the page's data; the layer control of folium switches it."""

    _template = Template(
        """
{% macro script(this, kwargs) %}
var {{ this.get_name() }} = lifecirclePage.layer({{ this.kind|tojson }});
{% endmacro %}
"""
    )

    def __init__(self, kind: Kind, *, name: str, show: bool = True) -> None:
        super().__init__(name=name, overlay=True, show=show)
        self._name = "PageLayer"
        self.kind = kind


class PageStart(PlainMacro):
    """The last word of the page's script: fill the panel, draw, and see to the layer switch."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "lifecirclePage.start({{ this.control.get_name() }}, {{ this.names|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, control: folium.LayerControl, names: Mapping[Kind, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca leaves its constructors untyped
        self._name = "PageStart"
        self.control = control
        self.names = list(names.items())  # pairs: as an object they would be sorted


def add_layers(page_map: PageMap, words: Mapping[str, str], *, optional: Collection[Kind] = ()) -> None:
    """Add the page's layers from the bottom up, their switch and the start of the script.

    ``optional`` : those of the layers that not every page has which this one shall have.
    """
    shown: dict[Kind, bool] = {
        "districts": True,
        "rates": "rates" in optional,
        "ground": "ground" in optional,
        "roads": "roads" in optional,
        "residents": True,
        "supply": "supply" in optional,
        "score": "supply" in optional,
        "differences": "villages" in optional,
        "gaps": True,
        "units": "units" in optional,
        "facilities": True,
        "loads": "supply" in optional,
        "villages": "villages" in optional,
        "plans": "plans" in optional,
    }
    names = {kind: words[f"layer_{kind}"] for kind, wanted in shown.items() if wanted}
    for kind, name in names.items():
        page_map.add_child(PageLayer(kind, name=name, show=kind not in {"rates", "score"}))
    control = folium.LayerControl(position="topleft", collapsed=False)  # the page moves it beside the legend
    page_map.add_child(control)
    page_map.add_child(PageStart(control, names))


def add_panel(figure: Figure, about: Mapping[str, Any], *, words: Mapping[str, str], data: str) -> None:
    """Put the style, the panel, the data and the script in the page, ahead of the map."""
    template = Environment(autoescape=True).from_string(asset("panel.html"))
    panel = template.render(
        words=words,
        name=about["name"],
        year=about["years"],
        stamp=about["stamp"],
        margin=about["margin"],
        reading=about["reading"],
        oldest=words["too_old"].format(version=OLDEST_CHROMIUM),
        element=ELEMENT,
        data=data,
    )
    figure.header.add_child(Verbatim(f"<style>{asset('page.css')}</style>"), name="page_style")
    figure.html.add_child(Verbatim(panel), name="page_panel")
    figure.html.add_child(Verbatim(f"<script>{in_script(page_script())}</script>"), name="page_script")
    figure.html.add_child(Verbatim(f"<script>{_OLD_BROWSER}</script>"), name="page_old")


def add_surroundings(
    page_map: PageMap, setting: MapSetting, words: Mapping[str, str], *, labels: list[dict[str, Any]]
) -> None:
    """Add the base maps a study asks for, below every layer and switched off, and the names around it.

    Raises
    ------
    UnusableInputError
        When a base map is not known, in a shifted datum, or needs a key.
    """
    for name, base in base_maps(setting.base, tianditu_key=setting.tianditu_key).items():
        page_map.add_child(BaseLayer(base, name=words[f"base_{name}"]))
    if labels:
        page_map.add_child(PlaceNames(labels))
