"""Whether a running program is the very one that a policy lists: by the file that runs, not by what it or its path is called. Pure.

A person's own programs can put any path in front of any file: in a mount namespace of their own, in a chroot, by a bind mount. They
cannot make their file the one that the system's account has put at that path in our namespace, and that is what counts here.
"""

import stat
from dataclasses import dataclass

from collectors.pipe import SurfaceRule

SYSTEM = 0
"""The account that the system's programs belong to."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the file system says of a file. `mode` as in `os.stat_result`; `links`: 0 once it is deleted; `changed_ns`: its ctime."""

    device: int
    inode: int
    owner: int
    mode: int
    links: int
    changed_ns: int

    @property
    def only_the_systems(self) -> bool:
        """Whether nobody but the system's account can have changed it."""
        return self.owner == SYSTEM and not self.mode & _OTHERS_MAY_WRITE


@dataclass(frozen=True, slots=True)
class Running:
    """A process, as the kernel tells of it.

    Attributes:
        started: When it was started, in the kernel's ticks since boot: a pid that is given again has another.
        path: What the kernel calls its program, in the process's own namespace; therefore no more than a hint.
        file: The program itself.
        ours: Whether it is of the account that we are of.
    """

    pid: int
    started: int
    path: str
    file: FileFacts
    ours: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that was recognised.

    Attributes:
        sites: Of a browser, the surfaces that its pages may be of (`rule` is one of them); none: all of it is of one surface.
    """

    rule: SurfaceRule
    process: Running
    sites: tuple[SurfaceRule, ...] = ()


def is_listed(running: FileFacts, listed: FileFacts) -> bool:
    """Whether the file that runs is the listed one, still there, a program, and nobody's but the system's."""
    same = (running.device, running.inode) == (listed.device, listed.inode)
    return same and running.links > 0 and stat.S_ISREG(running.mode) and running.only_the_systems


def is_systems_folder(folder: FileFacts) -> bool:
    """Whether only the system's account can put another file at a path that leads through this folder."""
    return stat.S_ISDIR(folder.mode) and folder.only_the_systems


def started_of(line: bytes) -> int | None:
    """When a process started, of `/proc/PID/stat` (proc(5), field 22). Its name stands in brackets and may hold anything, brackets too."""
    fields = line.rpartition(b")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[19].isdigit() else None
