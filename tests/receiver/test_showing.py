"""A subject's listing and fetching by proof, and that nobody else's works."""

import httpx
import pytest

from tests.receiver import stand
from tests.receiver.stand import Service, answered, envelope, person
from transport.envelope import open_subject
from transport.identity import EpochIdentity
from transport.listing import ListingError, fetched, fetching_request, listing_request, page_of
from transport.listing_proof import fetching_message, listing_message


def _list(service: Service, who: EpochIdentity, after: str = "") -> httpx.Response:
    return service.ask(listing_request(1, service.url, who, service.nonce(), after))


def _fetch(service: Service, who: EpochIdentity, batch: str) -> httpx.Response:
    return service.ask(fetching_request(1, service.url, who, service.nonce(), batch))


def test_a_subject_lists_fetches_and_opens_what_a_pseudonym_sent(service: Service) -> None:
    """Ids, lengths and days of this pseudonym's batches, no other's; the bytes as they came, which the reading key opens."""
    who, other = person(40), person(41)
    mine, theirs = [envelope(who), envelope(who, size=9000)], envelope(other)
    for sealed in (*mine, theirs):
        service.put(sealed)
    page = page_of(answered(_list(service, who)))
    assert {(batch.id, batch.bytes) for batch in page.batches} == {(sealed.id, len(sealed.raw)) for sealed in mine}
    assert page.more is False
    raw = _fetch(service, who, mine[0].id).content
    assert raw == mine[0].raw
    assert open_subject(fetched(raw, mine[0].id, who.pseudonym), stand.READING_KEY).startswith(stand.CANARY)
    assert len(page_of(answered(_list(service, who, page.batches[0].id))).batches) == 1
    with pytest.raises(ListingError):
        fetched(raw, mine[1].id, who.pseudonym)


def test_nobody_sees_or_fetches_another_pseudonyms_batches(service: Service) -> None:
    """404 for another's batch, 403 for another's signature, a signature over something else, a made-up nonce."""
    who, thief = person(42), person(43)
    sealed = envelope(who)
    service.put(sealed)
    assert page_of(answered(_list(service, thief))).batches == ()
    assert _fetch(service, thief, sealed.id).status_code == 404
    nonce = service.nonce()
    proofs = [
        (nonce, thief.sign(listing_message(nonce, ""))),
        (nonce, who.sign(listing_message(nonce, "0" * 64))),
        (nonce, who.sign(fetching_message(nonce, ""))),
        ("0" * 80, who.sign(listing_message("0" * 80, ""))),
    ]
    for used, signature in proofs:
        body = {"pseudonym": who.pseudonym.hex(), "nonce": used, "signature": signature.hex()}
        answer = service.client.post("/v1/listing", json=body)
        assert answer.status_code == 403
        assert sealed.id not in answer.text
        answer = service.client.post("/v1/listing/fetch", json=body | {"batch": sealed.id})
        assert answer.status_code == 403
        assert sealed.body[:16] not in answer.content


def test_an_erased_batch_is_neither_listed_nor_fetched(service: Service) -> None:
    """410, and the rest of the list stays."""
    who = person(44)
    gone, kept = envelope(who), envelope(who)
    service.put(gone)
    service.put(kept)
    service.erase(who, [gone.id])
    assert [batch.id for batch in page_of(answered(_list(service, who))).batches] == [kept.id]
    assert _fetch(service, who, gone.id).status_code == 410


@pytest.mark.parametrize("path", ["/v1/listing", "/v1/listing/fetch", "/v1/enrolments", "/v1/registrations"])
@pytest.mark.parametrize("body", [b"", b"NaN", b"[]", b"{}", b'{"canary": 1}', b"[" * 8_000, b"\xff\xfe", b'{"pseudonym": "canary"}'])
def test_a_malformed_request_is_refused_without_repeating_it(service: Service, path: str, body: bytes) -> None:
    """422, and none of what came."""
    answer = service.client.post(path, content=body)
    assert answer.status_code == 422
    assert b"canary" not in answer.content
