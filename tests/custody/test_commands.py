"""The commands as commands: hardening first, one line an error, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from custody import __main__ as cli
from tests.custody.stand import ROOT, files_in, run
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
