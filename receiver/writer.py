"""The one writer of the receiver: whatever waits is written as one group with one commit.

Refuses to acknowledge before the group is durable.
While a group is being written the next one gathers, so that a slow disk makes larger groups instead of longer queues. Everything
that changes files or rows passes through here, one after the other: no lock is needed anywhere else.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

from receiver.accept import Offer, Outcome
from receiver.depot import Depot

MAX_GROUP = 64
"""Envelopes in one commit. Above some 16 the disk gains nothing more, and a group is what one error fails."""

_DISK_THREADS = 8
"""Flushes that wait together cost the disk one."""
_JUDGES = 2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Job:
    """An envelope to store, or an act that wants the depot for itself."""

    what: Offer | Callable[[], Any]
    done: "asyncio.Future[Any]"


class Writer:
    """Runs as one task; `store` and `alone` are called from any other."""

    def __init__(self, depot: Depot, now: Callable[[], datetime]) -> None:
        self._depot = depot
        self._now = now
        self._waiting: asyncio.Queue[_Job] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "writer")
        self._disk = ThreadPoolExecutor(_DISK_THREADS, "disk")
        self._judges = ThreadPoolExecutor(_JUDGES, "judge")

    async def judged(self, judge: Callable[[], Offer]) -> Offer:
        """What a verdict says, found beside the event loop: hashes and signatures of long bodies must not make the others wait."""
        return await asyncio.get_running_loop().run_in_executor(self._judges, judge)

    async def store(self, offer: Offer) -> Outcome:
        """What became of the envelope, once that is durable. Raises Refused as Depot.store does."""
        return cast(Outcome, await self._enqueue(offer))

    async def alone(self, act: Callable[[], _T]) -> _T:
        """The value of an act that runs between groups. Raises what it raises."""
        return cast(_T, await self._enqueue(act))

    async def run(self) -> None:
        """Until cancelled."""
        held: _Job | None = None
        while True:
            job = held or await self._waiting.get()
            held = None
            if not isinstance(job.what, Offer):
                await self._run(job.what, [job])
                continue
            group = [job]
            while len(group) < MAX_GROUP and not self._waiting.empty() and held is None:
                following = self._waiting.get_nowait()
                if isinstance(following.what, Offer):
                    group.append(following)
                else:
                    held = following
            offers = [cast(Offer, each.what) for each in group]
            await self._run(partial(self._depot.store, offers, self._now(), self._spread), group, many=True)

    def close(self) -> None:
        """Waits for what is being written, takes nothing more."""
        self._judges.shutdown()
        self._thread.shutdown()
        self._disk.shutdown()

    async def _enqueue(self, what: Offer | Callable[[], Any]) -> Any:
        done = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Job(what, done))
        return await done

    async def _run(self, act: Callable[[], Any], jobs: list[_Job], *, many: bool = False) -> None:
        waiting = [job.done for job in jobs]
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except Exception as error:  # a boundary: the fault belongs to whoever asked, and the writer goes on
            for done in waiting:
                if not done.done():
                    done.set_exception(error)
            return
        for done, each in zip(waiting, value if many else [value], strict=True):
            if not done.done():
                done.set_result(each)

    def _spread(self, acts: list[Callable[[], None]]) -> None:
        """Runs all acts, several at once; raises the first failure when all have ended, so that none still writes behind our back."""
        waiting, failures = deque(acts), list[Exception]()
        threads = [self._disk.submit(_drain, waiting, failures) for _ in range(min(_DISK_THREADS, len(acts)))]
        wait(threads)
        if failures:
            raise failures[0]


def _drain(waiting: deque[Callable[[], None]], failures: list[Exception]) -> None:
    """Runs acts until none is left: one hand-over for a thread, not one for an act."""
    while True:
        try:
            act = waiting.popleft()
        except IndexError:
            return
        try:
            act()
        except Exception as error:  # the boundary of a thread; whoever spread the acts raises it
            failures.append(error)
