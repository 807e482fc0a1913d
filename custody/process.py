"""Hardens the process before a key is read: no core dump, no reading of its memory by others. Refuses to go on where that fails."""

import ctypes
import sys

from custody.errors import CustodyError

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """No core file, and (Linux) no /proc/PID/mem or ptrace for the same account.

    Raises:
        CustodyError: the system refused; no key may be read then.
    """
    if sys.platform == "win32":
        return  # no core files; crash dumps are the machine's policy (docs/custody.md)
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise CustodyError("core dumps cannot be turned off here; open on a machine where they can") from error
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise CustodyError("this process cannot be closed to others (PR_SET_DUMPABLE); open on a machine where it can")
