"""Labels and names: what stands in a table is shown by every map as it is, and never run."""

import html
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

import lifecircle as lc
from lifecircle.atlas import OfflineFigure, page_figure
from lifecircle.atlas._offline import PlainMacro, Template
from lifecircle.audit import run_audit
from lifecircle.maps import MapOrder, draw_study
from lifecircle.paper import static_maps
from lifecircle.publication import MapSetting

NAMES = [
    "{{cycler.__init__.__globals__.os.mkdir(dict(PWNED=1)|join)}}",
    "{{(lipsum|string)[0]}}img src=x onerror=window.__pwn=1>",
    "{% for x in y %}",
    "{# a note",
    "{%raw%}",
    "</script><script>window.__pwn=1</script>",
    "<!--<script>",
    "<img src=x onerror=window.__pwn=1>",
    '"><svg onload=window.__pwn=1>',
    "';window.__pwn=1;//",
    "`${window.__pwn=1}`",
    "\u2028\u2029\\",
    "From $5_x{ to $10",
    "{name} {0.__class__} %s %(x)s",
    "a" * 3000,
    "</style><b>",
]
MARK = "{{ 7 * 7 }}"


@pytest.fixture
def findings(toytown):
    return run_audit(toytown, 2025)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Give an empty folder that is the working one."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


def named(findings, name):
    """Give findings whose every text is a name."""
    facilities = findings.facilities.assign(name=name)
    districts = findings.districts.assign(name=name)
    gaps = findings.gaps.assign(district=name, village=name)
    publication = replace(findings.publication, organisation=name, date=name, review_number=name)
    targets = tuple(
        replace(one, districts=tuple(replace(part, name=name) for part in one.districts))
        for one in findings.targets
    )
    changed = {"facilities": facilities, "districts": districts, "gaps": gaps, "publication": publication}
    services = {service: {"zh": name, "en": name} for service in findings.services}
    return replace(findings, name=name, targets=targets, services=services, **changed)


def setting(name):
    labels = gpd.GeoDataFrame(
        {"name": [name, "North"], "kind": ["water", "neighbour"]},
        geometry=[shapely.Point(120.04, 30.52), shapely.Point(120.01, 30.53)],
        crs="EPSG:4326",
    )
    return MapSetting(labels=labels, min_people=2, data_date=name)


@pytest.mark.parametrize("edition", ["internal", "public"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_runs_in_a_page(findings, name, edition, empty):
    page = page_figure([named(findings, name)], edition=edition, setting=setting(name)).render()
    plain = page_figure([named(findings, "plain")], edition=edition, setting=setting("plain")).render()
    assert not list(empty.iterdir())  # what a template could have made
    # The markup is what it is with a harmless name: no element more, none ended before its time.
    for part in ("<script", "</script", "<style", "</style", "<img", "<svg", "<!--"):
        assert page.count(part) == plain.count(part), part
    assert f"<title>{html.escape(name)}" in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_runs_in_a_notebook_map(findings, name, empty):
    page = lc.folium_map(named(findings, name)).get_root().render()
    plain = lc.folium_map(named(findings, "plain")).get_root().render()
    assert not list(empty.iterdir())
    for part in ("<script", "</script", "<style", "</style", "<img", "<svg", "<!--"):
        assert page.count(part) == plain.count(part), part


@pytest.mark.parametrize("name", [NAMES[0], NAMES[5], NAMES[12], NAMES[14], r"$\frac{1}{$ \alpha $$ ^_ {"])
def test_a_name_is_drawn_on_paper_as_it_is(findings, name, tmp_path):
    pytest.importorskip("matplotlib")
    paths = static_maps([named(findings, name)], tmp_path, setting=setting(name))
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_what_a_macro_gives_is_no_template_again():
    class Shown(PlainMacro):
        _template = Template("{% macro script(this, kwargs) %}{{ this.told }}{% endmacro %}")

    figure = OfflineFigure()
    element = Shown()
    element.told = f"/* {MARK} */"
    figure.add_child(element)
    assert MARK in figure.render()


def test_labels_of_a_file_are_only_ever_text(toytown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (toytown / "study.toml").open("a") as file:
        file.write('\n[atlas]\nlabels = "labels.csv"\n')
    rows = [f'"{name.replace(chr(34), chr(34) * 2)}",120.04,30.52,water' for name in NAMES]
    (toytown / "labels.csv").write_text("name,lon,lat,kind\n" + "\n".join(rows) + "\n", "utf-8")
    for edition in ("internal", "public"):
        (page,) = draw_study(toytown, MapOrder(out=tmp_path / f"{edition}.html", edition=edition))
        text = page.read_text("utf-8")
        assert "\\u007b{cycler.__init__" in text
        assert "<img src=x" not in text
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "toytown") == [
        "internal.html",
        "public.html",
    ]
