"""Commands as a user starts them, each in a process of its own that finds the libraries already loaded.

To load the libraries takes longer than most commands on the toy town. So a server, one for each process of
tests, loads the package once and makes a copy of itself (``fork``) for every command. What the loading
itself could break is tried with fresh processes: the kills, the faults, the characters of an output and what
``test_install.py`` imports.
"""

import atexit
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path


def run(*words, cwd=None):
    """Run ``lifecircle`` with words to its end; gives what ``subprocess.run`` gives, as text."""
    command = [sys.executable, "-m", "lifecircle", *map(str, words)]
    if not hasattr(os, "fork"):
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        asked = {
            "words": command[3:],
            "cwd": str(cwd or Path.cwd()),
            "environment": dict(os.environ),
            "out": str(out),
            "err": str(err),
        }
        server = _server()
        print(json.dumps(asked), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(command, status, out.read_text("utf-8"), err.read_text("utf-8"))


@cache
def _server():
    """Start the server of this process; it ends with it."""
    started = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    atexit.register(started.stdin.close)
    return started


def serve():
    """Load the package, and run what each line of the input asks for."""
    import lifecircle  # noqa: PLC0415 - the server alone needs it at once

    for one in pkgutil.walk_packages(lifecircle.__path__, "lifecircle."):
        if not one.name.endswith("__main__"):
            importlib.import_module(one.name)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            os._exit(_run(json.loads(line)))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def _run(asked):
    """Run one command in this copy; gives its exit status."""
    from lifecircle.cli import main  # noqa: PLC0415 - loaded by the server

    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for at, name in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), at)
    sys.argv = ["lifecircle", *asked["words"]]
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - printed as Python prints it
        traceback.print_exc()
        status = 1
    else:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve()
