"""Read villages and communities (centres, classes, accepted lists), and find the village of a point."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.datum import PLACE_KEYS, areas, locate
from lifecircle.demand._districts import OUTSIDE, known_label, lowest_polygon
from lifecircle.errors import FaultLog, UnusableInputError, say
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    missing_column,
    nearest_name,
    plain_texts,
    read_table,
    reject_rows,
    strange_names,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.datum import Located
    from lifecircle.tables import Checked, Source, Table

_log = logging.getLogger(__name__)

VILLAGE_COLUMNS = Schema(
    "villages",
    (
        Column("code", "text", say("official code, 12 digits, unique"), required=True, filled=True),
        Column("name", "text", say("name of the village or community"), required=True, filled=True),
        Column("district", "text", say("code or name of its district")),
        Column("class", "text", say("statistical urban-rural code: 1.. urban, 2.. rural")),
        Column("urban", "flag", say("whether it is urban; decides before class")),
    ),
    part="[villages]",
)
"""Columns of a village table; more are one flag ``accepted_<target>`` for each accepted list."""

ACCEPTED_COLUMNS = Schema(
    "accepted",
    (
        Column("code", "text", say("official code of a village that passed acceptance")),
        Column("name", "text", say("its name; the code decides where both are given")),
        Column("district", "text", say("code or name of its district, where the name is not unique")),
    ),
)
"""Columns of an accepted list: ``code`` or ``name`` must be there."""

ACCEPTED = "accepted_"
_POLYGONS = (3, 6)


def read_villages(
    source: Source,
    *,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    max_rejected: float = 0.05,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read villages and communities, as centres (lon, lat) or as polygons.

    Parameters
    ----------
    source : table with a geometry, or with ``lon`` and ``lat``
    datum : of its coordinates
    columns : canonical name -> name of the column in the file
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    villages : GeoDataFrame
        Index ``code``; the other columns of :data:`VILLAGE_COLUMNS` (``urban`` boolean, NA where neither
        it nor the class is given), one boolean ``accepted_<target>`` for each accepted list, and the
        geometry of the source in EPSG:4326.
    rejects : DataFrame
        One row for each fault, as for villages without a code or without a centre.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, or more than ``max_rejected`` of the rows are rejected.

    >>> table = pd.DataFrame({"code": ["330424101201"], "name": ["A"], "lon": [120.9], "lat": [30.5]})
    >>> villages, rejects = read_villages(table)
    >>> villages["name"].to_dict(), len(rejects)
    ({'330424101201': 'A'}, 0)
    """
    table = read_table(source)
    accepted = [str(name) for name in table.frame.columns if str(name).startswith(ACCEPTED)]
    schema = Schema(
        VILLAGE_COLUMNS.name,
        (*VILLAGE_COLUMNS.columns, *(Column(name, "flag", say("on the accepted list")) for name in accepted)),
        VILLAGE_COLUMNS.part,
    )
    mapped = dict(columns or {})
    faults = FaultLog()
    with faults.catching():
        for fault in strange_names(mapped, (*schema.names, *PLACE_KEYS), file=table.name):
            faults.add(fault)
        checked = check_table(table, schema, columns=mapped)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    faults.raise_any()
    rejects = join_rejects([checked.rejects, _centreless(table, located), _doubles(table, checked)])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    frame = checked.frame
    shown: dict[str, Any] = {
        "name": frame["name"],
        "district": frame.get("district", pd.Series("", index=frame.index, dtype="str")).fillna(""),
        "class": frame.get("class", pd.Series("", index=frame.index, dtype="str")).fillna(""),
        "urban": _urban(frame),
        **{name: frame[name].fillna(value=False).astype(bool) for name in accepted},
    }
    _note_unknown_classes(table.name, shown["class"])
    shapes = _shapes(table, located, datum)
    villages = gpd.GeoDataFrame(shown, geometry=shapes, crs="EPSG:4326")
    good = ~table.frame.index.isin(rejects["row"])
    return villages.set_axis(pd.Index(frame["code"].astype("str"), name="code"))[good], table.as_seen(rejects)


