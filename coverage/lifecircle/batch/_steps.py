"""A batch from the studies to the merged files: check, split, run every task, put together."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lifecircle.audit import open_study, prepare
from lifecircle.batch._merge import INDEX, is_batch, merge, write_record
from lifecircle.batch._pool import run_local
from lifecircle.batch._split import check_split, found_split, split_facts, split_study
from lifecircle.batch._task_order import DONE, FAILED, KEPT, Order, Outcome
from lifecircle.batch._way import Way, choose_way
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import check_room, one_writer
from lifecircle.study import check_year
from lifecircle.wording import Words, explain, fault_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifecircle.batch._split import Split
    from lifecircle.batch._way import Solve
    from lifecircle.findings import Language
    from lifecircle.study import Study

_log = logging.getLogger(__name__)

FOLDER: Final = "batch"
"""Folder of a batch where none is named: here, or among the results of the region that is split."""

_TRIED: Final = 3


@dataclass(frozen=True)
class BatchOrder:
    """What a batch is asked for.

    ``studies`` : folders or files; ``out`` : folder of the batch, which then also holds every run; left out,
    runs go where an audit puts them. ``split`` : by districts, of one study; ``solve`` : how a split region
    is solved. ``scheduler`` : address of a Dask cluster; ``workers`` : processes of one that is started here;
    neither: a local pool of ``pool`` processes, one for each processor where left out. ``tries`` : how often
    a task is begun whose worker is killed.
    """

    studies: tuple[Path, ...]
    out: Path | None = None
    year: int | None = None
    split: bool = False
    solve: Solve = "auto"
    scheduler: str | None = None
    workers: int | None = None
    pool: int | None = None
    atlas: bool = False
    tries: int = _TRIED


@dataclass(frozen=True)
class Batch:
    """What came of a batch: every outcome in the order of the studies, and where it was written."""

    out: Path
    language: Language
    outcomes: tuple[Outcome, ...]
    way: Way | None = None
    split: Split | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The studies that could not be audited."""
        return tuple(one for one in self.outcomes if one.state == FAILED)

    @property
    def found(self) -> bool:
        """Whether an assessed target of any study is missed or behind."""
        return any(one.found for one in self.outcomes)

    def lines(self) -> list[str]:
        """Return what is printed at the end: counts, the way, what failed and why."""
        words = Words(self.language)
        many = Counter(one.state for one in self.outcomes)
        lines = [
            words.format(
                "batch",
                "ended",
                done=many[DONE],
                kept=many[KEPT],
                failed=many[FAILED],
                seconds=f"{self.seconds:.1f}",
            )
        ]
        if self.way is not None:
            lines.append(way_text(self.way, self.language))
        if self.split is not None and self.split.outside:
            lines.append(words.format("batch", "outside", people=f"{self.split.outside:,.0f}"))
        if self.split is not None and self.split.elsewhere:
            lines.append(words.format("batch", "elsewhere", rows=self.split.elsewhere))
        for one in self.failed:
            lines += [words.format("batch", "failed", study=one.id, fault=fault) for fault in one.faults]
        return lines


def way_text(way: Way, language: Language) -> str:
    """Return how a region was solved, and why, as a sentence."""
    words = Words(language)
    name = "whole" if way.whole else "districts"
    return words.format("batch", name, why=explain(way.why, language))


@dataclass
class _Plan:
    """The tasks of a batch, and what is known before they are run."""

    out: Path
    language: Language
    title: str
    orders: list[Order] = field(default_factory=list)
    failed: dict[str, Outcome] = field(default_factory=dict)
    sequence: list[str] = field(default_factory=list)
    way: Way | None = None
    split: Split | None = None


