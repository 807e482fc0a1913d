"""HKDF-SHA256 without salt, in the one form the specification uses. Refuses nothing: labels are the callers' to keep apart."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DERIVED_BYTES = 32


def derive(secret: bytes, info: bytes) -> bytes:
    """32 bytes from a secret, bound to info (docs/envelope.md, Notation)."""
    return HKDF(algorithm=SHA256(), length=DERIVED_BYTES, salt=None, info=info).derive(secret)
