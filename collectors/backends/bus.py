"""One D-Bus connection on which nothing ever waits: calls are steps of a generator that goes on when its answer comes.

Anyone on a bus may send anyone an answer that nobody asked for. So one counts only if the connection that was asked sent it (the bus says
of every message who sent it), or if the bus itself says that the call failed. A service's name is exchanged for its owner before it is
called.
"""

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Callable, Generator
from typing import Any

Answer = tuple[Any, ...] | None
"""What a call answered; None if it failed. Why it failed is not looked at: it may name what is on the screen."""
Steps = Generator[Any, Answer, None]
"""Yields messages to send and gets each one's answer."""

Heard = Callable[[str, str, str, tuple[Any, ...]], None]
"""Gets a signal: its sender, the object's path, the member, the body."""
Target = tuple[str, str]
"""A bus name and an object's path on it."""

BUS_ITSELF = "org.freedesktop.DBus"
_SERVICES = ("org.a11y.Bus", "org.a11y.atspi.Registry")
"""Whom we call by a name. Other names than these and the bus's own are those of connections: nobody makes us start a program."""
_CONNECTION = re.compile(r":[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", re.ASCII)
_NONSENSE = (TypeError, ValueError, LookupError, AttributeError)
"""A signal or an answer of another shape than it should have makes these: whoever sent it is not understood."""
_MOST_CALLS = 512
"""Calls that nobody answers; more, and the peer is broken."""
_CONNECT_S = 1.0
_MOST_BYTES, _MOST_MESSAGES = 1 << 16, 200
"""Read at once; what is left is read when the observer has done its other work."""


