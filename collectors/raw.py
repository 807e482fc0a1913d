"""The words for one raw input after its key identity has died: what a back end hands to `collectors.shape`. Pure.

There is no field for a character, a keycode or a keysym here. A character key is `CHARACTER`, one and the same value for
all of them; only the trigger of a chord has a name, and only one from the closed list.
"""

from dataclasses import dataclass
from enum import Enum

from consent.event import Clocks, FieldRole, Modifier, NamedKey
from consent.vocabulary import SurfaceId


class Sort(Enum):
    """What a key is for."""

    CHARACTER = "character"  # makes text: letters, digits, signs, space, dead keys; with Shift or AltGr too
    NAMED = "named"
    CHORD = "chord"
    MODIFIER = "modifier"
    OTHER = "other"  # no kind stands for it: media keys, locks, chords that are not on the list


@dataclass(frozen=True, slots=True)
class Stroke:
    """What pressing a key meant, when it was pressed.

    Attributes:
        named: Of a NAMED stroke.
        shift: Of a NAMED stroke: Shift was held.
        modifiers: Of a CHORD: what was held, in the order ctrl, alt, meta, shift.
        trigger: Of a CHORD: one of `CHORD_TRIGGERS`.
    """

    sort: Sort
    named: NamedKey | None = None
    shift: bool = False
    modifiers: tuple[Modifier, ...] = ()
    trigger: str = ""

    def __repr__(self) -> str:
        return "<Stroke>"


CHARACTER = Stroke(Sort.CHARACTER)
MODIFIER = Stroke(Sort.MODIFIER)
OTHER = Stroke(Sort.OTHER)


@dataclass(frozen=True, slots=True)
class Key:
    """A key went down, repeated, or went up.

    Attributes:
        press: The running number of the press; its repeats and its release carry the same. Says nothing of the key.
        stroke: What the press meant; a release says what its press said.
        activates: It was Space, alone, while an item was highlighted that Space may choose; at any other time nobody asks, and a
            release or a repeat does not say.
    """

    at: Clocks
    press: int
    stroke: Stroke
    down: bool
    repeat: bool = False
    activates: bool = False


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor, in physical pixels of the whole screen.

    Attributes:
        scale_percent: How large toolkits draw: 100 is one pixel of theirs for one of the screen's.
    """

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    scale_percent: int = 100


@dataclass(frozen=True, slots=True)
class Button:
    """A pointer button went down or up.

    Attributes:
        number: As X counts: 1 to 3, 4 to 7 for the wheel, 8 and 9 for back and forward.
        window: The number of the recorded window that it went to (a release goes where its press went); 0 for any other.
        own: It went to one of our own windows.
        x: Physical pixels from the left edge of that window; `y` from its top.
        left: Where that edge was on the whole screen when the button was pressed; `top` likewise.
        monitor: The one that the pointer is on.
        over_since_ms: Of a press: what is known of moves before this instant (of the awake clock) was over another window.
    """

    at: Clocks
    number: int
    down: bool
    window: int = 0
    own: bool = False
    x: int = 0
    y: int = 0
    left: int = 0
    top: int = 0
    monitor: Monitor = Monitor()
    over_since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """A place that the pointer came to.

    Attributes:
        x: Physical pixels from the left edge of the whole screen; `y` from its top.
        n: The raw moves that it stands for: itself, and those after it that were not looked at.
        held: A button was down.
        monitor: The one that the place is on.
    """

    at: Clocks
    x: int
    y: int
    n: int
    held: bool = False
    monitor: Monitor = Monitor()


@dataclass(frozen=True, slots=True)
class Went:
    """Moves of the pointer in a row, of which some were looked at.

    Attributes:
        at: No later than any of them.
        lead: Moves before the first point; they belong to the point before them.
    """

    at: Clocks
    lead: int
    points: tuple[Point, ...] = ()

    @property
    def n(self) -> int:
        """The raw moves."""
        return self.lead + sum(point.n for point in self.points)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a window is on its screen, in physical pixels; `monitor` is the one that its middle is on."""

    x: int
    y: int
    width: int
    height: int
    screen_width: int
    screen_height: int
    monitor: Monitor = Monitor()


@dataclass(frozen=True, slots=True)
class Front:
    """The window in front. Without a surface it is one that is not allowlisted, of which nothing else is known.

    Attributes:
        window: The small number of a recorded window; 0 for any other.
        site: It is of its surface by its page only, which may be another one a moment later (`collectors.pages`).
    """

    surface: SurfaceId | None = None
    window: int = 0
    structure_only: bool = False
    own: bool = False
    site: bool = False


class NoRole(Enum):
    """Why no field role is known. Both mean that no key is kept."""

    UNKNOWN = "unknown"
    SECURE = "secure"


Role = FieldRole | NoRole
