"""One event: what was observed, already minimised. No payload can hold typed text: there is no field for it.

Payloads are closed: unknown fields, unknown words and numbers out of range do not decode. `n` counts the raw inputs
(X device events) that the event stands for, so that tallies reconcile although inputs were merged.
Payloads never show themselves: their repr is their name, because reprs end up in logs.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, ClassVar, get_args

import msgspec

from consent.vocabulary import Kind, SurfaceId
from consent.words import ChosenBy, ClipboardAct, ClipboardKind, ElementRole, PathPurpose, SizeBucket

Pixel = Annotated[int, msgspec.Meta(ge=-32768, le=32767)]
"""Physical pixels; an X11 coordinate is a signed 16-bit number."""
Extent = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**32)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=1000)]
"""How large the toolkit draws: 100 is one physical pixel for one of its own."""

MAX_POINTS = 90
"""Three seconds at 30 points a second; a longer path is several events."""
LongestMs = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
Offsets = Annotated[tuple[LongestMs, ...], msgspec.Meta(min_length=2, max_length=MAX_POINTS)]
Pixels = Annotated[tuple[Pixel, ...], msgspec.Meta(min_length=2, max_length=MAX_POINTS)]

MAX_LABEL = 80
"""Menu items are shorter; what is longer is a sentence, and may be somebody's."""
Label = Annotated[str, msgspec.Meta(max_length=MAX_LABEL)]
Surface = Annotated[SurfaceId, msgspec.Meta(max_length=63)]
"""As long as the id of a policy's surface can be. Everything in an event is bounded: a batch says a value once for thousands of rows, so
that a few hundred bytes could become gigabytes where it is opened."""


