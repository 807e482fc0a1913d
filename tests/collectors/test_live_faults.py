"""Live: what can be wrong with the accessibility service is told apart, refuses keys and elements, and is over when its cause is."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.wait import until
from collectors.backends.atspi_service import BUS_PROPERTY
from collectors.pipe import SurfaceRule
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.collectors.test_live_input import ready
from tests.live.accessible import Tree
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
STRING, REPLACE, BITS = 31, 0, 8
RULES = [SurfaceRule(SurfaceId("mousepad"), (program("mousepad"),), False)]


@pytest.fixture
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture
def editor(desk: Desktop) -> Application:
    """In front, and in the registry: a registry that is started while the screen says something wrong never answers."""
    app, tree = desk.start("mousepad", "--disable-server"), Tree(desk.env)
    until(lambda: tree.application(app.process.pid), "the editor's accessibility")
    tree.close()
    return app


def _property(desk: Desktop, value: str | None) -> None:
    """Say on the screen where accessibility is."""
    root, atom = desk.display.screen().root, desk.display.intern_atom(BUS_PROPERTY)
    if value is None:
        root.delete_property(atom)
    else:
        root.change_property(atom, STRING, BITS, value.encode(), REPLACE)
    desk.display.sync()


def _until(child: Child, words: str) -> None:
    """Until the states of keys and elements say this, or are live."""

    def said() -> bool:
        states = [child.states[kind] for kind in (Kind.KEY_NAMED, Kind.TYPING_BURST, Kind.ELEMENT)]
        return all(words in state.why and state.state == ("degraded" if words else "live") for state in states) and (
            bool(words) or not any(state.why for state in states)
        )

    child.until(said, words or "live collectors")


def _refuses(desk: Desktop, child: Child) -> None:
    """A menu is opened and something chosen in it by Enter: no key, no element."""
    child.lull(1.2)
    child.clear()
    for key in ("F10", "Down", "Return"):
        desk.key(key)
        child.lull(0.1)
    desk.type("ab")
    child.until_seen(10)
    assert child.of(Kind.ELEMENT, Kind.KEY_NAMED, Kind.TYPING_BURST) == []
    assert child.dropped == {Why.ROLE_UNKNOWN: 10}


def _processes(desk: Desktop, name: str) -> list[int]:
    """Processes of this desktop whose command line holds this."""
    mine = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if desk.env["HOME"].encode() in environment and name.encode() in command:
            mine.append(int(folder.name))
    return mine


def test_a_stale_property_of_the_screen_is_told_and_over_when_it_is_gone(desk: Desktop, editor: Application) -> None:
    """Before the observer starts, and in mid-run. Toolkits that read it would say nothing, and no error would, either."""
    _property(desk, "unix:path=/run/user/1000/at-spi/bus_0,guid=0123456789abcdef0123456789abcdef")
    with observer(desk.env, RULES) as child:
        _until(child, "a stale AT_SPI_BUS")
        assert child.states[Kind.POINTER_BUTTON].state == "live"
        _refuses(desk, child)
        desk.key("Escape")
        _property(desk, None)
        _until(child, "")
        editor.in_front()
        ready(desk, child)
        _property(desk, "unix:abstract=/elsewhere")
        _until(child, "a stale AT_SPI_BUS")
        _property(desk, None)
        _until(child, "")


def test_a_registry_that_dies_is_told_and_comes_back(desk: Desktop, editor: Application) -> None:
    """The bus starts another one as soon as it is asked."""
    with observer(desk.env, RULES) as child:
        _until(child, "")
        ready(desk, child)
        for pid in _processes(desk, "at-spi2-registryd"):
            os.kill(pid, signal.SIGKILL)
        _until(child, "the accessibility registry ended")
        _until(child, "")
        editor.in_front()
        ready(desk, child)


@pytest.mark.soak
def test_a_registry_that_does_not_answer_is_told(desk: Desktop, editor: Application) -> None:
    """It is there and stands still: not live, not gone."""
    with observer(desk.env, RULES) as child:  # the registry is started by the first who asks
        _until(child, "")
        stopped = _processes(desk, "at-spi2-registryd")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    with observer(desk.env, RULES) as child:
        _until(child, "the accessibility registry does not answer")
        _refuses(desk, child)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        _until(child, "")
        editor.in_front()


@pytest.mark.soak
def test_a_bus_that_dies_is_told_and_an_application_that_starts_after_it_came_back_is_heard(desk: Desktop, editor: Application) -> None:
    """Those that were there before do not look for it again: their keys stay refused."""
    with observer(desk.env, RULES) as child:
        _until(child, "")
        ready(desk, child)
        for pid in _processes(desk, "at-spi-bus-launcher") + _processes(desk, "accessibility.conf"):
            os.kill(pid, signal.SIGKILL)
        _until(child, "the accessibility service ended")
        child.lull(0.5)
        _until(child, "")
        _refuses(desk, child)
        desk.start("mousepad", "--disable-server")
        ready(desk, child)
