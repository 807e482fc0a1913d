"""Whether the session is locked, as the desktop says: logind on the system bus, a screen saver on the session's. Reads only.

Nothing is asked of it but that, nothing is started by asking. Where nothing tells, `told_by` is empty and the session counts as
unlocked: that is said in `status`. What lies between two looks at an unlocked session is handed to `saw`.
"""

import asyncio
import contextlib
import os
import struct
from collections.abc import Callable, Iterable
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageFlag, MessageType, Properties, message_bus, new_method_call
from jeepney.io.asyncio import DBusConnection, open_dbus_connection
from jeepney.io.common import RouterClosed
from jeepney.wrappers import DBusErrorResponse

from consent.event import Clocks

LOOK_EVERY_S = 60.0
"""What was seen is counted, and the desktop asked again, this often: one wake-up a minute. Changes in between come as signals."""
BUS_AGAIN_S = 300.0
"""A bus that is not there, or has gone, is looked for again this often."""
LOGIND = "logind"
_LOGIN1, _SESSION = "org.freedesktop.login1", "org.freedesktop.login1.Session"
_MANAGER = DBusAddress("/org/freedesktop/login1", _LOGIN1, "org.freedesktop.login1.Manager")
_OWN_USER = DBusAddress("/org/freedesktop/login1/user/self", _LOGIN1, "org.freedesktop.login1.User")
SAVERS = {
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
}
_BROKEN = (
    *(OSError, EOFError, TimeoutError, RouterClosed, DBusErrorResponse),
    *(KeyError, ValueError, IndexError, TypeError, AttributeError, RuntimeError, StopIteration, struct.error),
)
"""What a bus that is not there, breaks off or speaks nonsense makes of us: then it tells nothing."""


