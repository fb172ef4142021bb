"""Pages that open without a network: assets inlined, anything unknown refused; not what a page shows.

:class:`OfflineFigure` is a branca figure. Folium's maps and layers name their scripts and styles by web
address; the figure puts the vendored text in their place and refuses an address it has no text for.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import mimetypes
import re
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING, Any

from branca.element import CssLink, Element, Figure, JavascriptLink, MacroElement
from folium.map import Icon
from folium.raster_layers import TileLayer
from folium.template import Template

from lifecircle.errors import LifecircleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# frame-ancestors and report-uri are left out: in a meta element they log an error.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:{images}; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)

_FOLIUM_JQUERY = """
window.$ = window.$ || function (what) {
  if (typeof what === "string") {
    const holder = document.createElement("template");
    holder.innerHTML = what.trim();
    return holder.content.childNodes;
  }
  return {ready: (run) => document.readyState === "loading"
    ? document.addEventListener("DOMContentLoaded", run) : run()};
};
"""  # the two things folium's own templates ask of jQuery: popups and layers kept in front

_CARRIED = (
    (re.compile(r"/leaflet@1\.9\.\d+/dist/leaflet\.js$"), "leaflet.js"),
    (re.compile(r"/leaflet@1\.9\.\d+/dist/leaflet\.css$"), "leaflet.css"),
)
_JQUERY = re.compile(r"^https://code\.jquery\.com/jquery-3[\d.]*(\.min)?\.js$")
# Every folium map names these; only icons with glyphs use them, and those are refused by themselves.
_UNUSED = re.compile(r"/(bootstrap@5|glyphicons|bootstrap/3|leaflet\.awesome|Leaflet\.awesome|@fortawesome/)")
_URL = re.compile(r"url\(\s*(['\"]?)(?!data:|blob:|#)([^)'\"]+)\1\s*\)")
_FETCHING = {
    ("script", "src"), ("link", "href"), ("img", "src"), ("img", "srcset"), ("iframe", "src"),
    ("audio", "src"), ("video", "src"), ("video", "poster"), ("source", "src"), ("source", "srcset"),
    ("embed", "src"), ("object", "data"), ("image", "href"), ("use", "href"), ("input", "src"),
}  # fmt: skip


class UnknownAssetError(LifecircleError, LookupError):
    """A page names an outside file that the package does not carry."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.addresses = tuple(dict.fromkeys(addresses))
        listed = "\n".join(f"  {address}" for address in self.addresses)
        super().__init__(
            f"the page would need files from outside, which no page without a network has:\n{listed}\n"
            "Remedy: leave out the layer or plugin that names them, or add the map to a branca Figure to "
            "draw it with a network."
        )


@functools.cache
def vendored(name: str) -> bytes:
    """Read a file of the vendor folder and check it against the manifest.

    Raises
    ------
    UnknownAssetError
        When the manifest has no such file or the file has changed since.
    """
    folder = resources.files(__package__) / "vendor"
    rows = json.loads((folder / "manifest.json").read_text("utf-8"))
    for row in rows:
        if row["file"] == name:
            content = folder.joinpath(*name.split("/")).read_bytes()
            if hashlib.sha256(content).hexdigest() == row["sha256"]:
                return content
            raise UnknownAssetError([f"{name} (its content is not the one in vendor/manifest.json)"])
    raise UnknownAssetError([f"{name} (not in vendor/manifest.json)"])


def data_uri(name: str) -> str:
    """Put a vendored file in a data address."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(vendored(name)).decode()}"


def in_script(text: str) -> str:
    """Make text safe inside a script element: it cannot end the element or open a comment."""
    return re.sub(r"<(?=/script|!--|script)", r"\\x3c", text, flags=re.IGNORECASE)


def content_policy(image_hosts: Iterable[str] = ()) -> str:
    """Forbid a page every connection but to the hosts its images may come from, none where left out.

    >>> content_policy(["https://tile.example.org"]).split("; ")[3]
    'img-src data: blob: https://tile.example.org'
    """
    return CONTENT_POLICY.format(images="".join(f" {host}" for host in image_hosts))


def json_text(value: object) -> str:
    r"""Write JSON that is safe inside a script element and in a Jinja template.

    >>> json_text({"name": "</script>{{ 1 }}"})
    '{"name":"\\u003c/script>\\u007b{ 1 }}"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text.replace("<", "\\u003c"))


