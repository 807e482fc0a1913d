"""Events to steps: what pairs becomes one act, what does not is kept as it is, and nothing is guessed."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.event import (
    AnyPayload,
    Bucket,
    Button,
    Clocks,
    Control,
    EndedBy,
    Event,
    FieldRole,
    Focus,
    Gap,
    KeyChord,
    KeyNamed,
    Modifier,
    NamedKey,
    PointerButton,
    PointerScroll,
    SecureInput,
    Switch,
    TypingBurst,
)
from consent.vocabulary import SurfaceId
from custody.step import Action, Chorded, Clicked, Dragged, Frame, Point, Step, Written, encode, rfc3339
from custody.steps import steps_of
from tests.consent.samples import clips, elements, paths

PSEUDONYM = bytes(range(32))
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "steps.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FOCUS = Focus(100, 50, 800, 400, 1920, 1080)


def event(payload: AnyPayload, ms: int = 0, *, window: int = 1, generation: int = 7, n: int = 1) -> Event:
    """An event in the test's window, some milliseconds after its start."""
    surface = None if isinstance(payload, Gap | Control) else SurfaceId("mousepad")
    return Event(surface, window, Clocks(1000 + ms, 2000 + ms, 1_795_244_400_000 + ms), generation, n, payload)


def button(x: int, y: int, pressed: bool, ms: int = 0, *, which: Button = Button.LEFT, window: int = 1, generation: int = 7) -> Event:
    """A press or a release."""
    return event(PointerButton(x, y, which, pressed), ms, window=window, generation=generation)


def click(x: int, y: int, ms: int, which: Button = Button.LEFT) -> list[Event]:
    """A press, and its release 80 ms later in the same place."""
    return [button(x, y, True, ms, which=which), button(x, y, False, ms + 80, which=which)]


def actions(*events: Event) -> list[Action]:
    """What was done, without the context."""
    return [step.action for step in steps_of(PSEUDONYM, events)]


def test_a_press_and_release_in_one_place_is_a_click_in_parts_of_the_window() -> None:
    """Coordinates are parts of the window that the last focus described, to four decimals."""
    _, step = steps_of(PSEUDONYM, [event(FOCUS), button(200, 100, True, 10), button(203, 102, False, 95)])
    assert step == Step(
        trajectory=PSEUDONYM.hex(),
        index=1,
        time="2026-11-21T07:00:00.010Z",
        duration_ms=85,
        surface="mousepad",
        window=1,
        generation=7,
        action=Action.CLICK,
        args=Clicked(Button.LEFT, Point(0.25, 0.25, Frame.WINDOW)),
        loss_mask=False,
        n=2,
    )


@pytest.mark.parametrize(("moved", "action"), [(4, Action.CLICK), (5, Action.DRAG)])
def test_five_pixels_make_a_drag(moved: int, action: Action) -> None:
    """Less is a hand that shook."""
    assert actions(button(10, 10, True), button(10 + moved, 10, False, 50)) == [action]


def test_a_drag_names_both_ends() -> None:
    """From where it was pressed to where it was released."""
    _, step = steps_of(PSEUDONYM, [event(FOCUS), button(0, 0, True), button(400, 400, False, 300)])
    assert step.args == Dragged(Button.LEFT, Point(0.0, 0.0, Frame.WINDOW), Point(0.5, 1.0, Frame.WINDOW))


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (click(12, 10, 499), [Action.DOUBLE_CLICK]),
        (click(12, 10, 500), [Action.CLICK, Action.CLICK]),
        (click(15, 10, 200), [Action.CLICK, Action.CLICK]),
        (click(10, 10, 200, Button.RIGHT), [Action.CLICK, Action.CLICK]),
    ],
)
def test_two_clicks_are_a_double_click_only_when_near_soon_and_alike(second: list[Event], expected: list[Action]) -> None:
    """Under 500 ms and 5 px, with the same button."""
    assert actions(*click(10, 10, 0), *second) == expected


def test_a_third_click_begins_anew() -> None:
    """Three quick clicks are a double click and a click, which loses none of them."""
    steps = steps_of(PSEUDONYM, [*click(1, 1, 0), *click(1, 1, 150), *click(1, 1, 300)])
    assert [(step.action, step.n) for step in steps] == [(Action.DOUBLE_CLICK, 4), (Action.CLICK, 2)]


