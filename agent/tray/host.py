"""Whether a tray host shows our icon: asked of org.kde.StatusNotifierWatcher each time, never remembered as true.

No watcher, no host, an item that the watcher does not list, or no answer: the icon is not shown. The watcher is never
started for our sake; a desktop without one gets the badge.
"""

import os
from collections.abc import Callable
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message

from agent.tray.bus import Bus

WATCHER = "org.kde.StatusNotifierWatcher"
_ADDRESS = DBusAddress("/StatusNotifierWatcher", WATCHER, WATCHER)
_PROPERTIES = DBusAddress("/StatusNotifierWatcher", WATCHER, "org.freedesktop.DBus.Properties")
_CAN_HOST_NOW = frozenset({"NameOwnerChanged", "StatusNotifierHostRegistered"})
_MAY_HAVE_CHANGED = frozenset({"StatusNotifierHostUnregistered", "StatusNotifierItemUnregistered", "StatusNotifierItemRegistered"})


class Host:
    """The desktop's tray, as far as our one icon is concerned."""

    def __init__(self, bus: Bus, changed: Callable[[bool], None]) -> None:
        """Begins to look for a host and to register with it. `changed` is told, at every look: is our icon shown?"""
        self._bus = bus
        self._changed = changed
        self._name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
        bus.own(self._name)
        bus.listen(f"type='signal',sender='{WATCHER}',interface='{WATCHER}'")
        bus.listen(f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{WATCHER}'")
        self._register()

    def heard(self, message: Message) -> None:
        """A signal from the bus: looks again if it is about the tray."""
        member = message.header.fields.get(HeaderFields.member)
        if member in _CAN_HOST_NOW:
            self._register()
        elif member in _MAY_HAVE_CHANGED:
            self.look(self._changed)

    def look(self, then: Callable[[bool], None]) -> None:
        """Asks the watcher now. `then` learns whether a host is there and our icon in its list; it may never be called."""
        self._ask(lambda there: then(there is True))

    def _register(self) -> None:
        self._ask(self._register_unless_listed)

    def _register_unless_listed(self, listed: bool | None) -> None:
        if listed is False:
            self._bus.call(_ADDRESS, "RegisterStatusNotifierItem", "s", (self._name,), then=lambda _body: self.look(self._changed))
        else:
            self._changed(listed is True)

    def _ask(self, then: Callable[[bool | None], None]) -> None:
        """Listed, not listed, or None where no host is."""

        def answered(body: tuple[Any, ...] | None) -> None:
            values = body[0] if body else {}
            if _value(values, "IsStatusNotifierHostRegistered") is not True:
                then(None)
                return
            items = _value(values, "RegisteredStatusNotifierItems") or []
            then(any(_owner(item) in (self._bus.name, self._name) for item in items))

        self._bus.call(_PROPERTIES, "GetAll", "s", (WATCHER,), then=answered)


def _value(values: dict[str, tuple[str, Any]], name: str) -> Any:
    return values.get(name, ("", None))[1]


def _owner(item: str) -> str:
    """The bus name in an entry of the list: hosts write `:1.7/StatusNotifierItem`, `:1.7@/StatusNotifierItem` or the name alone."""
    return item.split("/", 1)[0].removesuffix("@")
