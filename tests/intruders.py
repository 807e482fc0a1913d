"""Other accounts, and other programs of the same account, that try to get at a running process of ours. Needs root, to be all of them.

Run as `python -m tests.intruders PROCESS FOLDER SOCKET` it tries everything that an account without privileges can, and prints a JSON
list of what it got.
"""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUBJECT, STRANGER = 61_001, 61_002
"""Accounts that no Debian has by itself; they need no entry in /etc/passwd."""
_SEIZE, _DETACH = 0x4206, 17


class Accounts:
    """Programs under other accounts, with an interpreter and a repository that they can reach, wherever it was cloned to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.python = self._make_python()

    def start(self, account: int, *arguments: str | Path, **more: object) -> "subprocess.Popen[bytes]":
        """`python ARGUMENTS` as an account, in the repository."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / str(account))}
        command = [str(self.python), *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.repository, env=environment, user=account, group=account, extra_groups=[], **more)  # type: ignore[call-overload,no-any-return]

    def run(self, account: int, *arguments: str | Path) -> str:
        """What it prints; it must succeed."""
        process = self.start(account, *arguments, stdout=subprocess.PIPE)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return str(said.decode())

    def got(self, account: int, process_id: int, folder: Path, control: Path) -> set[str]:
        """What an account gets of a process, a folder and a socket."""
        return set(json.loads(self.run(account, "-m", "tests.intruders", str(process_id), folder, control)))

    def own(self, account: int, *places: Path) -> None:
        """Give folders with all that is in them to an account."""
        for place in places:
            for path in (place, *place.rglob("*")):
                os.chown(path, account, account)

    def _make_python(self) -> Path:
        """An environment of an interpreter outside of anybody's home, with our packages."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        for base in (getattr(sys, "_base_executable", sys.executable), f"/usr/bin/python{version}"):
            try:
                asked = subprocess.run(
                    [base, "-I", "-c", "import venv, sys; print('%d.%d' % sys.version_info[:2])"],
                    **{"user": SUBJECT, "group": SUBJECT, "extra_groups": []},
                    capture_output=True,
                    text=True,
                    check=False,
                )
            except OSError:
                continue
            if asked.stdout.strip() == version:
                break
        else:
            pytest.skip("no Python of this version can be run by another account")
        subprocess.run([base, "-I", "-m", "venv", "--without-pip", str(self.folder / "venv")], check=True)
        (packages,) = (self.folder / "venv").glob("lib/python*/site-packages")
        installed = Path(sysconfig.get_path("purelib"))
        seen = self.repository / installed.relative_to(ROOT) if installed.is_relative_to(ROOT) else installed
        (packages / "ours.pth").write_text(f"{seen}\n{self.repository}\n")
        return self.folder / "venv" / "bin" / "python"


@contextmanager
def accounts() -> Iterator[Accounts]:
    """Accounts, and a folder that they can reach."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("to be several accounts needs root on Linux")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    repository = folder / "repository"
    repository.mkdir()
    if subprocess.run(["mount", "--bind", str(ROOT), str(repository)], capture_output=True, check=False).returncode != 0:
        pytest.skip("the repository cannot be shown to another account: nothing can be mounted here")
    try:
        yield Accounts(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(repository)], check=True)
        repository.rmdir()
        shutil.rmtree(folder)


def memory_holds(process_id: int, secret: bytes) -> bool:
    """Whether a secret stands in the memory of a process, as root reads it."""
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process_id}/maps").read_text().splitlines():
            span, access, *_ = line.split()
            begin, end = (int(each, 16) for each in span.split("-"))
            if access.startswith("rw") and _finds(memory.fileno(), begin, end, secret):
                return True
    return False


def _finds(memory: int, begin: int, end: int, secret: bytes) -> bool:
    try:
        return secret in os.pread(memory, end - begin, begin)
    except OSError:
        return False


# ---- the attacks ------------------------------------------------------------------------------------------------------
def _memory(process_id: int) -> bool:
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0):
        return True


def _trace(process_id: int) -> bool:
    libc = ctypes.CDLL(None)
    if libc.ptrace(_SEIZE, process_id, None, None) != 0:
        return False
    libc.ptrace(_DETACH, process_id, None, None)
    return True


class _Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _read_across(process_id: int) -> bool:
    """process_vm_readv of its stack, or where it would be: EFAULT would mean that it was allowed."""
    buffer = ctypes.create_string_buffer(8)
    libc = ctypes.CDLL(None, use_errno=True)
    mine, theirs = _Span(ctypes.addressof(buffer), 8), _Span(4096, 8)
    return bool(libc.process_vm_readv(process_id, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) >= 0 or ctypes.get_errno() == 14)


def _files(folder: Path) -> bool:
    return any(path.is_file() and path.read_bytes() for path in (*os_walk(folder), folder / "ledger", folder / "keys" / "hold.key"))


def os_walk(folder: Path) -> Sequence[Path]:
    return [Path(place) / name for place, _, names in os.walk(folder) for name in names]


def _control(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        return True


def main() -> None:
    process_id, folder, control = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    attacks: dict[str, Callable[[], bool]] = {
        "memory": lambda: _memory(process_id),
        "environment": lambda: bool(Path(f"/proc/{process_id}/environ").read_bytes()),
        "mappings": lambda: bool(Path(f"/proc/{process_id}/maps").read_bytes()),
        "descriptors": lambda: bool(os.listdir(f"/proc/{process_id}/fd")),
        "trace": lambda: _trace(process_id),
        "read across": lambda: _read_across(process_id),
        "files": lambda: _files(folder),
        "socket": lambda: _control(control),
    }
    got = []
    for name, attack in attacks.items():
        try:
            if attack():
                got.append(name)
        except OSError:
            continue
    print(json.dumps(got))


if __name__ == "__main__":
    main()
