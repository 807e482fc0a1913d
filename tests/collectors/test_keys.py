"""Named keys, chords and bursts: what belongs to what."""

import pytest

from collectors.acts import LONGEST_MS
from collectors.keys import Keys
from collectors.observer import BUSY_MS, TICK_MS
from consent.event import Bucket, EndedBy, Event, FieldRole, KeyChord, KeyNamed, Modifier, NamedKey, TypingBurst
from consent.vocabulary import Why
from tests.collectors.stage import DIALOG, EDITOR, START_MS, Stage


def _one(events: list[Event]) -> Event:
    assert len(events) == 1
    return events[0]


def test_a_named_key_is_one_event_with_its_press_repeats_and_release() -> None:
    """Arrow down, held for three repeats."""
    stage = Stage().in_editor()
    for _ in range(4):
        stage.press("Down")
        stage.later(40)
    stage.release("Down")
    event = _one(stage.settle())
    assert event.payload == KeyNamed(NamedKey.DOWN, False)
    assert (event.n, event.surface, event.window) == (5, EDITOR.surface, EDITOR.window)
    assert event.at.awake_ms == START_MS + 300


def test_shift_belongs_to_the_named_key_that_it_was_held_for() -> None:
    """Shift and Tab: four inputs, one event."""
    stage = Stage().in_editor()
    stage.strike("Shift", "Tab")
    event = _one(stage.settle())
    assert event.payload == KeyNamed(NamedKey.TAB, True)
    assert event.n == 4


def test_a_chord_has_its_modifiers_and_its_trigger() -> None:
    """Ctrl, Shift and Z."""
    stage = Stage().in_editor()
    stage.strike("Control", "Shift", "z")
    event = _one(stage.settle())
    assert event.payload == KeyChord((Modifier.CTRL, Modifier.SHIFT), "z")
    assert event.n == 6


def test_a_modifier_held_for_two_chords_belongs_to_the_first_when_pressed_and_to_the_last_when_released() -> None:
    """Ctrl down, A, S, Ctrl up."""
    stage = Stage().in_editor()
    stage.press("Control")
    stage.strike("a")
    stage.strike("s")
    stage.release("Control")
    events = stage.settle()
    assert [(event.payload.trigger, event.n) for event in events if isinstance(event.payload, KeyChord)] == [("a", 3), ("s", 3)]


def test_a_chord_whose_modifier_comes_up_first_keeps_its_trigger() -> None:
    """Ctrl down, S down, Ctrl up, S up: the release of S makes no text."""
    stage = Stage().in_editor()
    for press, name in ((True, "Control"), (True, "s"), (False, "Control"), (False, "s")):
        (stage.press if press else stage.release)(name)
    event = _one(stage.settle())
    assert event.payload == KeyChord((Modifier.CTRL,), "s")
    assert event.n == 4


def test_a_modifier_used_alone_stands_for_nothing() -> None:
    """Its press and its release are dropped as no_kind."""
    stage = Stage().in_editor()
    stage.strike("Control")
    assert stage.settle() == []
    assert stage.dropped == {Why.NO_KIND: 2}


def test_a_chord_that_is_not_on_the_list_stands_for_nothing() -> None:
    """Ctrl and a semicolon: four inputs, none told."""
    stage = Stage().in_editor()
    stage.strike("Control", "semicolon")
    assert stage.settle() == []
    assert stage.dropped == {Why.NO_KIND: 4}


def test_typing_is_one_burst_in_bins_and_buckets() -> None:
    """Twelve keys with Shift and AltGr, two corrections: no character, no time finer than a quarter second."""
    stage = Stage().in_editor()
    stage.ms += 70
    for name in ("a", "s", "space", "1", "z", "BackSpace", "a", "a", "s", "BackSpace", "s"):
        stage.strike(name)
        stage.later(40)
    stage.strike("Shift", "a")
    stage.strike("AltGr", "s")
    event = _one(stage.settle())
    assert event.payload == TypingBurst(4, Bucket.MANY, Bucket.FEW, EndedBy.IDLE, FieldRole.TEXT)
    assert event.at.awake_ms == START_MS + 250
    assert event.at.boot_ms - event.at.awake_ms == stage.now.boot_ms - stage.ms
    assert event.at.wall_ms - event.at.awake_ms == stage.now.wall_ms - stage.ms
    assert event.n == 22 + 8


@pytest.mark.parametrize(
    ("names", "by"),
    [
        (("Return",), EndedBy.ENTER),
        (("Tab",), EndedBy.TAB),
        (("Down",), EndedBy.KEY),
        (("Control", "s"), EndedBy.CHORD),
    ],
)
def test_another_act_ends_a_burst(names: tuple[str, ...], by: EndedBy) -> None:
    """And the burst is told before the act."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.strike(*names)
    burst, act = stage.settle()
    assert isinstance(burst.payload, TypingBurst)
    assert burst.payload.ended_by is by
    assert isinstance(act.payload, KeyNamed | KeyChord)


def test_a_click_ends_a_burst_and_a_wheel_does_not() -> None:
    """Scrolling while typing is still typing."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.click(5)
    stage.strike("a")
    stage.click(1)
    stage.strike("s")
    bursts = [event.payload for event in stage.settle() if isinstance(event.payload, TypingBurst)]
    assert [(burst.keys, burst.ended_by) for burst in bursts] == [(Bucket.FEW, EndedBy.CLICK), (Bucket.ONE, EndedBy.IDLE)]


