"""Joining with a token, registering a day's identities without the link, and what that means for envelopes."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.enrolment import Token, check_registration, let_in
from receiver.errors import Refused
from tests.receiver import stand
from tests.receiver.stand import PURPOSE, Service, answered, envelope, run
from transport.enrolling import (
    DeviceKey,
    EnrolmentError,
    Registered,
    check_enrolled,
    day_of_identities,
    enrolment_request,
    own_identities,
    registered_of,
    registration_request,
)
from transport.enrolment_proof import IDENTITIES_A_DAY, enrolment_message, registration_message
from transport.identity import EpochIdentity

TODAY = datetime.now(UTC).date()


@dataclass
class Fleet:
    """A receiver that is no trial, and its token."""

    service: Service
    token: str

    def enrol(self, device: DeviceKey, token: str | None = None) -> httpx.Response:
        return self.service.ask(enrolment_request(1, self.service.url, token or self.token, device))

    def register(self, device: DeviceKey, day: date, pseudonyms: tuple[str, ...]) -> httpx.Response:
        return self.service.ask(registration_request(1, self.service.url, device, day, pseudonyms))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.service.directory / "volens.db")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Not a trial."""
    directory, token = stand.make_fleet(tmp_path_factory.mktemp("fleet"))
    with stand.serving(directory) as service:
        yield Fleet(service, token)


def seeds() -> list[bytes]:
    """Fresh randomness for a day."""
    return [os.urandom(32) for _ in range(IDENTITIES_A_DAY)]


def consenting(secret: bytes, day: date = TODAY) -> tuple[EpochIdentity, tuple[str, ...]]:
    """Today's signer of somebody who consented, and what their machine registers."""
    own = own_identities(secret, day=day, purposes=[PURPOSE], consent=0)
    return EpochIdentity.derive(secret, day=day, purpose=PURPOSE, n=0), day_of_identities(own, seeds())


def test_an_enrolled_device_registers_and_its_subject_sends(fleet: Fleet) -> None:
    """Enrolled, registered, stored; and each of them again gives the same without doing it twice."""
    device, secret = DeviceKey(os.urandom(32)), os.urandom(32)
    signer, pseudonyms = consenting(secret)
    sealed = envelope(signer)
    assert fleet.service.put(sealed).status_code == 403
    assert fleet.register(device, TODAY, pseudonyms).status_code == 403
    assert [fleet.enrol(device).status_code for _ in range(2)] == [201, 200]
    assert [fleet.register(device, TODAY, pseudonyms).status_code for _ in range(2)] == [201, 200]
    assert [fleet.service.put(sealed).status_code for _ in range(2)] == [201, 200]
    assert registered_of(answered(fleet.register(device, TODAY, day_of_identities((), seeds())))) is Registered.TAKEN


def test_an_envelope_of_a_pseudonym_that_nobody_registered_is_refused(fleet: Fleet) -> None:
    """403, nothing is kept, and it is welcome once its day is registered."""
    device, secret = DeviceKey(os.urandom(32)), os.urandom(32)
    signer, pseudonyms = consenting(secret, TODAY - timedelta(days=3))  # a long weekend without network
    sealed = envelope(signer)
    fleet.enrol(device)
    assert fleet.service.put(sealed).status_code == 403
    assert not any(path.exists() for path in fleet.service.files(sealed))
    assert fleet.register(device, TODAY - timedelta(days=3), pseudonyms).status_code == 201
    assert fleet.service.put(sealed).status_code == 201


def test_no_row_ties_an_identity_to_a_device(fleet: Fleet) -> None:
    """With the device stay day and count, with the identity its day; what is in a registration is in no other row."""
    device = DeviceKey(os.urandom(32))
    fleet.enrol(device)
    pseudonyms = day_of_identities((), seeds())
    fleet.register(device, TODAY, pseudonyms)
    columns = {table: {row[1] for row in fleet.rows(f"PRAGMA table_info({table})")} for table in ("device", "registration", "identity")}
    assert columns == {
        "device": {"key", "token", "enrolled_on"},
        "registration": {"device", "day", "identities"},
        "identity": {"pseudonym", "day"},
    }
    key = device.public.hex()
    assert fleet.rows(f"SELECT day, identities FROM registration WHERE hex(device) = upper('{key}')") == [(str(TODAY), IDENTITIES_A_DAY)]
    assert len(fleet.rows(f"SELECT * FROM identity WHERE hex(pseudonym) = upper('{pseudonyms[0]}')")) == 1


def test_what_is_kept_of_a_token_lets_nobody_in(fleet: Fleet) -> None:
    """A dump has the digest only."""
    stored = b"".join((fleet.service.directory / name).read_bytes() for name in ("volens.db", "volens.db-wal"))
    assert fleet.token.encode() not in stored
    assert hashlib.sha256(fleet.token.encode()).hexdigest().encode() in stored


