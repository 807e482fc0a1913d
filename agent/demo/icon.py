"""Reads the tray icon's menu as a panel does, over D-Bus: the only place where a consent code is to be seen."""

import re
from collections.abc import Iterator
from typing import Any

from jeepney import DBusAddress, MessageType, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from agent.demo.session import WATCHER
from agent.demo.wait import until

_ITEM = "org.kde.StatusNotifierItem"
_MENU = "com.canonical.dbusmenu"
_ALL_LEVELS = -1


class Icon:
    """The one icon on a private panel."""

    def __init__(self, address: str) -> None:
        self._bus = open_dbus_connection(address)

    def close(self) -> None:
        """Hang up."""
        self._bus.close()

    def labels(self) -> list[str]:
        """Every line of its menu, top to bottom; nothing as long as there is no icon."""
        items = _property(self._bus, WATCHER, "RegisteredStatusNotifierItems") or []
        return [label for item in items for label in self._labels_of(item)]

    def code(self) -> str:
        """The consent code, as soon as the menu shows one."""
        return until(lambda: _first_code(self.labels()), "the consent code in the icon's menu")

    def _labels_of(self, item: str) -> list[str]:
        name, slash, path = item.partition("/")
        menu = _property(self._bus, DBusAddress(slash + path or "/StatusNotifierItem", name, _ITEM), "Menu")
        if menu is None:
            return []
        asked = new_method_call(DBusAddress(menu, name, _MENU), "GetLayout", "iias", (0, _ALL_LEVELS, ["label"]))
        reply = self._bus.send_and_get_reply(asked)
        return list(_walk(reply.body[1])) if reply.header.message_type is MessageType.method_return else []


def _walk(layout: Any) -> Iterator[str]:
    _, properties, children = layout
    if "label" in properties:
        yield str(properties["label"][1])
    for _, child in children:
        yield from _walk(child)


def _property(bus: DBusConnection, address: DBusAddress, name: str) -> Any:
    reply = bus.send_and_get_reply(Properties(address).get(name))
    return reply.body[0][1] if reply.header.message_type is MessageType.method_return else None


def _first_code(labels: list[str]) -> str | None:
    """Six digits, in one or two groups."""
    return next((found[0].replace(" ", "") for label in labels if (found := re.search(r"\b\d{3} ?\d{3}\b", label))), None)
