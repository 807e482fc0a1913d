"""The daemon's core between indicator and hold: what an answer keeps, and what it does not."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import messages
from agent.daemon import Daemon
from agent.indicator import Indicator
from agent.policies import InForce
from collectors.pipe import Observed
from consent.policy import parse
from consent.vocabulary import Blocker, State, Why
from tests.agent.people import POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER


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
        daemon.standing = recording(daemon.standing.generation)
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
