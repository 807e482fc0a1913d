"""What the daemon tells the courier and what it answers: framed msgpack, a long body in frames after it, both ways. Pure.

The courier gets no key and no event: whole envelopes, addresses, deadlines. It answers once a job; the daemon judges the answer.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from consent.frames import MAX_FRAME_BYTES
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.errors import TransportError

CHUNK_BYTES = MAX_FRAME_BYTES
ASKING_DEADLINE_S = 60
"""For a request that is no upload, as a whole."""
MAX_ANSWER_BYTES = 60 * 1024
"""What an answer may have unless its job allows more, and what of its body fits the answer's own frame. A receipt with ten thousand ids
does not; ask for fewer at once."""

_ADDRESS = re.compile(r"https://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[!-~]*)?")
_THIS_MACHINE = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?(/[!-~]*)?")


class BadAddress(TransportError):
    """An address that nothing is sent to: not https, and not this machine."""


class Method(StrEnum):
    GET = "GET"
    PUT = "PUT"
    POST = "POST"


Url = Annotated[str, msgspec.Meta(max_length=2000)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=600)]


class Request(msgspec.Struct, frozen=True, tag="request", forbid_unknown_fields=True):
    """Send one request; its body follows in frames of at most CHUNK_BYTES. No redirect is followed.

    Attributes:
        job: Number of the job; the answer repeats it.
        body_bytes: Length of the body, 0 for none.
        deadline_s: In seconds, for all of it: name look-up, connection, body and answer.
        max_answer_bytes: A longer answer is refused at the first byte too many. More than the default only where an envelope may come.
    """

    job: int
    method: Method
    url: Url
    content_type: Annotated[str, msgspec.Meta(max_length=100)]
    body_bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_ENVELOPE_BYTES)]
    deadline_s: Seconds
    max_answer_bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_ENVELOPE_BYTES)] = MAX_ANSWER_BYTES


class RefreshPolicy(msgspec.Struct, frozen=True, tag="refresh_policy", forbid_unknown_fields=True):
    """Bring a TUF cache up to date: `folder`/metadata and `folder`/targets/`target`. The daemon verifies it again by itself.

    Attributes:
        root: The pinned root's bytes.
    """

    job: int
    metadata_url: Url
    targets_url: Url
    folder: str
    target: str
    root: bytes
    deadline_s: Seconds


Job = Request | RefreshPolicy


class Trouble(StrEnum):
    """Why there is no answer."""

    NO_CONNECTION = "no_connection"
    BROKEN_OFF = "broken_off"
    DEADLINE = "deadline"
    TOO_LONG = "too_long"
    BAD_ADDRESS = "bad_address"
    NOT_TRUSTED = "not_trusted"


class Answered(msgspec.Struct, frozen=True, tag="answered", forbid_unknown_fields=True):
    """The receiver answered. `retry_after` and `date` are its headers as they came.

    Attributes:
        more_bytes: On the pipe: so much of the body follows in frames of at most CHUNK_BYTES. 0 once it is whole.
    """

    job: int
    status: int
    retry_after: str | None
    date: str | None
    body: Annotated[bytes, msgspec.Meta(max_length=MAX_ANSWER_BYTES)]
    more_bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_ENVELOPE_BYTES - MAX_ANSWER_BYTES)] = 0

    def __repr__(self) -> str:
        return f"<Answered {self.status}>"


class Refreshed(msgspec.Struct, frozen=True, tag="refreshed", forbid_unknown_fields=True):
    """The cache is as new as the receiver's repository."""

    job: int


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """There is no answer. `whole_body_left`: the last byte was handed to the connection, so the receiver may have it all."""

    job: int
    trouble: Trouble
    whole_body_left: bool = False


Answer = Answered | Refreshed | Failed

encode = msgspec.msgpack.Encoder().encode
decode_job: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
decode_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def messages(job: Job, body: bytes = b"") -> Iterator[bytes]:
    """The messages that give the courier a job: each goes into a frame of its own."""
    if isinstance(job, Request) and job.body_bytes != len(body):
        raise ValueError("a job states the length of its body")
    yield encode(job)
    yield from _chunks(body)


def answer_messages(answer: Answer) -> Iterator[bytes]:
    """The messages that give the daemon an answer: each goes into a frame of its own."""
    if not isinstance(answer, Answered) or len(answer.body) <= MAX_ANSWER_BYTES:
        yield encode(answer)
        return
    first, rest = answer.body[:MAX_ANSWER_BYTES], answer.body[MAX_ANSWER_BYTES:]
    yield encode(msgspec.structs.replace(answer, body=first, more_bytes=len(rest)))
    yield from _chunks(rest)


class Hearing:
    """Answers out of the messages of one courier, each once it is whole."""

    def __init__(self) -> None:
        self._begun: Answered | None = None
        self._body = bytearray()

    def hear(self, message: bytes) -> Answer | None:
        """The answer that this message completes, if it does. Raises an error of consent.unreadable for what no courier says."""
        begun = self._begun
        if begun is None:
            answer = decode_answer.decode(message)
            if not isinstance(answer, Answered) or not answer.more_bytes:
                return answer
            self._begun, self._body = answer, bytearray(answer.body)
            return None
        self._body += message
        missing = len(begun.body) + begun.more_bytes - len(self._body)
        if missing < 0 or not message:
            raise msgspec.ValidationError("more of an answer came than was said")
        if missing:
            return None
        self._begun = None
        return msgspec.structs.replace(begun, body=bytes(self._body), more_bytes=0)


def _chunks(body: bytes) -> Iterator[bytes]:
    for begin in range(0, len(body), CHUNK_BYTES):
        yield body[begin : begin + CHUNK_BYTES]


def check_url(url: str) -> None:
    """Raises BadAddress unless it is https, or http to this machine itself; an address never names an account."""
    if _ADDRESS.fullmatch(url) is None and _THIS_MACHINE.fullmatch(url) is None:
        raise BadAddress("the receiver's address must begin with https://, because what leaves is only safe on an encrypted line")


def get(
    job: int, receiver_url: str, path: str, *, deadline_s: int = ASKING_DEADLINE_S, max_answer_bytes: int = MAX_ANSWER_BYTES
) -> Request:
    """Ask a receiver for what is at this path."""
    return Request(job, Method.GET, receiver_url.rstrip("/") + path, "", 0, deadline_s, max_answer_bytes)


def post(job: int, receiver_url: str, path: str, stated: object, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> tuple[Request, bytes]:
    """Say something to a receiver, as JSON: the job and its body."""
    body, url = msgspec.json.encode(stated), receiver_url.rstrip("/") + path
    return Request(job, Method.POST, url, "application/json", len(body), ASKING_DEADLINE_S, max_answer_bytes), body


def batch_url(receiver_url: str, envelope_id: str) -> str:
    """Where an envelope is put."""
    return f"{receiver_url.rstrip('/')}/v1/batches/{envelope_id}"
