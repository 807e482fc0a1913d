"""Having what was sent erased: each pseudonym asks for its own, is asked again until there is a receipt, and the receipt stays."""

import json
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.vocabulary import Purpose
from tests.transport.faults import Crash, dies_at
from tests.transport.makers import CARE, STUDY
from transport.erasing import MAX_IDS, Asking, ErasureError, Receipt, askings, erasure_request, nonce_of, nonce_request, receipt_of
from transport.erasure import Erasures
from transport.erasure_proof import message, receipt_message
from transport.identity import EpochIdentity
from transport.jobs import MAX_ANSWER_BYTES, Answer, Answered, Failed, Method, Trouble
from transport.notes import Note

SECRET = b"i" * 32
URL = "https://receiver.example/"
NONCE = "ab" * 40
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def note(place: int, day: str = "2026-11-21", purpose: Purpose = STUDY) -> Note:
    signer = EpochIdentity.derive(SECRET, day=date.fromisoformat(day), purpose=purpose, n=1)
    return Note(f"{place:064x}", place, purpose, 1, 1, (), (), day, 1, signer.pseudonym, 5000)


NOTES = [note(1), note(2), note(3, "2026-11-22"), note(4, purpose=CARE)]


def _receipt(asking: Asking, **changes: object) -> Answered:
    stated = {"format": 1, "pseudonym": asking.pseudonym.hex(), "batches": None if asking.batches is None else list(asking.batches)}
    stated |= {"erased": 1, "at": "2026-11-21", "last_copy_dies": "2026-11-28"} | changes
    whole = {"receipt": stated, "key": KEY.public_key().public_bytes_raw().hex(), "signature": KEY.sign(receipt_message(stated)).hex()}
    return Answered(1, 200, None, None, json.dumps(whole).encode())


def test_each_pseudonym_asks_for_its_own_batches_only() -> None:
    """One asking an epoch; after a withdrawal it is for everything, then and later."""
    some = askings(NOTES, everything=False)
    assert [(one.day, one.purpose, one.batches) for one in some] == [
        ("2026-11-21", STUDY, (NOTES[0].id, NOTES[1].id)),
        ("2026-11-22", STUDY, (NOTES[2].id,)),
        ("2026-11-21", CARE, (NOTES[3].id,)),
    ]
    assert [one.batches for one in askings(NOTES, everything=True)] == [None, None, None]


def test_an_asking_is_small_enough_for_its_receipt_to_come_back() -> None:
    """Many ids are several askings, and a receipt of the largest fits an answer."""
    made = askings([note(place) for place in range(MAX_IDS + 1)], everything=False)
    assert [len(one.batches or ()) for one in made] == [MAX_IDS, 1]
    assert len(_receipt(made[0]).body) < MAX_ANSWER_BYTES


@pytest.mark.parametrize("everything", [False, True])
def test_an_asking_is_signed_by_its_pseudonym_over_the_nonce(everything: bool) -> None:
    """What goes out is exactly what the receiver verifies."""
    asking = askings(NOTES[:2], everything=everything)[0]
    request, body = erasure_request(7, URL, asking, NONCE, SECRET)
    said = json.loads(body)
    assert (request.method, request.url, request.body_bytes) == (Method.POST, "https://receiver.example/v1/erasures", len(body))
    assert ("batches" in said) is not everything
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["pseudonym"]))
    key.verify(bytes.fromhex(said["signature"]), message(NONCE, said.get("batches")))


def test_nobody_asks_with_another_machines_identity() -> None:
    """A secret that does not make the pseudonym signs nothing."""
    with pytest.raises(ErasureError, match="identity"):
        erasure_request(1, URL, askings(NOTES[:1], everything=True)[0], NONCE, b"x" * 32)


def test_a_nonce_is_taken_only_as_the_receiver_makes_them() -> None:
    """Anything else is an error, and nothing is signed."""
    assert nonce_request(1, URL).url == "https://receiver.example/v1/erasures/nonce"
    assert nonce_of(Answered(1, 200, None, None, json.dumps({"nonce": NONCE, "lifetime_s": 300}).encode())) == NONCE
    for wrong in (Answered(1, 503, None, None, b""), Answered(1, 200, None, None, b'{"nonce": "x"}'), Failed(1, Trouble.DEADLINE)):
        with pytest.raises(ErasureError):
            nonce_of(wrong)


def test_only_a_receipt_for_what_was_asked_ends_an_asking() -> None:
    """Another pseudonym, other batches, another status or no JSON at all leave the asking as it is."""
    asking = askings(NOTES[:2], everything=False)[0]
    assert receipt_of(_receipt(asking), asking) == Receipt(
        1, date(2026, 11, 28), KEY.public_key().public_bytes_raw().hex(), _receipt(asking).body
    )
    wrong: list[Answer] = [
        _receipt(asking, pseudonym="00" * 32),
        _receipt(asking, batches=[NOTES[0].id]),
        _receipt(asking, batches=None),
        Answered(1, 200, None, None, b"<html>"),
        Answered(1, 200, None, None, _receipt(asking).body.replace(b'"erased": 1', b'"erased": 9')),  # nobody signed that
        Answered(1, 403, None, None, _receipt(asking).body),
        Failed(1, Trouble.NO_CONNECTION),
    ]
    for answer in wrong:
        with pytest.raises(ErasureError):
            receipt_of(answer, asking)


def test_an_asking_waits_durably_until_its_receipt_is_there(tmp_path: Path) -> None:
    """Restarts lose nothing; asking twice is asking once; the receipt stays."""
    wanted = askings(NOTES, everything=True)
    Erasures(tmp_path / "e").ask(wanted)
    again = Erasures(tmp_path / "e")
    again.ask(wanted)
    pending = again.pending()
    assert sorted(one.asking.pseudonym for one in pending) == sorted(one.pseudonym for one in wanted)
    again.answered(pending[0].name, b"{}")
    last = Erasures(tmp_path / "e")
    assert last.pending() == pending[1:]
    assert last.receipts() == [b"{}"]


def test_a_crash_at_any_change_leaves_an_asking_pending_or_answered(tmp_path: Path) -> None:
    """Never neither, never both."""
    for change in range(8):
        folder = tmp_path / str(change)
        erasures = Erasures(folder)
        erasures.ask(askings(NOTES[:1], everything=True))
        try:
            with dies_at(change):
                erasures.answered(erasures.pending()[0].name, b"{}")
        except Crash:
            pass
        again = Erasures(folder)
        assert len(again.pending()) + len(again.receipts()) == 1
