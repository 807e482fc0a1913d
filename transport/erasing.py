"""Having sent batches erased: which pseudonyms must ask for what, and how an asking is spelled and answered. Pure.

Each asking is of one pseudonym and goes over a connection of its own, so that askings do not tie a subject's days together.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.event import Count
from consent.unreadable import UNREADABLE
from consent.vocabulary import Purpose
from transport.erasure_proof import message, receipt_message
from transport.errors import TransportError
from transport.identity import EpochIdentity
from transport.jobs import Answer, Answered, Request, get, post
from transport.notes import EnvelopeId, Note

MAX_IDS = 400
"""In one asking: its receipt repeats the ids, 70 bytes each, and must fit an answer of the courier."""


class ErasureError(TransportError):
    """The receiver did not do, or did not say, what was asked; the asking stays and is repeated."""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one pseudonym asks to have erased.

    Attributes:
        day, purpose, consent: With the identity secret they make the pseudonym's key again.
        pseudonym: 32 bytes.
        batches: Ids; None for everything of this pseudonym, and whatever of it comes later.
    """

    day: str
    purpose: Purpose
    consent: Count
    pseudonym: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    batches: Annotated[tuple[EnvelopeId, ...], msgspec.Meta(min_length=1, max_length=MAX_IDS)] | None


class _Nonce(msgspec.Struct):
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{80}$")]


class _Stated(msgspec.Struct):
    pseudonym: str
    batches: list[str] | None
    erased: Annotated[int, msgspec.Meta(ge=0)]
    last_copy_dies: date


class Receipt(msgspec.Struct, frozen=True):
    """A receiver's receipt whose signature holds.

    Attributes:
        erased: How many batches are gone.
        last_copy_dies: The day on which no copy is left.
        key: The key that signed it, hexadecimal. That it is this receiver's is only known by comparing.
        raw: As it came, to be kept.
    """

    erased: int
    last_copy_dies: date
    key: str
    raw: bytes


class _Signed(msgspec.Struct):
    receipt: msgspec.Raw
    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]


def askings(notes: Iterable[Note], *, everything: bool) -> list[Asking]:
    """What must be asked for these envelopes to be erased.

    Args:
        notes: what was sent, and what was dropped here while its outcome was unknown.
        everything: as after a withdrawal, whole pseudonyms; otherwise these envelopes only.
    """
    grouped: dict[tuple[str, Purpose, int, bytes], list[str]] = {}
    for note in notes:
        grouped.setdefault((note.day, note.purpose, note.consent, note.pseudonym), []).append(note.id)
    if everything:
        return [Asking(*epoch, None) for epoch in grouped]
    parts = [(epoch, sorted(set(ids))) for epoch, ids in grouped.items()]
    return [Asking(*epoch, tuple(ids[begin : begin + MAX_IDS])) for epoch, ids in parts for begin in range(0, len(ids), MAX_IDS)]


def nonce_request(job: int, receiver_url: str) -> Request:
    """Ask the receiver for a nonce to sign."""
    return get(job, receiver_url, "/v1/erasures/nonce")


def nonce_of(answer: Answer) -> str:
    """The nonce in the answer. Raises ErasureError if there is none."""
    try:
        if isinstance(answer, Answered) and answer.status == 200:
            return msgspec.json.decode(answer.body, type=_Nonce).nonce
    except UNREADABLE:
        pass
    raise ErasureError("the receiver gave no nonce to sign; it will be asked again")


def erasure_request(job: int, receiver_url: str, asking: Asking, nonce: str, identity_secret: bytes) -> tuple[Request, bytes]:
    """The asking, signed by its pseudonym over the nonce, as a job and its body.

    Raises:
        ErasureError: the identity secret does not make this pseudonym, so nobody but its owner could ask.
    """
    signer = EpochIdentity.derive(identity_secret, day=date.fromisoformat(asking.day), purpose=asking.purpose, n=asking.consent)
    if signer.pseudonym != asking.pseudonym:
        raise ErasureError("this machine's identity did not seal that batch; ask with the recovery code of the one that did")
    stated: dict[str, object] = {
        "pseudonym": asking.pseudonym.hex(),
        "nonce": nonce,
        "signature": signer.sign(message(nonce, asking.batches)).hex(),
    }
    if asking.batches is not None:
        stated["batches"] = asking.batches
    return post(job, receiver_url, "/v1/erasures", stated)


def receipt_of(answer: Answer, asking: Asking) -> Receipt:
    """The receiver's receipt, if it is one for this asking and its signature holds. Raises ErasureError otherwise."""
    if not isinstance(answer, Answered) or answer.status != 200:
        raise ErasureError("the receiver did not erase; it will be asked again")
    try:
        signed = msgspec.json.decode(answer.body, type=_Signed)
        stated = msgspec.json.decode(signed.receipt, type=_Stated)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.key))
        key.verify(bytes.fromhex(signed.signature), receipt_message(msgspec.json.decode(signed.receipt)))
    except (InvalidSignature, *UNREADABLE):
        raise ErasureError("what the receiver answered is no receipt; it will be asked again") from None
    asked = None if asking.batches is None else sorted(asking.batches)
    if stated.pseudonym != asking.pseudonym.hex() or (None if stated.batches is None else sorted(stated.batches)) != asked:
        raise ErasureError("the receiver's receipt is for something else; it will be asked again")
    return Receipt(stated.erased, stated.last_copy_dies, signed.key, answer.body)
