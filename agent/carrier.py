"""The daemon's and the commands' end of a courier: gives it one job at a time and waits for the answer. Opens no connection itself.

The courier is started when there is a job. Aborted, it is killed in mid-byte, and what it was sending has an unknown outcome.
"""

import asyncio
from collections.abc import Sequence

from agent.child import Child
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

    def next(self) -> int:
        """A number for the next job."""
        self._number += 1
        return self._number

    async def carry(self, job: jobs.Job, body: bytes = b"") -> jobs.Answer:
        """Give the courier a job and wait for its answer. One after the other: the last answer must be there before the next job."""
        answer: asyncio.Future[jobs.Answer] = self._loop.create_future()
        if self._courier is None:
            self._hearing = jobs.Hearing()
            self._courier = Child("courier", self._loop, self._heard, self._died, self._more)
        self._open = (job.job, answer)
        for message in jobs.messages(job, body):
            self._courier.say(message)
        return await answer

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
            self.abort()
            return
        if answer is not None and self._open is not None and answer.job == self._open[0]:
            self._answer(answer)

    def _died(self) -> None:
        self._courier = None
        if self._open is not None:
            self._answer(jobs.Failed(self._open[0], jobs.Trouble.BROKEN_OFF, True))

    def _answer(self, answer: jobs.Answer) -> None:
        if self._open is not None and not self._open[1].done():
            self._open[1].set_result(answer)
        self._open = None
