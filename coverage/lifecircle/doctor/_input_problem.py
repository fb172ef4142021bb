"""Define one problem of a study's inputs: what, where, how many, what it moves, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifecircle.errors import Message  # noqa: TC001 - a field of a public class

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SAMPLES = 5
"""Rows that a problem shows one by one; the count says how many there are."""


@dataclass(frozen=True)
class Problem:
    """One kind of problem in one input.

    ``severity`` : ``error``, no audit is possible or figures are wrong; ``warning``, figures may move;
    ``note``, good to know. ``rows`` : samples, as ``12: name``; ``effect`` : what it may move, empty where
    nothing is known; ``places`` : (lon, lat) of the samples that have one.
    """

    severity: Severity
    kind: str
    input: str
    count: int
    reason: Message | str
    remedy: Message | str
    rows: tuple[str, ...] = ()
    effect: Message | str = ""
    places: tuple[tuple[float, float], ...] = ()
