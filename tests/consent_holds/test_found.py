"""What the state machine has found in the product, and rules that it takes long to miss, each as a test of its own."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import messages
from agent.daemon import Daemon
from agent.policies import InForce
from agent.registering import Registering
from agent.uploading import Uploading
from consent.event import Clocks
from consent.vocabulary import Blocker, State
from tests.agent.people import POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.agent.test_daemon import Icon, answer
from tests.register import REGISTER
from tests.transport.faults import full_disk

HOUR_MIN = 60


def _leased(now: Clocks, minutes: int) -> InForce:
    return InForce(POLICY, datetime.fromtimestamp(now.wall_ms / 1000 + minutes * 60, UTC), verified=now)


def _wall(now: Clocks, minutes: int) -> Clocks:
    """The same instant with another wall clock."""
    return Clocks(now.awake_ms, now.boot_ms, now.wall_ms + minutes * 60_000)


@pytest.mark.parametrize("again", [False, True])
def test_a_wall_clock_that_is_turned_back_does_not_bring_a_lease_back(tmp_path: Path, again: bool) -> None:
    """INV-5: a lease that was seen to end stays ended, also when the same metadata are verified again; a later lease opens."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        now = at(0)
        daemon = Daemon(subject, REGISTER, lambda: now, asyncio.get_running_loop())
        leased = _leased(now, HOUR_MIN)
        daemon.take(leased)
        assert Blocker.POLICY_EXPIRED not in daemon.facts().blockers
        now = _wall(at(1), 2 * HOUR_MIN)
        assert Blocker.POLICY_EXPIRED in daemon.facts().blockers
        now = at(2)
        if again:
            daemon.take(replace(leased, verified=now))
        assert Blocker.POLICY_EXPIRED in daemon.facts().blockers
        daemon.take(_leased(now, HOUR_MIN))
        assert Blocker.POLICY_EXPIRED not in daemon.facts().blockers

    asyncio.run(run())


def test_verifying_the_same_lease_again_under_a_turned_back_clock_wins_no_time(tmp_path: Path) -> None:
    """INV-5: without a network the cached metadata are judged every hour; what has elapsed since the first time still counts."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        now = at(0)
        daemon = Daemon(subject, REGISTER, lambda: now, asyncio.get_running_loop())
        leased = _leased(now, HOUR_MIN)
        daemon.take(leased)
        now = _wall(at(HOUR_MIN / 2), -10 * HOUR_MIN)
        daemon.take(replace(leased, verified=now))
        now = _wall(at(HOUR_MIN + 1), -10 * HOUR_MIN)
        assert Blocker.POLICY_EXPIRED in daemon.facts().blockers

    asyncio.run(run())


def test_an_icon_that_takes_anothers_place_begins_a_new_generation(tmp_path: Path) -> None:
    """INV-3: what was seen while the first icon was there is not proven by the second, though both honestly show the same."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        daemon, first, second = Daemon(subject, REGISTER, lambda: at(1), asyncio.get_running_loop()), Icon(), Icon()
        daemon.take(_leased(at(0), HOUR_MIN))
        daemon.appear()
        daemon.indicator.attach(first, messages.Attach("one", "tray"))  # type: ignore[arg-type]
        for _ in range(3):
            answer(daemon.indicator, first, daemon.standing.state)
        daemon.indicator.proof = replace(daemon.indicator.proof, showing=State.CONSENTED)
        before = daemon.standing.generation
        daemon.indicator.attach(second, messages.Attach("two", "tray"))  # type: ignore[arg-type]
        assert daemon.standing.generation > before
        assert not daemon.standing.open
        daemon.close()

    asyncio.run(run())


def test_a_purge_whose_end_cannot_be_written_down_hinders_nobody(tmp_path: Path) -> None:
    """A disk that fills up during a withdrawal: all is gone, the agent starts all the same, and the purge is owed till it is written."""
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    keep(subject, clicks(1), at(1))
    subject.withdraw(at(2))
    with full_disk(0):
        subject.purge(at(2))
    assert subject.hold.stats().events == 0
    assert subject.record.choice.purge_owed
    with full_disk(0):
        again = subject_in(tmp_path, at(3))
    assert (again.record.choice.state, again.record.choice.purge_owed) == (State.WITHDRAWN, True)
    again.purge(at(4))
    assert not again.record.choice.purge_owed


def test_a_purge_that_was_cut_short_is_done_before_anything_else_at_the_next_start(tmp_path: Path) -> None:
    """INV-13: what is withdrawn is gone when the agent has started, though the process died right after the answer."""
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    keep(subject, clicks(1), at(1))
    subject.withdraw(at(2))
    subject.close()
    assert list((tmp_path / "state" / "hold").glob("*.seg"))
    again = subject_in(tmp_path, at(3))
    assert not list((tmp_path / "state" / "hold").glob("*.seg"))
    assert not again.record.choice.purge_owed


def test_nothing_may_leave_in_a_pause_whatever_was_sealed_before(tmp_path: Path) -> None:
    """INV-8: the uploader asks what holds now, purpose by purpose, before each envelope."""

    async def run() -> None:
        subject, loop = subject_in(tmp_path), asyncio.get_running_loop()
        daemon = Daemon(subject, REGISTER, lambda: at(1), loop)
        daemon.policy = _leased(at(0), HOUR_MIN)
        uploading = Uploading(daemon, Registering(daemon, subject.places, lambda: at(1), loop), subject.places, lambda: at(1), loop)
        daemon.standing = recording()
        assert uploading._permitted() == frozenset(POLICY.purposes)
        daemon.standing = replace(recording(), state=State.PAUSED)
        assert uploading._permitted() == frozenset()

    asyncio.run(run())
