"""The catalogue: both languages everywhere, and rates that never flatter."""

import ast
import re
import string
import tomllib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.errors import say
from lifecircle.wording import Words, explain, percent, truncated_percent, village_text, word
from sources import PACKAGE, nodes_of


@cache
def catalogue():
    return tomllib.loads((PACKAGE / "wording.toml").read_text("utf-8"))


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def templates():
    """Every text that the package gives to ``say``: (template, where it stands)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and node.args:
                yield ast.literal_eval(node.args[0]), f"{path.name}:{node.lineno}"


def test_every_message_has_a_chinese_sentence_with_the_same_fields():
    known = catalogue()["message"]
    assert [f"{where}: {text}" for text, where in templates() if text not in known] == []
    for text, entry in known.items():
        assert fields(entry["zh"]) == fields(text), text


PRINTED = {"reason", "remedy"}
"""What a fault says to people; its file, place and value are names and data."""
SENTENCE = re.compile(r"[\w}]\W* \W*[\w{]")
"""Words with a space between them: a code of a reason, such as ``no_baseline``, has none."""


def plain_parts(node):
    """Yield the texts of an expression that stand in it plainly, and not in a message."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
        return
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        if not isinstance(node, ast.Constant) or node.value:
            yield ast.unparse(node)
        return
    inner = (node.body, node.orelse) if isinstance(node, ast.IfExp) else ast.iter_child_nodes(node)
    for child in inner if not isinstance(node, (ast.Subscript, ast.Compare)) else ():
        yield from plain_parts(child)


def takers():
    """Return where each class and function of the package takes a reason or remedy: {name: places}."""
    found = {}
    for node in (node for path in PACKAGE.rglob("*.py") for node in nodes_of(path)):
        if isinstance(node, ast.ClassDef):
            names = [getattr(part.target, "id", "") for part in node.body if isinstance(part, ast.AnnAssign)]
        elif isinstance(node, ast.FunctionDef):
            names = [one.arg for one in node.args.posonlyargs + node.args.args]
            names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        else:
            continue
        found.setdefault(node.name, set()).update(at for at, name in enumerate(names) if name in PRINTED)
    return {name: places for name, places in found.items() if places}


def assigned(target, value):
    """Yield what is bound to a name of :data:`PRINTED`, one by one or in a pair."""
    names = [getattr(one, "id", "") for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(names) == len(value.elts):
        yield from (part for name, part in zip(names, value.elts, strict=True) if name in PRINTED)
    elif PRINTED & set(names):
        yield value


def is_sentence(text):
    return bool(SENTENCE.search(re.sub(r"\{[^{}]*\}", "{}", text)))


def plain_texts(nodes, places):
    """Yield every text that a file gives plainly as a reason or a remedy: (line, text)."""
    for node in nodes:
        parts = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            parts = [node.args[at] for at in places.get(name, ()) if at < len(node.args)]
            parts += [word.value for word in node.keywords if word.arg in PRINTED]
        elif isinstance(node, ast.Assign):
            parts = [part for target in node.targets for part in assigned(target, node.value)]
        for part in parts:
            yield from ((node.lineno, text) for text in plain_parts(part) if is_sentence(text))


def test_every_fault_of_the_package_is_said_as_a_message():
    places = takers()
    assert {"Fault", "Conflict", "Problem", "faults", "_fault"} <= set(places)
    # An error of the command line's own library is printed in English, as its help is.
    places.pop("refuse_options")
    plain = [
        f"{path.name}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in plain_texts(nodes_of(path), places)
        if not (path.name == "_root.py" and text == "' Remedy: '")  # the mark that it looks for
    ]
    assert plain == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('Fault(a, b, c, "no such file", say("name one"))', ["'no such file'"]),
        ('Fault(a, b, c, say("x"), remedy=f"use {known} or none")', ["f'use {known} or none'"]),
        ('reason = "it is shut" if shut else say("it is open")', ["'it is shut'"]),
        ('reason, remedy = say("it is shut"), "open the door"', ["'open the door'"]),
        ('rows.faults(wrong, "it is shut", say("open it"))', ["'it is shut'"]),
        ('Fault(a, "row 3", "2 of 3", say("it is shut"), "")', []),
        ('reason = "no_baseline"', []),
        ('reason = f"year_missing:{year - 1}"', []),
    ],
)
def test_a_fault_that_is_said_plainly_is_found(code, found):
    assert [
        text for _, text in plain_texts(ast.walk(ast.parse(code)), {"Fault": {3, 4}, "faults": {1, 2}})
    ] == found


