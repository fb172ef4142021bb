"""Place the facilities of every service and open them over the years.

Every name is made up and starts with 示例·. Sites are chosen among the places where residents live, near a
street. Villages that mislead are made in ``design``, faults of real registers in ``faults``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from county.services import MANDATORY, SERVICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from county.network import Network
    from county.people import Residents
    from county.plan import Plan
    from county.walking import Walks

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WALK_15_M = 1_250.0  # 15 minutes at 5 km/h
COLUMNS = (
    "id",
    "name",
    "service",
    "tier",
    "ownership",
    "capacity",
    "carers",
    "hours",
    "opened",
    "closed",
    "serves",
    "x",
    "y",
    "file",
)


@dataclass
class Register:
    """Facilities under construction, as rows."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def add(  # noqa: PLR0913 - one argument for each column that differs between facilities
        self,
        service: str,
        place: str,
        xy: Floats,
        rng: np.random.Generator,
        *,
        opened: str = "",
        closed: str = "",
        serves: str = "",
        capacity: float | None = None,
        carers: int | None = None,
    ) -> dict[str, Any]:
        """Enter one facility and return its row."""
        word, file, tier, ownership, hours = SERVICES[service]
        stem = f"示例·{place}{word}"
        self.seen[stem] = self.seen.get(stem, 0) + 1
        name = stem if self.seen[stem] == 1 else f"{stem} {self.seen[stem]:02d}"
        self.seen[file] = self.seen.get(file, 0) + 1
        row = dict.fromkeys(COLUMNS, None) | {
            "id": f"{file[0].upper()}{self.seen[file]:04d}",
            "name": name,
            "service": service,
            "tier": tier,
            "ownership": ownership,
            "capacity": capacity,
            "carers": carers,
            "hours": hours[int(rng.integers(len(hours)))],
            "opened": opened,
            "closed": closed,
            "serves": serves,
            "x": float(xy[0]),
            "y": float(xy[1]),
            "file": file,
        }
        self.rows.append(row)
        return row

    def xy(self, services: Sequence[str]) -> Floats:
        """List the places of some services' facilities that are not closed."""
        found = [
            (row["x"], row["y"]) for row in self.rows if row["service"] in services and not row["closed"]
        ]
        return np.array(found).reshape(-1, 2)


@dataclass(frozen=True)
class County:
    """All that placing facilities reads, and the sites to choose from."""

    plan: Plan
    network: Network
    residents: Residents
    walks: Walks
    sites: Floats  # places near a street where a facility may stand
    site_unit: Ints
    main: Floats  # (unit, 2) the most central site of each village

    def near(self, xy: Floats, unit: int, rng: np.random.Generator, *, spread: int = 14) -> Floats:
        """Choose a site of a village among those nearest to a place."""
        own = self.sites[self.site_unit == unit]
        order = np.argsort(np.hypot(*(own - xy).T), kind="stable")[:spread]
        return own[order[int(rng.integers(len(order)))]]


def prepare(plan: Plan, network: Network, residents: Residents, walks: Walks) -> County:
    """Choose the sites where facilities may stand, and each village's most central one."""
    known = ~np.isnan(residents.xy[:, 0]) & ~residents.far
    xy, unit, people = residents.xy[known], residents.unit[known], residents.people[known]
    node, gap = walks.snapped(xy)
    good = (gap < 45) & walks.main[node]
    sites = np.round(xy[good] + 4.0, 1)
    main = np.empty((len(plan.units.codes), 2))
    for number in range(len(main)):
        own = unit == number
        choice = sites[unit[good] == number]
        cost = (np.hypot(*(choice[:, None] - xy[own][None]).transpose(2, 0, 1)) ** 1.5 * people[own]).sum(
            axis=1
        )
        main[number] = choice[cost.argmin()]
    return County(plan, network, residents, walks, sites, unit[good], main)


def short_name(name: str) -> str:
    """Shorten a committee's listed name to the place's.

    >>> short_name("首荡村委会"), short_name("文星社区居民委员会")
    ('首荡村', '文星社区')
    """
    return name.removesuffix("居民委员会").removesuffix("居委会").removesuffix("委会")


