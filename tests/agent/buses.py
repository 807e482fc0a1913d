"""A private message bus, and programs on it that play the services of a desktop as far as anybody asks them."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, message_bus, new_error, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection, open_dbus_connection

SESSION = "/org/freedesktop/login1/session/_32"
LOGIN1, LOGIN1_SESSION, LOGIN1_MANAGER = "org.freedesktop.login1", "org.freedesktop.login1.Session", "org.freedesktop.login1.Manager"
SAVER, SAVER_PATH = "org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"
NETWORK, NETWORK_PATH = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
UPOWER, UPOWER_PATH = "org.freedesktop.UPower", "/org/freedesktop/UPower"
BATTERY, BATTERY_PATH = "org.freedesktop.UPower.Device", "/org/freedesktop/UPower/devices/DisplayDevice"
CAST = "org.gnome.Mutter.ScreenCast"


@contextmanager
def a_bus(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A bus of its own: its address and its process."""
    address = f"unix:path={folder / 'bus'}"
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}", "--print-address=1"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    daemon.stdout.readline()
    try:
        yield address, daemon
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()


class Desktop:
    """Services on the bus: properties by path, sessions that GNOME shares, and a screen saver."""

    def __init__(self, connection: DBusConnection) -> None:
        self._connection = connection
        self.active = False
        self.shared: list[str] = []
        self.asked = 0
        self.properties: dict[str, dict[str, tuple[str, Any]]] = {
            "/org/freedesktop/login1/user/self": {"Display": ("(so)", ("2", SESSION))},
            "/org/freedesktop/login1": {"PreparingForSleep": ("b", False)},
            SESSION: {"LockedHint": ("b", False), "Active": ("b", True), "Remote": ("b", False), "IdleHint": ("b", False)},
            NETWORK_PATH: {"Metered": ("u", 4)},
            UPOWER_PATH: {"OnBattery": ("b", False)},
            BATTERY_PATH: {"IsPresent": ("b", True), "Percentage": ("d", 80.0), "State": ("u", 2)},
        }

    async def serve(self) -> None:
        while True:
            message = await self._connection.receive()
            if message.header.message_type is MessageType.method_call:
                self.asked += 1
                await self._connection.send(self._answer(message))

    def _answer(self, call: Message) -> Message:
        path = call.header.fields.get(HeaderFields.path, "")
        match call.header.fields.get(HeaderFields.member), call.body:
            case "Get", (_, name) if name in self.properties.get(path, {}):
                return new_method_return(call, "v", (self.properties[path][name],))
            case "GetAll", _ if path in self.properties:
                return new_method_return(call, "a{sv}", (self.properties[path],))
            case "Introspect", _:
                return new_method_return(call, "s", ("".join(f'<node name="{name}"/>' for name in self.shared),))
            case "GetActive", _:
                return new_method_return(call, "b", (self.active,))
        return new_error(call, "org.freedesktop.DBus.Error.UnknownMethod")

    async def say(self, path: str, interface: str, member: str, signature: str | None = None, body: tuple[object, ...] = ()) -> None:
        await self._connection.send(new_signal(DBusAddress(path, interface=interface), member, signature, body))

    async def change(self, path: str, interface: str, name: str, value: Any) -> None:
        """A property has another value from now on, and says so."""
        variant = (self.properties[path][name][0], value)
        self.properties[path][name] = variant
        await self.say(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", (interface, {name: variant}, []))

    async def hint(self, name: str, value: bool) -> None:
        await self.change(SESSION, LOGIN1_SESSION, name, value)

    async def save(self, active: bool) -> None:
        """The screen saver goes on or off."""
        self.active = active
        await self.say(SAVER_PATH, SAVER, "ActiveChanged", "b", (active,))


@asynccontextmanager
async def a_desktop(*names: str) -> AsyncIterator[Desktop]:
    """Services of these names, as long as the block runs."""
    async with await open_dbus_connection("SESSION") as connection:
        for name in names:
            await connection.send(message_bus.RequestName(name))
        desktop = Desktop(connection)
        serving = asyncio.create_task(desktop.serve())
        try:
            yield desktop
        finally:
            serving.cancel()
