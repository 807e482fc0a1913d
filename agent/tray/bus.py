"""The session bus without a thread or a loop of its own: send, and hand over what has arrived. Never waits for an answer.

`jeepney` writes and reads the messages. A reply finds its way to whoever asked; one that never comes costs nothing, since
whoever asked has a deadline of its own. Only the bus's own greeting is waited for, two seconds at most.
"""

import os
from collections.abc import Callable
from itertools import count
from typing import Any

from jeepney import HeaderFields, Message, MessageType, Parser
from jeepney.io.blocking import prep_socket
from jeepney.low_level import MessageFlag
from jeepney.wrappers import DBusAddress, new_error, new_method_call, new_method_return, new_signal

from agent.tray.errors import BusGone

NO_SUCH = "org.freedesktop.DBus.Error.UnknownMethod"
_DAEMON = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_GREETING_S = 2.0
_READ_BYTES = 65_536

Then = Callable[[tuple[Any, ...] | None], None]
"""Called with the body of a reply, or None if it was an error."""


class Bus:
    """One connection to the session bus."""

    def __init__(self) -> None:
        """Connects and greets. Raises BusGone if there is no bus."""
        self._serials = count(1)
        self._parser = Parser()
        self._waiting: dict[int, Then] = {}
        self.name = ""
        try:
            self._socket = prep_socket(_address(), timeout=_GREETING_S)
            self._socket.settimeout(_GREETING_S)
            self.call(_DAEMON, "Hello", then=self._greeted)
            while not self.name:
                self.read()
        except (OSError, KeyError, ValueError, RuntimeError, StopIteration) as error:
            raise BusGone("there is no session bus", "start Volens from the desktop session") from error

    def fileno(self) -> int:
        """For select."""
        return int(self._socket.fileno())

    def close(self) -> None:
        """Leaves the bus; what was exported there is gone with it."""
        self._socket.close()

    def read(self) -> list[Message]:
        """What has arrived, without the replies, which are handed to whoever asked. Call when readable. Raises BusGone."""
        try:
            data = self._socket.recv(_READ_BYTES)
            messages = self._parser.feed(data) if data else None
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise BusGone("the session bus broke off", "") from error
        if messages is None:
            raise BusGone("the session bus is gone", "")
        return [message for message in messages if not self._is_reply(message)]

    def call(self, to: DBusAddress, member: str, signature: str | None = None, body: tuple[Any, ...] = (), *, then: Then) -> None:
        """Calls; `then` is called from a later `read`."""
        serial = self._send(new_method_call(to, member, signature, body))
        self._waiting[serial] = then

    def listen(self, rule: str) -> None:
        """Asks the bus for the signals that match."""
        self.call(_DAEMON, "AddMatch", "s", (rule,), then=_ignore)

    def own(self, name: str) -> None:
        """Takes a well-known name, if it is free."""
        self.call(_DAEMON, "RequestName", "su", (name, 4), then=_ignore)

    def reply(self, to: Message, signature: str, body: tuple[Any, ...]) -> None:
        """Answers a call, unless its caller wants no answer."""
        if not to.header.flags & MessageFlag.no_reply_expected:
            self._send(new_method_return(to, signature or None, body))

    def refuse(self, to: Message, words: str) -> None:
        """Answers a call with an error."""
        if not to.header.flags & MessageFlag.no_reply_expected:
            self._send(new_error(to, NO_SUCH, "s", (words,)))

    def signal(self, path: str, interface: str, member: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> None:
        """Sends a signal to whoever listens."""
        self._send(new_signal(DBusAddress(path, interface=interface), member, signature, body))

    def _send(self, message: Message) -> int:
        serial = next(self._serials)
        try:
            self._socket.sendall(message.serialise(serial=serial))
        except OSError as error:
            raise BusGone("the session bus is gone", "") from error
        return serial

    def _is_reply(self, message: Message) -> bool:
        serial = message.header.fields.get(HeaderFields.reply_serial)
        if serial is None:
            return False
        then = self._waiting.pop(serial, _ignore)
        then(tuple(message.body) if message.header.message_type is MessageType.method_return else None)
        return True

    def _greeted(self, body: tuple[Any, ...] | None) -> None:
        if not body:
            raise BusGone("the session bus refused us", "log in to the desktop as yourself")
        self.name = str(body[0])


def _address() -> str:
    """The path of the session bus; '\\0' and a name if it is abstract. Raises KeyError, ValueError, RuntimeError, StopIteration."""
    from jeepney.bus import get_connectable_addresses

    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    default = f"unix:path={runtime}/bus" if runtime else ""
    address: str = next(get_connectable_addresses(os.environ.get("DBUS_SESSION_BUS_ADDRESS", default)))
    return address


def _ignore(_body: tuple[Any, ...] | None) -> None:
    """For answers that change nothing."""
