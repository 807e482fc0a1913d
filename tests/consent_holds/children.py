"""Fakes of the daemon's children: an observer whose hooks see what a test makes happen, a courier whose bytes leave when a test says so."""

import asyncio
from collections.abc import Callable, Sequence

from collectors import pipe
from transport import jobs


class Observer:
    """An observer child. `alive` until it is killed or dies; what it had not said by then is heard by nobody, unless a test insists."""

    def __init__(self, heard: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._heard, self._ended = heard, ended
        self.alive = True
        self.grant: pipe.Grant | None = None

    pid = 2
    ending = "by signal 9"

    def say(self, body: bytes) -> None:
        self.grant = pipe.decode_down(body)

    def kill(self) -> None:
        self.alive = False

    def speak(self, message: pipe.Upward) -> None:
        """Say something up the pipe; from a dead child too: what was under way when it was killed."""
        self._heard(pipe.encode(message))

    def die(self) -> None:
        self.alive = False
        self._ended()


class Courier:
    """A courier child. Uploads wait in it until a test lets bytes leave and answers; everything else finds no connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, heard: Callable[[bytes], None], came: Callable[["Courier"], None]) -> None:
        self._loop, self._heard, self._came = loop, heard, came
        self.alive = True
        self.job: jobs.Request | None = None
        self.body = b""

    pid = 3

    def say(self, body: bytes) -> None:
        if self.job is None:
            job = jobs.decode_job.decode(body)
            assert isinstance(job, jobs.Request), "nothing else is asked for here"
            self.job = job
        else:
            self.body += body
        if len(self.body) == self.job.body_bytes:
            if self.job.method is jobs.Method.PUT:
                self._came(self)
            else:
                self._loop.call_soon(self.answer, jobs.Failed(self.job.job, jobs.Trouble.NO_CONNECTION))

    def kill(self) -> None:
        self.alive, self.job = False, None

    @property
    def uploads(self) -> bool:
        """Whether an envelope is in its hands."""
        return self.alive and self.job is not None and self.job.method is jobs.Method.PUT

    @property
    def envelope_id(self) -> str:
        assert self.job is not None
        return self.job.url.rsplit("/", 1)[1]

    def answer(self, answer: jobs.Answer) -> None:
        """Tell the daemon how the job ended."""
        if self.alive and self.job is not None:
            self.job, self.body = None, b""
            self._heard(jobs.encode(answer))


Child = Observer | Courier
More = Sequence[str]
