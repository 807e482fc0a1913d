"""Whether the session is locked is heard from a real message bus, from logind and from screen savers; silence counts as unlocked."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from jeepney import DBusAddress, HeaderFields, Message, MessageType, message_bus, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection, open_dbus_connection

from agent import presence
from agent.presence import LOGIND, Presence
from consent.event import Clocks

SESSION = "/org/freedesktop/login1/session/_32"
SAVER = "org.xfce.ScreenSaver"


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One private bus that is both the system's and the session's."""
    address = f"unix:path={tmp_path / 'bus'}"
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}", "--print-address=1"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    daemon.stdout.readline()
    for name in ("SYSTEM", "SESSION"):
        monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", address)
    monkeypatch.delenv("XDG_SESSION_ID", raising=False)
    yield
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


class Desktop:
    """logind and a screen saver on the bus, as far as anybody asks them."""

    def __init__(self, connection: DBusConnection) -> None:
        self._connection = connection
        self.locked = self.active = False

    async def serve(self) -> None:
        while True:
            message = await self._connection.receive()
            if message.header.message_type is MessageType.method_call:
                await self._answer(message)

    async def _answer(self, call: Message) -> None:
        match call.header.fields.get(HeaderFields.member), call.body:
            case "Get", (_, "Display"):
                answer = new_method_return(call, "v", (("(so)", ("2", SESSION)),))
            case "Get", (_, "LockedHint"):
                answer = new_method_return(call, "v", (("b", self.locked),))
            case _:
                answer = new_method_return(call, "b", (self.active,))
        await self._connection.send(answer)

    async def say(self, path: str, interface: str, member: str, signature: str | None = None, body: tuple[object, ...] = ()) -> None:
        await self._connection.send(new_signal(DBusAddress(path, interface=interface), member, signature, body))

    async def hint(self, locked: bool) -> None:
        self.locked = locked
        body = ("org.freedesktop.login1.Session", {"LockedHint": ("b", locked)}, [])
        await self.say(SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", body)


@asynccontextmanager
async def a_desktop(*names: str) -> AsyncIterator[Desktop]:
    async with await open_dbus_connection("SESSION") as connection:
        for name in names:
            await connection.send(message_bus.RequestName(name))
        desktop = Desktop(connection)
        serving = asyncio.create_task(desktop.serve())
        yield desktop
        serving.cancel()


class Watcher:
    """A presence that runs, and what it said."""

    def __init__(self) -> None:
        self.now = Clocks(0, 0, 0)
        self.saw: list[tuple[int, int]] = []
        self.moved = asyncio.Event()
        self.presence = Presence(lambda: self.now, lambda one, other: self.saw.append((one.boot_ms, other.boot_ms)), self.moved.set)

    def pass_time(self, minutes: int) -> None:
        ms = self.now.boot_ms + minutes * 60_000
        self.now = Clocks(ms, ms, ms)

    async def until(self, told_by: tuple[str, ...], locked: bool) -> None:
        async with asyncio.timeout(10):
            while (self.presence.told_by, self.presence.locked) != (told_by, locked):
                self.moved.clear()
                with_news = asyncio.create_task(self.moved.wait())
                await asyncio.wait([with_news], timeout=0.05)
                with_news.cancel()


@asynccontextmanager
async def watching() -> AsyncIterator[Watcher]:
    watcher = Watcher()
    task = asyncio.create_task(watcher.presence.keep())
    yield watcher
    task.cancel()


@pytest.mark.usefixtures("bus")
def test_logind_tells_and_only_unlocked_time_is_seen() -> None:
    """Ten minutes unlocked, five locked, two unlocked: the middle ones are not seen."""

    async def run() -> None:
        async with a_desktop("org.freedesktop.login1") as desktop, watching() as watcher:
            await watcher.until((LOGIND,), False)
            watcher.pass_time(10)
            await desktop.hint(True)
            await watcher.until((LOGIND,), True)
            watcher.pass_time(5)
            await desktop.hint(False)
            await watcher.until((LOGIND,), False)
            watcher.pass_time(2)
            watcher.presence.look()
            assert sum(end - begin for begin, end in watcher.saw) == 12 * 60_000
            assert not any(begin < 15 * 60_000 and end > 10 * 60_000 for begin, end in watcher.saw)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_request_to_lock_counts_as_locked_until_it_is_unlocked() -> None:
    """A locker that tells logind nothing is believed to have done what it was asked."""

    async def run() -> None:
        async with a_desktop("org.freedesktop.login1") as desktop, watching() as watcher:
            await watcher.until((LOGIND,), False)
            await desktop.say(SESSION, "org.freedesktop.login1.Session", "Lock")
            await watcher.until((LOGIND,), True)
            await desktop.say(SESSION, "org.freedesktop.login1.Session", "Unlock")
            await watcher.until((LOGIND,), False)

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_screen_saver_tells_too_and_either_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """logind says unlocked, the saver says active: it is locked; one that goes away tells nothing any more."""
    monkeypatch.setattr(presence, "LOOK_EVERY_S", 0.1)

    async def run() -> None:
        async with a_desktop("org.freedesktop.login1") as _, watching() as watcher:
            async with a_desktop(SAVER) as saver:
                await watcher.until((LOGIND, SAVER), False)
                saver.active = True
                await saver.say("/org/xfce/ScreenSaver", SAVER, "ActiveChanged", "b", (True,))
                await watcher.until((LOGIND, SAVER), True)
            await watcher.until((LOGIND,), False)

    asyncio.run(run())


def test_where_nothing_tells_it_counts_as_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bus at all: time is seen, and `told_by` says that this is a guess."""
    for name in ("SYSTEM", "SESSION"):
        monkeypatch.setenv(f"DBUS_{name}_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")

    async def run() -> None:
        async with watching() as watcher:
            await asyncio.sleep(0)
            watcher.pass_time(1)
            watcher.presence.look()
            assert (watcher.presence.told_by, watcher.presence.locked, watcher.saw) == ((), False, [(0, 60_000)])

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_what_a_stranger_says_on_the_bus_breaks_nothing() -> None:
    """Signals with wrong bodies end neither the task nor what is known."""

    async def run() -> None:
        async with a_desktop("org.freedesktop.login1") as desktop, watching() as watcher:
            await watcher.until((LOGIND,), False)
            await desktop.say(SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", "s", ("x",))
            await desktop.say("/", SAVER, "ActiveChanged")
            await desktop.hint(True)
            await watcher.until((LOGIND,), True)

    asyncio.run(run())
