"""The X server under a running agent is killed and started again; its icon and its children are killed again and again."""

from collections.abc import Iterator

import psutil
import pytest

from agent.demo.acts import canaries, open_applications
from agent.demo.clock import elapsed_s, rest
from agent.demo.person import Person
from agent.demo.truth import Phase, Truth
from agent.demo.wait import until
from agent.restarts import PAUSES_S
from consent.vocabulary import State
from tests.agent.life import Desk, Life, a_desk, a_life
from tests.live.desktop import dead_server, restart_server

pytestmark = pytest.mark.live
KILLS = 20
RETURNS_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with a_desk() as made:
        yield made


@pytest.fixture
def life(desk: Desk) -> Iterator[Life]:
    with a_life(desk) as made:
        yield made


def kept(life: Life, at_least: int) -> None:
    """Wait until so many events are held and nothing is pending."""
    life.until(lambda status: status.hold.events >= at_least and status.tally.pending == 0, "events in the hold")


@pytest.mark.soak
def test_an_icon_that_is_killed_again_and_again_is_said_and_comes_back(desk: Desk, life: Life) -> None:
    """Nothing is recorded without it, it returns later each time, `status` says so, and with another proof recording goes on."""
    for _ in range(KILLS):
        tray = until(lambda: next(iter(life.children("tray")), None), "the icon", within_s=RETURNS_WITHIN_S)
        observers = life.children("observer")
        desk.person.key("escape")  # nobody is absent
        tray.kill()
        psutil.wait_procs([tray, *observers], timeout=10)
        assert not any(one.is_running() for one in observers)
    status = life.status()
    assert (status.standing, status.collecting, "no_indicator" in status.why) == (State.BLOCKED, False, True)
    assert f"the icon ended {KILLS} times in a row" in status.words
    print(status.words)
    until(lambda: life.status().collecting, "the next icon", within_s=RETURNS_WITHIN_S)
    desk.work()
    kept(life, 4)


@pytest.mark.soak
def test_an_observer_that_is_killed_again_and_again_ends_in_blocked_until_a_resume(desk: Desk, life: Life) -> None:
    """Six SIGKILLs: started again five times, later each time; then `status` says blocked and why, and a resume begins anew."""
    for _ in range(len(PAUSES_S) + 1):
        life.until(lambda status: status.collecting, "the recording")
        (observer,) = life.children("observer")
        observer.kill()
        psutil.wait_procs([observer], timeout=10)
    status = life.until(lambda status: "not started again" in status.words, "the end of the crash loop")
    assert (status.standing, "observer_failing" in status.why) == (State.BLOCKED, True)
    assert "the observer ended by signal 9" in status.words
    assert {part.state for part in status.collectors} == {"dead"}
    assert all("signal 9" in part.why for part in status.collectors)
    assert "not started again" in life.say("status").out.replace("\n", " ")
    assert life.say("status").code == 6
    rest(1.0)
    assert life.children("observer") == []
    assert life.say("resume").code == 0
    life.subject.wait_collecting()


def test_an_x_server_that_ends_and_another_that_begins(desk: Desk, life: Life) -> None:
    """Blocked as `display_gone` with nothing lost, and nothing kept in between; on the next server of that number recording
    goes on by itself, with another icon's proof and a hook of its own."""
    desk.work()
    kept(life, 4)
    life.until(lambda status: status.tally.pending == 0, "the end of what is under way")
    rest(1.5)
    before, trays = life.held(), [one.pid for one in life.children("tray")]
    with dead_server(desk.stage):
        blocked = life.until(lambda status: "display_gone" in status.why, "the block")
        assert (blocked.standing, blocked.collecting, life.children("observer")) == (State.BLOCKED, False, [])
        assert {part.state for part in blocked.collectors} == {"dead"}
        assert life.say("status").code == 6
        assert life.held()[: len(before)] == before
        assert {event["kind"] for event in life.held()[len(before) :]} <= {"control", "gap", "focus"}
        rest(1.0)
        assert life.children("observer") == []
    stage = restart_server(desk.stage)
    began_s = elapsed_s()
    person = Person(stage.display, Truth(phase=Phase.BEFORE))
    desk.stage, desk.acts = stage, open_applications(stage, person, canaries())
    until(lambda: life.status().collecting, "the recording", within_s=RETURNS_WITHIN_S)
    print(f"recording again {elapsed_s() - began_s:.1f} s after the X server")
    life.subject.wait_collecting()
    assert [one.pid for one in life.children("tray")] != trays
    held = len(life.held())
    desk.work()
    kept(life, held + 4)
    assert life.held()[: len(before)] == before
