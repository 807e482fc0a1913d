"""The X server's clock on ours. Pure.

A server on this machine counts CLOCK_MONOTONIC, the awake clock, in milliseconds modulo 2^32 (measured: the same to the
millisecond). One elsewhere counts something else: then an input is as old as its arrival.
"""

from consent.event import Clocks

OLDEST_MS = 10_000
"""An older input than this is not believed to be old; a foreign clock passes by chance once in 400,000 events."""
_WRAP = 1 << 32


def clocks_of(server_ms: int, now: Clocks) -> Clocks:
    """The three clocks at an X event's time, given the three clocks now."""
    age_ms = (now.awake_ms - server_ms) % _WRAP
    if age_ms > OLDEST_MS:
        return now
    return Clocks(max(now.awake_ms - age_ms, 0), max(now.boot_ms - age_ms, 0), max(now.wall_ms - age_ms, 0))
