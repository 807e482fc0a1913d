"""The badge on a real X server without any tray."""

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from Xlib import X

from agent.demo.display import open_display
from agent.demo.wait import until
from agent.messages import Pause, Withdraw
from agent.tray.badge import OWN_PROPERTY, Badge
from agent.tray.look import Shown
from consent.vocabulary import State
from tests.tray.daemon import Daemon, appear
from tests.tray.stage import Stage

pytestmark = pytest.mark.live
ON = appear(State.CONSENTED, recorded=True)


class Screen:
    """What is on the display, for a test's own eyes."""

    def __init__(self, stage: Stage) -> None:
        self.display = open_display(stage.env)
        self.root = self.display.screen().root
        self._own = self.display.intern_atom(OWN_PROPERTY)

    def badge(self) -> Any:
        """The badge's window; None if there is none."""
        marked = [window for window in self.root.query_tree().children if window.get_full_property(self._own, X.AnyPropertyType)]
        return marked[-1] if marked else None

    def on_top(self) -> bool:
        """Whether the badge is the topmost mapped window."""
        mapped = [w.id for w in self.root.query_tree().children if w.get_attributes().map_state == X.IsViewable]
        badge = self.badge()
        return badge is not None and mapped[-1] == badge.id

    def cover(self, x: int, y: int, width: int, height: int) -> Any:
        """A white window above everything."""
        colour = self.display.screen().white_pixel
        window = self.root.create_window(x, y, width, height, 0, X.CopyFromParent, override_redirect=True, background_pixel=colour)
        window.map()
        self.display.sync()
        return window


@pytest.fixture
def screen(stage: Stage) -> Iterator[Screen]:
    """Eyes on the desktop."""
    screen = Screen(stage)
    yield screen
    screen.display.close()


@pytest.fixture
def tray(stage: Stage, daemon: Daemon) -> Iterator[subprocess.Popen[bytes]]:
    """An attached badge."""
    tray = stage.start_tray(daemon.path)
    daemon.attached("badge")
    yield tray
    tray.send_signal(signal.SIGCONT)
    tray.kill()
    tray.wait()


def click(stage: Stage, screen: Screen, from_left_px: int, from_bottom_px: int) -> None:
    """A real click at a place on the badge."""
    here = screen.badge().get_geometry()
    x, y = here.x + from_left_px, here.y + here.height - from_bottom_px
    subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], env=stage.env, check=True)


def test_the_badge_is_proven_only_once_it_shows_what_the_daemon_says(tray: subprocess.Popen[bytes], daemon: Daemon) -> None:
    """Before the first word of the daemon it shows "Starting", and that is no proof."""
    assert not daemon.challenge().visible
    daemon.show(ON)
    proven = daemon.challenge()
    assert (proven.visible, proven.showing) == (True, State.CONSENTED)


def test_a_covered_badge_comes_up_again_without_being_asked(tray: subprocess.Popen[bytes], daemon: Daemon, screen: Screen) -> None:
    """Twice in a row: also when the second time comes within the second that limits its insistence."""
    daemon.show(ON)
    assert daemon.challenge().visible
    window = screen.cover(0, 0, 1024, 500)
    until(screen.on_top, "the badge on top")
    window.configure(stack_mode=X.Above)
    screen.display.sync()
    until(screen.on_top, "the badge on top again")
    window.destroy()


def test_a_hidden_or_moved_badge_puts_itself_back(tray: subprocess.Popen[bytes], daemon: Daemon, screen: Screen) -> None:
    """Another program may unmap it or push it off the screen; at the next challenge it is back and seen."""
    daemon.show(ON)
    assert daemon.challenge().visible
    screen.badge().unmap()
    screen.display.sync()
    until(lambda: screen.badge().get_attributes().map_state == X.IsViewable, "the badge")
    screen.badge().configure(x=5000)
    screen.display.sync()
    assert daemon.challenge().visible
    assert screen.badge().get_geometry().x < 1024


def test_clicks_on_the_badge_pause_and_stop(stage: Stage, tray: subprocess.Popen[bytes], daemon: Daemon, screen: Screen) -> None:
    """One click pauses; stopping asks once more, in another place."""
    daemon.show(ON)
    assert daemon.challenge().visible
    click(stage, screen, 30, 20)
    _, asked = daemon.wait_for(Pause)
    assert asked == Pause(30)
    click(stage, screen, 180, 20)
    click(stage, screen, 180, 20)
    click(stage, screen, 180, 20)
    click(stage, screen, 330, 20)
    daemon.wait_for(Withdraw)
    with pytest.raises(AssertionError, match="no Withdraw came"):
        daemon.wait_for(Withdraw, 0.3)


