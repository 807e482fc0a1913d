"""An act of a writer with its n-th call of a sort failing: strace attaches to a child that has opened its stores, and injects."""

import os
import shutil
import signal
import subprocess
import traceback
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from consent.ledger import LedgerError
from receiver.errors import ReceiverError
from receiver.errors import Refused as ReceiverRefused
from tests.nothing_lost.life import Stores
from transport.errors import TransportError

STRACE = shutil.which("strace")
CALLS = {
    "write": "write,pwrite64",
    "sync": "fsync,fdatasync",
    "rename": "rename,renameat,renameat2",
    "unlink": "unlink,unlinkat",
    "truncate": "ftruncate",
}


class Outcome(IntEnum):
    """What an act's caller was told; the child's exit code.

    DONE: it returned. AGAIN: it refused, and returned when asked a second time. REFUSED: it refused twice.
    BEYOND: it returned, and said that it dropped more than was asked.
    """

    DONE = 0
    AGAIN = 10
    REFUSED = 11
    BEYOND = 12


class Refused(Exception):
    """The act says that it was not done."""


Act = Callable[[Stores], Outcome | None]
_Opened = TypeVar("_Opened")
_ITS_OWN = (OSError, TransportError, LedgerError, ReceiverRefused, ReceiverError, DBAPIError, Refused)


def with_fault(folder: Path, act: Act, calls: str, fault: str) -> tuple[Outcome, bool]:
    """Do the act on the folder's stores in a child with a fault such as `error=EIO:when=3`; its outcome, and whether the fault came."""
    return in_a_child(lambda: Stores(folder), act, folder.parent / "trace", calls, fault)


def in_a_child(
    open_it: Callable[[], _Opened], act: Callable[[_Opened], Outcome | None], trace: Path, calls: str, fault: str
) -> tuple[Outcome, bool]:
    """The same for whatever is opened; what is opened before the fault comes is opened without one."""
    pid = os.fork()
    if pid == 0:
        _child(open_it, act)
    os.waitpid(pid, os.WUNTRACED)  # its stores are open, and it has stopped itself
    command = [str(STRACE), "-p", str(pid), "-e", f"trace={CALLS[calls]}", "-e", f"inject={CALLS[calls]}:{fault}", "-o", str(trace)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert tracer.stderr
    said = tracer.stderr.readline()
    assert b"attached" in said, said
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    tracer.communicate()
    assert os.WIFEXITED(status), "the writer was ended by a signal"
    return Outcome(os.WEXITSTATUS(status)), "(INJECTED)" in trace.read_text()


def _child(open_it: Callable[[], _Opened], act: Callable[[_Opened], Outcome | None]) -> None:
    """Never returns."""
    code = 99
    try:
        opened = open_it()
        os.kill(os.getpid(), signal.SIGSTOP)
        code = _twice(opened, act)
    except Exception:
        traceback.print_exc()  # an error that is nobody's own fails the test
    finally:
        os._exit(code)


def _twice(opened: _Opened, act: Callable[[_Opened], Outcome | None]) -> Outcome:
    for outcome in (Outcome.DONE, Outcome.AGAIN):
        try:
            return act(opened) or outcome
        except _ITS_OWN:
            continue
    return Outcome.REFUSED
