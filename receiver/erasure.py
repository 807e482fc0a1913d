"""Erasure by proof: is this request its pseudonym's own, and what receipt does it get. Decides; refuses every proof that does not verify.

The receipt is signed with the receiver's own key, so that the subject can show it to others.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from receiver import nonce as nonces
from receiver.errors import Refused
from transport.erasure_proof import message

_RECEIPT_LABEL = b"volens/erasure-receipt/1\0"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a pseudonym proved that it wants erased.

    Attributes:
        pseudonym: 32 bytes.
        batches: ids, sorted; None for everything of this pseudonym, then and later.
    """

    pseudonym: bytes
    batches: tuple[str, ...] | None

    @property
    def digest(self) -> str:
        """The same for the same wish, so that asking twice finds the first receipt."""
        named = "*" if self.batches is None else ",".join(self.batches)
        return hashlib.sha256(self.pseudonym + named.encode()).hexdigest()


def prove(  # noqa: PLR0913 - the proof's parts and the facts to judge them by
    *, pseudonym: bytes, nonce: str, batches: tuple[str, ...] | None, signature: bytes, nonce_key: bytes, now: datetime
) -> Wish:
    """The wish, once it is known to be the pseudonym's own.

    Raises:
        Refused: 403, the nonce is stale or not ours, or the signature is not this pseudonym's.
    """
    if not nonces.is_good(nonce_key, now, nonce):
        raise Refused(403, "the nonce is not one of this receiver's, or older than five minutes", "fetch a new one and sign again")
    try:
        Ed25519PublicKey.from_public_bytes(pseudonym).verify(signature, message(nonce, batches))
    except (InvalidSignature, ValueError):
        raise Refused(403, "the signature is not this pseudonym's", "sign nonce and batches with the key that sealed them") from None
    return Wish(pseudonym, None if batches is None else tuple(sorted(set(batches))))


def last_copy_dies(at: datetime, backups_kept_days: int) -> date:
    """The day on which no copy is left: slots and bodies are gone at once, backups of bodies when their days are over."""
    return (at + timedelta(days=backups_kept_days)).date()


def receipt(wish: Wish, *, erased: int, at: datetime, last_copy: date, key: Ed25519PrivateKey) -> str:
    """A signed receipt as JSON text: `receipt`, `key` and `signature`, the last over the label and the sorted, compact `receipt`."""
    stated = {
        "format": 1,
        "pseudonym": wish.pseudonym.hex(),
        "batches": None if wish.batches is None else list(wish.batches),
        "erased": erased,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_copy_dies": last_copy.isoformat(),
    }
    signature = key.sign(signed_bytes(stated))
    whole = {"receipt": stated, "key": key.public_key().public_bytes_raw().hex(), "signature": signature.hex()}
    return json.dumps(whole, sort_keys=True)


def signed_bytes(stated: object) -> bytes:
    """The bytes under a receipt's signature; `stated` is its `receipt` as parsed from JSON."""
    return _RECEIPT_LABEL + json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()
