"""What is in front, told to a shaper that keeps what it hears: no X server is asked."""

from dataclasses import dataclass, field
from typing import Any

from collectors.backends.x11_front import SETTLE_MS, InFront, Screen
from collectors.backends.x11_windows import NOBODY, Known
from collectors.identity import FileFacts, Identity, Running
from collectors.pipe import SurfaceRule
from collectors.raw import Front, Geometry
from consent.event import Clocks
from consent.vocabulary import SurfaceId

FORGE = SurfaceRule(SurfaceId("forge"), ("/usr/bin/browser",), False, (), ("forge.example",), ("Merge request",))
WIKI = SurfaceRule(SurfaceId("wiki"), ("/usr/bin/browser",), False, (), ("wiki.example",), ("Page",))
EDITOR = Known(Front(SurfaceId("editor"), 1), 7)
PROGRAM = Running(7, 1, "/usr/bin/browser", FileFacts(1, 1, 0, 0o100755, 1, 0), True)


@dataclass
class Place:
    """Windows and monitors in one: a window is where it is said to be."""

    geometries: dict[int, Geometry] = field(default_factory=dict)

    def geometry(self, xid: int) -> Geometry | None:
        return self.geometries.get(xid)

    def placed(self, geometry: Geometry | None) -> Geometry | None:
        return geometry


@dataclass
class Told:
    """A shaper that writes down."""

    fronts: list[tuple[Front, Geometry | None]] = field(default_factory=list)
    passed: int = 0

    def front(self, _at: Clocks, front: Front, geometry: Geometry | None) -> None:
        self.fronts.append((front, geometry))

    def passing(self, _at: Clocks) -> None:
        self.passed += 1


def at(ms: int) -> Clocks:
    return Clocks(ms, ms, ms)


def in_front(place: Place | None = None) -> tuple[InFront, Told]:
    told, where = Told(), place or Place()
    screen: Any = Screen(None, where, where)  # type: ignore[arg-type]
    return InFront(screen, told), told  # type: ignore[arg-type]


def browser() -> Known:
    return Known(Front(), 7, identity=Identity(FORGE, PROGRAM, (FORGE, WIKI)), number=3)


def test_after_something_that_passed_even_nothing_is_news() -> None:
    """The shaper was told of nothing but the passing: that no window is in front now ends the burst, and is a gap."""
    front, told = in_front()
    assert front.comes(at(1), 5, EDITOR, None)
    front.passes(at(2))
    assert front.comes(at(3), 0, NOBODY, None)
    assert [each.window for each, _ in told.fronts] == [1, 0]
    assert not front.comes(at(4), 0, NOBODY, None)


def test_the_labels_of_a_page_are_those_of_its_own_site() -> None:
    """The policy's words are for a surface: another site of the same browser has its own, and a page of none has nobody's."""
    front, _ = in_front()
    front.comes(at(1), 5, browser(), None)
    assert front.identity is None
    front.shows(at(2), WIKI)
    assert front.identity is not None
    assert front.identity.rule is WIKI
    front.shows(at(3), None)
    assert front.identity is None


def test_what_was_moved_before_is_taken_before_the_front_changes() -> None:
    """By window and by page."""
    front, told = in_front()
    seen: list[tuple[int | None, int]] = []
    front.leaving = lambda server_ms: seen.append((server_ms, len(told.fronts)))
    front.comes(at(1), 5, browser(), 77)
    front.shows(at(2), FORGE)
    assert seen == [(77, 0), (None, 1)]


def test_a_window_that_stands_still_again_is_told_once() -> None:
    """Where it is now, not where it came through."""
    place = Place({5: Geometry(0, 0, 10, 10, 100, 100)})
    front, told = in_front(place)
    front.comes(at(1), 5, EDITOR, None)
    for x in (1, 2, 3):
        place.geometries[5] = Geometry(x, 0, 10, 10, 100, 100)
        front.stirs(x)
        front.settle(at(x))
    front.settle(at(3 + SETTLE_MS))
    front.settle(at(900))
    assert [geometry and geometry.x for _, geometry in told.fronts] == [0, 3]


def test_the_windows_around_an_instant_are_those_before_and_since() -> None:
    """For a press that is a few milliseconds old."""
    front, _ = in_front()
    for ms, xid in ((10, 5), (20, 6), (30, 7)):
        front.comes(at(ms), xid, Known(Front(), xid), None)
    assert front.around(25) == [6, 7]
    assert front.around(5) == [5, 6, 7]
