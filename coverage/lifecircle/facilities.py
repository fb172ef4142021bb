"""Read and clean the facility register, and find which facilities are open in a year.

This module does not know which services a standard asks for (the caller passes the known ids), nor roads.
"""

from __future__ import annotations

import difflib
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from scipy.spatial import cKDTree

from lifecircle.datum import PLACE_KEYS, areas, locate
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.hours import open_then, osm_hours
from lifecircle.tables import (
    DATE_DTYPE,
    Column,
    Schema,
    check_table,
    join_rejects,
    missing_column,
    nearest_name,
    no_rejects,
    plain_text,
    read_table,
    reject_rows,
    row_labels,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.datum import Located
    from lifecircle.tables import Checked, Source, Table

FACILITY_COLUMNS = Schema(
    "facilities",
    (
        Column("name", "text", say("what people call the facility")),
        Column("service", "text", say("id of the service it gives"), required=True, filled=True),
        Column("opened", "date", say("first day open; missing means always")),
        Column("closed", "date", say("first day closed; missing means still open")),
        Column("capacity", "number", say("how many it serves"), unit="places", low=0.0),
        Column("hours", "text", say("when it is open, in OpenStreetMap's notation for opening_hours")),
        Column("serves", "text", say("codes of the units it serves, where it is not the one it lies in")),
    ),
    part="[[facilities]]",
)
"""Columns of a facility table, before the source's other columns as they are; index ``id``, EPSG:4326."""

GRADES = ("A", "B", "C", "D")
"""Quality of a position: surveyed, of a map provider, of an address, the centre of a village."""

_ID = Column("id", "text", say("what the facility is called by, unique in the file"))
_UNITS = Schema(
    "facilities",
    (
        Column("district", "text", say("code or name of the district it lies in")),
        Column("village", "text", say("code or name of the village it lies in")),
        Column("grade", "text", say("quality of the position: A, B, C or D; missing means unknown")),
    ),
    part="[[facilities]]",
)
_MISTYPED = 0.75


def read_facilities(  # noqa: PLR0913 - one keyword for each key of [[facilities]] in a study
    source: Source,
    *,
    service: str | None = None,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    services: Mapping[str, str] | None = None,
    max_rejected: float = 0.05,
    known_services: Iterable[str] | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read a register of facilities; rows at fault become reject rows.

    Parameters
    ----------
    source : path, DataFrame with lon and lat, or GeoDataFrame (its CRS decides)
        Polygons count at their centroid, and are entered at their edge.
    service : str, optional
        The service of every row; without it the column ``service`` is read.
    datum : str
        ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n`` of the coordinates.
    columns : mapping, optional
        Canonical name -> name of the column in the file, as in ``{"name": "名称"}``.
    services : mapping, optional
        What the file calls a service -> its id, as in ``{"文化礼堂": "culture_hall"}``.
    max_rejected : float
        Largest share of rows that may be rejected (inclusive).
    known_services : iterable of str, optional
        Ids a row may have; left out, any is accepted.

    Returns
    -------
    facilities : GeoDataFrame
        Columns of :data:`FACILITY_COLUMNS`, the source's others, ``source`` and ``row`` (its file and row
        number), points in EPSG:4326; index ``id``: the column id where it is present and unique,
        else the row number. ``grade``, where the source has it: one of :data:`GRADES`, empty where
        unknown. Where any row is drawn as a polygon there is a column ``polygon`` too
        (EPSG:4326, None of points); an audit enters such a venue anywhere along its edge.
    rejects : DataFrame
        One row for each fault: file, row, column, value, reason, remedy.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, a service is unknown, the table is empty, the coordinates look swapped, or more
        than ``max_rejected`` of the rows are rejected; all faults of the file together.

    >>> table = pd.DataFrame({"name": ["Library", "Hall"], "lon": [120.9, 120.8], "lat": [30.5, None]})
    >>> facilities, rejects = read_facilities(table, service="hall", max_rejected=0.5)
    >>> facilities["name"].tolist(), rejects["column"].tolist()
    (['Library'], ['lat'])
    """
    table = read_table(source)
    mapped = dict(columns or {})
    faults = FaultLog()
    with faults.catching():
        checked = _check(table, service, mapped)
    with faults.catching():
        extra = _extra_columns(table, mapped)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    # Each part is checked on its own, so that a missing column, a wrong datum and an unknown key are reported
    # together, and not one after another.
    faults.raise_any()
    given = checked.frame["service"] if service is None else pd.Series(service, index=table.frame.index)
    # Services are checked before places: an unknown service means the file is of another kind, and a list of
    # rejected rows would hide that.
    ids = given.replace({plain_text(word): name for word, name in (services or {}).items()})
    _refuse_unknown_services(table, checked, given, ids, known_services)
    faulty = (_closed_too_early(table, checked), _placeless(table, located), _wrong_grades(table, extra))
    rejects = join_rejects([checked.rejects, *faulty])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    if "grade" in extra:
        extra = extra.assign(grade=_plain_grades(extra["grade"]))
    extra = extra.drop(columns=[*located.used, *checked.found.values(), "source", "row"], errors="ignore")
    register = _register(checked, ids).join(extra).assign(source=table.name, row=table.frame.index)
    places = gpd.GeoDataFrame(register, geometry=list(located.points), crs="EPSG:4326")
    # A park counts at its centre in tables, but people enter it at its edge.
    with_edge = areas(table.frame, datum=datum, file=table.name)
    if any(area is not None for area in with_edge):
        places = places.assign(polygon=with_edge)
    good = ~register.index.isin(rejects["row"])
    # After the share of rejects was checked: unreadable hours leave a facility in the register.
    unread = _unread_hours(table, checked, good)
    places, rejects = places.assign(hours=_readable(places["hours"])), join_rejects([rejects, unread])
    return places.set_axis(row_labels(table, checked.found.get("id")))[good], table.as_seen(rejects)


def open_in(facilities: pd.DataFrame, year: int) -> pd.Series[bool]:
    """Return which facilities are open on 31 December of a year: opened <= that day < closed.

    A missing ``opened`` means always, a missing ``closed`` means still open.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`
    year : the audited year

    Returns
    -------
    open : Series of bool, named ``open``, on the index of ``facilities``

    >>> days = pd.to_datetime(["2024-05-01", None])
    >>> open_in(pd.DataFrame({"opened": days, "closed": [pd.NaT, pd.NaT]}), 2023).tolist()
    [False, True]
    """
    day = pd.Timestamp(year=year, month=12, day=31)
    opened = facilities["opened"].isna() | (facilities["opened"] <= day)
    closed = facilities["closed"].notna() & (facilities["closed"] <= day)
    return (opened & ~closed).rename("open")


def _check(table: Table, service: str | None, mapped: Mapping[str, str]) -> Checked:
    """Check the columns of the register; the column of services only where they are not declared."""
    wanted = [column for column in FACILITY_COLUMNS.columns if column.name != "service" or service is None]
    schema = Schema(FACILITY_COLUMNS.name, (_ID, *wanted), FACILITY_COLUMNS.part)
    return check_table(
        table, schema, columns={name: file for name, file in mapped.items() if name in schema.names}
    )


def _extra_columns(table: Table, mapped: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that are kept as they are, named as ``mapped`` says.

    ``district``, ``village`` and ``grade`` are also found by their synonyms.

    Raises
    ------
    UnusableInputError
        A mapped column is missing, or what it is mapped to reads like a mistyped name.
    """
    known = (_ID.name, *FACILITY_COLUMNS.names, *PLACE_KEYS)
    renamed = {name: file for name, file in mapped.items() if name not in known}
    present = [str(name) for name in table.frame.columns]
    faults = []
    for name, file in renamed.items():
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_MISTYPED)
        if near:
            remedy = say("did you mean '{name}'?", name=near[0])
            reason = say("no column of ours has this name")
            faults.append(Fault(table.name, f"columns.{name}", name, reason, remedy))
        elif file not in present:
            guess = nearest_name(file, present)
            remedy = (
                say("did you mean '{name}'?", name=guess)
                if guess
                else say("leave {name} out of columns", name=name)
            )
            faults.append(missing_column(table, file, present, remedy))
    if faults:
        raise UnusableInputError(faults)
    units = check_table(
        table, _UNITS, columns={name: renamed[name] for name in _UNITS.names if name in renamed}
    )
    renamed = {**renamed, **units.found}
    taken = {*mapped.values(), *units.found.values(), "geometry", _geometry_name(table)}
    kept = [
        name
        for name in present
        if name not in taken and name.lower() not in {_ID.name, *FACILITY_COLUMNS.names, *renamed}
    ]
    frame = pd.DataFrame(table.frame)
    return frame[kept].assign(**{name: frame[file] for name, file in renamed.items()})


def _geometry_name(table: Table) -> str | None:
    return getattr(table.frame, "active_geometry_name", None)


def _refuse_unknown_services(
    table: Table, checked: Checked, given: pd.Series[Any], ids: pd.Series[Any], known: Iterable[str] | None
) -> None:
    """Raise UnusableInputError for a register that names an unknown service.

    Raises
    ------
    UnusableInputError
        With a fault for each unknown service: its first row, how many more, and the nearest id.
    """
    if known is None:
        return
    names = list(known)
    unknown = ~ids.isin(names) & ids.ne("")
    column = checked.found.get("service", "service")
    faults = []
    for word, rows in given[unknown].groupby(given[unknown], sort=False):
        row = int(rows.index[0])
        meant = str(ids[row])
        reason = (
            say("unknown service id")
            if meant == word
            else say("unknown service id '{service}'", service=meant)
        )
        near = nearest_name(meant, names)
        remedy = (
            say("did you mean '{name}'? (or map it in services)", name=near)
            if near
            else say("use one of {names} (or map it in services)", names=", ".join(sorted(names)))
        )
        place: str = f"row {row}, column '{column}'"
        if len(rows) > 1:
            place = say(
                "row {row} and {more} more, column '{column}'", row=row, more=len(rows) - 1, column=column
            )
        faults.append(Fault(table.name, place, str(word), reason, remedy))
    if faults:
        raise UnusableInputError(faults)


def _closed_too_early(table: Table, checked: Checked) -> pd.DataFrame:
    if not {"opened", "closed"} <= set(checked.frame.columns):
        return no_rejects()
    opened, closed = checked.frame["opened"], checked.frame["closed"]
    wrong = (closed < opened).to_numpy(dtype=bool)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column=checked.found["closed"],
        value=[f"{day:%Y-%m-%d}" for day in closed[wrong]],
        reason=[say("closed before it opened on {day}", day=f"{day:%Y-%m-%d}") for day in opened[wrong]],
        remedy=say("exchange or mend the dates"),
    )


def _plain_grades(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return grades of positions as capital letters without width, whatever a clerk typed."""
    return cells.map(lambda cell: unicodedata.normalize("NFKC", plain_text(cell)).strip().upper()).astype(
        "str"
    )


def _wrong_grades(table: Table, extra: pd.DataFrame) -> pd.DataFrame:
    """Return rejects for grades that there are not: a typing error must not pass for an unknown grade."""
    if "grade" not in extra:
        return no_rejects()
    wrong = ~_plain_grades(extra["grade"]).isin(["", *GRADES]).to_numpy(dtype=bool)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column="grade",
        value=extra["grade"][wrong].to_numpy(dtype=object),
        reason=say("no grade of a position"),
        remedy=say("write A, B, C or D, or leave it blank; a grade of something else needs another heading"),
    )


def _placeless(table: Table, located: Located) -> pd.DataFrame:
    wrong = located.reason != ""
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column=located.column[wrong],
        value=located.value[wrong],
        reason=located.reason[wrong],
        remedy=located.remedy[wrong],
    )


def _readable(hours: pd.Series[Any]) -> pd.Series[Any]:
    """Return hours in OpenStreetMap's notation; hours that cannot be read stay as they are."""
    notation = {text: osm_hours(str(text)) or text for text in hours.unique()}
    return hours.map(notation).astype("str")


def _unread_hours(table: Table, checked: Checked, good: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return rejects for hours that cannot be read: the facilities stay, and are open at no time."""
    if "hours" not in checked.frame:
        return no_rejects()
    hours = checked.frame["hours"].fillna("").astype("str")
    unread = ~hours.map({text: not text or readable_hours(text) for text in hours.unique()}).to_numpy(bool)
    noted = unread & good
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[noted],
        column=checked.found["hours"],
        value=hours[noted].to_numpy(dtype=object),
        reason=say("these opening hours cannot be read; the facility is kept, its hours unknown"),
        remedy=say(
            "write them as in Mo-Fr 08:30-11:30,13:30-17:00; Sa 09:00-12:00, or as in 周二至周日 9:00-17:00"
        ),
    )


def _register(checked: Checked, ids: pd.Series[Any]) -> pd.DataFrame:
    """Return the declared columns in order, those the source lacks filled with missing values."""
    frame = checked.frame
    rows = frame.index
    absent = {
        "name": pd.Series("", index=rows, dtype="str"),
        "opened": pd.Series(pd.NaT, index=rows, dtype=DATE_DTYPE),
        "closed": pd.Series(pd.NaT, index=rows, dtype=DATE_DTYPE),
        "capacity": pd.Series(np.nan, index=rows, dtype="float64"),
        "hours": pd.Series("", index=rows, dtype="str"),
        "serves": pd.Series("", index=rows, dtype="str"),
    }
    columns = {**absent, **{name: frame[name] for name in frame.columns}, "service": ids.astype("str")}
    return pd.DataFrame({name: columns[name] for name in FACILITY_COLUMNS.names}, index=rows)


DUPLICATE_M = 30.0
"""Facilities of one name and service nearer than this, open at the same time, are one (inclusive)."""

_TOUCH_M = 0.001  # what rounding degrees to eight digits may move a place
_SPHERE_M, _SPHERE_SLACK = 6_378_137.0, 1.01  # no distance on the sphere is shorter than this makes good
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PLAIN_MONDAY = date(2024, 6, 3)  # a week without public holidays


def merge_duplicates(facilities: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities without those that are listed twice.

    Two rows are one facility where service and name are equal (and there is a name), they lie within
    :data:`DUPLICATE_M` of each other and both are open on some day. The first row is kept, and later rows
    are compared with kept rows: of three in a line, the outer two too far apart, the middle one is left out.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`, of one file or of several

    Returns
    -------
    facilities : GeoDataFrame
        Without the later rows.
    rejects : DataFrame
        One row for each row left out, naming the one that is kept.
    """
    first = _twins(facilities)
    late = np.flatnonzero(first >= 0)
    table = facilities.iloc[late]
    labels, source, row = (facilities.index, facilities["source"], facilities["row"])
    rejects = [
        reject_rows(
            str(file),
            part["row"].to_numpy(),
            column="name",
            value=part["name"].to_numpy(dtype=object),
            reason=[
                say(
                    "listed twice: the same service, name and place as {label} ({file}, row {row})",
                    label=labels[one],
                    file=source.iloc[one],
                    row=row.iloc[one],
                )
                for one in first[late[(table["source"] == file).to_numpy()]]
            ],
            remedy=say("delete one of the two rows"),
        )
        for file, part in table.groupby("source", sort=False)
    ]
    return facilities[first < 0], pd.concat(rejects, ignore_index=True) if rejects else no_rejects()


def _plain_name(name: str) -> str:
    """Return a name without blanks and in plain forms of letters, as two clerks may have typed it."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def _twins(facilities: gpd.GeoDataFrame) -> np.ndarray[Any, Any]:
    """Return the position of the earlier row that each row repeats, -1 for none: (facility,)."""
    first = np.full(len(facilities), -1, dtype=np.intp)
    name = facilities["name"].map(_plain_name)
    # Only names that occur twice are measured: distances of a whole county would be slow.
    twice = pd.DataFrame({"service": facilities["service"], "name": name}).duplicated(keep=False)
    placed = facilities.geometry.notna() & ~facilities.geometry.is_empty
    at = np.flatnonzero((twice & (name != "") & placed).to_numpy(dtype=bool))
    if not len(at):
        return first
    alike = facilities.iloc[at]
    lon, lat = alike.geometry.x.to_numpy(), alike.geometry.y.to_numpy()
    east, north = np.radians(lon), np.radians(lat)
    globe = np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    # On a sphere in three dimensions, because degrees are no distances; the true distance is checked below.
    near = cKDTree(globe * _SPHERE_M).query_pairs(DUPLICATE_M * _SPHERE_SLACK, output_type="ndarray")
    # In the order of the table, so that the answer does not depend on the tree.
    near = near[np.lexsort((near[:, 0], near[:, 1]))]
    one, other = near.T
    _, _, apart_m = pyproj.Geod(ellps="WGS84").inv(lon[one], lat[one], lon[other], lat[other])
    what = pd.factorize(pd.MultiIndex.from_arrays([alike["service"], name.iloc[at]]))[0]
    opened, closed = (alike[name].to_numpy(dtype="datetime64[D]") for name in ("opened", "closed"))
    opened = np.where(np.isnat(opened), np.datetime64("0001-01-01"), opened)
    closed = np.where(np.isnat(closed), np.datetime64("9999-12-31"), closed)
    # A hall that closed and reopened is two rows of one place and no double.
    together = np.maximum(opened[one], opened[other]) < np.minimum(closed[one], closed[other])
    same = (np.asarray(apart_m) <= DUPLICATE_M + _TOUCH_M) & (what[one] == what[other]) & together
    for early, late in near[same]:
        if first[at[late]] < 0 and first[at[early]] < 0:
            first[at[late]] = at[early]
    return first


def readable_hours(text: str) -> bool:
    """Return whether opening hours can be read: OpenStreetMap's notation, or as offices write them.

    Parameters
    ----------
    text : content of a cell

    Returns
    -------
    readable : bool

    >>> [readable_hours(text) for text in ("Tu-Su 08:30-17:00", "周二至周日 9:00-17:00", "9-17")]
    [True, True, False]
    """
    return osm_hours(text) is not None


def open_at(facilities: pd.DataFrame, moment: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return which facilities are open at a time of an ordinary week.

    The week is the first full one of June 2024, without public holidays; a facility open only in other
    months or years is closed in it. The minute of opening is open, that of closing is closed.

    Parameters
    ----------
    facilities : with a column ``hours``, as :func:`lifecircle.hours.osm_hours` reads them
    moment : weekday and time, as in ``Sat 10:00``

    Returns
    -------
    known : (facility,) bool, hours are given, can be read and state whether it is open then
    opened : (facility,) bool, False where unknown

    >>> known, opened = open_at(pd.DataFrame({"hours": ["Mo-Fr 09:00-17:00", "24/7", ""]}), "Sat 10:00")
    >>> opened.tolist(), known.tolist()
    ([False, True, False], [True, True, False])
    """
    weekday, _, clock = moment.partition(" ")
    day = _PLAIN_MONDAY + timedelta(days=_WEEK.index(weekday))
    when = datetime.combine(day, time.fromisoformat(clock))
    texts = facilities["hours"].fillna("").astype(str).str.strip()
    said = {text: open_then(text, when) for text in texts.unique()}
    answers = [said[text] for text in texts]
    known = np.array([one is not None for one in answers], dtype=bool)
    return known, np.array([bool(one) for one in answers], dtype=bool)
