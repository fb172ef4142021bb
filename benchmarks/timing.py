"""Own how a race is run: what comes first, how rounds interleave, what is called agreement.

Every contestant answers once before the rounds; that first call is its cold time, and its answer is the
one compared with the reference. Then rounds follow, each in another order, drawn by lot. Within a round a
contestant that is quick answers three times and the middle one counts, for the first finds the memory that
others have used cold; before each turn there is a short rest, in which the threads of others go to sleep. A
ratio is the median of the ratios within a round, so that what disturbs the machine for a while disturbs both.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray[Any, Any]

EXACT, ROUNDED, WRONG, BOUND = "exact", "rounded", "wrong", "bound"
"""Agreement: equal to float noise; off by less than a second; off by more; not an answer at all."""

NOISE_S = 1e-6
ROUNDED_S = 1.0
ROUNDED_SHARE = 1e-3
SLOW_S = 25.0
QUICK_S = 0.3
REST_S = 0.05


@dataclass(frozen=True)
class Agreement:
    """What became of the comparison with the reference: one of the kinds, and the figures in words."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Contestant:
    """One way to answer.

    ``answer`` does the whole work; ``agree`` compares what it returned; ``build_s`` was spent before, once;
    ``sample`` is the share of the work that ``answer`` does, where doing all of it would take too long.
    """

    name: str
    settings: str
    answer: Callable[[], Any]
    agree: Callable[[Any], Agreement]
    build_s: float | None = None
    sample: float = 1.0


@dataclass(frozen=True)
class Timing:
    """What a contestant took: seconds of the first call and of each round, scaled up from a sample."""

    name: str
    settings: str
    agreement: Agreement
    build_s: float | None
    sample: float
    cold_s: float
    rounds_s: dict[int, float] = field(default_factory=dict)
    used_s: dict[int, float] = field(default_factory=dict)

    @property
    def median_s(self) -> float:
        """Median wall seconds of the rounds; of the first call where it has no rounds."""
        return float(np.median(list(self.rounds_s.values()))) if self.rounds_s else self.cold_s

    def times_slower(self, other: Timing) -> tuple[float, float, float]:
        """Median, least and greatest ratio to another contestant within a round."""
        common = sorted(set(self.rounds_s) & set(other.rounds_s))
        if not common:
            ratio = self.median_s / other.median_s
            return ratio, ratio, ratio
        ratios = [self.rounds_s[turn] / other.rounds_s[turn] for turn in common]
        return float(np.median(ratios)), min(ratios), max(ratios)


@dataclass(frozen=True)
class Race:
    """A task on a network and what every contestant took for it; the first one is the package's own."""

    task: str
    network: str
    title: str
    timings: tuple[Timing, ...]

    def timing(self, name: str) -> Timing | None:
        """Find a contestant by the beginning of its name."""
        return next((one for one in self.timings if one.name.startswith(name)), None)

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Race:
        """Read what :meth:`as_json` gave."""
        return cls(
            plain["task"],
            plain["network"],
            plain["title"],
            tuple(
                Timing(
                    **{
                        **one,
                        "agreement": Agreement(**one["agreement"]),
                        "rounds_s": {int(turn): took for turn, took in one["rounds_s"].items()},
                        "used_s": {int(turn): took for turn, took in one["used_s"].items()},
                    }
                )
                for one in plain["timings"]
            ),
        )


def run_race(task: str, network: str, title: str, contestants: list[Contestant], *, rounds: int) -> Race:
    """Let contestants answer once and then in interleaved rounds.

    One whose rounds would together take more than ``SLOW_S`` has fewer of them, at least one.
    """
    say(f"{title} ({network})")
    timings, allowed = [], []
    gc.collect()
    gc.freeze()  # the graphs of one contestant are not to be walked while another is timed
    for one in contestants:
        found, took, _ = clocked(one.answer)
        agreement = one.agree(found)
        del found
        timings.append(Timing(one.name, one.settings, agreement, one.build_s, one.sample, took / one.sample))
        allowed.append(int(np.clip(SLOW_S / max(took, 1e-9), 1, rounds)))
        say(f"    {one.name:44s} first {took / one.sample * 1e3:12.1f} ms   {agreement.text}")
    lots = np.random.default_rng(rounds)
    for turn in range(rounds):
        for place in lots.permutation(len(contestants)):
            if turn < allowed[place]:
                one, timing = contestants[place], timings[place]
                took, used = _middle_call(one.answer)
                timing.rounds_s[turn], timing.used_s[turn] = took / one.sample, used / one.sample
    gc.unfreeze()
    race = Race(task, network, title, tuple(timings))
    for timing in timings:
        ratio, low, high = timing.times_slower(timings[0])
        say(f"    {timing.name:44s} {timing.median_s * 1e3:12.1f} ms   x {ratio:.2f} ({low:.2f}-{high:.2f})")
    return race


def _middle_call(answer: Callable[[], Any]) -> tuple[float, float]:
    """Call, three times where it is quick: wall and processor seconds of the middle one."""
    time.sleep(REST_S)
    calls = [clocked(answer)[1:]]
    if calls[0][0] < QUICK_S:
        calls += [clocked(answer)[1:] for _ in range(2)]
    return sorted(calls)[len(calls) // 2]


def clocked(answer: Callable[[], Any]) -> tuple[Any, float, float]:
    """Call and return what was answered, the wall seconds and the processor seconds."""
    begin, begin_used = time.perf_counter(), time.process_time()
    found = answer()
    return found, time.perf_counter() - begin, time.process_time() - begin_used


def compare_seconds(found: Array, expected: Array) -> Agreement:
    """Compare times that are inf where nothing is reached, of one shape."""
    reached, wanted = np.isfinite(found), np.isfinite(expected)
    missed = int((reached != wanted).sum())
    both = reached & wanted
    worst = float(np.abs(found[both] - expected[both]).max(initial=0.0))
    if np.array_equal(found, expected):
        return Agreement(EXACT, "equal to the last bit")
    text = f"off by up to {worst:.2g} s"
    if missed:
        text += f", {missed} of {wanted.size} on the wrong side of the limit"
    if worst <= NOISE_S and missed == 0:
        return Agreement(EXACT, text)
    right = worst <= ROUNDED_S and missed <= ROUNDED_SHARE * wanted.size
    return Agreement(ROUNDED if right else WRONG, text)


def no_answer(_: Any) -> Agreement:
    """Say that what was timed answers nothing."""
    return Agreement(BOUND, "no answer, a bound")


def say(text: str) -> None:
    """Print how far the run is, on the error stream."""
    print(text, file=sys.stderr, flush=True)
