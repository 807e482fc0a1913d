"""Who owns the clipboard, in which forms it is offered, and how large it is (XFixes). Its content never comes in here.

The owner is asked to put a form on a window of ours, and the server is asked for the length of what lies there: a GetProperty of length 0.
Read is only the list of forms, which are numbers, and only what the server itself calls a list of those. The window goes at once.
Only the owner that belongs to the recorded window in front is asked for anything; the primary selection is not looked at.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from collectors.backends.x11_time import clocks_of
from collectors.clipboard import ANSWER_MS, FORMS, MEASURED, SECRETS, Offer, kinds_of
from collectors.collector import Clock
from collectors.shape import Shaper
from consent.words import SizeBucket

MOST_FORMS = 256
"""Forms of an offer that are looked at. LibreOffice offers 40; if there are more, what the others are is not known, and nothing is told."""
LATEST_MS = ANSWER_MS - 100
"""How long an owner may take to answer: not longer than it is waited for."""
MOST_CHANGES = 100
"""New owners that may be waiting at once. A program that takes the clipboard in a loop makes more in a second than can be read, and every
answer of the server would wait behind them."""
DEAF_MS = 1_000
"""How long the server is then not listened to about the clipboard; nothing is told of copies, and a paste has no forms."""
NOT_THERE = "the X server does not tell when something is copied (XFIXES is missing)"
_EXTENSION = "XFIXES"
_ALL_CHANGES, _NONE = 7, 0
"""Another owner, its window destroyed, its connection closed."""
_ATOM, _ATOM_BITS, _ANY_TYPE = 4, 32, 0


@dataclass(slots=True)
class _Asking:
    """An owner that is being asked, through a window of its own."""

    offer: Offer
    time: int
    window: Any
    measuring: bool = False


class Selections:
    """The clipboard of one display.

    Args:
        display: Its events are to be handed over by `hear`.
        whose: The number of the recorded window in front, of which it may be told, if that X window is of its process; else 0.
    """

    def __init__(self, display: Any, whose: Callable[[int], int]) -> None:
        self._display, self._whose = display, whose
        self._root = display.screen().root
        self._asking: _Asking | None = None
        self._heard: deque[Any] = deque()
        self._deaf = False
        self._listens_ms: int | None = None
        self.trouble = "" if display.has_extension(_EXTENSION) else NOT_THERE
        if self.trouble:
            return
        display.xfixes_query_version()
        names = ("CLIPBOARD", "TARGETS", "INCR", "_VOLENS_SIZE")
        self._clipboard, self._targets, self._incr, self._property = (display.intern_atom(name) for name in names)
        self._names = {display.intern_atom(name): name for name in (*FORMS, *SECRETS)}
        self._atoms = {name: atom for atom, name in self._names.items()}
        self._listen(_ALL_CHANGES)
        display.sync()

    def hear(self, event: Any) -> bool:
        """Takes an event, if it is about selections."""
        from Xlib import X
        from Xlib.ext.xfixes import SelectionNotify

        if isinstance(event, SelectionNotify):
            if self._heard and isinstance(self._heard[-1], SelectionNotify):
                self._heard.pop()  # nothing was asked of that owner, and nothing is there to be pasted
            self._heard.append(event)
        elif event.type != X.SelectionNotify:
            return False
        elif self._asking and event.requestor.id == self._asking.window.id:  # anybody can send us one
            self._heard.append(event)
        return True

    def waits(self, events: Iterable[Any]) -> None:
        """These are waiting to be heard. If too many are of the clipboard, no more are asked for, for a second."""
        from Xlib.ext.xfixes import SelectionNotify

        if not self._deaf and sum(isinstance(event, SelectionNotify) for event in events) > MOST_CHANGES:
            self._deaf = True
            self._listen(_NONE)

    def due_ms(self) -> int | None:
        """When `pump` has something to do by itself: now (0), or when it is listened again."""
        return 0 if self._heard or (self._deaf and self._listens_ms is None) else self._listens_ms

    def pump(self, shaper: Shaper, read: Clock) -> bool:
        """Does what was heard of: a new owner, or an answer. Says whether there was something: then the server was asked.

        To be called when the keys that came before are with the shaper.
        """
        self._end_deafness(shaper, read)
        asking = self._asking
        late = asking is not None and read().awake_ms - asking.offer.at.awake_ms > LATEST_MS
        if not self._heard and not late:  # as nearly always: it is asked after every input
            return False
        from Xlib.ext.xfixes import SelectionNotify

        heard, self._heard = self._heard, deque()
        for event in heard:
            if isinstance(event, SelectionNotify):
                self._changed(event, shaper, read)
            elif self._asking and event.requestor.id == self._asking.window.id:
                self._heed(self._asking, event)
        if late and self._asking is asking:
            self._forget()
        self._display.flush()
        return bool(heard)

    def _listen(self, changes: int) -> None:
        self._display.xfixes_select_selection_input(self._root, self._clipboard, changes)
        self._display.flush()

    def _end_deafness(self, shaper: Shaper, read: Clock) -> None:
        if not self._deaf:
            return
        now = read()
        if self._listens_ms is None:
            self._listens_ms = now.awake_ms + DEAF_MS
        elif now.awake_ms >= self._listens_ms:
            self._deaf, self._listens_ms = False, None
            self._listen(_ALL_CHANGES)
        else:
            return
        self._forget()
        shaper.copied(Offer(now, done=True))  # whatever is there now, it is not what we know of

    def _changed(self, event: Any, shaper: Shaper, read: Clock) -> None:
        """Another owner, or none any more."""
        self._forget()
        owner = int(event.owner.id) if event.sub_code == 0 and event.owner else 0
        offer = Offer(clocks_of(event.timestamp, read()), self._whose(owner) if owner else 0)
        shaper.copied(offer)
        if offer.window:
            window = self._root.create_window(-1, -1, 1, 1, 0, 0, window_class=2)  # InputOnly: nothing to see, properties to have
            self._asking = _Asking(offer, event.timestamp, window)
            self._ask(self._asking, self._targets)

    def _ask(self, asking: _Asking, target: int) -> None:
        asking.window.convert_selection(self._clipboard, target, self._property, asking.time)

    def _heed(self, asking: _Asking, event: Any) -> None:
        from Xlib.error import XError

        try:
            self._answered(asking, event)
        except XError:  # anybody can destroy our window
            self._forget()

    def _answered(self, asking: _Asking, event: Any) -> None:
        if not event.property:
            self._forget()
        elif asking.measuring:
            asking.offer.size = self._size(asking.window)
            self._forget()
        else:
            form = self._forms(asking.window, asking.offer)
            asking.window.delete_property(self._property)
            if form is None:
                self._forget()
            else:
                asking.measuring = True
                self._ask(asking, form)

    def _forms(self, window: Any, offer: Offer) -> int | None:
        """Notes what is offered. Returns the form to be measured, if one is."""
        answer = window.get_property(self._property, _ANY_TYPE, 0, 0)
        if answer is None or (answer.property_type, answer.format) != (_ATOM, _ATOM_BITS) or answer.bytes_after > 4 * MOST_FORMS:
            return None
        answer = window.get_property(self._property, _ATOM, 0, MOST_FORMS)
        listed = answer.value if answer is not None and isinstance(answer.value, array) else ()
        forms = [self._names.get(atom, "") for atom in listed if atom != self._targets]
        offer.kinds = kinds_of(forms)
        return next((self._atoms[form] for form in MEASURED if form in forms), None) if offer.kinds else None

    def _size(self, window: Any) -> SizeBucket:
        """How large what lies there is, by its length alone. What comes in pieces is measured by what is there: more than one piece."""
        answer = window.get_property(self._property, _ANY_TYPE, 0, 0)
        if answer is None:
            return SizeBucket.UNKNOWN
        return SizeBucket.MORE if answer.property_type == self._incr else SizeBucket.of(answer.bytes_after)

    def _forget(self) -> None:
        """The window goes, and what lies on it; an owner that would send more pieces has nowhere to send them."""
        if self._asking:
            self._asking.offer.done = True
            self._asking.window.destroy()
            self._asking = None
