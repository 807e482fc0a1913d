"""Live: Firefox, web sites of several names on loopback, and pages that say themselves what they got: nothing counts for another site."""

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.wait import until
from collectors.backends.documents import OLDEST
from collectors.pipe import SurfaceRule
from consent.event import NamedKey, PointerButton
from consent.vocabulary import Kind, SurfaceId, Why
from consent.words import ClipboardAct
from tests.collectors.child import Child, observer
from tests.live.browsers import Web, firefox, firefox_number, web
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
TELLS = firefox_number() >= OLDEST
needs_a_firefox_that_tells = pytest.mark.skipif(
    not TELLS, reason=f"needs Firefox {OLDEST}: an older one does not say which windows are private"
)
HOSTS = ("one.example.org", "two.example.org", "three.example.net")
SITES = {"one.example.org": SurfaceId("one"), "three.example.net": SurfaceId("three")}
CANARY = "canary"


def rules(browser: str = "firefox-esr") -> list[SurfaceRule]:
    """Two of the three hosts are sites."""
    return [SurfaceRule(surface, (program(browser),), False, (), (host,)) for host, surface in SITES.items()]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def sites() -> Iterator[Web]:
    with web(*HOSTS) as served:
        yield served


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("firefox")


@pytest.fixture(scope="module")
def browser(desk: Desktop, sites: Web, profile: Path) -> Application:
    """Firefox with a tab of each host."""
    return desk.start(*firefox(profile, sites.hosts, *(sites.url(host, f"/page?q={CANARY}#{CANARY}") for host in HOSTS)))


def recorded(child: Child) -> None:
    """Wait until a site is in front."""
    child.until(lambda: child.recorded is True, "a site in front")


@needs_a_firefox_that_tells
def test_clicks_and_keys_count_only_for_the_site_that_got_them(desk: Desktop, sites: Web, browser: Application) -> None:
    """Tab switches and links among two sites and another host, at once followed by input: the pages say which of them got it."""
    _wander(desk, sites, browser, steps=5, seed=1)


@needs_a_firefox_that_tells
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_26_switches_never_bring_an_event_of_the_wrong_site(desk: Desktop, sites: Web, browser: Application, seed: int) -> None:
    """The long form, with eight seeds."""
    _wander(desk, sites, browser, steps=26, seed=seed)


def _wander(desk: Desktop, sites: Web, browser: Application, steps: int, seed: int) -> None:
    chance, kept_clicks = random.Random(seed), 0
    with observer(desk.env, rules()) as child:
        _to_a_site(desk, browser, child)
        child.clear()
        sites.got.clear()
        for step in range(steps):
            _go(desk, browser, chance)
            time.sleep(chance.choice([0, 0.02, 0.1, 0.3, 0.6, 1.2]))
            desk.move(*browser.point(600 + 7 * step, 250 + 5 * step))
            desk.button(1)
            desk.key("F9")
            time.sleep(chance.choice([0, 0.1, 0.5]))
        _to_a_site(desk, browser, child)
        desk.move(*browser.point(600 + 7 * steps, 250 + 5 * steps))
        desk.button(1)
        child.lull(1.5)
        truth = {point: host for host, said in sites.got.items() for point in said}
        for event in child.of(Kind.POINTER_BUTTON):
            assert isinstance(event.payload, PointerButton)
            point = browser.point(event.payload.x, event.payload.y)
            if event.payload.pressed and point in truth:  # a click on a link can be over before its page could say so
                assert SITES.get(truth[point]) == event.surface, (point, truth, sites.got, event.at)
                kept_clicks += 1
        for host, surface in SITES.items():
            named = [event for event in child.of(Kind.KEY_NAMED) if event.surface == surface and event.payload.key is NamedKey.F9]
            assert len(named) <= sites.got.get(host, []).count(("F9",))
        assert {event.surface for event in child.events if event.surface} <= set(SITES.values())
        assert CANARY.encode() not in child.raw
        assert b"example" not in child.raw
        assert kept_clicks >= 1


def _to_a_site(desk: Desktop, browser: Application, child: Child) -> None:
    child.lull(1.0)
    for at in range(2 * len(HOSTS)):
        if not child.recorded:
            _link(desk, browser) if at % 2 else desk.key("Control_L", "Next")
            child.lull(1.0)
    assert child.recorded


_PRESSES = itertools.count()


