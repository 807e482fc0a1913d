"""A person records their own session: root is nobody, and another account's session is not one's own."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.daemon import Daemon
from agent.policies import InForce
from agent.session import foreign
from consent.vocabulary import Blocker, State
from tests.agent.people import POLICY, at, say_yes, subject_in
from tests.register import REGISTER

ME, OTHER = 1234, 4321


def test_root_is_nobody() -> None:
    """Whatever session it is in."""
    assert foreign(0, {}) == "root is nobody's account"


@pytest.mark.parametrize("name", ["SUDO_UID", "PKEXEC_UID"])
def test_who_was_started_by_another_account_is_refused(name: str) -> None:
    """sudo and pkexec leave who called; the own number is nothing foreign."""
    assert foreign(ME, {name: str(OTHER)}) == "another account has started this"
    assert foreign(ME, {name: str(ME)}) is None


def test_a_session_of_another_account_is_refused(tmp_path: Path) -> None:
    """By the owner of its runtime folder, and by what logind wrote down; what cannot be told is not held against anybody."""
    owner = tmp_path.stat().st_uid
    assert foreign(owner + 1, {"XDG_RUNTIME_DIR": str(tmp_path)}) == "the session belongs to another account"
    assert foreign(ME, {"XDG_RUNTIME_DIR": str(tmp_path / "gone"), "XDG_SESSION_ID": "7"}, tmp_path) is None
    (tmp_path / "7").write_text(f"# private\nUID={OTHER}\nUSER=other\n")
    assert foreign(ME, {"XDG_SESSION_ID": "7"}, tmp_path) == "the session belongs to another account"
    assert foreign(OTHER, {"XDG_SESSION_ID": "7"}, tmp_path) is None
    assert foreign(ME, {"XDG_SESSION_ID": "../7"}, tmp_path) is None


def test_in_a_foreign_session_nothing_is_recorded_whatever_was_agreed(tmp_path: Path) -> None:
    """A yes that was given elsewhere is no yes of whoever sits here; and no resume clears it."""

    async def run() -> None:
        subject = subject_in(tmp_path)
        say_yes(subject, at(0))
        daemon = Daemon(subject, REGISTER, lambda: at(1), asyncio.get_running_loop())
        daemon.foreign = "the session belongs to another account"
        daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=at(0)))
        daemon.unblock()
        assert daemon.standing.state is State.BLOCKED
        assert Blocker.FOREIGN_SESSION in daemon.standing.blockers

    asyncio.run(run())
