"""Enrolled machines and the real receiver: they join, register every day alike, and send only under identities that are registered."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from agent import enrolment
from agent.daemon import Daemon
from agent.errors import CannotDo
from agent.places import Places
from agent.policies import InForce
from agent.registering import Registering
from agent.settings import Settings
from agent.subject import Subject
from agent.uploading import Uploading
from consent.event import Button, Clocks, Event, PointerButton
from consent.gate import Admitted, decide
from consent.vocabulary import Purpose, SurfaceId
from tests.agent.people import BOOT, keep, places_in, recording, say_yes
from tests.agent.senders import POLICY
from tests.receiver import stand
from tests.register import REGISTER
from transport.enrolling import EnrolmentError
from transport.enrolment_proof import IDENTITIES_A_DAY
from transport.erasing import Asking
from transport.identity import EpochIdentity
from transport.registering import DAY_S
from transport.span import Everything

TODAY = datetime.now(UTC).date()


@dataclass
class Fleet:
    """A receiver that is no trial, and a token."""

    service: stand.Service
    token: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.service.directory / "volens.db")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory, token = stand.make_fleet(tmp_path_factory.mktemp("fleet"))
    with stand.serving(directory) as service:
        yield Fleet(service, token)


class Machine:
    """One machine: its state on a disk, a clock that the test turns, and the parts of a daemon that enrol, register, seal and send."""

    def __init__(self, folder: Path, receiver: str | None, *, trial: bool = False) -> None:
        self.places: Places = places_in(folder)
        self.settings = Settings(receiver, trial=trial)
        self.ahead = timedelta()
        self.subject = Subject(self.places, BOOT, self.read(), self.settings)

    def read(self) -> Clocks:
        wall_ms = int((datetime.now(UTC) + self.ahead).timestamp() * 1000)
        return Clocks(wall_ms - 1_700_000_000_000, wall_ms - 1_700_000_000_000, wall_ms)

    def works(self) -> None:
        """A click, kept."""
        clicked = Event(SurfaceId("editor"), 1, self.read(), 1, 1, PointerButton(3, 4, Button.LEFT, True))
        keep(self.subject, [one for one in [decide(clicked, recording())] if isinstance(one, Admitted)], self.read())

    def enrol(self, token: str) -> str:
        return enrolment.enrol(self.places, self.settings, token, TODAY)

    def run(self, work: Callable[[Registering, Uploading], Awaitable[object]]) -> object:
        """Do something with the parts of a daemon that was just started."""

        async def within() -> object:
            loop = asyncio.get_running_loop()
            daemon = Daemon(self.subject, REGISTER, self.read, loop)
            daemon.policy, daemon.standing = InForce(POLICY), recording()
            daemon.reconsider = lambda: None  # type: ignore[method-assign]  # what holds here is that
            registering = Registering(daemon, self.places, self.read, loop)
            uploading = Uploading(daemon, registering, self.places, self.read, loop)
            try:
                return await work(registering, uploading)
            finally:
                uploading._carrier.abort()

        return asyncio.run(within())

    def register(self, *, ahead: bool = True) -> object:
        return self.run(lambda registering, _: registering.once(ahead=ahead))

    def waits(self) -> object:
        """What `volens status` would say of what stays held, once a day's registration was tried."""

        async def work(registering: Registering, uploading: Uploading) -> str | None:
            await registering.once()
            return uploading.waits

        return self.run(work)

    def send(self) -> object:
        """Register what is due, end the hold of everything, and let it leave; what the person is told."""

        async def work(registering: Registering, uploading: Uploading) -> str:
            await registering.once(ahead=True)
            try:
                said = await uploading.send_now(Everything())
            except CannotDo as error:
                said = str(error)
            await uploading._send()
            return said

        return self.run(work)


def test_two_machines_that_consent_and_do_not_register_alike(fleet: Fleet, tmp_path: Path) -> None:
    """By number, days and order nobody can tell who said yes: also not who withdrew, nor from what each machine sends."""
    before = len(fleet.rows("SELECT * FROM identity"))
    machines = [Machine(tmp_path / name, fleet.service.url) for name in ("yes", "no", "withdrew")]
    say_yes(machines[0].subject, machines[0].read())
    say_yes(machines[2].subject, machines[2].read())
    machines[2].subject.withdraw(machines[2].read())
    for machine in machines:
        machine.enrol(fleet.token)
        assert machine.register() is True
    rows = fleet.rows("SELECT device, day, identities FROM registration ORDER BY day")
    days = {device: [(day, n) for one, day, n in rows if one == device] for device, _, _ in rows}
    assert list(days.values()) == [[(str(TODAY), IDENTITIES_A_DAY), (str(TODAY + timedelta(days=1)), IDENTITIES_A_DAY)]] * 3
    assert len(fleet.rows("SELECT * FROM identity")) - before == 3 * 2 * IDENTITIES_A_DAY
    stored = [fleet.rows(f"SELECT pseudonym FROM identity WHERE day = '{TODAY}'")]
    assert stored == [sorted(stored[0])]


