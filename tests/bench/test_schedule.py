"""The workload is the same for everyone, whole or cut short."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.player import count
from bench.schedule import Input, Workload, workload

WHOLE = workload()


def test_the_workload_is_what_the_figures_are_compared_on() -> None:
    """The default seed gives exactly the inputs that earlier measurements were made with."""
    injected = count(WHOLE)
    assert (injected.moves, injected.clicks, injected.scrolls, injected.keys, injected.raw) == (1000, 60, 40, 285, 1770)
    assert WHOLE.seconds == pytest.approx(125, abs=0.1)


def test_the_same_seed_gives_the_same_workload() -> None:
    """Nothing but the seed decides."""
    assert workload(7) == workload(7) != workload(8)


def test_stretches_follow_each_other_without_a_hole() -> None:
    """Each instant of the workload belongs to one named part."""
    assert all(one.to_s == other.from_s for one, other in itertools.pairwise(WHOLE.stretches))
    assert WHOLE.stretches[-1].to_s == pytest.approx(WHOLE.seconds)
    assert sum(stretch.name.startswith("idle") for stretch in WHOLE.stretches) == 3


def test_nothing_happens_while_it_is_idle() -> None:
    """Wake-ups of an idle stretch cannot come from inputs (keys of the moment before are let go within 100 ms)."""
    for stretch in WHOLE.stretches:
        if stretch.name.startswith("idle"):
            assert not [timed for timed in WHOLE.inputs if stretch.from_s + 0.1 < timed.at_s < stretch.to_s - 0.1]


def downs_without_up(whole: Workload) -> set[object]:
    """What is still held at the end."""
    held: set[object] = set()
    for timed in whole.inputs:
        if timed.what in (Input.KEY_DOWN, Input.BUTTON_DOWN):
            held.add(timed.detail)
        elif timed.what in (Input.KEY_UP, Input.BUTTON_UP):
            held.discard(timed.detail)
    return held


@given(seconds=st.floats(1.5, 130))
@settings(max_examples=60, deadline=None)
def test_wherever_it_is_cut_nothing_stays_pressed(seconds: float) -> None:
    """A workload of N seconds ends within N seconds, with every key and button up, and is the beginning of the whole."""
    cut = workload(seconds=seconds)
    assert not downs_without_up(cut)
    assert all(timed.at_s <= seconds for timed in cut.inputs)
    begun = [timed for timed in WHOLE.inputs if timed.at_s < cut.seconds]
    assert list(cut.inputs[: len(begun)]) == begun