def place_facilities(county: County, seed: int) -> Register:
    """Enter the facilities of all services."""
    rng = np.random.default_rng([seed, 40])
    register = Register()
    _county_venues(county, register, rng)
    _town_venues(county, register, rng)
    _village_venues(county, register, rng)
    _second_culture_sites(county, register, rng)
    _civic_and_fitness(county, register, rng)
    _nurseries(county, register, rng)
    _schools(county, register, rng)
    _bus_stops(county, register, rng)
    return register


def _day(rng: np.random.Generator, year: int) -> str:
    return f"{year}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 29)):02d}"


def _opening(rng: np.random.Generator, *, before: float) -> str:
    """Draw an opening day: with this probability before the plan, else within 2021 to 2025."""
    if rng.random() < before:
        return _day(rng, int(rng.integers(2012, 2021)))
    return _day(rng, int(rng.choice([2021, 2022, 2023, 2024, 2025], p=[0.2, 0.24, 0.24, 0.2, 0.12])))


def _county_venues(county: County, register: Register, rng: np.random.Generator) -> None:
    """Enter what the county has one of; the plan's named projects open in 2023 to 2025, one is late."""
    units = np.nonzero((county.plan.units.town == 0) & county.plan.units.community)[0]
    opened = {
        "culture_art_centre": "2023-10-01",
        "history_culture_centre": "2024-05-18",
        "heritage_museum": "2024-06-08",
        "national_fitness_centre": "2025-03-28",
        "elderly_university": "2023-09-01",
        "welfare_centre": "2022-12-20",
        "special_school": "2026-09-01",
    }
    size = {
        "county_hospital": 800,
        "tcm_hospital": 420,
        "welfare_centre": 260,
        "special_school": 120,
        "high_school": 2_400,
    }
    listed = [name for name, entry in SERVICES.items() if entry[2] == "county"]
    for number, service in enumerate(listed):
        for part in range({"county_hospital": 2, "high_school": 3}.get(service, 1)):
            unit = int(units[(number * 3 + part * 5) % len(units)])
            xy = county.near(county.main[unit], unit, rng, spread=40)
            register.add(
                service,
                "海盐县",
                xy,
                rng,
                opened=opened.get(service, _day(rng, 2008)),
                capacity=size.get(service),
                serves="330424" if service != "high_school" else "",
            )


def _town_venues(county: County, register: Register, rng: np.random.Generator) -> None:
    """Enter what every town has; some open only during the plan."""
    plan = county.plan
    for number, (code, name) in enumerate(zip(plan.town_codes, plan.town_names, strict=True)):
        own = np.nonzero(plan.units.town == number)[0]
        heart = int(own[np.hypot(*(county.main[own] - plan.centres[number]).T).argmin()])
        street = name.endswith("街道")
        health = "community_health_centre" if street else "town_health_centre"
        # 2025 is the year in which the last mental-health rooms open.
        opened = {
            "mental_health_room": f"{2021 + number * 4 // max(len(plan.towns) - 1, 1)}-0{1 + number % 9}-15",
            "tcm_town_room": f"{2019 + number % 5}-06-01",
        }
        for service in (
            "town_culture_station",
            "sports_park",
            "civic_institute",
            "town_mediation_centre",
            "elder_care_centre",
            "nursing_home",
            health,
            "mental_health_room",
            "tcm_town_room",
            "elderly_activity_centre",
            "fitness_trail",
        ):
            carers = {"elder_care_centre": 6, "nursing_home": 4}.get(service)
            register.add(
                service,
                name,
                county.near(county.main[heart], heart, rng, spread=30),
                rng,
                serves=code,
                opened=opened.get(service) or _day(rng, int(rng.integers(2010, 2021))),
                carers=carers,
                capacity={"nursing_home": 150.0, "elder_care_centre": 40.0}.get(service),
            )
        if street:
            for unit in own[plan.units.community[own]][::3]:
                xy = county.near(county.main[unit], int(unit), rng, spread=20)
                register.add("city_reading_room", name, xy, rng, opened=_opening(rng, before=0.35))


