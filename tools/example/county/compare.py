"""Put the synthetic network's figures beside those of a real one, read from a GraphML file of OSMnx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np

from county.network import figures

if TYPE_CHECKING:
    from pathlib import Path


def parquet_figures(path: Path) -> dict[str, float]:
    """Measure a roads.parquet."""
    frame = gpd.read_parquet(path)
    return figures(frame[["u", "v"]].to_numpy(), frame.length.to_numpy(), frame["oneway"].to_numpy())


def graphml_figures(path: Path) -> dict[str, float]:
    """Measure a directed OSMnx graph; both directions of a street count as one edge."""
    graph = nx.read_graphml(path, force_multigraph=True)
    number = {name: place for place, name in enumerate(graph.nodes)}
    streets: dict[tuple[int, int, float], bool] = {}
    for one, two, data in graph.edges(data=True):
        length = round(float(data["length"]), 1)
        key = (min(number[one], number[two]), max(number[one], number[two]), length)
        streets[key] = str(data.get("oneway")) == "True"
    uv = np.array([key[:2] for key in streets])
    return figures(uv, np.array([key[2] for key in streets]), np.array(list(streets.values())))


def table(ours: Path, real: Path) -> str:
    """Print both networks' figures side by side, with the difference."""
    left, right = parquet_figures(ours), graphml_figures(real)
    rows = [f"{'':<28}{'synthetic':>12}{real.stem:>12}{'difference':>12}"]
    for name, value in left.items():
        show = "{:12.1f}" if "(m)" in name else "{:12.3f}"
        rows.append(
            f"{name:<28}" + show.format(value) + show.format(right[name]) + f"{value / right[name] - 1:12.1%}"
        )
    return "\n".join(rows)
