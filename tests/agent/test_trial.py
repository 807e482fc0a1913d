"""`volens run --trial` as a person meets it: a terminal on a desktop, an icon, a notice, a code, real work, and the end."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent.demo.calls import argv
from agent.demo.code import on_screen
from agent.demo.person import Person
from agent.demo.programs import Program
from agent.demo.stage import Stage, stage
from agent.demo.terminal import Terminal
from agent.demo.truth import Truth
from agent.demo.wait import until
from agent.terminal import READ
from agent.trial import TrialImpossible, desktop_of

TRIAL = argv("agent", ["run", "--trial"])


@pytest.fixture(scope="module")
def desk() -> Iterator[Stage]:
    with stage() as made:
        yield made


class Trial:
    """A trial in a terminal of its own on the desktop."""

    def __init__(self, desk: Stage, **other: str | None) -> None:
        self.env = {name: value for name, value in (desk.env("person") | other).items() if value is not None}
        self.terminal = Terminal(TRIAL, self.env)
        desk.children.adopt(self.terminal.child)
        self._desk = desk

    def asked(self) -> str:
        """Wait for the question; the code that the icon shows."""
        self.terminal.expect("I have read this notice")
        self.terminal.type(READ)
        self.terminal.expect("type the code")
        return on_screen(self.env)

    def processes(self) -> list[psutil.Process]:
        """Everything that it has started and that still runs."""
        return psutil.Process(self.terminal.child.pid).children(recursive=True)

    def left(self, processes: list[psutil.Process]) -> list[object]:
        """What it has left behind: processes and files."""
        files = list(Path(self.env["TMPDIR"]).glob("volens-trial-*"))
        state = [path for path in Path(self.env["XDG_STATE_HOME"]).rglob("*") if "volens" in path.name]
        return [*(one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE), *files, *state]


def work(desk: Stage) -> None:
    """Click and press some keys in the editor, which the trial's policy allows."""
    paper = desk.root / "desktop" / "paper.txt"
    paper.write_text("One line.\n" * 20)
    place = desk.window_of(desk.start(Program.EDITOR, ["--disable-server", str(paper)], name="editor"))
    person = Person(desk.display, Truth())
    person.focus(place, "editor")
    person.click(*place.inside(0.5, 0.7))
    person.key("down")


@pytest.mark.live
def test_a_trial_asks_records_and_leaves_nothing(desk: Stage) -> None:
    """Labelled, asked with the whole notice, agreed to by the icon's code, recording real work; after Ctrl-C nothing of it is left.

    The desktop names its session bus by its place only, as a terminal that was started by cron or ssh sees it.
    """
    trial = Trial(desk, DBUS_SESSION_BUS_ADDRESS=None)
    terminal = trial.terminal
    terminal.expect("LOCAL TRIAL: throw-away keys")
    terminal.expect("How you stay in control")
    terminal.type(trial.asked())
    terminal.expect("This is your recovery code")
    terminal.expect("Now work in .*mousepad")
    terminal.expect("On: ")
    work(desk)
    terminal.expect(r"[1-9]\d* held")
    processes = trial.processes()
    os.killpg(terminal.child.pid, signal.SIGINT)
    assert terminal.end() == 0
    assert b"everything that it made is deleted" in terminal.said
    assert trial.left(processes) == []


@pytest.mark.live
def test_a_no_ends_a_trial(desk: Stage) -> None:
    """An empty answer: nothing is recorded, the trial ends by itself and leaves nothing."""
    trial = Trial(desk)
    trial.asked()
    processes = trial.processes()
    trial.terminal.type("")
    assert trial.terminal.end() == 0
    assert b"Nothing was agreed to" in trial.terminal.said
    assert trial.left(processes) == []


@pytest.mark.live
def test_a_closed_terminal_ends_a_trial(desk: Stage) -> None:
    """SIGHUP while it asks: every process ends, and nothing is left."""
    trial = Trial(desk)
    trial.asked()
    processes = trial.processes()
    assert len(processes) >= 4
    trial.terminal.child.send_signal(signal.SIGHUP)
    trial.terminal.child.wait(20)
    assert trial.left(processes) == []


@pytest.mark.live
def test_no_process_outlives_a_trial_that_was_killed(desk: Stage) -> None:
    """After SIGKILL nobody can tidy up; the processes end all the same, the one that asks included."""
    trial = Trial(desk)
    trial.asked()
    processes = trial.processes()
    trial.terminal.child.kill()
    trial.terminal.child.wait(20)
    until(lambda: not [one for one in trial.left(processes) if isinstance(one, psutil.Process)], "the end of every process")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"DISPLAY": ""}, "there is no display, so nobody could see an icon"),
        ({"DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": "/nowhere"}, "there is no session bus, so nobody could see an icon"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "this is a Wayland session, where input cannot be observed"),
    ],
)
def test_where_there_can_be_no_trial_one_line_says_why(missing: dict[str, str], words: str) -> None:
    """No display, no session bus, or Wayland: refused before anything is made."""
    desktop = {"DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"}
    with pytest.raises(TrialImpossible, match=words):
        desktop_of(desktop | missing)


def test_a_session_bus_is_found_where_sessions_have_it(tmp_path: Path) -> None:
    """Without an address in the environment, the socket `bus` of the runtime folder is taken; a file of that name is not."""
    desktop = {"DISPLAY": ":0", "XDG_RUNTIME_DIR": str(tmp_path)}
    (tmp_path / "bus").touch()
    with pytest.raises(TrialImpossible):
        desktop_of(desktop)
    (tmp_path / "bus").unlink()
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        assert desktop_of(desktop)["DBUS_SESSION_BUS_ADDRESS"] == f"unix:path={tmp_path}/bus"
