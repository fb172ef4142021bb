"""Audit many studies, or one region by its districts: on this machine, or on a Dask cluster.

A task is one study. Its run is the one an audit writes; a batch adds the merged table, one register, a page
of the region and, where asked for, a page of each study. Dask is loaded only where a cluster is asked for.
"""

from lifecircle.batch._cut import border_m
from lifecircle.batch._district_text import standard_text
from lifecircle.batch._split import Split, split_study
from lifecircle.batch._steps import Batch, BatchOrder, run_batch
from lifecircle.batch._task_order import Order, Outcome
from lifecircle.batch._way import SOLVES, WHOLE_UP_TO, choose_way

__all__ = [
    "SOLVES",
    "WHOLE_UP_TO",
    "Batch",
    "BatchOrder",
    "Order",
    "Outcome",
    "Split",
    "border_m",
    "choose_way",
    "run_batch",
    "split_study",
    "standard_text",
]
