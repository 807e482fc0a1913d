"""Who joins a fleet, and which identities a device may register. Decides; refuses every token and signature that does not hold."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from receiver.errors import Refused
from transport.enrolment_proof import IDENTITIES_A_DAY, enrolment_message, registration_message

TOKEN_BYTES = 32
EARLY = timedelta(days=1)
"""How far ahead a day may be registered: a machine whose clock or place is ahead, or that will be offline tomorrow."""


@dataclass(frozen=True, slots=True)
class Token:
    """A fleet token as it is kept: not the token itself.

    Attributes:
        id: 1, 2, 3 ...
        note: what whoever made it wrote about it.
        last_day: on which it still lets devices in.
        revoked_on: or None.
    """

    id: int
    note: str
    last_day: date
    revoked_on: date | None

    def state(self, today: date) -> str:
        """`good`, `expired` or `revoked`."""
        if self.revoked_on is not None:
            return "revoked"
        return "good" if today <= self.last_day else "expired"


def token_text(random: bytes) -> str:
    """A new token from TOKEN_BYTES fresh bytes: 52 letters and digits."""
    return base64.b32encode(random).decode().rstrip("=").lower()


def token_digest(token: str) -> str:
    """What is kept of a token. It is as random as a key, so one SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def let_in(token: Token | None, today: date, *, text: str, device: bytes, signature: bytes) -> Token:
    """The token, if it lets this device in today and the device has the key that it says.

    Raises:
        Refused: 403.
    """
    if token is None or (state := token.state(today)) != "good":
        why = "unknown" if token is None else state
        raise Refused(403, f"the fleet token is {why}", "make another with `volens-receiver token create`")
    verify_device(device, signature, enrolment_message(text))
    return token


def check_registration(  # noqa: PLR0913 - the request's parts and the facts to judge them by
    *, device: bytes, day: date, pseudonyms: Sequence[str], signature: bytes, today: date, late_days: int
) -> None:
    """Whether a device may register these pseudonyms for this day.

    Raises:
        Refused: 403 not this device's signature, 422 another number than everyone's, or a day that is too far from today.
    """
    if len(set(pseudonyms)) != IDENTITIES_A_DAY or len(pseudonyms) != IDENTITIES_A_DAY:
        raise Refused(422, f"a day has {IDENTITIES_A_DAY} different pseudonyms, for everyone", "fill up with made-up ones")
    if not today - timedelta(days=late_days) <= day <= today + EARLY:
        raise Refused(422, "this day is too far from today", "register days when they come")
    verify_device(device, signature, registration_message(day, pseudonyms))


def verify_device(device: bytes, signature: bytes, message: bytes) -> None:
    """Returns if the device signed this message. Raises Refused: 403."""
    try:
        Ed25519PublicKey.from_public_bytes(device).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused(403, "the signature is not this device's", "sign with the key that enrolled") from None
