"""Writes tests/vectors/envelope/: a second writing of docs/envelope.md, step by step, so that each step can be done wrongly on purpose.

Run as `python -m tests.vectors.make_vectors [NAME]...`. Slots are sealed with fresh randomness, so new vectors differ from old ones;
commit them only when the specification changes.
"""

import base64
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.custody.stand import admitted, clicks
from transport import xwing
from transport.batch import Source, pack
from transport.compress import compress, decompress
from transport.padding import padme_bytes
from transport.recovery import RecoveryCode
from transport.xwing import ReadingKey

FOLDER = Path(__file__).parent / "envelope"
CODE = RecoveryCode(hashlib.sha256(b"vectors: recovery code").digest())
PURPOSE_SEED = hashlib.sha256(b"vectors: purpose").digest()
OTHER_SEED = hashlib.sha256(b"vectors: another purpose").digest()
DAY = date(2026, 11, 21)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256, no salt, 32 bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


@dataclass
class Draft:
    """An envelope in the making; every field can be bent before the next step uses it."""

    payload: bytes = b"a payload"
    purpose: bytes = b"agent-training"
    format: bytes = b"volens/1"
    key_id_of: bytes = PURPOSE_SEED
    purpose_seed: bytes = PURPOSE_SEED
    padded_bytes: int = 4096
    claimed_bytes: int | None = None
    padding_end: bytes = b""
    purpose_length: int | None = None
    slot_labels: tuple[bytes, bytes] = (b"purpose", b"subject")
    slot_header: bytes | None = None
    slot_key: bytes = b""
    subject_slot_key: bytes | None = None
    aad: bytes | None = None
    sign_label: bytes = b"volens/envelope/1\0"
    bend: Callable[[bytes], bytes] = field(default=lambda unsigned: unsigned)

    def build(self) -> bytes:
        """The bytes of docs/envelope.md, Sealing."""
        batch_key = hashlib.sha256(b"vectors: batch key").digest()
        code_secret = CODE.secret
        epoch = hkdf(
            hkdf(code_secret, b"volens/recovery/identity/1"),
            b"volens/id/1\0" + DAY.isoformat().encode() + b"\0" + b"agent-training" + b"\0" + (1).to_bytes(4, "big"),
        )
        signer = Ed25519PrivateKey.from_private_bytes(epoch)
        length = len(self.purpose) if self.purpose_length is None else self.purpose_length
        header = (
            self.format
            + signer.public_key().public_bytes_raw()
            + hashlib.sha256(ReadingKey.from_seed(self.key_id_of).public.raw).digest()
            + hashlib.sha256(b"vectors: number").digest()[:16]
            + bytes([length])
            + self.purpose
        )
        claimed = len(self.payload) if self.claimed_bytes is None else self.claimed_bytes
        padded = bytearray(claimed.to_bytes(4, "big") + self.payload)
        padded.extend(bytes(self.padded_bytes - len(padded)))
        if self.padding_end:
            padded[-len(self.padding_end) :] = self.padding_end
        body = AESGCM(batch_key).encrypt(bytes(12), bytes(padded), header if self.aad is None else self.aad)
        reading = ReadingKey.from_seed(hkdf(code_secret, b"volens/recovery/reading/1"))
        bound = header if self.slot_header is None else self.slot_header
        slots = (
            xwing.seal(
                ReadingKey.from_seed(self.purpose_seed).public,
                self.slot_key or batch_key,
                b"volens/slot/1\0" + self.slot_labels[0] + b"\0" + bound,
            ),
            xwing.seal(
                reading.public,
                self.subject_slot_key or self.slot_key or batch_key,
                b"volens/slot/1\0" + self.slot_labels[1] + b"\0" + bound,
            ),
        )
        commitment = hkdf(batch_key, b"volens/commit/1\0" + header)
        unsigned = self.bend(header + slots[0] + slots[1] + commitment + body)
        return unsigned + signer.sign(self.sign_label + unsigned)