def run_batch(
    asked: BatchOrder,
    *,
    progress: Callable[[str], None] | None = None,
    report: Callable[[Order, Outcome | None], None] | None = None,
    begin: Callable[[int], None] | None = None,
) -> Batch:
    """Audit many studies, or one region by its districts, and put their results together.

    Parameters
    ----------
    asked : which studies, where to, and by whom
    progress : called with each step before the tasks
    report : called with a task as it begins (and None), and as it ends with its outcome
    begin : called with the number of tasks before the first

    Returns
    -------
    batch : every outcome; a study that failed is one of them, and stops no other

    Raises
    ------
    UnusableInputError
        Before anything is run: two studies have one id, the folder holds something else, the region cannot be
        split, the cluster does not answer.
    MissingExtraError
        A cluster is asked for and Dask is not installed.
    """
    report_progress = progress or _log.info
    begun = time.monotonic()
    plan = _planned(asked)
    if not is_batch(plan.out):
        reason = say("the folder holds things that are no earlier batch, and is not written to")
        remedy = say("name another folder with --out, or move away what stands there")
        raise UnusableInputError([Fault(str(plan.out), "", "", reason, remedy)])
    check_room(plan.out / "x")
    with one_writer(plan.out):
        if asked.split:
            plan = _split(asked, plan, report_progress)
        facts = _facts(asked, plan)
        write_record(plan.out, {**facts, "state": "running"})
        if begin is not None:
            begin(len(plan.orders))
        outcomes = _run(asked, plan, report or (lambda _order, _outcome: None))
        report_progress(Words(plan.language).get("batch", "merging"))
        everything = {**plan.failed, **outcomes}
        ended = [everything[name] for name in plan.sequence]
        runs = {order.id: Path(order.results) / str(order.year) for order in plan.orders}
        merge(plan.out, ended, runs, title=plan.title, language=plan.language)
        batch = Batch(
            out=plan.out,
            language=plan.language,
            outcomes=tuple(ended),
            way=plan.way,
            split=plan.split,
            seconds=time.monotonic() - begun,
        )
        write_record(plan.out, {**facts, "state": "ended", **_ended(batch)})
    return batch


def _run(
    asked: BatchOrder, plan: _Plan, report: Callable[[Order, Outcome | None], None]
) -> dict[str, Outcome]:
    """Run the tasks where they are asked to be run."""
    if asked.scheduler is not None or asked.workers is not None:
        from lifecircle.batch._cluster import run_on_cluster  # noqa: PLC0415 - Dask is an extra

        return run_on_cluster(
            plan.orders,
            address=asked.scheduler,
            workers=asked.workers,
            attempts=asked.tries,
            report=report,
        )
    logs = plan.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    workers = max(1, min(len(plan.orders), asked.pool or os.cpu_count() or 1))
    return run_local(
        plan.orders, workers=workers, attempts=asked.tries, log=logs / "workers.log", report=report
    )


# ---------------------------------------------------------------------------------------------------------
# Before: which tasks there are


def _planned(asked: BatchOrder) -> _Plan:
    """Return the tasks of the studies that are named; one that cannot be read has failed already.

    Raises
    ------
    UnusableInputError
        When two have one id, or the year is none.
    """
    if asked.year is not None:
        check_year(asked.year)
    found = [(path, _opened(path, asked.year)) for path in asked.studies]
    studies = [(path, one) for path, one in found if not isinstance(one, list)]
    _refuse_twins([(path, one.id) for path, one in studies])
    language: Language = studies[0][1].language if studies else "zh"
    if asked.split and studies:
        region = studies[0][1]
        title, usual = region.name or region.id, region.folder / "results" / FOLDER
    else:
        title, usual = Words(language).format("batch", "title", studies=len(found)), Path(FOLDER)
    plan = _Plan((asked.out or usual).absolute(), language, title)
    for path, one in found:
        if isinstance(one, list):
            faults = tuple(fault_line(fault, language) for fault in one)
            name = str(path)
            plan.failed[name] = Outcome(name, asked.year or 0, FAILED, language=language, faults=faults)
        else:
            name = one.id
            plan.orders.append(_order(asked, path, one, plan.out))
        plan.sequence.append(name)
    return plan


def _opened(path: Path, year: int | None) -> Study | list[Fault]:
    """Read a study, or return why it cannot be; its other files are read by its task."""
    try:
        return open_study(path, year)
    except UnusableInputError as error:
        return list(error.faults)


