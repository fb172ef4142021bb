"""Write what was located: the list with its answer, the page for the rest, and the record of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecircle.files import Results, complete_folder
from lifecircle.locate._placing_page import PageMap, placing_page
from lifecircle.tables import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from lifecircle.locate._known_places import Gazetteer
    from lifecircle.locate._located_list import LocatedList
    from lifecircle.roads import Roads
    from lifecircle.study import Study
    from lifecircle.wording import Language

SCHEMA = 1
MARK = "locate.json"
LIST = "located.csv"
PAGE = "place.html"
FOLDER = Results(MARK, (MARK, LIST, PAGE))


@dataclass(frozen=True, eq=False)
class Located:
    """A list with its answer, the places it was matched to, and what the page draws.

    ``rejected`` : rows of the address file that could not be used; ``roads`` : None where the study has no
    file of roads.
    """

    study: Study
    answer: LocatedList
    known: Gazetteer
    rejected: int
    language: Language
    districts: gpd.GeoDataFrame | None = None
    roads: Roads | None = None

    def plain(self) -> dict[str, Any]:
        """Return the record as plain values: what was matched to what, and how many rows have which grade."""
        return {
            "schema": SCHEMA,
            "study": self.study.id,
            "list": self.answer.name.replace("\\", "/").rpartition("/")[2],
            "rows": len(self.answer.table),
            "grades": self.answer.placed,
            "without": self.answer.outcomes,
            "known": self.known.counts,
            "addresses_rejected": self.rejected,
        }


def write_located(located: Located, folder: Path) -> Path:
    """Write the folder whole or not at all; returns it.

    Parameters
    ----------
    located : what was found
    folder : replaced where it holds an earlier answer

    Returns
    -------
    folder : as given

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    page = placing_page(
        located.answer,
        located.known,
        ground=PageMap(located.districts, located.roads),
        title=located.study.name or located.study.id,
        synthetic=located.study.synthetic,
        language=located.language,
    )
    with complete_folder(folder, FOLDER) as fresh:
        write_csv(located.answer.table, fresh / LIST)
        (fresh / PAGE).write_text(page, encoding="utf-8", newline="\n")
        text = json.dumps(located.plain(), ensure_ascii=False, indent=1)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
    return folder