def test_a_click_on_its_words_moves_it_out_of_the_way(stage: Stage, tray: subprocess.Popen[bytes], daemon: Daemon, screen: Screen) -> None:
    """What it covers can be seen after one click."""
    daemon.show(ON)
    assert daemon.challenge().visible
    before = screen.badge().get_geometry().x
    click(stage, screen, 100, 60)
    until(lambda: screen.badge().get_geometry().x != before, "another corner")
    assert daemon.challenge().visible


def test_no_display_and_no_bus_is_exit_6_in_one_line(stage: Stage, daemon: Daemon) -> None:
    """Neither a tray nor a badge: no indicator, and the reason in words."""
    before = stage.tray_said()
    tray = stage.start_tray(daemon.path, DISPLAY="", DBUS_SESSION_BUS_ADDRESS="", XDG_RUNTIME_DIR="")
    assert tray.wait(timeout=10) == 6
    said = stage.tray_said()[len(before) :]
    assert len(said) == 1
    assert said[0].startswith("volens: there is no tray and no X display")


def test_a_display_that_goes_takes_the_badge_with_it(stage: Stage, tray: subprocess.Popen[bytes], daemon: Daemon, screen: Screen) -> None:
    """Killed by the X server, it does not stay attached as if it were seen."""
    daemon.show(ON)
    assert daemon.challenge().visible
    screen.badge().kill_client()
    screen.display.sync()
    assert tray.wait(timeout=10) == 6


def test_without_a_daemon_there_is_no_badge(stage: Stage) -> None:
    """Nothing to show the state of: exit 1."""
    assert stage.start_tray(stage.root / "nobody").wait(timeout=10) == 1


def _lead_to(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "XAUTHORITY"):
        monkeypatch.setenv(variable, stage.env[variable])


@pytest.fixture
def badge(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Badge]:
    """A badge in this process that cannot put itself right: for what it says when a screen does not let it."""
    _lead_to(stage, monkeypatch)
    badge = Badge(lambda _act: None)
    badge.show(Shown(state=State.CONSENTED))
    assert badge.visible()
    monkeypatch.setattr(badge, "_draw", lambda: None)
    monkeypatch.setattr(badge, "_come_up", lambda: None)
    monkeypatch.setattr(badge, "_put_back", lambda _event: None)
    yield badge
    badge.close()


def test_a_badge_says_that_it_is_covered(badge: Badge, screen: Screen) -> None:
    """A window over its picture, even a small one: not seen. Beside the picture: seen."""
    here = screen.badge().get_geometry()
    beside = screen.cover(here.x + here.width - 20, here.y, 20, here.height)
    assert badge.visible()
    beside.configure(x=here.x + 20, y=here.y + 20)
    screen.display.sync()
    assert not badge.visible()
    beside.destroy()
    screen.display.sync()
    assert badge.visible()


def test_a_badge_says_that_it_is_hidden_or_off_the_screen(badge: Badge, screen: Screen) -> None:
    """Unmapped, or outside of every monitor: not seen."""
    window = screen.badge()
    window.configure(x=1020)
    screen.display.sync()
    assert not badge.visible()
    window.configure(x=600)
    screen.display.sync()
    assert badge.visible()
    window.unmap()
    screen.display.sync()
    assert not badge.visible()


def test_a_badge_on_wayland_never_says_that_it_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """XWayland cannot know whether a Wayland window lies above."""
    _lead_to(stage, monkeypatch)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    badge = Badge(lambda _act: None)
    badge.show(Shown(state=State.CONSENTED))
    assert not badge.visible()
    badge.close()


def test_the_badge_is_marked_as_our_own(badge: Badge, screen: Screen) -> None:
    """The observer finds the mark and observes nothing on it; the window takes no focus and has no frame to close it by."""
    window = screen.badge()
    assert window.get_attributes().override_redirect
    pid = window.get_full_property(screen.display.intern_atom("_NET_WM_PID"), X.AnyPropertyType)
    assert list(pid.value) == [os.getpid()]