def _refuse_twins(found: Sequence[tuple[Path, str]]) -> None:
    """Raise UnusableInputError where two studies have one id, or one is named twice.

    Raises
    ------
    UnusableInputError
        With every such id.
    """
    places: dict[str, list[str]] = {}
    for path, name in found:
        places.setdefault(name, []).append(str(path))
    faults = [
        Fault(
            ", ".join(paths),
            "id",
            name,
            say("two studies have one id, and their results would be mixed"),
            say("give each study in a batch an id of its own"),
        )
        for name, paths in places.items()
        if len(paths) > 1
    ]
    if faults:
        raise UnusableInputError(faults)


def _order(asked: BatchOrder, path: Path, study: Study, out: Path) -> Order:
    """Return the task of a study: its run goes to the folder of the batch where that is named."""
    results = out / study.id if asked.out is not None or asked.split else study.folder / "results"
    return Order(
        study=str(path.absolute()),
        id=study.id,
        year=study.year if asked.year is None else asked.year,
        results=str(results.absolute()),
        out=str(out),
        language=study.language,
        atlas=asked.atlas,
    )


def _split(asked: BatchOrder, plan: _Plan, report_progress: Callable[[str], None]) -> _Plan:
    """Return the tasks of a region: one for all of it, or one for each of its districts.

    Raises
    ------
    UnusableInputError
        When it is not one study, or cannot be split or read.
    """
    if len(asked.studies) != 1:
        reason = say("one study is split by its districts at a time")
        raise UnusableInputError(
            [Fault("", "--split", "", reason, say("name one study, or leave out --split"))]
        )
    region = open_study(asked.studies[0], asked.year)
    check_split(region)
    year = region.year if asked.year is None else asked.year
    folder = plan.out / "studies"
    split = found_split(region, year, folder)
    inputs = None
    if split is None:
        report_progress(Words(plan.language).get("batch", "reading"))
        inputs = prepare(region, year)
    junctions = split.junctions if inputs is None else max(len(one.xy) for one in inputs.networks.values())  # type: ignore[union-attr]  # one of the two is there
    way = choose_way(asked.solve, region.standard, junctions=junctions, atlas=asked.atlas)
    _log.info("%s", way_text(way, plan.language))
    report_progress(way_text(way, plan.language))
    if way.whole:
        return replace(plan, way=way)
    if split is None:
        assert inputs is not None
        split = split_study(inputs, folder, progress=report_progress)
    orders = [
        _order(replace(asked, out=plan.out), path, open_study(path, year), plan.out)
        for path in split.studies.values()
    ]
    sequence = [one.id for one in orders]
    return replace(plan, way=way, split=split, orders=orders, sequence=sequence, failed={})


# ---------------------------------------------------------------------------------------------------------
# The record of a batch


def _facts(asked: BatchOrder, plan: _Plan) -> dict[str, Any]:
    """Return what is known of a batch before it is run: studies, how they are solved, by whom."""
    by = "dask" if asked.scheduler or asked.workers else "pool"
    return {
        "title": plan.title,
        "studies": plan.sequence,
        "by": by,
        "way": None if plan.way is None else plan.way.plain(),
        "split": None if plan.split is None else split_facts(plan.split),
        "index": INDEX,
    }


def _ended(batch: Batch) -> dict[str, Any]:
    """Return what came of a batch: counts, seconds, memory, and every task."""
    ran = [one for one in batch.outcomes if one.state == DONE]
    many: Mapping[str, int] = Counter(one.state for one in batch.outcomes)
    return {
        "counts": {name: many.get(name, 0) for name in (DONE, KEPT, FAILED)},
        "seconds": round(batch.seconds, 3),
        "task_seconds": round(sum(one.seconds for one in ran), 3),
        "task_processor_seconds": round(sum(one.processor_seconds for one in ran), 3),
        "peak_mb": max((one.peak_mb for one in ran), default=0.0),
        "tasks": [
            {
                "id": one.id,
                "year": one.year,
                "state": one.state,
                "fingerprint": one.fingerprint,
                "seconds": one.seconds,
                "processor_seconds": one.processor_seconds,
                "peak_mb": one.peak_mb,
                "attempts": one.attempts,
                "faults": list(one.faults),
                **one.sizes,
            }
            for one in batch.outcomes
        ],
    }
