"""Device events of an X screen into raw inputs: what a key is dies in `_key`; what a button went to is asked at its press."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from collectors.backends.x11_front import InFront, Screen
from collectors.backends.x11_moves import Moves
from collectors.backends.x11_record import BUTTON_PRESS, BUTTON_RELEASE, KEY_PRESS, KEY_RELEASE, Came, DeviceEvent, FocusMoved
from collectors.backends.x11_time import clocks_of
from collectors.backends.x11_windows import Hit
from collectors.collector import Clock
from collectors.keymap import Keymap, KeysDown
from collectors.raw import Button
from collectors.shape import Shaper
from consent.event import Clocks


class Input:
    """Keys and buttons of one generation, as the hook tells them.

    Args:
        catch_up: Takes in all news of windows that have come.

    Attributes:
        moves: The hook for plain moves, if there is one.
    """

    def __init__(self, screen: Screen, in_front: InFront, shaper: Shaper, read: Clock, catch_up: Callable[[], None]) -> None:
        self._screen, self._in_front, self._shaper, self._read, self._catch_up = screen, in_front, shaper, read, catch_up
        self.moves: Moves | None = None
        in_front.leaving = self.take_moves  # what was moved before is judged by what was in front then
        self._keys = KeysDown(Keymap(0, (), ()))
        self._keymap_stale = True
        self._presses: dict[int, Hit] = {}
        self._drags: dict[int, bool] = {}

    def take(self, event: DeviceEvent | FocusMoved | None) -> None:
        """One of what the hook told; None: the keyboard's layout changed."""
        if event is None:
            self.forget_layout()
        elif isinstance(event, FocusMoved):
            self._shaper.unsettled(clocks_of(event.time_ms, self._read()), event.grab)
        elif event.type in (KEY_PRESS, KEY_RELEASE):
            self._key(event, clocks_of(event.time_ms, self._read()))
        else:
            self._button(event, clocks_of(event.time_ms, self._read()))

    def forget_layout(self) -> None:
        """Keys mean something else from now on; what, is asked at the next one."""
        self._keymap_stale = True

    def take_moves(self, server_ms: int | None) -> None:
        """Moves until an instant of the server's clock, while what is in front is still what it was; None: all that have come."""
        if self.moves:
            self.moves.until(server_ms, self._looks())

    def pump_moves(self) -> Came:
        """Moves, if it is time; what came of their hook since this was called last, in numbers. Raises DisplayGoneError, DeafError."""
        if self.moves is None:
            return Came([])
        self.moves.pump(self._looks())
        return self.moves.came()

    def _key(self, event: DeviceEvent, at: Clocks) -> None:
        if event.type == KEY_RELEASE:
            self._shaper.key(self._keys.release(at, event.detail))
            return
        if self._keymap_stale:
            self._keys.keymap, self._keymap_stale = _live_keymap(self._screen.display), False
        key = self._keys.press(at, event.detail, event.state)
        if self._shaper.elements.highlighted(at.awake_ms) and not key.repeat and self._keys.keymap.activates(event.detail, event.state):
            key = replace(key, activates=True)  # only now, and only on its way to the shaper: the release does not say it
        self._shaper.key(key)

    def _button(self, event: DeviceEvent, at: Clocks) -> None:
        down = event.type == BUTTON_PRESS
        hit = self._hit(event, at.awake_ms) if down else self._presses.get(event.detail, Hit())
        self._moves_before(event)
        if down:
            self._presses[event.detail] = hit
            self._drags[event.detail] = hit.window != 0 and hit.window == self._in_front.front.window
        else:
            self._presses.pop(event.detail, None)
            self._drags.pop(event.detail, None)
        x, y, monitor = event.x - hit.left, event.y - hit.top, self._screen.monitors.at(event.x, event.y)
        since_ms = self._over_since_ms(at.awake_ms) if down and hit.window else 0
        self._shaper.button(Button(at, event.detail, down, hit.window, hit.own, x, y, hit.left, hit.top, monitor, since_ms))

    def _hit(self, event: DeviceEvent, at_ms: int) -> Hit:
        """What a press went to, asked a moment after it: a window that it closed must not uncover what counts for it."""
        hit = self._screen.windows.hit(event.x, event.y, self._in_front.xid)
        self._catch_up()  # asking was a round trip: every change of the front before this press is here now
        still_there = all(self._screen.windows.is_there(xid) for xid in self._in_front.around(at_ms)) if hit.window else True
        return hit if still_there else Hit(own=hit.own)

    def _moves_before(self, event: DeviceEvent) -> None:
        """Moves come by another stream: once the server has answered anything, all from before the button have come."""
        if self.moves and self._looks():
            if event.type == BUTTON_RELEASE:
                self._screen.display.sync()
            self.moves.until(event.time_ms, looked_at=True)

    def _over_since_ms(self, at_ms: int) -> int:
        trail = self.moves.trail(at_ms) if self.moves else []
        return self._screen.windows.over_since_ms(trail, self._in_front.xid) if trail else 0

    def _looks(self) -> bool:
        """Whether moves are made where they may be looked at: in a recorded window in front, or in a drag that began in one."""
        return self._in_front.front.window != 0 or any(self._drags.values())


def _live_keymap(connection: Any) -> Keymap:
    info = connection.display.info
    count = info.max_keycode - info.min_keycode + 1
    return Keymap(info.min_keycode, connection.get_keyboard_mapping(info.min_keycode, count), connection.get_modifier_mapping())
