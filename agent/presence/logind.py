"""The login service: whether this session is locked, idle, in front and near, and whether the machine goes to sleep."""

from collections.abc import Iterable, Mapping
from typing import Any

from jeepney import DBusAddress, MatchRule, Properties, new_method_call

from agent.presence.bus import Body, Bus, Service, Tell, changed, get_all, plain
from agent.presence.grounds import Ground
from consent.vocabulary import Automatic

LOGIND = "logind"
_NAME, _SESSION, _MANAGER = "org.freedesktop.login1", "org.freedesktop.login1.Session", "org.freedesktop.login1.Manager"
_ROOT, _SESSIONS = "/org/freedesktop/login1", "/org/freedesktop/login1/session"
_HINTS = {"Remote": Automatic.REMOTE_CONTROLLED, "IdleHint": Automatic.ABSENT}


class Logind(Service):
    """One session of the login service: the one that the environment names, or else the person's graphical one."""

    name, label = _NAME, LOGIND

    def __init__(self, tell: Tell, env: Mapping[str, str]) -> None:
        super().__init__(tell)
        self._id = env.get("XDG_SESSION_ID")
        self._path: str | None = None
        self._hinted = self._wanted = False

    def rules(self) -> Iterable[MatchRule]:
        yield changed(_NAME, path_namespace=_SESSIONS)
        for member in ("Lock", "Unlock"):
            yield MatchRule(type="signal", sender=_NAME, path_namespace=_SESSIONS, interface=_SESSION, member=member)
        yield MatchRule(type="signal", sender=_NAME, path=_ROOT, interface=_MANAGER, member="PrepareForSleep")

    def ask(self, bus: Bus) -> None:
        manager = DBusAddress(_ROOT, _NAME, _MANAGER)
        bus.call(self, Properties(manager).get("PreparingForSleep"), self._sleeps)
        if self._path is not None:
            self._ask_session(bus, self._path)
        elif self._id:
            bus.call(self, new_method_call(manager, "GetSession", "s", (self._id,)), lambda body: self._found(bus, body[0] if body else ""))
        else:
            own = Properties(DBusAddress(f"{_ROOT}/user/self", _NAME, "org.freedesktop.login1.User"))
            bus.call(self, own.get("Display"), lambda body: self._found(bus, body[0][1][1] if body else ""))

    def _found(self, bus: Bus, path: str) -> None:
        if path.startswith(_SESSIONS):
            self._path = path
            self._ask_session(bus, path)

    def _ask_session(self, bus: Bus, path: str) -> None:
        bus.call(self, get_all(path, _NAME, _SESSION), self._answered)

    def _answered(self, body: Body | None) -> None:
        if body is None:  # the session has ended, or its path is another's now
            self._path = None
            self.say(None)
        else:
            self._told(plain(body[0]))

    def _told(self, now: Mapping[str, Any]) -> None:
        said: dict[Ground, bool | None] = {ground: bool(now[name]) for name, ground in _HINTS.items() if name in now}
        if "Active" in now:
            said[Automatic.OTHER_SESSION] = not now["Active"]
        if "LockedHint" in now:
            self._hinted = bool(now["LockedHint"])
            said[Automatic.LOCKED] = self._hinted or self._wanted
        self.say(said)

    def _sleeps(self, body: Body | None) -> None:
        if body is not None:
            self.say({Automatic.ASLEEP: bool(body[0][1])})

    def signal(self, bus: Bus, path: str, member: str, body: Body) -> None:
        if member == "PrepareForSleep" and path == _ROOT:
            self.say({Automatic.ASLEEP: bool(body[0])})
        elif path == self._path:
            self._signal_of_session(bus, member, body)

    def _signal_of_session(self, bus: Bus, member: str, body: Body) -> None:
        match member:
            case "Lock":  # a locker that tells logind nothing is believed to have done what it was asked
                self._wanted = True
                self.say({Automatic.LOCKED: True})
            case "Unlock":  # only asked for, too: a locker that has told of its lock still has to tell of its end
                self._wanted = False
                self.say({Automatic.LOCKED: self._hinted})
            case "PropertiesChanged" if body[0] == _SESSION:
                now = plain(body[1])
                self._wanted = self._wanted and "LockedHint" not in now
                self._told(now)
                if body[2] and self._path:
                    self._ask_session(bus, self._path)