def flip(at: int) -> Callable[[bytes], bytes]:
    """Turns the lowest bit of the byte at a place (from the end when negative)."""

    def bent(raw: bytes) -> bytes:
        out = bytearray(raw)
        out[at] ^= 1
        return bytes(out)

    return bent


def swap_slots(unsigned: bytes) -> bytes:
    """The two slots in each other's place."""
    start = 89 + len(b"agent-training")
    a, b = unsigned[start : start + 1168], unsigned[start + 1168 : start + 2336]
    return unsigned[:start] + b + a + unsigned[start + 2336 :]


def batch(change: Callable[[dict[str, Any]], None] = lambda _: None, purpose: str = "agent-training") -> bytes:
    """A payload of docs/payload.md, with something in it changed."""
    packed = pack(admitted(clicks(1000), purpose), source=Source(policy_version=1, receipt_commitment=b"c" * 32, segments=(b"s" * 16,)))
    inside: dict[str, Any] = msgspec.msgpack.decode(decompress(packed, 1 << 20))
    change(inside)
    return compress(msgspec.msgpack.encode(inside))


def a_field_more(inside: dict[str, Any]) -> None:
    inside["facts"]["title"] = "a window's title"


def another_count(inside: dict[str, Any]) -> None:
    inside["facts"]["n"] += 1


def another_format(inside: dict[str, Any]) -> None:
    inside["facts"]["format"] = 3


def of_batch(payload: bytes) -> Callable[[], bytes]:
    """An envelope around it."""
    return Draft(payload=payload, padded_bytes=padme_bytes(4 + len(payload))).build


