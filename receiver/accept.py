"""Is this envelope taken in? Decides from its bytes and from facts that are handed in. Refuses whatever it cannot tell to be right.

It opens nothing: the receiver has no key that could. This is the only module of the receiver that knows the envelope's code.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from receiver.errors import Refused
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.envelope import Envelope, join, parse, split
from transport.header import EnvelopeError, Layer

MAX_BODY_BYTES = MAX_ENVELOPE_BYTES
_ID = re.compile(r"[0-9a-f]{64}")


class Outcome(StrEnum):
    """What becomes of an envelope that `judge` let through; the store decides, one envelope after the other."""

    STORED = "stored"
    KNOWN = "known"
    ERASED = "erased"
    UNREGISTERED = "unregistered"
    STALE_KEY = "stale key"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is taken in for one purpose, by the policy in force and the ones before it.

    Attributes:
        key_ids: 32-byte ids of its keys, each with the last day of sealing; None for the key of the policy in force.
        retention_days: how long a batch may be kept.
    """

    key_ids: Mapping[bytes, date | None]
    retention_days: int


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """An envelope that may be stored, in its two parts.

    Attributes:
        id: 64 hexadecimal digits.
        pseudonym: 32 bytes.
        purpose: its name.
        slots: both key slots.
        rest: everything else.
        retention_days: of its purpose.
        sealed_by: the last day on which it may have been sealed, for a key that is no longer in force; else None.
    """

    id: str
    pseudonym: bytes
    purpose: str
    slots: bytes
    rest: bytes
    retention_days: int
    sealed_by: date | None = None

    @property
    def envelope_bytes(self) -> int:
        """Length of the whole envelope in bytes."""
        return len(self.slots) + len(self.rest)


@dataclass(frozen=True, slots=True)
class Before:
    """What the store knew of an envelope before it came.

    Attributes:
        stored: this id is stored.
        erased: its subject had this id erased, or everything of this pseudonym.
        day: the day of sealing that its pseudonym is registered for; None if it is registered for none.
    """

    stored: bool
    erased: bool
    day: date | None


def check_id(batch_id: str) -> str:
    """The id itself. Raises Refused (422) if it is not 64 lower-case hexadecimal digits."""
    if _ID.fullmatch(batch_id) is None:
        raise Refused(422, "a batch is named by the 64 lower-case hexadecimal digits of its SHA-256", "send it to that name")
    return batch_id


def check_announced(length: str | None, chunked: bool, max_bytes: int = MAX_BODY_BYTES) -> None:
    """Refuses a request by its headers alone, before a byte of its body is read.

    Raises:
        Refused: 411 no length and not chunked; 413 over the bound; 422 not a number.
    """
    if length is None:
        if not chunked:
            raise Refused(411, "the request announces no body", "send Content-Length and the envelope")
        return
    if not length.isascii() or not length.isdigit():
        raise Refused(422, "Content-Length is not a number", "send the body's length in bytes")
    check_length(int(length), max_bytes)


def check_length(body_bytes: int, max_bytes: int = MAX_BODY_BYTES) -> None:
    """Raises Refused (413) as soon as a body is longer than it may be: by default, longer than any envelope."""
    if body_bytes > max_bytes:
        raise Refused(413, f"a body here has at most {max_bytes} bytes", "send less at once")


def judge(batch_id: str, raw: bytes, purposes: Mapping[str, Terms]) -> Offer:
    """The envelope in these bytes, fit to be stored.

    Args:
        batch_id: the name it was sent to.
        raw: all of the body.
        purposes: by name, each purpose of the policy in force.

    Raises:
        Refused: 413 too long, 422 anything else that is wrong with it.
    """
    check_length(len(raw))
    if not hmac.compare_digest(hashlib.sha256(raw).hexdigest(), batch_id):
        raise Refused(422, "the body's SHA-256 is not the name it was sent to", "send it again, whole")
    envelope = _parse(raw)
    header = envelope.header
    terms = purposes.get(header.purpose)
    if terms is None:
        raise Refused(422, "the policy in force has no such purpose", "fetch the policy; destroy the envelope if it stays so")
    if header.purpose_key_id not in terms.key_ids:
        raise Refused(422, "the envelope is sealed to a key that is not and was not its purpose's", "fetch the policy")
    slots, rest = split(envelope)
    sealed_by = terms.key_ids[header.purpose_key_id]
    return Offer(batch_id, header.pseudonym, header.purpose, slots, rest, terms.retention_days, sealed_by)


def settle(before: Before, sealed_by: date | None = None) -> Outcome:
    """What happens to an envelope that may be stored. Erasure outweighs everything: what its subject took back stays gone."""
    if before.erased:
        return Outcome.ERASED
    if before.stored:
        return Outcome.KNOWN
    if before.day is None:
        return Outcome.UNREGISTERED
    return Outcome.STALE_KEY if sealed_by is not None and before.day > sealed_by else Outcome.STORED


def refusal(outcome: Outcome) -> Refused | None:
    """What a sender is told whose envelope is not stored; None when it is."""
    match outcome:
        case Outcome.ERASED:
            return Refused(409, "its subject had this erased", "destroy the envelope; do not send it again")
        case Outcome.UNREGISTERED:
            return Refused(403, "its pseudonym is not registered", "register the day of its sealing, then send it again")
        case Outcome.STALE_KEY:
            return Refused(422, "the envelope was sealed to a key after that key's last day", "fetch the policy")
        case _:
            return None


def rejoin(batch_id: str, slots: bytes, rest: bytes) -> tuple[bytes, Envelope]:
    """A stored envelope's exact bytes, verified again, and what its header says.

    Raises:
        EnvelopeError: the parts do not make the envelope of this id any more.
    """
    raw = join(slots, rest)
    if not hmac.compare_digest(hashlib.sha256(raw).hexdigest(), batch_id):
        raise EnvelopeError(Layer.HEADER, "the stored bytes are not those that came: their hash is another")
    return raw, parse(raw)


def _parse(raw: bytes) -> Envelope:
    try:
        return parse(raw)
    except EnvelopeError as error:
        raise Refused(422, f"this is not an envelope ({error.layer.value}): {error}", "seal it again as docs/envelope.md says") from None
