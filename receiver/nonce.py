"""Nonces for proofs of erasure: handed out without being remembered. Refuses one that is not this receiver's, or is too old.

A nonce is expiry (8 bytes, Unix seconds) || 16 random bytes || 16 bytes of HMAC-SHA-256 over both, in hexadecimal. Nothing is stored,
so nobody can exhaust a table of them, and replicas that share a key share nonces. One that is used twice does no harm: to erase
what is erased changes nothing.
"""

import hashlib
import hmac
from datetime import datetime

RANDOM_BYTES = 16
LIFETIME_S = 300
"""Five minutes: long enough for a slow line, short enough that a recorded proof is soon worth nothing."""

_EXPIRY_BYTES = 8
_TAG_BYTES = 16
_NONCE_BYTES = _EXPIRY_BYTES + RANDOM_BYTES + _TAG_BYTES
_LABEL = b"volens/nonce/1\0"


def mint(key: bytes, now: datetime, random: bytes) -> str:
    """A nonce that is good for LIFETIME_S from now. `random` is RANDOM_BYTES fresh bytes."""
    stated = (int(now.timestamp()) + LIFETIME_S).to_bytes(_EXPIRY_BYTES, "big") + random
    return (stated + _tag(key, stated)).hex()


def is_good(key: bytes, now: datetime, nonce: str) -> bool:
    """Whether this receiver handed it out, less than LIFETIME_S ago."""
    try:
        raw = bytes.fromhex(nonce)
    except ValueError:
        return False
    stated, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    if len(raw) != _NONCE_BYTES or not hmac.compare_digest(tag, _tag(key, stated)):
        return False
    return now.timestamp() < int.from_bytes(stated[:_EXPIRY_BYTES], "big")


def _tag(key: bytes, stated: bytes) -> bytes:
    return hmac.digest(key, _LABEL + stated, hashlib.sha256)[:_TAG_BYTES]
