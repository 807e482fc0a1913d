"""The receipt in a person's hands: printed, saved, verified with nothing but the file, and matched with what was sent under it."""

import json
from pathlib import Path

import pytest

from agent import messages
from agent.places import Places
from agent.subject import Subject
from consent.receipt import commitment
from tests.agent.people import BOOT, POLICY, clicks, keep, recording, say_yes
from tests.agent.people import at as when
from tests.commands import LONGEST_S, Place, run, start
from transport.span import Everything


def place_in(folder: Path) -> Place:
    folder.mkdir()
    return Place(folder)


def subject_at(place: Place) -> Subject:
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    places = Places(place.state, place.folder / "run" / "volens")
    places.prepare()
    return Subject(places, BOOT, when(0))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Somebody who said yes, without a daemon."""
    made = place_in(tmp_path / "mine")
    subject = subject_at(made)
    say_yes(subject, when(0))
    subject.close()
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Place:
    """Another account, where nothing of Volens is."""
    return place_in(tmp_path / "elsewhere")


@pytest.mark.parametrize("words", [[], ["--standard"]])
def test_what_is_printed_is_verified_by_the_file_alone(place: Place, elsewhere: Place, words: list[str]) -> None:
    """By its own machine, which knows the key; by another, which has no state, and makes none; with one byte changed by neither."""
    printed = run(place, ["volens", "consent", "receipt", *words]).out
    for at in (place, elsewhere):
        (at.folder / "receipt.json").write_text(printed)
    own, other = (run(at, ["volens", "consent", "verify", "receipt.json"]) for at in (place, elsewhere))
    assert (own.code, other.code, own.err, other.err) == (0, 0, "", "")
    assert "That is the ledger key of this machine." in own.out
    assert "There is no ledger key here" in other.out
    assert not elsewhere.state.exists()
    (elsewhere.folder / "receipt.json").write_text(printed.replace("Example Ltd", "Example LtD", 1))
    refused = run(elsewhere, ["volens", "consent", "verify", "receipt.json"])
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("volens: receipt.json does not hold: ")
    assert refused.err.count("\n") == 1


def test_an_exported_receipt_holds_and_a_stranger_s_is_told_apart(place: Place, tmp_path: Path) -> None:
    """The file of `volens export` is a receipt, too; one that another machine's key signed is not this machine's."""
    run(place, ["volens", "export", "--to", "out"])
    assert run(place, ["volens", "consent", "verify", "out/receipt.json"]).code == 0
    stranger = place_in(tmp_path / "stranger")
    subject_at(stranger).close()
    theirs = subject_at(stranger)
    say_yes(theirs, when(0))
    theirs.close()
    (stranger.folder / "mine.json").write_text(run(place, ["volens", "consent", "receipt"]).out)
    assert "That is not the ledger key of this machine" in run(stranger, ["volens", "consent", "verify", "mine.json"]).out


def test_who_has_receipt_and_ledger_knows_what_was_sent_under_it(place: Place, elsewhere: Place) -> None:
    """The commitment inside a batch is that of receipt and salt: matched on the own machine, or elsewhere with an exported ledger."""
    subject = subject_at(place)
    keep(subject, clicks(1), when(1))
    assert subject.seal(recording(), POLICY, when(2), span=Everything()).envelopes == 1
    salt, kept = subject.record.salt(), subject.record.choice.receipt
    subject.close()
    found = commitment(salt, kept or "").hex()
    for at in (place, elsewhere):
        (at.folder / "receipt.json").write_text(run(place, ["volens", "consent", "receipt", "--standard"]).out)
        (at.folder / "batches.jsonl").write_text(
            "".join(json.dumps({"id": "1", "receipt_commitment": each}) + "\n" for each in (found, "00"))
        )
        (at.folder / "ledger.jsonl").write_bytes((place.state / "ledger").read_bytes())
    told = "Of 2 batches in batches.jsonl, 1 carry the commitment to this receipt."
    verify = ["volens", "consent", "verify", "receipt.json", "--batches", "batches.jsonl"]
    assert told in run(place, verify).out
    assert run(elsewhere, verify).code == 1
    assert told in run(elsewhere, [*verify, "--ledger", "ledger.jsonl"]).out


def test_a_receipt_longer_than_a_frame_comes_whole(place: Place) -> None:
    """200 apps make a receipt that no frame holds: it is asked for in parts, from a daemon as from disk."""
    whole = "".join(chr(0x4E00 + index % 5000) for index in range(100_000))
    parts, more = "", True
    while more:
        answer = messages.receipt_part(whole, len(parts))
        assert len(messages.encode(answer)) < 60_000
        assert answer.receipt is not None
        parts, more = parts + answer.receipt, answer.more
    assert parts == whole
    alone = run(place, ["volens", "consent", "receipt"]).out
    daemon = start(place)
    try:
        assert run(place, ["volens", "consent", "receipt"]).out == alone
    finally:
        daemon.terminate()
        daemon.wait(LONGEST_S)
