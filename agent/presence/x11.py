"""What the X server tells: whether anybody is there, and which programs look on. Reads only, and no input: idle time is a number.

It wakes us when five minutes have passed without a touch, and at the next touch (SYNC alarms), and when its screen saver goes on
or off. That a program has connected it tells nobody, so it is asked for its connections every five seconds.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.peer import pid_of
from agent.presence import x11_wire as wire
from agent.presence.grounds import Said
from agent.presence.programs import REMOTE_SERVERS, grounds_of
from consent.vocabulary import Automatic

DISPLAY = "display"
ABSENT_MS = 5 * 60_000
"""Five minutes: beyond reading a page or thinking about a line, below the ten of X's own saver."""
CLIENTS_EVERY_S = 5.0
"""A program that begins to look on is noticed this late at most."""
_LONGEST_REPLY_BYTES = 1 << 20
_STALE_RESTS, _IS_BACK = 1, 2
Tell = Callable[[str, Said | None], None]


class Screen:
    """One connection to the display that the environment names.

    Args:
        tell: Called with DISPLAY and what it says.
        env: Where DISPLAY, XAUTHORITY and XRDP_SESSION are looked for.
    """

    def __init__(self, tell: Tell, env: Mapping[str, str]) -> None:
        self._tell, self._env = tell, env
        self._saver: wire.Extension | None = None
        self._sync: wire.Extension | None = None
        self._resource: wire.Extension | None = None
        self._alarms: dict[int, bool] = {}
        self._idle = self._saver_on = False
        self._remote = "XRDP_SESSION" in env
        self._known: frozenset[tuple[int, int]] = frozenset()
        self._sequence = 0

    def say(self, said: Said | None) -> None:
        """Tell; None: it tells nothing any more."""
        self._tell(DISPLAY, said)

    async def run(self, settled: Callable[[], None]) -> None:
        """Until the display breaks off. Raises OSError, EOFError, ValueError, struct.error."""
        where = wire.address(self._env.get("DISPLAY", ""))
        if where.elsewhere:
            self.say({Automatic.REMOTE_CONTROLLED: True})
            settled()
            await asyncio.Event().wait()
        self._reader, self._writer = await _connect(where.number)
        self._sequence = 0
        try:
            await self._begin(where.number)
            settled()
            while True:
                await self._wait_for_events()
                await self._look_at_clients()
        finally:
            self._writer.close()

    async def _begin(self, number: int) -> None:
        if names_of(pid_of(self._writer.get_extra_info("socket"))) & REMOTE_SERVERS:
            self._remote = True
        self._writer.write(wire.hello(_cookie(self._env, number)))
        more = wire.rest_of_hello(await self._reader.readexactly(wire.HELLO_BYTES))
        setup = wire.setup(await self._reader.readexactly(more))
        if await self._extension(b"VNC-EXTENSION"):
            self._remote = True
        self._saver = await self._extension(b"MIT-SCREEN-SAVER")
        if self._saver:
            self._send(wire.hear_saver(self._saver, setup.root))
            self._saver_on = (await self._ask(wire.ask_saver(self._saver, setup.root)))[1] == wire.SAVER_ON
        await self._hear_idleness(setup.first_id)
        self._say_whether_absent()
        self._resource = await self._extension(b"X-Resource")
        await self._look_at_clients(first=True)

    async def _hear_idleness(self, first_id: int) -> None:
        self._sync = await self._extension(b"SYNC")
        if self._sync is None:
            return
        await self._ask(wire.begin_sync(self._sync))
        counter = wire.idle_counter(await self._ask(wire.ask_counters(self._sync)))
        if counter is None:
            return
        self._alarms = {first_id | _STALE_RESTS: True, first_id | _IS_BACK: False}
        self._send(wire.make_alarm(self._sync, first_id | _STALE_RESTS, counter, wire.RISES, ABSENT_MS))
        self._send(wire.make_alarm(self._sync, first_id | _IS_BACK, counter, wire.FALLS, ABSENT_MS - 1))
        self._idle = wire.value(await self._ask(wire.ask_counter(self._sync, counter))) >= ABSENT_MS

    def _say_whether_absent(self) -> None:
        if self._saver or self._alarms:
            self.say({Automatic.ABSENT: self._idle or self._saver_on})

    async def _look_at_clients(self, *, first: bool = False) -> None:
        if self._resource is None:
            if first:
                self.say({Automatic.REMOTE_CONTROLLED: True if self._remote else None})
            return
        now = wire.clients(await self._ask(wire.ask_clients(self._resource)))
        if first or now != self._known:
            self._known = now
            found = grounds_of(frozenset(name for pid in {pid for _, pid in now} for name in names_of(pid)))
            remote = self._remote or Automatic.REMOTE_CONTROLLED in found
            self.say({Automatic.REMOTE_CONTROLLED: remote, Automatic.SCREEN_SHARED: Automatic.SCREEN_SHARED in found})

    # --- the connection -------------------------------------------------------------------------------------------

    async def _extension(self, name: bytes) -> wire.Extension | None:
        return wire.extension(await self._ask(wire.ask_extension(name)))

    def _send(self, request: bytes) -> None:
        self._writer.write(request)
        self._sequence = (self._sequence + 1) & 0xFFFF

    async def _ask(self, request: bytes) -> bytes:
        """Send, and read up to the answer; events in between are heard. Raises ValueError if the answer is an error."""
        self._send(request)
        while True:
            unit = await self._read()
            if int.from_bytes(unit[2:4], "little") == self._sequence and unit[0] in (wire.REPLY, wire.ERROR):
                if unit[0] == wire.ERROR:
                    raise ValueError("the X server refused an answer")
                return unit
            self._hear(unit)

    async def _wait_for_events(self) -> None:
        """Hear what comes until the connections are to be looked at again."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + CLIENTS_EVERY_S
        while True:
            try:
                async with asyncio.timeout_at(until_s):
                    start = await self._reader.readexactly(1)
            except TimeoutError:
                return
            self._hear(await self._read(start))

    async def _read(self, start: bytes = b"") -> bytes:
        unit = start + await self._reader.readexactly(wire.UNIT_BYTES - len(start))
        more = 4 * int.from_bytes(unit[4:8], "little") if unit[0] & 0x7F in (wire.REPLY, wire.GENERIC_EVENT) else 0
        if more > _LONGEST_REPLY_BYTES:
            raise ValueError("the X server's answer cannot be read")
        return unit + await self._reader.readexactly(more)

    def _hear(self, unit: bytes) -> None:
        kind = unit[0] & 0x7F
        if self._saver and kind == self._saver.first_event:
            self._saver_on = unit[1] == wire.SAVER_ON
        elif self._sync and kind == self._sync.first_event + 1 and (alarm := wire.alarm_of(unit)) in self._alarms:
            self._idle = self._alarms[alarm]
        else:
            return
        self._say_whether_absent()


async def _connect(number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108  (where X servers listen)
    try:
        return await asyncio.open_unix_connection(f"\0{path}")
    except OSError:
        return await asyncio.open_unix_connection(path)


def _cookie(env: Mapping[str, str], number: int) -> bytes:
    file = Path(env.get("XAUTHORITY") or Path(env.get("HOME", "/")) / ".Xauthority")
    try:
        return wire.cookie(file.read_bytes(), socket.gethostname().encode(), number)
    except OSError:
        return b""


def names_of(pid: int) -> frozenset[str]:
    """What a process runs, in lower case: its program's file, if we may see it, and the kernel's name of it."""
    found = set()
    with contextlib.suppress(OSError):
        found.add(os.path.basename(os.readlink(f"/proc/{pid}/exe")).removesuffix(" (deleted)").lower())
    with contextlib.suppress(OSError):
        found.add(Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip().lower())
    return frozenset(found)
