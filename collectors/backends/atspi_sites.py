"""Which site the browser in front shows, by AT-SPI: asked when its window comes there, at each sign of another page, and for each input.

Its own connection, opened only where the grant has sites. What goes wrong here means that no site is in front. While nothing happens
nothing is asked.
"""

from collections.abc import Callable
from typing import Any

from collectors.backends.atspi_service import REGISTRY, enable_and_find
from collectors.backends.bus import BUS_ITSELF, Bus, BusGoneError, Heard, Steps, call, owner_of, session_address, while_open
from collectors.backends.documents import Documents, NoPage, Page
from collectors.collector import Clock
from collectors.identity import Identity, Running
from collectors.pages import LIMIT_MS, SPACING_MS, Pages
from collectors.pipe import SurfaceRule
from collectors.sites import Browser
from consent.vocabulary import SurfaceId

ANSWER_MS = 1_000
"""A browser that has not answered by then has not answered."""
RETRIES_MS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
"""When a window whose page cannot be told is asked about again, without a sign: it may still be opening."""
REOPEN_MS = 10_000
"""A bus that went away is looked for again when a browser comes to the front, at most this often."""
TOLD = "Firefox's pages are told apart by the accessibility service; private windows are told by it too, and are not recorded"

_REGISTRY = (REGISTRY, "/org/a11y/atspi/registry")
_REGISTRY_ROOT = (REGISTRY, "/org/a11y/atspi/accessible/root")
_MESSAGE_BUS = (BUS_ITSELF, "/org/freedesktop/DBus")
_REGISTRY_RULE = f"type='signal',sender='{BUS_ITSELF}',member='NameOwnerChanged',arg0='{REGISTRY}'"
_EVENTS = (
    "object:state-changed:selected",
    "object:state-changed:focused",
    "object:state-changed:busy",
    "document:load-complete",
    "window:activate",
    "window:deactivate",
)
_RULES = (
    "interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='selected'",
    "interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='focused'",
    "interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='busy'",
    "interface='org.a11y.atspi.Event.Document',member='LoadComplete'",
    "interface='org.a11y.atspi.Event.Window',member='Activate'",
    "interface='org.a11y.atspi.Event.Window',member='Deactivate'",
)
_PAGE_TAB = 37
_MOST_OTHERS = 4096
_MOST_TABS = 8
"""Selected objects that are asked about within SPACING_MS; of more, it is taken that a tab was among them."""

Found = Callable[[SurfaceRule | None], None]


