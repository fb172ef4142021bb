"""Measure how long a solve may still take."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock until which a solve may go on."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that are left, never negative."""
        return max(0.0, self.end - time.monotonic())

    def passed(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self.end

    def share(self, part: float, *, most: float = float("inf")) -> Deadline:
        """Return a deadline for a part of what is left, at most so many seconds."""
        return Deadline(time.monotonic() + min(most, part * self.left()))
