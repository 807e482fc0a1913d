"""A desktop of the test's own: Xvfb, a session bus, openbox and, on request, a real xfce4-panel; and the tray as a real process."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.live.panel import panel_config

ROOT = Path(__file__).parents[2]
_TRAY = """
import sys
sys.path.insert(0, sys.argv[1])
from agent.tray.start import run
sys.exit(run(sys.argv[2]))
"""


def until(true: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    """Waits until it is true; fails the test if it does not become so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)


class Stage:
    """The desktop. Everything that was started on it is ended with it."""

    def __init__(self, home: Path, *, dark: bool = True) -> None:
        self.home = home
        self._running: list[subprocess.Popen[bytes]] = []
        self.env = panel_config(home, dark=dark)
        self.env["DISPLAY"] = self._start_display()
        self.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={home}/bus"
        self.start("dbus-daemon", "--session", "--nofork", f"--address={self.env['DBUS_SESSION_BUS_ADDRESS']}")
        until((home / "bus").exists, "the session bus")
        self.start("openbox")
        self.panel: subprocess.Popen[bytes] | None = None

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """Starts a program on this desktop."""
        with (self.home / "output").open("ab") as output:
            process = subprocess.Popen(command, env={**self.env, **more}, stdout=output, stderr=output)
        self._running.append(process)
        return process

    def start_panel(self) -> None:
        """Starts the panel and waits until its tray is there."""
        self.panel = self.start("xfce4-panel", "--disable-wm-check")
        until(self._has_host, "the tray")

    def kill_panel(self) -> None:
        """Ends the panel as a crash would."""
        assert self.panel is not None
        self.panel.kill()
        self.panel.wait()

    def start_tray(self, socket_path: Path, **more: str) -> subprocess.Popen[bytes]:
        """Starts the indicator as the daemon does."""
        return self.start(sys.executable, "-I", "-c", _TRAY, str(ROOT), str(socket_path), **more)

    def bus(self) -> DBusConnection:
        """A connection of the test's own to the session bus."""
        return open_dbus_connection(self.env["DBUS_SESSION_BUS_ADDRESS"])

    def screenshot(self, path: Path) -> None:
        """The whole screen, as PNG."""
        subprocess.run(["import", "-window", "root", str(path)], env=self.env, check=True)

    def end(self) -> None:
        """Ends everything, youngest first."""
        for process in reversed(self._running):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def _start_display(self) -> str:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x500x24", "-nolisten", "tcp", "-noreset"]
        with (self.home / "output").open("ab") as output:
            self._running.append(subprocess.Popen(command, pass_fds=[writing], stdout=output, stderr=output))
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], 10)
        assert ready, "Xvfb did not start"
        with os.fdopen(reading) as numbers:
            return f":{numbers.readline().strip()}"

    def _has_host(self) -> bool:
        return bool(self.watcher().get("IsStatusNotifierHostRegistered", ("b", False))[1])

    def watcher(self) -> dict[str, tuple[str, object]]:
        """The properties of the tray's watcher; empty if there is none."""
        name = "org.kde.StatusNotifierWatcher"
        address = DBusAddress("/StatusNotifierWatcher", name, "org.freedesktop.DBus.Properties")
        with self.bus() as bus:
            reply = bus.send_and_get_reply(new_method_call(address, "GetAll", "s", (name,)), timeout=5)
        return reply.body[0] if reply.header.message_type is MessageType.method_return else {}
