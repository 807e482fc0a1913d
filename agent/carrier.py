"""The daemon's and the commands' end of a courier: gives it one job at a time and waits for the answer. Opens no connection itself.

The courier is started when there is a job. Aborted, it is killed in mid-byte, and what it was sending has an unknown outcome.
One that ends by itself is started again, later each time, and in a crash loop (`agent.restarts`) not for ten minutes: its jobs fail then.
"""

import asyncio
from collections.abc import Sequence

from agent.child import Child
from agent.restarts import PAUSES_S, WINDOW_MS, Restarts
from consent.unreadable import UNREADABLE
from transport import jobs


class Carrier:
    """One courier at a time, for whoever made this.

    Args:
        loop: The loop that its pipe is read on.
        pin: SHA-256 of the one key that the receiver may have, hexadecimal; None for any with a trusted certificate.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, pin: str | None) -> None:
        self._loop = loop
        self._more: Sequence[str] = [pin] if pin else []
        self._courier: Child | None = None
        self._hearing = jobs.Hearing()
        self._open: tuple[int, asyncio.Future[jobs.Answer]] | None = None
        self._number = 0
        self._restarts = Restarts()
        self._not_before_s = 0.0

    @property
    def failing(self) -> str | None:
        """That the courier is in a crash loop, for people; None if it is not."""
        looping = self._restarts.pause_s() is None and self._loop.time() < self._not_before_s
        return (
            f"the courier ended {len(PAUSES_S) + 1} times in a row; it is tried again within {WINDOW_MS // 60_000} minutes"
            if looping
            else None
        )

    def next(self) -> int:
        """A number for the next job."""
        self._number += 1
        return self._number

    async def carry(self, job: jobs.Job, body: bytes = b"") -> jobs.Answer:
        """Give the courier a job and wait for its answer. One after the other: the last answer must be there before the next job."""
        answer: asyncio.Future[jobs.Answer] = self._loop.create_future()
        self._open = (job.job, answer)
        if self._courier is None:
            await self._wait()
            if answer.done():  # aborted meanwhile
                return await answer
            self._hearing = jobs.Hearing()
            self._courier = Child("courier", self._loop, self._heard, self._failed, self._more)
        for message in jobs.messages(job, body):
            self._courier.say(message)
        return await answer

    async def _wait(self) -> None:
        """Until a courier that failed may be started again. In a crash loop the job has failed when this returns."""
        if self.failing is not None:
            self._died()
        elif (pause_s := self._not_before_s - self._loop.time()) > 0:
            await asyncio.sleep(pause_s)

    def abort(self) -> None:
        """End the courier now; whatever it was sending stops in mid-byte, with an unknown outcome."""
        if self._courier is not None:
            self._courier.kill()
        self._died()

    def rest(self) -> None:
        """Nothing to carry: a courier that waits would only hold memory."""
        if self._courier is not None and self._open is None:
            self._courier.kill()
            self._courier = None

    def _heard(self, message: bytes) -> None:
        try:
            answer = self._hearing.hear(message)
        except UNREADABLE:
            if self._courier is not None:
                self._courier.kill()
            self._failed()
            return
        if answer is not None and self._open is not None and answer.job == self._open[0]:
            self._answer(answer)

    def _failed(self) -> None:
        """It has ended by itself, or says what cannot be read."""
        now_s = self._loop.time()
        self._restarts = self._restarts.failed(int(now_s * 1000))
        pause_s = self._restarts.pause_s()
        self._not_before_s = now_s + (WINDOW_MS / 1000 if pause_s is None else pause_s)
        self._died()

    def _died(self) -> None:
        self._courier = None
        if self._open is not None:
            self._answer(jobs.Failed(self._open[0], jobs.Trouble.BROKEN_OFF, True))

    def _answer(self, answer: jobs.Answer) -> None:
        if self._open is not None and not self._open[1].done():
            self._open[1].set_result(answer)
        self._open = None
