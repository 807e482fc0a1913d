"""The envelope of docs/envelope.md: seal, parse, open, split, join. Refuses anything not bound, signed, padded and sealed as written there.

Keys pass through functions and are kept by none; no error and no repr holds a byte of a payload or a key.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from transport import xwing
from transport.bounds import MAX_ENVELOPE_BYTES, OVERHEAD_BYTES
from transport.header import FIXED_BYTES, MAX_PURPOSE_BYTES, NUMBER_BYTES, EnvelopeError, Header, Layer, decode, header_bytes
from transport.identity import SIGNATURE_BYTES, EpochIdentity
from transport.kdf import DERIVED_BYTES, derive
from transport.padding import MIN_PADDED_BYTES, is_padded, padme_bytes
from transport.xwing import PublicKey, ReadingKey

BODY_KEY_BYTES = 32
SLOT_BYTES = OVERHEAD_BYTES + BODY_KEY_BYTES
SLOTS_BYTES = 2 * SLOT_BYTES
COMMITMENT_BYTES = DERIVED_BYTES
_LENGTH_BYTES = 4
_TAG_BYTES = 16
_NONCE = bytes(12)  # safe because a batch key seals one body and is dropped

MAX_PADDED_BYTES = 31 * 32 * 1024  # the largest padded length with which every envelope stays within 1 MiB
MAX_PAYLOAD_BYTES = MAX_PADDED_BYTES - _LENGTH_BYTES
MIN_ENVELOPE_BYTES = FIXED_BYTES + 1 + SLOTS_BYTES + COMMITMENT_BYTES + MIN_PADDED_BYTES + _TAG_BYTES + SIGNATURE_BYTES
_LARGEST = FIXED_BYTES + MAX_PURPOSE_BYTES + SLOTS_BYTES + COMMITMENT_BYTES + MAX_PADDED_BYTES + _TAG_BYTES + SIGNATURE_BYTES
assert _LARGEST <= MAX_ENVELOPE_BYTES

_SLOT_LABEL = b"volens/slot/1"
_COMMIT_LABEL = b"volens/commit/1"
_SIGN_LABEL = b"volens/envelope/1\0"
_PURPOSE_SLOT = b"purpose"
_SUBJECT_SLOT = b"subject"


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """One sealed batch whose layout and signature hold. Made by `seal` and `parse` only.

    Attributes:
        raw: every byte.
        header: what everyone may read.
        purpose_slot: 1,168 bytes, for the purpose's key.
        subject_slot: 1,168 bytes, for the subject's reading key.
        commitment: 32 bytes; ties both slots to one key.
        body: ciphertext and tag.
        signature: 64 bytes.
    """

    raw: bytes
    header: Header
    purpose_slot: bytes
    subject_slot: bytes
    commitment: bytes
    body: bytes
    signature: bytes

    @property
    def id(self) -> str:
        """Lower-case hexadecimal SHA-256 of every byte."""
        return hashlib.sha256(self.raw).hexdigest()

    def __repr__(self) -> str:
        return f"Envelope({self.id[:16]}, {self.header.purpose}, {len(self.raw)} bytes)"


def seal(  # noqa: PLR0913 - each is a separate input of the specification, all but one by keyword
    payload: bytes,
    *,
    purpose: str,
    purpose_key: PublicKey,
    reading_key: PublicKey,
    signer: EpochIdentity,
    number: bytes,
    body_key: bytes,
) -> Envelope:
    """Seals one payload to its two readers.

    Args:
        payload: 1 to MAX_PAYLOAD_BYTES bytes, as the batch layer packed them.
        purpose: its name.
        purpose_key: the purpose's public key.
        reading_key: the subject's reading key, public half.
        signer: the epoch identity of today, this purpose and this consent.
        number: 16 fresh random bytes.
        body_key: 32 fresh random bytes, never used before or again; no reference to them is kept.

    Raises:
        EnvelopeError: payload or a field out of bounds.
        BadKey: a public key that leads to no shared secret.
    """
    if not 1 <= len(payload) <= MAX_PAYLOAD_BYTES:
        raise EnvelopeError(Layer.PADDING, f"a payload has 1 to {MAX_PAYLOAD_BYTES} bytes, this one has {len(payload)}; cut it earlier")
    if len(body_key) != BODY_KEY_BYTES:
        raise EnvelopeError(Layer.CIPHERTEXT, f"a batch key has {BODY_KEY_BYTES} bytes; nothing was sealed")
    if len(number) != NUMBER_BYTES:
        raise EnvelopeError(Layer.HEADER, f"a batch number has {NUMBER_BYTES} bytes; nothing was sealed")
    header = Header(signer.pseudonym, purpose, purpose_key.key_id, number).encode()
    unsigned = b"".join(
        (
            header,
            xwing.seal(purpose_key, body_key, _slot_info(_PURPOSE_SLOT, header)),
            xwing.seal(reading_key, body_key, _slot_info(_SUBJECT_SLOT, header)),
            _commitment(body_key, header),
            AESGCM(body_key).encrypt(_NONCE, _pad(payload), header),
        )
    )
    return _cut(unsigned + signer.sign(_SIGN_LABEL + unsigned))


def parse(raw: bytes) -> Envelope:
    """The envelope in these bytes, as far as it can be checked without a key: bounds, layout, signature, padded length.

    Raises:
        EnvelopeError: layer header, signature or padding.
    """
    envelope = _cut(raw)
    try:
        Ed25519PublicKey.from_public_bytes(envelope.header.pseudonym).verify(envelope.signature, _SIGN_LABEL + raw[:-SIGNATURE_BYTES])
    except (InvalidSignature, ValueError):
        raise EnvelopeError(Layer.SIGNATURE, "the envelope's signature is wrong: it was cut short or altered; fetch it again") from None
    if not is_padded(len(envelope.body) - _TAG_BYTES):
        raise EnvelopeError(Layer.PADDING, "the envelope's body has a length that no padding gives; its sealer is faulty")
    return envelope


def open_purpose(envelope: Envelope, private: ReadingKey) -> bytes:
    """The payload, for whoever holds the purpose's key.

    Raises:
        EnvelopeError: layer slot (another purpose's key among them), ciphertext or padding.
    """
    if not hmac.compare_digest(private.public.key_id, envelope.header.purpose_key_id):
        raise EnvelopeError(Layer.SLOT, "this envelope was sealed to another purpose key; rebuild the key that its header names")
    return _open(envelope, private, envelope.purpose_slot, _PURPOSE_SLOT)


def open_subject(envelope: Envelope, private: ReadingKey) -> bytes:
    """The payload, for its subject with the recovery code.

    Raises:
        EnvelopeError: layer slot (someone else's code among them), ciphertext or padding.
    """
    return _open(envelope, private, envelope.subject_slot, _SUBJECT_SLOT)


def split(envelope: Envelope) -> tuple[bytes, bytes]:
    """(slots, rest): the two parts that a receiver stores apart. Both slots are 2,336 bytes."""
    rest = b"".join((envelope.header.encode(), envelope.commitment, envelope.body, envelope.signature))
    return envelope.purpose_slot + envelope.subject_slot, rest


def join(slots: bytes, rest: bytes) -> bytes:
    """The envelope's exact bytes again; the caller compares their hash with the id it stored.

    Raises:
        EnvelopeError: not two slots, or rest has no header.
    """
    if len(slots) != SLOTS_BYTES:
        raise EnvelopeError(Layer.HEADER, f"two key slots have {SLOTS_BYTES} bytes, these have {len(slots)}; the slot store is damaged")
    end = header_bytes(rest)
    return rest[:end] + slots + rest[end:]


def _cut(raw: bytes) -> Envelope:
    if not MIN_ENVELOPE_BYTES <= len(raw) <= MAX_ENVELOPE_BYTES:
        raise EnvelopeError(
            Layer.HEADER, f"an envelope has {MIN_ENVELOPE_BYTES} to {MAX_ENVELOPE_BYTES} bytes, this has {len(raw)}; fetch it again"
        )
    header = decode(raw)
    slots_at = header_bytes(raw)
    commitment_at = slots_at + SLOTS_BYTES
    body_at = commitment_at + COMMITMENT_BYTES
    if len(raw) - body_at < MIN_PADDED_BYTES + _TAG_BYTES + SIGNATURE_BYTES:
        raise EnvelopeError(Layer.HEADER, "the envelope ends within its body; fetch it again")
    return Envelope(
        raw=raw,
        header=header,
        purpose_slot=raw[slots_at : slots_at + SLOT_BYTES],
        subject_slot=raw[slots_at + SLOT_BYTES : commitment_at],
        commitment=raw[commitment_at:body_at],
        body=raw[body_at:-SIGNATURE_BYTES],
        signature=raw[-SIGNATURE_BYTES:],
    )


def _open(envelope: Envelope, private: ReadingKey, slot: bytes, which: bytes) -> bytes:
    header = envelope.header.encode()
    try:
        body_key = xwing.open(private, slot, _slot_info(which, header))
    except xwing.NotForThisKey:
        raise EnvelopeError(Layer.SLOT, "this key does not open the envelope: sealed to another one, or its slot was altered") from None
    # Before the body: a ciphertext can be made to open under two keys, the commitment cannot (docs/envelope.md, Why a commitment).
    if len(body_key) != BODY_KEY_BYTES or not hmac.compare_digest(_commitment(body_key, header), envelope.commitment):
        raise EnvelopeError(Layer.SLOT, "the envelope's slot holds another key than its body was sealed with; its sealer is forged")
    try:
        return _unpad(AESGCM(body_key).decrypt(_NONCE, envelope.body, header))
    except InvalidTag:
        raise EnvelopeError(Layer.CIPHERTEXT, "the envelope's body does not open with its own key; its sealer is faulty") from None


def _slot_info(which: bytes, header: bytes) -> bytes:
    return b"\0".join((_SLOT_LABEL, which, header))


def _commitment(body_key: bytes, header: bytes) -> bytes:
    return derive(body_key, _COMMIT_LABEL + b"\0" + header)


def _pad(payload: bytes) -> bytes:
    prefixed = len(payload).to_bytes(_LENGTH_BYTES, "big") + payload
    return prefixed.ljust(padme_bytes(len(prefixed)), b"\0")


def _unpad(padded: bytes) -> bytes:
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if not _LENGTH_BYTES < end <= len(padded) or padme_bytes(end) != len(padded) or padded.count(0, end) != len(padded) - end:
        raise EnvelopeError(Layer.PADDING, "the envelope's padding is not as specified; its sealer is faulty")
    return padded[_LENGTH_BYTES:end]
