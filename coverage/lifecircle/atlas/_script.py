"""How the page's modules become its one script: each in a scope of its own, in the order they need.

The modules are plain ECMAScript, which Node's test runner loads as they stand. A page from a file can load
no module, and its policy allows no ``blob:`` or ``data:`` script, so they are written one after another into
one classic script, which also runs before the scripts that folium writes. A module may say
``import { a, b } from "./other.js";`` and put ``export`` before a ``function``, ``class`` or ``const``;
anything else is refused.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY = "page"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
_NAME = re.compile(r"\w+$")


def asset(name: str) -> str:
    """Read a text file of the page."""
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


def page_script(entry: str = ENTRY, *, read: Callable[[str], str] = asset) -> str:
    r"""Write a module and all it imports as one classic script.

    Parameters
    ----------
    entry : name of the module that starts the page, without its ending
    read : gives the text of a file of the room

    Raises
    ------
    ValueError
        When a module imports or exports in another way than the one above, imports a name that the other
        does not export, or modules import each other in a circle.

    >>> files = {"sum.js": "export const one = 1;"}
    >>> files["page.js"] = 'import { one } from "./sum.js";\nalert(one);'
    >>> print(page_script(read=files.__getitem__))
    (function () {
    "use strict";
    const sum_module = (function () {
    const one = 1;
    return { one };
    })();
    const page_module = (function () {
    const { one } = sum_module;
    alert(one);
    return {  };
    })();
    })();
    """
    exported: dict[str, list[str]] = {}
    parts: list[str] = []

    def add(name: str, above: tuple[str, ...]) -> None:
        """Write a module after all it imports; ``above`` are those that asked for it.

        Raises
        ------
        ValueError
            When modules import each other in a circle.
        """
        if name in above:
            raise ValueError(f"modules import each other in a circle: {' -> '.join([*above, name])}")
        if name in exported:
            return
        text = read(f"{name}.js")
        for _, other in _IMPORT.findall(text):
            add(other, (*above, name))
        parts.append(_scoped(name, text, exported))
        exported[name] = [found for _, found in _EXPORT.findall(text)]

    add(entry, ())
    return "\n".join(["(function () {", '"use strict";', *parts, "})();"])


def _scoped(name: str, text: str, exported: dict[str, list[str]]) -> str:
    """Put a module in a function that gives its exports, its imports taken from those of the others."""

    def taken(match: re.Match[str]) -> str:
        """Turn an import into one of the other module's exports.

        Raises
        ------
        ValueError
            When the other module does not export a name.
        """
        wanted = [part.strip() for part in match[1].split(",") if part.strip()]
        for one in wanted:
            if not _NAME.match(one) or one not in exported[match[2]]:
                raise ValueError(f"{name}.js imports {one!r}, which {match[2]}.js does not export")
        return f"const {{ {', '.join(wanted)} }} = {match[2]}_module;"

    own = [found for _, found in _EXPORT.findall(text)]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(taken, text)).strip()
    if left := _LEFT.search(body):
        raise ValueError(f"{name}.js has a statement that the page cannot carry: {left[0]}")
    return f"const {name}_module = (function () {{\n{body}\nreturn {{ {', '.join(own)} }};\n}})();"
