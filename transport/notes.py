"""What is known of an envelope without opening it: enough to send it once, to forget it, and to have it erased. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from consent.event import Count
from consent.vocabulary import Purpose
from transport.batch import MAX_SEGMENTS, SegmentId, Total
from transport.span import Cover, Span, ends_of, touches

EnvelopeId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An envelope's note.

    Attributes:
        order: Rises with each envelope.
        events, n: How many, and the raw inputs that they stand for.
        segments: The segments of the hold that it holds, each whole.
        covers: What its events cover, one for each start of the machine.
        day: UTC day of sealing, and `consent` the number of the consent: with them its pseudonym's key is made again.
        pseudonym: 32 bytes.
        envelope_bytes: Length of the envelope.
    """

    id: EnvelopeId
    order: Total
    purpose: Purpose
    events: Count
    n: Total
    segments: Annotated[tuple[SegmentId, ...], msgspec.Meta(max_length=MAX_SEGMENTS)]
    covers: tuple[Cover, ...]
    day: str
    consent: Count
    pseudonym: bytes
    envelope_bytes: Count


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """What waits, and what the receiver rejected. `n` counts the raw inputs of both."""

    envelopes: int
    envelope_bytes: int
    n: int
    rejected: int
    rejected_n: int


def covered(notes: Sequence[Note], span: Span) -> list[Note]:
    """The notes of all envelopes of which any part may lie in the span."""
    ends = ends_of(cover for note in notes for cover in note.covers)
    return [note for note in notes if any(touches(span, cover, ends) for cover in note.covers)]


def stats_of(waiting: Iterable[Note], rejected: Iterable[Note]) -> OutboxStats:
    """The counts of these notes; bytes are those of all of them, since all are on the disk."""
    waiting, rejected = list(waiting), list(rejected)
    return OutboxStats(
        envelopes=len(waiting),
        envelope_bytes=sum(note.envelope_bytes for note in (*waiting, *rejected)),
        n=sum(note.n for note in (*waiting, *rejected)),
        rejected=len(rejected),
        rejected_n=sum(note.n for note in rejected),
    )
