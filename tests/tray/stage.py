"""The demo's private desktop, with a panel only on request; and the tray on it, as the daemon starts it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from agent.demo.session import WATCHER, start_panel
from agent.demo.stage import Screen
from agent.demo.stage import Stage as Desktop
from agent.demo.stage import stage as desktop

ROOT = Path(__file__).parents[2]
SCREEN = Screen(1024, 500)
_TRAY = """
import sys
sys.path.insert(0, sys.argv[1])
from agent.tray.start import run
sys.exit(run(sys.argv[2]))
"""


class Stage:
    """The desktop, and what these tests do on it."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self.root = desktop.root
        self.env = dict(desktop.desktop)
        self.panel: subprocess.Popen[bytes] | None = None

    def start_panel(self) -> None:
        """Starts the panel and waits until its tray is there."""
        self.panel = start_panel(self._desktop.children, self.env, self._desktop.bus)

    def kill_panel(self) -> None:
        """Ends the panel as a crash would."""
        assert self.panel is not None
        self.panel.kill()
        self.panel.wait()

    def start_tray(self, socket_path: Path, **more: str) -> subprocess.Popen[bytes]:
        """Starts the indicator as the daemon does."""
        command = [sys.executable, "-I", "-c", _TRAY, str(ROOT), str(socket_path)]
        return self._desktop.children.start(command, self.env | more, name="tray")

    def tray_said(self) -> list[str]:
        """The lines that all trays of this desktop have printed."""
        return (self._desktop.children.logs / "tray.log").read_text().splitlines()

    def bus(self) -> DBusConnection:
        """A connection of the test's own to the session bus."""
        return open_dbus_connection(self._desktop.bus)

    def screenshot(self, path: Path) -> None:
        """The whole screen, as PNG."""
        subprocess.run([sys.executable, "-m", "mss", "--quiet", "--monitor", "0", "--output", str(path)], env=self.env, check=True)

    def watcher(self) -> dict[str, tuple[str, object]]:
        """The properties of the tray's watcher; empty if there is none."""
        address = DBusAddress(WATCHER.object_path, WATCHER.bus_name, "org.freedesktop.DBus.Properties")
        with self.bus() as bus:
            reply = bus.send_and_get_reply(new_method_call(address, "GetAll", "s", (WATCHER.interface,)), timeout=5)
        return reply.body[0] if reply.header.message_type is MessageType.method_return else {}


@contextmanager
def stage() -> Iterator[Stage]:
    """A desktop without a panel, for as long as the block lasts."""
    with desktop(SCREEN, panel=False) as started:
        yield Stage(started)
