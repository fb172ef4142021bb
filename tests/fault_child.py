"""Run commands in forks of one warm process, each with the fault that it is given.

Started by ``fault_campaign`` with ``fault_shim`` preloaded. It reads an order (JSON, one line) with ``runs``,
begins them all at once, and answers with how each ended: exit status, calls that were counted, what it said.
A fork costs nothing to start: all is imported, and every command was run once.
"""

import contextlib
import ctypes
import encodings
import importlib
import json
import os
import pkgutil
import signal
import sqlite3  # noqa: F401 - as tomllib
import sys
import time
import tomllib  # noqa: F401 - nobody, whom some cases run as, may not be let into the folder of Python
import traceback
import warnings
from pathlib import Path

import osmnx

from lifecircle import cli

warnings.simplefilter("ignore")

# Nobody, whom some cases run as, may not be let into the folder of Python: text of any kind is read by then.
for module in pkgutil.iter_modules(encodings.__path__, "encodings."):
    with contextlib.suppress(ImportError, LookupError):  # those of other systems
        importlib.import_module(module.name)

SECONDS = 120
SHIM = ctypes.CDLL(os.environ["LD_PRELOAD"])
SHIM.fault_arm.argtypes = [ctypes.c_char_p, *[ctypes.c_int] * 2, ctypes.c_long, ctypes.c_int, ctypes.c_long]
SHIM.fault_arm.argtypes += [ctypes.c_int]
SHIM.fault_calls.restype = ctypes.c_long


def _no_sleep():
    """Let nothing wait: a server that is not there is asked again after a second."""
    time.sleep = lambda _: None


def run_command(words):
    """Run a command in this process; gives its exit status."""
    sys.argv = ["lifecircle", *words]
    try:
        cli.main()
    except SystemExit as end:
        return end.code
    return 0


def _set_up(run):
    os.environ.update(run.get("environment", {}))
    if "overpass" in run:
        osmnx.settings.nominatim_url = osmnx.settings.overpass_url = run["overpass"]
        _no_sleep()
    if run.get("user"):
        os.setgroups([])
        os.setgid(run["user"])
        os.setuid(run["user"])
    os.umask(run.get("umask", 0o022))


def _child(run, counted):
    out = Path(run["said"])
    for number, name in ((1, "out"), (2, "err")):
        descriptor = os.open(f"{out}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(descriptor, number)
    signal.alarm(SECONDS)
    kinds = os.open(f"{out}.kinds", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666) if run.get("kinds") else -1
    try:
        _set_up(run)
        fault = run.get("fault") or {}
        time.sleep(run.get("wait", 0.0))
        SHIM.fault_arm(
            run["root"].encode(),
            fault.get("mode", 1),
            fault.get("of", 127),
            fault.get("at", 0),
            fault.get("error", 0),
            fault.get("shift", 0),
            kinds,
        )
        status = run_command(run["words"])
    except BaseException:  # noqa: BLE001 - whatever it is, it is what the campaign looks for
        traceback.print_exc()
        status = 99
    os.write(counted, str(SHIM.fault_calls()).encode())
    os._exit(status if isinstance(status, int) else 99)


def _begin(run):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(run, writer)
    os.close(writer)
    return child, reader


def main():
    """Warm up with the words of the first line, then answer one order after the other."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    first = json.loads(sys.stdin.readline())
    for words in first["warm"]:
        status = run_command(words)
        if status not in {0, 1}:
            sys.stderr.write(f"warming up with {words} ended with {status}\n")
    for line in sys.stdin:
        told = []
        begun = [_begin(run) for run in json.loads(line)["runs"]]
        for child, reader in begun:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told.append([status, int(os.read(reader, 100) or b"0")])
            os.close(reader)
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
