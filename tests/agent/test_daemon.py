"""The daemon's core between indicator and hold: what an answer keeps, and what it does not."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import choosing, messages
from agent.daemon import Daemon
from agent.indicator import Indicator
from agent.permission import hours as hours_of
from agent.permission import words
from agent.policies import InForce
from collectors.pipe import Observed
from consent.event import Button, Clocks, Event, PointerButton
from consent.history import HOURS_CHOSEN, Choice
from consent.hours import parse as parse_hours
from consent.hours import within
from consent.policy import parse
from consent.vocabulary import AUTOMATIC_WORDS, Automatic, Blocker, Kind, State, SurfaceId, Why
from tests.agent.people import HOUR_MS, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

IN_FORCE = InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=at(0))


class Icon:
    """The daemon's end of an indicator's connection: what it was told."""

    def __init__(self) -> None:
        self.heard: list[messages.Answer] = []
        self.answered = 0

    def say(self, answer: messages.Answer) -> None:
        self.heard.append(answer)

    def close(self) -> None:
        """Nothing to close."""

    def unanswered(self) -> list[bytes]:
        """The challenges since it was last asked, in their order."""
        new = [one.nonce for one in self.heard if isinstance(one, messages.Challenge)][self.answered :]
        self.answered += len(new)
        return new


def answer(indicator: Indicator, icon: Icon, showing: State) -> None:
    for nonce in icon.unanswered():
        indicator.answered(icon, messages.Proven(nonce, "one", True, showing))  # type: ignore[arg-type]


@pytest.mark.parametrize(("shown", "held"), [(State.CONSENTED, 1), (State.PAUSED, 0), (State.BLOCKED, 0), (State.UNASKED, 0)])
def test_only_an_icon_that_shows_the_recording_lets_it_be_kept(tmp_path: Path, shown: State, held: int) -> None:
    """INV-3: a visible icon that answers in time, but shows something else, has shown nobody that this was recorded."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        daemon, icon = Daemon(subject, REGISTER, lambda: at(1), asyncio.get_running_loop()), Icon()
        daemon.indicator.attach(icon, messages.Attach("one", "tray"))  # type: ignore[arg-type]
        for _ in range(2):  # what it showed when it came, and what it was told to show then
            answer(daemon.indicator, icon, State.CONSENTED)
        daemon.policy, daemon.standing = IN_FORCE, recording(daemon.standing.generation)
        (click,) = clicks(1)
        event = type(click.event)(click.event.surface, daemon.standing.generation, click.event.at, 1, 1, click.event.payload)
        daemon._observed(Observed(daemon.standing.generation, 1, (event,), {}))
        daemon._ask()
        answer(daemon.indicator, icon, shown)
        tally = subject.tally
        assert (subject.hold.stats().events, tally.held, tally.pending) == (held, held, 0)
        assert tally.refused[Why.UNPROVEN] == 1 - held

    asyncio.run(run())


def test_a_change_of_what_is_shown_must_be_seen_before_it_counts() -> None:
    """A pause and a resume within one answer: the hook waits until the icon has shown that recording goes on."""

    async def run() -> None:
        icon = Icon()
        indicator = Indicator(lambda: at(1), asyncio.get_running_loop(), lambda _: None, lambda: None)
        for state in (State.CONSENTED, State.PAUSED, State.CONSENTED):
            indicator.show(messages.Appear(state, False, "", 0, None, None))
            if not icon.heard:
                indicator.attach(icon, messages.Attach("one", "tray"))  # type: ignore[arg-type]
                answer(indicator, icon, State.CONSENTED)
                assert indicator.proof.shows(State.CONSENTED)
        assert not indicator.proof.shows(State.CONSENTED)

    asyncio.run(run())


