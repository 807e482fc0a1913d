"""Is this request its pseudonym's own? Decides; refuses a stale nonce and every signature that does not verify."""

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from receiver import nonce as nonces
from receiver.errors import Refused


def check(  # noqa: PLR0913 - the proof's parts and the facts to judge them by
    *, pseudonym: bytes, nonce: str, signature: bytes, message: bytes, nonce_key: bytes, now: datetime
) -> None:
    """Returns if the pseudonym signed this message over a nonce that this receiver handed out less than five minutes ago.

    Raises:
        Refused: 403.
    """
    if not nonces.is_good(nonce_key, now, nonce):
        raise Refused(403, "the nonce is not one of this receiver's, or older than five minutes", "fetch a new one and sign again")
    try:
        Ed25519PublicKey.from_public_bytes(pseudonym).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused(403, "the signature is not this pseudonym's", "sign what is asked with the key that sealed it") from None
