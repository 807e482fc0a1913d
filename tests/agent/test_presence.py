"""The facts of session and machine are heard from a real message bus; silence opens nothing that was closed, and is told."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from jeepney import DBusAddress, HeaderFields, new_signal
from jeepney.io.asyncio import open_dbus_connection

from agent.presence import bus as bus_module
from agent.presence import presence
from agent.presence.grounds import UNTOLD
from agent.presence.logind import LOGIND
from agent.presence.presence import Presence
from consent.event import Clocks
from consent.vocabulary import Automatic
from tests.agent.buses import (
    BATTERY,
    BATTERY_PATH,
    CAST,
    LOGIN1,
    LOGIN1_MANAGER,
    LOGIN1_SESSION,
    NETWORK,
    NETWORK_PATH,
    SAVER,
    SESSION,
    UPOWER,
    Desktop,
    a_bus,
    a_desktop,
)

ALL = (LOGIN1, SAVER, NETWORK, UPOWER, CAST)


@pytest.fixture(name="bus")
def a_private_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One private bus that is both the system's and the session's; no display."""
    with a_bus(tmp_path) as (address, _):
        for name in ("SYSTEM", "SESSION"):
            monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", address)
        yield


class Watcher:
    """A presence that runs, and what it said."""

    def __init__(self) -> None:
        self.now = Clocks(0, 0, 0)
        self.saw: list[tuple[int, int]] = []
        self.moved = asyncio.Event()
        self.history: list[frozenset[Automatic]] = []
        self.presence = Presence(lambda: self.now, lambda one, other: self.saw.append((one.boot_ms, other.boot_ms)), self._changed, {})

    def _changed(self) -> None:
        self.history.append(self.presence.holding)
        self.moved.set()

    def pass_time(self, minutes: int) -> None:
        ms = self.now.boot_ms + minutes * 60_000
        self.now = Clocks(ms, ms, ms)

    async def until_told(self, *told_by: str) -> None:
        async with asyncio.timeout(10):
            while self.presence.told_by != told_by:
                await self._next()

    async def until(self, *holding: Automatic) -> None:
        async with asyncio.timeout(10):
            while self.presence.holding != frozenset(holding):
                await self._next()

    async def _next(self) -> None:
        await self.moved.wait()
        self.moved.clear()


@asynccontextmanager
async def watching() -> AsyncIterator[Watcher]:
    watcher = Watcher()
    task = asyncio.create_task(watcher.presence.keep())
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def settled(*names: str) -> AsyncIterator[tuple[Desktop, Watcher]]:
    """A desktop with these services, and a presence that has heard of all of them."""
    async with a_desktop(*names) as desktop, watching() as watcher:
        await watcher.until()
        yield desktop, watcher


@pytest.mark.usefixtures("bus")
def test_logind_tells_and_only_unlocked_time_is_seen() -> None:
    """Ten minutes unlocked, five locked, two unlocked: the middle ones are not seen."""

    async def run() -> None:
        async with settled(LOGIN1) as (desktop, watcher):
            assert watcher.presence.told_by == (LOGIND,)
            watcher.pass_time(10)
            await desktop.hint("LockedHint", True)
            await watcher.until(Automatic.LOCKED)
            watcher.pass_time(5)
            await desktop.hint("LockedHint", False)
            await watcher.until()
            watcher.pass_time(2)
            watcher.presence.look()
            assert sum(end - begin for begin, end in watcher.saw) == 12 * 60_000
            assert not any(begin < 15 * 60_000 and end > 10 * 60_000 for begin, end in watcher.saw)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_request_to_lock_counts_as_locked_until_it_is_unlocked() -> None:
    """A locker that tells logind nothing is believed to have done what it was asked."""

    async def run() -> None:
        async with settled(LOGIN1) as (desktop, watcher):
            await desktop.say(SESSION, LOGIN1_SESSION, "Lock")
            await watcher.until(Automatic.LOCKED)
            await desktop.say(SESSION, LOGIN1_SESSION, "Unlock")
            await watcher.until()

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_request_to_unlock_opens_nothing_that_a_locker_says_is_locked() -> None:
    """`Unlock` is a wish; only the hint of the locker that set it ends the lock."""

    async def run() -> None:
        async with settled(LOGIN1) as (desktop, watcher):
            await desktop.hint("LockedHint", True)
            await watcher.until(Automatic.LOCKED)
            await desktop.say(SESSION, LOGIN1_SESSION, "Unlock")
            await desktop.hint("IdleHint", True)
            await watcher.until(Automatic.LOCKED, Automatic.ABSENT)
            await desktop.hint("LockedHint", False)
            await watcher.until(Automatic.ABSENT)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_screen_saver_tells_too_and_its_death_opens_nothing() -> None:
    """logind says unlocked, the saver says active: locked; also when the saver is gone, until one of its name says otherwise."""

    async def run() -> None:
        async with settled(LOGIN1) as (_, watcher):
            async with a_desktop(SAVER) as saver:
                await watcher.until_told(LOGIND, SAVER)
                await saver.save(True)
                await watcher.until(Automatic.LOCKED)
            await watcher.until_told(LOGIND)
            assert watcher.presence.holding == {Automatic.LOCKED}
            async with a_desktop(SAVER):
                await watcher.until()

    asyncio.run(run())


