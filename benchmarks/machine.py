"""Own the description of the machine a run was made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import peers


def describe_machine() -> dict[str, str]:
    """Give processor, cores, memory, load and the versions that matter."""
    about = {
        "processor": _line(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    if hasattr(os, "getloadavg"):
        about["load at the start"] = f"{os.getloadavg()[0]:.2f}"
    for package in ("numpy", "pandas", "geopandas", "numba"):
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            about[package] = "not installed"
    return about


def describe_peers() -> dict[str, str]:
    """Give the version of every contestant, or that it is not installed."""
    here = peers.installed()
    return {name: here.get(name, "not installed") for name in peers.PACKAGES}


def _memory() -> str:
    size = _line(Path("/proc/meminfo"), "MemTotal")
    return f"{int(size.split()[0]) / 2**20:.0f} GB" if size else "unknown"


def _line(path: Path, key: str) -> str:
    if not path.is_file():
        return ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return ""
