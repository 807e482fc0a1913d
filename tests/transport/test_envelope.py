"""The envelope: what seals opens for its two readers, and nothing else does."""

import gc
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transport import envelope as module
from transport.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_PADDED_BYTES,
    MAX_PAYLOAD_BYTES,
    Envelope,
    join,
    open_purpose,
    open_subject,
    parse,
    seal,
    split,
)
from transport.header import EnvelopeError, Header, Layer
from transport.identity import EpochIdentity
from transport.padding import is_padded
from transport.xwing import ReadingKey

PURPOSE = ReadingKey.from_seed(b"p" * 32)
OTHER = ReadingKey.from_seed(b"o" * 32)
SUBJECT = ReadingKey.from_seed(b"s" * 32)
SIGNER = EpochIdentity.derive(b"i" * 32, day=date(2026, 11, 21), purpose="training", n=1)


def sealed(payload: bytes = b"a payload", *, number: bytes = b"n" * 16, body_key: bytes = b"k" * 32) -> Envelope:
    """An envelope of the test's keys."""
    return seal(
        payload, purpose="training", purpose_key=PURPOSE.public, reading_key=SUBJECT.public, signer=SIGNER, number=number, body_key=body_key
    )


ONE = sealed()


@given(st.binary(min_size=1, max_size=20_000))
@settings(max_examples=30, deadline=None)
def test_what_is_sealed_opens_for_both_readers(payload: bytes) -> None:
    """Purpose and subject get the payload back, from bytes alone."""
    envelope = parse(sealed(payload).raw)
    assert open_purpose(envelope, PURPOSE) == payload
    assert open_subject(envelope, SUBJECT) == payload


@given(st.integers(min_value=0, max_value=len(ONE.raw) * 8 - 1))
@settings(max_examples=400, deadline=None)
def test_an_envelope_with_any_bit_flipped_does_not_parse(bit: int) -> None:
    """Every bit is covered by layout or signature."""
    raw = bytearray(ONE.raw)
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EnvelopeError):
        parse(bytes(raw))


@given(st.integers(min_value=0, max_value=len(ONE.raw) - 1))
@settings(max_examples=100, deadline=None)
def test_a_cut_envelope_does_not_parse(size: int) -> None:
    """No prefix of an envelope is an envelope."""
    with pytest.raises(EnvelopeError) as caught:
        parse(ONE.raw[:size])
    assert caught.value.layer in (Layer.HEADER, Layer.SIGNATURE)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_noise_is_no_envelope(noise: bytes) -> None:
    """Noise, with or without a true beginning, is refused by a verdict and nothing else."""
    for raw in (noise, b"volens/1" + noise, ONE.raw[:200] + noise, ONE.raw + noise + b"."):
        with pytest.raises(EnvelopeError):
            parse(raw)


