"""The demo's desktop for live tests: a display, a session with accessibility, openbox, real applications; and raw hands on it.

A missing program is a failure, never a skip.
"""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from Xlib import XK, X
from Xlib.ext import xtest
from Xlib.protocol.event import ClientMessage

from agent.demo.display import open_display
from agent.demo.session import start_panel, start_window_manager
from agent.demo.stage import Stage, stage
from agent.demo.wait import until
from agent.demo.windows import active_window
from agent.retrying import gone


def program(name: str) -> str:
    """The path of a program that must be there."""
    path = shutil.which(name)
    if path is None:
        raise AssertionError(f"{name} is missing; `./dev test` installs it")
    return os.path.realpath(path)


def kill_server(on: Stage) -> None:
    """End the X server of a stage as a crash would."""
    (server,) = [one for one in on.children.alive() if one.name() == "Xvfb"]
    server.kill()
    psutil.wait_procs([server], timeout=10)


@contextlib.contextmanager
def dead_server(on: Stage) -> Iterator[None]:
    """The X server of a stage is killed; as long as the context lasts its number stays free, whoever else starts one here."""
    path = f"/tmp/.X11-unix/X{on.desktop['DISPLAY'].removeprefix(':')}"
    kill_server(on)
    with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        abstract.bind(f"\0{path}")  # taken, and nobody listens
        Path(path).unlink(missing_ok=True)
        named.bind(path)
        yield
    Path(path).unlink()


def restart_server(on: Stage) -> Stage:
    """Start an X server in the place of one that was killed, as a login manager would: same number, same cookie, a new session on it."""
    number, cookie = on.desktop["DISPLAY"], on.desktop["XAUTHORITY"]
    size = f"{on.screen.width}x{on.screen.height}x24"
    argv = [program("Xvfb"), number, "-screen", "0", size, "-nolisten", "tcp", "-auth", cookie, "-noreset"]
    on.children.start(argv, on.desktop, name="xvfb-again")
    until(lambda: not gone(on.desktop), "the start of another X server")
    display = open_display(on.desktop)
    start_window_manager(on.children, on.desktop, display)
    start_panel(on.children, on.desktop, on.bus)
    return replace(on, display=display)


@dataclass
class Desktop:
    """A running desktop.

    Attributes:
        stage: What it is made of.
        env: The environment that leads to it.
        display: A connection of the test's own.
    """

    stage: Stage
    env: dict[str, str]
    display: Any

    def start(self, *argv: str) -> "Application":
        """Start an application, and wait until its window is in front."""
        process = self.stage.children.start([program(argv[0]), *argv[1:]], self.env, name=argv[0])
        return Application(self, process, self.stage.window_of(process).window_id).in_front()

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
        if active_window(desktop.display) != self.window:
            window = desktop.display.create_resource_object("window", self.window)
            atom = desktop.display.intern_atom("_NET_ACTIVE_WINDOW")
            message = ClientMessage(window=window, client_type=atom, data=(32, [2, X.CurrentTime, 0, 0, 0]))
            mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
            desktop.display.screen().root.send_event(message, event_mask=mask)
            desktop.display.sync()
        until(lambda: active_window(desktop.display) == self.window, "the window to come to the front")
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


@contextlib.contextmanager
def desktop(*, accessibility: bool = True) -> Iterator[Desktop]:
    """A desktop with nothing on it but a window manager; without accessibility, also without a way to the message bus."""
    with stage(panel=False) as made:
        env = dict(made.desktop)
        if not accessibility:
            del env["DBUS_SESSION_BUS_ADDRESS"]
            elsewhere = made.root / "elsewhere"
            elsewhere.mkdir(mode=0o700)
            env |= {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none", "XDG_RUNTIME_DIR": str(elsewhere)}
        yield Desktop(made, env, made.display)
