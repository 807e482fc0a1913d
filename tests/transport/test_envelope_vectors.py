"""Every file of tests/vectors/envelope goes through the same loop, as agent, receiver and custodians read it, each as far as it can."""

import base64
import hashlib
from pathlib import Path

import pytest

from custody.batches import open_batch
from custody.errors import BatchRefused
from receiver.accept import Terms, judge
from receiver.errors import Refused
from transport.batch import BatchError, read
from transport.envelope import join, open_purpose, open_subject, parse, split
from transport.header import EnvelopeError
from transport.recovery import parse as parse_code
from transport.xwing import ReadingKey

FOLDER = Path(__file__).parents[1] / "vectors" / "envelope"
VERDICTS = {"ok", "header", "signature", "slot", "ciphertext", "padding", "schema"}
PURPOSES = ("agent-training", "p" + "9_-" * 21)
TOLD_WITHOUT_A_KEY = {"header", "signature"}
Verdict = tuple[str, bytes]


def load(path: Path) -> tuple[dict[str, str], bytes]:
    """A vector's fields and envelope bytes."""
    head, _, body = path.read_text().partition("\n\n")
    return dict(line.split(": ", 1) for line in head.splitlines()), base64.b64decode(body)


def by_a_reader(fields: dict[str, str], raw: bytes, reader: str) -> Verdict:
    """Steps 1 to 6, and 7 where the payload is meant to be a batch; the payload if it opens."""
    payload = b""
    try:
        envelope = parse(raw)
        assert join(*split(envelope)) == raw
        if reader == "subject":
            payload = open_subject(envelope, parse_code(fields["recovery-code"]).reading_key())
        else:
            payload = open_purpose(envelope, _purpose_key(fields))
        if fields.get("payload") == "batch":
            read(payload, envelope.header.purpose)
    except (EnvelopeError, BatchError) as error:
        return error.layer.value, payload
    return "ok", payload


def by_custody(fields: dict[str, str], raw: bytes) -> str:
    """As `volens-custody open` reads it."""
    try:
        open_batch(hashlib.sha256(raw).hexdigest(), raw, purpose=PURPOSES[0], private=_purpose_key(fields))
    except BatchRefused as error:
        return error.layer.value if error.layer else "another purpose"
    return "ok"


def by_the_receiver(raw: bytes) -> str:
    """As an upload is judged, under a policy that has every purpose and key of the vectors: it has no key that opens anything."""
    keys = {raw[40:72]: None}
    try:
        judge(hashlib.sha256(raw).hexdigest(), raw, {purpose: Terms(keys, 30) for purpose in PURPOSES})
    except Refused as error:
        return str(error).partition("(")[2].partition(")")[0]
    return "ok"


def _purpose_key(fields: dict[str, str]) -> ReadingKey:
    return ReadingKey.from_seed(bytes.fromhex(fields["purpose-seed"]))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_vector_gets_the_verdict_it_names(path: Path) -> None:
    """Each reader that a vector names comes to its verdict, custody to the same, and the receiver to as much of it as needs no key."""
    fields, raw = load(path)
    readers = fields["readers"].split()
    for reader in readers:
        came_to, payload = by_a_reader(fields, raw, reader)
        assert came_to == fields["expect"]
        if came_to in {"ok", "schema"}:
            assert parse(raw).id == fields["id"]
            assert hashlib.sha256(payload).hexdigest() == fields["payload-sha256"]
    if "purpose" in readers:
        assert by_custody(fields, raw) in (_for_custody(fields), "another purpose" if path.stem == "ok_longest_purpose_name" else "")
    told = fields["expect"] in TOLD_WITHOUT_A_KEY or path.stem == "padding_not_a_padded_length"
    assert by_the_receiver(raw) == (fields["expect"] if told else "ok")


def _for_custody(fields: dict[str, str]) -> str:
    """Custody always goes on to step 7."""
    return "schema" if fields["expect"] == "ok" and fields.get("payload") != "batch" else fields["expect"]


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
