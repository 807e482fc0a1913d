"""Clicks and wheel notches out of raw button inputs. Pure."""

from collections.abc import Sequence

from collectors.account import Account
from collectors.minimise import Context, pixel, refuse_front
from collectors.paths import Paths
from collectors.raw import Button, Monitor
from consent.event import Button as ButtonName
from consent.event import Event, PointerButton, PointerScroll
from consent.vocabulary import SurfaceId, Why

_NAMES = {1: ButtonName.LEFT, 2: ButtonName.MIDDLE, 3: ButtonName.RIGHT, 8: ButtonName.BACK, 9: ButtonName.FORWARD}
_NOTCHES = {4: (0, -1), 5: (0, 1), 6: (-1, 0), 7: (1, 0)}


class Pointer:
    """Tells the account about each click, and about each notch when it is over."""

    def __init__(self, account: Account, paths: Paths, generation: int) -> None:
        self._account, self._paths, self._generation = account, paths, generation
        self._down: dict[int, SurfaceId | Why] = {}
        self._notch: dict[int, Event] = {}

    def pending(self) -> int:
        """The presses of notches whose release has not come yet."""
        return len(self._notch)

    def button(self, button: Button, contexts: Sequence[Context]) -> bool:
        """One raw input, and what held from its instant on. Says whether it was a click that is kept."""
        if button.number not in _NAMES and button.number not in _NOTCHES:
            self._account.drop(Why.NO_KIND)
            return False
        where = _where(button, contexts) if button.down else self._down.pop(button.number, Why.SURFACE_NOT_ALLOWED)
        if button.down:
            self._down[button.number] = where
        if isinstance(where, Why):
            self._account.drop(where)
            if button.down and button.number in _NAMES:
                self._paths.lead_nowhere()
        elif button.number in _NOTCHES:
            self._turn(button, where)
        else:
            self._click(button, where)
            return button.down
        return False

    def close(self) -> None:
        """Tells the notches that are not over."""
        for event in self._notch.values():
            self._account.keep(event)
        self._notch.clear()

    def _click(self, button: Button, surface: SurfaceId) -> None:
        """A press or a release that is kept: a path that ends with it is told first."""
        if button.down:
            self._paths.pressed(button, surface)
        else:
            self._paths.released(button.number)
        payload = PointerButton(pixel(button.x), pixel(button.y), _NAMES[button.number], button.down, *_on(button.monitor))
        self._account.keep(Event(surface, button.window, button.at, self._generation, 1, payload))

    def _turn(self, button: Button, surface: SurfaceId) -> None:
        begun = self._notch.pop(button.number, None)
        if begun is not None:
            n = 1 if button.down else 2
            self._account.keep(Event(begun.surface, begun.window, begun.at, begun.generation, n, begun.payload))
        if button.down:
            payload = PointerScroll(pixel(button.x), pixel(button.y), *_NOTCHES[button.number], *_on(button.monitor))
            self._notch[button.number] = Event(surface, button.window, button.at, self._generation, 1, payload)


def _on(monitor: Monitor) -> tuple[int, int, int]:
    return pixel(monitor.x), pixel(monitor.y), monitor.scale_percent


def brings_to_front(button: Button) -> bool:
    """Whether this is a press that counts for its window if that comes to the front: a wheel turns without that."""
    return button.down and button.window != 0 and not button.own and button.number in _NAMES


def _where(button: Button, contexts: Sequence[Context]) -> SurfaceId | Why:
    """The surface that a press counts for: its own window must be in front, or come there; or why it counts for none."""
    if button.own:
        return Why.OWN_WINDOW
    for context in contexts:
        if button.window and context.front.window == button.window and context.front.surface is not None:
            return context.front.surface
    return refuse_front(contexts[0].front) or Why.SURFACE_NOT_ALLOWED