def test_a_revoked_token_lets_nobody_in_and_can_put_out_whom_it_let_in(fleet: Fleet) -> None:
    """Revoking is for new devices; with --with-devices those that came with it register nothing more."""
    directory = fleet.service.directory
    created = run("token", "create", directory, "--note", "lost")
    token, number = created.stdout.splitlines()[-1], created.stdout.split()[1].rstrip(",")
    device = DeviceKey(os.urandom(32))
    assert fleet.enrol(device, token).status_code == 201
    assert run("token", "revoke", directory, number).returncode == 0
    assert f"{number}\trevoked\t" in run("token", "list", directory).stdout
    refused = fleet.enrol(DeviceKey(os.urandom(32)), token)
    assert (refused.status_code, refused.json()["error"]) == (403, "the fleet token is revoked")
    with pytest.raises(EnrolmentError, match="the fleet token is revoked; ask"):
        check_enrolled(answered(refused))
    assert fleet.register(device, TODAY, day_of_identities((), seeds())).status_code == 201
    assert run("token", "revoke", directory, number, "--with-devices").returncode == 0
    assert fleet.register(device, TODAY + timedelta(days=1), day_of_identities((), seeds())).status_code == 403
    assert run("token", "revoke", directory, "999").stderr.startswith("volens-receiver: there is no token 999; ")


@pytest.mark.parametrize("text", ["", "x", "A" * 52, "a" * 51, "a" * 52])
def test_a_made_up_token_lets_nobody_in(fleet: Fleet, text: str) -> None:
    """403 or 422, and none of it is repeated."""
    device = DeviceKey(os.urandom(32))
    answer = fleet.service.ask(enrolment_request(1, fleet.service.url, text, device))
    assert answer.status_code in (403, 422)
    assert text == "" or len(text) < 9 or text not in answer.text


def test_a_token_is_good_through_its_last_day() -> None:
    """And not a day longer; nor with another device's signature."""
    device = DeviceKey(bytes(32))
    token = Token(1, "", TODAY, None)
    signature = device.sign(enrolment_message("t"))
    assert let_in(token, TODAY, text="t", device=device.public, signature=signature) is token
    for bad, today, key, text in (
        (token, TODAY + timedelta(days=1), device.public, "t"),
        (Token(1, "", TODAY, TODAY), TODAY, device.public, "t"),
        (None, TODAY, device.public, "t"),
        (token, TODAY, DeviceKey(bytes([1]) * 32).public, "t"),
        (token, TODAY, device.public, "u"),
    ):
        with pytest.raises(Refused) as refused:
            let_in(bad, today, text=text, device=key, signature=signature)
        assert refused.value.status == 403


@given(offset=st.integers(-40, 5), count=st.integers(0, 20), forged=st.booleans())
def test_a_registration_is_everyones_number_near_today_and_signed(offset: int, count: int, forged: bool) -> None:
    """Any other number, day or signature is refused."""
    device, day = DeviceKey(bytes(32)), TODAY + timedelta(days=offset)
    pseudonyms = [f"{n:064x}" for n in range(count)]
    signature = device.sign(registration_message(day, pseudonyms)) if not forged else bytes(64)
    try:
        check_registration(device=device.public, day=day, pseudonyms=pseudonyms, signature=signature, today=TODAY, late_days=31)
        accepted = True
    except Refused:
        accepted = False
    assert accepted is (count == IDENTITIES_A_DAY and -31 <= offset <= 1 and not forged)


def test_who_consents_registers_what_everybody_registers() -> None:
    """The same number, hexadecimal, sorted; made-up ones are as good points as real ones; and the own ones are among them."""
    secret = os.urandom(32)
    signer, mine = consenting(secret)
    nobodys = day_of_identities((), seeds())
    for registered in (mine, nobodys):
        assert len(set(registered)) == IDENTITIES_A_DAY
        assert list(registered) == sorted(registered)
    assert signer.pseudonym.hex() in mine
    assert EpochIdentity.derive(secret, day=TODAY, purpose=PURPOSE, n=1).pseudonym.hex() in mine
    with pytest.raises(EnrolmentError):
        own_identities(secret, day=TODAY, purposes=[f"p{n}" for n in range(9)], consent=0)


def test_erasures_of_made_up_pseudonyms_leave_nothing(fleet: Fleet) -> None:
    """The proof holds, the receipt is signed, and no row, log entry or tombstone comes of it."""
    stranger = stand.person(77)
    assert fleet.service.erase(stranger).json()["receipt"]["erased"] == 0
    assert fleet.service.erase(stranger, [f"{n:064x}" for n in range(100)]).status_code == 200
    for table in ("erasure", "forbidden"):
        assert fleet.rows(f"SELECT * FROM {table} WHERE hex(pseudonym) = upper('{stranger.pseudonym.hex()}')") == []
    assert not [path for path in (fleet.service.directory / "erasures").rglob("*") if path.is_file()]


def test_a_pseudonym_cannot_fill_the_receiver_with_ids_to_refuse(fleet: Fleet) -> None:
    """Beyond 20,000 named ids it is told to have everything erased, which is one tombstone."""
    device, secret = DeviceKey(os.urandom(32)), os.urandom(32)
    signer, pseudonyms = consenting(secret)
    fleet.enrol(device)
    fleet.register(device, TODAY, pseudonyms)
    starts = range(0, 21_000, 1_000)
    statuses = [fleet.service.erase(signer, [f"{n:064x}" for n in range(start, start + 1_000)]).status_code for start in starts]
    assert statuses == [200] * 20 + [422]
    assert fleet.service.erase(signer).status_code == 200


def test_a_trial_asks_for_no_registration(tmp_path: Path) -> None:
    """Its keys are thrown away and nobody else reaches it."""
    with stand.serving(stand.make(tmp_path)) as service:
        assert service.put(envelope()).status_code == 201