@given(st.integers(min_value=0, max_value=len(ONE.body) * 8 - 1))
@settings(max_examples=60, deadline=None)
def test_a_bent_body_does_not_open_even_where_the_signature_is_not_asked(bit: int) -> None:
    """The AEAD alone refuses any change of the body."""
    body = bytearray(ONE.body)
    body[bit // 8] ^= 1 << bit % 8
    bent = Envelope(ONE.raw, ONE.header, ONE.purpose_slot, ONE.subject_slot, ONE.commitment, bytes(body), ONE.signature)
    with pytest.raises(EnvelopeError) as caught:
        open_purpose(bent, PURPOSE)
    assert caught.value.layer is Layer.CIPHERTEXT


def test_an_oversize_envelope_is_refused_before_its_signature_is_computed() -> None:
    """Size is the first check, so that a reader's work is bounded."""
    with pytest.raises(EnvelopeError) as caught:
        parse(ONE.raw + bytes(MAX_ENVELOPE_BYTES))
    assert caught.value.layer is Layer.HEADER


def test_another_purposes_key_opens_nothing_and_the_error_says_so() -> None:
    """Wrong purpose is a slot error, with and without the header's hint."""
    with pytest.raises(EnvelopeError, match="another purpose key") as caught:
        open_purpose(ONE, OTHER)
    assert caught.value.layer is Layer.SLOT
    claimed = Header(ONE.header.pseudonym, "training", OTHER.public.key_id, ONE.header.number)
    forged = Envelope(ONE.raw, claimed, ONE.purpose_slot, ONE.subject_slot, ONE.commitment, ONE.body, ONE.signature)
    with pytest.raises(EnvelopeError) as caught:
        open_purpose(forged, OTHER)
    assert caught.value.layer is Layer.SLOT


def test_the_two_readers_cannot_open_each_others_slot() -> None:
    """A slot is bound to its place as well as to its key."""
    swapped = Envelope(ONE.raw, ONE.header, ONE.subject_slot, ONE.purpose_slot, ONE.commitment, ONE.body, ONE.signature)
    for open_, key in ((open_purpose, PURPOSE), (open_subject, SUBJECT)):
        with pytest.raises(EnvelopeError) as caught:
            open_(swapped, key)
        assert caught.value.layer is Layer.SLOT


def test_a_slot_with_another_key_than_the_bodys_is_refused() -> None:
    """Without the commitment a forged agent could show the two readers two different batches."""
    other = sealed(body_key=b"K" * 32)
    mixed = Envelope(ONE.raw, ONE.header, other.purpose_slot, ONE.subject_slot, ONE.commitment, ONE.body, ONE.signature)
    with pytest.raises(EnvelopeError, match="another key than its body") as caught:
        open_purpose(mixed, PURPOSE)
    assert caught.value.layer is Layer.SLOT


def test_two_seals_of_one_payload_share_only_what_must_be_equal() -> None:
    """With fresh number and key nothing but format, pseudonym, purpose and key id is the same."""
    other = sealed(number=b"N" * 16, body_key=b"K" * 32)
    assert other.id != ONE.id
    assert {other.purpose_slot, other.subject_slot}.isdisjoint({ONE.purpose_slot, ONE.subject_slot})
    assert other.body != ONE.body
    assert other.commitment != ONE.commitment


def test_the_largest_payload_fits_and_one_byte_more_does_not() -> None:
    """The bound on payloads and the bound on envelopes agree."""
    assert is_padded(MAX_PADDED_BYTES)
    envelope = sealed(bytes(MAX_PAYLOAD_BYTES))
    assert len(envelope.raw) <= MAX_ENVELOPE_BYTES
    assert open_purpose(parse(envelope.raw), PURPOSE) == bytes(MAX_PAYLOAD_BYTES)
    for size in (0, MAX_PAYLOAD_BYTES + 1):
        with pytest.raises(EnvelopeError) as caught:
            sealed(bytes(size))
        assert caught.value.layer is Layer.PADDING


@pytest.mark.parametrize(("number", "body_key"), [(b"n" * 15, b"k" * 32), (b"n" * 16, b"k" * 16), (b"n" * 16, b"")])
def test_a_number_or_key_of_wrong_length_seals_nothing(number: bytes, body_key: bytes) -> None:
    """A short key would quietly be AES-128."""
    with pytest.raises(EnvelopeError):
        sealed(number=number, body_key=body_key)


def test_sealing_keeps_no_reference_to_the_batch_key() -> None:
    """After sealing nobody but the caller holds the key's object, and the envelope does not hold its bytes."""
    body_key = bytes(range(32)) + b""
    before = sys.getrefcount(body_key)
    envelope = sealed(body_key=body_key)
    gc.collect()
    assert sys.getrefcount(body_key) == before
    assert body_key not in envelope.raw


def test_split_keeps_the_slots_out_of_the_rest_and_join_restores_every_byte() -> None:
    """Destroying 2,336 bytes destroys the batch: no piece of a slot is in the other part."""
    slots, rest = split(ONE)
    assert slots == ONE.purpose_slot + ONE.subject_slot
    assert ONE.purpose_slot[:32] not in rest
    assert ONE.subject_slot[:32] not in rest
    assert join(slots, rest) == ONE.raw


@pytest.mark.parametrize(("slots", "rest"), [(b"", b""), (b"x" * 2336, b""), (b"x" * 2335, ONE.raw), (b"x" * 2336, b"volens/1")])
def test_parts_that_are_no_parts_do_not_join(slots: bytes, rest: bytes) -> None:
    """A damaged store is a verdict, not a crash."""
    with pytest.raises(EnvelopeError):
        join(slots, rest)


def test_an_envelope_shows_neither_slot_nor_body() -> None:
    """Reprs end up in logs."""
    assert len(repr(ONE)) < 80
    assert repr(ONE).startswith("Envelope(")


def test_no_error_holds_a_byte_of_the_payload() -> None:
    """The payload of a badly padded envelope is not in what is raised about it."""
    with pytest.raises(EnvelopeError) as caught:
        module._unpad(b"\0\0\0\x06canary".ljust(4097, b"\0"))
    assert "canary" not in repr(caught.value)
    assert "canary" not in str(caught.value)
