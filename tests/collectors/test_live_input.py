"""Live: real input by XTEST into real applications, seen by the real observer. Display, desktop and session are the test's own."""

import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from Xlib import X
from Xlib.ext import xtest

from agent.demo.wait import until
from collectors.pipe import SurfaceRule
from consent.event import Button, Focus, KeyChord, KeyNamed, Modifier, NamedKey, PointerButton, PointerScroll, TypingBurst
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
CANARY = "zebra4quokka7vixen"
ACTS = (Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


@pytest.fixture(scope="module")
def terminal(desk: Desktop) -> Application:
    return desk.start("xterm")


@pytest.fixture
def child(desk: Desktop, editor: Application) -> Iterator[Child]:
    """An observer that has found out what has the focus in the editor."""
    editor.in_front()
    with observer(desk.env, [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)]) as running:
        running.until(lambda: running.recorded is True, "the editor in front")
        running.until(lambda: {state.state for state in running.states.values()} == {"live"}, "live collectors")
        ready(desk, running)
        yield running


def ready(desk: Desktop, child: Child) -> None:
    """Strike a harmless key until it is kept: then the focus is known."""

    def kept() -> bool:
        desk.key("Escape")
        child.lull(0.5)
        return bool(child.of(Kind.KEY_NAMED))

    until(kept, "the role of the focused field")
    child.clear()


def test_every_click_notch_named_key_and_chord_arrives(desk: Desktop, editor: Application, child: Child) -> None:
    """None lost, none invented, positions to the pixel, and every raw input accounted for."""
    desk.move(*editor.point(120, 90))
    for number in (1, 3):
        desk.button(number)
    desk.key("Escape")  # the context menu
    child.lull(0.6)  # a busy machine closes it late, and what has the focus meanwhile is not known
    desk.button(5, times=3)
    desk.button(4)
    for keysym in ("Down", "Home", "Page_Up", "Return", "Delete"):
        desk.key(keysym)
    child.lull(0.6)
    desk.key("Control_L", "a")
    desk.key("Control_L", "Shift_L", "z")
    desk.key("Alt_L", "Up")
    child.until_seen(1 + 4 + 2 + 8 + 10 + 4 + 6 + 4)
    payloads = Counter(event.payload for event in child.of(*ACTS))
    clicks = [PointerButton(120, 90, button, pressed) for button in (Button.LEFT, Button.RIGHT) for pressed in (True, False)]
    names = (NamedKey.ESCAPE, NamedKey.DOWN, NamedKey.HOME, NamedKey.PAGE_UP, NamedKey.ENTER, NamedKey.DELETE)
    chords = [
        KeyChord((Modifier.CTRL,), "a"),
        KeyChord((Modifier.CTRL, Modifier.SHIFT), "z"),
        KeyChord((Modifier.ALT,), "up"),
    ]
    notches = [PointerScroll(120, 90, 0, 1)] * 3 + [PointerScroll(120, 90, 0, -1)]
    assert payloads == Counter([*clicks, *notches, *(KeyNamed(name, False) for name in names), *chords])
    assert child.dropped == {Why.NO_KIND: 1}


def test_typed_text_is_nowhere_in_what_the_observer_says(desk: Desktop, child: Child) -> None:
    """Not as text, not as keycodes, not backwards; only that a burst happened, in buckets."""
    desk.type(CANARY)
    child.until_seen(2 * len(CANARY))
    (burst,) = child.of(Kind.TYPING_BURST)
    assert isinstance(burst.payload, TypingBurst)
    assert burst.payload.keys.value == "17-32"
    said, codes = bytes(child.raw), bytes(desk.keycode(character) for character in CANARY)
    for trace in (CANARY.encode(), CANARY[::-1].encode(), codes, codes[::-1], CANARY.encode("utf-16-le")):
        assert trace not in said
        for at in range(len(trace) - 3):
            assert trace[at : at + 4] not in said


