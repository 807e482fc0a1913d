"""A disk that dies between any two of its changes, or loses its power, or is full. Real files below one folder.

What a process changes is counted, and remembered until it was made durable: the contents of a file by its own fsync, the names in a
folder by the folder's. When the power fails, an end of the names' journal is undone, and contents without fsync are lost or torn.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.transport.faults import Crash
from transport import disk

_open, _close, _write, _pwrite, _fsync = os.open, os.close, os.write, os.pwrite, os.fsync
_replace, _unlink, _ftruncate, _link = os.replace, os.unlink, os.ftruncate, os.link


@dataclass(frozen=True)
class _Change:
    """One change of names that no fsync has made durable: what it touched, and how it is undone."""

    folders: tuple[str, ...]
    undo: Callable[[], None]


@dataclass
class Disk:
    """Everything below `folder`.

    Attributes:
        crash_in: So many changes are still made; the next one is the process's last. None: it lives.
        dead: The process has died; whatever it still tries is not done.
        room_bytes: What may still be written; None: enough.
    """

    folder: Path
    crash_in: int | None = None
    dead: bool = False
    room_bytes: int | None = None
    _names: dict[int, str] = field(default_factory=dict)
    _contents: dict[int, bytes] = field(default_factory=dict)
    _journal: list[_Change] = field(default_factory=list)
    _spares: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the operating system's own calls."""
        self._prefix = f"{self.folder}{os.sep}"
        self._aside = self.folder.with_name(self.folder.name + ".aside")
        self._aside.mkdir(exist_ok=True)
        calls = (self.open, self.close, self.write, self.pwrite, self.fsync, self.replace, self.unlink, self.ftruncate)
        for call in calls:
            patch.setattr(os, call.__name__, call)
        patch.setattr(os, "rename", self.replace)
        patch.setattr(disk, "sync_data", self.fsync)

    # --- what the process does ----------------------------------------------------------------------------------

    def _step(self) -> None:
        if self.dead:
            raise Crash
        if self.crash_in is not None:
            if self.crash_in == 0:
                self.dead = True
                raise Crash
            self.crash_in -= 1

    def _ours(self, path: Any) -> str | None:
        name = os.fspath(path)
        return name if isinstance(name, str) and name.startswith(self._prefix) else None

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = self._ours(path)
        if name is None:
            return _open(path, flags, mode, dir_fd=dir_fd)
        if self.dead:
            raise Crash
        is_new = bool(flags & os.O_CREAT) and not os.path.lexists(name)
        fd = _open(name, flags, mode)
        self._names[fd] = name
        if is_new:
            self._journal.append(_Change((os.path.dirname(name),), lambda: _gone(name)))
            self._contents[os.fstat(fd).st_ino] = b""
        return fd

    def close(self, fd: int) -> None:
        self._names.pop(fd, None)
        _close(fd)

    def write(self, fd: int, data: Any) -> int:
        if fd not in self._names:
            return _write(fd, data)
        self._step()
        self._remember(fd)
        if self.room_bytes is not None:
            if self.room_bytes <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = bytes(data)[: self.room_bytes]
            self.room_bytes -= len(data)
        return _write(fd, data)

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        if fd in self._names:
            self._step()
            self._remember(fd)
        return _pwrite(fd, data, offset)

    def ftruncate(self, fd: int, length: int) -> None:
        if fd in self._names:
            self._step()
            self._remember(fd)
        _ftruncate(fd, length)

    def fsync(self, fd: int) -> None:
        name = self._names.get(fd)
        if name is None:
            return
        self._step()
        self._contents.pop(os.fstat(fd).st_ino, None)
        touching = [place for place, change in enumerate(self._journal) if name in change.folders]
        if touching:  # a folder: a journal is made durable in its order
            del self._journal[: touching[-1] + 1]

    def replace(self, src: Any, dst: Any) -> None:
        old, new = self._ours(src), self._ours(dst)
        if old is None or new is None:
            return _replace(src, dst)
        self._step()
        spare = self._put_aside(new)
        _replace(old, new)

        def undo() -> None:
            _replace(new, old)
            if spare is not None:
                _replace(spare, new)

        self._journal.append(_Change((os.path.dirname(old), os.path.dirname(new)), undo))

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        name = self._ours(path)
        if name is None:
            return _unlink(path, dir_fd=dir_fd)
        self._step()
        spare = self._put_aside(name)
        _unlink(name)
        self._journal.append(_Change((os.path.dirname(name),), lambda: None if spare is None else _replace(spare, name)))

    def _put_aside(self, name: str) -> str | None:
        """A second name for what is about to lose its own; its room is given back."""
        self._spares += 1
        spare = str(self._aside / str(self._spares))
        try:
            _link(name, spare)
        except FileNotFoundError:
            return None
        if self.room_bytes is not None:
            self.room_bytes += os.stat(spare).st_size
        return spare

    def _remember(self, fd: int) -> None:
        facts = os.fstat(fd)
        if facts.st_ino not in self._contents:
            self._contents[facts.st_ino] = os.pread(fd, facts.st_size, 0)

    # --- what becomes of it -------------------------------------------------------------------------------------

    def after_death(self, *, power_cut: Random | None) -> None:
        """The process is gone, its files closed; with a power cut, what nobody made durable may be gone too."""
        for fd in self._names:
            _close(fd)
        self._names.clear()
        if power_cut is not None:
            stays = power_cut.randint(0, len(self._journal))
            for change in reversed(self._journal[stays:]):
                change.undo()
            self._journal.clear()
            self._tear(power_cut)
        self.dead, self.crash_in = False, None

    def _tear(self, random: Random) -> None:
        for path in [path for path in self.folder.rglob("*") if path.is_file() and path.stat().st_ino in self._contents]:
            before, now = self._contents[path.stat().st_ino], path.read_bytes()
            match random.randrange(3):
                case 0:
                    path.write_bytes(before)
                case 1 if now.startswith(before):
                    path.write_bytes(now[: random.randint(len(before), len(now))])
        self._contents.clear()


def _gone(name: str) -> None:
    if os.path.lexists(name):
        _unlink(name)
