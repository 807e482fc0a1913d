"""Drops what must not be kept while the event is being made: exact times, far coordinates, keys without a safe field. Pure.

Every rule can only refuse; what no rule knows is refused by the one on roles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.raw import Front, NoRole, Role
from consent.event import Clocks
from consent.vocabulary import Why

BIN_MS = 250
"""Typing is only told to the quarter second: finer, the rhythm of keys identifies a person and helps to guess words."""
MINUTE_MS = 60_000
"""A gap is only told to the minute: nothing more is anyone's business there."""
_PIXEL = 32767


@dataclass(frozen=True, slots=True)
class Context:
    """What held from one instant on: which window was in front, and what sort of field had the focus."""

    since_ms: int
    front: Front
    role: Role


def cut_to_bin(at: Clocks) -> Clocks:
    """The beginning of the bin (of the awake clock) that `at` is in, on all three clocks."""
    return _earlier(at, at.awake_ms % BIN_MS)


def cut_to_minute(at: Clocks) -> Clocks:
    """The beginning of the minute (of the wall clock) that `at` is in, on all three clocks."""
    return _earlier(at, at.wall_ms % MINUTE_MS)


def no_earlier(at: Clocks, awake_ms: int) -> Clocks:
    """`at`, or this instant of the awake clock if that is later, on all three clocks."""
    by_ms = max(awake_ms - at.awake_ms, 0)
    return Clocks(at.awake_ms + by_ms, at.boot_ms + by_ms, at.wall_ms + by_ms)


def _earlier(at: Clocks, by_ms: int) -> Clocks:
    return Clocks(max(at.awake_ms - by_ms, 0), max(at.boot_ms - by_ms, 0), max(at.wall_ms - by_ms, 0))


def pixel(value: int) -> int:
    """A coordinate that fits an event."""
    return max(-_PIXEL, min(_PIXEL, value))


def refuse_front(front: Front) -> Why | None:
    """Why nothing that happens in this window is kept; None if it is a recorded one."""
    if front.own:
        return Why.OWN_WINDOW
    return Why.SURFACE_NOT_ALLOWED if front.surface is None else None


def refuse_key(contexts: Sequence[Context]) -> Why | None:
    """Why a key is not kept, given all that it may have gone to until the end of its hold, oldest first.

    Every window among them must be a recorded one. The news of a new focus can arrive after the first key that went to it:
    so the roles at both ends must be safe, and no password field may have had the focus in between.
    """
    for context in contexts:
        why = refuse_front(context.front)
        if why is not None:
            return why
    if any(context.front.structure_only for context in contexts):
        return Why.STRUCTURE_ONLY
    if any(context.role is NoRole.SECURE for context in contexts):
        return Why.SECURE_FIELD
    known = not isinstance(contexts[0].role, NoRole) and not isinstance(contexts[-1].role, NoRole)
    return None if known else Why.ROLE_UNKNOWN
