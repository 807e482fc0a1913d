"""What toolkits say of themselves, asked directly: what a live test compares the observer's word with. Waits for every answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

SELECTED, SHOWING, FOCUSED, SENSITIVE, EXPANDABLE = 23, 25, 12, 24, 9
MENU, MENU_BAR, COMBO_BOX, LIST, TABLE = 33, 34, 11, 31, 55
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_ANSWER_S = 5.0


@dataclass(frozen=True)
class Object:
    """One object of an application's tree."""

    bus: DBusConnection
    name: str
    path: str

    def ask(self, interface: str, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
        """Its answer; None if it gives none."""
        address = DBusAddress(self.path, self.name, interface)
        reply = self.bus.send_and_get_reply(new_method_call(address, method, signature, body), timeout=_ANSWER_S)
        return reply.body[0] if reply.header.message_type is MessageType.method_return else None

    def _property(self, name: str) -> Any:
        said = self.ask("org.freedesktop.DBus.Properties", "Get", "ss", (_ACCESSIBLE, name))
        return None if said is None else said[1]

    @property
    def role(self) -> int:
        """Its AT-SPI role."""
        return int(self.ask(_ACCESSIBLE, "GetRole") or 0)

    @property
    def index(self) -> int:
        """Its place among its parent's children."""
        return int(self.ask(_ACCESSIBLE, "GetIndexInParent"))

    @property
    def label(self) -> str:
        """Its name, without what a toolkit puts around it."""
        return str(self._property("Name")).strip()

    @property
    def extents(self) -> tuple[int, int, int, int]:
        """Its box on the screen; in GTK 4, in its window."""
        x, y, width, height = self.ask("org.a11y.atspi.Component", "GetExtents", "u", (0,))
        return x, y, width, height

    @property
    def middle(self) -> tuple[int, int]:
        """The point in the middle of its box."""
        x, y, width, height = self.extents
        return x + width // 2, y + height // 2

    def has(self, state: int) -> bool:
        """Whether it is in a state."""
        states = self.ask(_ACCESSIBLE, "GetState")
        return states is not None and bool(states[state // 32] >> state % 32 & 1)

    @property
    def children(self) -> list["Object"]:
        """Its children."""
        found = self.ask(_ACCESSIBLE, "GetChildren") or []
        return [Object(self.bus, name, path) for name, path in found if not path.endswith("/null")]

    def all(self, *roles: int, deepest: int = 16) -> Iterator["Object"]:
        """It and everything in it that has one of these roles, in order."""
        if self.role in roles:
            yield self
        if deepest:
            for child in self.children:
                yield from child.all(*roles, deepest=deepest - 1)


class Tree:
    """All applications of a desktop. To be closed."""

    def __init__(self, env: Mapping[str, str]) -> None:
        with open_dbus_connection(env["DBUS_SESSION_BUS_ADDRESS"]) as session:
            launcher = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
            (address,) = session.send_and_get_reply(new_method_call(launcher, "GetAddress"), timeout=_ANSWER_S).body
        self._bus = open_dbus_connection(address)

    def close(self) -> None:
        """Hang up."""
        self._bus.close()

    def application(self, pid: int) -> Object | None:
        """The root of a process's tree; None while it has none."""
        for one in Object(self._bus, "org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root").children:
            asked = Object(self._bus, "org.freedesktop.DBus", "/org/freedesktop/DBus")
            if asked.ask("org.freedesktop.DBus", "GetConnectionUnixProcessID", "s", (one.name,)) == pid:
                return one
        return None
