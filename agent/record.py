"""The subject's record on this machine: ledger, keys, and what they add up to. Opened once, under the lock.

The ledger key signs receipts. The identity secret derives the pseudonyms; the reading key's public half lets the subject
open everything with the recovery code. The recovery code itself is returned once and kept nowhere.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import CannotDo
from agent.places import Places
from consent.event import Clocks
from consent.history import PURGED, Choice, add, fold
from consent.ledger import Entry, Ledger
from consent.receipt import ConsentReceipt, ReceiptError, SignedReceipt, sign, verify
from consent.standing import Happening, StandingError, after
from transport.recovery import CODE_BYTES, RecoveryCode

POLICY_ACCEPTED = "policy_accepted"
FORGOTTEN = "forgotten"
SENT = "sent"


@dataclass(frozen=True, slots=True, repr=False)
class SealingKeys:
    """What sealing needs: the identity secret (32 bytes) and the reading key's public half (1,216 bytes)."""

    identity_secret: bytes
    reading_public: bytes


class Record:
    """Ledger and keys of one person. Raises LedgerError or StandingError if the ledger does not hold."""

    def __init__(self, places: Places, boot: str) -> None:
        self._places, self._boot = places, boot
        self._ledger = Ledger(places.ledger)
        self._key = _ledger_key(places.keys / "ledger")
        self.choice: Choice = fold(self._ledger.entries)

    def close(self) -> None:
        self._ledger.close()

    @property
    def entries(self) -> list[Entry]:
        """All lines of the ledger, oldest first."""
        return self._ledger.entries

    def receipt(self) -> ConsentReceipt | None:
        """The receipt in force, if this machine's ledger key signed it."""
        if self.choice.receipt is None:
            return None
        try:
            return verify(self.choice.receipt, self._key.public_key().public_bytes_raw())
        except ReceiptError:
            return None

    def check(self, happening: Happening) -> None:
        """Raise CannotDo if this cannot happen now."""
        try:
            after(self.choice.state, happening)
        except StandingError:
            raise CannotDo(f"that is not possible while you are {self.choice.state}", "see: volens status") from None

    def happen(self, happening: Happening, at: Clocks, data: dict[str, Any] | None = None) -> None:
        """Write down what the subject said; durable when this returns."""
        self.check(happening)
        self.note(happening.value, at, data)

    def note(self, what: str, at: Clocks, data: dict[str, Any] | None = None) -> None:
        """Write down something else that the subject is entitled to read later."""
        self.choice = add(self.choice, self._ledger.append(what, at, self._boot, data))

    def purged(self, at: Clocks) -> None:
        """Write down that a withdrawal's purge is complete."""
        self.note(PURGED, at)

    def sign(self, receipt: ConsentReceipt) -> SignedReceipt:
        """The receipt, signed by the ledger key."""
        return sign(receipt, self._key)

    def sealing_keys(self) -> SealingKeys | None:
        """The keys that sealing needs; None before the first consent."""
        try:
            return SealingKeys((self._places.keys / "identity").read_bytes(), (self._places.keys / "reading.pub").read_bytes())
        except FileNotFoundError:
            return None

    def make_sealing_keys(self) -> RecoveryCode | None:
        """Make the sealing keys if there are none; the recovery code, which only the subject will have. None if they exist."""
        if self.sealing_keys() is not None:
            return None
        code = RecoveryCode(secrets.token_bytes(CODE_BYTES))
        _write_new(self._places.keys / "reading.pub", code.reading_key().public.raw)
        _write_new(self._places.keys / "identity", code.identity_secret())
        return code


def _ledger_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        _write_new(path, Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _write_new(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, durable and private, or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
