"""The plain words of a siting study of units, in Chinese and English; computes no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.siting_study._siting_table import PlanTable, worded_table
from lifecircle.siting_study._siting_text import note_line
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.findings import Language
    from lifecircle.siting_study._unit_sites import UnitSite
    from lifecircle.siting_study._unit_study import UnitStudy

_NAMED = 6  # units named in a cell or sentence; the sheets hold all
_NEXT = 5  # units without a site that are named with their rank


def unit_lines(study: UnitStudy, language: Language) -> list[str]:
    """Return a siting study of units in sentences: the plan, its proof, the goal, each site, what is left."""
    return [
        *unit_head(study, language),
        *unit_goal(study, language),
        *unit_reasons(study, language),
        *unit_notes(study, language),
    ]


def unit_head(study: UnitStudy, language: Language) -> list[str]:
    """Return what a plan brings, before and after, with its proof."""
    units = word("unit_kind", study.target.unit, language)
    after, total = study.holding_after, study.total
    aim = "aim_fewest" if study.new is None else "aim_outlets" if _shares(study) else "aim_people"
    head = _say(
        "headline",
        language,
        study.target.name.get(language),
        len(study.sites),
        units,
        study.holding,
        after,
        total,
        percent(study.holding / total),
        percent(after / total),
        _say(aim, language),
        word("plan_status", study.status, language),
    )
    audited = study.scenario.target(study.target.id).units
    assert audited is not None  # the proof has compared them
    return [head + ("" if language == "zh" else " ") + _say("proof", language, audited.holding_after, units)]


def unit_goal(study: UnitStudy, language: Language) -> list[str]:
    """Return how many sites the goal takes, and why fewer do not do; nothing where there is no goal."""
    goal, needed, found = study.target.goal, study.needed, study.certificate
    if goal is None or needed is None:
        return []
    units = word("unit_kind", study.target.unit, language)
    if needed == 0:
        return [_say("goal_today", language, percent(goal))]
    if found.fewest is None:
        return [_say("goal_never", language, percent(goal), needed, units, study.placeable)]
    why = _say("by_sum" if (study.without["takes"] > 1).any() else "by_count", language, needed, units)
    if _shares(study):
        proved = found.fewest == found.fewest_possible
        why = _say("by_cover" if proved else "by_bound", language, needed, units, found.fewest_possible)
    line = _say("goal", language, percent(goal), found.fewest, why)
    left = needed - found.held
    if left > 0:
        line += _say("goal_left", language, left, units)
    return [line]


def unit_reasons(study: UnitStudy, language: Language) -> list[str]:
    """Return why each site is where it is, and which units come next."""
    lines = [_site(site, study, language) for site in study.sites]
    rest = study.without[~study.without["chosen"]].head(_NEXT)
    if len(rest):
        parts = [
            _say("next", language, row["rank"], row["name"], _people(row["people"], language))
            if not _shares(study)
            else str(row["name"])
            for _, row in rest.iterrows()
        ]
        lines.append(
            _say("still_without", language, int((~study.without["chosen"]).sum()), _joined(parts, language))
        )
    return lines


def unit_notes(study: UnitStudy, language: Language) -> list[str]:
    """Return all notes of a study."""
    return [note_line(note, language) for note in study.notes]


def unit_table(study: UnitStudy, language: Language) -> PlanTable:
    """Return a row for every site: its units, who lives there, the next best unit, the value after."""
    # Who lives in a unit that lacks its second venue is not without one.
    people = "people" if _several(study) else "without"
    rows = []
    for number, site in enumerate(study.sites, 1):
        rows.append(
            {
                "row": str(number),
                "unit": _names(study, site, language),
                "district": town_name(study, site.district),
                people: "" if site.people is None else f"{site.people:,.0f}",
                "place": position_text(site, language) if not _shares(study) else _lonlat(site),
                "cost": "" if site.cost is None else f"{site.cost:,.1f}",
                "existing": existing_text(study, site, language),
                "next_best": next_best(study, site, language),
                "value_after": f"{percent(site.held_after / study.total)} ({site.held_after}/{study.total})",
            }
        )
    names = ("row", "unit", "district", people, "place", "existing", "cost", "next_best", "value_after")
    return worded_table(names, rows, language)


def part_text(site: UnitSite) -> str:
    """Return which of several sites of its unit a site is, such as 1/2; empty for the only one."""
    return "" if site.parts == 1 else f"{site.part}/{site.parts}"


def lacks_text(study: UnitStudy, code: str, language: Language) -> str:
    """Name what a unit without lacks, and how many where it is more than one."""
    row = study.without.loc[code]
    return _joined(
        [
            _class_name(study, name, language) + ("" if short == 1 else f" ×{short}")
            for name, short in zip(row["lacks"], row["short"], strict=True)
        ],
        language,
    )


def existing_text(study: UnitStudy, site: UnitSite, language: Language) -> str:
    """Say how far the nearest venue is today from a site, of every class that is lacking."""
    parts = []
    for one in site.existing:
        far = _say("existing", language, f"{one.minutes or 0:.1f}", one.name or one.id)
        text = _say("no_existing", language) if one.minutes is None else far
        parts.append(text if len(site.existing) == 1 else f"{_class_name(study, one.lacks, language)} {text}")
    return _joined(parts, language)


def _class_name(study: UnitStudy, name: str, language: Language) -> str:
    own = study.scenario.before.services.get(name, {}).get(language)
    return own or word("class", name, language)


def _names(study: UnitStudy, site: UnitSite, language: Language) -> str:
    """Name the units of a site; where it is one of several of its unit, which."""
    names = _joined([unit_name_of(study, code) for code in site.units], language)
    return names if site.parts == 1 else f"{names} ({part_text(site)})"


def unit_name_of(study: UnitStudy, code: str) -> str:
    """Name a unit without by its code."""
    return str(study.without.loc[code, "name"])


def town_name(study: UnitStudy, code: str) -> str:
    """Name a district by its code."""
    districts = study.inputs.districts
    known = districts is not None and code in districts.index
    return str(districts["name"][code]) if districts is not None and known else code


def position_text(site: UnitSite, language: Language) -> str:
    """Say where a site stands: on which candidate, or among the homes of its unit."""
    if not site.candidate:
        return f"{word('unit_plan', 'at_home', language)} {_lonlat(site)}"
    return f"{site.candidate} {word('works', site.works, language)}".strip()


def next_best(study: UnitStudy, site: UnitSite, language: Language) -> str:
    """Say what would be held instead of a site's units, its rank, and how much less that is."""
    if not site.next_best:
        return _say("no_next" if study.without["chosen"].all() else "no_next_fits", language)
    names = _joined([unit_name_of(study, code) for code in site.next_best], language)
    if _shares(study):
        return _say("next_outlets", language, names, f"{site.next_loss or 0:.0f}")
    return _say("next_unit", language, names, site.next_rank, _people(site.next_loss, language))


