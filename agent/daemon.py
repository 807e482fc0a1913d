"""The daemon's core: from facts to standing, from standing to children. Every change of permission goes through `turn`.

Order (INV-13): the gate closes in memory first, then the children are killed and reaped, then the decision is made durable,
then it is acknowledged, then what it covers is purged. Opening goes the other way and needs everything: receipt, policy,
ledger, and an indicator that has just proven to show the right thing.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime

from agent import clock, messages, narrowing, permission
from agent.budget import Budget
from agent.carry import carry_all
from agent.child import Child
from agent.indicator import Indicator
from agent.pending import Pending, raw_inputs
from agent.permission import Facts
from agent.policies import InForce, load, while_leased
from agent.retrying import OF_THE_OBSERVER, Retrying
from agent.subject import Subject
from collectors import pipe
from consent.event import Clocks
from consent.exemption import Exemption
from consent.gate import may_hook
from consent.hours import ALWAYS, Hours, within
from consent.ledger import LedgerError
from consent.register import Entry, in_force
from consent.standing import CLOSED, Standing
from consent.unreadable import UNREADABLE
from consent.vocabulary import Automatic, Blocker, Kind, State, Why

GROUP_S = 0.45
"""How long events gather before the indicator is challenged: with a second for its answer, nothing seen waits longer than 2 s."""
_UNWRITABLE = frozenset({Blocker.JOURNAL_UNWRITABLE})
SUSPEND_MS = 2000
"""How far the clock with suspend may run ahead of the one without before it counts as a suspend."""


class Daemon:
    """Facts, standing, children. `ended` is called when a permission ends, `moved` after every change, `kept` when events were.

    What takes long is done within `working`, which tells whoever waits for an answer that the daemon does not hang.

    Args:
        subject: Ledger, hold, outbox, tally.
        register: The entries of the register.
        read: The clocks.
        loop: The one loop.
    """

    def __init__(
        self, subject: Subject, register: Mapping[Kind, Entry], read: Callable[[], Clocks], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.subject, self.register = subject, register
        self._read, self._loop = read, loop
        self.standing: Standing = CLOSED
        self.policy = InForce(blocker=Blocker.POLICY_MISSING)
        self.indicator = Indicator(read, loop, self._answered, self._unseen)
        self.retrying = Retrying(read, loop, self._try_again)
        self.foreign: str | None = None  # why this account may record nobody here (`agent.session`)
        self.code: str | None = None
        self.collectors: tuple[pipe.CollectorState, ...] = ()
        self.recorded = False
        self.budget = Budget()
        self.ended: list[Callable[[], None]] = []
        self.moved: list[Callable[[], None]] = []
        self.kept: list[Callable[[], None]] = []
        self.working: Callable[[], AbstractContextManager[None]] = nullcontext
        self._blockers: set[Blocker] = set()
        self._automatic: set[Automatic] = set()
        self._hours: tuple[Hours, ...] = (ALWAYS,)
        self._asked: list[Exemption] = []
        self._pending = Pending()
        self._observer: Child | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._slept_ms = self._sleep_ms()
        self._day = self._days()

    # --- facts and standing -------------------------------------------------------------------------------------

    def facts(self) -> Facts:
        """Everything that the permission depends on, now."""
        now, record = self._read(), self.subject.record
        blockers = frozenset(self._blockers) | (_UNWRITABLE if record.unwritable else frozenset())
        self.policy = while_leased(self.policy, record, now)
        if self.foreign is not None:
            blockers |= {Blocker.FOREIGN_SESSION}
        if self.policy.blocker is not None:
            blockers |= {self.policy.blocker}
        receipt, (here, today) = record.receipt(), self._days()
        self._hours = permission.hours(record.choice, receipt)
        instants_ms = self.subject.anchor.instants_ms(now)
        self._asked = permission.asked_now(record.choice, instants_ms)
        automatic = self._exempt_now(now)
        left = self.budget.judge(automatic, self.subject.used(now), resting=Blocker.OVER_BUDGET in self._blockers)
        return Facts(
            record.choice,
            receipt,
            self.policy.policy,
            in_force(self.register, today),
            self.indicator.proof,
            blockers,
            automatic,
            instants_ms=instants_ms,
            level=left.level,
            today=here,
            daily_notice=self.subject.settings.daily_notice,
        )

    def _exempt_now(self, now: Clocks) -> frozenset[Automatic]:
        """The automatic exemptions that hold now. An hour has to be one of the person's by both clocks."""
        inside = within(self._hours, self.subject.anchor.instants_ms(now))
        told = permission.exempting(self.subject.record.choice, frozenset(self._automatic))
        return told | (frozenset() if inside else {Automatic.OUTSIDE_HOURS})

    def exempt(self, ground: Automatic, *, holds: bool) -> None:
        """A fact about the session or the machine that exempts from everything while it holds."""
        (self._automatic.add if holds else self._automatic.discard)(ground)
        self.reconsider()

    def _lapsed(self) -> bool:
        """Whether a permission that was opened has ended by the clock since: its hours or the lease are over, or exempt ones began."""
        now = self._read()
        asked = permission.asked_now(self.subject.record.choice, self.subject.anchor.instants_ms(now))
        lapsed = self.policy.expired(now) or bool(self._exempt_now(now)) or asked != self._asked
        return self.standing.state is State.CONSENTED and lapsed

    def take(self, policy: InForce) -> None:
        """Another policy, or none: what is narrower acts now, on what is held and waiting too; what is wider waits for a yes."""
        self.policy = policy.since(self.policy)
        self.reconsider()  # the gate and the children first (INV-13)
        policy = self.policy
        if policy.policy is not None and self.subject.record.choice.state is not State.WITHDRAWN:
            try:
                self.subject.narrow(policy.policy, in_force(self.register, self.today()), self._read())
            except (LedgerError, OSError):
                self.block(Blocker.JOURNAL_UNWRITABLE)
        self.changed()

    def waits(self) -> tuple[str, ...]:
        """What the policy asks for beyond the yes that is in force, in words; it is off until a new yes."""
        receipt, policy = self.subject.record.receipt(), self.policy.policy
        if receipt is None or policy is None or self.subject.record.choice.state is State.WITHDRAWN:
            return ()
        return narrowing.waits(receipt, policy, in_force(self.register, self.today()))

    def today(self) -> date:
        """The day, UTC, by a time that never goes back; no later than the lease in force, which was signed by somebody with a clock.

        So a wall clock that was once years ahead takes no kind away for ever: the next lease that is verified knows better.
        """
        return self._days()[1]

    def local_day(self) -> date:
        """The calendar day here, in the same way: what a notice is read on."""
        return self._days()[0]

    def _days(self) -> tuple[date, date]:
        """The day here and the UTC day, at one look at the clock."""
        (here, utc), lease = self.subject.record.days(self._read()), self._lease_ends()
        if lease is None:
            return here, utc
        return min(here, clock.day_here(int(lease.timestamp() * 1000))), min(utc, lease.date())

    def _lease_ends(self) -> datetime | None:
        """When the lease of a policy in force ends, aware, UTC."""
        lease = self.policy.expires
        return lease.astimezone(UTC) if self.policy.policy is not None and lease is not None else None

    def _begin_day(self) -> None:
        """A day's notice ends with its day, and a kind with its last: at midnight, not at the next look. Then it is another permission."""
        days = self._days()
        if days != self._day:
            self._day = days
            self.reconsider()

    def reconsider(self) -> None:
        """Work out what holds now; if that is another permission than before, turn to it."""
        left = self.budget.judged
        wanted = permission.standing(self.facts(), self.standing.generation)
        if turned := not permission.same(wanted, self.standing):
            self.turn(wanted)
        elif self.budget.judged != left:
            self.appear()
            self.changed()
        if turned or self.budget.judged != left:
            self.subject.chronicle.stood(self.standing, self._read(), self.budget.judged)

    def turn(self, wanted: Standing) -> None:
        """A new permission, a new generation: close, kill, drop, then show; hooks only if everything holds."""
        self.standing = replace(wanted, generation=self.standing.generation + 1)
        self._end_observer()
        for ended in self.ended:
            ended()
        self.subject.tally.drop_pending(Why.OLD_GENERATION, self._pending.drop())
        self.subject.save()
        self.appear()
        if may_hook(self.standing):
            self._start_observer()
        self.changed()

    def changed(self) -> None:
        """Tell watchers and the uploader that something is different now."""
        for moved in self.moved:
            moved()

    def shut(self, state: State) -> None:
        """Close the gate at once, before a decision is written down: nothing is captured or sent from here on."""
        self.turn(Standing(state, self.standing.generation))

    def renew(self) -> None:
        """End the present generation, with all that it has seen and not kept; `reconsider` begins the next."""
        self.turn(replace(self.standing, indicator=False))

    def block(self, blocker: Blocker) -> None:
        """A fact about the machine that forbids collection until `unblock`."""
        self._blockers.add(blocker)
        self.reconsider()

    def unblock(self) -> None:
        """Try again: a new display, a new consent, a resume."""
        self._blockers.clear()
        self.retrying.forget()
        self.reconsider()

    def lift(self, blocker: Blocker) -> None:
        """What this blocker said holds no longer."""
        if blocker in self._blockers:
            self._blockers.discard(blocker)
            self.reconsider()

    def go_on(self) -> None:
        """Once a ledger that could not be written can be, nothing that it blocked waits for a person."""
        subject, now = self.subject, self._read()
        without_policy = self.policy.blocker is Blocker.JOURNAL_UNWRITABLE
        if not (subject.record.unwritable or without_policy or Blocker.JOURNAL_UNWRITABLE in self._blockers) or not subject.go_on(now):
            return
        self._blockers.discard(Blocker.JOURNAL_UNWRITABLE)
        if without_policy:
            self.take(load(subject.places, subject.record, subject.settings.receiver, now))
        self.reconsider()

    def appear(self) -> None:
        """Tell the indicator what to show."""
        choice, now = self.subject.record.choice, self._read()
        left = choice.pause.left_s(now, self.subject.boot) if choice.pause else None
        until_resumed = bool(choice.pause and choice.pause.minutes is None)  # words that do not age
        text = permission.words(self.standing, until_resumed=until_resumed, over=self.budget.judged.because)
        if self.standing.state is State.CONSENTED:
            text = self.budget.judged.words or text
        recorded = self.recorded and self._observer is not None
        self.indicator.show(messages.Appear(self.standing.state, recorded, text, choice.since.wall_ms, left, self.code))

    @property
    def trouble(self) -> str:
        """Why the observer does not run though it should, for people; empty if nothing ails it."""
        return self.retrying.why if self._blockers & OF_THE_OBSERVER else ""

    def health(self) -> tuple[pipe.CollectorState, ...]:
        """How each collector is; after a failure dead, and why."""
        if not self.trouble:
            return self.collectors
        return tuple(pipe.CollectorState(kind, "dead", self.trouble) for kind in sorted(self.standing.scope.kinds()))

    def _unseen(self) -> None:
        """The icon has gone; with the display, perhaps, of whose end nobody else is left to tell."""
        if self._observer is not None and self.retrying.display_is_gone():
            self._failed(Blocker.DISPLAY_GONE, "the X server ended")
        else:
            self.reconsider()

    @property
    def collecting(self) -> bool:
        """Whether hooks are live and the gate is open."""
        return self._observer is not None and bool(self.collectors)

    # --- the observer -------------------------------------------------------------------------------------------

    def _start_observer(self) -> None:
        policy = self.policy.policy
        if policy is None:
            return
        scope = self.standing.scope
        rules = tuple(
            pipe.SurfaceRule(surface.id, surface.executables, surface.structure_only, surface.packages, surface.hosts, surface.words)
            for surface in policy.surfaces.values()
            if surface.id in scope.surfaces()
        )
        generation = self.standing.generation
        self._observer = Child("observer", self._loop, lambda body: self._heard(generation, body), self._observer_died)
        self._observer.say(pipe.encode(pipe.Grant(generation, may_hook(self.standing), rules)))

    def _end_observer(self) -> None:
        if self._observer is not None:
            self._observer.kill()
        self._observer, self.collectors, self.recorded = None, (), False

    @property
    def observer_pid(self) -> int | None:
        """The process of the observer that runs now."""
        return self._observer.pid if self._observer is not None else None

    def observe_anew(self) -> None:
        """Another observer in the place of this one, under the same permission, which is a generation of its own."""
        self.turn(self.standing)

    def _observer_died(self) -> None:
        self._failed(Blocker.OBSERVER_FAILING, f"the observer ended {self._observer.ending}" if self._observer else "")

    def _failed(self, blocker: Blocker, why: str) -> None:
        """Close, say why, and try again after a while; each time later, and in a crash loop no more."""
        self._end_observer()
        self.retrying.failed(blocker, why)
        self.block(blocker)

    def _try_again(self, blocker: Blocker) -> None:
        self._blockers.discard(blocker)
        self.reconsider()

    def _heard(self, generation: int, body: bytes) -> None:
        try:
            message = pipe.decode_up.decode(body)
        except UNREADABLE:
            self._failed(Blocker.OBSERVER_FAILING, "the observer said what cannot be read")
            return
        if message.generation != generation or generation != self.standing.generation:
            return
        match message:
            case pipe.Hooked():
                self.collectors = message.collectors
                self.retrying.works()
            case pipe.Front():
                self.recorded = message.recorded
                self.appear()
            case pipe.Failed():
                self._failed(Blocker(message.blocker), message.why)
            case pipe.Observed():
                self._observed(message)
        if not isinstance(message, pipe.Observed):
            self.changed()

    # --- pending and proof --------------------------------------------------------------------------------------

    def _observed(self, observed: pipe.Observed) -> None:
        if self._woke_up():
            self.indicator.lose()
            return
        if self._lapsed():
            self.reconsider()
        self._begin_day()
        carry_all(observed, self.standing, self._pending, self.subject.tally)
        if self._pending.collecting and self._asking is None:
            self._asking = self._loop.call_later(GROUP_S, self._ask)

    def _ask(self) -> None:
        self._asking = None
        if self._pending.collecting:
            nonce = self.indicator.challenge()
            if nonce is not None:
                self._pending.ask(nonce)

    def _answered(self, nonce: bytes) -> None:
        group = self._pending.answered(nonce)
        if self._woke_up():
            self.subject.tally.drop_pending(Why.UNPROVEN, raw_inputs(group))
            self.indicator.lose()
            return
        if group and self.indicator.proof.shows(State.CONSENTED):
            self.subject.keep(group, self._read())
            for kept in self.kept:
                kept()
        else:  # an icon that honestly shows something else has not shown that this was recorded
            self.subject.tally.drop_pending(Why.UNPROVEN, raw_inputs(group))
        self.reconsider()

    def forget_pending(self) -> int:
        """Drop what is pending because the subject said so; returns the raw inputs."""
        n = self._pending.drop()
        self.subject.tally.forget_pending(n)
        return n

    def _sleep_ms(self) -> int:
        now = self._read()
        return now.boot_ms - now.awake_ms

    def _woke_up(self) -> bool:
        """Whether the machine slept since this was last asked: then no answer from before counts."""
        before, self._slept_ms = self._slept_ms, self._sleep_ms()
        return self._slept_ms - before > SUSPEND_MS

    def close(self) -> None:
        """The end: nothing runs after this."""
        self.shut(State.BLOCKED)
