"""Run one task of a batch: audit a study, keep its rows, draw its page; report what went wrong.

Everything a task writes takes its place whole. Its record comes last, so that a task that was killed has none
and is run again, and one whose inputs are those of its record is not.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecircle.audit import fingerprint, open_study, run_audit
from lifecircle.batch._merged_rows import has_partitions, merged_rows, write_partitions
from lifecircle.batch._task_order import DONE, FAILED, KEPT, Order, Outcome
from lifecircle.errors import LifecircleError, UnusableInputError, system_fault
from lifecircle.files import recover, written
from lifecircle.findings import RUN, read_fingerprint
from lifecircle.ledger import result_rows
from lifecircle.stages import listening, peak_mb
from lifecircle.wording import fault_line, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.errors import Fault
    from lifecircle.findings import Findings, Language

_log = logging.getLogger(__name__)
_ONE_AT_A_TIME = threading.Lock()
"""Held by the task of a process: a worker with several threads runs one after another, within its memory."""


def record_of(out: Path, name: str) -> Path:
    """Return the record of a task."""
    return out / "tasks" / f"{name}.json"


def log_of(out: Path, name: str) -> Path:
    """Return the log of a task."""
    return out / "logs" / f"{name}.log"


def page_of(out: Path, name: str) -> Path:
    """Return the page of a task."""
    return out / "pages" / f"{name}.html"


def run_task(plain: dict[str, Any]) -> dict[str, Any]:
    """Run one task; both the order and the outcome are plain values.

    Parameters
    ----------
    plain : what :meth:`Order.plain` gave

    Returns
    -------
    outcome : what :meth:`Outcome.plain` gives
    """
    order = Order.of(plain)
    with _ONE_AT_A_TIME, _logged(order):
        outcome = _ended(order, _now())
        _log.info("%s %s in %.1f s", order.id, outcome.state, outcome.seconds)
        return outcome.plain()


def _ended(order: Order, begun: tuple[float, float]) -> Outcome:
    """Run a task to its end, whatever that is."""
    language = order.language
    try:
        study = open_study(order.study, order.year)
        made_of = fingerprint(study, order.year)
        kept = _kept(order, made_of)
        return kept if kept is not None else _recorded(_done(order), order, begun)
    except UnusableInputError as error:
        faults = [fault_line(fault, language) for fault in error.faults]
    except Exception as error:  # noqa: BLE001 - a task that fails is reported, and stops no other
        faults = [_said(error, language)]
        _log.error("%s", "".join(traceback.format_exception(error)).rstrip())
    for line in faults:
        _log.error("%s", line)
    return Outcome(order.id, order.year, FAILED, language=language, faults=tuple(faults))


def _recorded(outcome: Outcome, order: Order, begun: tuple[float, float]) -> Outcome:
    """Write the record of a task that is done; it comes last of all that the task writes."""
    wall, processor = (round(now - then, 3) for now, then in zip(_now(), begun, strict=True))
    outcome = replace(outcome, seconds=wall, processor_seconds=processor, peak_mb=round(peak_mb() or 0.0, 1))
    path = record_of(Path(order.out), order.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as fresh:
        fresh.write_text(json.dumps(outcome.plain(), ensure_ascii=False, indent=1), "utf-8")
    return outcome


def _said(error: Exception, language: Language) -> str:
    """Return one sentence of an error."""
    fault: Fault | None = system_fault(error) if isinstance(error, OSError) else None
    if fault is not None:
        return fault_line(fault, language)
    text = str(error) if isinstance(error, LifecircleError) else f"{type(error).__name__}: {error}"
    return one_line(text, 500)


def finished(order: Order) -> Outcome | None:
    """Return the outcome of a task that has ended, as its record holds it; None where there is none."""
    try:
        return _kept(order, fingerprint(open_study(order.study, order.year), order.year))
    except (LifecircleError, OSError):
        return None


def _kept(order: Order, made_of: str) -> Outcome | None:
    """Return the outcome of before where nothing has changed since, else None."""
    out = Path(order.out)
    run = Path(order.results) / str(order.year)
    recover(run, RUN)
    try:
        before = Outcome.of(json.loads(record_of(out, order.id).read_bytes()))
        current = before.fingerprint == made_of == read_fingerprint(run)
    except (OSError, ValueError, KeyError, TypeError, UnusableInputError):
        return None
    if not current or not has_partitions(out, order.id, before.partitions):
        return None
    if order.atlas and not page_of(out, order.id).is_file():
        return None
    return replace(before, state=KEPT, page=_page_name(order))


def _done(order: Order) -> Outcome:
    """Audit the study, keep what the merged tables need of it, and draw its page."""
    out = Path(order.out)
    with suppress(FileNotFoundError):
        record_of(out, order.id).unlink()
    findings = run_audit(order.study, order.year, out=order.results, progress=_log.info)
    digests = write_partitions(findings, out, order.id)
    if order.atlas:
        _draw(order, page_of(out, order.id))
    return Outcome(
        id=order.id,
        year=order.year,
        state=DONE,
        fingerprint=findings.fingerprint,
        name=findings.name,
        language=findings.language,
        synthetic=findings.synthetic,
        rows=tuple(merged_rows(findings)),
        register=tuple(result_rows(findings)),
        page=_page_name(order),
        partitions=digests,
        sizes=_sizes(findings),
    )


def _sizes(findings: Findings) -> dict[str, int]:
    """Return how many residents, facilities and roads a study has, which is what its cost follows from."""
    roads = sum(one.used for one in findings.reading.inputs if one.role == "roads")
    return {"residents": len(findings.demand), "facilities": len(findings.facilities), "roads": roads}


def _page_name(order: Order) -> str:
    return f"pages/{order.id}.html" if order.atlas else ""


def _draw(order: Order, page: Path) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    from lifecircle.maps import MapOrder, draw_study  # noqa: PLC0415 - folium takes half a second to load

    draw_study(
        order.study,
        MapOrder(years=(order.year,), results=Path(order.results), out=page),
        progress=_log.info,
    )


def _now() -> tuple[float, float]:
    """Return seconds of the wall and of the processor."""
    return time.monotonic(), time.process_time()


@contextmanager
def _logged(order: Order) -> Iterator[None]:
    """Write what the task says into its own log, whatever other threads of the process say."""
    path = log_of(Path(order.out), order.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = threading.get_ident()
    handler = logging.FileHandler(path, mode="a", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(lambda record: record.thread == mine)
    try:
        with listening("lifecircle", handler):
            yield
    finally:
        handler.close()
