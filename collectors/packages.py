"""Which Debian package brought a file, by dpkg's own records: read, never asked, since dpkg may be busy. Nothing where there is no dpkg.

Refuses nothing by itself: where dpkg cannot say, the answer is that it cannot.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

INFO = Path("/var/lib/dpkg/info")
MOST_HASHED_BYTES = 16 * 1024 * 1024
"""16 MiB hash in 30 ms. Of the few programs that are bigger (browsers) only the name is looked up: hashing them would hold up input."""
_NOT_DPKGS = ("/snap/", "/var/lib/snapd/", "/var/lib/flatpak/", "/nix/store/", "/gnu/store/")
_MERGED = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libx32/")


class Packages:
    """dpkg's records in this folder."""

    def __init__(self, info: Path = INFO) -> None:
        self._info = info

    def can_say(self) -> bool:
        """Whether this system has dpkg at all."""
        return self._info.is_dir()

    def brought(self, path: str, names: Iterable[str]) -> bool | None:
        """Whether one of these packages brought this file, and it is still what it was then; None: dpkg cannot say.

        Args:
            path: Resolved.
            names: Of packages, without their architecture.
        """
        if path.startswith(_NOT_DPKGS) or not self.can_say():
            return None
        try:
            return any(self._is_of(path, record) for name in names for record in self._records(name))
        except (OSError, ValueError):
            return False

    def _records(self, name: str) -> Iterator[Path]:
        yield from (self._info / f"{name}.list", *self._info.glob(f"{name}:*.list"))

    def _is_of(self, path: str, record: Path) -> bool:
        if not record.is_file() or not _called(path) & set(record.read_text("utf-8").splitlines()):
            return False
        sums = record.with_suffix(".md5sums")
        if not sums.is_file() or Path(path).stat().st_size > MOST_HASHED_BYTES:
            return True
        lines = (line.split("  ", maxsplit=1) for line in sums.read_text("utf-8").splitlines())
        recorded = {md5 for md5, name in lines if f"/{name}" in _called(path)}
        return not recorded or hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest() in recorded


def _called(path: str) -> set[str]:
    """The names under which a package may have brought the file: before /usr was merged, /bin/x was not /usr/bin/x."""
    return {path, path.removeprefix("/usr")} if path.startswith(_MERGED) else {path}
