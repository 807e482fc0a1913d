"""The calls of com.canonical.dbusmenu, answered from the menu. Pure.

EventGroup and AboutToShowGroup are not optional: hosts call them instead of Event and AboutToShow, and a click would be
lost without a word.
"""

from typing import Any

from agent.tray import menu
from agent.tray.look import Act
from agent.tray.menu import Item
from agent.tray.reply import NotHere, Reply

VERSION = 3


def properties() -> menu.Properties:
    """The properties of the menu as a whole."""
    return {
        "Version": ("u", VERSION),
        "TextDirection": ("s", "ltr"),
        "Status": ("s", "normal"),
        "IconThemePath": ("as", []),
    }


def answer(root: Item, revision: int, stale: bool, member: str, body: tuple[Any, ...]) -> Reply:
    """The reply to a call. `stale`: the host's copy of the menu is older than `root`. Raises NotHere."""
    match member, body:
        case "GetLayout", (int(parent), int(levels), names):
            return Reply("u(ia{sv}av)", (revision, menu.layout(_item(root, parent), levels, names)), laid_out=True)
        case "GetGroupProperties", (ids, names):
            items = [item for item in menu.every(root) if not ids or item.id in ids]
            return Reply("a(ia{sv})", ([(item.id, menu.properties(item, names)) for item in items],))
        case "GetProperty", (int(item_id), str(name)):
            return Reply("v", (menu.properties(_item(root, item_id))[name],))
        case "AboutToShow", (int(item_id),):
            return Reply("b", (stale and item_id == 0,))
        case "AboutToShowGroup", (ids,):
            return Reply("aiai", ([0] if stale and 0 in ids else [], _unknown(root, ids)))
    return _clicked(root, member, body)


def _clicked(root: Item, member: str, body: tuple[Any, ...]) -> Reply:
    match member, body:
        case "Event", (int(item_id), str(event), _, _):
            return Reply(acts=_acts(root, [(item_id, event)]))
        case "EventGroup", (events,):
            return Reply("ai", (_unknown(root, [event[0] for event in events]),), acts=_acts(root, [event[:2] for event in events]))
    raise NotHere(member)


def _item(root: Item, item_id: int) -> Item:
    found = menu.find(root, item_id)
    if found is None:
        raise NotHere(str(item_id))
    return found


def _unknown(root: Item, ids: list[int]) -> list[int]:
    return [item_id for item_id in ids if menu.find(root, item_id) is None]


def _acts(root: Item, events: list[tuple[int, str]]) -> tuple[Act, ...]:
    return tuple(act for item_id, event in events if (act := menu.asked(root, item_id, event)) is not None)
