"""What age does: retention, forgetting, and another policy."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from receiver import fleet_rows, tables
from receiver.accept import Before, Outcome, settle
from receiver.check import check
from receiver.erasure import Wish
from receiver.retention import due_before, forgetting, last_day_kept
from tests.receiver import stand
from tests.receiver.inside import Inside, publish
from tests.receiver.stand import OTHER_KEY, PURPOSE, envelope, person
from transport.identity import EpochIdentity

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """A trial receiver; its policy keeps a batch for 30 days."""
    opened = Inside.open(stand.make(tmp_path), NOW)
    yield opened
    opened.close()


def test_a_batch_is_gone_when_its_retention_is_over(inside: Inside) -> None:
    """Kept through the thirtieth day, destroyed on the one after, slots and body; and it does not come back."""
    sealed = envelope()
    assert inside.put(sealed, NOW) is Outcome.STORED
    assert inside.do_chores(NOW + 30 * DAY).expired == 0
    assert len(inside.files(sealed)) == 2
    assert inside.do_chores(NOW + 31 * DAY).expired == 1
    assert inside.files(sealed) == []
    assert inside.put(sealed, NOW + 31 * DAY) is Outcome.ERASED


def test_check_says_when_retention_is_not_enforced(inside: Inside) -> None:
    """A receiver whose chores do not run is found out."""
    inside.put(envelope(), NOW)
    assert check(inside.site, NOW.date()).wrong == ()
    (wrong,) = check(inside.site, (NOW + 32 * DAY).date()).wrong
    assert "its retention ended" in wrong


@pytest.mark.parametrize(("days", "gone_after"), [(5, 6), (300, 31)])
def test_a_later_policy_shortens_what_is_kept_and_never_lengthens_it(inside: Inside, tmp_path: Path, days: int, gone_after: int) -> None:
    """What a subject agreed to is the most: retention of 300 days published afterwards changes nothing for this batch."""
    sealed = envelope()
    inside.put(sealed, NOW)
    publish(inside.site.directory, stand.policy().replace(b'"retention_days": 30', b'"retention_days": %d' % days), tmp_path / "new", NOW)
    assert inside.do_chores(NOW + (gone_after - 1) * DAY).expired == 0
    assert inside.do_chores(NOW + gone_after * DAY).expired == 1


@given(st.integers(1, 3650), st.integers(1, 3650), st.integers(0, 8000))
def test_nothing_is_kept_longer_than_both_policies_allow(then_days: int, now_days: int, age_days: int) -> None:
    """Due exactly when it is older than the shorter of the two."""
    stored = date(2026, 1, 1)
    today = stored + timedelta(days=age_days)
    due = last_day_kept(stored, then_days) < today or stored < due_before({"p": now_days}, today)["p"]
    assert due is (age_days > min(then_days, now_days))


@given(late=st.integers(1, 366), backups=st.integers(0, 366), age=st.integers(0, 800))
def test_a_wish_is_remembered_as_long_as_a_backup_can_hold_what_it_erased(late: int, backups: int, age: int) -> None:
    """And an identity as long as it may send."""
    today = date(2028, 1, 1)
    horizon = forgetting(today, late_days=late, backups_kept_days=backups)
    asked = today - timedelta(days=age)
    assert asked < horizon.wishes_from or age <= backups + 1
    assert not (asked < horizon.wishes_from and age <= backups)
    assert not (asked < horizon.identities_from and age <= late)


def test_what_only_refuses_is_forgotten_when_nothing_is_left_to_refuse(tmp_path: Path) -> None:
    """A fleet's registrations, tombstones, erased rows and log entries go with the days they were for; the rest stays."""
    directory, _ = stand.make_fleet(tmp_path)
    inside = Inside.open(directory, NOW)
    secret = os.urandom(32)
    who, late = (EpochIdentity.derive(secret, day=(NOW + n * DAY).date(), purpose=PURPOSE, n=0) for n in (0, 40))
    with inside.site.engine.begin() as connection:
        for number, signer in enumerate((who, late)):
            key = bytes(31) + bytes([number])
            token = fleet_rows.add_token(connection, str(number), "", NOW.date())
            fleet_rows.enrol(connection, key, token.id, NOW.date())
            fleet_rows.register(connection, key, (NOW + (0, 40)[number] * DAY).date(), [signer.pseudonym])
    sealed, coming = envelope(who), envelope(late)
    assert inside.put(sealed, NOW) is Outcome.STORED
    inside.depot.erase(Wish(who.pseudonym, None), NOW)
    inside.depot.erase(Wish(late.pseudonym, (coming.id,)), NOW + 40 * DAY)
    tables_of_refusal = (tables.identity, tables.registration, tables.erasure, tables.forbidden, tables.batch)
    assert _counts(inside, tables_of_refusal) == [2, 2, 2, 2, 1]
    assert inside.do_chores(NOW + 33 * DAY).forgotten == 1
    assert _counts(inside, tables_of_refusal) == [1, 1, 1, 1, 0]
    assert len(list(inside.site.log.names())) == 1
    assert inside.put(sealed, NOW + 33 * DAY) is Outcome.UNREGISTERED
    assert inside.put(coming, NOW + 41 * DAY) is Outcome.ERASED
    inside.close()


