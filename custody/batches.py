"""From an envelope's bytes to events: checks it, opens it, drops repeats. Refuses what is not its id's or not its purpose's."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from consent.event import Event
from custody.errors import BatchRefused
from custody.step import Step
from custody.steps import steps_of
from transport.batch import BatchError, read
from transport.envelope import open_purpose, parse
from transport.errors import TransportError
from transport.header import EnvelopeError
from transport.xwing import ReadingKey


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A batch that was opened.

    Attributes:
        id: of its envelope.
        pseudonym: 32 bytes, of the epoch it was sealed under.
        segments: 16-byte ids of the hold's segments that it consumed.
        events: in the order of capture.
    """

    id: str
    pseudonym: bytes
    segments: tuple[bytes, ...]
    events: tuple[Event, ...]


def open_batch(batch: str, raw: bytes, *, purpose: str, private: ReadingKey) -> Opened:
    """Opens one envelope.

    Args:
        batch: the id it was asked for by.
        raw: the bytes that came.
        purpose: whose access was recorded.
        private: that purpose's key.

    Raises:
        BatchRefused: another hash, another purpose, or a check of docs/envelope.md failed; names the batch.
    """
    short = batch[:16]
    if not hmac.compare_digest(hashlib.sha256(raw).hexdigest(), batch):
        raise BatchRefused(f"batch {short}: the bytes that came are not those of this id; fetch it again, or ask who kept it")
    try:
        envelope = parse(raw)
        if envelope.header.purpose != purpose:
            raise BatchRefused(f"batch {short} was sealed for purpose {envelope.header.purpose}, not {purpose}; leave it out with --batch")
        inside = read(open_purpose(envelope, private), purpose)
    except (EnvelopeError, BatchError) as error:
        raise BatchRefused(f"batch {short}: {error}", error.layer) from None
    except TransportError as error:
        raise BatchRefused(f"batch {short}: {error}") from None
    return Opened(batch, envelope.header.pseudonym, inside.facts.source.segments, inside.events)


def without_repeats(opened: Iterable[Opened]) -> list[Opened]:
    """Batches in one order, whatever order they came in, with the events of each segment once.

    After a crash a segment can be sealed again, alone or with newer ones. Events do not name their segment, but what two batches
    share is equal to the millisecond, so what a batch has in common with earlier ones of the same segments is taken out of it.
    """
    holders: dict[bytes, list[Opened]] = {}
    kept = []
    for one in sorted(opened, key=_order):
        earlier = {id(holder): holder for segment in one.segments for holder in holders.get(segment, ())}
        for segment in one.segments:
            holders.setdefault(segment, []).append(one)
        fresh = _minus(one.events, Counter(event for holder in earlier.values() for event in holder.events)) if earlier else one.events
        if fresh:
            kept.append(replace(one, events=fresh))
    return kept


def _minus(events: Iterable[Event], known: Counter[Event]) -> tuple[Event, ...]:
    fresh = []
    for event in events:
        if known[event] > 0:
            known[event] -= 1
        else:
            fresh.append(event)
    return tuple(fresh)


def trajectories(opened: Iterable[Opened]) -> list[Step]:
    """The steps of all batches, trajectory by trajectory. Nothing pairs across pseudonyms."""
    events: dict[bytes, list[Event]] = {}
    for one in opened:
        events.setdefault(one.pseudonym, []).extend(one.events)
    return [step for pseudonym in sorted(events) for step in steps_of(pseudonym, events[pseudonym])]


def _order(one: Opened) -> tuple[bytes, int, str]:
    return one.pseudonym, one.events[0].at.wall_ms if one.events else 0, one.id
