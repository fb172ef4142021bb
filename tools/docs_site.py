"""Build the site of the documentation: pages of the repository, and a reference made from the package itself.

``make docs`` runs it: the pages are gathered in ``build/docs`` and Sphinx writes them to ``build/site``,
which opens without a server or a network. README, CHANGELOG and CONTRIBUTING become pages; the reference of
commands, of ``study.toml``, of profiles, of ``summary.json`` and of Python is written from the commands,
the schemas and the public names, so that it cannot differ from them. Every warning, such as a link that
leads nowhere, is an error, and so is an option or a public name that the built reference lacks.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import html
import importlib
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import lifecircle
from lifecircle.cli import cli
from lifecircle.findings import summary_schema
from lifecircle.standards import profile_schema
from lifecircle.study import study_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
GATHERED = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"
# Files of the repository that are pages of the site: the path there, and the name of the page.
PAGES = {
    "README.md": "README.md",
    "README.zh.md": "README.zh.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
}
PICTURES = "maps/*.png"
LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
SCHEMAS = {"study": study_schema, "profile": profile_schema, "summary": summary_schema}
SCHEMA_HEADS = {
    "study": ("study.toml", "What the keys mean is in [A study](../study.md)."),
    "profile": ("Profile", "Services, targets and norms; what they mean is in [Standards](../standards.md)."),
    "summary": ("summary.json", "What a run holds; how a run is kept is in [Runs](../runs.md)."),
}


def gather(folder: Path) -> None:
    """Write every page and picture of the site below a folder, as Sphinx reads them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder)
    (folder / "maps").mkdir()
    for picture in sorted(ROOT.glob(PICTURES)):
        shutil.copy2(picture, folder / "maps")
    for path, name in PAGES.items():
        (folder / name).write_text((ROOT / path).read_text("utf-8"), "utf-8")
    shutil.copy2(ROOT / "CITATION.cff", folder)
    for page in folder.glob("*.md"):
        page.write_text(LINK.sub(_link_on_site, page.read_text("utf-8")), "utf-8")
    reference = folder / "reference"
    reference.mkdir()
    (reference / "cli.rst").write_text(COMMANDS, "utf-8")
    (reference / "python.rst").write_text(python_page(), "utf-8")
    for kind in SCHEMAS:
        (reference / f"{kind}.md").write_text("\n".join(schema_page(kind)), "utf-8")


def _link_on_site(link: re.Match[str]) -> str:
    path = link["path"].removeprefix("../")
    return PAGES.get(path, path.removeprefix("docs/")) + (link["anchor"] or "")


COMMANDS = """Command line
============

Every command, argument and option, as ``lifecircle COMMAND --help`` prints them.

.. click:: lifecircle.cli:cli
   :prog: lifecircle
   :nested: full
"""


def python_page() -> str:
    """Return the reference of the public names, by room, which autodoc fills from their docstrings."""
    rooms: dict[str, list[str]] = {}
    for name in sorted(lifecircle.__all__):
        if home := getattr(getattr(lifecircle, name), "__module__", ""):
            rooms.setdefault(home.split(".")[1], []).append(name)
    lines = ["Python", "======", "", "Every public name, under the room it comes from.", ""]
    for room in sorted(rooms):
        lines += [room, "-" * len(room), ""]
        for name in rooms[room]:
            kind = "class" if isinstance(getattr(lifecircle, name), type) else "function"
            lines += [
                f".. auto{kind}:: lifecircle.{name}",
                *(["   :members:"] if kind == "class" else []),
                "",
            ]
    lines += ["Of single rooms", "---------------", "", "What the pages call beside these, by its room.", ""]
    for room, name in sorted(names_called(ROOT)):
        found = getattr(importlib.import_module(f"lifecircle.{room}"), name)
        if name in lifecircle.__all__:
            lines += [f".. py:data:: lifecircle.{room}.{name}", "   :noindex:", "", "   As above.", ""]
        else:
            kind = "class" if isinstance(found, type) else "function" if callable(found) else "data"
            lines += [f".. auto{kind}:: lifecircle.{room}.{name}", ""]
    return "\n".join(lines)


