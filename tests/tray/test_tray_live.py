"""The icon in a real panel: what a person sees and clicks, and what it answers when challenged."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, Message, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection
from PIL import Image
from Xlib import X

from agent.demo.code import on_screen, shown
from agent.demo.display import open_display
from agent.demo.wait import until
from agent.messages import Appear, Done, Pause, Refused, Replaced, Resume, Withdraw
from agent.tray.card import NAME
from agent.tray.look import CODE_IS_SHOWN
from consent.vocabulary import State
from tests.tray.daemon import Daemon, appear
from tests.tray.stage import Stage

pytestmark = pytest.mark.live
ITEM, MENU = "org.kde.StatusNotifierItem", "com.canonical.dbusmenu"
SIX = [
    appear(State.CONSENTED, recorded=True),
    appear(State.CONSENTED),
    appear(State.PAUSED, pause_left_s=1700),
    appear(State.EXEMPT),
    appear(State.UNASKED),
    appear(State.BLOCKED),
]


class Tray:
    """One indicator process, and what a tray host can ask it."""

    def __init__(self, stage: Stage, daemon: Daemon) -> None:
        self.process = stage.start_tray(daemon.path)
        self.bus: DBusConnection = stage.bus()
        self.name = f"org.kde.StatusNotifierItem-{self.process.pid}-1"

    def call(self, path: str, interface: str, member: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """One call as a host makes it."""
        message = new_method_call(DBusAddress(path, self.name, interface), member, signature, body)
        reply: Message = self.bus.send_and_get_reply(message, timeout=5)
        assert reply.header.message_type is MessageType.method_return, reply.body
        return tuple(reply.body)

    def pixmaps(self) -> Any:
        """The picture that a host gets."""
        return self.call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get", "ss", (ITEM, "IconPixmap"))[0][1]

    def menu(self) -> str:
        """The menu's layout, as text."""
        return repr(self.call("/MenuBar", MENU, "GetLayout", "iias", (0, -1, [])))

    def shows(self, daemon: Daemon, message: Appear) -> None:
        """Shows, and waits until the panel has the picture."""
        daemon.show(message)
        assert daemon.challenge().visible


@pytest.fixture(scope="module")
def panelled(stage: Stage) -> Stage:
    """The desktop with a panel."""
    stage.start_panel()
    return stage


@pytest.fixture
def tray(panelled: Stage, daemon: Daemon) -> Iterator[Tray]:
    """An attached icon in the panel."""
    if not panelled.watcher():
        panelled.start_panel()
    tray = Tray(panelled, daemon)
    daemon.attached("tray")
    yield tray
    tray.process.send_signal(signal.SIGCONT)
    tray.process.kill()
    tray.process.wait()
    tray.bus.close()


def test_the_panel_lists_the_icon(panelled: Stage, tray: Tray) -> None:
    """A real host knows the item that the real watcher registered."""
    listed = panelled.watcher()["RegisteredStatusNotifierItems"][1]
    assert any(str(item).startswith(tray.name) for item in listed)  # type: ignore[attr-defined]


def test_nothing_is_proven_before_the_daemon_has_said_what_to_show(tray: Tray, daemon: Daemon) -> None:
    """An icon that shows "Starting" is no proof of any standing; it stays an icon, for nothing is wrong with the tray."""
    assert not daemon.challenge().visible
    tray.shows(daemon, SIX[0])


def test_every_look_reaches_the_panel_and_is_proven(panelled: Stage, tray: Tray, daemon: Daemon, tmp_path: Path) -> None:
    """Six looks, six different pictures on the screen, each answered for with the state that it shows."""
    assert daemon.attach is not None
    drawn, seen = set(), set()
    for number, message in enumerate(SIX):
        daemon.show(message)
        proven = daemon.challenge()
        assert (proven.visible, proven.showing, proven.instance) == (True, message.state, daemon.attach.instance)
        drawn.add(repr(tray.pixmaps()))
        until(lambda: _icon_on_screen(panelled, tmp_path / f"{number}.png") not in seen, "a new picture on the panel")  # noqa: B023
        seen.add(_icon_on_screen(panelled, tmp_path / f"{number}.png"))
    assert len(drawn) == len(seen) == len(SIX)


