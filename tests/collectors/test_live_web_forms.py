"""Live: a password field of a web form, in browsers that are listed as whole apps: told of, and nothing of what is typed there.

No policy of ours lists a browser as a whole app: this is for the roles that a page has. Chromium gives no page's address.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.wait import until
from collectors.pipe import SurfaceRule
from consent.event import SecureInput
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.child import Child, observer
from tests.collectors.test_live_input import CANARY
from tests.live.browsers import Web, chromium, firefox, web
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = [pytest.mark.live, pytest.mark.soak]
KEY_KINDS = (Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST)
HOST = "one.example.org"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def sites() -> Iterator[Web]:
    with web(HOST) as served:
        yield served


@pytest.mark.parametrize("name", ["firefox-esr", "chromium"])
def test_a_password_field_of_a_web_form_is_told_of_and_nothing_in_it(desk: Desktop, sites: Web, tmp_path: Path, name: str) -> None:
    """Typing in the field before it is a burst; after Tab, which leads to the password field, nothing is kept."""
    form = sites.url(HOST, "/form")
    command = firefox(tmp_path, sites.hosts, form) if name == "firefox-esr" else chromium(tmp_path, form)
    rule = SurfaceRule(SurfaceId("browser"), (_runs(name),), False)
    with observer(desk.env, [rule]) as child:
        sites.got.clear()
        window = desk.start(*command)
        child.until(lambda: child.recorded is True, "the browser in front")
        until(lambda: ("name",) in sites.got.get(HOST, []), "the page to say that its field for text has the focus")
        _until_typing_is_kept(desk, child)
        desk.key("Tab")
        until(lambda: ("secret",) in sites.got.get(HOST, []), "the page to say that its password field has the focus")
        child.until(lambda: bool(child.of(Kind.SECURE_INPUT)), "news of the password field")
        child.lull(1.0)
        child.clear()
        desk.type(CANARY)
        desk.key("Control_L", "a")
        child.until_seen(2 * len(CANARY) + 4)
        child.lull(1.0)
        assert child.of(*KEY_KINDS) == []
        assert child.dropped == {Why.SECURE_FIELD: 2 * len(CANARY) + 4}
        assert {event.payload for event in child.of(Kind.SECURE_INPUT)} <= {SecureInput()}
        assert CANARY.encode() not in child.raw
        window.process.kill()
        window.process.wait(10)


def _runs(name: str) -> str:
    """The program itself; what is called chromium is a script that starts it."""
    return "/usr/lib/chromium/chromium" if name == "chromium" else program(name)


def _until_typing_is_kept(desk: Desktop, child: Child) -> None:
    def kept() -> bool:
        desk.type("ab")
        child.lull(1.6)
        return bool(child.of(Kind.TYPING_BURST))

    until(kept, "the role of the field for text")


@pytest.mark.parametrize("name", ["chromium"])
def test_a_site_in_chromium_is_one_gap_and_the_state_says_why(desk: Desktop, sites: Web, tmp_path: Path, name: str) -> None:
    """It gives no address: nothing is kept, not even that it is in front."""
    rule = SurfaceRule(SurfaceId("one"), (_runs(name),), False, (), (HOST,))
    with observer(desk.env, [rule]) as child:
        window = desk.start(*chromium(tmp_path, sites.url(HOST)))
        child.until(lambda: "does not say which page" in child.states[Kind.FOCUS].why, "why it is not recognised")
        until(lambda: _pressed(desk, window, sites, child), "a click in the page")
        child.lull(1.2)
        assert child.recorded is False
        assert child.of(Kind.FOCUS, Kind.POINTER_BUTTON) == []
        window.process.kill()
        window.process.wait(10)


def _pressed(desk: Desktop, window: Application, sites: Web, child: Child) -> bool:
    desk.move(*window.point(640, 400))
    desk.button(1)
    child.lull(0.5)
    return bool(sites.got)