def _link(desk: Desktop, browser: Application) -> None:
    """Press the link of the page in front, each time somewhere else on it."""
    number = next(_PRESSES)
    desk.move(*browser.point(20 + number % 250, 300 + number // 250))
    desk.button(1)


def _go(desk: Desktop, browser: Application, chance: random.Random) -> None:
    """To another tab, or by a link to the next host, or back."""
    match chance.choice(["tab", "tab", "link", "back"]):
        case "tab":
            desk.key("Control_L", chance.choice(["Next", "Prior"]))
        case "link":
            _link(desk, browser)
        case "back":
            desk.key("Alt_L", "Left")


def _copies(desk: Desktop, child: Child) -> bool:
    desk.key("Control_L", "a")
    desk.key("Control_L", "c")
    child.lull(2.0)
    return bool(child.of(Kind.CLIPBOARD))


@needs_a_firefox_that_tells
def test_a_copy_on_a_site_is_told_and_one_on_another_page_is_not(desk: Desktop, sites: Web, browser: Application) -> None:
    """All three are copied by the same process from the same window."""
    with observer(desk.env, rules()) as child:
        _to_a_site(desk, browser, child)
        until(lambda: _copies(desk, child), "a copy")
        assert {event.payload.act for event in child.of(Kind.CLIPBOARD)} == {ClipboardAct.COPY}
        assert {event.surface for event in child.of(Kind.CLIPBOARD)} <= set(SITES.values())
        for _ in HOSTS:
            if child.recorded:
                desk.key("Control_L", "Next")
                child.lull(1.5)
        assert child.recorded is False
        child.clear()
        assert not _copies(desk, child)
        assert CANARY.encode() not in child.raw


@needs_a_firefox_that_tells
def test_a_private_window_is_a_gap_and_a_normal_one_with_the_same_site_is_none(
    desk: Desktop, sites: Web, browser: Application, profile: Path
) -> None:
    """Both of the same process and of the same site; nothing of the private one is kept."""
    with observer(desk.env, rules()) as child:
        _to_a_site(desk, browser, child)
        assert "private windows" in child.states[Kind.FOCUS].why
        sites.got.clear()
        argv = firefox(profile, sites.hosts, "--private-window", sites.url(HOSTS[0]))
        desk.stage.children.start([program(argv[0]), *argv[1:]], desk.env, name="private").wait(20)
        child.until(lambda: child.recorded is False, "the gap")
        child.lull(1.0)
        desk.move(640, 500)

        def came() -> bool:
            desk.button(1)
            child.lull(0.6)
            return bool(sites.got.get(HOSTS[0]))

        until(came, "a click in the private window")
        child.lull(1.2)  # what was refused is told once a second
        child.clear()
        desk.button(1)
        desk.key("F9")
        child.until(lambda: child.seen >= 4, "what was made there")
        assert (child.events, child.recorded) == ([], False)
        assert child.dropped == {Why.SURFACE_NOT_ALLOWED: 4}
        desk.key("Control_L", "Shift_L", "w")
        recorded(child)


@needs_a_firefox_that_tells
@pytest.mark.soak
def test_a_password_field_in_a_site_is_told_of_and_nothing_in_it(desk: Desktop, sites: Web, browser: Application, profile: Path) -> None:
    """Typing in the field before it is a burst of that site."""
    with observer(desk.env, rules()) as child:
        argv = firefox(profile, sites.hosts, sites.url(HOSTS[0], "/form"))
        desk.stage.children.start([program(argv[0]), *argv[1:]], desk.env, name="form").wait(20)
        until(lambda: ("name",) in sites.got.get(HOSTS[0], []), "the page to say that its field for text has the focus")

        def kept() -> bool:
            desk.type("ab")
            child.lull(1.2)
            return bool(child.of(Kind.TYPING_BURST))

        until(kept, "a burst")
        desk.key("Tab")
        child.until(lambda: bool(child.of(Kind.SECURE_INPUT)), "news of the password field")
        child.lull(0.6)
        child.clear()
        desk.type(CANARY)
        child.until_seen(2 * len(CANARY))
        assert child.dropped == {Why.SECURE_FIELD: 2 * len(CANARY)}
        assert child.events == []
        desk.key("Control_L", "w")


@needs_a_firefox_that_tells
@pytest.mark.soak
def test_a_profile_that_is_private_as_a_whole_is_a_gap(desk: Desktop, sites: Web, tmp_path: Path) -> None:
    """It does not call its windows private, and the same site in it is not recorded."""
    with observer(desk.env, rules()) as child:
        command = firefox(tmp_path / "profile", sites.hosts, sites.url(HOSTS[0]), browser__privatebrowsing__autostart=True)
        private = desk.start(*command)
        child.lull(1.0)  # the window that was in front before
        child.clear()
        until(lambda: _pressed(desk, private, sites, child), "a click in it")
        child.lull(3.0)
        assert child.recorded is False
        assert child.of(Kind.POINTER_BUTTON, Kind.FOCUS) == []
        private.process.kill()


def _pressed(desk: Desktop, window: Application, sites: Web, child: Child) -> bool:
    sites.got.clear()
    desk.move(*window.point(640, 400))
    desk.button(1)
    child.lull(0.5)
    return bool(sites.got)


@pytest.mark.skipif(TELLS or not firefox_number(), reason=f"needs a Firefox before {OLDEST}")
def test_an_older_firefox_is_a_gap_and_status_says_why(desk: Desktop, browser: Application) -> None:
    """It does not tell its private windows apart, so nothing of it counts for a site."""
    with observer(desk.env, rules()) as child:
        child.until(lambda: f"before {OLDEST}" in child.states[Kind.FOCUS].why, "the reason")
        desk.move(*browser.point(300, 300))
        desk.button(1)
        child.until(lambda: child.dropped.get(Why.SURFACE_NOT_ALLOWED, 0) >= 2, "the click, refused")
        assert [event.kind for event in child.events if event.surface] == []