def test_the_code_is_on_the_screen_only_while_there_is_one_and_never_on_the_bus(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """Drawn on a card, gone from it with the next word of the daemon; menu and properties say only where it is."""
    for code in ("123456", "908070"):
        tray.shows(daemon, appear(State.UNASKED, code=code))
        assert on_screen(panelled.env) == code
    assert CODE_IS_SHOWN in tray.menu()
    item = tray.call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "GetAll", "s", (ITEM,))[0]
    said = repr({name: value for name, value in item.items() if name != "IconPixmap"}) + tray.menu() + _properties_of_windows(panelled.env)
    assert not re.search("908 ?070|123 ?456", said)
    tray.shows(daemon, appear(State.UNASKED))
    until(lambda: not shown(panelled.env), "the end of the card")
    assert "code" not in tray.menu()


def test_a_card_that_is_covered_comes_up_again(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """Whoever is to type the code must see it, whatever windows come."""
    tray.shows(daemon, appear(State.UNASKED, code="314159"))
    on_screen(panelled.env)
    screen = open_display(panelled.env)
    root = screen.screen().root
    cover = root.create_window(0, 0, 1000, 300, 0, screen.screen().root_depth, X.InputOutput, override_redirect=True, background_pixel=0)
    cover.map()
    screen.sync()
    try:
        until(lambda: [each.get_wm_name() for each in root.query_tree().children][-1] == NAME, "the card above the cover")
        assert on_screen(panelled.env) == "314159"
    finally:
        screen.close()


def test_where_a_screen_reader_is_on_the_menu_says_the_code(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """Pixels tell nothing to somebody who does not see: then the desktop's own setting has it written as well."""
    status = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.freedesktop.DBus.Properties")
    with panelled.bus() as bus:
        for is_on in (True, False):
            told = ("org.a11y.Status", "ScreenReaderEnabled", ("b", is_on))
            bus.send_and_get_reply(new_method_call(status, "Set", "ssv", told), timeout=10)
            tray.shows(daemon, appear(State.UNASKED, code="271828"))
            until(lambda: ("271 828" in tray.menu()) is is_on, "the menu's line")  # noqa: B023
            tray.shows(daemon, appear(State.UNASKED))


def _properties_of_windows(env: Mapping[str, str]) -> str:
    """Every property of every window at the top of that display, as text."""
    screen = open_display(env)
    try:
        windows = screen.screen().root.query_tree().children
        return repr([each.get_full_property(atom, X.AnyPropertyType) for each in windows for atom in each.list_properties()])
    finally:
        screen.close()


def test_a_click_by_event_group_pauses(tray: Tray, daemon: Daemon) -> None:
    """The request comes on a connection of its own, and the daemon's words appear in the menu."""
    tray.shows(daemon, SIX[0])
    assert tray.call("/MenuBar", MENU, "EventGroup", "a(isvu)", ([(6, "clicked", ("s", ""), 0)],)) == ([],)
    connection, asked = daemon.wait_for(Pause)
    assert asked == Pause(30)
    assert connection is not daemon.indicator
    connection.say(Done("it is paused for 30 minutes"))
    until(lambda: "it is paused for 30 minutes" in tray.menu(), "the answer")


def test_clicks_by_event_resume_and_withdraw(tray: Tray, daemon: Daemon) -> None:
    """The other two acts, by the other way to click; a refusal is said in words."""
    tray.shows(daemon, SIX[2])
    tray.call("/MenuBar", MENU, "Event", "isvu", (7, "clicked", ("s", ""), 0))
    connection, _ = daemon.wait_for(Resume)
    connection.say(Refused("nothing is paused", "see volens status"))
    until(lambda: "Not done: nothing is paused" in tray.menu(), "the refusal")
    tray.call("/MenuBar", MENU, "Event", "isvu", (10, "clicked", ("s", ""), 0))
    daemon.wait_for(Withdraw)


def test_a_daemon_that_does_not_answer_a_click_is_said(tray: Tray, daemon: Daemon) -> None:
    """The person learns what to type instead of being left with a dead menu."""
    tray.shows(daemon, SIX[0])
    tray.call("/MenuBar", MENU, "Event", "isvu", (6, "clicked", ("s", ""), 0))
    daemon.wait_for(Pause)
    until(lambda: "volens pause 30" in tray.menu(), "the advice")


def test_a_real_click_opens_the_menu_and_pauses(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """Pointer on the icon, left button, down to the first enabled item, Enter: as a person does it."""
    tray.shows(daemon, SIX[0])
    windows = _mapped(panelled)
    _do(panelled, "mousemove", "20", "487", "click", "1")
    until(lambda: _mapped(panelled) > windows, "the menu")
    _do(panelled, "key", "Down", "key", "Return")
    _, asked = daemon.wait_for(Pause)
    assert asked == Pause(30)


def test_a_stopped_icon_does_not_answer(tray: Tray, daemon: Daemon) -> None:
    """A process that hangs proves nothing: no answer within the second that the daemon waits."""
    tray.shows(daemon, SIX[0])
    tray.process.send_signal(signal.SIGSTOP)
    with pytest.raises(AssertionError, match="no Proven came"):
        daemon.challenge()


def test_a_panel_that_hangs_is_not_seen_and_the_badge_takes_over(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """The icon is still registered, but its host does not live: no proof, then a badge as a new instance."""
    tray.shows(daemon, SIX[0])
    before = daemon.attach
    wrapper = _watcher_pid(panelled)
    wrapper.stop()
    assert not daemon.challenge().visible
    badge = daemon.attached("badge")
    wrapper.go_on()
    assert before is not None
    assert badge.instance != before.instance
    daemon.show(SIX[0])
    assert daemon.challenge().visible


def test_without_a_panel_the_badge_proves_itself_until_a_panel_returns(panelled: Stage, tray: Tray, daemon: Daemon) -> None:
    """Tray, badge, tray: each a new instance on a new connection, each with its own proof."""
    tray.shows(daemon, SIX[0])
    panelled.kill_panel()
    instances = {daemon.attached("badge").instance}
    daemon.show(SIX[1])
    assert daemon.challenge().visible
    panelled.start_panel()
    instances.add(daemon.attached("tray").instance)
    tray.shows(daemon, SIX[2])
    assert len(instances) == 2


def test_the_icon_leaves_with_the_daemon(tray: Tray, daemon: Daemon) -> None:
    """No icon claims anything after its daemon is gone."""
    tray.shows(daemon, SIX[0])
    daemon.close()
    assert tray.process.wait(timeout=10) == 0


def test_the_icon_leaves_when_it_is_replaced(tray: Tray, daemon: Daemon) -> None:
    """There is one indicator, the last that attached."""
    assert daemon.indicator is not None
    daemon.indicator.say(Replaced())
    assert tray.process.wait(timeout=10) == 0


def test_a_daemon_that_talks_nonsense_is_left(tray: Tray, daemon: Daemon) -> None:
    """Nothing is guessed from a message that does not decode; the exit code says that something is wrong."""
    assert daemon.indicator is not None
    daemon.indicator.socket.sendall(b"\xff" * 8)
    assert tray.process.wait(timeout=10) == 1


class _Stoppable:
    def __init__(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)


def _watcher_pid(stage: Stage) -> _Stoppable:
    address = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    with stage.bus() as bus:
        message = new_method_call(address, "GetConnectionUnixProcessID", "s", ("org.kde.StatusNotifierWatcher",))
        return _Stoppable(bus.send_and_get_reply(message, timeout=5).body[0])


def _icon_on_screen(stage: Stage, path: Path) -> bytes:
    """The panel's corner as pixels."""
    stage.screenshot(path)
    with Image.open(path) as screen:
        return screen.convert("RGB").crop((7, 474, 7 + 26, 474 + 26)).tobytes()


def _mapped(stage: Stage) -> int:
    command = ["xdotool", "search", "--onlyvisible", "--name", ""]
    return len(subprocess.run(command, env=stage.env, capture_output=True, check=False).stdout.splitlines())


def _do(stage: Stage, *what: str) -> None:
    subprocess.run(["xdotool", *what], env=stage.env, check=True)
