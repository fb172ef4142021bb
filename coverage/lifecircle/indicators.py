"""Read registered figures: a table of indicators, every figure in its target's unit, doubles reported.

A figure belongs to a target and a year, and to the whole study, a district or a village. A figure
is read as it is written or refused, never guessed: 90 for a share is refused, 90 % is 0.9. This module
judges nothing; which figure counts is decided by the measures and the audit.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables import (
    Column,
    Schema,
    Table,
    check_table,
    join_rejects,
    nearest_name,
    no_rejects,
    parse_date,
    plain_texts,
    read_table,
    reject_rows,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lifecircle.standards import Standard, Target
    from lifecircle.tables import Source

INDICATOR_COLUMNS = Schema(
    "indicators",
    (
        Column("target", "text", say("id or name of the target"), required=True, filled=True),
        Column("year", "text", say("the year the figure is of"), required=True, filled=True),
        Column("value", "text", say("the figure"), required=True),
        Column("district", "text", say("code or name of the district; blank for the whole study")),
        Column(
            "village", "text", say("code or name of the village; blank for the district or the whole study")
        ),
        Column("item", "text", say("which figure of a rule for every village")),
        Column("unit", "text", say("unit of the figure; blank for the target's own")),
        Column("source", "text", say("who registered it")),
    ),
    part="[indicators]",
)
"""Columns of an indicator table as it is read."""

INDICATOR_TABLE = (
    "target", "year", "district", "village", "item", "value", "unit", "source", "file", "row",
)  # fmt: skip
"""Columns of :attr:`Indicators.table`: ``year`` int64, ``value`` float64, ``row`` int64, the others str."""

WHOLE = frozenset({"全县", "全市", "全区", "合计", "总计", "全域", "county", "all", "total"})
"""Words of offices for the whole study in the column of districts."""

_SHARE = frozenset({"share", "比例", "占比", "比率", "小数", "fraction"})
_PERCENT = frozenset({"percent", "%", "百分比", "百分数", "pct", "per cent"})
_YEAR = re.compile(r"(\d{4})(?:\.0+)?\s*年?度?")
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)")
_YEARS = range(1990, 2101)
_KEY = ["target", "year", "district", "village", "item"]


@dataclass(frozen=True, eq=False)
class Indicators:
    """Figures read from one file or from several.

    ``table`` : :data:`INDICATOR_TABLE`, one row for each figure, each of :data:`_KEY` once. ``rejects`` :
    rows at fault. ``rows`` : figures that were there, blank ones too. ``notes`` : reason codes with
    arguments: ``indicator_percent:n`` (given in per cent or as a share, turned into the target's unit),
    ``indicator_unit_assumed:n`` (without a unit), ``indicator_blank:n`` (no figure),
    ``indicator_small_percent:target|value`` (below 1 %, where a share may have been meant).
    """

    table: pd.DataFrame
    rejects: pd.DataFrame
    rows: int = 0
    notes: tuple[str, ...] = ()


def read_indicators(  # noqa: PLR0913 - one keyword for each key of [[indicators]] in a study
    source: Source | Table,
    *,
    standard: Standard,
    districts: pd.DataFrame | None = None,
    villages: pd.DataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    target: str | None = None,
    year: int | None = None,
    items: Mapping[str, str] | None = None,
    whole: Collection[str] = (),
    max_rejected: float = 0.05,
) -> Indicators:
    """Read a table of registered figures; rows at fault become reject rows.

    1. The target is known by its id, else by its name; a figure of a target of another kind (a reported
       share of a circle) is read too.
    2. A district or village is known by code, else by name; a village's district is the village's own.
    3. ``90%``, or 90 in per cent, of a share is 0.9 and noted; 90 as a share is refused. A figure in any
       other unit than the target's is refused.
    4. Of two equal figures for one year and place the later row is refused; of two that differ, all are.

    Parameters
    ----------
    source : path, frame or table with the columns of :data:`INDICATOR_COLUMNS`
    standard : its targets say which figures there are and in which unit
    districts, villages : index code; ``name``, and ``district`` for villages
    columns : canonical name -> name of the column in the file
    target, year : of every row, where the table has no such column
    items : item of a rule for every village -> its column, for a table with a column for each
    whole : further words for the whole study in the column of districts
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    Indicators

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, the target or an item is unknown, the table is empty, or more than
        ``max_rejected`` of the rows are rejected.
    """
    table = source if isinstance(source, Table) else read_table(source)
    _check_declared(table.name, standard, target, items)
    long = _long(table, columns or {}, target, year, items or {})
    words = {_plain(word) for word in (*WHOLE, *whole)}
    places = _Places(_Units.made(districts), _Units.made(villages), words)
    figures, faults = _figures(long, standard, places)
    rejects = join_rejects([_rejected(table.name, fault) for fault in dict.fromkeys(faults)])
    kept, doubles = without_doubles(figures.assign(file=table.name))
    rejects = join_rejects([rejects, doubles])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    return Indicators(kept[list(INDICATOR_TABLE)], rejects, len(long), _notes(long, figures))


def join_indicators(parts: Collection[Indicators]) -> Indicators:
    """Return the figures of several files as one table; a figure that two files hold is a double.

    Parameters
    ----------
    parts : one for each file

    Returns
    -------
    indicators : figures, rejects and notes of all

    >>> join_indicators([]).table.empty
    True
    """
    tables = [part.table for part in parts if len(part.table)]
    joined = pd.concat(tables, ignore_index=True) if tables else _no_figures()
    kept, doubles = without_doubles(joined)
    rejects = [part.rejects for part in parts if len(part.rejects)]
    rejects += [doubles] if len(doubles) else []
    return Indicators(
        kept,
        pd.concat(rejects, ignore_index=True) if rejects else no_rejects(),
        sum(part.rows for part in parts),
        tuple(note for part in parts for note in part.notes),
    )


def without_doubles(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the figures without those that are given twice for one year and place.

    Parameters
    ----------
    table : as :attr:`Indicators.table`

    Returns
    -------
    table : of equal figures the first, of differing ones none
    rejects : every row left out, naming the other

    >>> table = join_indicators([]).table
    >>> len(without_doubles(table)[0]), len(without_doubles(table)[1])
    (0, 0)
    """
    twice = table.duplicated(_KEY, keep=False)
    if not twice.any():
        return table.reset_index(drop=True), no_rejects()
    drop: list[Any] = []
    parts = []
    # It is unknown which of two differing figures is right, and a verdict must not depend on a guess.
    for _, rows in table[twice].groupby(_KEY, sort=False):
        first, same = rows.iloc[0], bool((rows["value"] == rows["value"].iloc[0]).all())
        for label, row in (rows.iloc[1:] if same else rows).iterrows():
            drop.append(label)
            parts.append(
                reject_rows(
                    str(row["file"]),
                    [int(row["row"])],
                    column="value",
                    value=f"{row['value']:.10g}",
                    reason=say("listed twice, as in {file}, row {row}", file=first["file"], row=first["row"])
                    if same
                    else say(
                        "two figures of one year and place that differ: {figures}",
                        figures=", ".join(f"{value:.10g}" for value in rows["value"]),
                    ),
                    remedy=say("delete one of the rows") if same else say("keep the row that is right"),
                )
            )
    return table.drop(index=drop).reset_index(drop=True), pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Fault:
    """Fault of one figure: its column, its value, the reason and the remedy."""

    row: int
    column: str
    value: str
    reason: str
    remedy: str


def _rejected(file: str, fault: _Fault) -> pd.DataFrame:
    return reject_rows(
        file, [fault.row], column=fault.column, value=fault.value, reason=fault.reason, remedy=fault.remedy
    )


def _no_figures() -> pd.DataFrame:
    kinds = {"year": "int64", "value": "float64", "row": "int64"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in INDICATOR_TABLE})


