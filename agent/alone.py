"""A command without a daemon: it takes the daemon's lock and does the same with the same code. For as long as one request.

What a person is entitled to never fails here: a ledger that is broken is set aside and a new one begins with the no.
"""

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from agent import clock, messages
from agent.errors import CannotDo, StateUnsafe
from agent.lock import Lock, take_over
from agent.places import Places
from agent.report import report, unsafe_report
from agent.subject import Subject
from consent.event import Clocks, Event
from consent.ledger import LedgerError
from consent.standing import StandingError


class Alone:
    """The subject's state under the lock, for one request.

    State that others can reach stops a daemon, but no right: `status` reports it, and a no first takes the state back from others.
    """

    def __init__(self, places: Places) -> None:
        self._unsafe: StateUnsafe | None = None
        try:
            places.prepare()
        except StateUnsafe as error:
            self._unsafe = error
        self._lock: Lock = take_over(places.lock)
        self._places = places
        self._subject: Subject | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._subject is not None:
            self._subject.close()
        self._lock.release()

    def answer(self, request: messages.Request) -> messages.Answer:
        """The answer that the daemon would have given, if it needs none."""
        if self._unsafe is not None and isinstance(request, messages.AskStatus):
            return messages.StatusIs(unsafe_report(self._unsafe))
        if self._unsafe is not None:
            self._places.tighten()
        if isinstance(request, messages.Withdraw):
            return self._withdraw()
        return self._do(request, self._open(), clock.read())

    def _do(self, request: messages.Request, subject: Subject, now: Clocks) -> messages.Answer:
        match request:
            case messages.AskStatus():
                return messages.StatusIs(report(subject, now, None))
            case messages.Pause(minutes):
                return messages.Done(subject.pause(minutes, now))
            case messages.Resume():
                return messages.Done(subject.resume(now))
            case messages.Forget(last_s, surface):
                return messages.Done(subject.forget(now, last_s=last_s, surface=surface))
            case messages.AskReceipt():
                return messages.ReceiptIs(subject.record.choice.receipt)
        raise CannotDo("that needs a running daemon", "start it with: volens run")

    def held(self, since_s: int | None) -> Iterator[Event]:
        """What is held, oldest first."""
        yield from self._open().held(clock.read(), since_s)

    def _open(self) -> Subject:
        if self._subject is None:
            self._subject = Subject(self._places, clock.boot_id(), clock.read())
        return self._subject

    def _withdraw(self) -> messages.Answer:
        with contextlib.suppress(LedgerError, StandingError):
            subject = self._open()
            words = subject.withdraw(clock.read())
            subject.purge(clock.read())
            return messages.Done(words)
        self._places.set_ledger_aside(clock.read().wall_ms)
        subject = self._open()
        words = subject.withdraw(clock.read())
        subject.purge(clock.read())
        return messages.Done(f"{words} The old ledger was broken and is set aside.")
