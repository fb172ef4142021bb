"""Measure a batch of synthetic counties: workers beside one after another, memory of a worker, overhead.

    python -m benchmarks.batches --counties 90 --edges 60000 --residents 30000 --workers 2

Every county is made by code: one synthetic county, from which each takes other residents and loses other
roads, so that no cache of one serves another. Eight circle targets are judged. The same tasks are run by one
worker and by several, with an empty cache each time, and the runs are compared to the byte.

Prints one line of JSON for each way, and one that sets them side by side.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from benchmarks.county import make_county

TARGETS = ("culture", "civic", "fitness", "fitness_rural", "nursery", "elder_care", "clinic", "bus")
NOT_COMPARED = {"ledger.sqlite", ".lifecircle.lock"}
# The record of a run holds how long each stage took, and the list of hashes the hash of that record.
HELD_WITHOUT_SECONDS = {"evidence.json", "checksums.txt"}


def make_counties(folder: Path, *, counties: int, edges: int, residents: int) -> list[Path]:
    """Make the studies of a number of counties."""
    first = folder / "county"
    make_county(first, edges=edges, residents=residents)
    roads = gpd.read_parquet(first / "roads.parquet")
    homes = gpd.read_parquet(first / "residents.parquet") if _is_geo(first) else None
    studies = []
    for number in range(counties):
        study = Path(shutil.copytree(first, folder / f"county-{number:03d}"))
        rng = np.random.default_rng(number)
        # One road in a thousand is gone, and homes lie up to 30 m elsewhere: other content, the same size.
        roads[rng.random(len(roads)) >= 0.001].to_parquet(study / "roads.parquet")
        if homes is not None:
            steps = rng.uniform(-0.0003, 0.0003, (len(homes), 2))
            places = gpd.points_from_xy(homes.geometry.x + steps[:, 0], homes.geometry.y + steps[:, 1])
            homes.set_geometry(gpd.GeoSeries(places, index=homes.index, crs=homes.crs)).to_parquet(
                study / "residents.parquet"
            )
        text = (study / "study.toml").read_text("utf-8")
        text = text.replace('id = "haiyan"', f'id = "county-{number:03d}"', 1)
        text = text.replace('use = "haiyan-2025"', 'use = "circles.toml"', 1)
        text = re.sub(r"(?s)\[indicators\].*?(?=\[outlets\])", "", text)  # of targets that are not asked
        (study / "study.toml").write_text(text, "utf-8")
        (study / "circles.toml").write_text(_circles(), "utf-8")
        studies.append(study)
    shutil.rmtree(first)
    return studies


def _is_geo(study: Path) -> bool:
    try:
        gpd.read_parquet(study / "residents.parquet")
    except ValueError:
        return False
    return True


def _circles() -> str:
    """Give the eight circles of the shipped profile as a profile of their own."""
    from lifecircle.batch import standard_text  # noqa: PLC0415 - the package is what is measured
    from lifecircle.standards import load_standard  # noqa: PLC0415 - as above

    whole = load_standard("haiyan-2025")
    circles = tuple(one for one in whole.targets if one.id in TARGETS)
    return standard_text(whole.model_copy(update={"targets": circles}))


def run_batch_of(studies: list[Path], out: Path, cache: Path, *, workers: int) -> dict[str, Any]:
    """Run the batch in a process of its own, with an empty cache, and give what its record says."""
    code = (
        "import sys; from pathlib import Path; from lifecircle.batch import BatchOrder, run_batch\n"
        "run_batch(BatchOrder(tuple(map(Path, sys.argv[3:])), out=Path(sys.argv[1]), pool=int(sys.argv[2])))"
    )
    environment = {**os.environ, "LIFECIRCLE_CACHE": str(cache)}
    begun = time.perf_counter()
    command = [sys.executable, "-c", code, str(out), str(workers), *map(str, studies)]
    subprocess.run(command, check=True, env=environment)
    wall = time.perf_counter() - begun
    plain = json.loads((out / "batch.json").read_text("utf-8"))
    if plain["counts"]["done"] < len(studies):
        raise RuntimeError(json.dumps(plain["tasks"], ensure_ascii=False)[:2000])
    tasks = plain["task_seconds"]
    return {
        "workers": workers,
        "studies": len(studies),
        "wall_s": round(wall, 1),
        "task_s": round(tasks, 1),
        "task_cpu_s": plain["task_processor_seconds"],
        "overhead": round(wall * workers / tasks - 1, 3),
        "peak_mb": plain["peak_mb"],
        "counts": plain["counts"],
        "load": round(os.getloadavg()[0], 1),
    }


def contents(out: Path) -> dict[str, str]:
    """Give the hash of every file of every run and of the merged findings, less the seconds of the stages."""
    paths = sorted(out.glob("county-*/**/*")) + sorted(out.glob("findings.*"))
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(_content(path)).hexdigest()
        for path in paths
        if path.is_file() and path.name not in NOT_COMPARED
    }


def _content(path: Path) -> bytes:
    """Give the bytes of a file; of what records seconds, all but these."""
    if path.name not in HELD_WITHOUT_SECONDS:
        return path.read_bytes()
    text = path.read_text("utf-8")
    if path.suffix == ".txt":
        kept = [line for line in text.splitlines() if "evidence.json" not in line]
        return "\n".join(kept).encode()
    plain = json.loads(text)
    for stage in plain["stages"]:
        stage["seconds"] = 0
    return json.dumps(plain).encode()


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("counties", 90), ("edges", 60_000), ("residents", 30_000), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        studies = make_counties(
            folder / "studies", counties=asked.counties, edges=asked.edges, residents=asked.residents
        )
        found = []
        for workers in (1, asked.workers):
            out = folder / f"out-{workers}"
            found.append(run_batch_of(studies, out, folder / f"cache-{workers}", workers=workers))
            print(json.dumps(found[-1]), flush=True)
        same = contents(folder / "out-1") == contents(folder / f"out-{asked.workers}")
        print(json.dumps({"ratio": round(found[1]["wall_s"] / found[0]["wall_s"], 3), "same_bytes": same}))


if __name__ == "__main__":
    main(sys.argv[1:])
