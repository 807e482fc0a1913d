"""Where envelopes come from: a receiver, or a folder of files. Refuses to hand out a byte before the access is on the receiver's log.

The receiver is spoken to by its three routes of docs/custody.md: no proxy of the environment, no redirect, no answer beyond its bound.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from custody.access import MAX_BATCHES, Access, Listing, Recorded, check_id
from custody.errors import AccessRefused
from custody.files import read_file
from transport.envelope import MAX_ENVELOPE_BYTES

SUFFIX = ".envelope"
TIMEOUT_S = 20.0  # between two pieces of an answer, and to connect
MAX_JSON_BYTES = 80 * MAX_BATCHES  # 67 characters an id
MAX_DENIAL_BYTES = 4096
_Answer = TypeVar("_Answer")


class Source(Protocol):
    """Keeps envelopes by id. Use: `listed` if none were named, then `record` once, then `fetch`."""

    def listed(self, purpose: str) -> tuple[str, ...]:
        """Ids of all envelopes kept for a purpose."""

    def record(self, access: Access) -> int | None:
        """Records the access; the number of its record, or None where there is no log."""

    def fetch(self, batch: str) -> bytes | None:
        """The bytes kept under an id, which the caller checks; None if its subject had it erased meanwhile."""


class FolderSource:
    """Files named `ID.envelope`. There is no log: whoever has both files and keys needs no receiver, and the output says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listed(self, purpose: str) -> tuple[str, ...]:  # noqa: ARG002 - the purpose stands in each envelope's header, and is checked there
        """Ids of all envelopes in the folder.

        Raises:
            AccessRefused: no such folder, or a file not named by an id.
        """
        if not self._folder.is_dir():
            raise AccessRefused(f"{self._folder} is neither a folder nor an http(s) address; name where the envelopes are with --from")
        return tuple(check_id(path.name.removesuffix(SUFFIX)) for path in sorted(self._folder.glob(f"*{SUFFIX}")))

    def record(self, access: Access) -> None:
        """No log here."""

    def fetch(self, batch: str) -> bytes:
        """A file's bytes.

        Raises:
            KeyFileRefused: not there, or too large.
        """
        return read_file(self._folder / f"{check_id(batch)}{SUFFIX}", max_bytes=MAX_ENVELOPE_BYTES)


class ReceiverSource:
    """A receiver. It keeps ciphertext and the log of accesses; it hands out nothing that no record names."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._record: int | None = None

    def listed(self, purpose: str) -> tuple[str, ...]:
        """Ids of all envelopes of the purpose.

        Raises:
            AccessRefused: no answer, a refusal, or an answer that is no list.
        """
        ids: list[str] = []
        more = True
        while more and len(ids) <= MAX_BATCHES:
            query = {"purpose": purpose, "after": ids[-1] if ids else ""}
            page = _decode(self._ask("GET", "/v1/custody/batches", max_bytes=MAX_JSON_BYTES, params=query), Listing)
            if any(later <= earlier for earlier, later in pairwise([query["after"], *page.batches])) or (page.more and not page.batches):
                raise AccessRefused("the receiver lists batches twice or out of order; ask whoever runs it")
            ids += page.batches
            more = page.more
        return tuple(ids)

    def record(self, access: Access) -> int:
        """The number of the new record.

        Raises:
            AccessRefused: it was not recorded, or that is not certain; nothing is fetched then.
        """
        headers = {"Content-Type": "application/json"}
        raw = self._ask("POST", "/v1/access", max_bytes=64 * 1024, content=access.encode(), headers=headers)
        self._record = _decode(raw, Recorded).id
        return self._record

    def fetch(self, batch: str) -> bytes | None:
        """One envelope, or None if its subject had it erased since it was listed.

        Raises:
            AccessRefused: nothing is recorded yet, no answer, or a refusal.
        """
        if self._record is None:
            raise AccessRefused("no access is recorded yet; nothing is fetched before one is")
        headers = {"X-Volens-Access": str(self._record)}
        try:
            return self._ask("GET", f"/v1/custody/batches/{check_id(batch)}", max_bytes=MAX_ENVELOPE_BYTES, headers=headers)
        except _Erased:
            return None

    def _ask(  # noqa: PLR0913 - the parts of one request
        self,
        method: str,
        route: str,
        *,
        max_bytes: int,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        try:
            with self._client.stream(method, route, params=params, content=content, headers=headers) as answer:
                if answer.is_success:
                    return _bounded(answer, max_bytes)
                raise _denied(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AccessRefused(f"the receiver does not answer ({type(error).__name__}); check --from, or try again later") from None


@contextmanager
def source_of(place: str) -> Iterator[Source]:
    """The source that an address or a folder names.

    Raises:
        AccessRefused: an address that is none, or one without TLS beyond this machine.
    """
    if "://" not in place:
        yield FolderSource(Path(place))
        return
    with _client(place) as client:
        yield ReceiverSource(client)


def _client(place: str) -> httpx.Client:
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise AccessRefused("--from names a folder or an address like https://receiver.example; check its spelling")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise AccessRefused("an address beyond this machine begins with https://; others on the way could change the list")
    return httpx.Client(base_url=place.rstrip("/"), trust_env=False, follow_redirects=False, timeout=TIMEOUT_S)


class _Erased(AccessRefused):
    """The subject had this batch erased."""


def _denied(answer: httpx.Response) -> AccessRefused:
    if answer.status_code == httpx.codes.GONE:
        return _Erased("its subject had this batch erased; leave it out")
    try:
        denial = msgspec.json.decode(_bounded(answer, MAX_DENIAL_BYTES), type=Denial)
        words = f"{denial.error}; {denial.do}"
    except (msgspec.DecodeError, AccessRefused):
        words = ""
    if not words.isprintable() or not words:
        words = "it gave no reason; ask whoever runs it"
    return AccessRefused(f"the receiver answered {answer.status_code}: {words}")


def _bounded(answer: httpx.Response, max_bytes: int) -> bytes:
    # As sent, not decoded: a small compressed answer could unpack to any size.
    raw = bytearray()
    for piece in answer.iter_raw():
        raw += piece
        if len(raw) > max_bytes:
            raise AccessRefused(f"the receiver's answer has more than {max_bytes} bytes; it is not what was asked for")
    return bytes(raw)


def _decode(raw: bytes, form: type[_Answer]) -> _Answer:
    try:
        return msgspec.json.decode(raw, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AccessRefused("the receiver's answer is not what docs/custody.md says; its version may be another") from None
