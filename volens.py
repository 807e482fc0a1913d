"""The door: what the installed commands import first. It holds no logic of Volens, and imports nothing of it.

Our folders have plain names (`agent`, `consent`), and a stray folder of that name on PYTHONPATH would be imported in our
place. So this one module has a name that is nobody else's, and only starts Python again in isolated mode (`-I`: no
PYTHONPATH, no current folder, no per-account packages), where `agent.home` looks whether our packages are ours.
"""

import os
import sys
from typing import NoReturn


def agent() -> NoReturn:
    """The command `volens`."""
    _start("agent")


def receiver() -> NoReturn:
    """The command `volens-receiver`."""
    _start("receiver")


def custody() -> NoReturn:
    """The command `volens-custody`."""
    _start("custody")


def _start(package: str) -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-I", "-m", "agent.home", package, *sys.argv[1:]])  # noqa: S606 (no shell is wanted)
