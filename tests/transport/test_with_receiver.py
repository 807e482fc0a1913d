"""The whole way with the real receiver: hold, seal, outbox, courier, stored; then erased, with a receipt."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consent.vocabulary import Kind, Purpose
from tests.receiver import stand
from tests.transport.makers import a_day_at_work, admit, standing
from tests.transport.test_courier import Courier
from tests.transport.test_sealing import TERMS, Desk, at
from transport.erasing import askings, erasure_request, nonce_of, nonce_request, receipt_of
from transport.erasure import Erasures
from transport.jobs import Answered, Method, Refreshed, RefreshPolicy, Request, batch_url
from transport.results import Accepted, Withdrawn, result_of

PURPOSE = Purpose(stand.PURPOSE)


@pytest.fixture
def courier() -> Iterator[Courier]:
    child = Courier()
    yield child
    child.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stand.Service]:
    with stand.serving(stand.make(tmp_path_factory.mktemp("receiver"))) as running:
        yield running


def _put(courier: Courier, url: str, desk: Desk, envelope_id: str) -> object:
    raw = desk.outbox.read(envelope_id)
    courier.start(Request(1, Method.PUT, batch_url(url, envelope_id), "application/octet-stream", len(raw), 20), raw)
    return result_of(courier.answer(), envelope_id)


def test_what_was_kept_is_stored_once_and_erased_on_asking(courier: Courier, service: stand.Service, tmp_path: Path) -> None:
    """The receiver stores the envelope, knows it the second time, erases it for its pseudonym, and refuses it ever after."""
    desk = Desk(tmp_path)
    purposes = dict.fromkeys(Kind, PURPOSE)
    events = a_day_at_work(300, seed=8)
    desk.hold.keep(admit(events, purposes), at(0))
    desk.seal(replace(TERMS, standing=standing(purposes), purpose_keys={PURPOSE: stand.PURPOSE_KEY.public}))
    (note,) = desk.outbox.waiting()
    assert note.n == sum(event.n for event in events)
    assert _put(courier, service.url, desk, note.id) == Accepted()
    assert _put(courier, service.url, desk, note.id) == Accepted()

    erasures = Erasures(tmp_path / "erasures")
    erasures.ask(askings([note], everything=False))
    (pending,) = erasures.pending()
    courier.start(nonce_request(2, service.url))
    request, body = erasure_request(3, service.url, pending.asking, nonce_of(courier.answer()), TERMS.identity_secret)
    courier.start(request, body)
    erasures.answered(pending.name, receipt_of(courier.answer(), pending.asking).raw)
    assert erasures.pending() == []
    assert note.pseudonym.hex().encode() in erasures.receipts()[0]
    assert _put(courier, service.url, desk, note.id) == Withdrawn()


def test_the_receivers_policy_is_brought_into_the_cache(courier: Courier, service: stand.Service, tmp_path: Path) -> None:
    """A trial receiver's own repository passes python-tuf's checks with its root pinned."""
    courier.start(Request(1, Method.GET, f"{service.url}/v1/tuf/metadata/1.root.json", "", 0, 10))
    root = courier.answer()
    assert isinstance(root, Answered)
    base = f"{service.url}/v1/tuf"
    courier.start(RefreshPolicy(2, f"{base}/metadata/", f"{base}/targets/", str(tmp_path / "policy"), "policy.json", root.body, 20))
    assert courier.answer() == Refreshed(2)
    assert (tmp_path / "policy" / "targets" / "policy.json").read_bytes() == stand.policy()
