"""What a real X server tells: idleness by its own count, its screen saver, and the programs that look on."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError
from Xlib.ext import xtest

from agent.demo.children import Children
from agent.demo.display import open_display, start_display
from agent.demo.wait import until
from agent.presence import x11
from agent.presence.grounds import Grounds, Said
from agent.presence.x11 import DISPLAY, Screen
from consent.vocabulary import Automatic
from tests.live.desktop import program

pytestmark = pytest.mark.live
NOTHING = {Automatic.ABSENT: False, Automatic.REMOTE_CONTROLLED: False, Automatic.SCREEN_SHARED: False}


class Server:
    """An X server of its own, a person at it, and programs on it."""

    def __init__(self, children: Children, env: dict[str, str], display: Display) -> None:
        self.children, self.env, self.display = children, env, display

    def touch(self) -> None:
        """A key that does nothing."""
        code = self.display.keysym_to_keycode(XK.XK_Shift_L)
        for press in (X.KeyPress, X.KeyRelease):
            xtest.fake_input(self.display, press, code)
        self.display.sync()

    def run(self, argv: list[str]) -> "subprocess.Popen[bytes]":
        return self.children.start(argv, self.env, name=Path(argv[0]).name, silent=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with ExitStack() as stack:
        children = Children("presence", tmp_path / "logs")
        (tmp_path / "logs").mkdir()
        stack.callback(children.end)
        env = base | start_display(children, base, tmp_path, 320, 240)
        display = open_display(env)
        yield Server(children, env, display)
        with suppress(ConnectionClosedError):
            display.close()


class Listener:
    """A connection to the server, and all that it has said."""

    def __init__(self, env: dict[str, str]) -> None:
        self.grounds, self.moved, self.settled = Grounds(), asyncio.Event(), asyncio.Event()
        self.screen = Screen(self._tell, env)

    def _tell(self, source: str, said: Said | None) -> None:
        self.grounds = self.grounds.loses(source) if said is None else self.grounds.says(source, said)
        self.moved.set()

    async def until(self, *holding: Automatic) -> None:
        async with asyncio.timeout(10):
            while self.grounds.holding() != frozenset(holding):
                await self.moved.wait()
                self.moved.clear()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Listener]:
    listener = Listener(server.env)
    task = asyncio.create_task(listener.screen.run(listener.settled.set))
    try:
        async with asyncio.timeout(10):
            await listener.settled.wait()
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_nobody_there_is_told_by_the_server_and_so_is_the_first_touch(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle second is absence here; a key ends it at once, and the next idle second begins it again. No hook is there."""
    monkeypatch.setattr(x11, "ABSENT_MS", 1000)

    async def run() -> None:
        server.touch()
        async with listening(server) as listener:
            assert listener.grounds.told[DISPLAY] == NOTHING
            for _ in range(2):
                await listener.until(Automatic.ABSENT)
                server.touch()
                await listener.until()

    asyncio.run(run())


def test_who_was_away_before_we_came_is_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's count is asked at the start: nothing opens before the first alarm."""
    monkeypatch.setattr(x11, "ABSENT_MS", 1)

    async def run() -> None:
        async with listening(server) as listener:
            assert listener.grounds.holding() == {Automatic.ABSENT}

    asyncio.run(run())


def test_the_screen_saver_of_the_server_is_absence(server: Server) -> None:
    """Forced on, forced off: by events; and on at the start."""

    async def run() -> None:
        async with listening(server) as listener:
            server.display.force_screen_saver(X.ScreenSaverActive)
            server.display.sync()
            await listener.until(Automatic.ABSENT)
            async with listening(server) as later:
                assert later.grounds.holding() == {Automatic.ABSENT}
            server.display.force_screen_saver(X.ScreenSaverReset)
            server.display.sync()
            await listener.until()

    asyncio.run(run())


@pytest.mark.parametrize(("name", "ground"), [("x11vnc", Automatic.REMOTE_CONTROLLED), ("obs", Automatic.SCREEN_SHARED)])
def test_a_program_that_looks_on_exempts_while_it_is_connected(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ground: Automatic
) -> None:
    """A stand-in: `xev` under the name of the program. It is noticed when it connects, and when it is gone."""
    monkeypatch.setattr(x11, "CLIENTS_EVERY_S", 0.1)
    shutil.copy(program("xev"), tmp_path / name)

    async def run() -> None:
        async with listening(server) as listener:
            assert listener.grounds.told[DISPLAY] == NOTHING
            looking_on = server.run([str(tmp_path / name)])
            await listener.until(ground)
            looking_on.kill()
            await listener.until()

    asyncio.run(run())


@pytest.mark.soak
def test_the_real_x11vnc_is_noticed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a stand-in: x11vnc itself, on loopback, with nobody at its other end."""
    monkeypatch.setattr(x11, "CLIENTS_EVERY_S", 0.1)

    async def run() -> None:
        async with listening(server) as listener:
            display = ["-display", server.env["DISPLAY"], "-auth", server.env["XAUTHORITY"]]
            vnc = server.run(
                [program("x11vnc"), *display, "-localhost", "-forever", "-nopw", "-quiet", "-rfbport", "0", "-autoport", "5990"]
            )
            await listener.until(Automatic.REMOTE_CONTROLLED)
            vnc.terminate()
            await listener.until()

    asyncio.run(run())


def test_a_server_that_is_gone_cannot_tell_and_what_it_said_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while nobody was there: nobody is there still; killed while somebody was: it says nothing any more."""
    monkeypatch.setattr(x11, "ABSENT_MS", 1)

    async def run() -> None:
        listener = Listener(server.env)
        task = asyncio.create_task(listener.screen.run(listener.settled.set))
        await listener.until(Automatic.ABSENT)
        (xvfb,) = [one for one in server.children.alive() if one.name() == "Xvfb"]
        xvfb.kill()
        with pytest.raises((EOFError, OSError)):
            await asyncio.wait_for(task, 10)
        listener.screen.say(None)
        assert listener.grounds.holding() == {Automatic.ABSENT}
        assert listener.grounds.told == {}

    asyncio.run(run())


def test_a_server_that_does_not_let_us_in_tells_nothing(server: Server) -> None:
    """Without the cookie: an error that ends the attempt, no ground, nothing told."""

    async def run() -> None:
        listener = Listener({**server.env, "XAUTHORITY": "/dev/null"})
        with pytest.raises(ValueError, match="let us in"):
            await asyncio.wait_for(listener.screen.run(listener.settled.set), 10)
        assert not listener.settled.is_set()
        assert listener.grounds == Grounds()

    asyncio.run(run())


def test_the_names_of_a_process_are_its_program_s_and_the_kernel_s(tmp_path: Path) -> None:
    """A program under another name, also after its file is gone; a process that is gone has none."""
    shutil.copy(program("sleep"), tmp_path / "Krfb")
    process = subprocess.Popen([tmp_path / "Krfb", "60"])
    try:
        until(lambda: x11.names_of(process.pid) == {"krfb"}, "the start of a program")
        (tmp_path / "Krfb").unlink()
        assert x11.names_of(process.pid) == {"krfb"}
    finally:
        process.kill()
        process.wait()
    assert x11.names_of(process.pid) == frozenset()
