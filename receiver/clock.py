"""The receiver's only clock. Refuses nothing; everything else takes `now` as an argument."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Wall time, UTC, for records and expiries."""
    return datetime.now(UTC)


def elapsed_s() -> float:
    """Seconds that never go backwards, for durations only."""
    return time.monotonic()
