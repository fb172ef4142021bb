"""Put the account of a change in plain words, in Chinese and English: an account, never a cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.attribution._factors import CHAINED, GROUPS
from lifecircle.findings import TargetResult, unit_text, value_text
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.attribution._account import ChangePart, ChangeRow, YearComparison
    from lifecircle.findings import Language

_LEAST = 1e-9  # a smaller part is none

_HUNDRED = 100.0
_NO_COUNTERFACTUAL = ("registered", "rest")


def change_lines(comparison: YearComparison, language: Language) -> list[str]:
    """Return the account in sentences: each target that changed, those that did not, and the remarks.

    Parameters
    ----------
    comparison : as :func:`lifecircle.attribution.compare_years` gives it
    language : of the sentences
    """
    lines, same, missing = [], [], []
    whole = [row for row in comparison.rows if not row.code]
    for row in whole:
        name = row.target.name.get(language)
        if row.reason:
            why = word("change_reason", row.reason, language)
            missing.append(_say("missing_one", language, name, why))
        elif is_changed(row):
            lines.append(change_sentence(row, language))
        else:
            same.append(name)
    comma = word("change", "list", language)
    if same:
        lines.append(_say("same", language, comma.join(same)))
    if missing:
        lines.append(_say("missing", language, comma.join(missing)))
    lines += [note_text(code, language) for code in comparison.notes]
    if any(part.group == "data" and abs(part.value) > _LEAST for row in whole for part in row.groups):
        lines.append(word("change", "restates", language))
    lines.append(word("change", "no_cause", language))
    return lines


def is_changed(row: ChangeRow) -> bool:
    """Return whether a figure is another one, or parts of it cancel each other out."""
    parts = (*row.breaks, *row.parts)
    return abs(row.change or 0.0) > _LEAST or any(abs(part.value) > _LEAST for part in parts)


def change_sentence(row: ChangeRow, language: Language) -> str:
    """Return the account of one figure in a sentence."""
    share = is_share(row)
    before, after = (figure_text(row, value, language) for value in (row.before, row.after))
    change = amount_text(row.change or 0.0, share=share)
    text = _say("rate" if share else "figure", language, row.target.name.get(language), before, after, change)
    comma = word("change", "comma", language)
    if row.breaks:
        text += _say("breaks", language, comma.join(_part(part, share, language) for part in row.breaks))
    shown = [part for part in row.parts if _matters(part)]
    if [part.name for part in shown] == ["registered"]:
        sources = word("change", "list", language).join(row.sources) or word("change", "unsourced", language)
        return text + _say("registered", language, sources)
    if shown:
        text += _say("parts", language, comma.join(_part(part, share, language) for part in shown))
    return text


def note_text(code: str, language: Language) -> str:
    """Put a remark on the comparison in words."""
    name, _, rest = code.partition(":")
    return word("change_note", name, language).format(*rest.split("|"))


def is_share(row: ChangeRow) -> bool:
    """Return whether a row's figures are shares, whose parts are given in percentage points."""
    return _result(row, None).is_share


def figure_text(row: ChangeRow, value: float | None, language: Language) -> str:
    """Print a value of a row as the scoreboard does."""
    return value_text(_result(row, value), value, language)


def change_unit(row: ChangeRow, language: Language) -> str:
    """Name the unit that a row's change and its parts are in."""
    return word("change", "points", language) if is_share(row) else unit_text(_result(row, None), language)


def amount_text(value: float, *, share: bool) -> str:
    """Print a part of a change: points of a share, else in the unit of the figure.

    >>> amount_text(0.0441, share=True), amount_text(-0.00001, share=True), amount_text(2.0, share=False)
    ('+4.41', '0.00', '+2')
    """
    text = f"{value * _HUNDRED:+.2f}" if share else f"{value:+.4g}"
    return text[1:] if float(text) == 0 else text


def amount(value: float | None, *, share: bool) -> float | None:
    """Return a part of a change as a number for a table: points of a share, else as it is."""
    if value is None:
        return None
    return value * _HUNDRED if share else value


def _result(row: ChangeRow, value: float | None) -> TargetResult:
    return TargetResult(row.target, value, "", "")


def _matters(part: ChangePart) -> bool:
    """Return whether a part is worth a word: it adds something in some order."""
    return max(abs(part.low), abs(part.high)) > _LEAST


def _part(part: ChangePart, share: bool, language: Language) -> str:  # noqa: FBT001 - of one sentence
    name = word("change_part", part.name, language)
    mean, low, high = (amount_text(one, share=share) for one in (part.value, part.low, part.high))
    text = f"{name} {mean}"
    if part.turns:
        return _say("turns", language, text, low, high)
    return text if low == high else _say("range", language, text, low, high)


def _say(name: str, language: Language, *parts: object) -> str:
    return word("change", name, language).format(*parts)


def used_parts(comparison: YearComparison) -> Iterator[str]:
    """Name the breaks and groups that matter for any target, in the order of the text."""
    rows = [row for row in comparison.rows if not row.code]
    breaks = {part.name for row in rows for part in row.breaks}
    yield from (name for name in CHAINED if name in breaks)
    groups = {part.group for row in rows for part in row.groups if _matters(part)}
    yield from (name for name in (*GROUPS, *_NO_COUNTERFACTUAL) if name in groups)
