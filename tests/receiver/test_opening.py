"""What custodians get, and what must be written down first."""

import sqlite3
from contextlib import closing

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.access import Access, broken_at
from tests.receiver import stand
from tests.receiver.stand import PURPOSE, Service, envelope, person
from transport.envelope import open_purpose, parse


def _note(service: Service, *batches: str, reason: str = "quality of menus", purpose: str = PURPOSE) -> httpx.Response:
    return service.client.post("/v1/access", json={"purpose": purpose, "reason": reason, "batches": list(batches)})


def _fetch(service: Service, batch_id: str, record: object) -> httpx.Response:
    return service.client.get(f"/v1/custody/batches/{batch_id}", headers={"X-Volens-Access": str(record)})


def _log(service: Service) -> list[Access]:
    records = service.client.get("/v1/access").json()["records"]
    return [Access(**each | {"batches": tuple(each["batches"])}) for each in records]


def test_a_batch_comes_out_as_it_went_in_once_the_access_is_recorded(service: Service) -> None:
    """The same bytes, which the purpose's key opens."""
    sealed = envelope()
    service.put(sealed)
    noted = _note(service, sealed.id)
    assert noted.status_code == 201
    fetched = _fetch(service, sealed.id, noted.json()["record"])
    assert fetched.content == sealed.raw
    assert open_purpose(parse(fetched.content), stand.PURPOSE_KEY).startswith(stand.CANARY)


@pytest.mark.parametrize("record", ["", "0", "999999", "-1", "x", "1e3", "9" * 40, "٣"])
def test_without_a_record_nothing_comes_out(service: Service, record: str) -> None:
    """403 without a record, with one that is not there, with what is no number."""
    sealed = envelope()
    service.put(sealed)
    answer = service.client.get(f"/v1/custody/batches/{sealed.id}", headers={"X-Volens-Access": record.encode()})
    assert answer.status_code == 403
    assert sealed.body[:32] not in answer.content


def test_a_record_opens_only_what_it_names(service: Service) -> None:
    """403 for another batch, though the record is good."""
    named, other = envelope(), envelope()
    service.put(named)
    service.put(other)
    assert _fetch(service, other.id, _note(service, named.id).json()["record"]).status_code == 403


def test_an_erased_batch_is_neither_listed_nor_recorded_nor_given_out(service: Service) -> None:
    """410, also for a record that was written before the erasure."""
    who = person(20)
    sealed = envelope(who)
    service.put(sealed)
    record = _note(service, sealed.id).json()["record"]
    service.erase(who, [sealed.id])
    assert _fetch(service, sealed.id, record).status_code == 410
    assert _note(service, sealed.id).status_code == 422
    assert sealed.id not in service.client.get("/v1/custody/batches", params={"purpose": PURPOSE}).json()["batches"]


def test_an_erased_batch_whose_files_a_failing_disk_has_kept_is_not_given_out(service: Service) -> None:
    """The row decides, not the files: they may lie there until the next start."""
    sealed = envelope(person(21))
    service.put(sealed)
    record = _note(service, sealed.id).json()["record"]
    with closing(sqlite3.connect(service.directory / "volens.db")) as rows, rows:
        rows.execute("UPDATE batch SET erased = 1 WHERE id = ?", (sealed.id,))
    assert _fetch(service, sealed.id, record).status_code == 410
    with closing(sqlite3.connect(service.directory / "volens.db")) as rows, rows:
        rows.execute("UPDATE batch SET erased = 0 WHERE id = ?", (sealed.id,))


def test_the_list_has_ids_and_nothing_else(service: Service) -> None:
    """In the order of ids, which tells nothing; and no purpose, no list."""
    sealed = envelope()
    service.put(sealed)
    listed = service.client.get("/v1/custody/batches", params={"purpose": PURPOSE}).json()
    assert set(listed) == {"batches", "more"}
    assert sealed.id in listed["batches"]
    assert listed["batches"] == sorted(listed["batches"])
    assert service.client.get("/v1/custody/batches", params={"purpose": "advertising"}).status_code == 422


def test_what_is_recorded_must_be_here_and_have_a_reason(service: Service) -> None:
    """422 without a reason, for an unknown batch, another purpose, no batch, too long a list."""
    sealed = envelope()
    service.put(sealed)
    before = len(_log(service))
    for reason in ("  ", "two\nlines", "\x1b[2J", "x" * 501):
        assert _note(service, sealed.id, reason=reason).status_code == 422
    assert _note(service, "0" * 64).status_code == 422
    assert _note(service, sealed.id, purpose="advertising").status_code == 422
    assert _note(service).status_code == 422
    assert _note(service, *[sealed.id] * 10_001).status_code == 422
    assert len(_log(service)) == before


def test_anyone_reads_the_log_and_its_chain_holds(service: Service) -> None:
    """The newest record says what was opened and why, and every hash follows from the one before."""
    sealed = envelope()
    service.put(sealed)
    noted = _note(service, sealed.id, reason="audit of 21 November").json()
    log = _log(service)
    assert (log[-1].id, log[-1].hash) == (noted["record"], noted["hash"])
    assert (log[-1].reason, log[-1].batches) == ("audit of 21 November", (sealed.id,))
    assert broken_at(log) is None
    after = service.client.get("/v1/access", params={"after": log[-1].id - 1}).json()["records"]
    assert [each["id"] for each in after] == [log[-1].id]
    assert service.client.get("/v1/access", params={"after": "x"}).status_code == 422


@given(position=st.integers(0, 3), field=st.sampled_from(["at", "purpose", "reason", "batches", "previous", "hash", "id", "missing"]))
def test_a_changed_or_missing_record_breaks_the_chain(position: int, field: str) -> None:
    """Whatever is altered in any record but by cutting the end off, is found at that record or the next."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from receiver.access import follow

    log: list[Access] = []
    for n in range(5):
        last = log[-1] if log else None
        log.append(follow(last, at=datetime(2026, 11, 21, 9, n, tzinfo=UTC), purpose=PURPOSE, reason=f"reason {n}", batches=[f"{n:064}"]))
    assert broken_at(log) is None
    if field == "missing":
        del log[position]
    else:
        changed: dict[str, object] = {"id": 99, "batches": ("f" * 64,)}
        log[position] = replace(log[position], **{field: changed.get(field, "x")})  # type: ignore[arg-type]
    assert broken_at(log) is not None


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"Via": "1.1 proxy"}, {"Host": "receiver.example"}]
)
def test_custodians_routes_are_closed_to_what_came_through_a_proxy(service: Service, headers: dict[str, str]) -> None:
    """403 on each of the three, whatever the forwarding headers claim."""
    sealed = envelope()
    service.put(sealed)
    record = _note(service, sealed.id).json()["record"]
    ask = {"purpose": PURPOSE, "reason": "audit", "batches": [sealed.id]}
    assert service.client.post("/v1/access", json=ask, headers=headers).status_code == 403
    assert service.client.get("/v1/custody/batches", params={"purpose": PURPOSE}, headers=headers).status_code == 403
    fetch = service.client.get(f"/v1/custody/batches/{sealed.id}", headers=headers | {"X-Volens-Access": str(record)})
    assert fetch.status_code == 403
