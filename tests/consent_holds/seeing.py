"""What the observer sees, and what the indicator does."""

import contextlib

from hypothesis import strategies as st
from hypothesis.stateful import rule

from agent import messages
from collectors import pipe
from consent.event import Button, Event, PointerButton, PointerScroll
from consent.vocabulary import Blocker, Kind, State, Why
from tests.consent_holds.children import Observer
from tests.consent_holds.life import (
    INTERRUPTIONS,
    LONG_LEASE_S,
    Life,
    often,
)
from tests.consent_holds.people import Icon
from tests.consent_holds.truth import Happened, Pair
from tests.transport.faults import Crash


class Seeing(Life):
    """Events of hooks, in time, late and stale; an icon that dies, returns, is late, or says what is not so."""

    def capture(self, pair: Pair, n: int, why: str | None = None) -> Event:
        """Something happens on the screen now; whether it may be recorded is decided here, by what people know."""
        self.ids += 1
        x, y = self.ids % 30_000, self.ids // 30_000
        happened = Happened(
            self.world.time.read(), self.world.time.boot, pair, n, self.truth.tick(), self.truth.looked_ms, why or self.why_bad(pair)
        )
        self.truth.events[self.ids] = happened
        is_button = pair[1] is Kind.POINTER_BUTTON
        payload = PointerButton(x, y, Button.LEFT, True) if is_button else PointerScroll(x, y, 0, 1)
        return Event(pair[0], 1, happened.at, 0, n, payload)

    def why_bad(self, pair: Pair) -> str | None:
        """P of INV-1: the person has said yes and not paused, sees that it is recorded, and has agreed to this under the present policy."""
        told, icon, policy = self.truth.told, self.world.icon, self.world.policy
        if told.yes is None or told.paused:
            return "the person said no"
        if icon is None or not icon.alive or not icon.attached or icon.showing is not State.CONSENTED:
            return "nobody could see it"
        if self.truth.locked or told.exempts(pair) or not told.within_hours(self.world.time.wall_ms):
            return "it was exempt"
        if self.lapsed or policy.policy is None or policy.expired(self.world.time.read()):
            return "no policy was in force"
        return None if pair in told.yes.meets(policy.policy) else "nobody agreed to that"

    def hears(self, observer: Observer, pair: Pair, n: int, why: str | None = None) -> tuple[Observer, pipe.Observed, int]:
        event = self.capture(pair, n, why)
        assert observer.grant is not None
        stamped = Event(event.surface, event.window, event.at, observer.grant.generation, n, event.payload)
        return observer, pipe.Observed(observer.grant.generation, n + 2, (stamped,), {Why.NO_KIND: 2}), self.ids

    def deliver(self, observer: Observer, observed: pipe.Observed, event_id: int) -> None:
        self.truth.events[event_id].arrived = self.truth.tick()
        with contextlib.suppress(Crash):
            observer.speak(observed)
        self.live()

    @rule(pair=often, n=st.integers(1, 3), sees_icon=st.sampled_from([True, True, False]))
    def works(self, pair: Pair, n: int, sees_icon: bool) -> None:
        """The person works for a moment: an event comes, and time for its challenge. An icon that has gone is back by then, mostly."""
        if sees_icon:
            self.prompt = True
            icon = self.world.icon
            if icon is None or not icon.alive or not icon.attached:
                self.indicator_returns()
        if self.world.observer is not None:
            self.deliver(*self.hears(self.world.observer, pair, n))
            self.passes(600)

    @rule(pair=often)
    def event(self, pair: Pair) -> None:
        """An event comes, and nothing else happens."""
        if self.world.observer is not None:
            self.deliver(*self.hears(self.world.observer, pair, 1))

    @rule(pair=often, by=st.sampled_from(INTERRUPTIONS))
    def interrupted(self, pair: Pair, by: str) -> None:
        """Something comes between an event and the challenge that would prove it."""
        self.event(pair)
        match by:
            case "a pause and its end":
                self.pause(1)
                self.resume()
            case "a forgetting":
                self.forget(3600)
            case "a narrower policy":
                self.policy("narrower: a kind", LONG_LEASE_S)
            case "another icon":
                self.indicator_returns()
            case "a suspend":
                self.suspend(3600)
            case "a withdrawal and a yes":
                self.withdraw()
                self.consent(True, True)
        self.stale_hook(pair)
        self.passes(600)

    @rule(pair=often)
    def answer_crosses_event(self, pair: Pair) -> None:
        """An event comes while the answer to an older challenge is on its way."""
        self.prompt = False
        self.event(pair)
        self.passes(600)
        self.event(pair)
        self.indicator_answers()
        self.indicator_is_prompt(True)
        self.passes(600)

    @rule(pair=often)
    def event_in_the_hook(self, pair: Pair) -> None:
        """The hook has seen something that the daemon does not know yet."""
        if self.world.observer is not None:
            self.under_way.append(self.hears(self.world.observer, pair, 1))

    @rule()
    def event_comes(self) -> None:
        """It comes up the pipe, perhaps of a generation that is over."""
        if self.under_way:
            self.deliver(*self.under_way.pop(0))

    @rule(pair=often)
    def stale_hook(self, pair: Pair) -> None:
        """A hook whose observer was killed sees something all the same, and it is heard."""
        dead = [one for one in self.world.observers if not one.alive and one.grant is not None]
        if dead:
            self.deliver(*self.hears(dead[-1], pair, 1, "its hook was of a generation that is over"))

    @rule(how=st.sampled_from(["dies", "fails", "hooked"]))
    def observer(self, how: str) -> None:
        observer = self.world.observer
        if observer is None or observer.grant is None:
            return
        with contextlib.suppress(Crash):
            match how:
                case "dies":
                    observer.die()
                case "fails":
                    observer.speak(pipe.Failed(observer.grant.generation, Blocker.DISPLAY_GONE.value, "the display is gone"))
                case "hooked":
                    observer.speak(pipe.Hooked(observer.grant.generation, ()))
                    observer.speak(pipe.Front(observer.grant.generation, True))
        self.live()

    def icon_spoke(self, icon: Icon) -> None:
        if self.prompt:
            self.world.loop.call_soon(self.icon_answers, icon)

    def icon_answers(self, icon: Icon) -> None:
        answer = None if self.world.disk.dead else icon.next_answer()
        if answer is not None:
            self.world.daemon.indicator.answered(icon, answer)

    @rule()
    def indicator_returns(self) -> None:
        """Another run of the icon attaches; the one before may not have been missed yet."""
        self.icons += 1
        icon = Icon(f"icon {self.icons}", self.truth.tick, lambda: self.world.time.awake_ms, self.icon_spoke)
        if self.world.icon is not None:
            self.world.icon.alive = False
        self.world.icon = icon
        with contextlib.suppress(Crash):
            self.world.answers._attach(icon, messages.Attach(icon.name, "tray"))
        self.live()

    @rule(noticed=st.booleans())
    def indicator_dies(self, noticed: bool) -> None:
        icon = self.world.icon
        if icon is not None:
            icon.alive = False
            with contextlib.suppress(Crash):
                if noticed:
                    self.world.daemon.indicator.gone(icon)
            self.live()

    @rule(prompt=st.booleans())
    def indicator_is_prompt(self, prompt: bool) -> None:
        """From now on it answers at once, or only when `indicator_answers` happens: perhaps too late."""
        self.prompt = prompt
        if prompt and self.world.icon is not None:
            for _ in range(len(self.world.icon.asked)):
                self.world.loop.call_soon(self.icon_answers, self.world.icon)
        self.live()

    @rule()
    def indicator_answers(self) -> None:
        if self.world.icon is not None:
            with contextlib.suppress(Crash):
                self.icon_answers(self.world.icon)
            self.live()

    @rule(whose=st.sampled_from(["another instance", "another challenge", "not visible", "another connection"]))
    def indicator_answers_falsely(self, whose: str) -> None:
        """An answer of an icon that is not this one, of a challenge that was not asked, or of an icon that nobody sees."""
        icon = self.world.icon
        if icon is None:
            return
        nonce = icon.asked[0][0] if icon.asked and whose != "another challenge" else bytes(16)
        name = "icon 0" if whose == "another instance" else icon.name
        connection = Icon("icon 0", self.truth.tick, lambda: 0, self.icon_spoke) if whose == "another connection" else icon
        with contextlib.suppress(Crash):
            self.world.daemon.indicator.answered(connection, messages.Proven(nonce, name, whose != "not visible", State.CONSENTED))
        self.live()
