"""The only clock of the agent's processes. Everything else gets `now` as an argument."""

import time
from datetime import date, datetime
from pathlib import Path

from consent.event import Clocks

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read() -> Clocks:
    """This instant on the three clocks."""
    return Clocks(time.monotonic_ns() // 1_000_000, time.clock_gettime_ns(_BOOT_CLOCK) // 1_000_000, time.time_ns() // 1_000_000)


def day_here(wall_ms: int) -> date:
    """The calendar day of an instant (Unix milliseconds) in the time zone of this session."""
    return datetime.fromtimestamp(wall_ms / 1000).astimezone().date()


def boot_id() -> str:
    """A name for this start of the machine; the awake clock counts from its beginning. Empty where the OS has none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
