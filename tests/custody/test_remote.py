"""A receiver as the source of envelopes: the record comes first, and no answer is trusted."""

import json
import threading
from pathlib import Path

import pytest

from custody import remote
from custody.errors import CustodyError
from tests.custody.stand import Custody, FakeReceiver, clicks, files_in, keep, refusal, sealed


def test_the_access_is_recorded_with_every_id_before_a_batch_is_fetched(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """List, record, fetch: in this order, over pages, and the record names what is opened."""
    envelopes = [sealed(custody.public, clicks(1000 * place), [bytes([place]) * 16]) for place in range(1, 6)]
    keep(receiver, *envelopes)
    receiver.page = 2
    done = custody.open(
        receiver.url, "--steps", tmp_path / "out", env={"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    )
    assert done.returncode == 0, done.stderr
    ids = sorted(receiver.kept)
    assert receiver.requests == [
        *["GET /v1/custody/batches"] * 3,
        "POST /v1/access",
        *[f"GET /v1/custody/batches/{batch}" for batch in ids],
    ]
    assert receiver.records == [{"purpose": "training", "reason": "a test set", "batches": ids}]
    assert json.loads((tmp_path / "out" / "access.json").read_text())["record"] == 1
    assert "recorded as 1" in done.stdout


def test_named_batches_are_the_only_ones_recorded_and_opened(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """--batch lists nothing and opens no more than it names."""
    one, two = (sealed(custody.public, clicks(1000 * place), [bytes([place]) * 16]) for place in (1, 2))
    keep(receiver, one, two)
    done = custody.open(receiver.url, "--batch", two.id, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert receiver.requests == ["POST /v1/access", f"GET /v1/custody/batches/{two.id}"]
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert {event["batch"] for event in events} == {two.id}
    assert [event["kind"] for event in events] == ["focus", "pointer_button", "pointer_button", "pointer_scroll"]


JUNK = b"not json"


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/v1/access", (500, {}, b""), "answered 500: it gave no reason"),
        ("/v1/access", (403, {}, b'{"error": "not here", "do": "go there"}'), "answered 403: not here; go there"),
        ("/v1/access", (403, {}, b'{"error": "two\\nlines", "do": "x"}'), "answered 403: it gave no reason"),
        ("/v1/access", (201, {}, JUNK), "not what docs/custody.md says"),
        ("/v1/access", (201, {}, b'{"record": 0}'), "not what docs/custody.md says"),
        ("/v1/access", (307, {"Location": "/elsewhere"}, b""), "answered 307"),
        ("/v1/custody/batches", (200, {}, JUNK), "not what docs/custody.md says"),
        ("/v1/custody/batches", (200, {}, b'{"batches": ["../../etc"], "more": false}'), "not what docs/custody.md says"),
        ("/v1/custody/batches", (200, {}, b'{"batches": [], "more": true}'), "twice or out of order"),
        ("/v1/custody/batches", (200, {}, b" " * 900_000), "more than 800000 bytes"),
        ("/v1/custody/batches", (200, {}, b'{"batches": [], "more": false}'), "no batch of purpose training"),
        ("ID", (200, {}, b"x" * (1024 * 1024 + 1)), "more than 1048576 bytes"),
        ("ID", (404, {}, b""), "answered 404"),
        ("ID", (200, {}, b"x"), "not those of this id"),
    ],
)
def test_a_receiver_that_does_not_answer_as_written_gets_one_line_and_nothing_is_written(
    custody: Custody, receiver: FakeReceiver, tmp_path: Path, path: str, answer: tuple[int, dict[str, str], bytes], said: str
) -> None:
    """Refusals, junk, redirects and answers without end; and no batch is fetched when the record failed."""
    envelope = sealed(custody.public, clicks(1000), [b"1" * 16])
    keep(receiver, envelope)
    target = path.replace("ID", f"/v1/custody/batches/{envelope.id}")
    receiver.replace_answer = lambda method, asked: answer if asked == target else None
    refused = refusal(custody, receiver.url, tmp_path / "out")
    assert said in refused
    assert "\n" not in refused
    assert files_in(tmp_path) == []
    if target == "/v1/access":
        assert receiver.requests[-1] == "POST /v1/access"


def test_a_receiver_that_is_down_or_hangs_gets_one_line(
    custody: Custody, receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is waited for without end."""
    done = custody.open("http://127.0.0.1:9", "--steps", tmp_path / "out")
    assert done.stderr == "volens-custody: the receiver does not answer (ConnectError); check --from, or try again later\n"
    held = threading.Event()
    receiver.replace_answer = lambda method, path: (held.wait(30), (500, {}, b""))[1]
    monkeypatch.setattr(remote, "TIMEOUT_S", 0.2)
    source = remote.ReceiverSource(remote.client_for(receiver.url))
    with pytest.raises(CustodyError, match=r"does not answer \(ReadTimeout\)"):
        source.listed("training")
    held.set()


def test_a_source_fetches_nothing_before_a_record(receiver: FakeReceiver) -> None:
    """The order does not rest on the caller alone."""
    source = remote.ReceiverSource(remote.client_for(receiver.url))
    with pytest.raises(CustodyError, match="no access is recorded"):
        source.fetch("0" * 64)
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("http://receiver.example", "begins with https://"),
        ("ftp://127.0.0.1/", "check its spelling"),
        ("https://name:word@receiver.example", "check its spelling"),
        ("http://[::1", "check its spelling"),
        ("http://127.0.0.1:port", "check its spelling"),
        ("no/such/folder", "neither a folder nor"),
    ],
)
def test_a_place_that_is_none_is_refused(custody: Custody, tmp_path: Path, place: str, said: str) -> None:
    """Plain HTTP reaches this machine only."""
    assert said in refusal(custody, place, tmp_path / "out")


def test_what_its_subject_erased_meanwhile_is_left_out_and_counted(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """An erasure between list and fetch neither stops the opening nor is hidden."""
    one, two = (sealed(custody.public, clicks(1000 * place), [bytes([place]) * 16]) for place in (1, 2))
    keep(receiver, one, two)
    receiver.erased = {one.id}
    done = custody.open(receiver.url, "--steps", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "1 batches opened, 1 erased by their subjects, 4 events" in done.stdout


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x07b"])
def test_an_access_without_a_reason_is_not_recorded(custody: Custody, receiver: FakeReceiver, tmp_path: Path, reason: str) -> None:
    """Subjects read it."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    assert "a reason has 3 to 500 printable characters" in refusal(custody, receiver.url, tmp_path / "out", reason)
    assert "POST /v1/access" not in receiver.requests
