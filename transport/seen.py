"""Time in which a person could have looked: awake, unlocked, the daemon running. Counts it, and how much lies behind an event. Pure.

Only stretches that were watched from both ends are counted, on the clock since boot; a restart, a suspend or a locked screen
adds nothing. In doubt there was less.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from consent.event import Clocks, Milliseconds

SEEN_AT_LEAST_MS = 15 * 60_000
"""DESIGN: nothing leaves before a person had a quarter of an hour to look at it."""
MAX_STRETCHES = 256
"""A quarter of an hour in a few stretches. Somebody who locks their screen every few seconds waits longer."""
STEP_AT_MOST_MS = 3 * 60_000
"""Looks are a minute apart; two that are much further apart were not watched in between."""
SLEPT_MS = 2_000
"""How far the clock with suspend may run ahead of the one without before that was a suspend."""


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seen time, from one instant to another of one start of the machine, in milliseconds since boot."""

    boot: str
    from_ms: Milliseconds
    to_ms: Milliseconds


Seen = tuple[Stretch, ...]
"""The latest stretches, oldest first, in order of the starts of the machine; a quarter of an hour of them is enough."""


def watched(seen: Seen, boot: str, before: Clocks, now: Clocks) -> Seen:
    """Add what lies between two looks, at both of which and all between the session was unlocked; nothing if the machine slept."""
    awake_ms, boot_ms = now.awake_ms - before.awake_ms, now.boot_ms - before.boot_ms
    if awake_ms <= 0 or boot_ms > STEP_AT_MOST_MS or boot_ms - awake_ms > SLEPT_MS:
        return seen
    last = seen[-1] if seen else None
    if last is not None and (last.boot, last.to_ms) == (boot, before.boot_ms):
        return _trimmed((*seen[:-1], Stretch(boot, last.from_ms, now.boot_ms)))
    if last is not None and last.boot == boot and last.to_ms > before.boot_ms:
        return seen  # counted already
    return _trimmed((*seen, Stretch(boot, before.boot_ms, now.boot_ms)))


def since_ms(seen: Seen, event_boot: str, event_ms: int, boot: str) -> int:
    """How much seen time lies behind an instant, in milliseconds.

    Args:
        event_boot: Which start of the machine it belongs to.
        event_ms: When it was, on that start's clock since boot.
        boot: The present start of the machine. Of a start that no stretch tells of, only it is known to be later.
    """
    order = list(dict.fromkeys([*(stretch.boot for stretch in seen), boot]))
    after = set(order[order.index(event_boot) + 1 :]) if event_boot in order else {boot}
    in_it = sum(max(0, stretch.to_ms - max(stretch.from_ms, event_ms)) for stretch in seen if stretch.boot == event_boot)
    return in_it + sum(stretch.to_ms - stretch.from_ms for stretch in seen if stretch.boot in after)


def sound(seen: Sequence[Stretch]) -> Seen:
    """What was saved, if it can be true: each stretch forward, none over another; else nothing."""
    forward = all(stretch.from_ms <= stretch.to_ms for stretch in seen)
    apart = all(one.boot != other.boot or one.to_ms <= other.from_ms for one, other in pairwise(seen))
    starts = [stretch.boot for stretch, before in zip(seen, [None, *seen], strict=False) if before is None or before.boot != stretch.boot]
    return tuple(seen) if forward and apart and len(starts) == len(set(starts)) else ()


def _trimmed(seen: Seen) -> Seen:
    """The latest stretches that are needed: what is older than a quarter of an hour of them says nothing more."""
    total_ms, kept = 0, 0
    for stretch in reversed(seen):
        if total_ms >= SEEN_AT_LEAST_MS or kept == MAX_STRETCHES:
            break
        total_ms, kept = total_ms + stretch.to_ms - stretch.from_ms, kept + 1
    return seen[-kept:]
