"""What the person says, and what the policy does: the rules that bear the names of the model's commands."""

import contextlib
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from agent import messages
from agent.policies import InForce
from consent.scope import SURFACELESS
from consent.vocabulary import Blocker
from tests.consent_holds.life import (
    LONG_LEASE_S,
    MINUTE_MS,
    PAIRS,
    Asked,
    Life,
    named,
    no,
    pause,
    resume,
    spans,
    unchanged,
)
from tests.consent_holds.policies import POLICIES, in_force
from tests.consent_holds.truth import Happened, Yes
from tests.consent_holds.watches import hold_to
from tests.transport.faults import Crash
from transport.span import Everything, Last, Span


class Saying(Life):
    """Withdraw, pause, resume, forget, consent, widen, narrow, hold, hours, send; alone, two at once, and in the middle of something."""

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
        """INV-11: of what was sent, the receiver must erase each batch that overlaps; on a full disk the person is told otherwise."""
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
        """INV-9: commands serialise, and a pause may follow a pause: what is acknowledged holds, in the order of acknowledgement."""
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
        self.say(messages.Acknowledge(offer.notice_sha256), Asked(unchanged, False))
        if not self.live():
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
        for milliseconds in (100, 20_000):  # the second: when a failed upload is tried again
            self.passes(milliseconds)
            self.upload("bytes leave")

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
