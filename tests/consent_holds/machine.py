"""The state machine: everything that can happen to an agent, in any order, and what must hold after each of it.

The rules bear the names of the model's commands (docs/consent-model.md). A new way to say no (an exemption, hours) is one more rule that
issues a request with its `Effect`, and one more line in `Told`.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent import messages
from agent.pending import raw_inputs
from agent.policies import InForce
from agent.subject import Subject
from collectors import pipe
from consent.event import Button, Event, PointerButton, PointerScroll
from consent.gate import may_hook
from consent.scope import SURFACELESS
from consent.vocabulary import Blocker, Kind, State, SurfaceId, Why
from tests.consent_holds.children import Courier, Observer
from tests.consent_holds.people import Icon, Voice
from tests.consent_holds.policies import POLICIES, in_force
from tests.consent_holds.truth import Happened, Pair, Told, Truth, Yes
from tests.consent_holds.watches import Watches, hold_to
from tests.consent_holds.world import World
from tests.transport.faults import Crash
from transport import jobs
from transport.span import Everything, Last, OfSurface, Span

EDITOR, MAIL = SurfaceId("editor"), SurfaceId("mail")
PAIRS: tuple[Pair, ...] = ((EDITOR, Kind.POINTER_BUTTON), (EDITOR, Kind.POINTER_SCROLL), (MAIL, Kind.POINTER_BUTTON))
SECOND_MS, MINUTE_MS, DAY_MS = 1000, 60_000, 24 * 3600_000
LONG_LEASE_S = 30 * 24 * 3600
INTERRUPTIONS = (
    "a pause and its end",
    "a forgetting",
    "a narrower policy",
    "another icon",
    "a suspend",
    "a withdrawal and a yes",
)
COMMANDS = ("withdraw", "withdraw", "pause", "resume", "forget", "consent", "narrow")
BEGINNINGS = ("fresh", "recording", "held", "sealed", "sealed")
Effect = Callable[[Told], Told]
Found = tuple[frozenset[Pair] | None, bool, str | None]

spans = st.sampled_from([Everything(), OfSurface(EDITOR), OfSurface(MAIL), 1, 60, 3600, 2 * 86400])
often = st.sampled_from(PAIRS[:1] * 3 + PAIRS)


@dataclass(frozen=True)
class Asked:
    """A request that was issued, and what it does to what the person was told."""

    effect: Effect
    is_stop: bool


def no(told: Told) -> Told:
    return replace(told, yes=None, paused=False)


def pause(told: Told) -> Told:
    return replace(told, paused=told.yes is not None)


def resume(told: Told) -> Told:
    return replace(told, paused=False)


def unchanged(told: Told) -> Told:
    return told


class ConsentHolds(RuleBasedStateMachine):
    """One machine, one person, any number of lives of the agent."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.watches = Watches(self.truth)
        self.open_requests: list[Asked] = []
        self.refused_stops: list[Asked] = []
        self.under_way: list[tuple[Observer, pipe.Observed, int]] = []
        self.prompt, self.network = True, "answers"
        self.icons = self.ids = 0
        self.power_cut = self.lapsed = False
        self.world = World(self.watches.put_on)
        self.world.on_open = self.opened
        self.world.upload_came = self.upload_came  # type: ignore[method-assign]

    @initialize(begin=st.sampled_from(BEGINNINGS), network=st.sampled_from(["answers", "waits"]))
    def begin(self, begin: str, network: str) -> None:
        """Where a run begins: with nothing, with a yes, with something held, or with something sealed, waiting or sent."""
        self.network = network
        self.world.open()
        if begin != "fresh":
            self.policy("usual", LONG_LEASE_S)
            self.indicator_returns()
            self.consent(True, True)
        if begin in ("held", "sealed"):
            for pair in PAIRS[:2]:
                self.works(pair, 2, True)
        if begin == "sealed":
            self.a_day_passes(False)
            self.works(PAIRS[0], 1, True)

    # --- lives ----------------------------------------------------------------------------------------------------

    def opened(self, subject: Subject) -> None:
        """INV-12, INV-14: after a start holds what the person was told last, or what was being decided; nothing of a no is left."""
        found = self.found(subject)
        possible = {self.truth.told}
        for asked in [*self.refused_stops, *self.open_requests]:
            possible |= {asked.effect(told) for told in possible}
        agreed = [told for told in possible if same(told, found)]
        hold_to("INV-12", agreed, "a decision that was acknowledged is lost, or one that nobody made is there")
        if agreed and agreed[0].yes is None and self.truth.told.yes is not None:
            self.truth.cover_all("withdrawn")
        self.truth.told = agreed[0]
        self.open_requests.clear()
        self.under_way.clear()
        self.truth.locked = self.lapsed = False
        if self.truth.told.yes is None:
            gone = (subject.hold.stats().events, subject.outbox.stats().envelopes)
            hold_to("INV-13", gone == (0, 0), "the agent has started with what a withdrawal covers")
        self.look_into(subject)
        self.truth.holds.append((self.truth.tick(), subject.hold_s(self.world.policy.policy)))
        if self.world.policy.policy is not None:
            self.world.policy = replace(self.world.policy, verified=self.world.time.read())

    def found(self, subject: Subject) -> Found:
        choice, receipt = subject.record.choice, subject.record.receipt()
        hours = choice.hours.text() if choice.hours else None
        if choice.state in (State.UNASKED, State.WITHDRAWN):
            return None, False, hours
        assert receipt is not None
        return frozenset(receipt.scope().grants), choice.state is State.PAUSED, hours

    def look_into(self, subject: Subject) -> None:
        """INV-2, INV-11, INV-14: read everything that is held, and look at all that waits."""
        for part in subject.hold.read():
            for event in part.events:
                happened = self.truth.of(event)
                hold_to("INV-2, INV-11, INV-14", happened.bad is None, f"an event is held that must not be: {happened.bad}")
        for note in subject.outbox.waiting():
            bad = [event.bad for event in self.watches.envelopes[note.id] if event.bad]
            hold_to("INV-11, INV-14", not bad, f"an envelope waits that must not: {bad[:1]}")

    def live(self) -> bool:
        """Let the daemon do what it has to; if it died of it, start it again. Whether it lived."""
        if self.world.settle():
            return True
        self.world.die(power_cut=self.power_cut)
        self.after_start()
        return False

    def after_start(self) -> None:
        self.narrowed()

    # --- what the person says ---------------------------------------------------------------------------------------

    def say(self, request: messages.Request, asked: Asked, done: Callable[[], None] | None = None) -> Voice:
        """Issue a request. What it does to the truth is done at the very instant of its acknowledgement."""
        self.open_requests.append(asked)

        def told(answer: messages.Answer) -> None:
            if self.world.disk.dead:
                return
            self.open_requests.remove(asked)
            if isinstance(answer, messages.Refused):
                self.refused_stops += [asked] if asked.is_stop else []
            else:
                self.truth.told = asked.effect(self.truth.told)
                if done is not None:
                    done()

        voice = Voice(told)
        task = self.world.loop.create_task(self.world.answers._serve(voice, request))
        task.add_done_callback(self.ended_well)
        return voice

    def ended_well(self, task: object) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Crash):
            self.world.loop.faults.append(error)

    @rule()
    def withdraw(self) -> None:
        self.say(messages.Withdraw(), Asked(no, True), lambda: self.truth.cover_all("withdrawn"))
        self.live()

    @rule(minutes=st.sampled_from([1, 30, None]))
    def pause(self, minutes: int | None) -> None:
        self.say(messages.Pause(minutes), Asked(pause, True), lambda: self.promise(minutes))
        self.live()

    def promise(self, minutes: int | None) -> None:
        self.truth.pause_left_ms = None if minutes is None else minutes * MINUTE_MS

    @rule()
    def resume(self) -> None:
        told, self.truth.told = self.truth.told, resume(self.truth.told)  # the person has asked for it: nothing is promised any more
        voice = self.say(messages.Resume(), Asked(unchanged, False))
        self.open_requests.append(undone := Asked(lambda _: told, False))  # or it was not done
        if not self.live():
            return
        self.open_requests.remove(undone)
        if isinstance(voice.heard[-1], messages.Refused):
            self.truth.told = told

    @rule(span=spans)
    def forget(self, span: Span | int) -> None:
        now, boot = self.world.time.read(), self.world.time.boot
        chosen = Last(span, now, boot) if isinstance(span, int) else span

        def forgotten() -> None:
            covered = self.truth.within(chosen, now, boot)
            self.truth.cover("forgotten", covered)
            self.owed_erasure(covered)

        voice = self.say(messages.Forget(**named(span)), Asked(unchanged, False), forgotten)
        if self.live() and voice.heard:
            self.look_into(self.world.subject)

    def owed_erasure(self, covered: list[Happened]) -> None:
        """INV-11: of what was sent, the receiver is asked to erase each batch that overlaps; on a full disk the person is told otherwise."""
        if self.world.disk.room_bytes is not None:
            return
        asked = [owed.asking for owed in self.world.subject.erasures.pending()]
        ids = {one for asking in asked for one in asking.batches or ()}
        all_of = {asking.pseudonym for asking in asked if asking.batches is None}
        for note in self.world.subject.outbox.sent_notes():
            overlaps = any(event in covered for event in self.watches.envelopes[note.id])
            hold_to("INV-11", not overlaps or note.id in ids or note.pseudonym in all_of, "nobody asks to erase what was sent")

    @rule(first=st.sampled_from(["pause", "withdraw", "forget"]), second=st.sampled_from(["pause", "withdraw", "forget"]))
    def two_at_once(self, first: str, second: str) -> None:
        """INV-9: commands serialise, and a pause may follow a pause: whatever is acknowledged holds, in the order of its acknowledgement."""
        for name in (first, second):
            match name:
                case "pause":
                    self.say(messages.Pause(None), Asked(pause, True), lambda: self.promise(None))
                case "withdraw":
                    self.say(messages.Withdraw(), Asked(no, True), lambda: self.truth.cover_all("withdrawn"))
                case "forget":
                    self.say(messages.Forget(), Asked(unchanged, False), lambda: self.truth.cover_all("forgotten"))
        self.live()

    @rule(all_kinds=st.booleans(), right=st.sampled_from([True, True, True, False]))
    def consent(self, all_kinds: bool, right: bool) -> None:
        """A yes, and a yes to a wider policy (widen-ok): by the code that only the living icon shows."""
        asking = self.say(messages.AskConsent(True), Asked(unchanged, False))
        if not self.live() or not isinstance(offer := asking.heard[-1], messages.Offer):
            return
        icon, policy = self.world.icon, self.world.policy.policy
        code = icon.code if icon is not None and icon.alive else None
        kinds = frozenset(offer.kinds) - SURFACELESS
        kinds = kinds if all_kinds else frozenset(sorted(kinds)[:1])
        assert policy is not None
        yes, told = Yes(policy, kinds | SURFACELESS), self.truth.told
        given = messages.GiveConsent(code if right and code else "no code", frozenset(offer.purposes), kinds, offer.notice_sha256)
        if right and code:
            self.truth.say_yes(yes)
        self.open_requests.append(undone := Asked(lambda _: told, False))
        voice = self.say(given, Asked(unchanged, False))
        if not self.live():
            return
        self.open_requests.remove(undone)
        if isinstance(voice.heard[-1], messages.Refused):
            self.truth.told = told
        else:
            hold_to("INV-16", right and code, "a yes was taken without the code that the icon shows")
            self.promised_hold()

    @rule(seconds=st.sampled_from([900, 86400, 2 * 86400]))
    def hold_for(self, seconds: int) -> None:
        self.say(messages.HoldFor(seconds), Asked(unchanged, False), self.promised_hold)
        self.live()

    @rule(hours=st.sampled_from(["always", "mon-sun 12:00-13:00 UTC"]))
    def choose_hours(self, hours: str) -> None:
        self.say(messages.ChooseHours(hours), Asked(lambda told: replace(told, hours=hours), True))
        self.live()

    def promised_hold(self) -> None:
        self.truth.holds.append((self.truth.tick(), self.world.subject.hold_s(self.world.policy.policy)))

    @rule(span=spans)
    def send(self, span: Span | int) -> None:
        """The person ends the hold of a span themselves."""
        now, boot = self.world.time.read(), self.world.time.boot
        chosen = Last(span, now, boot) if isinstance(span, int) else span
        for event in self.truth.surely_within(chosen, now, boot):
            event.early = True
        self.say(messages.Send(**named(span)), Asked(unchanged, False))
        self.live()

    @rule(by=st.sampled_from(["a pause", "a withdrawal", "a forgetting"]))
    def upload_begins_and_is_stopped(self, by: str) -> None:
        """Something is chosen to be sent, and the person says no before or while it leaves."""
        self.works(PAIRS[0], 1, True)
        self.send(Everything())
        match by:
            case "a pause":
                self.pause(30)
            case "a withdrawal":
                self.withdraw()
            case "a forgetting":
                self.forget(3600)
        self.passes(100)
        self.upload("bytes leave")

    # --- what the policy does ---------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(POLICIES)), lease_s=st.sampled_from([LONG_LEASE_S, LONG_LEASE_S, 30]))
    def policy(self, name: str, lease_s: int) -> None:
        """Narrow and widen: a newly verified policy comes."""
        self.world.policy = in_force(name, self.world.time.read(), lease_s)
        self.lapsed = False
        self.truth.holds.append((self.truth.tick(), self.world.subject.hold_s(self.world.policy.policy)))
        self.take()

    @rule()
    def widens(self) -> None:
        """A policy asks for another app; the person has not said yes to it, and works there."""
        self.policy("wider: an app", LONG_LEASE_S)
        self.works(PAIRS[2], 1, True)

    @rule(why=st.sampled_from([Blocker.POLICY_REFUSED, Blocker.POLICY_MISSING]))
    def policy_is_refused(self, why: Blocker) -> None:
        self.world.policy = InForce(blocker=why)
        self.take()

    @rule()
    def policy_is_judged_again(self) -> None:
        """The hourly look without a network: the same metadata, and whatever the wall clock says now."""
        policy, now = self.world.policy, self.world.time.read()
        if policy.policy is not None:
            again = replace(policy, verified=now)
            expired = InForce(None, policy.expires, Blocker.POLICY_EXPIRED, "", now)
            self.take(expired if again.expired(now) else again)

    def take(self, policy: InForce | None = None) -> None:
        with contextlib.suppress(Crash):
            self.world.daemon.take(policy or self.world.policy)
        if self.live():
            self.narrowed()

    def narrowed(self) -> None:
        """INV-15: what a policy no longer covers is gone as soon as it is taken, and does not come back with a later one."""
        told, daemon = self.truth.told, self.world.daemon
        if told.yes is None or self.world.policy.policy is None or Blocker.JOURNAL_UNWRITABLE in daemon._blockers:
            return
        if daemon.policy.policy is None or daemon.subject.record.unwritable:
            return
        effective = told.yes.meets(self.world.policy.policy)
        lost = told.yes.pairs() - effective
        self.truth.cover("narrowed", [event for event in self.truth.events.values() if event.pair in lost])
        self.look_into(self.world.subject)

    # --- what the observer sees -------------------------------------------------------------------------------------

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
        if self.truth.locked or not told.within_hours(self.world.time.wall_ms):
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

    # --- what the indicator does ------------------------------------------------------------------------------------

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

    # --- what time does ---------------------------------------------------------------------------------------------

    @rule(milliseconds=st.sampled_from([100, 600, 1100, 20_000, 3 * MINUTE_MS]))
    def passes(self, milliseconds: int) -> None:
        self.world.time.pass_ms(milliseconds)
        if not self.truth.locked:
            self.truth.looked_ms += milliseconds
        if self.truth.pause_left_ms is not None:
            self.truth.pause_left_ms = max(0, self.truth.pause_left_ms - milliseconds)
        with contextlib.suppress(Crash):
            self.world.answers.presence.look()
        self.live()

    @rule(locked=st.booleans())
    def a_day_passes(self, locked: bool) -> None:
        self.locks(locked)
        for _ in range(6):
            self.passes(3 * MINUTE_MS)
        self.passes(DAY_MS)
        self.checkpoint()

    @rule(locked=st.booleans())
    def locks(self, locked: bool) -> None:
        self.truth.locked = locked
        self.world.answers.presence.tell("logind", locked)
        self.live()

    @rule(seconds=st.sampled_from([1, 5, 3600, 2 * 86400]))
    def suspend(self, seconds: int) -> None:
        self.world.time.boot_ms += seconds * 1000
        self.world.time.wall_ms += seconds * 1000
        if seconds * 1000 > 2000:
            self.watches.slept_at = self.truth.tick()
        self.live()

    @rule(days=st.sampled_from([-40, 1, 40]))
    def wall_jumps_there_and_back(self, days: int) -> None:
        self.wall_jumps(days * 86400, True)
        self.wall_jumps(-days * 86400, True)

    @rule(seconds=st.sampled_from([-40 * 86400, -3600, 3600, 40 * 86400]), noticed=st.booleans())
    def wall_jumps(self, seconds: int, noticed: bool) -> None:
        """INV-5: no wall clock opens the gate."""
        was_open = self.world.daemon.standing.open
        self.world.time.wall_ms += seconds * 1000
        if noticed:
            deaths = self.world.deaths
            self.checkpoint()
            is_open = self.world.daemon.standing.open
            hold_to("INV-5", was_open or not is_open or self.world.deaths > deaths, "a wall clock has opened the gate")

    @rule()
    def checkpoint(self) -> None:
        """What the daemon does once a minute."""
        subject, daemon = self.world.subject, self.world.daemon
        with contextlib.suppress(Crash):
            subject.catch_up()
            subject.drop_aged(self.world.time.read())
            subject.save()
            daemon.reconsider()
        self.live()

    # --- what the disk and the network do ---------------------------------------------------------------------------

    @rule(changes=st.integers(0, 40), power_cut=st.booleans())
    def will_crash(self, changes: int, power_cut: bool) -> None:
        """So many changes of the disk later the process dies, or the whole machine does, wherever it is then."""
        self.world.disk.crash_in, self.power_cut = changes, power_cut

    @rule(command=st.sampled_from(COMMANDS), changes=st.integers(0, 40), power_cut=st.booleans())
    def dies_within(self, command: str, changes: int, power_cut: bool) -> None:
        """The same, within a command."""
        self.will_crash(changes, power_cut)
        match command:
            case "withdraw":
                self.withdraw()
            case "pause":
                self.pause(30)
            case "resume":
                self.resume()
            case "forget":
                self.forget(3600)
            case "consent":
                self.consent(True, True)
            case "narrow":
                self.policy("narrower: a kind", LONG_LEASE_S)
        self.world.disk.crash_in = None

    @rule(power_cut=st.booleans())
    def crash(self, power_cut: bool) -> None:
        self.world.disk.crash_in = None
        self.world.die(power_cut=power_cut)
        self.after_start()

    @rule(room=st.sampled_from([0, 500, 5000, None]))
    def disk_is_full(self, room: int | None) -> None:
        self.world.disk.room_bytes = room

    def upload_came(self, courier: Courier) -> None:
        if self.network == "down":
            self.world.loop.call_soon(self.answer, courier, jobs.Failed(courier.job.job, jobs.Trouble.NO_CONNECTION))
        elif self.network == "answers":
            self.world.loop.call_soon(self.acknowledge, courier)

    def answer(self, courier: Courier, answer: jobs.Answer) -> None:
        if not self.world.disk.dead:
            courier.answer(answer)

    def acknowledge(self, courier: Courier) -> None:
        if courier.uploads and not self.world.disk.dead:
            self.watches.leaves(courier)
            body = f'{{"id":"{courier.envelope_id}"}}'.encode()
            courier.answer(jobs.Answered(courier.job.job, 201, None, None, body))

    @rule(how=st.sampled_from(["answers", "waits", "down"]))
    def network_is(self, how: str) -> None:
        self.network = how

    @rule(how=st.sampled_from(["bytes leave", "acknowledged", "acknowledgement lost", "erased", "rejected"]))
    def upload(self, how: str) -> None:
        """Something happens to the upload that is under way."""
        courier = self.world.courier
        if courier is None:
            return
        job = courier.job.job
        if how != "acknowledged":
            self.watches.leaves(courier)
        with contextlib.suppress(Crash):
            match how:
                case "acknowledged":
                    self.acknowledge(courier)
                case "acknowledgement lost":
                    courier.answer(jobs.Failed(job, jobs.Trouble.BROKEN_OFF, True))
                case "erased":
                    courier.answer(jobs.Answered(job, 409, None, None, b""))
                case "rejected":
                    courier.answer(jobs.Answered(job, 422, None, None, b""))
        self.live()

    # --- what holds after each step ---------------------------------------------------------------------------------

    @invariant()
    def hooks_are_of_this_permission(self) -> None:
        """INV-4, INV-16: at most one observer lives, of the present generation, with what may be hooked now, after a yes that stands."""
        if not hasattr(self.world, "daemon"):
            return
        standing, alive = self.world.daemon.standing, [one for one in self.world.observers if one.alive]
        hold_to("INV-4", len(alive) <= 1, "two observers live")
        for observer in alive:
            grant = observer.grant
            hold_to("INV-4", grant and grant.generation == standing.generation, "hooks of another generation live")
            hold_to("INV-4", grant and grant.kinds == may_hook(standing), "hooks live that the present permission does not allow")
            hold_to("INV-7, INV-10, INV-16", self.truth.told.permits(), "hooks live although the person said no")
            hold_to("INV-15", not self.truth.locked, "hooks live although the session is locked")
            hold_to("INV-16", self.world.policy.policy is not None, "hooks live without a policy")

    @invariant()
    def a_lapsed_lease_stays_lapsed(self) -> None:
        """What the daemon has seen to expire opens only with a newly verified policy."""
        if hasattr(self.world, "daemon") and Blocker.POLICY_EXPIRED in self.world.daemon.facts().blockers:
            self.lapsed = True

    @invariant()
    def a_pause_is_as_long_as_was_promised(self) -> None:
        """INV-6: what is left of a pause is never less than was promised, on the awake clock."""
        if not self.truth.told.paused or not hasattr(self.world, "daemon"):
            return
        found = self.world.subject.record.choice.pause
        assert found is not None
        left_s, promised_ms = found.left_s(self.world.time.read(), self.world.time.boot), self.truth.pause_left_ms
        hold_to("INV-6", left_s is None or promised_ms is not None, "a pause until resumed has an end")
        hold_to("INV-6", left_s is None or left_s * 1000 >= (promised_ms or 0), "a pause has become shorter")

    @invariant()
    def counts_reconcile(self) -> None:
        """INV-21: seen = refused + pending + held + forgotten + sealed + sent, and each is what is really there."""
        if not hasattr(self.world, "daemon"):
            return
        subject, pending = self.world.subject, self.world.daemon._pending
        tally, waiting = subject.tally, subject.outbox.stats()
        hold_to("INV-21", tally.seen == tally.total(), "the tally does not add up")
        there = (subject.hold.stats().n, waiting.n, subject.record.sent_n())
        hold_to("INV-21", (tally.held, tally.sealed, tally.sent) == there, f"counted {tally.part()}, there {there}")
        n = raw_inputs(pending.collecting) + sum(raw_inputs(group) for group in pending.asked.values())
        hold_to("INV-21", tally.pending == n, "what is pending is counted wrong")

    def teardown(self) -> None:
        try:
            if hasattr(self.world, "daemon") and not self.world.disk.dead:
                self.look_into(self.world.subject)
        finally:
            self.world.end()


def named(span: Span | int) -> dict[str, object]:
    """A span as a person names it."""
    match span:
        case int():
            return {"last_s": span}
        case OfSurface(surface):
            return {"surface": surface}
    return {}


def same(told: Told, found: Found) -> bool:
    return (None if told.yes is None else told.yes.pairs(), told.paused, told.hours) == found