def test_what_is_kept_leaves_under_a_registered_identity(fleet: Fleet, tmp_path: Path) -> None:
    """Enrolled with a consent: today's pseudonym is registered before anything is sealed, and the receiver takes it in."""
    machine = Machine(tmp_path, fleet.service.url)
    say_yes(machine.subject, machine.read())
    machine.works()
    not_enrolled = "this machine is not enrolled, so the receiver takes nothing in; enrol it: volens enroll"
    assert (machine.send(), machine.waits()) == (not_enrolled, not_enrolled)
    machine.enrol(fleet.token)
    assert machine.waits() is None
    assert machine.send() == "Sealed, and leaving now: 1 envelope."
    assert (machine.subject.hold.stats().events, machine.subject.outbox.waiting(), machine.subject.sent().batches) == (0, [], 1)


def test_a_consent_at_noon_waits_for_a_day_that_has_its_identities(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's and tomorrow's were registered before the yes: what is kept stays held, is honestly said to, and leaves after that."""
    machine = Machine(tmp_path, fleet.service.url)
    machine.enrol(fleet.token)
    machine.register()
    say_yes(machine.subject, machine.read())
    machine.works()
    assert machine.send() == "this machine's identities for today are registered without yours; it stays held for a day or two"
    assert (machine.subject.hold.stats().events, machine.subject.outbox.waiting()) == (1, [])
    monkeypatch.setattr("transport.registering.moment_s", lambda device, day: DAY_S)
    late = Machine(tmp_path / "late", fleet.service.url)  # the same on a machine whose tomorrow was not registered yet
    late.enrol(fleet.token)
    late.register(ahead=False)
    say_yes(late.subject, late.read())
    late.works()
    late.register()
    late.ahead = timedelta(days=1)
    assert late.send() == "Sealed, and leaving now: 1 envelope."
    assert late.subject.sent().batches == 1


def test_an_envelope_that_a_restored_receiver_does_not_know_waits_and_leaves(fleet: Fleet, tmp_path: Path) -> None:
    """403: it is not destroyed, not set aside, not sent again and again; its day is registered again in its turn, then it leaves."""
    machine = Machine(tmp_path, fleet.service.url)
    say_yes(machine.subject, machine.read())
    machine.enrol(fleet.token)
    machine.register()
    _lose(fleet)
    machine.works()
    assert machine.send() == "Sealed, and leaving now: 1 envelope."
    stats = machine.subject.outbox.stats()
    assert (stats.envelopes, stats.rejected, machine.subject.sent().batches) == (1, 0, 0)
    machine.run(lambda _, uploading: uploading._send())
    assert machine.subject.sent().batches == 0
    machine.ahead = timedelta(days=1)
    machine.send()
    assert (machine.subject.outbox.waiting(), machine.subject.sent().batches) == ([], 1)


def _lose(fleet: Fleet) -> None:
    with closing(sqlite3.connect(fleet.service.directory / "volens.db")) as connection, connection:
        connection.execute("DELETE FROM registration")
        connection.execute("DELETE FROM identity")


def test_the_same_registration_is_repeated_until_it_is_answered(fleet: Fleet, tmp_path: Path) -> None:
    """Without a receiver it is written down and kept; a restart sends exactly that."""
    machine = Machine(tmp_path, fleet.service.url)
    machine.enrol(fleet.token)
    known = enrolment.read(machine.places.enrolment)
    assert known is not None
    nobody = "http://127.0.0.1:9"
    enrolment._write(machine.places, enrolment.Enrolment(known.device, nobody, TODAY))
    machine.subject.close()
    assert Machine(tmp_path, nobody).register() is False
    enrolment._write(machine.places, known)
    planned: list[object] = []

    async def look(registering: Registering, _: Uploading) -> None:
        registering._find_device()
        planned.append(registering._days()[TODAY].pseudonyms)
        await registering.once(ahead=True)
        planned.append(registering._days()[TODAY].pseudonyms)
        assert registering.why_not(TODAY) is None

    machine.run(look)
    assert planned[0] == planned[1]


def test_a_machine_that_was_put_out_says_so_and_joins_again(fleet: Fleet, tmp_path: Path) -> None:
    """The receiver does not know the device any more: what is kept stays held, and says what to do."""
    machine = Machine(tmp_path, fleet.service.url)
    say_yes(machine.subject, machine.read())
    machine.enrol(fleet.token)
    with closing(sqlite3.connect(fleet.service.directory / "volens.db")) as connection, connection:
        connection.execute("DELETE FROM device")
    machine.works()
    assert machine.send() == "the receiver does not know this machine any more; enrol it again: volens enroll"
    machine.enrol(fleet.token)
    assert machine.send() == "Sealed, and leaving now: 1 envelope."


def test_a_machine_whose_state_was_set_back_seals_nothing_under_what_is_not_registered(fleet: Fleet, tmp_path: Path) -> None:
    """409: others of this device are registered for today; it waits for a day of which it knows what it registered."""
    machine = Machine(tmp_path, fleet.service.url)
    say_yes(machine.subject, machine.read())
    machine.enrol(fleet.token)
    machine.register(ahead=False)
    (machine.places.registrations / f"{TODAY}.day").unlink()
    machine.works()
    assert str(machine.send()).startswith("today's identities were registered before this machine's state was set back; ")
    assert machine.subject.hold.stats().events == 1
    machine.ahead = timedelta(days=1)
    machine.send()
    assert machine.subject.sent().batches == 1


def test_a_trial_registers_nothing_and_sends(tmp_path: Path) -> None:
    """Its keys are thrown away; nothing is asked for but the envelope."""
    with stand.serving(stand.make(tmp_path)) as service:
        machine = Machine(tmp_path / "m", service.url, trial=True)
        say_yes(machine.subject, machine.read())
        machine.works()
        assert machine.send() == "Sealed, and leaving now: 1 envelope."
        assert machine.subject.sent().batches == 1
        assert not machine.places.registrations.exists()
        with pytest.raises(CannotDo, match="a local trial needs no enrolment"):
            machine.enrol("a" * 52)


def test_enrolling_again_is_the_same_device(fleet: Fleet, tmp_path: Path) -> None:
    """An answer that was lost is asked for again with the same key; a lost state makes a new one."""
    machine = Machine(tmp_path, fleet.service.url)
    machine.enrol(fleet.token)
    first = enrolment.read(machine.places.enrolment)
    machine.enrol(f" {fleet.token.upper()[:20]} {fleet.token[20:]}\n")
    assert enrolment.read(machine.places.enrolment) == first
    machine.places.enrolment.unlink()
    machine.enrol(fleet.token)
    assert enrolment.read(machine.places.enrolment) != first


def test_a_bad_token_is_refused_in_words_and_enrols_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """Unknown, expired, malformed, or no receiver at all: each its own line, without the token in it."""
    machine = Machine(tmp_path, fleet.service.url)
    for token, words in (
        ("a" * 52, "the fleet token is unknown; ask"),
        ("a" * 51, "that is no fleet token: one has 52"),
        ("", "that is no"),
    ):
        with pytest.raises(EnrolmentError, match=words) as refused:
            machine.enrol(token)
        assert token == "" or token not in str(refused.value)
    with closing(sqlite3.connect(fleet.service.directory / "volens.db")) as connection, connection:
        connection.execute("UPDATE fleet_token SET last_day = ?", (date(2020, 1, 1),))
    with pytest.raises(EnrolmentError, match="the fleet token is expired; ask"):
        machine.enrol(fleet.token)
    known = enrolment.read(machine.places.enrolment)
    assert known is not None
    assert known.enrolled_on is None
    with pytest.raises(EnrolmentError, match="cannot be reached"):
        Machine(tmp_path / "b", "http://127.0.0.1:9").enrol(fleet.token)
    with pytest.raises(CannotDo, match="no receiver is configured"):
        Machine(tmp_path / "c", None).enrol(fleet.token)


def test_an_erasure_that_is_refused_keeps_no_other_waiting(fleet: Fleet, tmp_path: Path) -> None:
    """Askings of an identity that this machine does not have any more stay; whatever lies behind them is asked for all the same."""
    machine = Machine(tmp_path, fleet.service.url)
    say_yes(machine.subject, machine.read())
    keys = machine.subject.record.sealing_keys()
    assert keys is not None
    own = EpochIdentity.derive(keys.identity_secret, day=TODAY, purpose=stand.PURPOSE, n=1).pseudonym
    machine.subject.erasures.ask([Asking(TODAY.isoformat(), Purpose(stand.PURPOSE), 1, own, None)])
    foreign = (Asking(TODAY.isoformat(), Purpose(stand.PURPOSE), 1, bytes([n]) * 32, None) for n in count())
    while machine.subject.erasures.pending()[0].asking.pseudonym == own:  # their order is that of hashes
        machine.subject.erasures.ask([next(foreign)])
    owed_to_others = len(machine.subject.erasures.pending()) - 1
    machine.run(lambda _, uploading: uploading.erase())
    assert own not in [owed.asking.pseudonym for owed in machine.subject.erasures.pending()]
    assert len(machine.subject.erasures.pending()) == owed_to_others
