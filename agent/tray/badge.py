"""The badge: a small window in a corner of the screen, where no tray shows our icon. X11, plain Xlib requests.

It cannot be closed, comes back up when it is covered, and says that it is not seen when anything covers its picture.
It takes no focus and no keys. The person moves it to the next corner by a click on its words.
"""

import os
from collections.abc import Callable
from typing import Any

from Xlib import X, Xatom, Xutil, display, error

from agent import clock
from agent.tray.errors import DisplayGone
from agent.tray.fonts import latin, open_font
from agent.tray.look import TITLE, Act, Shown
from agent.tray.picture import argb
from agent.tray.plan import Box, Plan, corners, plan

RAISE_EVERY_MS = 1000
"""Two windows that both insist on being on top must not chase each other faster than this."""

OWN_PROPERTY = "_VOLENS_OWN"
"""Marks our windows: the observer never observes them."""

_BACK, _FRAME, _TEXT, _BUTTON = 0x202327, 0x8A9099, 0xF2F4F6, 0x3B4148
_DEPTHS = (24, 32)


class Badge:
    """The badge window."""

    def __init__(self, act: Callable[[Act], None]) -> None:
        """Opens the display and a window that is not shown yet. `act` does what a click asks for. Raises DisplayGone."""
        self._act = act
        self._asking = False
        self._corner = 0
        self._raised_ms = 0
        self._covered = True
        self._to_raise = False
        self._blind = "WAYLAND_DISPLAY" in os.environ  # XWayland does not know what Wayland windows cover
        self._shown = Shown()
        try:
            self._display = display.Display()
            self._display.set_error_handler(_tolerate)
            self._screen = self._display.screen()
            self._font = open_font(self._display)
            self._window = self._create()
        except (error.DisplayError, error.ConnectionClosedError, OSError) as gone:
            raise DisplayGone("there is no tray and no X display to show the badge on", "start Volens in a desktop session") from gone
        self._plan = self._measure()

    def fileno(self) -> int:
        """For select."""
        return int(self._display.fileno())

    def close(self) -> None:
        """Takes the badge off the screen."""
        try:
            self._display.close()
        except (error.ConnectionClosedError, OSError):
            return

    def deadline_ms(self) -> int | None:
        """When it wants its next turn (awake clock), if it is covered; None: only when the display says something."""
        return self._raised_ms + RAISE_EVERY_MS if self._to_raise else None

    def pending(self) -> bool:
        """Whether events wait that select does not know of. Raises DisplayGone."""
        return bool(_or_gone(self._display.pending_events))

    def turn(self) -> None:
        """Deals with what the display has sent. Raises DisplayGone."""
        _or_gone(self._deal)

    def show(self, shown: Shown) -> None:
        """Draws this from now on. Raises DisplayGone."""
        self._shown = shown
        _or_gone(self._draw)

    def visible(self) -> bool:
        """Whether the picture is on the screen now, with nothing above it; tries once to come up. Raises DisplayGone."""
        return bool(_or_gone(self._look))

    def _deal(self) -> None:
        while self._display.pending_events():
            event = self._display.next_event()
            match event.type:
                case X.VisibilityNotify:
                    self._covered = event.state == X.VisibilityFullyObscured
                    self._to_raise = event.state != X.VisibilityUnobscured
                case X.ButtonRelease if event.detail == 1:
                    self._clicked(event.event_x, event.event_y)
                case X.UnmapNotify | X.ConfigureNotify if event.window.id in (self._window.id, self._screen.root.id):
                    self._put_back(event)
        self._come_up()

    def _put_back(self, event: Any) -> None:
        """Somebody hid or moved the badge, or the screen has changed its size."""
        if event.type == X.UnmapNotify:
            self._window.map()
        elif event.window.id == self._screen.root.id:
            self._draw()

    def _clicked(self, x: int, y: int) -> None:
        button = self._plan.pressed(x, y)
        if button is None:
            self._corner += 1
        elif button.asks is None:
            self._asking = not self._asking
        else:
            self._asking = False
            self._act(button.asks)
        self._draw()

    def _come_up(self) -> None:
        now_ms = clock.read().awake_ms
        if self._to_raise and now_ms - self._raised_ms >= RAISE_EVERY_MS:
            self._raised_ms, self._to_raise = now_ms, False
            self._window.configure(stack_mode=X.Above)
            self._display.flush()

    def _look(self) -> bool:
        self._deal()
        if self._seen():
            return True
        self._draw()
        self._display.sync()
        self._deal()
        return self._seen()

    def _seen(self) -> bool:
        if self._blind or self._covered or self._window.get_attributes().map_state != X.IsViewable:
            return False
        here = self._window.get_geometry()
        picture = self._plan.picture.moved(here.x, here.y)
        if not any(picture.within(monitor) for monitor in self._monitors()):
            return False
        stack = [window.id for window in self._screen.root.query_tree().children]
        above = stack[stack.index(self._window.id) + 1 :]
        return not any(self._covers(window_id, picture) for window_id in above)

    def _covers(self, window_id: int, picture: Box) -> bool:
        """Whether that window lies over the picture; one that vanishes meanwhile does not."""
        window = self._display.create_resource_object("window", window_id)
        try:
            attributes = window.get_attributes()
            if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
                return False
            place = window.get_geometry()
        except error.XError:
            return False
        border = 2 * place.border_width
        return picture.meets(Box(place.x, place.y, place.width + border, place.height + border))

    def _monitors(self) -> list[Box]:
        root = self._screen.root.get_geometry()
        whole = Box(0, 0, root.width, root.height)
        if not self._display.has_extension("RANDR"):
            return [whole]
        monitors = self._screen.root.xrandr_get_monitors().monitors
        return [Box(each.x, each.y, each.width_in_pixels, each.height_in_pixels) for each in monitors] or [whole]

    def _create(self) -> Any:
        root = self._screen.root
        root.change_attributes(event_mask=X.StructureNotifyMask)
        events = X.VisibilityChangeMask | X.StructureNotifyMask | X.ButtonPressMask | X.ButtonReleaseMask
        window = root.create_window(
            0, 0, 8, 8, 0, self._screen.root_depth, X.InputOutput, override_redirect=True, background_pixel=_BACK, event_mask=events
        )
        window.set_wm_name(TITLE)
        window.set_wm_class("volens", TITLE)
        window.set_wm_hints(flags=Xutil.InputHint, input=0)
        window.change_property(self._display.intern_atom(OWN_PROPERTY), Xatom.CARDINAL, 32, [1])
        window.change_property(self._display.intern_atom("_NET_WM_PID"), Xatom.CARDINAL, 32, [os.getpid()])
        return window

    def _measure(self) -> Plan:
        metrics = self._font.query()
        return plan(
            self._shown,
            asking=self._asking,
            ascent=metrics.font_ascent,
            descent=metrics.font_descent,
            width_of=lambda text: int(self._font.query_text_extents(latin(text)).overall_width),
        )

    def _draw(self) -> None:
        self._plan = self._measure()
        canvas = self._window.create_pixmap(self._plan.width, self._plan.height, self._screen.root_depth)
        gc = canvas.create_gc(foreground=_BACK, background=_BACK, font=self._font)
        self._paint(canvas, gc)
        places = corners(self._monitors()[0], self._plan.width, self._plan.height)
        x, y = places[self._corner % len(places)]
        self._window.configure(x=x, y=y, width=self._plan.width, height=self._plan.height, stack_mode=X.Above)
        self._window.change_attributes(background_pixmap=canvas)
        self._window.clear_area(0, 0, 0, 0)
        self._window.map()
        gc.free()
        canvas.free()
        self._display.flush()

    def _paint(self, canvas: Any, gc: Any) -> None:
        canvas.fill_rectangle(gc, 0, 0, self._plan.width, self._plan.height)
        gc.change(foreground=_FRAME)
        canvas.rectangle(gc, 0, 0, self._plan.width - 1, self._plan.height - 1)
        for button in self._plan.buttons:
            gc.change(foreground=_BUTTON)
            canvas.fill_rectangle(gc, button.box.x, button.box.y, button.box.width, button.box.height)
            gc.change(foreground=_FRAME)
            canvas.rectangle(gc, button.box.x, button.box.y, button.box.width - 1, button.box.height - 1)
        gc.change(foreground=_TEXT, background=_BACK)
        for x, baseline, text in (*self._plan.lines, *self._labels()):
            canvas.draw_text(gc, x, baseline, latin(text))
        if self._screen.root_depth in _DEPTHS:
            box = self._plan.picture
            canvas.put_image(gc, box.x, box.y, box.width, box.height, X.ZPixmap, self._screen.root_depth, 0, self._pixels(box.width))

    def _labels(self) -> list[tuple[int, int, str]]:
        ascent = int(self._font.query().font_ascent)
        return [(button.box.x + 8, button.box.y + ascent + 4, button.label) for button in self._plan.buttons]

    def _pixels(self, size_px: int) -> bytes:
        """The picture over the badge's colour, as the server wants it."""
        source = argb(self._shown.look, size_px)
        back = _BACK.to_bytes(3, "big")
        out = bytearray()
        for start in range(0, len(source), 4):
            alpha = source[start]
            rgb = [(source[start + 1 + part] * alpha + back[part] * (255 - alpha)) // 255 for part in range(3)]
            out += bytes((rgb[2], rgb[1], rgb[0], 255)) if self._display.display.info.image_byte_order == 0 else bytes((255, *rgb))
        return bytes(out)


def _tolerate(_error: Any, _request: Any) -> None:
    """An error of a request without an answer: the window it was about is gone. python-xlib would print it to stdout."""


def _or_gone(what: Callable[[], Any]) -> Any:
    try:
        return what()
    except (error.ConnectionClosedError, OSError) as gone:
        raise DisplayGone("the X display is gone", "log in again") from gone
