"""The notice is read before anything is collected: once, or on each day; and no clock that is turned back makes a day's notice read."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import messages
from agent.answers import Answers
from agent.consenting import offer
from agent.daemon import Daemon
from agent.permission import Facts, standing
from agent.policies import InForce
from agent.settings import Settings
from agent.subject import Subject
from agent.today import Latest, Today
from consent.event import Clocks
from consent.history import NOTICE_ACKNOWLEDGED, Choice
from consent.notice import LANGUAGE
from consent.policy import Policy, parse
from consent.receipt import ConsentReceipt
from consent.vocabulary import Automatic, Blocker, State
from tests.agent.people import BOOT, POLICY, at, places_in, say_yes, subject_in
from tests.agent.test_permission import consented
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

DAILY = parse(as_bytes(policy(notice="daily")))
LEASE = datetime(2100, 1, 1, tzinfo=UTC)
DAY_MIN = 24 * 60.0
NOTICE = offer(POLICY, REGISTER).notice_sha256


def utc_day(wall_ms: int) -> date:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).date()


def acknowledgements(subject: Subject) -> list[dict[str, object]]:
    return [entry.data for entry in subject.record.entries if entry.what == NOTICE_ACKNOWLEDGED]


class Machine:
    """A daemon without a display, on clocks that a test sets."""

    def __init__(self, subject: Subject, published: Policy = POLICY) -> None:
        self.now = at(1)
        self.subject = subject
        self.daemon = Daemon(subject, REGISTER, lambda: self.now, asyncio.get_running_loop())
        keeper = SimpleNamespace(pid=0)
        self.answers = Answers(self.daemon, SimpleNamespace(wake=lambda: None, waits=None), keeper, lambda: self.now)
        self.daemon.exempt(Automatic.NOT_TOLD_YET, holds=False)  # nothing tells of this session
        self.daemon.take(InForce(published, LEASE, verified=self.now))

    async def ask(self, request: messages.Request) -> messages.Answer:
        heard: list[messages.Answer] = []
        await self.answers._serve(SimpleNamespace(say=heard.append), request)
        return heard[0]

    def due(self) -> bool:
        """Whether the day's notice stands against collecting, asked as every observed group asks."""
        self.daemon._begin_day()
        self.daemon.reconsider()
        return Blocker.NOTICE_DUE in self.daemon.standing.blockers


def test_an_acknowledgement_is_a_record_of_its_own_and_no_yes(tmp_path: Path) -> None:
    """Hash of the notice, its language, time and day are in the ledger; the standing stays what it was."""
    subject = subject_in(tmp_path)
    assert "no yes" in subject.acknowledge(NOTICE, at(3))
    (entry,) = subject.record.entries
    assert (entry.what, entry.at) == (NOTICE_ACKNOWLEDGED, at(3))
    assert entry.data == {"notice": NOTICE, "language": LANGUAGE, "day": subject.record.today(at(3)).isoformat()}
    assert subject.record.choice.state is State.UNASKED
    subject.acknowledge(NOTICE, at(4))
    assert len(acknowledgements(subject)) == 1, "the same notice on the same day is one record"


def test_what_was_acknowledged_is_known_after_a_restart_and_ends_with_a_no(tmp_path: Path) -> None:
    """The ledger tells it; a new yes after a withdrawal needs a new reading."""
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    subject.close()
    again = Subject(places_in(tmp_path), BOOT, at(1))
    assert again.record.choice.acknowledged == {NOTICE}
    again.withdraw(at(2))
    assert again.record.choice.acknowledged == frozenset()


def test_only_the_very_notice_that_is_on_offer_can_be_acknowledged(tmp_path: Path) -> None:
    """Another hash, or a notice that changed since it was shown: refused, and nothing is written."""

    async def run() -> None:
        machine = Machine(subject_in(tmp_path))
        assert isinstance(await machine.ask(messages.Acknowledge("00" * 32)), messages.Refused)
        machine.daemon.take(InForce(parse(as_bytes(policy(version=2, surfaces=[surface(name="Other")]))), LEASE, verified=machine.now))
        assert isinstance(await machine.ask(messages.Acknowledge(NOTICE)), messages.Refused)
        assert acknowledgements(machine.subject) == []
        machine.daemon.take(InForce(POLICY, LEASE, verified=machine.now))
        assert isinstance(await machine.ask(messages.Acknowledge(NOTICE)), messages.Done)
        assert len(acknowledgements(machine.subject)) == 1
        machine.daemon.take(InForce(blocker=Blocker.POLICY_MISSING, why="none"))
        assert isinstance(await machine.ask(messages.Acknowledge(NOTICE)), messages.Refused)

    asyncio.run(run())


def test_a_yes_comes_after_the_reading(tmp_path: Path) -> None:
    """With the right code and a live icon, but without the acknowledgement: no yes is taken; with it, it is."""

    async def run() -> None:
        machine = Machine(subject_in(tmp_path))
        machine.daemon.indicator = SimpleNamespace(  # type: ignore[assignment]
            proof=SimpleNamespace(live=True, form="tray", shows=lambda state: False), show=lambda appear: None
        )
        asked = await machine.ask(messages.AskConsent(begin=True))
        assert isinstance(asked, messages.Offer)
        yes = messages.GiveConsent(machine.daemon.code, frozenset(asked.purposes), frozenset(asked.kinds), asked.notice_sha256)
        refused = await machine.ask(yes)
        assert isinstance(refused, messages.Refused)
        assert "not acknowledged" in refused.what
        assert machine.subject.record.choice.state is State.UNASKED
        await machine.ask(messages.Acknowledge(asked.notice_sha256))
        assert isinstance(await machine.ask(yes), messages.Given)

    asyncio.run(run())


