"""Somebody who works in the allowed editor without a pause, and what may be kept of it.

Every click is at a place where no other ever was, so that each kept one is known again. The test says when it was *dark*: when nothing
may be captured. An event of a dark stretch is found twice: by its own instant, and by where the click was, whatever instant it claims.
"""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Self

from agent import clock
from agent.demo.acts import EDITOR, TAKES_IN_S
from agent.demo.clock import rest
from consent.event import Event, Gap, KeyChord, KeyNamed, PointerButton, TypingBurst
from tests.agent.life import Desk

DARK_KEY, DARK_TRIGGER = "page_up", "a"
"""Pressed only while it is dark; characters are never recorded, so these stand for what is typed."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_EDGE_MS = 5
"""The X server's clock and ours are matched to some milliseconds."""
_BIN_MS = 250
"""A burst's instant is rounded to its bin."""


@dataclass(frozen=True)
class Click:
    """Where it was in the window, and between which instants (boot_ms)."""

    x: int
    y: int
    before_ms: int
    after_ms: int


@dataclass
class Work:
    """A thread at the keyboard and the mouse, while the block runs. `hands` is held for each act: others may act between."""

    desk: Desk
    rng: random.Random
    hands: threading.RLock = field(default_factory=threading.RLock)
    clicks: list[Click] = field(default_factory=list)
    dark: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        places = list(product(range(30, 560, 2), range(80, 520, 2)))
        self.rng.shuffle(places)
        self._places = iter(places)
        self._over = threading.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> Self:
        self.desk.person.focus(self.desk.acts.editor, EDITOR)
        rest(TAKES_IN_S)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _go(self) -> None:
        own = random.Random(self.rng.random())
        try:
            while not self._over.is_set():
                self.act(own)
        except Exception as fault:
            self._fault = fault

    def act(self, rng: random.Random) -> None:
        """Some letters, a key, a chord or a click."""
        with self.hands:
            match rng.randrange(6):
                case 0 | 1:
                    self.desk.person.type("".join(rng.choices(_LETTERS, k=rng.randrange(1, 4))))
                case 2:
                    self.desk.person.key(rng.choice(["down", "up", "enter", "left"]))
                case 3:
                    self.desk.person.chord(["ctrl"], "c")
                case _:
                    self.click()
        rest(0.001)  # a lock that is taken again at once is nobody else's

    def click(self) -> None:
        """A click where none was before."""
        x, y = next(self._places)
        editor = self.desk.acts.editor
        with self.hands:
            before_ms = clock.read().boot_ms
            self.desk.person.click(editor.x + x, editor.y + y)
            self.clicks.append(Click(x, y, before_ms, clock.read().boot_ms))

    def mark(self) -> None:
        """The keys that are pressed only in the dark, and a click."""
        with self.hands:
            self.desk.person.key(DARK_KEY)
            self.desk.person.chord(["ctrl"], DARK_TRIGGER)
            self.click()

    @contextmanager
    def darkness(self) -> Iterator[Callable[[], None]]:
        """From here on nothing may be captured, until the block ends; or until the last call of what it is given."""
        since_ms = clock.read().boot_ms
        last: list[int] = []
        yield lambda: last.append(clock.read().boot_ms)
        self.dark.append((since_ms, last[-1] if last else clock.read().boot_ms))

    def dark_clicks(self) -> set[tuple[int, int]]:
        """Where the clicks were that lie wholly in the dark."""
        return {
            (one.x, one.y) for one in self.clicks if any(since <= one.before_ms and one.after_ms <= until for since, until in self.dark)
        }

    def check(self, events: Iterable[Event]) -> int:
        """Fail if one of these is of a dark stretch; how many clicks there are of others."""
        forbidden, all_clicks, clicks = self.dark_clicks(), {(one.x, one.y) for one in self.clicks}, 0
        for event in events:
            assert not self._in_the_dark(event), f"captured in the dark: {type(event.payload).__name__} at {event.at.boot_ms}"
            match event.payload:
                case PointerButton(x, y):
                    assert (x, y) in all_clicks, "a click that nobody made"
                    assert (x, y) not in forbidden, f"a click in the dark was kept: {x}, {y}"
                    clicks += 1
                case KeyNamed(key):
                    assert key != DARK_KEY, "a key that was pressed only in the dark was kept"
                case KeyChord(_, trigger):
                    assert trigger != DARK_TRIGGER, "a chord that was pressed only in the dark was kept"
        return clicks

    def _in_the_dark(self, event: Event) -> bool:
        if isinstance(event.payload, Gap):
            return False  # its clocks say no more than the minute
        at_ms = event.at.boot_ms + (_BIN_MS if isinstance(event.payload, TypingBurst) else 0)
        return any(since + _EDGE_MS < at_ms < until - _EDGE_MS for since, until in self.dark)
