"""Processes and their programs, as the Linux kernel tells of them; and which package brought a file.

It asks for the file behind `/proc/PID/exe` and not for the path that stands there: the path is what the process's own namespace shows.
"""

import os
from collections.abc import Iterable

from collectors.identity import FileFacts, Running, started_of
from collectors.packages import Packages


class Processes:
    """See `collectors.programs.System`."""

    def __init__(self, packages: Packages | None = None) -> None:
        self._packages = packages or Packages()

    def resolved(self, path: str) -> str:
        """The path with no link left in it."""
        return os.path.realpath(path)

    def process(self, pid: int) -> Running | None:
        """The process; asked twice and found the same, it was one all the while."""
        place = f"/proc/{pid}"
        try:
            with open(f"{place}/stat", "rb") as file:
                started = started_of(file.read())
            path, program, account = os.readlink(f"{place}/exe"), _facts(os.stat(f"{place}/exe")), os.stat(place).st_uid
        except OSError:
            return None
        return Running(pid, started, path, program, account == os.getuid()) if started is not None else None

    def file(self, path: str) -> FileFacts | None:
        """What lies at a path of our own namespace; no link is followed."""
        try:
            return _facts(os.lstat(path))
        except OSError:
            return None

    def knows_packages(self) -> bool:
        """Whether dpkg is there."""
        return self._packages.can_say()

    def brought(self, path: str, names: Iterable[str]) -> bool | None:
        """Whether one of these packages brought this file; None: this system cannot say."""
        return self._packages.brought(path, names)


def _facts(found: os.stat_result) -> FileFacts:
    return FileFacts(found.st_dev, found.st_ino, found.st_uid, found.st_mode, found.st_nlink, found.st_ctime_ns)
