"""What PUT /v1/batches/{id} answers, for good envelopes and for every kind of bad one."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.receiver import stand
from tests.receiver.stand import Service, envelope
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.envelope import Envelope


def _named(raw: bytes) -> str:
    return f"/v1/batches/{hashlib.sha256(raw).hexdigest()}"


def test_a_good_envelope_is_created_once_and_known_afterwards(service: Service) -> None:
    """201, then 200, and the two files hold exactly its bytes."""
    sealed = envelope()
    assert service.put(sealed).status_code == 201
    assert service.put(sealed).status_code == 200
    slots, body = (path.read_bytes() for path in service.files(sealed))
    assert slots == sealed.purpose_slot + sealed.subject_slot
    assert len(slots) + len(body) == len(sealed.raw)


def test_slots_and_body_lie_in_separate_stores_for_their_owner_alone(service: Service) -> None:
    """0600 files, and no slot byte within the body's file."""
    sealed = envelope()
    service.put(sealed)
    slots, body = service.files(sealed)
    assert sealed.purpose_slot not in body.read_bytes()
    assert {path.stat().st_mode & 0o777 for path in (slots, body)} == {0o600}


def test_files_tell_the_day_and_not_the_minute(service: Service) -> None:
    """A stored file's modification time is a midnight, in UTC."""
    sealed = envelope()
    service.put(sealed)
    assert all(int(path.stat().st_mtime) % 86_400 == 0 for path in service.files(sealed))


def test_equal_envelopes_at_once_make_one_object_and_one_201(service: Service) -> None:
    """Concurrent duplicates: one is created, every other one is known or asked to wait."""
    sealed = envelope()

    def put(_: int) -> int:
        while (status := httpx.put(f"{service.url}/v1/batches/{sealed.id}", content=sealed.raw, trust_env=False).status_code) == 503:
            pass
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(put, range(24)))
    assert sorted(statuses) == [200] * 23 + [201]


def _flip(sealed: Envelope, at: int) -> bytes:
    changed = bytearray(sealed.raw)
    changed[at] ^= 1
    return bytes(changed)


BAD: dict[str, Callable[[], bytes]] = {
    "another format": lambda: b"volens/2" + envelope().raw[8:],
    "empty": lambda: b"",
    "no envelope at all": lambda: b"{}" * 4000,
    "cut short": lambda: envelope().raw[:-1],
    "cut in its slots": lambda: envelope().raw[:1000],
    "one byte too long": lambda: envelope().raw + b"\0",
    "altered body": lambda: _flip(envelope(), -100),
    "altered slot": lambda: _flip(envelope(), 300),
    "altered signature": lambda: _flip(envelope(), -1),
    "altered pseudonym": lambda: _flip(envelope(), 10),
    "a purpose that the policy does not have": lambda: envelope(purpose="advertising").raw,
    "a key that is not the purpose's": lambda: envelope(key=stand.OTHER_KEY).raw,
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_no_good_envelope_is_refused_and_not_kept(service: Service, make: Callable[[], bytes]) -> None:
    """422 with what is wrong and what to do, nothing stored, nothing of it repeated."""
    raw = make()
    answer = service.client.put(_named(raw), content=raw)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "do"}
    assert not list((service.directory / "bodies").rglob(hashlib.sha256(raw).hexdigest()))
    assert stand.CANARY not in answer.content


def test_a_body_that_is_not_its_name_is_refused(service: Service) -> None:
    """A good envelope sent to another good envelope's name gets 422."""
    answer = service.client.put(f"/v1/batches/{envelope().id}", content=envelope().raw)
    assert answer.status_code == 422
    assert "SHA-256" in answer.json()["error"]


@pytest.mark.parametrize("name", ["x", "A" * 64, "0" * 63, "0" * 65, "..%2f" * 4, "0" * 63 + "%0a"])
def test_a_name_that_is_no_hash_is_refused(service: Service, name: str) -> None:
    """422, or 404 where it is not even one name; never a file."""
    assert service.client.put(f"/v1/batches/{name}", content=envelope().raw).status_code in (404, 422)


def test_a_body_over_the_bound_is_refused_by_its_announcement(service: Service) -> None:
    """413 before a byte of the body is sent."""
    announced = f"PUT /v1/batches/{'0' * 64} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_ENVELOPE_BYTES + 1}\r\n\r\n"
    assert service.raw(announced.encode()).startswith(b"HTTP/1.1 413")


def test_an_endless_chunked_body_is_cut_off_at_the_bound(service: Service) -> None:
    """413 while the sender is still sending: it is not read to its end, for it has none."""
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    with service.connect() as connection:
        connection.sendall(f"PUT /v1/batches/{'0' * 64} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(MAX_ENVELOPE_BYTES // 65536 + 1):
            connection.sendall(chunk)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_chunked_body_within_the_bound_is_taken(service: Service) -> None:
    """A proxy may have lost the length; the envelope is as good."""
    sealed = envelope()
    assert service.client.put(f"/v1/batches/{sealed.id}", content=iter([sealed.raw[:100], sealed.raw[100:]])).status_code == 201


def test_a_request_without_a_body_is_told_to_announce_one(service: Service) -> None:
    """411."""
    assert service.raw(f"PUT /v1/batches/{'0' * 64} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).startswith(b"HTTP/1.1 411")


def test_a_truncated_upload_leaves_nothing(service: Service) -> None:
    """The sender goes away in mid-body; no file and no row, and the same envelope is welcome later."""
    sealed = envelope()
    with service.connect() as connection:
        head = f"PUT /v1/batches/{sealed.id} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sealed.raw)}\r\n\r\n".encode()
        connection.sendall(head + sealed.raw[:3000])
    assert service.put(sealed).status_code == 201


def test_a_trickling_upload_is_ended(service: Service) -> None:
    """408 when the deadline has passed."""
    with service.connect() as connection:
        connection.sendall(f"PUT /v1/batches/{'0' * 64} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nvolens".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")


def test_more_uploads_than_places_are_asked_to_come_back(service: Service) -> None:
    """503 with Retry-After while others are in flight, and erasure goes on all the same."""
    held = [service.connect() for _ in range(2)]
    try:
        for connection in held:
            connection.sendall(
                f"PUT /v1/batches/{'0' * 64} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert connection.recv(64).startswith(b"HTTP/1.1 100")  # it has its place now
        answer = service.put(envelope())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert service.erase(stand.person(9)).status_code == 200
    finally:
        for connection in held:
            connection.close()


def test_a_full_disk_is_507_with_retry_after_and_keeps_nothing(tmp_path: Path) -> None:
    """Below the reserve nothing is stored, readiness says so, and erasing still works."""
    directory = stand.make(tmp_path, f"reserve_bytes = {2**60}\n")
    with stand.serving(directory) as full:
        answer = full.put(sealed := envelope())
        assert answer.status_code == 507
        assert int(answer.headers["retry-after"]) > 0
        assert not any(path.exists() for path in full.files(sealed))
        assert full.client.get("/readyz").json() == {"ready": False, "why": "disk full"}
        assert full.client.get("/healthz").status_code == 200
        assert full.erase(stand.person()).status_code == 200


def test_answers_are_small_json_also_where_no_route_is(service: Service) -> None:
    """404 and 405 have the same shape as every other refusal."""
    for method, path, status in (("GET", "/nix", 404), ("POST", f"/v1/batches/{'0' * 64}", 405), ("GET", f"/v1/batches/{'0' * 64}", 405)):
        answer = service.client.request(method, path)
        assert answer.status_code == status
        assert set(json.loads(answer.content)) == {"error", "do"}
