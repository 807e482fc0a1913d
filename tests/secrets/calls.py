"""Every byte that the agent's processes hand to the kernel, and every file that they open, by strace; and how that is read again."""

import re
from collections import defaultdict
from pathlib import Path

WRITES = ("write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "sendmmsg")
OPENS = ("open", "openat", "openat2")
_CALL = re.compile(r"^(?P<call>\w+)\((?P<rest>.*)$")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_TO_WRITE = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")
_FAILED = re.compile(r"= -1 [A-Z]+")


def strace(folder: Path) -> list[str]:
    """The tracer, to be put before a command: one file for each process and thread, every string whole and in hex."""
    calls = ",".join([*WRITES, *OPENS, "execve"])
    return [
        "strace",
        "-ff",
        "--seccomp-bpf",
        "-qq",
        "-xx",
        "-s",
        "4000000",
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
        "-o",
        str(folder / "t"),
    ]


def _bytes(rest: str) -> list[bytes]:
    return [bytes.fromhex(found.replace("\\x", "")) for found in _STRING.findall(rest)]


def written(folder: Path) -> dict[str, bytes]:
    """All that was written, one stream for each process or thread and descriptor; by `file descriptor`."""
    streams: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        for line in path.read_text("ascii", "replace").splitlines():
            found = _CALL.match(line)
            if found and found["call"] in WRITES:
                streams[f"{path.name} {found['rest'].split(',')[0]}"] += _bytes(found["rest"])
    return {name: b"".join(parts) for name, parts in streams.items()}


def opened(folder: Path, *, to_write: bool = False) -> set[str]:
    """Every path that was opened, for reading too; not those that are not there."""
    found: set[str] = set()
    for path in folder.iterdir():
        for line in path.read_text("ascii", "replace").splitlines():
            call = _CALL.match(line)
            left_out = to_write and not _TO_WRITE.search(line)
            if call and call["call"] in OPENS and not left_out and not _FAILED.search(line):
                found |= {name.decode("utf-8", "replace") for name in _bytes(call["rest"])}
    return found
