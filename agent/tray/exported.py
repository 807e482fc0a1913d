"""What the icon answers on D-Bus: the objects /StatusNotifierItem and /MenuBar, as values. Pure.

Anything else is refused with the standard error; nothing that a caller sends can change what is shown.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from agent.tray import dbusmenu, menu
from agent.tray.introspection import XML
from agent.tray.look import TITLE, Look, Shown, code_line, plain_lines
from agent.tray.picture import SIZES_PX, argb
from agent.tray.reply import NotHere, Reply

ITEM_PATH = "/StatusNotifierItem"
MENU_PATH = "/MenuBar"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"

_CLICKS = frozenset({"Activate", "SecondaryActivate", "ContextMenu", "Scroll"})
"""Accepted and ignored: ItemIsMenu asks hosts to open the menu instead."""


@dataclass
class Pictures:
    """Each look's pixmaps, drawn when first asked for."""

    _drawn: dict[Look, list[tuple[int, int, bytes]]] = field(default_factory=dict)

    def of(self, look: Look) -> list[tuple[int, int, bytes]]:
        """D-Bus a(iiay): width, height, ARGB in network byte order."""
        if look not in self._drawn:
            self._drawn[look] = [(size, size, argb(look, size)) for size in SIZES_PX]
        return self._drawn[look]


@dataclass(frozen=True, slots=True)
class Exported:
    """Everything that the icon is, at one moment.

    Attributes:
        shown: What it shows.
        root: Its menu.
        revision: Rises with every change of the menu.
        stale: True if the host's copy of the menu is older.
        pictures: The drawn looks.
    """

    shown: Shown
    root: menu.Item
    revision: int
    stale: bool
    pictures: Pictures

    def answer(self, path: str, interface: str, member: str, body: tuple[Any, ...]) -> Reply:
        """The reply to a call. Raises NotHere."""
        try:
            return self._route(path, interface, member, body)
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise NotHere(f"{interface}.{member}") from error

    def _route(self, path: str, interface: str, member: str, body: tuple[Any, ...]) -> Reply:
        if interface == MENU and path == MENU_PATH:
            return dbusmenu.answer(self.root, self.revision, self.stale, member, body)
        if interface == ITEM and path == ITEM_PATH and member in _CLICKS:
            return Reply()
        if interface == "org.freedesktop.DBus.Properties":
            return self._properties(path, member, *body)
        if (interface, member) == ("org.freedesktop.DBus.Introspectable", "Introspect"):
            return Reply("s", (XML[path],))
        raise NotHere(f"{interface}.{member}")

    def _properties(self, path: str, member: str, interface: str, name: str = "") -> Reply:
        values = {(ITEM_PATH, ITEM): self._item, (MENU_PATH, MENU): dbusmenu.properties}[path, interface]()
        if member == "GetAll":
            return Reply("a{sv}", (values,), pictured="IconPixmap" in values)
        if member == "Get":
            return Reply("v", (values[name],), pictured=name == "IconPixmap")
        raise NotHere(member)

    def _item(self) -> menu.Properties:
        hint = (code_line(replace(self.shown, read_aloud=False)),) if self.shown.code is not None else ()
        tooltip: tuple[Any, ...] = ("", [], f"{TITLE}: {self.shown.headline}", "\n".join((*plain_lines(self.shown), *hint)))
        return {
            "Category": ("s", "SystemServices"),
            "Id": ("s", "volens"),
            "Title": ("s", TITLE),
            "Status": ("s", "Active"),
            "WindowId": ("i", 0),
            "IconName": ("s", ""),
            "IconThemePath": ("s", ""),
            "IconPixmap": ("a(iiay)", self.pictures.of(self.shown.look)),
            "OverlayIconName": ("s", ""),
            "OverlayIconPixmap": ("a(iiay)", []),
            "AttentionIconName": ("s", ""),
            "AttentionIconPixmap": ("a(iiay)", []),
            "AttentionMovieName": ("s", ""),
            "ToolTip": ("(sa(iiay)ss)", tooltip),
            "ItemIsMenu": ("b", True),
            "Menu": ("o", MENU_PATH),
        }
