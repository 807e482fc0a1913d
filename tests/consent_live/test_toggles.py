"""Pause and resume, no and yes, at random moments while somebody types and clicks without a pause: nothing of between is kept.

INV-4, INV-8, INV-10, live: real input, a real X server, the real daemon with its icon in a real panel. From each acknowledgement on it is
dark. Characters are never recorded, so other input stands for what is typed: clicks at places of their own, a key and a chord that
are pressed only in the dark. That the hook has gone is told by the X server itself.
"""

import random

import pytest

from agent import messages
from agent.demo.clock import elapsed_s, rest
from agent.demo.wait import until
from consent.vocabulary import State
from tests.agent.life import Life
from tests.consent_live.figures import Figures, times
from tests.consent_live.hooks import Hooks
from tests.consent_live.talk import Talk, opened, say_yes_again, talk
from tests.consent_live.work import Work

pytestmark = pytest.mark.live
GENEROUS_S = 10.0
"""What is asserted of a time; 0.25 s is the promise, and what it really was is printed."""
ACK, GONE, BY = "acknowledged", "hook gone after the request", "of that after the acknowledgement"
CHAPTER = 50
"""Toggles between a yes and a no."""


class Toggles:
    """A life whose subject changes their mind all the time."""

    def __init__(self, life: Life, seed: int, of: int) -> None:
        self.life, self.rng, self.figures = life, random.Random(seed), Figures("toggles", of)
        self.hooks, self.clicks = Hooks(life.desk.stage), 0
        self.work = Work(life.desk, self.rng)

    def pause(self, talk: Talk) -> None:
        """One pause at a random moment, what must hold in it, and its end."""
        rest(self.rng.random() * self.rng.choice([0.05, 0.2, 1.2]))  # before anything was seen, while it is pending, after some was kept
        began_s = elapsed_s()
        if self.rng.random() < 0.05:
            assert self.life.say("pause", "30").code == 0
            acknowledged_s = began_s = elapsed_s()  # how long a command takes to start is not what is measured
        else:
            talk.say(messages.Pause(self.rng.choice([15, 30, 60, None])))
            acknowledged_s = elapsed_s()
            self.figures.took(ACK, acknowledged_s - began_s)
        with self.work.darkness():
            self._no_hook(began_s, acknowledged_s)
            before = talk.status()
            self.work.mark()
            rest(self.rng.random() * 0.1)
            after = talk.status()
            assert (after.standing, after.collecting, after.tally.pending) == (State.PAUSED, False, 0)
            assert after.tally.seen == before.tally.seen, "something was seen during a pause"
            assert self.hooks.count() == 0
        talk.say(messages.Resume())
        if self.rng.random() < 0.8:  # else it is paused again before it has begun
            talk.until_it_collects()
        self.figures.step()

    def _no_hook(self, began_s: float, acknowledged_s: float) -> None:
        until(lambda: self.hooks.count() == 0, "the end of the hook")
        self.figures.took(GONE, elapsed_s() - began_s)
        self.figures.took(BY, elapsed_s() - acknowledged_s)

    def no_and_yes(self) -> None:
        """A withdrawal in mid-work: the hook goes, nothing is held; after a new yes nothing of before or between is there."""
        with talk(self.life) as ours:
            began_s = elapsed_s()
            assert "withdrawn" in ours.say(messages.Withdraw())
            acknowledged_s = elapsed_s()
            self.figures.took(ACK, acknowledged_s - began_s)
            with self.work.darkness() as still_dark:
                self._no_hook(began_s, acknowledged_s)
                self.work.mark()
                still_dark()
                with self.work.hands:  # the code is typed in a terminal of its own, and the work waits
                    say_yes_again(self.life)
        self.work.dark.append((0, self.work.dark[-1][1]))  # what was withdrawn never comes back

    def chapter(self, toggles: int) -> None:
        """Some toggles, then a look at everything that is held."""
        with talk(self.life) as ours:
            ours.until_it_collects()
            self.work.click()
            for _ in range(toggles):
                self.pause(ours)
            ours.until_it_collects()
            before = ours.status().hold.events
            until(lambda: ours.status().hold.events > before + 4, "events in the hold", poll_s=0.1)
            self.clicks += self.work.check(ours.held())

    def send(self) -> None:
        """Everything leaves, and is opened by its custodians."""
        with talk(self.life) as ours:
            ours.say(messages.Send())
            until(lambda: (status := ours.status()).sent.batches > 0 == status.outbox.envelopes, "the sending", poll_s=0.1)
        assert self.work.check(opened(self.life)) > 0


def _show(toggles: Toggles) -> None:
    assert toggles.clicks > 0, "nothing was recorded in the light, so that nothing is shown by what is missing"
    assert toggles.figures.most_s(BY) < GENEROUS_S
    dark = len(toggles.work.dark_clicks())
    toggles.figures.say(
        f"{toggles.clicks} button events kept in the light; {dark} in the dark or withdrawn, none of them there; {toggles.figures.line()}"
    )


def test_nothing_is_kept_of_5_pauses_and_a_no_under_load(life: Life) -> None:
    """The short form."""
    toggles = Toggles(life, seed=1, of=5)
    with toggles.work:
        toggles.chapter(4)
        toggles.no_and_yes()
        toggles.chapter(1)
    _show(toggles)


@pytest.mark.soak
def test_nothing_is_kept_of_1000_toggles_under_load(life: Life) -> None:
    """The long form: 1,000 pauses and resumes, a withdrawal and a new yes after each fifty; what is held, pending and sent is looked at."""
    toggles = Toggles(life, seed=2, of=times(1000))
    with toggles.work:
        for begun in range(0, times(1000), CHAPTER):
            toggles.chapter(min(CHAPTER, times(1000) - begun))
            toggles.send()
            toggles.no_and_yes()
    _show(toggles)
