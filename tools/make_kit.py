"""Make the kit: a zip that sets lifecircle up on a computer without a network, Windows or Linux.

    python tools/make_kit.py [--out dist] [--only windows] [--without fast]

The zip holds the wheels of the package and of all it needs for both systems (CPython 3.11, 64 bit, the
versions of ``constraints.txt``), and what a person opens: ``开始.bat`` on Windows, ``start.sh`` on Linux. The
bundled example is in the wheel of the package; the first run copies it to ``demo``. Python is not in it.

Which wheels are needed is read from the wheels themselves, for the system they are for: pip would judge
markers such as ``sys_platform == "win32"`` by the system it runs on, and leave out what Windows alone needs.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import argparse
import email.parser
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
STARTERS = ROOT / "tools" / "kit"
PYTHON = (3, 11)
EXTRAS = ("fast", "siting", "print")
KIT = "lifecircle-kit"
CLOCK = (2020, 1, 1, 0, 0, 0)  # of every file in the zip, so that the same wheels make the same bytes


@dataclass(frozen=True)
class System:
    """A system that the kit is for: the platforms its wheels may name, and what markers see there."""

    name: str
    platforms: tuple[str, ...]
    markers: tuple[tuple[str, str], ...]

    def environment(self) -> dict[str, str]:
        """Return what a marker is judged by on this system."""
        version = ".".join(map(str, PYTHON))
        python = {
            "python_version": version,
            "python_full_version": f"{version}.0",
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
        }
        return {**python, **dict(self.markers)}

    def tags(self) -> frozenset[Tag]:
        """Return the tags of the wheels that can be installed there."""
        interpreter = "cp" + "".join(map(str, PYTHON))
        return frozenset(
            [
                *cpython_tags(PYTHON, platforms=self.platforms),
                *compatible_tags(PYTHON, interpreter, self.platforms),
            ]
        )


SYSTEMS = (
    System(
        "windows",
        ("win_amd64",),
        (
            ("sys_platform", "win32"),
            ("platform_system", "Windows"),
            ("os_name", "nt"),
            ("platform_machine", "AMD64"),
        ),
    ),
    System(
        "linux",
        # glibc 2.28 and older: what the systems of offices have (Kylin V10, UOS 20, Debian 10).
        (
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            "manylinux2014_x86_64",
            "manylinux1_x86_64",
        ),
        (
            ("sys_platform", "linux"),
            ("platform_system", "Linux"),
            ("os_name", "posix"),
            ("platform_machine", "x86_64"),
        ),
    ),
)


def needed(wheel: Path, system: System, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yield what a wheel needs on a system, as its metadata say."""
    with zipfile.ZipFile(wheel) as packed:
        path = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.parser.Parser().parsestr(packed.read(path).decode("utf-8"))
    for text in metadata.get_all("Requires-Dist", []):
        one = Requirement(text)
        settings = [{**system.environment(), "extra": extra} for extra in (*extras, "")]
        if one.marker is None or any(one.marker.evaluate(setting) for setting in settings):
            yield one


def fitting(wheels: Iterable[Path], system: System) -> dict[str, Path]:
    """Return the wheels that can be installed on a system, by their name."""
    tags, found = system.tags(), {}
    for wheel in wheels:
        name, _, _, has = parse_wheel_filename(wheel.name)
        if has & tags:
            found[str(name)] = wheel
    return found


def lacking(wheels: Iterable[Path], system: System, wanted: Iterable[Requirement]) -> list[Requirement]:
    """Return the requirements of ``wanted``, and of all they need in turn, for which no wheel is there.

    A wheel counts if its tags fit the system and its version fits the requirement.
    """
    there, missing, seen, queue = fitting(wheels, system), [], set(), list(wanted)
    while queue:
        one = queue.pop()
        name = canonicalize_name(one.name)
        if (name, *sorted(one.extras), str(one.specifier)) in seen:
            continue
        seen.add((name, *sorted(one.extras), str(one.specifier)))
        wheel = there.get(name)
        if wheel is None or not one.specifier.contains(parse_wheel_filename(wheel.name)[1], prereleases=True):
            missing.append(one)
            continue
        queue += needed(wheel, system, one.extras)
    return missing


