"""Read and clean one list of facilities.

This module does not know which services a standard asks for (the caller passes the known ids), nor roads.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.datum import PLACE_KEYS, areas, locate
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.facilities._entrances import gates_in
from lifecircle.facilities._open_facilities import readable_hours
from lifecircle.facilities._service_classes import classified
from lifecircle.facilities._service_words import named_services, service_ids
from lifecircle.hours import osm_hours
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
    from collections.abc import Iterable

    from lifecircle.datum import Located
    from lifecircle.facilities._service_classes import Catalogue
    from lifecircle.tables import Checked, Source, Table

FACILITY_COLUMNS = Schema(
    "facilities",
    (
        Column("name", "text", say("what people call the facility")),
        Column("service", "text", say("id of the service it gives"), required=True, filled=True, common=True),
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
DETAIL_COLUMNS = Schema(
    "facility_details",
    (
        Column("ownership", "text", say("who owns it: public, inclusive or private")),
        Column("fee", "text", say("whether it is free")),
        Column("open_to_public", "flag", say("whether everybody may use it")),
        Column("school_ground", "flag", say("whether it is the ground of a school")),
        Column("hours_per_week", "number", say("hours a week it is open"), unit="hours", low=0.0, high=168.0),
        Column("weekday", "flag", say("whether it is open on weekdays")),
        Column("evening", "flag", say("whether it is open in the evening")),
        Column("weekend", "flag", say("whether it is open at weekends")),
        Column("entrances", "text", say("where it is entered, as in 120.9,30.5; 120.91,30.51")),
    ),
    part="[[facilities]]",
)
"""Columns that only some lists have; a cell that cannot be read is noted, and the facility kept."""

_AS_THEY_ARE = Schema(DETAIL_COLUMNS.name, DETAIL_COLUMNS.columns[:2], DETAIL_COLUMNS.part)
_DETAILS = Schema(DETAIL_COLUMNS.name, DETAIL_COLUMNS.columns[2:], DETAIL_COLUMNS.part)

_MISTYPED = 0.75


def read_facilities(  # noqa: PLR0913 - one keyword for each key of [[facilities]] in a study
    source: Source,
    *,
    service: str | None = None,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    services: Mapping[str, str] | Catalogue | None = None,
    max_rejected: float = 0.05,
    known_services: Iterable[str] | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read a register of facilities; rows at fault become reject rows.

    A row of several services (``图书馆、文化馆``) is a facility of each; the later ones are called
    ``id/service``. Rows that say they are not open to the public are left out and listed with the rejects.

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
    services : mapping or str, optional
        What the file calls a service -> its id, as in ``{"文化礼堂": "culture_hall"}``; or ``osm`` or
        ``amap``, by whose classes the rows are to be known; rows of other classes are then left out.
    max_rejected : float
        Largest share of rows that may be rejected (inclusive).
    known_services : iterable of str or mapping of str to str, optional
        Ids a row may have, or id -> name, by which a fault lists them; left out, any is accepted.

    Returns
    -------
    facilities : GeoDataFrame
        Columns of :data:`FACILITY_COLUMNS`, the source's others, ``source`` and ``row`` (its file and row
        number), points in EPSG:4326; index ``id``: the column id where it is present and unique,
        else the row number. ``grade``, where the source has it: one of :data:`GRADES`, empty where unknown.
        Where any row is drawn as a polygon there is a column ``polygon`` too
        (EPSG:4326, None of points); an audit enters such a venue anywhere along its edge. Where
        ``entrances`` are listed it holds these instead, as a MultiPoint, and they are the only ways in.
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
    known = None if known_services is None else list(known_services)
    words: dict[str, str] = {}
    if isinstance(services, str):
        table = classified(table, services, known).table
    else:
        words = {plain_text(word): name for word, name in (services or {}).items()}
    faults = FaultLog()
    with faults.catching():
        checked = _check(table, service, mapped, _names_of(known_services))
    with faults.catching():
        extra = _extra_columns(table, mapped)
    with faults.catching():
        details = _details(table, mapped)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    # Each part is checked on its own, so that a missing column, a wrong datum and an unknown key are reported
    # together, and not one after another.
    faults.raise_any()
    given = checked.frame["service"] if service is None else pd.Series(service, index=table.frame.index)
    # Services are checked before places: an unknown service means the file is of another kind, and a list of
    # rejected rows would hide that.
    ids = service_ids(given, words, known)
    _refuse_unknown_services(table, checked, given, ids, known)
    faulty = (_closed_too_early(table, checked), _placeless(table, located), _wrong_grades(table, extra))
    rejects = join_rejects([checked.rejects, *faulty])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    if "grade" in extra:
        extra = extra.assign(grade=_plain_grades(extra["grade"]))
    used = [*located.used, *checked.found.values(), *details.found.values(), "source", "row"]
    register = _register(checked, ids).join(extra.drop(columns=used, errors="ignore"))
    register = register.join(details.frame.drop(columns="entrances", errors="ignore"))
    register = register.assign(source=table.name, row=table.frame.index)
    places = gpd.GeoDataFrame(register, geometry=list(located.points), crs="EPSG:4326")
    # A park counts at its centre in tables, but people enter it at its edge, or at its gates where they are
    # listed.
    drawn, gateless = _ways_in(table, details, datum)
    if any(shape is not None for shape in drawn):
        places = places.assign(polygon=drawn)
    # After the share of rejects was checked: these are no faults, or leave the facility in the register.
    shut = _not_public(table, details)
    good = ~register.index.isin([*rejects["row"], *shut["row"]])
    noted = [_unread_hours(table, checked, good), _unread_details(table, details, gateless, good)]
    places, rejects = places.assign(hours=_readable(places["hours"])), join_rejects([rejects, shut, *noted])
    places = places.set_axis(row_labels(table, checked.found.get("id")))
    return _a_row_each(places, ids)[good.repeat([len(one) for one in ids])], table.as_seen(rejects)


def _names_of(known: Iterable[str] | None) -> Mapping[str, str]:
    return known if isinstance(known, Mapping) else {one: one for one in known or ()}


def _check(table: Table, service: str | None, mapped: Mapping[str, str], names: Mapping[str, str]) -> Checked:
    """Check the columns of the register; the column of services only where they are not declared.

    Raises
    ------
    UnusableInputError
        As :func:`check_table` does; where no column says the service, with the services there are.
    """
    wanted = [column for column in FACILITY_COLUMNS.columns if column.name != "service" or service is None]
    schema = Schema(FACILITY_COLUMNS.name, (_ID, *wanted), FACILITY_COLUMNS.part)
    asked = {name: file for name, file in mapped.items() if name in schema.names}
    try:
        return check_table(table, schema, columns=asked)
    except UnusableInputError as error:
        like_service = nearest_name("service", [str(name) for name in table.frame.columns])
        if not names or "service" in asked or like_service:
            raise
        remedy = say(
            "add the column; where all rows have one service, write under [[facilities]]: "
            'service = "id". Ids: {services}',
            services=named_services(names, table.name),
        )
        raise UnusableInputError(
            replace(fault, remedy=remedy) if fault.place == "column 'service'" else fault
            for fault in error.faults
        ) from None


def _extra_columns(table: Table, mapped: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that are kept as they are, named as ``mapped`` says.

    ``district``, ``village`` and ``grade`` are also found by their synonyms.

    Raises
    ------
    UnusableInputError
        A mapped column is missing, or what it is mapped to reads like a mistyped name.
    """
    known = (_ID.name, *FACILITY_COLUMNS.names, *_DETAILS.names, *PLACE_KEYS)
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
    for schema in (_UNITS, _AS_THEY_ARE):
        asked = {name: renamed[name] for name in schema.names if name in renamed}
        renamed = {**renamed, **check_table(table, schema, columns=asked).found}
    taken = {*mapped.values(), *renamed.values(), "geometry", _geometry_name(table)}
    kept = [
        name
        for name in present
        if name not in taken and name.lower() not in {_ID.name, *FACILITY_COLUMNS.names, *renamed}
    ]
    frame = pd.DataFrame(table.frame)
    return frame[kept].assign(**{name: frame[file] for name, file in renamed.items()})


