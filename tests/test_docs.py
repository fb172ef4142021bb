"""The docs hold together: no dead link, and every option, public name and key of a schema is explained."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote

import click
import pytest

import lifecircle
from conftest import ROOT
from lifecircle.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "data/geo/*/*.md", "tests/*/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
TOLD = "\n".join(
    path.read_text("utf-8") for path in PAGES if path.parent == ROOT / "docs" or "README" in path.name
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:src|href)=\"(?P<html>[^\"]+)\"")
FENCE = re.compile(r"^(```|:::).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def docs_site():
    """Load the script that makes the site; it needs Sphinx only where it builds."""
    found = importlib.util.spec_from_file_location("docs_site", ROOT / "tools" / "docs_site.py")
    module = importlib.util.module_from_spec(found)
    sys.modules["docs_site"] = module
    found.loader.exec_module(module)
    return module


def links(text: str) -> list[str]:
    """List where the links of a page lead, what stands in code left out."""
    plain = CODE.sub("", FENCE.sub("", text))
    return [unquote(found["to"] or found["html"]) for found in LINK.finditer(plain)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    found: dict[str, int] = {}
    made = set()
    for title in re.findall(r"^#{1,4} (.+)$", FENCE.sub("", text), flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        made.add(slug if slug not in found else f"{slug}-{found[slug]}")
        found[slug] = found.get(slug, 0) + 1
    return made


def dead(page: Path, text: str) -> list[str]:
    """List the links of a page that lead to no file, no folder or no heading here."""
    wrong = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        there = target.exists() and target.is_relative_to(ROOT)
        if there and anchor:
            there = anchor in anchors(text if target == page else target.read_text("utf-8"))
        if not there:
            wrong.append(link)
    return wrong


def test_the_check_of_links_finds_each_kind_of_dead_link():
    text = "# A b\n[1](#a-b) [2](#c) [3](no.md) [4](README.md#no)\n"
    text += '![5](no.png) <img src="no.svg"> `[6](no.md)`\n'
    text += "[7](/etc/passwd) [8](https://example.org/x) [9](README.md)\n```\n[10](no.md)\n```\n"
    assert dead(ROOT / "SECURITY.md", text) == [
        "#c",
        "no.md",
        "README.md#no",
        "no.png",
        "no.svg",
        "/etc/passwd",
    ]
    assert anchors("# A\n## A\n## `b` (c), d: *e*\n") == {"a", "a-1", "b-c-d-e"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_is_dead(page):
    assert not dead(page, page.read_text("utf-8"))


def test_pages_with_links_were_read():
    assert sum(len(links(page.read_text("utf-8"))) for page in PAGES) > 120


# ---- commands ----


def commands(found: click.Command = cli, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(words), found
    if isinstance(found, click.Group):
        for name, inner in found.commands.items():
            yield from commands(inner, (*words, name))


@pytest.mark.parametrize(
    ("words", "command"), list(commands()), ids=[words or "lifecircle" for words, _ in commands()]
)
def test_every_option_is_explained_and_stands_in_the_documents(words, command):
    """The reference takes the help of each; a page says what it is good for."""
    assert command.help, words
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert not [one.opts for one in options if not one.help]
    long = [max(one.opts, key=len) for one in options]
    assert not [name for name in long if not re.search(rf"(?<![\w-]){name}(?![\w-])", TOLD)]


CALL = re.compile(r"(?:^|[`$ ])lifecircle ((?:[^`#\n|]|\|(?! ))+)", re.MULTILINE)


def wrong_options(text: str) -> list[str]:
    """List the commands that a page writes out with an option which they do not have."""
    wrong = []
    for call in CALL.findall(text):
        words = call.split()
        names = [word for word in words if re.fullmatch(r"[a-z][a-z-]*(\|[a-z-]+)*", word)]
        found, own = cli, list(cli.params)
        for name in names:
            if isinstance(found, click.Group) and (inner := found.commands.get(name.partition("|")[0])):
                found, own = inner, own + inner.params
        has = {opt for one in own for opt in (*one.opts, *one.secondary_opts)} | {"--help"}
        asked = {
            word.strip("[]().,;").partition("=")[0] for word in words if word.strip("[(").startswith("--")
        }
        if found is not cli and asked - has:
            wrong.append(f"lifecircle {call.strip()}: {sorted(asked - has)}")
    return wrong


def test_no_page_writes_out_a_command_with_an_option_it_does_not_have():
    text = "`lifecircle audit . --yaer 2025` and `lifecircle ledger history . --target x --quiet`\n"
    assert [line.rpartition(": ")[2] for line in wrong_options(text)] == ["['--yaer']", "['--quiet']"]
    assert len(CALL.findall(TOLD)) > 100
    assert not wrong_options(TOLD)


def commands_of(name: str) -> list[str]:
    """Return the commands of the shell blocks of a page, without comments and paths of its language."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [re.sub(r"\.\./\S+", "../F", line) for line in lines]


def test_both_readmes_run_the_same_commands():
    """The English ones are run (``tools/run_tutorial.py``)."""
    assert commands_of("README.zh.md") == commands_of("README.md") != []


def test_the_reference_of_commands_is_of_the_whole_group():
    page = docs_site().COMMANDS
    assert "lifecircle.cli:cli" in page
    assert ":nested: full" in page
    assert len(dict(commands())) > 18


# ---- Python ----


def test_every_public_name_stands_once_in_the_reference():
    found = re.findall(r"^\.\. auto\w+:: lifecircle\.(\w+)$", docs_site().python_page(), flags=re.MULTILINE)
    assert sorted(found) == sorted(set(lifecircle.__all__) - {"__version__"})


def public_names(room: str) -> set[str]:
    """Return what a room offers: its list, or what a module of one file defines without an underscore."""
    module = importlib.import_module(f"lifecircle.{room}")
    return set(
        getattr(module, "__all__", None) or (name for name in vars(module) if not name.startswith("_"))
    )


def test_every_name_that_a_page_calls_is_offered_and_in_the_reference():
    site = docs_site()
    called = site.names_called(ROOT)
    assert len(called) > 12
    assert not [(room, name) for room, name in called if name not in public_names(room)]
    page = site.python_page()
    assert not [(room, name) for room, name in called if f":: lifecircle.{room}.{name}\n" not in page]
    short = set(re.findall(r"\blc\.(\w+)\b(?!\.)", TOLD))
    assert len(short) > 15
    assert short <= set(lifecircle.__all__)


def test_every_public_name_has_a_docstring():
    public = [name for name in lifecircle.__all__ if name != "__version__"]
    assert not [name for name in public if not inspect.getdoc(getattr(lifecircle, name))]


# ---- schemas and pages ----


@pytest.mark.parametrize("kind", ["study", "profile", "summary"])
def test_every_key_of_a_schema_stands_in_its_page(kind):
    site = docs_site()
    schema, page = site.SCHEMAS[kind](), "\n".join(site.schema_page(kind))
    parts = [schema, *schema.get("$defs", {}).values()]
    keys = [key for part in parts for key in part.get("properties", {})]
    assert len(keys) > 20
    assert page.count("\n| `") + page.startswith("| `") == len(keys)
    assert not [key for key in keys if f"| `{key}` | " not in page]


def test_every_page_is_in_the_contents():
    listed = re.findall(r"^([\w./-]+)$", (ROOT / "docs" / "index.md").read_text("utf-8"), flags=re.MULTILINE)
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages <= {name.removesuffix(".md") for name in listed}
