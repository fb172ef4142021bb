"""What a study may lay under and over the page's own layers: online base maps, names of places around.

No base map is offered unless a study asks for it by name, none is on until a reader switches it on, and only
those drawn in WGS84 or CGCS2000 are known. The page's policy then names exactly their hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from folium.map import Layer
from folium.template import Template

from lifecircle.atlas._offline import PlainMacro, json_text
from lifecircle.datum import shifted_tiles
from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Sequence


_OSM = "https://tile.openstreetmap.org"
_TIANDITU = "https://t{s}.tianditu.gov.cn"
_QUERY = (
    "{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)


@dataclass(frozen=True)
class BaseMap:
    """An online base map: its layers from the bottom up, its hosts, who it is from."""

    addresses: tuple[str, ...]
    subdomains: str
    hosts: tuple[str, ...]
    attribution: str
    most_zoom: int


def base_maps(names: Sequence[str], *, tianditu_key: str = "") -> dict[str, BaseMap]:
    """Describe the base maps asked for by name: ``osm``, ``tianditu_vec``, ``tianditu_img``.

    Raises
    ------
    UnusableInputError
        With every name that is unknown, or of tiles in a shifted datum, and for Tianditu without a key.
    """
    known = {
        "osm": BaseMap((f"{_OSM}/{{z}}/{{x}}/{{y}}.png",), "", (_OSM,), "© OpenStreetMap contributors", 19),
        "tianditu_vec": _tianditu(("vec", "cva"), tianditu_key),
        "tianditu_img": _tianditu(("img", "cia"), tianditu_key),
    }
    use = say("use one of {known}", known=", ".join(known))
    faults = []
    for name in names:
        datum = shifted_tiles(name)
        if datum:
            reason = say(
                "tiles drawn in {datum}: everything else would stand hundreds of metres off its place",
                datum=datum,
            )
            faults.append(Fault("(map)", "base", name, reason, use))
        elif name not in known:
            faults.append(Fault("(map)", "base", name, say("no such base layer"), use))
        elif name.startswith("tianditu") and not tianditu_key:
            reason = say("Tianditu asks for a key, which stands in the page")
            remedy = say("give tianditu_key, from tianditu.gov.cn")
            faults.append(Fault("(map)", "base", name, reason, remedy))
    if faults:
        raise UnusableInputError(faults)
    return {name: known[name] for name in dict.fromkeys(names)}


def _tianditu(layers: tuple[str, ...], key: str) -> BaseMap:
    addresses = tuple(
        f"{_TIANDITU}/{_QUERY.format(layer=layer, key=quote(key, safe=''))}" for layer in layers
    )
    hosts = tuple(_TIANDITU.format(s=number) for number in range(8))
    return BaseMap(addresses, "01234567", hosts, "天地图 (Tianditu)", 18)


class BaseLayer(Layer, PlainMacro):
    """A base map a reader may switch on; while it is on, the districts' shading lets it show through."""

    _template = Template(
        """
{% macro script(this, kwargs) %}
var {{ this.get_name() }} = L.layerGroup({{ this.addresses }}.map(function (address) {
  return L.tileLayer(address, {{ this.tile_options|tojson }});
}));
{{ this.get_name() }}.on("add remove", function (event) {
  var map = {{ this._parent.get_name() }};
  map.getPane("lc-areas").style.opacity = event.type === "add" ? "0.35" : "";
});
{% endmacro %}
"""
    )

    def __init__(self, base: BaseMap, *, name: str) -> None:
        super().__init__(name=name, overlay=True, show=False)
        self._name = "BaseLayer"
        self.addresses = json_text(list(base.addresses))
        self.tile_options: dict[str, Any] = {
            "attribution": base.attribution,
            "maxNativeZoom": base.most_zoom,
            "subdomains": base.subdomains or "abc",
        }


class PlaceNames(PlainMacro):
    """Names of what lies around the study: neighbours, waters; only ever put in as text."""

    _template = Template(
        """
{% macro script(this, kwargs) %}
{{ this.places }}.forEach(function (place) {
  var text = document.createElement("span");
  text.textContent = place.name;
  L.marker(place.at, {
    pane: "lc-labels", interactive: false, keyboard: false,
    icon: L.divIcon({className: "lc-label lc-place lc-place-" + place.kind, iconSize: [0, 0], html: text}),
  }).addTo({{ this._parent.get_name() }});
});
{% endmacro %}
"""
    )

    def __init__(self, places: list[dict[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca leaves its constructors untyped
        self._name = "PlaceNames"
        self.places = json_text(places)
