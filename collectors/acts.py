"""An act that is still going on: a named key, a chord or a burst, and the raw inputs that it has so far. Pure.

An act is complete when it is closed and all its keys are up, or one second after its last input; typing is cut if it goes on for longer.
"""

from dataclasses import dataclass, field

from collectors.minimise import BIN_MS, cut_to_bin
from consent.event import AnyPayload, Bucket, Clocks, EndedBy, Event, FieldRole, TypingBurst
from consent.vocabulary import SurfaceId

IDLE_MS = 1_000
"""A pause in typing that ends a burst; and how long an act waits for a key that does not come up."""
CUT_MS, LONGEST_MS = 1_250, 1_500
"""Typing that goes on is cut by the next key after five bins, and told after six at the latest: with the 250 ms that a key is held
and what it takes to say it, at most 2 s of what was seen are in nobody's hands but the observer's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key went: the recorded surface, its window, the sort of field."""

    surface: SurfaceId
    window: int
    role: FieldRole


@dataclass(slots=True, eq=False)
class Act:
    """A named key or a chord.

    Attributes:
        last_ms: When its latest press or repeat was, on the awake clock.
        down: The running numbers of its keys that are down.
        n: Its raw inputs so far.
    """

    at: Clocks
    place: Place
    last_ms: int
    payload: AnyPayload | None = None
    n: int = 0
    closed: bool = True
    down: set[int] = field(default_factory=set)

    def repeated(self, at_ms: int, correction: bool) -> None:  # noqa: ARG002  (a burst asks)
        """A key of it repeated."""
        self.last_ms = max(at_ms, self.last_ms)

    def finished(self) -> AnyPayload | None:
        """What happened; None while it is not closed."""
        return self.payload

    def event(self, generation: int) -> Event | None:
        """The event, once the act is closed."""
        payload = self.finished()
        if payload is None:
            return None
        return Event(self.place.surface, self.place.window, self.told_at(), generation, self.n, payload)

    def due_ms(self) -> int:
        """When it is told at the latest, complete or not, on the awake clock."""
        return self.last_ms + IDLE_MS

    def told_at(self) -> Clocks:
        """The instant that the event tells."""
        return self.at


@dataclass(slots=True, eq=False)
class Burst(Act):
    """Typing: how much, never what. Knows the time of its first and of its latest key, and of none in between."""

    closed: bool = False
    keys: int = 0
    corrections: int = 0
    ended_by: EndedBy = EndedBy.IDLE

    def typed(self, at_ms: int, correction: bool) -> None:
        """One more key, or one more repeat of it."""
        self.last_ms = max(at_ms, self.last_ms)
        if correction:
            self.corrections += 1
        else:
            self.keys += 1

    def repeated(self, at_ms: int, correction: bool) -> None:
        """A repeat is one more key, unless the burst has ended."""
        if not self.closed:
            self.typed(at_ms, correction)

    def goes_on_too_long(self, at_ms: int) -> bool:
        """Whether a key at this instant begins another burst."""
        return at_ms - self.at.awake_ms >= CUT_MS

    def end(self, by: EndedBy) -> None:
        """Nothing more is typed in it; it may still wait for keys to come up."""
        if not self.closed:
            self.closed, self.ended_by = True, by

    def finished(self) -> AnyPayload | None:
        """The payload: bins and buckets."""
        if not self.closed:
            return None
        bins = self.last_ms // BIN_MS - self.at.awake_ms // BIN_MS + 1
        return TypingBurst(bins, Bucket.of(self.keys), Bucket.of(self.corrections), self.ended_by, self.place.role)

    def due_ms(self) -> int:
        """After a second without a key, or when it has gone on for long enough."""
        return min(self.last_ms + IDLE_MS, self.at.awake_ms + LONGEST_MS)

    def told_at(self) -> Clocks:
        """The beginning of its first bin."""
        return cut_to_bin(self.at)
