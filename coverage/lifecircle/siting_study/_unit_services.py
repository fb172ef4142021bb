"""What the sites of a unit hold, and how many sites a unit takes; not where, nor which units get them.

A building has one venue for each of its services, as in a register. So a unit that lacks two venues of a
class takes one site where two services count for the class, and two sites where one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lifecircle.standards import PresenceTarget
    from lifecircle.study import Study

TIER = {"county": "county", "district": "town", "village": "village"}
"""The tier of the services that a unit gets, where a class has several."""


@dataclass(frozen=True)
class Offer:
    """What a new site may hold: class -> services that count for it, those to take first first."""

    services: Mapping[str, tuple[str, ...]]

    def sites(self, lacks: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
        """Return what each site of a unit holds, as few sites as can be.

        Each brings as many venues of a class as the unit lacks and as services count for it, so that no
        other sites bring more; the number is that of the class with most venues lacking for its services.

        Parameters
        ----------
        lacks : class -> venues lacking

        Returns
        -------
        services : (site,) services of each

        >>> Offer({"gym": ("gym",), "hall": ("hall", "library")}).sites({"gym": 2, "hall": 2})
        (('gym', 'hall', 'library'), ('gym',))
        """
        left, sites = dict(lacks), []
        while any(number > 0 for number in left.values()):
            mine: list[str] = []
            for name, number in left.items():
                for one in self.services[name]:
                    if self._venues(name, mine) >= number:
                        break
                    if one not in mine:
                        mine.append(one)
            sites.append(tuple(mine))
            left = {name: number - self._venues(name, mine) for name, number in left.items()}
        return tuple(sites)

    def _venues(self, name: str, services: Collection[str]) -> int:
        return sum(one in self.services[name] for one in services)


def offer_of(
    study: Study, target: PresenceTarget, classes: Collection[str], given: Sequence[str] | None
) -> Offer:
    """Choose what new sites may hold: of each class that is lacking the services of the unit's own tier.

    Parameters
    ----------
    classes : that some unit lacks
    given : services that sites hold instead; left out, those that the study names for the target, if any

    Raises
    ------
    UnusableInputError
        A service is unknown, or of what is given nothing counts for a class that is lacking.
    """
    own = tuple(given or study.siting.services.get(target.id, ()))
    known = [one.id for one in study.standard.services]
    faults = []
    for name in own:
        if name not in known:
            remedy = say("use one of {names}", names=", ".join(sorted(known)))
            faults.append(Fault("", "services", name, say("unknown service id"), remedy))
    if faults:
        raise UnusableInputError(faults)
    venues, tier = study.standard.venues(target), TIER.get(target.unit)
    able = {}
    for name in classes:
        mine = [one for one in study.standard.services if one.id in venues[name]]
        if own:
            mine = [one for one in mine if one.id in own]
        if not mine:
            reason = say("no service of the new sites counts for '{name}'", name=name)
            remedy = say("use one of {names}", names=", ".join(sorted(venues[name])))
            faults.append(Fault("", "services", ", ".join(own), reason, remedy))
        fitting = [one for one in mine if one.tier == tier]
        # Services of another tier only where somebody names them, or there are none of the own tier.
        able[name] = [*fitting, *(one for one in mine if one.tier != tier and (own or not fitting))]
    if faults:
        raise UnusableInputError(faults)
    # A service that is held for one class counts for every other class it belongs to.
    order = dict.fromkeys(one.id for services in able.values() for one in services)
    return Offer(
        {
            name: (
                *(one.id for one in able[name]),
                *(one for one in order if one in venues[name] and one not in {own.id for own in able[name]}),
            )
            for name in able
        }
    )
