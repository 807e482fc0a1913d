"""The bench's only clock: seconds that never go back."""

import time


def elapsed_s() -> float:
    """Seconds since some fixed instant."""
    return time.monotonic()


def rest_until(instant_s: float) -> float:
    """Sleep until an instant of `elapsed_s`; returns how late it already is, in seconds."""
    left_s = instant_s - time.monotonic()
    if left_s > 0:
        time.sleep(left_s)
        return 0.0
    return -left_s