def assign_villages(places: gpd.GeoDataFrame, villages: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return the rows with the village of each, as a copy.

    1. Its own column ``village``, matched by code, else by a name that only one village of its
       district has.
    2. The polygon it lies in, where villages are polygons.
    3. The nearest centre in its own district.
    4. Otherwise empty.

    Parameters
    ----------
    places : points or None in EPSG:4326, with ``district`` as :func:`assign_districts` returns it
    villages : as from :func:`read_villages`; None leaves a column ``village`` as it is

    Returns
    -------
    GeoDataFrame
        With ``village`` (str), a label of ``villages`` or empty.

    >>> table = pd.DataFrame({"code": ["1", "2"], "name": ["A", "B"], "lon": [120, 121], "lat": [30, 30]})
    >>> villages, _ = read_villages(table)
    >>> here = gpd.points_from_xy([120.1, 120.9], [30, 30], crs="EPSG:4326")
    >>> assign_villages(gpd.GeoDataFrame({"district": ["", ""]}, geometry=here), villages)["village"].tolist()
    ['1', '2']
    """
    own = (
        plain_texts(places["village"])
        if "village" in places.columns
        else pd.Series("", index=places.index, dtype="str")
    )
    if villages is None:
        return places.assign(village=own)
    label = _named(own, places, villages)
    unknown = (own != "") & (label == "")
    if unknown.any():
        words = ", ".join(sorted(set(own[unknown]))[:5])
        _log.warning("%d rows name a village that is not in the table: %s", int(unknown.sum()), words)
    # In the order of trust: what the row states, the polygon it is in, and only then the nearest centre.
    area = np.isin(shapely.get_type_id(villages.geometry.to_numpy()), _POLYGONS)
    if area.any():
        label = label.where(label != "", lowest_polygon(places, villages[area]))
    return places.assign(village=label.where(label != "", _nearest_centre(places, villages)))


def with_districts(villages: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return the villages with the label of their district, as a copy.

    The own column of a village is used, by code or name, else the polygon that contains its centre. Where the
    column names another district than the polygon, the column is used, because it states who administers the
    village, and a warning counts these villages. A village of no district is ``(outside)``, as residents are.

    Parameters
    ----------
    villages : as from :func:`read_villages`
    districts : as from :func:`read_districts`; None or an empty one leaves a column ``district`` as it is

    Returns
    -------
    villages : GeoDataFrame
        With ``district`` (str): a label of ``districts`` or ``(outside)``.
    """
    own = villages["district"].astype("str")
    if districts is None or districts.empty:
        return villages.assign(district=own.where(own != "", OUTSIDE))
    stated = known_label(own, districts)
    unknown = (own != "") & (stated == "")
    if unknown.any():
        words = ", ".join(sorted(set(own[unknown]))[:5])
        _log.warning("%d villages name a district that is not in the layer: %s", int(unknown.sum()), words)
    centres = villages.set_geometry(shapely.centroid(villages.geometry.to_numpy()), crs=villages.crs)
    inside = lowest_polygon(centres, districts)
    differ = (stated != "") & (inside != "") & (stated != inside)
    if differ.any():
        text = f"{int(differ.sum())} villages name another district than the one they lie in"
        _log.warning("%s; what they say decides", text)
    # Unlike a resident, a village follows its column: who administers it is a fact, where its centre is drawn
    # may be an error.
    label = stated.where(stated != "", inside)
    return villages.assign(district=label.where(label != "", OUTSIDE))


def village_centres(villages: gpd.GeoDataFrame, crs: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the centre of each village in a CRS.

    Parameters
    ----------
    villages : points or polygons, as from :func:`read_villages`
    crs : CRS of the answer

    Returns
    -------
    centres : (village, 2), in the units of ``crs``; NaN where the village has no geometry

    >>> table = pd.DataFrame({"code": ["1"], "name": ["A"], "lon": [120.9], "lat": [30.5]})
    >>> village_centres(read_villages(table)[0], "EPSG:4326").round(6).tolist()
    [[120.9, 30.5]]
    """
    centres = shapely.centroid(villages.to_crs(crs).geometry.to_numpy())
    return np.column_stack([shapely.get_x(centres), shapely.get_y(centres)])


def _named(own: pd.Series[Any], places: pd.DataFrame, villages: pd.DataFrame) -> pd.Series[Any]:
    """Return the village each row states: by code, else by name within the district; empty where neither."""
    labels = villages.index.astype("str")
    by_name = pd.Series(labels, index=pd.MultiIndex.from_arrays([villages["district"], villages["name"]]))
    by_name = by_name[~by_name.index.duplicated(keep=False)]
    keys = pd.MultiIndex.from_arrays([places["district"].astype("str"), own])
    found = pd.Series(by_name.reindex(keys).to_numpy(), index=own.index, dtype="object").fillna("")
    return own.where(own.isin(labels), found.astype("str")).astype("str")


def _nearest_centre(places: gpd.GeoDataFrame, villages: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Return the village of the same district with the nearest centre; empty where there is none."""
    found = np.full(len(places), "", dtype=object)
    placed = (places.geometry.notna() & ~places.geometry.is_empty).to_numpy()
    shape = places.geometry.to_numpy()
    labels = villages.index.astype("str").to_numpy(dtype=object)
    centres = village_centres(villages, villages.crs)
    # Degrees of longitude are shorter than those of latitude: without this the nearest centre would be wrong.
    squeeze = np.array([np.cos(np.radians(centres[:, 1].mean() if len(centres) else 0.0)), 1.0])
    district = places["district"].to_numpy()
    for one in pd.unique(villages["district"]):
        mine = np.flatnonzero((villages["district"] == one).to_numpy())
        rows = np.flatnonzero(placed & (district == one))
        if len(rows):
            tree = cKDTree(centres[mine] * squeeze)
            _, which = tree.query(shapely.get_coordinates(shape[rows]) * squeeze)
            found[rows] = labels[mine[which]]
    return pd.Series(found, index=places.index, dtype="str")


def _urban(frame: pd.DataFrame) -> pd.Series[Any]:
    """Return the urban class: the flag, else the first digit of the statistical code."""
    nothing = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    code = frame.get("class", pd.Series("", index=frame.index, dtype="str")).fillna("").astype("str")
    by_class = nothing.mask(code.str.startswith("1"), other=True).mask(code.str.startswith("2"), other=False)
    return frame.get("urban", nothing).astype("boolean").fillna(by_class)


def _note_unknown_classes(file: str, code: pd.Series[Any]) -> None:
    unread = (code != "") & ~code.astype("str").str.startswith(("1", "2"))
    if unread.any():
        words = ", ".join(sorted(set(code[unread].astype("str")))[:5])
        _log.warning("%s: classes that are neither urban (1..) nor rural (2..): %s", file, words)


def _shapes(table: Table, located: Located, datum: str) -> Any:
    """Return the polygons of the source, repaired where they cross themselves, else the centres."""
    if getattr(table.frame, "active_geometry_name", None) is None:
        return list(located.points)
    drawn = areas(table.frame, datum=datum, file=table.name)
    return list(np.where(shapely.is_missing(drawn), located.points, drawn))


def _centreless(table: Table, located: Located) -> pd.DataFrame:
    wrong = located.reason != ""
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column=located.column[wrong],
        value=located.value[wrong],
        reason=[say("village without a centre: {reason}", reason=reason) for reason in located.reason[wrong]],
        remedy=located.remedy[wrong],
    )


def _doubles(table: Table, checked: Checked) -> pd.DataFrame:
    code = checked.frame["code"]
    twice = (code.duplicated(keep="first") & (code != "")).to_numpy(dtype=bool)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[twice],
        column=checked.found["code"],
        value=code[twice].to_numpy(dtype=object),
        reason=say("the same code as a village above"),
        remedy=say("give every village its own code"),
    )


