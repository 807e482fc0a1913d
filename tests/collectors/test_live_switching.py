"""Live: fast switches between two applications, and clicks that bring a window to the front. The observer is the real one."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from Xlib import X
from Xlib.ext import xtest
from Xlib.protocol.event import ClientMessage

from agent.demo.clock import rest
from agent.demo.wait import until
from agent.demo.windows import active_window
from collectors.pipe import SurfaceRule
from consent.event import Button, Focus, KeyChord, KeyNamed, NamedKey, PointerButton
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.collectors.test_live_input import ready
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
CLIENT_MASK = 0x1FFFFF
"""The bits of an X id that a client chooses itself."""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


@pytest.fixture(scope="module")
def terminal(desk: Desktop, editor: Application) -> Application:
    terminal = desk.start("xterm")
    for application, left in ((editor, 10), (terminal, 700)):
        desk.display.create_resource_object("window", application.window).configure(x=left, y=40, width=500, height=400)
    desk.display.sync()
    until(lambda: editor.corner()[0] < 100 and terminal.corner()[0] > 600, "the two windows side by side")
    return terminal


@pytest.fixture
def child(desk: Desktop, editor: Application, terminal: Application) -> Iterator[Child]:
    """An observer that has found out what has the focus in the editor; the terminal is on no list."""
    editor.in_front()
    rules = [SurfaceRule(SurfaceId(name), (program(name),), False) for name in ("mousepad", "zenity")]
    with observer(desk.env, rules) as running:
        running.until(lambda: running.recorded is True, "the editor in front")
        running.until(lambda: {state.state for state in running.states.values()} == {"live"}, "live collectors")
        ready(desk, running)
        yield running


def _ask_for(desk: Desktop, application: Application) -> None:
    """Ask the window manager for a window, without waiting until it is there."""
    atom = desk.display.intern_atom("_NET_ACTIVE_WINDOW")
    window = desk.display.create_resource_object("window", application.window)
    message = ClientMessage(window=window, client_type=atom, data=(32, [2, X.CurrentTime, 0, 0, 0]))
    desk.display.screen().root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
    desk.display.sync()


def _has_focus(desk: Desktop, application: Application) -> bool:
    """Whether a key would go to this application now; GTK gives the focus to a window of its own beside the one in front."""
    focus = int(getattr(desk.display.get_input_focus().focus, "id", 0))
    return focus & ~CLIENT_MASK == application.window & ~CLIENT_MASK


@pytest.mark.parametrize("switches", [50, pytest.param(400, marks=pytest.mark.soak)])
def test_no_chord_of_the_terminal_is_told_as_the_editors(
    desk: Desktop, editor: Application, terminal: Application, child: Child, record_property: Callable[[str, object], None], switches: int
) -> None:
    """Many fast switches. Ctrl+E is struck in the terminal at once when the server has moved the focus there, and it is left at
    once: none of it is told. Ctrl+A is struck in the editor at once, too, and Ctrl+End just before it is left: that is told,
    all of it where the machine keeps up."""
    for number in range(switches // 2):
        for application in (terminal, editor):
            _ask_for(desk, application)
            until(partial(_has_focus, desk, application), "the focus", poll_s=0.001)
            desk.key("Control_L", "e" if application is terminal else "a")
            rest((0, 0.005, 0.03)[number % 3] if application is terminal else 0.25)
            desk.key("Control_L", "e" if application is terminal else "End")
    child.until_seen(switches * 8)
    child.lull(1.5)
    told = Counter(event.payload.trigger for event in child.of(Kind.KEY_CHORD) if isinstance(event.payload, KeyChord))
    record_property("told", dict(told))
    record_property("dropped", {why.value: n for why, n in child.dropped.items()})
    assert told["e"] == 0
    assert told["end"] > 0.9 * switches / 2
    assert child.dropped[Why.SURFACE_NOT_ALLOWED] >= switches * 4


def test_enter_that_closes_a_dialog_is_told(desk: Desktop, editor: Application, terminal: Application, child: Child) -> None:
    """Though a window that is not recorded is in front a few milliseconds later."""
    terminal.in_front()
    dialog = desk.start("zenity", "--info", "--text=Done")
    child.until(lambda: child.recorded is True, "the dialog in front")
    child.lull(0.6)
    child.clear()
    desk.key("Return")
    until(lambda: active_window(desk.display) == terminal.window, "the terminal in front")
    child.until_seen(2)
    child.lull(0.6)
    assert dialog.process.wait(5) == 0
    (event,) = child.of(Kind.KEY_NAMED)
    assert (event.surface, event.payload) == ("zenity", KeyNamed(NamedKey.ENTER, False))


@pytest.mark.parametrize("known", [True, False])
def test_a_click_into_a_window_that_is_not_in_front_is_its(desk: Desktop, editor: Application, terminal: Application, known: bool) -> None:
    """Told relative to it and before it is told as the one in front, whether it was ever in front before or not.

    A machine too busy to raise a window within the hold makes the click nobody's, which is right; then it is tried again.
    """
    rule = SurfaceRule(SurfaceId("mousepad"), (program("mousepad"),), False)
    for _ in range(3):
        (editor if known else terminal).in_front()
        with observer(desk.env, [rule]) as child:
            _click_behind(desk, editor, terminal, child, known=known)
            if Why.SURFACE_NOT_ALLOWED not in child.dropped:
                break
    assert [event.payload for event in child.of(Kind.POINTER_BUTTON)] == [
        PointerButton(200, 150, Button.LEFT, pressed) for pressed in (True, False)
    ]
    assert isinstance(child.of(Kind.FOCUS)[-1].payload, Focus)
    assert child.dropped == {Why.NO_KIND: 1}


def _click_behind(desk: Desktop, editor: Application, terminal: Application, child: Child, *, known: bool) -> None:
    """A click into the editor while the terminal is in front."""
    child.until(lambda: child.recorded is known, "the first window")
    terminal.in_front()
    child.until(lambda: child.recorded is False, "the terminal in front")
    desk.move(*terminal.point(5, 5))
    child.lull(0.6)
    child.clear()
    desk.move(*editor.point(200, 150))
    desk.button(1)
    child.until_seen(3)
    child.lull(0.6)


def test_a_click_into_a_window_that_is_not_recorded_and_a_wheel_over_one_behind_are_refused(
    desk: Desktop, editor: Application, terminal: Application, child: Child
) -> None:
    """The focusing click on the terminal is nobody's; the wheel over the editor behind it is not yet the editor's."""
    desk.move(*terminal.point(50, 50))
    desk.button(1)
    until(lambda: active_window(desk.display) == terminal.window, "the terminal in front")
    desk.move(*editor.point(50, 50))
    desk.button(5, times=2)
    child.until_seen(1 + 2 + 1 + 4)
    child.lull(0.6)
    assert child.of(Kind.POINTER_BUTTON, Kind.POINTER_SCROLL) == []
    assert child.dropped == {Why.NO_KIND: 2, Why.SURFACE_NOT_ALLOWED: 6}


def test_a_click_that_closes_a_window_over_the_editor_is_not_the_editors(desk: Desktop, editor: Application, child: Child) -> None:
    """A window that is not recorded and goes away at the press: the editor under it comes to the front by itself."""
    x, y = editor.point(100, 100)
    dialog = desk.start("xterm", "-geometry", f"20x8+{x}+{y}", "-xrm", "*VT100.translations: #override <Btn1Down>: quit()")
    child.until(lambda: child.recorded is False, "the small window in front")
    child.lull(0.6)
    child.clear()
    desk.move(*dialog.point(30, 30))
    xtest.fake_input(desk.display, X.ButtonPress, 1)
    desk.display.sync()
    until(lambda: active_window(desk.display) == editor.window, "the editor in front again")
    xtest.fake_input(desk.display, X.ButtonRelease, 1)
    desk.display.sync()
    child.until_seen(3)
    child.lull(0.6)
    assert child.of(Kind.POINTER_BUTTON) == []
    assert child.dropped == {Why.NO_KIND: 1, Why.SURFACE_NOT_ALLOWED: 2}


@pytest.fixture(scope="module")
def tour(editor: Application, terminal: Application, desk: Desktop) -> dict[str, Application]:
    """Three applications that are recorded, and the terminal, which is not."""
    files = desk.start("pcmanfm", "--no-desktop")
    return {"mousepad": editor, "pcmanfm": files, "xterm": terminal, "zenity": desk.start("zenity", "--list", "--column=A", "one")}


@pytest.mark.parametrize("switches", [8, pytest.param(26, marks=pytest.mark.soak)])
def test_each_switch_of_windows_is_one_event(desk: Desktop, tour: dict[str, Application], switches: int) -> None:
    """A tour of three recorded windows and one that is not: a `focus` of its surface and window for each switch to the first, a
    `gap` for each to the last, in this order and nothing else; every one is waited for before the next."""
    order = ("mousepad", "pcmanfm", "xterm", "zenity")
    tour["zenity"].in_front()
    rules = [SurfaceRule(SurfaceId(name), (program(name),), False) for name in order if name != "xterm"]
    with observer(desk.env, rules, frozenset({Kind.FOCUS, Kind.GAP, Kind.CONTROL})) as child:
        child.until(lambda: bool(child.of(Kind.FOCUS)), "the first window")
        child.lull(0.6)
        child.clear()
        expected = []
        for number in range(switches):
            name = order[number % len(order)]
            tour[name].in_front()
            expected.append((Kind.GAP, None) if name == "xterm" else (Kind.FOCUS, name))
            child.until(partial(lambda n: len(child.events) >= n, number + 1), f"switch {number + 1}, to {name}")
        child.lull(0.6)
        assert [(event.kind, event.surface) for event in child.events] == expected
        windows = {(event.surface, event.window) for event in child.of(Kind.FOCUS)}
        assert len(windows) == len({window for _, window in windows}) == 3
        assert {event.window for event in child.of(Kind.GAP)} == {0}
