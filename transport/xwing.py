"""X-Wing keys (MLKEM768-X25519) and sealing to them with HPKE. Refuses to say which of key, info and bytes was wrong: it cannot know.

The algorithms are fixed by docs/envelope.md; there is nothing to choose. The KEM draws its own ephemeral key inside the
cryptographic library, which is the one randomness that does not come in as an argument.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from transport.bounds import PUBLIC_BYTES
from transport.errors import TransportError

SEED_BYTES = 32
_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class BadKey(TransportError):
    """These bytes are not an X-Wing key."""


class NotForThisKey(TransportError):
    """What was sealed does not open: sealed to another key, for another use, or altered."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An X-Wing public key: whoever has it can seal, not open.

    Attributes:
        raw: the 1,216 bytes of docs/envelope.md.

    Raises:
        BadKey: wrong length, or not a valid key.
    """

    raw: bytes
    _handle: MLKEM768X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC_BYTES:
            raise BadKey(f"a public key has {PUBLIC_BYTES} bytes, this one has {len(self.raw)}; ask its owner for it again")
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC_BYTES])
            x25519 = X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC_BYTES:])
        except ValueError as error:
            raise BadKey("a public key is damaged; ask its owner for it again") from error
        object.__setattr__(self, "_handle", MLKEM768X25519PublicKey(mlkem, x25519))

    def __repr__(self) -> str:
        return f"PublicKey({self.key_id.hex()[:16]})"

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the public key, 32 bytes."""
        return hashlib.sha256(self.raw).digest()


class ReadingKey:
    """An X-Wing private key: whoever has it reads what was sealed to its public half. Never printed."""

    __slots__ = ("_handle", "public")

    public: PublicKey

    def __init__(self, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._handle = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = PublicKey(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    @classmethod
    def from_seed(cls, seed: bytes) -> "ReadingKey":
        """The key pair of a 32-byte seed.

        Raises:
            BadKey: the seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise BadKey(f"a private key has {SEED_BYTES} bytes, this one has {len(seed)}; take an undamaged copy of it")
        expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + 32)
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:]),
        )

    def __repr__(self) -> str:
        return f"ReadingKey(private half of {self.public!r})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not copied or pickled")


def seal(public: PublicKey, plaintext: bytes, info: bytes) -> bytes:
    """Seals to one reader: 1,120 bytes of KEM ciphertext, then the plaintext's length + 16.

    Raises:
        BadKey: the public key leads to no shared secret (made to be weak).
    """
    try:
        return _SUITE.encrypt(plaintext, public._handle, info=info)
    except ValueError as error:
        raise BadKey("a public key is of no use for sealing; ask its owner for it again") from error


def open(private: ReadingKey, sealed: bytes, info: bytes) -> bytes:
    """What was sealed with this key's public half and the same info.

    Raises:
        NotForThisKey: other key, other info or altered bytes; which of them cannot be told.
    """
    try:
        return _SUITE.decrypt(sealed, private._handle, info=info)
    except (InvalidTag, ValueError) as error:
        raise NotForThisKey("this key does not open it: it was sealed to another key, for another use, or was altered") from error