def _counts(inside: Inside, of: tuple[sa.Table, ...]) -> list[int]:
    with inside.site.engine.connect() as connection:
        return [connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in of]


def test_a_policy_that_is_published_is_in_force_at_once(tmp_path: Path) -> None:
    """No restart: another key is accepted from the next upload on, and what was sealed to the one before still is."""
    directory = stand.make(tmp_path)
    old, new = envelope(), envelope(key=OTHER_KEY)
    import base64

    policy = stand.policy().replace(base64.b64encode(stand.PURPOSE_KEY.public.raw), base64.b64encode(OTHER_KEY.public.raw))
    with stand.serving(directory) as service:
        assert service.put(envelope()).status_code == 201
        assert service.put(new).status_code == 422
        publish(directory, policy, tmp_path / "new", datetime.now(UTC))
        assert service.put(new).status_code == 201
        assert service.put(old).status_code == 201
        assert service.client.get("/readyz").status_code == 200


def test_a_policy_that_does_not_hold_changes_nothing_and_is_said(tmp_path: Path) -> None:
    """The one before stays in force; readiness names the policy, and no lease is signed on it."""
    directory = stand.make(tmp_path)
    with stand.serving(directory) as service:
        assert service.put(envelope()).status_code == 201
        publish(directory, stand.policy().replace(b"Example", b"Another"), tmp_path / "new", datetime.now(UTC))
        (directory / "tuf" / "metadata" / "1.snapshot.json").write_bytes(b"{}")
        (directory / "tuf" / "metadata" / "again").touch()
        assert service.put(envelope()).status_code == 201
        assert service.client.get("/readyz").json() == {"ready": False, "why": "policy"}


@given(sealed_after=st.integers(-60, 60), still=st.booleans())
def test_a_key_of_before_is_good_for_what_was_sealed_before(sealed_after: int, still: bool) -> None:
    """Up to its last day, by the day that the pseudonym is registered for; the key in force for every day."""
    last = date(2026, 11, 21)
    before = Before(stored=False, erased=False, day=last + timedelta(days=sealed_after))
    outcome = settle(before, None if still else last)
    assert outcome is (Outcome.STORED if still or sealed_after <= 0 else Outcome.STALE_KEY)


def test_a_key_is_let_go_the_day_after_another_took_its_place(tmp_path: Path) -> None:
    """A fleet's envelope sealed on a later day to the key of before is refused."""
    import base64

    directory, _ = stand.make_fleet(tmp_path)
    inside = Inside.open(directory, NOW)
    secret = os.urandom(32)
    signers = [EpochIdentity.derive(secret, day=(NOW + n * DAY).date(), purpose=PURPOSE, n=0) for n in (1, 2)]
    with inside.site.engine.begin() as connection:
        for n, signer in enumerate(signers, 1):
            connection.execute(sa.insert(tables.identity).values(pseudonym=signer.pseudonym, day=(NOW + n * DAY).date()))
    inside.terms(NOW.date())
    other = base64.b64encode(OTHER_KEY.public.raw)
    publish(directory, stand.policy().replace(base64.b64encode(stand.PURPOSE_KEY.public.raw), other), tmp_path / "new", NOW)
    outcomes = [inside.put(envelope(signer), NOW) for signer in signers]
    assert outcomes == [Outcome.STORED, Outcome.STALE_KEY]
    assert inside.put(envelope(signers[1], key=OTHER_KEY), NOW) is Outcome.STORED
    assert inside.put(envelope(person()), NOW) is Outcome.UNREGISTERED
    inside.close()
