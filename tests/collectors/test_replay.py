"""A recorded trace drives the same pipeline, and gives the same events, whatever the pace."""

import ast
import time
from collections import Counter
from pathlib import Path

import pytest

from agent import clock
from collectors import observer
from collectors.backends.replay import Replay
from collectors.pipe import Failed, Front, Grant, Hooked, Observed, SurfaceRule, encode
from consent.event import Clocks, Event
from consent.vocabulary import KEY_KINDS, Kind, SurfaceId, Why
from tests.replayed import TRACES, trace

NAMES = sorted(path.stem for path in TRACES.glob("*.trace"))
ROOT = Path(__file__).parents[2]


class Machine:
    """A clock that moves when told."""

    def __init__(self, awake_ms: int = 5_000_000) -> None:
        self.ms = awake_ms

    def read(self) -> Clocks:
        return Clocks(self.ms, self.ms + 777, 1_700_000_000_000 + self.ms)


def rules(name: str, structure_only: str = "terminal") -> tuple[SurfaceRule, ...]:
    return tuple(SurfaceRule(surface, (f"/usr/bin/{surface}",), surface == structure_only) for surface in trace(name).surfaces)


def played(
    name: str, *, pace: float | None = None, step_ms: int = 7, grant: Grant | None = None, begin_ms: int = 5_000_000
) -> list[Observed]:
    """All that an observer would say of it."""
    machine = Machine(begin_ms)
    replay = Replay(trace(name), machine.read, pace)
    shaper = replay.hook(grant or Grant(7, frozenset(Kind), rules(name)))
    told: list[Observed] = []
    while replay.due_ms() is not None:
        now = replay.read()
        replay.pump()
        shaper.advance(now)
        told += shaper.take()
        machine.ms += step_ms
    return told + shaper.take()


def events(told: list[Observed]) -> list[Event]:
    return [event for message in told for event in message.events]


def dropped(told: list[Observed]) -> Counter[Why]:
    total: Counter[Why] = Counter()
    for message in told:
        total.update(message.dropped)
    return total


