"""Classes of maps: which service a row gives, and what only sounds like one."""

import json

import pandas as pd
import pytest

from conftest import edit
from lifecircle.audit import prepare, run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import classified, is_from_amap, looks_like, read_facilities
from lifecircle.study import read_study
from lifecircle.tables import read_table


def services(rows, catalogue, known=None):
    """Give the services of each row, "" where it is left out, and the table's notes."""
    table = read_table(pd.DataFrame(rows))
    found = classified(table, catalogue, known)
    kept = found.table.frame["service"].to_dict()
    return [kept.get(number, "") for number in table.frame.index], found


@pytest.mark.parametrize(
    ("row", "service"),
    [
        ({"amenity": "library", "name": "海盐县图书馆"}, "library"),
        ({"amenity": "library", "name": "枣园城市书房"}, "city_reading_room"),
        ({"amenity": "clinic", "name": "武原社区卫生服务站"}, "community_health_station"),
        ({"amenity": "clinic;pharmacy", "name": "诊所"}, "clinic"),
        ({"amenity": "hospital", "name": "海盐县中医院"}, "tcm_hospital"),
        ({"amenity": "school", "name": "向阳小学"}, "primary_school"),
        ({"leisure": "fitness_station"}, "fitness_site"),
        ({"leisure": "park", "name": "东海体育公园"}, "sports_park"),
        ({"amenity": "social_facility", "social_facility": "nursing_home"}, "nursing_home"),
        ({"highway": "bus_stop"}, "bus_stop"),
        # what only sounds like a service
        ({"amenity": "clinic", "name": "爱宠宠物诊所"}, ""),
        ({"amenity": "clinic", "name": "Happy Pet Clinic"}, ""),
        ({"amenity": "veterinary", "name": "动物医院"}, ""),
        ({"amenity": "hospital", "name": "瑞鹏动物医院"}, ""),
        ({"amenity": "school", "name": "平安驾校"}, ""),
        ({"amenity": "school", "name": "Sunny Driving School"}, ""),
        ({"amenity": "driving_school"}, ""),
        ({"amenity": "school", "name": "学校"}, ""),  # of no known level
        ({"amenity": "clinic", "name": "康美口腔门诊部"}, "dental_clinic"),
        ({"amenity": "dentist"}, "dental_clinic"),
        ({"amenity": "clinic", "name": "丽人医疗美容门诊部"}, ""),
        ({"shop": "beauty", "name": "美容诊所"}, ""),
        ({"amenity": "cafe", "name": "图书馆咖啡"}, ""),
        ({"amenity": "community_centre", "name": "动物园社区"}, ""),
        ({"amenity": "clinic", "name": "动物园社区卫生服务站"}, "community_health_station"),
    ],
)
def test_openstreetmap(row, service):
    assert services([row], "osm")[0] == [service]


@pytest.mark.parametrize(
    ("code", "path", "name", "service"),
    [
        ("140500", "科教文化服务;图书馆;图书馆", "县图书馆", "library"),
        ("", "科教文化服务;图书馆;图书馆", "县图书馆", "library"),
        ("140500", "", "县图书馆", "library"),
        (80111, "", "百姓健身房", "small_gym"),  # a spreadsheet took the zero
        ("141204|141400", "", "向阳幼儿园", ""),  # a class for lessons comes first: doubtful, so left out
        ("141204", "科教文化服务;学校;幼儿园", "向阳幼儿园", "kindergarten"),
        ("090102", "医疗保健服务;综合医院;卫生院", "于城镇卫生院", "town_health_centre"),
        ("090102", "", "武原社区卫生服务中心", "community_health_centre"),
        ("090300", "医疗保健服务;诊所;诊所", "康复诊所", "clinic"),
        # what only sounds like a service
        ("090300", "医疗保健服务;诊所;诊所", "爱宠宠物诊所", ""),
        ("090701", "医疗保健服务;动物医疗场所;宠物诊所", "爱宠诊所", ""),
        ("141500", "科教文化服务;驾校;驾校", "平安驾校", ""),
        ("141203", "科教文化服务;学校;小学", "平安驾驶员培训学校", ""),
        ("090202", "医疗保健服务;专科医院;口腔医院", "口腔医院", "dental_clinic"),
        ("090300", "医疗保健服务;诊所;诊所", "佳美口腔门诊部", "dental_clinic"),
        ("090300", "医疗保健服务;诊所;诊所", "丽人医疗美容门诊部", ""),
        ("090201", "医疗保健服务;专科医院;整形美容", "整形医院", ""),
        ("150900", "交通设施服务;停车场;停车场", "图书馆停车场", ""),
        ("050000", "餐饮服务;中餐厅;中餐厅", "文化礼堂餐厅", ""),
        ("141207", "科教文化服务;学校;学校内部设施", "小学图书馆", ""),
    ],
)
def test_amap(code, path, name, service):
    assert services([{"typecode": code, "type": path, "name": name}], "amap")[0] == [service]


def test_only_services_of_the_standard_are_given_and_the_rest_is_counted_and_named():
    rows = [
        {"amenity": "library", "name": "甲"},
        {"amenity": "cafe", "name": "乙"},
        {"amenity": "cafe", "name": "丙"},
        {"amenity": "veterinary", "name": "丁"},
        {"amenity": "clinic", "name": "社区卫生服务站"},
    ]
    found, classes = services(rows, "osm", ["library", "clinic"])
    assert found == ["library", "", "", "", "clinic"]  # the second id of the class, the first being unknown
    vet = "amenity=veterinary (动物医疗, for animals)"
    assert dict(classes.left_out) == {"amenity=cafe": 2, vet: 1}
    assert classes.notes == ("classes_applied:osm", f"classes_left_out:3|2|amenity=cafe 2, {vet} 1")