def test_every_entry_has_both_languages():
    for kind, entries in catalogue().items():
        if kind == "message":
            continue
        for name, entry in entries.items():
            assert set(entry) == {"zh", "en"}, f"{kind}.{name}"
            assert entry["zh"].count("{") == FORM.sub("", entry["en"]).count("{"), f"{kind}.{name}"
            assert fields(entry["zh"]) == fields(entry["en"]), f"{kind}.{name}"


FORM = re.compile(r"\{\w+:[^{}|]*\|[^{}|]*\}")
"""A part of an English text that has a form for one and a form for more."""


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 rows"), (1, "1 row"), ("1", "1 row"), (2, "2 rows"), ("1,000", "1,000 rows"), (21, "21 rows")],
)
def test_a_count_of_one_is_said_in_the_singular(count, said):
    assert Words("en").format("terminal", "rejects", count=count) == f"{said} rejected, see rejects.csv"
    assert "剔除" in Words("zh").format("terminal", "rejects", count=count)
    assert say("{rows} {rows:row|rows}", rows=count) == said
    assert explain(f"register_built:{count}", "en").endswith(said.replace("row", "run"))


def test_the_page_fills_every_text_with_forms_before_it_shows_it():
    marked = {key for key, entry in catalogue()["page"].items() if FORM.search(entry["en"])}
    assert marked
    for path in (PACKAGE / "atlas/page").glob("*.js"):
        text = path.read_text("utf-8")
        for found in re.finditer(r"(.*)\bwords\.(\w+)", text):
            if found[2] in marked:
                assert re.search(r"\b(fill|sentence)\(", found[1]), f"{path.name}: {found[2]}"


def test_an_unknown_name_is_shown_as_it_is():
    assert word("group", "students", "zh") == "students"


def test_reasons():
    assert explain("", "zh") == ""
    assert explain("group_missing:under3", "zh") == "居民数据没有该人群：under3"


@pytest.mark.parametrize(
    ("value", "text"), [(0.9996, "99.9 %"), (1.0, "100.0 %"), (0.29, "29.0 %"), (0.0, "0.0 %"), (None, "—")]
)
def test_percent(value, text):
    assert percent(value) == text


@given(st.floats(0, 1))
def test_a_printed_rate_is_never_above_the_rate(value):
    shown = truncated_percent(value)
    assert shown / 100 <= value + 1e-15
    assert value * 100 - shown < 0.1 + 1e-9


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_below_the_goal_never_prints_as_the_goal(covered, more):
    assert percent(covered / (covered + more)) != "100.0 %"


# ---------------------------------------------------------------------------------------------------------
# Every key is used, and none is missing

ANY = r"[-\w]+"
FROM_STUDIES = {"group": {"nonregistered", "low_income", "disabled"}}
"""Keys that only a study's own file writes: names of groups of people."""
OF_TWO_PARTS = {"reading", "plan_column"}
"""Sections whose keys the code puts together: ``homes`` and ``off``, ``next_`` and ``loss``."""


