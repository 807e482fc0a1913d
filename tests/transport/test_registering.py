"""When a machine registers which day: a machine with every answer, loss, restart and clock, and what can be told from it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from transport import registering
from transport.enrolling import DeviceKey, Registered, day_of_identities
from transport.registering import DAY_S, REPEATED, Day, Standing, after, doubt, due, moment_s
from transport.registrations import Registrations

DEVICE = DeviceKey(b"d" * 32)
FIRST = date(2026, 11, 21)
NAMES = tuple(f"{n:064x}" for n in range(16))
ANSWERS = st.sampled_from(Registered)


def test_a_day_is_registered_at_once_and_the_next_at_the_devices_own_moment() -> None:
    """Before the moment only today; from then on tomorrow too, once."""
    assert due({}, FIRST, 0, 500) == [FIRST]
    done = {FIRST: after(Day(FIRST, NAMES), Registered.DONE, FIRST)}
    assert due(done, FIRST, 499, 500) == []
    assert due(done, FIRST, 500, 500) == [FIRST + timedelta(days=1)]
    both = done | {FIRST + timedelta(days=1): after(Day(FIRST + timedelta(days=1), NAMES), Registered.DONE, FIRST)}
    assert due(both, FIRST, 500, 500) == []


def test_the_last_days_are_registered_again_once_a_day_by_everyone() -> None:
    """So that a receiver that lost them has them back, and nobody stands out by asking; a doubted day, however old, goes with them."""
    days = {day: after(Day(day, NAMES), Registered.DONE, FIRST) for day in (FIRST + timedelta(days=n) for n in range(-20, 2))}
    tomorrow = FIRST + timedelta(days=1)
    assert due(days, tomorrow, 0, 500) == []
    again = due(days, tomorrow, 500, 500)
    assert again == [tomorrow + timedelta(days=1), *(tomorrow - timedelta(days=n) for n in range(REPEATED.days, -1, -1))]
    old = FIRST - timedelta(days=15)
    days[old] = doubt(days[old])
    assert due(days, tomorrow, 0, 500) == []
    assert old in due(days, tomorrow, 500, 500)
    assert not days[old].sendable
    assert after(days[old], Registered.DONE, tomorrow).sendable


@given(seed=st.binary(min_size=32, max_size=32), day=st.dates())
def test_a_devices_moment_is_of_that_day_and_its_own(seed: bytes, day: date) -> None:
    """It follows from device key and day alone, so a restart does not move it and nobody chooses it."""
    assert 0 <= moment_s(DeviceKey(seed), day) < DAY_S
    assert moment_s(DeviceKey(seed), day) == moment_s(DeviceKey(seed), day)


def test_moments_are_spread_over_the_day() -> None:
    """Over a thousand days the quarters of the day have a quarter each, about."""
    quarters = [moment_s(DEVICE, FIRST + timedelta(days=n)) * 4 // DAY_S for n in range(1000)]
    assert all(180 < quarters.count(quarter) < 320 for quarter in range(4))


class Machine(RuleBasedStateMachine):
    """Days pass, answers come or do not, the receiver loses what it had, the process starts again."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 21, 9, tzinfo=UTC)
        self.days: dict[date, Day] = {}
        self.sent: dict[date, tuple[str, ...]] = {}
        self.receiver: dict[date, tuple[str, ...]] = {}

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(consents=st.booleans(), answered=st.lists(st.booleans(), max_size=12))
    def registers(self, consents: bool, answered: list[bool]) -> None:
        """What is due is planned, written down and sent; each answer may be lost on its way."""
        today, second = self.now.date(), self.now.hour * 3600
        for day, heard in zip(due(self.days, today, second, moment_s(DEVICE, today)), answered, strict=False):
            own = [bytes([day.toordinal() % 256]) * 32] if consents else []
            seeds = [f"{day}{consents}{self.now}{n}".encode().ljust(32)[-32:] for n in range(16)]
            self.days.setdefault(day, Day(day, day_of_identities(own, seeds)))
            names = self.days[day].pseudonyms
            assert self.sent.setdefault(day, names) == names  # what was sent once is what is sent
            answer = Registered.DONE if self.receiver.setdefault(day, names) == names else Registered.TAKEN
            if heard:
                self.days[day] = after(self.days[day], answer, today)

    @rule(days=st.integers(1, 7))
    def the_receiver_goes_back_to_a_backup(self, days: int) -> None:
        """And then refuses what it does not know: the machine learns of it by an envelope of that day."""
        lost = [day for day in self.receiver if day > self.now.date() - timedelta(days=days)]
        for day in lost:
            del self.receiver[day]
            if self.days[day].standing is Standing.DONE:
                self.days[day] = doubt(self.days[day])

    @invariant()
    def nothing_is_sealed_before_its_identity_is_registered(self) -> None:
        for day, one in self.days.items():
            if one.sealable:
                assert day in self.receiver or one.doubted
                assert one.sealable == set(map(bytes.fromhex, self.sent[day]))

    @invariant()
    def nothing_is_sent_that_would_be_refused(self) -> None:
        assert all(day in self.receiver for day, one in self.days.items() if one.sendable)

    @invariant()
    def nothing_is_taken_that_was_never_lost_here(self) -> None:
        assert all(one.standing is not Standing.TAKEN for one in self.days.values())


