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
    """

    at: Clocks
    press: int
    stroke: Stroke
    down: bool
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A pointer button went down or up.

    Attributes:
        number: As X counts: 1 to 3, 4 to 7 for the wheel, 8 and 9 for back and forward.
        window: The number of the recorded window that it went to (a release goes where its press went); 0 for any other.
        own: It went to one of our own windows.
        x: Physical pixels from the left edge of that window; `y` from its top.
    """

    at: Clocks
    number: int
    down: bool
    window: int = 0
    own: bool = False
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a window is on its screen, in physical pixels."""

    x: int
    y: int
    width: int
    height: int
    screen_width: int
    screen_height: int


@dataclass(frozen=True, slots=True)
class Front:
    """The window in front. Without a surface it is one that is not allowlisted, of which nothing else is known.

    Attributes:
        window: The small number of a recorded window; 0 for any other.
    """

    surface: SurfaceId | None = None
    window: int = 0
    structure_only: bool = False
    own: bool = False


class NoRole(Enum):
    """Why no field role is known. Both mean that no key is kept."""

    UNKNOWN = "unknown"
    SECURE = "secure"


Role = FieldRole | NoRole
