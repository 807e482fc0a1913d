"""Who holds the lock, and who may be ended for it: a daemon that hangs, never one that works, never a stranger."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent import lock
from agent.errors import NotRunning
from agent.lock import Lock, busy, take_over
from agent.messages import Done, Forget
from agent.reach import Reach
from tests.agent.people import places_in

HOLDER = """
import sys, time, pathlib, agent.lock as l
held = l.Lock(pathlib.Path(sys.argv[1]))
if sys.argv[2] == "busy":
    with held.busy():
        print(1, flush=True)
        sys.stdin.read(1)
else:
    print(1, flush=True)
    sys.stdin.read(1)
"""
SLOW = """
import sys, time, pathlib, socket, agent.lock as l
from agent import messages
from consent.frames import frame
held = l.Lock(pathlib.Path(sys.argv[1]))
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[2])
server.listen()
print(1, flush=True)
connection, _ = server.accept()
connection.recv(100)
with held.busy():
    time.sleep(1.6)
connection.sendall(frame(messages.encode(messages.Done("It is forgotten."))))
sys.stdin.read(1)
"""


@contextmanager
def process(code: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has said that it is ready."""
    started = subprocess.Popen([sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdin is not None
    try:
        assert started.stdout.readline() == b"1\n"
        yield started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()
        started.stdin.close()


def test_a_holder_that_works_is_waited_for_and_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that comes while another forgets gets the lock after it, and neither is harmed."""
    path = tmp_path / "lock"
    with process(HOLDER, str(path), "busy") as working:
        looked: list[bool] = []

        def look(_: float) -> None:
            looked.append(busy(path))
            if len(looked) == 3:
                assert working.stdin is not None
                working.stdin.close()
                working.wait(5)

        monkeypatch.setattr(lock.time, "sleep", look)
        take_over(path).release()
        assert (working.returncode, looked[:3], busy(path)) == (0, [True, True, True], False)


def test_a_holder_that_hangs_is_ended(tmp_path: Path) -> None:
    """It says nothing of work: SIGKILL, and the lock is there."""
    path = tmp_path / "lock"
    with process(HOLDER, str(path), "idle") as hanging:
        take_over(path).release()
        assert hanging.wait(5) == -signal.SIGKILL


def test_a_stranger_whose_number_stands_in_the_file_is_not_ended(tmp_path: Path) -> None:
    """Between two holders the file names one that has gone, and its number may be anybody's: the kernel says who holds the lock."""
    path = tmp_path / "lock"
    with process(HOLDER, str(tmp_path / "other"), "idle") as stranger, process(HOLDER, str(path), "idle") as hanging:
        path.write_text(f"{stranger.pid}\n")
        take_over(path).release()
        assert hanging.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None


def test_a_file_that_says_busy_without_a_holder_says_nothing(tmp_path: Path) -> None:
    """A process that was killed in the middle of its work leaves the word behind; the lock itself is the kernel's."""
    path = tmp_path / "lock"
    path.write_text("1 busy\n")
    assert not busy(path)
    Lock(path).release()
    assert path.read_text().split() != ["1", "busy"]


def test_a_daemon_that_forgets_for_longer_than_a_second_is_not_ended_in_the_middle(tmp_path: Path) -> None:
    """It says in its lock that it works: the command waits for its answer."""
    places = places_in(tmp_path)
    with process(SLOW, str(places.lock), str(places.socket)) as daemon:
        assert Reach(places).ask(Forget()) == Done("It is forgotten.")
        assert daemon.poll() is None
    places.socket.unlink()
    with pytest.raises(NotRunning):
        Reach(places)._connect()