def test_what_happens_in_an_application_that_is_not_on_the_list_is_a_gap(desk: Desktop, terminal: Application, child: Child) -> None:
    """Its clicks, keys and text are counted; nothing says what it was."""
    terminal.in_front()
    child.until(lambda: child.recorded is False, "the terminal in front")
    desk.move(*terminal.point(30, 30))
    desk.button(1)
    desk.type(CANARY)
    desk.key("Return")
    child.until_seen(1 + 2 + 2 * len(CANARY) + 2)
    child.lull(0.5)
    assert Counter(event.kind for event in child.events) == {Kind.GAP: 1}
    assert child.dropped == {Why.SURFACE_NOT_ALLOWED: 2 * len(CANARY) + 4, Why.NO_KIND: 1}
    assert b"xterm" not in child.raw


def test_a_click_beside_the_window_in_front_is_not_its(desk: Desktop, editor: Application, child: Child) -> None:
    """On the bare desktop, while the editor is in front; and on its pop-up menu it is."""
    desk.move(2, 2)
    desk.button(8)
    child.until_seen(3)
    assert child.dropped[Why.SURFACE_NOT_ALLOWED] == 2
    child.clear()
    desk.move(*editor.point(300, 200))
    desk.button(3)  # opens a menu whose window is another
    child.lull(0.5)
    desk.move(*editor.point(310, 210))
    desk.button(2)
    desk.key("Escape")
    child.until_seen(2 + 4 + 2)
    buttons = [event.payload for event in child.of(Kind.POINTER_BUTTON)]
    assert PointerButton(310, 210, Button.MIDDLE, True) in buttons
    assert Why.SURFACE_NOT_ALLOWED not in child.dropped


def test_a_click_on_another_application_beside_the_one_in_front_is_not_its(
    desk: Desktop, editor: Application, terminal: Application, child: Child
) -> None:
    """The click brings the other one to the front; when it was made, the editor was still there."""
    desk.display.create_resource_object("window", terminal.window).configure(x=0, y=30)
    desk.display.sync()
    editor.in_front()
    child.until(lambda: child.recorded is True, "the editor in front")
    child.clear()
    desk.move(*terminal.point(20, 20))
    desk.button(1)
    child.until_seen(3)
    assert child.of(Kind.POINTER_BUTTON) == []
    assert child.dropped == {Why.SURFACE_NOT_ALLOWED: 2, Why.NO_KIND: 1}


def test_chords_follow_a_change_of_the_layout(desk: Desktop, child: Child) -> None:
    """us, fr, us: the same key is another chord. ru: no Latin letter, no chord, and text stays text."""
    control, key = desk.keycode("Control_L"), desk.keycode("m")
    triggers = []
    try:
        for name in ("us", "fr", "us"):
            desk.layout(name)
            desk.keycodes(control, key)
            child.until_seen(4)
            triggers += [event.payload.trigger for event in child.of(Kind.KEY_CHORD) if isinstance(event.payload, KeyChord)]
            child.clear()
        desk.layout("ru")
        desk.keycodes(control, key)
        desk.keycodes(key)
        child.until_seen(6)
    finally:
        desk.layout("us")
    assert triggers == ["m", "comma", "m"]
    assert child.dropped == {Why.NO_KIND: 4}
    assert [event.kind for event in child.of(*ACTS)] == [Kind.TYPING_BURST]


def test_a_thousand_moves_a_second_lose_no_click(desk: Desktop, editor: Application, child: Child) -> None:
    """4,000 moves with 40 clicks among them: each is seen."""
    x, y = editor.point(200, 150)
    for at in range(4_000):
        xtest.fake_input(desk.display, X.MotionNotify, x=x + at % 50, y=y)
        if at % 100 == 0:
            xtest.fake_input(desk.display, X.ButtonPress, 1)
            xtest.fake_input(desk.display, X.ButtonRelease, 1)
        if at % 10 == 0:
            desk.display.sync()
    desk.display.sync()
    child.until_seen(4_000 + 80)
    child.lull(0.5)
    assert len(child.of(Kind.POINTER_BUTTON)) == 80
    assert child.dropped == {Why.NO_KIND: 4_000}


