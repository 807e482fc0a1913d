"""Which account on which machine this is, as a hash: what a receipt is bound to. Never sent; nothing else is asked of the machine."""

import hashlib
import os
from functools import cache
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_LABEL = b"volens/place/1"


def place() -> str:
    """SHA-256, hex, of the machine's id (where it has one) and the account's number."""
    return _place(os.geteuid())


@cache
def _place(account: int) -> str:
    try:
        machine = _MACHINE_ID.read_bytes().strip()
    except OSError:
        machine = b""
    return hashlib.sha256(b"\0".join((_LABEL, machine, str(account).encode()))).hexdigest()
