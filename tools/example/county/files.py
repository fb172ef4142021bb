"""Write the county's files, byte for byte the same for the same tables.

Files of offices are written as offices keep them: one workbook with Chinese headers in GCJ-02, one list
in GB18030 and BD-09, lists in UTF-8 with a byte-order mark, GeoJSON and Parquet in WGS84 or EPSG:4549.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from openpyxl import Workbook

from county import faults, services, venues
from county.plan import CRS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from county.network import Network
    from county.people import Residents
    from county.plan import Plan

    Floats = NDArray[np.float64]

EPOCH = (2025, 1, 1, 0, 0, 0)  # the only clock in a workbook
CHINESE = {
    "id": "编号",
    "name": "名称",
    "service": "类别",
    "tier": "层级",
    "ownership": "权属",
    "capacity": "容纳人数",
    "carers": "持证护理人员",
    "hours": "开放时间",
    "opened": "开放日期",
    "closed": "关闭日期",
    "serves": "服务单位",
    "lon": "经度",
    "lat": "纬度",
}
TIERS = {"county": "县级", "town": "镇级", "village": "村级"}
OWNERSHIP = {"public": "公办", "inclusive": "普惠"}


def degrees(xy: Floats) -> Floats:
    """Turn metres east and north (n, 2) into longitude and latitude, rounded to 1e-6 degrees (0.1 m)."""
    known = ~np.isnan(xy[:, 0])
    lonlat = np.full(xy.shape, np.nan)
    transformer = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lonlat[known] = np.column_stack(transformer.transform(*xy[known].T))
    return np.round(lonlat, 6)


def gcj02(lonlat: Floats) -> Floats:
    """Shift WGS84 degrees (n, 2) to GCJ-02, by the formula in public use."""
    x, y = lonlat[:, 0] - 105.0, lonlat[:, 1] - 35.0
    ripple = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    root = np.sqrt(np.abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    axis, flat = 6_378_245.0, 0.00669342162296594323
    angle = np.deg2rad(lonlat[:, 1])
    magic = 1 - flat * np.sin(angle) ** 2
    north = north * 180 / (axis * (1 - flat) / (magic * np.sqrt(magic)) * np.pi)
    east = east * 180 / (axis / np.sqrt(magic) * np.cos(angle) * np.pi)
    return lonlat + np.column_stack([east, north])


def bd09(lonlat: Floats) -> Floats:
    """Shift WGS84 degrees (n, 2) to BD-09, by way of GCJ-02."""
    lon, lat = gcj02(lonlat).T
    turn = np.pi * 3000 / 180
    far = np.hypot(lon, lat) + 0.00002 * np.sin(lat * turn)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * turn)
    return np.column_stack([far * np.cos(angle) + 0.0065, far * np.sin(angle) + 0.006])


def write_roads(network: Network, folder: Path) -> None:
    """Write roads.parquet: one row per street, digitised u to v, in EPSG:4549."""
    frame = gpd.GeoDataFrame(
        {
            "u": network.uv[:, 0].astype(np.int32),
            "v": network.uv[:, 1].astype(np.int32),
            "highway": network.highway.astype(str),
            "oneway": network.oneway,
            "bridge": network.bridge,
        },
        geometry=network.lines,
        crs=CRS,
    )
    _write_parquet(frame, folder / "roads.parquet")


def write_barriers(plan: Plan, network: Network, folder: Path) -> None:
    """Write barriers.parquet: what nobody walks across except on a road."""
    shapes = [*network.canals, *network.expressways, shapely.set_precision(plan.lake, 0.25)]
    kinds = ["canal"] * len(network.canals) + ["expressway"] * len(network.expressways) + ["lake"]
    frame = gpd.GeoDataFrame({"kind": kinds}, geometry=shapes, crs=CRS)
    _write_parquet(frame, folder / "barriers.parquet")


def _write_parquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd", compression_level=15, schema_version="1.1.0")


def write_residents(plan: Plan, residents: Residents, folder: Path) -> list[str]:
    """Write residents.parquet: points in degrees with counts; return the ids."""
    lonlat = degrees(residents.xy)
    ids = [f"R{number:06d}" for number in range(1, len(lonlat) + 1)]
    columns: dict[str, Any] = {
        "id": ids,
        "lon": lonlat[:, 0],
        "lat": lonlat[:, 1],
        "population": residents.people.astype(np.int32),
    }
    columns |= {name: counts.astype(np.int32) for name, counts in residents.groups.items()}
    columns["district"] = np.array(plan.town_codes)[plan.units.town[residents.unit]]
    columns["village"] = np.array(plan.units.codes)[residents.unit]
    pd.DataFrame(columns).to_parquet(
        folder / "residents.parquet", index=False, compression="zstd", compression_level=15
    )
    return ids


def write_towns(plan: Plan, folder: Path) -> None:
    """Write towns.geojson: the nine made-up town outlines under their true codes."""
    features = []
    for code, name, tile in zip(plan.town_codes, plan.town_names, plan.towns, strict=True):
        ring = degrees(shapely.get_coordinates(tile.exterior)).tolist()
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "code": code,
                    "name": name,
                    "urban": name.endswith("街道"),
                    "area_km2": round(tile.area / 1e6, 2),
                },
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    write_geojson(features, folder / "towns.geojson")


AROUND = (
    ("平湖市", "neighbour", 0.55, 0.985),
    ("南湖区", "neighbour", 0.2, 0.97),
    ("海宁市", "neighbour", 0.06, 0.3),
    ("杭州湾", "water", 0.98, 0.28),
)
"""True names of what lies around, and where beside the made-up outline they are written: shares of its width
and height, from the south-west."""


def write_around(plan: Plan, folder: Path) -> None:
    """Write around.csv: the names of the neighbours and of the bay, for the maps."""
    west, south, east, north = shapely.union_all(plan.towns).bounds
    places = np.array([[west + x * (east - west), south + y * (north - south)] for *_, x, y in AROUND])
    lonlat = np.round(degrees(places), 4)
    table = {"name": [one[0] for one in AROUND], "kind": [one[1] for one in AROUND]}
    write_csv(pd.DataFrame({**table, "lon": lonlat[:, 0], "lat": lonlat[:, 1]}), folder / "around.csv")


def write_geojson(features: list[dict[str, Any]], path: Path) -> None:
    """Write features, one a line."""
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    path.write_text(
        '{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8", newline="\n"
    )


def class_code(plan: Plan, unit: int) -> str:
    """Give the (made-up) code of the statistical classification of urban and rural places."""
    street = plan.town_names[plan.units.town[unit]].endswith("街道")
    if not plan.units.urban[unit]:
        return "220"
    if plan.units.community[unit]:
        return ("111" if plan.units.town[unit] == 0 else "112") if street else "121"
    return "112" if street else "122"


def write_villages(plan: Plan, residents: Residents, committee: Floats, folder: Path, seed: int) -> None:
    """Write villages.csv: true codes and names; class, centre, people and acceptance made up."""
    rng = np.random.default_rng([seed, 60])
    lonlat = degrees(committee)
    units = plan.units
    frame = pd.DataFrame(
        {
            "code": units.codes,
            "name": units.names,
            "district": np.array(plan.town_codes)[units.town],
            "class": [class_code(plan, unit) for unit in range(len(units.codes))],
            "urban": np.where(units.urban, "true", "false"),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "population": residents.unit_people,
        }
    )
    for target, missing in (("culture", 2), ("civic", 1), ("fitness", 5), ("nursery", 9), ("elder_care", 4)):
        late = rng.choice(len(frame), min(missing, len(frame)), replace=False)
        frame[f"accepted_{target}"] = np.where(np.isin(np.arange(len(frame)), late), "false", "true")
    write_csv(frame, folder / "villages.csv")


def write_csv(frame: pd.DataFrame, path: Path, *, encoding: str = "utf-8-sig") -> None:
    """Write a csv with plain line ends."""
    frame.to_csv(path, index=False, encoding=encoding, lineterminator="\n")


def write_facilities(register: venues.Register, folder: Path) -> None:
    """Write every register in the form its office keeps it."""
    frame = pd.DataFrame(register.rows, columns=[*venues.COLUMNS, faults.WRONG_DATUM])
    frame["serves"] = frame["serves"].fillna("")
    lonlat = degrees(frame[["x", "y"]].to_numpy(float))
    for file, part in frame.groupby("file", sort=True):
        place = lonlat[part.index]
        if file == "culture":
            shifted = np.where(part[faults.WRONG_DATUM].eq(True).to_numpy()[:, None], place, gcj02(place))  # noqa: FBT003 - a value, not a flag
            _write_workbook(_chinese(part, shifted), folder / "culture.xlsx")
        elif file == "welfare":
            write_csv(_chinese(part, bd09(place), carers=True), folder / "welfare.csv", encoding="gb18030")
        elif file == "sports":
            _write_points(part, place, folder / "sports.geojson")
        else:
            write_csv(_plain(part, place), folder / f"{file}.csv")


def _plain(part: pd.DataFrame, lonlat: Floats) -> pd.DataFrame:
    names = [name for name in venues.COLUMNS if name not in {"x", "y", "file", "carers"}]
    table = part[names].assign(lon=np.round(lonlat[:, 0], 6), lat=np.round(lonlat[:, 1], 6))
    return table.assign(capacity=[_number(value) for value in table["capacity"]])


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return "" if value is None or np.isnan(value) else int(value)


def _chinese(part: pd.DataFrame, lonlat: Floats, *, carers: bool = False) -> pd.DataFrame:
    table = _plain(part, lonlat)
    if carers:
        table["carers"] = [_number(value) for value in part["carers"]]
    table["service"] = [services.SERVICES[service][0] for service in table["service"]]
    table["tier"], table["ownership"] = table["tier"].map(TIERS), table["ownership"].map(OWNERSHIP)
    return table[[name for name in CHINESE if name in table]].rename(columns=CHINESE)


def _write_points(part: pd.DataFrame, lonlat: Floats, path: Path) -> None:
    table = _plain(part, lonlat)
    features = []
    for row in table.to_dict("records"):
        place = [row.pop("lon"), row.pop("lat")]
        properties = {name: (None if value == "" else value) for name, value in row.items()}
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": place}}
        )
    write_geojson(features, path)


def _write_workbook(table: pd.DataFrame, path: Path) -> None:
    """Write one sheet and set every clock inside the file to the same day."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "文化设施"
    sheet.append(list(table.columns))
    days = {CHINESE["opened"], CHINESE["closed"]}
    for row in table.to_dict("records"):
        sheet.append([_cell(value, day=name in days) for name, value in row.items()])
    rough = path.with_suffix(".tmp")
    book.save(rough)
    with zipfile.ZipFile(rough) as packed, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as tidy:
        for name in sorted(packed.namelist()):
            body = packed.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-01-01T00:00:00Z", body)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            tidy.writestr(entry, body, compresslevel=9)
    rough.unlink()


