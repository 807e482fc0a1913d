"""The daemon killed before each of the calls that it makes for a pause, a forgetting or a no: kept, or never acknowledged.

INV-12, INV-13. The whole household of tests/nothing_lost/whole.py, which records nothing new meanwhile. The word comes on the control
socket, where the acknowledgement is what is heard; or by the command, which does it itself where the daemon dies: then it is always done.
What the acknowledgement covers is gone after the next start, at the latest; nothing else is lost.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from agent import clock, messages
from agent.channel import Channel
from agent.demo.wait import until
from agent.errors import NotRunning
from agent.record import FORGOTTEN
from agent.subject import Subject
from consent.vocabulary import State
from tests.consent_live.figures import Figures, times
from tests.consent_live.traced import Point, needs_strace, points, strace
from tests.nothing_lost.test_whole_kills import Household, household_in
from tests.nothing_lost.whole import QUIET

pytestmark = [needs_strace, pytest.mark.skipif(os.geteuid() != 0, reason="only root traces a daemon that is closed to others")]
PATIENCE_S = 20.0
"""A traced daemon is slow."""


@dataclass(frozen=True)
class Held:
    """What a state folder holds: instants of what is held, the days' envelopes, what the ledger says."""

    state: State
    minutes: int | None
    instants: frozenset[int]
    envelopes: int
    files: int
    noted: bool


def look(household: Household) -> Held:
    """Open the state as the next start does."""
    subject = Subject(household.places, clock.boot_id(), clock.read())
    try:
        choice = subject.record.choice
        assert not choice.purge_owed
        assert subject.tally.seen == subject.tally.total()
        assert subject.hold.recovered.quarantined == subject.outbox.damaged == 0 or choice.state is State.WITHDRAWN
        return Held(
            choice.state,
            choice.pause.minutes if choice.pause else None,
            frozenset(event.at.wall_ms for event in subject.held(clock.read(), None)),
            len(subject.outbox.waiting()),
            sum(one.is_file() for place in (household.places.hold, household.places.outbox) for one in place.iterdir()),
            any(entry.what == FORGOTTEN for entry in subject.record.entries),
        )
    finally:
        subject.close()


class Home:
    """A household, and its state as it was: two envelopes that wait, and held events before and after a moment."""

    def __init__(self, household: Household, folder: Path) -> None:
        self.traced = 0
        self.household, self.trace, self._template = household, folder / "trace", folder / "template"
        household.start()
        household.until_it_collects()
        household.kill("receiver")
        self._more(5)
        self._seal(messages.Send())
        self._more(5)
        self.moment_ms = clock.read().wall_ms
        self._more(5)
        later_ms = clock.read().wall_ms
        self._more(5)
        self._seal(messages.Send(from_wall_ms=later_ms))
        household.kill("daemon")
        household.env[QUIET] = "1"
        self.before = look(household)
        assert self.before.envelopes == 2
        shutil.copytree(household.places.state, self._template)

    def _more(self, events: int) -> None:
        before = self.household.status_now().hold.events
        until(lambda: self.household.status_now().hold.events >= before + events, "events in the hold", poll_s=0.1)

    def _seal(self, send: messages.Send) -> None:
        waiting = self.household.status_now().outbox.envelopes
        until(lambda: self.household.ask(send), "an answer")
        until(lambda: self.household.status_now().outbox.envelopes > waiting, "another envelope")

    def restore(self) -> None:
        """The state of then, and a daemon that records with nobody at work."""
        shutil.rmtree(self.household.places.state)
        shutil.copytree(self._template, self.household.places.state)
        self.household.start_daemon()
        self.household.until_it_collects()

    def run(self, act: str, point: Point | None, *, command: bool) -> tuple[bool, bool]:
        """The word, with the daemon killed at that point; whether it was killed, and whether somebody said that it is done."""
        self.restore()
        daemon = self.household.daemon
        assert daemon is not None
        tracer = Popen([*strace(self.trace, point, quiet=False), "-p", str(daemon.pid)], stdout=DEVNULL, stderr=PIPE)
        assert tracer.stderr is not None
        assert b"attached" in tracer.stderr.readline()
        self.traced = daemon.pid
        acknowledged = bool(self.household.say(*WORDS[act]).out) if command else self._ask(REQUESTS[act](self))
        killed = self._over(daemon, act, acknowledged)
        self.household.kill("daemon")
        tracer.stderr.close()
        tracer.wait(PATIENCE_S)
        return killed, acknowledged

    def _ask(self, request: messages.Request) -> bool:
        with suppress(NotRunning), Channel(self.household.places.socket, PATIENCE_S) as channel:
            return isinstance(channel.ask(request), messages.Done)
        return False

    def _over(self, daemon: "Popen[bytes]", act: str, acknowledged: bool) -> bool:
        """Whether it was killed: at once where nobody acknowledged; after a no it goes on to its own end; else it gets one more request."""
        if act == "withdraw" or not acknowledged:
            return daemon.wait(PATIENCE_S) != 0
        with suppress(NotRunning), Channel(self.household.places.socket, PATIENCE_S) as channel:
            channel.ask(messages.AskStatus())
        with suppress(Exception):
            daemon.wait(0.05)
        return daemon.poll() is not None


