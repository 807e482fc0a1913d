"""The collector for Linux under X11: input by RECORD, windows by PropertyNotify, field roles by AT-SPI. Never polls.

It asks for no event mask on any application's window but structure (where it is), and reads no titles and no classes.
"""

from collections import deque
from typing import Any

from collectors.backends.atspi import Accessibility
from collectors.backends.atspi_sites import Sites
from collectors.backends.x11_record import (
    BUTTON_PRESS,
    KEY_PRESS,
    KEY_RELEASE,
    DeviceEvent,
    FocusMoved,
    RecordStream,
    ranges,
)
from collectors.backends.x11_time import clocks_of
from collectors.backends.x11_windows import Hit, Known, Windows
from collectors.collector import Clock
from collectors.errors import DisplayGoneError
from collectors.keymap import Keymap, KeysDown
from collectors.pipe import CollectorState, Grant, SurfaceRule
from collectors.raw import Button, Front, Geometry
from collectors.shape import Shaper
from consent.event import Clocks
from consent.vocabulary import KEY_KINDS, Kind

MOST_FRONTS = 16
"""Latest windows in front that are remembered: for a press that is a few milliseconds old."""
PROPERTY_NOTIFY = 28
SETTLE_MS = 250
"""A window that is being dragged is told about once, when it stands still."""


