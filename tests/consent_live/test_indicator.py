"""The indicator is killed, stopped, or robbed of its panel, again and again, while somebody works: nothing outside of its life is kept.

INV-3, live. From the moment that the kernel says that the icon is dead (or stopped) it is dark, until the daemon was last seen without a
live proof before the next one: nothing captured in between may ever be held. An icon that was stopped and not yet missed is dark as well:
what is captured then waits for an answer that never comes. When the panel dies, the icon lives on as a badge, as another instance; what
lies between the two is as dark.
"""

import random
import signal
from contextlib import suppress

import psutil
import pytest

from agent import clock, messages
from agent.demo.clock import elapsed_s, rest
from agent.demo.session import start_panel
from agent.demo.wait import until
from tests.agent.life import Life
from tests.consent_live.figures import Figures, times
from tests.consent_live.talk import Talk, collects, talk
from tests.consent_live.work import Work

pytestmark = pytest.mark.live
KILL, STOP, PANEL = "kill", "stop", "panel"
BLIND = "noticed"


class Ends:
    """A life whose indicator does not last."""

    def __init__(self, life: Life, talk: Talk, seed: int, of: int) -> None:
        self.life, self.talk, self.rng, self.figures = life, talk, random.Random(seed), Figures("ends of an indicator", of)
        self.work, self.clicks, self._checked = Work(life.desk, self.rng), 0, 0
        self._panel = _named(life, "xfce4-panel")

    def end(self, how: str) -> None:
        """One end of the indicator, and the beginning of the next."""
        if how == PANEL:
            self.without_a_panel()
            return
        (icon,) = until(lambda: self.life.children("tray"), "the icon")
        icon.send_signal(signal.SIGKILL if how == KILL else signal.SIGSTOP)
        until(lambda: _is_out(icon), "the end of the icon")
        self._dark_until_another(icon.pid, how)

    def _dark_until_another(self, before: int | None, how: str, form: str | None = None) -> None:
        """It is dark from now on, until another indicator has proven itself; `form`: in this form."""
        since_ms = until_ms = clock.read().boot_ms
        began_s, asked = elapsed_s(), False
        while True:
            asked_ms = clock.read().boot_ms
            status = self.talk.status()
            if self._is_another(before) and status.indicator.live and form in (None, status.indicator.form):
                break
            until_ms = asked_ms
            if not status.indicator.live and not asked:
                self.figures.took(f"{how}: {BLIND}", elapsed_s() - began_s)
                asked = True
                if before is not None and not self.life.children("tray"):
                    self.talk.say(messages.ShowIcon())  # else an icon that ends so often is started anew only after 30 s
            assert elapsed_s() - began_s < 90, f"no other indicator: {status.words}"
            rest(0.01)
        self.work.dark.append((since_ms, until_ms))
        self.figures.step()

    def _is_another(self, before: int | None) -> bool:
        return before is None or any(one.pid != before for one in self.life.children("tray"))

    def without_a_panel(self) -> None:
        """The panel is killed: a badge takes over; that is killed or stopped, too; then a panel comes back."""
        self._panel.kill()
        until(lambda: _is_out(self._panel), "the end of the panel")
        self._dark_until_another(None, PANEL, "badge")
        self.some_work()
        self.end(self.rng.choice([KILL, STOP]))
        self.some_work()
        stage = self.life.desk.stage
        start_panel(stage.children, stage.desktop, stage.bus)
        self._panel = _named(self.life, "xfce4-panel")
        until(lambda: self.talk.status().indicator.form == "tray", "the icon in the panel")

    def some_work(self) -> None:
        """Recording for a while: long enough that something is kept, or too short."""
        until(lambda: collects(self.talk.status()), "the start of recording")
        if self.rng.random() < 0.3:
            before = self.talk.status().hold.events
            until(lambda: self.talk.status().hold.events > before, "events in the hold", poll_s=0.05)
        else:
            rest(self.rng.random() * 1.2)

    def check(self) -> None:
        """Everything that is held, held to what was dark; then it is forgotten, so that the next look is short."""
        self.clicks += self.work.check(self.talk.held())
        self.talk.say(messages.Forget())
        dark = len(self.work.dark_clicks())
        self.figures.say(f"{self.clicks} button events kept in the light; {dark} clicks in the dark, none kept")

    def run(self, ends: list[str]) -> None:
        with self.work:
            for number, how in enumerate(ends, 1):
                self.some_work()
                self.end(how)
                if number % 25 == 0:
                    self.check()
            self.some_work()
            before = self.talk.status().hold.events
            until(lambda: self.talk.status().hold.events > before, "events in the hold", poll_s=0.05)
            self.check()
        assert self.clicks > 0, "nothing was kept in the light, so that nothing is shown by what is missing"
        assert len(self.work.dark_clicks()) >= len(ends), "too little was done in the dark"
        self.figures.say(self.figures.line())


def _named(life: Life, name: str) -> psutil.Process:
    (found,) = [one for one in life.desk.stage.children.alive() if _name(one) == name]
    return found


def _name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


def _is_out(process: psutil.Process) -> bool:
    """Dead, or stopped: it runs no instruction any more."""
    with suppress(psutil.NoSuchProcess):
        return process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD, psutil.STATUS_STOPPED)
    return True


def test_nothing_is_kept_outside_of_an_indicator_s_life(life: Life) -> None:
    """The short form: a kill, a stop."""
    with talk(life) as ours:
        Ends(life, ours, seed=3, of=2).run([KILL, STOP])


def test_nothing_is_kept_between_a_panel_and_a_badge(life: Life) -> None:
    """The short form: the panel is killed, then the badge."""
    with talk(life) as ours:
        Ends(life, ours, seed=4, of=2).run([PANEL])


@pytest.mark.soak
def test_nothing_is_kept_outside_of_500_indicators_lives(life: Life) -> None:
    """The long form: 500 ends, about a fifth of them with the panel."""
    rng, number = random.Random(5), times(500)
    ends: list[str] = []
    while (done := len(ends) + ends.count(PANEL)) < number:
        ends.append(rng.choices([KILL, STOP, PANEL], [45, 45, 10])[0] if number - done > 1 else KILL)
    with talk(life) as ours:
        Ends(life, ours, seed=5, of=number).run(ends)
