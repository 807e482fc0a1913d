"""Live: where the pointer was, to the pixel, on which monitor, and which moves are told, with real applications and hands by XTEST."""

import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from Xlib import X
from Xlib.ext import xtest

from agent.demo.wait import until
from collectors.paths import SPACING_MS
from collectors.pipe import SurfaceRule
from consent.event import Event, Focus, PointerButton, PointerPath
from consent.vocabulary import Kind, SurfaceId, Why
from consent.words import PathPurpose
from tests.collectors.child import Child, observer
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
POINTER = frozenset({Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.POINTER_PATH, Kind.FOCUS, Kind.GAP, Kind.CONTROL})
PROGRAMS = ("mousepad", "pcmanfm", "xterm")
RULES = tuple(SurfaceRule(SurfaceId(name), (program(name),), name == "xterm") for name in PROGRAMS)
STEP_MS = SPACING_MS + 2


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def applications(desk: Desktop) -> list[Application]:
    return [desk.start("mousepad", "--disable-server"), desk.start("pcmanfm", "--no-desktop"), desk.start("xterm")]


@pytest.fixture
def editor(applications: list[Application]) -> Application:
    return applications[0].in_front()


@pytest.fixture
def child(desk: Desktop, editor: Application) -> Iterator[Child]:
    with observer(desk.env, RULES, POINTER) as running:
        running.until(lambda: running.recorded is True and bool(running.of(Kind.FOCUS)), "the editor in front")
        running.clear()
        yield running


@dataclass
class Hand:
    """What was done, on the screen and in the window; `moves` and `buttons` count raw inputs."""

    desk: Desktop
    moves: int = 0
    buttons: int = 0
    made: list[tuple[int, int]] = field(default_factory=list)

    def go(self, x: int, y: int, after_ms: int = 0) -> None:
        """One move, which the server makes so many ms after the one before: nobody sleeps."""
        xtest.fake_input(self.desk.display, X.MotionNotify, x=x, y=y, time=after_ms)
        self.made.append((x, y))
        self.moves += 1

    def button(self, number: int, down: bool) -> None:
        xtest.fake_input(self.desk.display, X.ButtonPress if down else X.ButtonRelease, number)
        self.desk.display.sync()
        self.buttons += 1

    def click(self, x: int, y: int, number: int = 1) -> None:
        self.go(x, y)
        self.button(number, True)
        self.button(number, False)

    @property
    def n(self) -> int:
        """All raw inputs."""
        return self.moves + self.buttons


def _size(application: Application) -> tuple[int, int]:
    size = application.desktop.display.create_resource_object("window", application.window).get_geometry()
    return size.width, size.height


def _clicks(child: Child) -> list[tuple[int, int, bool]]:
    return [(payload.x, payload.y, payload.pressed) for event in child.events if isinstance(payload := event.payload, PointerButton)]


def _paths(child: Child) -> list[tuple[Event, PointerPath]]:
    return [(event, event.payload) for event in child.events if isinstance(event.payload, PointerPath)]


def _near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] - other[0]) <= 1 and abs(one[1] - other[1]) <= 1


def _pop_ups(desk: Desktop) -> int:
    """How many menus are open."""
    shown = [one.get_attributes() for one in desk.display.screen().root.query_tree().children]
    return sum(bool(one.override_redirect) and one.map_state == X.IsViewable for one in shown)


