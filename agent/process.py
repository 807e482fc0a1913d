"""How each of our processes closes itself to others: no core dumps, no reading of its memory by the same account."""

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def close_to_others() -> None:
    """No core dumps, and on Linux not dumpable: another process of this account cannot read our memory or trace us."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if hasattr(os, "memfd_create"):  # Linux; elsewhere there is no prctl
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent() -> None:
    """End when the daemon ends, however it ends. Linux; elsewhere a closed pipe says the same a little later."""
    if hasattr(os, "memfd_create"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