def fetch(missing: Iterable[Requirement], system: System, folder: Path, pins: dict[str, str]) -> None:
    """Download a wheel of each requirement for a system, of the pinned version."""
    asked = sorted({f"{canonicalize_name(one.name)}=={pins[canonicalize_name(one.name)]}" for one in missing})
    platforms = [word for name in system.platforms for word in ("--platform", name)]
    version = ".".join(map(str, PYTHON))
    words = ["--implementation", "cp", "--python-version", version, *platforms]
    _pip("download", "--no-deps", "--only-binary=:all:", *words, "--dest", str(folder), *asked)


def _pip(command: str, *words: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", command, *quiet, *words], check=True)  # noqa: S603 - our own pip


def pinned() -> dict[str, str]:
    """Return the versions of ``constraints.txt`` by name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {canonicalize_name(name): version for name, version in pairs}


def gather(folder: Path, extras: tuple[str, ...], systems: Iterable[System]) -> None:
    """Put the wheel of the package and all it needs on every system in a folder."""
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    wanted, pins = Requirement(f"lifecircle[{','.join(extras)}]"), pinned()
    for system in systems:
        while missing := lacking(sorted(folder.glob("*.whl")), system, [wanted]):
            names = sorted({canonicalize_name(one.name) for one in missing})
            print(f"{system.name}: {', '.join(names)}", flush=True)  # noqa: T201 - a script says what it does
            fetch(missing, system, folder, pins)


def pack(wheels: Iterable[Path], out: Path) -> None:
    """Write the zip: wheels, the starters, and the texts that go with the package."""
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        draft = Path(folder) / out.name
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as kit:
            for path in sorted(STARTERS.iterdir()):
                _add(kit, f"{KIT}/{path.name}", _line_ends(path), executable=path.suffix == ".sh")
            for name in ("LICENSE", "README.md", "README.zh.md"):
                _add(kit, f"{KIT}/{name}", (ROOT / name).read_bytes())
            for wheel in sorted(wheels):
                _add(kit, f"{KIT}/wheels/{wheel.name}", wheel.read_bytes(), stored=True)
        draft.replace(out)


def _line_ends(path: Path) -> bytes:
    """Return a file with the ends of lines that its reader knows: the shell of Windows wants both signs."""
    text = path.read_bytes().replace(b"\r\n", b"\n")
    return text.replace(b"\n", b"\r\n") if path.suffix in {".bat", ".txt"} else text


def _add(
    kit: zipfile.ZipFile, name: str, content: bytes, *, executable: bool = False, stored: bool = False
) -> None:
    entry = zipfile.ZipInfo(name, CLOCK)
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    kit.writestr(entry, content)


def report(wheels: Iterable[Path], out: Path, systems: Iterable[System]) -> Iterator[str]:
    """Yield lines on the size of the kit, in all and by system."""
    for system in systems:
        sizes = [wheel.stat().st_size for wheel in fitting(wheels, system).values()]
        yield f"{system.name}: {len(sizes)} wheels, {sum(sizes) / 1e6:.0f} MB"
    yield f"{out}: {out.stat().st_size / 1e6:.0f} MB"


def main() -> None:
    """Read the words of the command line and make the kit."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the zip")
    words.add_argument(
        "--only", choices=[system.name for system in SYSTEMS], help="wheels for one system alone"
    )
    words.add_argument("--without", action="append", default=[], choices=EXTRAS, help="an extra to leave out")
    words.add_argument("--wheels", type=Path, help="folder that keeps the wheels for the next time")
    asked = words.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    systems = [system for system in SYSTEMS if asked.only in (None, system.name)]
    extras = tuple(extra for extra in EXTRAS if extra not in asked.without)
    with tempfile.TemporaryDirectory() as folder:
        kept = asked.wheels or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        for old in kept.glob("lifecircle-*.whl"):
            old.unlink()
        gather(kept, extras, systems)
        wheels = sorted(
            {wheel for system in systems for wheel in fitting(kept.glob("*.whl"), system).values()}
        )
        version = parse_wheel_filename(next(kept.glob("lifecircle-*.whl")).name)[1]
        out = asked.out / f"{KIT}-{version}.zip"
        pack(wheels, out)
        print(*report(wheels, out, systems), sep="\n")  # noqa: T201 - a script says what it made


if __name__ == "__main__":
    main()
