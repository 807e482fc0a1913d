"""Asks what is highlighted in the application in front: role, place among its siblings, box. The choice itself is `collectors.elements`'.

Asks only about objects that were said to be selected or focused, and for nothing more once one is no item, is editable, or is not on
the screen. A name goes through the vocabulary and no further. Whatever does not answer is no item.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from collectors.backends.bus import Answer, Steps, Target, call
from collectors.elements import Box, Elements, Item
from collectors.labels import Labels, NoLabels
from collectors.raw import Geometry
from collectors.roles import ITEMS, KEEPS_ITEMS, MENU_ITEMS, ROWS, element_role
from consent.event import Clocks

MOST_LOOKS = 8
"""Objects that are asked about at once: when all of a list is selected, every row says so."""
UNANSWERED_MS = 2_000
"""An application that has not answered by then does not take the place of others any more."""
MOST_GROUPS = 64
MOST_ROWS = 32
"""Rows of a list that are asked one by one which of them is selected; in a longer one, none is known until that changes."""
_DEEPEST = 3
"""Objects between an option's parent and its combo box (measured: GTK 3 none, Qt 6 one)."""
_ROOT = "/org/a11y/atspi/accessible/root"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_EDITABLE, _ENABLED, _EXPANDABLE, _SENSITIVE, _SHOWING, _VISIBLE, _HAS_POPUP, _SELECTED = 7, 8, 9, 24, 25, 30, 42, 23
_SCREEN = 0
_NOWHERE = -(2**31)
_COMBO_BOX, _PANEL = 11, 39


@dataclass(slots=True)
class _Look:
    """An object that is being asked about, and what was said of it meanwhile."""

    since_ms: int
    focused: bool
    selected: bool
    until_ms: int | None = None


