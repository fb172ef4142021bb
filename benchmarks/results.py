"""Own what a run measured, kept as JSON so that the page can be written again without measuring."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.county import County
from benchmarks.timing import Race

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Results:
    """Everything one run measured.

    ``memory`` : network -> one entry per contestant; ``warm`` : mode -> scipy beside the package where freed
    memory is kept; ``cold`` : wall seconds of a small process by state of the compiled code; ``siting`` : the
    load when its race began and one entry per answer.
    """

    machine: dict[str, str]
    peers: dict[str, str]
    networks: list[dict[str, Any]] = field(default_factory=list)
    races: list[Race] = field(default_factory=list)
    memory: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    warm: dict[str, dict[str, float]] = field(default_factory=dict)
    cold: dict[str, float] = field(default_factory=dict)
    county: County | None = None
    siting: dict[str, Any] = field(default_factory=dict)
    took_s: float = 0.0

    def race(self, task: str, network: str) -> Race | None:
        """Find a race by its task and network."""
        return next((one for one in self.races if (one.task, one.network) == (task, network)), None)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        plain = {
            **vars(self),
            "races": [race.as_json() for race in self.races],
            "county": self.county.as_json() if self.county else None,
        }
        path.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read what :meth:`save` wrote."""
        plain = json.loads(path.read_text("utf-8"))
        plain["races"] = [Race.from_json(one) for one in plain["races"]]
        plain["county"] = County.from_json(plain["county"]) if plain["county"] else None
        return cls(**plain)
