"""A raw trace: what a back end once told the shaper, one word a line, to be told again where there is no screen. Pure.

`docs/trace.md` is the format. A trace is written behind the place where key identity dies (`collectors.raw`), so it can hold no text:
there is no word with room for a character. Reading is strict: what is not a word of this version, and in its place, is refused with the
number of its line. Nothing in the product writes one; the recorder is in `tests/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from collectors.raw import Button, Front, Geometry, Key, NoRole, Role, Sort, Stroke, Went
from collectors.shape import Shaper
from consent.event import CHORD_TRIGGERS, Clocks, Count, FieldRole, Milliseconds, Modifier
from consent.vocabulary import SurfaceId

VERSION = 1
MOST_LINES = 200_000
"""A working day of a fast hand, plain moves counted together."""
MOST_BYTES = 64 * 1024 * 1024
LONGEST_LINE = 4_000
"""A dozen places that the pointer came to: more than a back end looks at between two readings."""
_SURFACE = re.compile(r"[a-z][a-z0-9-]{0,62}")  # as a policy names them


class TraceError(Exception):
    """This is not a trace; record it again, or use the version of Volens that recorded it."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line} of the trace {what}; record it again")
        self.line = line


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line. `surfaces`: all that fronts may name."""

    trace: int
    surfaces: tuple[SurfaceId, ...]


class Word(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One call of the shaper. Every instant in it counts from the moment at which the hooks were in place.

    Attributes:
        ms: When the back end said it, on the awake clock; never earlier than the word before.
    """

    ms: Milliseconds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Keyed(Word, frozen=True, tag="key"):
    """`Shaper.key`."""

    key: Key


class Unsettled(Word, frozen=True, tag="unsettled"):
    """`Shaper.unsettled`."""

    at: Clocks
    grab: bool


class Buttoned(Word, frozen=True, tag="button"):
    """`Shaper.button`."""

    button: Button


class Moved(Word, frozen=True, tag="moved"):
    """`Shaper.moved`."""

    n: Count


class Passed(Word, frozen=True, tag="went"):
    """`Shaper.went`."""

    went: Went


class Fronted(Word, frozen=True, tag="front"):
    """`Shaper.front`."""

    at: Clocks
    front: Front
    geometry: Geometry | None


class Passing(Word, frozen=True, tag="passing"):
    """`Shaper.passing`."""

    at: Clocks


class Focused(Word, frozen=True, tag="focused"):
    """`Shaper.focused`. Neither a role nor `secure`: it is not known."""

    at: Clocks
    role: FieldRole | None
    secure: bool


class Resolved(Word, frozen=True, tag="role"):
    """`Shaper.role`. Neither a role nor `secure`: it is not known."""

    at: Clocks
    role: FieldRole | None
    secure: bool


