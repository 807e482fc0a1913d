"""What an exemption does with envelopes that wait: it destroys those that may hold some of it, where they could leave."""

import asyncio
from pathlib import Path

import pytest

from agent import messages
from agent.subject import Subject
from consent.vocabulary import Kind, State, Why
from tests.agent.people import BOOT, POLICY, at, clicks, keep, say_yes, subject_in
from tests.agent.test_acknowledging import Machine
from tests.agent.test_exemptions import EDITOR, ask, asked, standing_of
from transport.span import Everything


@pytest.fixture
def sealed(tmp_path: Path) -> Subject:
    """Somebody who said yes; two clicks wait in an envelope, and one more is held."""
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    keep(subject, clicks(1, 2), at(2))
    assert subject.seal(standing_of(subject), POLICY, at(3), span=Everything()).envelopes == 1
    keep(subject, clicks(4), at(4))
    return subject


@pytest.mark.parametrize("covers", [{"surfaces": frozenset({EDITOR})}, {"kinds": frozenset({Kind.POINTER_BUTTON})}])
def test_what_waits_sealed_of_what_is_exempted_is_destroyed_at_once(sealed: Subject, covers: dict[str, object]) -> None:
    """It would leave while the rest is collected. Counted as exempt, and the receiver is asked to erase it: it may have arrived."""
    assert "1 envelope destroyed" in ask(sealed, asked(**covers), 5)
    assert sealed.outbox.waiting() == []
    assert (sealed.tally.sealed, sealed.tally.held, sealed.tally.refused[Why.EXEMPT]) == (0, 1, 2)
    assert sealed.tally.seen == sealed.tally.total() == 3
    assert len(sealed.erasures.pending()) == 1
    again = Subject(sealed.places, BOOT, at(6))
    assert (again.outbox.waiting(), again.hold.stats().events, again.tally.refused[Why.EXEMPT]) == ([], 1, 2)


@pytest.mark.parametrize(
    ("covers", "words"),
    [
        ({}, "Exempt from now on: everything."),
        ({"surfaces": frozenset({EDITOR}), "hours": "mon 9:00-10:00 UTC"}, "volens forget --surface NAME"),
        ({"kinds": frozenset({Kind.SECURE_INPUT})}, "Exempt from now on"),
    ],
)
def test_what_waits_sealed_of_something_else_or_cannot_leave_stays(sealed: Subject, covers: dict[str, object], words: str) -> None:
    """From everything: nothing leaves meanwhile. In some hours: it is as due as what is held, and the words name how to take it back."""
    assert words in ask(sealed, asked(**covers), 5)
    assert (len(sealed.outbox.waiting()), len(sealed.erasures.pending())) == (1, 0)


def test_a_disk_that_keeps_what_waits_keeps_nobody_from_being_exempt(sealed: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words say so, and how to take it back; the counts are those of what is there."""

    def refuses(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sealed.outbox, "destroy", refuses)
    assert "volens forget --surface NAME" in ask(sealed, asked(surfaces=frozenset({EDITOR})), 5)
    assert standing_of(sealed, 6).state is State.EXEMPT
    assert (sealed.tally.sealed, sealed.tally.seen) == (2, sealed.tally.total())


def test_the_daemon_asks_for_the_erasure_at_once(sealed: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The uploader is woken by the request, and finds what it owes."""
    owed: list[int] = []

    async def run() -> None:
        machine = Machine(sealed)
        monkeypatch.setattr(machine.answers._uploading, "wake", lambda: owed.append(len(sealed.erasures.pending())))
        assert isinstance(await machine.ask(asked(surfaces=frozenset({EDITOR}))), messages.Done)

    asyncio.run(run())
    assert owed == [1]
