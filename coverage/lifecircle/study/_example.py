"""The bundled synthetic study: where it is, and a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import whole_folder


def example_folder() -> Path:
    """Return the bundled synthetic study: in the installed package, else in the repository.

    Returns
    -------
    folder : not to be written to

    >>> (example_folder() / "study.toml").is_file()
    True
    """
    packaged = Path(__file__).parents[1] / "example"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "data" / "geo" / "haiyan"


def copy_example(folder: str | Path) -> Path:
    """Copy the bundled synthetic study into a new folder, whole or not at all.

    Parameters
    ----------
    folder : a new or empty folder

    Returns
    -------
    folder : the same, as a path

    Raises
    ------
    UnusableInputError
        When the folder is there already and not empty.
    """
    folder = Path(folder)
    with system_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            reason = say("already there and not empty")
            raise UnusableInputError(
                [Fault(str(folder), "", "", reason, say("name a new folder for the example"))]
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as fresh:
            shutil.copytree(
                example_folder(),
                fresh,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "results", "maps"),
            )
    return folder
