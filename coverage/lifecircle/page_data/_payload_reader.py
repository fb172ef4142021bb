"""Reading a page's data back in Python, just as the page's script reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.page_data._answers import PLACE_PARTS, Answers, read_answers
from lifecircle.page_data._packed_columns import Columns, raw_bytes, unpack
from lifecircle.page_data._page_roads import Network, Places, read_network
from lifecircle.page_data._times import Ground, graph_of

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.reach import TravelGraph


@dataclass(frozen=True, eq=False)
class Payload:
    """The data of a page: ``page``, all that is text or JSON in it, and ``columns`` of numbers by name."""

    page: dict[str, Any]
    columns: Columns
    _grounds: dict[int, Ground | None] = field(default_factory=dict)

    @property
    def years(self) -> list[int]:
        """The years of the page, in order."""
        return [entry["year"] for entry in self.page["years"]]

    @cached_property
    def network(self) -> Network | None:
        """The roads that the page searches, None where it has none."""
        roads = self.page["roads"]
        return read_network(roads, self.columns) if roads and roads["profile"] else None

    @cached_property
    def graph(self) -> TravelGraph | None:
        """The graph of those roads, outward from venues."""
        return None if self.network is None else graph_of(self.network)

    def year(self, year: int) -> dict[str, Any]:
        """Find what the page holds of a year.

        Raises
        ------
        KeyError
            When the page has no such year.
        """
        for entry in self.page["years"]:
            if entry["year"] == year:
                return dict(entry)
        raise KeyError(f"the page has no year {year}; it has {', '.join(map(str, self.years))}")

    def target(self, year: int, target: str) -> dict[str, Any]:
        """Find what the page holds of a target in a year.

        Raises
        ------
        KeyError
            When the page has no such year or target.
        """
        targets = self.year(year)["targets"]
        for one in targets:
            if one["id"] == target:
                return dict(one)
        raise KeyError(f"the page has no target {target!r}; it has {', '.join(one['id'] for one in targets)}")

    def ground(self, year: int) -> Ground | None:
        """Read where a year's residents and venues join the page's roads, None where it has none.

        Raises
        ------
        KeyError
            When the page has no such year.
        """
        if year not in self._grounds:
            self._grounds[year] = self._ground(self.year(year))
        return self._grounds[year]

    def _ground(self, entry: dict[str, Any]) -> Ground | None:
        if self.network is None or self.graph is None:
            return None
        homes, venues = (
            Places(*(self.columns[entry[which]["roads"][part]].astype(np.int64) for part in PLACE_PARTS))
            for which in ("cells", "facilities")
        )
        share = float(self.page["roads"]["legShare"])
        return Ground(self.network, self.graph, homes=homes, venues=venues, leg_share=share)

    def answers(self, year: int, target: str) -> Answers | None:
        """Read each resident's answer for a target, None where it has no travel times.

        Raises
        ------
        KeyError
            When the page has no such year or target.
        """
        one = self.target(year, target)
        if one["answers"] is None:
            return None
        return read_answers(one["answers"], self.columns, minutes=one["minutes"], ground=self.ground(year))


def read_payload(page_or_bytes: str | bytes | Path) -> Payload:
    """Read the data of a map page.

    Parameters
    ----------
    page_or_bytes : the page's text or file, or the data alone, compressed or not

    Raises
    ------
    PayloadError
        When there are none, they are damaged, or a newer version wrote them.
    """
    return Payload(*unpack(raw_bytes(page_or_bytes)))
