"""What a browser's tree of accessible objects says of its window in front: which document it shows, and whether it is a private window.

Asks for roles, states, boxes, ids of its own interface, and of one document for its address, which is reduced to a site at once and
kept nowhere (`collectors.sites`). It never asks for names, texts or values. Whatever is missing or in doubt: no site.

Read live of Firefox 153 (ESR): its frame *embeds* the document of the selected tab. Each navigation makes another document object. The
button of Firefox View stands in no private window, also not where the whole profile is private (`tabs.css`: `:root[privatebrowsingmode]`).
Chromium's documents give no address at all.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from collectors.backends.bus import Answer, Target, call
from collectors.pipe import SurfaceRule
from collectors.sites import Browser

OLDEST = 153
"""Of Firefox: older ones show the button of Firefox View in a window of a profile that is private as a whole."""
BESIDE_PIXELS = 80
"""A page that leaves more of its window's width to something else has something beside it: another page, or a sidebar with one."""
_ACCESSIBLE, _APPLICATION, _DOCUMENT = (f"org.a11y.atspi.{name}" for name in ("Accessible", "Application", "Document"))
_PROPERTIES = "org.freedesktop.DBus.Properties"
_ROOT = "/org/a11y/atspi/accessible/root"
_ACTIVE, _BUSY, _SHOWING = 1, 3, 25
_EMBEDS = 13
_TOOL_BAR, _DOCUMENT_WEB = 63, 95
_OF_NORMAL_WINDOWS = "firefox-view-button"
_OF_PRIVATE_WINDOWS = "private-browsing-indicator"
_MOST_CHILDREN = 128

Asking = Generator[Any, Answer, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The document that a window shows.

    Attributes:
        rule: The site that it is of; None: of none that is listed, or its address says none.
        going: It goes, or does not quite show yet: a navigation.
    """

    document: Target
    rule: SurfaceRule | None
    going: bool = False


class NoPage(Enum):
    """Why no page can be told of. UNTOLD: the window shows none that counts. COMING: it shows none yet."""

    UNTOLD = auto()
    COMING = auto()


class Documents:
    """What was learnt of one browser process; nothing in it changes as long as the process lives.

    Attributes:
        why: What keeps its sites from being told apart, for people; empty if nothing is known to.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._normal: dict[Target, bool] = {}
        self._idle: Target | None = None
        self._knows: bool | None = None
        self.why = ""

    def in_front(self, name: str) -> Asking:
        """The page in the window in front, of the application with this bus name; or why there is none."""
        if self._knows is None:
            self._knows = yield from self._is_known_kind(name)
        if not self._knows:
            return NoPage.UNTOLD
        frame = yield from _active_frame(name)
        if frame is None or not (yield from self._is_normal(frame)):
            return NoPage.UNTOLD
        shown = yield from _shown(frame)
        return shown if isinstance(shown, NoPage) else (yield from self._page_of(shown))

    def _is_known_kind(self, name: str) -> Asking:
        toolkit = yield _property((name, _ROOT), "ToolkitName")
        version = yield _property((name, _ROOT), "Version")
        if toolkit is None or version is None:
            return None
        if toolkit[0][1] != "Gecko":
            self.why = "this browser does not say which page it shows"
            return False
        first = str(version[0][1]).split(".", maxsplit=1)[0]
        if not first.isdecimal() or int(first) < OLDEST:
            self.why = f"a Firefox before {OLDEST} does not say which windows are private"
            return False
        return True

    def _is_normal(self, frame: Target) -> Asking:
        """Whether it is surely no private window: looked up until it is sure, which it stays."""
        if frame not in self._normal:
            normal = yield from _has_its_button(frame)
            if normal is None:
                return False
            self._normal[frame] = normal
        return self._normal[frame]

    def _page_of(self, document: Target) -> Asking:
        """While a document that was whole is busy, another one is on its way.

        The address is asked for each time: Firefox answers with that of the page that its tab has come to, which the document may not
        have noticed yet.
        """
        states = yield from _states(document)
        address = yield call(document, _DOCUMENT, "GetAttributeValue", "s", ("DocURL",))
        if address is None:
            return NoPage.UNTOLD
        was_idle, busy = self._idle == document, bool(states >> _BUSY & 1)
        going = not states >> _SHOWING & 1 or (was_idle and busy)
        if not going:
            self._idle = document if not busy else None
        return Page(document, self._browser.rule_of(address[0]), going)


def _property(target: Target, name: str) -> Any:
    return call(target, _PROPERTIES, "Get", "ss", (_APPLICATION, name))


def _children(parent: Target) -> Asking:
    answer = yield call(parent, _ACCESSIBLE, "GetChildren")
    found = [] if answer is None else [(str(name), str(path)) for name, path in answer[0]]
    return [one for one in found if not one[1].endswith("/null")][:_MOST_CHILDREN]


def _states(target: Target) -> Asking:
    answer = yield call(target, _ACCESSIBLE, "GetState")
    return 0 if answer is None else answer[0][0] | answer[0][1] << 32


def _active_frame(name: str) -> Asking:
    """The one window of the application that is active; None if there is another number of them."""
    active = []
    for frame in (yield from _children((name, _ROOT))):
        if (yield from _states(frame)) >> _ACTIVE & 1:
            active.append(frame)
    return active[0] if len(active) == 1 else None


def _shown(frame: Target) -> Asking:
    """The one document that the window embeds, if it has the window's width to itself; or a NoPage."""
    answer = yield call(frame, _ACCESSIBLE, "GetRelationSet")
    if answer is None:
        return NoPage.UNTOLD
    embedded = [one for relation, targets in answer[0] if relation == _EMBEDS for one in targets]
    if len(embedded) != 1:
        return NoPage.UNTOLD if embedded else NoPage.COMING
    document = (str(embedded[0][0]), str(embedded[0][1]))
    role = yield call(document, _ACCESSIBLE, "GetRole")
    whole, page = (yield from _width(frame)), (yield from _width(document))
    if role is None or role[0] != _DOCUMENT_WEB or page <= 0:
        return NoPage.COMING
    return document if 0 < whole <= page + BESIDE_PIXELS else NoPage.UNTOLD


def _width(target: Target) -> Asking:
    answer = yield call(target, "org.a11y.atspi.Component", "GetExtents", "u", (0,))
    return 0 if answer is None else answer[0][2]


def _has_its_button(frame: Target) -> Asking:
    """Whether the window has what only a normal one has; False: it has what only a private one has; None: neither."""
    normal = None
    for bar in (yield from _children(frame)):
        role = yield call(bar, _ACCESSIBLE, "GetRole")
        for part in (yield from _children(bar)) if role is not None and role[0] == _TOOL_BAR else ():
            attributes = yield call(part, _ACCESSIBLE, "GetAttributes")
            if attributes is None:
                return None
            if _OF_PRIVATE_WINDOWS in attributes[0].get("class", ""):
                return False
            normal = normal or attributes[0].get("id") == _OF_NORMAL_WINDOWS or None
    return normal
