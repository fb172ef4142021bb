"""Refresh the third-party files that the atlas carries inside its pages.

Run by hand when a version changes, never while a wheel is built: ``python tools/vendor_assets.py``. It
asks npm for the packages below, copies the files named here and writes ``manifest.json`` beside them.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "coverage" / "lifecircle" / "atlas" / "vendor"


@dataclass(frozen=True)
class Package:
    """One npm package: ``files`` maps a path inside the package to the name it is kept under."""

    name: str
    version: str
    licence: str
    files: dict[str, str]


PACKAGES = (
    Package(
        name="leaflet",
        version="1.9.4",
        licence="BSD-2-Clause",
        files={
            "LICENSE": "leaflet.LICENSE",
            "dist/leaflet.js": "leaflet.js",
            "dist/leaflet.css": "leaflet.css",
            "dist/images/layers.png": "images/layers.png",
            "dist/images/layers-2x.png": "images/layers-2x.png",
            "dist/images/marker-icon.png": "images/marker-icon.png",
            "dist/images/marker-icon-2x.png": "images/marker-icon-2x.png",
            "dist/images/marker-shadow.png": "images/marker-shadow.png",
        },
    ),
)


def unpack(package: Package, folder: Path) -> Path:
    """Have npm fetch a package and unpack it below the folder; returns where its files stand."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "npm is not installed. Remedy: install Node.js, or keep the files as they are"
        )
    done = subprocess.run(  # noqa: S603 - a fixed command with a fixed package name
        [npm, "pack", f"{package.name}@{package.version}", "--silent"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def refresh(vendor: Path) -> list[dict[str, str]]:
    """Rewrite the vendored files and return the rows of the manifest, one a file."""
    rows = []
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as scratch:
            source = unpack(package, Path(scratch))
            for inside, kept in package.files.items():
                target = vendor / kept
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / inside, target)
                rows.append(
                    {
                        "package": package.name,
                        "version": package.version,
                        "file": kept,
                        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
                        "licence": package.licence,
                    }
                )
    return rows


def main() -> None:
    """Refresh the files and the manifest."""
    rows = refresh(VENDOR)
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    (VENDOR / "manifest.json").write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(rows)} files in {VENDOR.name}/\n")


if __name__ == "__main__":
    main()
