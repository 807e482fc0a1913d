"""Registered days on disk: one sealed file a day, 0600. They name this machine's pseudonyms; only who has its device key reads them.

A file that cannot be read is another device's or damaged, and is removed: the day is planned anew, and the receiver says if it has others.
"""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.unreadable import UNREADABLE
from transport import disk
from transport.enrolling import DeviceKey
from transport.registering import KEPT, Day

_NONCE_BYTES = 12
_MAX_BYTES = 16 * 1024
_END = ".day"
_LABEL = b"volens/registrations/1"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Day).decode


class Registrations:
    """The days of one device, in one folder. Raises NotPrivate for a folder that others can reach, OSError for a disk that fails."""

    def __init__(self, folder: Path, device: DeviceKey, random: Callable[[int], bytes] = os.urandom) -> None:
        disk.make_private(folder)
        self._folder, self._key, self._random = folder, device.derive(_LABEL), random
        self._days = {one.day: one for path in sorted(folder.glob("*" + _END)) if (one := self._read(path)) is not None}

    @property
    def days(self) -> dict[date, Day]:
        """What is known, by day."""
        return dict(self._days)

    def keep(self, one: Day) -> None:
        """Write a day down; durable when it returns. Raises OSError."""
        nonce, name = self._random(_NONCE_BYTES), one.day.isoformat()
        disk.put(self._folder / (name + _END), nonce + AESGCM(self._key).encrypt(nonce, _encode(one), name.encode()))
        self._days[one.day] = one

    def drop_old(self, today: date) -> None:
        """Forget days that no receiver takes anything of any more."""
        for day in [day for day in self._days if day < today - KEPT]:
            (self._folder / (day.isoformat() + _END)).unlink(missing_ok=True)
            del self._days[day]

    def _read(self, path: Path) -> Day | None:
        raw = disk.read(path, _MAX_BYTES)
        try:
            one = _decode(AESGCM(self._key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], path.stem.encode()))
        except (InvalidTag, *UNREADABLE):
            path.unlink()
            return None
        return one
