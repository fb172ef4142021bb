"""Make a study from the files at hand: look at them, decide, try, write ``study.toml``; never over one.

1. Look at every file, sheet and layer; choose the profile.
2. Decide what each is for, and which becomes which part.
3. Read the roads, then guess settings and read each part as it will be written.
4. Copy files from elsewhere into the folder, then write the text with every guess marked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from lifecircle.datum import metre_crs
from lifecircle.errors import Fault, LifecircleError, UnusableInputError, say, system_errors
from lifecircle.files import written
from lifecircle.new_study._part_settings import Ground, Guess, settings_of
from lifecircle.new_study._role import USED, Role, role_of
from lifecircle.new_study._shown_table import files_shown, look_at
from lifecircle.new_study._study_files import StudyFiles
from lifecircle.new_study._study_head import head_of, profile_of
from lifecircle.new_study._study_parts import StudyPart, faults_in, parts_of, try_part
from lifecircle.new_study._study_text import StudyText
from lifecircle.roads import read_roads
from lifecircle.study import STUDY_FILE, read_study
from lifecircle.wording import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from lifecircle.new_study._shown_table import ShownTable
    from lifecircle.new_study._study_head import Head
    from lifecircle.standards import Standard
    from lifecircle.wording import Language

_REQUIRED = ("roads", "demand", "facilities")
_WORKS = {
    "idle_building": re.compile("闲置|改造|idle"),
    "school_ground": re.compile("校|school"),
    "open_gate": re.compile("大门|开门|gate"),
    "new_building": re.compile("新建|new"),
}
_OUTSIDE = re.compile("开发边界|development", re.IGNORECASE)


@dataclass(frozen=True)
class NewOrder:
    """What a new study is asked to be: profile, year and language are guessed where left out."""

    profile: str | None = None
    year: int | None = None
    language: Language | None = None


@dataclass(frozen=True, eq=False)
class NewStudy:
    """The study that was written.

    ``path`` : its ``study.toml``; ``parts`` : what became of tables; ``left_out`` : the others with why;
    ``missing`` : parts that a study must have and that no file was shown for; ``copied`` : files copied
    beside it; ``guesses`` : how many are marked; ``language`` : of the text.
    """

    path: Path
    parts: tuple[StudyPart, ...]
    left_out: tuple[tuple[ShownTable, Role], ...]
    missing: tuple[str, ...]
    copied: tuple[str, ...]
    guesses: int
    language: Language

    def lines(self) -> list[str]:
        """Return what was decided of each file, for the terminal."""
        text = StudyText(self.language)
        lines = []
        for part in self.parts:
            evidence = translate(part.evidence, self.language)
            name = "line" if part.sure else "unsure"
            lines.append(text.say(name, name=part.name, role=text.role(part.role), evidence=evidence))
            lines += [f"  {line}" for line in text.against(part)[:3]]
        lines += _left_out_lines(text, self.left_out)
        lines += [text.say("nothing_shown", role=text.role(role)) for role in self.missing]
        if self.copied:
            lines.append(text.say("copied", names=", ".join(self.copied)))
        return [*lines, text.say("next", guesses=str(self.guesses), folder=str(self.path.parent))]


@dataclass
class _Made:
    """What is known while a study is made."""

    standard: Standard
    looked: list[tuple[ShownTable, Role]]
    parts: list[StudyPart]
    ground: Ground = field(default_factory=Ground)
    crs: str = ""
    units: dict[str, pd.DataFrame | None] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    """Services that the venues of the tables belong to, of whatever year."""


def write_study(
    folder: Path,
    files: Sequence[Path],
    order: NewOrder = NewOrder(),
    *,
    progress: Callable[[str], object] = str,
) -> NewStudy:
    r"""Write a commented ``study.toml`` in a folder from the files that are shown.

    Parameters
    ----------
    folder : where the study stands; made where it is not there
    files : files and folders of files; those outside the folder are copied into it
    order : what is not to be guessed
    progress : called with each step

    Returns
    -------
    made : the path, and what was decided of each file

    Raises
    ------
    MissingFileError
        A file is not there.
    UnusableInputError
        A ``study.toml`` stands there already, no file was shown, or it cannot be written.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "homes.csv").write_text("lon,lat,people\n120.9,30.5,12\n")
    >>> made = write_study(folder, [folder / "homes.csv"])
    >>> [(part.name, part.role) for part in made.parts], made.missing
    ([('homes.csv', 'demand')], ('roads', 'facilities'))
    """
    target = folder / STUDY_FILE
    if target.exists():
        reason, remedy = (
            say("there is a study here already"),
            say("name another folder, or move that file away"),
        )
        raise UnusableInputError([Fault(str(target), "", "", reason, remedy)])
    found = files_shown(files)
    if not found:
        reason, remedy = (
            say("no files to make a study from"),
            say("name the files, or a folder that holds them"),
        )
        raise UnusableInputError([Fault(str(folder), "", "", reason, remedy)])
    shown: list[ShownTable] = []
    for path in found:
        progress(path.name)
        shown += look_at(path)
    use, standard, profile_guess = profile_of(shown, order.profile)
    head = head_of(folder, shown, standard, year=order.year, language=order.language)
    looked = _roles(shown, standard, use)
    used = [(one, role) for one, role in looked if role.name in USED and role.name != "profile"]
    made = _Made(standard, looked, parts_of(used))
    _read_parts(made, progress)
    with system_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        paths = StudyFiles(folder)
        text = _text(made, head, paths)
        _write_profile(text, use, paths, profile_guess)
        _write_left_out_targets(text, made)
        progress(STUDY_FILE)
        # Last, so that no study names a file that is not there yet.
        with paths.copied_in(), written(target) as fresh:
            fresh.write_text(text.text(), encoding="utf-8", newline="\n")
    read_study(folder)
    left_out = tuple((one, role) for one, role in looked if role.name not in USED)
    missing = tuple(role for role in _REQUIRED if not _in_use(made.parts, role))
    parts = (
        *made.parts,
        *(
            StudyPart("profile", [one], role.evidence, role.sure)
            for one, role in looked
            if role.name == "profile"
        ),
    )
    return NewStudy(target, parts, left_out, missing, tuple(paths.copied), text.guesses, head.language)


def _roles(shown: Sequence[ShownTable], standard: Standard, use: str) -> list[tuple[ShownTable, Role]]:
    """Return what each table is for; a profile that is not the one in use is left out."""
    looked = []
    for one in shown:
        role = role_of(one, standard)
        if role.name == "profile" and str(one.path.resolve()) != use:
            role = Role(
                "unknown", say("another profile; '{other}' is taken", other=Path(use).name), sure=False
            )
        looked.append((one, role))
    return looked


# --- reading ------------------------------------------------------------------------------------------


def _read_parts(made: _Made, progress: Callable[[str], object]) -> None:
    """Guess the settings of every part, and read it as it will be written; roads and units come first."""
    order = {"roads": 0, "districts": 1, "villages": 2}
    districts: Any = None
    for part in sorted(made.parts, key=lambda one: order.get(one.role, 3)):
        progress(part.name)
        part.settings = settings_of(part.role, part.shown[-1], made.standard, made.ground)
        if part.against:
            continue
        if part.role == "roads":
            lines, made.crs = _road_lines(part)
            made.ground = Ground(lines)
            continue
        read = try_part(part, made.standard, made.units)
        if part.role in {"districts", "villages"}:
            made.units[part.role] = read
        if part.role == "facilities" and read is not None:
            made.services |= set(read["service"].dropna().astype("str"))
        if part.role == "districts" and read is not None:
            districts = read
            made.ground = Ground(made.ground.lines, districts)
    _villages_as_homes(made)
    # What a study must have stays in use, so that its check says what is wrong with it.
    for role in _REQUIRED:
        mine = [part for part in made.parts if part.role == role]
        if mine and not _in_use(made.parts, role):
            mine[0].kept = True


def _villages_as_homes(made: _Made) -> None:
    """Let villages with a population stand for residents where no table of residents was shown."""
    if _in_use(made.parts, "demand"):
        return
    for part in [one for one in made.parts if one.role == "villages" and not one.against]:
        shown = part.shown[-1]
        settings = settings_of("demand", shown, made.standard, made.ground)
        evidence = say(
            "no table of residents was shown: all people of a village stand at its centre, which is coarse"
        )
        homes = StudyPart("demand", part.shown, evidence, sure=False, years=part.years, settings=settings)
        try_part(homes, made.standard, made.units)
        if not homes.against:
            made.parts.append(homes)
            return


def _road_lines(part: StudyPart) -> tuple[Any, str]:
    """Return the lines of the roads in WGS84 and their metre CRS, and note what stands against them."""
    shown = part.shown[-1]
    try:
        # Kept in the cache, where the first audit finds them.
        roads = read_roads(shown.path, mode="walk", keep=True, layer=part.settings.keys.get("layer"))
    except LifecircleError as error:
        part.against += faults_in(error)
        return None, ""
    lines = gpd.GeoSeries(roads.lines, crs=roads.crs).to_crs("EPSG:4326")
    part.read = roads.reading.used, sum(roads.reading.left_out.values())
    west, south, east, north = lines.total_bounds
    authority = metre_crs(np.array([west, east]), np.array([south, north])).to_authority()
    return lines.to_numpy(), ":".join(authority) if authority else ""


def _in_use(parts: Sequence[StudyPart], role: str) -> bool:
    return any(part.role == role and part.active for part in parts)


# --- writing ------------------------------------------------------------------------------------------


def _text(made: _Made, head: Head, paths: StudyFiles) -> StudyText:
    """Return the text of the study but for its profile."""
    text = StudyText(head.language)
    text.write_head(head, made.crs)
    for role in (
        "roads",
        "demand",
        "districts",
        "villages",
        "facilities",
        "indicators",
        "outlets",
        "barriers",
    ):
        mine = sorted((part for part in made.parts if part.role == role), key=lambda one: not one.active)
        for number, part in enumerate(mine):
            title = "[[facilities]]" if role == "facilities" else f"[{role}]"
            if role == "indicators" and number:
                title = "[[indicators.more]]"
            text.write_part(title, part, paths.all(part))
        if any(part.settings.unserved for part in mine):
            text.write_services(made.standard)
        if role in _REQUIRED and not _in_use(made.parts, role):
            text.write_stand_in(role)
    _write_siting(text, made.parts, paths)
    for part in (one for one in made.parts if one.role == "labels"):
        text.write_part("[atlas]", part, paths.all(part)[-1:], first="labels")
    left_out = [(one, role) for one, role in made.looked if role.name not in USED]
    text.write_left_out(_left_out_lines(text, left_out))
    return text


def _left_out_lines(text: StudyText, left_out: Sequence[tuple[ShownTable, Role]]) -> list[str]:
    lines = []
    for one, role in left_out:
        evidence = translate(role.evidence, text.language)
        hint = text.say(f"hint_{role.name}")
        lines.append(text.say("left_out_line", name=one.name, hint=hint, evidence=evidence))
    return lines


def _write_siting(text: StudyText, parts: Sequence[StudyPart], paths: StudyFiles) -> None:
    """Write candidate sites, and the land that is kept free."""
    for part in (one for one in parts if one.role == "candidates"):
        part.settings.keys |= _works(part.shown[-1])
        text.write_part("[siting]", part, paths.all(part), first="candidates")
    land = [part for part in parts if part.role == "exclude"]
    for number, part in enumerate(land):
        text.write_land(part, paths.all(part)[-1], outside=bool(_OUTSIDE.search(part.name)), first=not number)


def _works(shown: ShownTable) -> Mapping[str, Any]:
    """Return the kinds of works that the words of candidates mean."""
    column = next((one for one in shown.headings if one in {"works", "建设方式"}), None)
    if column is None:
        return {}
    words = [str(word) for word in shown.frame[column].dropna().unique()]
    found = {
        word: works for word in words for works, pattern in reversed(_WORKS.items()) if pattern.search(word)
    }
    return {"works": found} if found else {}


def _write_profile(text: StudyText, use: str, paths: StudyFiles, guess: Any) -> None:
    """Write which profile is used; a file is named relative to the study."""
    file = Path(use)
    shown = paths.of(file) if file.is_file() else use
    text.lines.append("")
    if guess is not None:
        text.guess(guess)
    text.lines.append("[standard]")
    text.key("use", shown)


def _write_left_out_targets(text: StudyText, made: _Made) -> None:
    """Leave out the targets of which no table shown has a venue, whose figures would only say that.

    Where no table holds any venue at all, nothing can be said of single targets.
    """
    without = [
        target
        for target in made.standard.targets
        if (venues := made.standard.venues(target)) and not made.services & set().union(*venues.values())
    ]
    if made.services and without:
        names = ", ".join(target.name.get(text.language) for target in without)
        found = say("no table shown has a venue of these targets: {names}", names=names)
        text.guess(Guess(found, say("delete an id here as soon as its list is there")))
        text.key("leave_out", [target.id for target in without])
