"""Which site is in front, against a browser that answers from a table: whose word counts, in which order, and what silence means."""

from collections.abc import Callable
from typing import Any

import pytest

from collectors.backends.atspi_sites import ANSWER_MS, REOPEN_MS, TOLD, Sites
from collectors.backends.bus import Heard
from collectors.identity import FileFacts, Identity, Running
from collectors.pages import HOLD_MS, LIMIT_MS, SPACING_MS
from collectors.pipe import SurfaceRule
from collectors.raw import Front
from consent.vocabulary import SurfaceId
from tests.collectors.firefox import NAME, PATH, PID, WIKI, Browser, SlowBus, Window
from tests.collectors.stage import Stage

RULES = tuple(SurfaceRule(SurfaceId(name), (PATH,), False, (), (f"{name}.example.org",)) for name in ("forge", "wiki"))


class Desk:
    """A browser's window comes to the front."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, browser: Browser | None = None) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/session")
        self.stage, self.browser = Stage(), browser or Browser()
        self.found: list[str | None] = []
        self.buses: list[SlowBus] = []
        found: Callable[[SurfaceRule | None], None] = lambda rule: self.found.append(rule and str(rule.surface))  # noqa: E731
        self.sites = Sites(lambda: self.stage.now, self.stage.shaper.pages, found, self._connect)
        facts = FileFacts(1, 1, 0, 0o100755, 1, 0)
        self.identity = Identity(RULES[0], Running(PID, 7, PATH, facts, True), RULES)
        self.sites.watch(self.identity)
        self.later(1)

    def _connect(self, address: str, heard: Heard) -> SlowBus:
        self.buses.append(SlowBus(self.browser, heard))
        return self.buses[-1]

    def later(self, ms: int) -> None:
        """Time goes by in steps of 10 ms, and what is due is done."""
        end_ms = self.stage.ms + ms
        while self.stage.ms < end_ms:
            self.stage.ms = min(self.stage.ms + 10, end_ms)
            due_ms = self.sites.due_ms()
            if due_ms is not None and due_ms <= self.stage.ms:
                self.sites.pump()

    def signal(self, path: str, member: str, *body: Any, name: str = NAME) -> None:
        """The browser says that something happened."""
        self.buses[-1].heard(name, path, member, body)

    @property
    def window(self) -> Window:
        return self.browser.windows["/frame/1"]


def test_a_site_is_found_when_the_browser_has_said_so_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """And then it is left in peace: no question without a reason."""
    desk = Desk(monkeypatch)
    assert desk.found == []
    desk.later(SPACING_MS + 10)
    assert desk.found == ["forge"]
    asked = len(desk.browser.hears)
    desk.later(60_000)
    assert len(desk.browser.hears) == asked
    assert desk.sites.due_ms() is None
    assert desk.sites.why == TOLD


@pytest.mark.parametrize(
    "what",
    [
        {"address": "https://other.example.org/"},
        {"address": "about:privatebrowsing"},
        {"address": "file:///home/me/forge.example.org"},
        {"address": ""},
        {"part": ("class", "private-browsing-indicator-icon")},
        {"part": ("id", "home-button")},
        {"shows": 0},
        {"shows": 2},
        {"beside": 242},
        {"active": False},
        {"busy": True, "shows": 0},
    ],
)
def test_whatever_is_no_listed_page_for_sure_is_nothing(monkeypatch: pytest.MonkeyPatch, what: dict[str, Any]) -> None:
    """Another host, no site, a private window or one that does not look normal, no page or two, a sidebar, no window or two."""
    desk = Desk(monkeypatch, Browser({"/frame/1": Window(**what)}))
    desk.later(40_000)
    assert desk.found == []
    assert desk.sites.due_ms() is None  # and it is not asked for ever


@pytest.mark.parametrize("of", [{"version": "140.5.0"}, {"version": "x"}, {"toolkit": "Chromium"}])
def test_a_browser_that_cannot_tell_is_not_asked_for_its_page(monkeypatch: pytest.MonkeyPatch, of: dict[str, str]) -> None:
    """And the state says which it is."""
    desk = Desk(monkeypatch, Browser(**of))
    desk.later(40_000)
    assert desk.found == []
    assert "GetAttributeValue" not in {member for member, _ in desk.browser.hears}
    assert "does not say which" in desk.sites.why


@pytest.mark.parametrize(
    "silent",
    [
        "RegisterEvent",
        "AddMatch",
        "GetState",
        "GetRelationSet",
        "GetExtents",
        "GetAttributeValue",
        "GetAttributes",
        "GetRole",
        "Get",
        "GetChildren",
    ],
)
def test_a_question_without_an_answer_is_no_site(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    """Whatever was asked; and once there are answers again, it is one."""
    browser = Browser()
    browser.silent.add(silent)
    desk = Desk(monkeypatch, browser)
    desk.later(5_000)
    assert desk.found == []
    browser.silent.clear()
    desk.later(40_000)
    assert desk.found == ["forge"]


def test_a_tab_switch_ends_it_at_once_and_the_new_site_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the news; there is no time in which the old one counts."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.window.document, desk.window.address = "/doc/2", WIKI
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    assert desk.found == ["forge", None]
    desk.later(500)
    assert desk.found == ["forge", None, "wiki"]


def test_a_navigation_within_the_site_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old page is busy, then there is none, then there is another one of the same site."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.window.busy = True
    desk.signal("/doc/1", "StateChanged", "busy", 1, 0, ("i", 0), {})
    desk.later(300)
    desk.window.shows = 0
    desk.later(300)
    desk.window.document, desk.window.shows, desk.window.busy = "/doc/2", 1, False
    desk.later(1_000)
    assert desk.found == ["forge"]
    assert desk.stage.shaper.pages.vouch(desk.stage.ms - 500, SurfaceId("forge")) is not False


def test_a_page_that_never_comes_is_no_site_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not believed for ever that the old one stays."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.window.busy = True
    desk.signal("/doc/1", "StateChanged", "busy", 1, 0, ("i", 0), {})
    desk.later(LIMIT_MS + SPACING_MS + 50)
    assert desk.found == ["forge", None]


def test_a_switch_there_and_back_within_one_question_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both answers are the same; the news of the two tabs is what tells."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms = desk.stage.ms
    desk.stage.shaper.pages.wait(made_ms)
    desk.later(20)
    for _ in range(2):
        desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    desk.later(2_000)
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is False


def test_while_it_is_asked_whether_a_tab_was_switched_no_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the page is the same meanwhile: it may have been another one in between."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms = desk.stage.ms
    desk.stage.shaper.pages.wait(made_ms)
    desk.buses[-1].stuck = "/tab"
    desk.later(20)
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    desk.later(ANSWER_MS - 50)
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is None
    desk.later(100)
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is False
    assert desk.found == ["forge", None]


def test_a_question_that_was_asked_before_the_news_of_a_tab_does_not_count_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer comes while it is being asked whether that was a tab."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms, bus = desk.stage.ms, desk.buses[-1]
    desk.stage.shaper.pages.wait(made_ms)
    desk.later(HOLD_MS + SPACING_MS - 20)
    bus.held = True
    desk.later(40)
    assert bus.waiting
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is None
    bus.stuck = "/tab"
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    bus.held = False
    bus.pump()
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is None


@pytest.mark.parametrize("member", ["Activate", "Deactivate"])
def test_another_window_for_a_moment_is_not_overlooked(monkeypatch: pytest.MonkeyPatch, member: str) -> None:
    """Its news may come when it has gone again."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.stage.front(Front(SurfaceId("forge"), 5, site=True))
    made_ms = desk.stage.ms
    desk.stage.shaper.pages.wait(made_ms)
    desk.later(20)
    desk.signal("/frame/1", member, "", 0, 0, ("s", ""), {})
    desk.later(2_000)
    assert desk.stage.shaper.pages.vouch(made_ms, SurfaceId("forge")) is False


