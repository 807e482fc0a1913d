"""The processes of one stage: started with its mark, and ended with everything that they started, whatever happened.

Refuses to touch a process that neither carries the mark of this stage nor descends from one that was started here.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from agent.demo.errors import ProgramMissing
from agent.demo.programs import PACKAGES, Program

MARK = "VOLENS_STAGE"
"""In the environment of every process of a stage, so that one that left its parent is found again."""

_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""Starts a command that the kernel ends when this process is killed and cannot end it itself. Part of every Debian."""

GRACE_S = 3.0
"""Between the request to end and the end: enough to flush what is being written, too short to hang on."""


def find(program: Program) -> str:
    """Where a program is.

    Raises:
        ProgramMissing: It is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise ProgramMissing(f"the demo needs {program}, which is not here", f"install the package {PACKAGES[program]}")
    return path


def dying_with_us(argv: Sequence[str]) -> list[str]:
    """The same command, ended by the kernel when this process ends in any way."""
    return [*(_DIES_WITH_US if shutil.which(_DIES_WITH_US[0]) else ()), *argv]


class Children:
    """The processes of one stage.

    Attributes:
        mark: The random name of the stage.
        logs: Folder where each process writes what it says, one file each.
    """

    def __init__(self, mark: str, logs: Path) -> None:
        self.mark = mark
        self.logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, argv: Sequence[str], env: Mapping[str, str], *, name: str, pass_fds: Sequence[int] = (), silent: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start one process in its own session; what it says goes to `logs/name.log`, its stdout nowhere if `silent`."""
        with (self.logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 the argv is ours: a program of the table, or this Python
                dying_with_us(argv),
                env={**env, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if silent else log,
                stderr=log,
                start_new_session=True,
                pass_fds=pass_fds,
                cwd=env.get("HOME"),
            )
        self._started.append(child)
        return child

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        """Take over a process that was started elsewhere (on a pseudo terminal), so that it is ended too."""
        self._started.append(child)

    def alive(self) -> list[psutil.Process]:
        """Every process of this stage that still runs, the ones that left their parent included."""
        found = {process.pid: process for child in self._started for process in _tree(child.pid)}
        for process in psutil.process_iter():
            if process.pid != os.getpid() and _carries(process, self.mark):
                found[process.pid] = process
        return list(found.values())

    def end(self) -> None:
        """End everything: the youngest first, then asked, then killed."""
        for child in reversed(self._started):
            _end_one(child)
        for _ in range(3):  # one that was just starting another may need a second look
            left = self.alive()
            for process in left:
                _kill(process)
            psutil.wait_procs(left, timeout=GRACE_S)
            if not left:
                break
        for child in self._started:
            child.wait(GRACE_S)


def _end_one(child: subprocess.Popen[bytes]) -> None:
    family = _tree(child.pid)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
    for process in family:
        if process.pid != child.pid:
            _kill(process)


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)] if root.status() != psutil.STATUS_ZOMBIE else []
    except psutil.NoSuchProcess:
        return []


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False