def call(target: Target, interface: str, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
    """A method call, to be yielded."""
    from jeepney import DBusAddress, new_method_call

    return new_method_call(DBusAddress(target[1], target[0], interface), method, signature or None, body)


def owner_of(name: str) -> Any:
    """The call that asks the bus for the process behind a name."""
    return _ask_bus("GetConnectionUnixProcessID", "s", name)


def _ask_bus(method: str, signature: str, *body: Any) -> Any:
    return call((BUS_ITSELF, "/org/freedesktop/DBus"), BUS_ITSELF, method, signature, body)


class BusGoneError(Exception):
    """The bus does not answer or closed the connection."""


class Bus:
    """A connection.

    Attributes:
        behind: There may be more than the latest `pump` took: it is to be called again, whether or not the descriptor is ready.

    Raises:
        BusGoneError: It cannot be connected to.
    """

    def __init__(self, address: str, heard: Heard) -> None:
        from jeepney import Parser, message_bus
        from jeepney.bus import get_bus
        from jeepney.io.blocking import prep_socket

        try:
            self._socket: socket.socket = prep_socket(get_bus(address), timeout=_CONNECT_S)
        except (OSError, RuntimeError, ValueError, StopIteration) as error:
            raise BusGoneError("cannot be connected to") from error
        self._socket.setblocking(False)
        self._parser, self._heard = Parser(), heard
        self._serial = secrets.randbelow(1 << 31)  # a stranger would have to guess it, too
        self._waiting: dict[int, tuple[Steps, str]] = {}
        self._owners: dict[str, str] = {}
        self._followed: set[str] = set()
        self.behind = False
        self._send(message_bus.Hello())

    def fileno(self) -> int:
        """What to wait on."""
        return self._socket.fileno()

    def run(self, steps: Steps) -> None:
        """Start a conversation; it goes on by `pump`. Raises BusGoneError."""
        self._step(self._addressed(steps), first=True, answer=None)

    def pump(self) -> None:
        """What has come, within bounds: anyone may send without measure. Raises BusGoneError."""
        read = self.behind = False
        for _ in range(_MOST_MESSAGES):
            message = self._parser.get_next_message()
            if message is None and not read:
                read, self.behind = True, self._receive() == _MOST_BYTES
                message = self._parser.get_next_message()
            if message is None:
                return
            self._came(message)
        self.behind = True

    def _receive(self) -> int:
        try:
            data = self._socket.recv(_MOST_BYTES)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise BusGoneError("closed the connection") from error
        if not data:
            raise BusGoneError("closed the connection")
        self._parser.add_data(data)
        return len(data)

    def close(self) -> None:
        """Hang up; no conversation goes on."""
        self._waiting.clear()
        self._socket.close()

    def _came(self, message: Any) -> None:
        from jeepney import HeaderFields, MessageType

        fields, kind = message.header.fields, message.header.message_type
        sender = fields.get(HeaderFields.sender, "")
        if kind is MessageType.signal:
            if sender == BUS_ITSELF and fields.get(HeaderFields.member) == "NameOwnerChanged":
                self._owners.pop(message.body[0], None)
            with contextlib.suppress(*_NONSENSE):
                self._heard(sender, fields.get(HeaderFields.path, ""), fields.get(HeaderFields.member, ""), message.body)
        elif kind in (MessageType.method_return, MessageType.error):
            returned = kind is MessageType.method_return
            serial = fields.get(HeaderFields.reply_serial, 0)
            steps, asked = self._waiting.get(serial, (None, ""))
            if steps is not None and (sender == asked or (sender == BUS_ITSELF and not returned)):
                del self._waiting[serial]
                self._step(steps, first=False, answer=message.body if returned else None)

    def _addressed(self, steps: Steps) -> Steps:
        """The conversation, each message of it to a connection. To what is no name of one, nothing is sent, and it does not answer."""
        from jeepney import HeaderFields

        try:
            message = next(steps)
            while True:
                fields = message.header.fields
                owner = yield from self._owner(fields[HeaderFields.destination])
                fields[HeaderFields.destination] = owner
                message = steps.send((yield message) if owner else None)
        except StopIteration:
            return

    def _owner(self, name: str) -> Generator[Any, Answer, str]:
        """Which connection has this name, from the bus itself; a service that does not run is started. Empty: none."""
        if name == BUS_ITSELF or _CONNECTION.fullmatch(name):
            return name
        if name in _SERVICES and name not in self._owners:
            if name not in self._followed:
                self._followed.add(name)
                yield _ask_bus("AddMatch", "s", f"type='signal',sender='{BUS_ITSELF}',member='NameOwnerChanged',arg0='{name}'")
            owner = yield _ask_bus("GetNameOwner", "s", name)
            if owner is None:
                yield _ask_bus("StartServiceByName", "su", name, 0)
                owner = yield _ask_bus("GetNameOwner", "s", name)
            if owner is not None:
                self._owners[name] = str(owner[0])
        return self._owners.get(name, "")

    def _step(self, steps: Steps, first: bool, answer: Answer) -> None:
        from jeepney import HeaderFields

        try:
            message = next(steps) if first else steps.send(answer)
        except StopIteration:
            return
        except _NONSENSE:
            return
        if len(self._waiting) >= _MOST_CALLS:
            self._waiting.clear()
        self._waiting[self._send(message)] = (steps, message.header.fields[HeaderFields.destination])

    def _send(self, message: Any) -> int:
        self._serial += 1
        try:
            self._socket.sendall(message.serialise(serial=self._serial))
        except OSError as error:
            raise BusGoneError("closed the connection") from error
        return self._serial


def while_open(steps: Generator[Any, Answer, Any], still_open: Callable[[], bool]) -> Generator[Any, Answer, Any]:
    """A conversation, and what it comes to, for as long as its question is still open; None once it is not."""
    try:
        message = next(steps)
        while True:
            answer = yield message
            if not still_open():
                return None
            message = steps.send(answer)
    except StopIteration as end:
        return end.value


def session_address() -> str | None:
    """Where this session's bus is; None if there is none."""
    said = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if said:
        return said
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}"), "bus")
    return f"unix:path={path}" if os.path.exists(path) else None