def test_a_bus_that_dies_while_it_says_locked_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole bus goes; what it last said of the lock holds, and nobody is named as telling it. A new bus tells anew."""
    monkeypatch.setattr(presence, "AGAIN_S", 0.1)

    async def run() -> None:
        with a_bus(tmp_path) as (address, daemon):
            for name in ("SYSTEM", "SESSION"):
                monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", address)
            async with a_desktop(LOGIN1) as desktop, watching() as watcher:
                await watcher.until()
                await desktop.hint("LockedHint", True)
                await watcher.until(Automatic.LOCKED)
                daemon.kill()
                await watcher.until_told()
                assert watcher.presence.holding == {Automatic.LOCKED}
                (tmp_path / "bus").unlink()
                with a_bus(tmp_path):
                    async with a_desktop(LOGIN1):
                        await watcher.until()

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize(
    ("path", "interface", "name", "values", "ground"),
    [
        (SESSION, LOGIN1_SESSION, "Active", (False, True), Automatic.OTHER_SESSION),
        (SESSION, LOGIN1_SESSION, "Remote", (True, False), Automatic.REMOTE_CONTROLLED),
        (SESSION, LOGIN1_SESSION, "IdleHint", (True, False), Automatic.ABSENT),
        (NETWORK_PATH, NETWORK, "Metered", (1, 2), Automatic.METERED_LINK),
        (NETWORK_PATH, NETWORK, "Metered", (3, 4), Automatic.METERED_LINK),
        (BATTERY_PATH, BATTERY, "Percentage", (19.9, 25.0), Automatic.BATTERY_LOW),
    ],
)
def test_each_property_of_a_service_exempts_while_it_holds(path: str, interface: str, name: str, values: tuple, ground: Automatic) -> None:
    """As a signal, and ending by a signal; nothing is asked again for it."""

    async def run() -> None:
        async with settled(*ALL) as (desktop, watcher):
            asked = desktop.asked
            await desktop.change(path, interface, name, values[0])
            await watcher.until(ground)
            await desktop.change(path, interface, name, values[1])
            await watcher.until()
            assert desktop.asked == asked

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_what_holds_at_the_start_is_known_before_anything_opens() -> None:
    """Locked, another session in front, going to sleep, metered, battery low: between the start and that there is no gap."""

    async def run() -> None:
        async with a_desktop(*ALL) as desktop:
            session, battery = desktop.properties[SESSION], desktop.properties[BATTERY_PATH]
            session["LockedHint"], session["Active"] = ("b", True), ("b", False)
            desktop.properties["/org/freedesktop/login1"]["PreparingForSleep"] = ("b", True)
            desktop.properties[NETWORK_PATH]["Metered"] = ("u", 1)
            battery["Percentage"], battery["State"] = ("d", 3.0), ("u", 0)
            async with watching() as watcher:
                assert watcher.presence.holding == {Automatic.NOT_TOLD_YET}
                expected = (Automatic.LOCKED, Automatic.OTHER_SESSION, Automatic.ASLEEP, Automatic.METERED_LINK, Automatic.BATTERY_LOW)
                await watcher.until(*expected)
                assert all(watcher.history)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_battery_that_charges_or_is_not_there_is_not_low() -> None:
    """Three per cent: low unless it is being charged, or there is no battery."""

    async def run() -> None:
        async with settled(UPOWER) as (desktop, watcher):
            await desktop.change(BATTERY_PATH, BATTERY, "Percentage", 3.0)
            await watcher.until(Automatic.BATTERY_LOW)
            await desktop.change(BATTERY_PATH, BATTERY, "State", 1)
            await watcher.until()
            await desktop.change(BATTERY_PATH, BATTERY, "State", 2)
            await watcher.until(Automatic.BATTERY_LOW)
            await desktop.change(BATTERY_PATH, BATTERY, "IsPresent", False)
            await watcher.until()

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_going_to_sleep_closes_until_it_has_woken_up() -> None:
    """logind's `PrepareForSleep`, true before and false after."""

    async def run() -> None:
        async with settled(LOGIN1) as (desktop, watcher):
            for sleeps in (True, False):
                await desktop.say("/org/freedesktop/login1", LOGIN1_MANAGER, "PrepareForSleep", "b", (sleeps,))
                await watcher.until(*([Automatic.ASLEEP] if sleeps else []))

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_what_gnome_shares_is_seen_from_its_first_stream_to_the_end_of_its_session() -> None:
    """Mutter's objects: one session is there, says so with a signal, and is gone."""

    async def run() -> None:
        async with settled(CAST) as (desktop, watcher):
            desktop.shared.append("u1")
            await desktop.say("/org/gnome/Mutter/ScreenCast/Stream/u1", f"{CAST}.Stream", "PipeWireStreamAdded", "u", (7,))
            await watcher.until(Automatic.SCREEN_SHARED)
            desktop.shared.clear()
            await desktop.say("/org/gnome/Mutter/ScreenCast/Session/u1", f"{CAST}.Session", "Closed")
            await watcher.until()

    asyncio.run(run())


