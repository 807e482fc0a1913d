"""Finds windows on the demo's display and says where they are. Reads only what a window manager publishes; no titles."""

from dataclasses import dataclass

from Xlib import X, error
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from agent.demo.wait import until

_ROUNDING, _FRAME = 24, 40  # pixels: a character cell of a terminal; a window manager's title bar


@dataclass(frozen=True, slots=True)
class Place:
    """A window and the rectangle of its content on the screen.

    Attributes:
        window_id: The X id.
        x, y, width, height: Physical pixels, from the screen's top left.
    """

    window_id: int
    x: int
    y: int
    width: int
    height: int

    def inside(self, right: float, down: float) -> tuple[int, int]:
        """A point of it, by fractions of width and height."""
        return self.x + round(self.width * right), self.y + round(self.height * down)


def has_window_manager(display: Display) -> bool:
    """Whether a window manager says that it manages this screen."""
    return bool(_cardinals(display, display.screen().root, "_NET_SUPPORTING_WM_CHECK"))


def active_window(display: Display) -> int | None:
    """The X id of the window in front; None if there is none."""
    found = _cardinals(display, display.screen().root, "_NET_ACTIVE_WINDOW")
    return found[0] if found and found[0] else None


def find_window(display: Display, pid: int) -> Place | None:
    """The mapped, managed window of a process; None as long as there is none."""
    for window_id in _cardinals(display, display.screen().root, "_NET_CLIENT_LIST"):
        window = display.create_resource_object("window", window_id)
        try:
            if _cardinals(display, window, "_NET_WM_PID") == [pid] and window.get_attributes().map_state == X.IsViewable:
                return _place(display, window)
        except (error.BadWindow, error.BadDrawable):
            continue  # it closed while we looked
    return None


def put_window(display: Display, place: Place) -> Place:
    """Put a window's content where `place` says, and return where it came to lie once it stays there."""
    window = display.create_resource_object("window", place.window_id)
    window.configure(x=place.x, y=place.y, width=place.width, height=place.height)
    display.sync()
    return until(lambda: _settled(display, window, place), "the placing of a window")


def _settled(display: Display, window: Window, wanted: Place) -> Place | None:
    """Where the window lies, if its size is as wanted; a terminal rounds it to whole characters, and a frame moves it a little."""
    found = _place(display, window)
    near = abs(found.width - wanted.width) <= _ROUNDING and abs(found.height - wanted.height) <= _ROUNDING
    return found if near and abs(found.x - wanted.x) <= _FRAME and abs(found.y - wanted.y) <= _FRAME else None


def _place(display: Display, window: Window) -> Place:
    size = window.get_geometry()
    corner = display.screen().root.translate_coords(window, 0, 0)
    return Place(window.id, corner.x, corner.y, size.width, size.height)


def _cardinals(display: Display, window: Window, name: str) -> list[int]:
    found = window.get_full_property(display.intern_atom(name), X.AnyPropertyType)
    return list(found.value) if found is not None else []
