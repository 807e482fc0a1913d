"""The keyboard's layout is changed under a running observer: by another layout, by another group of the same, by options."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from collectors.pipe import SurfaceRule
from consent.event import KeyChord, KeyNamed, NamedKey
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.child import Child, observer
from tests.collectors.test_live_input import ready
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
CTRL, CAPS, SHIFT = 37, 66, 50
C, Y, M, TWO = 54, 29, 58, 11
"""Keycodes of a PC keyboard, by what is on the American one."""


@dataclass(frozen=True)
class Layout:
    """What setxkbmap is told, which group is chosen, and what chords of these keys are then: C, Y, M, 2."""

    name: str
    options: tuple[str, ...] = ()
    group: int = 0
    chords: tuple[str, ...] = ()


LAYOUTS = (
    Layout("us", chords=("c", "y", "m", "2")),
    Layout("de", chords=("c", "z", "m", "2")),
    Layout("fr", chords=("c", "y", "comma")),
    Layout("ru", chords=("2",)),
    Layout("us,ru", ("grp:caps_toggle",), chords=("c", "y", "m", "2")),
    Layout("us,ru", ("grp:caps_toggle",), group=1, chords=("c", "y", "m", "2")),
    Layout("us,fr", ("grp:caps_toggle",), group=1, chords=("c", "y", "comma")),
    Layout("ru,de", ("grp:caps_toggle",), group=1, chords=("c", "z", "m", "2")),
    Layout("ru,de", ("grp:caps_toggle",), chords=("c", "z", "m", "2")),
    Layout("us,ru,de", ("grp:caps_toggle",), group=2),
    Layout("us", chords=("c", "y", "m", "2")),
)
FEW = (LAYOUTS[1], LAYOUTS[5], LAYOUTS[9])


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


@pytest.fixture
def child(desk: Desktop, editor: Application) -> Iterator[Child]:
    editor.in_front()
    with observer(desk.env, [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)]) as running:
        running.until(lambda: running.recorded is True, "the editor in front")
        ready(desk, running)
        yield running


def choose(desk: Desktop, *options: str) -> None:
    """As `Desktop.layout`, with options; those of before are gone."""
    subprocess.run([program("setxkbmap"), "-option", "", *options], env=desk.env, check=True)
    desk.display.sync()


def group_of(desk: Desktop) -> int:
    """The group in force; a server may keep it from layout to layout."""
    return (desk.display.screen().root.query_pointer().mask >> 13) & 3


@pytest.mark.parametrize("layouts", [FEW, pytest.param(LAYOUTS, marks=pytest.mark.soak)], ids=["few", "all"])
def test_chords_and_text_are_right_in_each_layout_and_group(desk: Desktop, child: Child, layouts: tuple[Layout, ...]) -> None:
    """In each the same four keys with Ctrl, then the same keys as text: chords by the layout in force and only where they are sure,
    and of the text nothing but that something was typed."""
    found = []
    try:
        for layout in layouts:
            options = [word for option in layout.options for word in ("-option", option)]
            choose(desk, "-layout", layout.name, *options)
            while group_of(desk) != layout.group:
                desk.keycodes(CAPS)
            child.lull(1.1)  # refused inputs are said once a second
            child.clear()
            for code in (C, Y, M, TWO):
                desk.keycodes(CTRL, code)
            child.until_seen(16)
            triggers = tuple(event.payload.trigger for event in child.of(Kind.KEY_CHORD) if isinstance(event.payload, KeyChord))
            found.append((layout.name, layout.group, triggers))
            child.clear()
            for code in (C, Y, M, TWO):
                desk.keycodes(code)
            desk.keycodes(SHIFT, M)
            child.until_seen(12)
            assert {event.kind for event in child.events} == {Kind.TYPING_BURST}, layout
    finally:
        choose(desk, "-layout", "us")
    assert found == [(layout.name, layout.group, layout.chords) for layout in layouts]
    typed = bytes([C, Y, M, TWO])
    assert typed not in child.raw
    assert b"cym2" not in child.raw


def test_options_that_move_named_keys_and_modifiers_are_followed(desk: Desktop, child: Child) -> None:
    """Caps Lock as Escape, then as Control, then as itself: the same key is an act, a modifier, nothing."""
    said = []
    try:
        for option in ("caps:escape", "ctrl:nocaps", ""):
            choose(desk, "-layout", "us", *(("-option", option) if option else ()))
            child.lull(0.4)
            child.clear()
            desk.keycodes(CAPS)
            child.until_seen(2)
            desk.keycodes(CAPS, C)
            child.until_seen(6)
            child.lull(0.5)
            said.append([event.payload for event in child.of(Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST)])
            if not option:
                desk.keycodes(CAPS)
    finally:
        choose(desk, "-layout", "us")
    escape, control, itself = said
    assert KeyNamed(NamedKey.ESCAPE, False) in escape
    assert [payload.trigger for payload in control if isinstance(payload, KeyChord)] == ["c"]
    assert not any(isinstance(payload, KeyNamed | KeyChord) for payload in itself)
