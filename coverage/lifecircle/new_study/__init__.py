"""Make a study from the files at hand: a commented ``study.toml`` in which every guess is marked.

What a table is for is seen by its geometries, headings and values. This room reads no path that a study names
and audits nothing; ``doctor`` checks what was written.
"""

from lifecircle.new_study._new_steps import NewOrder, NewStudy, write_study
from lifecircle.new_study._role import Role, role_of
from lifecircle.new_study._service_match import WordMatch, match_words
from lifecircle.new_study._shown_table import ShownTable, look_at
from lifecircle.new_study._study_parts import StudyPart

__all__ = [
    "NewOrder",
    "NewStudy",
    "Role",
    "ShownTable",
    "StudyPart",
    "WordMatch",
    "look_at",
    "match_words",
    "role_of",
    "write_study",
]
