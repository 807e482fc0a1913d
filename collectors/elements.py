"""Which menu item, option, list item or tab was chosen. Pure: the toolkit says what is highlighted, the person's input that it was chosen.

While the person moves through a menu or a list, the toolkit says which item it is: that one is remembered, and forgotten again. A
choice is such an item together with a button that is let go inside its box, or with Enter or Space. Nothing else tells of an item:
not that it was there, not that it was passed over. What doubt there is, is refused: no item, no box, another window, a menu that
had closed.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, replace

from collectors.account import Account
from collectors.minimise import cut_to_bin, pixel
from collectors.raw import Button, Front, Key, Sort
from consent.event import MAX_LABEL, Clocks, Element, Event, NamedKey
from consent.words import ChosenBy, ElementRole

HOLD_MS = 250
"""How long the toolkit may take to say what a click selected: as long as a key is held."""
OPENING_MS = 500
"""A press that opened a menu chooses in it only if it is held for longer (as in GTK; the others are no quicker)."""
TOGETHER_MS = 100
"""What is told of within this time is one move: Qt tells of each column of a row, and takes an item anew when a button goes down."""
TYPING_MS = 1_000
"""A space that comes sooner after a character belongs to what is typed: a list is searched by typing."""
LONGEST_PATIENCE_MS = 2_000
MOST_ITEMS = 16

_LEFT, _RIGHT = 1, 3
_WHEEL = range(4, 8)
_LARGEST_EXTENT = 65535
_PASSED_OVER = frozenset({ElementRole.MENU_ITEM, ElementRole.CHECK_MENU_ITEM, ElementRole.RADIO_MENU_ITEM, ElementRole.OPTION})
"""Items that the pointer highlights on its way. The others are selected by the press itself."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where an item is, in physical pixels from the window's corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a point is inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True, slots=True)
class Item:
    """What the toolkit says of an item.

    Attributes:
        index: Among its parent's children.
        group: Its parent, whatever that is to the back end.
        box: None: the toolkit cannot say.
        label: Interface vocabulary, or empty.
        focused: Keys go to it.
        selected: The toolkit said that it is selected now.
    """

    role: ElementRole
    index: int
    group: Hashable
    box: Box | None = None
    label: str = ""
    focused: bool = False
    selected: bool = False

    def __repr__(self) -> str:
        return "<Item>"


@dataclass(slots=True)
class _Cached:
    """An item for as long as it is the one: to the instant before `until_ms`."""

    key: Hashable
    front: Front
    since_ms: int
    item: Item
    until_ms: int | None = None

    def held(self, at_ms: int) -> bool:
        return self.since_ms <= at_ms and (self.until_ms is None or self.until_ms >= at_ms)

    def goes_on(self, at_ms: int) -> bool:
        """Whether news of it at this instant is of the same time: Qt leaves an item and takes it again when a button goes down."""
        return self.since_ms <= at_ms and (self.until_ms is None or at_ms - self.until_ms <= TOGETHER_MS)

    def end(self, at_ms: int) -> None:
        self.until_ms = at_ms if self.until_ms is None else min(at_ms, self.until_ms)


@dataclass(frozen=True, slots=True)
class _Click:
    """A button that was let go in the window in front."""

    at: Clocks
    front: Front
    press: Button
    x: int
    y: int