def _cell(value: Any, *, day: bool) -> Any:
    if value == "" or value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return dt.date.fromisoformat(value) if day else value


def write_indicators(plan: Plan, folder: Path, seed: int) -> None:
    """Write indicators.csv: made-up registered figures, 2021 to 2025, some by town."""
    rng = np.random.default_rng([seed, 70])
    rows = []
    for target, unit, values in INDICATORS:
        for year, value in zip(range(2021, 2026), values, strict=True):
            rows.append((target, year, "", value, unit, "合成示例"))
            if target in BY_TOWN:
                for code in plan.town_codes:
                    town = min(1.0, round(value + float(rng.uniform(-0.03, 0.03)), 3))
                    rows.append((target, year, code, town, unit, "合成示例"))
    frame = pd.DataFrame(rows, columns=["target", "year", "district", "value", "unit", "source"])
    write_csv(frame, folder / "indicators.csv")


BY_TOWN = ("kindergarten_inclusive", "clinic_visit_rate", "family_doctors", "check_ups", "village_income")
INDICATORS = (
    ("kindergarten_inclusive", "share", (0.862, 0.879, 0.893, 0.908, 0.921)),
    ("kindergarten_grade_two", "share", (0.711, 0.735, 0.752, 0.771, 0.786)),
    ("modern_schools", "schools", (12, 15, 18, 22, 24)),
    ("clinic_visit_rate", "share", (0.868, 0.881, 0.889, 0.897, 0.904)),
    ("civic_points", "share", (0.64, 0.75, 0.86, 0.95, 1.0)),
    ("village_income", "share", (0.61, 0.70, 0.81, 0.89, 0.945)),
    ("equity_gap_urban_rural", "share", (0.243, 0.231, 0.214, 0.203, 0.192)),
    ("equity_gap_districts", "share", (0.318, 0.301, 0.292, 0.297, 0.281)),
    ("equity_gap_income", "ratio", (1.62, 1.60, 1.58, 1.56, 1.54)),
    ("family_doctors", "share", (0.58, 0.66, 0.74, 0.82, 0.87)),
    ("check_ups", "share", (0.71, 0.74, 0.79, 0.82, 0.84)),
    ("health_literacy", "share", (0.322, 0.347, 0.371, 0.392, 0.413)),
)
