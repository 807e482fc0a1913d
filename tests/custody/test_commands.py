"""The commands as commands: hardening first, one line an error, exit codes."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from custody import __main__ as cli
from tests.custody.stand import ROOT, Custody, FakeReceiver, clicks, files_in, keep, run, sealed
from transport.process import NotClosed


@pytest.mark.parametrize("arguments", [(), ("open",), ("purpose",), ("frob",), ("keygen",), ("keygen", "--frob")])
def test_wrong_usage_is_one_line_and_exit_2(arguments: tuple[str, ...]) -> None:
    """As for every command of ours."""
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("volens-custody: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["keygen", "ada"], ["purpose", "create", "training", "--quorum", "1", "--custodian", "ada.pub"]])
def test_no_command_goes_on_where_the_process_cannot_be_hardened(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hardening comes before a key is made or read."""

    def refuse() -> None:
        raise NotClosed("core dumps cannot be turned off here; open elsewhere")

    monkeypatch.setattr(cli, "close_to_others", refuse)
    monkeypatch.setattr(sys, "argv", ["volens-custody", *arguments, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert "core dumps" in capsys.readouterr().err
    assert files_in(tmp_path) == []


def test_open_hardens_before_it_reads_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for open, which would otherwise complain of the key that is not there."""

    def refuse() -> None:
        raise NotClosed("core dumps cannot be turned off here; open elsewhere")

    monkeypatch.setattr(cli, "close_to_others", refuse)
    options = ["--purpose", "p", "--key", "k", "--from", "f", "--reason", "a test", "--steps", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["volens-custody", "open", *options])
    with pytest.raises(SystemExit):
        cli.main()
    assert "core dumps" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hardened_process_dumps_no_core_and_is_closed_to_others() -> None:
    """RLIMIT_CORE is 0 and PR_GET_DUMPABLE says 0."""
    script = (
        "import ctypes, resource; from transport.process import close_to_others; close_to_others();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(0, 0) 0\n"


def test_an_unforeseen_error_shows_its_kind_and_place_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its message could hold what was opened."""

    def fail(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(cli, "close_to_others", fail)
    monkeypatch.setattr(sys, "argv", ["volens-custody", "keygen", "ada", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert "canary" not in said
    assert "RuntimeError in test_commands.py" in said


def _at_a_terminal(arguments: list[object], answers: str) -> tuple[int, str]:
    """The command on a terminal of its own, where somebody types; its exit code, and all that the terminal showed."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "custody", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    os.write(master, answers.encode())
    said = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(master, 4096):
            said += piece
    os.close(master)
    return process.wait(60), said.decode().replace("\r\n", "\n")


def test_open_asks_for_purpose_and_reason(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """Whoever does not give them is asked, and what is typed is what the log says."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    keys = [argument for key in custody.keys[:2] for argument in ("--key", key)]
    arguments = ["open", *keys, "--from", receiver.url, "--out", tmp_path / "out"]
    code, said = _at_a_terminal([*arguments], f"{custody.purpose}\nthe training set of November\n")
    assert code == 0, said
    assert said.index("Which purpose") < said.index("What for?") < said.index("1 batches opened")
    assert [record["reason"] for record in receiver.records] == ["the training set of November"]


def test_without_a_terminal_a_missing_reason_or_purpose_is_wrong_usage(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """One line that names the option; nothing was asked of the receiver."""
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    keys = [argument for key in custody.keys[:2] for argument in ("--key", key)]
    for given, missing in ((["--purpose", custody.purpose], "--reason"), (["--reason", "a test set"], "--purpose")):
        done = run("open", *given, *keys, "--from", receiver.url, "--out", tmp_path / "out")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert missing in done.stderr
    assert receiver.requests == []


def test_who_interrupts_the_question_opens_nothing(custody: Custody, receiver: FakeReceiver, tmp_path: Path) -> None:
    """The end of input at the question is the end; nothing was asked of the receiver."""
    arguments = ["open", "--purpose", custody.purpose, "--key", custody.keys[0], "--from", receiver.url, "--out", tmp_path / "out"]
    code, said = _at_a_terminal([*arguments], "\x04")
    assert code == 130
    assert "volens-custody: interrupted" in said
    assert receiver.requests == []
