"""Plays the workload into the X server by XTEST, each input at its time; says what it really injected."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

from bench.clock import elapsed_s, rest_until
from bench.schedule import Input, Timed, Workload

_EVENTS = {
    Input.BUTTON_DOWN: X.ButtonPress,
    Input.BUTTON_UP: X.ButtonRelease,
    Input.KEY_DOWN: X.KeyPress,
    Input.KEY_UP: X.KeyRelease,
}
_WHEEL = (4, 5)


@dataclass(frozen=True, slots=True)
class Injected:
    """What was injected.

    Attributes:
        moves, clicks, scrolls, keys: Acts: moves, button presses, notches, key presses.
        raw: Raw inputs: every move, press and release.
        started_s: When the schedule began, by the bench's clock.
        late_s: The latest that any input came, in seconds after its time.
    """

    moves: int
    clicks: int
    scrolls: int
    keys: int
    raw: int
    started_s: float
    late_s: float


class Player:
    """Injects inputs on one display."""

    def __init__(self, display: Display, open_dialog: Callable[[], None]) -> None:
        self._display = display
        self._open_dialog = open_dialog
        # a repeat that the server makes while this process is not scheduled would be an input that nobody counted
        display.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)
        xtest.fake_input(display, X.MotionNotify, x=960, y=540)
        display.sync()

    def play(self, workload: Workload) -> Injected:
        """All of it, in its own time; returns at its end."""
        codes = {
            name: self._code(name) for timed in workload.inputs for name in (timed.detail,) if isinstance(name, str) and _is_key(timed)
        }
        started_s, late_s = elapsed_s(), 0.0
        for timed in workload.inputs:
            late_s = max(late_s, rest_until(started_s + timed.at_s))
            self._inject(timed, codes)
        rest_until(started_s + workload.seconds)
        return count(workload, started_s, late_s)

    def _inject(self, timed: Timed, codes: dict[str, int]) -> None:
        detail = timed.detail
        if timed.what is Input.DIALOG:
            self._open_dialog()
        elif isinstance(detail, tuple):
            xtest.fake_input(self._display, X.MotionNotify, x=detail[0], y=detail[1])
        else:
            xtest.fake_input(self._display, _EVENTS[timed.what], codes[detail] if isinstance(detail, str) else detail)
        self._display.flush()

    def _code(self, name: str) -> int:
        code = int(self._display.keysym_to_keycode(XK.string_to_keysym(name)))
        if not code:
            raise LookupError(f"the display's keyboard has no key {name}")
        return code


def count(workload: Workload, started_s: float = 0.0, late_s: float = 0.0) -> Injected:
    """What playing this workload injects."""
    acts = Counter(_act(timed) for timed in workload.inputs)
    raw = sum(1 for timed in workload.inputs if timed.what is not Input.DIALOG)
    return Injected(acts["move"], acts["click"], acts["scroll"], acts["key"], raw, started_s, late_s)


def _act(timed: Timed) -> str:
    if timed.what is Input.BUTTON_DOWN:
        return "scroll" if timed.detail in _WHEEL else "click"
    return {Input.MOVE: "move", Input.KEY_DOWN: "key"}.get(timed.what, "")


def _is_key(timed: Timed) -> bool:
    return timed.what in (Input.KEY_DOWN, Input.KEY_UP)
