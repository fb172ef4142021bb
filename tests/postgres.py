"""A PostgreSQL server of the tests' own on the loopback, which they may kill."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

AS_ROOT = os.name == "posix" and os.geteuid() == 0


def _skip(why):
    """Skip, where what is optional elsewhere is not required."""
    if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") == "1":
        pytest.fail(why)
    pytest.skip(why)


class Server:
    """A server that is started, stopped, and killed as a machine that loses its power."""

    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.how = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if AS_ROOT:  # it does not run as root
            self.how["user"] = "postgres"
        data = self.folder / "data"
        subprocess.run(
            [tools / "initdb", "-D", data, "-A", "trust", "-U", "me", "--no-sync", "-E", "UTF8"],
            check=True,
            **self.how,
        )

    @property
    def url(self):
        """Give its address, with a password that must stand nowhere."""
        return f"postgresql://me:secret@127.0.0.1:{self.port}/postgres"

    def start(self):
        """Start it, and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c fsync=off"
        )
        data = self.folder / "data"
        subprocess.run(
            [self.tools / "pg_ctl", "-D", data, "-o", options, "-l", self.folder / "log", "-w", "start"],
            check=True,
            **self.how,
        )

    def stop(self):
        """Stop it at once."""
        subprocess.run(
            [self.tools / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop"],
            check=True,
            **self.how,
        )

    def kill(self):
        """Kill every process of the server at once."""
        head = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        subprocess.run(["pkill", "-9", "-P", str(head)], check=False)
        os.kill(head, 9)
        while Path(f"/proc/{head}").exists() and "Z" not in _state(head):
            time.sleep(0.01)
        # Where nobody reaps the dead, the next server takes its own former number for a living process.
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.folder.glob(".s.PGSQL.*"):
            lock.unlink()


def _state(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2]
    except OSError:
        return "Z"


@contextmanager
def server():
    """Start a server, or skip where there is none."""
    found = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    tools = next((Path(one).resolve().parent for one in found if one), None)
    if tools is None:
        _skip("no PostgreSQL is installed here")
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-"))
    if AS_ROOT:
        try:
            shutil.chown(folder, "postgres")
        except LookupError:
            _skip("PostgreSQL does not run as root, and there is no user postgres")
    one = Server(tools, folder)
    one.start()
    try:
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder)
