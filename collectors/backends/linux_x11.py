"""The collector for Linux under X11: input by RECORD, windows by PropertyNotify, field roles by AT-SPI. Never polls.

It asks for no event mask on any application's window but structure (where it is), and reads no titles and no classes.
"""

import os
from collections import deque
from typing import Any

from collectors.backends.atspi import Accessibility
from collectors.backends.atspi_service import BUS_PROPERTY
from collectors.backends.atspi_sites import Sites
from collectors.backends.x11_clipboard import Selections
from collectors.backends.x11_front import InFront, Screen
from collectors.backends.x11_idle import HookWatch
from collectors.backends.x11_input import Input
from collectors.backends.x11_monitors import Monitors
from collectors.backends.x11_moves import Moves
from collectors.backends.x11_record import HOOKED_KINDS, RecordStream, ranges, ranges_of_moves
from collectors.backends.x11_time import clocks_of
from collectors.backends.x11_windows import NOBODY, Windows
from collectors.collector import Clock
from collectors.errors import DisplayGoneError
from collectors.pipe import CollectorState, Grant, SurfaceRule
from collectors.shape import Shaper
from collectors.vocabularies import Vocabularies
from consent.event import Clocks
from consent.vocabulary import KEY_KINDS, Kind

_NEED_ACCESSIBILITY = KEY_KINDS | {Kind.ELEMENT}

PROPERTY_NOTIFY = 28
ANY_PROPERTY_TYPE = 0
MOST_EVENTS = 200
"""Events of windows that wait at most, but for one of each sort and window: any program can make them in a loop."""
MOST_READINGS = 4
"""How often it is read in a row, 128 events at a time."""