class Presence:
    """Whether somebody could be looking. `keep` runs until it is cancelled.

    Args:
        read: The clocks.
        saw: Called with the two ends of each stretch during which the session was unlocked.
        changed: Called when it was locked or unlocked.
    """

    def __init__(self, read: Callable[[], Clocks], saw: Callable[[Clocks, Clocks], None], changed: Callable[[], None]) -> None:
        self._read, self._saw, self._changed = read, saw, changed
        self._told: dict[str, bool] = {}
        self._looked = read()

    @property
    def locked(self) -> bool:
        """Whether anything says that the session is locked."""
        return any(self._told.values())

    @property
    def told_by(self) -> tuple[str, ...]:
        """What tells; empty where nothing does, and `locked` is a guess."""
        return tuple(sorted(self._told))

    def look(self) -> None:
        """Count what has passed since the last look, if the session was unlocked all the while."""
        before, self._looked = self._looked, self._read()
        if not self.locked:
            self._saw(before, self._looked)

    def tell(self, source: str, locked: bool | None) -> None:
        """A source says that the session is locked, or not; None: it says nothing any more."""
        self.look()
        before = self.locked
        self._told.pop(source, None)
        if locked is not None:
            self._told[source] = locked
        if self.locked is not before:
            self._changed()

    async def keep(self) -> None:
        """Listen to both buses, and look once a minute."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking())
            tasks.create_task(self._listen("SYSTEM", _Logind))
            tasks.create_task(self._listen("SESSION", _Savers))

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    async def _listen(self, bus: str, kind: type["_Source"]) -> None:
        while True:
            source = kind(self.tell)
            with contextlib.suppress(*_BROKEN):
                async with await open_dbus_connection(bus) as connection:
                    await source.run(connection)
            for name in source.names:
                self.tell(name, None)
            await asyncio.sleep(BUS_AGAIN_S)


class _Source:
    """What one bus tells: asked at first and once a minute, and heard in between."""

    def __init__(self, tell: Callable[[str, bool | None], None]) -> None:
        self._tell = tell
        self._asked: dict[int, tuple[str, Callable[[Any], None]]] = {}
        self.names: tuple[str, ...] = ()

    async def run(self, connection: DBusConnection) -> None:
        """Until the bus breaks off. Raises one of _BROKEN."""
        self._connection = connection
        await self.begin()
        while True:
            await self.ask()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    while True:
                        await self._hear(await connection.receive())

    async def begin(self) -> None:
        """Ask for the signals."""

    async def ask(self) -> None:
        """Ask for what holds now."""

    def signal(self, message: Message) -> None:
        """A signal came."""

    async def listen(self, rules: Iterable[MatchRule]) -> None:
        for rule in rules:
            await self._connection.send(message_bus.AddMatch(rule))

    async def call(self, message: Message, name: str, then: Callable[[Any], None]) -> None:
        """Call; `then` gets the body of the answer. An error means that `name` tells nothing."""
        flags = message.header.flags | MessageFlag.no_auto_start
        message.header.flags = flags
        serial = next(self._connection.outgoing_serial)
        self._asked[serial] = (name, then)
        await self._connection.send(message, serial=serial)

    async def _hear(self, message: Message) -> None:
        if message.header.message_type is MessageType.signal:
            self.signal(message)
            return
        name, then = self._asked.pop(message.header.fields.get(HeaderFields.reply_serial, 0), ("", None))
        if then is None:
            return
        if message.header.message_type is MessageType.error:
            self._tell(name, None)
        else:
            then(message.body)


class _Logind(_Source):
    """`LockedHint` of this session, and the signals that ask for a lock."""

    names = (LOGIND,)
    _path: str | None = None
    _wanted = False

    async def begin(self) -> None:
        found = os.environ.get("XDG_SESSION_ID")
        if found:
            await self.call(new_method_call(_MANAGER, "GetSession", "s", (found,)), LOGIND, lambda body: self._found(body[0]))
        else:
            await self.call(Properties(_OWN_USER).get("Display"), LOGIND, lambda body: self._found(body[0][1][1]))
        while self._path is None:
            if not self._asked:
                raise EOFError("there is no session")
            await self._hear(await self._connection.receive())
        member = {"type": "signal", "sender": _LOGIN1, "path": self._path}
        await self.listen(
            [
                MatchRule(**member, interface="org.freedesktop.DBus.Properties", member="PropertiesChanged"),
                MatchRule(**member, interface=_SESSION, member="Lock"),
                MatchRule(**member, interface=_SESSION, member="Unlock"),
            ]
        )

    def _found(self, path: str) -> None:
        self._path = path

    async def ask(self) -> None:
        session = DBusAddress(self._path or "/", _LOGIN1, _SESSION)
        await self.call(Properties(session).get("LockedHint"), LOGIND, lambda body: self._hinted(bool(body[0][1])))

    def _hinted(self, locked: bool) -> None:
        self._tell(LOGIND, locked or self._wanted)

    def signal(self, message: Message) -> None:
        match message.header.fields.get(HeaderFields.member):
            case "Lock":  # a locker that tells logind nothing is believed to have done what it was asked
                self._wanted = True
                self._tell(LOGIND, True)
            case "Unlock":
                self._wanted = False
                self._tell(LOGIND, False)
            case "PropertiesChanged" if len(message.body) > 1 and "LockedHint" in message.body[1]:
                self._wanted = False
                self._hinted(bool(message.body[1]["LockedHint"][1]))


class _Savers(_Source):
    """The screen savers of the desktops; each is asked, none is started."""

    names = tuple(SAVERS)

    async def begin(self) -> None:
        await self.listen(MatchRule(type="signal", interface=name, member="ActiveChanged") for name in SAVERS)

    async def ask(self) -> None:
        for name, path in SAVERS.items():
            address = DBusAddress(path, name, name)
            await self.call(new_method_call(address, "GetActive"), name, lambda body, name=name: self._tell(name, bool(body[0])))  # type: ignore[misc]

    def signal(self, message: Message) -> None:
        name = message.header.fields.get(HeaderFields.interface, "")
        if name in SAVERS and message.body:
            self._tell(name, bool(message.body[0]))


__all__ = ["LOGIND", "SAVERS", "Presence"]
