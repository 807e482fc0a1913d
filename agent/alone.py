"""A command without a daemon: it takes the daemon's lock and does the same with the same code. For as long as one request.

A no never fails here: a ledger that is broken is set aside and a new one begins with the no; where keys or hold do not open,
it is written down and the files are destroyed. Pause, forget, show and receipt are done despite them (`agent/despite.py`).
"""

from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from agent import choosing, clock, despite, exemptions, messages, zone
from agent.despite import BROKEN
from agent.errors import CannotDo, StateUnsafe
from agent.lock import Lock, take_over
from agent.places import Places
from agent.report import report
from agent.settings import Settings, read
from agent.spans import hours, span_of
from agent.subject import Subject
from consent.event import Clocks, Event
from consent.ledger import LedgerError, LedgerUnwritable
from transport.errors import TransportError
from transport.span import Last


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
        try:
            self._lock: Lock = take_over(places.lock)
        except OSError as error:
            raise self._unsafe or error from None
        self._places = places
        self._subject: Subject | None = None
        self._busy = self._lock.busy()

    def __enter__(self) -> Self:
        self._busy.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._subject is not None:
            self._subject.close()
        self._busy.__exit__(kind, error, trace)
        self._lock.release()

    def answer(self, request: messages.Request) -> messages.Answer:
        """The answer that the daemon would have given, if it needs none. Raises what keeps it from being read or done."""
        if isinstance(request, messages.AskStatus):
            return self._status()
        if self._unsafe is not None:
            self._places.tighten()
        if isinstance(request, messages.Withdraw):
            return self._withdraw()
        now = clock.read()
        try:
            subject = self._open()
        except BROKEN as error:
            return self._despite(request, now, error)
        return self._do(request, subject, now)

    def _status(self) -> messages.Answer:
        if self._unsafe is not None:
            raise self._unsafe
        return messages.StatusIs(report(self._open(read(self._places.settings)), clock.read(), None))

    def _do(self, request: messages.Request, subject: Subject, now: Clocks) -> messages.Answer:
        match request:
            case messages.Pause(minutes):
                return messages.Done(subject.pause(minutes, now))
            case messages.Resume():
                return messages.Done(subject.resume(now))
            case messages.Forget():
                return messages.Done(subject.forget(now, span_of(request, now, subject.boot)))
        return self._choose(request, subject, now)

    def _choose(self, request: messages.Request, subject: Subject, now: Clocks) -> messages.Answer:
        match request:
            case messages.HoldFor(seconds):
                return messages.Done(subject.hold_for(seconds, None, now))
            case messages.ChooseHours(text, only_say):
                words = choosing.hours_words(subject) if only_say else choosing.choose_hours(subject, hours(text, zone.name()), now)
                return messages.Done(words)
            case messages.ChooseUnplugged() | messages.ChooseUnknownLink():
                return messages.Done(choosing.choose_ground(subject, request, now))
            case messages.AskReceipt(begin):
                return messages.receipt_part(subject.record.choice.receipt, begin)
        return self._exempt(request, subject, now)

    def _exempt(self, request: messages.Request, subject: Subject, now: Clocks) -> messages.Answer:
        policy = exemptions.policy_on_disk(subject, now)
        match request:
            case messages.AskReviewer():
                return exemptions.reviewer(policy)
            case messages.AskExemption():
                asked = exemptions.check(subject, policy, request)
                return messages.Done(exemptions.ask(subject, policy, asked, request.reason, now))
            case messages.CancelExemption(named):
                return messages.Done(exemptions.cancel(subject, named, now))
            case messages.ListExemptions():
                return exemptions.listed(subject, now)
        raise CannotDo("that needs a running daemon", "start it with: volens run")

    def _despite(self, request: messages.Request, now: Clocks, error: Exception) -> messages.Answer:
        """The same where the state does not open: what can be done of it is done, and what cannot is said. Raises the error else."""
        boot = clock.boot_id()
        match request:
            case messages.Pause(minutes):
                return messages.Done(despite.pause(self._places, minutes, boot, now, error))
            case messages.Forget():
                return messages.Done(despite.forget(self._places, span_of(request, now, boot), boot, now, error))
            case messages.AskReceipt(begin):
                return messages.receipt_part(despite.receipt(self._places), begin)
        raise error

    def held(self, since_s: int | None) -> Iterator[Event]:
        """What is held, oldest first."""
        now = clock.read()
        if self._unsafe is not None:
            self._places.tighten()
        try:
            subject = self._open()
        except (LedgerError, OSError):
            yield from despite.held(self._places, None if since_s is None else Last(since_s, now, clock.boot_id()), clock.boot_id())
        else:
            yield from subject.held(now, since_s)

    def _open(self, settings: Settings | None = None) -> Subject:
        """The subject's state. No right but to see the settings needs them: without, broken ones do no harm."""
        if self._subject is None:
            self._subject = Subject(self._places, clock.boot_id(), clock.read(), settings or Settings())
        return self._subject

    def _withdraw(self) -> messages.Answer:
        try:
            words = self._write_no()
        except (LedgerError, OSError) as error:
            if despite.is_full(error):
                raise
            self._drop()
            self._places.set_ledger_aside(clock.read().wall_ms)
            words = f"{self._write_no()} The old ledger was broken and is set aside."
        if self._subject is not None:
            self._subject.purge(clock.read())
        return messages.Done(words)

    def _drop(self) -> None:
        """What is open belongs to the ledger that is set aside."""
        if self._subject is not None:
            with suppress(OSError):
                self._subject.close()
            self._subject = None

    def _write_no(self) -> str:
        try:
            subject = self._open()
        except (TransportError, StateUnsafe, LedgerUnwritable, OSError):
            return despite.withdraw(self._places, clock.boot_id(), clock.read())
        return subject.withdraw(clock.read())
