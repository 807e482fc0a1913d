"""Clocks that were once wrong, and codes that nobody typed: neither may stay for ever."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent import messages
from agent.daemon import Daemon
from agent.policies import InForce
from agent.registering import Registering
from agent.uploading import Uploading
from consent.vocabulary import Automatic, Blocker
from tests.agent.people import POLICY, clicks, keep, say_yes, subject_in
from tests.agent.test_acknowledging import NOTICE, Machine
from tests.agent.test_daemon import Clock
from tests.register import REGISTER

YEARS_MIN = 3 * 365 * 24 * 60


def leased(clock: Clock) -> InForce:
    """A policy whose lease was signed by somebody with a right clock: it ends a day after the true time."""
    return InForce(POLICY, datetime.fromtimestamp(clock().wall_ms / 1000, UTC) + timedelta(days=1), verified=clock())


def test_a_wall_clock_that_was_years_ahead_once_takes_no_kind_away_for_ever(tmp_path: Path) -> None:
    """The register's kinds are those of the true day as soon as a lease is verified again, and what is held stays."""

    async def run() -> None:
        clock = Clock("2026-11-20T10:00:00Z")
        subject = subject_in(tmp_path, clock())
        say_yes(subject, clock())
        daemon = Daemon(subject, REGISTER, clock, asyncio.get_running_loop())
        daemon.take(leased(clock))
        keep(subject, clicks(1, 2), clock())
        clock.set_wall("2029-11-20T10:00:00Z")
        daemon.reconsider()
        assert Blocker.POLICY_EXPIRED in daemon.standing.blockers
        clock.set_wall("2026-11-20T11:00:00Z")
        daemon.take(leased(clock))
        assert daemon.today() <= datetime(2026, 11, 21, tzinfo=UTC).date()
        assert (subject.hold.stats().events, Blocker.NOTHING_AGREED in daemon.standing.blockers) == (2, False)
        subject.close()

    asyncio.run(run())


def test_a_daily_notice_is_due_on_each_true_day_though_the_clock_was_years_ahead_once(tmp_path: Path) -> None:
    """Read in the wrong year, due again on the true day; read then, and due on the next one."""

    async def run() -> None:
        clock = Clock("2029-11-20T10:00:00Z")
        subject = subject_in(tmp_path, clock())
        say_yes(subject, clock())
        daily = replace(POLICY, daily_notice=True)
        daemon = Daemon(subject, REGISTER, clock, asyncio.get_running_loop())
        found = []
        for wall in ("2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", "2026-11-22T10:00:00Z"):
            clock.set_wall(wall)
            daemon.take(replace(leased(clock), policy=daily))
            found.append(Blocker.NOTICE_DUE in daemon.standing.blockers)
            subject.acknowledge(NOTICE, clock(), daemon.local_day())
        assert found == [True, True, False, True]
        subject.close()

    asyncio.run(run())


def test_a_code_that_nobody_types_goes_from_the_screen(tmp_path: Path) -> None:
    """When the person says no, when a pause or a withdrawal comes between, and when its time is over."""

    async def run() -> None:
        machine = Machine(subject_in(tmp_path))
        machine.daemon.indicator.proof = replace(machine.daemon.indicator.proof, instance="one", showing=machine.daemon.standing.state)
        say_yes(machine.subject, machine.now)
        for no in (messages.EndAsking(), messages.Pause(30), messages.AskConsent(True)):
            before = machine.daemon.code
            assert isinstance(await machine.ask(messages.AskConsent(True)), messages.Offer)
            assert machine.daemon.code not in (None, before)
            await machine.ask(no)
            assert (machine.daemon.code is None) is not isinstance(no, messages.AskConsent)
        assert machine.answers._code_ends is not None
        machine.answers._code_ends._run()
        assert machine.daemon.code is None

    asyncio.run(run())


def test_hours_that_are_over_stop_what_would_leave_at_once(tmp_path: Path) -> None:
    """Asked again before sealing and before each upload: no event and no minute has to pass for it."""

    async def run() -> None:
        clock = Clock("2026-11-20T16:59:00Z")
        subject = subject_in(tmp_path, clock())
        say_yes(subject, clock(), hours="mon-fri 9:00-17:00 UTC")
        daemon = Daemon(subject, REGISTER, clock, asyncio.get_running_loop())
        daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=clock()))
        loop = asyncio.get_running_loop()
        uploading = Uploading(daemon, Registering(daemon, subject.places, clock, loop), subject.places, clock, loop)
        clock.pass_minutes(2)
        uploading._sealing(None)
        assert daemon.standing.because == (Automatic.OUTSIDE_HOURS,)
        assert uploading._permitted() == frozenset()
        subject.close()

    asyncio.run(run())