def _plain(text: str) -> str:
    """Return a word in the form for comparison: plain small letters, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _check_declared(
    file: str, standard: Standard, target: str | None, items: Mapping[str, str] | None
) -> None:
    """Raise UnusableInputError for a target or items that the standard does not have."""
    known = {one.id: one for one in standard.targets}
    if target is not None and target not in known:
        near = nearest_name(target, known)
        remedy = say("did you mean '{name}'?", name=near) if near else say("use the id of a target")
        raise UnusableInputError([Fault(file, "target", target, say("no such target"), remedy)])
    asked = getattr(known[target], "each", {}) if target is not None else {}
    strange = [name for name in items or {} if name not in asked]
    if strange:
        there = ", ".join(asked) or "-"
        raise UnusableInputError(
            Fault(
                file,
                say("items.{name}", name=name),
                name,
                say("the target has no such item"),
                say("use one of: {there}", there=there),
            )
            for name in strange
        )


def _long(
    table: Table,
    columns: Mapping[str, str],
    target: str | None,
    year: int | None,
    items: Mapping[str, str],
) -> pd.DataFrame:
    """Return the table as texts, one row for each figure: columns of the schema, ``row``, ``column``."""
    given = {"target": target, "year": None if year is None else str(year)}
    wanted = [
        column
        for column in INDICATOR_COLUMNS.columns
        if given.get(column.name) is None and not (items and column.name in {"value", "item"})
    ]
    wanted += [
        Column(f"item {name}", "text", say("a figure of every village"), required=True) for name in items
    ]
    mapped = {**columns, **{f"item {name}": column for name, column in items.items()}}
    checked = check_table(
        table,
        Schema(INDICATOR_COLUMNS.name, tuple(wanted), INDICATOR_COLUMNS.part),
        columns={name: file for name, file in mapped.items() if name in {one.name for one in wanted}},
    )
    rows = table.frame.index
    frame = pd.DataFrame(
        {
            name: plain_texts(checked.frame[name]) if name in checked.frame else (given.get(name) or "")
            for name in INDICATOR_COLUMNS.names
        },
        index=rows,
    ).assign(row=rows.to_numpy(dtype=np.int64), column=checked.found.get("value", "value"))
    for name in INDICATOR_COLUMNS.names:
        frame[f"in_{name}"] = checked.found.get(name, name)
    if not items:
        return frame.reset_index(drop=True)
    # A table with a column for each item is turned into one row for each figure, so that every later check is
    # written once.
    parts = [
        frame.assign(item=name, value=plain_texts(checked.frame[f"item {name}"]), column=column)
        for name, column in items.items()
    ]
    return pd.concat(parts, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Units:
    """Districts or villages by code and name.

    ``district_of`` : code -> district, empty where unknown. ``named`` : plain name -> codes. ``words`` :
    codes and names, to guess from.
    """

    district_of: Mapping[str, str]
    named: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...]

    @classmethod
    def made(cls, layer: pd.DataFrame | None) -> _Units:
        """Return the codes, names and districts of a layer; without a layer there is no unit."""
        if layer is None:
            return cls({}, {}, ())
        codes, names = [str(code) for code in layer.index], layer["name"].astype("str").tolist()
        homes = (
            layer["district"].fillna("").astype("str").tolist() if "district" in layer else [""] * len(codes)
        )
        named: dict[str, tuple[str, ...]] = {}
        for code, name in zip(codes, names, strict=True):
            named[_plain(name)] = (*named.get(_plain(name), ()), code)
        return cls(dict(zip(codes, homes, strict=True)), named, (*codes, *names))

    def codes(self, text: str) -> tuple[str, ...]:
        """Return the unit of this code, else those of this name."""
        return (text,) if text in self.district_of else self.named.get(_plain(text), ())


@dataclass(frozen=True, eq=False)
class _Places:
    """Districts and villages, to be known by code or name; ``whole`` : words for the whole study."""

    districts: _Units
    villages: _Units
    whole: Collection[str]

    def of(self, row: Mapping[str, Any]) -> tuple[str, str] | _Fault:
        """Return the codes of a row's district and village, empty where it names none."""
        own, village = str(row["district"]), str(row["village"])
        own = "" if _plain(own) in self.whole else own
        towns = self.districts.codes(own) if own else ()
        if own and len(towns) != 1:
            return self._fault(row, "district", own, towns, self.districts)
        district = towns[0] if towns else ""
        if not village:
            return district, ""
        everywhere = self.villages.codes(village)
        # A village name is looked for in the stated district first: two villages of a county may have one
        # name.
        found = [
            code for code in everywhere if not district or self.villages.district_of[code] in {"", district}
        ]
        if everywhere and not found:
            reason = say("not a village of district '{district}'", district=own)
            remedy = say("correct one of the two")
            return _Fault(int(row["row"]), str(row["in_village"]), village, reason, remedy)
        if len(found) != 1:
            return self._fault(row, "village", village, tuple(found), self.villages)
        return self.villages.district_of[found[0]] or district, found[0]

    @staticmethod
    def _fault(
        row: Mapping[str, Any], column: str, text: str, found: tuple[str, ...], units: _Units
    ) -> _Fault:
        if found:
            reason, remedy = say("several units have this name"), say("give the code")
        else:
            near = nearest_name(text, units.words)
            reason = say("unknown {column}", column=column)
            remedy = (
                say("did you mean '{name}'?", name=near) if near else say("use a code of the study's units")
            )
        return _Fault(int(row["row"]), str(row[f"in_{column}"]), text, reason, remedy)


