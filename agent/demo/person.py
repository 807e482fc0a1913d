"""A person at the private desktop: real input, injected into the X server by XTEST and counted as it happens.

Refuses to type what the keyboard has no key for, and to act on a display that is not the demo's: it is handed the connection.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from string import ascii_lowercase, digits

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

from agent.demo.clock import rest
from agent.demo.errors import DemoError
from agent.demo.truth import Act, Truth
from agent.demo.wait import until
from agent.demo.windows import Place, active_window

BETWEEN_KEYS_S = 0.012
"""Faster than any person, slow enough that an application has drawn before the next key."""

KEYSYMS = {
    "enter": "Return",
    "tab": "Tab",
    "escape": "Escape",
    "backspace": "BackSpace",
    "delete": "Delete",
    "home": "Home",
    "end": "End",
    "page_up": "Page_Up",
    "page_down": "Page_Down",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "f1": "F1",
    "f5": "F5",
    "ctrl": "Control_L",
    "alt": "Alt_L",
    "shift": "Shift_L",
    " ": "space",
    "-": "minus",
    "#": "numbersign",
    "_": "underscore",
    ".": "period",
    ",": "comma",
    ":": "colon",
}
"""Volens' names of keys, and characters, whose keysym has another name."""

BUTTONS = {1: "left", 2: "middle", 3: "right"}
WHEEL_UP, WHEEL_DOWN = 4, 5
_TITLE_BAR_PX = 16


class Person:
    """Real input, with a record of it.

    Attributes:
        display: The demo's display.
        truth: Where each act is counted.
    """

    def __init__(self, display: Display, truth: Truth) -> None:
        self.display = display
        self.truth = truth
        self._place: Place | None = None
        pointer = display.screen().root.query_pointer()
        self._at = (pointer.root_x, pointer.root_y)
        # a repeat that the server makes while this process is not scheduled would be an input that nobody counted
        display.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)
        display.sync()

    def move(self, x: int, y: int, steps: int = 4) -> None:
        """Move the pointer to (x, y), by way of some points between."""
        from_x, from_y = self._at
        for step in range(1, steps + 1):
            point = (from_x + (x - from_x) * step // steps, from_y + (y - from_y) * step // steps)
            if point != self._at:  # the server reports no move that is none
                xtest.fake_input(self.display, X.MotionNotify, x=point[0], y=point[1])
                self._at = point
                self.truth.add(Act.MOVE, "move", 1, *self._fractions())
        self.display.sync()

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Press and release a button at (x, y)."""
        self.move(x, y)
        self._press_release(button)
        self.truth.add(Act.CLICK, BUTTONS[button], 2, *self._fractions())

    def scroll(self, x: int, y: int, notches: int) -> None:
        """Turn the wheel at (x, y); down is positive."""
        self.move(x, y)
        for _ in range(abs(notches)):
            self._press_release(WHEEL_DOWN if notches > 0 else WHEEL_UP)
            self.truth.add(Act.SCROLL, "down" if notches > 0 else "up", 2, *self._fractions())

    def key(self, name: str) -> None:
        """Press and release one named key."""
        self._tap(self._code(name))
        self.truth.add(Act.NAMED_KEY, name, 2)

    def chord(self, modifiers: Sequence[str], trigger: str) -> None:
        """Press modifiers, tap the trigger, release the modifiers."""
        with self._held([self._code(name) for name in modifiers]):
            self._tap(self._code(trigger))
        self.truth.add(Act.CHORD, "+".join([*modifiers, trigger]), 2 + 2 * len(modifiers))

    def type(self, text: str) -> None:
        """Type characters, with Shift where the keyboard needs it."""
        for character in text:
            code, shifted = self._code(character), self._shifted(character)
            with self._held([self._code("shift")] if shifted else []):
                self._tap(code)
            self.truth.add(Act.CHARACTER, "character", 4 if shifted else 2)

    def focus(self, place: Place, surface: str) -> None:
        """Bring a window to the front, unless it is there, by a click on its title bar, which is its own; what follows is done in it."""
        self.enter(place, surface)
        if active_window(self.display) != place.window_id:
            self.click(place.x + place.width // 3, place.y - _TITLE_BAR_PX // 2)
            self._wait_for(place)

    def click_into(self, place: Place, surface: str, right: float, down: float) -> None:
        """Bring a window to the front by a click into its content, as fractions of it; what follows is done in it."""
        self.enter(place, surface)
        self.click(*place.inside(right, down))
        self._wait_for(place)

    def _wait_for(self, place: Place) -> None:
        until(lambda: active_window(self.display) == place.window_id, "the focus of a window")

    def enter(self, place: Place, surface: str) -> None:
        """What follows is done in this window, which is in front or comes there."""
        self.truth.surface, self._place = surface, place

    def keycodes(self) -> dict[str, int]:
        """The keycode of each letter and digit on this keyboard."""
        return {character: self._code(character) for character in ascii_lowercase + digits}

    def _press_release(self, button: int) -> None:
        xtest.fake_input(self.display, X.ButtonPress, button)
        xtest.fake_input(self.display, X.ButtonRelease, button)
        self.display.sync()
        rest(BETWEEN_KEYS_S)

    def _tap(self, code: int) -> None:
        xtest.fake_input(self.display, X.KeyPress, code)
        xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()
        rest(BETWEEN_KEYS_S)

    @contextmanager
    def _held(self, codes: Sequence[int]) -> Iterator[None]:
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        yield
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()

    def _code(self, name: str) -> int:
        code = self.display.keysym_to_keycode(_keysym(name))
        if not code:
            raise DemoError("the private display's keyboard lacks a key", "report this, with the version of Xvfb")
        return int(code)

    def _shifted(self, character: str) -> bool:
        code = self._code(character)
        return int(self.display.keycode_to_keysym(code, 0)) != _keysym(character)

    def _fractions(self) -> tuple[float, float]:
        """Where the pointer is, as fractions of the window; (0, 0) in none."""
        if self._place is None:
            return 0.0, 0.0
        x, y = self._at
        return (x - self._place.x) / self._place.width, (y - self._place.y) / self._place.height


def _keysym(name: str) -> int:
    return int(XK.string_to_keysym(KEYSYMS.get(name, name)))
