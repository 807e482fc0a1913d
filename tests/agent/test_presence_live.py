"""A real agent on a real desktop whose screen is locked, sleeps, or is looked at from elsewhere: nothing of that time is ever seen."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.budget import Level
from agent.demo.clock import rest
from agent.demo.wait import until
from consent.vocabulary import Kind, State
from tests.agent.buses import BATTERY, BATTERY_PATH, LOGIN1, LOGIN1_MANAGER, SAVER, UPOWER, Desktop, a_desktop
from tests.agent.life import Desk, Life, a_desk, a_life, start
from tests.live.desktop import program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with a_desk() as made:
        yield made


@pytest.fixture
def on_its_bus(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services that the test plays are on the desk's bus, which is the system's there, too."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desk.stage.bus)


def worked(life: Life) -> None:
    """Work that is held, after what is held already."""
    before = life.status().hold.events
    life.desk.work()
    life.until(lambda status: status.hold.events >= before + 4 and status.tally.pending == 0, "events in the hold")
    rest(2.0)  # the last group is answered, too


def nothing_while_exempt(life: Life, ground: str) -> None:
    """The observer is gone, the reason is in the status, and work is not even counted."""
    until(lambda: not life.children("observer"), "the end of the observer")
    seen, held = life.status().tally.seen, life.held()  # what was under way when it ended is counted, and refused
    life.desk.work()
    status = life.status()
    assert (status.standing, status.collecting, status.tally.seen, life.children("observer")) == (State.EXEMPT, False, seen, [])
    assert ground in status.why
    assert life.held() == held
    assert life.say("status").code == 5


@pytest.mark.usefixtures("on_its_bus")
@pytest.mark.parametrize("ground", ["locked", pytest.param("asleep", marks=pytest.mark.soak)])
def test_nothing_is_seen_between_lock_and_unlock(desk: Desk, ground: str) -> None:
    """Locked by a screen saver, or put to sleep by logind, with clicks in between: 0 of them; afterwards it goes on by itself."""

    async def begin(services: Desktop, holds: bool) -> None:
        if ground == "locked":
            await services.save(holds)
        else:
            await services.say("/org/freedesktop/login1", LOGIN1_MANAGER, "PrepareForSleep", "b", (holds,))

    async def run(life: Life) -> None:
        async with a_desktop(SAVER, LOGIN1) as services:
            await asyncio.to_thread(life.until, lambda status: SAVER in status.hold.locks and "logind" in status.hold.locks, "the saver")
            await asyncio.to_thread(worked, life)
            (observer,) = life.children("observer")
            loop = asyncio.get_running_loop()
            said_s = loop.time()
            await begin(services, True)
            await asyncio.to_thread(until, lambda: not observer.is_running(), "the end of the observer", poll_s=0.005)
            print(f"closed {1000 * (loop.time() - said_s):.0f} ms after the signal")
            await asyncio.to_thread(nothing_while_exempt, life, ground)
            await begin(services, False)
            await asyncio.to_thread(life.subject.wait_collecting)
            await asyncio.to_thread(worked, life)

    with a_life(desk) as life:
        asyncio.run(run(life))


@pytest.mark.usefixtures("on_its_bus")
def test_a_daemon_that_starts_under_a_lock_never_opens(desk: Desk) -> None:
    """Consented before, locked at the start: not one observer until it is unlocked."""

    async def run(life: Life) -> None:
        async with a_desktop(SAVER) as saver:
            saver.active = True
            life.daemon = await asyncio.to_thread(start, life.desk, life.subject)
            await asyncio.to_thread(life.until, lambda status: "locked" in status.why, "the lock in the status")
            assert life.status().tally.seen == 0
            await saver.save(False)
            await asyncio.to_thread(life.subject.wait_collecting)

    with a_life(desk) as life:
        life.daemon.terminate()
        life.daemon.wait(10)
        asyncio.run(run(life))


@pytest.mark.soak
@pytest.mark.usefixtures("on_its_bus")
def test_a_battery_that_runs_down_leaves_less_and_then_nothing(desk: Desk) -> None:
    """On a fake UPower: at 30 % work is still held, and status says that it is less; at 10 % nothing is seen; a charger brings all back."""

    async def run(life: Life) -> None:
        async with a_desktop(UPOWER) as power:
            await asyncio.to_thread(worked, life)
            await power.change(BATTERY_PATH, BATTERY, "Percentage", 30.0)
            less = await asyncio.to_thread(life.until, lambda status: status.budget.level is Level.LESS and status.collecting, "less")
            assert [part.kind for part in less.collectors if part.state == "off"] == [Kind.POINTER_PATH]
            await asyncio.to_thread(worked, life)
            assert less.budget.words == "Less is recorded, because the battery is below 40 %."
            await power.change(BATTERY_PATH, BATTERY, "Percentage", 10.0)
            await asyncio.to_thread(nothing_while_exempt, life, "battery_low")
            assert life.status().budget.level is Level.NOTHING
            await power.change(BATTERY_PATH, BATTERY, "State", 1)
            await asyncio.to_thread(life.subject.wait_collecting)
            assert life.status().budget.level is Level.FULL
            await asyncio.to_thread(worked, life)

    with a_life(desk) as life:
        asyncio.run(run(life))


@pytest.mark.soak
def test_a_program_that_controls_the_screen_from_elsewhere_ends_the_recording(desk: Desk, tmp_path: Path) -> None:
    """A stand-in named x11vnc connects to the display: within its five seconds exempt, and on again when it has gone."""
    shutil.copy(program("xev"), tmp_path / "x11vnc")
    with a_life(desk) as life:
        worked(life)
        looking_on = life.desk.stage.children.start([str(tmp_path / "x11vnc")], life.subject.calls.env, name="looking-on", silent=True)
        life.until(lambda status: "remote_controlled" in status.why, "the exemption")
        nothing_while_exempt(life, "remote_controlled")
        looking_on.kill()
        life.subject.wait_collecting()