class LinuxX11:
    """See `collectors.collector.Collector`."""

    def __init__(self, read: Clock) -> None:
        self._read = read
        self._stream: RecordStream | None = None
        self._watches: list[HookWatch] = []
        self._accessibility: Accessibility | None = None
        self._selections: Selections | None = None
        self._vocabularies = Vocabularies(os.environ)
        self._sites: Sites | None = None
        self._health: tuple[bool, str, str] | None = None
        self._states: tuple[CollectorState, ...] = ()
        self._events: deque[Any] = deque()

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
        self._monitors = Monitors(self._display)
        names = (BUS_PROPERTY, "RESOURCE_MANAGER")
        self._heeded = {self._windows.active_atom, self._windows.managed_atom, *(self._display.intern_atom(name) for name in names)}
        wanted, moves = ranges(grant.kinds), ranges_of_moves(grant.kinds)
        if wanted:
            self._stream = RecordStream(self._display, wanted)
            self._watches.append(HookWatch(self._display, self._stream, wanted, self._read().awake_ms))
        self._shaper = Shaper(grant, self._read())
        screen = Screen(self._display, self._windows, self._monitors)
        self._in_front = InFront(screen, self._shaper)
        self._input = Input(screen, self._in_front, self._shaper, self._read, self._pump_windows)
        if moves:
            stream = RecordStream(self._display, moves)
            self._input.moves = Moves(stream, Kind.POINTER_PATH in grant.kinds, self._shaper, self._monitors, self._read)
            self._watches.append(HookWatch(self._display, stream, moves, self._read().awake_ms))
        self._display.screen().root.change_attributes(event_mask=X.PropertyChangeMask | X.StructureNotifyMask)
        self._says_which = self._windows.says_which()
        if grant.kinds & _NEED_ACCESSIBILITY:
            self._bus_atom = self._display.intern_atom(BUS_PROPERTY)
            self._accessibility = Accessibility(
                self._read, self._shaper, window=self._in_front.where, told=self._told_bus, elements=Kind.ELEMENT in grant.kinds
            )
            self._accessibility.open()
        if Kind.CLIPBOARD in grant.kinds:
            self._selections = Selections(self._display, self._shares)
        if any(rule.hosts for rule in grant.surfaces):
            self._sites = Sites(self._read, self._shaper.pages, self._show_site)
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
        if kind in _NEED_ACCESSIBILITY and self._accessibility is not None and self._accessibility.trouble:
            return "degraded", self._accessibility.trouble
        if kind is Kind.CLIPBOARD and self._selections is not None and self._selections.trouble:
            return "dead", self._selections.trouble
        if kind in HOOKED_KINDS and self._watches:
            return "live", self._watches[0].doubt
        said = (self._windows.doubt, self._sites.why if self._sites else "")
        return "live", "; ".join(filter(None, said)) if kind is Kind.FOCUS else ""

    def sources(self) -> list[int]:
        """The X connections and the accessibility bus."""
        accessibility = self._accessibility.sources() if self._accessibility else []
        stream = [self._stream.fileno()] if self._stream else []
        moves = self._input.moves.sources() if self._input.moves else []
        sites = self._sites.sources() if self._sites else []
        return [self._display.fileno(), *stream, *moves, *accessibility, *sites]

    def due_ms(self) -> int | None:
        """When a moved window has settled, moves are to be read, or an answer about focus or page is overdue; at once if something was
        read and not handled yet, since nothing would wake us for it."""
        if self._events or self._display.display.event_queue:
            return 0
        parts = (self._in_front, *self._watches, self._selections, self._input.moves, self._accessibility, self._sites)
        dues_ms = [each.due_ms() for each in parts if each]
        return min((due_ms for due_ms in dues_ms if due_ms is not None), default=None)

    # --- what comes ----------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Windows first, so that an input is judged by what it met; then input; then what asking about it brought."""
        began_ms = self._read().awake_ms
        try:
            self._pump_windows()
            if self._accessibility:
                self._accessibility.pump()
            if self._sites:
                self._sites.pump()
            if self._stream:
                self._pump_input(self._stream)
            self._pump_windows()
            if self._selections and self._selections.pump(self._shaper, self._read):
                self._pump_windows()  # asking was a round trip
            self._in_front.settle(self._read())
        except _gone() as error:
            raise DisplayGoneError("the X server ended") from error
        self._shaper.read(began_ms, self._read().awake_ms)

    def _pump_input(self, stream: RecordStream) -> None:
        came = stream.read()
        for event in came.events:
            self._input.take(event)
        moved = self._input.pump_moves()
        now_ms = self._read().awake_ms
        for watch, heard in zip(self._watches, (came, moved), strict=False):  # each hook has to prove that it hears by itself
            watch.came(heard, now_ms)
            watch.turn(now_ms)

    def _pump_windows(self) -> None:
        for _ in range(MOST_READINGS):
            if not self._display.pending_events() and not self._events:
                break
            self._gather()
            for _ in range(len(self._events)):
                if self._events:
                    self._window_event(self._events.popleft())
                    self._gather()

    def _gather(self) -> None:
        """What has been read: asking the server anything reads all that it said before its answer."""
        for _ in range(len(self._display.display.event_queue)):
            event = self._display.next_event()
            if event.type != PROPERTY_NOTIFY or event.atom in self._heeded:
                self._events.append(event)
        if len(self._events) > MOST_EVENTS:
            if self._selections:
                self._selections.waits(self._events)
            self._thin()

    def _thin(self) -> None:
        """Of each sort and window only the last is left: what it is now is asked for anyway. And the first that said that something
        else is in front: what came there and went again is nobody's."""
        latest = {_sort_of(event): event for event in self._events}
        fronts = [event for event in self._events if event.type == PROPERTY_NOTIFY and event.atom == self._windows.active_atom]
        left = {id(event) for event in (*latest.values(), *fronts[:1])}
        self._events = deque(event for event in self._events if id(event) in left)

    def _window_event(self, event: Any) -> None:
        from Xlib import X

        if self._selections and self._selections.hear(event):
            return
        if self._monitors.hear(event):
            self._in_front.stirs(self._read().awake_ms)
        elif event.type == PROPERTY_NOTIFY:
            self._property_event(event)
        elif event.type == X.MappingNotify:
            self._input.forget_layout()
        elif event.type == X.DestroyNotify and self._windows.was_managed_by(event.window.id):
            self._says_which = False
            self._look_at_front(self._read())
        elif event.type == X.DestroyNotify:
            self._windows.forget(event.window.id)
        elif event.type == X.ReparentNotify:
            self._windows.reframe(event.window.id)
        elif event.type == X.ConfigureNotify and event.window.id == self._in_front.xid:
            self._in_front.stirs(self._read().awake_ms)
        else:
            for watch in self._watches:
                watch.woken(event.type, self._read().awake_ms)

    def _property_event(self, event: Any) -> None:
        if event.atom in (self._windows.active_atom, self._windows.managed_atom):
            self._says_which = (self._says_which and event.atom == self._windows.active_atom) or self._windows.says_which()
            self._look_at_front(clocks_of(event.time, self._read()), event.time)
        elif self._accessibility and event.atom == self._bus_atom:
            self._accessibility.changed()

    def _look_at_front(self, at: Clocks, server_ms: int | None = None) -> None:
        xid, known = self._windows.active() if self._says_which else (0, NOBODY)
        self._gather()
        if any(event.atom == self._windows.active_atom for event in self._events if event.type == PROPERTY_NOTIFY):
            self._in_front.passes(at)  # what we read is of a later instant, which is asked about next
            self._watch_site()
        elif self._in_front.comes(at, xid, known, server_ms):
            self._watch_fields()
            self._watch_site()

    def _show_site(self, rule: SurfaceRule | None) -> None:
        self._in_front.shows(self._read(), rule)
        self._watch_fields()

    def _watch_fields(self) -> None:
        front, known = self._in_front.front, self._in_front.known
        fields = front.window and not front.structure_only
        if self._accessibility:
            self._accessibility.watch(known.pid if fields else 0, self._vocabularies.of(self._in_front.identity) if fields else None)

    def _watch_site(self) -> None:
        if self._sites:
            self._sites.watch(self._in_front.known.identity)

    def _shares(self, owner: int) -> int:
        return self._windows.shares(owner, self._in_front.xid, self._in_front.front)

    def _told_bus(self) -> str:
        """Where the screen sends applications to for their accessibility."""
        answer = self._display.screen().root.get_full_property(self._bus_atom, ANY_PROPERTY_TYPE)
        value = b"" if answer is None else answer.value
        return value.decode("utf-8", "replace").rstrip("\0") if isinstance(value, bytes) else str(value)


def _sort_of(event: Any) -> tuple[int, int, int]:
    """What an event is about: its type, window and property."""
    return event.type, getattr(getattr(event, "window", None), "id", 0), getattr(event, "atom", 0)


def _connect() -> Any:
    """A connection that loads only the extensions that we use, and prints nothing."""
    from Xlib import display, ext

    ext.__extensions__ = [("RECORD", "record"), ("X-Resource", "res"), ("RANDR", "randr"), ("XFIXES", "xfixes")]
    connection = display.Display()
    connection.set_error_handler(lambda *_: None)  # requests on windows that are gone; the answers say so too
    return connection


def _gone() -> tuple[type[Exception], ...]:
    from Xlib import error

    return (error.ConnectionClosedError, error.DisplayError, error.XauthError, OSError)
