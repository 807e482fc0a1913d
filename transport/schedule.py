"""When to send what: `next_step` says, `report` learns from a result. Refuses haste: at most so many requests an hour. Pure.

Time is elapsed time in milliseconds (since boot, sleep included); no wall clock has a say. Jitter comes in as an argument, 0 to 1.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from consent.vocabulary import Purpose
from transport.notes import Note
from transport.results import Accepted, Rejected, Result, Unreachable, WaitFor, Withdrawn

FIRST_WAIT_S = 5.0
MAX_WAIT_S = 3600.0
"""Five seconds, doubled up to an hour: a receiver that is down for a night costs a workstation some twenty requests."""
MAX_REQUESTS_AN_HOUR = 120
"""An hour makes a few envelopes. Twice a minute empties a month's outbox in a working day, and is harmless if something goes wrong."""
_HOUR_MS = 3_600_000


class StopWhy(StrEnum):
    """Why there is nothing to do until something else happens."""

    NOTHING_WAITING = "nothing_waiting"
    NOT_PERMITTED = "not_permitted"
    BUDGET_SPENT = "budget_spent"


@dataclass(frozen=True, slots=True)
class Upload:
    """Send this envelope now."""

    id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after this many seconds, or when something has changed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask again when something was sealed or permitted."""

    why: StopWhy


Step = Upload | Wait | Stop


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is remembered between steps; a new one at every start of the daemon.

    Attributes:
        failures: Requests without success since the last success.
        not_before_ms: Nothing is sent before this instant.
        recent_ms: When requests were begun, within the last hour.
        attempts: How often each waiting envelope failed; another one goes first, so that none stands in the way of all.
    """

    failures: int = 0
    not_before_ms: int = 0
    recent_ms: tuple[int, ...] = ()
    attempts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def next_step(schedule: Schedule, waiting: Sequence[Note], permitted: AbstractSet[Purpose], now_ms: int, room_bytes: int) -> Step:
    """What to do now.

    Args:
        waiting: the outbox, oldest first.
        permitted: purposes for which `gate.may_send` says yes at this instant.
        now_ms: elapsed time.
        room_bytes: what may still be sent today; an envelope that does not fit waits for another day.
    """
    if not waiting:
        return Stop(StopWhy.NOTHING_WAITING)
    sendable = [note for note in waiting if note.purpose in permitted]
    if not sendable:
        return Stop(StopWhy.NOT_PERMITTED)
    fitting = [note for note in sendable if note.envelope_bytes <= room_bytes]
    if not fitting:
        return Stop(StopWhy.BUDGET_SPENT)
    if now_ms < schedule.not_before_ms:
        return Wait((schedule.not_before_ms - now_ms) / 1000)
    recent = _recent(schedule, now_ms)
    if len(recent) >= MAX_REQUESTS_AN_HOUR:
        return Wait((recent[0] + _HOUR_MS - now_ms) / 1000)
    return Upload(min(fitting, key=lambda note: schedule.attempts.get(note.id, 0)).id)


def begun(schedule: Schedule, now_ms: int) -> Schedule:
    """A request begins now."""
    return replace(schedule, recent_ms=(*_recent(schedule, now_ms), now_ms))


def report(schedule: Schedule, envelope_id: str, result: Result, now_ms: int, *, jitter: float) -> Schedule:
    """What is known after a result. `jitter` is random, 0 to 1: it spreads a fleet that failed at the same instant."""
    others = {key: count for key, count in schedule.attempts.items() if key != envelope_id}
    match result:
        case Accepted() | Withdrawn() | Rejected():
            return replace(schedule, failures=0, not_before_ms=now_ms, attempts=MappingProxyType(others))
        case WaitFor(seconds):
            spread_s = max(1.0, seconds * 0.1) * jitter  # never earlier than was asked
            return replace(schedule, not_before_ms=now_ms + int((seconds + spread_s) * 1000))
        case Unreachable():
            wait_s = min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** min(schedule.failures, 20)) * (0.5 + jitter / 2)
            attempts = MappingProxyType(others | {envelope_id: schedule.attempts.get(envelope_id, 0) + 1})
            later_ms = now_ms + int(wait_s * 1000)
            return replace(schedule, failures=schedule.failures + 1, not_before_ms=later_ms, attempts=attempts)


def network_changed(schedule: Schedule, now_ms: int) -> Schedule:
    """There is a network again: try at once; the bound on requests an hour still holds."""
    return replace(schedule, not_before_ms=now_ms, failures=0)


def _recent(schedule: Schedule, now_ms: int) -> tuple[int, ...]:
    return tuple(begun_ms for begun_ms in schedule.recent_ms if begun_ms > now_ms - _HOUR_MS)
