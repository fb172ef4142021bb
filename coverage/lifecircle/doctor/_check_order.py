"""Check a study in order: can it be read, where do rows contradict, what does a run leave out."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecircle.audit import open_study, prepare, run
from lifecircle.doctor._datum_check import datums
from lifecircle.doctor._input_problem import SEVERITIES, Problem
from lifecircle.doctor._register_match import match_problems, match_register
from lifecircle.doctor._road_checks import missing_roads, road_problems, supply_line
from lifecircle.doctor._road_supply import road_supply
from lifecircle.doctor._row_checks import elsewhere, hours_disagree, renamed, similar_names
from lifecircle.doctor._run_checks import disconnected, in_order, off_the_roads, rejected, warned
from lifecircle.doctor._year_checks import years_matched
from lifecircle.errors import UnusableInputError
from lifecircle.wording import one_line, translate, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifecircle.audit import Inputs
    from lifecircle.doctor._register_match import RegisterMatch
    from lifecircle.doctor._road_supply import DistrictRoads
    from lifecircle.wording import Language

_log = logging.getLogger(__name__)

SCHEMA = 1
_TEXTS = ("reason", "remedy", "effect")


@dataclass(frozen=True)
class Checkup:
    """What a check found in a study, the gravest first; ``inputs`` are None where it cannot be read.

    ``roads`` : how complete the roads are, by district; ``match`` : the register against another list.
    """

    study: str
    name: str
    year: int
    language: Language
    synthetic: bool
    problems: tuple[Problem, ...]
    inputs: Inputs | None = None
    roads: tuple[DistrictRoads, ...] = ()
    match: RegisterMatch | None = None

    @property
    def found(self) -> bool:
        """Whether there is an error or a warning; notes are no finding."""
        return any(one.severity != "note" for one in self.problems)

    def plain(self) -> dict[str, Any]:
        """Return the check as plain values for JSON, texts in the study's language."""
        problems = [{**asdict(one), **self.texts(one)} for one in self.problems]
        return {
            "schema": SCHEMA,
            "study": self.study,
            "year": self.year,
            "problems": problems,
            "roads": [
                {
                    **asdict(one),
                    "km_per_km2": one.km_per_km2,
                    "km_per_1000": one.km_per_1000,
                    "missing_roads": missing_roads(self.roads, one),
                }
                for one in self.roads
            ],
            "against": None if self.match is None else self.match.plain(),
        }

    def texts(self, one: Problem) -> dict[str, str]:
        """Return what a problem says, and where, in the study's language."""
        said = {name: translate(getattr(one, name), self.language) for name in _TEXTS}
        return {**said, "input": word("input_role", one.input or "study", self.language)}

    def lines(self) -> list[str]:
        """Return a problem in two or three lines each, in the study's language."""
        if not self.problems:
            return [word("checkup", "nothing", self.language), *self._road_lines()]
        lines = []
        for one in self.problems:
            texts = self.texts(one)
            lines.append(
                word("checkup", "line", self.language).format(
                    severity=word("severity", one.severity, self.language),
                    input=texts["input"],
                    reason=texts["reason"],
                    count=one.count,
                )
            )
            if one.rows:
                shown = "; ".join(one.rows) + ("; …" if one.count > len(one.rows) else "")
                lines.append(f"    {shown}")
            lines += [f"    {texts[name]}" for name in ("effect", "remedy") if texts[name]]
        return lines + self._road_lines()

    def _road_lines(self) -> list[str]:
        """Return the table of roads by district as lines."""
        if not self.roads:
            return []
        title = word("checkup", "roads_title", self.language)
        return [title, *(f"    {supply_line(one, self.language)}" for one in self.roads)]


def check_study(
    study: str | Path,
    year: int | None = None,
    *,
    against: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Checkup:
    """Check the inputs of a study for a year; nothing is written or changed.

    Parameters
    ----------
    study : folder of a study
    year : the study's own where none is given
    against : another list of facilities, such as OpenStreetMap's, that the register is compared with

    Returns
    -------
    checkup : problems by severity; of a study that cannot be read every fault as an error

    Raises
    ------
    UnusableInputError
        When there is no study, or its study.toml cannot be read at all.
    """
    report = progress or _log.info
    declared = open_study(study, year)
    year = declared.year if year is None else year
    head: dict[str, Any] = {
        "study": declared.id,
        "name": declared.name or declared.id,
        "year": year,
        "language": declared.language,
        "synthetic": declared.synthetic,
    }
    report("reading")
    try:
        inputs = prepare(declared, year)
    except UnusableInputError as error:
        if error.of_system:  # says nothing of the study
            raise
        return Checkup(**head, problems=tuple(_faults(error, declared.language)))
    findings = run(inputs, progress=report)
    report("comparing")
    problems = [
        *datums(inputs, findings),
        *renamed(inputs),
        *similar_names(inputs, findings),
        *elsewhere(inputs, findings),
        *hours_disagree(inputs),
        *years_matched(inputs),
        *rejected(inputs),
        *off_the_roads(inputs, findings),
        *disconnected(findings),
        *warned(findings),
    ]
    match = None if against is None else match_register(inputs, against)
    if match is not None:
        problems += match_problems(match)
    supply = road_supply(inputs, findings)
    problems += road_problems(findings, supply)
    ordered = tuple(in_order(problems, SEVERITIES))
    return Checkup(**head, problems=ordered, inputs=inputs, roads=supply, match=match)


def _faults(error: UnusableInputError, language: Language) -> Iterator[Problem]:
    """Turn the faults of inputs that cannot be read into problems, each with the place in its file."""
    for fault in error.faults:
        place = " ".join(part for part in (translate(fault.place, language), fault.value) if part)
        yield Problem(
            "error",
            "unusable",
            Path(fault.file).name,
            1,
            fault.reason,
            fault.remedy,
            (one_line(place, 200),) if place else (),
        )
