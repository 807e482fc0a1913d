"""X-Wing keys, epoch identities and padding."""

import copy
import pickle
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from transport import xwing
from transport.header import EnvelopeError
from transport.identity import EpochIdentity
from transport.padding import MIN_PADDED_BYTES, is_padded, padme_bytes
from transport.xwing import BadKey, NotForThisKey, PublicKey, ReadingKey

KEY = ReadingKey.from_seed(b"k" * 32)
DAY = date(2026, 11, 21)


def test_a_key_pair_is_its_seed() -> None:
    """The same seed gives the same 1,216 public bytes."""
    assert ReadingKey.from_seed(b"k" * 32).public == KEY.public
    assert len(KEY.public.raw) == 1216
    assert ReadingKey.from_seed(b"K" * 32).public != KEY.public


def test_the_public_key_of_a_seed_is_that_of_the_x_wing_draft() -> None:
    """Known answer of draft-connolly-cfrg-xwing-kem: its first test vector's seed and public key (beginning and end)."""
    seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
    public = ReadingKey.from_seed(seed).public.raw
    assert public.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d")


def test_what_is_sealed_to_a_key_opens_with_it_only() -> None:
    """Other key, other info, altered or short bytes: one and the same refusal."""
    sealed = xwing.seal(PublicKey(KEY.public.raw), b"secret", b"info")
    assert xwing.open(KEY, sealed, b"info") == b"secret"
    attempts = [
        (ReadingKey.from_seed(b"o" * 32), sealed, b"info"),
        (KEY, sealed, b"other"),
        (KEY, sealed[:-1], b"info"),
        (KEY, b"", b"info"),
    ]
    for key, raw, info in attempts:
        with pytest.raises(NotForThisKey):
            xwing.open(key, raw, info)


@pytest.mark.parametrize("raw", [b"", b"x" * 1215, b"\xff" * 1216, b"x" * 1217])
def test_bytes_that_are_no_public_key_are_refused(raw: bytes) -> None:
    """A bad key is found when it is read, not when something is lost to it."""
    with pytest.raises(BadKey):
        PublicKey(raw)


def test_a_public_key_made_to_be_weak_seals_nothing() -> None:
    """An all-zero X25519 half leads to no shared secret."""
    with pytest.raises(BadKey):
        xwing.seal(PublicKey(KEY.public.raw[:1184] + bytes(32)), b"secret", b"")


@pytest.mark.parametrize("size", [0, 31, 33, 96])
def test_a_seed_has_32_bytes(size: int) -> None:
    """Any other length is not a key."""
    with pytest.raises(BadKey):
        ReadingKey.from_seed(bytes(size))


@pytest.mark.parametrize("holder", [KEY, EpochIdentity.derive(b"i" * 32, day=DAY, purpose="training", n=0)])
def test_what_holds_a_private_key_is_neither_printed_nor_pickled_nor_copied(holder: object) -> None:
    """Its repr names the public half, it goes through no pipe, and there is one of it."""
    assert len(repr(holder)) < 60
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            duplicate(holder)


def test_epoch_identities_differ_by_day_purpose_consent_and_subject() -> None:
    """No two epochs share a pseudonym; the same epoch always has the same one."""
    epochs = [
        (b"i" * 32, DAY, "training", 1),
        (b"i" * 32, date(2026, 11, 22), "training", 1),
        (b"i" * 32, DAY, "support", 1),
        (b"i" * 32, DAY, "training", 2),
        (b"j" * 32, DAY, "training", 1),
    ]
    pseudonyms = [EpochIdentity.derive(secret, day=day, purpose=purpose, n=n).pseudonym for secret, day, purpose, n in epochs]
    assert len(set(pseudonyms)) == len(epochs)
    assert EpochIdentity.derive(b"i" * 32, day=DAY, purpose="training", n=1).pseudonym == pseudonyms[0]


def test_an_identitys_signature_verifies_under_its_pseudonym() -> None:
    """The pseudonym is the public key."""
    identity = EpochIdentity.derive(b"i" * 32, day=DAY, purpose="training", n=1)
    Ed25519PublicKey.from_public_bytes(identity.pseudonym).verify(identity.sign(b"m"), b"m")


@pytest.mark.parametrize("purpose", ["", "T", "a" * 65, "a b", "a\0b", "1a"])
def test_no_identity_is_made_for_what_is_no_purpose(purpose: str) -> None:
    """The label's zero bytes separate its fields only because a purpose has none."""
    with pytest.raises(EnvelopeError):
        EpochIdentity.derive(b"i" * 32, day=DAY, purpose=purpose, n=1)


@given(st.integers(min_value=0, max_value=2**40))
def test_padding_is_at_least_4_kib_and_at_most_12_percent(size_bytes: int) -> None:
    """Padme's bound, and a fixed point: a padded length is padded."""
    padded = padme_bytes(size_bytes)
    assert padded >= max(size_bytes, MIN_PADDED_BYTES)
    assert padded <= max(MIN_PADDED_BYTES, size_bytes * 1.12)
    assert is_padded(padded)


def test_few_lengths_are_left_to_be_seen() -> None:
    """Of a million sizes no more than 200 lengths remain."""
    assert len({padme_bytes(size) for size in range(0, 2**20, 7)}) <= 200


def test_a_negative_size_is_an_error() -> None:
    """It would otherwise pad to the least."""
    with pytest.raises(ValueError, match="negative"):
        padme_bytes(-1)
