"""The format of a raw trace: it can hold no text, and what is not a word of it is refused with its line."""

import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import trace
from collectors.pipe import Grant, SurfaceRule
from collectors.raw import CHARACTER, Button, Front, Geometry, Key, Monitor, NoRole, Point, Sort, Stroke, Went
from collectors.shape import Shaper
from collectors.trace import LONGEST_LINE, AnyWord, Trace, TraceError, read
from consent.event import CHORD_TRIGGERS, Clocks, FieldRole, Modifier, NamedKey
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.recording import NOT_WORDS, NOT_YET, Recorder, line

HEADING = b'{"trace":1,"surfaces":["editor"]}'
GRANT = Grant(1, frozenset(Kind), (SurfaceRule(SurfaceId("editor"), ("/usr/bin/editor",), False),))
KEY = line(trace.Keyed(5, Key(Clocks(5, 5, 5), 1, CHARACTER, down=True)))


def lines(*after: bytes, heading: bytes = HEADING) -> bytes:
    return b"\n".join([heading, *after])


def changed(old: bytes, new: bytes) -> bytes:
    assert old in KEY
    return KEY.replace(old, new)


REFUSED = {
    "an empty file": (b"", 1),
    "another heading": (lines(heading=b'{"trace":1}'), 1),
    "another version": (lines(heading=b'{"trace":2,"surfaces":[]}'), 1),
    "a heading with something more": (lines(heading=b'{"trace":1,"surfaces":[],"text":"x"}'), 1),
    "a surface that no policy can name": (lines(heading=b'{"trace":1,"surfaces":["Dear Anna"]}'), 1),
    "another word": (lines(KEY, b'["typed",5,"x"]'), 3),
    "half a line": (lines(KEY[:40]), 2),
    "an empty line": (lines(KEY, b"", KEY), 3),
    "a word with something more at its end": (lines(KEY, KEY[:-1] + b',"x"]'), 3),
    "a key with a character": (lines(changed(b'"press":1', b'"press":1,"character":"x"')), 2),
    "a stroke with a keycode": (lines(changed(b'"sort":', b'"keycode":38,"sort":')), 2),
    "a name for a character": (lines(changed(b'"named":null', b'"named":"enter"')), 2),
    "a trigger for a character": (lines(changed(b'"trigger":""', b'"trigger":"x"')), 2),
    "a chord that is on no list": (lines(changed(b'"sort":"character"', b'"sort":"chord"').replace(b'""', b'"secret"')), 2),
    "a chord without what was held": (lines(changed(b'"sort":"character"', b'"sort":"chord"').replace(b'""', b'"x"')), 2),
    "a word that was said before the last": (lines(KEY, changed(b'["key",5', b'["key",4')), 3),
    "a window of a surface that the heading does not name": (
        lines(line(trace.Fronted(0, Clocks(0, 0, 0), Front(SurfaceId("mail"), 1), None))),
        2,
    ),
    "a window that changes its surface": (
        lines(
            line(trace.Fronted(0, Clocks(0, 0, 0), Front(SurfaceId("a"), 1), None)),
            line(trace.Fronted(0, Clocks(0, 0, 0), Front(SurfaceId("b"), 1), None)),
            heading=b'{"trace":1,"surfaces":["a","b"]}',
        ),
        3,
    ),
    "a line that is too long": (lines(KEY, KEY[:-1] + b" " * LONGEST_LINE + b"]"), 3),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_a_trace_is_refused_with_its_line_and_without_its_words(what: str) -> None:
    """One line for people, that says which line and shows nothing of it."""
    data, number = REFUSED[what]
    with pytest.raises(TraceError) as error:
        read(data)
    assert (error.value.line, f"line {number} of the trace" in str(error.value)) == (number, True)
    assert not any(secret in str(error.value) for secret in ("Dear", "secret", "typed", "38"))


def test_a_trace_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes and in lines."""
    monkeypatch.setattr(trace, "MOST_LINES", 3)
    assert len(read(lines(KEY, KEY)).words) == 2
    with pytest.raises(TraceError, match="line 3"):
        read(lines(KEY, KEY, KEY))
    monkeypatch.setattr(trace, "MOST_BYTES", 100)
    with pytest.raises(TraceError, match="more than"):
        read(lines(KEY, KEY))


def test_every_word_that_a_back_end_can_say_is_one_of_the_format() -> None:
    """A method that the shaper gains needs a word, a case in `say` and one in the recorder: else replayed is not what was recorded."""
    methods = {name for name in vars(Shaper) if not name.startswith("_")} - NOT_WORDS - NOT_YET
    assert methods <= set(vars(Recorder)), f"the recorder does not write {sorted(methods - set(vars(Recorder)))}"
    assert len(typing.get_args(AnyWord)) == len(methods)


def strings_in(kind: object) -> Iterator[str]:
    """The fields, however deep, that can hold a string of any sort, by name."""
    for origin in typing.get_args(kind) or [kind]:
        hints = (
            typing.get_type_hints(origin)
            if is_dataclass(origin) or (isinstance(origin, type) and issubclass(origin, msgspec.Struct))
            else {}
        )
        for name, hint in hints.items():
            if {hint, *typing.get_args(hint)} & {str, SurfaceId}:
                yield name
            else:
                yield from strings_in(hint)


def test_no_word_has_room_for_text() -> None:
    """What is a string in a word is a surface that a policy could name, or the trigger of a chord from the closed list."""
    assert set(strings_in(AnyWord)) == {"surface", "trigger"}
    assert not any(isinstance(member.value, str) and len(member.value) == 1 for member in Sort)
    assert all(issubclass(each, Enum) for each in (Sort, NamedKey, Modifier))


CLOCKS = st.builds(Clocks, *[st.integers(0, 10**9)] * 3)
STROKES = st.one_of(
    st.sampled_from([Stroke(sort) for sort in (Sort.CHARACTER, Sort.MODIFIER, Sort.OTHER)]),
    st.builds(lambda named, shift: Stroke(Sort.NAMED, named, shift), st.sampled_from(NamedKey), st.booleans()),
    st.builds(lambda trigger: Stroke(Sort.CHORD, modifiers=(Modifier.CTRL,), trigger=trigger), st.sampled_from(sorted(CHORD_TRIGGERS))),
)
ROLES = st.sampled_from([*FieldRole, *NoRole])
POINTS = st.builds(Point, CLOCKS, *[st.integers(-50, 900)] * 2, st.integers(1, 40), st.booleans(), st.builds(Monitor, st.integers(0, 9)))
SAID = st.one_of(
    st.tuples(st.just("went"), st.builds(Went, CLOCKS, st.integers(0, 9), st.lists(POINTS, max_size=4).map(tuple))),
    st.tuples(st.just("key"), st.builds(Key, CLOCKS, st.integers(0, 99), STROKES, st.booleans(), st.booleans())),
    st.tuples(st.just("unsettled"), CLOCKS, st.booleans()),
    st.tuples(st.just("button"), st.builds(Button, CLOCKS, st.integers(1, 12), st.booleans(), st.just(1), st.booleans())),
    st.tuples(st.just("moved"), st.integers(1, 50)),
    st.tuples(st.just("front"), CLOCKS, st.sampled_from([Front(), Front(SurfaceId("editor"), 1)]), st.just(Geometry(1, 2, 3, 4, 5, 6))),
    st.tuples(st.just("passing"), CLOCKS),
    st.tuples(st.just("focused"), CLOCKS, ROLES),
    st.tuples(st.just("role"), CLOCKS, ROLES),
)


class Heard(Shaper):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple] = []

    def __getattribute__(self, name: str) -> typing.Any:
        if name in {"key", "unsettled", "button", "went", "moved", "front", "passing", "focused", "role"}:
            return lambda *arguments: object.__getattribute__(self, "said").append((name, *arguments))
        return object.__getattribute__(self, name)


def recorded(said: list[tuple]) -> Trace:
    """What a recorder writes of it, read again."""
    written: list[bytes] = []
    recorder = Recorder(GRANT, Clocks(0, 0, 0), written.append, lambda: Clocks(3, 3, 3))
    for name, *arguments in said:
        getattr(recorder, name)(*arguments)
    return read(b"\n".join(written))


@given(said=st.lists(SAID, max_size=12))
def test_what_is_recorded_is_told_again_word_for_word(said: list[tuple]) -> None:
    """Each word with each field, as it was, at the instant from which it is played."""
    heard = Heard()
    for word in recorded(said).words:
        trace.say(word, heard, Clocks(0, 0, 0))
    assert heard.said == said


@given(said=st.lists(SAID, max_size=3), begin=CLOCKS)
def test_every_instant_of_a_word_counts_from_the_beginning(said: list[tuple], begin: Clocks) -> None:
    """Played at another time, all clocks are moved by as much, and nothing else is."""

    def moved(value: typing.Any) -> typing.Any:
        if isinstance(value, Clocks):
            return trace.after(begin, value)
        if isinstance(value, Went):
            return Went(moved(value.at), value.lead, tuple(map(moved, value.points)))
        return type(value)(moved(value.at), *[getattr(value, field.name) for field in fields(value)[1:]]) if hasattr(value, "at") else value

    heard = Heard()
    for word in recorded(said).words:
        trace.say(word, heard, begin)
    assert heard.said == [tuple(map(moved, each)) for each in said]