HEADER_BYTES = 89 + len(b"agent-training")
OK = Draft()
EXACT = Draft(payload=b"\x01" * 4092)
ODD = Draft(payload=b"\x01" * 4093, padded_bytes=4352)
# name: (expect, readers that see it, bytes)
VECTORS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "ok_short": ("ok", "purpose subject", OK.build),
    "ok_one_byte": ("ok", "purpose subject", Draft(payload=b"\0").build),
    "ok_fills_the_least_padding": ("ok", "purpose subject", EXACT.build),
    "ok_one_byte_more": ("ok", "purpose subject", ODD.build),
    "ok_longest_purpose_name": ("ok", "purpose subject", Draft(purpose=b"p" + b"9_-" * 21).build),
    "header_empty": ("header", "purpose subject", lambda: b""),
    "header_of_another_format": ("header", "purpose subject", Draft(format=b"volens/2").build),
    "header_no_purpose": ("header", "purpose subject", Draft(purpose=b"").build),
    "header_purpose_in_capitals": ("header", "purpose subject", Draft(purpose=b"Agent-training").build),
    "header_purpose_not_ascii": ("header", "purpose subject", Draft(purpose="ägent".encode()).build),
    "header_purpose_too_long": ("header", "purpose subject", Draft(purpose=b"p" * 65).build),
    "header_purpose_length_beyond_end": ("header", "purpose subject", lambda: Draft(purpose=b"p", purpose_length=255).build()[:200]),
    "header_cut_short": ("header", "purpose subject", lambda: OK.build()[:80]),
    "header_body_cut_short": ("header", "purpose subject", lambda: OK.build()[:-200]),
    "signature_flipped": ("signature", "purpose subject", lambda: flip(-1)(OK.build())),
    "signature_pseudonym_flipped": ("signature", "purpose subject", lambda: flip(20)(OK.build())),
    "signature_body_flipped": ("signature", "purpose subject", lambda: flip(-100)(OK.build())),
    "signature_slot_flipped": ("signature", "purpose subject", lambda: flip(HEADER_BYTES + 5)(OK.build())),
    "signature_last_byte_missing": ("signature", "purpose subject", lambda: ODD.build()[:-1]),
    "signature_then_one_byte_more": ("signature", "purpose subject", lambda: OK.build() + b"\0"),
    "signature_without_label": ("signature", "purpose subject", Draft(sign_label=b"").build),
    "slot_key_id_of_another_purpose": ("slot", "purpose", Draft(key_id_of=OTHER_SEED).build),
    "slot_sealed_to_another_purpose": ("slot", "purpose", Draft(purpose_seed=OTHER_SEED).build),
    "slot_purpose_flipped": ("slot", "purpose", Draft(bend=flip(HEADER_BYTES + 5)).build),
    "slot_subject_flipped": ("slot", "subject", Draft(bend=flip(HEADER_BYTES + 2336 - 1)).build),
    "slots_exchanged": ("slot", "purpose subject", Draft(bend=swap_slots).build),
    "slot_labels_exchanged": ("slot", "purpose subject", Draft(slot_labels=(b"subject", b"purpose")).build),
    "slot_bound_to_another_header": ("slot", "purpose subject", Draft(slot_header=b"volens/1").build),
    "slot_with_another_key_for_the_subject": ("slot", "subject", Draft(subject_slot_key=b"k" * 32).build),
    "slot_with_another_key_for_both": ("slot", "purpose subject", Draft(slot_key=b"k" * 32).build),
    "slot_commitment_flipped": ("slot", "purpose subject", Draft(bend=flip(HEADER_BYTES + 2336)).build),
    "ciphertext_flipped": ("ciphertext", "purpose subject", Draft(bend=flip(-1)).build),
    "ciphertext_of_another_header": ("ciphertext", "purpose subject", Draft(aad=b"volens/1").build),
    "padding_not_a_padded_length": ("padding", "purpose subject", Draft(padded_bytes=4097).build),
    "padding_longer_than_needed": ("padding", "purpose subject", Draft(padded_bytes=4352).build),
    "padding_not_zero": ("padding", "purpose subject", Draft(padding_end=b"\x01").build),
    "padding_payload_empty": ("padding", "purpose subject", Draft(payload=b"").build),
    "padding_length_beyond_end": ("padding", "purpose subject", Draft(claimed_bytes=4093).build),
    "ok_batch": ("ok", "purpose subject", of_batch(batch())),
    "schema_no_batch": ("schema", "purpose subject", of_batch(b"a payload")),
    "schema_no_msgpack": ("schema", "purpose subject", of_batch(compress(b"a payload"))),
    "schema_more_behind_the_frame": ("schema", "purpose subject", of_batch(batch() + b"\0")),
    "schema_inflates_too_far": ("schema", "purpose subject", of_batch(compress(bytes(64 * 1024 * 1024)))),
    "schema_unknown_field": ("schema", "purpose subject", of_batch(batch(a_field_more))),
    "schema_another_count": ("schema", "purpose subject", of_batch(batch(another_count))),
    "schema_another_format": ("schema", "purpose subject", of_batch(batch(another_format))),
    "schema_of_another_purpose": ("schema", "purpose subject", of_batch(batch(purpose="support"))),
    "padding_length_huge": ("padding", "purpose subject", Draft(claimed_bytes=2**32 - 1).build),
}


def write(name: str, expect: str, readers: str, raw: bytes, payload: bytes) -> None:
    """One vector as a text file."""
    lines = [
        f"expect: {expect}",
        f"readers: {readers}",
        f"purpose-seed: {PURPOSE_SEED.hex()}",
        f"recovery-code: {CODE.text()}",
    ]
    if name == "ok_batch" or expect == "schema":
        lines.append("payload: batch")
    if expect in {"ok", "schema"}:
        lines += [f"id: {hashlib.sha256(raw).hexdigest()}", f"payload-sha256: {hashlib.sha256(payload).hexdigest()}"]
    encoded = base64.b64encode(raw).decode()
    body = [encoded[at : at + 120] for at in range(0, len(encoded), 120)]
    (FOLDER / f"{name}.txt").write_text("\n".join([*lines, "", *body, ""]))


def main() -> None:
    """Writes those that are named, or all of them, anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, (expect, readers, build) in VECTORS.items():
        if name in (sys.argv[1:] or VECTORS):
            draft = getattr(build, "__self__", OK)
            write(name, expect, readers, build(), draft.payload)


if __name__ == "__main__":
    main()
