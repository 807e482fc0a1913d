"""Epoch identities: who signs a batch, for one day, one purpose and one consent. Refuses to link them: only the identity secret could.

The day is the UTC day of sealing, handed in; this module reads no clock.
"""

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from transport.header import check_purpose
from transport.kdf import derive

SIGNATURE_BYTES = 64
_LABEL = b"volens/id/1"


class EpochIdentity:
    """One identity of a subject. Never printed.

    Attributes:
        pseudonym: the Ed25519 public key, 32 bytes; all that others see.
    """

    __slots__ = ("_private", "pseudonym")

    pseudonym: bytes

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.pseudonym = private.public_key().public_bytes_raw()

    @classmethod
    def derive(cls, identity_secret: bytes, *, day: date, purpose: str, n: int) -> "EpochIdentity":
        """The identity of an epoch.

        Args:
            identity_secret: 32 bytes, from the recovery code.
            day: UTC day of sealing.
            purpose: as in the header.
            n: number of the consent, rising; 0 to 2**32 - 1.

        Raises:
            EnvelopeError: purpose is not a purpose's name.
            OverflowError: n is out of range.
        """
        label = b"\0".join((_LABEL, day.strftime("%Y-%m-%d").encode(), check_purpose(purpose), n.to_bytes(4, "big")))
        return cls(Ed25519PrivateKey.from_private_bytes(derive(identity_secret, label)))

    def sign(self, message: bytes) -> bytes:
        """64 bytes. The caller's message starts with its own label, so no signature fits two uses."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"EpochIdentity({self.pseudonym.hex()[:16]})"

    def __reduce__(self) -> str:
        raise TypeError("an identity is not copied or pickled")