def accepted_targets(villages: Mapping[str, Any] | pd.DataFrame) -> list[str]:
    """Return the targets for which the villages hold an accepted list.

    Parameters
    ----------
    villages : table with columns ``accepted_<target>``

    Returns
    -------
    targets : ids, in the order of the columns

    >>> accepted_targets({"name": [], "accepted_culture": []})
    ['culture']
    """
    return [str(name).removeprefix(ACCEPTED) for name in villages if str(name).startswith(ACCEPTED)]


def read_accepted(
    source: Source,
    villages: gpd.GeoDataFrame,
    *,
    districts: gpd.GeoDataFrame | None = None,
    max_rejected: float = 0.05,
) -> tuple[pd.Series[bool], pd.DataFrame]:
    """Read the list of villages that passed the acceptance of a target, kept in a file of its own.

    A row is matched by its code, else by its name, within the district where one is given. A village
    listed twice counts once.

    Parameters
    ----------
    source : table with ``code`` or ``name`` or both, and where names are not unique ``district``
    villages : as from :func:`read_villages` or :func:`with_districts`
    districts : where given, both tables may name a district by its code or by its name
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    accepted : Series
        bool, named ``accepted``, on the index of ``villages``.
    rejects : DataFrame
        One row for each row that matches no village, or several, with the nearest known name.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        It has neither column, or more than ``max_rejected`` of its rows are rejected.

    >>> table = pd.DataFrame({"code": ["1", "2"], "name": ["A", "B"], "lon": [120, 121], "lat": [30, 30]})
    >>> accepted, rejects = read_accepted(pd.DataFrame({"name": ["B"]}), read_villages(table)[0])
    >>> accepted.to_dict(), len(rejects)
    ({'1': False, '2': True}, 0)
    """
    table = read_table(source)
    checked = check_table(table, ACCEPTED_COLUMNS)
    if not {"code", "name"} & set(checked.found):
        present = [str(name) for name in table.frame.columns]
        remedy = say("give the code or the name of every village on the list")
        raise UnusableInputError([missing_column(table, "code / name", present, remedy)])
    book = _Book(villages, districts)
    blank = pd.Series("", index=table.frame.index, dtype="str")
    columns = [checked.frame.get(name, blank) for name in ACCEPTED_COLUMNS.names]
    passed: set[str] = set()
    rejects = []
    # Row by row and not by a join: each row that does not match needs its own reason and remedy.
    for row, *words in zip(table.frame.index, *columns, strict=True):
        found = book.find(*words)
        if isinstance(found, str):
            passed.add(found)
            continue
        at, why, how = found
        name = checked.found.get(at, at)
        value = dict(zip(ACCEPTED_COLUMNS.names, words, strict=True))[at]
        rejects.append(reject_rows(table.name, [row], column=name, value=[value], reason=why, remedy=how))
    table_of_rejects = join_rejects(rejects)
    excess = too_many_rejects(table_of_rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    labels = villages.index.astype("str")
    return pd.Series(labels.isin(passed), index=villages.index, name="accepted"), table_of_rejects


class _Book:
    """Finds villages by code, name and district."""

    def __init__(self, villages: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> None:
        self._districts = districts
        self._name = dict(zip(villages.index.astype("str"), villages["name"].astype("str"), strict=True))
        self._district = dict(zip(self._name, self._labels(villages["district"]), strict=True))
        self._called: dict[str, list[str]] = {}
        for code, name in self._name.items():
            self._called.setdefault(name, []).append(code)

    def _labels(self, words: pd.Series[Any]) -> pd.Series[Any]:
        """Return the labels of districts where the layer knows them."""
        own = words.astype("str")
        if self._districts is None or self._districts.empty:
            return own
        known = known_label(own, self._districts)
        return known.where(known != "", own)

    def find(self, code: str, name: str, district: str) -> str | tuple[str, str, str]:
        """Return the code of a village; else the column at fault, the reason and the remedy."""
        if code:
            return self._by_code(code, name)
        if name:
            return self._by_name(name, district)
        return "code", say("neither code nor name"), say("name the village, or delete the row")

    def _by_code(self, code: str, name: str) -> str | tuple[str, str, str]:
        if code not in self._name:
            like = self._called.get(name) or [nearest_name(code, self._name) or ""]
            return "code", say("unknown village"), self._advice(like[0])
        if name != self._name[code] and name in self._called:
            reason = say(
                "code and name disagree: {code} is {its_name}, {name} is {its_code}",
                code=code,
                its_name=self._name[code],
                name=name,
                its_code=self._called[name][0],
            )
            return "name", reason, say("mend the code or the name")
        if name not in ("", self._name[code]):
            _log.warning("village %s is called %s here and %s in the table", code, name, self._name[code])
        return code

    def _by_name(self, name: str, district: str) -> str | tuple[str, str, str]:
        codes = self._called.get(name, [])
        if not codes:
            near = nearest_name(name, self._called)
            return "name", say("unknown village"), self._advice(self._called[near][0] if near else "")
        if district:
            label = self._labels(pd.Series([district])).iloc[0]
            here = [code for code in codes if self._district[code] in (label, "", OUTSIDE)]
            if not here:
                reason = say("no village of this name in district {district}", district=district)
                other = self._district[codes[0]]
                return "name", reason, say("did you mean the one in district {district}?", district=other)
            codes = here
        if len(codes) > 1:
            reason = say(
                "{count} {count:village has|villages have} this name: {codes}",
                count=len(codes),
                codes=", ".join(codes),
            )
            remedy = say("write the code") if district else say("write the code, or the district too")
            return "name", reason, remedy
        return codes[0]

    def _advice(self, code: str) -> str:
        if code in self._name:
            return say("did you mean '{name}' ({code})?", name=self._name[code], code=code)
        return say("write a code or name of the village table, or delete the row")
