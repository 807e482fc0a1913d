"""HPKE a second time, for tests: RFC 9180's key schedule and X-Wing's decapsulation, from hashes and the two KEMs alone.

It is itself held to the published vectors, and then holds the product's sealing to what it says.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AEADS = {1: (AESGCM, 16), 2: (AESGCM, 32), 3: (ChaCha20Poly1305, 32)}
_XWING_LABEL = bytes.fromhex("5c2e2f2f5e5c")  # \.//^\


@dataclass(frozen=True)
class Context:
    """What the key schedule gives. `aead_id` is RFC 9180's number."""

    aead_id: int
    key: bytes
    base_nonce: bytes
    exporter_secret: bytes

    def nonce(self, number: int) -> bytes:
        return (int.from_bytes(self.base_nonce, "big") ^ number).to_bytes(12, "big")

    def seal(self, number: int, aad: bytes, plain: bytes) -> bytes:
        return AEADS[self.aead_id][0](self.key).encrypt(self.nonce(number), plain, aad)

    def open(self, number: int, aad: bytes, sealed: bytes) -> bytes:
        return AEADS[self.aead_id][0](self.key).decrypt(self.nonce(number), sealed, aad)


def schedule(kem_id: int, aead_id: int, shared_secret: bytes, info: bytes) -> Context:
    """KeySchedule of RFC 9180, 5.1, base mode, HKDF-SHA256."""
    suite = b"HPKE" + kem_id.to_bytes(2, "big") + (1).to_bytes(2, "big") + aead_id.to_bytes(2, "big")
    context = b"\0" + _extract(b"", suite, b"psk_id_hash", b"") + _extract(b"", suite, b"info_hash", info)
    secret = _extract(shared_secret, suite, b"secret", b"")
    return Context(
        aead_id,
        _expand(secret, suite, b"key", context, AEADS[aead_id][1]),
        _expand(secret, suite, b"base_nonce", context, 12),
        _expand(secret, suite, b"exp", context, 32),
    )


def decapsulate(seed: bytes, enc: bytes) -> bytes:
    """The shared secret in an X-Wing ciphertext of 1,120 bytes, by the 32-byte seed of the private key."""
    expanded = hashlib.shake_256(seed).digest(96)
    curve = X25519PrivateKey.from_private_bytes(expanded[64:])
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).decapsulate(enc[:1088])
    agreed = curve.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
    own = curve.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha3_256(lattice + agreed + enc[1088:] + own + _XWING_LABEL).digest()


def _extract(salt: bytes, suite: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(secret: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(secret, labelled + b"\1", "sha256")[:length]  # one block: nothing here is longer