WORDS = {"pause": ["pause", "30"], "forget": ["forget", "--all"], "withdraw": ["consent", "withdraw"]}
REQUESTS: dict[str, Callable[[Home], messages.Request]] = {
    "pause": lambda home: messages.Pause(30),
    "forget": lambda home: messages.Forget(from_wall_ms=home.moment_ms),
    "withdraw": lambda home: messages.Withdraw(),
}


def check(home: Home, act: str, acknowledged: bool, *, command: bool) -> None:
    """Fail if a promise is broken by what was left."""
    after, before = look(home.household), home.before
    match act:
        case "pause":
            assert (after.instants, after.envelopes) == (before.instants, before.envelopes)
            assert (after.state, after.minutes) in {(State.PAUSED, 30), *([] if acknowledged else [(State.CONSENTED, None)])}
        case "forget":
            stays = frozenset() if command else frozenset(one for one in before.instants if one < home.moment_ms)
            assert after.state is State.CONSENTED
            assert stays <= after.instants <= before.instants, "something that the span does not cover is lost"
            if acknowledged:
                assert (after.instants, after.envelopes, after.noted) == (stays, 0 if command else 1, True)
        case "withdraw":
            if acknowledged or after.state is State.WITHDRAWN:
                assert (after.state, after.instants, after.envelopes, after.files) == (State.WITHDRAWN, frozenset(), 0, 0)
            else:
                assert (after.state, after.instants, after.envelopes) == (State.CONSENTED, before.instants, before.envelopes)


def kill_at(home: Home, act: str, point: Point, *, command: bool) -> bool:
    killed, acknowledged = home.run(act, point, command=command)
    try:
        assert killed or acknowledged
        assert acknowledged or not command, "the command did not do it where the daemon could not"
        check(home, act, acknowledged, command=command)
    except AssertionError as error:
        raise AssertionError(f"{act}, killed at {point}, {'' if acknowledged else 'not '}acknowledged: {error}") from error
    return killed


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    with household_in(folder) as household:
        yield Home(household, folder)


def every_point(home: Home, act: str) -> list[Point]:
    """Where the daemon can be killed; it is asked once to see."""
    _, acknowledged = home.run(act, None, command=False)
    check(home, act, acknowledged, command=False)
    assert acknowledged
    return points(home.trace, home.traced)


@pytest.mark.parametrize("act", REQUESTS)
def test_a_kill_of_the_daemon_leaves_the_decision_or_none(home: Home, act: str) -> None:
    """The short form: two seeded points of each, by hand and by the command."""
    rng = random.Random(act)
    for command in (False, True):
        kill_at(home, act, Point(rng.choice(["write", "fsync"]), rng.randrange(1, 4)), command=command)


@pytest.mark.soak
@pytest.mark.parametrize("act", REQUESTS)
def test_a_kill_of_the_daemon_at_each_call_leaves_the_decision_or_none(home: Home, act: str) -> None:
    """The long form: every point, and every third once more by the command; or as many as VOLENS_TIMES says."""
    found = every_point(home, act)
    found = random.Random(act).sample(found, min(len(found), times(len(found))))
    figures = Figures(f"kills of the daemon in {act}", len(found))
    killed = 0
    for number, point in enumerate(found):
        killed += kill_at(home, act, point, command=False)
        if number % 3 == 0:
            kill_at(home, act, point, command=True)
        figures.step()
    figures.say(f"{killed} kills at {len(found)} points")
    assert killed >= len(found) * 0.5, "too many points were never met again"