class Elements:
    """Remembers what is highlighted in the window in front, and tells the account about each choice."""

    def __init__(self, account: Account, generation: int) -> None:
        self._account, self._generation = account, generation
        self._front = Front()
        self._cached: deque[_Cached] = deque(maxlen=MOST_ITEMS)
        self._presses: dict[int, Button] = {}
        self._clicks: deque[_Click] = deque()
        self._strikes: deque[int] = deque(maxlen=MOST_ITEMS)
        self._front_ms = self._left_ms = self._typed_ms = -1

    # --- what the toolkit says -----------------------------------------------------------------------------------

    def highlighted(self, at_ms: int) -> bool:
        """Whether an item is remembered that a key could choose at an instant; a menu may have closed since, because of that key."""
        return any(cached.item.focused and cached.since_ms < at_ms and cached.held(at_ms) for cached in self._cached)

    def picked(self, at_ms: int, key: Hashable, item: Item, until_ms: int | None = None) -> None:
        """This item has been the one since an instant; it may have ended meanwhile. The same `key` again: more is known of it."""
        if self._front.surface is None or self._front.structure_only or self._front.own or at_ms < self._front_ms:
            return
        cached = next((one for one in self._cached if (one.key, one.front) == (key, self._front) and one.goes_on(at_ms)), None)
        if cached is not None:
            before, cached.until_ms = cached.item, None
            cached.item = replace(item, focused=item.focused or before.focused, selected=item.selected or before.selected)
        else:
            for one in self._cached:
                if one.since_ms < at_ms - TOGETHER_MS or (one.since_ms <= at_ms and one.item.group != item.group):
                    one.end(at_ms)
            cached = _Cached(key, self._front, at_ms, item)
            self._cached.append(cached)
        if until_ms is not None:
            cached.end(until_ms)
        if at_ms < self._left_ms:
            cached.end(self._left_ms)

    def ended(self, at_ms: int, key: Hashable) -> None:
        """The toolkit says that this item is not the one any more."""
        for cached in self._cached:
            if cached.key == key and cached.since_ms <= at_ms:
                cached.end(at_ms)

    def left(self, at_ms: int) -> None:
        """Something has the focus that is no item, or it is not known any more what has."""
        self._left_ms = max(at_ms, self._left_ms)
        for cached in self._cached:
            cached.end(at_ms)

    def front(self, at_ms: int, front: Front) -> None:
        """Another window is in front."""
        self.left(at_ms)
        self._front, self._front_ms = front, at_ms

    def shifted(self) -> None:
        """The view was scrolled, or the window laid out again: boxes do not hold any more."""
        for cached in self._cached:
            cached.item = replace(cached.item, box=Box(0, 0, 0, 0), selected=False)

    # --- what the person does ------------------------------------------------------------------------------------

    def struck(self, at_ms: int) -> None:
        """Some key went down. Nothing but when is remembered, and only for as long as a choice may wait."""
        self._strikes.append(at_ms)

    def button(self, button: Button, front: Front) -> None:
        """A button went down or up, with the window that was in front then."""
        if button.down:
            self._presses[button.number] = button
            if button.number in _WHEEL:
                self.shifted()
            return
        press = self._presses.pop(button.number, None)
        if press is not None and press.window == button.window == front.window != 0 and button.number in (_LEFT, _RIGHT):
            self._clicks.append(_Click(button.at, front, press, button.x, button.y))

    def key(self, key: Key, front: Front) -> None:
        """A key that is kept, at the end of its hold, with the window that it went to."""
        if not key.down or key.repeat:
            return
        at_ms, stroke = key.at.awake_ms, key.stroke
        if stroke.sort is Sort.NAMED and stroke.named is NamedKey.ENTER and not stroke.shift:
            self._by_key(key.at, front, ChosenBy.ENTER)
        elif key.activates and at_ms - self._typed_ms > TYPING_MS:
            self._by_key(cut_to_bin(key.at), front, ChosenBy.SPACE, at_ms)
        if stroke.sort is Sort.CHARACTER and not key.activates:
            self._typed_ms = at_ms

    # --- time ----------------------------------------------------------------------------------------------------

    def due_ms(self) -> int | None:
        """When `advance` has something to do; None if nothing is open."""
        return self._clicks[0].at.awake_ms + HOLD_MS if self._clicks else None

    def advance(self, now_ms: int) -> None:
        """Judges the clicks of which everything is known that will be."""
        while self._clicks and self._clicks[0].at.awake_ms + HOLD_MS <= now_ms:
            self._by_click(self._clicks.popleft())
        while self._cached and self._cached[0].until_ms is not None and self._cached[0].until_ms < now_ms - LONGEST_PATIENCE_MS:
            self._cached.popleft()

    def close(self) -> None:
        """The end: what was clicked is judged by what is known now."""
        while self._clicks:
            self._by_click(self._clicks.popleft())

    # --- the choice ----------------------------------------------------------------------------------------------

    def _by_key(self, at: Clocks, front: Front, by: ChosenBy, struck_ms: int | None = None) -> None:
        at_ms = at.awake_ms if struck_ms is None else struck_ms
        here = [cached for cached in self._cached if cached.front == front and cached.item.focused]
        known = [cached for cached in here if cached.since_ms < at_ms and cached.held(at_ms)]
        if not known:
            return
        chosen = max(known, key=lambda cached: cached.since_ms)
        if chosen.item.role in _PASSED_OVER:  # the toolkit may be behind with earlier keys; what it says before the next one is of those
            next_ms = min((ms for ms in self._strikes if ms > at_ms), default=at_ms + HOLD_MS)
            late = [cached for cached in here if at_ms <= cached.since_ms < next_ms and cached.item.group == chosen.item.group]
            chosen = max([chosen, *late], key=lambda cached: cached.since_ms)
        self._tell(at, front, chosen.item, by)
        self._close_box(chosen, at_ms)

    def _by_click(self, click: _Click) -> None:
        meant = [cached for cached in self._cached if cached.front == click.front and _is_meant(cached, click)]
        if meant:
            chosen = max(meant, key=lambda cached: cached.since_ms)
            self._tell(click.at, click.front, chosen.item, ChosenBy.CLICK)
            self._close_box(chosen, click.at.awake_ms)

    def _close_box(self, chosen: _Cached, at_ms: int) -> None:
        """An option that was chosen closes its box, which Chromium does not say: the Space that opens it again chooses nothing."""
        if chosen.item.role is ElementRole.OPTION:
            for cached in self._cached:
                if (cached.front, cached.item.group) == (chosen.front, chosen.item.group) and cached.since_ms <= max(
                    at_ms, chosen.since_ms
                ):
                    cached.end(max(at_ms, cached.since_ms))

    def _tell(self, at: Clocks, front: Front, item: Item, by: ChosenBy) -> None:
        box = item.box or Box(0, 0, 0, 0)
        width, height = (max(0, min(_LARGEST_EXTENT, extent)) for extent in (box.width, box.height))
        label = item.label if len(item.label) <= MAX_LABEL and item.label.isprintable() else ""
        payload = Element(item.role, item.index, pixel(box.x), pixel(box.y), width, height, by, label)
        self._account.keep(Event(front.surface, front.window, at, self._generation, 0, payload))


def _is_meant(cached: _Cached, click: _Click) -> bool:
    """Whether a click chose this item."""
    released_ms, pressed_ms = click.at.awake_ms, click.press.at.awake_ms
    item, box = cached.item, cached.item.box
    if item.role in _PASSED_OVER and box is not None:
        opened_before = cached.since_ms < pressed_ms or released_ms - pressed_ms >= OPENING_MS
        return box.holds(click.x, click.y) and cached.held(released_ms) and opened_before
    if click.press.number != _LEFT or (cached.until_ms is not None and cached.until_ms < pressed_ms):
        return False  # it may end with the press: a tab gives the focus to its page
    if box is None:
        return item.selected and pressed_ms <= cached.since_ms <= released_ms + HOLD_MS
    inside = box.holds(click.x, click.y) and box.holds(click.press.x, click.press.y)
    return inside and cached.since_ms <= released_ms + HOLD_MS