def _village_venues(county: County, register: Register, rng: np.random.Generator) -> None:
    """Enter what every village is to have; the last of it opens in 2025 or is still missing."""
    plan = county.plan
    order = rng.permutation(len(plan.units.codes))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    for unit, (code, name) in enumerate(zip(plan.units.codes, plan.units.names, strict=True)):
        turn, heart = int(rank[unit]), county.main[unit]
        for service, before in _village_list(turn, community=bool(plan.units.community[unit])):
            aged = service == "elder_care_station"
            xy = county.near(heart, unit, rng, spread=16)
            register.add(
                service,
                short_name(name),
                xy,
                rng,
                opened=_opening(rng, before=before),
                serves=code,
                carers=2 - turn % 2 if aged else None,
                capacity=float(12 + turn % 20) if aged else None,
            )


def _village_list(turn: int, *, community: bool) -> list[tuple[str, float]]:
    """List a village's services and the share opened before the plan; ``turn`` decides what is missing."""
    listed = [
        ("culture_post" if community else "culture_hall", 0.72),
        ("small_gym", 0.62),
        ("elderly_activity_centre", 0.66),
        ("civic_station", 0.55),
        ("fitness_site", 0.7),
        ("community_health_station" if community else "village_clinic", 0.85),
    ]
    if turn >= 3:
        listed.append(("elder_care_station", 0.6))
    if turn % 9:
        listed.append(("tcm_village_room", 0.25))
    if turn < 64:
        listed.append(("good_governance_village", 0.2))
    if turn != 7:
        listed.append(("civic_index_village", 0.3))
    return listed


def _second_culture_sites(county: County, register: Register, rng: np.random.Generator) -> None:
    """Open further sites of three venues each where most residents are still too far, during the plan."""
    residents, walks = county.residents, county.walks
    known = ~np.isnan(residents.xy[:, 0]) & ~residents.far
    xy, people = residents.xy[known], residents.people[known]
    covered = walks.metres(register.xy(MANDATORY), xy, limit_m=2_000) <= WALK_15_M
    choice = np.arange(0, len(county.sites), 2)
    near = cKDTree(county.sites[choice]).sparse_distance_matrix(cKDTree(xy), 650.0, output_type="coo_matrix")
    near = csr_matrix((np.ones(near.nnz), (near.row, near.col)), shape=near.shape)
    for step in range(round(22 * len(county.plan.towns) / 9)):
        best = int(choice[(near @ np.where(covered, 0, people)).argmax()])
        site, unit = county.sites[best], int(county.site_unit[best])
        place = short_name(county.plan.units.names[unit])
        opened = _day(rng, 2021 + step % 5)
        for service in ("culture_post", "small_gym", "elderly_activity_centre"):
            spot = county.near(site, unit, rng, spread=5)
            register.add(service, place, spot, rng, opened=opened)
        close = np.nonzero(np.hypot(*(xy - site).T) < WALK_15_M)[0]
        covered[close] |= walks.around(xy[close], 500).metres(site[None], xy[close]) <= WALK_15_M


def _civic_and_fitness(county: County, register: Register, rng: np.random.Generator) -> None:
    """Spread civic points, courts and further fitness and health sites by population."""
    for service, share, before in (
        ("civic_point", 1.1, 0.4),
        ("fitness_site", 2.2, 0.6),
        ("sports_court", 0.8, 0.5),
        ("elder_care_station", 0.16, 0.2),
        ("community_health_station", 0.1, 0.5),
    ):
        for _ in range(round(share * len(county.main))):
            site = int(rng.integers(len(county.sites)))
            unit = int(county.site_unit[site])
            register.add(
                service,
                short_name(county.plan.units.names[unit]),
                county.sites[site],
                rng,
                opened=_opening(rng, before=before),
                carers=1 if service == "elder_care_station" else None,
            )


