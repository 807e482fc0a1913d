"""Every back end keeps the same contract: Linux under X11 with a real editor, a recorded trace, and none at all."""

import gc
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from Xlib import X, ext
from Xlib.ext import xtest

from agent import clock
from agent.demo.canaries import RANDOM_BYTES, Canary, make
from agent.demo.clock import elapsed_s
from agent.demo.wait import until
from bench.schedule import _PASSWORD
from collectors.backends.linux_x11 import LinuxX11
from collectors.backends.replay import Replay
from collectors.backends.unavailable import Unavailable
from collectors.collector import Collector
from collectors.errors import NotObservableError
from collectors.paths import SPACING_MS
from collectors.pipe import Grant, SurfaceRule, encode
from collectors.trace import Buttoned, Keyed, Moved
from consent.frames import frame
from consent.vocabulary import KEY_KINDS, Kind, SurfaceId
from tests import replayed
from tests.collectors.child import observer
from tests.collectors.contract import ACTS, Bed, CannotHook, Contract, GoesAway, Watch, Work
from tests.consent_live.hooks import Hooks
from tests.live.accessible import MENU_BAR, SELECTED, SHOWING, Tree
from tests.live.desktop import Application, Desktop, desktop, kill_server, program


class Trace(Bed):
    """A recorded trace; its clock is its own."""

    def __init__(self) -> None:
        self._trace = replayed.trace("typing")
        self.rules = tuple(SurfaceRule(surface, (f"/usr/bin/{surface}",), False) for surface in self._trace.surfaces)

    def collector(self) -> Collector:
        return Replay(self._trace, clock.read, None)

    def hooks(self) -> int:
        return 0

    def work(self, turn: Callable[[], None]) -> Work:
        keys = sum(isinstance(word, Keyed) for word in self._trace.words)
        buttons = sum(word.n if isinstance(word, Moved) else isinstance(word, Buttoned) for word in self._trace.words)
        texts = (_PASSWORD, "Quarterly revenue", "zebra-kumquat-1789", "late pallets")
        return Work(keys, buttons, tuple(Canary("typed", text) for text in texts))

    def settle(self, watch: Watch) -> None:
        """It plays when it is pumped."""

    @contextmanager
    def process(self, grant: Grant) -> Iterator[int]:
        reading, writing = os.pipe()
        argv = [*replayed.COMMAND, str(writing), str(replayed.TRACES / "typing.trace")]
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, pass_fds=(writing,))
        os.close(writing)
        assert child.stdin is not None
        child.stdin.write(frame(encode(grant)))
        child.stdin.flush()
        assert os.read(reading, 65536)
        yield child.pid
        child.kill()
        child.communicate()
        os.close(reading)


class X11(Bed):
    """A private desktop with an editor, which is granted."""

    acts = ACTS | {Kind.POINTER_PATH, Kind.ELEMENT, Kind.CLIPBOARD}

    def __init__(self, desk: Desktop, editor: Application) -> None:
        self._desk, self._editor = desk, editor
        self.rules = (SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False),)
        self._hooks = Hooks(desk.stage)
        self.read = clock.read

    def collector(self) -> Collector:
        gc.collect()  # the one before has no end but that of its process, or this
        return LinuxX11(clock.read)

    def hooks(self) -> int:
        gc.collect()
        return self._hooks.count()

    def settle(self, watch: Watch) -> None:
        while not any(event.kind in KEY_KINDS for event in watch.events):
            self._desk.key("Escape")
            watch.lull()

    def work(self, turn: Callable[[], None]) -> Work:
        desk, canary = self._desk, make("typed", secrets.token_bytes(RANDOM_BYTES))
        desk.move(*self._editor.point(120, 90 + int(elapsed_s()) % 50))
        desk.button(1)
        desk.button(5)
        turn()
        desk.key("Return")
        desk.key("Control_L", "a")
        for character in canary.text:
            desk.key(character)
            turn()
        codes = {character: desk.keycode(character) for character in "abcdefghijklmnopqrstuvwxyz0123456789"}
        return Work(2 + 4 + 2 * len(canary.text), 1 + 2 + 2, (canary,), codes)

    def act(self, watch: Watch) -> int:
        return self._drag(watch) + self._choose(watch) + self._copy(watch)

    def _drag(self, watch: Watch) -> int:
        """From one place of the text to another, in five moves."""
        display, places = self._desk.display, [self._editor.point(60 + 30 * step, 120) for step in range(6)]
        self._desk.move(*places[0])
        xtest.fake_input(display, X.ButtonPress, 1)
        for x, y in places[1:]:
            xtest.fake_input(display, X.MotionNotify, x=x, y=y, time=SPACING_MS + 2)
        xtest.fake_input(display, X.ButtonRelease, 1)
        display.sync()
        watch.until(lambda: any(event.kind is Kind.POINTER_PATH for event in watch.events))
        return 1 + 1 + 5 + 1

    def _choose(self, watch: Watch) -> int:
        """The first item of a menu, by Enter: it may be chosen once the observer knows that it is highlighted."""
        tree = Tree(self._desk.env)
        try:
            root = until(lambda: tree.application(self._editor.process.pid), "the accessibility of the editor")
            menu = next(one for one in next(root.all(MENU_BAR)).children if one.label == "Document")
            item = menu.children[0]
            self._desk.move(*menu.middle)
            self._desk.button(1)
            watch.until(lambda: item.has(SHOWING))
            self._desk.key("Down")
            watch.until(lambda: item.has(SELECTED) and watch.shaper.elements.highlighted(self.read().awake_ms))
        finally:
            tree.close()
        self._desk.key("Return")
        watch.until(lambda: any(event.kind is Kind.ELEMENT for event in watch.events))
        return 1 + 2 + 2 + 2

    def _copy(self, watch: Watch) -> int:
        """All of the text: what was typed."""
        self._desk.key("Control_L", "a")
        self._desk.key("Control_L", "c")
        watch.until(lambda: any(event.kind is Kind.CLIPBOARD for event in watch.events))
        return 4 + 4

    @contextmanager
    def process(self, grant: Grant) -> Iterator[int]:
        with observer(self._desk.env, grant.surfaces, grant.kinds) as child:
            assert self.hooks() >= 1
            yield child.process.pid

    def go_away(self) -> None:
        kill_server(self._desk.stage)


class TestUnavailable(CannotHook):
    @pytest.fixture
    def collector(self) -> Collector:
        return Unavailable(NotObservableError("this is a Wayland session: input cannot be seen there, by design; choose an X11 session"))


class TestReplay(Contract):
    @pytest.fixture
    def bed(self) -> Bed:
        return Trace()


@pytest.fixture(scope="module")
def editor_under_x11() -> Iterator[Bed]:
    extensions = ext.__extensions__
    with desktop() as desk, pytest.MonkeyPatch.context() as patch:
        for name in ("DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME"):
            patch.setenv(name, desk.env[name])
        yield X11(desk, desk.start("mousepad", "--disable-server"))
    ext.__extensions__ = extensions  # the back end's connections load only what it uses


@pytest.mark.live
class TestLinuxX11(GoesAway, Contract):
    @pytest.fixture
    def bed(self, editor_under_x11: Bed) -> Bed:
        return editor_under_x11
