"""Hand networks and travel times to other packages, and take theirs.

Roads and graphs become graphs of networkx, as OSMnx has them; pairs become the tables and matrices that
``access``, ``spopt``, r5r and r5py use; and a matrix of travel times from any of them becomes pairs. This
room searches nothing and counts nobody.
"""

from lifecircle.interchange._foreign_matrix import read_travel_times
from lifecircle.interchange._layer_files import ENDINGS, EXPORT, export_layers
from lifecircle.interchange._networkx_graph import to_networkx
from lifecircle.interchange._pair_tables import cost_matrix, nearest_of, pairs_table

__all__ = [
    "ENDINGS",
    "EXPORT",
    "cost_matrix",
    "export_layers",
    "nearest_of",
    "pairs_table",
    "read_travel_times",
    "to_networkx",
]
