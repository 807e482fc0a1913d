"""Runs our installed commands as a person would, each in a process of its own, in a home of its own without a display."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {"volens": "agent", "volens-receiver": "receiver", "volens-custody": "custody"}
LONGEST_S = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands run: a new folder with a home, a state and a runtime folder.

    Attributes:
        folder: The whole of it.
    """

    folder: Path

    def __post_init__(self) -> None:
        for name in ("home", "run"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    @property
    def state(self) -> Path:
        return self.folder / "state" / "volens"

    def env(self) -> dict[str, str]:
        """No display, no bus, nothing of this account; 80 columns."""
        names = {"HOME": "home", "XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state"}
        own = {variable: str(self.folder / name) for variable, name in names.items()}
        base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
        return base | {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"} | own  # this machine's locks and batteries are nobody's here


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


def argv(words: Sequence[str]) -> list[str]:
    """A command by its installed name, run from this tree."""
    return [sys.executable, "-m", MODULES[words[0]], *words[1:]]


def run(place: Place, words: Sequence[str], said: str = "") -> Done:
    """Run one command to its end; `said` is typed into it."""
    done = subprocess.run(
        argv(words), cwd=place.folder, env=place.env(), input=said, capture_output=True, text=True, timeout=LONGEST_S, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def start(place: Place) -> subprocess.Popen[bytes]:
    """Start the daemon; returns when it listens. It has no display, so no icon can be seen and nothing is ever recorded."""
    daemon = subprocess.Popen(
        argv(["volens", "run"]), cwd=place.folder, env=place.env(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline_s = time.monotonic() + LONGEST_S
    while not (place.folder / "run" / "volens" / "control").exists():
        assert daemon.poll() is None, "the daemon ended"
        assert time.monotonic() < deadline_s, "the daemon does not listen"
        time.sleep(0.02)
    return daemon
