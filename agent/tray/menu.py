"""The menu as a tree of items, and as com.canonical.dbusmenu says it. Pure.

One click pauses, one click resumes. Stopping for good is one more level down, because it erases: a slip must not.
An id means the same item for ever, so a host that redraws an open menu never puts one act under another's label.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.tray.look import PAUSE_MINUTES, Act, Shown, code_line, detail_line, one_line, state_line

Properties = dict[str, tuple[str, Any]]
"""D-Bus a{sv}: a name, and the signature and value of its variant."""

Layout = tuple[int, Properties, list[tuple[str, Any]]]
"""D-Bus (ia{sv}av): id, properties, children."""

ALL_LEVELS = -1


@dataclass(frozen=True, slots=True)
class Item:
    """One entry. `act` is what a click on it asks for; None for what only informs."""

    id: int
    label: str = ""
    enabled: bool = True
    act: Act | None = None
    separator: bool = False
    children: tuple["Item", ...] = ()


def build(shown: Shown) -> Item:
    """The whole menu for what is shown, top to bottom."""
    informing = (
        _words(1, state_line(shown, counting=True)),
        _words(2, detail_line(shown)),
        Item(3, code_line(shown)),  # not greyed: somebody waits for it
        _words(4, one_line(shown.answer)),
    )
    stop_now = Item(10, "Stop now: erase what is held here", act=Act.WITHDRAW)
    acting = (
        Item(5, separator=True),
        Item(6, f"Pause {PAUSE_MINUTES} minutes", Act.PAUSE in shown.can, Act.PAUSE),
        Item(7, "Resume", Act.RESUME in shown.can, Act.RESUME),
        Item(8, separator=True),
        Item(9, "Stop for good", Act.WITHDRAW in shown.can, children=(stop_now,)),
    )
    return Item(0, children=(*(item for item in informing if item.label), *acting))


def every(item: Item) -> Iterator[Item]:
    """The item and all below it."""
    yield item
    for child in item.children:
        yield from every(child)


def find(root: Item, item_id: int) -> Item | None:
    """The item of that id; None if there is none now."""
    return next((item for item in every(root) if item.id == item_id), None)


def asked(root: Item, item_id: int, event: str) -> Act | None:
    """What an event on an item asks for: only a click, and only on an item that is enabled now, its parent too."""
    if event != "clicked":
        return None
    return next((item.act for item in _reachable(root) if item.id == item_id), None)


def properties(item: Item, names: Iterable[str] = ()) -> Properties:
    """The item's properties that differ from dbusmenu's defaults; only those in `names` if any are named."""
    wanted = frozenset(names)
    all_of_them: Properties = {}
    if item.separator:
        all_of_them["type"] = ("s", "separator")
    elif item.id:
        all_of_them["label"] = ("s", item.label.replace("_", "__"))
        all_of_them["enabled"] = ("b", item.enabled)
    if item.children:
        all_of_them["children-display"] = ("s", "submenu")
    return {name: value for name, value in all_of_them.items() if not wanted or name in wanted}


def layout(item: Item, levels: int, names: Iterable[str] = ()) -> Layout:
    """The item and `levels` levels below it (ALL_LEVELS: all)."""
    wanted = tuple(names)
    below = item.children if levels else ()
    return item.id, properties(item, wanted), [("(ia{sv}av)", layout(child, levels - 1, wanted)) for child in below]


def _words(item_id: int, label: str) -> Item:
    return Item(item_id, label, enabled=False)


def _reachable(item: Item) -> Iterator[Item]:
    if item.enabled:
        yield item
        for child in item.children:
            yield from _reachable(child)
