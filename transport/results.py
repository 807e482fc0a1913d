"""What an answer means: one of five results. Refuses to call anything accepted that does not name the envelope. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import msgspec

from consent.unreadable import UNREADABLE
from transport.jobs import Answer, Answered, Failed

DEFAULT_WAIT_S = 60
"""When a busy receiver does not say how long."""
MAX_WAIT_S = 24 * 3600
"""Longer than a day nobody means; a mistyped header must not stop uploads for ever."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver has it, durably, now or since before."""


@dataclass(frozen=True, slots=True)
class WaitFor:
    """The receiver asks for patience: not before `seconds` have passed."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """This envelope will never be taken as it is. `status` says why."""

    status: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Its subject had it erased: it is destroyed here as well."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No usable answer. `outcome_unknown`: the receiver may have it all the same; sending it again is safe, its id is its hash."""

    outcome_unknown: bool


Result = Accepted | WaitFor | Rejected | Withdrawn | Unreachable


class Fate(Enum):
    """What becomes of the envelope in the outbox."""

    KEEP = auto()
    SENT = auto()
    SET_ASIDE = auto()
    DESTROY = auto()


class _Stored(msgspec.Struct):
    id: str


_WAITING = frozenset({429, 503, 507})
_AGAIN = frozenset({408, 425})


def result_of(answer: Answer, envelope_id: str) -> Result:
    """What the courier's answer to the upload of this envelope means."""
    match answer:
        case Answered():
            return _judged(answer, envelope_id)
        case Failed():
            return Unreachable(answer.whole_body_left)
        case _:
            return Unreachable(False)


def _judged(answer: Answered, envelope_id: str) -> Result:
    status = answer.status
    if status in {200, 201} and _names(answer.body, envelope_id):
        return Accepted()
    if status == 409:
        return Withdrawn()
    if status in _WAITING:
        return WaitFor(wait_s(answer.retry_after, answer.date))
    if 400 <= status < 500 and status not in _AGAIN:
        return Rejected(status)
    # Among them a 200 that does not repeat the id: a hotel's sign-in page says that too.
    return Unreachable(status < 300 or status >= 500)


def fate_of(result: Result) -> Fate:
    """What the result means for the envelope."""
    match result:
        case Accepted():
            return Fate.SENT
        case Withdrawn():
            return Fate.DESTROY
        case Rejected():
            return Fate.SET_ASIDE
        case _:
            return Fate.KEEP


def wait_s(retry_after: str | None, date: str | None) -> int:
    """Seconds of a Retry-After header; an instant in it is compared with the same answer's Date, so that our clock has no say."""
    if retry_after is None:
        return DEFAULT_WAIT_S
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return min(int(retry_after), MAX_WAIT_S)
    until, now = _instant(retry_after), _instant(date)
    if until is None or now is None:
        return DEFAULT_WAIT_S
    return min(max(0, int((until - now).total_seconds())), MAX_WAIT_S)


def _instant(text: str | None) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text or "")
    except (ValueError, IndexError):
        return None
    return instant if instant.tzinfo is not None else None


def _names(body: bytes, envelope_id: str) -> bool:
    try:
        return msgspec.json.decode(body, type=_Stored).id == envelope_id
    except UNREADABLE:
        return False