class Verbatim(Element):
    """Element that renders to its text, whatever it holds; branca takes other text for a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text

    def render(self, **_kwargs: object) -> str:
        """Return the text."""
        return self.text


class PlainMacro(MacroElement):
    """Element whose rendered macros are put in the page as they are.

    Branca renders what a macro gave once more, as a template of its own: what a value of a table had put
    there would then be run.
    """

    def render(self, **kwargs: Any) -> None:  # type: ignore[override]  # as branca's own, which is untyped
        """Put what the macros give in the figure, then the children.

        Raises
        ------
        TypeError
            When the element stands in no figure.
        """
        figure = self.get_root()
        if not isinstance(figure, Figure):
            raise TypeError("an element is rendered in a figure alone")
        for part in ("header", "html", "script"):
            macro = getattr(self._template.module, part, None)
            if macro is not None:
                getattr(figure, part).add_child(Verbatim(macro(self, kwargs)), name=self.get_name())
        for child in self._children.values():
            child.render(**kwargs)


class OfflineFigure(Figure):
    """Figure whose page holds everything it needs and asks no server for anything.

    ``seed`` decides the identifiers of the page's elements, so that the same content gives the same
    bytes; nothing of folium's or branca's classes is changed.

    Raises
    ------
    UnknownAssetError
        On rendering, when an element of the page names an outside file that is not carried.
    """

    _template = Template(
        """<!DOCTYPE html>
