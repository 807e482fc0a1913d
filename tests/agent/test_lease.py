"""A lease that was once over stays over: no clock that is put back opens it again, only a lease that ends later."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.daemon import Daemon
from agent.policies import InForce
from agent.subject import Subject
from consent.event import Clocks
from consent.vocabulary import Blocker
from tests.agent.people import POLICY, at, say_yes, subject_in
from tests.agent.test_narrowing import load
from tests.register import REGISTER
from tests.trust import Repository

BEFORE, ENDS, AFTER = 30, 60, 90
"""Minutes."""


def _instant(minutes: float) -> datetime:
    return datetime.fromtimestamp(at(minutes).wall_ms / 1000, UTC)


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    return made


def test_a_lease_that_was_seen_to_be_over_is_never_believed_again(subject: Subject) -> None:
    """INV-5, also over a restart: put back before its end, the clock finds it ended; a lease that ends later opens again."""
    repository = Repository(expires=_instant(ENDS))
    found = repository.build()
    assert load(subject, found, BEFORE).policy is not None
    assert load(subject, found, AFTER).blocker is Blocker.POLICY_EXPIRED
    assert load(subject, found, BEFORE).blocker is Blocker.POLICY_EXPIRED
    subject.close()
    again = Subject(subject.places, subject.boot, at(BEFORE))
    ended = load(again, found, BEFORE)
    assert (ended.policy, ended.blocker) == (None, Blocker.POLICY_EXPIRED)
    later = replace(repository, expires=_instant(ENDS) + timedelta(hours=1), versions=repository.versions | {"timestamp": 2}).build()
    assert load(again, later, BEFORE).policy is not None


def test_a_disk_that_refuses_does_not_let_a_lease_begin_again(subject: Subject) -> None:
    """What could not be written down holds for as long as the daemon lives."""
    subject.places.floors.unlink(missing_ok=True)
    subject.places.floors.mkdir()
    found = Repository(expires=_instant(ENDS)).build()
    assert load(subject, found, AFTER).blocker is Blocker.POLICY_EXPIRED
    assert load(subject, found, BEFORE).blocker is Blocker.POLICY_EXPIRED


def test_a_running_daemon_s_lease_ends_once(subject: Subject) -> None:
    """The wall clock leaps ahead of the lease's end and back while the daemon runs: from the first on there is no policy."""

    async def run() -> None:
        now = [at(1)]
        daemon = Daemon(subject, REGISTER, lambda: now[0], asyncio.get_running_loop())
        daemon.take(InForce(POLICY, _instant(ENDS), verified=at(1)))
        assert daemon.facts().policy is not None
        for minutes in (AFTER, BEFORE):
            now[0] = replace_wall(minutes)
            daemon.reconsider()
            facts = daemon.facts()
            assert facts.policy is None
            assert Blocker.POLICY_EXPIRED in facts.blockers

    def replace_wall(minutes: float) -> Clocks:
        return Clocks(at(1).awake_ms, at(1).boot_ms, at(minutes).wall_ms)

    asyncio.run(run())
