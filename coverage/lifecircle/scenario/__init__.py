"""What-if: changes of a study are applied to its inputs, audited, and compared with the study.

A scenario is the study's own audit over edited inputs; no figure is computed another way.
"""

from lifecircle.scenario._apply import apply_changes
from lifecircle.scenario._changes import ACTIONS, CHANGE_COLUMNS, Change, read_changes
from lifecircle.scenario._compare import (
    Part,
    TargetComparison,
    compare_targets,
    moved_residents,
    saved_seconds,
)
from lifecircle.scenario._scenario_files import FOLDER, comparison, write_scenario
from lifecircle.scenario._scenario_steps import Scenario, compare_inputs, run_scenario, scenario_id
from lifecircle.scenario._scenario_text import change_line, summary_lines
from lifecircle.scenario._unit_moves import GapMove, NamedUnit, Town, UnitMoves

__all__ = [
    "ACTIONS",
    "CHANGE_COLUMNS",
    "FOLDER",
    "Change",
    "GapMove",
    "NamedUnit",
    "Part",
    "Scenario",
    "TargetComparison",
    "Town",
    "UnitMoves",
    "apply_changes",
    "change_line",
    "compare_inputs",
    "compare_targets",
    "comparison",
    "moved_residents",
    "read_changes",
    "run_scenario",
    "saved_seconds",
    "scenario_id",
    "summary_lines",
    "write_scenario",
]
