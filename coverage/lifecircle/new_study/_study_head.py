"""Guess what stands at the head of a study: id, name, year, language; and choose its profile."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecircle.errors import say
from lifecircle.forms import USUAL_PROFILE
from lifecircle.headings import named, synonyms
from lifecircle.new_study._part_settings import Guess
from lifecircle.new_study._service_match import match_words
from lifecircle.standards import load_standard, shipped_standards
from lifecircle.tables import plain_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lifecircle.new_study._shown_table import ShownTable
    from lifecircle.standards import Standard
    from lifecircle.wording import Language

_YEAR = re.compile(r"(?<!\d)(20[0-4]\d)(?!\d)")
_MADE_UP = re.compile(r"合成示例|示例·|\bsynthetic\b", re.IGNORECASE)
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Head:
    """The keys at the head of a study with their guesses; ``guesses`` : key -> why."""

    id: str
    name: str
    year: int
    language: Language
    synthetic: bool
    guesses: dict[str, Guess]


def head_of(
    folder: Path,
    shown: Sequence[ShownTable],
    standard: Standard,
    *,
    year: int | None,
    language: Language | None,
) -> Head:
    """Return the head of a study in a folder; the clock is not asked, so that it is the same tomorrow.

    Parameters
    ----------
    folder : whose name becomes id and name
    shown : tables whose years and texts are looked at
    standard : whose targets are due in some year
    year, language : where they are not to be guessed

    Returns
    -------
    head : with a guess for each key that was not given
    """
    place = folder.resolve().name
    plain = re.sub(r"[^a-z0-9_-]+", "-", place.casefold()).strip("-_")
    guesses = {
        "id": Guess(say("id and name by the name of the folder"), say("write the name that maps should bear"))
    }
    chosen = year
    if chosen is None:
        chosen, why = _year(shown, standard)
        guesses["year"] = Guess(why, say("the year to audit"))
    spoken = language
    texts = " ".join(" ".join([*one.headings, one.path.stem, *_some_texts(one)]) for one in shown)
    if spoken is None:
        spoken = "zh" if _CHINESE.search(texts) else "en"
        guesses["language"] = Guess(say("language by the texts of the tables"), say("zh or en"))
    synthetic = _MADE_UP.search(texts) is not None
    if synthetic:
        guesses["synthetic"] = Guess(
            say("made-up data, as names or sources say so; every output is stamped"),
            say("delete it for real data"),
        )
    return Head(plain or "study", place, chosen, spoken, synthetic, guesses)


def _some_texts(shown: ShownTable) -> list[str]:
    """Return the texts of the first rows of a table."""
    first = shown.frame.drop(columns="geometry", errors="ignore").head(5)
    return [text for column in first for text in plain_texts(first[column])]


def _year(shown: Sequence[ShownTable], standard: Standard) -> tuple[int, str]:
    """Return the year to audit: of the last figures, else in the names of files, else of the targets."""
    figures: list[int] = []
    for one in shown:
        for heading in named(one.headings, "year", synonyms("indicators", "year")):
            figures += [
                int(match[1]) for text in plain_texts(one.frame[heading]) if (match := _YEAR.match(text))
            ]
    if figures:
        return max(figures), say("the last year of the registered figures")
    files = [int(year) for one in shown for year in _YEAR.findall(one.path.stem)]
    if files:
        return max(files), say("the last year in the names of the files")
    due = Counter(one.due for one in standard.targets if one.due is not None)
    if due:
        return due.most_common(1)[0][0], say("the year in which most targets are due")
    return 2025, say("nothing in the files names a year")


def profile_of(shown: Sequence[ShownTable], given: str | None) -> tuple[str, Standard, Guess | None]:
    """Return the profile to use: the one asked for, one among the files, else the shipped one that fits.

    Parameters
    ----------
    shown : everything that was shown
    given : a shipped id or a path, as on the command line

    Returns
    -------
    use, standard, guess : ``use`` is a shipped id or the path of a file; no guess where it was asked for

    Raises
    ------
    MissingFileError, UnusableInputError
        The profile asked for is not there or at fault.
    """
    if given is not None:
        return given, load_standard(given), None
    for one in shown:
        if one.kind == "profile":
            file = str(one.path.resolve())
            return (
                file,
                load_standard(file),
                Guess(say("the profile among the files"), say("that it is the plan's")),
            )
    words: list[Any] = []
    for one in shown:
        for heading in named(one.headings, "service", synonyms("facilities", "service")):
            words += [text for text in plain_texts(one.frame[heading]) if text]
    scores = {}
    for use in shipped_standards():
        standard = load_standard(use)
        if standard.targets:
            scores[use] = match_words(words, standard).share
    best = max(scores, key=lambda use: (round(scores[use], 2), use == USUAL_PROFILE))
    if not scores[best]:
        best, text = USUAL_PROFILE, say("no table names services, so that the usual profile is taken")
        return best, load_standard(best), Guess(text, say("whether its targets are those of your plan"))
    text = say("the shipped profile whose services {share} of the rows name", share=f"{scores[best]:.0%}")
    return best, load_standard(best), Guess(text, say("whether its targets are those of your plan"))
