"""The courier: the child process that sends. The only file that knows httpx. Has no key, no hook, no event; refuses redirects.

It does one job at a time and answers it once. A watchdog holds each job to its deadline as a whole: a timeout of httpx is one of
silence, and a receiver that trickles is never silent. When the deadline strikes the courier says so and ends; the daemon starts
another when there is another job. Its sockets linger 0 seconds: killed in mid-upload, nothing that is still buffered leaves.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent.frames import FrameError, Splitter, frame
from transport import disk, jobs
from transport.jobs import Answer, Answered, Failed, Refreshed, RefreshPolicy, Request, Trouble

if TYPE_CHECKING:
    import ssl

    import httpx

EXIT_DEADLINE = 9
_READ_BYTES = 64 * 1024
_SEND_BYTES = 16 * 1024
_SILENCE_S = 30.0
"""How long one read or write may take; the deadline of the whole job is the watchdog's."""
_NO_LINGER = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the courier speaks to: whose certificates it accepts (None: the system's), and the one key that it must be, if any."""

    ca_file: Path | None = None
    pin: bytes | None = None


class _Line:
    """The two pipes to the daemon. Whoever answers first answers the job; nobody answers it twice."""

    def __init__(self, down: int, up: int) -> None:
        self._down, self._up = down, up
        self._splitter = Splitter()
        self._messages: list[bytes] = []
        self._lock = threading.Lock()
        self._open_job: int | None = None

    def hear(self) -> bytes | None:
        """The next message; None when the daemon has hung up."""
        while not self._messages:
            data = os.read(self._down, _READ_BYTES)
            if not data:
                return None
            self._messages = self._splitter.feed(data)
        return self._messages.pop(0)

    def begin(self, job: int) -> None:
        self._open_job = job

    def answer(self, answer: Answer, *, then_end: bool = False) -> None:
        """Answer the open job, once. With then_end the process is over before anything else can happen."""
        with self._lock:
            if self._open_job == answer.job:
                self._open_job = None
                for message in jobs.answer_messages(answer):
                    disk.write_whole(self._up, frame(message))
                if then_end:
                    os._exit(EXIT_DEADLINE)


class _Body:
    """A body that is being sent; `whole` once its last piece was handed to the connection."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.whole = False

    def pieces(self) -> Iterator[bytes]:
        for begin in range(0, len(self._raw), _SEND_BYTES):
            self.whole = begin + _SEND_BYTES >= len(self._raw)
            yield self._raw[begin : begin + _SEND_BYTES]


def run(down: int, up: int, *, ca_file: Path | None = None, pin: bytes | None = None) -> int:
    """Do jobs that come down one pipe, answer up the other, until the daemon hangs up. Returns the exit code.

    Args:
        down: descriptor to read jobs from.
        up: descriptor to write answers to.
        ca_file: trust these certificates instead of the system's; for tests and for receivers with a private one.
        pin: the SHA-256 of the one public key that the receiver may have, 32 bytes.
    """
    line, trust = _Line(down, up), Trust(ca_file, pin)
    try:
        while (message := line.hear()) is not None:
            job = jobs.decode_job.decode(message)
            body = _hear_body(line, job)
            if body is None:
                return 0
            _do(line, job, body, trust)
    except (FrameError, ValueError, OSError):  # ValueError: msgspec's errors are. The daemon is gone or not the daemon
        return 1
    return 0


def _hear_body(line: _Line, job: jobs.Job) -> bytes | None:
    body = bytearray()
    while isinstance(job, Request) and len(body) < job.body_bytes:
        chunk = line.hear()
        if chunk is None:
            return None
        body += chunk
    return bytes(body)


def _do(line: _Line, job: jobs.Job, raw: bytes, trust: Trust) -> None:
    body = _Body(raw)
    line.begin(job.job)
    watchdog = threading.Timer(job.deadline_s, lambda: line.answer(Failed(job.job, Trouble.DEADLINE, body.whole), then_end=True))
    watchdog.daemon = True
    watchdog.start()
    try:
        answer = _request(job, body, trust) if isinstance(job, Request) else _refresh(job, trust)
    finally:
        watchdog.cancel()
    line.answer(answer)


@cache
def _encrypted(trust: Trust) -> "ssl.SSLContext":
    """How to speak TLS; read once a process, because the system's certificates take 20 ms to read."""
    from transport import tls

    return tls.context(trust.ca_file, trust.pin)


def _client(trust: Trust) -> "httpx.Client":
    import httpx

    return httpx.Client(
        transport=httpx.HTTPTransport(verify=_encrypted(trust), trust_env=False, retries=0, socket_options=[_NO_LINGER]),
        trust_env=False,
        follow_redirects=False,
        timeout=_SILENCE_S,
        headers={"user-agent": "volens", "accept-encoding": "identity"},
    )


def _request(job: Request, body: _Body, trust: Trust) -> Answer:
    import httpx

    try:
        jobs.check_url(job.url)
        headers = {"content-type": job.content_type, "content-length": str(job.body_bytes)} if job.body_bytes else {}
        with (
            _client(trust) as client,
            client.stream(job.method.value, job.url, headers=headers, content=body.pieces() if job.body_bytes else None) as response,
        ):
            answer = bytearray()
            for piece in response.iter_raw(_SEND_BYTES):
                answer += piece
                if len(answer) > job.max_answer_bytes:
                    return Failed(job.job, Trouble.TOO_LONG, body.whole)
            said = response.headers
            return Answered(job.job, response.status_code, _short(said.get("retry-after")), _short(said.get("date")), bytes(answer))
    except jobs.BadAddress:
        return Failed(job.job, Trouble.BAD_ADDRESS)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return Failed(job.job, Trouble.NO_CONNECTION)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return Failed(job.job, Trouble.BROKEN_OFF, body.whole)


def _short(header: str | None) -> str | None:
    return None if header is None else header[:100]


def _refresh(job: RefreshPolicy, trust: Trust) -> Answer:
    from tuf.api.exceptions import DownloadError, RepositoryError
    from tuf.ngclient import Updater

    try:
        jobs.check_url(job.metadata_url)
        jobs.check_url(job.targets_url)
        metadata, targets = Path(job.folder) / "metadata", Path(job.folder) / "targets"
        for folder in (metadata, targets):
            disk.make_private(folder)
        with _client(trust) as client:
            updater = Updater(str(metadata), job.metadata_url, str(targets), job.targets_url, fetcher=_fetcher(client), bootstrap=job.root)
            updater.refresh()
            found = updater.get_targetinfo(job.target)
            if found is None:
                return Failed(job.job, Trouble.NOT_TRUSTED)
            if updater.find_cached_target(found) is None:
                updater.download_target(found)
        return Refreshed(job.job)
    except jobs.BadAddress:
        return Failed(job.job, Trouble.BAD_ADDRESS)
    except DownloadError:
        return Failed(job.job, Trouble.NO_CONNECTION)
    except (RepositoryError, disk.NotPrivate, OSError, ValueError):
        return Failed(job.job, Trouble.NOT_TRUSTED)


def _fetcher(client: "httpx.Client") -> Any:
    """python-tuf's way to fetch, over httpx; python-tuf bounds each file's length."""
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class Fetcher(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            return self._stream(url)

        def _stream(self, url: str) -> Iterator[bytes]:
            from httpx import HTTPError
            from tuf.api.exceptions import DownloadError

            try:
                with client.stream("GET", url) as response:
                    if response.status_code != 200:
                        raise DownloadHTTPError("the repository does not have it", response.status_code)
                    yield from response.iter_raw(_SEND_BYTES)
            except HTTPError as error:
                raise DownloadError("the repository cannot be reached") from error

    return Fetcher()