def test_an_act_between_two_clicks_keeps_them_apart_and_context_does_not() -> None:
    """A key between them means two clicks; a focus event that the first one caused does not."""
    key = event(KeyNamed(NamedKey.ENTER, False), 100)
    assert actions(*click(1, 1, 0), key, *click(1, 1, 150)) == [Action.CLICK, Action.PRESS, Action.CLICK]
    assert actions(*click(1, 1, 0), event(FOCUS, 100), *click(1, 1, 150)) == [Action.DOUBLE_CLICK, Action.FOCUS]


def test_what_does_not_pair_stays_a_press_or_a_release() -> None:
    """A release alone, a press alone, two presses, and a pair over two windows or two generations are not made into clicks."""
    down, up = Action.BUTTON_DOWN, Action.BUTTON_UP
    assert actions(button(1, 1, False)) == [up]
    assert actions(button(1, 1, True)) == [down]
    assert actions(button(1, 1, True), button(1, 1, True, 10), button(1, 1, False, 20)) == [down, Action.CLICK]
    assert actions(button(1, 1, True), button(1, 1, False, 10, window=2)) == [down, up]
    assert actions(button(1, 1, True), button(1, 1, False, 10, generation=8)) == [down, up]


def test_a_click_stands_where_its_press_was() -> None:
    """A key pressed while the button was down comes after the click, as it was begun later."""
    steps = steps_of(PSEUDONYM, [button(1, 1, True), event(KeyNamed(NamedKey.TAB, True), 20), button(1, 1, False, 40)])
    assert [(step.index, step.action) for step in steps] == [(0, Action.CLICK), (1, Action.PRESS)]


@pytest.mark.parametrize("before", [[], [event(FOCUS, window=2)], [event(Focus(0, 0, 10, 10, 50, 50)), event(Gap())]])
@pytest.mark.parametrize("release_first", [True, False])
def test_a_click_that_brings_its_window_to_the_front_has_its_place_by_the_focus_that_follows(
    before: list[Event], release_first: bool
) -> None:
    """Even if the window had another size when it was last in front; its release may come before or after that focus."""
    release, focus = button(200, 100, False, 80), event(FOCUS, 40)
    after = [release, focus] if release_first else [focus, release]
    steps = steps_of(PSEUDONYM, [*before, button(200, 100, True), *after])
    assert [step.args for step in steps if step.action is Action.CLICK] == [Clicked(Button.LEFT, Point(0.25, 0.25, Frame.WINDOW))]


def test_a_click_in_the_window_in_front_has_its_place_by_the_focus_before_it() -> None:
    """The window is made larger afterwards; or another one, or one of another generation, is told next."""
    larger = Focus(0, 0, 1600, 800, 1920, 1080)
    for after in (event(larger, 200), event(larger, 200, window=2), event(larger, 200, generation=8)):
        steps = steps_of(PSEUDONYM, [event(FOCUS), *click(200, 100, 1), after])
        assert steps[1].args == Clicked(Button.LEFT, Point(0.25, 0.25, Frame.WINDOW))


def test_a_window_of_unknown_size_gives_no_coordinates_and_says_why() -> None:
    """Nothing is divided by a guess; another window's or generation's size does not count."""
    unknown = Point(None, None, None, "window geometry unknown")
    for before in ([], [event(FOCUS, window=2)], [event(FOCUS, generation=6)], [event(Focus(0, 0, 0, 0, 0, 0))]):
        *_, step = steps_of(PSEUDONYM, [*before, *click(10, 10, 1)])
        assert step.args == Clicked(Button.LEFT, unknown)


def test_a_window_of_unknown_size_on_a_known_screen_gives_parts_of_the_screen() -> None:
    """The frame says so, since the two must not be mixed."""
    *_, step = steps_of(PSEUDONYM, [event(Focus(100, 80, 0, 0, 1000, 800)), event(PointerScroll(100, 80, 0, -2), 1)])
    assert step.args.at == Point(0.2, 0.2, Frame.SCREEN)  # type: ignore[union-attr]


