"""The line to the receiver: TLS 1.3 or nothing, the pinned key or nothing; and whoever ends it in the middle reads nothing."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from consent.gate import Admitted, Asked, decide
from consent.scope import Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, SurfaceId
from tests.receiver import stand
from tests.receiver.test_leak import STEM, hits
from tests.transport.certificates import Authority, server_context
from tests.transport.makers import click, standing
from tests.transport.proxy import Proxy, proxying
from tests.transport.test_courier import Courier
from tests.transport.test_sealing import TERMS, Desk, at
from transport.envelope import open_purpose, parse
from transport.jobs import Answered, Failed, Method, Request, Trouble, batch_url
from transport.results import Accepted, Unreachable, result_of
from transport.tls import pin_of

PURPOSE = Purpose(stand.PURPOSE)
CANARIES = [f"{STEM}{number:02}{'abcdefgh'[number % 8] * 6}" for number in range(64)]


def _ask(proxy: Proxy, courier: Courier) -> object:
    courier.start(Request(1, Method.GET, f"https://127.0.0.1:{proxy.port}/healthz", "", 0, 20))
    return courier.answer()


def _with(ca_file: Path | None, pin: bytes, work: Callable[[Courier], object]) -> object:
    courier = Courier(ca_file, pin)
    try:
        return work(courier)
    finally:
        courier.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stand.Service]:
    with stand.serving(stand.make(tmp_path_factory.mktemp("receiver"))) as running:
        yield running


def _port(service: stand.Service) -> int:
    return int(service.url.rsplit(":", 1)[1])


def test_a_trusted_certificate_is_enough_and_any_other_too_little(service: stand.Service, tmp_path: Path) -> None:
    """A receiver with a certificate of the chosen authority answers; one of another authority's, or of the system's, is not spoken to."""
    ours, theirs = Authority(tmp_path), Authority(tmp_path, "another authority")
    pem, _ = ours.server()
    with proxying(_port(service), server_context(pem)) as (proxy, _):
        answer = _with(ours.ca_file, b"", lambda courier: _ask(proxy, courier))
        assert isinstance(answer, Answered)
        assert answer.status == 200
        seen = len(proxy.seen)
        for ca_file in (theirs.ca_file, None):
            assert _with(ca_file, b"", lambda courier: _ask(proxy, courier)) == Failed(1, Trouble.NO_CONNECTION)
        assert len(proxy.seen) == seen


def test_an_older_tls_is_refused(service: stand.Service, tmp_path: Path) -> None:
    """A receiver that speaks TLS 1.2 at most is not spoken to."""
    authority = Authority(tmp_path)
    with proxying(_port(service), server_context(authority.server()[0], newest=ssl.TLSVersion.TLSv1_2)) as (proxy, _):
        assert _with(authority.ca_file, b"", lambda courier: _ask(proxy, courier)) == Failed(1, Trouble.NO_CONNECTION)
        assert not proxy.seen


def test_the_pinned_key_is_the_only_one(service: stand.Service, tmp_path: Path) -> None:
    """The right pin is spoken to; with another key, under a certificate as trusted, not one byte of a request leaves."""
    authority = Authority(tmp_path)
    (ours, certificate), (theirs, _) = authority.server(), authority.server()
    pin = pin_of(certificate)
    with proxying(_port(service), server_context(ours)) as (proxy, _):
        assert isinstance(_with(authority.ca_file, pin, lambda courier: _ask(proxy, courier)), Answered)
    with proxying(_port(service), server_context(theirs)) as (proxy, _):
        assert _with(authority.ca_file, pin, lambda courier: _ask(proxy, courier)) == Failed(1, Trouble.NO_CONNECTION)
        assert not proxy.seen
        assert _with(None, pin, lambda courier: _ask(proxy, courier)) == Failed(1, Trouble.NO_CONNECTION)


def test_whoever_ends_tls_in_the_middle_with_a_trusted_authority_reads_nothing(service: stand.Service, tmp_path: Path) -> None:
    """64 canaries in events, kept, sealed and sent through a company's inspecting proxy: it sees none, in any of five encodings."""
    desk, authority = Desk(tmp_path / "desk"), Authority(tmp_path)
    desk.hold.keep(_with_canaries(), at(0))
    terms = replace(TERMS, standing=_standing(), purpose_keys={PURPOSE: stand.PURPOSE_KEY.public})
    desk.seal(terms)
    (note,) = desk.outbox.waiting()
    raw = desk.outbox.read(note.id)
    with proxying(_port(service), server_context(authority.server()[0])) as (proxy, _):
        url = batch_url(f"https://127.0.0.1:{proxy.port}", note.id)

        def send(courier: Courier) -> object:
            courier.start(Request(1, Method.PUT, url, "application/octet-stream", len(raw), 20), raw)
            return result_of(courier.answer(), note.id)

        assert _with(authority.ca_file, b"", send) == Accepted()
        assert raw in bytes(proxy.seen)  # it did see everything that was sent
        assert hits(bytes(proxy.seen)) == []
    opened = open_purpose(parse(raw), stand.PURPOSE_KEY)
    assert hits(opened) == ["zstd"]  # which is what the proxy would have seen of a batch that was not sealed


def test_with_a_pin_the_middle_sees_not_a_byte_of_an_envelope(service: stand.Service, tmp_path: Path) -> None:
    """The same proxy, with a certificate that the machine trusts: the courier does not send, and the envelope waits on."""
    authority = Authority(tmp_path)
    (_, certificate), (theirs, _) = authority.server(), authority.server()
    sealed = stand.envelope()
    with proxying(_port(service), server_context(theirs)) as (proxy, _):
        url = batch_url(f"https://127.0.0.1:{proxy.port}", sealed.id)

        def send(courier: Courier) -> object:
            courier.start(Request(1, Method.PUT, url, "application/octet-stream", len(sealed.raw), 20), sealed.raw)
            return result_of(courier.answer(), sealed.id)

        assert _with(authority.ca_file, pin_of(certificate), send) == Unreachable(False)
        assert not proxy.seen


def _standing() -> Standing:
    grants = {(SurfaceId(canary), Kind.POINTER_BUTTON): PURPOSE for canary in CANARIES}
    return standing(scope=Scope(MappingProxyType(grants)))


def _with_canaries() -> list[Admitted]:
    answers = [decide(click(number, surface=canary), _standing(), Asked.SEALING) for number, canary in enumerate(CANARIES, 1)]
    admitted = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(admitted) == 64
    return admitted