def test_where_nothing_tells_it_counts_as_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bus, no display: nothing opens until that is known, then time is seen, and `told_by` says that this is a guess."""
    for name in ("SYSTEM", "SESSION"):
        monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")

    async def run() -> None:
        async with watching() as watcher:
            assert watcher.presence.holding == {Automatic.NOT_TOLD_YET}
            await watcher.until()
            watcher.pass_time(1)
            watcher.presence.look()
            assert (watcher.presence.told_by, watcher.presence.untold, watcher.saw[-1]) == ((), tuple(UNTOLD), (0, 60_000))

    asyncio.run(run())


def test_a_bus_that_never_answers_is_not_waited_for_longer_than_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and is silent: closed for the time, then open, as on a machine that cannot tell."""
    monkeypatch.setattr(presence, "SETTLE_S", 0.2)
    for name in ("SYSTEM", "SESSION"):
        monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", f"unix:path={tmp_path / 'bus'}")

    async def run() -> None:
        mute = await asyncio.start_unix_server(lambda reader, writer: asyncio.sleep(60), tmp_path / "bus")
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        async with watching() as watcher:
            await watcher.until()
            assert loop.time() - begun_s >= 0.2
        mute.close()

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_what_a_stranger_says_on_the_bus_counts_for_nothing() -> None:
    """A signal for us alone, which no rule keeps away, from another program than the service: neither its yes nor its no."""

    async def run() -> None:
        async with settled(LOGIN1, SAVER) as (desktop, watcher), await open_dbus_connection("SESSION") as stranger:
            await desktop.hint("LockedHint", True)
            await watcher.until(Automatic.LOCKED)
            body = (LOGIN1_SESSION, {"LockedHint": ("b", False)}, [])
            lie = new_signal(DBusAddress(SESSION, interface="org.freedesktop.DBus.Properties"), "PropertiesChanged", "sa{sv}as", body)
            for number in range(1, 20):
                lie.header.fields[HeaderFields.destination] = f":1.{number}"
                await stranger.send(lie, serial=100 + number)
            await desktop.save(True)
            await desktop.hint("IdleHint", True)
            await watcher.until(Automatic.LOCKED, Automatic.ABSENT)
            await desktop.save(False)
            await desktop.hint("IdleHint", False)
            await watcher.until(Automatic.LOCKED)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_nonsense_from_a_service_breaks_nothing() -> None:
    """Signals with wrong bodies end neither the task nor what is known."""

    async def run() -> None:
        async with settled(*ALL) as (desktop, watcher):
            await desktop.say(SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", "s", ("x",))
            await desktop.say("/", SAVER, "ActiveChanged")
            await desktop.hint("LockedHint", True)
            await watcher.until(Automatic.LOCKED)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_change_that_no_signal_told_of_is_found_within_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is asked again now and then."""
    monkeypatch.setattr(bus_module, "ASK_EVERY_S", 0.1)

    async def run() -> None:
        async with settled(SAVER) as (saver, watcher):
            saver.active = True
            await watcher.until(Automatic.LOCKED)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize("display", ["localhost:10.0", "there:0", "192.0.2.7:1"])
def test_a_display_elsewhere_is_control_from_elsewhere(display: str) -> None:
    """A display that is forwarded, or of another machine; it is not even connected to."""

    async def run() -> None:
        moved = asyncio.Event()
        far = Presence(lambda: Clocks(0, 0, 0), lambda *_: None, moved.set, {**os.environ, "DISPLAY": display})
        task = asyncio.create_task(far.keep())
        async with asyncio.timeout(10):
            while far.holding != {Automatic.REMOTE_CONTROLLED}:
                await moved.wait()
                moved.clear()
        task.cancel()

    asyncio.run(run())
