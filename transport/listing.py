"""Seeing and fetching what was sent: which identity asks, how that is spelled, and what the answers hold. Pure.

Each pseudonym asks over a connection of its own, in a random order, so that askings do not tie a subject's days together. The nonce
comes from transport.erasing.nonce_request; one serves every asking of one pseudonym for five minutes.
"""

from datetime import date
from typing import Annotated

import msgspec

from consent.unreadable import UNREADABLE
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.envelope import Envelope, parse
from transport.errors import TransportError
from transport.header import EnvelopeError
from transport.identity import EpochIdentity
from transport.jobs import Answer, Answered, Request, post
from transport.listing_proof import fetching_message, listing_message
from transport.notes import EnvelopeId


class ListingError(TransportError):
    """The receiver did not show what it has; the message says what to do."""


class Gone(ListingError):
    """It was erased since it was listed."""


class Stored(msgspec.Struct, frozen=True):
    """A batch that the receiver has.

    Attributes:
        id: 64 hexadecimal digits.
        bytes: length of the envelope.
        stored_on: UTC day of arrival.
    """

    id: EnvelopeId
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    stored_on: date


class Page(msgspec.Struct, frozen=True):
    """Some of a pseudonym's batches by id; if there are `more`, ask again from behind the last."""

    batches: tuple[Stored, ...]
    more: bool


def listing_request(job: int, receiver_url: str, signer: EpochIdentity, nonce: str, after: str = "") -> tuple[Request, bytes]:
    """Ask for a pseudonym's batches, from behind the id `after`."""
    stated = {"pseudonym": signer.pseudonym.hex(), "nonce": nonce, "signature": signer.sign(listing_message(nonce, after)).hex()}
    return post(job, receiver_url, "/v1/listing", stated | {"after": after})


def page_of(answer: Answer) -> Page:
    """What the receiver answered. Raises ListingError."""
    try:
        if isinstance(answer, Answered) and answer.status == 200:
            return msgspec.json.decode(answer.body, type=Page)
    except UNREADABLE:
        pass
    raise ListingError("the receiver did not list what it has; try again")


def fetching_request(job: int, receiver_url: str, signer: EpochIdentity, nonce: str, batch: str) -> tuple[Request, bytes]:
    """Ask for one envelope."""
    stated = {"pseudonym": signer.pseudonym.hex(), "nonce": nonce, "signature": signer.sign(fetching_message(nonce, batch)).hex()}
    return post(job, receiver_url, "/v1/listing/fetch", stated | {"batch": batch}, max_answer_bytes=MAX_ENVELOPE_BYTES)


def envelope_of(answer: Answer) -> bytes:
    """The bytes that came for an envelope. Raises ListingError if none did."""
    if isinstance(answer, Answered) and answer.status == 200:
        return answer.body
    if isinstance(answer, Answered) and answer.status == 410:
        raise Gone("it was erased since it was listed; there is nothing to do")
    if isinstance(answer, Answered) and answer.status == 500:
        raise ListingError("the receiver's copy is damaged; tell whoever runs it")
    raise ListingError("the receiver did not give it out; try again")


def fetched(raw: bytes, batch: str, pseudonym: bytes) -> Envelope:
    """The envelope that was asked for. Raises ListingError if these bytes are another one or none."""
    try:
        envelope = parse(raw)
    except EnvelopeError:
        raise ListingError("what the receiver gave out is no envelope; try again") from None
    if envelope.id != batch or envelope.header.pseudonym != pseudonym:
        raise ListingError("the receiver gave out another envelope than was asked for; try again")
    return envelope