def _click_about(hand: Hand, surface: str, application: Application, child: Child, times: int, chance: random.Random) -> None:
    """Clicks all over an application, and on its menu bar, as fast as they can be made; each is told within 1 px."""
    child.clear()
    before, (left, top), (width, height) = hand.n, application.corner(), _size(application)
    made, closed = [(20, 10)] * 2, _pop_ups(hand.desk)
    hand.click(left + 20, top + 10)
    if surface != "xterm":
        until(lambda: _pop_ups(hand.desk) > closed, "the menu")
    hand.click(left + 20, top + 10)
    hand.desk.key("Escape")  # should that have opened it again
    until(lambda: _pop_ups(hand.desk) == closed, "the end of the menu")
    for _ in range(times - 2):
        made.append((chance.randrange(10, width - 10), chance.randrange(60, height - 30)))
        hand.click(left + made[-1][0], top + made[-1][1])
    child.until_seen(hand.n - before)
    said = _clicks(child)
    assert [pressed for _, _, pressed in said] == [True, False] * times
    assert all(_near(one[:2], made[at // 2]) for at, one in enumerate(said))


def _drag_about(hand: Hand, application: Application, child: Child, chance: random.Random) -> None:
    """A drag of eight moves with its approach; ends and points are told within 1 px of where the hand was."""
    child.clear()
    before, (left, top), (width, height) = hand.n, application.corner(), _size(application)
    begin = chance.randrange(20, width // 2), chance.randrange(80, height - 40)
    end = begin[0] + chance.randrange(40, width // 2 - 20), chance.randrange(80, height - 40)
    hand.made.clear()
    for part in (3, 2, 1, 0):
        hand.go(left + begin[0] + 9 * part, top + begin[1] - 5 * part, STEP_MS)
    hand.button(1, True)
    for part in range(1, 9):
        x, y = (begin[axis] + (end[axis] - begin[axis]) * part // 8 for axis in (0, 1))
        hand.go(left + x, top + y, STEP_MS)
    hand.button(1, False)
    child.until_seen(hand.n - before)
    pressed, released = _clicks(child)
    assert _near(pressed[:2], begin)
    assert _near(released[:2], end)
    (_, approach), (_, drag) = _paths(child)
    assert (approach.purpose, drag.purpose) == (PathPurpose.APPROACH, PathPurpose.DRAG)
    places = [(x - left, y - top) for x, y in hand.made]
    assert all(any(_near(point, place) for place in places) for path in (approach, drag) for point in zip(path.x, path.y, strict=True))
    assert _near((drag.x[0], drag.y[0]), begin)
    assert _near((drag.x[-1], drag.y[-1]), end)
    assert sum(event.n for event, _ in _paths(child)) + child.dropped.get(Why.NO_KIND, 0) == hand.moves - (before - hand.buttons + 2)


def _clicks_and_drags(desk: Desktop, applications: list[Application], child: Child, rounds: int, clicks: int, drags: int) -> None:
    hand, chance = Hand(desk), random.Random(5)
    for at in range(rounds):
        surface, application = PROGRAMS[at % len(PROGRAMS)], applications[at % len(PROGRAMS)].in_front()
        child.until(lambda: child.recorded is True, "an application in front")
        _click_about(hand, surface, application, child, clicks, chance)
        for _ in range(drags):
            _drag_about(hand, application, child, chance)


def test_fifty_clicks_and_five_drags_are_told_to_the_pixel(desk: Desktop, applications: list[Application], child: Child) -> None:
    """In an editor with menus, a file manager and a terminal, without a pause between them."""
    _clicks_and_drags(desk, applications, child, rounds=5, clicks=10, drags=1)


@pytest.mark.soak
def test_five_hundred_clicks_and_twenty_drags_are_told_to_the_pixel(desk: Desktop, applications: list[Application], child: Child) -> None:
    """The same for longer."""
    _clicks_and_drags(desk, applications, child, rounds=20, clicks=25, drags=1)


def _run(desk: Desktop, *argv: str, said: bytes = b"") -> None:
    subprocess.run([program(argv[0]), *argv[1:]], env=desk.env, input=said, check=True, capture_output=True)


def _told(child: Child, click: tuple[int, int], hand: Hand) -> PointerButton:
    """What a click says of its monitor."""
    before = child.seen
    hand.click(*click)
    child.until_seen(before + 3)
    (payload,) = [event.payload for event in child.of(Kind.POINTER_BUTTON)][-2:-1]
    assert isinstance(payload, PointerButton)
    return payload


def _focus(child: Child, monitor: tuple[int, int, int, int], scale_percent: int) -> None:
    """Wait until the window in front is told on this monitor."""

    def said() -> bool:
        focuses = [event.payload for event in child.of(Kind.FOCUS) if isinstance(event.payload, Focus)]
        where = [(one.monitor_x, one.monitor_y, one.monitor_width, one.monitor_height) for one in focuses[-1:]]
        return where == [monitor] and focuses[-1].scale_percent == scale_percent

    child.until(said, "the window on its monitor")


def test_monitors_and_scale_are_followed_while_it_runs(desk: Desktop, editor: Application, child: Child) -> None:
    """Two monitors where there was one, another scale, one again, another resolution: each click and the window in front say which."""
    hand = Hand(desk)
    (left, top), (width, height) = editor.corner(), _size(editor)
    in_window, edge = (left + width - 20, top + height - 40), left + width - 100
    assert _told(child, in_window, hand).monitor_x == 0
    try:
        _run(desk, "xrandr", "--setmonitor", "left", f"{edge}/200x800/200+0+0", "screen")
        _run(desk, "xrandr", "--setmonitor", "right", f"{1280 - edge}/200x800/200+{edge}+0", "none")
        _focus(child, (0, 0, edge, 800), 100)
        assert _told(child, in_window, hand).monitor_x == edge
        assert _told(child, (left + 50, top + 90), hand).monitor_x == 0
        _run(desk, "xrdb", "-merge", "-", said=b"Xft.dpi: 144\n")
        _focus(child, (0, 0, edge, 800), 150)
        on_right = _told(child, in_window, hand)
        assert (on_right.monitor_x, on_right.scale_percent) == (edge, 150)
        hand.go(in_window[0] - 10, in_window[1], STEP_MS)
        hand.go(*in_window, STEP_MS)
        _told(child, in_window, hand)
        assert (_paths(child)[-1][1].monitor_x, _paths(child)[-1][1].scale_percent) == (edge, 150)
    finally:
        _run(desk, "xrdb", "-remove")
        _run(desk, "xrandr", "--delmonitor", "right")
        _run(desk, "xrandr", "--delmonitor", "left")
    _focus(child, (0, 0, 1280, 800), 100)
    assert _told(child, in_window, hand).monitor_x == 0
    try:
        _run(desk, "xrandr", "--newmode", "small", *"38.25 800 832 912 1024 600 603 607 624".split())
        _run(desk, "xrandr", "--addmode", "screen", "small")
        _run(desk, "xrandr", "--output", "screen", "--mode", "small")
        _focus(child, (0, 0, 800, 600), 100)
    finally:
        _run(desk, "xrandr", "--output", "screen", "--mode", "1280x800")
    _focus(child, (0, 0, 1280, 800), 100)


def _switches(child: Child) -> int:
    with open(f"/proc/{child.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))


def test_a_mouse_of_a_thousand_hertz_loses_nothing_and_hardly_wakes_it(desk: Desktop, editor: Application, child: Child) -> None:
    """2,000 moves in two seconds and a press: each is in the approach's n or dropped, and it woke a few times a second."""
    hand, before = Hand(desk), _switches(child)
    left, top = editor.point(100, 150)
    begun_s = time.monotonic()
    for at in range(2_000):
        hand.go(left + at % 200, top + at % 50, 1)
    desk.display.sync()
    hand.button(1, True)
    hand.button(1, False)
    child.until_seen(hand.n)
    took_s = time.monotonic() - begun_s
    ((path, payload),) = _paths(child)
    assert path.n + child.dropped[Why.NO_KIND] == 2_000
    assert 500 <= path.n <= 1_600  # what a busy X server makes in a second and a half
    assert len(payload.t_ms) >= 25
    assert _switches(child) - before <= 15 * took_s


def test_a_hover_never_leaves_the_observer(desk: Desktop, editor: Application, child: Child) -> None:
    """Moves in the recorded window that no press follows, and moves that lead to a press beside it."""
    hand = Hand(desk)
    for press in (False, True):
        for part in range(8):
            hand.go(*editor.point(100 + 9 * part, 120), STEP_MS)
        desk.display.sync()
        if press:
            hand.click(2, 2)
    child.until_seen(hand.n)
    assert _paths(child) == []
    assert child.dropped == {Why.NO_KIND: hand.moves, Why.SURFACE_NOT_ALLOWED: 2}


def test_moves_that_are_not_granted_are_counted_only(desk: Desktop, editor: Application) -> None:
    """Buttons without paths: a drag is its press and its release."""
    hand = Hand(desk)
    with observer(desk.env, RULES, POINTER - {Kind.POINTER_PATH}) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        for down in (True, False):
            for part in range(4):
                hand.go(*editor.point(100 + 9 * part, 120), STEP_MS)
            hand.button(1, down)
        child.until_seen(hand.n)
        assert len(_clicks(child)) == 2
        assert child.dropped == {Why.NO_KIND: 8}


def test_the_way_over_another_window_above_is_not_told(desk: Desktop, editor: Application, child: Child) -> None:
    """A notification lies over the editor: of a way that crosses it, only what comes after it is told."""
    screen, hand = desk.display.screen(), Hand(desk)
    x, y = editor.point(150, 100)
    note = screen.root.create_window(x, y, 60, 60, 0, screen.root_depth, override_redirect=True)
    note.map()
    desk.display.sync()
    try:
        until(lambda: note.get_attributes().map_state == X.IsViewable, "the notification")
        for part in range(8):
            hand.go(x - 70 + 30 * part, y + 20, STEP_MS)
        hand.button(1, True)
        hand.button(1, False)
        child.until_seen(hand.n)
    finally:
        note.destroy()
        desk.display.sync()
    ((event, path),) = _paths(child)
    assert path.x == tuple(150 - 70 + 30 * part for part in range(5, 8))
    assert event.n + child.dropped[Why.NO_KIND] == hand.moves
