"""Write the ``study.toml`` of a district that was cut out of a region."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.batch._cut import Cut
    from lifecircle.standards import Standard
    from lifecircle.study import Study


STANDARD_FILE: Final = "standard.toml"
_PARTS: Final = (
    *("roads", "demand", "districts", "villages"),
    *("facilities", "outlets", "indicators", "barriers"),
)


def district_text(  # noqa: PLR0913 - what the text is made of, two by name
    study: Study,
    cut: Cut,
    name: str,
    parts: Mapping[str, Mapping[int, str]],
    *,
    crs: Any,
    buffer_m: float,
) -> str:
    """Return the text of the study of one district.

    Settings of the region that decide on figures are taken over; what its files needed to be read by (datum,
    columns, classes) is not, since the tables of the district are plain.

    Parameters
    ----------
    study : of the region
    cut : of the district
    name : id of the district's study
    parts : part of the study -> year -> file
    crs : metre CRS of the region's roads
    buffer_m : how far beyond the border roads and venues are kept
    """
    comment = (
        f"Cut out of the study {study.id}: district {cut.code}, roads and venues within {buffer_m:.0f} m."
    )
    head = {"id": name, "name": cut.name, "year": study.year, "crs": crs.to_string()}
    kept = {key: getattr(study, key) for key in ("language", "synthetic", "max_rejected")}
    lines = [f"# {comment}", "", *_keys(**head, **kept)]
    own = _own_keys(study, parts)
    for part in _PARTS:
        if part in parts:
            title = "[[facilities]]" if part == "facilities" else f"[{part}]"
            lines += ["", title, *_keys(file=_file(parts[part]), **own.get(part, {}))]
    shown = {
        "publish": study.publish.model_dump(exclude={"mask"}, exclude_unset=True),
        "atlas": study.atlas.model_dump(include={"data_date"}, exclude_unset=True),
        "reading": study.reading.model_dump(exclude_unset=True),
    }
    for part, keys in shown.items():
        lines += ["", f"[{part}]", *_keys(**keys)] if keys else []
    use = study.standard.id if study.standard_path is None else STANDARD_FILE
    left_out = {"leave_out": [one.id for one in study.left_out]} if study.left_out else {}
    return "\n".join([*lines, "", "[standard]", *_keys(use=use, **left_out)]) + "\n"


def _own_keys(study: Study, parts: Mapping[str, Mapping[int, str]]) -> dict[str, dict[str, Any]]:
    """Return the keys of parts beside their files."""
    groups = {group: group for group in study.demand.groups}
    preference = {key: getattr(study.roads, key) for key in ("prefer_main_m", "fragment_m")}
    return {
        "roads": preference,
        "demand": {"population": "population", "groups": groups, **_breaks(study, parts)},
    }


def standard_text(standard: Standard) -> str:
    """Return a standard in full as TOML, as its profile and those it builds on gave it."""
    plain = standard.model_dump(mode="json", by_alias=True, exclude_none=True)
    return "\n".join(_keys(**plain)) + "\n"


def _file(years: Mapping[int, str]) -> Any:
    """Return the file of a part: one for all years, or by year."""
    return next(iter(years.values())) if len(years) == 1 else dict(years)


def _breaks(study: Study, parts: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """Return the declared changes of surface that fall into the years of the district."""
    years = parts.get("demand", {})
    breaks = [year for year in study.demand.breaks if len(years) > 1 and year in years]
    return {"breaks": breaks} if breaks else {}


def _keys(**values: Any) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in values.items() if value is not None]


def _value(value: Any) -> str:
    """Write a value as TOML; texts are quoted as JSON quotes them, which TOML reads."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{json.dumps(str(key), ensure_ascii=False)} = {_value(one)}" for key, one in value.items()
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
