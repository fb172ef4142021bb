"""Reads the text of a PDF that Chromium printed or matplotlib drew: enough to know what stands on paper."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"/Length (\d+)>> stream\n(.*)", re.DOTALL)
_SHOWN = re.compile(
    rb"/ActualText\s*<FEFF([0-9A-Fa-f]*)>|(BDC)|(EMC)|/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> ?Tj|\[(.*?)\] ?TJ",
    re.DOTALL,
)


def pages_of(pdf: bytes) -> list[str]:
    """Give the text of every page, in the order in which it is drawn, without white space."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {
        number: _letters(_stream(objects[int(found[1])]))
        for number, body in objects.items()
        if b"/Type /Font\n" in body and (found := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    root = next(body for body in objects.values() if b"/Type /Pages" in body and b"/Parent" not in body)
    return [_text(objects, number, fonts) for number in _leaves(objects, root)]


def sizes_of(pdf: bytes) -> list[tuple[float, float]]:
    """Give the width and height of every page in millimetres."""
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(float(width) / 72 * 25.4, float(height) / 72 * 25.4) for width, height in boxes]


def _leaves(objects: dict[int, bytes], node: bytes) -> list[int]:
    kids = re.search(rb"/Kids \[(.*?)\]", node, re.DOTALL)
    out: list[int] = []
    for kid in map(int, re.findall(rb"(\d+) 0 R", kids[1] if kids else b"")):
        nested = b"/Type /Pages" in objects[kid]
        out += _leaves(objects, objects[kid]) if nested else [kid]
    return out


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if not found:
        return b""
    content = found[2][: int(found[1])]
    return zlib.decompress(content) if b"/FlateDecode" in body[: found.start(2)] else content


def _letters(cmap: bytes) -> tuple[int, dict[int, str]]:
    """Read which code of a font is which letter; also how many hexadecimal digits a code has."""
    digits = len(re.search(rb"begincodespacerange\s*<([0-9A-Fa-f]+)>", cmap)[1])
    table = {}
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", part):
            table[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(rb"<([0-9A-F]+)>\s*<([0-9A-F]+)>\s*<([0-9A-F]+)>", part):
            for step in range(int(last, 16) - int(first, 16) + 1):
                table[int(first, 16) + step] = chr(int(text, 16) + step)
    return digits, table


def _text(objects: dict[int, bytes], page: int, fonts: dict[int, tuple[int, dict[int, str]]]) -> str:
    contents = map(int, re.findall(rb"/Contents \[?(\d+) 0 R", objects[page]))
    out, font = [], 0
    said, spans, saying = False, [], False  # said: what is drawn here was read already, as a span's own text
    for content in contents:
        for told, opened, closed, chosen, shown, several in _SHOWN.findall(_stream(objects[content])):
            if told:
                out.append(bytes.fromhex(told.decode()).decode("utf-16-be"))
                saying = True
            elif opened:
                spans.append(said)
                said, saying = said or saying, False
            elif closed:
                said = spans.pop() if spans else False
            elif chosen:
                font = int(chosen)
            elif not said and font in fonts:
                digits, table = fonts[font]
                codes = shown or b"".join(re.findall(rb"<([0-9A-Fa-f]+)>", several))
                starts = range(0, len(codes), digits)
                out += [table.get(int(codes[start : start + digits], 16), "") for start in starts]
    return re.sub(r"\s", "", "".join(out))


# ---------------------------------------------------------------------------------------------------------
# What matplotlib drew

_WORD = rb"\((?:\\.|[^\\()])*\)"
_DRAWN = re.compile(
    rb"/(F\d+) [\d.]+ Tf|\[((?:[^\[\]()]|" + _WORD + rb")*)\]\s+TJ|(" + _WORD + rb")\s+Tj", re.DOTALL
)
_LITERAL = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def drawn_pages(pdf: bytes) -> list[str]:
    """Give the text of every page of a PDF that matplotlib wrote, in order and without white space."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    named = next(body for body in objects.values() if re.search(rb"/F\d+ \d+ 0 R", body))
    fonts = {name: _code_table(objects, int(at)) for name, at in re.findall(rb"/(F\d+) (\d+) 0 R", named)}
    root = next(body for body in objects.values() if b"/Type /Pages" in body)
    kids = re.search(rb"/Kids \[(.*?)\]", root, re.DOTALL)
    return [_drawn(objects, int(kid), fonts) for kid in re.findall(rb"(\d+) 0 R", kids[1])]


def _flat(body: bytes) -> bytes:
    return zlib.decompressobj().decompress(body[body.index(b"stream") + 7 :])


def _code_table(objects: dict[int, bytes], font: int) -> dict[int, str]:
    found = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    table = {}
    told = _flat(objects[int(found[1])]) if found else b""
    for first, several in re.findall(rb"<(\w+)> <\w+> \[(.*?)\]", told):
        for step, text in enumerate(re.findall(rb"<(\w+)>", several)):
            table[int(first, 16) + step] = bytes.fromhex(text.decode()).decode("utf-16-be")
    return table


def _drawn(objects: dict[int, bytes], page: int, fonts: dict[bytes, dict[int, str]]) -> str:
    contents = int(re.search(rb"/Contents (\d+) 0 R", objects[page])[1])
    out, table = [], {}
    for chosen, several, one in _DRAWN.findall(_flat(objects[contents])):
        if chosen:
            table = fonts[chosen]
            continue
        codes = b"".join(_LITERAL.findall(several or one))
        plain = re.sub(rb"\\(.)", lambda sign: _ESCAPED.get(sign[1], sign[1]), codes, flags=re.DOTALL)
        out.append("".join(table.get(code, chr(code)) for code in plain))
    return re.sub(r"\s", "", "".join(out))