def test_an_option_of_a_page_that_is_selected_is_no_tab(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends nothing, and is asked about once."""
    desk = Desk(monkeypatch)
    desk.later(500)
    for _ in range(3):
        desk.signal("/entry", "StateChanged", "selected", 1, 0, ("i", 0), {})
    desk.later(100)
    assert desk.found == ["forge"]
    assert desk.browser.hears.count(("GetRole", "/entry")) == 1
    assert desk.stage.shaper.pages.vouch(desk.stage.ms - 400, SurfaceId("forge")) is not False


def test_an_answer_that_was_begun_before_a_switch_does_not_count_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which document was asked for first, its state after; the switch came between them."""
    desk = Desk(monkeypatch)
    desk.later(500)
    bus = desk.buses[-1]
    bus.held = True
    desk.signal("/doc/9", "LoadComplete", "", 0, 0, ("s", ""), {})
    while bus.browser.hears[-1][0] != "GetRelationSet":
        bus.one()
    desk.window.document, desk.window.address = "/doc/2", WIKI
    desk.browser.windows["/frame/old"] = Window(active=False)
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    since_ms = desk.stage.ms
    bus.held = False
    desk.sites.pump()
    desk.later(1_000)
    assert desk.found == ["forge", None, "wiki"]
    assert desk.stage.shaper.pages.vouch(since_ms - 5, SurfaceId("forge")) is False


def test_a_browser_that_hangs_is_no_site_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its late answer is not listened to."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.buses[-1].held = True
    desk.signal("/doc/9", "LoadComplete", "", 0, 0, ("s", ""), {})
    desk.later(ANSWER_MS + 20)
    assert desk.found == ["forge", None]
    desk.buses[-1].held = False
    desk.sites.pump()
    desk.later(2_000)
    assert desk.found == ["forge", None, "forge"]


def test_the_word_of_another_application_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its signals start no question."""
    desk = Desk(monkeypatch)
    desk.later(500)
    asked = len(desk.browser.hears)
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {}, name=":1.66")
    assert len(desk.browser.hears) == asked


def test_two_active_windows_are_no_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one is in front is not known then."""
    desk = Desk(monkeypatch, Browser({"/frame/1": Window(), "/frame/2": Window(document="/doc/2", address=WIKI)}))
    desk.later(5_000)
    assert desk.found == []


def test_when_the_bus_goes_away_there_is_no_site_and_it_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next browser window that comes to the front, not more often than every ten seconds."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.buses[-1].close()
    desk.sites.pump()
    assert desk.found == ["forge", None]
    assert "no site is recognised" in desk.sites.why
    desk.sites.watch(None)
    made = len(desk.buses)
    desk.sites.watch(desk.identity)
    assert len(desk.buses) == made
    desk.stage.ms += REOPEN_MS
    desk.sites.watch(desk.identity)
    desk.later(500)
    assert desk.found[-1] == "forge"


def test_another_window_in_front_ends_all_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes afterwards of the browser is not looked at."""
    desk = Desk(monkeypatch)
    desk.later(500)
    desk.sites.watch(None)
    asked = len(desk.browser.hears)
    desk.signal("/tab", "StateChanged", "selected", 1, 0, ("i", 0), {})
    desk.later(5_000)
    assert len(desk.browser.hears) == asked
    assert desk.stage.shaper.pages.vouch(desk.stage.ms, SurfaceId("forge")) is False