def test_a_kind_past_its_last_day_goes_at_midnight_and_no_clock_brings_it_back(tmp_path: Path) -> None:
    """The register's entry expires while the daemon runs: with the next group that is observed its kind is out of the scope, and so of
    every hook; set the wall clock back, here or before a restart, and it stays out (INV-5)."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        last = at(0).day
        register = {kind: replace(entry, expires=last if kind is Kind.KEY_CHORD else entry.expires) for kind, entry in REGISTER.items()}
        now = at(1)
        daemon = Daemon(subject, register, lambda: now, asyncio.get_running_loop())
        daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=now))
        assert Kind.KEY_CHORD in daemon.standing.scope.kinds()
        generation = daemon.standing.generation
        midnight = at(24 * 60)
        now = type(now)(midnight.awake_ms, midnight.boot_ms, midnight.wall_ms)
        daemon._observed(Observed(generation, 3, (), {Why.NO_KIND: 3}))
        assert Kind.KEY_CHORD not in daemon.standing.scope.kinds()
        assert Kind.POINTER_BUTTON in daemon.standing.scope.kinds()
        assert daemon.standing.generation > generation
        now = type(now)(now.awake_ms, now.boot_ms, at(2).wall_ms)
        daemon.reconsider()
        assert Kind.KEY_CHORD not in daemon.standing.scope.kinds()
        subject.close()
        later = Daemon(subject_in(tmp_path, at(3)), register, lambda: at(3), asyncio.get_running_loop())
        later.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=at(3)))
        assert Kind.KEY_CHORD not in later.standing.scope.kinds()

    asyncio.run(run())


def test_a_policy_that_is_taken_narrows_at_once_and_says_what_it_waits_for(tmp_path: Path) -> None:
    """What comes from the receiver goes through one door: held events that it no longer asks for are gone when it returns, hooks
    and children before them; what it asks for beyond the yes is off, and counted in the status. Without a policy nothing is destroyed."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        keep(subject, clicks(1), at(1))
        daemon = Daemon(subject, REGISTER, lambda: at(2), asyncio.get_running_loop())
        lease, order = datetime(2100, 1, 1, tzinfo=UTC), []
        daemon.ended.append(lambda: order.append(subject.hold.stats().events))
        daemon.take(InForce(blocker=Blocker.POLICY_REFUSED, why="unsigned"))
        daemon.take(InForce(POLICY, lease, verified=at(2)))
        assert (subject.hold.stats().events, daemon.waits()) == (1, ())
        other = parse(as_bytes(policy(version=2, surfaces=[surface(kinds=["key_chord", "focus"])])))
        order.clear()
        daemon.take(InForce(other, lease, verified=at(2)))
        assert subject.hold.stats().events == 0
        assert order in ([], [1])  # whatever ended, ended before anything was destroyed
        assert daemon.waits() == ("Editor: focus",)

    asyncio.run(run())


class Clock:
    """Clocks that a test moves."""

    def __init__(self, wall: str) -> None:
        self.now = Clocks(HOUR_MS, HOUR_MS, int(datetime.fromisoformat(wall).timestamp() * 1000))

    def __call__(self) -> Clocks:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        ms = int(minutes * 60_000)
        self.now = Clocks(self.now.awake_ms + ms, self.now.boot_ms + ms, self.now.wall_ms + ms)

    def set_wall(self, wall: str) -> None:
        self.now = Clocks(self.now.awake_ms, self.now.boot_ms, int(datetime.fromisoformat(wall).timestamp() * 1000))


def a_day_in(folder: Path, clock: Clock) -> Daemon:
    """A daemon of somebody who said yes to the usual hours."""
    subject = subject_in(folder, clock())
    say_yes(subject, clock(), hours="mon-fri 9:00-17:00 UTC")
    daemon = Daemon(subject, REGISTER, clock, asyncio.get_running_loop())
    daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=clock()))
    return daemon


def test_outside_the_hours_of_the_yes_the_person_is_exempt(tmp_path: Path) -> None:
    """Before nine and from five on, at weekends, and again inside on the next day; nobody is asked."""

    async def run() -> None:
        clock = Clock("2026-11-20T08:00:00Z")
        daemon, found = a_day_in(tmp_path, clock), []
        for minutes in (0, 60, 7 * 60 + 59, 1, 24 * 60, 39 * 60 + 59, 1, 60):
            clock.pass_minutes(minutes)
            daemon.reconsider()
            found.append((daemon.standing.state is State.EXEMPT, daemon.standing.because))
        outside = (True, (Automatic.OUTSIDE_HOURS,))
        assert found == [outside, (False, ()), (False, ()), outside, outside, outside, (False, ()), (False, ())]
        choosing.choose_hours(daemon.subject, parse_hours("mon-fri 14:00-15:00"), clock())
        daemon.reconsider()
        assert daemon.standing.because == (Automatic.OUTSIDE_HOURS,)

    asyncio.run(run())


