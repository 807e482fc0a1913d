"""How a command reaches what it asks for: the daemon if it answers within a second, otherwise the same code under its lock.

A daemon that says in its lock that it is busy is given longer: forgetting a full hold takes seconds, and must not be cut short.

What acts without a daemon is imported when there is none: to ask one takes a tenth of a second, and that is three times as much.

The subject's rights need no daemon: status, pause, resume, withdraw, forget, show and receipt work from disk. A consent,
and sending, need a living daemon with its indicator; without one they are refused with what to do.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice

from agent import faults, messages
from agent.channel import Channel
from agent.errors import AgentError, CannotDo, NotRunning
from agent.lock import BUSY_AT_MOST_S, busy, held
from agent.places import Places
from agent.status import Status
from consent.event import Event
from consent.ledger import LedgerError
from transport.errors import TransportError

_STARTING_TRIES = 50
_LOOK_EVERY_S = 0.02
"""One second in all, like the time for an answer."""
_NEEDS_DAEMON = (messages.Send, messages.AskConsent, messages.EndAsking, messages.GiveConsent, messages.Acknowledge, messages.ShowIcon)


class Reach:
    """One person's agent, alive or not."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def ask(self, request: messages.Request) -> messages.Answer:
        """The answer to one request, from the daemon or from disk."""
        try:
            with self._channel() as channel:
                return channel.ask(request)
        except NotRunning:
            if isinstance(request, _NEEDS_DAEMON):
                raise
        from agent.alone import Alone

        with Alone(self._places) as alone:
            return alone.answer(request)

    def _channel(self) -> Channel:
        """A connection to the daemon; one that is just starting gets its second. Raises NotRunning."""
        tries, busy_tries = _STARTING_TRIES, int(BUSY_AT_MOST_S / _LOOK_EVERY_S)
        while tries > 0 and busy_tries > 0:
            try:
                return self._connect()
            except NotRunning:
                if not self._places.lock.exists() or not held(self._places.lock):
                    raise
            if self._busy():
                busy_tries -= 1
            else:
                tries -= 1
            time.sleep(_LOOK_EVERY_S)
        return self._connect()

    def _connect(self) -> Channel:
        return Channel(self._places.socket, busy=self._busy)

    def _busy(self) -> bool:
        return busy(self._places.lock)

    def status(self) -> Status:
        """What holds now. Never fails: state that cannot be read or believed is what holds then."""
        try:
            match self.ask(messages.AskStatus()):
                case messages.StatusIs(report):
                    return report
                case answer:
                    raise _unexpected(answer)
        except (AgentError, LedgerError, TransportError, OSError) as error:
            from agent.report import fault_report

            return fault_report(faults.of(error))

    def watch(self) -> Iterator[Status]:
        """What holds now, and again at every change, until the daemon ends."""
        try:
            with self._channel() as channel:
                for answer in channel.stream(messages.Watch()):
                    channel.wait_longer(None)  # it lives; the next change may be hours away
                    if isinstance(answer, messages.StatusIs):
                        yield answer.status
        except NotRunning:
            yield self.status()

    def held(self, since_s: int | None) -> Iterator[Event]:
        """What is held, oldest first."""
        with ExitStack() as stack:
            try:
                answers = stack.enter_context(self._channel()).stream(messages.ShowHeld(since_s))
                first = list(islice(answers, 1))  # a daemon that hangs takes a connection and never answers
            except NotRunning:
                from agent.alone import Alone

                yield from stack.enter_context(Alone(self._places)).held(since_s)
                return
            yield from _events(chain(first, answers))

    def receipt(self) -> str | None:
        """The consent receipt in force, as signed JSON text; None if there is none."""
        whole, more = "", True
        while more:
            match self.ask(messages.AskReceipt(len(whole))):
                case messages.ReceiptIs(str(part), more):
                    whole += part
                case messages.ReceiptIs():
                    return None
                case answer:
                    raise _unexpected(answer)
        return whole

    def offer(self, *, with_code: bool) -> messages.Offer:
        """What is asked of the person; `with_code`: the consent step begins, and the icon shows a code."""
        match self.ask(messages.AskConsent(with_code)):
            case messages.Offer() as offer:
                return offer
            case answer:
                raise _unexpected(answer)


def _events(answers: Iterator[messages.Answer]) -> Iterator[Event]:
    for answer in answers:
        if not isinstance(answer, messages.HeldPart):
            raise _unexpected(answer)
        yield from answer.events


def _unexpected(answer: messages.Answer) -> CannotDo:
    if isinstance(answer, messages.Refused):
        return CannotDo(answer.what, answer.do)
    return CannotDo("the daemon gave an answer to another question", "restart it: volens run")
