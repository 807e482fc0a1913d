"""A long, random life of a hold, with crashes: nothing kept is lost, nothing forgotten returns, and counts reconcile."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consent.event import Clocks, Event
from tests.transport.faults import Crash, dies_at, full_disk
from tests.transport.makers import SURFACES, admit, click
from transport.hold import Hold
from transport.keystore import FileKeystore
from transport.span import Everything, Last, OfSurface, Span

BOOTS = ("first", "second", "third")


class HoldMachine(RuleBasedStateMachine):
    """The model is a dict of what must be held: an instant for each event, and the raw inputs that it stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now_ms, self.boots = 1_000_000, 0
        self.model: dict[int, Event] = {}
        self.gone: set[int] = set()
        self.open()

    def open(self) -> None:
        self.hold = Hold(self.folder / "hold", FileKeystore(self.folder / "keys"), boot=BOOTS[self.boots % 3])

    def now(self) -> Clocks:
        return Clocks(self.now_ms, self.now_ms, 1_700_000_000_000 + self.now_ms)

    def instants(self, span: Span | None = None) -> set[int]:
        return {event.at.boot_ms for part in self.hold.read(span) for event in part.events}

    @rule(steps=st.lists(st.integers(1, 40_000), min_size=1, max_size=6), surface=st.sampled_from(SURFACES), n=st.integers(0, 9))
    def keep(self, steps: list[int], surface: str, n: int) -> None:
        events = []
        for step in steps:
            self.now_ms += step
            events.append(click(self.now_ms, surface=surface, n=n))
        counts = self.hold.keep(admit(events), self.now())
        assert (counts.events, counts.n) == (len(events), n * len(events))
        self.model |= {event.at.boot_ms: event for event in events}

    @rule(room=st.integers(0, 2000))
    def keep_on_a_full_disk(self, room: int) -> None:
        self.now_ms += 1
        with full_disk(room):
            counts = self.hold.keep(admit([click(self.now_ms)]), self.now())
        assert counts.events + counts.full_events == 1
        if counts.events:
            self.model[self.now_ms] = click(self.now_ms)

    @rule(span=st.one_of(st.integers(0, 200), st.sampled_from(SURFACES), st.none()), crash=st.one_of(st.none(), st.integers(0, 40)))
    def forget(self, span: int | str | None, crash: int | None) -> None:
        chosen: Span = Everything()
        if isinstance(span, int):
            chosen = Last(span, self.now(), BOOTS[self.boots % 3])
        elif span is not None:
            chosen = OfSurface(span)  # type: ignore[arg-type]
        inside = self.instants(chosen)
        before_n = sum(event.n for event in self.model.values())
        outside = {instant: event for instant, event in self.model.items() if instant not in inside}
        n = sum(event.n for event in outside.values())
        if crash is None:
            assert self.hold.forget(chosen).n == before_n - n
            self.model = outside
        else:
            try:
                with dies_at(crash):
                    self.hold.forget(chosen)
                self.model = outside
            except Crash:
                self.open()
                if self.instants() != set(self.model):
                    self.model = outside
        self.gone |= inside - set(self.model)

    @rule(again=st.booleans())
    def die_and_start(self, again: bool) -> None:
        self.boots += again
        self.open()

    @rule()
    def seal_everything(self) -> None:
        for due in self.hold.take_due(self.now(), None):
            events = [event for part in self.hold.load(due.ids) for event in part.events]
            assert self.hold.consume(due.ids) == sum(event.n for event in events)
            for event in events:
                assert self.model.pop(event.at.boot_ms) == event

    @rule(span=st.one_of(st.integers(0, 200), st.sampled_from(SURFACES)), crash=st.one_of(st.none(), st.integers(0, 30)))
    def send_a_span(self, span: int | str, crash: int | None) -> None:
        chosen: Span = Last(span, self.now(), BOOTS[self.boots % 3]) if isinstance(span, int) else OfSurface(span)  # type: ignore[arg-type]
        try:
            with dies_at(10**9 if crash is None else crash):
                ids = self.hold.cut_out(chosen)
        except Crash:
            self.open()
            return
        for due in self.hold.take_due(self.now(), None, ids):
            for event in [event for part in self.hold.load(due.ids) for event in part.events]:
                assert isinstance(span, int) or event.surface == span
                assert self.model.pop(event.at.boot_ms) == event
            self.hold.consume(due.ids)
        assert isinstance(span, int) or not [event for event in self.model.values() if event.surface == span]

    @rule()
    def withdraw(self) -> None:
        assert self.hold.purge().key_gone
        self.gone |= set(self.model)
        self.model = {}
        assert not list((self.folder / "hold").iterdir())

    @invariant()
    def what_was_kept_is_held_and_nothing_else(self) -> None:
        held = {event.at.boot_ms: event for part in self.hold.read() for event in part.events}
        assert held == self.model
        assert not self.gone & set(held)
        stats = self.hold.stats()
        assert (stats.events, stats.n) == (len(held), sum(event.n for event in held.values()))

    def teardown(self) -> None:
        self.hold.close()
        shutil.rmtree(self.folder)


TestHold = HoldMachine.TestCase
TestHold.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
