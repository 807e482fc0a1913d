"""The consent receipt: it says exactly what was agreed to, and nobody can change a byte of it."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from consent.receipt import ConsentReceipt, ReceiptError, grants_of, sign, verify
from consent.scope import Scope
from consent.vocabulary import Kind, Purpose
from tests.consent.samples import EDITOR, MAIL, TESTING, TRAINING, everything

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
RECEIPT = ConsentReceipt(
    format=1,
    id="ab" * 16,
    granted_ms=1_800_000_000_000,
    controller="Example Ltd",
    receiver="http://127.0.0.1:9",
    notice_sha256="00" * 32,
    policy_version=3,
    purpose_keys={TRAINING: "11" * 32},
    surfaces={EDITOR: "22" * 32},
    retention_days={TRAINING: 30},
    hold_min_s=86_400,
    grants=grants_of(everything()),
)


def test_a_signed_receipt_verifies_and_gives_the_same_scope() -> None:
    """Signed, kept as JSON, verified: the same receipt, the same scope."""
    kept = sign(RECEIPT, KEY).as_json()
    assert verify(kept, PUBLIC) == RECEIPT
    assert dict(verify(kept, PUBLIC).scope().grants) == dict(everything().grants)


@given(st.data())
def test_a_receipt_with_any_changed_character_is_refused(data: st.DataObject) -> None:
    """Any one character of the signed text changed: the receipt does not hold."""
    kept = json.loads(sign(RECEIPT, KEY).as_json())
    text = kept["receipt"]
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != text[at]))
    changed = json.dumps(kept | {"receipt": text[:at] + other + text[at + 1 :]})
    with pytest.raises(ReceiptError):
        verify(changed, PUBLIC)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"receipt": 5}', '{"receipt": "{}", "signature": "!!!"}', '{"a":' * 2000])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    """Anything else than a kept receipt: one error, no crash."""
    with pytest.raises(ReceiptError):
        verify(text, PUBLIC)


def test_another_key_s_signature_is_refused() -> None:
    """A receipt that somebody else signed was not given here."""
    with pytest.raises(ReceiptError, match="signature"):
        verify(sign(RECEIPT, Ed25519PrivateKey.generate()).as_json(), PUBLIC)


pairs = st.dictionaries(
    st.tuples(st.sampled_from([EDITOR, MAIL, None]), st.sampled_from(Kind)), st.sampled_from([TRAINING, TESTING]), max_size=12
)


@given(pairs, pairs)
def test_a_meet_is_within_both_and_what_is_wider_is_the_rest(
    one: dict[tuple[None, Kind], Purpose], two: dict[tuple[None, Kind], Purpose]
) -> None:
    """INV-15 on scopes: the meet adds nothing to either, and together with what is wider it is the whole."""
    first, second = Scope(dict(one)), Scope(dict(two))
    met, wider = first.meet(second), first.without(second)
    assert set(met.grants.items()) == set(first.grants.items()) & set(second.grants.items())
    assert set(met.grants.items()) | set(wider.grants.items()) == set(first.grants.items())
    assert not set(met.grants) & set(wider.grants)
