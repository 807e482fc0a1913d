"""The collector that plays a recorded trace to the same shaper, for tests, bench and simulations without a screen. It hooks nothing.

Its clock, `read`, only moves when it is pumped, never past what has not been told yet, and the shaper is advanced at its own due
times on the way. So what comes out is a function of the trace, the grant and the first instant alone, whatever the pace and
however busy the machine. `collectors.pick` never chooses it: tests start an observer with it (`tests/replayed.py`).
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from collectors.collector import Clock
from collectors.minimise import BIN_MS
from collectors.pipe import CollectorState, Grant, SurfaceRule
from collectors.raw import Front
from collectors.shape import Shaper
from collectors.trace import AnyWord, Buttoned, Focused, Fronted, Keyed, Moved, Passed, Resolved, Trace, Unsettled, after, say
from consent.event import Clocks
from consent.vocabulary import KEY_KINDS, Kind, SurfaceId

ENOUGH_EVENTS = 400
"""As many as fit a message: one pump stops at them, so that they are said before more come."""
UNREAD_EVENTS = 2_500
"""Half of what the shaper lets wait: nothing more is played until the daemon has read some."""
UNREAD_MS = 20
BUTTON_KINDS = frozenset({Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.POINTER_PATH})


class Replay:
    """See `collectors.collector.Collector`. An observer must use `read` as its clock.

    Args:
        trace: What is played.
        real: The clocks of this machine.
        pace: How many times as fast as it was recorded; None: as fast as the daemon reads.
    """

    def __init__(self, trace: Trace, real: Clock, pace: float | None = 1.0) -> None:
        self._trace, self._real, self._pace = trace, real, pace
        self._begin = self._since = real()
        self._ms = 0
        self._early_ms: int | None = None

    def read(self) -> Clocks:
        """The three clocks, where the trace is now; after its end they go on."""
        return after(self._begin, Clocks(self._ms, self._ms, self._ms))

    def hook(self, grant: Grant) -> Shaper:
        """Nothing is hooked. The trace begins at the beginning of a bin, so that bursts have the same bins every time."""
        self._kinds = grant.kinds
        self._words = granted(self._trace, grant)
        self._next = next(self._words, None)
        self._since = self._real()
        ahead_ms = -self._since.awake_ms % BIN_MS
        self._begin = after(self._since, Clocks(ahead_ms, ahead_ms, ahead_ms))
        self._shaper = Shaper(grant, self._begin)
        return self._shaper

    def states(self) -> tuple[CollectorState, ...]:
        """All live: a list cannot fail."""
        return tuple(CollectorState(kind, "live") for kind in sorted(self._kinds))

    def sources(self) -> list[int]:
        """There is nothing to wait for."""
        return []

    def due_ms(self) -> int | None:
        """When there is something to play; None at the end."""
        step_ms, now_ms = self._step_ms(), self.read().awake_ms
        if step_ms is None:
            return None
        if self._shaper.waiting()[0] >= UNREAD_EVENTS:
            return now_ms + UNREAD_MS
        left_ms = 0 if self._pace is None else math.ceil(step_ms / self._pace) - self._real_ms()
        return now_ms + max(left_ms, 0)

    def pump(self) -> None:
        """Play what is due."""
        step_ms, played = self._step_ms(), False
        while step_ms is not None and step_ms <= self._reach_ms(step_ms):
            events, _ = self._shaper.waiting()
            if events >= UNREAD_EVENTS or (played and events >= ENOUGH_EVENTS):
                break
            self._play(step_ms)
            step_ms, played = self._step_ms(), True
        if step_ms is None and self._early_ms is None:  # played to its end, and so much sooner than it took
            self._early_ms = self._ms - self._real_ms() if self._pace is None else 0
        self._ms = max(self._ms, self._reach_ms(step_ms))

    def _play(self, step_ms: int) -> None:
        """What is due at one instant: first what is known without its words, then those."""
        self._ms = max(self._ms, step_ms)
        self._shaper.advance(self.read())
        while self._next is not None and self._next.ms <= self._ms:
            say(self._next, self._shaper, self._begin)
            self._next = next(self._words, None)

    def _step_ms(self) -> int | None:
        """The next instant at which a word is said or the shaper has something to do, in the trace's time."""
        due_ms = self._shaper.due_ms()
        steps_ms = [] if due_ms is None else [due_ms - self._begin.awake_ms]
        if self._next is not None:
            steps_ms.append(self._next.ms)
        return min(steps_ms, default=None)

    def _reach_ms(self, step_ms: int | None) -> int:
        """Up to where the trace may be by now: never past its next step, and after its end as time goes."""
        if self._pace is None and step_ms is not None:
            return step_ms
        reach_ms = int(self._real_ms() * (self._pace or 1.0)) + (self._early_ms or 0)
        return reach_ms if step_ms is None else min(reach_ms, step_ms)

    def _real_ms(self) -> int:
        return self._real().awake_ms - self._since.awake_ms


def granted(trace: Trace, grant: Grant) -> Iterator[AnyWord]:
    """What a back end that hooks only what is granted would have said; a surface that is not granted is any other window."""
    rules = {rule.surface: rule for rule in grant.surfaces}
    windows = {window for window, surface in trace.windows.items() if surface in rules}
    looks = Kind.POINTER_PATH in grant.kinds
    for word in trace.words:
        match word:
            case Keyed() | Unsettled():
                wanted = grant.kinds & KEY_KINDS - {Kind.SECURE_INPUT}
            case Focused() | Resolved():
                wanted = grant.kinds & KEY_KINDS
            case Buttoned() | Moved() | Passed():
                wanted = grant.kinds & BUTTON_KINDS
            case _:
                wanted = grant.kinds
        if wanted:
            yield Moved(word.ms, word.went.n) if isinstance(word, Passed) and not looks else _as_granted(word, rules, windows)


def _as_granted(word: AnyWord, rules: Mapping[SurfaceId, SurfaceRule], windows: Collection[int]) -> AnyWord:
    if isinstance(word, Buttoned) and word.button.window not in windows:
        return Buttoned(word.ms, replace(word.button, window=0, x=0, y=0))
    if isinstance(word, Fronted) and word.front.surface is not None:
        rule = rules.get(word.front.surface)
        if rule is None:
            return Fronted(word.ms, word.at, Front(own=word.front.own), None)
        structure_only = word.front.structure_only or rule.structure_only
        return Fronted(word.ms, word.at, replace(word.front, structure_only=structure_only), word.geometry)
    return word
