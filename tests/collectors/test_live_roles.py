"""Live: password fields, and what happens when the accessibility service or the X server is not there."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.wait import until
from collectors.pipe import SurfaceRule
from consent.event import Control, SecureInput, Switch
from consent.vocabulary import Blocker, Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.collectors.test_live_input import CANARY, ready
from tests.live.desktop import Application, Desktop, desktop, kill_server, program

pytestmark = pytest.mark.live
KEY_KINDS = (Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST)


def _rules() -> list[SurfaceRule]:
    return [SurfaceRule(SurfaceId(name), (program(name),), False) for name in ("mousepad", "zenity")]


@pytest.fixture
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


def _clicks_but_no_keys(desk: Desktop, editor: Application, child: Child) -> None:
    child.lull(1.2)  # what was refused before is told within a second
    child.clear()
    desk.move(*editor.point(100, 100))
    desk.button(1)
    desk.type("abc")
    desk.key("Return")
    desk.key("Control_L", "a")
    child.until_seen(1 + 2 + 6 + 2 + 4)
    kinds = [event.kind for event in child.events]
    assert (kinds, child.dropped) == ([Kind.POINTER_BUTTON] * 2, {Why.NO_KIND: 1, Why.ROLE_UNKNOWN: 12})


def test_a_password_field_is_told_of_and_nothing_in_it(desk: Desktop, editor: Application) -> None:
    """In an application that is on the list: one secure_input, no counts; Enter and chords there are refused as well."""
    with observer(desk.env, _rules()) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        ready(desk, child)
        dialog = desk.start("zenity", "--password")
        child.until(lambda: bool(child.of(Kind.SECURE_INPUT)), "news of the password field")
        child.clear()
        desk.type(CANARY)
        desk.key("Control_L", "a")
        child.until_seen(2 * len(CANARY) + 4)
        desk.key("Return")
        dialog.process.wait(10)
        editor.in_front()
        child.lull(0.6)
        assert child.of(*KEY_KINDS, Kind.SECURE_INPUT) == []
        assert child.dropped == {Why.SECURE_FIELD: 2 * len(CANARY) + 6}
        assert CANARY.encode() not in child.raw
        ready(desk, child)  # and back in the editor, keys are kept again


def test_a_password_field_that_had_the_focus_before_we_came_is_known(desk: Desktop) -> None:
    """After a pause there is no new focus event; the observer asks."""
    desk.start("zenity", "--password")
    with observer(desk.env, _rules()) as child:
        child.until(lambda: bool(child.of(Kind.SECURE_INPUT)), "the role of the focused field")
        assert [(event.payload, event.n) for event in child.of(Kind.SECURE_INPUT)] == [(SecureInput(), 0)]
        child.clear()
        desk.type(CANARY)
        child.until_seen(2 * len(CANARY))
        assert child.dropped == {Why.SECURE_FIELD: 2 * len(CANARY)}


def test_an_entry_and_a_password_field_in_one_window_are_told_apart(desk: Desktop) -> None:
    """Text in the entry is a burst; after Tab, nothing is kept until Tab again."""
    desk.start("zenity", "--password", "--username")
    with observer(desk.env, _rules()) as child:
        child.until(lambda: child.recorded is True, "the dialog in front")
        ready_by_typing(desk, child)
        desk.key("Tab")
        child.until(lambda: bool(child.of(Kind.SECURE_INPUT)), "the password field")
        child.clear()
        desk.type(CANARY)
        child.until_seen(2 * len(CANARY))
        assert child.dropped == {Why.SECURE_FIELD: 2 * len(CANARY)}


def ready_by_typing(desk: Desktop, child: Child) -> None:
    """Type until a burst is kept (Escape would close the dialog)."""

    def kept() -> bool:
        desk.type("ab")
        child.lull(1.6)
        return bool(child.of(Kind.TYPING_BURST))

    until(kept, "the role of the focused field")
    child.clear()


@pytest.mark.parametrize("address", [None, "unix:path=/nonexistent/bus"])
def test_without_a_message_bus_keys_are_refused_and_the_state_says_so(address: str | None) -> None:
    """Everything else goes on."""
    with desktop(accessibility=False) as desk:
        env = desk.env | ({"DBUS_SESSION_BUS_ADDRESS": address} if address else {})
        editor = desk.start("mousepad", "--disable-server")
        with observer(env, _rules()) as child:
            child.until(lambda: child.recorded is True, "the editor in front")
            assert child.states[Kind.TYPING_BURST].state == "degraded"
            assert "bus" in child.states[Kind.TYPING_BURST].why
            assert child.states[Kind.POINTER_BUTTON].state == "live"
            _clicks_but_no_keys(desk, editor, child)


def test_when_the_accessibility_service_ends_keys_are_refused_from_then_on(desk: Desktop, editor: Application) -> None:
    """It is degraded as soon as the bus is gone, not at the next key."""
    with observer(desk.env, _rules()) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        ready(desk, child)
        for pid in _processes(desk, "at-spi-bus-launcher", "accessibility.conf"):
            os.kill(pid, signal.SIGKILL)
        child.until(lambda: child.states[Kind.KEY_NAMED].state == "degraded", "the news")
        child.lull(0.5)
        _clicks_but_no_keys(desk, editor, child)


def _processes(desk: Desktop, *names: str) -> list[int]:
    """Processes of this desktop whose command line holds one of these names."""
    mine = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if desk.env["HOME"].encode() in environment and any(name.encode() in command for name in names):
            mine.append(int(folder.name))
    return mine


def test_an_application_that_is_not_accessible_keeps_its_keys(desk: Desktop) -> None:
    """Nobody says what has the focus in it: unknown, refused; its clicks are kept."""
    rule = SurfaceRule(SurfaceId("xterm"), (program("xterm"),), False)
    terminal = desk.start("xterm")
    with observer(desk.env, [rule]) as child:
        child.until(lambda: child.recorded is True, "the terminal in front")
        child.lull(0.5)
        _clicks_but_no_keys(desk, terminal, child)


def test_the_x_server_ending_is_said_and_ends_it(desk: Desktop, editor: Application) -> None:
    """In mid-run, with keys in their hold: last words, exit code 1, no loop."""
    with observer(desk.env, _rules()) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        ready(desk, child)
        desk.key("Return")
        kill_server(desk.stage)
        child.until(lambda: child.failed is not None, "its last words")
        assert child.failed is not None
        assert child.failed.blocker == Blocker.DISPLAY_GONE
        assert child.of(Kind.CONTROL)[-1].payload == Control(Switch.STOPPED)
        assert child.process.wait(5) == 1


def test_killed_at_any_moment_it_leaves_a_stream_that_ends_between_or_within_messages(desk: Desktop, editor: Application) -> None:
    """What was said up to then is whole and reconciles; nothing hangs."""
    with observer(desk.env, _rules()) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        desk.move(*editor.point(100, 100))
        for _ in range(20):
            desk.button(1)
        child.hear(1.0)
        child.process.send_signal(signal.SIGKILL)
        while not child.ended:
            child.hear(5.0)
        assert child.process.wait(5) == -signal.SIGKILL
        desk.button(1)  # the server is none the worse
        subprocess.run([program("xprop"), "-root", "_NET_ACTIVE_WINDOW"], env=desk.env, check=True, capture_output=True)