def test_a_window_that_was_moved_is_told_once_when_it_stands_still(desk: Desktop, editor: Application, child: Child) -> None:
    """And clicks are relative to where it is then."""
    window = desk.display.create_resource_object("window", editor.window)
    for step in range(10):
        window.configure(x=100 + 10 * step, y=120)
        desk.display.sync()
    child.until(lambda: bool(child.of(Kind.FOCUS)), "the new place")
    child.lull(0.6)
    (event,) = child.of(Kind.FOCUS)
    assert isinstance(event.payload, Focus)
    assert (event.payload.x, event.payload.y) == editor.corner()
    desk.move(*editor.point(60, 70))
    desk.button(1)
    child.until_seen(3)
    assert child.of(Kind.POINTER_BUTTON)[0].payload == PointerButton(60, 70, Button.LEFT, True)


def test_only_granted_kinds_are_hooked(desk: Desktop, editor: Application) -> None:
    """Without a key kind, keys are not even seen; without any input kind, nothing is."""
    rule = SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)
    editor.in_front()
    for kinds, seen in ((frozenset({Kind.POINTER_BUTTON}), 3), (frozenset({Kind.FOCUS}), 0)):
        with observer(desk.env, [rule], kinds) as child:
            child.until(lambda: child.recorded is True, "the editor in front")
            desk.type("abc")
            desk.move(*editor.point(50, 60))
            desk.button(1)
            child.lull(1.5)
            assert child.seen == seen
            assert set(child.states) == kinds


def test_an_idle_observer_does_not_wake_up(child: Child) -> None:
    """While nothing happens it is not scheduled once."""

    def switches() -> str:
        with open(f"/proc/{child.process.pid}/status") as status:
            return next(line for line in status if line.startswith("voluntary_ctxt_switches"))

    child.lull(2.5)
    before = switches()
    child.lull(1.5)
    assert switches() == before


def test_our_own_windows_are_not_observed(desk: Desktop, editor: Application, child: Child) -> None:
    """A window that carries our mark and belongs to our interpreter; input into it has its own reason."""
    screen = desk.display.screen()
    window = screen.root.create_window(400, 400, 200, 100, 0, screen.root_depth)
    window.change_property(desk.display.intern_atom("_VOLENS_OWN"), 6, 32, [1])
    window.map()
    desk.display.sync()
    try:
        Application(desk, editor.process, window.id).in_front()
        child.until(lambda: child.recorded is False, "our window in front")
        desk.type("abc")
        child.until_seen(6)
        assert child.dropped == {Why.OWN_WINDOW: 6}
    finally:
        window.destroy()
        desk.display.sync()
        editor.in_front()


def test_a_mark_on_a_foreign_window_hides_nothing(desk: Desktop, terminal: Application, child: Child) -> None:
    """Any program could set it; only our interpreter is believed."""
    argv = [program("xprop"), "-id", str(terminal.window), "-f", "_VOLENS_OWN", "32c", "-set", "_VOLENS_OWN", "1"]
    subprocess.run(argv, env=desk.env, check=True)
    terminal.in_front()
    child.until(lambda: child.recorded is False, "the terminal in front")
    desk.type("abc")
    child.until_seen(6)
    assert child.dropped == {Why.SURFACE_NOT_ALLOWED: 6}


def test_a_window_that_says_that_it_is_the_editor_s_is_not(desk: Desktop, editor: Application, terminal: Application, child: Child) -> None:
    """Title, class and process number are what a window says of itself: none of them makes a terminal the editor."""
    said = {"WM_CLASS": ("8s", "mousepad"), "WM_NAME": ("8s", "Untitled 1 - Mousepad"), "_NET_WM_PID": ("32c", str(editor.process.pid))}
    for name, (form, value) in said.items():
        argv = [program("xprop"), "-id", str(terminal.window), "-f", name, form, "-set", name, value]
        subprocess.run(argv, env=desk.env, check=True)
    terminal.in_front()
    child.until(lambda: child.recorded is False, "the terminal in front")
    desk.type("abc")
    child.until_seen(6)
    assert child.dropped == {Why.SURFACE_NOT_ALLOWED: 6}


def test_the_daemon_hanging_up_ends_it_at_once(child: Child) -> None:
    """It holds no hook longer than its pipe."""
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(5) == 0
