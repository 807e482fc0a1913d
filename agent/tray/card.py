"""The card: a window in the middle of the upper screen that shows the consent code, as long as it is asked for. X11, plain Xlib requests.

The code is on it as pixels only: neither the session bus nor a window's property says it. It takes no focus and no keys; the observer
knows it as ours.
"""

import os
from typing import Any

from Xlib import X, Xatom, display, error

from agent import clock
from agent.tray.digits import SQUARE_PX, extent, squares
from agent.tray.errors import DisplayGone
from agent.tray.fonts import latin, open_font
from agent.tray.look import TITLE

NAME = f"{TITLE}: consent code"
_OWN_PROPERTY = "_VOLENS_OWN"
_WORDS = f"{TITLE} asks: this code is for a yes"
_PAD_PX, _FROM_TOP_PX = 16, 64
_RAISE_EVERY_MS = 1000
BACK, _FRAME, INK = 0x202327, 0x8A9099, 0xF2F4F6
_BROKEN = (error.DisplayError, error.ConnectionClosedError, error.XError, OSError)


class Card:
    """The window, on the screen from the constructor to `close`. Raises DisplayGone."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._raised_ms = 0
        try:
            self._display = display.Display()
            self._display.set_error_handler(lambda *_: None)
            self._window = self._create()
            self._draw()
        except _BROKEN as gone:
            raise DisplayGone("there is no X display to show the code on", "start Volens in a desktop session") from gone

    def fileno(self) -> int:
        """For select."""
        return int(self._display.fileno())

    def turn(self) -> None:
        """Comes up again if it was covered. Raises DisplayGone."""
        try:
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type == X.UnmapNotify or (event.type == X.VisibilityNotify and event.state != X.VisibilityUnobscured):
                    self._come_up()
        except _BROKEN as gone:
            raise DisplayGone("the X display is gone", "log in again") from gone

    def close(self) -> None:
        """Takes it off the screen."""
        try:
            self._display.close()
        except _BROKEN:
            return

    def _come_up(self) -> None:
        now_ms = clock.read().awake_ms
        if now_ms - self._raised_ms >= _RAISE_EVERY_MS:  # two windows that both insist must not chase each other
            self._raised_ms = now_ms
            self._window.map()
            self._window.configure(stack_mode=X.Above)
            self._display.flush()

    def _create(self) -> Any:
        screen = self._display.screen()
        font = open_font(self._display)
        metrics = font.query()
        squares_wide, squares_high = extent(self.code)
        words_px = int(font.query_text_extents(latin(_WORDS)).overall_width)
        self._font, self._baseline_px = font, squares_high * SQUARE_PX + 2 * _PAD_PX + metrics.font_ascent
        wide = max(squares_wide * SQUARE_PX, words_px) + 2 * _PAD_PX
        high = self._baseline_px + metrics.font_descent + _PAD_PX
        window = screen.root.create_window(
            *(max(0, (self._monitor_px() - wide) // 2), _FROM_TOP_PX, wide, high, 0, screen.root_depth, X.InputOutput),
            override_redirect=True,
            background_pixel=BACK,
            event_mask=X.VisibilityChangeMask | X.StructureNotifyMask,
        )
        window.set_wm_name(NAME)
        window.set_wm_class("volens", TITLE)
        window.change_property(self._display.intern_atom(_OWN_PROPERTY), Xatom.CARDINAL, 32, [1])
        window.change_property(self._display.intern_atom("_NET_WM_PID"), Xatom.CARDINAL, 32, [os.getpid()])
        return window

    def _monitor_px(self) -> int:
        root = self._display.screen().root
        monitors = root.xrandr_get_monitors().monitors if self._display.has_extension("RANDR") else []
        return int(monitors[0].width_in_pixels if monitors else root.get_geometry().width)

    def _draw(self) -> None:
        place = self._window.get_geometry()
        canvas = self._window.create_pixmap(place.width, place.height, self._display.screen().root_depth)
        gc = canvas.create_gc(foreground=BACK)
        canvas.fill_rectangle(gc, 0, 0, place.width, place.height)
        gc.change(foreground=_FRAME)
        canvas.rectangle(gc, 0, 0, place.width - 1, place.height - 1)
        gc.change(foreground=INK, background=BACK, font=self._font)
        canvas.draw_text(gc, _PAD_PX, self._baseline_px, latin(_WORDS))
        for x, y in squares(self.code):
            canvas.fill_rectangle(gc, _PAD_PX + x * SQUARE_PX, _PAD_PX + y * SQUARE_PX, SQUARE_PX, SQUARE_PX)
        self._window.change_attributes(background_pixmap=canvas)
        gc.free()
        canvas.free()
        self._window.map()
        self._window.configure(stack_mode=X.Above)
        self._display.flush()


def inked(pixels: list[list[int]]) -> frozenset[tuple[int, int]]:
    """The squares that are inked on a picture of the card: rows of colours, 0xRRGGBB."""
    first_px = _PAD_PX + SQUARE_PX // 2
    rows = range(first_px, first_px + extent("0")[1] * SQUARE_PX, SQUARE_PX)
    columns = range(first_px, len(pixels[0]) - _PAD_PX, SQUARE_PX)
    return frozenset((x, y) for y, row in enumerate(rows) for x, column in enumerate(columns) if pixels[row][column] == INK)
