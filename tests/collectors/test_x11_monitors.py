"""Which monitor a place is on, and how large toolkits draw: as of the latest news, and with an X server that knows neither."""

from types import SimpleNamespace
from typing import Any

from Xlib import X

from collectors.backends.x11_monitors import Monitors, nearest, scale_of
from collectors.raw import Geometry, Monitor

RESOURCES, OTHER_ATOM, CHANGED = 23, 24, 89


class _Root:
    """A root window that says what it is told to say; without `boxes` its server has no RandR 1.5."""

    id = 7

    def __init__(self, resources: bytes | None = None, boxes: list[tuple[int, int, int, int]] | None = None) -> None:
        self.resources, self.boxes = resources, boxes
        self.width, self.height = 1280, 800
        if boxes is not None:
            self.xrandr_get_monitors = self._monitors

    def get_full_property(self, atom: int, _: int) -> SimpleNamespace | None:
        assert atom == RESOURCES
        return None if self.resources is None else SimpleNamespace(value=self.resources)

    def get_geometry(self) -> SimpleNamespace:
        return SimpleNamespace(width=self.width, height=self.height)

    def xrandr_select_input(self, mask: int) -> None:
        assert mask == 1

    def _monitors(self) -> SimpleNamespace:
        names = ("x", "y", "width_in_pixels", "height_in_pixels")
        return SimpleNamespace(monitors=[SimpleNamespace(**dict(zip(names, box, strict=True))) for box in self.boxes or []])


def _monitors(root: _Root, randr: bool = True, knows_news: bool = True) -> Monitors:
    news = SimpleNamespace(ScreenChangeNotify=CHANGED) if knows_news else SimpleNamespace()
    display: Any = SimpleNamespace(
        screen=lambda: SimpleNamespace(root=root), intern_atom=lambda _: RESOURCES, has_extension=lambda _: randr, extension_event=news
    )
    return Monitors(display)


def test_an_x_server_that_knows_no_monitors_has_one_as_large_as_the_screen() -> None:
    """No RandR, an old one, one that names none that is lit."""
    whole = Monitor(0, 0, 1280, 800)
    assert _monitors(_Root(), randr=False).at(5, 5) == whole
    assert _monitors(_Root(), knows_news=False).at(5, 5) == whole
    assert _monitors(_Root(boxes=[])).at(5, 5) == whole
    assert _monitors(_Root(boxes=[(0, 0, 0, 0)])).at(5, 5) == whole


def test_news_of_the_screen_its_monitors_and_its_resources_are_heard_and_no_other() -> None:
    """And nothing is asked without news."""
    root = _Root(boxes=[(0, 0, 1280, 800)])
    monitors = _monitors(root)
    root.boxes, root.resources, root.width = [(0, 0, 640, 800), (640, 0, 640, 800)], b"Xft.dpi: 192\n", 1300
    others = (
        SimpleNamespace(type=X.ConfigureNotify, window=SimpleNamespace(id=8)),
        SimpleNamespace(type=X.PropertyNotify, atom=OTHER_ATOM),
        SimpleNamespace(type=X.MappingNotify),
    )
    assert not any(monitors.hear(event) for event in others)
    assert monitors.at(700, 5) == Monitor(0, 0, 1280, 800)
    for event in (
        SimpleNamespace(type=X.ConfigureNotify, window=SimpleNamespace(id=7)),
        SimpleNamespace(type=X.PropertyNotify, atom=RESOURCES),
        SimpleNamespace(type=CHANGED),
    ):
        assert monitors.hear(event)
        assert monitors.at(700, 5) == Monitor(640, 0, 640, 800, 200)
        placed = monitors.placed(Geometry(600, 0, 100, 50, 1, 1))
        assert placed == Geometry(600, 0, 100, 50, 1300, 800, Monitor(640, 0, 640, 800, 200))
    assert monitors.placed(None) is None


def test_a_point_is_on_the_monitor_that_holds_it_else_on_the_next_one() -> None:
    """Two side by side, one above; a corner that no monitor has."""
    left, right = Monitor(0, 200, 640, 600), Monitor(640, 0, 640, 800, 150)
    for x, y, expected in ((0, 200, left), (639, 799, left), (640, 0, right), (1279, 799, right), (10, 0, left), (600, 3, right)):
        assert nearest([left, right], x, y) == expected


def test_the_scale_is_what_the_desktop_told_the_toolkits() -> None:
    """The last word on Xft.dpi counts; anything else there is a slip, and none is 100 %."""
    assert scale_of(b"Xft.dpi:\t144\n") == 150
    assert scale_of(b"*foreground: red\nXft.antialias: 1\nXft.dpi: 192.0\nXft.dpi:96\n") == 100
    for slip in (b"", b"Xft.dpi: 0\n", b"Xft.dpi: 99999\n", b"Xft.dpi: many\n", b"MyXft.dpi: 192\n", b"! Xft.dpi: 192\n"):
        assert scale_of(slip) == 100
    assert scale_of(b"Xft.dpi: 120") == 125