class Clocks(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One instant on three clocks, in milliseconds.

    Attributes:
        awake_ms: Since boot without suspend (CLOCK_MONOTONIC on Linux). Pauses are promised on it.
        boot_ms: Since boot with suspend (CLOCK_BOOTTIME). A gap to `awake_ms` means that the machine slept.
        wall_ms: Since 1970, UTC. For records and for people; nothing ever opens because of it.
    """

    awake_ms: Milliseconds
    boot_ms: Milliseconds
    wall_ms: Milliseconds

    @property
    def day(self) -> date:
        """The UTC day by the wall clock."""
        return datetime.fromtimestamp(self.wall_ms / 1000, UTC).date()


class Button(StrEnum):
    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"
    BACK = "back"
    FORWARD = "forward"


class Modifier(StrEnum):
    CTRL = "ctrl"
    ALT = "alt"
    META = "meta"
    SHIFT = "shift"


class NamedKey(StrEnum):
    """Keys that are acts, not text. Space is text."""

    ENTER = "enter"
    TAB = "tab"
    ESCAPE = "escape"
    BACKSPACE = "backspace"
    DELETE = "delete"
    INSERT = "insert"
    HOME = "home"
    END = "end"
    PAGE_UP = "page_up"
    PAGE_DOWN = "page_down"
    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    MENU = "menu"
    PRINT = "print"
    F1 = "f1"
    F2 = "f2"
    F3 = "f3"
    F4 = "f4"
    F5 = "f5"
    F6 = "f6"
    F7 = "f7"
    F8 = "f8"
    F9 = "f9"
    F10 = "f10"
    F11 = "f11"
    F12 = "f12"


CHORD_TRIGGERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789") | {"space", "plus", "minus", "equal", "comma", "period", "slash"}
CHORD_TRIGGERS |= {key.value for key in NamedKey}
"""What may follow ctrl, alt or meta in a chord. AltGr is not a chord: it makes text."""


Trigger = Annotated[str, msgspec.Meta(max_length=max(map(len, CHORD_TRIGGERS)))]
"""One of these: `KeyChord` looks it up."""


class Bucket(StrEnum):
    """How many keys, coarsely: an exact count helps to guess a word (bounds from the datasets' own needs)."""

    NONE = "0"
    ONE = "1"
    FEW = "2-4"
    SOME = "5-8"
    MANY = "9-16"
    LOTS = "17-32"
    MORE = "33+"

    @classmethod
    def of(cls, count: int) -> "Bucket":
        """The bucket of a count of keys."""
        for top, bucket in ((0, cls.NONE), (1, cls.ONE), (4, cls.FEW), (8, cls.SOME), (16, cls.MANY), (32, cls.LOTS)):
            if count <= top:
                return bucket
        return cls.MORE


class EndedBy(StrEnum):
    ENTER = "enter"
    TAB = "tab"
    KEY = "key"
    CHORD = "chord"
    CLICK = "click"
    FOCUS = "focus"
    IDLE = "idle"
    LENGTH = "length"  # it went on; the next burst is more of it


class FieldRole(StrEnum):
    """What was typed into, as the accessibility tree says it. A role that is not listed is an unknown role."""

    ENTRY = "entry"
    TEXT = "text"
    DOCUMENT = "document"
    COMBO_BOX = "combo_box"
    SPIN_BUTTON = "spin_button"
    LIST = "list"
    TREE = "tree"
    OTHER = "other"


class Switch(StrEnum):
    """What a `control` event says of the recording itself."""

    STARTED = "started"
    STOPPED = "stopped"


class Payload(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every payload is: closed, small, silent."""

    kind: ClassVar[Kind]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class PointerButton(Payload, frozen=True, array_like=True, tag="pointer_button"):
    """A button went down or up. Physical pixels, relative to the window; `n` = 1.

    `monitor_x`, `monitor_y`: upper left corner, on the whole screen, of the monitor that the pointer is on.
    """

    kind = Kind.POINTER_BUTTON
    x: Pixel
    y: Pixel
    button: Button
    pressed: bool
    monitor_x: Pixel = 0
    monitor_y: Pixel = 0
    scale_percent: Percent = 100


class PointerScroll(Payload, frozen=True, array_like=True, tag="pointer_scroll"):
    """Wheel notches, down and right positive; relative to the window; `n` = 2 a notch (X sends press and release)."""

    kind = Kind.POINTER_SCROLL
    x: Pixel
    y: Pixel
    dx: Pixel
    dy: Pixel
    monitor_x: Pixel = 0
    monitor_y: Pixel = 0
    scale_percent: Percent = 100


class PointerPath(Payload, frozen=True, array_like=True, tag="pointer_path"):
    """How the pointer went while dragging, or on its way to a press: at most 30 points a second. `n` = the raw moves in it.

    Attributes:
        t_ms: Of each point, from the event's instant on; the first is 0.
        x: Of each point, physical pixels from the window's left edge; `y` from its top.
    """

    kind = Kind.POINTER_PATH
    purpose: PathPurpose
    t_ms: Offsets
    x: Pixels
    y: Pixels
    monitor_x: Pixel = 0
    monitor_y: Pixel = 0
    scale_percent: Percent = 100

    def __post_init__(self) -> None:
        if not len(self.t_ms) == len(self.x) == len(self.y):
            raise ValueError("a path has as many times as places")
        if self.t_ms[0] != 0 or any(later < earlier for earlier, later in pairwise(self.t_ms)):
            raise ValueError("the times of a path begin at 0 and do not go back")


class KeyNamed(Payload, frozen=True, array_like=True, tag="key_named"):
    """A key that is an act. `n` = its press, its repeats and its release, and those of modifiers held only for it."""

    kind = Kind.KEY_NAMED
    key: NamedKey
    shift: bool


class KeyChord(Payload, frozen=True, array_like=True, tag="key_chord"):
    """ctrl, alt or meta with one trigger of `CHORD_TRIGGERS`. `n` = all presses, repeats and releases in it."""

    kind = Kind.KEY_CHORD
    modifiers: Annotated[tuple[Modifier, ...], msgspec.Meta(max_length=len(Modifier))]
    trigger: Trigger

    def __post_init__(self) -> None:
        if self.trigger not in CHORD_TRIGGERS:
            raise ValueError("a chord's trigger must be on the closed list")
        if not set(self.modifiers) - {Modifier.SHIFT}:
            raise ValueError("a chord needs ctrl, alt or meta")


class TypingBurst(Payload, frozen=True, array_like=True, tag="typing_burst"):
    """That something was typed. Times in bins of 250 ms; counts in buckets; never a character, never a key's own time.

    The event's clocks are those of `start_bin`, cut down to the bin.
    """

    kind = Kind.TYPING_BURST
    bins: Count  # how many bins of 250 ms it lasted, at least 1
    keys: Bucket
    corrections: Bucket
    ended_by: EndedBy
    role: FieldRole


class SecureInput(Payload, frozen=True, array_like=True, tag="secure_input"):
    """That a password field had the focus. No counts, no times within: `n` = 0, its raw inputs are refused as secure."""

    kind = Kind.SECURE_INPUT


class Focus(Payload, frozen=True, array_like=True, tag="focus"):
    """An allowlisted window came to the front: where it is on the whole screen, and on which monitor its middle is. No title, no URL."""

    kind = Kind.FOCUS
    x: Pixel
    y: Pixel
    width: Extent
    height: Extent
    screen_width: Extent
    screen_height: Extent
    monitor_x: Pixel = 0
    monitor_y: Pixel = 0
    monitor_width: Extent = 0
    monitor_height: Extent = 0
    scale_percent: Percent = 100


class Element(Payload, frozen=True, array_like=True, tag="element"):
    """A menu item, an option or the like was chosen. `n` = 0: the click or the key that chose it is counted as itself.

    Attributes:
        index: Its place among its parent's children, from 0, as the toolkit counts.
        x: Its box in physical pixels from the window's corner, as are `y`, `width`, `height`; all 0 if the toolkit does not say.
        label: Only if it is interface vocabulary (`collectors.labels`); else empty.
    """

    kind = Kind.ELEMENT
    role: ElementRole
    index: Count
    x: Pixel
    y: Pixel
    width: Extent
    height: Extent
    chosen_by: ChosenBy
    label: Label = ""

    def __post_init__(self) -> None:
        if not self.label.isprintable():
            raise ValueError("a label has only characters that can be shown")


class Clipboard(Payload, frozen=True, array_like=True, tag="clipboard"):
    """Something was copied, cut or pasted: in which forms it is offered, and about how large it is. `n` = 0."""

    kind = Kind.CLIPBOARD
    act: ClipboardAct
    kinds: Annotated[tuple[ClipboardKind, ...], msgspec.Meta(max_length=len(ClipboardKind))]
    size: SizeBucket


class Gap(Payload, frozen=True, array_like=True, tag="gap"):
    """Something that is not allowlisted was in front. Its clocks are cut down to the minute; nothing else is known."""

    kind = Kind.GAP


class Control(Payload, frozen=True, array_like=True, tag="control"):
    """The recording itself started or stopped."""

    kind = Kind.CONTROL
    switch: Switch


AnyPayload = (
    PointerButton
    | PointerScroll
    | PointerPath
    | KeyNamed
    | KeyChord
    | TypingBurst
    | SecureInput
    | Focus
    | Element
    | Clipboard
    | Gap
    | Control
)
PAYLOADS: tuple[type[Payload], ...] = get_args(AnyPayload)


class Event(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What was observed, where, when, under which permission, and how many raw inputs it stands for.

    Attributes:
        surface: The allowlisted surface in front; None for `gap` and `control`.
        window: A small number that the observer gives a window for one generation; 0 for none. Not an X id.
        at: The instant on three clocks.
        generation: The unchanged permission whose hook saw it.
        n: Raw inputs that it stands for.
    """

    surface: Surface | None
    window: Count
    at: Clocks
    generation: Count
    n: Count
    payload: AnyPayload

    @property
    def kind(self) -> Kind:
        return self.payload.kind

    def __repr__(self) -> str:
        return f"<Event {self.kind} n={self.n}>"