class LinuxX11:
    """See `collectors.collector.Collector`."""

    def __init__(self, read: Clock) -> None:
        self._read = read
        self._stream: RecordStream | None = None
        self._accessibility: Accessibility | None = None
        self._sites: Sites | None = None
        self._known = Known(Front())
        self._keys = KeysDown(Keymap(0, (), ()))
        self._keymap_stale = True
        self._front = Front()
        self._active = 0
        self._geometry: Geometry | None = None
        self._settles_ms: int | None = None
        self._presses: dict[int, Hit] = {}
        self._health: tuple[bool, str, str] | None = None
        self._states: tuple[CollectorState, ...] = ()
        self._events: deque[Any] = deque()
        self._fronts: deque[tuple[int, int]] = deque([(0, 0)], maxlen=MOST_FRONTS)

    # --- the hooks -----------------------------------------------------------------------------------------------

    def hook(self, grant: Grant) -> Shaper:
        """Install the hooks that the granted kinds need, and no others."""
        self._kinds = grant.kinds
        try:
            self._hook(grant)
        except DisplayGoneError:
            raise
        except _gone() as error:
            raise DisplayGoneError("the X server cannot be reached") from error
        return self._shaper

    def _hook(self, grant: Grant) -> None:
        from Xlib import X

        self._display = _connect()
        self._windows = Windows(self._display, grant.surfaces)
        wanted = ranges(grant.kinds)
        if wanted:
            self._stream = RecordStream(self._display, _connect(), wanted)
        self._shaper = Shaper(grant, self._read())
        self._display.screen().root.change_attributes(event_mask=X.PropertyChangeMask)
        self._says_which = self._windows.says_which()
        if grant.kinds & KEY_KINDS:
            self._accessibility = Accessibility(self._read, self._shaper)
            self._accessibility.open()
        if any(rule.hosts for rule in grant.surfaces):
            self._sites = Sites(self._read, self._shaper.pages, self._site)
        self._look_at_front(self._read())

    def states(self) -> tuple[CollectorState, ...]:
        """How each granted kind is collected now."""
        health = (self._says_which, self._accessibility.trouble if self._accessibility else "", self._sites.why if self._sites else "")
        if health != self._health:  # asked after every input
            self._health = health
            self._states = tuple(CollectorState(kind, *self._state(kind)) for kind in sorted(self._kinds))
        return self._states

    def _state(self, kind: Kind) -> tuple[str, str]:
        if kind is not Kind.CONTROL and not self._says_which:
            return "degraded", "no window manager says which window is in front"
        if kind in KEY_KINDS and self._accessibility is not None and self._accessibility.trouble:
            return "degraded", self._accessibility.trouble
        said = (self._windows.doubt, self._sites.why if self._sites else "")
        return "live", "; ".join(filter(None, said)) if kind is Kind.FOCUS else ""

    def sources(self) -> list[int]:
        """The X connections and the accessibility bus."""
        accessibility = self._accessibility.sources() if self._accessibility else []
        stream = [self._stream.fileno()] if self._stream else []
        sites = self._sites.sources() if self._sites else []
        return [self._display.fileno(), *stream, *accessibility, *sites]

    def due_ms(self) -> int | None:
        """When a moved window has settled, or an answer about the focus is overdue."""
        asking = [each.due_ms() for each in (self._accessibility, self._sites) if each]
        dues_ms = (self._settles_ms, *asking)
        return min((due_ms for due_ms in dues_ms if due_ms is not None), default=None)

    # --- what comes ----------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Windows first, so that an input is judged by what it met; then input; then what asking about it brought."""
        try:
            self._pump_windows()
            if self._accessibility:
                self._accessibility.pump()
            if self._sites:
                self._sites.pump()
            if self._stream:
                came = self._stream.read()
                self._shaper.moved(came.moves)
                for event in came.events:
                    self._input(event)
            self._pump_windows()
            now = self._read()
            if self._settles_ms is not None and now.awake_ms >= self._settles_ms:
                self._settled(now)
        except _gone() as error:
            raise DisplayGoneError("the X server ended") from error

    def _pump_windows(self) -> None:
        self._gather()
        while self._events:
            self._window_event(self._events.popleft())
            self._gather()

    def _gather(self) -> None:
        while self._display.pending_events():
            self._events.append(self._display.next_event())

    def _window_event(self, event: Any) -> None:
        from Xlib import X

        if event.type == PROPERTY_NOTIFY:
            if event.atom == self._windows.active_atom:
                self._says_which = True
                self._look_at_front(clocks_of(event.time, self._read()))
        elif event.type == X.MappingNotify:
            self._keymap_stale = True
        elif event.type == X.DestroyNotify:
            self._windows.forget(event.window.id)
        elif event.type == X.ReparentNotify:
            self._windows.reframe(event.window.id)
        elif event.type == X.ConfigureNotify and event.window.id == self._active and self._front.window:
            self._settles_ms = self._read().awake_ms + SETTLE_MS

    def _look_at_front(self, at: Clocks) -> None:
        xid, known = self._windows.active()
        self._gather()
        if any(event.atom == self._windows.active_atom for event in self._events if event.type == PROPERTY_NOTIFY):
            self._active, self._front = 0, Front()  # what we read is of a later instant, which is asked about next
            self._known = Known(Front())
            self._shaper.passing(at)
            self._watch_site()
            return
        if xid == self._active and known.front == self._known.front and known.identity == self._known.identity:
            return
        self._active, self._front, self._known, self._settles_ms = xid, known.front, known, None
        self._fronts.append((at.awake_ms, xid))
        self._geometry = self._windows.geometry(xid) if known.front.window else None
        self._shaper.front(at, known.front, self._geometry)
        self._watch_keys()
        self._watch_site()

    def _watch_keys(self) -> None:
        keys = self._front.window and not self._front.structure_only
        if self._accessibility:
            self._accessibility.watch(self._known.pid if keys else 0)

    def _watch_site(self) -> None:
        if self._sites:
            self._sites.watch(self._known.identity)

    def _site(self, rule: SurfaceRule | None) -> None:
        """The browser in front shows this site now, or none."""
        now, window = self._read(), self._known.number
        self._front = Front() if rule is None else Front(rule.surface, window, rule.structure_only, site=True)
        self._geometry = self._windows.geometry(self._active) if rule is not None else None
        self._shaper.front(now, self._front, self._geometry)
        self._watch_keys()

    def _settled(self, now: Clocks) -> None:
        self._settles_ms = None
        geometry = self._windows.geometry(self._active) if self._front.window else None
        if geometry is not None and geometry != self._geometry:
            self._geometry = geometry
            self._shaper.front(now, self._front, geometry)

    # --- input: what a key is dies in `_key` ---------------------------------------------------------------------

    def _input(self, event: DeviceEvent | FocusMoved | None) -> None:
        if event is None:
            self._keymap_stale = True
        elif isinstance(event, FocusMoved):
            self._shaper.unsettled(clocks_of(event.time_ms, self._read()), event.grab)
        elif event.type in (KEY_PRESS, KEY_RELEASE):
            self._key(event)
        else:
            self._button(event)

    def _key(self, event: DeviceEvent) -> None:
        at = clocks_of(event.time_ms, self._read())
        if event.type == KEY_RELEASE:
            self._shaper.key(self._keys.release(at, event.detail))
            return
        if self._keymap_stale:
            self._keys.keymap, self._keymap_stale = _live_keymap(self._display), False
        self._shaper.key(self._keys.press(at, event.detail, event.state))

    def _button(self, event: DeviceEvent) -> None:
        down, at = event.type == BUTTON_PRESS, clocks_of(event.time_ms, self._read())
        if down:
            self._presses[event.detail] = self._hit(event, at.awake_ms)
        hit = self._presses.get(event.detail, Hit()) if down else self._presses.pop(event.detail, Hit())
        self._shaper.button(Button(at, event.detail, down, hit.window, hit.own, event.x - hit.left, event.y - hit.top))

    def _hit(self, event: DeviceEvent, at_ms: int) -> Hit:
        """What a press went to, asked a moment after it: a window that it closed must not uncover what counts for it."""
        hit = self._windows.hit(event.x, event.y, self._active)
        self._pump_windows()  # asking was a round trip: every change of the front before this press is here now
        before = [xid for since_ms, xid in self._fronts if since_ms < at_ms][-1:]
        later = [xid for since_ms, xid in self._fronts if since_ms >= at_ms]
        if hit.window and not all(self._windows.is_there(xid) for xid in before + later if xid):
            return Hit(own=hit.own)
        return hit


def _connect() -> Any:
    """A connection that loads only the two extensions that we use, and prints nothing."""
    from Xlib import display, ext

    ext.__extensions__ = [("RECORD", "record"), ("X-Resource", "res")]
    connection = display.Display()
    connection.set_error_handler(lambda *_: None)  # requests on windows that are gone; the answers say so too
    return connection


def _live_keymap(connection: Any) -> Keymap:
    info = connection.display.info
    count = info.max_keycode - info.min_keycode + 1
    return Keymap(info.min_keycode, connection.get_keyboard_mapping(info.min_keycode, count), connection.get_modifier_mapping())


def _gone() -> tuple[type[Exception], ...]:
    from Xlib import error

    return (error.ConnectionClosedError, error.DisplayError, error.XauthError, OSError)