def _figures(long: pd.DataFrame, standard: Standard, places: _Places) -> tuple[pd.DataFrame, list[_Fault]]:
    """Return the good figures as a table, and the faults of the others."""
    known = _target_names(standard)
    good, faults = [], []
    for row in long.to_dict("records"):
        found = list(_row_faults(row, known, places))
        faults += found
        if not found and row["value"]:
            one = known[_plain(row["target"])]
            # Only rows without any fault: a figure at an uncertain place would be counted for the wrong
            # village.
            district, village = places.of(row)  # type: ignore[misc]  # a fault was found above
            value, unit, changed = _value(row, one)  # type: ignore[misc]  # the same
            good.append(
                {
                    "target": one.id,
                    "year": _year(row["year"]),
                    "district": district,
                    "village": village,
                    "item": row["item"],
                    "value": value,
                    "unit": unit,
                    "source": row["source"],
                    "row": int(row["row"]),
                    "changed": changed,
                    "assumed": not row["unit"],
                }
            )
    frame = pd.DataFrame(good, columns=[*_KEY, "value", "unit", "source", "row", "changed", "assumed"])
    texts = ["target", "district", "village", "item", "unit", "source"]
    return (
        frame.astype({**dict.fromkeys(texts, "str"), "year": "int64", "value": "float64", "row": "int64"}),
        faults,
    )


