"""Whatever goes wrong, a person reads one line that says what and what to do; and what they are entitled to still happens."""

import sys
from pathlib import Path

import pytest

from agent import commands, faults
from agent.alone import Alone
from agent.errors import CannotDo, StateUnsafe, Usage
from agent.messages import AskStatus, Done, Pause, Withdraw
from agent.reach import Reach
from agent.settings import SettingsWrong
from agent.status import Trouble
from consent.frames import FrameError
from consent.ledger import LedgerError, LedgerUnwritable
from consent.register import RegisterError
from consent.standing import StandingError
from consent.vocabulary import State
from tests.agent.people import at, clicks, keep, say_yes, subject_in
from transport.errors import TransportError
from transport.keystore import KeystoreError

CANARY = "what somebody typed"


@pytest.mark.parametrize(
    ("error", "why", "code"),
    [
        (StateUnsafe("a file can be reached by others", "run: chmod 600 it"), Trouble.STATE_UNSAFE, 1),
        (SettingsWrong("agent.toml is not TOML", "mend it"), Trouble.SETTINGS_WRONG, 1),
        (CannotDo("nothing can be sent now", "see: volens status"), Trouble.STATE_BROKEN, 1),
        (Usage("say what to forget", "give --all"), Trouble.STATE_BROKEN, 2),
        (LedgerError("line 3 of the ledger was changed"), Trouble.STATE_BROKEN, 1),
        (LedgerUnwritable("the ledger cannot be written"), Trouble.STATE_BROKEN, 1),
        (RegisterError("the register is not TOML"), Trouble.STATE_BROKEN, 1),
        (KeystoreError("the keyring refuses; unlock it"), Trouble.KEYS_UNREACHABLE, 1),
        (TransportError("an envelope is damaged"), Trouble.STATE_BROKEN, 1),
        (OSError(13, "Permission denied", "/state/ledger"), Trouble.STATE_BROKEN, 1),
        (StandingError("resume cannot happen while unasked"), Trouble.STATE_BROKEN, 1),
        (FrameError("a frame is too long"), Trouble.STATE_BROKEN, 1),
        (RuntimeError(CANARY), Trouble.STATE_BROKEN, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_error_is_one_line_at_the_boundary(
    error: Exception, why: Trouble, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`volens: what is wrong; what to do`, with the exit code; of one that nobody foresaw only kind and place, never its message."""

    def fail(_: Reach) -> None:
        raise error

    monkeypatch.setattr(commands.Reach, "status", fail)
    monkeypatch.setattr(sys, "argv", ["volens", "status"])
    with pytest.raises(SystemExit) as left:
        commands.main()
    said = capsys.readouterr()
    assert (left.value.code, said.out, faults.of(error).why) == (code, "", why)
    assert said.err.startswith("volens: ")
    assert said.err.count("\n") == 1
    assert "; " in said.err
    assert CANARY not in said.err


def test_an_error_that_nobody_foresaw_names_its_place() -> None:
    """So that the line can be reported and found."""
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(CANARY)
    assert "RuntimeError in test_faults.py:" in faults.of(caught.value).line


def test_a_no_with_keys_out_of_reach_is_written_down_and_destroys_what_is_held(tmp_path: Path) -> None:
    """INV-10: the keystore answers nothing; the withdrawal is acknowledged, the files are gone, and the next start finishes the purge."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    keep(made, clicks(1, 2), at(2))
    made.close()
    mark = made.places.keys / "keystore"
    mark.write_text("nonsense")
    assert Reach(made.places).status().why == (Trouble.KEYS_UNREACHABLE,)
    answer = Reach(made.places).ask(Withdraw())
    assert isinstance(answer, Done)
    assert list(made.places.hold.glob("*.seg")) == []
    mark.write_text("file")
    reopened = subject_in(tmp_path, at(5))
    assert (reopened.record.choice.state, reopened.record.choice.purge_owed) == (State.WITHDRAWN, False)


@pytest.mark.parametrize("settings", ["= 1", "hidden = true", "trial = true"])
def test_broken_settings_stand_in_the_way_of_no_right(tmp_path: Path, settings: str) -> None:
    """Pausing and withdrawing need no settings; status says that they are broken."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    made.close()
    made.places.settings.write_text(settings)
    made.places.settings.chmod(0o600)
    assert Reach(made.places).status().why == (Trouble.SETTINGS_WRONG,)
    for request in (Pause(30), Withdraw()):
        assert isinstance(Reach(made.places).ask(request), Done)


def test_state_that_others_reach_is_raised_to_status_and_to_nothing_else(tmp_path: Path) -> None:
    """Asked directly, status is told of it; a pause takes the state back from others and is done."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    made.close()
    made.places.state.chmod(0o755)
    with Alone(made.places) as alone, pytest.raises(StateUnsafe):
        alone.answer(AskStatus())
    assert isinstance(Reach(made.places).ask(Pause(None)), Done)
    assert Reach(made.places).status().standing is State.PAUSED


def test_a_receipt_whose_key_is_damaged_is_no_receipt(tmp_path: Path) -> None:
    """The ledger key's file is no key: nothing is agreed to, status still answers, and a no is still written."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    made.close()
    (made.places.keys / "ledger").write_bytes(b"short")
    assert subject_in(tmp_path, at(1)).record.receipt() is None
    assert Reach(made.places).status().receipt.id is None
    assert isinstance(Reach(made.places).ask(Withdraw()), Done)
