"""A bug of ours in one request: its person is told, the gate is closed if a decision was under way, and the daemon goes on."""

import asyncio
from pathlib import Path

import pytest

from agent import exemptions, messages
from agent.daemon import Daemon
from agent.subject import Subject
from consent.vocabulary import Blocker, State
from tests.agent.people import at, say_yes, subject_in
from tests.agent.test_acknowledging import Machine

OBSERVED = "what-was-typed-8823"


def at_fault(*_: object, **__: object) -> None:
    raise KeyError(OBSERVED)


def machine_in(folder: Path) -> Machine:
    subject = subject_in(folder)
    say_yes(subject, at(0))
    return Machine(subject)


def blocked(machine: Machine) -> bool:
    machine.daemon.reconsider()
    return Blocker.JOURNAL_UNWRITABLE in machine.daemon.standing.blockers


def test_a_request_that_raises_is_refused_and_the_next_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the kind of the fault is logged: its words could hold something that was observed. Nothing was decided, nothing is closed."""

    async def run() -> None:
        machine = machine_in(tmp_path)
        with monkeypatch.context() as broken:
            broken.setattr(exemptions, "listed", at_fault)
            answer = await machine.ask(messages.ListExemptions())
        assert isinstance(answer, messages.Refused)
        assert answer.what == "this is a fault of Volens itself"
        assert OBSERVED not in repr(answer)
        assert not blocked(machine)
        assert isinstance(await machine.ask(messages.ListExemptions()), messages.ExemptionsAre)

    asyncio.run(run())
    assert capsys.readouterr().err == "volens: KeyError, which is a fault of Volens itself; report this line\n"


@pytest.mark.parametrize("place", ["pause", "forget"])
def test_a_decision_that_is_cut_short_closes_the_gate_until_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever was written down of it: nothing is recorded before its person says so."""
    requests = {"pause": messages.Pause(30), "forget": messages.Forget()}

    async def run() -> None:
        machine = machine_in(tmp_path)
        with monkeypatch.context() as broken:
            broken.setattr(Subject, place, at_fault)
            answer = await machine.ask(requests[place])
        assert isinstance(answer, messages.Refused)
        assert "volens resume" in answer.do
        assert blocked(machine)
        assert isinstance(await machine.ask(messages.Resume()), messages.Done)
        assert not blocked(machine)

    asyncio.run(run())


@pytest.mark.parametrize("place", ["appear", "changed", "reconsider"])
def test_a_fault_after_the_writing_closes_the_gate_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Where what holds now cannot be worked out or shown, what held before does not go on."""

    async def run() -> None:
        machine = machine_in(tmp_path)
        with monkeypatch.context() as broken:
            broken.setattr(Daemon, place, at_fault)
            answer = await machine.ask(messages.ChooseHours(None, only_say=False))
            assert machine.daemon.standing.state is State.BLOCKED
        assert isinstance(answer, messages.Refused)
        assert "volens resume" in answer.do
        assert blocked(machine)

    asyncio.run(run())
