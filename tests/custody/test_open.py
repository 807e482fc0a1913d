"""volens-custody from end to end: real commands, real envelopes, a real HTTP server that answers as docs/custody.md says."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from consent.event import Button, Clocks, Event, Focus, PointerButton, PointerScroll
from consent.gate import Admitted, Asked, decide
from consent.scope import Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from custody import __main__ as cli
from custody import remote
from custody.errors import CustodyError
from custody.keys import read_purpose
from custody.open import Wish, open_batches
from transport.batch import Source, pack
from transport.envelope import Envelope, seal
from transport.identity import EpochIdentity
from transport.recovery import RecoveryCode
from transport.xwing import PublicKey

ROOT = Path(__file__).parents[2]
CODE = RecoveryCode(b"r" * 32)
DAY = date(2026, 11, 21)
EDITOR = SurfaceId("editor")
KINDS = (Kind.FOCUS, Kind.POINTER_BUTTON, Kind.POINTER_SCROLL)


def admitted(events: list[Event], purpose: str) -> list[Admitted]:
    """Events as the real gate admits them."""
    scope = Scope(MappingProxyType({(EDITOR, kind): Purpose(purpose) for kind in KINDS}))
    standing = Standing(state=State.CONSENTED, generation=7, scope=scope, indicator=True)
    answers = [decide(event, standing, Asked.SEALING) for event in events]
    return [answer for answer in answers if isinstance(answer, Admitted)]


def at(ms: int) -> Clocks:
    """An instant on all clocks."""
    return Clocks(ms, ms, 1_795_244_400_000 + ms)


def clicks(start_ms: int) -> list[Event]:
    """A focus, a click and a scroll."""
    return [
        Event(EDITOR, 1, at(start_ms), 7, 0, Focus(0, 0, 1000, 500, 1920, 1080)),
        Event(EDITOR, 1, at(start_ms + 10), 7, 1, PointerButton(100, 50, Button.LEFT, True)),
        Event(EDITOR, 1, at(start_ms + 90), 7, 1, PointerButton(100, 50, Button.LEFT, False)),
        Event(EDITOR, 1, at(start_ms + 900), 7, 2, PointerScroll(500, 250, 0, 1)),
    ]


def sealed(
    key: PublicKey, events: list[Event], segments: list[bytes], *, purpose: str = "training", inside: str = "", n: int = 1
) -> Envelope:
    """A batch as an agent seals it; `inside` makes the payload name another purpose than the header."""
    source = Source(policy_version=1, receipt_commitment=b"c" * 32, segments=tuple(segments))
    return seal(
        pack(admitted(events, inside or purpose), source=source),
        purpose=purpose,
        purpose_key=key,
        reading_key=CODE.reading_key().public,
        signer=EpochIdentity.derive(CODE.identity_secret(), day=DAY, purpose=purpose, n=n),
        number=os.urandom(16),
        body_key=os.urandom(32),
    )


def run(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in its own process."""
    command = [sys.executable, "-m", "custody", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **(env or {})}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