def _target_names(standard: Standard) -> dict[str, Target]:
    """Return the targets by id, and by a name that no other target has."""
    known: dict[str, Target] = {}
    for one in standard.targets:
        for name in (one.name.zh, one.name.en):
            known[_plain(name)] = one
    return known | {_plain(one.id): one for one in standard.targets}


def _row_faults(row: Mapping[str, Any], known: Mapping[str, Target], places: _Places) -> Iterator[_Fault]:
    """Yield every fault of one figure."""

    def _wrong(column: str, reason: str, remedy: str) -> _Fault:
        return _Fault(int(row["row"]), str(row[f"in_{column}"]), str(row[column]), reason, remedy)

    if _year(row["year"]) is None:
        yield _wrong("year", say("not a year"), say("write a year from 1990 to 2100, as 2025"))
    place = places.of(row)
    if isinstance(place, _Fault):
        yield place
    target = known.get(_plain(row["target"]))
    if target is None:
        near = nearest_name(row["target"], [one.id for one in known.values()])
        remedy = say("did you mean '{name}'?", name=near) if near else say("use the id of a target")
        yield _wrong("target", say("no such target"), remedy)
        return
    items = getattr(target, "each", {})
    if row["item"] and row["item"] not in items:
        there = ", ".join(items) or "-"
        yield _wrong("item", say("the target has no such item"), say("use one of: {there}", there=there))
        return
    # Items belong to the rule of a village; without one the figure could not be counted anywhere.
    if row["item"] and not row["village"]:
        yield _wrong("item", say("a figure of one village without its village"), say("fill in the village"))
    # A blank figure is unknown, which is a fact to count and no fault.
    if row["value"]:
        value = _value(row, target)
        if isinstance(value, _Fault):
            yield value