class Sites:
    """Tells which site is in front in the window that it is told of.

    Args:
        found: Called when the window in front is of another site, or (None) of none.

    Attributes:
        trouble: Why no site can be told at all, for people; empty if nothing is known to be in the way.
    """

    def __init__(self, read: Clock, pages: Pages, found: Found, connect: Callable[[str, Heard], Bus] = Bus) -> None:
        self._read, self._pages, self._found, self._connect = read, pages, found, connect
        self._session: Bus | None = None
        self._bus: Bus | None = None
        self.trouble = "the accessibility service has not answered"
        self._opened_ms: int | None = None
        self._names: dict[Running, str] = {}
        self._documents: dict[Running, Documents] = {}
        self._others: set[tuple[str, str]] = set()
        self._hears_registry = False
        self._registries = self._inquiry = self._tabs = self._tabs_ms = 0
        self._forget_window()

    def _forget_window(self) -> None:
        self._process: Running | None = None
        self._name = ""
        self._told: SurfaceId | None = None
        self._inquiry += 1
        self._asked_ms: int | None = None
        self._last_ms = 0
        self._due_ms: int | None = None
        self._coming_ms: int | None = None
        self._retries = 0
        self._unsure_ms: int | None = None
        self._unsure = 0

    # --- the connection ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Find the accessibility bus; answers come by `pump`."""
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

    def _find_bus(self) -> Steps:
        address = yield from enable_and_find()
        if not address:
            self._hang_up("this session has no accessibility service")
            return
        try:
            self._bus = self._connect(address, self._signalled)
        except BusGoneError:
            self._hang_up("the accessibility service does not answer")
            return
        self.trouble = ""
        self._ask_soon()

    def _lost(self) -> None:
        if self.sources():  # otherwise we hung up ourselves, and said why
            self._hang_up("the accessibility service ended")

    def _hang_up(self, why: str) -> None:
        for bus in (self._session, self._bus):
            if bus is not None:
                bus.close()
        self._session = self._bus = None
        self._hears_registry = False
        self._names.clear()
        self._documents.clear()
        self.trouble = why
        self._nowhere()

    # --- what the back end says and asks -------------------------------------------------------------------------

    def watch(self, browser: Identity | None) -> None:
        """Another window is in front: of this browser, or of none."""
        self._forget_window()
        now_ms = self._read().awake_ms
        self._pages.elsewhere(now_ms)
        if browser is None or not browser.sites:
            return
        self._process = browser.process
        if self._process not in self._documents:
            self._documents[self._process] = Documents(Browser(browser.sites))
        if not self.sources() and (self._opened_ms is None or now_ms >= self._opened_ms + REOPEN_MS):
            self.open()
        self._ask_soon()

    @property
    def why(self) -> str:
        """Whether sites can be told, for people."""
        troubles = sorted({each.why for each in self._documents.values() if each.why})
        return f"no site is recognised: {self.trouble}" if self.trouble else "; ".join([TOLD, *troubles])

    def due_ms(self) -> int | None:
        """When `pump` has something to do by itself."""
        if any(bus.behind for bus in (self._session, self._bus) if bus is not None):
            return self._read().awake_ms
        return self._next_ms()

    def _next_ms(self) -> int | None:
        """When a question is due, or an answer overdue."""
        if self._bus is None or self._process is None:
            return None
        if self._unsure_ms is not None or self._asked_ms is not None:
            return (self._unsure_ms or self._asked_ms or 0) + ANSWER_MS
        waits_ms = self._pages.next_ms if self._told else None
        if waits_ms is not None:
            waits_ms = max(waits_ms, self._last_ms + SPACING_MS)
        dues_ms = (self._due_ms, waits_ms)
        return min((due_ms for due_ms in dues_ms if due_ms is not None), default=None)

    def pump(self) -> None:
        """What has come, and the question that is due."""
        try:
            for bus in (self._session, self._bus):
                if bus is not None:
                    bus.pump()
        except BusGoneError:
            self._lost()
        if self._session is not None and self._bus is not None:
            self._session.close()
            self._session = None
        now_ms, due_ms = self._read().awake_ms, self._next_ms()
        if due_ms is None or now_ms < due_ms:
            return
        if self._unsure_ms is not None or self._asked_ms is not None:
            self._inquiry += 1
            self._asked_ms, self._unsure_ms, self._unsure = None, None, 0
            self._answered(now_ms, NoPage.UNTOLD)
        else:
            self._ask()

    # --- questions and answers -----------------------------------------------------------------------------------

    def _ask_soon(self) -> None:
        """At once, or SPACING_MS after the latest question, as a page can make any number of signs; or after the answer still to come."""
        now_ms = self._read().awake_ms
        self._due_ms = max(now_ms, self._last_ms + SPACING_MS)
        if now_ms >= self._due_ms and self._asked_ms is None and not self._unsure:
            self._ask()

    def _ask(self) -> None:
        if self._bus is None or self._process is None:
            return
        self._due_ms, self._asked_ms = None, self._read().awake_ms
        self._last_ms = self._asked_ms
        try:
            self._bus.run(self._question(self._process, self._asked_ms, self._inquiry))
        except BusGoneError:
            self._lost()

    def _question(self, process: Running, asked_ms: int, inquiry: int) -> Steps:
        if process not in self._names:
            yield from self._introduce(process)
            asked_ms = self._read().awake_ms
        page = NoPage.UNTOLD
        if process in self._names and inquiry == self._inquiry:
            self._name = self._names[process]
            page = yield from while_open(self._documents[process].in_front(self._name), lambda: inquiry == self._inquiry)
        if inquiry == self._inquiry:
            self._asked_ms = None
            if not self._unsure:  # otherwise it is asked again when it is known whether a tab was switched
                self._answered(asked_ms, page)

    def _introduce(self, process: Running) -> Steps:
        """Which bus name is this process's; and that we want to hear of its pages, before the first question about them.

        First that we want to hear of the registry's end: without it the browser may tell nothing.
        """
        registry = self._registries
        if not self._hears_registry:
            self._hears_registry = (yield call(_MESSAGE_BUS, _MESSAGE_BUS[0], "AddMatch", "s", (_REGISTRY_RULE,))) is not None
        applications = yield call(_REGISTRY_ROOT, "org.a11y.atspi.Accessible", "GetChildren")
        for name in {str(name) for name, _ in applications[0]} if applications is not None else ():
            answer = yield owner_of(name)
            if answer is not None and answer[0] == process.pid:
                answers = []
                for event in _EVENTS:
                    answers.append((yield call(_REGISTRY, _REGISTRY[0], "RegisterEvent", "sass", (event, [], name))))
                for rule in _RULES:
                    listen = (f"type='signal',sender='{name}',{rule}",)
                    answers.append((yield call(_MESSAGE_BUS, _MESSAGE_BUS[0], "AddMatch", "s", listen)))
                if None not in answers and self._hears_registry and registry == self._registries:
                    self._names[process] = name

    def _answered(self, asked_ms: int, page: Page | NoPage) -> None:
        now_ms = self._read().awake_ms
        coming = self._is_still_coming(page, now_ms)
        match page:
            case NoPage.COMING if coming:
                self._pages.doubt(asked_ms)
                self._due_soon(now_ms + SPACING_MS)
            case Page(document, rule, True) if coming and rule is not None and rule.surface == self._told:
                self._pages.answered(asked_ms, now_ms, document, rule.surface, going=True)
                self._due_soon(now_ms + SPACING_MS)
            case NoPage() | Page(_, _, True):
                self._pages.elsewhere(now_ms)
                self._tell(None)
                self._try_again(now_ms)
            case Page(document, rule):
                sure = self._pages.answered(asked_ms, now_ms, document, rule.surface if rule else None)
                known = rule is not None and (sure or self._told == rule.surface)
                self._tell(rule if known else None)
                if rule is not None and not sure:
                    self._due_soon(asked_ms + SPACING_MS)
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._ask()

    def _is_still_coming(self, page: Page | NoPage, now_ms: int) -> bool:
        """Whether another page is on its way, and not for too long already."""
        if page is not NoPage.COMING and not (isinstance(page, Page) and page.going and page.rule is not None):
            self._coming_ms = None
            return False
        self._coming_ms = now_ms if self._coming_ms is None else self._coming_ms
        return now_ms - self._coming_ms < LIMIT_MS

    def _try_again(self, now_ms: int) -> None:
        if self._retries < len(RETRIES_MS):
            self._due_soon(now_ms + RETRIES_MS[self._retries])
            self._retries += 1

    def _due_soon(self, due_ms: int) -> None:
        self._due_ms = due_ms if self._due_ms is None else min(self._due_ms, due_ms)

    def _tell(self, rule: SurfaceRule | None) -> None:
        surface = rule.surface if rule else None
        if surface != self._told:
            self._told = surface
            self._found(rule)

    def _nowhere(self) -> None:
        self._pages.elsewhere(self._read().awake_ms)
        self._tell(None)

    # --- signs of another page -----------------------------------------------------------------------------------

    def _signalled(self, sender: str, path: str, member: str, body: tuple[Any, ...]) -> None:
        if sender == BUS_ITSELF and member == "NameOwnerChanged" and body[0] == REGISTRY:
            self._registry_changed()
        if sender != self._name or self._process is None:
            return
        gained = len(body) > 1 and bool(body[1])
        match member, body[0] if body else "":
            case (("Activate" | "Deactivate"), _):
                self._pages.elsewhere(self._read().awake_ms)
            case "StateChanged", "selected":
                if gained and (sender, path) not in self._others:
                    self._ask_whether_tab(sender, path)
                return
        self._retries = 0
        self._ask_soon()

    def _registry_changed(self) -> None:
        """It ended, or is back: the browser may not know any more that we listen. Nothing counts until we have registered again."""
        self._registries += 1
        self._names.clear()
        self._name = ""
        self._inquiry += 1
        self._asked_ms, self._unsure_ms, self._unsure, self._retries = None, None, 0, 0
        self._nowhere()
        if self._process is not None:
            self._due_soon(self._read().awake_ms + SPACING_MS)

    def _ask_whether_tab(self, sender: str, path: str) -> None:
        now_ms = self._read().awake_ms
        if now_ms >= self._tabs_ms + SPACING_MS:
            self._tabs_ms, self._tabs = now_ms, 0
        self._tabs += 1
        if self._tabs > _MOST_TABS:
            self._pages.elsewhere(now_ms)
            self._ask_soon()
        elif self._bus is not None:
            self._unsure += 1
            self._unsure_ms = now_ms if self._unsure_ms is None else self._unsure_ms
            try:
                self._bus.run(self._is_it_a_tab(sender, path, self._inquiry))
            except BusGoneError:
                self._lost()

    def _is_it_a_tab(self, sender: str, path: str, inquiry: int) -> Steps:
        """Options of a page can be selected, too."""
        answer = yield call((sender, path), "org.a11y.atspi.Accessible", "GetRole")
        if answer is not None and answer[0] != _PAGE_TAB and len(self._others) < _MOST_OTHERS:
            self._others.add((sender, path))
        if inquiry != self._inquiry:
            return
        self._unsure -= 1
        self._unsure_ms = self._unsure_ms if self._unsure else None
        if answer is None or answer[0] == _PAGE_TAB:
            self._pages.elsewhere(self._read().awake_ms)
        self._retries = 0
        self._ask_soon()
