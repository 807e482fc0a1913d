"""Consent receipt: the signed record of a yes. What was shown, by whom, and exactly what may be observed for what. Pure.

The receipt is canonical JSON (sorted keys, no spaces) and an Ed25519 signature over those exact bytes by the subject's
ledger key. What it does not name was not consented to.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.event import Count, Milliseconds
from consent.hours import ALWAYS_WORD
from consent.scope import Scope
from consent.unreadable import UNREADABLE
from consent.vocabulary import Kind, Purpose, SurfaceId


class ReceiptError(Exception):
    """The receipt does not hold: nothing was consented to."""


class Grant(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One (surface, kind) and its purpose; surface None for kinds of no surface."""

    surface: SurfaceId | None
    kind: Kind
    purpose: Purpose


class ConsentReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person said yes to.

    Attributes:
        id: Random, 16 bytes as hex.
        granted_ms: When, Unix milliseconds, UTC.
        notice_sha256: Hash of the notice that was shown, hex.
        purpose_words: What each purpose was said to be: the fingerprint of its title and readers. Another is another purpose.
        purpose_keys: The public keys that were shown to read each purpose, by key id (hex). Another key is a widening.
        place: Which account on which machine said it: a hash, hex. A receipt that was copied elsewhere is no consent there.
        root_sha256: Hash, hex, of the root of trust that was pinned then. Another root is another controller.
        hold_min_s: The shortest hold that was promised.
        surfaces: What each surface was when it was shown: the fingerprint of its executables and category. Another is a widening.
        retention_days: The longest retention that was promised, by purpose.
        hours: The widest hours in which anything may be observed, as `consent.hours` reads them.
        daily_notice: Whether the notice was said to come on each day. Less often is a widening.
        language: Of the notice, as BCP 47 names it.
        titles: What each purpose was called, for people.
        readers: Who was said to open each purpose, for people.
        names: What each surface was called, for people.
        sensitivity: The class of each kind, by the register of that day.
    """

    format: Count
    id: str
    granted_ms: Milliseconds
    controller: str
    receiver: str
    notice_sha256: str
    policy_version: Count
    purpose_keys: dict[Purpose, str]
    surfaces: dict[SurfaceId, str]
    retention_days: dict[Purpose, Count]
    hold_min_s: Count
    grants: tuple[Grant, ...]
    place: str = ""
    root_sha256: str = ""
    purpose_words: dict[Purpose, str] = msgspec.field(default_factory=dict)
    hours: str = ALWAYS_WORD
    daily_notice: bool = False
    language: str = "en"
    titles: dict[Purpose, str] = msgspec.field(default_factory=dict)
    readers: dict[Purpose, str] = msgspec.field(default_factory=dict)
    names: dict[SurfaceId, str] = msgspec.field(default_factory=dict)
    sensitivity: dict[Kind, str] = msgspec.field(default_factory=dict)

    def scope(self) -> Scope:
        """What was consented to."""
        return Scope(MappingProxyType({(grant.surface, grant.kind): grant.purpose for grant in self.grants}))


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt as its exact JSON text, with signature (64 bytes) and the ledger key's public half (32 bytes)."""

    text: str
    signature: bytes
    public_key: bytes

    def as_json(self) -> str:
        """One JSON object for a person to keep."""
        kept = _Kept(self.text, b64encode(self.signature).decode(), b64encode(self.public_key).decode())
        return msgspec.json.encode(kept).decode()


class _Kept(msgspec.Struct):
    """The JSON object that a person keeps."""

    receipt: str
    signature: str
    public_key: str


def grants_of(scope: Scope) -> tuple[Grant, ...]:
    """A scope as a receipt lists it, in a fixed order."""
    ordered: Mapping[tuple[SurfaceId | None, Kind], Purpose] = scope.grants
    return tuple(
        Grant(surface, kind, ordered[surface, kind]) for surface, kind in sorted(ordered, key=lambda pair: (pair[0] or "", pair[1]))
    )


def sign(receipt: ConsentReceipt, key: Ed25519PrivateKey) -> SignedReceipt:
    """The receipt, signed by the subject's ledger key."""
    text = msgspec.json.encode(receipt, order="deterministic").decode()
    return SignedReceipt(text, key.sign(text.encode()), key.public_key().public_bytes_raw())


def commitment(salt: bytes, kept: str) -> bytes:
    """What every batch carries of a kept receipt, 32 bytes. Only the subject has the salt, in the ledger, and can check it."""
    return hashlib.sha256(salt + kept.encode()).digest()


def verify(text: str, public_key: bytes) -> ConsentReceipt:
    """The receipt in a kept JSON object, if `public_key` (32 bytes) signed it. Raises ReceiptError."""
    try:
        kept = msgspec.json.decode(text, type=_Kept)
        Ed25519PublicKey.from_public_bytes(public_key).verify(b64decode(kept.signature, validate=True), kept.receipt.encode())
        return msgspec.json.decode(kept.receipt, type=ConsentReceipt)
    except InvalidSignature:
        raise ReceiptError("the receipt's signature does not hold") from None
    except UNREADABLE:
        raise ReceiptError("the receipt is malformed") from None
