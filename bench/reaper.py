"""Runs one command and adopts whatever it leaves behind, so that the CPU time of its whole tree is exact.

python -m bench.reaper COMMAND...   ends the tree on SIGTERM, waits for all of it, prints {"user_s", "system_s", "status"}.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 20
"""After the request to end, before everything left is killed."""


def main() -> None:
    """Run the command to its end, and its orphans to theirs."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("this kernel does not let a process adopt orphans")
    with subprocess.Popen(sys.argv[1:], start_new_session=True) as child:

        def end(*_: object) -> None:
            child.terminate()
            signal.alarm(GRACE_S)

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGALRM, lambda *_: _kill_children())
        status = child.wait()
    signal.alarm(GRACE_S)
    _wait_for_orphans()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"user_s": used.ru_utime, "system_s": used.ru_stime, "status": status}))


def _wait_for_orphans() -> None:
    """What was left to this process ends by itself, or is killed when the grace is over."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill_children() -> None:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        for pid in file.read().split():
            os.kill(int(pid), signal.SIGKILL)
    signal.alarm(1)  # their own children are ours next


if __name__ == "__main__":
    main()