AnyWord = Keyed | Unsettled | Buttoned | Moved | Passed | Fronted | Passing | Focused | Resolved


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that was read.

    Attributes:
        surfaces: What its fronts may name.
        words: In the order in which they were said.
        windows: Of which surface each numbered window is.
    """

    surfaces: tuple[SurfaceId, ...]
    words: tuple[AnyWord, ...]
    windows: Mapping[int, SurfaceId]


_decode_heading = msgspec.json.Decoder(Heading).decode
_decode_word: msgspec.json.Decoder[AnyWord] = msgspec.json.Decoder(AnyWord)


def read(data: bytes) -> Trace:
    """A trace from its bytes.

    Raises:
        TraceError: It is none; names the line, and shows nothing of it.
    """
    if len(data) > MOST_BYTES:
        raise TraceError(1, "begins more than a trace may hold")
    lines = data.splitlines()
    heading = _heading(lines[0] if lines else b"")
    if len(lines) > MOST_LINES:
        raise TraceError(MOST_LINES, "is the last that a trace may have")
    words: list[AnyWord] = []
    windows: dict[int, SurfaceId] = {}
    for number, line in enumerate(lines[1:], start=2):
        word = _word(line, number)
        if words and word.ms < words[-1].ms:
            raise TraceError(number, "was said before the one above it")
        if isinstance(word, Fronted):
            _take_window(word.front, heading.surfaces, windows, number)
        words.append(word)
    return Trace(heading.surfaces, tuple(words), windows)


def say(word: AnyWord, to: Shaper, begin: Clocks) -> None:
    """Tell the shaper this word, as if the hooks had been in place at `begin`."""
    match word:
        case Keyed(_, key):
            to.key(replace(key, at=after(begin, key.at)))
        case Unsettled(_, at, grab):
            to.unsettled(after(begin, at), grab)
        case Buttoned(_, button):
            over_since_ms = button.over_since_ms and begin.awake_ms + button.over_since_ms
            to.button(replace(button, at=after(begin, button.at), over_since_ms=over_since_ms))
        case Moved(_, n):
            to.moved(n)
        case Passed(_, went):
            points = tuple(replace(point, at=after(begin, point.at)) for point in went.points)
            to.went(replace(went, at=after(begin, went.at), points=points))
        case Fronted(_, at, front, geometry):
            to.front(after(begin, at), front, geometry)
        case Passing(_, at):
            to.passing(after(begin, at))
        case Focused(_, at, role, secure):
            to.focused(after(begin, at), _role(role, secure))
        case Resolved(_, at, role, secure):
            to.role(after(begin, at), _role(role, secure))


def after(begin: Clocks, at: Clocks) -> Clocks:
    """The instant that is as long after `begin` as `at` says, on each clock."""
    return Clocks(begin.awake_ms + at.awake_ms, begin.boot_ms + at.boot_ms, begin.wall_ms + at.wall_ms)


def _role(role: FieldRole | None, secure: bool) -> Role:
    return NoRole.SECURE if secure else role or NoRole.UNKNOWN


def _heading(line: bytes) -> Heading:
    try:
        heading = _decode_heading(line)
    except msgspec.DecodeError:
        raise TraceError(1, "is not the heading of a trace") from None
    if heading.trace != VERSION:
        raise TraceError(1, f"says another version than {VERSION}")
    if not all(_SURFACE.fullmatch(surface) for surface in heading.surfaces):
        raise TraceError(1, "names a surface as no policy does")
    return heading


def _word(line: bytes, number: int) -> AnyWord:
    if len(line) > LONGEST_LINE:
        raise TraceError(number, f"is longer than {LONGEST_LINE} bytes")
    try:
        word = _decode_word.decode(line)
    except msgspec.DecodeError:  # a ValidationError is one; its own words could show what stands there
        raise TraceError(number, f"is no word of version {VERSION}") from None
    if not _only(msgspec.json.decode(line), msgspec.to_builtins(word)):
        raise TraceError(number, "says more than its word has room for")
    if isinstance(word, Keyed) and not _fits(word.key.stroke):
        raise TraceError(number, "is a stroke that no key makes")
    return word


def _only(said: object, understood: object) -> bool:
    """Whether nothing was said that was not understood: a decoder passes over the unknown fields of a dataclass."""
    if isinstance(said, dict) and isinstance(understood, dict):
        return set(said) <= set(understood) and all(_only(value, understood[name]) for name, value in said.items())
    if isinstance(said, list) and isinstance(understood, list | tuple):
        return len(said) == len(understood) and all(map(_only, said, understood))
    return said == understood


def _fits(stroke: Stroke) -> bool:
    """A named key has its name, a chord one of the closed list and what was held for it; nothing else has either."""
    held = bool(set(stroke.modifiers) - {Modifier.SHIFT}) and stroke.trigger in CHORD_TRIGGERS
    nothing = not stroke.modifiers and not stroke.trigger
    return (held if stroke.sort is Sort.CHORD else nothing) and (stroke.named is not None) == (stroke.sort is Sort.NAMED)


def _take_window(front: Front, surfaces: tuple[SurfaceId, ...], windows: dict[int, SurfaceId], number: int) -> None:
    """Note of which surface a window is; it is one for good, and only a recorded window has a number."""
    if front.surface is None:
        if front.window:
            raise TraceError(number, "numbers a window that is not recorded")
        return
    if front.surface not in surfaces:
        raise TraceError(number, "names a surface that the heading does not")
    if not front.window or windows.setdefault(front.window, front.surface) != front.surface:
        raise TraceError(number, "gives a window another surface")
