"""What every back end must do, as one suite: a back end's tests inherit `Contract` and say how it is put in its place (`Bed`).

In the manner of keyring's BackendBasicTests. A back end for another system adds a bed, and nothing here.
"""

import os
import select
import signal
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import pytest

from agent.demo.canaries import Canary, Net
from agent.demo.clock import elapsed_s
from collectors.collector import Collector
from collectors.errors import CollectorError
from collectors.pipe import CollectorState, Grant, Observed, SurfaceRule, encode
from collectors.shape import Shaper
from consent.event import Event
from consent.vocabulary import KEY_KINDS, Blocker, Kind, Why

ALL = frozenset(Kind)
ACTS = frozenset({Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST})
SEEN_BY_KEYS = KEY_KINDS - {Kind.SECURE_INPUT}
SEEN_BY_BUTTONS = frozenset(kind for kind in Kind if kind.value.startswith("pointer_"))
GRANTS = [
    frozenset({Kind.FOCUS, Kind.GAP, Kind.CONTROL}),
    frozenset({Kind.POINTER_BUTTON, Kind.FOCUS}),
    frozenset({Kind.KEY_NAMED, Kind.TYPING_BURST}),
    frozenset({Kind.SECURE_INPUT}),
    ALL,
]
PATIENCE_S = 20.0
LULL_S = 0.2
"""In which nothing new is told, and nothing is open, when all has been told."""


@dataclass
class Work:
    """What was done in front of a back end.

    Attributes:
        keys, buttons: Raw inputs of the keyboard; of buttons and plain moves.
        typed: What must be nowhere.
        codes: The keycode of each of its characters, where there is one.
    """

    keys: int
    buttons: int
    typed: tuple[Canary, ...] = ()
    codes: dict[str, int] = field(default_factory=dict)


class Bed(ABC):
    """A back end in its place, and hands in front of it.

    Attributes:
        rules: Surfaces that may be granted here.
        acts: The kinds of which an event comes of what is done here, with all granted.
    """

    rules: tuple[SurfaceRule, ...] = ()
    acts: frozenset[Kind] = ACTS

    @abstractmethod
    def collector(self) -> Collector:
        """A fresh one, not hooked."""

    @abstractmethod
    def hooks(self) -> int:
        """How many hooks there are, by the account of somebody else than the back end."""

    @abstractmethod
    def work(self, turn: Callable[[], None]) -> Work:
        """Do something of each sort in the window of a granted surface; `turn` lets the back end look meanwhile."""

    def act(self, watch: "Watch") -> int:
        """After the work: whatever else the kinds of `acts` need, step by step, each waited for; how many raw inputs that was."""
        return 0

    @abstractmethod
    def process(self, grant: Grant) -> AbstractContextManager[int]:
        """An observer with this back end as a process of its own, hooked; its id."""

    @abstractmethod
    def settle(self, watch: "Watch") -> None:
        """Return when the work may begin: what has the focus is known."""

    def go_away(self) -> None:
        """End what is observed, where it can end."""
        raise NotImplementedError


class Watch:
    """A collector that is hooked, and the observer's loop around it, by hand."""

    def __init__(self, bed: Bed, kinds: frozenset[Kind] = ALL, rules: tuple[SurfaceRule, ...] | None = None) -> None:
        self.collector = bed.collector()
        self._read = getattr(self.collector, "read", None) or bed.read  # type: ignore[attr-defined]
        self.shaper: Shaper = self.collector.hook(Grant(7, kinds, bed.rules if rules is None else rules))
        self.told: list[Observed] = []

    def turn(self, wait_s: float = 0.02) -> None:
        """One turn: every message reconciles, every source is open, and pumping does not wait."""
        select.select(self.collector.sources(), [], [], wait_s)
        now = self._read()
        with in_no_time():
            self.collector.pump()
        self.shaper.advance(now)
        for message in self.shaper.take():
            assert message.seen == sum(event.n for event in message.events) + sum(message.dropped.values())
            self.told.append(message)

    def lull(self) -> None:
        """Until nothing new is told for a while."""
        quiet_s = elapsed_s()
        while elapsed_s() - quiet_s < LULL_S or self.shaper.due_ms() is not None:
            before = len(self.told)
            self.turn()
            if len(self.told) != before:
                quiet_s = elapsed_s()

    def until(self, holds: Callable[[], bool]) -> None:
        """Turn until it is so."""
        deadline_s = elapsed_s() + PATIENCE_S
        while not holds():
            assert elapsed_s() < deadline_s, f"in vain: {self.events} {self.dropped}"
            self.turn()

    @property
    def events(self) -> list[Event]:
        return [event for message in self.told for event in message.events]

    @property
    def seen(self) -> int:
        return sum(message.seen for message in self.told)

    @property
    def dropped(self) -> Counter[Why]:
        total: Counter[Why] = Counter()
        for message in self.told:
            total.update(message.dropped)
        return total


