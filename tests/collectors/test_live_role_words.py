"""Live: what GTK 4 and Qt 6 call their fields, and what becomes of keys there."""

import os
from collections.abc import Iterator

import pytest

from agent.demo.wait import until
from collectors.pipe import SurfaceRule
from consent.event import FieldRole, TypingBurst
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.collectors.test_live_elements import QT_PROGRAMS
from tests.collectors.test_live_input import CANARY
from tests.live.accessible import FOCUSED, Object, Tree
from tests.live.desktop import Desktop, desktop, program

pytestmark = pytest.mark.live
PASSWORD, TEXT, SPIN_BUTTON = 40, 61, 52


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with pytest.MonkeyPatch.context() as patch, desktop() as whole:
        patch.setenv("PATH", f"{os.environ['PATH']}:{QT_PROGRAMS}")
        whole.env["GSK_RENDERER"] = "cairo"
        yield whole


@pytest.fixture
def child(desk: Desktop) -> Iterator[Child]:
    with observer(desk.env, [SurfaceRule(SurfaceId(name), (program(name),), False) for name in ("gtk4-widget-factory", "linguist")]) as one:
        yield one


def _tab_to(desk: Desktop, child: Child, field: Object) -> None:
    """Press Tab until the toolkit says that the field has the focus, and the observer has had time to hear of it."""
    for _ in range(20):
        if field.has(FOCUSED):
            child.lull(0.5)
            child.clear()
            return
        desk.key("Tab")
        child.lull(0.1)
    raise AssertionError("the field was not reached")


def _burst(desk: Desktop, child: Child) -> FieldRole:
    """What is typed here is said to be typed into."""
    desk.type("abc")
    child.until(lambda: bool(child.of(Kind.TYPING_BURST)), "a burst")
    (event,) = child.of(Kind.TYPING_BURST)
    child.clear()
    assert isinstance(event.payload, TypingBurst)
    return event.payload.role


@pytest.mark.soak
def test_gtk_4_says_what_a_password_field_is(desk: Desktop, child: Child) -> None:
    """In an entry, text is a burst; in a spin button it is one of that; in the password entry no key is kept."""
    app = desk.start("gtk4-widget-factory")
    tree = Tree(desk.env)
    try:
        root = until(lambda: tree.application(app.process.pid), "its accessibility")
        fields = {role: list(root.all(role, deepest=14)) for role in (TEXT, PASSWORD, SPIN_BUTTON)}
        _tab_to(desk, child, fields[TEXT][2])  # of the one that has the focus at first nothing is known: too much is before it
        assert _burst(desk, child) is FieldRole.TEXT
        _tab_to(desk, child, fields[PASSWORD][0])
        desk.type(CANARY)
        child.until_seen(2 * len(CANARY))
        assert (set(child.dropped), child.of(Kind.TYPING_BURST)) == ({Why.SECURE_FIELD}, [])
        assert CANARY.encode() not in child.raw
        _tab_to(desk, child, fields[SPIN_BUTTON][0])
        assert _burst(desk, child) is FieldRole.SPIN_BUTTON
    finally:
        tree.close()


def test_qt_says_what_an_entry_is(desk: Desktop, child: Child) -> None:
    """The name of a file, in its dialog."""
    desk.start("linguist")
    child.until(lambda: bool(child.of(Kind.FOCUS)), "its window")
    child.clear()
    desk.key("Control_L", "o")
    child.until(lambda: bool(child.of(Kind.FOCUS)), "its dialog")
    child.lull(0.5)
    assert _burst(desk, child) is FieldRole.TEXT
