"""A Firefox on an accessibility bus, of the test's own: it answers from a table, and its bus answers when it is told to."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jeepney import HeaderFields

from collectors.backends.bus import BusGoneError, Heard, Steps

PATH, PID, NAME = "/usr/lib/firefox-esr/firefox-esr", 100, ":1.7"
ROOT = "/org/a11y/atspi/accessible/root"
FORGE, WIKI = "https://forge.example.org/secret?token=1", "https://wiki.example.org/"
ACTIVE, BUSY, SHOWING = 1 << 1, 1 << 3, 1 << 25
TAB, ENTRY = 37, 79


@dataclass
class Window:
    """A window of the browser: what it shows."""

    address: str = FORGE
    document: str = "/doc/1"
    beside: int = 0
    busy: bool = False
    active: bool = True
    part: tuple[str, str] = ("id", "firefox-view-button")
    shows: int = 1


@dataclass
class Browser:
    """Firefox on the bus. `silent`: members that it answers with an error; `hears`: what was asked of it."""

    windows: dict[str, Window] = field(default_factory=lambda: {"/frame/1": Window()})
    toolkit: str = "Gecko"
    version: str = "153.7.0"
    silent: set[str] = field(default_factory=set)
    hears: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, member: str, path: str, body: tuple[Any, ...]) -> tuple | None:
        self.hears.append((member, path))
        if member in self.silent:
            return None
        made = getattr(self, f"_{member}", None)
        return made(path, body or ()) if made else ()

    def _of(self, document: str) -> Window:
        return next(window for window in self.windows.values() if document in (window.document, f"{window.document}/other"))

    def _GetAddress(self, *_: object) -> tuple:
        return ("unix:path=/a11y",)

    def _GetChildren(self, path: str, _: object) -> tuple:
        if path == ROOT:
            return ([(NAME, ROOT)],) if self.hears[-1][0] and not self._asked_apps() else ([(NAME, each) for each in self.windows],)
        if path in self.windows:
            return ([(NAME, f"{path}/menu"), (NAME, f"{path}/bar")],)
        return ([(NAME, f"{path}/part")],)

    def _asked_apps(self) -> bool:
        return sum(each == ("GetChildren", ROOT) for each in self.hears) > 1

    def _GetConnectionUnixProcessID(self, *_: object) -> tuple:
        return (PID,)

    def _Get(self, _: str, body: tuple) -> tuple:
        return (("s", self.toolkit if body[1] == "ToolkitName" else self.version),)

    def _GetState(self, path: str, _: object) -> tuple:
        if path in self.windows:
            return ([ACTIVE if self.windows[path].active else 0, 0],)
        return ([SHOWING | (BUSY if self._of(path).busy else 0), 0],)

    def _GetRole(self, path: str, _: object) -> tuple:
        roles = {"/tab": TAB, "/bar": 63, "/menu": 33}
        named = [role for end, role in roles.items() if path.endswith(end)]
        return (ENTRY if path.startswith("/entry") else named[0] if named else 95,)

    def _GetAttributes(self, path: str, _: object) -> tuple:
        return (dict([self.windows[path.removesuffix("/bar/part")].part]),)

    def _GetRelationSet(self, path: str, _: object) -> tuple:
        window = self.windows[path]
        documents = [(NAME, window.document), (NAME, f"{window.document}/other")][: window.shows]
        return ([(7, [(NAME, ROOT)]), (13, documents)] if documents else [(7, [(NAME, ROOT)])],)

    def _GetExtents(self, path: str, _: object) -> tuple:
        return ((0, 0, 1280 if path in self.windows else 1280 - self._of(path).beside, 700),)

    def _GetAttributeValue(self, path: str, body: tuple) -> tuple:
        assert body == ("DocURL",)
        return (self._of(path).address,)


class SlowBus:
    """Answers at once, unless `held`; of the object `stuck` never."""

    def __init__(self, browser: Browser, heard: Heard) -> None:
        self.browser, self.heard, self.held, self.gone = browser, heard, False, False
        self.behind = False
        self.stuck = ""
        self.waiting: deque[tuple[Steps, Any]] = deque()

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        self.gone = True

    def pump(self) -> None:
        if self.gone:
            raise BusGoneError("closed the connection")
        while not self.held and any(message.header.fields[HeaderFields.path] != self.stuck for _, message in self.waiting):
            self.one(self.stuck)
        if self.gone:  # what was answered made us hang up
            raise BusGoneError("closed the connection")

    def run(self, steps: Steps) -> None:
        if self.gone:
            raise BusGoneError("closed the connection")
        self._go(lambda: next(steps), steps)
        if not self.held:
            self.pump()

    def one(self, but: str = "") -> None:
        """Answer the oldest question, of those that are not about this object."""
        at = next(at for at, (_, message) in enumerate(self.waiting) if message.header.fields[HeaderFields.path] != but)
        steps, message = self.waiting[at]
        del self.waiting[at]
        fields = message.header.fields
        answer = self.browser.answer(fields[HeaderFields.member], fields[HeaderFields.path], message.body)
        self._go(lambda: steps.send(answer), steps)

    def _go(self, step: Callable[[], Any], steps: Steps) -> None:
        try:
            self.waiting.append((steps, step()))
        except StopIteration:
            return
