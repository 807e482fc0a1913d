"""A StatusNotifierWatcher that does what a test tells it: real messages on a real bus, a tray that can lie or forget."""

import threading
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call, new_method_return, new_signal
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.kde.StatusNotifierWatcher"
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_SELF = DBusAddress("/StatusNotifierWatcher", interface=NAME)


class Watcher:
    """Lists what registers, as long as `lists`; says that a host is there, as long as `hosts`. Draws nothing unless asked to."""

    def __init__(self, address: str) -> None:
        self.hosts = True
        self.lists = True
        self.registered = threading.Event()
        self._items: list[str] = []
        self._bus: DBusConnection = open_dbus_connection(address)
        self._eyes: DBusConnection = open_dbus_connection(address)
        self._bus.send_and_get_reply(new_method_call(_BUS, "RequestName", "su", (NAME, 4)))
        threading.Thread(target=self._serve, daemon=True).start()

    def tell(self, signal: str, *arguments: str) -> None:
        """Sends one of the watcher's signals."""
        self._bus.send(new_signal(_SELF, signal, "s" * len(arguments) or None, arguments))

    def draw(self) -> None:
        """Fetches the picture of the last item that registered, as a host does before it draws."""
        self._get("GetAll", "s", ("org.kde.StatusNotifierItem",))

    def headline(self) -> str:
        """What the item says of itself, without fetching its picture."""
        return str(self._get("Get", "ss", ("org.kde.StatusNotifierItem", "ToolTip"))[0][1][2])

    def _get(self, member: str, signature: str, body: tuple[str, ...]) -> Any:
        address = DBusAddress("/StatusNotifierItem", self._items[-1], "org.freedesktop.DBus.Properties")
        return self._eyes.send_and_get_reply(new_method_call(address, member, signature, body), timeout=5).body

    def close(self) -> None:
        """Leaves the bus."""
        self._bus.sock.shutdown(2)
        self._eyes.close()

    def _serve(self) -> None:
        while True:
            try:
                message = self._bus.receive()
            except (OSError, ValueError):
                return
            if message.header.message_type is MessageType.method_call:
                signature, body = self._answer(message)
                self._bus.send(new_method_return(message, signature, body))

    def _answer(self, message: Message) -> tuple[str | None, tuple[Any, ...]]:
        if message.header.fields[HeaderFields.member] == "RegisterStatusNotifierItem":
            self._items.append(message.body[0])
            self.registered.set()
            return None, ()
        items = [f"{item}/StatusNotifierItem" for item in self._items] if self.lists else []
        return "a{sv}", ({"IsStatusNotifierHostRegistered": ("b", self.hosts), "RegisteredStatusNotifierItems": ("as", items)},)
