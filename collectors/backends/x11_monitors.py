"""Which monitors there are and how large toolkits draw, by RandR and the display's resources; told when it changes, never asked again.

Of the resources only the line on `Xft.dpi` is looked at. On X11 the scale is one for all monitors.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from collectors.raw import Geometry, Monitor

_STRING = 31
_UNSCALED_DPI = 96
_XFT_DPI = re.compile(rb"^[ \t]*Xft\.dpi[ \t]*:[ \t]*([0-9]{1,5})(?:\.[0-9]*)?[ \t]*$", re.MULTILINE)
_SCALES = range(10, 1001)
"""In percent; a resource that says anything else is a slip."""


class Monitors:
    """The monitors of one display, as of the latest news.

    Args:
        display: Its root window must tell of changes of its properties and of its structure.
    """

    def __init__(self, display: Any) -> None:
        self._root = display.screen().root
        self._resources = display.intern_atom("RESOURCE_MANAGER")
        self._changed = -1
        if display.has_extension("RANDR"):
            from Xlib.ext import randr

            self._root.xrandr_select_input(randr.RRScreenChangeNotifyMask)
            self._changed = getattr(display.extension_event, "ScreenChangeNotify", -1)  # the library knows it from RandR 1.5 on
        self._look()

    def at(self, x: int, y: int) -> Monitor:
        """The one that a point of the whole screen is on."""
        return nearest(self._monitors, x, y)

    def placed(self, geometry: Geometry | None) -> Geometry | None:
        """A window's place, with the size of the whole screen and the monitor that its middle is on."""
        if geometry is None:
            return None
        monitor = self.at(geometry.x + geometry.width // 2, geometry.y + geometry.height // 2)
        return replace(geometry, screen_width=self._width, screen_height=self._height, monitor=monitor)

    def hear(self, event: Any) -> bool:
        """Any event of the display; whether monitors, resolution or scale may have changed."""
        from Xlib import X

        of_root = event.type == X.ConfigureNotify and event.window.id == self._root.id
        of_scale = event.type == X.PropertyNotify and event.atom == self._resources
        if not (of_root or of_scale or event.type == self._changed):
            return False
        self._look()
        return True

    def _look(self) -> None:
        answer = self._root.get_full_property(self._resources, _STRING)
        scale_percent = scale_of(bytes(answer.value) if answer is not None else b"")
        size = self._root.get_geometry()
        self._width, self._height = size.width, size.height
        whole = Monitor(0, 0, size.width, size.height, scale_percent)
        self._monitors = [replace(whole, x=x, y=y, width=width, height=height) for x, y, width, height in self._boxes()] or [whole]

    def _boxes(self) -> list[tuple[int, int, int, int]]:
        """RandR's monitors; none where it is missing or older than 1.5."""
        if not hasattr(self._root, "xrandr_get_monitors"):
            return []
        known = self._root.xrandr_get_monitors().monitors
        return [(one.x, one.y, one.width_in_pixels, one.height_in_pixels) for one in known if one.width_in_pixels]


def nearest(monitors: Sequence[Monitor], x: int, y: int) -> Monitor:
    """The monitor that a point is on; of several (mirrored) the first; where there is none, the next one."""
    return min(monitors, key=lambda one: max(one.x - x, x - one.x - one.width + 1, 0) + max(one.y - y, y - one.y - one.height + 1, 0))


def scale_of(resources: bytes) -> int:
    """How large toolkits draw, in percent: by `Xft.dpi`, which desktops set and toolkits obey; 100 where it is not set."""
    said = _XFT_DPI.findall(resources)
    percent = round(int(said[-1]) * 100 / _UNSCALED_DPI) if said else 100
    return percent if percent in _SCALES else 100
