"""Which sort of field has the focus, by AT-SPI. Asks for roles and states only: never for text, names or values.

It never subscribes to changes of text. Whatever goes wrong here, the role is unknown, and without a role no key is kept.
An object counts only if the process that owns it is the one whose window is in front.
"""

from collections.abc import Callable
from typing import Any

from collectors.backends.bus import Bus, BusGoneError, Heard, Steps, call, owner_of, session_address
from collectors.backends.focused import find_focused
from collectors.collector import Clock
from collectors.raw import NoRole
from collectors.roles import role_of
from collectors.shape import Shaper

STARTING_MS = 5_000
"""How long the accessibility bus may take to start before the state says that it does not answer."""
RETRY_MS = 10_000
"""A bus that went away is looked for again when another window comes to the front, at most this often."""
LOST_MS = 150
"""After an object lost the focus and none got it (a closed menu), how long until we ask who has it."""

_LAUNCHER = ("org.a11y.Bus", "/org/a11y/bus")
_STARTING = "the accessibility service is starting"
_DEAF = "; keys are not kept"
_FOCUSED = "object:state-changed:focused"
_RULE = "type='signal',interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='focused'"


class Accessibility:
    """Tells the shaper what has the focus in the window in front.

    Attributes:
        trouble: Why keys cannot be kept at all now, for people; empty if they can.
    """

    def __init__(self, read: Clock, shaper: Shaper, connect: Callable[[str, Heard], Bus] = Bus) -> None:
        self._read, self._shaper, self._connect = read, shaper, connect
        self._session: Bus | None = None
        self._bus: Bus | None = None
        self.trouble = _STARTING + _DEAF
        self._opened_ms = 0
        self._search_ms: int | None = None
        self._pid = 0
        self._object = ("", "")
        self._inquiry = 0
        self._pids: dict[str, int] = {}

    # --- the connection ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Find the accessibility bus and register; answers come by `pump`."""
        self._hang_up(_STARTING)
        self._opened_ms = self._read().awake_ms
        address = session_address()
        if address is None:
            self._hang_up("this session has no message bus")
            return
        try:
            self._session = self._connect(address, lambda *_: None)
            self._session.run(self._find_bus())
        except BusGoneError:
            self._hang_up("the session's message bus does not answer")

    def sources(self) -> list[int]:
        """The file descriptors to wait on."""
        return [bus.fileno() for bus in (self._session, self._bus) if bus is not None]

    def due_ms(self) -> int | None:
        """When `pump` has something to do by itself."""
        if self.trouble == _STARTING + _DEAF:
            return self._opened_ms + STARTING_MS
        return self._search_ms

    def pump(self) -> None:
        """Everything that has come."""
        try:
            if self._session is not None:
                self._session.pump()
            if self._session is not None and self._bus is not None:  # it is not needed any more
                self._session.close()
                self._session = None
            if self._bus is not None:
                self._bus.pump()
        except BusGoneError:
            self._lost()
        now_ms = self._read().awake_ms
        if self.trouble == _STARTING + _DEAF and now_ms >= self._opened_ms + STARTING_MS:
            self._hang_up("the accessibility service does not answer")
        if self._search_ms is not None and now_ms >= self._search_ms:
            self._search()

    def _lost(self) -> None:
        if self.sources():  # otherwise we hung up ourselves, and said why
            self._hang_up("the accessibility service ended")

    def _hang_up(self, why: str) -> None:
        for bus in (self._session, self._bus):
            if bus is not None:
                bus.close()
        if self._bus is not None:
            self._shaper.focused(self._read())
        self._session = self._bus = None
        self._pids.clear()
        self._object, self._search_ms, self.trouble = ("", ""), None, why + _DEAF

    def _find_bus(self) -> Steps:
        answer = yield call(_LAUNCHER, "org.a11y.Bus", "GetAddress")
        if answer is None or not isinstance(answer[0], str) or not answer[0]:
            self._hang_up("this session has no accessibility service")
            return
        enable = ("org.a11y.Status", "IsEnabled", ("b", True))
        yield call(_LAUNCHER, "org.freedesktop.DBus.Properties", "Set", "ssv", enable)
        try:
            self._bus = self._connect(answer[0], self._signalled)
            self._bus.run(self._register())
        except BusGoneError:
            self._hang_up("the accessibility service does not answer")

    def _register(self) -> Steps:
        registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/registry")
        answer = yield call(registry, registry[0], "RegisterEvent", "sass", (_FOCUSED, [], ""))
        if answer is None:  # before at-spi2 2.40
            answer = yield call(registry, registry[0], "RegisterEvent", "s", (_FOCUSED,))
        bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus")
        matched = yield call(bus, bus[0], "AddMatch", "s", (_RULE,))
        if answer is None or matched is None:
            self._hang_up("the accessibility service does not tell of focus")
            return
        self.trouble = ""
        self._search()

    # --- who has the focus ---------------------------------------------------------------------------------------

    def watch(self, pid: int) -> None:
        """Another window is in front, of this process; 0 if it is not one whose keys may be kept."""
        self._pid, self._object = pid, ("", "")
        self._inquiry += 1
        self._search_ms = None
        if self.trouble:
            if pid and self._read().awake_ms >= self._opened_ms + RETRY_MS:
                self.open()
            return
        self._search()

    def _search(self) -> None:
        """Ask the application in front what has the focus in it."""
        self._search_ms = None
        self._inquiry += 1
        if self._bus is not None and self._pid:
            self._converse(find_focused(self._pid, self._pids, self._found), self._inquiry)

    def _found(self, name: str, path: str, role: int) -> None:
        self._object = (name, path)
        self._shaper.role(self._read(), role_of(role))

    def _signalled(self, sender: str, path: str, member: str, body: tuple[Any, ...]) -> None:
        if member != "StateChanged" or len(body) < 2 or body[0] != "focused":
            return
        if sender not in self._pids:
            self._converse(self._introduce(sender, path, bool(body[1])), None)
        elif self._pids[sender] == self._pid and self._pid:
            self._changed(sender, path, bool(body[1]))

    def _introduce(self, sender: str, path: str, gained: bool) -> Steps:
        answer = yield owner_of(sender)
        if answer is not None:
            self._pids[sender] = int(answer[0])
            if self._pids[sender] == self._pid and self._pid:
                self._changed(sender, path, gained)

    def _changed(self, sender: str, path: str, gained: bool) -> None:
        now = self._read()
        if gained:
            self._search_ms = None
            self._inquiry += 1
            if (sender, path) != self._object:
                self._object = (sender, path)
                self._shaper.focused(now)
            self._converse(self._ask_role(sender, path), self._inquiry)
        elif (sender, path) == self._object:
            self._object = ("", "")
            self._inquiry += 1
            self._shaper.focused(now)
            self._search_ms = now.awake_ms + LOST_MS

    def _ask_role(self, sender: str, path: str) -> Steps:
        answer = yield call((sender, path), "org.a11y.atspi.Accessible", "GetRole")
        if answer is None:
            self._shaper.role(self._read(), NoRole.UNKNOWN)
        else:
            self._found(sender, path, int(answer[0]))

    def _converse(self, steps: Steps, inquiry: int | None) -> None:
        """Run a conversation for as long as its question is still open."""
        if self._bus is not None:
            still_open: Callable[[], bool] = lambda: inquiry is None or inquiry == self._inquiry  # noqa: E731
            try:
                self._bus.run(_while(steps, still_open))
            except BusGoneError:
                self._lost()


def _while(steps: Steps, still_open: Callable[[], bool]) -> Steps:
    try:
        message = next(steps)
        while True:
            answer = yield message
            if not still_open():
                return
            message = steps.send(answer)
    except StopIteration:
        return
