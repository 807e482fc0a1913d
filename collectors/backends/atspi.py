"""Which sort of field has the focus, and what is highlighted, by AT-SPI. Asks for roles and states: never for text or values.

What is highlighted only where elements are granted.
It never subscribes to changes of text. Whatever goes wrong here, the role is unknown, and without a role no key is kept.
An object counts only if the process that owns it is the one whose window is in front. What can be wrong with the service is told
apart, and looked for again: when the bus or the screen says that something changed, and otherwise after one second, two, four ...
ten, but only while a window is in front whose keys wait for it.
"""

from collections.abc import Callable
from typing import Any

from collectors.backends.atspi_elements import Highlights
from collectors.backends.atspi_service import REGISTRY, enable_and_find, is_elsewhere, register
from collectors.backends.bus import BUS_ITSELF, Bus, BusGoneError, Heard, Steps, call, owner_of, session_address, while_open
from collectors.backends.focused import find_focused
from collectors.collector import Clock
from collectors.labels import Labels, NoLabels
from collectors.raw import Geometry, NoRole
from collectors.roles import role_of
from collectors.shape import Shaper
from consent.event import Clocks

STARTING_MS = 5_000
"""How long the accessibility bus may take to start before the state says that it does not answer."""
SOON_MS, RETRY_MS = 1_000, 10_000
"""How long until a service that is not there is looked for again: at first, and at most."""
LOST_MS = 150
"""After an object lost the focus and none got it (a closed menu), how long until we ask who has it."""

LATE_MS = 100
"""How long the bus may have more for us than we read at once, until what has the focus counts as unknown: well within the shaper's hold."""

_STARTING = "the accessibility service is starting"
_DEAF = "; keys are not kept"


