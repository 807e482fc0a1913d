"""What leaves and what comes: policies in, envelopes and erasure requests out, by the courier child. Asks the gate before each upload.

The courier lives while there is something to carry and the permission is unchanged; when a permission ends it is killed in
mid-byte. An upload whose outcome is unknown is simply tried again: its id is its hash, and the receiver keeps one object an id.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable

from agent import policies
from agent.child import Child
from agent.daemon import Daemon
from agent.errors import CannotDo
from agent.places import Places
from agent.words import counted
from consent.event import Clocks
from consent.gate import may_send
from consent.trust import POLICY_TARGET
from consent.unreadable import UNREADABLE
from consent.vocabulary import Purpose, State
from transport import erasing, jobs, schedule
from transport.errors import TransportError
from transport.results import Fate, fate_of, result_of
from transport.schedule import Schedule, Upload, Wait, next_step

UPLOAD_DEADLINE_S = 60
REFRESH_DEADLINE_S = 30
REFRESH_EVERY_S = 3600.0
"""The timestamp is signed hourly; asking more often finds nothing new."""
REFRESH_AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
LOOK_EVERY_S = 60.0
"""A hold ends on no particular second; a minute late is early enough, and one wake-up a minute is nothing."""
SEEN_AT_LEAST_MS = 15 * 60_000
"""Nothing leaves within the first quarter of an hour after a start, so that nothing leaves unseen after a lid was closed."""


class Uploading:
    """Args:
    daemon: Its standing is asked before each upload; its `ended` kills the courier.
    """

    def __init__(self, daemon: Daemon, places: Places, read: Callable[[], Clocks], loop: asyncio.AbstractEventLoop) -> None:
        self._daemon, self._places, self._read, self._loop = daemon, places, read, loop
        self._receiver = daemon.subject.settings.receiver
        self._pin = [pin] if (pin := daemon.subject.settings.receiver_pin) else []
        self._schedule = Schedule()
        self._courier: Child | None = None
        self._open: tuple[int, asyncio.Future[jobs.Answer]] | None = None
        self._number = 0
        self._wake = asyncio.Event()
        self._refresh_at_ms = 0
        self._refusals = 0
        self._began_awake_ms = read().awake_ms
        daemon.ended.append(self._abort)
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
            if self._read().awake_ms - self._began_awake_ms >= SEEN_AT_LEAST_MS:
                self._seal(at_once=False)
            wait_s = await self._send()
            self._rest()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, LOOK_EVERY_S, self._until_refresh_s())):  # wait_for may swallow a cancellation
                    await self._wake.wait()

    async def send_now(self) -> str:
        """End the hold of everything held: seal it, and let it leave. What to tell the person."""
        if self._daemon.standing.state is not State.CONSENTED:
            raise CannotDo("nothing can be sent now", "see why: volens status")
        waits = self._seal(at_once=True)
        if waits is not None:
            raise CannotDo(waits, "it stays held; try again")
        waiting = self._daemon.subject.outbox.stats()
        self.wake()
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
            self._next(),
            f"{base}/metadata/",
            f"{base}/targets/",
            str(self._places.policy),
            POLICY_TARGET,
            root,
            REFRESH_DEADLINE_S,
        )
        answer = await self._carry(job)
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
        for owed in subject.erasures.pending():
            try:
                subject.erased(owed, await self._ask_erasure(self._receiver, owed.asking, keys.identity_secret))
            except erasing.ErasureError:
                return False
        return True

    async def _ask_erasure(self, receiver: str, asking: erasing.Asking, identity_secret: bytes) -> bytes:
        """The receiver's receipt for one asking, over a connection of its own."""
        nonce = erasing.nonce_of(await self._carry(erasing.nonce_request(self._next(), receiver)))
        request, body = erasing.erasure_request(self._next(), receiver, asking, nonce, identity_secret)
        try:
            return erasing.receipt_of(await self._carry(request, body), asking)
        finally:
            self._rest()

    # --- envelopes ----------------------------------------------------------------------------------------------

    def _seal(self, *, at_once: bool) -> str | None:
        """Seal what is due; why something due had to wait, if anything had."""
        policy = self._daemon.policy.policy
        if policy is None or self._daemon.standing.state is not State.CONSENTED:
            return "there is no policy in force"
        return self._daemon.subject.seal(self._daemon.standing, policy, self._read(), at_once=at_once).waits

    def _permitted(self) -> frozenset[Purpose]:
        policy = self._daemon.policy.policy
        purposes = policy.purposes if policy else {}
        return frozenset(purpose for purpose in purposes if may_send(purpose, self._daemon.standing))

    async def _send(self) -> float:
        """Send what may leave now, one envelope after the other; after how many seconds to look again."""
        if self._receiver is None:
            return LOOK_EVERY_S
        while True:
            step = next_step(self._schedule, self._daemon.subject.outbox.waiting(), self._permitted(), self._read().boot_ms)
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
        request = jobs.Request(self._next(), jobs.Method.PUT, url, kind, len(raw), UPLOAD_DEADLINE_S)
        self._schedule = schedule.begun(self._schedule, self._read().boot_ms)
        result = result_of(await self._carry(request, raw), envelope_id)
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

    # --- the courier --------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _carry(self, job: jobs.Job, body: bytes = b"") -> jobs.Answer:
        """Give the courier a job and wait for its answer; it is started if there is none."""
        answer: asyncio.Future[jobs.Answer] = self._loop.create_future()
        if self._courier is None:
            self._courier = Child("courier", self._loop, self._heard, self._died, self._pin)
        self._open = (job.job, answer)
        for message in jobs.messages(job, body):
            self._courier.say(message)
        return await answer

    def _heard(self, message: bytes) -> None:
        try:
            answer = jobs.decode_answer.decode(message)
        except UNREADABLE:
            self._abort()
            return
        if self._open is not None and answer.job == self._open[0]:
            self._answer(answer)

    def _died(self) -> None:
        self._courier = None
        if self._open is not None:
            self._answer(jobs.Failed(self._open[0], jobs.Trouble.BROKEN_OFF, True))

    def _answer(self, answer: jobs.Answer) -> None:
        if self._open is not None and not self._open[1].done():
            self._open[1].set_result(answer)
        self._open = None

    def _abort(self) -> None:
        """End the courier now; whatever it was sending stops in mid-byte, with an unknown outcome."""
        if self._courier is not None:
            self._courier.kill()
            self._died()

    def _rest(self) -> None:
        """Nothing to carry: a courier that waits would only hold memory."""
        if self._courier is not None and self._open is None:
            self._courier.kill()
            self._courier = None
