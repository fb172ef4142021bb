"""Put the outcomes of all tasks together: one table, one register, one page, and the record of the batch."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from lifecircle.batch._index_page import index_page
from lifecircle.batch._merged_rows import drop_partitions, merged_table
from lifecircle.batch._task_order import FAILED
from lifecircle.errors import LifecircleError
from lifecircle.files import written
from lifecircle.ledger import open_register, read_evidence
from lifecircle.tables import write_csv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lifecircle.batch._task_order import Outcome
    from lifecircle.findings import Language

_log = logging.getLogger(__name__)

RECORD: Final = "batch.json"
FINDINGS: Final = "findings"
INDEX: Final = "index.html"
_VERSION: Final = 1


def write_record(out: Path, facts: Mapping[str, Any]) -> None:
    """Write what is known of a batch: its studies, how they were solved, what came of each."""
    plain = {"schema": _VERSION, **facts}
    with written(out / RECORD) as fresh:
        fresh.write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")


def is_batch(out: Path) -> bool:
    """Return whether a folder is empty, not there, or that of an earlier batch."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    try:
        return isinstance(json.loads((out / RECORD).read_bytes())["studies"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return {one.name for one in out.iterdir()} <= {".lifecircle.lock"}


def merge(
    out: Path, outcomes: Sequence[Outcome], runs: Mapping[str, Path], *, title: str, language: Language
) -> None:
    """Write the merged files of a batch: findings.csv, findings.parquet, the register and the page.

    Studies that failed are left out of the tables, and named on the page. Partitions of studies that are not
    in this batch go, so that all merged files are of the same studies; their runs stay.

    Parameters
    ----------
    out : folder of the batch
    outcomes : of every study, in the order they were given, whichever ended first
    runs : id -> folder of its run
    title, language : of the page
    """
    good = [one for one in outcomes if one.state != FAILED]
    drop_partitions(out, {one.id for one in good})
    table = merged_table(row for one in good for row in one.rows)
    write_csv(table, out / f"{FINDINGS}.csv")
    with written(out / f"{FINDINGS}.parquet") as fresh:
        table.to_parquet(fresh, index=False)
    _note_runs(out, good, runs)
    with written(out / INDEX) as fresh:
        fresh.write_text(index_page(out, outcomes, title=title, language=language), "utf-8")


def _note_runs(out: Path, good: Sequence[Outcome], runs: Mapping[str, Path]) -> None:
    """Add the runs of all studies to the register of the batch; whatever happens to it, the results stay."""
    try:
        with open_register(out) as register:
            for one in good:
                folder = runs[one.id]
                register.add_rows(one.register, read_evidence(folder), folder, seconds=one.seconds)
    except (LifecircleError, OSError) as error:
        _log.warning("the register of the batch is not complete: %s", error)
