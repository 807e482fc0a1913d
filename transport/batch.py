"""A batch: admitted events of one purpose, cut together, as bytes to be sealed; and back. `docs/payload.md` is the format.

Refuses an event that the gate did not admit (it does not type-check), mixed purposes, and on the way back everything that is not
exactly a batch. Pure; no error holds a value of an event.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import msgspec

from consent.event import Count, Event
from consent.gate import Admitted
from consent.unreadable import UNREADABLE
from consent.vocabulary import Kind, Purpose
from transport.columns import ColumnError, Columns, to_columns, to_events
from transport.compress import BadCompression, compress, decompress
from transport.envelope import MAX_PAYLOAD_BYTES
from transport.errors import TransportError
from transport.header import Layer

FORMAT = 2

MAX_EVENTS = 8192
"""An hour of busy work is some 3,000 events. With at most 100 bytes of columns an event, even what does not compress at all fits
an envelope (of paths, which are longer, fewer: `transport.held.plan`); and a batch that is lost, refused or erased is never much."""

MAX_SEGMENTS = 2048
"""A day and a half of minutes, at 18 bytes each: after a day without network, what is due still makes one batch."""

MAX_UNPACKED_BYTES = 4 * MAX_PAYLOAD_BYTES
"""What a reader inflates at most: real batches inflate two- to threefold, and 4 MB harm nobody."""


class BatchError(TransportError):
    """These events make no batch, or these bytes hold none; the message says which rule was broken."""

    layer = Layer.SCHEMA


Commitment = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Total = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
SegmentId = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under what a batch was cut, as its sealer states it.

    Attributes:
        policy_version: Version of the policy in force at sealing.
        receipt_commitment: 32 bytes, SHA-256 of salt and consent receipt; the salt is in the subject's ledger.
        segments: 16 bytes each, the segments of the hold that the batch consumed whole.
    """

    policy_version: Count
    receipt_commitment: Commitment
    segments: Annotated[tuple[SegmentId, ...], msgspec.Meta(max_length=MAX_SEGMENTS)]


class BatchFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a batch says of itself. The counts are made by `pack` and checked by `unpack`.

    Attributes:
        format: Number of the payload's format.
        purpose: The one purpose of all events; the envelope's header names the same.
        source: Under what it was cut.
        events_by_kind: How many events of each kind.
        n: Raw inputs that the events stand for.
    """

    format: int
    purpose: Purpose
    source: Source
    events_by_kind: dict[Kind, Count]
    n: Total


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch that was opened: its facts and its events, in the order in which they were kept."""

    facts: BatchFacts
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        return f"<Batch of {len(self.events)} events>"


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facts: BatchFacts
    columns: Columns


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


def pack(admitted: Sequence[Admitted], *, source: Source) -> bytes:
    """The payload of one batch, at most MAX_PAYLOAD_BYTES.

    Args:
        admitted: 1 to MAX_EVENTS events of one purpose.
        source: under what it is cut.

    Raises:
        BatchError: none, too many, mixed purposes, too many segments, or too large.
    """
    if not 1 <= len(admitted) <= MAX_EVENTS:
        raise BatchError(f"a batch has 1 to {MAX_EVENTS} events, these are {len(admitted)}; cut it elsewhere")
    if len(source.segments) > MAX_SEGMENTS:
        raise BatchError(f"a batch consumes at most {MAX_SEGMENTS} segments; cut it earlier")
    purposes = {one.purpose for one in admitted}
    if len(purposes) != 1:
        raise BatchError("a batch has one purpose; these events have several")
    events = [one.event for one in admitted]
    facts = BatchFacts(FORMAT, purposes.pop(), source, _counts(events), sum(event.n for event in events))
    payload = compress(_encode(_Wire(facts, to_columns(events))))
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BatchError(f"a batch packs into at most {MAX_PAYLOAD_BYTES} bytes; cut it earlier")
    return payload


def unpack(payload: bytes) -> Batch:
    """The batch in a payload; the caller compares its purpose with that of the envelope's header.

    Raises:
        BatchError: anything about it is not exactly as `pack` makes it.
    """
    try:
        raw = decompress(payload, MAX_UNPACKED_BYTES)
    except BadCompression as error:
        raise BatchError(f"this is not a batch: {error}") from None
    try:
        wire = _decode(raw)
        if len(wire.columns.kind) > MAX_EVENTS:
            raise ColumnError("it has more events than a batch may have")
        events = to_events(wire.columns)
    except ColumnError as error:
        raise BatchError(f"this is not a batch: {error}") from None
    except UNREADABLE:
        raise BatchError("this is not a batch: a field is missing, unknown or out of range; its sealer is faulty or newer") from None
    facts = wire.facts
    if facts.format != FORMAT:
        raise BatchError(f"this batch is of format {facts.format}; a newer Volens reads it")
    if not events or facts.events_by_kind != _counts(events) or facts.n != sum(event.n for event in events):
        raise BatchError("this batch does not hold what it says it holds; its sealer is faulty")
    return Batch(facts, events)


def read(payload: bytes, purpose: str) -> Batch:
    """The batch in the payload of an envelope whose header names this purpose: the last step of reading, docs/envelope.md.

    Raises:
        BatchError: no batch, or one of another purpose.
    """
    batch = unpack(payload)
    if batch.facts.purpose != purpose:
        raise BatchError("it holds events of another purpose than its header names; its sealer is faulty")
    return batch


def _counts(events: Sequence[Event]) -> dict[Kind, int]:
    return dict(Counter(event.kind for event in events))
