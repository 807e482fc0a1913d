"""`open` from end to end: what opens, what does not, and what is written."""

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.custody.stand import CODE, DAY, Custody, FakeReceiver, clicks, files_in, keep, make_custody, put, run, sealed
from transport.envelope import seal
from transport.identity import EpochIdentity
from transport.xwing import PublicKey


@pytest.mark.parametrize(("quorum", "custodians"), [(1, 1), (2, 3)])
def test_a_quorum_opens_a_folder_into_steps(tmp_path: Path, quorum: int, custodians: int) -> None:
    """keygen, purpose create and open, with 1 of 1 and 2 of 3, give the steps of the batch; without a log the record says so."""
    made = make_custody(tmp_path, quorum, custodians)
    envelope = sealed(made.public, clicks(1000), [b"1" * 16])
    done = made.open(put(tmp_path / "in", envelope), "--steps", tmp_path / "out", keys=quorum)
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in (tmp_path / "out" / "steps.jsonl").read_text().splitlines()]
    assert [step["action"] for step in steps] == ["focus", "click", "scroll"]
    assert steps[1]["args"] == {"button": "left", "at": {"x": 0.1, "y": 0.1, "frame": "window", "why": None}}
    assert sum(step["n"] for step in steps) == 4
    note = json.loads((tmp_path / "out" / "access.json").read_text())
    assert (note["record"], note["batches"], note["reason"]) == (None, [envelope.id], "a test set")
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files_in(tmp_path / "out"))
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_one_custodian_too_few_opens_records_and_writes_nothing(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """One clear line, no request, no file."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    done = custody.open(receiver.url, "--steps", tmp_path / "out", keys=1)
    assert done.returncode == 1
    assert done.stderr == "volens-custody: purpose training needs 2 of 3 custodians, 1 given; ask the others for their keys\n"
    assert receiver.requests == []
    assert files_in(tmp_path) == []


def test_a_loose_key_file_opens_nothing(tmp_path: Path, receiver: FakeReceiver) -> None:
    """One clear line, no request, no file."""
    made = make_custody(tmp_path, 1, 1)
    made.keys[0].chmod(0o644)
    done = made.open(receiver.url, "--steps", tmp_path / "out", keys=1)
    assert done.returncode == 1
    assert done.stderr.startswith("volens-custody: ")
    assert "chmod 600" in done.stderr
    assert done.stderr.count("\n") == 1
    assert receiver.requests == []


def test_one_bad_batch_stops_everything_and_is_named(custody: Custody, tmp_path: Path) -> None:
    """Truncated, altered, of another purpose or key, not a batch, or contradicting its header: the line names it, nothing is written."""
    other = PublicKey(CODE.reading_key().public.raw)
    good = sealed(custody.public, clicks(1000), [b"1" * 16])
    cases = [
        (good.raw[:-1], "ends within its body"),
        (b"", "an envelope has"),
        (good.raw + bytes(1024 * 1024), "more than 1048576 bytes"),
        (good.raw[:4000] + b"\0" + good.raw[4001:], "signature"),
        (sealed(custody.public, clicks(1000), [b"1" * 16], purpose="support").raw, "sealed for purpose support"),
        (sealed(other, clicks(1000), [b"1" * 16]).raw, "another purpose key"),
        (sealed(custody.public, clicks(1000), [b"1" * 16], inside="support").raw, "another purpose than its header"),
        (not_a_batch(custody.public), "not a batch"),
    ]
    for place, (raw, said) in enumerate(cases):
        batch = hashlib.sha256(raw).hexdigest()
        folder = put(tmp_path / f"in{place}", good)
        (folder / f"{batch}.envelope").write_bytes(raw)
        done = custody.open(folder, "--steps", tmp_path / f"out{place}")
        assert done.returncode == 1
        assert said in done.stderr, (place, done.stderr)
        assert batch[:16] in done.stderr
        assert "canary" not in done.stderr
        assert done.stderr.count("\n") == 1
        assert files_in(tmp_path / f"out{place}") == []


def not_a_batch(key: PublicKey) -> bytes:
    """An envelope whose payload is no batch."""
    envelope = seal(
        b"canary " * 9,
        purpose="training",
        purpose_key=key,
        reading_key=CODE.reading_key().public,
        signer=EpochIdentity.derive(CODE.identity_secret(), day=DAY, purpose="training", n=1),
        number=b"n" * 16,
        body_key=b"k" * 32,
    )
    return envelope.raw


def test_a_file_that_is_not_its_name_is_refused(custody: Custody, tmp_path: Path) -> None:
    """The id is the hash of the bytes, in a folder too."""
    good = sealed(custody.public, clicks(1000), [b"1" * 16])
    (put(tmp_path / "in") / f"{'0' * 64}.envelope").write_bytes(good.raw)
    done = custody.open(tmp_path / "in", "--steps", tmp_path / "out")
    assert "not those of this id" in done.stderr


def test_repeats_are_dropped_and_the_rest_of_their_batch_is_kept(custody: Custody, tmp_path: Path) -> None:
    """A segment sealed twice, alone or with a newer one, counts once; the newer one is not lost."""
    first, second = clicks(1000), clicks(60_000)
    a, b = b"a" * 16, b"b" * 16
    folder = put(
        tmp_path / "in",
        sealed(custody.public, first, [a]),
        sealed(custody.public, first, [a]),
        sealed(custody.public, first + second, [a, b], n=2),
    )
    done = custody.open(folder, "--steps", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    steps = (tmp_path / "out" / "steps.jsonl").read_text().splitlines()
    assert sum(json.loads(step)["n"] for step in steps) == sum(event.n for event in first + second)
    assert re.search("3 batches opened, [12] of them repeats, 8 events", done.stdout)  # which one is the repeat depends on their ids


def test_the_same_batches_give_the_same_bytes(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """Whatever order they are named in, from a folder or a receiver."""
    envelopes = [sealed(custody.public, clicks(1000 * place), [bytes([place]) * 16], n=place % 2) for place in range(1, 5)]
    keep(receiver, *envelopes)
    folder = put(tmp_path / "in", *envelopes)
    for name, place, order in (("one", receiver.url, envelopes), ("two", folder, envelopes[::-1])):
        named = [argument for envelope in order for argument in ("--batch", envelope.id)]
        assert custody.open(place, *named, "--steps", tmp_path / name).returncode == 0
    assert (tmp_path / "one" / "steps.jsonl").read_bytes() == (tmp_path / "two" / "steps.jsonl").read_bytes()


def test_another_purposes_custody_opens_nothing(custody: Custody, tmp_path: Path) -> None:
    """The wrong purpose is an error that says so, and the wrong custodians are strangers."""
    support = make_custody(tmp_path, 1, 1, purpose="support")
    folder = put(tmp_path / "in", sealed(custody.public, clicks(1000), [b"1" * 16]))
    done = support.open(folder, "--steps", tmp_path / "out", keys=1)
    assert "was sealed for purpose training, not support" in done.stderr
    done = run(
        "open",
        "--purpose",
        custody.purpose,
        "--key",
        support.keys[0],
        "--from",
        folder,
        "--reason",
        "a test set",
        "--steps",
        tmp_path / "out",
    )
    assert "of no custodian" in done.stderr


def test_nothing_is_written_over_and_that_is_said_before_the_record(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """An access record cannot be taken back, so what can fail early does."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    (tmp_path / "steps.jsonl").write_text("older")
    for arguments in (("--steps", tmp_path), ()):
        done = custody.open(receiver.url, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("volens-custody: ")
    assert receiver.requests == []
    assert (tmp_path / "steps.jsonl").read_text() == "older"


def test_events_decode_as_plain_json(custody: Custody, tmp_path: Path) -> None:
    """events.jsonl names every field, for those who do not want steps."""
    folder = put(tmp_path / "in", sealed(custody.public, clicks(1000), [b"1" * 16]))
    assert custody.open(folder, "--out", tmp_path / "out").returncode == 0
    first = msgspec.json.decode((tmp_path / "out" / "events.jsonl").read_bytes().splitlines()[0])
    assert first["at"] == {"awake_ms": 1000, "boot_ms": 1000, "wall_ms": 1_795_244_401_000}
    assert first["payload"]["width"] == 1000
