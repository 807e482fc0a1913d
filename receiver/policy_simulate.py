"""What a policy would keep and refuse of events that were recorded (`volens show --json`), decided by the real gate. Pure.

It answers for a person who says yes to all of the policy. It sees only what was held once: what was refused before is not in the stream,
and an app is known there by its surface's name, not by its executable.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec

from consent.event import PAYLOADS, Clocks, Count, Event, Payload
from consent.gate import Admitted, decide
from consent.policy import Policy
from consent.standing import Standing
from consent.unreadable import UNREADABLE
from consent.vocabulary import WHY_WORDS, Kind, State, SurfaceId
from receiver.errors import ReceiverError

KEPT = "kept"
_PAYLOADS: Mapping[Kind, type[Payload]] = {payload.kind: payload for payload in PAYLOADS}
_Surface = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
_COMMON = {"at", "kind", "surface", "window", "n"}


@dataclass(frozen=True, slots=True)
class Row:
    """Events of one surface and kind with one outcome: `kept`, or a reason of `consent.vocabulary.Why`. `n`: raw inputs."""

    surface: str
    kind: Kind
    outcome: str
    events: int
    n: int


def simulate(policy: Policy, lines: Iterable[bytes]) -> list[Row]:
    """Counts by surface, kind and outcome, in that order.

    Raises:
        ReceiverError: a line is no event as `volens show --json` prints it; the line's number is named, and nothing of it.
    """
    standing = Standing(State.CONSENTED, 0, policy.scope(), indicator=True)
    events: Counter[tuple[str, Kind, str]] = Counter()
    inputs: Counter[tuple[str, Kind, str]] = Counter()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        event = _event(line, number)
        decided = decide(event, standing)
        outcome = KEPT if isinstance(decided, Admitted) else decided.why.value
        events[event.surface or "-", event.kind, outcome] += 1
        inputs[event.surface or "-", event.kind, outcome] += event.n
    return [Row(*key, events[key], inputs[key]) for key in sorted(events)]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The counts in lines, and their sum."""
    rows = list(rows)
    for row in rows:
        words = KEPT if row.outcome == KEPT else f"refused, {row.outcome}: {_WORDS[row.outcome]}"
        yield f"{row.events:>8} {row.surface:<16} {row.kind:<15} {words}"
    kept = sum(row.events for row in rows if row.outcome == KEPT)
    every = sum(row.events for row in rows)
    yield f"{every:>8} events: {kept} kept, {every - kept} refused"


_WORDS = {why.value: words for why, words in WHY_WORDS.items()}


def _event(line: bytes, number: int) -> Event:
    try:
        raw: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        kind = Kind(raw["kind"])
        payload = _PAYLOADS[kind]
        if set(raw) != _COMMON | set(payload.__struct_fields__):
            raise ValueError("fields are missing, or there are others")
        wall_ms = int(datetime.fromisoformat(raw["at"]).timestamp() * 1000)
        said = msgspec.convert([kind.value, *(raw[name] for name in payload.__struct_fields__)], type=payload)
        surface = None if raw["surface"] is None else SurfaceId(msgspec.convert(raw["surface"], type=_Surface))
        n = msgspec.convert(raw["n"], type=Count)
        return Event(surface, 0, Clocks(wall_ms, wall_ms, wall_ms), 0, n, said)  # type: ignore[arg-type]  # one of AnyPayload
    except (*UNREADABLE, KeyError, TypeError, AttributeError, OverflowError):
        what = f"line {number} of the events is none of `volens show --json`"
        raise ReceiverError(what, "record them anew: volens show --json > FILE") from None
