"""What leaves and what comes: policies in, envelopes and erasure requests out, by the courier child. Asks the gate before each upload.

The courier lives while there is something to carry and the permission is unchanged; when a permission ends it is killed in
mid-byte. An upload whose outcome is unknown is simply tried again: its id is its hash, and the receiver keeps one object an id.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import date

from agent import policies
from agent.carrier import Carrier
from agent.daemon import Daemon
from agent.errors import CannotDo
from agent.places import Places
from agent.registering import Registering
from agent.words import counted
from consent.event import Clocks
from consent.gate import may_send
from consent.trust import POLICY_TARGET
from consent.vocabulary import Purpose, State
from transport import erasing, jobs, schedule
from transport.errors import TransportError
from transport.results import Fate, Rejected, Result, Unreachable, fate_of, result_of
from transport.schedule import Schedule, Stop, StopWhy, Upload, Wait, next_step
from transport.seal import may_seal
from transport.sealing import SealedCounts
from transport.span import Everything, Span

UPLOAD_DEADLINE_S = 60
REFRESH_DEADLINE_S = 30
REFRESH_EVERY_S = 3600.0
"""The timestamp is signed hourly; asking more often finds nothing new."""
REFRESH_AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
LOOK_EVERY_S = 60.0
"""A hold ends on no particular second; a minute late is early enough, and one wake-up a minute is nothing."""
SEAL_EVERY_S = 900.0
"""What is due gathers for as long after an envelope was sealed. However little is in one, it is 6.6 kB long: one each minute would be
3.2 MB in eight hours of work, and would tell whoever sees the traffic in which minutes of yesterday somebody worked."""

NO_ROOM = "what waits is larger than what may still be sent today; it goes on tomorrow, or next month (UTC)"
TOO_LARGE = "what waits is larger than agent.toml ever lets leave; raise bytes_a_day or bytes_a_month, or remove them"


class Uploading:
    """Args:
    daemon: Its standing is asked before each upload; its `ended` kills the courier.
    registering: Knows under which identities the receiver takes something in.
    """

    def __init__(
        self,
        daemon: Daemon,
        registering: Registering,
        places: Places,
        read: Callable[[], Clocks],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._daemon, self._registering, self._places, self._read = daemon, registering, places, read
        self._receiver = daemon.subject.settings.receiver
        self._carrier = Carrier(loop, daemon.subject.settings.receiver_pin)
        self._schedule = Schedule()
        self._wake = asyncio.Event()
        self._waited: str | None = None
        self._no_room: str | None = None
        self._seal_at_ms = 0
        self._refresh_at_ms = 0
        self._refusals = 0
        daemon.ended.append(self._carrier.abort)
        daemon.moved.append(self.wake)

    def wake(self) -> None:
        """Something was sealed, permitted, forgotten: look again."""
        self._wake.set()

    async def keep(self) -> None:
        """Carry what there is to carry, for as long as the daemon runs."""
        while True:
            self._wake.clear()
            await self._refresh()
            await self.erase()
            self._seal_in_turn()
            wait_s = await self._send()
            self._carrier.rest()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, LOOK_EVERY_S, self._until_refresh_s())):  # wait_for may swallow a cancellation
                    await self._wake.wait()

    async def send_now(self, span: Span) -> str:
        """End the hold of exactly what lies in the span: seal it, and let it leave. What to tell the person."""
        if self._daemon.standing.state is not State.CONSENTED:
            raise CannotDo("nothing can be sent now", "see why: volens status")
        sealed = self._seal(span)
        if sealed.waits is not None:
            what, _, do = sealed.waits.partition("; ")
            raise CannotDo(what, do or "it stays held; try again")
        waiting = self._daemon.subject.outbox.stats()
        self.wake()
        if not isinstance(span, Everything):
            return f"Sealed, and leaving now: {counted(sealed.envelopes, 'envelope')} with exactly that; the rest stays held."
        return f"Sealed, and leaving now: {counted(waiting.envelopes, 'envelope')}." if waiting.envelopes else "Nothing is held."

    # --- policy -------------------------------------------------------------------------------------------------

    def _until_refresh_s(self) -> float:
        return max(0.05, (self._refresh_at_ms - self._read().boot_ms) / 1000)

    async def _refresh(self) -> None:
        """Fetch the policy's metadata when it is time, and judge what was fetched."""
        subject, now = self._daemon.subject, self._read()
        if self._receiver is None or subject.record.choice.state is State.WITHDRAWN or now.boot_ms < self._refresh_at_ms:
            return
        root = self._pinned_root()
        if root is None:
            self._refresh_at_ms = now.boot_ms + int(REFRESH_EVERY_S * 1000)
            return
        base = f"{self._receiver}/v1/tuf"
        job = jobs.RefreshPolicy(
            self._carrier.next(),
            f"{base}/metadata/",
            f"{base}/targets/",
            str(self._places.policy),
            POLICY_TARGET,
            root,
            REFRESH_DEADLINE_S,
        )
        answer = await self._carrier.carry(job)
        fetched = isinstance(answer, jobs.Refreshed)
        again_s = REFRESH_EVERY_S if fetched else REFRESH_AGAIN_S[min(self._refusals, len(REFRESH_AGAIN_S) - 1)]
        self._refusals = 0 if fetched else self._refusals + 1
        self._refresh_at_ms = self._read().boot_ms + int(again_s * 1000)
        self._daemon.take(policies.load(self._places, subject.record, self._receiver, self._read()))

    def _pinned_root(self) -> bytes | None:
        try:
            return self._places.pinned_root.read_bytes()
        except OSError:
            return None

    # --- erasures -----------------------------------------------------------------------------------------------

    async def erase(self) -> bool:
        """Ask the receiver for every erasure that it still owes; whether none is left. No standing forbids asking."""
        subject = self._daemon.subject
        keys = subject.record.sealing_keys() if subject.erasures.pending() else None
        if keys is None or self._receiver is None:
            return not subject.erasures.pending()
        none_left = True
        for owed in subject.erasures.pending():
            try:
                nonce = erasing.nonce_of(await self._carrier.carry(erasing.nonce_request(self._carrier.next(), self._receiver)))
            except erasing.ErasureError:
                return False  # the others would hear the same
            try:
                subject.erased(owed, await self._ask_erasure(self._receiver, owed.asking, nonce, keys.identity_secret))
            except erasing.ErasureError:
                none_left = False  # it is repeated; the others need not wait for one that is refused
        return none_left

    async def _ask_erasure(self, receiver: str, asking: erasing.Asking, nonce: str, identity_secret: bytes) -> bytes:
        """The receiver's receipt for one asking, over a connection of its own."""
        try:
            request, body = erasing.erasure_request(self._carrier.next(), receiver, asking, nonce, identity_secret)
            return erasing.receipt_of(await self._carrier.carry(request, body), asking).raw
        finally:
            self._carrier.rest()

    # --- envelopes ----------------------------------------------------------------------------------------------

    @property
    def waits(self) -> str | None:
        """Why what a person agreed to does not leave, as far as it is known without trying."""
        if self._daemon.subject.record.choice.receipt is None:
            return None
        kept = self._registering.why_not(self._today()) or self._too_large() or self._daemon.budget.judged.keeps
        return kept or self._waited or self._no_room or self._carrier.failing

    def _too_large(self) -> str | None:
        """Why no day's and no month's end lets anything of what waits leave, if that is so."""
        sizes_bytes, limits = [note.envelope_bytes for note in self._daemon.subject.outbox.waiting()], self._daemon.subject.settings.limits
        return TOO_LARGE if sizes_bytes and min(sizes_bytes) > min(limits.day_bytes, limits.month_bytes) else None

    def _today(self) -> date:
        return self._read().day

    def _seal_in_turn(self) -> None:
        """Seal what is due, in one envelope for a while. What is to be destroyed instead does not wait for that."""
        self._daemon.reconsider()  # hours and leases end by the clock, whether anything happens then or not
        now_ms = self._read().boot_ms
        in_turn = now_ms >= self._seal_at_ms or self._daemon.standing.for_good
        if in_turn and self._seal().envelopes:
            self._seal_at_ms = now_ms + int(SEAL_EVERY_S * 1000)

    def _seal(self, span: Span | None = None) -> SealedCounts:
        """Seal what is due, or what lies in the span; with why something had to wait, if anything had."""
        sealed = self._sealing(span)
        self._waited = sealed.waits
        return sealed

    def _sealing(self, span: Span | None) -> SealedCounts:
        self._daemon.reconsider()  # hours and leases end by the clock, whether anything happens then or not
        policy = self._daemon.policy.policy
        if policy is None or not may_seal(self._daemon.standing):
            return SealedCounts(waits="there is no policy in force")
        now, today = self._read(), self._today()
        if (why := self._registering.why_not(today)) is not None and not self._daemon.standing.for_good:
            return SealedCounts(waits=why)
        if (why := self._daemon.budget.judged.keeps) is not None and not self._daemon.standing.for_good:
            return SealedCounts(waits=why)
        registered = self._registering.sealable(today)
        with self._daemon.working():
            return self._daemon.subject.seal(self._daemon.standing, policy, now, span=span, registered=registered)

    def _permitted(self) -> frozenset[Purpose]:
        policy = self._daemon.policy.policy
        purposes = policy.purposes if policy else {}
        return frozenset(purpose for purpose in purposes if may_send(purpose, self._daemon.standing))

    async def _send(self) -> float:
        """Send what may leave now, one envelope after the other; after how many seconds to look again."""
        if self._receiver is None:
            return LOOK_EVERY_S
        while True:
            self._daemon.reconsider()
            subject, now = self._daemon.subject, self._read()
            waiting = [note for note in subject.outbox.waiting() if self._registering.sendable(date.fromisoformat(note.day))]
            if self._daemon.budget.judged.keeps is not None:
                return LOOK_EVERY_S
            step = next_step(self._schedule, waiting, self._permitted(), now.boot_ms, subject.used(now).room_bytes)
            self._no_room = NO_ROOM if step == Stop(StopWhy.BUDGET_SPENT) else None
            match step:
                case Upload(envelope_id):
                    await self._upload(self._receiver, envelope_id)
                case Wait(seconds):
                    return seconds
                case _:
                    return LOOK_EVERY_S

    async def _upload(self, receiver: str, envelope_id: str) -> None:
        subject = self._daemon.subject
        try:
            raw = subject.outbox.read(envelope_id)
        except (TransportError, OSError):
            subject.outbox.set_aside(envelope_id)  # damaged on the disk: kept aside and counted, never sent
            return
        url, kind = jobs.batch_url(receiver, envelope_id), "application/octet-stream"
        request = jobs.Request(self._carrier.next(), jobs.Method.PUT, url, kind, len(raw), UPLOAD_DEADLINE_S)
        self._schedule = schedule.begun(self._schedule, self._read().boot_ms)
        subject.spend(len(raw), self._read())
        result = result_of(await self._carrier.carry(request, raw), envelope_id)
        if result == Rejected(403):
            result = self._not_registered(envelope_id)
        now = self._read()
        self._schedule = schedule.report(self._schedule, envelope_id, result, now.boot_ms, jitter=random.random())  # noqa: S311
        if envelope_id not in {note.id for note in subject.outbox.waiting()}:
            return  # it was forgotten or withdrawn while it was under way
        match fate_of(result):
            case Fate.SENT:
                subject.was_sent(envelope_id, now)
            case Fate.SET_ASIDE:
                subject.outbox.set_aside(envelope_id)
            case Fate.DESTROY:
                subject.was_withdrawn(envelope_id)
        subject.save()
        self._daemon.changed()

    def _not_registered(self, envelope_id: str) -> Result:
        """The receiver does not know the pseudonym: its backup was restored, perhaps. The envelope stays, and waits for its day's turn."""
        for note in self._daemon.subject.outbox.waiting():
            if note.id == envelope_id:
                with contextlib.suppress(OSError):
                    self._registering.doubt(date.fromisoformat(note.day))
        return Unreachable(False)
