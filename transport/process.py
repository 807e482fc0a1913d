"""How a process that holds keys or events closes itself to others. Refuses to let it go on where that fails.

It lies here because transport is the lowest package that the daemon, its children and custody may all import.
"""

import ctypes
import os

from transport.errors import TransportError

_PR_SET_DUMPABLE = 4
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


class NotClosed(TransportError):
    """The system does not let this process be closed to others; no key may be read in it."""


def close_to_others() -> None:
    """No core dumps; on Linux also not dumpable: no other process of this account can read its memory or trace it.

    Raises:
        NotClosed: the system refused.
    """
    if not hasattr(os, "geteuid"):
        return  # Windows writes no core files, and whether it keeps crash dumps is the machine's policy
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise NotClosed("core dumps cannot be turned off here; use a machine where they can") from error
    if _prctl(_PR_SET_DUMPABLE, 0) != 0:
        raise NotClosed("this process cannot be closed to others (PR_SET_DUMPABLE); use a machine where it can")


def die_with_parent() -> None:
    """End when the parent ends, however it ends. Linux; elsewhere a closed pipe says the same a little later."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def _prctl(option: int, value: int) -> int:
    """What prctl says; 0 where there is none, which is everywhere but on Linux."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return int(prctl(option, value, 0, 0, 0)) if prctl else 0
