"""The words that stand only on the map page, in Chinese and English, and how its figures are printed.

Words shared with the tables (verdicts, buckets, reasons, areas, groups) come from
:mod:`lifecircle.wording`. Every figure is printed so that it never looks better than it is: rates are
truncated, minutes are rounded up.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from lifecircle.findings import Language

WITHHELD = "*"  # stands where the public edition keeps a number back
_NOISE_MIN = 1e-6 / 60  # the tolerance of an inclusive limit, in minutes

_PAGE = {
    "title": ("{name} {year}年公共服务可达性", "{name} {year}: who reaches which public service"),
    "heading": ("{year}年公共服务可达性", "Who reaches which public service, {year}"),
    "year": ("{year}年", "{year}"),
    "map": ("地图", "Map"),
    "too_old": (
        "浏览器版本过旧，无法显示本页。请使用 Chromium 内核 {version} 或更高版本的浏览器。",
        "This browser is too old to show the page. It needs Chromium {version} or a later one.",
    ),
    "panel": ("结果与表格", "Results and tables"),
    "choose_target": ("指标", "Target"),
    "choose_year": ("年份", "Year"),
    "targets_circles": ("生活圈", "Circles"),
    "targets_others": ("其他指标", "Other targets"),
    "targets_not_computed": ("未计算（原因见所选指标）", "Not computed (choose one to see why)"),
    "option_value": ("{name} · {value}", "{name} · {value}"),
    "views": ("试算与显示", "Try out and show"),
    "limit": ("时限", "Limit"),
    "minutes": ("{minutes} 分钟", "{minutes} min"),
    "band": ("速度", "Speed"),
    "counting": ("口径", "Counted by"),
    "counting_differ": ("不一致", "Differ"),
    "counting_differ_note": (
        "居民点按所在村着色：官方口径与实际可达不一致之处",
        "Residents coloured by their village: where the official count and reach disagree",
    ),
    "counting_note": (
        "居民点按所在村着色。{name}：{villages} 个村（社区），{share}（{text}）",
        "Residents coloured by their village. {name}: {villages} villages, {share} ({text})",
    ),
    "counts_agree": ("各口径一致", "Counts agree"),
    "counted_accepted": ("所在村已通过验收", "Village accepted"),
    "uncounted_accepted": ("所在村未通过验收", "Village not accepted"),
    "counted_straight": ("所在村直线圆合规则", "Village's straight circle holds"),
    "uncounted_straight": ("所在村直线圆不合规则", "Village's straight circle does not hold"),
    "counts_unknown": ("无此口径或不在统计范围", "No such count, or not counted"),
    "compare": ("对比", "Compare"),
    "compare_none": ("不对比", "with no other year"),
    "swipe_year": ("{year}年", "{year}"),
    "swipe_no_target": ("无此指标", "no such target"),
    "swipe_trial": ("{value}（试算 {minutes} 分钟）", "{value} (trial: {minutes} min)"),
    "swipe_divider": ("两年分界，方向键移动", "Divider of the two years, arrow keys move it"),
    "swipe_value": (
        "左 {left} 年占 {share}%，右 {right} 年",
        "left {left} over {share}% of the map, right {right}",
    ),
    "only_gaps": ("只看缺口", "Only gaps"),
    "trial": ("试算", "Trial"),
    "trial_verdict": ("试算 {minutes} 分钟 {speed}", "trial: {minutes} min {speed}"),
    "trial_short": ("非指标本身的时限或速度", "not the target's own limit or speed"),
    "trial_note": (
        "本页按居民点时间和人口现算，不作认定；缺口清单与口径对比不变（{minutes} 分钟，{value}）。",
        "Counted on this page, no verdict. Gaps and counts below stay the run's ({minutes} min, {value}).",
    ),
    "trial_reset": ("恢复 {minutes} 分钟", "Back to {minutes} min"),
    "search": ("查找", "Find"),
    "search_hint": ("设施、村（社区）、乡镇、缺口", "venue, village, district, gap"),
    "search_none": ("没有找到", "Nothing found"),
    "search_count": ("{count} 项", "{count} found"),
    "kind_gap": ("缺口", "gap"),
    "kind_district": ("乡镇（街道）", "district"),
    "kind_village": ("村（社区）", "village"),
    "search_gap": ("缺口 {number}", "gap {number}"),
    "pins": ("设想新增", "What if"),
    "pins_note": (
        "在此放设想的新设施：拖动或按方向键移动，新覆盖的人数即时现算。",
        "Put a new venue here or there: drag it or use the arrow keys; people newly covered follow at once.",
    ),
    "pin_add": ("放在地图中心", "Put in the middle of the map"),
    "pin_place": ("在地图上点选", "Choose on the map"),
    "pin_clear": ("全部清除", "Clear all"),
    "pin_name": ("设想 {number}", "New {number}"),
    "pin_service": ("{name}的服务", "Service of {name}"),
    "pin_remove": ("移除{name}", "Remove {name}"),
    "pin_leg": ("离路 {metres} 米", "{metres} m to the road"),
    "pin_far": ("离路太远，不计", "too far from any road, not counted"),
    "pins_people": ("新覆盖 {people} 人", "{people} people newly covered"),
    "pins_rate": ("覆盖率 {before} → {after}", "rate {before} → {after}"),
    "pins_nobody": ("没有人新覆盖", "nobody newly covered"),
    "pins_copy": ("复制为 GeoJSON", "Copy as GeoJSON"),
    "pins_copied": ("已复制", "Copied"),
    "pins_geojson": (
        "GeoJSON，供 lifecircle scenario 使用",
        "GeoJSON for lifecircle scenario",
    ),
    "column_newly": ("新覆盖", "Newly covered"),
    "save": ("导出图片 PNG", "Save as PNG"),
    "print": ("打印", "Print"),
    "paper": ("纸张", "Paper"),
    "sheet_title": ("{name}{target}（{year}年）", "{name}: {target}, {year}"),
    "sheet_trial": ("{rule}（试算 {minutes} 分钟）", "{rule} (trial: {minutes} min)"),
    "cutoff": ("数据截止日期：{year}-12-31", "Data as of: {year}-12-31"),
    "crs": (
        "坐标系：计算用 {crs}，显示用 WGS 84 / 网络墨卡托",
        "Coordinates: computed in {crs}, shown in WGS 84 / Web Mercator",
    ),
    "base": ("底图来源：{sources}", "Base map: {sources}"),
    "and": ("、", ", "),
    "base_roads": ("道路 {file}", "roads {file}"),
    "base_districts": ("界线 {file}", "boundaries {file}"),
    "headline": ("结论", "Result"),
    "goal": ("目标值", "Goal"),
    "due": ("（{year}年）", " (due {year})"),
    "no_goal": ("未设", "none set"),
    "verdict": ("认定结论", "Verdict"),
    "milestone": ("序时目标", "Milestone"),
    "before": ("上年", "Year before"),
    "before_change": ("{value}，{points} 个百分点", "{value}, {points} points"),
    "shortfall": ("差额", "Shortfall"),
    "shortfall_villages": ("再有 {villages} 个村（社区）即达标", "{villages} more villages are needed"),
    "quality": ("质量口径（{name}）", "Quality ({name})"),
    "shortfall_people": ("再覆盖 {people} 人即达标", "{people} more people must be covered"),
    "total": ("统计人口", "People counted"),
    "rule_circle": ("{mode} {minutes} 分钟以内到达{venues}", "Within {minutes} minutes {mode}: {venues}"),
    "rule_part": ("{name} {count} 处", "{count}\u00a0× {name}"),
    "rule_and": ("、", ", "),
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
    "legend_values": ("乡镇（街道）数值", "Value of the district"),
    "legend_share": ("具备者占比", "Share that has it"),
    "legend_whole": ("全县一个数", "One figure for the whole study"),
    "legend_whole_note": (
        "没有分乡镇（街道）的数，地图只画界线",
        "No figures by district, so the map shows outlines alone",
    ),
    "legend_not_computed": ("未计算，地图只画界线", "Not computed, so the map shows outlines alone"),
    "area_reached": ("达到{goal}（{sign} {mark}）", "{goal} reached ({sign} {mark})"),
    "area_below": ("未达到{goal}（{sign} {mark}）", "{goal} not reached ({sign} {mark})"),
    "area_unknown": ("未知或不判定", "Unknown or not judged"),
    "area_parts": (
        "各乡镇（街道）之和即全县数，不与目标值逐一比较",
        "The districts add up to the whole; none is judged by its goal",
    ),
    "area_left_out": ("未标数值者不统计或未知", "Districts without a figure: not counted, or not known"),
    "unit_county": ("全县", "The whole study"),
    "unit_district": ("乡镇（街道）", "Districts"),
    "unit_village": ("村（社区）", "Villages"),
    "unit_outlet": ("网点", "Outlets"),
    "unit_holds": ("具备（{count} 个）", "Has it ({count})"),
    "unit_lacks": ("缺少（{count} 个）", "Lacks it ({count})"),
    "unit_unknown": ("数据未知（{count} 个）", "Not known ({count})"),
    "unit_only_without": ("具备者未单独标出", "Those that have it are not marked one by one"),
    "unit_state_1": ("具备", "has it"),
    "unit_state_0": ("缺少", "lacks it"),
    "unit_state_-": ("数据未知", "not known"),
    "units": ("缺少的{unit}", "Without it: {unit}"),
    "units_figure": ("{count} 个", "{count}"),
    "units_county": ("全县缺少的", "What the whole study lacks"),
    "units_none": ("{unit}无一缺少", "None lacks it: {unit}"),
    "units_more": ("列出全部 {count} 个", "Show all {count}"),
    "unit_lacking": ("缺 {lacks}", "lacks {lacks}"),
    "cell_lacking": ("缺少", "Lacks"),
    "layer_units": ("具备与缺少", "With and without"),
    "legend_nobody": ("底色处无居民点", "Shaded ground without squares: nobody lives there"),
    "legend_facilities": ("本指标的服务设施", "Facilities of this target"),
    "covered": ("已覆盖：{minutes} 分钟以内", "Within {minutes} min"),
    "beyond_0": ("超时 {high} 分钟以内", "Up to {high} min too far"),
    "beyond_1": ("超时 {low}–{high} 分钟", "{low}–{high} min too far"),
    "beyond_2": ("超时 {low} 分钟以上", "Over {low} min too far"),
    "disconnected": ("路网不通", "Disconnected"),
    "unsnapped": ("未接入路网（数据缺陷）", "No road near (data)"),
    "newly": ("设想设施新覆盖", "Newly covered by pins"),
    "uncounted": ("不在统计范围", "Not counted by this target"),
    "no_value": ("无数值", "No value"),
    "gap_marks": ("缺口，编号同清单", "Gap number, see list"),
    "rate_first": ("<{high}", "<{high}"),
    "rate_between": ("{low}–{high}", "{low}–{high}"),
    "rate_last": ("≥{low}", "≥{low}"),
    "table": ("各乡镇（街道）", "Districts"),
    "table_hint": ("点击名称可在地图上定位", "Choose a name to see it on the map"),
    "column_name": ("名称", "Name"),
    "column_people": ("人口", "People"),
    "column_rate": ("覆盖率", "Rate"),
    "column_value": ("数值", "Value"),
    "column_left": ("未覆盖", "Not covered"),
    "column_trend": ("历年", "Trend"),
    "gaps": ("缺口清单", "Gaps"),
    "gaps_shown": ("共 {count} 处，按人数列出前 {shown} 处", "{count} in all, the {shown} with most people"),
    "gaps_all": ("共 {count} 处，按人数排列", "{count} in all, most people first"),
    "gaps_figure": ("{count} 处", "{count}"),
    "gaps_more": ("列出全部 {count} 处", "Show all {count}"),
    "gaps_less": ("只列出前几处", "Show fewer"),
    "gaps_none": ("没有缺口", "No gaps"),
    "gaps_sort": ("排列", "Order"),
    "gaps_by_people": ("按人数", "by people"),
    "gaps_by_cause": ("按原因", "by cause"),
    "cause_beyond": ("路网可达，超出时限", "Within reach of roads, but too far"),
    "cause_disconnected": ("路网不通", "Disconnected"),
    "cause_unsnapped": ("未接入路网（数据缺陷）", "No road near (a defect of the data)"),
    "cause_beyond_radius": ("超出半径", "Beyond the radius along the roads"),
    "cause_not_accepted": ("所在村（社区）未列入验收名单", "Village not on the accepted list"),
    "cause_not_held": ("所在村（社区）的圈内设施不足", "The village's circle lacks venues"),
    "cause_too_few_venues": ("场所数量不足", "Too few venues anywhere"),
    "cause_venues_off_roads": ("场所未接入路网（数据缺陷）", "Venues without a road (a defect of the data)"),
    "cause_unknown": ("原因不详", "Cause not known"),
    "no_place": ("位置不详", "place unknown"),
    "gap_people": ("{people} 人", "{people} people"),
    "gap_minutes": ("{minutes} 分钟，超出 {over} 分钟", "{minutes} min, {over} min too far"),
    "gap_nearest": ("到达设施：{name}", "to {name}"),
    "venue_minutes": ("{kind}第 {count} 处：{name}，{far} 分钟", "{kind} no. {count}: {name}, {far} min"),
    "venue_metres": ("{kind}第 {count} 处：{name}，{far} 米", "{kind} no. {count}: {name}, {far} m"),
    "venue_none": ("{kind}第 {count} 处：没有可到达的{name}", "{kind} no. {count}: none to be reached{name}"),
    "class_rank": ("{name}第 {count} 处", "{name} no. {count}"),
    "cell_minutes": ("到达时间", "Time"),
    "cell_over": ("{minutes} 分钟，超出 {over} 分钟", "{minutes} min, {over} min too far"),
    "cell_within": ("{minutes} 分钟", "{minutes} min"),
    "cell_up_to": ("不超过 {minutes} 分钟（分档）", "up to {minutes} min (a step)"),
    "cell_status": ("状态", "Status"),
    "cell_nearest": ("到达设施", "Venue"),
    "cell_opened": ("开放", "Opened"),
    "opened_year": ("{year}年", "{year}"),
    "opened_in": ("（{year}年开放）", " (opened {year})"),
    "cell_lacks": ("尚缺", "Still lacks"),
    "lacks_part": ("{name} {count} 处", "{count}\u00a0× {name}"),
    "lacks_and": ("、", ", "),
    "cell_leg": ("出门到路", "Door to road"),
    "leg_metres": ("{metres} 米", "{metres} m"),
    "nothing_here": ("此处没有居民点或设施", "No resident or facility here"),
    "map_help": (
        "方向键移动地图，加减键缩放，回车读出地图中心处的内容；地图内容另见下面的表格。",
        "Arrow keys move the map, plus and minus zoom, Enter tells what is in its middle; or see the tables.",
    ),
    "cell_district": ("乡镇（街道）", "District"),
    "cell_village": ("村（社区）", "Village"),
    "cell_people": ("人口", "People"),
    "facility": ("设施", "Facility"),
    "service": ("服务", "Service"),
    "layer_districts": ("乡镇（街道）", "Districts"),
    "layer_residents": ("居民点", "Residents"),
    "layer_plans": ("选址方案", "Siting plan"),
    "plans": ("选址方案", "Siting plan"),
    "plan_title": ("新增 {sites} 处：{objective}", "{sites} new sites: {objective}"),
    "plan_people": ("覆盖 {value} 人，{status}", "{value} people covered, {status}"),
    "plan_bound": (
        "覆盖 {value} 人，{status}，至多 {bound} 人",
        "{value} people covered, {status}, at most {bound}",
    ),
    "plan_site_people": ("新增 {people} 人", "{people} people newly"),
    "plan_marks": ("选址方案的新址", "new sites of the plan"),
    "plan_and": (" + ", " + "),
    "plan_number": ("新址 {number}", "site {number}"),
    "layer_gaps": ("缺口", "Gaps"),
    "layer_facilities": ("服务设施", "Facilities"),
    "layer_differences": ("口径不一致的村", "Villages that differ"),
    "layer_villages": ("村（社区）名", "Village names"),
    "layer_roads": ("道路", "Roads"),
    "control_layers": ("图层", "Layers"),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    "north": ("北", "N"),
    "north_note": ("地图上方为北", "North is up"),
    "reading": ("数据读取", "What was read"),
    "about": ("说明", "About this map"),
    "boundaries": ("界线仅供参考,不作划界依据", "Boundaries are for reference only and settle no border"),
    "review": ("审图号：{number}", "Map review number: {number}"),
    "review_none": ("未送审", "not submitted"),
    "organisation": ("编制单位：{name}", "Prepared by: {name}"),
    "date": ("编制日期：{date}", "Date: {date}"),
    "data_date": ("数据截止日期：{date}", "Data as of: {date}"),
    "crs_paper": ("坐标系：{name}", "Coordinate system: {name}"),
    "base_own": ("本研究的道路与界线数据", "roads and boundaries of the study"),
    "base_online": ("；可选在线底图：{names}", "; optional online: {names}"),
    "base_osm": ("OpenStreetMap", "OpenStreetMap"),
    "base_tianditu_vec": ("天地图矢量", "Tianditu vector map"),
    "base_tianditu_img": ("天地图影像", "Tianditu imagery"),
    "empty": ("未填", "not filled in"),
    "synthetic": ("合成示例,非真实数据", "Synthetic example, not real data"),
    "internal": (
        "工作底图,未经地图审核不得公开",
        "Working map, not to be made public before it has passed map review",
    ),
    "public": ("公开版", "Public edition"),
    "public_unreviewed": ("公开版，未送审", "Public edition, not yet submitted to map review"),
    "public_cells": (
        "公开版：居民合并为每格至少 {people} 人的网格，人数取其整倍数，时间按 5 分钟分档",
        "Public edition: residents merged to cells of at least {people}, in multiples of it; times by 5 min",
    ),
    "public_star": (
        "“*”：人数过少，或为防推算而不予公布",
        "*: too few people to publish, or kept back so that none can be worked out",
    ),
    "ladder": ("口径对比", "How it is counted"),
    "ladder_why": (
        "上报 {accepted}，{rung} {value}。逐级看差在哪一步：",
        "Reported {accepted}, by {rung} {value}. Step by step, what makes the difference:",
    ),
    "ladder_plain": ("同一指标的几种算法：", "The same target, counted in several ways:"),
    "ladder_note": (
        "按村：村（社区）个数之比；按人：人数之比。至少一半统计人口已覆盖的村（社区）计为达到（设定）。",
        "A village counts as reached when at least half of its people are covered (a setting).",
    ),
    "ladder_figure": ("{first} → {last}", "{first} → {last}"),
    "column_rung": ("口径", "Counted by"),
    "column_villages": ("村(社区)数", "Villages"),
    "column_share": ("比例", "Share"),
    "by_villages": ("按村", "villages"),
    "by_people": ("按人", "people"),
    "verdict_rung": ("认定", "verdict"),
    "aside": ("另列", "Aside"),
    "changed_accepted": (
        "通过验收的村（社区）名单，照录，不复算",
        "the list of villages that passed acceptance, as it is",
    ),
    "changed_straight": (
        "按位置复算：以{centre}为圆心，{radius}直线圆内设施合规则的村",
        "recomputed from places: villages whose circle of {radius} around {centre} holds the rule",
    ),
    "changed_network_distance": (
        "半径不变，直线改为沿路，村中心改为住家，按村改为按人",
        "same radius, but along roads instead of straight, from homes instead of a centre, by people",
    ),
    "changed_reach": (
        "距离改为时间：{mode} {minutes} 分钟以内",
        "time instead of distance: within {minutes} minutes {mode}",
    ),
    "changed_open": ("只计{when} 开放的设施", "only venues open on {when} count"),
    "changed_any_one": (
        "不问规则：时限内有任一处设施即算",
        "whatever the rule asks for: any one venue within the limit",
    ),
    "missing_accepted": ("没有验收名单", "no list of accepted villages"),
    "missing_straight": ("未设直线半径", "no straight-line radius is set"),
    "missing_network_distance": ("未设半径", "no radius is set"),
    "missing_reach": ("未计算", "not computed"),
    "missing_open": ("未设时段，或没有开放时间", "no hour is set, or no hours are known"),
    "missing_any_one": ("未计算", "not computed"),
    "centre_committee": ("村（社区）委会", "the village committee"),
    "centre_settlement": ("居民集聚处", "where most people live"),
    "centre_free": ("任一点（圆须含村委会）", "any point (it must hold the committee)"),
    "radius_one": ("{radius} 米", "{radius} m"),
    "radius_two": ("城镇 {urban} 米、农村 {rural} 米", "{urban} m (urban) or {rural} m (rural)"),
    "day_Mon": ("周一", "Mon"),
    "day_Tue": ("周二", "Tue"),
    "day_Wed": ("周三", "Wed"),
    "day_Thu": ("周四", "Thu"),
    "day_Fri": ("周五", "Fri"),
    "day_Sat": ("周六", "Sat"),
    "day_Sun": ("周日", "Sun"),
    "margin": ("结论余量", "How firm the result is"),
    "margin_figure": ("{slow} – {fast}", "{slow} – {fast}"),
    "margin_note": (
        "慢速、常速、快速是三种情景，不是置信区间。",
        "Slow, usual and fast are scenarios, not a confidence interval.",
    ),
    "band_slow": ("慢速", "slow"),
    "band_usual": ("常速", "usual"),
    "band_fast": ("快速", "fast"),
    "flip": ("翻转点", "Flip point"),
    "flip_down": (
        "速度低于 {kmh} km/h，结论翻转（常速下相当于时限 {minutes} 分钟）",
        "below {kmh} km/h the verdict turns (at the usual speed: a limit of {minutes} min)",
    ),
    "flip_up": (
        "速度到 {kmh} km/h，结论才翻转（常速下相当于时限 {minutes} 分钟）",
        "only at {kmh} km/h the verdict turns (at the usual speed: a limit of {minutes} min)",
    ),
    "flip_minutes": ("时限为 {minutes} 分钟时结论翻转", "the verdict turns at a limit of {minutes} minutes"),
    "flip_no_goal": ("未设目标值，无所谓翻转", "no goal is set, so nothing can turn"),
    "flip_never": (
        "任何速度都不翻转：有居民路网不通或未接入路网，走多快也到不了",
        "no speed turns it: some people are disconnected or have no road near, however fast they are",
    ),
    "borderline": ("临界人口", "Borderline"),
    "borderline_people": (
        "{people} 人，离时限前后一分钟以内",
        "{people} people within one minute of the limit, on either side",
    ),
    "bounds": ("数据缺陷", "Data defects"),
    "bounds_text": (
        "未接入路网者全算未覆盖 {low}，全算已覆盖 {high}",
        "{low} if all without a road near are uncovered, {high} if all are covered",
    ),
    "curve": ("覆盖率随速度的变化", "Coverage over speed"),
    "curve_axis": ("速度（km/h）", "speed (km/h)"),
    "curve_goal": ("目标 {goal}", "goal {goal}"),
    "curve_point": ("{kmh} km/h：{value}", "{kmh} km/h: {value}"),
    "groups": ("人群", "Groups of people"),
    "column_group": ("人群", "Group"),
    "variants": ("其他情形（仅报告）", "Other readings (reported only)"),
    "variant_without_school_grounds": ("不计学校场地", "Without the grounds of schools"),
    "variant_step_free": ("无台阶出行（轮椅速度）", "Step-free, at wheelchair speed"),
    "variant_aged_over60": ("60岁及以上，按老年步速", "People of 60 and over, at their own speed"),
    "variant_by_group_speed": ("全体，老年人按老年步速", "Everyone, the aged at their own speed"),
    "villages_number": ("{number} 个", "{number}"),
    "only_outside": ("只靠县外设施才覆盖", "Covered only by venues beyond the border"),
    "leg_100": ("已覆盖，但出门到路超过 100 米", "Covered, but over 100 m from door to road"),
    "leg_200": ("已覆盖，但出门到路超过 200 米", "Covered, but over 200 m from door to road"),
    "villages": ("各村（社区）口径", "Villages, counted each way"),
    "villages_figure": ("{count} 处不一致", "{count} differ"),
    "villages_same": ("各口径一致", "All counts agree."),
    "villages_no_reach": ("本次运行没有逐村的实际可达结果", "This run holds no reach by village."),
    "villages_over": ("官方口径有，实际不可达", "Official yes, reach no"),
    "villages_under": ("实际可达，官方口径无", "Official no, reach yes"),
    "villages_all": ("全部村（社区）", "All villages"),
    "village_accepted": ("验收", "Accepted"),
    "village_straight": ("直线", "Straight"),
    "village_reached": ("可达", "Reach"),
    "village_gap": ("最大缺口 ", "Largest gap: "),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "unknown": ("无", "none"),
    "basis": ("规则与依据", "Rule and source"),
    "basis_rule": ("规则", "Rule"),
    "basis_straight": ("直线圆", "Straight circle"),
    "basis_straight_text": ("{centre}，{radius}", "{radius} around {centre}"),
    "basis_accounting": ("认定口径", "Verdict by"),
    "basis_denominator": ("分母", "Denominator"),
    "basis_department": ("责任部门", "Department"),
    "basis_source": ("依据", "Source"),
    "basis_grade": ("数据等级", "Grade"),
    "basis_notes": ("说明", "Notes"),
    "pending": ("未计算的指标", "Targets not computed"),
    "pending_figure": ("{count} 项", "{count}"),
    "no_script": ("此页需要启用 JavaScript 才能显示。", "This page needs JavaScript to be shown."),
    "failed": (
        "页面数据无法读取，地图不完整：",
        "The data of this page could not be read, the map is incomplete: ",
    ),
}


def class_text(name: str, language: Language) -> str:
    """Return the word for a class of venues, or its id where there is none.

    >>> class_text("public_benefit", "zh"), class_text("bus_stop", "zh")
    ('公益类设施', 'bus_stop')
    """
    return word("class", name, language)


def page_words(language: Language) -> dict[str, str]:
    """Return every word of the page in one language.

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
