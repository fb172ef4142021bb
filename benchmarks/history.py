"""Measure a question about the past: 100 years x 100 districts x 20 targets in the register.

Run with ``python -m benchmarks.history [URL]``; prints the milliseconds of each question, the best and the
median by the clock, and the best by the time of this process, which other programs do not lengthen.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sql

from lifecircle.ledger import Register, open_register

YEARS, DISTRICTS, TARGETS = 100, 100, 20
ROUNDS = 15


def fill(address: str, years: int, districts: int, targets: int) -> None:
    """Put runs of as many years, districts and targets into the tables of a register, past its checks."""
    engine = sql.create_engine(address)
    tables = sql.MetaData()
    tables.reflect(engine)
    runs, results = tables.tables["runs"], tables.tables["results"]
    texts = {column.name: "" for column in runs.columns if isinstance(column.type, sql.Text)}
    values = np.random.default_rng(0).random((years, targets, districts + 1))
    with engine.begin() as connection:
        for at in range(years):
            row = {**texts, "number": at + 1, "study": "county", "year": 1950 + at, "method_version": "1"}
            connection.execute(sql.insert(runs).values(**row))
            whose = {"run": at + 1, "study": "county", "year": 1950 + at, "department": "", "status": "met"}
            rows = [
                {
                    **whose,
                    "target": f"t{target:02}",
                    "district": f"{place:03}" if place else "",
                    "value": float(values[at, target, place]),
                    "people": 1000.0,
                    "covered": 500.0,
                }
                for target in range(targets)
                for place in range(districts + 1)
            ]
            connection.execute(sql.insert(results), rows)
    engine.dispose()


def questions(register: Register) -> dict[str, tuple[float, float, float, int]]:
    """Time each question: milliseconds at best, in the middle and of this process, and rows."""
    asked = {
        "one target, one district": {"target": "t07", "districts": ["042"]},
        "all targets, one district": {"districts": ["042"]},
        "one target, all districts": {"target": "t07"},
    }
    found = {}
    for name, of in asked.items():
        seconds, own, rows = [], [], 0
        for _ in range(ROUNDS):
            start, mine = time.perf_counter(), time.process_time()
            rows = len(register.history("county", **of))
            seconds.append((time.perf_counter() - start) * 1000)
            own.append((time.process_time() - mine) * 1000)
        found[name] = (min(seconds), statistics.median(seconds), min(own), rows)
    return found


def main() -> None:
    """Fill a register, ask, and print."""
    with tempfile.TemporaryDirectory() as folder:
        address = sys.argv[1] if len(sys.argv) > 1 else ""
        with open_register(Path(folder), url=address or None):
            pass  # makes the tables
        fill(address or f"sqlite:///{folder}/ledger.sqlite", YEARS, DISTRICTS, TARGETS)
        with open_register(Path(folder), url=address or None) as register:
            for name, (best, middle, own, rows) in questions(register).items():
                print(f"{name:<26}{rows:>7,} rows {best:7.1f} {middle:7.1f} {own:7.1f} ms")
            start = time.perf_counter()
            register.changed_rows(results=True)
            print(f"the whole chain compared: {time.perf_counter() - start:.2f} s")
        if not address:
            start = time.perf_counter()
            with open_register(Path(folder)):
                opened = (time.perf_counter() - start) * 1000
            size = (Path(folder) / "ledger.sqlite").stat().st_size / 1e6
            print(f"opened and checked: {opened:.0f} ms, {size:.0f} MB")


if __name__ == "__main__":
    main()
