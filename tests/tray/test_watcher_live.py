"""A tray that lies, forgets or goes: the indicator believes only what it can check."""

import subprocess
from collections.abc import Iterator

import pytest

from agent.demo.wait import until
from agent.messages import Appear
from consent.vocabulary import State
from tests.tray.daemon import Daemon, appear
from tests.tray.stage import Stage
from tests.tray.watcher import Watcher

pytestmark = pytest.mark.live
ON = appear(State.CONSENTED, recorded=True)


@pytest.fixture
def watcher(stage: Stage) -> Iterator[Watcher]:
    """A tray that lists the icon and never draws it by itself."""
    watcher = Watcher(stage.env["DBUS_SESSION_BUS_ADDRESS"])
    yield watcher
    watcher.close()
    until(lambda: not stage.watcher(), "the end of the tray")


@pytest.fixture
def tray(stage: Stage, watcher: Watcher, daemon: Daemon) -> Iterator[subprocess.Popen[bytes]]:
    """An icon in that tray."""
    tray = stage.start_tray(daemon.path)
    daemon.attached("tray")
    yield tray
    tray.kill()
    tray.wait()


def shown_and_drawn(daemon: Daemon, watcher: Watcher, message: Appear) -> None:
    """The daemon shows, the icon has heard it, the host draws it."""
    daemon.show(message)
    words = "Recording" if message.recorded else "not recorded"
    until(lambda: words in watcher.headline(), words)
    watcher.draw()


def test_a_tray_that_lists_but_never_draws_is_no_proof(tray: subprocess.Popen[bytes], daemon: Daemon) -> None:
    """The state that was exported must have been fetched; a badge shows it instead."""
    daemon.show(ON)
    assert not daemon.challenge().visible
    daemon.attached("badge")


def test_a_picture_from_before_the_change_is_no_proof(tray: subprocess.Popen[bytes], watcher: Watcher, daemon: Daemon) -> None:
    """Recording may not be proven by a tray that still shows the ring of before."""
    shown_and_drawn(daemon, watcher, appear(State.CONSENTED))
    assert daemon.challenge().visible
    daemon.show(ON)
    assert not daemon.challenge().visible


def test_a_tray_that_drops_the_icon_gets_a_badge_at_once(tray: subprocess.Popen[bytes], watcher: Watcher, daemon: Daemon) -> None:
    """Without waiting for the next challenge, as soon as the watcher says so."""
    watcher.lists = False
    watcher.tell("StatusNotifierItemUnregistered", "whatever")
    daemon.attached("badge")


def test_a_tray_without_a_host_gets_a_badge_and_a_host_gets_the_icon(
    tray: subprocess.Popen[bytes], watcher: Watcher, daemon: Daemon
) -> None:
    """The watcher may outlive its host; when a host returns, so does the icon."""
    watcher.hosts = False
    watcher.tell("StatusNotifierHostUnregistered")
    daemon.attached("badge")
    watcher.hosts = True
    watcher.tell("StatusNotifierHostRegistered")
    daemon.attached("tray")
    shown_and_drawn(daemon, watcher, ON)
    assert daemon.challenge().visible


def test_a_host_that_was_only_slow_gets_the_icon_back(tray: subprocess.Popen[bytes], watcher: Watcher, daemon: Daemon) -> None:
    """It missed one challenge and draws again later: the badge goes, the icon returns."""
    daemon.show(ON)
    assert not daemon.challenge().visible
    daemon.attached("badge")
    watcher.draw()
    daemon.attached("tray")


def test_a_signal_alone_changes_nothing(tray: subprocess.Popen[bytes], watcher: Watcher, daemon: Daemon) -> None:
    """Whoever says that the icon is gone is checked against the list before it is believed."""
    watcher.tell("StatusNotifierItemUnregistered", "whatever")
    shown_and_drawn(daemon, watcher, ON)
    assert daemon.challenge().visible
    assert daemon.attach is not None
    assert daemon.attach.form == "tray"
