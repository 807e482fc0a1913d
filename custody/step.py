"""The form of a step: one line of steps.jsonl, as docs/steps.schema.json says. Refuses to hold typed text: no field could."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import msgspec

from consent.event import Bucket, Button, EndedBy, FieldRole, NamedKey, Switch
from consent.words import ChosenBy, ClipboardAct, ClipboardKind, ElementRole, PathPurpose, SizeBucket

SCHEMA: Literal["volens-step/1"] = "volens-step/1"
TYPED: Literal["<typed>"] = "<typed>"  # stands where a recorder would have the text


class Action(StrEnum):
    """What was done; the last six are context: nothing was done, but what follows depends on it."""

    CLICK = "click"
    DOUBLE_CLICK = "double_click"
    DRAG = "drag"
    BUTTON_DOWN = "button_down"
    BUTTON_UP = "button_up"
    SCROLL = "scroll"
    PRESS = "press"
    HOTKEY = "hotkey"
    WRITE = "write"
    CHOOSE = "choose"
    MOVE = "move"
    CLIPBOARD = "clipboard"
    FOCUS = "focus"
    GAP = "gap"
    SECURE_INPUT = "secure_input"
    RECORDING = "recording"


CONTEXT = frozenset({Action.MOVE, Action.CLIPBOARD, Action.FOCUS, Action.GAP, Action.SECURE_INPUT, Action.RECORDING})


class Frame(StrEnum):
    """What coordinates are parts of."""

    WINDOW = "window"
    SCREEN = "screen"


class Point(msgspec.Struct, frozen=True):
    """A place, as parts of a window or screen, to four decimals; outside 0 to 1 it lies outside the frame.

    Attributes:
        x, y: parts, or None.
        frame: what they are parts of, or None.
        why: why there are none, or None.
    """

    x: float | None
    y: float | None
    frame: Frame | None
    why: str | None = None


class Clicked(msgspec.Struct, frozen=True):
    """click, double_click, button_down, button_up."""

    button: Button
    at: Point


class Dragged(msgspec.Struct, frozen=True):
    """drag."""

    button: Button
    at: Point
    to: Point


class Scrolled(msgspec.Struct, frozen=True):
    """scroll; notches, down and right positive."""

    at: Point
    dx: int
    dy: int


class Pressed(msgspec.Struct, frozen=True):
    """press."""

    key: NamedKey
    shift: bool


class Chorded(msgspec.Struct, frozen=True):
    """hotkey; ctrl, alt, meta, shift in this order, then the trigger."""

    keys: tuple[str, ...]


class Written(msgspec.Struct, frozen=True):
    """write; the text was never recorded."""

    keys: Bucket
    corrections: Bucket
    ended_by: EndedBy
    role: FieldRole
    text: Literal["<typed>"] = TYPED


class Chosen(msgspec.Struct, frozen=True):
    """choose; the click or key that chose it is a step of its own. `label` is empty unless it is the program's own word or the policy's."""

    role: ElementRole
    index: int
    at: Point
    to: Point
    chosen_by: ChosenBy
    label: str


class Moved(msgspec.Struct, frozen=True):
    """move; how the pointer went during the drag or before the click beside it. `x`, `y`: parts, as in a Point; `t_ms`: since `time`."""

    purpose: PathPurpose
    t_ms: tuple[int, ...]
    x: tuple[float | None, ...]
    y: tuple[float | None, ...]
    frame: Frame | None
    why: str | None


class Clipped(msgspec.Struct, frozen=True):
    """clipboard; what was copied was never recorded."""

    act: ClipboardAct
    kinds: tuple[ClipboardKind, ...]
    size: SizeBucket


class Focused(msgspec.Struct, frozen=True):
    """focus; physical pixels on the screen."""

    x: int
    y: int
    width: int
    height: int
    screen_width: int
    screen_height: int
    monitor_x: int
    monitor_y: int
    monitor_width: int
    monitor_height: int
    scale_percent: int


class Recording(msgspec.Struct, frozen=True):
    """recording; it started or stopped."""

    switch: Switch


class Nothing(msgspec.Struct, frozen=True):
    """gap and secure_input say only that they were."""


Args = Clicked | Dragged | Scrolled | Pressed | Chorded | Written | Chosen | Moved | Clipped | Focused | Recording | Nothing


class Step(msgspec.Struct, frozen=True):
    """One line.

    Attributes:
        trajectory: pseudonym, 64 hexadecimal characters; steps of two trajectories are not to be joined.
        index: 0, 1, 2 ... in the trajectory.
        time: UTC, RFC 3339 with milliseconds, of its first event, as coarse as that event's kind.
        duration_ms: from its first to its last event, in awake time.
        surface: allowlisted surface in front, or None.
        window: number of the window in its generation, 0 for none.
        generation: of the permission that it was captured under; window numbers are its own.
        action: what was done.
        args: how, depending on the action.
        loss_mask: True where there is no output to learn: what was typed is not known, and context is not an act.
        n: raw inputs that it stands for; over all steps they add up to those of the batches.
        schema: of this line.
    """

    trajectory: str
    index: int
    time: str
    duration_ms: int
    surface: str | None
    window: int
    generation: int
    action: Action
    args: Args
    loss_mask: bool
    n: int
    schema: Literal["volens-step/1"] = SCHEMA


def encode(steps: list[Step]) -> bytes:
    """JSON Lines; the same steps give the same bytes."""
    return b"".join(msgspec.json.encode(step) + b"\n" for step in steps)


def rfc3339(wall_ms: int) -> str:
    """2026-11-21T07:00:00.123Z, without a float on the way. Times beyond the calendar are cut to its end."""
    seconds, milliseconds = divmod(min(wall_ms, 253402300799_999), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