def _nurseries(county: County, register: Register, rng: np.random.Generator) -> None:
    """Place nurseries so that urban children live within a usual 15-minute walk, not a slow one."""
    plan, residents = county.plan, county.residents
    places = [place for town in range(len(plan.towns)) for place in _town_nurseries(county, town)]
    places += [(county.main[unit], int(unit)) for unit in np.nonzero(~plan.units.urban)[0][::5]]
    wanted = round(4.55 * residents.people.sum() / 1000)
    weight = rng.uniform(0.7, 1.3, len(places))
    capacity = np.floor(weight * wanted / weight.sum()).astype(int)
    capacity[0] += wanted - capacity.sum()
    for number, (spot, own) in enumerate(places):
        service = "nursery" if number % 3 else "kindergarten_nursery"
        register.add(
            service,
            short_name(plan.units.names[own]),
            np.round(spot, 1),
            rng,
            opened=_opening(rng, before=0.5),
            capacity=float(capacity[number]),
        )


def _town_nurseries(county: County, town: int) -> list[tuple[Floats, int]]:
    """Cover a town's urban children greedily, from as few sites as that gives."""
    units, residents = county.plan.units, county.residents
    own = units.urban[residents.unit] & (units.town[residents.unit] == town) & ~np.isnan(residents.xy[:, 0])
    own &= residents.groups["age_0_2"] > 0
    xy, children = residents.xy[own], residents.groups["age_0_2"][own].astype(float)
    choice = np.nonzero(units.urban[county.site_unit] & (units.town[county.site_unit] == town))[0][::7]
    sites, unit = (
        np.vstack([county.sites[choice], xy + 4.0]),
        np.concatenate([county.site_unit[choice], residents.unit[own]]),
    )
    walks = county.walks.around(xy, 1_500)
    limit = 0.955 * WALK_15_M
    reach = walks.from_each(sites[: len(choice)], xy, limit_m=limit) <= limit
    chosen: list[int] = []
    left = np.ones(len(xy), dtype=bool)
    while left.any():
        gain = reach[:, left] @ children[left]
        best = int(gain.argmax())
        if gain[best] > 0:
            left &= ~reach[best]
        else:  # no common site comes near: one beside the first child left out
            lost = int(np.nonzero(left)[0][0])
            best = len(choice) + lost
            left &= ~(walks.from_each(sites[best][None], xy, limit_m=limit)[0] <= limit)
            left[lost] = False
        chosen.append(best)
    return [(sites[number], int(unit[number])) for number in chosen]


def _schools(county: County, register: Register, rng: np.random.Generator) -> None:
    """Place kindergartens and schools by population."""
    people = county.residents.unit_people
    for service, each, size in (
        ("kindergarten", 6_500, 270.0),
        ("primary_school", 16_000, 900.0),
        ("middle_school", 35_000, 1_100.0),
    ):
        steps = np.arange(each / 2, people.sum(), each)
        for unit in np.searchsorted(np.cumsum(people), steps):
            xy = county.near(county.main[unit], int(unit), rng, spread=30)
            place = short_name(county.plan.units.names[unit])
            register.add(
                service, place, xy, rng, opened=_day(rng, int(rng.integers(1985, 2021))), capacity=size
            )


def _bus_stops(county: County, register: Register, rng: np.random.Generator) -> None:
    """Put a stop about every 650 m along larger roads near residents, and one in every village."""
    network, plan = county.network, county.plan
    large = np.isin(network.highway, ("primary", "secondary", "tertiary"))
    places = network.xy[np.unique(network.uv[large])]
    gap, site = cKDTree(county.sites).query(places)
    spots = [county.near(county.main[unit], unit, rng, spread=6) for unit in range(len(county.main))]
    units = list(range(len(county.main)))
    taken = cKDTree(np.array(spots))
    kept: list[Floats] = []
    for number in rng.permutation(len(places)):
        spot = county.sites[site[number]]
        if gap[number] > 300 or taken.query(spot)[0] < 380:
            continue
        if kept and np.hypot(*(np.array(kept) - spot).T).min() < 650:
            continue
        kept.append(spot)
        units.append(int(county.site_unit[site[number]]))
    for spot, unit in zip([*spots, *kept], units, strict=True):
        register.add(
            "bus_stop", short_name(plan.units.names[unit]), spot, rng, opened=_opening(rng, before=0.8)
        )
