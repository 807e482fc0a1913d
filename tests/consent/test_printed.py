"""What is printed from the register, and lines that say why something was refused, to the letter."""

import json
from pathlib import Path

import msgspec
import pytest
from tuf.api.metadata import Metadata, Root

from consent.gate import Admitted
from consent.groups import GroupsError, groups_of
from consent.receipt import ReceiptError, sign, verify
from consent.register import as_markdown
from consent.trust import TrustError, root_of
from consent.vocabulary import Purpose
from tests.consent.test_receipt import KEY, PUBLIC, RECEIPT
from tests.register import REGISTER
from tests.trust import Repository

PAGE = Path(__file__).parents[2] / "docs" / "collected.md"


def test_the_page_of_what_is_collected_is_the_register() -> None:
    assert as_markdown(REGISTER) == PAGE.read_text("utf-8")


def test_nobody_but_the_gate_admits() -> None:
    with pytest.raises(TypeError, match=r"^only consent\.gate\.decide admits an event$"):
        Admitted(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("roots", "line"),
    [([], "no root is pinned"), ([b"{}"], "the policy's metadata does not hold: a file is cut short, or is no metadata")],
)
def test_a_chain_of_roots_that_does_not_hold_says_why(roots: list[bytes], line: str) -> None:
    with pytest.raises(TrustError) as caught:
        root_of(roots)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"keytype": "rsa"}, "root names a key that it does not have, or that is not Ed25519"),
        ({"scheme": "rsassa"}, "root names a key that it does not have, or that is not Ed25519"),
        ({"keyval": {"public": "no hexadecimal"}}, "root names a key that is none"),
    ],
)
def test_a_key_that_cannot_be_used_is_none(change: dict[str, object], line: str) -> None:
    repository = Repository()
    root = Metadata[Root].from_bytes(repository.root()).signed
    key_id = root.roles["root"].keyids[0]
    for name, value in change.items():
        setattr(root.keys[key_id], name, value)
    with pytest.raises(GroupsError) as caught:
        groups_of(root)
    assert str(caught.value) == line
    del root.keys[key_id]
    with pytest.raises(GroupsError, match=r"^root names a key that it does not have, or that is not Ed25519$"):
        groups_of(root)


def test_a_receipt_that_does_not_hold_says_why() -> None:
    kept = json.loads(sign(RECEIPT, KEY).as_json())
    for change, line in (
        ({"receipt": kept["receipt"] + " "}, "the receipt's signature does not hold"),
        ({"signature": kept["signature"][:4] + "!" + kept["signature"][4:]}, "the receipt is malformed"),
        ({"signature": 5}, "the receipt is malformed"),
    ):
        with pytest.raises(ReceiptError) as caught:
            verify(json.dumps(kept | change), PUBLIC)
        assert str(caught.value) == line


def test_a_receipt_reads_the_same_whatever_order_it_was_made_in() -> None:
    """What is signed is one text: maps in the order of their keys."""
    ways = [{Purpose("a"): "1", Purpose("b"): "2"}, {Purpose("b"): "2", Purpose("a"): "1"}]
    assert len({sign(msgspec.structs.replace(RECEIPT, purpose_keys=way), KEY).text for way in ways}) == 1