class Highlights:
    """What the toolkit says while the person moves through menus and lists.

    Args:
        converse: Runs a conversation for as long as the same window is in front.
        window: Where the window in front is now; None if it is gone.
    """

    def __init__(self, elements: Elements, converse: Callable[[Steps], None], window: Callable[[], Geometry | None]) -> None:
        self._elements, self._converse, self._window = elements, converse, window
        self._labels: Labels = NoLabels()
        self._looks: dict[Target, _Look] = {}
        self._groups: dict[Target, tuple[int, bool]] = {}
        self._boxless: dict[str, bool] = {}

    def watch(self, labels: Labels) -> None:
        """Another window is in front, with this vocabulary."""
        self._labels = labels
        self._looks.clear()
        self._groups.clear()

    def forget(self) -> None:
        """The bus is gone, and every name on it."""
        self.watch(NoLabels())
        self._boxless.clear()

    # --- what the application in front says ----------------------------------------------------------------------

    def signalled(self, at: Clocks, target: Target, member: str, body: tuple[Any, ...]) -> None:
        """A signal of an object of the application in front, but that it got the focus."""
        if member == "ActiveDescendantChanged":
            if len(body) > 3 and body[3][0] == "(so)":
                self._look_inside(at, target, body[3][1])
        elif body[0] in ("selected", "focused") and not body[1]:
            self._ended(at, target)
        elif body[0] == "selected":
            self._look(at, target, selected=True)

    def focused(self, at: Clocks, target: Target, role: int | None) -> None:
        """Something got the focus, and this is its role; None: it does not say."""
        if role in ITEMS:
            self._look(at, target, focused=True)
        elif role == _PANEL:
            self._converse(self._ask_around(at, target))
        elif role in KEEPS_ITEMS:
            self._converse(self._ask_inside(at, target))
        else:
            self._elements.left(at.awake_ms)

    def _ask_inside(self, at: Clocks, target: Target) -> Steps:
        """A list has the focus; which item is the one, it says only when that changes. Before 6.5, Qt can only be asked row by row."""
        answer = yield call(target, "org.a11y.atspi.Selection", "GetSelectedChild", "i", (0,))
        if answer is not None:
            self._look_inside(at, target, answer[0])
            return
        count = yield from _property(target, _ACCESSIBLE, "ChildCount")
        for index in range(count if isinstance(count, int) and count <= MOST_ROWS else 0):
            child = yield call(target, _ACCESSIBLE, "GetChildAtIndex", "i", (index,))
            answer = None if child is None else (yield call((str(child[0][0]), str(child[0][1])), _ACCESSIBLE, "GetState"))
            if child is not None and answer is not None and answer[0][0] >> _SELECTED & 1:
                self._look_inside(at, target, child[0])
                return

    def _look_inside(self, at: Clocks, target: Target, child: Any) -> None:
        """Nobody speaks for an object of another process."""
        if child[0] == target[0] and not child[1].endswith("/null"):
            self._look(at, (str(child[0]), str(child[1])), focused=True)

    def _ask_around(self, at: Clocks, target: Target) -> Steps:
        """A panel has the focus: in GTK 4, what a row of a list holds, and then the row is the item."""
        parent = yield from _property(target, _ACCESSIBLE, "Parent")
        row = ("", "") if parent is None else (str(parent[0]), str(parent[1]))
        answer = None if row[0] != target[0] else (yield call(row, _ACCESSIBLE, "GetRole"))
        if answer is not None and int(answer[0]) in ROWS:
            self._look(at, row, focused=True)
        else:
            self._elements.left(at.awake_ms)

    def _ended(self, at: Clocks, target: Target) -> None:
        if target in self._looks:
            self._looks[target].until_ms = at.awake_ms
        self._elements.ended(at.awake_ms, target)

    def _look(self, at: Clocks, target: Target, focused: bool = False, selected: bool = False) -> None:
        look = self._looks.get(target)
        if look is not None and look.until_ms is None:
            look.focused, look.selected = look.focused or focused, look.selected or selected
            return
        for old in [key for key, one in self._looks.items() if one.since_ms < at.awake_ms - UNANSWERED_MS]:
            del self._looks[old]
        if len(self._looks) < MOST_LOOKS:
            look = self._looks[target] = _Look(at.awake_ms, focused, selected)
            self._converse(self._ask(target, look))

    # --- what is asked -------------------------------------------------------------------------------------------

    def _ask(self, target: Target, look: _Look) -> Steps:
        try:
            item = yield from self._describe(target)
        finally:
            if self._looks.get(target) is look:
                del self._looks[target]
        if item is not None:
            role, index, group, box, label = item
            said = Item(role, index, group, box, label, look.focused, look.selected)
            self._elements.picked(look.since_ms, target, said, look.until_ms)

    def _describe(self, target: Target) -> Generator[Any, Answer, tuple[Any, ...] | None]:
        answer = yield call(target, _ACCESSIBLE, "GetRole")
        number = None if answer is None else int(answer[0])
        if number not in ITEMS:
            return None
        boxless = yield from self._is_boxless(target[0])
        parent = yield from _property(target, _ACCESSIBLE, "Parent")
        if parent is None or not (yield from self._may_be_chosen(target, number, boxless)):
            return None
        group = (str(parent[0]), str(parent[1]))
        role = element_role(number, *(yield from self._group(group)))
        answer = yield call(target, _ACCESSIBLE, "GetIndexInParent")
        if role is None or answer is None or int(answer[0]) < 0:
            return None
        index = int(answer[0])
        box = None if boxless else (yield from self._box(target, group, index))
        return role, index, group, box, (yield from self._label(target))

    def _may_be_chosen(self, target: Target, number: int, boxless: bool) -> Generator[Any, Answer, bool]:
        """Whether it is on the screen, can be used, holds nothing that can be edited, and opens no further menu."""
        answer = yield call(target, _ACCESSIBLE, "GetState")
        if answer is None:
            return False
        low, high = answer[0]
        states = {state for state in range(64) if (high << 32 | low) >> state & 1}
        if _EDITABLE in states or _HAS_POPUP in states or not states & {_ENABLED, _SENSITIVE}:
            return False
        if (_VISIBLE if boxless else _SHOWING) not in states:
            return False
        if number not in MENU_ITEMS:
            return True
        if boxless:  # GTK 4 counts a menu item's label as its child
            return _EXPANDABLE not in states
        children = yield from _property(target, _ACCESSIBLE, "ChildCount")
        return bool(children == 0)

    def _group(self, group: Target) -> Generator[Any, Answer, tuple[int, bool]]:
        """The role of a parent, and whether it is a combo box's."""
        if group not in self._groups:
            answer = yield call(group, _ACCESSIBLE, "GetRole")
            role = above = 0 if answer is None else int(answer[0])
            ancestor: Target = group
            for _ in range(_DEEPEST):
                if above in (0, _COMBO_BOX):
                    break
                parent = yield from _property(ancestor, _ACCESSIBLE, "Parent")
                if parent is None or parent[1].endswith("/null"):
                    break
                ancestor = (str(parent[0]), str(parent[1]))
                answer = yield call(ancestor, _ACCESSIBLE, "GetRole")
                above = 0 if answer is None else int(answer[0])
            if len(self._groups) >= MOST_GROUPS:
                self._groups.clear()
            self._groups[group] = (role, above == _COMBO_BOX)
        return self._groups[group]

    def _is_boxless(self, name: str) -> Generator[Any, Answer, bool]:
        """Whether this application's toolkit is GTK 4, which does not know where its windows are (and complains if asked)."""
        if name not in self._boxless:
            toolkit = yield from _property((name, _ROOT), "org.a11y.atspi.Application", "ToolkitName")
            version = yield from _property((name, _ROOT), "org.a11y.atspi.Application", "Version")
            self._boxless[name] = str(toolkit).lower() == "gtk" and not str(version).startswith(("2.", "3."))
        return self._boxless[name]

    def _box(self, target: Target, group: Target, index: int) -> Generator[Any, Answer, Box | None]:
        """Where an item is; nowhere if what the toolkit says cannot be the item's own: Chromium has one box for all options."""
        extents = yield from self._extents(target)
        window = self._window()
        if extents is None or window is None:
            return Box(0, 0, 0, 0)
        x, y, width, height = extents
        if _NOWHERE in (x, y) or width <= 0 or height <= 0:
            return Box(0, 0, 0, 0)
        sibling = yield from self._sibling(target, group, index)
        for other in (group, sibling):
            if other is not None and (yield from self._extents(other)) == extents:
                return Box(0, 0, 0, 0)
        return Box(x - window.x, y - window.y, width, height)

    def _extents(self, target: Target) -> Generator[Any, Answer, tuple[int, ...] | None]:
        answer = yield call(target, "org.a11y.atspi.Component", "GetExtents", "u", (_SCREEN,))
        return None if answer is None else tuple(int(number) for number in answer[0])

    def _sibling(self, target: Target, group: Target, index: int) -> Generator[Any, Answer, Target | None]:
        """The item before this one, of the first the one after it."""
        if group[0] != target[0]:
            return None
        answer = yield call(group, _ACCESSIBLE, "GetChildAtIndex", "i", (index - 1 if index else 1,))
        sibling = ("", "/null") if answer is None else (str(answer[0][0]), str(answer[0][1]))
        return sibling if sibling[0] == target[0] and sibling != target and not sibling[1].endswith("/null") else None

    def _label(self, target: Target) -> Generator[Any, Answer, str]:
        if isinstance(self._labels, NoLabels):
            return ""
        name = yield from _property(target, _ACCESSIBLE, "Name")
        return self._labels.word(str(name).strip()) if isinstance(name, str) else ""


def _property(target: Target, interface: str, name: str) -> Generator[Any, Answer, Any]:
    answer = yield call(target, "org.freedesktop.DBus.Properties", "Get", "ss", (interface, name))
    return None if answer is None else answer[0][1]
