"""A stage on which items are highlighted, clicked, and chosen by keys."""

from collectors.elements import Box, Item
from collectors.raw import Button, Front, Key, Role
from consent.event import Element, FieldRole
from consent.vocabulary import Kind
from consent.words import ElementRole
from tests.collectors.stage import CODES, EDITOR, Stage

BOX = Box(100, 200, 80, 20)
INSIDE, OUTSIDE = (139, 219), (180, 219)
MENU_ITEM, LIST_ITEM, TAB = ElementRole.MENU_ITEM, ElementRole.LIST_ITEM, ElementRole.TAB


class Screen(Stage):
    """A stage on which items are highlighted and clicked."""

    def __init__(self, front: Front = EDITOR, role: Role = FieldRole.OTHER) -> None:
        super().__init__()
        self.front(front)
        self.shaper.role(self.now, role)
        self.later(300)
        self.settle()
        self.told.clear()

    def pick(self, key: str = "item", role: ElementRole = MENU_ITEM, index: int = 3, **more: object) -> None:
        """An item is the one from now on; keys go to it, and its box is known, unless said otherwise."""
        item = Item(role, index, "menu", **{"box": BOX, "focused": True} | more)  # type: ignore[arg-type]
        self.shaper.elements.picked(self.ms, key, item)

    def button_at(self, down: bool, at: tuple[int, int], number: int = 1, window: int = 1) -> None:
        """A button goes down or up at a point of a window."""
        self.shaper.button(Button(self.now, number, down, window, x=at[0], y=at[1]))

    def click_at(self, at: tuple[int, int] = INSIDE, press_at: tuple[int, int] | None = None, held_ms: int = 80, number: int = 1) -> None:
        """A press a moment from now, and its release."""
        self.later(50)
        self.button_at(True, press_at or at, number)
        self.later(held_ms)
        self.button_at(False, at, number)

    def space(self, said: bool = True) -> None:
        """Space goes down and up; `said`: it was pressed while something was highlighted."""
        key = self.keyboard.press(self.now, CODES["space"], 0)
        self.shaper.key(Key(key.at, key.press, key.stroke, down=True, activates=said))
        self.later(20)
        self.shaper.key(self.keyboard.release(self.now, CODES["space"]))

    @property
    def chosen(self) -> list[Element]:
        """What was chosen, once all is over."""
        events = [event for event in self.settle() if event.kind is Kind.ELEMENT]
        assert all((event.n, event.surface, event.window) == (0, "editor", 1) for event in events)
        return [event.payload for event in events if isinstance(event.payload, Element)]
