"""What our processes take of the machine: the mean of some minutes, which of them has grown too large, how long to rest. Pure.

Time is awake time in milliseconds: a machine that sleeps takes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 300
"""The mean of five minutes: sealing a full hold takes seconds once, and is no reason for anything."""
CHILD_BYTES = 150_000_000
"""Resident memory of one process. FEATURES P03: below 150 MB; ours take 30 to 50. One that is larger leaks, and is started anew."""
REST_S = (300, 600, 1200, 2400, 3600)
"""How long to rest: first until the window has forgotten, then twice as long each time, an hour at most."""
AGAIN_S = 3600
"""Whoever lasted an hour since the last rest begins with the first again."""
MOST_ANEW = 3
"""So often a process is started anew within an hour because it has grown too large; after that it rests as well."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was read of our processes at one instant.

    Attributes:
        cpu_ms: Processor time since the daemon's start, of it and all its children, living and dead.
        children: Resident bytes of its living children, by process id.
    """

    cpu_ms: int
    children: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Effort:
    """Looks at the processor time: awake milliseconds, and our milliseconds till then."""

    looks: tuple[tuple[int, int], ...] = ()

    def look(self, awake_ms: int, cpu_ms: int) -> "Effort":
        """One more look; of those that the window has passed only the latest is kept, which it begins in."""
        passed = sum(at_ms <= awake_ms - WINDOW_S * 1000 for at_ms, _ in self.looks)
        return Effort((*self.looks[max(0, passed - 1) :], (awake_ms, cpu_ms)))

    @property
    def percent(self) -> float | None:
        """Of one core, the mean of the window; what is not a window long yet counts as idle before. None before the second look."""
        if len(self.looks) < 2:
            return None
        (first_ms, first_cpu_ms), (last_ms, last_cpu_ms) = self.looks[0], self.looks[-1]
        return 100 * max(0, last_cpu_ms - first_cpu_ms) / max(WINDOW_S * 1000, last_ms - first_ms)


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest: until when, and the how manieth of a row."""

    until_ms: int
    number: int


def rest(before: Rest | None, awake_ms: int) -> Rest:
    """The rest that begins now."""
    row = before is not None and awake_ms < before.until_ms + AGAIN_S * 1000
    number = before.number + 1 if before is not None and row else 0
    return Rest(awake_ms + REST_S[min(number, len(REST_S) - 1)] * 1000, number)


def too_large(costs: Costs) -> tuple[int, ...]:
    """The children that have grown too large."""
    return tuple(sorted(pid for pid, resident_bytes in costs.children.items() if resident_bytes > CHILD_BYTES))


def recent(anew_ms: tuple[int, ...], awake_ms: int) -> tuple[int, ...]:
    """Of the instants at which a process was started anew, those within the hour."""
    return tuple(at_ms for at_ms in anew_ms if at_ms > awake_ms - AGAIN_S * 1000)