def test_another_field_or_window_ends_a_burst() -> None:
    """A burst is of one field."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.later(300)
    stage.focus(FieldRole.TEXT)
    stage.strike("a")
    stage.later(300)
    stage.front(DIALOG)
    stage.shaper.role(stage.now, FieldRole.ENTRY)
    stage.later(1)
    stage.strike("a")
    bursts = [event for event in stage.settle() if isinstance(event.payload, TypingBurst)]
    assert [event.payload.ended_by for event in bursts if isinstance(event.payload, TypingBurst)] == [
        EndedBy.FOCUS,
        EndedBy.FOCUS,
        EndedBy.IDLE,
    ]
    assert [event.window for event in bursts] == [EDITOR.window, EDITOR.window, DIALOG.window]


def test_a_second_without_a_key_ends_a_burst() -> None:
    """999 ms do not; and nothing is open afterwards."""
    stage = Stage().in_editor()
    for wait_ms in (999, 1_001, 0):
        stage.press("a")
        stage.release("a")
        stage.ms += wait_ms
    bursts = [event.payload for event in stage.settle() if isinstance(event.payload, TypingBurst)]
    assert [burst.keys for burst in bursts] == [Bucket.FEW, Bucket.ONE]
    assert stage.shaper.due_ms() is None


def test_backspace_without_an_open_burst_is_a_named_key() -> None:
    """Nothing was typed that it could correct."""
    stage = Stage().in_editor()
    stage.strike("BackSpace")
    assert _one(stage.settle()).payload == KeyNamed(NamedKey.BACKSPACE, False)


def test_fast_typing_over_enter_keeps_each_release_with_its_press() -> None:
    """A down, Enter down, A up, Enter up: two inputs each."""
    stage = Stage().in_editor()
    stage.press("a")
    stage.press("Return")
    stage.release("a")
    stage.release("Return")
    assert sorted((event.kind, event.n) for event in stage.settle()) == [("key_named", 2), ("typing_burst", 2)]
    assert stage.dropped == {}


def test_a_key_that_does_not_come_up_does_not_hold_its_act_for_ever() -> None:
    """After a second it is told without its release, which then stands for nothing."""
    stage = Stage().in_editor()
    stage.press("F5")
    assert [event.n for event in stage.settle()] == [1]
    stage.release("F5")
    stage.settle()
    assert stage.dropped == {Why.NO_KIND: 1}


def test_keys_that_are_no_kind_are_dropped() -> None:
    """Media keys, locks, and a release of a key that was down before we were."""
    stage = Stage().in_editor()
    stage.strike("Mute")
    stage.strike("Caps")
    stage.release("a")
    assert stage.settle() == []
    assert stage.dropped == {Why.NO_KIND: 5}


def test_no_key_is_remembered_once_it_is_told() -> None:
    """Nothing in the shaper grows with what was typed."""
    stage = Stage().in_editor()
    for _ in range(50):
        stage.strike("Shift", "a")
        stage.strike("Return")
        stage.strike("Control", "s")
    stage.settle()
    keys: Keys = stage.shaper._keys
    assert (keys._acts, keys._owner, keys._held, keys._burst) == ([], {}, {}, None)
    assert stage.keyboard._down == {}


def _bursts(events: list[Event]) -> list[TypingBurst]:
    return [event.payload for event in events if isinstance(event.payload, TypingBurst)]


def test_typing_that_goes_on_is_cut_and_nothing_of_it_is_lost() -> None:
    """Four seconds of typing: no burst is longer than six bins, each but the last says that it went on, and every input is in one."""
    stage = Stage().in_editor()
    for _ in range(40):
        stage.strike("a")
        stage.later(60)
    events = stage.settle()
    bursts = _bursts(events)
    assert len(bursts) >= 3
    assert {burst.ended_by for burst in bursts[:-1]} == {EndedBy.LENGTH}
    assert bursts[-1].ended_by is EndedBy.IDLE
    assert max(burst.bins for burst in bursts) <= LONGEST_MS // 250 + 1
    assert sum(event.n for event in events) == 80
    assert stage.dropped == {}


def test_a_character_that_is_held_goes_on_in_the_next_burst() -> None:
    """Its repeats for three seconds, then its release: all in bursts, none refused."""
    stage = Stage().in_editor()
    for _ in range(100):
        stage.press("a")
        stage.later(30)
    stage.release("a")
    events = stage.settle()
    assert len(_bursts(events)) >= 2
    assert (sum(event.n for event in events), stage.dropped) == (101, {})


def test_nothing_that_is_typed_is_in_the_observer_for_longer_than_two_seconds() -> None:
    """Kill -9 of the observer loses at most 2 s of typing: with what it takes to say it, a key is told in that time."""
    stage = Stage().in_editor()
    began_ms, waited_ms = stage.ms, 0
    stage.press("a")
    while not _bursts(stage.shaper._account.events):
        stage.later(10)
        stage.shaper.advance(stage.now)
        waited_ms = stage.ms - began_ms
        if waited_ms % 200 == 0 and waited_ms < 1400:
            stage.strike("s")
    assert waited_ms + BUSY_MS + TICK_MS <= 2_000
