"""What was sent, asked for with the recovery code alone: every pseudonym that the code makes, in a random order, one a connection.

Needs no daemon, no state and no consent. Refuses to go on asking a receiver that has stopped answering: what is left is said to be missing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import msgspec

from agent.carrier import Carrier
from transport import erasing, listing, retrieving
from transport.envelope import Envelope
from transport.erasing import Asking, Receipt
from transport.errors import TransportError
from transport.identity import EpochIdentity
from transport.jobs import Answer, Failed, Request
from transport.listing import ListingError, Stored
from transport.recovery import RecoveryCode
from transport.retrieving import Epoch, Purposes, purposes_of, purposes_request

COURIERS = 3
"""Several pseudonyms at once: 500 take seconds then, and a laptop does not notice."""
SILENT_AT_MOST = 3
"""So many requests in a row without any answer, and the receiver is taken to be gone: each may cost the whole deadline."""
MAX_LISTED = 20_000
"""Batches of one pseudonym: what a receiver may remember of one as erased, and 800 times what a day gives."""
NONCE_GOOD_S = 240.0
"""A nonce is good for five minutes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom to ask, and as whom.

    Attributes:
        receiver: Base URL.
        pin: Of its key, hexadecimal; None for any with a trusted certificate.
        identity_secret: From the recovery code, 32 bytes.
        deadline_s: For each request as a whole.
    """

    receiver: str
    pin: str | None
    identity_secret: bytes = field(repr=False)
    deadline_s: int = retrieving.DEADLINE_S

    @classmethod
    def of(cls, code: RecoveryCode, receiver: str, pin: str | None) -> "Terms":
        """The terms of whoever has this code."""
        return cls(receiver, pin, code.identity_secret())


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be seen: a whole epoch, or one batch of it, and why in words."""

    epoch: Epoch
    batch: str | None
    why: str


@dataclass(slots=True)
class Silence:
    """How many requests in a row got no answer, over all couriers."""

    requests: int = 0

    @property
    def over(self) -> bool:
        """Whether the receiver is taken to be gone."""
        return self.requests >= SILENT_AT_MOST


class Asker:
    """One courier and whom it asks. Each method is for one pseudonym. Raises the TransportError of what was asked."""

    def __init__(self, terms: Terms, silence: Silence) -> None:
        self._terms, self._silence = terms, silence
        self._loop = asyncio.get_running_loop()
        self._carrier = Carrier(self._loop, terms.pin)
        self._nonce: tuple[bytes, str, float] | None = None

    def close(self) -> None:
        """End the courier."""
        self._carrier.abort()

    def signer(self, epoch: Epoch) -> EpochIdentity:
        """The identity of an epoch."""
        return epoch.signer(self._terms.identity_secret)

    async def purposes(self) -> Purposes:
        """Of which purposes the receiver may have something."""
        return purposes_of(await self._carry(purposes_request(self._carrier.next(), self._terms.receiver)))

    async def listed(self, signer: EpochIdentity) -> list[Stored]:
        """What the receiver has of this pseudonym."""
        found: list[Stored] = []
        more = True
        while more:
            after = found[-1].id if found else ""
            asked = listing.listing_request(self._carrier.next(), self._terms.receiver, signer, await self._nonce_for(signer), after)
            page = listing.page_of(await self._carry(*asked))
            found += page.batches
            more = page.more
            in_order = all(one < other for one, other in pairwise([after, *(one.id for one in page.batches)]))
            if not in_order or (more and not page.batches) or len(found) > MAX_LISTED:
                raise ListingError("the receiver lists batches twice, out of order or without an end; tell whoever runs it")
        return found

    async def fetched(self, signer: EpochIdentity, batch: str) -> Envelope:
        """One envelope, whole and of this pseudonym."""
        nonce = await self._nonce_for(signer)
        asked = listing.fetching_request(self._carrier.next(), self._terms.receiver, signer, nonce, batch)
        return listing.fetched(listing.envelope_of(await self._carry(*asked)), batch, signer.pseudonym)

    async def erased(self, asking: Asking) -> Receipt:
        """The receiver's receipt for one asking."""
        nonce = erasing.nonce_of(await self._carry(erasing.nonce_request(self._carrier.next(), self._terms.receiver)))
        asked = erasing.erasure_request(self._carrier.next(), self._terms.receiver, asking, nonce, self._terms.identity_secret)
        return erasing.receipt_of(await self._carry(*asked), asking)

    async def _nonce_for(self, signer: EpochIdentity) -> str:
        """A nonce that is used for this pseudonym and no other."""
        known, now = self._nonce, self._loop.time()
        if known is not None and known[0] == signer.pseudonym and now - known[2] < NONCE_GOOD_S:
            return known[1]
        nonce = erasing.nonce_of(await self._carry(erasing.nonce_request(self._carrier.next(), self._terms.receiver)))
        self._nonce = (signer.pseudonym, nonce, now)
        return nonce

    async def _carry(self, request: Request, body: bytes = b"") -> Answer:
        answer = await self._carrier.carry(msgspec.structs.replace(request, deadline_s=self._terms.deadline_s), body)
        self._silence.requests = self._silence.requests + 1 if isinstance(answer, Failed) else 0
        return answer


Work = Callable[[Asker, Epoch], Awaitable[list[Missing]]]


async def each(terms: Terms, epochs: Sequence[Epoch], work: Work, told: Callable[[int], None]) -> list[Missing]:
    """Do something for each epoch, in a random order, with several couriers; what could not be done.

    Args:
        work: for one epoch; what it raises makes the epoch missing.
        told: hears how many are done.
    """
    waiting, missing, silence = list(epochs), list[Missing](), Silence()
    random.SystemRandom().shuffle(waiting)
    all_of_them = len(waiting)

    async def carry_on() -> None:
        asker = Asker(terms, silence)
        try:
            while waiting and not silence.over:
                epoch = waiting.pop()
                try:
                    missing.extend(await work(asker, epoch))
                except TransportError as error:
                    missing.append(Missing(epoch, None, str(error).partition(";")[0]))
                told(all_of_them - len(waiting))
        finally:
            asker.close()

    try:
        async with asyncio.TaskGroup() as couriers:
            for _ in range(min(COURIERS, len(waiting))):
                couriers.create_task(carry_on())
    except ExceptionGroup as group:  # the disk, mostly; one of them tells it all
        raise group.exceptions[0] from None
    return missing + [Missing(epoch, None, "the receiver stopped answering") for epoch in waiting]


async def survey(terms: Terms, *, today: date, first: date | None, consents: Sequence[int]) -> list[Epoch]:
    """Every epoch to ask for. Raises RetrievalError if the receiver does not say which purposes there are."""
    asker = Asker(terms, Silence())
    try:
        return retrieving.epochs(await asker.purposes(), today=today, first=first, consents=consents)
    finally:
        asker.close()