def as_bytes(told: list[Observed]) -> bytes:
    """All events and counts, however they were cut into messages."""
    return encode(Observed(7, sum(message.seen for message in told), tuple(events(told)), dict(sorted(dropped(told).items()))))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_trace_gives_the_same_bytes_at_any_pace(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, at a factor with a machine that looks every 7 ms, with one that is away for a second at a time, and event by event."""
    at_once = as_bytes(played(name))
    with monkeypatch.context() as patch:
        patch.setattr("collectors.backends.replay.ENOUGH_EVENTS", 1)
        assert as_bytes(played(name, pace=400.0)) == at_once
    assert as_bytes(played(name, pace=40.0)) == at_once
    assert as_bytes(played(name, pace=1.0, step_ms=1_100)) == at_once


@pytest.mark.parametrize("name", NAMES)
def test_every_message_of_a_trace_reconciles_and_its_counts_are_those_of_its_words(name: str) -> None:
    """seen = sum of n + sum of dropped, each time; all inputs of the trace but what is still held down are told."""
    told = played(name)
    for message in told:
        assert message.seen == sum(event.n for event in message.events) + sum(message.dropped.values())
    inputs = sum(getattr(word, "n", 1) for word in trace(name).words if type(word).__name__ in {"Keyed", "Buttoned", "Moved"})
    assert sum(message.seen for message in told) == inputs


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_begins_with_a_bin_wherever_the_machine_is(name: str) -> None:
    """Started a hundred milliseconds later, the events are the same but for their clocks."""
    payloads = [(event.surface, event.n, encode(event.payload)) for event in events(played(name))]
    assert [(event.surface, event.n, encode(event.payload)) for event in events(played(name, begin_ms=5_000_100))] == payloads


def test_the_recorded_traces_have_every_kind_that_can_be_recorded() -> None:
    """Between them; and every reason of a refusal that a desktop with an editor, a terminal and a password dialog gives."""
    seen = {event.kind for name in NAMES for event in events(played(name))}
    assert seen >= KEY_KINDS | {Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.FOCUS, Kind.CONTROL}
    whys = {why for name in NAMES for why in dropped(played(name))}
    assert whys >= {Why.NO_KIND, Why.STRUCTURE_ONLY, Why.SECURE_FIELD}


def test_only_what_is_granted_is_played() -> None:
    """As a back end that hooks no more: without key kinds no key is seen, without pointer kinds no button and no move."""
    without_keys = Grant(7, frozenset({Kind.POINTER_BUTTON, Kind.FOCUS}), rules("work"))
    told = played("work", grant=without_keys)
    assert {event.kind for event in events(told)} == {Kind.POINTER_BUTTON, Kind.FOCUS}
    assert set(dropped(told)) <= {Why.NO_KIND, Why.SURFACE_NOT_ALLOWED, Why.KIND_NOT_CONSENTED}
    only_keys = Grant(7, frozenset({Kind.KEY_NAMED}), rules("work"))
    assert {event.kind for event in events(played("work", grant=only_keys))} == {Kind.KEY_NAMED}
    assert played("work", grant=Grant(7, frozenset({Kind.CONTROL}), rules("work")))[0].seen == 0


def test_a_surface_that_is_not_granted_is_any_other_window() -> None:
    """What was done there is refused, and its name is nowhere."""
    (editor,) = (rule for rule in rules("work") if rule.surface == "text-editor")
    told = played("work", grant=Grant(7, frozenset(Kind), (editor,)))
    assert {event.surface for event in events(told)} == {None, SurfaceId("text-editor")}
    assert dropped(told)[Why.SURFACE_NOT_ALLOWED] > 100
    assert Why.STRUCTURE_ONLY not in dropped(told)


def test_a_daemon_that_does_not_read_is_waited_for() -> None:
    """Nothing is dropped for want of room: the trace stands still until what waits is read."""
    machine = Machine()
    replay = Replay(trace("work"), machine.read, None)
    shaper = replay.hook(Grant(7, frozenset(Kind), rules("work")))
    for _ in range(1_000):
        replay.pump()
    assert 0 < shaper.waiting()[0] < observer.UNREAD_BYTES
    assert Why.HOLD_FULL not in {why for message in shaper.take() for why in message.dropped}


def test_after_its_end_the_clock_goes_on() -> None:
    """So that an observer says its last words."""
    machine = Machine()
    replay = Replay(trace("password"), machine.read, None)
    replay.hook(Grant(7, frozenset(Kind), ()))
    while replay.due_ms() is not None:
        replay.pump()
    at_the_end = replay.read().awake_ms
    machine.ms += 500
    replay.pump()
    assert replay.read().awake_ms == at_the_end + 500


def test_nothing_of_the_product_can_choose_a_trace() -> None:
    """No module imports the back end, or the format but for it: a trace in the place of a person's own work would be a covert path."""
    users: dict[str, set[str]] = {"collectors.backends.replay": set(), "collectors.trace": set()}
    for folder in ("agent", "collectors", "consent", "transport", "custody", "receiver"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                named = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
                if isinstance(node, ast.ImportFrom):
                    named = {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
                for name in named & set(users):
                    users[name].add(str(path.relative_to(ROOT)))
    assert users == {"collectors.backends.replay": set(), "collectors.trace": {"collectors/backends/replay.py"}}


def _said_by_observer(name: str, pace: float | None) -> list[Hooked | Front | Observed | Failed]:
    """The observer's own loop around it, over real pipes, in real time."""
    import os
    import threading

    from collectors.pipe import decode_up
    from consent.frames import Splitter

    down_r, down_w = os.pipe()
    up_r, up_w = os.pipe()
    replay = Replay(trace(name), clock.read, pace)
    grant = Grant(7, frozenset(Kind), rules(name))
    run = threading.Thread(target=observer.Observer(replay, grant, replay.read, down_r, up_w).run)
    run.start()
    splitter, said = Splitter(), []
    wanted = sum(message.seen for message in played(name))
    deadline_s = time.monotonic() + 20
    while sum(message.seen for message in said if isinstance(message, Observed)) < wanted:
        assert time.monotonic() < deadline_s
        said += [decode_up.decode(body) for body in splitter.feed(os.read(up_r, 65536))]
    os.close(down_w)
    run.join()
    for fd in (down_r, up_r, up_w):
        os.close(fd)
    return said


@pytest.mark.parametrize("pace", [None, 100.0])
def test_the_observer_says_the_same_of_it(pace: float | None) -> None:
    """Its loop, its bundling and its pipe change nothing."""
    said = _said_by_observer("work", pace)
    told = [message for message in said if isinstance(message, Observed)]
    expected = [(event.surface, event.n, encode(event.payload)) for event in events(played("work"))]
    assert [(event.surface, event.n, encode(event.payload)) for event in events(told)] == expected
    assert dropped(told) == dropped(played("work"))
