"""What the daemon answers on the control socket: each request, with the gate closed first where the request says no.

Requests that change something are served one at a time. Each closes the gate in memory, ends the children, makes the decision
durable, and only then answers (INV-12, INV-13); a withdrawal's purge follows its answer and is done again at start if cut short.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Awaitable, Callable

import msgspec

from agent import choosing, consenting, exemptions, faults, messages, narrowing, spans, zone
from agent.control import Connection
from agent.daemon import Daemon
from agent.errors import AgentError, CannotDo, TryAgain
from agent.presence.presence import Presence
from agent.report import Alive, report
from agent.status import Status
from agent.trays import Trays
from agent.uploading import Uploading
from agent.words import NO_LOCKS
from consent.event import Clocks
from consent.ledger import LedgerError
from consent.policy import Policy
from consent.register import in_force
from consent.vocabulary import Automatic, Blocker, State
from transport.errors import TransportError
from transport.span import Span


class Answers:
    """Serves connections. `over` is set when the daemon has nothing left to do: after a withdrawal.

    Args:
        trays: The icon's keeper. Only the process that it started may be the indicator: nothing else can play one.
    """

    def __init__(self, daemon: Daemon, uploading: Uploading, trays: Trays, read: Callable[[], Clocks]) -> None:
        self._daemon, self._uploading, self._trays, self._read = daemon, uploading, trays, read
        self._one_at_a_time = asyncio.Lock()
        self._deciding = False
        self._asking: consenting.Asking | None = None
        self._code_ends: asyncio.TimerHandle | None = None
        self._watchers: set[Connection] = set()
        self.over = asyncio.Event()
        self._exempting: frozenset[Automatic] = frozenset()
        self.presence = Presence(read, daemon.subject.saw, self._presence_changed, os.environ)
        self._presence_changed()
        daemon.moved.append(self._tell_watchers)
        daemon.kept.append(self._tell_watchers)

    async def serve(self, connection: Connection) -> None:
        """One connection, from its first request to its end."""
        try:
            async for request in connection.requests():
                await self._serve(connection, request)
        finally:
            self._watchers.discard(connection)
            self._daemon.indicator.gone(connection)

    async def _serve(self, connection: Connection, request: messages.Request) -> None:
        match request:
            case messages.Attach():
                self._attach(connection, request)
            case messages.Proven():
                self._daemon.indicator.answered(connection, request)
            case messages.Watch():
                self._watchers.add(connection)
                connection.say(messages.StatusIs(self.status()))
            case messages.ShowHeld(since_s):
                await self._show(connection, since_s)
            case messages.Withdraw():
                await self._say(connection, self._withdraw)
                await self._purge()
            case _:
                await self._say(connection, lambda: self._answer(request))

    def _attach(self, connection: Connection, hello: messages.Attach) -> None:
        if connection.pid == self._trays.pid:
            self._daemon.indicator.attach(connection, hello)
        else:
            connection.say(messages.Refused("only the icon that Volens itself has started is its icon", "show it with: volens tray"))

    async def _say(self, connection: Connection, work: Callable[[], Awaitable[messages.Answer]]) -> None:
        async with self._one_at_a_time:
            self._deciding = False
            try:
                answer = await work()
            except (AgentError, LedgerError, TransportError, OSError) as error:
                if isinstance(error, LedgerError):
                    self._daemon.block(Blocker.JOURNAL_UNWRITABLE)
                fault = faults.of(error)
                answer = messages.Refused(fault.what, fault.do, isinstance(error, TryAgain))
            except Exception as error:
                answer = self._at_fault(error)
            connection.say(answer)

    def _at_fault(self, error: Exception) -> messages.Refused:
        """What to answer after a bug of ours. Where it cut a decision short, the gate is closed, and stays closed until a resume."""
        # only its name: its words could hold something that was observed
        sys.stderr.write(f"volens: {type(error).__name__}, which is a fault of Volens itself; report this line\n")
        what = "this is a fault of Volens itself"
        if not self._deciding:
            return messages.Refused(what, "report it; what holds now: volens status")
        try:
            self._daemon.block(Blocker.JOURNAL_UNWRITABLE)
        except Exception:  # what holds cannot be worked out or shown: closed without
            with contextlib.suppress(Exception):
                self._daemon.shut(State.BLOCKED)
        return messages.Refused(what, "report it; nothing is recorded until you say: volens resume")

    async def _answer(self, request: messages.Request) -> messages.Answer:
        match request:
            case messages.Send():
                return messages.Done(await self._uploading.send_now(self._span(request)))
            case messages.HoldFor() | messages.ChooseHours() | messages.ChooseUnplugged() | messages.ChooseUnknownLink():
                return self._choose(request)
            case messages.GiveConsent() | messages.Acknowledge():
                return self._consent_step(request)
            case messages.Pause() | messages.Resume() | messages.Forget():
                return self._stop_or_go_on(request)
            case messages.AskExemption() | messages.CancelExemption():
                return self._exempt(request)
        return self._look(request)

    def _choose(
        self, request: messages.HoldFor | messages.ChooseHours | messages.ChooseUnplugged | messages.ChooseUnknownLink
    ) -> messages.Answer:
        match request:
            case messages.HoldFor(seconds):
                return self._hold_for(seconds)
            case messages.ChooseHours():
                return self._choose_hours(request)
            case messages.ChooseUnplugged() | messages.ChooseUnknownLink():
                return self._decided(lambda: choosing.choose_ground(self._daemon.subject, request, self._read()))

    def _stop_or_go_on(self, request: messages.Pause | messages.Resume | messages.Forget) -> messages.Answer:
        match request:
            case messages.Pause(minutes):
                return self._pause(minutes)
            case messages.Resume():
                return self._resume()
            case messages.Forget():
                return self._forget(request)

    def _look(self, request: messages.Request) -> messages.Answer:
        """Requests that change nothing, or only what the indicator shows."""
        match request:
            case messages.AskStatus():
                return messages.StatusIs(self.status())
            case messages.AskConsent() | messages.EndAsking():
                return self._ask_or_end(request)
            case messages.AskReviewer():
                return exemptions.reviewer(self._daemon.policy.policy)
            case messages.ListExemptions():
                return exemptions.listed(self._daemon.subject, self._read())
            case messages.AskReceipt(begin):
                return messages.receipt_part(self._daemon.subject.record.choice.receipt, begin)
            case messages.ShowIcon():
                self._trays.anew()
                return messages.Done("The icon is started anew. If it does not appear, see: volens status")
        raise CannotDo("that cannot be asked for here", "see: volens --help")

    def status(self) -> Status:
        """What holds now."""
        return report(self._daemon.subject, self._read(), self._alive())

    def _alive(self) -> Alive:
        daemon = self._daemon
        return Alive(
            daemon.standing,
            daemon.collecting,
            daemon.policy,
            daemon.indicator.proof,
            daemon.health(),
            wider=len(daemon.waits()),
            waits=self._uploading.waits,
            locks=self.presence.told_by,
            untold=self.presence.untold,
            trouble=daemon.trouble or self._trays.why,
            budget=daemon.budget.judged,
            cpu_percent=daemon.budget.cpu_percent,
        )

    def _presence_changed(self) -> None:
        """What holds now replaces what held before; nothing opens in between."""
        before, self._exempting = self._exempting, self.presence.exempting
        self._daemon.budget.sparing = self.presence.sparing
        for ground in sorted(self._exempting - before):
            self._daemon.exempt(ground, holds=True)
        for ground in sorted(before - self._exempting):
            self._daemon.exempt(ground, holds=False)
        self._daemon.reconsider()
        self._daemon.changed()

    # --- what a person says -------------------------------------------------------------------------------------

    def _decided(self, decide: Callable[[], str]) -> messages.Answer:
        """Make a decision durable while the gate is closed, then let what holds now hold, and be seen: a pause has its minutes only now.

        A decision that cannot be written down keeps the gate closed, whatever went wrong.
        """
        self._deciding = True
        try:
            words = decide()
        except BaseException:
            self._daemon.block(Blocker.JOURNAL_UNWRITABLE)
            raise
        self._daemon.reconsider()
        self._daemon.appear()
        self._daemon.changed()
        return messages.Done(words)

    def _pause(self, minutes: int | None) -> messages.Answer:
        if self._daemon.subject.record.choice.state in (State.UNASKED, State.WITHDRAWN):
            return messages.Done(self._daemon.subject.pause(minutes, self._read()))
        self._daemon.shut(State.PAUSED)
        self._end_asking()
        return self._decided(lambda: self._daemon.subject.pause(minutes, self._read()))

    def _forget(self, request: messages.Forget) -> messages.Answer:
        self._daemon.forget_pending()
        self._daemon.renew()
        span = self._span(request)
        with self._daemon.working():
            done = self._decided(lambda: self._daemon.subject.forget(self._read(), span))
        self._uploading.wake()
        return done

    def _exempt(self, request: messages.AskExemption | messages.CancelExemption) -> messages.Answer:
        subject, policy = self._daemon.subject, self._daemon.policy.policy
        if isinstance(request, messages.CancelExemption):
            exemptions.find(subject.record.choice.exemptions, request.id)
            return self._decided(lambda: exemptions.cancel(subject, request.id, self._read()))
        asked = exemptions.check(subject, policy, request)
        self._daemon.forget_pending()
        self._daemon.renew()
        with self._daemon.working():
            done = self._decided(lambda: exemptions.ask(subject, policy, asked, request.reason, self._read()))
        self._uploading.wake()
        return done

    def _span(self, chosen: messages.Chosen) -> Span:
        return spans.span_of(chosen, self._read(), self._daemon.subject.boot)

    def _hold_for(self, seconds: int | None) -> messages.Answer:
        words = self._daemon.subject.hold_for(seconds, self._daemon.policy.policy, self._read())
        self._daemon.changed()
        if not self.presence.told_by:
            words = f"{words} {NO_LOCKS}"
        return messages.Done(words)

    def _choose_hours(self, request: messages.ChooseHours) -> messages.Answer:
        subject = self._daemon.subject
        if request.only_say:
            return messages.Done(choosing.hours_words(subject))
        chosen = spans.hours(request.hours, zone.name())
        return self._decided(lambda: choosing.choose_hours(subject, chosen, self._read()))

    def _resume(self) -> messages.Answer:
        words = self._daemon.subject.resume(self._read())
        self._daemon.unblock()
        return messages.Done(words)

    async def _withdraw(self) -> messages.Answer:
        self._daemon.forget_pending()
        self._daemon.shut(State.WITHDRAWN)
        self._end_asking()
        return self._decided(lambda: self._daemon.subject.withdraw(self._read()))

    async def _purge(self) -> None:
        try:
            async with self._one_at_a_time:
                if self._daemon.subject.record.choice.purge_owed:
                    with self._daemon.working():
                        self._daemon.subject.purge(self._read())
        finally:  # whatever kept it from being complete: it is done again at the next start, and nothing runs till then
            self._uploading.wake()
            self.over.set()

    # --- the consent step ---------------------------------------------------------------------------------------

    def _ask_or_end(self, request: messages.AskConsent | messages.EndAsking) -> messages.Answer:
        match request:
            case messages.AskConsent(begin):
                return self._ask_consent(begin=begin)
            case messages.EndAsking():
                self._end_asking()
                return messages.Done("The code is gone from the screen.")

    def _ask_consent(self, *, begin: bool) -> messages.Offer:
        policy, offer = self._on_offer()
        if begin:
            self._begin(consenting.Asking(offer, policy, f"{secrets.randbelow(10**6):06}", self._read().awake_ms))
        return offer

    def _on_offer(self) -> tuple[Policy, messages.Offer]:
        """The policy in force, and what it asks. Raises CannotDo if there is none."""
        daemon = self._daemon
        policy = daemon.policy.policy
        if policy is None:
            raise CannotDo(f"there is nothing to agree to: {daemon.policy.why}", "see: volens status")
        today = daemon.today()
        entries = {kind: daemon.register[kind] for kind in daemon.register if kind in in_force(daemon.register, today)}
        return policy, msgspec.structs.replace(
            consenting.offer(policy, entries),
            waits=narrowing.shown(daemon.waits()),
            hours=choosing.hours_offered(daemon.subject),
            zone=zone.name(),
            exempt=narrowing.shown(
                exemptions.standing_words(daemon.subject, self._read()), "all of them: volens exempt list", narrowing.EXEMPT_BYTES
            ),
        )

    def _consent_step(self, request: messages.GiveConsent | messages.Acknowledge) -> messages.Answer:
        match request:
            case messages.GiveConsent():
                return self._give_consent(request)
            case messages.Acknowledge(notice_sha256):
                return self._acknowledge(notice_sha256)

    def _acknowledge(self, notice_sha256: str) -> messages.Answer:
        """Only for the very notice that is on offer: one that was changed since it was shown was not read."""
        if notice_sha256 != self._on_offer()[1].notice_sha256:
            raise CannotDo("another notice is on offer now", "read it with: volens consent acknowledge")
        return self._decided(lambda: self._daemon.subject.acknowledge(notice_sha256, self._read(), self._daemon.local_day()))

    def _begin(self, asking: consenting.Asking) -> None:
        if self._daemon.foreign is not None:
            raise CannotDo(f"nobody can say yes here, because {self._daemon.foreign}", "log in to the desktop as yourself")
        if not self._daemon.indicator.proof.live:
            raise CannotDo("no icon or badge is visible, so nobody can see the code", "start it with: volens tray")
        self._end_asking()
        self._asking = asking
        self._show_code(asking.code)
        self._code_ends = asyncio.get_running_loop().call_later(consenting.CODE_LIVES_MS / 1000, self._end_asking)

    def _show_code(self, code: str | None) -> None:
        self._daemon.code = code
        self._daemon.appear()

    def _give_consent(self, given: messages.GiveConsent) -> messages.Answer:
        asking, now = self._asking, self._read()
        if asking is None:
            raise CannotDo("nothing was asked", "begin with: volens consent give")
        if not self._daemon.indicator.proof.live:
            raise CannotDo("no icon or badge is visible", "start it with: volens tray")
        if asking.offer.notice_sha256 not in self._daemon.subject.record.choice.acknowledged:
            raise CannotDo("the notice was not acknowledged before the yes", "read it with: volens consent give")
        try:
            asking.check(given, now.awake_ms)
        finally:
            if asking.over(now.awake_ms):
                self._end_asking()
        self._end_asking()
        receipt_id = secrets.token_hex(16)
        receipt = consenting.receipt(asking, given, receipt_id=receipt_id, wall_ms=now.wall_ms)
        code = self._daemon.subject.consent(receipt, now)
        self._daemon.unblock()
        return messages.Given(receipt_id, code)

    def _end_asking(self) -> None:
        if self._code_ends is not None:
            self._code_ends.cancel()
        self._asking = self._code_ends = None
        if self._daemon.code is not None:
            self._show_code(None)

    # --- streams ------------------------------------------------------------------------------------------------

    def _tell_watchers(self) -> None:
        for connection in self._watchers:
            if not connection.slow:
                connection.say(messages.StatusIs(self.status()))

    async def _show(self, connection: Connection, since_s: int | None) -> None:
        for part in messages.held_parts(self._daemon.subject.held(self._read(), since_s)):
            connection.say(part)
            await connection.drain()
        connection.say(messages.HeldEnd())
