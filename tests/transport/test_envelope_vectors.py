"""Every file of tests/vectors/envelope goes through the same loop: parse, split and join, open by each reader it names."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from transport.envelope import Envelope, join, open_purpose, open_subject, parse, split
from transport.header import EnvelopeError
from transport.recovery import parse as parse_code
from transport.xwing import ReadingKey

FOLDER = Path(__file__).parents[1] / "vectors" / "envelope"
VERDICTS = {"ok", "header", "signature", "slot", "ciphertext", "padding"}


def load(path: Path) -> tuple[dict[str, str], bytes]:
    """A vector's fields and envelope bytes."""
    head, _, body = path.read_text().partition("\n\n")
    return dict(line.split(": ", 1) for line in head.splitlines()), base64.b64decode(body)


def verdict(raw: bytes, open_: Callable[[Envelope, ReadingKey], bytes], key: ReadingKey) -> tuple[str, bytes]:
    """What a reader comes to, and the payload if that is `ok`."""
    try:
        envelope = parse(raw)
        assert join(*split(envelope)) == raw
        return "ok", open_(envelope, key)
    except EnvelopeError as error:
        return error.layer.value, b""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_vector_gets_the_verdict_it_names(path: Path) -> None:
    """Each reader that a vector names comes to its verdict, and what parses is rebuilt byte for byte from its two parts."""
    fields, raw = load(path)
    keys = {
        "purpose": ReadingKey.from_seed(bytes.fromhex(fields["purpose-seed"])),
        "subject": parse_code(fields["recovery-code"]).reading_key(),
    }
    openers = {"purpose": open_purpose, "subject": open_subject}
    for reader in fields["readers"].split():
        came_to, payload = verdict(raw, openers[reader], keys[reader])
        assert came_to == fields["expect"]
        if came_to == "ok":
            assert parse(raw).id == fields["id"]
            assert hashlib.sha256(payload).hexdigest() == fields["payload-sha256"]


def test_every_verdict_has_a_vector() -> None:
    """The folder holds an example of each verdict, so the loop above cannot pass by being empty."""
    assert {load(path)[0]["expect"] for path in FOLDER.glob("*.txt")} == VERDICTS


def test_a_body_of_no_padded_length_is_refused_without_a_key() -> None:
    """The receiver has no key, and must not keep what tells its size by its length."""
    with pytest.raises(EnvelopeError) as caught:
        parse(load(FOLDER / "padding_not_a_padded_length.txt")[1])
    assert caught.value.layer == "padding"


def test_a_reader_that_a_slot_vector_does_not_name_still_opens_it() -> None:
    """Damage to one slot is that reader's alone."""
    fields, raw = load(FOLDER / "slot_purpose_flipped.txt")
    assert open_subject(parse(raw), parse_code(fields["recovery-code"]).reading_key()) == b"a payload"
