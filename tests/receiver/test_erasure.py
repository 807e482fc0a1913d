"""Erasure by proof: who may, what is left, what the receipt says, and that a crash in between changes nothing."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.receiver import stand
from tests.receiver.stand import Service, envelope, person
from transport.erasure_proof import message, receipt_message


def test_a_listed_batch_is_gone_and_never_comes_back(service: Service) -> None:
    """Slots and body are unlinked, a late PUT gets 409, and the same person's other batch stays."""
    who = person(1)
    gone, kept = envelope(who), envelope(who)
    for sealed in (gone, kept):
        service.put(sealed)
    answer = service.erase(who, [gone.id])
    assert answer.status_code == 200
    assert answer.json()["receipt"]["erased"] == 1
    assert not any(path.exists() for path in service.files(gone))
    assert service.put(gone).status_code == 409
    assert service.put(kept).status_code == 200


def test_everything_of_a_pseudonym_is_gone_then_and_later(service: Service) -> None:
    """Without a list: all of its batches, and those that it has not sent yet; nobody else's."""
    who, other = person(2), person(3)
    mine, theirs = [envelope(who), envelope(who)], envelope(other)
    for sealed in (*mine, theirs):
        service.put(sealed)
    assert service.erase(who).json()["receipt"]["erased"] == 2
    assert not any(path.exists() for sealed in mine for path in service.files(sealed))
    assert [service.put(sealed).status_code for sealed in (*mine, envelope(who))] == [409, 409, 409]
    assert service.put(theirs).status_code == 200


def test_a_batch_that_was_erased_before_it_came_is_refused(service: Service) -> None:
    """The upload was still on its way; its subject had it erased all the same."""
    who = person(4)
    late = envelope(who)
    assert service.erase(who, [late.id]).json()["receipt"]["erased"] == 0
    assert service.put(late).status_code == 409


def test_nobody_erases_or_bars_what_another_pseudonym_sealed(service: Service) -> None:
    """Another person's ids in a valid proof of one's own change nothing, stored or still to come."""
    stored, coming = envelope(person(5)), envelope(person(5))
    service.put(stored)
    assert service.erase(person(6), [stored.id, coming.id]).json()["receipt"]["erased"] == 0
    assert all(path.exists() for path in service.files(stored))
    assert service.put(stored).status_code == 200
    assert service.put(coming).status_code == 201


def test_asking_twice_gives_the_same_receipt(service: Service) -> None:
    """An erasure whose answer was lost can be asked for again."""
    who = person(7)
    sealed = envelope(who)
    service.put(sealed)
    assert service.erase(who, [sealed.id]).content == service.erase(who, [sealed.id]).content


def test_the_receipt_is_signed_and_names_the_day_of_the_last_copy(service: Service) -> None:
    """Its signature is the receiver's, and the last backup of a body dies seven days later."""
    whole = service.erase(person(8)).json()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(whole["key"])).verify(
        bytes.fromhex(whole["signature"]), receipt_message(whole["receipt"])
    )
    at = date.fromisoformat(whole["receipt"]["at"])  # the day: kept minutes would tie together what one person erases
    assert date.fromisoformat(whole["receipt"]["last_copy_dies"]) == at + timedelta(days=7)
    assert abs(at - datetime.now(UTC).date()) <= timedelta(days=1)


def test_a_proof_that_does_not_hold_is_refused(service: Service) -> None:
    """403 for another's signature, a proof of another list, a made-up nonce; nothing is erased."""
    who, thief = person(10), person(11)
    sealed = envelope(who)
    service.put(sealed)
    nonce = service.client.get("/v1/erasures/nonce").json()["nonce"]
    proofs = [
        (nonce, thief.sign(message(nonce, None)), None),
        (nonce, who.sign(message(nonce, ["0" * 64])), [sealed.id]),
        (nonce, who.sign(message(nonce, [sealed.id])), None),
        ("0" * 80, who.sign(message("0" * 80, None)), None),
    ]
    for used, signature, batches in proofs:
        body = {"pseudonym": who.pseudonym.hex(), "nonce": used, "signature": signature.hex(), "batches": batches}
        assert service.client.post("/v1/erasures", json=body).status_code == 403
    assert all(path.exists() for path in service.files(sealed))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"NaN",
        b'{"pseudonym": "00"}',
        b"[" * 100_000,
        json.dumps({"pseudonym": "g" * 64, "nonce": "0" * 80, "signature": "0" * 128}).encode(),
        json.dumps({"pseudonym": "0" * 64, "nonce": "0" * 80, "signature": "0" * 128, "batches": []}).encode(),
        json.dumps({"pseudonym": "0" * 64, "nonce": "0" * 80, "signature": "0" * 128, "batches": ["canary"]}).encode(),
        json.dumps({"pseudonym": "0" * 64, "nonce": "0" * 80, "signature": "0" * 128, "canary": 1}).encode(),
    ],
)
def test_a_malformed_request_is_refused_without_repeating_it(service: Service, body: bytes) -> None:
    """422 with the place of the fault, and none of what came."""
    answer = service.client.post("/v1/erasures", content=body)
    assert answer.status_code == 422
    assert b"canary" not in answer.content


def test_an_erasure_that_a_crash_cut_short_is_finished_at_the_next_start(tmp_path: Path) -> None:
    """The wish is written down first: with its files back and its receipt missing, as after a crash, a start erases them."""
    directory = stand.make(tmp_path)
    sealed, who = envelope(), person()
    saved = tmp_path / "saved"
    with stand.serving(directory) as running:
        running.put(sealed)
        files = running.files(sealed)
        for path in files:
            shutil.copy2(path, saved.with_name(path.parts[-3]))
        running.erase(who)
    for path in files:
        shutil.copy2(saved.with_name(path.parts[-3]), path)
    assert "wrong 2" in stand.run("check", directory).stdout
    with closing(sqlite3.connect(directory / "volens.db")) as rows, rows:
        rows.execute("UPDATE erasure SET receipt = NULL")
    with stand.serving(directory) as running:
        assert not any(path.exists() for path in files)
        with closing(sqlite3.connect(directory / "volens.db")) as rows:
            assert rows.execute("SELECT count(*) FROM erasure WHERE receipt IS NULL").fetchone() == (0,)
        assert running.erase(who).json()["receipt"]["erased"] == 1
        assert running.put(sealed).status_code == 409
    assert stand.run("check", directory).stdout == "sound 0, erased 1, unfinished 0, wrong 0\n"
