"""Which day it is here, by a time that never goes back. Pure.

A notice that is due on each day must not be made not due by turning a clock back, or by moving to another time zone: the day is the
highest that was ever believed, and time passes on from there as the clock with suspend counts it, whatever the wall clock says.
A wall clock that is ahead only makes the next day come sooner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from consent.event import Clocks

KEEP_EVERY_MS = 15 * 60_000
"""How far the latest instant may be ahead of what is on disk: a restart gives a turned-back clock no more than this."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest instant (Unix milliseconds) and the latest calendar day that were ever believed; None before the first."""

    wall_ms: int = 0
    day: date | None = None


class Today:
    """The judged day of one process.

    Attributes:
        latest: The latest that was believed, by this process or by `latest` of an earlier one.

    Args:
        day_of: The calendar day here of an instant (Unix milliseconds).
    """

    def __init__(self, latest: Latest, day_of: Callable[[int], date]) -> None:
        self.latest = latest
        self._day_of = day_of
        self._ahead_ms: int | None = None

    def at(self, now: Clocks) -> date:
        """The day now; never an earlier one than was said before."""
        elapsed_ms = now.wall_ms if self._ahead_ms is None else now.boot_ms + self._ahead_ms
        wall_ms = max(now.wall_ms, self.latest.wall_ms, elapsed_ms)
        self._ahead_ms = wall_ms - now.boot_ms
        day = self._day_of(wall_ms)
        if self.latest.day is not None:
            day = max(day, self.latest.day)
        self.latest = Latest(wall_ms, day)
        return day