def test_setting_the_wall_clock_never_opens_the_hours(tmp_path: Path) -> None:
    """INV-5: at night set to noon: closed, also for a daemon that is started again; at noon set to night: closed too."""

    async def run() -> None:
        clock = Clock("2026-11-20T20:00:00Z")
        daemon = a_day_in(tmp_path, clock)
        for wall in ("2026-11-20T12:00:00Z", "2026-11-23T12:00:00Z", "2026-11-16T09:00:00Z"):
            clock.set_wall(wall)
            daemon.reconsider()
            assert daemon.standing.because == (Automatic.OUTSIDE_HOURS,)
            daemon.subject.close()
            again = Daemon(subject_in(tmp_path, clock()), REGISTER, clock, asyncio.get_running_loop())
            again.take(daemon.policy)
            assert again.standing.because == (Automatic.OUTSIDE_HOURS,)

    asyncio.run(run())


def test_an_event_after_the_hours_ends_the_permission_before_it_is_judged(tmp_path: Path) -> None:
    """Whatever timer is late: the first thing that is seen after five is refused, and nothing of it is pending."""

    async def run() -> None:
        clock = Clock("2026-11-20T16:59:00Z")
        daemon, icon = a_day_in(tmp_path, clock), Icon()
        daemon.indicator.attach(icon, messages.Attach("one", "tray"))  # type: ignore[arg-type]
        for _ in range(2):
            answer(daemon.indicator, icon, State.CONSENTED)
        assert daemon.standing.open
        generation = daemon.standing.generation
        clock.pass_minutes(1)
        event = Event(SurfaceId("editor"), 1, clock(), generation, 1, PointerButton(3, 4, Button.LEFT, True))
        daemon._observed(Observed(generation, 1, (event,), {}))
        tally = daemon.subject.tally
        assert (daemon.standing.state, tally.pending, tally.refused[Why.EXEMPT]) == (State.EXEMPT, 0, 1)
        daemon.close()

    asyncio.run(run())


@pytest.mark.parametrize("ground", Automatic)
def test_a_fact_of_the_session_exempts_while_it_holds(tmp_path: Path, ground: Automatic) -> None:
    """It is in the status, it ends hooks with a new generation, and it ends by itself."""

    async def run() -> None:
        clock = Clock("2026-11-20T10:00:00Z")
        daemon = a_day_in(tmp_path, clock)
        before = daemon.standing
        choose = {Automatic.UNPLUGGED: choosing.choose_unplugged, Automatic.LINK_UNKNOWN: choosing.choose_unknown_link}.get(ground)
        if choose is not None:
            daemon.exempt(ground, holds=True)
            assert daemon.standing.state is before.state, "only whoever chose it"
            choose(daemon.subject, clock(), exempt=True)
        daemon.exempt(ground, holds=True)
        assert (daemon.standing.state, daemon.standing.because) == (State.EXEMPT, (ground,))
        assert daemon.standing.generation > before.generation
        assert AUTOMATIC_WORDS[ground] in words(daemon.standing)
        daemon.exempt(ground, holds=False)
        assert daemon.standing.state is before.state

    asyncio.run(run())


def test_hours_survive_a_restart_and_never_exceed_the_yes(tmp_path: Path) -> None:
    """What was chosen is in the ledger; more than the yes said has no effect; taken back, the hours of the yes hold."""
    clock = Clock("2026-11-20T18:00:00Z")
    subject = subject_in(tmp_path, clock())
    assert choosing.hours_words(subject) == "Nothing is recorded at any hour, because there is no consent."
    say_yes(subject, clock(), hours="mon-fri 9:00-17:00 UTC")
    for chosen, held in (("always", True), ("mon-fri 9:00-10:00", False), (None, True)):
        choosing.choose_hours(subject, parse_hours(chosen) if chosen else None, clock())
        subject.close()
        subject = subject_in(tmp_path, clock())
        every = hours_of(subject.record.choice, subject.record.receipt())
        noon = int(datetime.fromisoformat("2026-11-20T12:00:00Z").timestamp() * 1000)
        assert (within(every, [noon]), within(every, [clock().wall_ms])) == (held, False), chosen
    subject.close()


def test_hours_in_a_receipt_or_ledger_that_do_not_read_hold_at_no_time(tmp_path: Path) -> None:
    """A newer version may write what this one cannot read."""
    clock = Clock("2026-11-20T12:00:00Z")
    subject = subject_in(tmp_path, clock())
    say_yes(subject, clock())
    subject.record.note(HOURS_CHOSEN, clock(), {"hours": "every full moon"})
    assert not within(hours_of(subject.record.choice, subject.record.receipt()), [clock().wall_ms])
    assert not within(hours_of(Choice(), None), [clock().wall_ms])
    subject.close()
