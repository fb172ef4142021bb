"""Networks and times handed to other packages and taken from them: equal answers, and every fault named."""

import json
import warnings

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import lifecircle as lc
from conftest import ROOT, TOYTOWN
from lifecircle.cli import cli
from lifecircle.errors import GraphError, ProjectionError, UnusableInputError
from lifecircle.findings import result_layers

CRS = "EPSG:4549"


def town(mode="drive", seed=0):
    """Give a lattice of streets, some one-way, some closed, with a crossing curve."""
    random = np.random.default_rng(seed)
    lines, ways, oneway = [], [], []
    for x in range(6):
        for y in range(6):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx > 5 or y + dy > 5 or random.random() < 0.15:
                    continue
                start, end = (
                    (500000 + 130 * x, 3380000 + 90 * y),
                    (500000 + 130 * (x + dx), 3380000 + 90 * (y + dy)),
                )
                bend = ((start[0] + end[0]) / 2 + 7.0, (start[1] + end[1]) / 2 + 3.0)
                lines.append(f"LINESTRING ({start[0]} {start[1]}, {bend[0]} {bend[1]}, {end[0]} {end[1]})")
                ways.append(random.choice(["residential", "primary"]))
                oneway.append(bool(random.random() < 0.4))
    table = gpd.GeoDataFrame(
        {"highway": ways, "oneway": oneway}, geometry=gpd.GeoSeries.from_wkt(lines, crs=CRS)
    )
    return lc.read_roads(table, mode=mode, crs=CRS)


def points(roads, many, seed):
    """Give points near the roads."""
    random = np.random.default_rng(seed)
    xy = random.uniform(roads.xy.min(axis=0), roads.xy.max(axis=0), (many, 2))
    return gpd.GeoDataFrame(
        {"population": random.integers(1, 90, many).astype(float)},
        geometry=gpd.points_from_xy(*xy.T, crs=CRS),
    )


# Graphs


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)  # networkx is loaded by the first
def test_dijkstra_of_networkx_gives_the_times_of_the_engine(seed):
    random = np.random.default_rng(seed)
    many = int(random.integers(2, 12))
    edges = int(random.integers(1, 40))
    tails = np.sort(random.integers(0, many, edges))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=many))])
    graph = lc.TravelGraph(indptr, random.integers(0, many, edges), random.integers(0, 9, edges) * 7.25)
    seconds, _ = graph.nearest([0, 1])
    found = nx.multi_source_dijkstra_path_length(lc.to_networkx(graph), {0, 1}, weight="travel_time")
    assert [found.get(node, np.inf) for node in range(many)] == seconds.tolist()


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_roads_as_a_graph_have_the_same_times_places_and_lines(mode):
    roads = town(mode)
    graph = lc.to_networkx(roads)
    venue = int(roads.u[3])
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*roads.xy[[venue]].T, crs=CRS))
    homes = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*roads.xy.T, crs=CRS))
    near = lc.nearest(roads, homes, there, limit_min=15)
    found = nx.single_source_dijkstra_path_length(graph.reverse(copy=False), venue, weight="travel_time")
    peer = np.array([found.get(node, np.nan) for node in range(len(roads.xy))])
    # Sums in another order: equal up to the last bits.
    assert near["seconds"].to_numpy() == pytest.approx(peer, rel=1e-12, nan_ok=True)
    for u, v, data in graph.edges(data=True):
        ends = data["geometry"].coords[0], data["geometry"].coords[-1]
        assert ends == (tuple(roads.xy[u]), tuple(roads.xy[v]))
        assert data["length"] == pytest.approx(data["geometry"].length)
    allowed = np.isfinite(roads.forward_s).sum() + np.isfinite(roads.backward_s).sum()
    assert graph.number_of_edges() == allowed


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_roads_come_back_from_their_graph(mode):
    roads = town(mode)
    back = lc.roads_from_graph(lc.to_networkx(roads), mode=mode, crs=CRS)
    assert sorted(map(sorted, zip(back.u, back.v, strict=True))) == sorted(
        map(sorted, zip(roads.u, roads.v, strict=True))
    )
    here, there = points(roads, 30, 1), points(roads, 5, 2)
    first = lc.nearest(roads, here, there, limit_min=5)["seconds"]
    second = lc.nearest(back, here, there, limit_min=5)["seconds"]
    assert second.to_numpy() == pytest.approx(first.to_numpy(), nan_ok=True)


