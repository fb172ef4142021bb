"""Plant in the registers what real ones suffer from, and keep a list of it.

Every planted fault is a row of ``faults.csv``: kind, file, id, what a reader should see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from county.venues import COLUMNS

if TYPE_CHECKING:
    from county.people import Residents
    from county.venues import Register

WRONG_DATUM = "wgs84_in_gcj02"  # marks rows of the GCJ-02 file that nobody converted


def plant(register: Register, seed: int) -> list[dict[str, str]]:
    """Add duplicates, a renamed venue, a wrong datum and unreadable rows; return the list of them."""
    rng = np.random.default_rng([seed, 50])
    return [
        *_duplicates(register, rng),
        *_renamed(register, rng),
        *_wrong_datum(register, rng),
        *_unreadable(register),
    ]


def resident_faults(residents: Residents, fragment_people: int, ids: list[str]) -> list[dict[str, str]]:
    """List the planted troubles of the residents' table."""
    far = [ids[number] for number in np.nonzero(residents.far)[0]]
    placeless = [ids[number] for number in np.nonzero(np.isnan(residents.xy[:, 0]))[0]]
    table, roads = "residents.parquet", "roads.parquet"
    cut_off = f"lanes cut off the network, {fragment_people} people: disconnected"
    rows = [
        _fault("far_hamlet", table, " ".join(far), "more than 500 m from every road: unsnapped"),
        _fault("no_place", table, " ".join(placeless), "people without coordinates: unsnapped"),
        _fault("fragment", roads, "", cut_off),
    ]
    return rows if far else rows[1:]


def _fault(kind: str, file: str, own: str, effect: str) -> dict[str, str]:
    return {"kind": kind, "file": file, "id": own, "effect": effect}


def _next_id(register: Register, file: str) -> str:
    register.seen[file] += 1
    return f"{file[0].upper()}{register.seen[file]:04d}"


def _rows(
    register: Register, file: str, services: tuple[str, ...], *, by: str = "2020-12-31"
) -> list[dict[str, Any]]:
    """List open rows of a register for some services that were there early."""
    return [
        row
        for row in register.rows
        if row["file"] == file and row["service"] in services and row["opened"] <= by and not row["closed"]
    ]


def _duplicates(register: Register, rng: np.random.Generator) -> list[dict[str, str]]:
    """Enter some venues twice, a few metres apart, two of them with a space in the name."""
    faults = []
    for file, services, count in (("culture", ("culture_hall",), 3), ("health", ("village_clinic",), 2)):
        rows = _rows(register, file, services)
        for number, pick in enumerate(rng.choice(len(rows), count, replace=False)):
            twin = dict(rows[int(pick)])
            first = twin["id"]
            twin["id"] = _next_id(register, file)
            twin["x"] += 5.0 + number
            twin["y"] -= 4.0
            kind = "duplicate"
            if number == 0:
                kind, twin["name"] = "near_duplicate", twin["name"].replace("示例·", "示例· ")
            register.rows.append(twin)
            faults.append(_fault(kind, file, f"{first} {twin['id']}", "one venue entered twice"))
    return faults


def _renamed(register: Register, rng: np.random.Generator) -> list[dict[str, str]]:
    """Close a venue under its old name and open it on the same day under a new one."""
    rows = _rows(register, "culture", ("culture_hall",))
    old = rows[int(rng.integers(len(rows)))]
    new = dict(old) | {
        "id": _next_id(register, "culture"),
        "name": old["name"].replace("文化礼堂", "文化家园"),
        "opened": "2023-07-01",
    }
    old["closed"] = "2023-07-01"
    register.rows.append(new)
    return [_fault("renamed", "culture", f"{old['id']} {new['id']}", "one venue, renamed on 2023-07-01")]


def _wrong_datum(register: Register, rng: np.random.Generator) -> list[dict[str, str]]:
    """Mark four rows of the GCJ-02 register as written in WGS84: they will lie about 500 m off."""
    rows = _rows(register, "culture", ("culture_post",))
    picks = sorted(int(pick) for pick in rng.choice(len(rows), 4, replace=False))
    for pick in picks:
        rows[pick][WRONG_DATUM] = True
    own = " ".join(rows[pick]["id"] for pick in picks)
    return [_fault("wrong_datum", "culture", own, "WGS84 coordinates in a GCJ-02 file: about 500 m off")]


def _unreadable(register: Register) -> list[dict[str, str]]:
    """Add rows that a reader has to reject: no place, a number that is none, a day that does not exist."""
    faults = []
    for file, service, change, effect in (
        ("welfare", "elderly_activity_centre", {"x": None, "y": None}, "no coordinates: rejected"),
        ("welfare", "elder_care_station", {"capacity": "约40"}, "capacity is no number: rejected"),
        ("health", "village_clinic", {"opened": "2023-02-30"}, "no such day: rejected"),
    ):
        model = next(row for row in register.rows if row["file"] == file and row["service"] == service)
        row = dict(model) | change
        row["id"] = _next_id(register, file)
        row["name"] = f"{model['name']}（待核）"
        row["serves"], row["carers"] = "", None
        register.rows.append({name: row[name] for name in COLUMNS})
        faults.append(_fault("unreadable", file, row["id"], effect))
    return faults
