"""Smaller services: screen savers, the battery, the link, and what GNOME shares. Each is asked if it is there, none is started."""

from collections.abc import Iterable
from typing import Any

from jeepney import DBusAddress, MatchRule, new_method_call

from agent import budget
from agent.budget import Cause
from agent.presence.bus import Body, Bus, Service, Tell, changed, get_all, plain
from consent.vocabulary import Automatic

SAVERS = {
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
}
_CHARGING = frozenset({1, 4, 5})
"""UPower's charging, fully charged, pending charge: all others lose charge, or may."""
_METERED = {1: True, 3: True, 2: False, 4: False}
"""NetworkManager's yes, guess-yes, no, guess-no; 0 is unknown."""


class Saver(Service):
    """A screen saver of a desktop: active means locked, or about to be."""

    def __init__(self, tell: Tell, name: str, path: str) -> None:
        super().__init__(tell)
        self.name = self.label = name
        self._path = path

    def rules(self) -> Iterable[MatchRule]:
        return (MatchRule(type="signal", sender=self.name, interface=self.name, member="ActiveChanged"),)

    def ask(self, bus: Bus) -> None:
        bus.call(self, new_method_call(DBusAddress(self._path, self.name, self.name), "GetActive"), self._heard)

    def signal(self, bus: Bus, path: str, member: str, body: Body) -> None:  # noqa: ARG002
        if member == "ActiveChanged":
            self._heard(body)

    def _heard(self, body: Body | None) -> None:
        self.say({Automatic.LOCKED: bool(body[0])} if body else None)


class _OfProperties(Service):
    """A service of which one object's properties are all that is asked."""

    path = interface = ""

    def rules(self) -> Iterable[MatchRule]:
        return (changed(self.name, path=self.path),)

    def ask(self, bus: Bus) -> None:
        bus.call(self, get_all(self.path, self.name, self.interface), self._answered)

    def signal(self, bus: Bus, path: str, member: str, body: Body) -> None:
        if member == "PropertiesChanged" and path == self.path and body[0] == self.interface:
            self.told(plain(body[1]))
            if body[2]:
                self.ask(bus)

    def _answered(self, body: Body | None) -> None:
        if body is None:
            self.say(None)
        else:
            self.told(plain(body[0]))

    def told(self, now: dict[str, Any]) -> None:
        """Some or all of the properties are these."""


class Link(_OfProperties):
    """NetworkManager: whether the link is paid for by what goes over it. Where it does not know, that is as if it were gone."""

    name = interface = "org.freedesktop.NetworkManager"
    label, path = "networkmanager", "/org/freedesktop/NetworkManager"

    def told(self, now: dict[str, Any]) -> None:
        if "Metered" in now:
            metered = _METERED.get(now["Metered"])
            self.say(None if metered is None else {Automatic.METERED_LINK: metered})


class Charger(_OfProperties):
    """UPower: whether the machine runs on its battery."""

    name = interface = "org.freedesktop.UPower"
    label, path = "charger", "/org/freedesktop/UPower"

    def told(self, now: dict[str, Any]) -> None:
        if "OnBattery" in now:
            self.say({Automatic.UNPLUGGED: bool(now["OnBattery"])})


class Battery(_OfProperties):
    """UPower: how full all batteries together are. Low counts only while nothing charges them (`budget.battery`)."""

    name, interface = "org.freedesktop.UPower", "org.freedesktop.UPower.Device"
    label, path = "battery", "/org/freedesktop/UPower/devices/DisplayDevice"

    def __init__(self, tell: Tell) -> None:
        super().__init__(tell)
        self._known: dict[str, Any] = {}
        self._causes: frozenset[Cause] = frozenset()

    def told(self, now: dict[str, Any]) -> None:
        self._known |= {name: now[name] for name in ("IsPresent", "Percentage", "State") if name in now}
        if len(self._known) == 3:
            discharging = bool(self._known["IsPresent"] and self._known["State"] not in _CHARGING)
            self._causes = budget.battery(self._known["Percentage"], discharging=discharging, before=self._causes)
            low, going = Cause.BATTERY_LOW in self._causes, Cause.BATTERY_GOING in self._causes
            self.say({Automatic.BATTERY_LOW: low, Cause.BATTERY_GOING: going})


class Casting(Service):
    """GNOME's own sharing and remote control, through the portal or not: a session is an object of it, there while it lasts."""

    def __init__(self, tell: Tell, name: str, ground: Automatic) -> None:
        super().__init__(tell)
        self.name, self.label, self._ground = name, f"mutter {ground}", ground
        self._path = "/" + name.replace(".", "/")

    def rules(self) -> Iterable[MatchRule]:
        return (MatchRule(type="signal", sender=self.name, path_namespace=self._path),)

    def ask(self, bus: Bus) -> None:
        sessions = DBusAddress(f"{self._path}/Session", self.name, "org.freedesktop.DBus.Introspectable")
        bus.call(self, new_method_call(sessions, "Introspect"), self._heard)

    def signal(self, bus: Bus, path: str, member: str, body: Body) -> None:  # noqa: ARG002
        if path.startswith(f"{self._path}/S"):  # Session, Stream: something began or ended
            self.ask(bus)

    def _heard(self, body: Body | None) -> None:
        self.say({self._ground: bool(body and '<node name="' in body[0])})


def of_system(tell: Tell) -> list[Service]:
    """What is looked for on the system bus, the login service apart."""
    return [Link(tell), Charger(tell), Battery(tell)]


def of_session(tell: Tell) -> list[Service]:
    """What is looked for on the session's bus."""
    savers: list[Service] = [Saver(tell, name, path) for name, path in SAVERS.items()]
    return [
        *savers,
        Casting(tell, "org.gnome.Mutter.ScreenCast", Automatic.SCREEN_SHARED),
        Casting(tell, "org.gnome.Mutter.RemoteDesktop", Automatic.REMOTE_CONTROLLED),
    ]
