"""List the services of the county's registers: their words, files, tiers, owners and hours.

Service ids are those of the profile haiyan-2025. Hours are written in a subset of OpenStreetMap's
``opening_hours``: one range of days and one of times, as in ``Tu-Su 08:30-17:00``, or ``24/7``; empty means
unknown.
"""

from __future__ import annotations

MANDATORY = (
    "library",
    "culture_centre",
    "museum",
    "town_culture_station",
    "culture_hall",
    "city_reading_room",
    "culture_post",
)
PUBLIC_BENEFIT = ("elderly_activity_centre", "sports_park", "small_gym", "elderly_university")
# Service: what people call it, the register (file) it stands in, tier, ownership, hours to draw from.
DAILY, OFFICE, MUSEUM, SHOP = (
    "Mo-Su 08:30-17:00",
    "Mo-Fr 08:30-17:00",
    "Tu-Su 09:00-16:30",
    "Mo-Su 08:00-21:00",
)
SERVICES: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {
    "library": ("图书馆", "culture", "county", "public", ("Tu-Su 08:30-20:30",)),
    "culture_centre": ("文化馆", "culture", "county", "public", (MUSEUM,)),
    "museum": ("博物馆", "culture", "county", "public", (MUSEUM,)),
    "town_culture_station": ("综合文化站", "culture", "town", "public", (DAILY,)),
    "culture_hall": ("文化礼堂", "culture", "village", "public", (DAILY, DAILY, "Tu-Su 08:30-17:00", OFFICE)),
    "city_reading_room": ("城市书房", "culture", "town", "public", (SHOP,)),
    "culture_post": ("文化驿站", "culture", "town", "public", (DAILY, SHOP)),
    "culture_art_centre": ("文化艺术中心", "culture", "county", "public", (MUSEUM,)),
    "history_culture_centre": ("历史文化中心", "culture", "county", "public", (MUSEUM,)),
    "heritage_museum": ("非遗馆", "culture", "county", "public", (MUSEUM,)),
    "national_fitness_centre": ("全民健身中心", "sports", "county", "public", (SHOP,)),
    "sports_park": ("体育公园", "sports", "town", "public", ("24/7",)),
    "small_gym": ("百姓健身房", "sports", "village", "public", (SHOP, SHOP, "Mo-Su 14:00-21:00")),
    "fitness_site": ("健身苑点", "sports", "village", "public", ("24/7",)),
    "sports_court": ("多功能运动场", "sports", "village", "public", ("Mo-Su 06:00-21:00",)),
    "fitness_trail": ("健身步道", "sports", "town", "public", ("24/7",)),
    "civic_centre": ("文明实践中心", "governance", "county", "public", (DAILY,)),
    "civic_institute": ("文明实践所", "governance", "town", "public", (DAILY,)),
    "civic_station": ("文明实践站", "governance", "village", "public", (DAILY, OFFICE)),
    "civic_point": ("文明实践点", "governance", "village", "public", (SHOP,)),
    "county_mediation_centre": ("县级矛调中心", "governance", "county", "public", (OFFICE,)),
    "town_mediation_centre": ("镇级矛调中心", "governance", "town", "public", (OFFICE,)),
    "good_governance_village": ("省级善治村", "governance", "village", "public", ("",)),
    "civic_index_village": ("德指数建设", "governance", "village", "public", ("",)),
    "nursery": ("托育园", "education", "town", "inclusive", ("Mo-Fr 07:30-17:30",)),
    "kindergarten_nursery": ("幼儿园托班", "education", "town", "inclusive", ("Mo-Fr 07:30-17:00",)),
    "kindergarten": ("幼儿园", "education", "town", "inclusive", ("Mo-Fr 07:30-17:00",)),
    "primary_school": ("小学", "education", "town", "public", ("Mo-Fr 07:30-17:00",)),
    "middle_school": ("初中", "education", "town", "public", ("Mo-Fr 07:30-17:30",)),
    "high_school": ("高中", "education", "county", "public", ("Mo-Fr 07:00-21:00",)),
    "special_school": ("特殊教育学校", "education", "county", "public", (OFFICE,)),
    "elder_care_centre": ("居家养老服务中心", "welfare", "town", "public", (DAILY,)),
    "elder_care_station": ("养老服务照料中心", "welfare", "village", "public", (DAILY, OFFICE)),
    "nursing_home": ("养老院", "welfare", "town", "inclusive", ("24/7",)),
    "elderly_activity_centre": ("老年活动中心", "welfare", "town", "public", (DAILY, DAILY, OFFICE)),
    "elderly_university": ("老年大学", "welfare", "county", "public", (OFFICE,)),
    "welfare_centre": ("社会福利中心", "welfare", "county", "public", (DAILY,)),
    "county_hospital": ("县级医院", "health", "county", "public", ("24/7",)),
    "tcm_hospital": ("中医院", "health", "county", "public", ("24/7",)),
    "town_health_centre": ("卫生院", "health", "town", "public", ("Mo-Su 08:00-17:00",)),
    "community_health_centre": ("社区卫生服务中心", "health", "town", "public", ("Mo-Su 08:00-20:00",)),
    "village_clinic": ("村卫生室", "health", "village", "public", ("Mo-Sa 08:00-16:30", OFFICE)),
    "community_health_station": ("社区卫生服务站", "health", "village", "public", ("Mo-Sa 08:00-17:00",)),
    "mental_health_room": ("健心客厅", "health", "town", "public", (OFFICE, DAILY)),
    "tcm_town_room": ("中医馆", "health", "town", "public", ("Mo-Sa 08:00-17:00",)),
    "tcm_village_room": ("中医阁", "health", "village", "public", (OFFICE,)),
    "bus_stop": ("公交站", "transport", "village", "public", ("Mo-Su 06:00-18:30", "Mo-Su 05:30-21:30")),
}
