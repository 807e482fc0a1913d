"""A private desktop session: its own D-Bus, accessibility bus, window manager, and a panel that shows tray icons."""

from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import Popen

from jeepney import DBusAddress, MessageType, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from Xlib.display import Display

from agent.demo.children import Children, find
from agent.demo.errors import NotInTime, ProgramMissing
from agent.demo.programs import ACCESSIBILITY_PACKAGE, Program
from agent.demo.wait import until
from agent.demo.windows import has_window_manager

WATCHER = DBusAddress("/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher")
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_A11Y = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")

_PANEL_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="26"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"""
"""One bar at the bottom, with the list of windows and the tray; the panel asks nothing when it finds a configuration."""


def start_bus(children: Children, env: Mapping[str, str], runtime: Path) -> str:
    """Start a D-Bus session of its own and return its address, once it answers."""
    address = f"unix:path={runtime / 'bus'}"
    children.start([find(Program.DBUS), "--session", "--nofork", "--nopidfile", f"--address={address}"], env, name="dbus")
    until((runtime / "bus").exists, "the start of a private D-Bus session")
    return address


def start_accessibility(address: str) -> None:
    """Have the accessibility bus started.

    Raises:
        ProgramMissing: Nothing on this machine provides it.
    """
    with open_dbus_connection(address) as bus:
        reply = bus.send_and_get_reply(new_method_call(_A11Y, "GetAddress"))
    if reply.header.message_type is not MessageType.method_return:
        raise ProgramMissing("the demo needs the accessibility bus, which is not here", f"install the package {ACCESSIBILITY_PACKAGE}")


def start_window_manager(children: Children, env: Mapping[str, str], display: Display) -> None:
    """Start the window manager and wait until it manages."""
    children.start([find(Program.WINDOW_MANAGER), "--sm-disable"], env, name="window-manager")
    until(lambda: has_window_manager(display), "the start of the window manager")


def start_panel(children: Children, env: Mapping[str, str], address: str) -> Popen[bytes]:
    """Start the panel, with a configuration of its own; its process, once it shows tray icons."""
    folder = Path(env["XDG_CONFIG_HOME"]) / "xfce4/xfconf/xfce-perchannel-xml"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "xfce4-panel.xml").write_text(_PANEL_CONFIG, encoding="utf-8")
    panel = children.start([find(Program.PANEL), "--disable-wm-check", "--sm-client-disable"], env, name="panel")
    with open_dbus_connection(address) as bus:
        until(_hosts_tray_icons(bus), "the start of the panel")
    return panel


def _hosts_tray_icons(bus: DBusConnection) -> Callable[[], bool]:
    def look() -> bool:
        owned = bus.send_and_get_reply(new_method_call(_BUS, "NameHasOwner", "s", (WATCHER.bus_name,)))
        if not owned.body[0]:
            return False
        reply = bus.send_and_get_reply(Properties(WATCHER).get("IsStatusNotifierHostRegistered"))
        return reply.header.message_type is MessageType.method_return and bool(reply.body[0][1])

    return look


def wait_for_bus(address: str) -> None:
    """Return once the bus accepts connections.

    Raises:
        NotInTime: It never did.
    """

    def look() -> bool:
        try:
            open_dbus_connection(address).close()
        except OSError:
            return False
        return True

    try:
        until(look, "the answer of a private D-Bus session")
    except NotInTime as error:
        raise NotInTime(error.what, "look whether the temporary folder's path is longer than 80 characters") from error
