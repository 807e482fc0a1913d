"""The decisions that need no server: what is settled how, and which nonces are good."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import nonce
from receiver.accept import Before, Outcome, judge, settle
from receiver.errors import Refused

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = bytes(32)


@pytest.mark.parametrize(
    ("stored", "erased", "outcome"),
    [(False, False, Outcome.STORED), (True, False, Outcome.KNOWN), (True, True, Outcome.ERASED), (False, True, Outcome.ERASED)],
)
def test_erasure_outweighs_everything(stored: bool, erased: bool, outcome: Outcome) -> None:
    """All four cases."""
    assert settle(Before(stored=stored, erased=erased, day=NOW.date())) is outcome


@given(st.binary(max_size=9000))
def test_no_bytes_but_an_envelope_pass(raw: bytes) -> None:
    """Whatever comes is refused with a status, and never with another exception."""
    import hashlib

    with pytest.raises(Refused) as refused:
        judge(hashlib.sha256(raw).hexdigest(), raw, {})
    assert refused.value.status == 422


@given(random=st.binary(min_size=16, max_size=16), age_s=st.integers(0, 299))
def test_a_nonce_is_good_for_five_minutes(random: bytes, age_s: int) -> None:
    """From minting on, and not at its end."""
    minted = nonce.mint(KEY, NOW, random)
    assert nonce.is_good(KEY, NOW + timedelta(seconds=age_s), minted)
    assert not nonce.is_good(KEY, NOW + timedelta(seconds=nonce.LIFETIME_S), minted)


@given(position=st.integers(0, 79), digit=st.sampled_from("0123456789abcdef"))
def test_a_nonce_with_another_digit_is_not_ours(position: int, digit: str) -> None:
    """Neither expiry nor random part nor tag can be changed; nor is another receiver's nonce good."""
    minted = nonce.mint(KEY, NOW, bytes(16))
    changed = minted[:position] + digit + minted[position + 1 :]
    assert nonce.is_good(KEY, NOW, changed) is (changed == minted)
    assert not nonce.is_good(bytes([1]) * 32, NOW, minted)


@pytest.mark.parametrize("text", ["", "00", "zz" * 40, "0" * 80, "0" * 81])
def test_what_is_no_nonce_is_not_good(text: str) -> None:
    """Any text is answered with no, not with an exception."""
    assert not nonce.is_good(KEY, NOW, text)
