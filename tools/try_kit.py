"""Try a kit as a person without a network would: unpack it into an empty folder and start it, on Linux.

    python tools/try_kit.py dist/lifecircle-kit-VERSION.zip [PYTHON]

It is started in a network namespace of its own, where not even loopback answers; where that is not allowed,
with proxies that lead nowhere. Then the wheels of numba are deleted and it is started again: the same run
must come out, to the byte. ``PYTHON`` is the Python 3.11 to start it with.
"""

# ruff: noqa: INP001, T201, S603 - a script beside the package, which prints and starts what was unpacked

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

DEAD = "http://127.0.0.1:9"
RUN = Path("demo", "results", "2025", "summary.json")
MAP = Path("demo", "maps", "haiyan.html")


def alone() -> list[str]:
    """Return the words that start a command without a network, none where that is not allowed here."""
    words = ["unshare", "--net"]
    allowed = shutil.which(words[0]) and subprocess.run([*words, "true"], check=False).returncode == 0
    return words if allowed else []


def start(folder: Path, python: str) -> bytes:
    """Start an unpacked kit; returns the summary of its run.

    Raises
    ------
    subprocess.CalledProcessError
        It ended badly.
    """
    dead = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), DEAD)
    environment = {"PATH": os.defpath, "HOME": str(folder.parent / "home"), "PYTHON": python, **dead}
    subprocess.run([*alone(), "sh", str(folder / "start.sh")], env=environment, cwd="/", check=True)
    assert (folder / MAP).stat().st_size > 100_000
    return (folder / RUN).read_bytes()


def unpack(kit: Path, where: Path) -> Path:
    """Unpack a kit; returns its folder."""
    with zipfile.ZipFile(kit) as packed:
        packed.extractall(where)
    return next(where.iterdir())


def main(kit: Path, python: str) -> None:
    """Start the kit as it is, and again without numba."""
    print("without a network:", "a namespace of its own" if alone() else "dead proxies alone")
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpack(kit, Path(scratch, "kit"))
        whole = start(folder, python)
        shutil.rmtree(folder / "demo")
        shutil.rmtree(folder / ".venv")
        for wheel in [*folder.glob("wheels/numba-*"), *folder.glob("wheels/llvmlite-*")]:
            wheel.unlink()
        assert start(folder, python) == whole, "the run without numba differs"
    print("kit: demo and audit run without a network, with and without numba")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else sys.executable)
