"""events.jsonl: opened events as they were captured, one line each, by name instead of by place. Refuses nothing; adds nothing."""

from collections.abc import Iterable

import msgspec

from consent.event import Event
from custody.batches import Opened


def encode_events(opened: Iterable[Opened]) -> bytes:
    """JSON Lines, in the order given."""
    return b"".join(_line(one, event) for one in opened for event in one.events)


def _line(one: Opened, event: Event) -> bytes:
    named = {
        "trajectory": one.pseudonym.hex(),
        "batch": one.id,
        "kind": event.kind,
        "surface": event.surface,
        "window": event.window,
        "generation": event.generation,
        "at": msgspec.structs.asdict(event.at),
        "n": event.n,
        "payload": msgspec.structs.asdict(event.payload),
    }
    return msgspec.json.encode(named) + b"\n"
