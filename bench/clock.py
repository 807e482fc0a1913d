"""The bench's only clock: seconds that never go back."""

import time


def elapsed_s() -> float:
    """Seconds since some fixed instant."""
    return time.monotonic()


def rest_until(instant_s: float) -> float:
    """Sleep until an instant of `elapsed_s`; returns how late it is then, in seconds."""
    time.sleep(max(0.0, instant_s - time.monotonic()))
    return time.monotonic() - instant_s