def keys_in_code():
    """Return every text of the code and the page that may be a key, and a pattern of those made of parts."""
    plain, made = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in nodes_of(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain |= {node.value, node.value.partition(":")[0]}
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
                code = "".join(map(str, parts)).partition(":")  # arguments of a reason stand behind the colon
                made |= {text for text in (code[0], "".join(code)) if len(text.strip("\0")) > 1}
    for path in PACKAGE.rglob("*.toml"):
        if path.name != "wording.toml":
            plain |= set(re.findall(r"[\w-]+", path.read_text("utf-8")))
    for path in [*(PACKAGE / "atlas/page").glob("*.js"), PACKAGE / "atlas/page/panel.html"]:
        text = path.read_text("utf-8")
        plain |= set(re.findall(r"\bwords\.(\w+)", text)) | set(re.findall(r'"([\w-]+)"', text))
        made |= {start + "\0" for start in re.findall(r'words\["(\w+_)" \+', text)}
    assert len(plain) > 2000
    return plain, re.compile("|".join(re.escape(text).replace("\0", ANY) for text in sorted(made)))


def test_every_key_of_the_catalogue_is_used():
    plain, made = keys_in_code()

    def used(kind, key):
        cuts = (at.start() for at in re.finditer("_", key)) if kind in OF_TWO_PARTS else ()
        parted = any({key[:at], key[: at + 1]} & plain and key[at + 1 :] in plain for at in cuts)
        return key in plain or parted or made.fullmatch(key) or key in FROM_STUDIES.get(kind, ())

    sections = {kind: entries for kind, entries in catalogue().items() if kind != "message"}
    unused = [f"{kind}.{key}" for kind, entries in sections.items() for key in entries if not used(kind, key)]
    assert unused == []
    said = {text for text, _ in templates()}
    assert [text for text in catalogue()["message"] if text not in said] == []


def asked_in_code():
    """Yield every key that the code asks for by a plain name: (section, key, where)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in nodes_of(path):
            where = f"{path.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "page":
                found = [one.value for one in ast.walk(node.slice) if isinstance(one, ast.Constant)]
                if isinstance(node.slice, ast.Constant | ast.IfExp):
                    yield from (("page", key, where) for key in found if str(key).islower())
            elif isinstance(node, ast.Call) and len(node.args) > 1:
                section, key = node.args[:2]
                named = isinstance(section, ast.Constant) and isinstance(key, ast.Constant) and key.value
                if named and ast.unparse(node.func) in {"word", "words.get", "words.format"}:
                    yield section.value, key.value, where
    for path in [*(PACKAGE / "atlas/page").glob("*.js"), PACKAGE / "atlas/page/panel.html"]:
        text = path.read_text("utf-8")
        yield from (("page", key, path.name) for key in re.findall(r"\bwords\.(\w+)", text))
        for start in re.findall(r'words\["(\w+_)" \+', text):
            keys = [key for key in catalogue()["page"] if key.startswith(start)]
            yield "page", keys[0] if keys else start, path.name


def test_no_key_that_is_asked_for_is_missing():
    asked, known = list(asked_in_code()), catalogue()
    assert len(asked) > 300
    assert {section for section, *_ in asked} <= set(known)
    assert [one for one in asked if one[1] not in known[one[0]]] == []


def test_words_know_their_language():
    assert Words("zh").get("status", "met") == "达标"
    assert Words("en").format("page", "gap_people", people=12) == "12 people"
    assert Words("zh").explain("group_missing:under3") == explain("group_missing:under3", "zh")
    with pytest.raises(KeyError):
        Words("zh").section("no such section")
    with pytest.raises(TypeError):
        Words("en").section("page")["map"] = "changed for every page"


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("新联村委会", "新联村"),
        ("新联村村委会", "新联村村"),
        ("新联村村民委员会", "新联村"),
        ("新联村民委员会", "新联村"),
        ("文星社区居民委员会", "文星社区"),
        ("百可社区居委会", "百可社区"),
        ("城东居委会", "城东居委会"),
        ("村委会", "村委会"),
        ("", ""),
    ],
)
def test_villages_stand_without_their_committee(listed, said):
    assert village_text(listed) == said