class Accessibility:
    """Tells the shaper what has the focus in the window in front.

    Args:
        window: Where the window in front is now; None if it is gone.
        told: Where the screen sends applications to for their accessibility (`AT_SPI_BUS`); empty if it does not say.
        elements: Whether elements are granted. Otherwise nothing is heard or asked of items.

    Attributes:
        trouble: Why keys cannot be kept at all now, for people; empty if they can.
    """

    def __init__(  # noqa: PLR0913 - whom to ask and to tell, and what was granted
        self,
        read: Clock,
        shaper: Shaper,
        connect: Callable[[str, Heard], Bus] = Bus,
        *,
        window: Callable[[], Geometry | None] = lambda: None,
        told: Callable[[], str] = str,
        elements: bool = True,
    ) -> None:
        self._read, self._shaper, self._connect, self._told = read, shaper, connect, told
        self._highlights = Highlights(shaper.elements, self._converse_in_front, window) if elements else None
        self._session: Bus | None = None
        self._bus: Bus | None = None
        self.trouble = _STARTING + _DEAF
        self._opened_ms = self._registered_ms = self._retry_ms = self._tries = 0
        self._address = ""
        self._search_ms: int | None = None
        self._pid = 0
        self._object = ("", "")
        self._inquiry = self._front = 0
        self._behind_ms: int | None = None
        self._late = False
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
        if any(bus.behind for bus in (self._session, self._bus) if bus is not None):
            return self._read().awake_ms
        if self.trouble == _STARTING + _DEAF:
            return self._opened_ms + STARTING_MS
        if self.trouble:
            return self._retry_ms if self._pid else None
        return self._search_ms

    def pump(self) -> None:
        """What has come, and what is due."""
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
        self._keep_up()
        now_ms = self._read().awake_ms
        if self.trouble == _STARTING + _DEAF and now_ms >= self._opened_ms + STARTING_MS:
            self._hang_up(f"the accessibility {'service' if self._bus is None else 'registry'} does not answer")
        if self._search_ms is not None and now_ms >= self._search_ms:
            self._search()
        self._retry(now_ms)

    def _keep_up(self) -> None:
        """Whoever floods the bus delays the news of a password field: meanwhile nothing is known, and then it is asked."""
        now, late = self._read(), False
        if self._bus is not None and self._bus.behind:
            self._behind_ms = now.awake_ms if self._behind_ms is None else self._behind_ms
            late = now.awake_ms >= self._behind_ms + LATE_MS
        else:
            self._behind_ms = None
        self._late, was_late = late, self._late
        if late and not was_late:
            self._inquiry += 1
            self._front += 1
            self._object, self._search_ms = ("", ""), None
            self._shaper.focused(now)
            self._shaper.elements.left(now.awake_ms)
        if was_late and not late:
            self._search()

    def changed(self) -> None:
        """The screen's word on where accessibility is changed: what was found before may be another now."""
        if self.trouble or (self._bus is not None and is_elsewhere(self._told(), self._address)):
            self.open()

    def _retry(self, now_ms: int) -> None:
        if self.trouble and self.trouble != _STARTING + _DEAF and self._pid and now_ms >= self._retry_ms:
            self.open()

    def _lost(self) -> None:
        if self.sources():  # otherwise we hung up ourselves, and said why
            self._hang_up("the accessibility service ended")

    def _hang_up(self, why: str) -> None:
        for bus in (self._session, self._bus):
            if bus is not None:
                bus.close()
        if self._bus is not None:
            self._shaper.focused(self._read())
        self._put_off(why)
        self._session = self._bus = None
        self._pids.clear()
        if self._highlights is not None:
            self._highlights.forget()
        self._shaper.elements.left(self._read().awake_ms)
        self._object, self._search_ms, self.trouble = ("", ""), None, why + _DEAF

    def _put_off(self, why: str) -> None:
        now_ms = self._read().awake_ms
        if not self.trouble and now_ms >= self._registered_ms + RETRY_MS:
            self._tries = 0
        if why != _STARTING:
            self._retry_ms = now_ms + min(SOON_MS << self._tries, RETRY_MS)
            self._tries = min(self._tries + 1, 8)

    def _find_bus(self) -> Steps:
        self._address = yield from enable_and_find()
        if not self._address:
            self._hang_up("this session has no accessibility service")
            return
        if is_elsewhere(self._told(), self._address):
            self._hang_up("the screen sends applications to the accessibility service of another session (a stale AT_SPI_BUS)")
            return
        try:
            self._bus = self._connect(self._address, self._signalled)
            self._bus.run(self._register())
        except BusGoneError:
            self._hang_up("the accessibility service does not answer")

    def _register(self) -> Steps:
        why = yield from register(elements=self._highlights is not None)
        if why:
            self._hang_up(why)
            return
        self.trouble, self._registered_ms = "", self._read().awake_ms
        self._search()

    # --- who has the focus ---------------------------------------------------------------------------------------

    def watch(self, pid: int, labels: Labels | None = None) -> None:
        """Another window is in front, of this process; 0 if it is not one whose keys may be kept. `labels`: what its interface says."""
        self._pid, self._object = pid, ("", "")
        self._inquiry += 1
        self._front += 1
        self._search_ms = None
        if self._highlights is not None:
            self._highlights.watch(labels or NoLabels())
        if self.trouble:
            self._retry(self._read().awake_ms)
            return
        self._search()

    def _search(self) -> None:
        """Ask the application in front what has the focus in it."""
        self._search_ms = None
        self._inquiry += 1
        if self._bus is not None and self._pid and not self._late:
            since = self._read()
            found: Callable[[str, str, int], None] = lambda name, path, role: self._found(since, name, path, role)  # noqa: E731
            self._converse(find_focused(self._pid, self._pids, found), self._inquiry)

    def _found(self, since: Clocks, name: str, path: str, role: int) -> None:
        self._object = (name, path)
        self._shaper.role(self._read(), role_of(role))
        if self._highlights is not None:
            self._highlights.focused(since, (name, path), role)

    def _signalled(self, sender: str, path: str, member: str, body: tuple[Any, ...]) -> None:
        if sender == BUS_ITSELF:
            if member == "NameOwnerChanged":
                self._owned(*body)
        elif not body:
            return
        elif sender not in self._pids:
            self._converse(self._introduce(self._read(), sender, path, member, body), None)
        elif self._pids[sender] == self._pid and self._pid:
            self._said(self._read(), sender, path, member, body)

    def _owned(self, name: str, _before: str, owner: str) -> None:
        """The registry ended, or is back: applications that start without it, or with another one, do not know that we listen."""
        if name == REGISTRY and not self.trouble:
            self._hang_up("the accessibility service is being started again" if owner else "the accessibility registry ended")

    def _introduce(self, at: Clocks, sender: str, path: str, member: str, body: tuple[Any, ...]) -> Steps:
        answer = yield owner_of(sender)
        if answer is not None:
            self._pids[sender] = int(answer[0])
            if self._pids[sender] == self._pid and self._pid:
                self._said(at, sender, path, member, body)

    def _said(self, at: Clocks, sender: str, path: str, member: str, body: tuple[Any, ...]) -> None:
        if self._late:
            return  # of a time that is over
        focus = member == "StateChanged" and len(body) > 1 and body[0] == "focused"
        if focus:
            self._changed(sender, path, bool(body[1]))
        if self._highlights is not None and (not focus or not body[1]):
            self._highlights.signalled(at, (sender, path), member, body)

    def _changed(self, sender: str, path: str, gained: bool) -> None:
        now = self._read()
        if gained:
            self._search_ms = None
            self._inquiry += 1
            if (sender, path) != self._object:
                self._object = (sender, path)
                self._shaper.focused(now)
            self._converse(self._ask_role(now, sender, path), self._inquiry)
        elif (sender, path) == self._object:
            self._object = ("", "")
            self._inquiry += 1
            self._shaper.focused(now)
            self._search_ms = now.awake_ms + LOST_MS

    def _ask_role(self, since: Clocks, sender: str, path: str) -> Steps:
        answer = yield call((sender, path), "org.a11y.atspi.Accessible", "GetRole")
        if answer is None:
            self._shaper.role(self._read(), NoRole.UNKNOWN)
            if self._highlights is not None:
                self._highlights.focused(since, (sender, path), None)
        else:
            self._found(since, sender, path, int(answer[0]))

    def _converse_in_front(self, steps: Steps) -> None:
        """A conversation that is over when another window comes to the front."""
        front = self._front
        self._converse(while_open(steps, lambda: front == self._front), None)

    def _converse(self, steps: Steps, inquiry: int | None) -> None:
        """Run a conversation for as long as its question is still open."""
        if self._bus is not None:
            still_open: Callable[[], bool] = lambda: inquiry is None or inquiry == self._inquiry  # noqa: E731
            try:
                self._bus.run(while_open(steps, still_open))
            except BusGoneError:
                self._lost()