def _year(text: str) -> int | None:
    match = _YEAR.fullmatch(unicodedata.normalize("NFKC", text))
    if match:
        year = int(match[1])
    else:
        try:
            day = parse_date(text)
        except ValueError:
            return None
        if day is None:
            return None
        year = day.year
    return year if year in _YEARS else None


def _value(row: Mapping[str, Any], target: Target) -> tuple[float, str, bool] | _Fault:
    """Return a figure in the target's unit: (value, unit, whether it was converted)."""
    column = str(row["column"])

    def _wrong(column: str, value: str, reason: str, remedy: str) -> _Fault:
        return _Fault(int(row["row"]), column, value, reason, remedy)

    unit, names = _unit_of(target, item=bool(row["item"]))
    # Full-width digits and the minus sign of Chinese input are read too.
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", row["value"]).replace("−", "-"))
    if match is None or not np.isfinite(float(match[1])):
        remedy = say("write a number in digits without separators")
        return _wrong(column, row["value"], say("not a number"), remedy)
    value, given = float(match[1]), _plain(row["unit"])
    if value < 0:
        return _wrong(column, row["value"], say("less than 0"), say("write a figure of 0 or more"))
    own = _family(unit)
    kind = "percent" if match[2] else (_family(given) if given else own)
    if given and match[2] and _family(given) not in {"share", "percent"}:
        kind = _family(given)  # 90% in yuan: the unit is what is wrong
    # Only the two ways to write a share are turned into each other: no other factor is certain.
    if {own, kind} == {"share", "percent"}:
        value, changed = (value / 100 if own == "share" else value * 100), True
    elif kind == own or (given and given in names):
        changed = False
    else:
        return _wrong(
            str(row["in_unit"]),
            str(row["unit"]),
            say("another unit than the target's"),
            say("give the figure in '{unit}'", unit=unit),
        )
    # After the conversion, so that one bound serves both ways to write a share.
    ceiling = {"share": 1.0, "percent": 100.0}.get(own)
    if ceiling is not None and value > ceiling:
        remedy = say("give a figure from 0 to {ceiling}", ceiling=f"{ceiling:g}")
        if own == "share" and not changed and value <= 100:
            remedy = say("write {share}, or write percent as its unit", share=f"{value / 100:.10g}")
        return _wrong(column, row["value"], say("more than a share can be"), remedy)
    return value, unit, changed


def _unit_of(target: Target, *, item: bool) -> tuple[str, frozenset[str]]:
    """Return the unit of a target's figures, or of the items of its rule, and its names in tables."""
    if item:
        unit = str(getattr(target, "each_unit", ""))
        return unit, frozenset({_plain(unit)})
    if target.kind == "indicator":
        return target.unit, frozenset(_plain(name) for name in (target.unit, *target.unit_names))
    return (target.unit, frozenset({_plain(target.unit)})) if target.kind == "capacity" else ("share", _SHARE)


def _family(unit: str) -> str:
    """Return one name for all ways to write a share, and one for all ways to write per cent."""
    plain = _plain(unit)
    if plain in {_plain(name) for name in _SHARE}:
        return "share"
    return "percent" if plain in {_plain(name) for name in _PERCENT} else plain


def _notes(long: pd.DataFrame, figures: pd.DataFrame) -> tuple[str, ...]:
    """Return reason codes with the number of figures that were assumed or changed."""
    changed, assumed = int(figures["changed"].sum()), int(figures["assumed"].sum())
    blank = int((long["value"] == "").sum())
    small = figures[(figures["changed"].astype("bool")) & (figures["value"] > 0) & (figures["value"] < 0.01)]
    counts = {
        "indicator_percent": changed, "indicator_unit_assumed": assumed, "indicator_blank": blank,
    }  # fmt: skip
    return (
        *(f"{name}:{number}" for name, number in counts.items() if number),
        *(
            f"indicator_small_percent:{row.target}|{row.value:.10g}"
            for row in small.itertuples()
            if row.unit == "share"
        ),
    )
