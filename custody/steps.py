"""Events to steps: presses and releases become clicks and drags, coordinates become parts of the window. Refuses to guess.

What does not pair stays a button_down or button_up, and a place in a window of unknown size stays unknown, with the reason. Every event
ends up in exactly one step, so raw inputs add up. No clock and no randomness: the same events give the same steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import hypot

import msgspec

from consent.event import (
    AnyPayload,
    Button,
    Clipboard,
    Control,
    Element,
    Event,
    Focus,
    Gap,
    KeyChord,
    KeyNamed,
    Modifier,
    PointerButton,
    PointerPath,
    PointerScroll,
    TypingBurst,
)
from custody.step import (
    CONTEXT,
    Action,
    Args,
    Chorded,
    Chosen,
    Clicked,
    Clipped,
    Dragged,
    Focused,
    Frame,
    Moved,
    Nothing,
    Point,
    Pressed,
    Recording,
    Scrolled,
    Step,
    Written,
    rfc3339,
)

SAME_PLACE_PX = 5.0  # GTK's and Qt's own distances for a double click are 5 px
DOUBLE_CLICK_MS = 500  # Windows' default; GTK and Qt have 400
TYPING_BIN_MS = 250  # consent.event.TypingBurst.bins
GEOMETRY_UNKNOWN = "window geometry unknown"
BOX_UNKNOWN = "box unknown"


@dataclass(slots=True)
class _Draft:
    """A step whose place in the trajectory is not final: a click is known at its release but belongs where its press was."""

    order: int
    first: Event
    action: Action
    args: Args
    duration_ms: int
    n: int


@dataclass(slots=True)
class _Trajectory:
    """What has been understood so far. Windows and buttons belong to one generation: nothing pairs across a change of permission.

    Attributes:
        geometry: by generation and window, where it was told to be.
        front: by generation, the window that was told to be in front; 0 for a gap.
    """

    drafts: list[_Draft] = field(default_factory=list)
    geometry: dict[tuple[int, int], Focus] = field(default_factory=dict)
    front: dict[int, int] = field(default_factory=dict)
    down: dict[tuple[int, Button], tuple[int, Event, PointerButton]] = field(default_factory=dict)
    last_act: _Draft | None = None

    def add(self, draft: _Draft) -> None:
        self.drafts.append(draft)
        if draft.action not in CONTEXT and draft.action is not Action.CHOOSE:  # which only says what a click or key meant
            self.last_act = draft

    def place(self, event: Event, x: int, y: int) -> Point:
        """A window-relative pixel as a part of the window, else of the screen."""
        known = self.geometry.get((event.generation, event.window))
        if known is not None and known.width and known.height:
            return Point(_part(x, known.width), _part(y, known.height), Frame.WINDOW)
        if known is not None and known.screen_width and known.screen_height:
            return Point(_part(known.x + x, known.screen_width), _part(known.y + y, known.screen_height), Frame.SCREEN)
        return Point(None, None, None, GEOMETRY_UNKNOWN)


def steps_of(pseudonym: bytes, events: Iterable[Event]) -> list[Step]:
    """The steps of one trajectory.

    Args:
        pseudonym: 32 bytes, of the epoch that the events were sealed under.
        events: in the order of capture.
    """
    captured = list(events)
    trajectory, coming = _Trajectory(), _coming(captured)
    for order, event in enumerate(captured):
        generation, window = event.generation, event.window
        if isinstance(event.payload, PointerButton):
            if order in coming and trajectory.front.get(generation) != window:
                trajectory.geometry[generation, window] = coming[order]
            _button(trajectory, order, event, event.payload)
        else:
            if isinstance(event.payload, Focus):
                trajectory.geometry[generation, window] = event.payload
            if isinstance(event.payload, Focus | Gap):
                trajectory.front[generation] = window if isinstance(event.payload, Focus) else 0
            action, args, duration_ms = _plain(trajectory, event, event.payload)
            trajectory.add(_Draft(order, event, action, args, duration_ms, event.n))
    for order, event, payload in trajectory.down.values():
        trajectory.add(_alone(trajectory, order, event, payload))
    name = pseudonym.hex()
    return [_final(name, index, draft) for index, draft in enumerate(sorted(trajectory.drafts, key=lambda draft: draft.order))]


def _coming(events: list[Event]) -> dict[int, Focus]:
    """By the order of a press: the focus of its window, if that is what comes to the front next in its generation."""
    coming: dict[int, Focus] = {}
    following: dict[int, tuple[int, Focus] | None] = {}
    for order, event in reversed(list(enumerate(events))):
        match event.payload:
            case Focus():
                following[event.generation] = event.window, event.payload
            case Gap():
                following[event.generation] = None
            case PointerButton(pressed=True):
                window, focus = following.get(event.generation) or (0, None)
                if focus is not None and window == event.window:
                    coming[order] = focus
    return coming


def _final(trajectory: str, index: int, draft: _Draft) -> Step:
    return Step(
        trajectory=trajectory,
        index=index,
        time=rfc3339(draft.first.at.wall_ms),
        duration_ms=draft.duration_ms,
        surface=draft.first.surface,
        window=draft.first.window,
        generation=draft.first.generation,
        action=draft.action,
        args=draft.args,
        loss_mask=draft.action is Action.WRITE or draft.action in CONTEXT,
        n=draft.n,
    )


def _plain(trajectory: _Trajectory, event: Event, payload: AnyPayload) -> tuple[Action, Args, int]:
    """Events that are a step by themselves: action, how, milliseconds."""
    args: Args
    duration_ms = 0
    match payload:
        case PointerScroll(x=x, y=y, dx=dx, dy=dy):
            action, args = Action.SCROLL, Scrolled(trajectory.place(event, x, y), dx, dy)
        case KeyNamed(key, shift):
            action, args = Action.PRESS, Pressed(key, shift)
        case KeyChord(modifiers, trigger):
            held = [modifier.value for modifier in Modifier if modifier in modifiers]
            action, args = Action.HOTKEY, Chorded((*held, trigger))
        case TypingBurst(bins, keys, corrections, ended_by, role):
            action, args, duration_ms = Action.WRITE, Written(keys, corrections, ended_by, role), bins * TYPING_BIN_MS
        case Focus():
            action, args = Action.FOCUS, Focused(**msgspec.structs.asdict(payload))
        case Element():
            action, args = Action.CHOOSE, _chosen(trajectory, event, payload)
        case PointerPath():
            action, args, duration_ms = Action.MOVE, _moved(trajectory, event, payload), payload.t_ms[-1]
        case Clipboard(act, kinds, size):
            action, args = Action.CLIPBOARD, Clipped(act, kinds, size)
        case Control(switch):
            action, args = Action.RECORDING, Recording(switch)
        case _:
            action, args = Action(payload.kind.value), Nothing()  # gap, secure_input; any other kind is an error here, not a loss
    return action, args, duration_ms


def _chosen(trajectory: _Trajectory, event: Event, payload: Element) -> Chosen:
    if payload.width and payload.height:
        at = trajectory.place(event, payload.x, payload.y)
        to = trajectory.place(event, payload.x + payload.width, payload.y + payload.height)
    else:
        at = to = Point(None, None, None, BOX_UNKNOWN)
    return Chosen(payload.role, payload.index, at, to, payload.chosen_by, payload.label)


def _moved(trajectory: _Trajectory, event: Event, payload: PointerPath) -> Moved:
    places = [trajectory.place(event, x, y) for x, y in zip(payload.x, payload.y, strict=True)]
    xs, ys = tuple(place.x for place in places), tuple(place.y for place in places)
    return Moved(payload.purpose, payload.t_ms, xs, ys, places[0].frame, places[0].why)


def _button(trajectory: _Trajectory, order: int, event: Event, payload: PointerButton) -> None:
    key = (event.generation, payload.button)
    begun = trajectory.down.pop(key, None)
    if payload.pressed:
        if begun is not None:
            trajectory.add(_alone(trajectory, *begun))
        trajectory.down[key] = (order, event, payload)
    elif begun is None:
        trajectory.add(_alone(trajectory, order, event, payload))
    elif begun[1].window != event.window:  # two origins: no distance can be told
        trajectory.add(_alone(trajectory, *begun))
        trajectory.add(_alone(trajectory, order, event, payload))
    else:
        _pair(trajectory, begun, event, payload)


def _alone(trajectory: _Trajectory, order: int, event: Event, payload: PointerButton) -> _Draft:
    action = Action.BUTTON_DOWN if payload.pressed else Action.BUTTON_UP
    return _Draft(order, event, action, Clicked(payload.button, trajectory.place(event, payload.x, payload.y)), 0, event.n)


def _pair(trajectory: _Trajectory, begun: tuple[int, Event, PointerButton], event: Event, released: PointerButton) -> None:
    order, first, pressed = begun
    at = trajectory.place(first, pressed.x, pressed.y)
    duration_ms = max(0, event.at.awake_ms - first.at.awake_ms)
    if hypot(released.x - pressed.x, released.y - pressed.y) >= SAME_PLACE_PX:
        dragged = Dragged(pressed.button, at, trajectory.place(event, released.x, released.y))
        trajectory.add(_Draft(order, first, Action.DRAG, dragged, duration_ms, first.n + event.n))
        return
    before = trajectory.last_act
    if before is not None and _doubles(before, first, pressed):
        before.action = Action.DOUBLE_CLICK
        before.duration_ms = max(0, event.at.awake_ms - before.first.at.awake_ms)
        before.n += first.n + event.n
        return
    trajectory.add(_Draft(order, first, Action.CLICK, Clicked(pressed.button, at), duration_ms, first.n + event.n))


def _doubles(before: _Draft, second: Event, pressed: PointerButton) -> bool:
    """Whether a click begun by `second` is the other half of the act before it; a third click begins anew."""
    first, origin = before.first, before.first.payload
    return (
        before.action is Action.CLICK
        and isinstance(origin, PointerButton)
        and (first.generation, first.window, origin.button) == (second.generation, second.window, pressed.button)
        and 0 <= second.at.awake_ms - first.at.awake_ms < DOUBLE_CLICK_MS
        and hypot(pressed.x - origin.x, pressed.y - origin.y) < SAME_PLACE_PX
    )


def _part(pixels: int, whole: int) -> float:
    return round(pixels / whole, 4) + 0.0  # + 0.0 makes of -0.0 a plain zero
