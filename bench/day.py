"""How many bytes would leave in a working day: what one workload left in the hold, over and over, packed and sealed as the agent does it.

Pure but for the randomness of keys. The envelopes are the agent's own (`transport.batch`, `transport.envelope`), with their padding.
"""

import os
from collections.abc import Sequence
from itertools import groupby
from types import MappingProxyType

import msgspec

from bench.service import PURPOSE, identity, sealed_payload
from consent.event import Clocks, Event
from consent.gate import Admitted, Asked, decide
from consent.scope import Scope
from consent.standing import Standing
from consent.vocabulary import Purpose, State
from transport.batch import Source, pack

DAY_S = 8 * 3600


def held_in_a_day(held_bytes: int, seconds: float) -> int:
    """Bytes on disk after eight hours of the same work without a break."""
    return round(held_bytes * DAY_S / seconds) if seconds else 0


def sent_in_a_day(events: Sequence[Event], seconds: float, every_s: float) -> int:
    """Bytes of all envelopes after eight hours of the same work without a break, if one is sealed every so many seconds."""
    if not events or seconds <= 0:
        return 0
    times = _repeated(events, seconds)
    return sum(_envelope_bytes(list(part)) for _, part in groupby(times, key=lambda event: int(event.at.awake_ms // (every_s * 1000))))


def _repeated(events: Sequence[Event], seconds: float) -> list[Event]:
    begin_ms, span_ms = min(event.at.awake_ms for event in events), round(seconds * 1000)
    repeats = int(DAY_S / seconds)
    return [_later(event, k * span_ms - begin_ms) for k in range(repeats) for event in sorted(events, key=lambda one: one.at.awake_ms)]


def _later(event: Event, by_ms: int) -> Event:
    at = event.at
    base_ms = at.awake_ms + by_ms
    return msgspec.structs.replace(event, at=Clocks(base_ms, base_ms + at.boot_ms - at.awake_ms, at.wall_ms + by_ms))


def _envelope_bytes(events: Sequence[Event]) -> int:
    source = Source(1, bytes(32), (os.urandom(16),) * 1)
    return len(sealed_payload(identity(1), pack(_admitted(events), source=source)).raw)


def _admitted(events: Sequence[Event]) -> list[Admitted]:
    grants = {(event.surface, event.kind): Purpose(PURPOSE) for event in events}
    standing = Standing(State.CONSENTED, 1, Scope(MappingProxyType(grants)), indicator=True)
    answers = [decide(event, standing, Asked.SEALING) for event in events]
    return [answer for answer in answers if isinstance(answer, Admitted)]