def test_a_table_without_classes_is_refused():
    with pytest.raises(UnusableInputError, match="by which amap is classed"):
        read_facilities(pd.DataFrame({"name": ["a"], "lon": [120.0], "lat": [30.0]}), services="amap")


def test_what_a_mapper_wrote_for_a_day_or_a_number_rejects_no_library():
    rows = {"amenity": "library", "name": "甲", "start_date": ["C19", "2001"], "capacity": ["yes", "30"]}
    table = pd.DataFrame({**rows, "lon": 120.0, "lat": 30.0})
    facilities, rejects = read_facilities(table, services="osm")
    assert rejects.empty
    assert facilities["opened"].dt.year.fillna(0).tolist() == [0, 2001]
    assert facilities["capacity"].fillna(-1).tolist() == [-1, 30]


def test_which_map_a_table_is_from():
    assert looks_like(read_table(pd.DataFrame({"typecode": [80111, "141204|141400"]}))) == "amap"
    assert looks_like(read_table(pd.DataFrame({"@id": ["node/1"], "amenity": ["cafe"]}))) == "osm"
    assert looks_like(read_table(pd.DataFrame({"id": ["N1"], "amenity": ["cafe"]}))) is None
    assert looks_like(read_table(pd.DataFrame({"typecode": ["library"]}))) is None
    assert not is_from_amap(read_table(pd.DataFrame({"location": ["120,30"], "name": ["a"]})))


def test_an_answer_of_overpass_is_a_list_of_a_study(toytown):
    """The library of the toy town as OpenStreetMap has it, among what it has besides."""
    edit(toytown / "facilities.csv", "L1,Toy library,library,501000,3377000,2010,\n", "")
    lon, lat = prepare(read_study(toytown)).demand.geometry.iloc[0].coords[0]
    node = {"type": "node", "lon": lon, "lat": lat}
    elements = [
        {**node, "id": 1, "tags": {"amenity": "library", "name": "Toy library", "type": "x"}},
        {**node, "id": 2, "tags": {"amenity": "cafe"}},
        {**node, "id": 3, "tags": {"amenity": "veterinary", "name": "Pets"}},
    ]
    (toytown / "osm.json").write_text(json.dumps({"elements": elements}), "utf-8")
    edit(toytown / "study.toml", "[standard]", '[[facilities]]\nfile = "osm.json"\n\n[standard]')
    findings = run_audit(toytown)
    register = findings.facilities
    assert register["service"]["node/1"] == "library"
    (reading,) = [one for one in findings.reading.inputs if one.path == "osm.json"]
    assert (reading.rows, reading.used, dict(reading.left_out)) == (3, 1, {"class_not_mapped": 2})
    assert reading.notes[0] == "classes_detected:osm"
    # declared, the same without being detected
    edit(toytown / "study.toml", 'file = "osm.json"', 'file = "osm.json"\nservices = "osm"')
    again = prepare(read_study(toytown))
    assert again.register["service"]["node/1"] == "library"


def test_amap_s_columns_without_a_datum_are_asked_about(toytown):
    rows = {
        "id": ["B1"],
        "name": ["图书馆"],
        "typecode": ["140500"],
        "location": ["120.1,30.5"],
        "adname": ["x"],
    }
    pd.DataFrame(rows).to_csv(toytown / "amap.csv", index=False)
    edit(toytown / "study.toml", "[standard]", '[[facilities]]\nfile = "amap.csv"\n\n[standard]')
    with pytest.raises(UnusableInputError, match=r"columns are those of AMap.*datum = 'gcj02'"):
        prepare(read_study(toytown))
    edit(toytown / "study.toml", 'file = "amap.csv"', 'file = "amap.csv"\ndatum = "gcj02"')
    with pytest.raises(UnusableInputError, match="away from the roads"):
        prepare(read_study(toytown))


def test_a_row_of_several_services_is_a_facility_of_each():
    table = pd.DataFrame(
        {
            "id": ["A", "B"],
            "name": ["中心", "馆"],
            "类别": ["图书馆、文化馆", "图书馆"],
            "lon": 120.0,
            "lat": 30.0,
        }
    )
    words = {"图书馆": "library", "文化馆": "culture_centre"}
    known = ["library", "culture_centre"]
    facilities, rejects = read_facilities(table, services=words, known_services=known)
    assert facilities["service"].to_dict() == {
        "A": "library", "A/culture_centre": "culture_centre", "B": "library"
    }  # fmt: skip
    assert facilities["row"].tolist() == [1, 1, 2]
    assert rejects.empty
    # a word that holds such a sign is one word; an unknown part makes the cell unknown as it stands
    one = table.assign(类别=["文化/体育", "图书馆"])
    assert (
        read_facilities(one, services={**words, "文化/体育": "library"}, known_services=known)[0][
            "service"
        ].tolist()
        == ["library"] * 2
    )
    with pytest.raises(UnusableInputError, match=r"unknown service id \(found: 图书馆、博物院\)"):
        read_facilities(table.assign(类别=["图书馆、博物院", "图书馆"]), services=words, known_services=known)


def test_rejected_rows_of_several_services_take_all_of_them():
    table = pd.DataFrame(
        {"id": ["A", "B", "C"], "service": ["x;y", "y;x", "x"], "lon": [120.0, None, 120.0], "lat": 30.0}
    )
    facilities, rejects = read_facilities(table, max_rejected=1)
    assert facilities.index.tolist() == ["A", "A/y", "C"]
    assert rejects["row"].tolist() == [2]
