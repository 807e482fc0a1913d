"""The demo's only clock: elapsed time for deadlines, and one waking-up between two looks at a condition."""

import time


def elapsed_s() -> float:
    """Seconds since some fixed instant; never goes back."""
    return time.monotonic()


def wall_s() -> float:
    """Seconds since 1970, to compare with the times of files."""
    return time.time()


def rest(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)
