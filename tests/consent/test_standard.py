"""The receipt in the fields of ISO/IEC TS 27560: it says all that was agreed to, fits its schema, and no byte of it can be changed."""

import copy
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.receipt import ConsentReceipt, ReceiptError, SignedReceipt, sign
from consent.standard import CONTEXT, as_standard, principal_id
from consent.verifying import kept_text, read, standard_text
from consent.vocabulary import Purpose, SurfaceId
from tests.agent.test_permission import consented
from tests.consent.test_receipt import KEY, PUBLIC
from tests.consent.test_receipt import RECEIPT as OLD
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "consent-receipt.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def receipt_of(written: dict[str, Any]) -> tuple[ConsentReceipt, SignedReceipt]:
    import msgspec

    from consent.policy import parse

    found = msgspec.structs.replace(consented(parse(as_bytes(written))), id="ab" * 16)
    return found, sign(found, KEY)


KINDS = ["pointer_button", "key_chord"]
RECEIPT, SIGNED = receipt_of(policy(surfaces=[surface(kinds=KINDS), surface(id="b", name="Büro", executables=["/b"], kinds=["key_chord"])]))
STANDARD = as_standard(RECEIPT, SIGNED)
TEXTS = {"standard": standard_text(RECEIPT, SIGNED), "kept": kept_text(SIGNED), "exported": f"{SIGNED.as_json()}\n"}


def paths(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field at any depth."""
    for key in found if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else ():
        yield (*path, key)
        yield from paths(found[key], (*path, key))


def at(found: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        found = found[key]
    return found


def test_it_fits_its_schema_and_every_key_has_a_term() -> None:
    """Ours and an older receipt, which knows no titles; each key of the record is in the JSON-LD context."""
    for receipt, signed in ((RECEIPT, SIGNED), (OLD, sign(OLD, KEY))):
        standard = as_standard(receipt, signed)
        VALIDATOR.validate(standard)
        keys = {path[-1] for path in paths(standard["record"]) if isinstance(path[-1], str)} | set(standard["proof"])
        assert {key for key in keys if not key.startswith("@")} <= set(CONTEXT)


@pytest.mark.parametrize("path", [each for each in paths(STANDARD) if each[0] != "@context"], ids=str)
def test_the_schema_asks_for_every_field(path: tuple[Any, ...]) -> None:
    """One field less, at any depth: it no longer fits, unless it was one of several in a list, or what only some parties have."""
    less = copy.deepcopy(STANDARD)
    del at(less, path[:-1])[path[-1]]
    fits = VALIDATOR.is_valid(less)
    several = isinstance(path[-1], int) and path[-2] in (
        "surfaces",
        "pii_information",
        "processing_method",
        "privacy_rights",
        "party_identification",
    )
    assert fits == ((several and (path[-2] != "party_identification" or len(at(less, path[:-1])) >= 3)) or path[-1] == "party_url")


def test_it_says_per_purpose_and_kind_what_was_agreed_to() -> None:
    """Which kinds where and for what, how sensitive, how long, who asks and who reads, how to take it back, when, which notice."""
    record = STANDARD["record"]
    (purpose,) = record["pii_processing"]["purposes"]
    found = {
        (data["pii_type"], where["surface_id"]): purpose["purpose_id"] for data in purpose["pii_information"] for where in data["surfaces"]
    }
    assert found == {(grant.kind, grant.surface): grant.purpose for grant in RECEIPT.grants if grant.surface is not None}
    for data in purpose["pii_information"]:
        assert data["sensitivity"] == REGISTER[data["pii_type"]].sensitivity
    assert (purpose["purpose"], purpose["retention_period"]) == ("Train agents that operate software", "P30D")
    assert [party["party_name"] for party in record["party_identification"]] == ["Example Ltd", "http://127.0.0.1:9", "2 of 3 custodians"]
    assert "volens consent withdraw" in purpose["withdrawal_method"]
    assert record["pii_processing"]["privacy_notice"]["sha256"] == RECEIPT.notice_sha256
    assert record["event"][0]["event_time"] == "2027-01-15T08:00:00.000+00:00"
    assert record["pii_principal_id"] == principal_id(PUBLIC)
    assert SurfaceId("b") in RECEIPT.names
    assert Purpose("train-desktop-agents") in RECEIPT.titles


@pytest.mark.parametrize("form", TEXTS)
def test_what_was_written_holds_without_anything_else(form: str) -> None:
    """Each of the three files that Volens writes, read with nothing beside it."""
    verified = read(TEXTS[form].encode())
    assert (verified.receipt, verified.signed) == (RECEIPT, SIGNED)


def every_byte_is_held(form: str, step: int) -> None:
    raw = TEXTS[form].encode()
    for index in range(0, len(raw), step):
        byte = raw[index : index + 1]
        for other in (bytes([byte[0] ^ 1]), bytes([byte[0] ^ 32]), b"", byte * 2):
            with pytest.raises(ReceiptError) as refused:
                read(raw[:index] + other + raw[index + 1 :])
            assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", TEXTS)
def test_a_changed_byte_is_refused(form: str) -> None:
    """Bytes all over the file, changed in two ways, left out, or doubled: refused, in one line."""
    every_byte_is_held(form, 41)


@pytest.mark.soak
@pytest.mark.parametrize("form", TEXTS)
def test_any_changed_byte_is_refused(form: str) -> None:
    """Every byte of the file: the same."""
    every_byte_is_held(form, 1)


@pytest.mark.parametrize("path", [each for each in paths(STANDARD)], ids=str)
def test_any_changed_field_is_named(path: tuple[Any, ...]) -> None:
    """Every field, at any depth, with another value, and written as Volens writes: refused by its name, or by the signature."""
    changed = copy.deepcopy(STANDARD)
    at(changed, path[:-1])[path[-1]] = "something else"
    with pytest.raises(ReceiptError) as refused:
        read((json.dumps(changed, indent=2) + "\n").encode())
    if path[0] != "proof":
        assert str(path[0]) in str(refused.value)


def test_an_added_field_is_named() -> None:
    """Something that nobody signed, beside what was."""
    with pytest.raises(ReceiptError, match=r"the field record\.more"):
        read((json.dumps(STANDARD | {"record": STANDARD["record"] | {"more": 1}}, indent=2) + "\n").encode())


def test_another_s_signature_over_the_same_text_is_not_this_one() -> None:
    """Whoever signs it anew signs with their own key, and the pseudonym in the record is another; with ours in its place nothing holds."""
    other = sign(RECEIPT, Ed25519PrivateKey.generate())
    assert read(standard_text(RECEIPT, other).encode()).signed.public_key != PUBLIC
    changed = as_standard(RECEIPT, other)
    changed["proof"]["public_key"] = b64encode(PUBLIC).decode()
    with pytest.raises(ReceiptError, match="signature"):
        read((json.dumps(changed, indent=2) + "\n").encode())


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"null", b"5", b'"proof"', b'{"proof": 5}', b'{"proof": {}}', b"\xff", b'{"a":' * 3000, b'["proof"]']
)
def test_what_is_no_receipt_is_refused(raw: bytes) -> None:
    """Anything else: one error, no crash."""
    with pytest.raises(ReceiptError):
        read(raw)