<html lang="{{ this.language|e }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ this.policy|e }}">
<meta name="renderer" content="webkit">
{% if not this.has_viewport %}<meta name="viewport" content="width=device-width, initial-scale=1">
{% endif %}<title>{{ this.title|e }}</title>
<link rel="icon" href="data:,">
{{ head }}
</head>
<body>
{{ body }}
<script>
{{ script }}
</script>
</body>
</html>
"""
    )

    def __init__(self, title: str = "", *, language: str = "en", seed: str = "", **kwargs: Any) -> None:
        super().__init__(title=title, **kwargs)
        self._name = "OfflineFigure"
        self.language = language
        self.seed = seed
        self.policy = content_policy()
        self.has_viewport = False
        del self.header._children["meta_http"]  # noqa: SLF001 - branca has no way to take a child out

    def render(self, **kwargs: Any) -> str:
        """Return the page as text.

        Raises
        ------
        UnknownAssetError
            With every address that the page would fetch from a network.
        """
        for child in self._children.values():
            child.render(**kwargs)
        elements = list(_elements(self))
        refused = list(_refused(elements))
        head = self._head(refused, kwargs)
        script = self.script.render(**kwargs)
        body = self.html.render(**kwargs)
        self.has_viewport = 'name="viewport"' in head
        page: str = self._template.render(this=self, head=head, body=body, script=script)
        refused += _outside_addresses(page)
        if refused:
            raise UnknownAssetError(refused)
        return _with_seeded_ids(page, elements, self.seed)

    def _head(self, refused: list[str], kwargs: dict[str, Any]) -> str:
        """Render the header with the assets first, noting the addresses that have none."""
        assets, rest = [], []
        for child in self.header._children.values():  # noqa: SLF001 - branca has no way to list children
            if not isinstance(child, JavascriptLink | CssLink):
                rest.append(child.render(**kwargs))
            elif _UNUSED.search(child.url):
                continue
            elif (text := _asset(child.url)) is None:
                refused.append(child.url)
            elif isinstance(child, CssLink):
                assets.append(f"<style>{text}</style>")
            else:
                assets.append(f"<script>{text}</script>")
        return "\n".join([*assets, *rest])


def _asset(url: str) -> str | None:
    """Return the text for an address, None where the package carries none."""
    if _JQUERY.match(url):
        return _FOLIUM_JQUERY
    for pattern, name in _CARRIED:
        if pattern.search(url):
            return _stylesheet(name) if name.endswith(".css") else _script(name)
    return None


@functools.cache
def _stylesheet(name: str) -> str:
    """Read a vendored style sheet with its images as data; behaviours of old browsers are dropped."""
    text = re.sub(r"behavior:\s*url\([^)]*\);?", "", vendored(name).decode())
    return _URL.sub(lambda match: f"url({data_uri(match[2])})", text)


@functools.cache
def _script(name: str) -> str:
    """Read a vendored script with its licence, without its source map; Leaflet gets its icons as data."""
    package = name.removesuffix(".js")
    text = re.sub(r"//# sourceMappingURL=\S+", "", vendored(name).decode())
    icons = {
        "iconUrl": data_uri("images/marker-icon.png"),
        "iconRetinaUrl": data_uri("images/marker-icon-2x.png"),
        "shadowUrl": data_uri("images/marker-shadow.png"),
    }
    licence = vendored(f"{package}.LICENSE").decode().strip()
    return in_script(
        f"/*! {licence} */\n{text}\n"
        "delete L.Icon.Default.prototype._getIconUrl;\n"
        f"L.Icon.Default.mergeOptions({json.dumps(icons)});\n"
        "L.Control.Attribution.mergeOptions({prefix: '<a href=\"https://leafletjs.com\">Leaflet</a>'});\n"
    )


def _elements(root: Element) -> Iterator[Element]:
    """Walk every element a figure holds, children and those kept in attributes, each once."""
    waiting: list[object] = [root]
    seen: set[int] = set()
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, list | tuple):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            waiting.extend(
                value for value in thing.values() if isinstance(value, Element | list | tuple | dict)
            )
        elif isinstance(thing, Element) and id(thing) not in seen:
            seen.add(id(thing))
            yield thing
            waiting.extend(
                value for value in vars(thing).values() if isinstance(value, Element | list | tuple | dict)
            )


def _refused(elements: list[Element]) -> Iterator[str]:
    """Name what elements would load while the page runs, which no link in the header shows."""
    for element in elements:
        if isinstance(element, TileLayer) and not str(element.tiles).startswith("data:"):
            yield str(element.tiles)
        elif type(element) is Icon:
            yield "Leaflet.awesome-markers (folium.Icon; a folium.DivIcon or the default icon needs no file)"


class _Addresses(HTMLParser):
    """Collects the addresses that opening a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag would fetch."""
        self._in_style = tag == "style"
        for name, value in attrs:
            if (tag, name.removeprefix("xlink:")) in _FETCHING and value:
                if not value.strip().startswith(("data:", "blob:", "#")):
                    self.found.append(value)
            elif name == "style" and value:
                self.found += [match[2] for match in _URL.finditer(value)]

    def handle_data(self, data: str) -> None:
        """Note what a style would fetch."""
        if self._in_style:
            self.found += [match[2] for match in _URL.finditer(data)]
            self.found += re.findall(r"@import\s+['\"]([^'\"]+)", data)

    def handle_endtag(self, tag: str) -> None:
        """Leave a style."""
        self._in_style = self._in_style and tag != "style"


def _outside_addresses(page: str) -> list[str]:
    """List the addresses a page's markup and styles would fetch."""
    parser = _Addresses()
    parser.feed(page)
    parser.close()
    return parser.found


def _with_seeded_ids(page: str, elements: list[Element], seed: str) -> str:
    """Replace the random identifiers of elements by ones that follow from the seed and the order of use."""
    random_ids = {element._id for element in elements}  # noqa: SLF001 - branca gives it only inside names
    given: dict[str, str] = {}

    def replacement(match: re.Match[str]) -> str:
        """Return the seeded id of a random one."""
        found = match[0]
        if found not in random_ids:
            return found
        if found not in given:
            given[found] = hashlib.sha256(f"{seed}\0{len(given)}".encode()).hexdigest()[:32]
        return given[found]

    return re.sub(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", replacement, page)


def attribute(text: str) -> str:
    """Escape text for HTML and for the templates folium puts it through, so that it only ever shows.

    >>> attribute("<b>{{ x }}`")
    '&lt;b&gt;&#123;&#123; x }}&#96;'
    """
    escaped = html.escape(text, quote=True)
    return "".join(f"&#{ord(sign)};" if sign in "{`$\\" else sign for sign in escaped)