TestMachine = Machine.TestCase


@given(st.lists(st.tuples(ANSWERS, st.booleans()), max_size=20))
def test_only_a_yes_of_the_receiver_lets_anything_be_sealed_or_sent(answers: list[tuple[Registered, bool]]) -> None:
    """Whatever else it answers, in whatever order; and a doubt stops sending until the next yes."""
    one, yes = Day(FIRST, NAMES), False
    for answer, doubted in answers:
        one = after(one, answer, FIRST)
        yes = yes or answer is Registered.DONE
        if doubted:
            one = doubt(one)
            assert not one.sendable
        assert yes or not (one.sealable or one.sendable)


def test_days_are_kept_sealed_and_only_for_this_device(tmp_path: Path) -> None:
    """They come back after a restart; no pseudonym is readable on the disk; another device reads none, and old ones go."""
    kept = Registrations(tmp_path / "r", DEVICE)
    days = [after(Day(FIRST - timedelta(days=n), NAMES), Registered.DONE, FIRST) for n in (0, 1, 60)]
    for one in days:
        kept.keep(one)
    assert Registrations(tmp_path / "r", DEVICE).days == {one.day: one for one in days}
    raw = b"".join(path.read_bytes() for path in (tmp_path / "r").iterdir())
    assert not any(name.encode() in raw or bytes.fromhex(name) in raw for name in NAMES[3:])
    again = Registrations(tmp_path / "r", DEVICE)
    again.drop_old(FIRST)
    assert set(Registrations(tmp_path / "r", DEVICE).days) == {FIRST, FIRST - timedelta(days=1)}
    assert Registrations(tmp_path / "r", DeviceKey(b"e" * 32)).days == {}
    assert list((tmp_path / "r").iterdir()) == []


def test_a_damaged_day_is_planned_anew(tmp_path: Path) -> None:
    """A bit that flipped on the disk costs that day, nothing else."""
    kept = Registrations(tmp_path / "r", DEVICE)
    for n in (0, 1):
        kept.keep(Day(FIRST + timedelta(days=n), NAMES))
    path = tmp_path / "r" / f"{FIRST}.day"
    raw = bytearray(path.read_bytes())
    raw[20] ^= 1
    path.write_bytes(raw)
    assert set(Registrations(tmp_path / "r", DEVICE).days) == {FIRST + timedelta(days=1)}


def test_a_day_has_everybodys_number() -> None:
    """One fewer is no day: a file that says so is not believed."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(Day(FIRST, NAMES[:-1])), type=registering.Day)