@dataclass
class Custody:
    """Keys and a purpose made by the real commands."""

    folder: Path
    keys: list[Path]
    purpose: Path
    public: PublicKey

    def open(self, place: object, *more: object, keys: int = 2, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`open` with the first so many keys."""
        given = [argument for key in self.keys[:keys] for argument in ("--key", key)]
        return run("open", "--purpose", self.purpose, *given, "--from", place, "--reason", "a test set", *more, env=env)


def refusal(custody: Custody, place: object, folder: Path, reason: str = "a test set") -> str:
    """What `open` refuses with, without a process of its own."""
    wish = Wish(custody.purpose, tuple(custody.keys[:2]), str(place), (), reason, folder, None)
    with pytest.raises(CustodyError) as caught:
        open_batches(wish, datetime(2026, 11, 21, tzinfo=UTC))
    return str(caught.value)


def make_custody(folder: Path, quorum: int, custodians: int, purpose: str = "training") -> Custody:
    """k of n by `keygen` and `purpose create`."""
    names = [f"c{place}" for place in range(custodians)]
    for name in names:
        assert run("keygen", name, "--out", folder / "keys").returncode == 0
    publics = [argument for name in names for argument in ("--custodian", folder / "keys" / f"{name}.pub")]
    made = run("purpose", "create", purpose, "--quorum", quorum, *publics, "--out", folder / purpose)
    assert made.returncode == 0, made.stderr
    public = read_purpose(folder / purpose).public
    assert public.key_id.hex() in made.stdout
    return Custody(folder, [folder / "keys" / f"{name}.key" for name in names], folder / purpose, public)


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Custody:
    """2 of 3, made once."""
    return make_custody(tmp_path_factory.mktemp("custody"), 2, 3)


def put(folder: Path, *envelopes: Envelope) -> Path:
    """A folder with envelopes."""
    folder.mkdir(exist_ok=True)
    for envelope in envelopes:
        (folder / f"{envelope.id}.envelope").write_bytes(envelope.raw)
    return folder


@dataclass
class FakeReceiver:
    """The three routes over real HTTP, with knobs.

    Attributes:
        kept: envelopes by id.
        erased: ids that answer 410.
        requests: what was asked, in order.
        records: bodies of the access log.
        replace_answer: given method and path, another (status, headers, body) or None.
        page: ids a page.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    replace_answer: Callable[[str, str], tuple[int, dict[str, str], bytes] | None] = lambda method, path: None
    page: int = 1000
    url: str = ""

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the receiver says."""
        parts = urlsplit(target)
        self.requests.append(f"{method} {parts.path}")
        if (other := self.replace_answer(method, parts.path)) is not None:
            return other
        if (method, parts.path) == ("POST", "/v1/access"):
            self.records.append(json.loads(body))
            return 201, {}, json.dumps({"record": len(self.records), "hash": "0" * 64}).encode()
        if parts.path == "/v1/custody/batches":
            after = parse_qs(parts.query).get("after", [""])[0]
            ids = sorted(batch for batch in self.kept if batch > after)
            return 200, {}, json.dumps({"batches": ids[: self.page], "more": len(ids) > self.page}).encode()
        batch = parts.path.rsplit("/", 1)[1]
        number = int(headers.get("X-Volens-Access", "0"))
        if not 0 < number <= len(self.records) or batch not in self.records[number - 1]["batches"]:
            return 403, {}, b'{"error": "no access record names this batch", "do": "write one first"}'
        if batch in self.erased:
            return 410, {}, b'{"error": "its subject had this erased", "do": "leave it out"}'
        return 200, {}, self.kept[batch]


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    """A fake receiver that runs."""
    fake = FakeReceiver()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, headers, answer = fake.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(answer))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the command may have had enough
                self.wfile.write(answer)

        do_GET = do_POST = reply

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def keep(fake: FakeReceiver, *envelopes: Envelope) -> None:
    """Lets the receiver have envelopes."""
    fake.kept |= {envelope.id: envelope.raw for envelope in envelopes}


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


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x07b"])
def test_an_access_without_a_reason_is_not_recorded(custody: Custody, receiver: FakeReceiver, tmp_path: Path, reason: str) -> None:
    """Subjects read it."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    assert "a reason has 3 to 500 printable characters" in refusal(custody, receiver.url, tmp_path / "out", reason)
    assert "POST /v1/access" not in receiver.requests


@pytest.mark.parametrize("arguments", [(), ("open",), ("purpose",), ("frob",), ("keygen",), ("keygen", "--frob")])
def test_wrong_usage_is_one_line_and_exit_2(arguments: tuple[str, ...]) -> None:
    """As for every command of ours."""
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("volens-custody: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["keygen", "ada"], ["purpose", "create", "training", "--quorum", "1", "--custodian", "ada.pub"]])
def test_no_command_goes_on_where_the_process_cannot_be_hardened(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hardening comes before a key is made or read."""

    def refuse() -> None:
        raise CustodyError("core dumps cannot be turned off here; open elsewhere")

    monkeypatch.setattr(cli, "harden", refuse)
    monkeypatch.setattr(sys, "argv", ["volens-custody", *arguments, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert "core dumps" in capsys.readouterr().err
    assert files_in(tmp_path) == []


def test_open_hardens_before_it_reads_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for open, which would otherwise complain of the key that is not there."""

    def refuse() -> None:
        raise CustodyError("core dumps cannot be turned off here; open elsewhere")

    monkeypatch.setattr(cli, "harden", refuse)
    options = ["--purpose", "p", "--key", "k", "--from", "f", "--reason", "a test", "--steps", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["volens-custody", "open", *options])
    with pytest.raises(SystemExit):
        cli.main()
    assert "core dumps" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hardened_process_dumps_no_core_and_is_closed_to_others() -> None:
    """RLIMIT_CORE is 0 and PR_GET_DUMPABLE says 0."""
    script = (
        "import ctypes, resource; from custody.process import harden; harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(0, 0) 0\n"


def test_an_unforeseen_error_shows_its_kind_and_place_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its message could hold what was opened."""

    def fail(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(cli, "harden", fail)
    monkeypatch.setattr(sys, "argv", ["volens-custody", "keygen", "ada", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert "canary" not in said
    assert "RuntimeError in test_open.py" in said


def test_events_decode_as_plain_json(custody: Custody, tmp_path: Path) -> None:
    """events.jsonl names every field, for those who do not want steps."""
    folder = put(tmp_path / "in", sealed(custody.public, clicks(1000), [b"1" * 16]))
    assert custody.open(folder, "--out", tmp_path / "out").returncode == 0
    first = msgspec.json.decode((tmp_path / "out" / "events.jsonl").read_bytes().splitlines()[0])
    assert first["at"] == {"awake_ms": 1000, "boot_ms": 1000, "wall_ms": 1_795_244_401_000}
    assert first["payload"]["width"] == 1000
