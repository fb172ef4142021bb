"""Decide what each department is asked for: its services, the columns of its list, the figures it registers.

Pure functions of a profile and of the units of a study; nothing is read or written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lifecircle.measures import committees

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifecircle.standards import IndicatorTarget, Language, Standard

Kind = Literal["text", "degrees", "count", "services", "districts", "villages", "ownership", "yes_no"]

COLUMNS: Mapping[str, Kind] = {
    "id": "text",
    "name": "text",
    "service": "services",
    "district": "districts",
    "village": "villages",
    "address": "text",
    "lon": "degrees",
    "lat": "degrees",
    "capacity": "count",
    "hours": "text",
    "opened": "text",
    "closed": "text",
    "ownership": "ownership",
    "fee": "yes_no",
    "serves": "text",
    "remarks": "text",
}
"""Columns of the list of facilities, in order: our name -> what its cells hold."""

NEEDED = frozenset({"name", "service", "lon", "lat"})
"""Columns without which a facility counts nowhere."""

FIGURE_COLUMNS = (
    "target", "meaning", "year", "district", "village", "unit_name", "item", "value", "unit", "source",
    "remarks",
)  # fmt: skip
"""Columns of the sheet of registered figures; people alone read ``meaning``, ``unit_name``, ``remarks``."""


@dataclass(frozen=True)
class Unit:
    """A district or a village: its code, its name, and the code of its district."""

    code: str
    name: str
    district: str = ""


@dataclass(frozen=True)
class Units:
    """The districts and villages of a study, in the order of their tables."""

    districts: tuple[Unit, ...] = ()
    villages: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class FigureRow:
    """A figure to be filled in: its target, year, unit of the study and unit of measure.

    ``units`` : ways to write the unit of measure, the proposed one first.
    """

    target: str
    meaning: str
    year: int | None
    district: str
    village: str
    unit_name: str
    item: str
    units: tuple[str, ...]


@dataclass(frozen=True)
class DepartmentForm:
    """What one department fills in.

    ``services`` : what a service is called on the form -> its id; ``amounts`` : further columns of numbers
    that targets add up, such as carers; ``figures`` : rows of the sheet of registered figures.
    """

    department: str
    services: Mapping[str, str]
    amounts: tuple[str, ...]
    figures: tuple[FigureRow, ...]


def department_forms(
    standard: Standard, *, units: Units = Units(), year: int | None = None, language: Language = "zh"
) -> tuple[DepartmentForm, ...]:
    """Return what each department is asked for, departments in the order of the profile.

    A department lists the facilities of its services, and registers the figures of its indicators: one for
    the whole study, and one for each district or village where the target expects them. Figures that the
    audit counts itself are not asked for.

    Parameters
    ----------
    standard : its services and targets name the departments
    units : districts and villages to ask figures of
    year : year of the figures; left out, the cell is left to fill in
    language : of the names on the form

    Returns
    -------
    forms : one for each department that has a service or an indicator

    >>> from lifecircle.standards import load_standard
    >>> forms = department_forms(load_standard("haiyan-2025"))
    >>> [form.department for form in forms][:2], forms[0].services["图书馆"]
    (['文化广电旅游体育局', '县委宣传部（文明办）'], 'library')
    """
    asked = [one for one in standard.targets if one.kind == "indicator" and one.computed is None]
    departments = dict.fromkeys(
        [one.department for one in standard.services] + [one.department for one in asked]
    )
    forms = []
    for department in departments:
        services = _service_names(standard, department, language)
        figures = [
            row
            for target in asked
            if target.department == department
            for row in _figure_rows(target, units, year, language)
        ]
        forms.append(DepartmentForm(department, services, _amounts(standard, services), tuple(figures)))
    return tuple(forms)


def _service_names(standard: Standard, department: str, language: Language) -> dict[str, str]:
    """Return the department's services by name; of two with one name each bears its id too."""
    own = [one for one in standard.services if one.department == department]
    names = [one.name.get(language) for one in own]
    return {
        name if names.count(name) == 1 else f"{name} {one.id}": one.id
        for name, one in zip(names, own, strict=True)
    }


def _amounts(standard: Standard, services: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns beside the capacity that targets add up over these services."""
    ids = set(services.values())
    columns = [
        target.of
        for target in standard.targets
        if target.kind == "capacity"
        and any(
            one.id in ids and (name == one.id or name in one.classes)
            for one in standard.services
            for name in target.require
        )
    ]
    return tuple(name for name in dict.fromkeys(columns) if name not in COLUMNS)


def _figure_rows(
    target: IndicatorTarget, units: Units, year: int | None, language: Language
) -> Iterator[FigureRow]:
    """Yield the figures of one target: of the whole study, of districts, of villages and their items."""
    name = target.name.get(language)
    ways = _ways_to_write(target.unit, target.unit_names)
    districts = {one.code: one.name for one in units.districts}
    if target.each:
        # Without villages one row shows what is asked of each of them.
        for village in _asked_villages(target, units) or (Unit("", ""),):
            for item, least in target.each.items():
                meaning = f"{name} · {item} ≥ {least:.10g} {target.each_unit}".rstrip()
                yield FigureRow(
                    target.id, meaning, year, village.district, village.code, village.name, item,
                    (target.each_unit,) if target.each_unit else (),
                )  # fmt: skip
        return
    if target.by == "village" and units.villages:
        for village in _asked_villages(target, units):
            shown = f"{districts.get(village.district, '')} {village.name}".strip()
            yield FigureRow(target.id, name, year, village.district, village.code, shown, "", ways)
        return
    yield FigureRow(target.id, name, year, "", "", "", "", ways)
    if target.by != "county":
        for one in units.districts:
            yield FigureRow(target.id, name, year, one.code, "", one.name, "", ways)


def _asked_villages(target: IndicatorTarget, units: Units) -> list[Unit]:
    """Return the villages that a target counts, and those of which it is not known whether it does."""
    villages = units.villages
    kinds = committees([one.code for one in villages], [one.name for one in villages])
    counted = {"all": {"village", "community"}}.get(target.committee, {target.committee})
    return [one for one, kind in zip(villages, kinds, strict=True) if not kind or kind in counted]


def _ways_to_write(unit: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ways to write a unit, the first proposed: offices report shares in per cent."""
    if unit == "share":
        return ("%", "share")
    return ("%",) if unit in {"percent", "%"} else tuple(dict.fromkeys((unit, *names)))
