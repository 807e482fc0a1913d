"""Exemptions that the person asks for and cancels, and decisions about them: off from the asking on, until the person cancels it."""

import contextlib
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from agent import messages
from consent.exemption import DECIDED, Ground
from consent.ledger import LedgerUnwritable
from consent.vocabulary import Kind
from tests.consent_holds.life import EDITOR, MAIL, Asked, Life
from tests.consent_holds.truth import Exempt, Told
from tests.transport.faults import Crash

whats = st.sampled_from([Exempt("", EDITOR, None), Exempt("", MAIL, None), Exempt("", None, Kind.POINTER_SCROLL), Exempt("", None, None)])


class Exempting(Life):
    """Ask, cancel, and a reviewer's yes or no, which changes nothing of what is recorded."""

    @rule(what=whats, ground=st.sampled_from([Ground.MY_CHOICE, Ground.SENSITIVE_WORK]))
    def exempt(self, what: Exempt, ground: Ground) -> None:
        self.exempted += 1
        exempt = what._replace(id=f"{self.exempted:064x}")
        surfaces = frozenset() if exempt.surface is None else frozenset({exempt.surface})
        kinds = frozenset() if exempt.kind is None else frozenset({exempt.kind})
        request = messages.AskExemption(exempt.id, ground, surfaces, kinds)
        self.say(request, Asked(lambda told: replace(told, exempt=told.exempt | {exempt}), True))
        self.live()

    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        """The person wants it to be recorded again: from the asking on nothing is promised."""
        if not self.truth.told.exempt:
            return
        told = self.truth.told
        exempt = sorted(told.exempt)[which % len(told.exempt)]
        self.truth.told = _without(told, exempt)
        voice = self.say(messages.CancelExemption(exempt.id), Asked(lambda now: _without(now, exempt), False))
        self.open_requests.append(undone := Asked(lambda _: told, False))  # or it was not done
        if not self.live():
            return
        self.open_requests.remove(undone)
        if isinstance(voice.heard[-1], messages.Refused):
            self.truth.told = told

    @rule(which=st.integers(0, 5), granted=st.booleans(), until_s=st.sampled_from([None, 60, 2 * 86400]))
    def is_decided(self, which: int, granted: bool, until_s: int | None) -> None:
        """Whatever the reviewer says, and whenever its time is over: it is off all the same."""
        subject = self.world.subject
        if subject.record.choice.exemptions:
            exempt = subject.record.choice.exemptions[which % len(subject.record.choice.exemptions)]
            until_ms = None if until_s is None else self.world.time.wall_ms + until_s * 1000
            with contextlib.suppress(Crash, LedgerUnwritable):
                data = {"id": exempt.id, "granted": granted, "until_ms": until_ms, "reason": "because"}
                subject.record.note(DECIDED, self.world.time.read(), data)
                self.world.daemon.reconsider()
            self.live()


def _without(told: Told, exempt: Exempt) -> Told:
    return replace(told, exempt=told.exempt - {exempt})
