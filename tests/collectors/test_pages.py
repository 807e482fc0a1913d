"""Inputs in a browser: they count for a site only if its page was there before them, and still when it was asked 250 ms after them."""

import random

import pytest

from collectors.pages import BRIDGE_MS, HOLD_MS, LIMIT_MS, PROMPT_MS, SPACING_MS, Pages
from collectors.raw import Front, NoRole
from consent.event import FieldRole
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.stage import EDITOR, ELSEWHERE, Stage

FORGE, WIKI = SurfaceId("forge"), SurfaceId("wiki")
IN_FORGE, IN_WIKI = (Front(surface, 5, site=True) for surface in (FORGE, WIKI))


class Browsing(Stage):
    """A browser in front; `page` is what it shows, and `honest` whether it says so when it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.page: tuple[str, SurfaceId | None] = ("first", FORGE)
        self.answers = True
        self.front(ELSEWHERE)
        self.ask()
        self.later(SPACING_MS)
        self.ask()
        self.front(IN_FORGE)
        self.shaper.role(self.now, FieldRole.TEXT)
        self.later(1_000)
        self.take()
        self.told.clear()

    def ask(self) -> None:
        """One question, answered at once."""
        self.shaper.pages.answered(self.ms, self.ms, *self.page)

    def run(self, ms: int) -> None:
        """Time goes by, and the browser is asked whenever the shaper wants it."""
        end_ms = self.ms + ms
        while self.ms < end_ms:
            due_ms = self.shaper.pages.next_ms
            if due_ms is not None and due_ms <= self.ms and self.answers:
                self.ask()
            self.later(10)

    def kept(self) -> list[Kind]:
        """The kinds of events that were told."""
        self.take()
        return [event.kind for message in self.told for event in message.events]


def test_a_click_in_a_site_is_kept_once_the_browser_has_said_the_same_twice() -> None:
    """Not before: not with the first answer, not after 250 ms alone."""
    stage = Browsing()
    stage.click(window=5)
    stage.later(HOLD_MS + 10)
    assert stage.kept() == []
    stage.ask()
    stage.later(SPACING_MS)
    assert stage.kept() == []
    stage.ask()
    stage.later(1)
    assert stage.kept() == [Kind.POINTER_BUTTON] * 2
    assert stage.shaper.pages.next_ms is None


def test_keys_in_a_site_are_kept_in_the_same_way() -> None:
    """And a burst goes on over several questions."""
    stage = Browsing()
    for _ in range(6):
        stage.strike("a")
        stage.run(100)
    stage.run(3_000)
    assert stage.kept() == [Kind.TYPING_BURST]
    assert stage.dropped == {}


@pytest.mark.parametrize("late_ms", [0, 10, 100, 240])
@pytest.mark.parametrize("to", [("second", WIKI), ("second", None)])
def test_what_went_to_a_page_whose_news_came_late_is_not_kept_for_the_one_before(late_ms: int, to: tuple[str, SurfaceId | None]) -> None:
    """A tab was switched, a click and a key went to the new page, and only then came the news: without the wait both would count."""
    stage = Browsing()
    stage.click(window=5)
    stage.strike("a")
    stage.run(late_ms)
    stage.page = to
    stage.shaper.pages.elsewhere(stage.ms)
    stage.ask()
    stage.front(ELSEWHERE)
    stage.run(SPACING_MS)
    stage.ask()
    if to[1] is WIKI:
        stage.front(IN_WIKI)
    stage.run(3_000)
    assert stage.kept().count(Kind.POINTER_BUTTON) == stage.kept().count(Kind.TYPING_BURST) == 0
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 4}


def test_without_any_news_asking_again_finds_the_other_page() -> None:
    """The event of a switch that was lost costs recall, and lets nothing through."""
    stage = Browsing()
    stage.page = ("second", None)
    stage.click(window=5)
    stage.run(3_000)
    assert Kind.POINTER_BUTTON not in stage.kept()


def test_there_and_back_between_two_questions_is_noticed_by_its_news() -> None:
    """Both answers are of the same page, and what was made between them may have gone to another."""
    stage = Browsing()
    stage.click(window=5)
    stage.later(20)
    stage.shaper.pages.elsewhere(stage.ms)
    stage.run(3_000)
    assert Kind.POINTER_BUTTON not in stage.kept()


def test_a_click_on_a_link_within_the_site_is_kept() -> None:
    """Another page, the same site at both ends; Enter likewise. On a link to another site it is not."""
    for to, kept in ((("second", FORGE), 2), (("second", WIKI), 0)):
        stage = Browsing()
        stage.click(window=5)
        stage.later(30)
        stage.shaper.pages.doubt(stage.ms)
        stage.later(200)
        stage.page = to
        stage.ask()
        stage.run(3_000)
        assert stage.kept().count(Kind.POINTER_BUTTON) == kept


def test_what_is_made_while_a_page_goes_is_nobodys() -> None:
    """Between the sign that it goes and the next page there may have been a third: found live, with three hosts in a second."""
    stage = Browsing()
    stage.shaper.pages.doubt(stage.ms)
    stage.later(30)
    stage.click(window=5)
    stage.later(100)
    stage.page = ("second", FORGE)
    stage.ask()
    stage.run(3_000)
    assert Kind.POINTER_BUTTON not in stage.kept()


@pytest.mark.parametrize(("gone_ms", "kept"), [(BRIDGE_MS - 100, 2), (BRIDGE_MS + 100, 0)])
def test_a_page_may_be_gone_for_a_second_until_the_next_one_of_its_site(gone_ms: int, kept: int) -> None:
    """Longer, and the click that led there is not kept."""
    stage = Browsing()
    stage.answers = False
    stage.click(window=5)
    stage.later(10)
    stage.shaper.pages.doubt(stage.ms)
    stage.run(gone_ms)
    stage.page, stage.answers = ("second", FORGE), True
    stage.ask()
    stage.run(3_000)
    assert stage.kept().count(Kind.POINTER_BUTTON) == kept


def test_a_page_that_goes_slowly_vouches_for_what_was_made_before_it_went() -> None:
    """It is still there, says the browser, while the next one is fetched."""
    stage = Browsing()
    stage.click(window=5)
    stage.later(10)
    for _ in range(4):
        stage.shaper.pages.answered(stage.ms, stage.ms, *stage.page, going=True)
        stage.click(window=5)
        stage.later(SPACING_MS)
    stage.page = ("second", WIKI)
    stage.run(3_000)
    assert stage.kept().count(Kind.POINTER_BUTTON) == 2
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 8}


def test_a_browser_that_does_not_answer_gets_nothing_kept_and_holds_nothing_up_for_long() -> None:
    """After two seconds what waited is refused, and so is what comes next."""
    stage = Browsing()
    stage.answers = False
    stage.click(window=5)
    stage.run(LIMIT_MS - 100)
    assert stage.dropped == {}
    stage.run(200)
    stage.take()
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 2}


def test_a_slow_answer_does_not_vouch_for_what_was_before_it() -> None:
    """A browser that hung answers before it has read all its input: what it says then begins anew."""
    stage = Browsing()
    stage.click(window=5)
    stage.later(HOLD_MS)
    stage.shaper.pages.answered(stage.ms, stage.ms + PROMPT_MS + 1, *stage.page)
    stage.later(PROMPT_MS + 1)
    stage.run(3_000)
    assert Kind.POINTER_BUTTON not in stage.kept()


def test_a_password_field_of_a_page_is_told_only_of_the_site_that_has_it() -> None:
    """Its news can come before that of the page that it is in."""
    stage = Browsing()
    stage.focus(NoRole.SECURE)
    stage.page = ("second", WIKI)
    stage.run(3_000)
    assert Kind.SECURE_INPUT not in stage.kept()
    stage = Browsing()
    stage.focus(NoRole.SECURE)
    stage.run(3_000)
    assert stage.kept() == [Kind.SECURE_INPUT]


def test_other_windows_wait_for_no_browser() -> None:
    """And what was made in them counts, whatever a page says."""
    stage = Browsing()
    stage.switch(EDITOR)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(300)
    stage.click(window=1)
    stage.strike("a")
    stage.later(300)
    assert Kind.POINTER_BUTTON in stage.kept()
    assert stage.shaper.pages.next_ms is None


def test_a_click_that_brings_another_window_to_the_front_needs_no_page() -> None:
    """The browser that was in front before says nothing about it."""
    stage = Browsing()
    stage.click(window=1)
    stage.later(20)
    stage.shaper.pages.elsewhere(stage.ms)
    stage.switch(EDITOR)
    stage.later(HOLD_MS)
    assert stage.kept().count(Kind.POINTER_BUTTON) == 2


def test_what_waits_at_the_end_is_refused() -> None:
    """And counted: nothing is lost without a reason."""
    stage = Browsing()
    stage.click(window=5)
    stage.strike("a")
    stage.shaper.close(stage.now)
    assert Kind.POINTER_BUTTON not in stage.kept()
    assert stage.seen == sum(stage.dropped.values()) + sum(event.n for message in stage.told for event in message.events) == 4


def test_whatever_order_things_come_in_no_input_counts_for_a_page_that_it_was_not_made_in() -> None:
    """Seeded: 600 switches with late news, lost news and questions at any time, against what was truly in front."""
    chance = random.Random(5)
    pages, truth, now, pending = Pages(), [(0, ("p0", FORGE))], 1_000, list[tuple[int, SurfaceId]]()
    wrong, vouched = [], 0
    for step in range(4_000):
        now += chance.choice([5, 40, 160, 300, 700])
        if chance.random() < 0.15:
            truth.append((now, (f"p{step}", chance.choice([FORGE, WIKI, None]))))
            if chance.random() < 0.7:
                now += chance.choice([0, 5, 100])
                pages.elsewhere(now)
        if chance.random() < 0.5:
            pending.append((now, chance.choice([FORGE, WIKI])))
            now += 1
        asked_ms, now = now, now + chance.choice([1, 3, 5, 20, 150])
        pages.answered(asked_ms, now, *_at(truth, now))
        for at_ms, surface in list(pending):
            said = pages.vouch(at_ms, surface)
            if said is not None or now - at_ms > LIMIT_MS:
                pending.remove((at_ms, surface))
                vouched += said is True
                if said and _at(truth, at_ms)[1] != surface:
                    wrong.append((at_ms, surface))
    assert wrong == []
    assert vouched > 50


def _at(truth: list[tuple[int, tuple[str, SurfaceId | None]]], at_ms: int) -> tuple[str, SurfaceId | None]:
    return [page for since_ms, page in truth if since_ms <= at_ms][-1]
