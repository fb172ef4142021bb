"""Build the wheel and the source archive twice, from two copies, and keep them if the bytes are equal.

    python tools/build_release.py [--out dist]

Two copies with other times of their files and other folders must give the same bytes: whoever builds the
same commit can then compare what is published. ``SOURCE_DATE_EPOCH`` is the time of the last commit, where it
is not set. What is built is what git tracks. ``SHA256SUMS`` is written beside the two.
"""

# ruff: noqa: INP001, T201 - a script beside the package, which prints

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def git(*words: str) -> str:
    """Return what git prints in the repository."""
    found = shutil.which("git") or "git"
    return subprocess.run(  # noqa: S603 - git, with words of our own
        [found, "-c", "core.quotePath=false", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def copy_tracked(folder: Path, stamp: int) -> None:
    """Copy every file that git tracks, as it stands, with one time of change for all."""
    for name in git("ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
            os.utime(target, (stamp, stamp))


def build(folder: Path, out: Path, epoch: str) -> dict[str, bytes]:
    """Build both archives of a copy; returns their bytes by name."""
    subprocess.run(  # noqa: S603 - the Python of this environment
        [sys.executable, "-m", "hatchling", "build", "--directory", str(out)],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONPATH": ""},
        check=True,
        capture_output=True,
    )
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def main() -> int:
    """Build twice and compare; returns 1 where they differ."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the archives")
    out = words.parse_args().out
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct").strip()
    built = []
    for number, stamp in enumerate((1_000_000_000, 1_500_000_001)):
        with tempfile.TemporaryDirectory(prefix="other-place-" * number) as folder:
            copy_tracked(Path(folder, "source"), stamp)
            built.append(build(Path(folder, "source"), Path(folder, "built"), epoch))
    first, second = built
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if differing or len(first) != 2:
        print("not the same bytes twice:", *differing or first)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in first.items()}
    for name, content in first.items():
        (out / name).write_bytes(content)
        print(f"{name}: {len(content) / 1e6:.2f} MB, {sums[name]}")
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    (out / "SHA256SUMS").write_text("".join(lines), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
