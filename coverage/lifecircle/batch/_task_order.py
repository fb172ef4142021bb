"""Define one task of a batch and what comes of it; both are plain values that any worker can be handed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from lifecircle.findings import Language

State = Literal["done", "kept", "failed"]
DONE: Final = "done"
KEPT: Final = "kept"
FAILED: Final = "failed"
RECORD_VERSION: Final = 1


@dataclass(frozen=True)
class Order:
    """One study to audit.

    ``study`` : folder or file of the study; ``id`` : of it; ``year`` : to audit; ``results`` : folder that
    its run goes to; ``out`` : folder of the batch, where its record, log, partitions and page stand;
    ``language`` : that faults are printed in; ``atlas`` : also draw its page. Paths are absolute.
    """

    study: str
    id: str
    year: int
    results: str
    out: str
    language: Language = "zh"
    atlas: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the order as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Order:
        """Return the order of a plain one."""
        return cls(**plain)


@dataclass(frozen=True)
class Outcome:
    """What came of one task.

    ``state`` : done, kept (its inputs and its run are those of before) or failed; ``rows`` : of the merged
    table; ``register`` : rows of the register; ``faults`` : sentences in the language of the study;
    ``seconds`` of the wall, ``processor_seconds`` and ``peak_mb`` of the worker; ``attempts`` : how often it
    was begun; ``page`` : its map, relative to the batch; ``partitions`` : kind -> SHA-256; ``sizes`` : rows
    of residents, facilities and roads.
    """

    id: str
    year: int
    state: State
    fingerprint: str = ""
    name: str = ""
    language: Language = "zh"
    synthetic: bool = False
    rows: tuple[dict[str, Any], ...] = ()
    register: tuple[dict[str, Any], ...] = ()
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_mb: float = 0.0
    attempts: int = 1
    page: str = ""
    partitions: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether an assessed target is missed or behind, as ``--strict`` asks."""
        return any(row["district"] == "" and row["status"] in {"missed", "behind"} for row in self.rows)

    def plain(self) -> dict[str, Any]:
        """Return the outcome as JSON has it."""
        return {"schema": RECORD_VERSION, **asdict(self)}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Outcome:
        """Return the outcome of a plain one.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is not what :meth:`plain` gave.
        """
        if plain["schema"] != RECORD_VERSION:
            raise ValueError("of another version")
        own = {name: value for name, value in plain.items() if name != "schema"}
        for name in ("rows", "register", "faults"):
            own[name] = tuple(own[name])
        return cls(**own)
