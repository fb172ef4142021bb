"""Own the words that stand only on the map page, in Chinese and English, and how its figures are printed.

Words shared with the tables (verdicts, buckets, reasons, areas, groups) come from
:mod:`lifecircle.wording`. Every figure is printed so that it never looks better than it is: rates are
truncated, minutes are rounded up.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from lifecircle.wording import percent

if TYPE_CHECKING:
    from lifecircle.findings import Language

_NOISE_MIN = 1e-6 / 60  # the tolerance of an inclusive limit, in minutes

_PAGE = {
    "title": ("{name} {year}年公共服务可达性", "{name} {year}: who reaches which public service"),
    "heading": ("{year}年公共服务可达性", "Who reaches which public service, {year}"),
    "map": ("地图", "Map"),
    "panel": ("结果与表格", "Results and tables"),
    "choose_target": ("指标", "Target"),
    "choose_year": ("年份", "Year"),
    "headline": ("结论", "Result"),
    "goal": ("目标值", "Goal"),
    "due": ("（{year}年）", " (due {year})"),
    "no_goal": ("未设", "none set"),
    "verdict": ("认定结论", "Verdict"),
    "total": ("统计人口", "People counted"),
    "rule_circle": ("{minutes} 分钟以内可到达", "within {minutes} minutes"),
    "by_walk": ("步行", "on foot"),
    "by_cycle": ("骑行", "by bicycle"),
    "by_ebike": ("电动自行车", "by e-bike"),
    "by_drive": ("驾车", "by car"),
    "by_wheelchair": ("轮椅", "by wheelchair"),
    "rule_value": ("实现值", "Value"),
    "of_group": ("统计人群：{group}", "Of: {group}"),
    "legend": ("图例", "Legend"),
    "legend_residents": ("居民点", "Residents"),
    "legend_districts": ("乡镇（街道）覆盖率", "Rate of the district"),
    "legend_facilities": ("本指标的服务设施", "Facilities of this target"),
    "covered": ("已覆盖：{minutes} 分钟以内", "Covered: within {minutes} minutes"),
    "beyond_0": ("超出时限，多 {high} 分钟以内", "Too far by up to {high} minutes"),
    "beyond_1": ("超出时限，多 {low}–{high} 分钟", "Too far by {low} to {high} minutes"),
    "beyond_2": ("超出时限，多 {low} 分钟以上", "Too far by more than {low} minutes"),
    "disconnected": ("路网不通：没有路通到设施", "Disconnected: no road leads to a facility"),
    "unsnapped": (
        "未接入路网：数据缺陷，非服务缺口",
        "No road near: a defect of the data, not a service gap",
    ),
    "uncounted": ("不属于本指标的统计范围", "Not counted by this target"),
    "no_value": ("无数值", "No value"),
    "gap_marks": ("缺口编号，见缺口清单", "Number of a gap in the list of gaps"),
    "rate_first": ("低于 {high}", "below {high}"),
    "rate_between": ("{low} 至 {high}", "{low} to {high}"),
    "rate_last": ("{low} 及以上", "{low} and more"),
    "table": ("各乡镇（街道）", "Districts"),
    "table_hint": ("点击名称可在地图上定位", "Choose a name to see it on the map"),
    "column_name": ("名称", "Name"),
    "column_people": ("人口", "People"),
    "column_rate": ("覆盖率", "Rate"),
    "column_value": ("数值", "Value"),
    "column_left": ("未覆盖", "Not covered"),
    "gaps": ("缺口清单", "Gaps"),
    "gaps_shown": ("共 {count} 处，按人数列出前 {shown} 处", "{count} in all, the {shown} with most people"),
    "gaps_all": ("共 {count} 处，按人数排列", "{count} in all, most people first"),
    "gaps_none": ("没有缺口", "No gaps"),
    "gaps_not_here": (
        "该指标不按出行时间计算，没有缺口清单",
        "This target counts no travel times, so it has no gaps",
    ),
    "no_place": ("位置不详", "place unknown"),
    "gap_people": ("{people} 人", "{people} people"),
    "gap_minutes": ("平均 {minutes} 分钟，超出 {over} 分钟", "{minutes} min on average, {over} min too far"),
    "gap_nearest": ("最近设施：{name}", "nearest: {name}"),
    "cell_minutes": ("到达时间", "Time"),
    "cell_over": ("{minutes} 分钟，超出 {over} 分钟", "{minutes} min, {over} min too far"),
    "cell_within": ("{minutes} 分钟", "{minutes} min"),
    "cell_status": ("状态", "Status"),
    "cell_nearest": ("最近设施", "Nearest"),
    "cell_district": ("乡镇（街道）", "District"),
    "cell_village": ("村（社区）", "Village"),
    "cell_people": ("人口", "People"),
    "facility": ("设施", "Facility"),
    "service": ("服务", "Service"),
    "layer_districts": ("乡镇（街道）", "Districts"),
    "layer_residents": ("居民点", "Residents"),
    "layer_gaps": ("缺口", "Gaps"),
    "layer_facilities": ("服务设施", "Facilities"),
    "layer_roads": ("道路", "Roads"),
    "control_layers": ("图层", "Layers"),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    "north": ("北", "N"),
    "north_note": ("地图上方为北", "North is up"),
    "about": ("说明", "About this map"),
    "boundaries": ("界线仅供参考,不作划界依据", "Boundaries are for reference only and settle no border"),
    "review": ("审图号：{number}", "Map review number: {number}"),
    "review_none": ("未送审", "not submitted"),
    "organisation": ("编制单位：{name}", "Prepared by: {name}"),
    "date": ("编制日期：{date}", "Date: {date}"),
    "empty": ("未填", "not filled in"),
    "synthetic": ("合成示例,非真实数据", "Synthetic example, not real data"),
    "internal": (
        "工作底图,未经地图审核不得公开",
        "Working map, not to be made public before it has passed map review",
    ),
    "no_script": ("此页需要启用 JavaScript 才能显示。", "This page needs JavaScript to be shown."),
    "failed": (
        "页面数据无法读取，地图不完整：",
        "The data of this page could not be read, the map is incomplete: ",
    ),
}


def page_words(language: Language) -> dict[str, str]:
    """Give every word of the page in one language.

    >>> page_words("en")["north"]
    'N'
    """
    column = 0 if language == "zh" else 1
    return {key: words[column] for key, words in _PAGE.items()}


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
    """Print a number of people in whole persons; a part of a person is told as such, not as nobody.

    >>> people_text(1234567.2), people_text(0.3), people_text(0.0)
    ('1,234,567', '<1', '0')
    """
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
