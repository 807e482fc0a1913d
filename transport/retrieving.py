"""Getting back what was sent with the recovery code alone: which pseudonyms there may be, and how an envelope becomes events again. Pure.

Nothing says which pseudonyms are a subject's: they are made again from the code, for each day, purpose and consent that the receiver
may still have something of, and asked for one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import msgspec

from consent.unreadable import UNREADABLE
from transport.batch import Batch, unpack
from transport.envelope import Envelope, open_subject
from transport.errors import TransportError
from transport.identity import EpochIdentity
from transport.jobs import Answer, Answered, Request, get
from transport.xwing import ReadingKey

DEADLINE_S = 30
MAX_CONSENTS = 64


class RetrievalError(TransportError):
    """What was sent cannot be got back; the message says what to do."""


class PurposeKept(msgspec.Struct, frozen=True):
    """A purpose of which the receiver may have something, and for how many days after it came."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    retention_days: Annotated[int, msgspec.Meta(ge=0, le=3650)]


class Purposes(msgspec.Struct, frozen=True):
    """What GET /v1/purposes answers. `late_days`: how long after its sealing an envelope may come."""

    purposes: Annotated[tuple[PurposeKept, ...], msgspec.Meta(max_length=200)]
    late_days: Annotated[int, msgspec.Meta(ge=0, le=366)]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pseudonym stands for: a UTC day of sealing, a purpose, and the number of the consent."""

    day: date
    purpose: str
    n: int

    def signer(self, identity_secret: bytes) -> EpochIdentity:
        """Its identity."""
        return EpochIdentity.derive(identity_secret, day=self.day, purpose=self.purpose, n=self.n)


def purposes_request(job: int, receiver_url: str) -> Request:
    """Ask which purposes the receiver may have something of."""
    return get(job, receiver_url, "/v1/purposes", deadline_s=DEADLINE_S)


def purposes_of(answer: Answer) -> Purposes:
    """What the receiver answered. Raises RetrievalError."""
    if not isinstance(answer, Answered):
        raise RetrievalError("the receiver cannot be reached; look at the network and at its address, and try again")
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=Purposes)
    except UNREADABLE:
        pass
    raise RetrievalError("what answers at this address does not say which purposes it has; look at the address, and try again")


def epochs(purposes: Purposes, *, today: date, first: date | None, consents: Iterable[int]) -> list[Epoch]:
    """Every epoch of which the receiver may have something.

    Args:
        today: UTC; the day after counts as well, for clocks that were ahead.
        first: no day before this one; None: as far back as anything is kept.
        consents: the numbers of the consents.
    """
    numbers, found = sorted(set(consents)), []
    for purpose in purposes.purposes:
        back = today - timedelta(days=purpose.retention_days + purposes.late_days)
        day = max(back, first) if first is not None else back
        while day <= today + timedelta(days=1):
            found += [Epoch(day, purpose.name, n) for n in numbers]
            day += timedelta(days=1)
    return found


def opened(envelope: Envelope, epoch: Epoch, reading_key: ReadingKey) -> Batch:
    """What an envelope of this epoch holds. Raises RetrievalError; the message holds nothing of it."""
    try:
        batch = unpack(open_subject(envelope, reading_key))
    except TransportError as error:
        raise RetrievalError(str(error)) from None
    if not envelope.header.purpose == epoch.purpose == batch.facts.purpose:
        raise RetrievalError("it was sealed for another purpose than it was listed under; its sealer is faulty")
    return batch
