"""The courier against real sockets: every answer a receiver can give, and every way in which it can fail to."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from consent.frames import Splitter, frame
from consent.unreadable import UNREADABLE
from tests.transport.servers import Server, says, serving
from transport import jobs
from transport.courier import EXIT_DEADLINE
from transport.jobs import Answer, Answered, Failed, Method, Refreshed, RefreshPolicy, Request, Trouble
from transport.results import Accepted, Rejected, Result, Unreachable, WaitFor, Withdrawn, result_of

ROOT = Path(__file__).parents[2]
CODE = "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from transport.courier import run; "
CODE += "sys.exit(run(0, int(sys.argv[2]), ca_file=Path(sys.argv[3]) if sys.argv[3] else None, pin=bytes.fromhex(sys.argv[4]) or None))"
ID = "ab" * 32
BODY = os.urandom(200_000)


class Courier:
    """The real child, and the daemon's ends of its pipes."""

    def __init__(self, ca_file: Path | None = None, pin: bytes = b"") -> None:
        self._up, up = os.pipe()
        command = [sys.executable, "-c", CODE, str(ROOT), str(up), str(ca_file or ""), pin.hex()]
        environment = os.environ | {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(up,), env=environment)
        os.close(up)
        self._splitter = Splitter()

    def start(self, job: jobs.Job, body: bytes = b"") -> None:
        assert self.process.stdin
        for message in jobs.messages(job, body):
            self.process.stdin.write(frame(message))
        self.process.stdin.flush()

    def answer(self, within_s: float = 20) -> Answer:
        hearing, answers = jobs.Hearing(), list[Answer | None]()
        deadline = time.monotonic() + within_s
        while not any(answers):
            ready, _, _ = select.select([self._up], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the courier did not answer"
            data = os.read(self._up, 65536)
            assert data, "the courier ended without an answer"
            answers += [hearing.hear(message) for message in self._splitter.feed(data)]
        assert answers.count(None) == len(answers) - 1
        assert answers[-1] is not None
        return answers[-1]

    def put(self, url: str, body: bytes = BODY, deadline_s: int = 20) -> Answer:
        self.start(Request(1, Method.PUT, jobs.batch_url(url, ID), "application/octet-stream", len(body), deadline_s), body)
        return self.answer()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        os.close(self._up)


@pytest.fixture
def courier() -> Iterator[Courier]:
    child = Courier()
    yield child
    child.close()


@pytest.mark.parametrize("length", [0, jobs.MAX_ANSWER_BYTES, jobs.MAX_ANSWER_BYTES + 1, 300_000, jobs.MAX_ENVELOPE_BYTES])
def test_an_answer_as_long_as_an_envelope_comes_whole_where_the_job_allows_it(courier: Courier, length: int) -> None:
    """What does not fit the answer's frame follows in more of them; without leave the default bound holds."""
    body = os.urandom(length)
    with serving(says(200, body)) as server:
        courier.start(Request(1, Method.GET, f"{server.url}/x", "", 0, 20, jobs.MAX_ENVELOPE_BYTES))
        assert courier.answer() == Answered(1, 200, None, None, body)
        courier.start(Request(2, Method.GET, f"{server.url}/x", "", 0, 20))
        wanted = Failed(2, Trouble.TOO_LONG) if length > jobs.MAX_ANSWER_BYTES else Answered(2, 200, None, None, body)
        assert courier.answer() == wanted


def test_an_answer_longer_than_its_job_allows_is_refused(courier: Courier) -> None:
    """One byte too many, however large the bound."""
    with serving(says(200, bytes(100_001))) as server:
        courier.start(Request(1, Method.GET, f"{server.url}/x", "", 0, 20, 100_000))
        assert courier.answer() == Failed(1, Trouble.TOO_LONG)


@given(length=st.integers(0, 400_000), extra=st.integers(1, 9))
def test_an_answer_survives_its_frames_and_nothing_longer_does(length: int, extra: int) -> None:
    """Whatever its length; a message more than was said is no courier's."""
    answer = Answered(3, 200, None, None, bytes(length))
    said = list(jobs.answer_messages(answer))
    hearing = jobs.Hearing()
    assert [whole for message in said if (whole := hearing.hear(message)) is not None] == [answer]
    if len(said) > 1:
        hearing = jobs.Hearing()
        for message in said[:-1]:
            hearing.hear(message)
        with pytest.raises(UNREADABLE):
            hearing.hear(said[-1] + bytes(extra))


TABLE: list[tuple[int, bytes | None, dict[str, str], Result]] = [
    (201, None, {}, Accepted()),
    (200, None, {}, Accepted()),
    (200, b"<html>sign in</html>", {}, Unreachable(True)),
    (200, b'{"id": "%s"}' % (b"cd" * 32), {}, Unreachable(True)),
    (204, b"", {}, Unreachable(True)),
    (409, None, {}, Withdrawn()),
    (400, None, {}, Rejected(400)),
    (404, None, {}, Rejected(404)),
    (413, None, {}, Rejected(413)),
    (422, None, {}, Rejected(422)),
    (408, None, {}, Unreachable(False)),
    (429, None, {"retry_after": "7"}, WaitFor(7)),
    (503, None, {"retry_after": "Sat, 21 Nov 2026 10:01:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, WaitFor(90)),
    (503, None, {"retry_after": "soon"}, WaitFor(60)),
    (507, None, {}, WaitFor(60)),
    (500, None, {}, Unreachable(True)),
    (302, b"", {"location": "https://elsewhere.invalid/"}, Unreachable(False)),
]


def test_every_answer_has_its_one_result(courier: Courier) -> None:
    """Each status becomes one of the five results, over one courier; the body comes whole, with its length, never chunked."""
    for status, body, headers, expected in TABLE:
        with serving(says(status, body, **headers)) as server:
            answer = courier.put(server.url)
            assert result_of(answer, ID) == expected, status
            assert server.received == len(BODY)
            assert len(server.heads) == 1
            assert server.heads[0].startswith(f"PUT /v1/batches/{ID} HTTP/1.1")
            assert f"content-length: {len(BODY)}" in server.heads[0].lower()
            assert "transfer-encoding" not in server.heads[0].lower()


def test_a_redirect_is_not_followed(courier: Courier) -> None:
    """What is meant for one receiver never goes to another."""
    with serving(says(201)) as other, serving(says(307, b"", location=other.url)) as server:
        assert result_of(courier.put(server.url), ID) == Unreachable(False)
        assert other.heads == []


def test_nobody_there_is_unreachable_and_nothing_left(courier: Courier) -> None:
    """A closed port is answered at once, and the courier goes on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert courier.put(url) == Failed(1, Trouble.NO_CONNECTION, False)
    with serving(says(201)) as server:
        assert result_of(courier.put(server.url), ID) == Accepted()


@pytest.mark.parametrize(
    "url", ["http://receiver.example", "ftp://127.0.0.1", "https://someone@receiver.example", "nonsense", "http://localhost.example"]
)
def test_what_is_not_encrypted_is_not_sent(courier: Courier, url: str) -> None:
    """Only https, or this machine itself; no name, no proxy and no connection is tried for anything else."""
    assert courier.put(url) == Failed(1, Trouble.BAD_ADDRESS, False)


def _hangs(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    server.stopping.wait(30)


def _never_reads(server: Server, connection: socket.socket) -> None:
    server.stopping.wait(30)


def _trickles(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    for byte in b"HTTP/1.1 201 X\r\nx-slow: " + b"a" * 1000:
        connection.sendall(bytes([byte]))
        if server.stopping.wait(0.2):
            return


@pytest.mark.parametrize(
    ("act", "whole"), [(_hangs, True), (_never_reads, False), (_trickles, True)], ids=["hangs", "never_reads", "trickles"]
)
def test_a_deadline_is_kept_whatever_the_receiver_does(act: object, whole: bool) -> None:
    """Silence, a full window and a byte now and then all end at the deadline; the answer says whether all of it had left."""
    child = Courier()
    body = os.urandom(1024 * 1024)
    try:
        with serving(act) as server:  # type: ignore[arg-type]
            began = time.monotonic()
            child.start(Request(1, Method.PUT, jobs.batch_url(server.url, ID), "application/octet-stream", len(body), 1), body)
            answer = child.answer()
            assert isinstance(answer, Failed)
            assert answer.trouble is Trouble.DEADLINE
            assert time.monotonic() - began < 10
            assert answer.whole_body_left or not whole
            assert child.process.wait(5) == EXIT_DEADLINE
    finally:
        child.close()


def _bombs(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    connection.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 100000000\r\n\r\n")
    while True:
        connection.sendall(bytes(65536))


def test_an_answer_without_end_is_cut(courier: Courier) -> None:
    """Beyond its bound an answer is not read; the courier lives, and the outcome is unknown."""
    with serving(_bombs) as server:
        answer = courier.put(server.url)
        assert answer == Failed(1, Trouble.TOO_LONG, True)
        assert result_of(answer, ID) == Unreachable(True)
    with serving(says(201)) as server:
        assert result_of(courier.put(server.url), ID) == Accepted()


def test_a_compressed_answer_is_not_inflated(courier: Courier) -> None:
    """What says that it is compressed comes as it is, so it cannot grow."""
    with serving(says(200, b"\x1f\x8b not gzip", content_encoding="gzip")) as server:
        answer = courier.put(server.url)
        assert isinstance(answer, Answered)
        assert answer.body == b"\x1f\x8b not gzip"


def _breaks_off(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)


def _breaks_off_early(server: Server, connection: socket.socket) -> None:
    server.read_head(connection)


def test_a_connection_lost_after_the_body_leaves_the_outcome_unknown(courier: Courier) -> None:
    """The receiver may have stored it; one that hung up early surely has not all of it, and the flag is on the safe side."""
    with serving(_breaks_off) as server:
        assert result_of(courier.put(server.url), ID) == Unreachable(True)
    with serving(_breaks_off_early) as server:
        answer = courier.put(server.url, os.urandom(1024 * 1024))
        assert isinstance(answer, Failed)
        assert answer.trouble is Trouble.BROKEN_OFF


def test_a_killed_upload_stops_in_mid_byte() -> None:
    """After SIGKILL the receiver sees a reset and not the rest of what was buffered."""

    def reads_little(server: Server, connection: socket.socket) -> None:
        server.read_head(connection)
        server.stopping.wait(0.5)  # the window fills; the rest waits in the courier's socket
        killed.wait()
        while data := connection.recv(4096):
            server.received += len(data)

    killed = threading.Event()
    body = os.urandom(1024 * 1024)
    child = Courier()
    with serving(reads_little) as server:
        child.start(Request(1, Method.PUT, jobs.batch_url(server.url, ID), "application/octet-stream", len(body), 20), body)
        assert server.began.wait(10)
        deadline = time.monotonic() + 10
        while not server.heads and time.monotonic() < deadline:
            server.stopping.wait(0.01)
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait()
        killed.set()
        assert server.ended.wait(10)
        assert server.ends == ["reset"]
        assert server.received < len(body)
    child.close()


def test_the_courier_ends_when_the_daemon_hangs_up(courier: Courier) -> None:
    """Also in the middle of a job's body: nothing is sent of half a body."""
    with serving(says(201)) as server:
        job = Request(1, Method.PUT, jobs.batch_url(server.url, ID), "application/octet-stream", len(BODY), 20)
        assert courier.process.stdin
        courier.process.stdin.write(frame(jobs.encode(job)) + frame(BODY[:1000]))
        courier.process.stdin.close()
        assert courier.process.wait(10) == 0
        assert server.heads == []


def test_what_is_not_a_job_ends_the_courier(courier: Courier) -> None:
    """It does not guess: the daemon is not the daemon."""
    assert courier.process.stdin
    courier.process.stdin.write(frame(b"\xc1 nonsense"))
    courier.process.stdin.close()
    assert courier.process.wait(10) == 1


def test_a_small_question_has_an_answer(courier: Courier) -> None:
    """GET and POST, as erasing needs them; no proxy of the environment is asked."""
    with serving(says(200, b'{"nonce": "00"}')) as server:
        courier.start(Request(5, Method.GET, f"{server.url}/v1/erasures/nonce", "", 0, 10))
        answer = courier.answer()
        assert isinstance(answer, Answered)
        assert (answer.job, answer.status, answer.body) == (5, 200, b'{"nonce": "00"}')
        assert "content-length" not in server.heads[0].lower()
        assert "application" not in server.heads[0].lower()


def test_a_repository_that_is_not_trusted_or_not_there_refreshes_nothing(courier: Courier, tmp_path: Path) -> None:
    """A wrong root and a closed port are told apart, and the courier goes on."""
    with serving(says(404, b"")) as server:
        url = server.url + "/"
        courier.start(RefreshPolicy(1, url, url, str(tmp_path / "a"), "policy.json", b"{}", 10))
        assert courier.answer() == Failed(1, Trouble.NOT_TRUSTED)
    courier.start(RefreshPolicy(2, "http://policy.example/", url, str(tmp_path / "b"), "policy.json", b"{}", 10))
    assert courier.answer() == Failed(2, Trouble.BAD_ADDRESS)


def _repository(folder: Path, policy: bytes) -> bytes:
    """A small signed TUF repository in `folder`; its root."""
    keys = {role: CryptoSigner(Ed25519PrivateKey.generate()) for role in ("root", "timestamp", "snapshot", "targets")}
    expires = datetime(2100, 1, 1, tzinfo=UTC)
    root = Root(1, expires=expires, consistent_snapshot=False)
    for role, signer in keys.items():
        root.add_key(signer.public_key, role)
    target = TargetFile.from_data("policy.json", policy, ["sha256"])
    roles: dict[str, Any] = {"root": root, "targets": Targets(1, expires=expires, targets={"policy.json": target})}
    roles |= {"snapshot": Snapshot(1, expires=expires), "timestamp": Timestamp(1, expires=expires)}
    for role, signed in roles.items():
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(keys[role])
        metadata.to_file(str(folder / ("1.root.json" if role == "root" else f"{role}.json")))
    (folder / "policy.json").write_bytes(policy)
    return (folder / "1.root.json").read_bytes()


def test_a_trusted_repository_is_brought_into_the_cache(courier: Courier, tmp_path: Path) -> None:
    """Metadata and policy lie where the daemon verifies them again; a target that was changed on the way does not."""
    shop = tmp_path / "shop"
    shop.mkdir()
    root = _repository(shop, b"the policy")

    def hands_out(server: Server, connection: socket.socket) -> None:
        head = server.read_all(connection)
        path = shop / head.split(" ")[1].lstrip("/")
        body = path.read_bytes() if path.exists() else b""
        connection.sendall(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (200 if body else 404, len(body)) + body)

    with serving(hands_out) as server:
        url = server.url + "/"
        for job in (1, 2):
            courier.start(RefreshPolicy(job, url, url, str(tmp_path / "cache"), "policy.json", root, 10))
            assert courier.answer() == Refreshed(job)
        assert (tmp_path / "cache" / "targets" / "policy.json").read_bytes() == b"the policy"
        names = {path.name for path in (tmp_path / "cache" / "metadata").iterdir()}
        assert {"root.json", "timestamp.json", "snapshot.json", "targets.json"} <= names
        (shop / "policy.json").write_bytes(b"a policy")
        courier.start(RefreshPolicy(3, url, url, str(tmp_path / "other"), "policy.json", root, 10))
        assert isinstance(courier.answer(), Failed)
        assert not (tmp_path / "other" / "targets" / "policy.json").exists()
    courier.start(RefreshPolicy(4, url, url, str(tmp_path / "cache"), "policy.json", root, 10))
    assert courier.answer() == Failed(4, Trouble.NO_CONNECTION)