def test_osmnx_takes_the_graph(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import matplotlib as mpl  # noqa: PLC0415 - only here

        mpl.use("Agg")
        import osmnx  # noqa: PLC0415 - two seconds

        roads = town("walk")
        graph = lc.to_networkx(roads)
        osmnx.convert.validate_graph(graph, strict=True)
        place = roads.xy[7]
        assert osmnx.nearest_nodes(graph, place[0] + 1.0, place[1]) == 7
        route = osmnx.shortest_path(graph, 0, 20, weight="travel_time")
        seconds = sum(osmnx.routing.route_to_gdf(graph, route, weight="travel_time")["travel_time"])
        assert seconds == pytest.approx(nx.dijkstra_path_length(graph, 0, 20, weight="travel_time"))
        figure, _ = osmnx.plot_graph(graph, show=False, close=True)
        assert figure is not None
        osmnx.save_graphml(graph, tmp_path / "town.graphml")
    assert len(lc.read_roads(tmp_path / "town.graphml", crs=CRS).u) == len(roads.u)


def test_a_graph_in_degrees_keeps_its_metres():
    roads = town("walk")
    degrees = lc.to_networkx(roads, crs="EPSG:4326")
    assert degrees.graph["crs"] == "EPSG:4326"
    lon, lat = (degrees.nodes[0][name] for name in "xy")
    assert 119 < lon < 121
    assert 30 < lat < 31
    assert nx.to_pandas_edgelist(degrees)["length"].sum() == pytest.approx(2 * roads.length_m.sum())


def test_what_does_not_fit_a_graph_is_refused():
    bare = lc.TravelGraph([0, 1, 1], [1], [5.0])
    graph = lc.to_networkx(bare, xy=[[0, 0], [3, 4]], crs=CRS, length_m=[5.0])
    assert graph.nodes[1] == {"x": 3.0, "y": 4.0, "street_count": 1}
    assert graph.edges[0, 1, 0] == {"osmid": 0, "travel_time": 5.0, "length": 5.0}
    with pytest.raises(GraphError, match="xy has shape"):
        lc.to_networkx(bare, xy=[[0, 0]])
    with pytest.raises(GraphError, match=r"length_m is nan at \(0,\)"):
        lc.to_networkx(bare, length_m=[np.nan])
    with pytest.raises(ProjectionError, match="EPSG:0"):
        lc.to_networkx(bare, crs="EPSG:0")
    with pytest.raises(GraphError, match="leave out xy"):
        lc.to_networkx(town(), xy=[[0, 0]])


# Pairs to others


def some_pairs():
    roads = town("walk")
    here, there = points(roads, 40, 3), points(roads, 9, 4)
    there.index = [f"hall {number}" for number in range(9)]
    return roads, here, there, lc.within(roads, here, there, limit_min=6)


def test_pysal_access_counts_the_same_from_our_pairs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        access = pytest.importorskip("access", reason="the peer that takes the pairs")
        _, here, _, pairs = some_pairs()
        supply = pd.Series(np.arange(1.0, 10.0), index=pairs.facilities)
        peer = access.Access(
            demand_df=here[["population"]].reset_index(names="id"),
            demand_index="id",
            demand_value="population",
            supply_df=supply.rename("places").rename_axis("id").reset_index(),
            supply_index="id",
            supply_value="places",
            cost_df=lc.pairs_table(pairs),
            cost_origin="origin",
            cost_dest="dest",
            cost_name="cost",
        )
        theirs = peer.two_stage_fca(name="a", cost="cost", max_cost=300)
    ours = lc.floating_catchment(pairs, here["population"], supply, limit=300)
    assert theirs.iloc[:, 0].reindex(here.index).fillna(0).to_numpy() == pytest.approx(ours.to_numpy())


def test_spopt_chooses_as_many_from_our_matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        locate = pytest.importorskip("spopt.locate", reason="the peer that takes the matrix")
        pulp = pytest.importorskip("pulp", reason="the solver of the peer")
        _, here, _, pairs = some_pairs()
        reached = lc.pairs_table(pairs)["origin"].unique()
        rows = here.index.isin(reached)
        part = csr_array(pairs.seconds[np.flatnonzero(rows)])
        matrix = lc.cost_matrix(part, unreached=1e6)
        solver = pulp.PULP_CBC_CMD(msg=False)
        fewest = locate.LSCP.from_cost_matrix(matrix, 360.0).solve(solver)
        people = here["population"].to_numpy()[rows]
        most = locate.MCLP.from_cost_matrix(matrix, people, 200.0, p_facilities=2).solve(solver)
    plan = lc.solve_siting(part, people, objective="full_cover", limit=360.0)
    assert plan.value == fewest.problem.objective.value()
    best = lc.solve_siting(part, people, objective="max_cover", limit=200.0, sites=2)
    assert best.value == most.problem.objective.value()


def test_pairs_in_the_words_of_r5_come_back():
    _, here, there, pairs = some_pairs()
    table = lc.pairs_table(pairs, columns=("from_id", "to_id", "travel_time"), unit="minutes")
    again, rejects = lc.read_travel_times(table, here, there, unit="minutes")
    reached = set(table["from_id"])
    assert set(rejects["value"]) == {str(one) for one in here.index if one not in reached}
    assert again.seconds.toarray() == pytest.approx(pairs.seconds.toarray())
    assert (again.seconds != 0).sum() == (pairs.seconds != 0).sum()
    with pytest.raises(UnusableInputError, match="hours"):
        lc.pairs_table(pairs, unit="hours")


def test_the_nearest_of_pairs_is_the_nearest_of_the_engine():
    roads, here, there, pairs = some_pairs()
    for k in (1, 3):
        ours = lc.nearest(roads, here, there, limit_min=4, k=k)
        of_pairs = lc.nearest_of(pairs, limit_min=4, k=k)
        assert of_pairs.index.equals(ours.index)
        inside = (ours["seconds"] <= 360) & (ours["status"] != "unsnapped")
        for name in ("facility", "seconds", "minutes", "status"):
            assert of_pairs[name][inside].tolist() == ours[name][inside].tolist()
        assert of_pairs["facility"][~inside].isna().all()
    rate = lc.coverage(lc.nearest_of(pairs, limit_min=4), here, limit_min=4)
    assert (
        rate["covered"].iloc[0]
        == lc.coverage(lc.nearest(roads, here, there, limit_min=4), here, limit_min=4)["covered"].iloc[0]
    )
    with pytest.raises(GraphError, match="limit_min"):
        lc.nearest_of(pairs, limit_min=-1)
    with pytest.raises(GraphError, match="k is 0"):
        lc.nearest_of(pairs, limit_min=1, k=0)


# Times of others


ROWS = ("1,a,4", "1,b,7.5", "2,a,", "2,b,-3", "2,b,9", "3,x,2", "9,a,1", "1,a,6", "x,b,far", "1,c,inf")
LONG = "\n".join(["from_id,to_id,travel_time_p50", *ROWS, ""])


def rows_of(rejects):
    return [tuple(map(str, row)) for row in rejects[["row", "column", "value", "reason"]].to_numpy()]


def test_every_fault_of_a_long_file_is_named(tmp_path):
    file = tmp_path / "r5r.csv"
    file.write_text(LONG, "utf-8")
    pairs, rejects = lc.read_travel_times(file, [1, 2, 3], ["a", "b", "c"], unit="minutes")
    assert pairs.seconds.toarray().tolist() == [[240.0, 450.0, 0.0], [0.0, 540.0, 0.0], [0.0] * 3]
    assert pairs.seconds.nnz == 3
    assert rows_of(rejects) == [
        ("0", "from_id", "3", "no time of this resident"),
        ("0", "to_id", "c", "no time of this facility"),
        ("4", "travel_time_p50", "", "blank"),
        ("5", "travel_time_p50", "-3", "negative"),
        ("7", "to_id", "x", "no facility has this id"),
        ("8", "from_id", "9", "no resident has this id"),
        ("9", "travel_time_p50", "6", "this pair stands more than once"),
        ("10", "travel_time_p50", "far", "not a number"),
    ]
    assert rejects["remedy"].map(bool).all()
    assert set(rejects["file"]) == {str(file)}


def test_a_wide_file_is_the_same_as_a_long_one(tmp_path):
    wide = pd.DataFrame(
        {"from_id": ["1", "2", "5"], "a": ["4", "inf", "1"], "b": ["7.5", "-1", ""], "x": ["2", "2", "2"]}
    )
    wide.to_csv(tmp_path / "wide.csv", index=False)
    wide.set_index("from_id").to_parquet(tmp_path / "wide.parquet")
    for file in ("wide.csv", "wide.parquet"):
        pairs, rejects = lc.read_travel_times(tmp_path / file, [1, 2], ["a", "b"], unit="seconds")
        assert pairs.seconds.toarray().tolist() == [[4.0, 7.5], [0.0, 0.0]]
        assert sorted(one[2:] for one in rows_of(rejects)) == [
            ("", "blank"),
            ("-1", "negative"),
            ("2", "no time of this resident"),
            ("5", "no resident has this id"),
            ("x", "no facility has this id"),
        ]


def test_a_matrix_goes_by_the_order_of_the_tables():
    matrix = np.array([[1.0, np.inf], [np.nan, 2.0], [-1.0, 0.0]])
    pairs, rejects = lc.read_travel_times(matrix, ["x", "y", "z"], [10, 20], unit="minutes")
    assert lc.pairs_table(pairs).to_numpy().tolist() == [["x", 10, 60.0], ["y", 20, 120.0], ["z", 20, 0.0]]
    assert rows_of(rejects) == [("1", "0", "", "blank"), ("2", "0", "-1", "negative")]
    with pytest.raises(UnusableInputError, match="shape"):
        lc.read_travel_times(matrix, ["x", "y"], [10, 20], unit="minutes")


def test_missing_pairs_are_named_where_all_are_due():
    table = pd.DataFrame({"origin": ["a", "b"], "dest": ["p", "q"], "cost": [1.0, 2.0]})
    _, rejects = lc.read_travel_times(table, unit="seconds", complete=True)
    assert rows_of(rejects) == [
        ("0", "", "a -> q", "this pair is missing"),
        ("0", "", "b -> p", "this pair is missing"),
    ]
    many = pd.DataFrame({"origin": range(50), "dest": [0] * 50, "cost": [1.0] * 50})
    _, rejects = lc.read_travel_times(many, facilities=[0, 1], unit="seconds", complete=True)
    assert rejects["value"].iloc[-1] == "30"  # 20 named, the rest counted
    assert len(rejects) == 22


def test_a_source_without_use_is_refused():
    table = pd.DataFrame({"from_id": ["a"], "to_id": ["p"], "travel_time": [1.0]})
    with pytest.raises(UnusableInputError, match="no row can be used"):
        lc.read_travel_times(table, ["b"], unit="seconds")
    with pytest.raises(UnusableInputError, match="no unit of time"):
        lc.read_travel_times(table, unit="hours")
    with pytest.raises(UnusableInputError, match="more than once"):
        lc.read_travel_times(table, ["a", "a"], unit="seconds")
    with pytest.raises(UnusableInputError, match="no time"):
        lc.read_travel_times(table[["from_id"]], unit="seconds")
    two = table.assign(travel_time_p50=2.0).rename(columns={"travel_time": "cost"})
    with pytest.raises(UnusableInputError, match="several columns"):
        lc.read_travel_times(two, unit="seconds")
    pairs, _ = lc.read_travel_times(two, unit="seconds", columns={"travel_time": "cost"})
    assert pairs.seconds.toarray().tolist() == [[1.0]]
    with pytest.raises(UnusableInputError, match="read_travel_times"):
        lc.floating_catchment(table, [1], [1], limit=1)
    with pytest.raises(UnusableInputError, match="not a table of numbers"):
        lc.floating_catchment(pd.DataFrame({"a": ["x"]}), [1], [1], limit=1)


def test_foreign_times_are_taken_wherever_pairs_are():
    _, here, there, ours = some_pairs()
    table = lc.pairs_table(ours)
    pairs, _ = lc.read_travel_times(table, here, there, unit="seconds")
    people, places = here["population"], pd.Series(20.0, index=there.index)
    for count in (
        lambda costs: lc.floating_catchment(costs, people, places, limit=300).tolist(),
        lambda costs: lc.serve_in_order(costs, people, places, limit=300).residents["served"].tolist(),
        lambda costs: lc.cumulative_opportunities(costs, places, limits=[300]).to_numpy().tolist(),
        lambda costs: lc.cost_to_nth(costs, 1).fillna(-1).tolist(),
        lambda costs: lc.solve_siting(costs, people, objective="max_cover", limit=300, sites=2).sites,
    ):
        assert count(pairs) == count(ours)


def test_the_names_are_public():
    assert {"to_networkx", "pairs_table", "cost_matrix", "nearest_of", "read_travel_times"} <= set(lc.__all__)
    assert (ROOT / "docs" / "interchange.md").is_file()


# Layers of a run


@pytest.fixture(scope="module")
def findings():
    return lc.run_audit(TOYTOWN)


@pytest.mark.parametrize(("form", "ending"), [("geojson", ".geojson"), ("geoparquet", ".parquet")])
def test_layers_of_a_run_are_read_back_from_files(findings, tmp_path, form, ending):
    for name in ("a", "b"):
        lc.export_layers(findings, tmp_path / name, form=form)
    about = json.loads((tmp_path / "a" / "layers.json").read_text("utf-8"))
    layers = result_layers(findings)
    assert about["layers"] == {name: len(layer) for name, layer in layers.items()}
    for name, layer in layers.items():
        file = tmp_path / "a" / (name + ending)
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        back = gpd.read_parquet(file) if form == "geoparquet" else gpd.read_file(file)
        assert back.crs.to_epsg() == 4326
        assert [one for one in back.columns if one != "geometry"] == [
            one for one in layer.columns if one != "geometry"
        ]
        if name == "demand":
            assert back["population"].tolist() == layer["population"].tolist()
            apart = shapely.distance(back.geometry.array, layer.to_crs(4326).geometry.array)
            assert not (apart > 1e-6).any()
            assert back.geometry.isna().tolist() == layer.geometry.isna().tolist()


def test_an_export_replaces_only_an_export(findings, tmp_path):
    lc.export_layers(findings, tmp_path / "out")
    lc.export_layers(findings, tmp_path / "out", form="geoparquet")
    assert not list((tmp_path / "out").glob("*.geojson"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("mine", "utf-8")
    with pytest.raises(UnusableInputError):
        lc.export_layers(findings, tmp_path / "mine")
    with pytest.raises(UnusableInputError, match="no such form"):
        lc.export_layers(findings, tmp_path / "new", form="shapefile")
    assert not (tmp_path / "new").exists()


def test_the_command_writes_beside_the_run(toytown):
    folder = toytown / "results"
    year = lc.run_audit(toytown, out=folder).year
    done = CliRunner().invoke(cli, ["export", str(folder / str(year)), "--format", "geoparquet"])
    assert done.exit_code == 0, done.output
    assert (folder / f"{year}-geoparquet" / "demand.parquet").is_file()
    assert f"{year}-geoparquet" in done.output
