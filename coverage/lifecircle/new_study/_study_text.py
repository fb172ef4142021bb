"""Write a study as the text of ``study.toml``: every part with its guesses as comments above it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lifecircle.errors import Message
from lifecircle.wording import fault_line, one_line, translate, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.new_study._part_settings import Guess
    from lifecircle.new_study._study_head import Head
    from lifecircle.new_study._study_parts import StudyPart
    from lifecircle.standards import Standard
    from lifecircle.wording import Language

_ORDER: Final = (
    "roads",
    "demand",
    "districts",
    "villages",
    "facilities",
    "indicators",
    "outlets",
    "barriers",
)
_SHORT: Final = 3
"""Entries of a table that is written in one line."""
_IN_A_LINE: Final = 5
"""Services that are named in one line."""

_STAND_INS: Final = {
    "roads": {"file": "roads.osm.pbf"},
    "demand": {"file": "residents.csv"},
    "facilities": {"file": "facilities.csv"},
}
"""What stands for a part that a study must have and no file was shown for."""


class StudyText:
    """The text of a study, built part by part."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.lines: list[str] = []
        self.guesses = 0

    def say(self, entry: str, /, **values: str) -> str:
        """Return a text of the catalogue with its fields filled in."""
        return word("new_study", entry, self.language).format(**values)

    def against(self, part: StudyPart) -> list[str]:
        """Return what stands against a part, a line for each fault."""
        name = "kept" if part.kept else "against"
        return [self.say(name, reason=fault_line(fault, self.language)) for fault in part.against]

    def comment(self, text: str) -> None:
        """Write a comment: one line, whatever stands in it."""
        shown = translate(text, self.language) if isinstance(text, Message) else text
        self.lines.append(f"# {one_line(shown, 1000)}")

    def guess(self, guess: Guess) -> None:
        """Write a guess, marked as one: what it rests on, and what to check."""
        self.guesses += 1
        text, check = translate(guess.text, self.language), translate(guess.check, self.language)
        self.comment(self.say("guess", text=text, check=check))

    def key(self, name: str, value: Any) -> None:
        """Write one key."""
        self.lines.append(f"{name} = {toml_value(value)}")

    # --- the parts ----------------------------------------------------------------------------------------

    def write_head(self, head: Head, crs: str) -> None:
        """Write the first lines: what the file is, id, name, year, language, whether it is made up."""
        self.comment(self.say("title"))
        self.comment(self.say("how"))
        self.lines.append("")
        for name in ("id", "name", "year", "language"):
            if name in head.guesses:
                self.guess(head.guesses[name])
            self.key(name, getattr(head, name))
        if head.synthetic:
            self.guess(head.guesses["synthetic"])
            self.key("synthetic", head.synthetic)
        if crs:
            self.comment(self.say("crs", crs=crs))

    def write_part(self, title: str, part: StudyPart, files: Sequence[str], first: str = "file") -> None:
        """Write one part: what its table is, its guesses, its keys; as a comment where it cannot be used."""
        self.lines.append("")
        self.write_evidence(part)
        start = len(self.lines)
        file: Any = files[0] if not part.years else dict(zip(part.years, files, strict=True))
        self.lines.append(title)
        keys = {first: file, **part.settings.keys}
        long = [
            name
            for name, value in keys.items()
            if isinstance(value, dict) and name != first and len(value) > _SHORT
        ]
        for name, value in keys.items():
            if name not in long:
                self.key(name, value)
        for name in long:
            self.lines += ["", f"[{title.strip('[]')}.{name}]"]
            for entry, value in keys[name].items():
                remark = part.settings.doubtful.get(entry, "") if name == "services" else ""
                end = f"  # {translate(remark, self.language)}" if remark else ""
                self.lines.append(f"{_name(entry)} = {toml_value(value)}{end}")
        if not part.active:
            self.lines[start:] = [f"# {line}".rstrip() for line in self.lines[start:]]

    def write_land(self, part: StudyPart, file: str, *, outside: bool, first: bool) -> None:
        """Write a layer of land that is kept free, under the name of its file."""
        self.lines.append("")
        self.write_evidence(part)
        if first:
            self.lines.append("[siting.exclude]")
        keys = {"file": file, **part.settings.keys}
        # Outside a development boundary nothing is forbidden: the sheets say so, and people decide.
        value = {**keys, "outside": True, "effect": "tell"} if outside else keys if len(keys) > 1 else file
        self.lines.append(f"{_name(part.shown[-1].path.stem)} = {toml_value(value)}")

    def write_evidence(self, part: StudyPart) -> None:
        """Write what a table is and by what, its guesses, and what stands against it."""
        self.guesses += 1
        evidence = translate(part.evidence, self.language)
        kind = "sure" if part.sure else "unsure"
        self.comment(self.say(kind, name=part.name, role=self.role(part.role), evidence=evidence))
        for guess in part.settings.guesses:
            self.guess(guess)
        if part.read is not None:
            self.comment(self.say("read", rows=f"{part.read[0]:,}", rejected=f"{part.read[1]:,}"))
        for line in self.against(part):
            self.comment(line)

    def write_stand_in(self, role: str) -> None:
        """Write a part that a study must have and that nothing was shown for."""
        self.lines.append("")
        self.comment(self.say("nothing_shown", role=self.role(role)))
        self.lines.append("[[facilities]]" if role == "facilities" else f"[{role}]")
        for name, value in _STAND_INS[role].items():
            self.key(name, value)

    def write_services(self, standard: Standard) -> None:
        """Write the services of a profile with their ids, for a list that does not say which it gives."""
        self.lines.append("")
        names = [f"{one.name.get(self.language)} ({one.id})" for one in standard.services]
        comma = "、" if self.language == "zh" else ", "
        for at in range(0, len(names), _IN_A_LINE):
            part = comma.join(names[at : at + _IN_A_LINE])
            self.comment(self.say("services", names=part) if at == 0 else f"  {part}")

    def write_left_out(self, lines: Sequence[str]) -> None:
        """Write what was shown and has no part in the study."""
        if lines:
            self.lines.append("")
            self.comment(self.say("left_out"))
            for line in lines:
                self.comment(f"  {line}")

    def role(self, name: str) -> str:
        """Return what people call a role."""
        return word("new_role", name, self.language)

    def text(self) -> str:
        """Return the whole text."""
        return "\n".join(self.lines) + "\n"


def toml_value(value: Any) -> str:
    """Return a value as TOML: a text, a number, or a table in one line.

    >>> toml_value({"name": "名称", 2021: "a.csv"})
    '{ name = "名称", 2021 = "a.csv" }'
    """
    if isinstance(value, dict):
        inside = ", ".join(f"{_name(key)} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    return str(value)


def _name(key: object) -> str:
    """Return a key, in quotes unless it is plain letters, digits, _ and -."""
    text = str(key)
    return text if text.isascii() and text.replace("_", "a").replace("-", "a").isalnum() else _quoted(text)


def _quoted(text: str) -> str:
    r"""Return a text between quotes; TOML refuses one sign more than JSON does.

    >>> _quoted('a"\x7f')
    '"a\\"\\u007f"'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
