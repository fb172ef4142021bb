"""A worker of the local pool: orders come in as lines of JSON, outcomes go out the same way.

It is a process of its own, started by :mod:`lifecircle.batch._pool`; nothing is pickled.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Run orders until there are no more."""
    # An interrupt is for the command, which ends its workers; they would only say the same again.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not stand between two outcomes.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from lifecircle.batch._task import run_task  # noqa: PLC0415 - after the outputs are apart

    for line in sys.stdin:
        answers.write(json.dumps(run_task(json.loads(line)), ensure_ascii=True) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
