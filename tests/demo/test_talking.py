"""How the demo talks to commands: on a terminal, and as plain processes whose failure is one line."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.demo import calls, wait
from agent.demo.calls import Calls
from agent.demo.errors import DemoError, NotInTime
from agent.demo.report import Report
from agent.demo.search import file_class
from agent.demo.terminal import Terminal
from agent.demo.wait import until

ASKING = "import sys; a = input('first? '); b = input('second? '); print(a + b); sys.exit(3 if sys.stdin.isatty() else 4)"


def test_a_terminal_answers_what_is_asked_in_its_turn() -> None:
    """The command sees a real terminal, and each answer goes to its own question."""
    asked = Terminal([sys.executable, "-c", ASKING], os.environ)
    asked.expect("first")
    asked.type("one")
    asked.expect("second")
    asked.type("two")
    asked.expect("onetwo")
    assert asked.end() == 3


def test_a_command_that_does_not_ask_is_an_error_with_its_last_line() -> None:
    """What it said instead is in the message."""
    asked = Terminal([sys.executable, "-c", "print('there is no policy')"], os.environ)
    with pytest.raises(NotInTime, match="there is no policy"):
        asked.expect("code")
    asked.end()


def test_a_command_that_fails_becomes_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of its stderr is what the person of the demo sees; all of it is kept for the search."""
    monkeypatch.setattr(calls, "argv", lambda *_: [sys.executable, "-c", "import sys; print('out'); sys.exit('a\\nb went wrong')"])
    said = Calls(os.environ)
    with pytest.raises(DemoError, match=r"^the command agent send failed \(1\): b went wrong; report this$"):
        said.do("agent", "send")
    assert said.outputs == [b"out\n", b"a\nb went wrong\n"]


def test_waiting_returns_what_was_found_and_ends_at_its_deadline() -> None:
    """A condition that comes true is waited for; one that never does names itself."""
    happened = threading.Event()
    threading.Timer(0.05, happened.set).start()
    assert until(happened.is_set, "it") is True
    with pytest.raises(NotInTime, match="the second coming did not happen within 0 s"):
        until(lambda: None, "the second coming", within_s=0.1)
    assert wait.POLL_S < 0.1 < wait.PATIENCE_S


def test_a_stage_that_fails_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """A tick means done; what failed has a cross, and the error goes on."""
    report = Report(as_json=False)
    with report.stage("good"):
        pass
    with pytest.raises(DemoError), report.stage("bad"):
        raise DemoError("x", "y")
    said = capsys.readouterr().out
    assert "✓ good" in said
    assert "✗ bad" in said


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("volens/state/volens/hold/1/a.segment", "hold"),
        ("volens/state/volens/outbox/x", "outbox"),
        ("volens/state/volens/ledger", "state"),
        ("trial/receiver/bodies/00/x", "receiver"),
        ("trial/receiver/volens.db-wal", "database"),
        ("logs/agent.log", "logs"),
    ],
)
def test_a_hit_is_reported_by_where_it_was(path: str, name: str) -> None:
    """The class of a file says which part of Volens wrote it."""
    assert file_class(Path(path)) == name


def test_a_folder_that_exists_is_not_kept_into(tmp_path: Path) -> None:
    """--keep refuses to write into something that is there, before anything starts."""
    code = f"from agent.demo.demo import run\nrun(True, {str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "exists already; name a new folder after --keep" in done.stderr