def test_typing_is_a_write_without_text_that_is_masked() -> None:
    """There is a placeholder, a duration in bins, and nothing to learn."""
    (step,) = steps_of(PSEUDONYM, [event(TypingBurst(6, Bucket.MANY, Bucket.ONE, EndedBy.ENTER, FieldRole.TEXT), n=22)])
    assert step.args == Written(Bucket.MANY, Bucket.ONE, EndedBy.ENTER, FieldRole.TEXT, "<typed>")
    assert (step.action, step.duration_ms, step.loss_mask, step.n) == (Action.WRITE, 1500, True, 22)


def test_a_chords_keys_stand_in_one_order() -> None:
    """However they were held, so that the same chord is the same step."""
    for modifiers in ((Modifier.SHIFT, Modifier.CTRL), (Modifier.CTRL, Modifier.SHIFT)):
        (step,) = steps_of(PSEUDONYM, [event(KeyChord(modifiers, "s"))])
        assert step.args == Chorded(("ctrl", "shift", "s"))


def test_context_is_kept_and_masked() -> None:
    """Focus, gap, secure input and the recording itself are steps that nobody should learn to produce."""
    steps = steps_of(PSEUDONYM, [event(Control(Switch.STARTED)), event(FOCUS), event(Gap()), event(SecureInput())])
    assert [step.action for step in steps] == [Action.RECORDING, Action.FOCUS, Action.GAP, Action.SECURE_INPUT]
    assert all(step.loss_mask for step in steps)


def test_a_clock_set_back_gives_no_negative_duration() -> None:
    """Durations are of awake time, and never below zero."""
    (step,) = steps_of(PSEUDONYM, [button(1, 1, True, 500), button(1, 1, False, 100)])
    assert step.duration_ms == 0


@pytest.mark.parametrize(
    ("wall_ms", "text"), [(0, "1970-01-01T00:00:00.000Z"), (999, "1970-01-01T00:00:00.999Z"), (2**53, "9999-12-31T23:59:59.999Z")]
)
def test_every_time_an_event_can_have_is_written(wall_ms: int, text: str) -> None:
    """A clock that is far off does not stop an opening."""
    assert rfc3339(wall_ms) == text


PIXELS = st.integers(-50, 900)
PAYLOADS = st.one_of(
    st.builds(PointerButton, PIXELS, PIXELS, st.sampled_from(Button), st.booleans()),
    st.builds(PointerScroll, PIXELS, PIXELS, st.integers(-9, 9), st.integers(-9, 9)),
    st.builds(KeyNamed, st.sampled_from(NamedKey), st.booleans()),
    st.builds(KeyChord, st.just((Modifier.ALT,)), st.sampled_from(["a", "tab"])),
    st.builds(
        TypingBurst,
        st.integers(1, 9),
        st.sampled_from(Bucket),
        st.sampled_from(Bucket),
        st.sampled_from(EndedBy),
        st.sampled_from(FieldRole),
    ),
    st.builds(Focus, PIXELS, PIXELS, *[st.integers(0, 900)] * 4),
    paths(PIXELS),
    elements(PIXELS),
    clips,
    st.builds(Control, st.sampled_from(Switch)),
    st.sampled_from([Gap(), SecureInput()]),
)
EVENTS = st.lists(
    st.builds(event, PAYLOADS, st.integers(0, 2000), window=st.integers(0, 2), generation=st.integers(1, 2), n=st.integers(0, 5)),
    max_size=30,
)


@given(EVENTS)
@settings(max_examples=150, deadline=None)
def test_raw_inputs_add_up_and_every_line_is_as_the_schema_says(events: list[Event]) -> None:
    """Whatever was captured: no input is lost or counted twice, lines are numbered, valid and the same each time."""
    steps = steps_of(PSEUDONYM, events)
    assert sum(step.n for step in steps) == sum(one.n for one in events)
    raw = encode(steps)
    assert raw == encode(steps_of(PSEUDONYM, events))
    lines = [json.loads(line) for line in raw.splitlines()]
    assert [line["index"] for line in lines] == list(range(len(steps)))
    for line in lines:
        VALIDATOR.validate(line)
