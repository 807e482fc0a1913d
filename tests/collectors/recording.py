"""A shaper that also writes down what it is told, as a trace: for tests and bench alone. The product has no writer of traces.

A back end makes its own shaper, so the recorder takes the place of the class, in the process of a test:
`monkeypatch.setattr(linux_x11, "Shaper", recording(lines))`, or `python -m tests.collectors.recorded` for the traces in this folder.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from agent import clock
from collectors.pipe import Grant
from collectors.raw import Button, Front, Geometry, Key, NoRole, Role, Went
from collectors.shape import Shaper
from collectors.trace import VERSION, AnyWord, Buttoned, Focused, Fronted, Heading, Keyed, Moved, Passed, Passing, Resolved, Unsettled
from consent.event import Clocks, FieldRole

NOT_WORDS = {"advance", "due_ms", "waiting", "pending", "take", "close", "recorded"}
"""What of a shaper the observer asks, and no back end says."""
NOT_YET = {"copied", "read"}
"""What a back end may say and a trace has no word for: the clipboard, and how long it was busy. Nor has it one for what
is said to parts of a shaper (choices of items, pages of browsers). `docs/trace.md` says so."""


def heading(grant: Grant) -> bytes:
    """The first line of a trace."""
    return msgspec.json.encode(Heading(VERSION, tuple(sorted(rule.surface for rule in grant.surfaces))))


def line(word: AnyWord) -> bytes:
    """A word as its line."""
    return msgspec.json.encode(word)


class Recorder(Shaper):
    """Writes each word to `to` before it passes it on; `read` is the clock of the words' own instants."""

    def __init__(self, grant: Grant, now: Clocks, to: Callable[[bytes], None], read: Callable[[], Clocks]) -> None:
        super().__init__(grant, now)
        self._begin, self._to, self._read = now, to, read
        to(heading(grant))

    def key(self, key: Key) -> None:
        self._say(Keyed(self._ms, replace(key, at=self._since(key.at))))
        super().key(key)

    def unsettled(self, at: Clocks, grab: bool = False) -> None:
        self._say(Unsettled(self._ms, self._since(at), grab))
        super().unsettled(at, grab)

    def button(self, button: Button) -> None:
        over_since_ms = max(button.over_since_ms - self._begin.awake_ms, 0)
        self._say(Buttoned(self._ms, replace(button, at=self._since(button.at), over_since_ms=over_since_ms)))
        super().button(button)

    def went(self, went: Went) -> None:
        points = tuple(replace(point, at=self._since(point.at)) for point in went.points)
        self._say(Passed(self._ms, replace(went, at=self._since(went.at), points=points)))
        super().went(went)

    def moved(self, n: int) -> None:
        if n:
            self._say(Moved(self._ms, n))
        super().moved(n)

    def front(self, at: Clocks, front: Front, geometry: Geometry | None = None) -> None:
        self._say(Fronted(self._ms, self._since(at), front, geometry))
        super().front(at, front, geometry)

    def passing(self, at: Clocks) -> None:
        self._say(Passing(self._ms, self._since(at)))
        super().passing(at)

    def focused(self, at: Clocks, role: Role = NoRole.UNKNOWN) -> None:
        self._say(Focused(self._ms, self._since(at), *_role(role)))
        super().focused(at, role)

    def role(self, at: Clocks, role: Role) -> None:
        self._say(Resolved(self._ms, self._since(at), *_role(role)))
        super().role(at, role)

    @property
    def _ms(self) -> int:
        return max(self._read().awake_ms - self._begin.awake_ms, 0)

    def _say(self, word: AnyWord) -> None:
        self._to(line(word))

    def _since(self, at: Clocks) -> Clocks:
        begin = self._begin
        return Clocks(max(at.awake_ms - begin.awake_ms, 0), max(at.boot_ms - begin.boot_ms, 0), max(at.wall_ms - begin.wall_ms, 0))


def recording(to: Callable[[bytes], None], read: Callable[[], Clocks] = clock.read) -> Callable[[Grant, Clocks], Recorder]:
    """What takes the place of `Shaper` in a back end."""
    return lambda grant, now: Recorder(grant, now, to, read)


def _role(role: Role) -> tuple[FieldRole | None, bool]:
    return (role if isinstance(role, FieldRole) else None), role is NoRole.SECURE