@pytest.mark.parametrize("asked_by", ["policy", "receipt", "settings"])
def test_a_daily_notice_is_due_once_on_each_day_whoever_asks_for_it(tmp_path: Path, asked_by: str) -> None:
    """Due after midnight, not due again on that day, whether the policy, the promise of the receipt or this machine asks for it."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        if asked_by == "settings":
            subject.settings = Settings(daily_notice=True)
        if asked_by == "receipt":
            promised = subject.record.receipt()
            subject.record.receipt = lambda: replace_daily(promised)  # type: ignore[method-assign]
        machine = Machine(subject, DAILY if asked_by == "policy" else POLICY)
        assert not machine.due()
        machine.now = at(DAY_MIN)
        assert machine.due()
        assert not machine.daemon.collecting
        sha256 = (await machine.ask(messages.AskConsent(begin=False))).notice_sha256
        assert isinstance(await machine.ask(messages.Acknowledge(sha256)), messages.Done)
        assert not machine.due()
        machine.now = at(DAY_MIN + 20)
        assert not machine.due()
        machine.now = at(2 * DAY_MIN)
        assert machine.due()

    asyncio.run(run())


def replace_daily(receipt: ConsentReceipt) -> ConsentReceipt:
    return msgspec.structs.replace(receipt, daily_notice=True)


def test_a_notice_that_is_shown_once_is_never_due_again(tmp_path: Path) -> None:
    """The default: acknowledged before the yes, and that is all."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        machine = Machine(subject)
        machine.now = at(400 * DAY_MIN)
        assert not machine.due()

    asyncio.run(run())


def test_a_clock_that_is_turned_back_does_not_make_today_s_notice_read(tmp_path: Path) -> None:
    """INV-5: yesterday's acknowledgement does not count again, whether the clock goes back while the daemon runs or between two runs."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        machine = Machine(subject, DAILY)
        machine.now = at(DAY_MIN)
        assert machine.due()
        back = Clocks(machine.now.awake_ms + 1000, machine.now.boot_ms + 1000, at(2).wall_ms)
        machine.now = back
        assert machine.due()
        subject.close()
        machine = Machine(Subject(places_in(tmp_path), "boot-2", at(3)), DAILY)
        machine.now = at(4)
        assert machine.due()

    asyncio.run(run())


def test_with_a_clock_that_stands_the_day_ends_all_the_same() -> None:
    """A wall clock that is set back again and again: elapsed time goes on, and the next day comes after at most 24 hours."""
    today = Today(Latest(), utc_day)
    first = today.at(at(0))
    for hour in range(1, 25):
        now = today.at(Clocks(at(0).awake_ms, at(0).boot_ms + hour * 3_600_000, at(0).wall_ms))
    assert now == first + timedelta(days=1)


def test_after_a_restart_time_goes_on_from_the_latest_that_was_believed() -> None:
    """The clock was set back by days while nothing ran: not only is the old day kept, the next one comes when it must."""
    today = Today(Latest(at(0).wall_ms, utc_day(at(0).wall_ms)), utc_day)
    days = [today.at(Clocks(hour * 3_600_000, hour * 3_600_000, at(-9 * DAY_MIN).wall_ms)) for hour in (0, 25)]
    assert days == [utc_day(at(0).wall_ms), utc_day(at(DAY_MIN).wall_ms)]


def test_while_the_day_is_not_known_its_notice_was_not_read() -> None:
    """Fail closed: an acknowledgement of some day says nothing of a day that nobody knows."""
    read = Choice(State.CONSENTED, acknowledged=frozenset({NOTICE}), noticed=date(2027, 1, 15))
    facts = Facts(read, receipt=consented(POLICY), policy=POLICY, daily_notice=True)
    assert Blocker.NOTICE_DUE in standing(facts, 1).blockers
    assert Blocker.NOTICE_DUE not in standing(replace(facts, today=date(2027, 1, 15)), 1).blockers


_INSTANTS = st.lists(st.tuples(st.integers(0, 90 * 60_000), st.integers(1_700_000_000_000, 1_900_000_000_000)), min_size=1, max_size=12)


@given(_INSTANTS, st.integers(-1, 1))
def test_no_day_comes_back_whatever_the_clock_says(steps: list[tuple[int, int]], zone: int) -> None:
    """For any wall clock, any change of zone in mid-way and any restart from what was kept: the days that are said never fall."""
    latest, boot_ms, said = Latest(), 0, []
    today = Today(latest, utc_day)
    for index, (elapsed_ms, wall_ms) in enumerate(steps):
        boot_ms += elapsed_ms
        if index == len(steps) // 2:
            moved = zone * 12 * 3_600_000
            today = Today(today.latest, lambda wall_ms, moved=moved: utc_day(wall_ms + moved))  # type: ignore[misc]
        said.append(today.at(Clocks(boot_ms, boot_ms, wall_ms)))
    assert said == sorted(said)


def test_the_choice_of_a_policy_is_once_or_daily_and_the_notice_says_it() -> None:
    """Another word is refused; a daily notice tells its reader that it comes back."""
    assert (POLICY.daily_notice, DAILY.daily_notice) == (False, True)
    assert replace(DAILY, daily_notice=False) == POLICY
    texts = [" ".join(offer(each, REGISTER).notice.split()) for each in (POLICY, DAILY)]
    assert ["On each day you are shown this notice again" in text for text in texts] == [False, True]
