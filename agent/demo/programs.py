"""The programs that the demo's desktop is made of, and the Debian package of each. No other name is ever started."""

from enum import StrEnum


class Program(StrEnum):
    """A program of the demo's desktop, by the name under which it is found."""

    XVFB = "Xvfb"
    DBUS = "dbus-daemon"
    WINDOW_MANAGER = "openbox"
    PANEL = "xfce4-panel"
    EDITOR = "mousepad"
    TERMINAL = "xterm"
    DIALOG = "zenity"


PACKAGES: dict[Program, str] = {
    Program.XVFB: "xvfb",
    Program.DBUS: "dbus-daemon",
    Program.WINDOW_MANAGER: "openbox",
    Program.PANEL: "xfce4-panel",
    Program.EDITOR: "mousepad",
    Program.TERMINAL: "xterm",
    Program.DIALOG: "zenity",
}
"""Which Debian package brings a program."""

ACCESSIBILITY_PACKAGE = "at-spi2-core"
"""Brings the accessibility bus, which is activated by name and is no program that we start."""