CALLED = re.compile(r"\b(?:lifecircle|lc)\.([a-z_]+)\.([A-Za-z]\w*)")
IMPORTED = re.compile(r"from lifecircle\.([a-z_]+) import ([\w, ]+)")


def names_called(root: Path) -> set[tuple[str, str]]:
    """Return (room, name) of everything that the pages of ``root`` call by its room."""
    found: set[tuple[str, str]] = set()
    for page in [*root.glob("README*.md"), *root.glob("docs/*.md")]:
        text = page.read_text("utf-8")
        found |= set(CALLED.findall(text))
        for room, names in IMPORTED.findall(text):
            found |= {(room, name.strip()) for name in names.split(",") if name.strip()}
    return found


# ---- a schema as tables ----


def schema_page(kind: str) -> Iterator[str]:
    """Yield the lines of a page with a table of keys for every object of a JSON Schema."""
    schema = SCHEMAS[kind]()
    title, about = SCHEMA_HEADS[kind]
    parts = {"": schema, **schema.get("$defs", {})}
    yield f"# {title}\n\n{about} The whole schema: `lifecircle schema {kind}`.\n"
    for name, part in parts.items():
        if name:
            yield f"\n## {name}\n"
        if text := part.get("description"):
            yield f"\n{_markdown(text)}\n"
        if "properties" in part:
            yield from _key_table(part)
        elif name:
            yield f"{_kind(part)}\n"


def _key_table(part: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | what it holds | left out |"
    yield "|---|---|---|"
    needed = set(part.get("required", ()))
    for key, value in part["properties"].items():
        default = (
            ""
            if key in needed
            else f"`{_toml(value['default'])}`"
            if value.get("default") is not None
            else "–"
        )
        yield f"| `{key}` | {_kind(value)} | {'needed' if key in needed else default} |"
    yield ""


_WORDS = {"string": "text", "integer": "whole number", "boolean": "yes or no", "number": "number"}


def _kind(value: Mapping[str, Any]) -> str:
    """Say in words and links what a value may be."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := value.get("anyOf") or value.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(one) for one in options if one.get("type") != "null"))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    kind, inner = value.get("type"), value.get("additionalProperties")
    if kind == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if kind == "object":
        return f"table of {_kind(inner)}" if isinstance(inner, dict) else "table"
    return _WORDS.get(str(kind), "anything")


def _toml(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value).replace("'", '"')


def _markdown(text: str) -> str:
    """Turn the marks of a docstring into those of the page."""
    text = re.sub(r":[a-z]+:`~?\.?([^`]*)`", r"`\1`", text)
    return text.replace("``", "`").replace("\n\n", "\n\n")


def lacking(site: Path) -> list[str]:
    """Return the options of commands and the public names that the built reference lacks."""
    commands = html.unescape((site / "reference" / "cli.html").read_text("utf-8"))
    python = (site / "reference" / "python.html").read_text("utf-8")
    wrong = []
    for words, command in _commands(cli, ("lifecircle",)):
        part = _section(commands, "-".join(words))
        names = [name for one in command.params for name in one.opts if isinstance(one, click.Option)]
        wrong += [f"{' '.join(words)} {name}" for name in names if f">{name}<" not in part]
    return wrong + [
        name
        for name in lifecircle.__all__
        if f'id="lifecircle.{name}"' not in python and name != "__version__"
    ]


def _commands(
    command: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*words, name))


def _section(page: str, anchor: str) -> str:
    """Return the part of a page from the section with an anchor up to the next section."""
    return page.partition(f'<section id="{anchor}">')[2].partition("<section")[0]


def main() -> int:
    """Gather the pages and build the site; every warning is an error."""
    from sphinx.cmd.build import build_main  # noqa: PLC0415 - the tests load this file without it

    gather(GATHERED)
    status = build_main(["-b", "html", "-W", "--keep-going", "-q", "-n", str(GATHERED), str(SITE)])
    wrong = [] if status else lacking(SITE)
    for name in wrong:
        sys.stderr.write(f"not in the reference: {name}\n")
    return int(bool(status or wrong))


if __name__ == "__main__":
    sys.exit(main())
