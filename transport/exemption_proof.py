"""Exemption requests and decisions as they travel: one definition for who asks, who is asked and who decides. Pure.

A request names nobody: a fresh random id, a ground, what it covers, and a reason that only the reviewer can open. The device signs it as
it signs a registration, so that not everybody can fill the queue; the receiver keeps neither key nor signature. A decision is signed by
the reviewer whom the policy names, over the id.
"""

from datetime import date
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.exemption import Ground
from consent.unreadable import UNREADABLE
from transport.bounds import MAX_NAMED, MAX_REASON_BYTES
from transport.bounds import REASON_LENGTH_BYTES as _LENGTH_BYTES
from transport.bounds import RequestId as Id
from transport.errors import TransportError
from transport.xwing import NotForThisKey, PublicKey, ReadingKey, seal
from transport.xwing import open as open_sealed

MAX_DECISION_BYTES = 4096
LAST_DAY = date(2200, 12, 31)
"""No end that is asked for or decided is later: none is as good, and calendars have an end of their own."""
_REASON, _ASKING, _DECISION = b"volens/exemption-reason/1", b"volens/exemption-request/1", b"volens/exemption-decision/1"
_sorted = msgspec.json.Encoder(order="sorted").encode

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Line = Annotated[str, msgspec.Meta(max_length=200)]


class BadDecision(TransportError):
    """This is no decision of the reviewer's about this request; it changes nothing."""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request, as the receiver keeps it.

    Attributes:
        hours: As `consent.hours` reads them.
        until: The day up to which the person asks for it; None for no end.
        appeal: The id of the request whose denial this appeals against.
        reason: Sealed, base64; None where no reviewer is named.
    """

    id: Id
    ground: Ground
    surfaces: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_NAMED)]
    kinds: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_NAMED)]
    hours: Line
    until: date | None
    appeal: Id | None
    reason: bytes | None = None

    def __repr__(self) -> str:
        return "<Asking>"


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the reviewer decided, and why. `until`: the last day; None for no end."""

    id: Id
    granted: bool
    reason: Annotated[str, msgspec.Meta(max_length=500)]
    until: date | None
    decided_on: date


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decision: Decision
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]


def asking_message(asking: Asking) -> bytes:
    """The bytes under a device's signature when it hands a request in."""
    return _ASKING + b"\0" + _sorted(asking)


def seal_reason(reviewer: PublicKey, request_id: str, reason: str) -> bytes:
    """A reason that only the reviewer opens, of the same length whatever it says; SEALED_BYTES.

    Raises:
        TransportError: it is too long, or the key is of no use.
    """
    raw = reason.encode()
    if len(raw) > MAX_REASON_BYTES:
        raise TransportError(f"the reason is longer than {MAX_REASON_BYTES} bytes; say it in fewer words")
    padded = len(raw).to_bytes(_LENGTH_BYTES, "big") + raw.ljust(MAX_REASON_BYTES, b"\0")
    return seal(reviewer, padded, _bound(request_id))


def open_reason(reviewer: ReadingKey, request_id: str, sealed: bytes) -> str:
    """The reason of this request. Raises NotForThisKey: it was sealed to another key, or for another request."""
    padded = open_sealed(reviewer, sealed, _bound(request_id))
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    try:
        return padded[_LENGTH_BYTES:end].decode()
    except UnicodeDecodeError:
        raise NotForThisKey("what was sealed is no reason") from None


def _bound(request_id: str) -> bytes:
    return _REASON + b"\0" + bytes.fromhex(request_id)


def sign_decision(decision: Decision, reviewer: Ed25519PrivateKey) -> str:
    """The decision and the reviewer's signature, as JSON text."""
    return msgspec.json.encode(_Signed(decision, reviewer.sign(_decided(decision)).hex())).decode()


def read_decision(text: str, request_id: str, reviewer: bytes) -> Decision:
    """The decision about this request, if this reviewer (Ed25519, 32 bytes) signed it.

    Raises:
        BadDecision: it is no decision, is about another request, or the signature does not hold.
    """
    try:
        signed = msgspec.json.decode(text if len(text) <= MAX_DECISION_BYTES else "", type=_Signed)
    except UNREADABLE:
        raise BadDecision("that is no decision") from None
    if not signed.decision.reason.isprintable():
        raise BadDecision("the decision's reason has characters that cannot be shown")
    if signed.decision.until is not None and signed.decision.until > LAST_DAY:
        raise BadDecision(f"the decision's last day is after {LAST_DAY}")
    if signed.decision.id != request_id:
        raise BadDecision("the decision is about another request")
    try:
        Ed25519PublicKey.from_public_bytes(reviewer).verify(bytes.fromhex(signed.signature), _decided(signed.decision))
    except (InvalidSignature, ValueError):
        raise BadDecision("the decision is not signed by the reviewer whom the policy names") from None
    return signed.decision


def _decided(decision: Decision) -> bytes:
    return _DECISION + b"\0" + _sorted(decision)