def _several(study: UnitStudy) -> bool:
    """Return whether a unit has to have more than one venue of a class."""
    return max(study.target.needed.values()) > 1


def _shares(study: UnitStudy) -> bool:
    """Return whether one site may hold several units."""
    return study.target.unit == "outlet"


def _site(site: UnitSite, study: UnitStudy, language: Language) -> str:
    today = existing_text(study, site, language)
    if _shares(study):
        return _say(
            "site_outlets",
            language,
            _names(study, site, language),
            len(site.units),
            town_name(study, site.district),
            f"{study.target.within_m:g}",
            next_best(study, site, language),
            today,
        )
    return _say(
        "site_short" if _several(study) else "site",
        language,
        _names(study, site, language),
        town_name(study, site.district),
        _people(site.people, language),
        site.rank,
        len(study.without),
        position_text(site, language),
        next_best(study, site, language),
        today,
        lacks_text(study, site.units[0], language),
    )


def _joined(names: Sequence[str], language: Language) -> str:
    """Name the first of many, and say how many more there are."""
    text = word("scenario", "comma", language).join(names[:_NAMED])
    more = len(names) - _NAMED
    return text if more <= 0 else text + word("scenario", "more", language).format(more)


def _lonlat(site: UnitSite) -> str:
    return f"{site.lon:.5f}, {site.lat:.5f}"


def _people(people: float | None, language: Language) -> str:
    return word("siting", "unknown", language) if people is None or people != people else f"{people:,.0f}"  # noqa: PLR0124 - NaN


def _say(name: str, language: Language, *parts: object) -> str:
    return word("unit_plan", name, language).format(*parts)
