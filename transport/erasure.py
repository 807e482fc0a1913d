"""Askings for erasure on disk until the receiver's receipt is there, and the receipts. No bound drops an asking.

One file each, 0600. It names days, purposes and ids, nothing that was observed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from consent.unreadable import UNREADABLE
from transport import disk
from transport.erasing import Asking
from transport.jobs import MAX_ANSWER_BYTES

_ASKING, _RECEIPT, _BAD = ".ask", ".receipt", ".bad"
_MAX_ASKING_BYTES = 64 * 1024
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Asking).decode


@dataclass(frozen=True, slots=True)
class Pending:
    """An asking that waits for its receipt, and its name."""

    name: str
    asking: Asking


class Erasures:
    """The askings of one folder. Asking the same twice is asking once.

    Raises:
        NotPrivate: folder or files are not ours alone.
        OSError: the disk cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        disk.make_private(folder)
        self._folder = folder
        for path in folder.glob("*" + disk.PART):
            path.unlink()
        for path in folder.glob("*" + _RECEIPT):
            path.with_suffix(_ASKING).unlink(missing_ok=True)  # a crash came between receipt and end

    def ask(self, askings: Iterable[Asking]) -> None:
        """Keep askings, durably. Raises OSError if the disk refuses: then it must be asked again before anything is acknowledged."""
        for asking in askings:
            raw = _encode(asking)
            path = self._folder / (hashlib.sha256(raw).hexdigest() + _ASKING)
            if not path.exists():
                disk.put(path, raw)

    def pending(self) -> list[Pending]:
        """What waits, in no order that means anything."""
        found = []
        for path in sorted(self._folder.glob("*" + _ASKING)):
            try:
                found.append(Pending(path.stem, _decode(disk.read(path, _MAX_ASKING_BYTES))))
            except UNREADABLE:
                path.rename(path.with_suffix(_BAD))
        return found

    def answered(self, name: str, receipt: bytes) -> None:
        """Keep the receiver's receipt, durably; the asking is over."""
        disk.put(self._folder / (name + _RECEIPT), receipt)
        (self._folder / (name + _ASKING)).unlink(missing_ok=True)
        disk.sync_folder(self._folder)

    def receipts(self) -> list[bytes]:
        """The receipts, as they came, for the subject to keep and to show."""
        return [disk.read(path, MAX_ANSWER_BYTES) for path in sorted(self._folder.glob("*" + _RECEIPT))]
