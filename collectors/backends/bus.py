"""One D-Bus connection on which nothing ever waits: calls are steps of a generator that goes on when its answer comes."""

import os
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
_MOST_CALLS = 512
"""Calls that nobody answers; more, and the peer is broken."""
_CONNECT_S = 1.0


def call(target: Target, interface: str, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
    """A method call, to be yielded."""
    from jeepney import DBusAddress, new_method_call

    return new_method_call(DBusAddress(target[1], target[0], interface), method, signature or None, body)


def owner_of(name: str) -> Any:
    """The call that asks the bus for the process behind a name."""
    return call((BUS_ITSELF, "/org/freedesktop/DBus"), BUS_ITSELF, "GetConnectionUnixProcessID", "s", (name,))


class BusGoneError(Exception):
    """The bus does not answer or closed the connection."""


class Bus:
    """A connection.

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
        self._serial = 0
        self._waiting: dict[int, Steps] = {}
        self._send(message_bus.Hello())

    def fileno(self) -> int:
        """What to wait on."""
        return self._socket.fileno()

    def run(self, steps: Steps) -> None:
        """Start a conversation; it goes on by `pump`. Raises BusGoneError."""
        self._step(steps, first=True, answer=None)

    def pump(self) -> None:
        """Everything that has come. Raises BusGoneError."""
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            except OSError as error:
                raise BusGoneError("closed the connection") from error
            if not data:
                raise BusGoneError("closed the connection")
            self._parser.add_data(data)
            while (message := self._parser.get_next_message()) is not None:
                self._came(message)

    def close(self) -> None:
        """Hang up; no conversation goes on."""
        self._waiting.clear()
        self._socket.close()

    def _came(self, message: Any) -> None:
        from jeepney import HeaderFields, MessageType

        fields = message.header.fields
        if message.header.message_type is MessageType.signal:
            where = (fields.get(HeaderFields.sender, ""), fields.get(HeaderFields.path, ""), fields.get(HeaderFields.member, ""))
            self._heard(*where, message.body)
            return
        steps = self._waiting.pop(fields.get(HeaderFields.reply_serial, 0), None)
        if steps is not None:
            returned = message.header.message_type is MessageType.method_return
            self._step(steps, first=False, answer=message.body if returned else None)

    def _step(self, steps: Steps, first: bool, answer: Answer) -> None:
        try:
            message = next(steps) if first else steps.send(answer)
        except StopIteration:
            return
        except (TypeError, ValueError, LookupError, AttributeError):
            return  # an answer of another shape than the question's: whoever gave it is not understood
        if len(self._waiting) >= _MOST_CALLS:
            self._waiting.clear()
        self._waiting[self._send(message)] = steps

    def _send(self, message: Any) -> int:
        self._serial += 1
        try:
            self._socket.sendall(message.serialise(serial=self._serial))
        except OSError as error:
            raise BusGoneError("closed the connection") from error
        return self._serial


def session_address() -> str | None:
    """Where this session's bus is; None if there is none."""
    said = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if said:
        return said
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}"), "bus")
    return f"unix:path={path}" if os.path.exists(path) else None
