"""Every raw input ends in exactly one place, whatever happens in between."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.raw import NoRole
from collectors.shape import HOLD_MS
from consent.event import FieldRole
from consent.vocabulary import Kind
from tests.collectors.stage import DIALOG, EDITOR, ELSEWHERE, KEYS, OWN, TERMINAL, Stage

ROLES = st.sampled_from([FieldRole.TEXT, FieldRole.ENTRY, NoRole.SECURE, NoRole.UNKNOWN])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.sampled_from(sorted(KEYS))),
        st.tuples(st.just("release"), st.sampled_from(sorted(KEYS))),
        st.tuples(st.just("strike"), st.sampled_from(sorted(KEYS))),
        st.tuples(st.just("button"), st.integers(1, 12), st.booleans(), st.integers(0, 3), st.booleans()),
        st.tuples(st.just("moved"), st.integers(1, 50)),
        st.tuples(st.just("more"), st.integers(1, 50)),
        st.tuples(st.just("went"), st.sampled_from([-9, 40, 42, 300]), st.sampled_from([50, 90, 900]), st.integers(1, 9), st.booleans()),
        st.tuples(st.just("front"), st.sampled_from([EDITOR, EDITOR, DIALOG, TERMINAL, ELSEWHERE, OWN])),
        st.tuples(st.just("switch"), st.sampled_from([EDITOR, DIALOG, ELSEWHERE]), st.sampled_from([0, 3, 60])),
        st.tuples(st.just("focus"), ROLES),
        st.tuples(st.just("role"), ROLES),
        st.tuples(st.just("later"), st.sampled_from([0, 1, 10, 40, 100, HOLD_MS - 1, HOLD_MS, 700, 1_500, 4_000, 61_000])),
        st.tuples(st.just("take")),
    ),
    max_size=60,
)


def _play(stage: Stage, step: tuple) -> None:
    match step:
        case ("moved", n):
            stage.arrived += n
            stage.shaper.moved(n)
        case ("role", role):
            stage.shaper.role(stage.now, role)
        case (name, *arguments):
            getattr(stage, name)(*arguments)


@settings(max_examples=400, deadline=None)
@given(steps=STEPS, kinds=st.sampled_from([frozenset(Kind), frozenset(Kind) - {Kind.KEY_NAMED, Kind.POINTER_SCROLL}]), safe=st.booleans())
def test_at_any_cut_what_came_is_told_dropped_or_pending(steps: list[tuple], kinds: frozenset[Kind], safe: bool) -> None:
    """seen = sum(n) + sum(dropped) in every message (held by `Stage.take`), and nothing is lost or counted twice."""
    stage = Stage(kinds)
    if safe:
        stage.in_editor()
    for step in steps:
        _play(stage, step)
        stage.take()
        assert stage.seen + stage.shaper.pending() == stage.arrived
    stage.shaper.close(stage.now)
    stage.take()
    assert stage.shaper.pending() == 0
    assert stage.seen == stage.arrived


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_after_a_lull_nothing_is_pending_but_what_is_held_down_alone(steps: list[tuple]) -> None:
    """Four seconds after the last input everything is told, except modifiers that nobody released and notches that did not end."""
    stage = Stage().in_editor()
    for step in steps:
        _play(stage, step)
    stage.settle()
    stage.later(2_000)
    assert stage.shaper.due_ms() is None
    assert stage.shaper.pending() <= len(KEYS) + 4


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_no_event_tells_of_a_window_that_was_not_recorded(steps: list[tuple]) -> None:
    """Whatever comes between, events are of recorded surfaces, gaps, or the recording itself; key events never of a terminal."""
    stage = Stage()
    for step in steps:
        _play(stage, step)
    key_kinds = {Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST, Kind.SECURE_INPUT}
    for event in stage.settle():
        assert (event.surface is None) == (event.kind in (Kind.GAP, Kind.CONTROL))
        assert not (event.kind in key_kinds and event.surface == TERMINAL.surface)
