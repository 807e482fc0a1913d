"""A real desktop for live tests: Xvfb on a free display, a D-Bus session with accessibility, openbox, real applications.

Plain context managers; everything that was started is ended, newest first. A missing program is a failure, never a skip.
"""

import contextlib
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

PATIENCE_S = 20.0
"""How long anything may take to start on a busy machine. Nothing is waited for that long unless it is broken."""

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """The first true answer of `condition`; fails with `what` when none comes."""
    deadline = time.monotonic() + patience_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")
        time.sleep(0.01)
    return answer


def program(name: str) -> str:
    """The path of a program that must be there."""
    path = shutil.which(name)
    if path is None:
        raise AssertionError(f"{name} is missing; `./dev test` installs it")
    return os.path.realpath(path)


@contextlib.contextmanager
def running(argv: Sequence[str], env: Mapping[str, str], **more: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A program, for as long as the block lasts."""
    more = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
    process = subprocess.Popen([program(argv[0]), *argv[1:]], env=dict(env), start_new_session=True, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def x_server(env: Mapping[str, str], size: str = "1280x800x24") -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """An X server of its own: its display name and its process."""
    reading, writing = os.pipe()
    argv = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    with running(argv, env, pass_fds=[writing]) as server:
        os.close(writing)
        said = b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([reading], [], [], PATIENCE_S)
            part = os.read(reading, 16) if ready else b""
            assert part, "Xvfb did not start"
            said += part
        os.close(reading)
        yield f":{said.decode().strip()}", server


@dataclass
class Desktop:
    """A running desktop.

    Attributes:
        env: The environment that leads to it.
        display: A connection of the test's own.
        server: The X server's process, to be killed by tests about that.
    """

    env: dict[str, str]
    display: Any
    server: "subprocess.Popen[bytes]"
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self, *argv: str) -> "Application":
        """Start an application, and wait until its window is in front."""
        process = self.stack.enter_context(running(argv, self.env))
        return Application(self, process, until(lambda: self.window_of(process.pid), f"the window of {argv[0]}")).in_front()

    def windows(self) -> list[int]:
        """The managed windows, by X id."""
        said = self.display.screen().root.get_full_property(self.display.intern_atom("_NET_CLIENT_LIST"), X.AnyPropertyType)
        return [int(xid) for xid in said.value] if said is not None else []

    def active(self) -> int:
        """The X id of the window in front; 0 if there is none."""
        said = self.display.screen().root.get_full_property(self.display.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
        return int(said.value[0]) if said is not None and len(said.value) else 0

    def window_of(self, pid: int) -> int:
        """The newest window of a process; 0 if it has none yet."""
        atom = self.display.intern_atom("_NET_WM_PID")
        for xid in reversed(self.windows()):
            with contextlib.suppress(Exception):  # it may be gone already
                said = self.display.create_resource_object("window", xid).get_full_property(atom, X.AnyPropertyType)
                if said is not None and said.value[0] == pid:
                    return xid
        return 0

    # --- the hands -----------------------------------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Put the pointer at a point of the screen: one raw input."""
        xtest.fake_input(self.display, X.MotionNotify, x=x, y=y)
        self.display.sync()

    def button(self, number: int, times: int = 1) -> None:
        """Press and release a button: two raw inputs each time."""
        for _ in range(times):
            xtest.fake_input(self.display, X.ButtonPress, number)
            xtest.fake_input(self.display, X.ButtonRelease, number)
        self.display.sync()

    def keycode(self, keysym: str) -> int:
        """The key that makes this in the layout of now."""
        code = self.display.keysym_to_keycode(XK.string_to_keysym(keysym))
        assert code, f"no key makes {keysym}"
        return int(code)

    def key(self, *keysyms: str) -> None:
        """Hold all but the last, press the last, release all: two raw inputs for each."""
        self.keycodes(*(self.keycode(keysym) for keysym in keysyms))

    def keycodes(self, *codes: int) -> None:
        """The same with keycodes, whatever they mean."""
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()

    def type(self, text: str) -> None:
        """Small letters and digits: two raw inputs each."""
        for character in text:
            self.key(character)

    def layout(self, name: str) -> None:
        """Choose a keyboard layout, as a person would in mid-work."""
        subprocess.run([program("setxkbmap"), name], env=self.env, check=True)
        self.display.sync()
        while self.display.pending_events():
            event = self.display.next_event()
            if event.type == X.MappingNotify:
                self.display.refresh_keyboard_mapping(event)


@dataclass
class Application:
    """A running application with one window."""

    desktop: Desktop
    process: "subprocess.Popen[bytes]"
    window: int

    def in_front(self) -> "Application":
        """Bring it to the front and wait until it is."""
        desktop = self.desktop
        if desktop.active() != self.window:
            from Xlib.protocol.event import ClientMessage

            window = desktop.display.create_resource_object("window", self.window)
            atom = desktop.display.intern_atom("_NET_ACTIVE_WINDOW")
            message = ClientMessage(window=window, client_type=atom, data=(32, [2, X.CurrentTime, 0, 0, 0]))
            mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
            desktop.display.screen().root.send_event(message, event_mask=mask)
            desktop.display.sync()
        until(lambda: desktop.active() == self.window, "the window to come to the front")
        return self

    def corner(self) -> tuple[int, int]:
        """Where its window is on the screen."""
        window = self.desktop.display.create_resource_object("window", self.window)
        at = self.desktop.display.screen().root.translate_coords(window, 0, 0)
        return at.x, at.y

    def point(self, x: int, y: int) -> tuple[int, int]:
        """A point of its window, on the screen."""
        left, top = self.corner()
        return left + x, top + y


def _hang_up(display: Any) -> None:
    with contextlib.suppress(Exception):  # a test may have killed the server
        display.close()


@contextlib.contextmanager
def desktop(*, accessibility: bool = True) -> Iterator[Desktop]:
    """A desktop with nothing on it but a window manager."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desktop-")))
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700)
        env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "GSETTINGS_BACKEND": "memory",
        }
        name, server = stack.enter_context(x_server(env))
        env["DISPLAY"] = name
        if accessibility:
            bus = runtime / "session"
            env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
            stack.enter_context(running(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={bus}"], env))
            until(bus.exists, "the D-Bus session")
        else:
            env |= {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none"}
        stack.enter_context(running(["openbox", "--sm-disable"], env))
        display = Display(name)
        stack.callback(_hang_up, display)
        atom = display.intern_atom("_NET_SUPPORTING_WM_CHECK")
        until(lambda: display.screen().root.get_full_property(atom, X.AnyPropertyType), "the window manager")
        whole = Desktop(env, display, server)
        with whole.stack:
            yield whole
