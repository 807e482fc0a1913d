"""A receiver as a source of envelopes, by its three routes of docs/custody.md. Refuses to fetch a byte before the access is on its log.

No proxy of the environment, no redirect, no answer beyond its bound, and no plain HTTP beyond this machine. On a workstation only
the courier knows httpx; this is the custodians' own client and never runs there.
"""

from itertools import pairwise
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from consent.unreadable import UNREADABLE
from custody.access import MAX_BATCHES, Access, Denial, Listing, Recorded, check_id
from custody.errors import AccessRefused
from transport.bounds import MAX_ENVELOPE_BYTES

TIMEOUT_S = 20.0  # to connect, and between two pieces of an answer
MAX_JSON_BYTES = 80 * MAX_BATCHES  # 67 characters an id
MAX_DENIAL_BYTES = 4096
_Answer = TypeVar("_Answer")


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
        self._record = _decode(raw, Recorded).record
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


def client_for(place: str) -> httpx.Client:
    """A client for one receiver. The caller closes it.

    Raises:
        AccessRefused: an address that is none, or one without TLS beyond this machine.
    """
    try:
        parts = urlsplit(place)
        client = httpx.Client(
            base_url=place.rstrip("/"),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_S,
        )
    except (ValueError, httpx.InvalidURL):
        raise _no_address() from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise _no_address()
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise AccessRefused("an address beyond this machine begins with https://; others on the way could change the list")
    return client


def _no_address() -> AccessRefused:
    return AccessRefused("--from names a folder or an address like https://receiver.example; check its spelling")


class _Erased(AccessRefused):
    """The subject had this batch erased."""


def _denied(answer: httpx.Response) -> AccessRefused:
    if answer.status_code == httpx.codes.GONE:
        return _Erased("its subject had this batch erased; leave it out")
    try:
        denial = msgspec.json.decode(_bounded(answer, MAX_DENIAL_BYTES), type=Denial)
        words = f"{denial.error}; {denial.do}"
    except (*UNREADABLE, AccessRefused):
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
    except UNREADABLE:
        raise AccessRefused("the receiver's answer is not what docs/custody.md says; its version may be another") from None