@contextmanager
def in_no_time() -> Iterator[None]:
    """What waits for something that does not come is ended, and has failed."""

    def waited(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(5)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class CannotHook:
    """The contract where nothing can be observed; `collector` is a fixture."""

    def test_hook_says_why_in_one_line(self, collector: Collector) -> None:
        """With a blocker of the closed list; so does pumping, and there is nothing to wait for."""
        for ask in (lambda: collector.hook(Grant(7, ALL, ())), collector.pump):
            with pytest.raises(CollectorError) as error:
                ask()
            one_line(error.value)
        assert (collector.states(), collector.sources(), collector.due_ms()) == ((), [], None)


class Contract:
    """Each test is a sentence of `collectors.collector.Collector`; `bed` is a fixture."""

    def test_before_it_is_asked_to_hook_nothing_is_hooked(self, bed: Bed) -> None:
        """Making one does nothing."""
        before = bed.hooks()
        bed.collector()
        assert bed.hooks() == before == 0

    @pytest.mark.parametrize("kinds", GRANTS, ids=lambda kinds: "+".join(sorted(kinds)) if len(kinds) < len(ALL) else "all")
    def test_it_hooks_and_tells_only_what_is_granted(self, bed: Bed, kinds: frozenset[Kind]) -> None:
        """Its states name each granted kind once; inputs of no granted kind are not even seen; no other kind comes."""
        watch = Watch(bed, kinds)
        assert kinds & (SEEN_BY_KEYS | SEEN_BY_BUTTONS) or bed.hooks() == 0
        well_stated(watch.collector.states(), kinds)
        work = bed.work(watch.turn)
        expected = (work.keys if kinds & SEEN_BY_KEYS else 0) + (work.buttons if kinds & SEEN_BY_BUTTONS else 0)
        watch.until(lambda: watch.seen >= expected)
        watch.lull()
        assert watch.seen == expected
        assert {event.kind for event in watch.events} <= kinds

    def test_all_of_it_is_told_once_and_none_of_it_says_what_was_typed(self, bed: Bed) -> None:
        """With everything granted each kind of what is done comes, every raw input is told, and no form of the text is in the bytes."""
        watch = Watch(bed)
        bed.settle(watch)
        before, watch.told = watch.told, []
        work = bed.work(watch.turn)
        watch.until(lambda: watch.seen >= work.keys + work.buttons)
        watch.lull()
        assert watch.seen == work.keys + work.buttons
        acted = bed.act(watch)
        watch.until(lambda: watch.seen >= work.keys + work.buttons + acted)
        watch.lull()
        assert watch.seen == work.keys + work.buttons + acted
        assert {event.kind for event in watch.events} >= bed.acts, watch.dropped
        granted = {rule.surface for rule in bed.rules}
        assert all(event.surface in granted or event.kind in (Kind.GAP, Kind.CONTROL) for event in watch.events)
        assert {event.generation for event in watch.events} == {7}
        net = Net(work.typed, work.codes or None)
        assert net.hits(b"".join(encode(message) for message in before + watch.told)) == 0

    def test_without_a_granted_surface_nothing_is_told_but_that_something_was(self, bed: Bed) -> None:
        """Every input is refused; events say no more than a gap and the recording itself."""
        watch = Watch(bed, ALL, ())
        work = bed.work(watch.turn)
        watch.until(lambda: watch.seen >= work.keys + work.buttons)
        watch.lull()
        assert {event.kind for event in watch.events} <= {Kind.GAP, Kind.CONTROL}
        assert set(watch.dropped) <= {Why.SURFACE_NOT_ALLOWED, Why.NO_KIND}

    def test_it_can_be_waited_for(self, bed: Bed) -> None:
        """Its sources are open files, when it is due is an instant of the awake clock or never; pumping without news changes nothing."""
        watch = Watch(bed)
        for fd in watch.collector.sources():
            os.fstat(fd)
        watch.lull()
        assert watch.collector.due_ms() is None or isinstance(watch.collector.due_ms(), int)
        before = watch.seen
        for _ in range(50):
            watch.turn(0)
        assert watch.seen == before

    def test_what_ended_holds_no_hook(self, bed: Bed) -> None:
        """Killed, as a change of permission does it: by the account of the system there is none any more."""
        with bed.process(Grant(7, ALL, bed.rules)) as pid:
            os.kill(pid, signal.SIGKILL)
        deadline_s = elapsed_s() + PATIENCE_S
        while bed.hooks():
            assert elapsed_s() < deadline_s, "it is still hooked"


class GoesAway:
    """For a back end whose display can end under it. Named before `Contract`, so that pytest runs it last."""

    def test_when_what_is_observed_goes_away_pumping_says_so(self, bed: Bed) -> None:
        """With a blocker of the closed list, in one line."""
        watch = Watch(bed)
        bed.go_away()
        with pytest.raises(CollectorError) as error:
            watch.until(lambda: False)
        one_line(error.value)


def one_line(error: CollectorError) -> None:
    """What a person reads."""
    assert error.blocker in set(Blocker)
    assert str(error)
    assert "\n" not in str(error)


def well_stated(states: tuple[CollectorState, ...], kinds: frozenset[Kind]) -> None:
    """Each granted kind once, with a word for how it is, and a reason unless it is live."""
    assert Counter(state.kind for state in states) == Counter(kinds)
    assert {state.state for state in states} <= {"live", "degraded", "dead"}
    assert all(state.why or state.state == "live" for state in states)
