"""A folder of a person's own data: private, each file whole or not there. Refuses one that holds anything that it did not put there."""

from collections.abc import Iterable
from pathlib import Path

from agent.errors import CannotDo
from transport import disk
from transport.disk import NotPrivate

_PIECES = "pieces"


class Folder:
    """A new folder, or one of an earlier export, which is done anew.

    Args:
        path: 0700; made if it is not there.
        names: the files that an export may leave in it.

    Raises:
        CannotDo: it holds something else, or cannot be made.
    """

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        self._path = path
        try:
            disk.make_private(path)
            self._refuse_strangers({*names, _PIECES})
            disk.make_private(path / _PIECES)
            disk.empty(path / _PIECES)
        except NotPrivate as error:
            raise CannotDo(error.what, error.do) from None
        except OSError as error:
            raise CannotDo(f"{path} cannot be made ({error.strerror})", "name another folder") from None

    def _refuse_strangers(self, names: set[str]) -> None:
        if any(each.name.removesuffix(disk.PART) not in names for each in self._path.iterdir()):
            raise CannotDo(f"{self._path} holds other files", "name a new folder")

    def piece(self, name: str, content: bytes) -> None:
        """Keep a part of a file that is joined at the end."""
        disk.write_new(self._path / _PIECES / name, content)

    def piece_of(self, name: str) -> bytes:
        """A part that was kept."""
        return (self._path / _PIECES / name).read_bytes()

    def put(self, name: str, parts: Iterable[bytes]) -> None:
        """Make a file of these parts, one after the other; it is there whole, or as it was before."""
        new = self._path / (name + disk.PART)
        new.unlink(missing_ok=True)
        with disk.closing(disk.create(new)) as fd:
            for part in parts:
                disk.write_whole(fd, part)
            disk.sync_data(fd)
        new.replace(self._path / name)
        disk.sync_folder(self._path)

    def leave_out(self, name: str) -> None:
        """An earlier export's file that this one has no use for."""
        (self._path / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the parts."""
        disk.empty(self._path / _PIECES)
        (self._path / _PIECES).rmdir()
