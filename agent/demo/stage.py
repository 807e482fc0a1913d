"""A private desktop for the demo: display, session bus, window manager, panel, folders; gone without a trace at the end.

Nothing of the person's own session is used: the environment of every process is made here, from nothing.
Refuses to start halfway: what is missing is named in one line, and what was already started is ended.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from Xlib.display import Display
from Xlib.error import ConnectionClosedError

from agent.demo.children import Children, find
from agent.demo.display import open_display, start_display
from agent.demo.programs import Program
from agent.demo.session import start_accessibility, start_bus, start_panel, start_window_manager, wait_for_bus
from agent.demo.wait import until
from agent.demo.windows import Place, find_window

_APPLICATIONS_SETTINGS = """\
[org/xfce/mousepad/preferences/file]
autosave-timer=uint32 0
session-restore='never'
"""


@dataclass(frozen=True, slots=True)
class Screen:
    """The size of the private screen, in physical pixels."""

    width: int = 1280
    height: int = 800


@dataclass(frozen=True, slots=True)
class Stage:
    """A running private desktop.

    Attributes:
        root: The one folder (0700) that holds everything.
        runtime: The XDG runtime folder in it: sockets.
        screen: Its size.
        display: A connection to its display.
        bus: The address of its D-Bus session.
        children: Its processes.
        desktop: The environment that applications get.
    """

    root: Path
    runtime: Path
    screen: Screen
    display: Display
    bus: str
    children: Children
    desktop: Mapping[str, str]

    def env(self, name: str) -> dict[str, str]:
        """An environment on this desktop with home, XDG and temporary folders of its own, under `root/name`."""
        return {**self.desktop, **own_folders(self.root / name)}

    def start(self, program: Program, arguments: Sequence[str] = (), *, name: str, silent: bool = False) -> Popen[bytes]:
        """Start an application on this desktop; `silent` throws away what it prints."""
        return self.children.start([find(program), *arguments], self.desktop, name=name, silent=silent)

    def window_of(self, child: Popen[bytes]) -> Place:
        """The window of an application, as soon as it is mapped and managed."""
        return until(lambda: find_window(self.display, child.pid), "the appearance of a window")


def own_folders(folder: Path) -> dict[str, str]:
    """Make a home of its own (0700), and return the variables that lead to it."""
    made = {}
    names = {
        "HOME": "home",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
        "TMPDIR": "tmp",
    }
    for variable, name in names.items():
        path = folder / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        made[variable] = str(path)
    return made


@contextmanager
def stage(screen: Screen | None = None, *, panel: bool = True, keep: Path | None = None) -> Iterator[Stage]:
    """A private desktop for as long as the context lasts; with `keep`, its folder is moved there at the end.

    Raises:
        ProgramMissing: A program or the accessibility bus is not installed.
        NotInTime: Something was started and did not come up.
    """
    chosen = screen if screen is not None else Screen()
    with ExitStack() as stack:
        root = stack.enter_context(_folder(keep))
        children = Children(secrets.token_hex(16), root / "logs")
        stack.callback(children.end)
        runtime = root / "run"
        env = {**_base(runtime), **own_folders(root / "desktop")}
        _settle_applications(Path(env["XDG_CONFIG_HOME"]))
        env |= start_display(children, env, root, chosen.width, chosen.height)
        display = open_display(env)
        stack.callback(_hang_up, display)
        bus = start_bus(children, env, runtime)
        env |= dict.fromkeys(("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"), bus)  # this machine's locks and batteries are not its
        wait_for_bus(bus)
        start_accessibility(bus)
        start_window_manager(children, env, display)
        if panel:
            start_panel(children, env, bus)
        yield Stage(root, runtime, chosen, display, bus, children, env)


def _settle_applications(config: Path) -> None:
    """Tell the applications on this desktop not to save by themselves: an editor's own copy of what is typed into it is not ours."""
    path = config / "glib-2.0" / "settings" / "keyfile"
    path.parent.mkdir(parents=True)
    path.write_text(_APPLICATIONS_SETTINGS)


def _hang_up(display: Display) -> None:
    with suppress(ConnectionClosedError):  # the server may have died; that is told of where it matters
        display.close()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="volens-demo-"))  # 0700 by itself
    try:
        for name in ("logs", "run"):
            (root / name).mkdir(mode=0o700)
        yield root
    finally:
        shutil.rmtree(root / "run", ignore_errors=True)  # sockets cannot be moved, and mean nothing any more
        if keep is not None:
            shutil.move(root, keep)
        else:
            shutil.rmtree(root, ignore_errors=True)


def _base(runtime: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "SHELL": "/bin/sh",
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_SESSION_TYPE": "x11",
        "GDK_BACKEND": "x11",
        "GIO_USE_VFS": "local",  # no file daemons on the private bus
        "GSETTINGS_BACKEND": "keyfile",
        "NO_AT_BRIDGE": "0",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",  # a keyring of the machine would ask for its password in a window
    }
