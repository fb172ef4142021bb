"""The order of a scenario: read changes, apply them, audit before and after, compare."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit import open_study, prepare, run
from lifecircle.errors import FaultLog
from lifecircle.findings import InputRecord
from lifecircle.scenario._apply import apply_changes, off_roads
from lifecircle.scenario._changes import Change, read_rows
from lifecircle.scenario._compare import TargetComparison, compare_targets, moved_residents
from lifecircle.scenario._own_year_before import with_own_year_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings
    from lifecircle.study import Study

_log = logging.getLogger(__name__)

Changes = "str | Path | Iterable[str | Path | Change]"


@dataclass(frozen=True, eq=False)
class Scenario:
    """A study before and after changes.

    ``id`` : from the names of the files; ``files`` : those the changes were read from; ``residents`` : see
    :func:`lifecircle.scenario.moved_residents`.
    """

    id: str
    changes: tuple[Change, ...]
    files: tuple[InputRecord, ...]
    before: Findings
    after: Findings
    inputs: Inputs
    targets: tuple[TargetComparison, ...]
    residents: gpd.GeoDataFrame

    def target(self, target: str) -> TargetComparison:
        """Find the comparison of a target.

        Raises
        ------
        KeyError
            When the study has no such target; the message names those it has.
        """
        for one in self.targets:
            if one.target == target:
                return one
        known = ", ".join(one.target for one in self.targets)
        raise KeyError(f"no target {target!r} in this study; it has {known}")


def run_scenario(
    study: str | Path | Study,
    changes: str | Path | Iterable[str | Path | Change],
    year: int | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> Scenario:
    """Audit a study before and after changes and compare the two.

    Parameters
    ----------
    study : folder of a study, or a study read before
    changes : file of changes, or several files and changes, made in order
    year : the study's own where none is given
    progress : called with the name of each step as it begins

    Raises
    ------
    UnusableInputError
        With every fault of the study, or of all files of changes together.
    """
    report_progress = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, year)
    # All files of changes are read before anything is refused, so that all faults come at once.
    given = [changes] if isinstance(changes, str | Path) else list(changes)
    faults = FaultLog()
    rows: list[Change] = []
    for one in given:
        with faults.catching():
            sound, wrong = ((one,), ()) if isinstance(one, Change) else read_rows(Path(one))
            rows += sound
            faults.faults += wrong
    report_progress("reading")
    with faults.catching():
        inputs = changed = prepare(study, year)
        with faults.catching():
            changed = apply_changes(inputs, rows)
        if changed is not inputs or all(one.action != "add_road" for one in rows):
            faults.faults += off_roads(changed, rows)  # also where something else is wrong
    faults.raise_any()
    report_progress("before")
    before = run(inputs, progress=report_progress)
    report_progress("after")
    return compare_inputs(
        inputs,
        changed,
        rows,
        files=[Path(one) for one in given if not isinstance(one, Change)],
        before=before,
        progress=report_progress,
    )


def compare_inputs(  # noqa: PLR0913 - the two sides of a comparison, and what is known of them already
    inputs: Inputs,
    changed: Inputs,
    changes: Iterable[Change],
    *,
    files: Iterable[Path] = (),
    before: Findings | None = None,
    progress: Callable[[str], None] | None = None,
) -> Scenario:
    """Audit prepared inputs before and after changes and compare the two.

    Parameters
    ----------
    inputs, changed : before, and after :func:`apply_changes`
    files : those the changes were read from
    before : findings of ``inputs`` where they are known already
    """
    rows, paths = tuple(changes), tuple(files)
    first = run(inputs, progress=progress) if before is None else before
    # The year before is the study's own: what has not been built yet was not there then either.
    previous = {one.target.id: one.previous for one in first.targets}
    second = with_own_year_before(run(changed, previous=previous, progress=progress), first)
    records = tuple(
        InputRecord(
            "changes", path.name, hashlib.sha256(path.read_bytes()).hexdigest(), _rows_of(path, rows), 0
        )
        for path in paths
    )
    return Scenario(
        id=scenario_id(paths, rows),
        changes=rows,
        files=records,
        before=first,
        after=second,
        inputs=changed,
        targets=compare_targets(first, second, was=inputs, now=changed),
        residents=moved_residents(first, second),
    )


def _rows_of(path: Path, changes: Iterable[Change]) -> int:
    return sum(change.file == str(path) for change in changes)


def scenario_id(files: Iterable[Path], changes: Iterable[Change]) -> str:
    """Name a scenario by its files, or by its changes where these have no name of Latin letters.

    >>> scenario_id([Path("New hall.geojson"), Path("bridge.toml")], [])
    'new-hall+bridge'
    """
    names = [re.sub(r"[^a-z0-9_]+", "-", path.stem.casefold()).strip("-_") for path in files]
    if names and all(names):
        return "+".join(names)
    text = "\n".join(repr(change) for change in changes)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
