"""Print the figures of the map page: shares, goals, people, minutes, and the names of services.

Every figure is printed so that it never looks better than it is: rates are truncated, minutes are rounded up.
The words around them stand in ``wording.toml``.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from lifecircle.limits import SLACK_S
from lifecircle.wording import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.wording import Words

WITHHELD = "*"  # stands where the public edition keeps a number back
_NOISE_MIN = SLACK_S / 60  # the tolerance of an inclusive limit, in minutes


def service_text(services: Mapping[str, Mapping[str, str]], name: str, words: Words) -> str:
    """Return the word for a service or a class of venues, or its id where there is none.

    >>> from lifecircle.wording import Words
    >>> [service_text({}, name, Words("zh")) for name in ("public_benefit", "bus_stop")]
    ['公益类设施', 'bus_stop']
    """
    return services.get(name, {}).get(words.language) or words.get("class", name)


def venues_text(require: Mapping[str, int], services: Mapping[str, Mapping[str, str]], words: Words) -> str:
    r"""Name what a rule asks for and how many of each, as one reads it aloud.

    >>> from lifecircle.wording import Words
    >>> venues_text({"mandatory": 1, "public_benefit": 2}, {}, Words("en"))
    '1 mandatory and 2 public-benefit venues'
    >>> venues_text({"mandatory": 1, "public_benefit": 2}, {}, Words("zh"))
    '必备类设施 1 处、公益类设施 2 处'
    >>> venues_text({"library": 2}, {"library": {"en": "library", "zh": "图书馆"}}, Words("en"))
    '2\xa0× library'
    """
    page, many = words.section("page"), words.section("class_many")
    parts = []
    for name, count in require.items():
        text = service_text(services, name, words)
        plural = None if name in services or count == 1 else many.get(name)
        form = "rule_part" if plural or count == 1 else "rule_several"
        parts.append(page[form].format(name=plural or text, count=count))
    stems = [part.removesuffix("s").removesuffix(" venue") for part in parts]
    if len(parts) > 1 and all(part.removesuffix("s").endswith(" venue") for part in parts):
        parts = [*stems[:-1], f"{stems[-1]} venues"]
    first = page["rule_and"].join(parts[:-1])
    return page["rule_last"].join(part for part in (first, parts[-1] if parts else "") if part)


def percent_text(value: float | None) -> str:
    """Print a share in per cent, truncated to a tenth of a point, so that it never reads as a goal it missed.

    >>> percent_text(0.9996), percent_text(0.29), percent_text(1.0), percent_text(None)
    ('99.9%', '29.0%', '100.0%', '—')
    """
    return percent(value).replace(" ", "")


def goal_text(value: float) -> str:
    """Print a goal or a class limit, a share, with all its digits.

    >>> goal_text(1.0), goal_text(0.9005), goal_text(0.29)
    ('100%', '90.05%', '29%')
    """
    points = (Decimal(repr(float(value))) * 100).normalize()
    return f"{points:f}%"


def people_text(people: float) -> str:
    """Print a number of people in whole persons; a part of a person prints as ``<1``, not as nobody.

    A number kept back (NaN) prints as a star.

    >>> people_text(1234567.2), people_text(0.3), people_text(0.0), people_text(math.nan)
    ('1,234,567', '<1', '0', '*')
    """
    if math.isnan(people):
        return WITHHELD
    return "<1" if 0 < people < 0.5 else f"{people:,.0f}"


def minutes_text(minutes: float) -> str:
    """Print minutes rounded up to a tenth, so that a time over its limit never reads as the limit.

    >>> minutes_text(15.0), minutes_text(15.01), minutes_text(14.92)
    ('15.0', '15.1', '15.0')
    """
    if not math.isfinite(minutes):
        return "—"
    tenths = (Decimal(repr(float(minutes))) - Decimal(repr(_NOISE_MIN))) * 10
    return f"{max(tenths.to_integral_value(rounding=ROUND_CEILING), Decimal(0)) / 10:.1f}"