def _details(table: Table, mapped: Mapping[str, str]) -> Checked:
    """Check the columns that only some lists have."""
    return check_table(
        table, _DETAILS, columns={name: file for name, file in mapped.items() if name in _DETAILS.names}
    )


def _ways_in(table: Table, details: Checked, datum: str) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Return the edge or the gates of every row: (row,), None of points; and rows whose gates are none."""
    drawn = areas(table.frame, datum=datum, file=table.name)
    if "entrances" not in details.frame:
        return drawn, []
    gates, wrong = gates_in(details.frame["entrances"], datum=datum, file=table.name)
    listed = np.array([one is not None for one in gates], dtype=bool)
    drawn[listed] = gates[listed]
    return drawn, wrong


def _not_public(table: Table, details: Checked) -> pd.DataFrame:
    """Return a reject for every row that says it is not open to the public."""
    if "open_to_public" not in details.frame:
        return no_rejects()
    shut = details.frame["open_to_public"].eq(False).fillna(value=False).to_numpy(dtype=bool)  # noqa: FBT003 - compared
    column = details.found["open_to_public"]
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[shut],
        column=column,
        value=table.frame[column][shut].to_numpy(dtype=object),
        reason=say("not open to the public, so it serves nobody here"),
        remedy=say("write yes once everybody may use it"),
    )


def _unread_details(
    table: Table, details: Checked, gateless: list[int], good: np.ndarray[Any, Any]
) -> pd.DataFrame:
    """Return rejects for cells of such columns that cannot be read; the facilities stay."""
    kept = table.frame.index[good]
    wrong = details.rejects[details.rejects["row"].isin(kept)]
    parts = [
        wrong.assign(
            reason=[say("{reason}; the facility is kept", reason=reason) for reason in wrong["reason"]]
        )
    ]
    if gateless:
        rows = [row for row in gateless if row in kept]
        column = details.found["entrances"]
        parts.append(
            reject_rows(
                table.name,
                np.array(rows, dtype=np.int64),
                column=column,
                value=table.frame.loc[rows, column].to_numpy(dtype=object),
                reason=say("an entrance is no place; the facility is kept"),
                remedy=say("write entrances as in 120.9,30.5; 120.91,30.51"),
            )
        )
    return join_rejects(parts)


def _a_row_each(places: gpd.GeoDataFrame, ids: list[tuple[str, ...]]) -> gpd.GeoDataFrame:
    """Return a row for each service of every row; of several the later ones are called ``id/service``."""
    many = [len(one) for one in ids]
    if max(many, default=1) == 1:
        return places
    repeated = places.iloc[np.repeat(np.arange(len(places)), many)]
    services = [name for one in ids for name in one]
    first = [at == 0 for one in ids for at in range(len(one))]
    labels = [
        str(label) if is_first else f"{label}/{name}"
        for label, name, is_first in zip(repeated.index, services, first, strict=True)
    ]
    return repeated.assign(service=pd.Series(services, index=repeated.index, dtype="str")).set_axis(
        pd.Index(labels, name="id")
    )


def _geometry_name(table: Table) -> str | None:
    return getattr(table.frame, "active_geometry_name", None)


def _refuse_unknown_services(
    table: Table,
    checked: Checked,
    given: pd.Series[Any],
    ids: list[tuple[str, ...]],
    known: Iterable[str] | None,
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
    strange = [next((one for one in mine if one and one not in names), "") for mine in ids]
    found = pd.Series(strange, index=given.index, dtype="str")
    unknown = found.ne("")
    column = checked.found.get("service", "service")
    faults = []
    for word, rows in given[unknown].groupby(given[unknown], sort=False):
        row = int(rows.index[0])
        meant = str(found[row])
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


def _register(checked: Checked, ids: list[tuple[str, ...]]) -> pd.DataFrame:
    """Return the declared columns in order, those the source lacks filled with missing values."""
    frame = checked.frame
    rows = frame.index
    first = pd.Series([one[0] for one in ids], index=rows, dtype="str")
    absent = {
        "name": pd.Series("", index=rows, dtype="str"),
        "opened": pd.Series(pd.NaT, index=rows, dtype=DATE_DTYPE),
        "closed": pd.Series(pd.NaT, index=rows, dtype=DATE_DTYPE),
        "capacity": pd.Series(np.nan, index=rows, dtype="float64"),
        "hours": pd.Series("", index=rows, dtype="str"),
        "serves": pd.Series("", index=rows, dtype="str"),
    }
    columns = {**absent, **{name: frame[name] for name in frame.columns}, "service": first}
    return pd.DataFrame({name: columns[name] for name in FACILITY_COLUMNS.names}, index=rows)
