"""Sites, against a page that makes signs without end, a bus that is flooded or hangs up, and a registry that ends."""

import pytest

from collectors.backends.atspi_sites import REOPEN_MS
from collectors.pages import SPACING_MS
from collectors.raw import Front
from consent.vocabulary import SurfaceId
from tests.collectors.firefox import SlowBus
from tests.collectors.test_atspi_sites import Desk


def test_what_is_left_of_a_flood_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more need come for it, and it is no reason to ask anything."""
    desk = Desk(monkeypatch)
    desk.later(500)
    asked = len(desk.browser.hears)
    desk.buses[-1].behind = True
    assert desk.sites.due_ms() == desk.stage.ms
    desk.later(100)
    assert len(desk.browser.hears) == asked
    desk.buses[-1].behind = False
    assert desk.sites.due_ms() is None


@pytest.mark.parametrize(("path", "what", "most"), [("/page/x", "focused", 1), ("/page/x", "busy", 1), ("/entry{}", "selected", 9)])
def test_however_many_signs_a_page_makes_there_are_few_questions(monkeypatch: pytest.MonkeyPatch, path: str, what: str, most: int) -> None:
    """A script can move the focus as often as it likes. A question about the page, and eight about what was selected, in SPACING_MS."""
    desk = Desk(monkeypatch)
    desk.later(3_000)
    asked = len(desk.browser.hears)
    desk.signal(path.format(""), "StateChanged", what, 1, 0, ("i", 0), {})
    desk.later(SPACING_MS + 10)
    one = len(desk.browser.hears) - asked
    asked = len(desk.browser.hears)
    for step in range(300):
        desk.signal(path.format(step), "StateChanged", what, 1, 0, ("i", 0), {})
    assert len(desk.browser.hears) - asked <= most * one
    desk.later(3_000)
    assert desk.found[-1] == "forge"


def test_more_that_was_selected_than_is_asked_about_counts_as_a_tab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was made before it is vouched for."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms = desk.stage.ms
    desk.stage.shaper.pages.wait(made_ms)
    desk.later(20)
    for step in range(9):
        desk.signal(f"/entry{step}", "StateChanged", "selected", 1, 0, ("i", 0), {})
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is False


def test_why_we_hung_up_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the closed connection is noticed after it."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.buses[-1].close()
    desk.sites.pump()
    assert desk.sites.trouble == "the accessibility service ended"
    desk.browser.silent.add("GetAddress")
    monkeypatch.setattr(SlowBus, "run", lambda self, steps: self._go(lambda: next(steps), steps))
    desk.stage.ms += REOPEN_MS
    desk.sites.watch(desk.identity)
    desk.sites.pump()
    assert desk.sites.trouble == "this session has no accessibility service"


def _changes(desk: Desk, sender: str = "org.freedesktop.DBus", owner: str = "") -> None:
    desk.signal("/org/freedesktop/DBus", "NameOwnerChanged", "org.a11y.atspi.Registry", ":1.2", owner, name=sender)


def test_when_the_registry_ends_nothing_is_vouched_for_until_we_are_registered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser may not tell of its tabs in between. Only the bus itself is believed."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms = desk.stage.ms
    desk.stage.shaper.pages.wait(made_ms)
    question = ("RegisterEvent", "/org/a11y/atspi/registry")
    count = desk.browser.hears.count(question)
    desk.later(20)
    _changes(desk, sender=":1.66")
    assert desk.found == ["forge"]
    _changes(desk)
    assert desk.found == ["forge", None]
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is False
    desk.later(1_000)
    assert desk.browser.hears.count(question) == 2 * count
    assert desk.found == ["forge", None, "forge"]


def test_a_registration_in_the_middle_of_which_the_registry_changes_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """One half was told to a registry that is gone."""
    desk = Desk(monkeypatch)
    desk.later(500)
    bus, count = desk.buses[-1], desk.browser.hears.count(("RegisterEvent", "/org/a11y/atspi/registry"))
    bus.held = True
    _changes(desk)
    desk.later(SPACING_MS + 20)
    while desk.browser.hears[-1][0] != "RegisterEvent":
        bus.one()
    _changes(desk, owner=":1.9")
    bus.held = False
    desk.sites.pump()
    desk.later(1_000)
    assert desk.browser.hears.count(("RegisterEvent", "/org/a11y/atspi/registry")) == 3 * count
    assert desk.found == ["forge", None, "forge"]
