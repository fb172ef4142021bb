"""Bring the files of a new study into its folder: a study holds what it names."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lifecircle.files import clear_beside, file_hash, remove_folder, whole_folder, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifecircle.new_study._study_parts import StudyPart

_BESIDE = (".dbf", ".shx", ".prj", ".cpg")
"""Parts of a shapefile that are read with it."""


class StudyFiles:
    """Paths as they stand in the study, relative to its folder; files from elsewhere are copied into it.

    A file keeps its name; where another of that name is there already, it gets a number.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._names: dict[Path, str] = {}
        self._planned: dict[str, Path] = {}

    @property
    def copied(self) -> list[str]:
        """Return the names of the files that are copied."""
        return list(self._planned)

    def of(self, path: Path) -> str:
        """Return the path of a file in the study, and plan its copy where it lies elsewhere."""
        whole = path.resolve()
        if whole.is_relative_to(self.folder):
            return whole.relative_to(self.folder).as_posix()
        if whole not in self._names:
            self._names[whole] = self._free_name(whole)
        return self._names[whole]

    def all(self, part: StudyPart) -> list[str]:
        """Return the paths of a part, one for each year."""
        return [self.of(one.path) for one in part.shown]

    def _free_name(self, path: Path) -> str:
        """Return a name that no other file has; the same file that was copied before is not copied again."""
        number, name = 1, path.name
        while name in self._planned or (self.folder / name).exists():
            there = self.folder / name
            if name not in self._planned and there.is_file() and file_hash(there) == file_hash(path):
                clear_beside(there)  # a command that was killed after its copy may have left its own folder
                return name
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        self._planned[name] = path
        return name

    @contextmanager
    def copied_in(self) -> Iterator[None]:
        """Copy the planned files, and remove them again where what follows fails."""
        made: list[Path] = []
        try:
            for name, source in self._planned.items():
                target = self.folder / name
                pairs = [(source, target)]
                if source.suffix.lower() == ".shp":
                    beside = [(source.with_suffix(end), target.with_suffix(end)) for end in _BESIDE]
                    pairs += [(one, to) for one, to in beside if one.is_file() and not to.exists()]
                for one, to in pairs:
                    _copy(one, to)
                    made.append(to)
            yield
        except BaseException:
            for path in made:
                if path.is_dir():
                    remove_folder(path)
                else:
                    path.unlink(missing_ok=True)
            raise


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or the folder that a file geodatabase is, whole or not at all."""
    if source.is_dir():
        with whole_folder(target) as fresh:
            shutil.copytree(source, fresh, dirs_exist_ok=True)
        return
    with written(target) as fresh:
        shutil.copyfile(source, fresh)
