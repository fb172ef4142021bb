"""Run tasks on a Dask cluster: one that runs already, by its address, or one of this machine.

Dask is an extra, and is loaded only here. A worker that is killed loses its task, which the scheduler gives
to another; one that kills its workers as often as is allowed is reported.
"""

from __future__ import annotations

import asyncio
import os
from concurrent import futures
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lifecircle.batch._pool import killed
from lifecircle.batch._task import finished, run_task
from lifecircle.batch._task_order import FAILED, Order, Outcome
from lifecircle.errors import Fault, MissingExtraError, UnusableInputError, say
from lifecircle.files import content_key
from lifecircle.wording import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_WAIT_S: Final = 30.0


def run_on_cluster(
    orders: Sequence[Order],
    *,
    address: str | None,
    workers: int | None,
    attempts: int,
    report: Callable[[Order, Outcome | None], None],
) -> dict[str, Outcome]:
    """Run tasks on a Dask cluster.

    Parameters
    ----------
    orders : of different ids, their paths absolute
    address : of a scheduler, such as ``tcp://10.0.0.1:8786``; None starts one here
    workers : processes of the one that is started
    attempts : how often a task is begun whose worker is killed; a scheduler that runs already has its own
        setting (``allowed-failures``)
    report : as for :func:`lifecircle.batch._pool.run_local`

    Returns
    -------
    outcomes : by id

    Raises
    ------
    MissingExtraError
        Dask is not installed.
    UnusableInputError
        No scheduler answers, no worker joins it, a worker has another version of this package or does not see
        the folders.
    """
    with _client(address, workers, attempts) as client:
        _check_workers(client, orders)
        return _gathered(client, orders, attempts, report)


def _gathered(
    client: Any,
    orders: Sequence[Order],
    attempts: int,
    report: Callable[[Order, Outcome | None], None],
) -> dict[str, Outcome]:
    from distributed import as_completed  # noqa: PLC0415 - an extra

    outcomes: dict[str, Outcome] = {}
    submitted = {}
    for order in orders:
        # A key of its own each time: a scheduler that still holds an old result must not answer with it.
        key = f"lifecircle-{order.id}-{content_key(os.urandom(8).hex())[:12]}"
        submitted[key] = order, client.submit(run_task, order.plain(), key=key, pure=False)
        report(order, None)
    done: Any = as_completed  # Dask has no types for it
    for future in done([future for _, future in submitted.values()], loop=client.loop):
        order = submitted[future.key][0]
        outcome = _outcome(future, order, attempts)
        outcomes[order.id] = outcome
        report(order, outcome)
    return outcomes


def _outcome(future: Any, order: Order, attempts: int) -> Outcome:
    """Return what came of a task, whatever became of its worker or of the scheduler."""
    from distributed import KilledWorker  # noqa: PLC0415 - an extra

    try:
        return Outcome.of(future.result())
    except KilledWorker:
        return killed(order, attempts)
    except (asyncio.CancelledError, futures.CancelledError, OSError) as error:  # two classes of one name
        # Its worker may have ended it before: then only the answer was lost.
        if (ended := finished(order)) is not None:
            return ended
        reason = say(
            "the scheduler was lost ({what}): run the same command again, finished studies are kept",
            what=type(error).__name__,
        )
    except Exception as error:  # noqa: BLE001 - whatever a cluster raises of one task stops no other
        reason = say("the cluster could not run it: {what}", what=f"{type(error).__name__}: {error}"[:300])
    fault = translate(reason, order.language)
    return Outcome(order.id, order.year, FAILED, language=order.language, faults=(fault,))


@contextmanager
def _client(address: str | None, workers: int | None, attempts: int) -> Iterator[Any]:
    """Connect to a scheduler, or start one with its workers on this machine.

    Raises
    ------
    MissingExtraError
        Dask is not installed.
    UnusableInputError
        No scheduler answers at the address.
    """
    try:
        import dask  # noqa: PLC0415 - an extra
        import distributed  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "distributed", "cluster") from None
    typed: Any = distributed  # it has no types
    if address is not None:
        try:
            client = typed.Client(address, timeout=_WAIT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            reason = say("no scheduler answers: {what}", what=" ".join(str(error).split())[:200])
            remedy = say("start one with 'dask scheduler' and name its address, such as tcp://10.0.0.1:8786")
            raise UnusableInputError([Fault(address, "--scheduler", "", reason, remedy)]) from None
        with client:
            yield client
        return
    # Its pages and ports are for this machine alone; left out, Dask opens port 8787 for everybody.
    settings = {"distributed.scheduler.allowed-failures": attempts - 1}
    with (
        dask.config.set(settings),
        typed.LocalCluster(
            n_workers=workers or 1,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            memory_limit=0,
        ) as cluster,
        typed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _check_workers(client: Any, orders: Sequence[Order]) -> None:
    """Check that the workers are there, have this version, and see the folders, before anything is run.

    Raises
    ------
    UnusableInputError
        With everything that is not so.
    """
    try:
        client.wait_for_workers(1, timeout=_WAIT_S)
    except TimeoutError:
        reason, remedy = (
            say("no worker has joined the scheduler"),
            say("start one with 'dask worker ADDRESS'"),
        )
        raise UnusableInputError([Fault("", "--scheduler", "", reason, remedy)]) from None
    paths = sorted({order.study for order in orders} | {order.out for order in orders})
    faults = []
    for worker, (found, missing) in sorted(client.run(_seen_by_worker, paths[:1000]).items()):
        if found != version("lifecircle"):
            reason = say(
                "the worker has version {found} of lifecircle, not {own}",
                found=found,
                own=version("lifecircle"),
            )
            faults.append(Fault(worker, "", "", reason, say("install the same version everywhere")))
        if missing:
            reason = say("the worker does not see this folder")
            remedy = say("put studies and results on a disk that every worker has at the same place")
            faults.append(Fault(worker, "", missing[0], reason, remedy))
    if faults:
        raise UnusableInputError(faults)


def _seen_by_worker(paths: Sequence[str]) -> tuple[str, list[str]]:
    """Return the version a worker has, and which paths it does not see; run on the worker."""
    return version("lifecircle"), [path for path in paths if not Path(path).exists()]
