"""The private desktop: it comes up, takes real input, and leaves nothing behind, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from Xlib import X
from Xlib.error import DisplayError
from Xlib.ext import record
from Xlib.protocol import rq

from agent.demo.children import MARK
from agent.demo.display import open_display
from agent.demo.errors import ProgramMissing
from agent.demo.person import Person
from agent.demo.programs import Program
from agent.demo.stage import Stage, stage
from agent.demo.truth import Act, Truth
from agent.demo.wait import until
from agent.demo.windows import Place, active_window, put_window

pytestmark = pytest.mark.live


def marked(mark: str) -> list[int]:
    """Processes that carry a stage's mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_the_desktop_leaves_no_process_and_no_file_behind() -> None:
    """Everything that was started ends, what left its parent included, and the folder is gone."""
    with stage() as desktop:
        editor = desktop.start(Program.EDITOR, ["--disable-server"], name="editor")
        desktop.window_of(editor)
        mark, root = desktop.children.mark, desktop.root
        assert len(marked(mark)) >= 7
        assert root.stat().st_mode & 0o777 == 0o700
    assert marked(mark) == []
    assert not root.exists()


def fail_on_stage(seen: list[Stage]) -> None:
    with stage(panel=False) as desktop:
        seen.append(desktop)
        raise RuntimeError


def test_the_desktop_is_cleared_after_an_error_too() -> None:
    """A demo that fails in the middle leaves nothing behind either."""
    seen: list[Stage] = []
    with pytest.raises(RuntimeError):
        fail_on_stage(seen)
    assert marked(seen[0].children.mark) == []
    assert not seen[0].root.exists()


def test_the_desktop_is_cleared_after_control_c() -> None:
    """SIGINT to the process ends the desktop before the process ends."""
    code = "from agent.demo.stage import stage\nwith stage(panel=False) as s:\n print(s.children.mark, s.root, flush=True)\n input()\n"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout is not None
    mark, root = child.stdout.readline().split()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert marked(mark) == []
    assert not Path(root).exists()


def test_no_process_outlives_a_stage_that_was_killed() -> None:
    """After SIGKILL nobody can tidy up; the processes end all the same, and with them what they started."""
    code = "from agent.demo.stage import stage\nwith stage() as s:\n print(s.children.mark, s.root, flush=True)\n input()\n"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    mark, root = child.stdout.readline().split()
    child.kill()
    child.communicate(timeout=30)
    until(lambda: not marked(mark), "the end of every process")
    shutil.rmtree(root)


def test_a_kept_stage_is_moved_where_it_was_asked_for(tmp_path: Path) -> None:
    """With `keep`, what was written can be looked at afterwards."""
    with stage(panel=False, keep=tmp_path / "kept") as desktop:
        root = desktop.root
    assert not root.exists()
    assert (tmp_path / "kept" / "logs" / "xvfb.log").exists()


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line says what is missing and what to install; nothing is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match="the demo needs Xvfb, which is not here; install the package xvfb"), stage():
        pass


def test_the_display_opens_only_with_its_cookie() -> None:
    """Another process of this machine cannot look at the demo's display."""
    with stage(panel=False) as desktop:
        empty = desktop.root / "empty"
        empty.touch()
        with pytest.raises(DisplayError):
            open_display({**desktop.desktop, "XAUTHORITY": str(empty)})
        open_display(desktop.desktop).close()


def raw_inputs(desktop: Stage, act: Callable[[Person], None], person: Person) -> list[int]:
    """The types of all raw inputs that the X server reports while `act` runs, read by RECORD on connections of their own."""
    control, data = open_display(desktop.desktop), open_display(desktop.desktop)
    wanted = {
        "core_requests": (0, 0),
        "core_replies": (0, 0),
        "ext_requests": (0, 0, 0, 0),
        "ext_replies": (0, 0, 0, 0),
        "delivered_events": (0, 0),
        "device_events": (X.KeyPress, X.MotionNotify),
        "errors": (0, 0),
        "client_started": False,
        "client_died": False,
    }
    context = data.record_create_context(0, [record.AllClients], [wanted])
    seen: list[int] = []

    def take(reply: object) -> None:
        rest = reply.data  # type: ignore[attr-defined]
        if reply.category == record.StartOfData:  # type: ignore[attr-defined]
            act(person)
            control.record_disable_context(context)
            control.flush()
        while rest and reply.category == record.FromServer:  # type: ignore[attr-defined]
            event, rest = rq.EventField(None).parse_binary_value(rest, data.display, None, None)
            seen.append(event.type)

    data.record_enable_context(context, take)
    data.close()
    control.close()
    return seen


def test_what_a_person_does_is_what_the_server_reports() -> None:
    """The record of what was injected counts exactly the raw inputs that another client of the server sees."""

    def act(person: Person) -> None:
        person.click(300, 300)
        person.scroll(320, 310, 3)
        person.key("enter")
        person.chord(["ctrl", "shift"], "a")
        person.type("Ab: c-1")

    with stage(panel=False) as desktop:
        truth = Truth("nowhere")
        seen = raw_inputs(desktop, act, Person(desktop.display, truth))
    assert len(seen) == truth.raw()
    assert truth.counts() | {Act.MOVE.value: 0} == {"moves": 0, "clicks": 1, "scrolls": 3, "named_keys": 1, "chords": 1, "characters": 7}
    assert seen.count(X.KeyPress) == seen.count(X.KeyRelease) == 1 + 3 + 7 + 2


def test_a_person_types_into_the_window_that_was_clicked() -> None:
    """Focus follows a click, and the text that arrives is the text that was typed."""
    with stage(panel=False) as desktop:
        paper = desktop.root / "paper.txt"
        paper.write_text("x\n")
        editor = desktop.start(Program.EDITOR, ["--disable-server", str(paper)], name="editor")
        place = put_window(desktop.display, Place(desktop.window_of(editor).window_id, 40, 60, 600, 500))
        person = Person(desktop.display, Truth())
        person.focus(place, "editor")
        assert active_window(desktop.display) == place.window_id
        person.chord(["ctrl"], "end")
        person.type("Written by Hand: 7")
        person.chord(["ctrl"], "s")
        text = ""
        deadline = os.times().elapsed + 20
        while "Written by Hand: 7" not in text and os.times().elapsed < deadline:
            text = paper.read_text()
        assert "Written by Hand: 7" in text
