"""Reads the consent code off the screen, as somebody who sits before it: the only place where it is to be seen."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from Xlib import X, error
from Xlib.display import Display

from agent.demo.display import open_display
from agent.demo.wait import until
from agent.tray.card import NAME, inked
from agent.tray.digits import read

_DIGITS = 6
_FOUR = 4  # bytes a pixel, at a depth of 24


def on_screen(env: Mapping[str, str]) -> str:
    """The code on the display of `env`, as soon as there is one."""
    with closing(open_display(env)) as display:
        return until(lambda: _code(display), "the consent code on the screen")


def shown(env: Mapping[str, str]) -> bool:
    """Whether a code is on the display of `env` now."""
    with closing(open_display(env)) as display:
        return _code(display) is not None


def _code(display: Display) -> str | None:
    for window in display.screen().root.query_tree().children:
        try:
            if window.get_wm_name() == NAME:
                return read(inked(_pixels(window)), _DIGITS)
        except error.XError:  # it went while we looked
            continue
    return None


def _pixels(window: Any) -> list[list[int]]:
    place = window.get_geometry()
    data = window.get_image(0, 0, place.width, place.height, X.ZPixmap, 0xFFFFFFFF).data
    colours = [int.from_bytes(data[at : at + 3], "little") for at in range(0, len(data), _FOUR)]
    return [colours[at : at + place.width] for at in range(0, len(colours), place.width)]
