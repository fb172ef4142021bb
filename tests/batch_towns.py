"""Small studies for batches, their runs one after another, and what is compared between folders of runs."""

import hashlib
import json
import shutil
from pathlib import Path

from conftest import TOYTOWN, edit
from lifecircle.audit import run_audit

IDS = ("ash", "birch", "cedar", "dune")
NOT_COMPARED = {"ledger.sqlite", ".lifecircle.lock"}
"""The register notes when a run was written."""


def make_towns(folder, ids=IDS):
    """Copy the toy town under several ids, each with other people at its first home: 101, 102, ..."""
    towns = []
    for number, name in enumerate(ids, 1):
        town = Path(shutil.copytree(TOYTOWN, folder / name))
        edit(town / "study.toml", 'id = "toytown"', f'id = "{name}"')
        edit(town / "residents.csv", "r1,500000,3377000,100,", f"r1,500000,3377000,{100 + number},")
        towns.append(town)
    return towns


def run_one_after_another(towns, out):
    """Audit every study in this process, as a batch would put the runs."""
    return {town.name: run_audit(town, out=out / town.name) for town in towns}


def contents(out, ids=IDS):
    """Give the hash of every file of every run: (study, file) -> SHA-256."""
    return {
        (name, path.relative_to(out / name).as_posix()): hashlib.sha256(without_clock(path)).hexdigest()
        for name in ids
        for path in sorted((out / name).rglob("*"))
        if path.is_file() and path.name not in NOT_COMPARED
    }


def without_clock(path):
    """Give the bytes of a file of a run, without what the stages took: only the evidence holds a clock."""
    if path.name == "evidence.json":
        return json.dumps({**json.loads(path.read_text("utf-8")), "stages": None}).encode()
    if path.name == "checksums.txt":
        return "\n".join(
            line for line in path.read_text().splitlines() if "evidence.json" not in line
        ).encode()
    return path.read_bytes()


def merged(out):
    """Give the bytes of the merged tables and the page."""
    return {name: (out / name).read_bytes() for name in ("findings.csv", "findings.parquet", "index.html")}
